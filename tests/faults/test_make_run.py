"""`masar run` as a person meets it: it starts, says what is missing in one sentence, survives the death of its parts, stops and starts again."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import make_url

from engine import database, postgres, terminal
from tests.conftest import ROOT
from tests.faults import warm

SMALL = ROOT / "tests" / "web" / "small"


def free_port() -> int:
    with socket.socket() as door:
        door.bind(("127.0.0.1", 0))
        return door.getsockname()[1]


class Masar:
    """One installation in a folder of its own, on the small pathway of the web tests."""

    def __init__(self, folder: Path, **environment: str) -> None:
        self.folder, self.port, self.server = folder, free_port(), None
        for name in ("processes", "forms/tasks"):
            (folder / name).mkdir(parents=True)
        for diagram in (SMALL / "processes").iterdir():
            shutil.copy(diagram, folder / "processes")
        for form in (SMALL / "forms").glob("*.toml"):
            shutil.copy(form, folder / "forms" / "tasks")
        for shared in ("dictionary", "letters"):
            shutil.copytree(ROOT / "forms" / shared, folder / "forms" / shared)
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("MASAR_")}, "PYTHONUNBUFFERED": "1", "MASAR_VAR": str(folder / "var"),
            "MASAR_PORT": str(self.port), "MASAR_DEMO": "0", "MASAR_PROCESSES": str(folder / "processes"), "MASAR_FORMS": str(folder / "forms"), **environment,
        }  # fmt: skip

    def call(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """A command that ends by itself."""
        return warm.masar(arguments, {**self.environment, **environment})

    def start(self) -> float:
        """Starts the server and waits until it says where it serves; returns the seconds it took."""
        began = time.monotonic()
        self.server = subprocess.Popen(
            [sys.executable, "-m", "engine.cli", "run"], cwd=ROOT, env=self.environment, stdout=open(self.folder / "said", "w"), stderr=subprocess.STDOUT, start_new_session=True
        )
        self.until(lambda: "serves at" in self.said or self.server.poll() is not None, 90)
        assert self.server.poll() is None, self.said
        return time.monotonic() - began

    def stop(self, with_signal: int = signal.SIGINT) -> int:
        self.server.send_signal(with_signal)
        return self.server.wait(40)

    @property
    def said(self) -> str:
        return (self.folder / "said").read_text()

    def part(self, name: str, of: int = 0) -> int:
        """The process id of a part (`web.serve`, `engine.cli worker`), or of what such a part started."""
        for line in Path("/proc").iterdir():
            if line.name.isdigit():
                try:
                    told = (line / "cmdline").read_bytes().replace(b"\0", b" ").decode()
                    parent = (line / "stat").read_text().rpartition(")")[2].split()[1]
                except OSError:
                    continue
                if f"-m {name}" in told and parent == str(of or self.server.pid):
                    return int(line.name)
        return 0

    def judge(self) -> int:
        """The process id of the web server's judge, which is there soon after it."""
        self.until(lambda: self.part("engine.casework.judge", of=self.part("web.serve")))
        return self.part("engine.casework.judge", of=self.part("web.serve"))

    def answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/signin", timeout=10) as answer:
                return answer.status == 200
        except OSError:
            return False

    def cases(self) -> int:
        """How many cases its own PostgreSQL holds."""
        with psycopg.connect(postgres.address(self.folder / "var" / "postgres", "masar").replace("+psycopg", "")) as connection:
            return connection.execute("SELECT count(*) FROM instance").fetchone()[0]

    @staticmethod
    def until(said, seconds: float = 30) -> None:
        end = time.monotonic() + seconds
        while not said():
            assert time.monotonic() < end, "it did not come about in time"
            time.sleep(0.05)


