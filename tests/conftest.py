"""A real PostgreSQL for the tests: one embedded cluster kept in `var/postgres-test`, a migrated template in it, a database a session.

`MASAR_DATABASE_URL` points the tests at any other server (its user must be allowed to create databases).
"""

import fcntl
import hashlib
import os
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher
from sqlalchemy import make_url

from engine import postgres, settings
from engine.actors import users
from engine.database import Database
from engine.ledger.keys import KeyStore
from tests.web.small.installation import furnish

ROOT = Path(__file__).parents[1]
IN_USE = ROOT / "var" / "postgres-test.in-use"  # held by each test session while it lasts
MIGRATIONS = ROOT / "engine" / "migrations"
FEW = 20  # databases that are dropped one by one
_OF_THE_PRODUCT = users.PASSWORDS


def pytest_configure() -> None:
    """Accounts of the tests sign in some two thousand times: their passwords are kept in a way that costs nothing, and proves nothing."""
    users.PASSWORDS = PasswordHash((Argon2Hasher(time_cost=1, memory_cost=8, parallelism=1),))


@pytest.fixture
def passwords() -> PasswordHash:
    """How the product itself keeps passwords."""
    return _OF_THE_PRODUCT


def _plain(url: str, database: str) -> str:
    return make_url(url).set(drivername="postgresql", database=database).render_as_string(hide_password=False)


def _digest() -> str:
    files = sorted([*MIGRATIONS.glob("*.sql"), *MIGRATIONS.glob("versions/*.py")])
    return hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()[:12]


@pytest.fixture(scope="session")
def server_url() -> str:
    """The address of a server where databases may be made."""
    return settings.read().database_url or postgres.ensure_running(ROOT / "var" / "postgres-test", is_durable=False)


@pytest.fixture(scope="session")
def template(server_url: str) -> str:
    """The name of a database that holds the migrated schema and nothing else; made once for each state of the migrations."""
    name = f"masar_template_{_digest()}"
    with psycopg.connect(_plain(server_url, "postgres"), autocommit=True) as connection:
        connection.execute("SELECT pg_advisory_lock(7305882)")
        if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone():
            connection.execute(f'DROP DATABASE IF EXISTS "{name}_making"')
            connection.execute(f'CREATE DATABASE "{name}_making"')
            Database(_sqlalchemy(server_url, f"{name}_making")).migrate()
            connection.execute(f'ALTER DATABASE "{name}_making" RENAME TO "{name}"')
    return name


def _sqlalchemy(url: str, database: str) -> str:
    return make_url(url).set(drivername="postgresql+psycopg", database=database).render_as_string(hide_password=False)


_made: list[Database] = []


@pytest.fixture(scope="module", autouse=True)
def _connections_end() -> Iterator:
    """The server lends so many connections: a module's go back when it is over."""
    yield
    for database in _made:
        database.dispose()


@pytest.fixture(scope="session")
def make_database(server_url: str, template: str, tmp_path_factory) -> Iterator:
    """Makes migrated databases, each its test's own; they go when the tests end.

    `furnish`: fills it; done once, and copied from then on. `source`: the database it is a copy of, its keys and documents not."""
    names: list[str] = []
    furnished: dict[Callable, tuple[str, Path]] = {}
    folders: dict[str, Path] = {}

    def make(furnish: Callable[[Database], None] | None = None, *, source: str = template) -> Database:
        if furnish and furnish not in furnished:
            first = make()
            furnish(first)
            first.dispose()
            furnished[furnish] = names[-1], folders[names[-1]]
        source, folder = furnished[furnish] if furnish else (source, None)
        name = f"masar_test_{os.getpid()}_{uuid4().hex[:8]}"
        with psycopg.connect(_plain(server_url, "postgres"), autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{source}"')
        folders[name] = tmp_path_factory.mktemp(name)
        if folder:
            shutil.copytree(folder, folders[name], dirs_exist_ok=True)
        _made.append(Database(_sqlalchemy(server_url, name), keys=KeyStore(folders[name] / "keys"), documents=folders[name] / "documents"))
        names.append(name)
        return _made[-1]

    yield make
    if len(names) > FEW and not settings.read().database_url:
        return  # each takes the server a tenth of a second: what is ours goes as a whole
    with psycopg.connect(_plain(server_url, "postgres"), autocommit=True) as connection:
        for name in names:
            connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


@pytest.fixture(scope="session")
def database(make_database) -> Database:
    """The session's own database, shared by its tests: each test makes its own persons and cases in it."""
    return make_database()


@pytest.fixture
def own_tunisia(make_database) -> Database:
    """The small installation for one test alone, that may change what everybody follows: an edition, the accounts."""
    return make_database(furnish)


def pytest_sessionstart(session) -> None:
    """Says that a session is at work on the embedded server: another that ends meanwhile leaves it there, also where this one has no connection open."""
    if hasattr(session.config, "workerinput"):
        return
    IN_USE.parent.mkdir(exist_ok=True)
    session.config.masar_in_use = open(IN_USE, "w")
    fcntl.flock(session.config.masar_in_use, fcntl.LOCK_SH)


def pytest_sessionfinish(session) -> None:
    """The last test session out stops the embedded server, and takes it away where many databases were left in it. With `MASAR_TEST_ALL`, leaving something out is a failure."""
    if hasattr(session.config, "workerinput"):  # one of several processes: whoever started them does it
        return
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if os.environ.get("MASAR_TEST_ALL") and reporter and reporter.stats.get("skipped"):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
    try:
        fcntl.flock(session.config.masar_in_use, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return
    folder = ROOT / "var" / "postgres-test"
    if not settings.read().database_url and postgres.is_running(folder):
        with psycopg.connect(postgres.address(folder, "postgres").replace("+psycopg", ""), autocommit=True) as connection:
            others = connection.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE datname LIKE 'masar_%' AND pid <> pg_backend_pid()"
            ).fetchone()[0]
            left = connection.execute("SELECT count(*) FROM pg_database WHERE datname LIKE 'masar_test_%'").fetchone()[0]
        if not others:
            postgres.stop(folder)
            if left > FEW:
                shutil.rmtree(folder)


def pytest_terminal_summary(terminalreporter) -> None:
    """Says what was left out, and why."""
    reasons = Counter(report.longrepr[2].removeprefix("Skipped: ") for report in terminalreporter.stats.get("skipped", ()))
    for reason, times in reasons.items():
        terminalreporter.write_line(f"Left out, {times}: {reason}.")
