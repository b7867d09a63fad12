"""Time, ids and payloads come with the stimulus alone: one history, the same states and happenings in another process and under another hash seed."""

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from tests.properties import random_processes

ROOT = Path(__file__).parents[2]
SEEDS = range(2_000_000, 2_000_060)


def digest():
    """Of every state and happening of sixty random histories."""
    whole = hashlib.sha256()
    for seed in SEEDS:
        told = random_processes.Told()
        random_processes.play(seed, told)
        for step in told.steps:
            whole.update(step.state)
            whole.update(repr([(type(one).__name__, msgspec.to_builtins(one)) for one in step.happenings]).encode())
    return whole.hexdigest()


@pytest.mark.parametrize("hash_seed", ["0", "1", "12345"])
def test_in_another_process_and_under_another_hash_seed(hash_seed):
    told = subprocess.run(
        [sys.executable, "-c", "from tests.properties.test_the_same_history_gives_the_same_bytes import digest; print(digest())"],
        cwd=ROOT, env=os.environ | {"PYTHONHASHSEED": hash_seed}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert told.stdout.strip() == digest()
