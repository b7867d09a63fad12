"""Setting up on a machine that lacks something: one sentence that says what, before anything is made."""

import ast
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT

_RUN = "import os, runpy, sys; {}; runpy.run_path('bootstrap.py', run_name='__main__')"


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A clone where nothing was set up yet."""
    shutil.copy(ROOT / "bootstrap.py", tmp_path)
    (tmp_path / "requirements.txt").write_text("")
    return tmp_path


def set_up(clone: Path, lacking: str) -> str:
    done = subprocess.run([sys.executable, "-c", _RUN.format(lacking)], cwd=clone, capture_output=True, text=True, timeout=60)
    assert done.returncode == 1 and "Traceback" not in done.stderr, done.stderr
    assert done.stderr.startswith("masar: ") and done.stderr.count("\n") == 1
    assert not (clone / ".venv").exists()
    return done.stderr


def test_an_older_python_can_read_the_script_and_is_told(clone: Path):
    ast.parse((ROOT / "bootstrap.py").read_text("utf-8"), feature_version=(3, 6))
    assert "3.11" in set_up(clone, "sys.version_info = (3, 9, 2, 'final', 0)")


def test_without_the_venv_module_the_package_to_install_is_named(clone: Path):
    assert "python3-venv" in set_up(clone, "sys.modules['ensurepip'] = None")


def test_a_folder_that_cannot_be_written_to_is_named(clone: Path):
    assert str(clone) in set_up(clone, "os.access = lambda *_: False")