@pytest.fixture
def masar(tmp_path: Path, server_url: str) -> Iterator[Masar]:
    """An installation on a database of the tests' own server."""
    name = f"masar_test_{os.getpid()}_run_{time.monotonic_ns()}"
    plain = make_url(server_url).set(drivername="postgresql")
    with psycopg.connect(plain.render_as_string(hide_password=False), autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')
    made = Masar(tmp_path, MASAR_DATABASE_URL=plain.set(database=name).render_as_string(hide_password=False))
    yield made
    if made.server and made.server.poll() is None:
        made.server.kill()
        made.server.wait()
    with psycopg.connect(plain.render_as_string(hide_password=False), autocommit=True) as connection:
        connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.fixture
def embedded(tmp_path: Path) -> Iterator[Masar]:
    """An installation with the PostgreSQL that it brings."""
    made = Masar(tmp_path)
    yield made
    if made.server and made.server.poll() is None:
        made.stop(signal.SIGTERM)


def refused(done: subprocess.CompletedProcess[str]) -> str:
    """The one sentence of a refusal."""
    assert done.returncode == 1 and done.stdout == "", done
    assert "Traceback" not in done.stderr
    assert re.fullmatch(r"masar: [^\n]+\.\n", done.stderr), done.stderr
    return done.stderr


def test_it_starts_from_nothing_stops_at_ctrl_c_and_starts_again_with_what_it_had(embedded: Masar):
    embedded.start()
    assert embedded.answers()
    report = json.loads(embedded.call("doctor", "--json").stdout)
    assert report["is_well"] and report["faults"] == [] and not [one for one in report["worries"] if one["code"] == "worker.none"]
    password = embedded.folder / "password"
    password.write_text("une phrase assez longue\n")
    add = ("user", "add", "salma", "--name", "Salma Trabelsi", "--agency", "OTE", "--branch", "MED", "--role", "agent_accueil", "--password-file", str(password))
    assert embedded.call(*add).returncode == 0
    assert embedded.stop() == 0
    assert "Stopped" in embedded.said and "Traceback" not in embedded.said
    assert not embedded.answers()
    assert not (embedded.folder / "var" / "postgres" / "data" / "postmaster.pid").exists(), "its PostgreSQL was stopped too"
    assert "salma" in refused(embedded.call(*add)), "the account is still there"
    embedded.start()
    assert embedded.answers()
    assert embedded.stop(signal.SIGTERM) == 0


def test_its_parts_may_die_and_nothing_outlives_it(masar: Masar):
    masar.start()
    for name in ("web.serve", "engine.cli worker"):
        first = masar.part(name)
        os.kill(first, signal.SIGKILL)
        masar.until(lambda name=name, first=first: masar.part(name) not in (0, first))
    masar.until(masar.answers)
    parts = [masar.part("web.serve"), masar.part("engine.cli worker"), masar.judge()]
    assert "running from this folder already" in refused(masar.call("run"))
    masar.server.kill()
    masar.server.wait()
    masar.until(lambda: not any(Path(f"/proc/{part}").exists() for part in parts))
    masar.start()
    assert masar.answers()
    judge = masar.judge()
    assert masar.stop() == 0
    masar.until(lambda: not Path(f"/proc/{judge}").exists(), 3)


def test_a_port_that_is_taken_is_named_with_what_to_do(masar: Masar):
    with socket.socket() as other:
        other.bind(("127.0.0.1", masar.port))
        other.listen()
        command = [sys.executable, "-m", "engine.cli", "run"]
        said = refused(subprocess.run(command, cwd=ROOT, env=masar.environment, capture_output=True, text=True, timeout=120))
    assert f"Port {masar.port} is taken" in said and "MASAR_PORT=" in said


@pytest.mark.parametrize(
    ("address", "said"),
    [("postgresql://masar@127.0.0.1:1/masar", "cannot be reached"), ("mysql://h/d", "is not the address of a PostgreSQL database"),
     ("postgresql:///nothere?host=/nowhere", "cannot be reached")],
)  # fmt: skip
def test_a_database_that_cannot_be_used_is_one_sentence(masar: Masar, address: str, said: str):
    assert said in refused(masar.call("run", MASAR_DATABASE_URL=address))


def test_a_database_that_does_not_exist_is_named(masar: Masar, server_url: str):
    other = make_url(server_url).set(drivername="postgresql", database="masar_nowhere").render_as_string(hide_password=False)
    assert "masar_nowhere" in refused(masar.call("run", MASAR_DATABASE_URL=other))


def test_a_database_of_an_older_version_is_one_sentence(make_database, monkeypatch, capsys):
    old = make_database()
    monkeypatch.setattr(database, "OLDEST_POSTGRESQL", 99)
    with pytest.raises(database.Unreachable) as told:
        old.check()
    terminal.explain(told.value)
    assert re.fullmatch(r"masar: PostgreSQL 99 or later is needed; the database is version \d\d\.\n", capsys.readouterr().err)


def test_a_folder_that_cannot_be_made_is_named(masar: Masar):
    (masar.folder / "file").write_text("")
    assert f"{masar.folder}/file/var" in refused(masar.call("run", MASAR_VAR=f"{masar.folder}/file/var"))


def test_other_commands_say_it_too(masar: Masar):
    for command in ("doctor", "worker", "serve"):
        assert "cannot be reached" in refused(masar.call(command, MASAR_DATABASE_URL="postgresql://masar@127.0.0.1:1/masar"))


def test_nothing_installed_is_said_by_what_needs_an_installation(embedded: Masar):
    assert "make run" in refused(embedded.call("doctor"))


def test_a_diagram_with_a_fault_is_named_and_once_mended_the_start_goes_on(masar: Masar):
    diagram = masar.folder / "processes" / "parcours.bpmn"
    whole = diagram.read_text("utf-8")
    diagram.write_text(whole[: len(whole) // 2], "utf-8")
    done = masar.call("run")
    assert done.returncode == 1 and "Traceback" not in done.stderr and "parcours.bpmn" in done.stderr
    diagram.write_text(whole, "utf-8")
    masar.start()
    assert masar.stop() == 0


def test_a_first_start_cut_short_in_the_demonstration_begins_again(embedded: Masar):
    embedded.environment |= {"MASAR_DEMO": "1", "MASAR_PROCESSES": str(ROOT / "processes"), "MASAR_FORMS": str(ROOT / "forms")}
    for with_signal, status in ((signal.SIGINT, 130), (signal.SIGKILL, -9)):
        embedded.server = subprocess.Popen(
            [sys.executable, "-m", "engine.cli", "run"], cwd=ROOT, env=embedded.environment, stdout=open(embedded.folder / "said", "w"), stderr=subprocess.STDOUT, start_new_session=True
        )
        embedded.until(lambda: "Playing the demonstration" in embedded.said, 90)
        embedded.until(lambda: embedded.cases() > 1)
        assert embedded.stop(with_signal) == status, embedded.said
        assert "Traceback" not in embedded.said
    embedded.environment |= {"MASAR_DEMO": "0"}
    embedded.start()
    assert "beginning again" in embedded.said
    assert json.loads(embedded.call("doctor", "--json").stdout)["counts"]["cases and dossiers"] == 0
    assert embedded.stop() == 0
