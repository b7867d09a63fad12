"""The database: its two addresses, its migrations, and the only two ways in: `unit_of_work` (writes, commits) and `reading`.

Row-level security needs to know who acts: both ways say so first (`Wall`). What may be done is not decided here.
"""

import enum
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

import msgspec
import psycopg
from sqlalchemy import Engine, column, create_engine, event, text
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.orm import sessionmaker
from sqlalchemy.sql.expression import TextualSelect
from sqlmodel import Session

OLDEST_POSTGRESQL = 15
_MIGRATIONS = Path(__file__).with_name("migrations")
_TAKE = text("SELECT pg_advisory_xact_lock(:number)")


class Alone(enum.IntEnum):
    """What is done one at a time in one database: the numbers of its advisory locks (7305882 is the tests')."""

    MIGRATING = 7305881
    JOURNAL = 7305883
    BRANCHES = 7305884
    CATALOGUES = 7305885
    LOG = 7305886
    PUBLISHING = 7305887
    LOOKING = 7305888  # for what is due: the bell of the workers
    ERASING = 7305889  # a new key that waits for its commit is not one that a death left
    FILING = 7305890  # files written and not yet committed
    CHARTERS = 7305891

    def take(self, session: Session) -> None:
        """Waits for whoever does this; from then on nobody else does, until the transaction ends."""
        session.execute(_TAKE, {"number": int(self)})


@dataclass(frozen=True)
class Wall:
    """What the database is told of an actor (see `masar.*` in 0001_foundation.sql).

    `token_digest` and `said`: by which token she acts, and what the database said of it when she was last looked up (`signin`); it says so again
    in the statement that raises the wall, and where the two differ nothing is done (`WallFallen`).
    """

    user_id: str = ""
    agency: str = ""
    branch: str = ""
    reach: str = "none"
    sits: bool = False
    may_write: bool = False
    classes: str = ""
    writes: str = ""
    is_system: bool = False
    token_digest: bytes | None = None
    said: str | None = None

    @cached_property
    def settings(self) -> str:
        """Names and values in turn, each on a line of its own. Raises ValueError: a value that is more than a line."""
        flag = {True: "on", False: "off"}
        told = ["user_id", self.user_id, "agency", self.agency, "branch", self.branch, "reach", self.reach, "sits", flag[self.sits],
                "may_write", flag[self.may_write], "classes", self.classes, "writes", self.writes, "is_system", flag[self.is_system]]  # fmt: skip
        if any("\n" in one for one in told):
            raise ValueError("what the database is told of an actor holds a line break")
        return "\n".join(told)


class WallFallen(Exception):
    """The session was closed, or what its person may do has changed, since she was looked up."""


class Acting(Protocol):
    """Whoever acts: a person signed in, or the system for one kind of job."""

    @property
    def wall(self) -> Wall: ...


# In a session's `info`: what is to be written of it at its end, in the name of whoever acts, each as `tell(session, actor)`.
AFTERWARDS = "afterwards"
_RAISE = "SELECT masar_raise(%(digest)s, string_to_array(%(settings)s, E'\\n'), %(is_reading)s)"


def ask(session: Session, statement: str, parameters: Mapping[str, Any]) -> Any:
    """The one value of a statement in the driver's own style (`%(name)s`), None where there is no row: for the few that every act asks, past SQLAlchemy. What it
    learns of a statement and of its columns at each asking takes as long as the asking; a row of many columns is asked for as one JSON value."""
    connection = session.connection()
    driver = connection.connection.driver_connection
    try:
        row = driver.execute(statement, parameters).fetchone()
    except psycopg.Error as trouble:  # told as SQLAlchemy tells of every other statement's
        if driver.closed:
            connection.invalidate(trouble)
            connection.engine.dispose()  # whatever closed this one closed those that wait in the pool
        raise DBAPIError.instance(statement, None, trouble, psycopg.Error, hide_parameters=True, connection_invalidated=driver.closed, dialect=connection.dialect) from trouble
    return row[0] if row else None


def named(statement: str, names: str) -> TextualSelect:
    """A statement whose columns are named in their order (words of `names`): what is learnt of them once is kept, half a millisecond for forty columns."""
    return text(statement).columns(*(column(name) for name in names.split()))


class Unreachable(Exception):
    """The database cannot be used; the text is one sentence for the person at the terminal."""


class Database:
    """One PostgreSQL database: `owner_url` migrates it, the application works as `masar_app`."""

    def __init__(self, owner_url: str, app_url: str = "", pool_size: int = 10, **carried: Any) -> None:
        """`carried` is put in every session's `info` (the ledger's key store, the documents' folder): what a database works with and does not hold."""
        self.owner_url, self._carried = owner_url, carried
        self.app_url = app_url or owner_url
        self._pool_size = pool_size

    @property
    def carried(self) -> Mapping[str, Any]:
        """What the database works with and does not hold."""
        return self._carried

    @cached_property
    def app(self) -> Engine:
        """Connections of the application: never the owner's rights."""
        engine = create_engine(
            self.app_url, pool_size=self._pool_size, max_overflow=20, json_serializer=_to_json, json_deserializer=msgspec.json.decode, pool_pre_ping=False,
            hide_parameters=True,  # an error quotes its statement; its values are persons'
            connect_args={"application_name": "masar", "prepare_threshold": 3},
        )  # fmt: skip
        event.listen(engine, "connect", _without_jit)
        event.listen(engine, "connect", _become_app)
        return engine

    @cached_property
    def _sessions(self) -> sessionmaker[Session]:
        return sessionmaker(self.app, class_=Session, expire_on_commit=False, autoflush=False, info=self._carried)

    @contextmanager
    def unit_of_work(self, actor: Acting) -> Iterator[Session]:
        """One thing somebody did: all of it is committed at the end, or none of it."""
        with self._sessions() as session:
            _raise_wall(session, actor, is_reading=False)
            yield session
            _tell(session, session, actor)
            session.commit()

    @contextmanager
    def reading(self, actor: Acting) -> Iterator[Session]:
        """A session in which the database itself refuses writes; what must be told of it (`AFTERWARDS`) is written beside it, before its answer leaves."""
        with self._sessions() as session:
            _raise_wall(session, actor, is_reading=True)
            yield session
            session.commit()  # there is nothing to keep; but a rollback makes psycopg throw away every prepared statement of the connection
        if session.info.get(AFTERWARDS):
            with self._sessions() as beside:
                _raise_wall(beside, _Remembered(actor), is_reading=False)
                _tell(session, beside, actor)
                beside.commit()

    @contextmanager
    def still(self, actor: Acting, snapshot: str = "") -> Iterator[tuple[Session, str]]:
        """A session that reads all as of one instant, and the name under which other sessions read as of the same (`snapshot`) while this one is open."""
        with self._sessions() as session:
            connection = session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
            if snapshot:
                connection.exec_driver_sql(f"SET TRANSACTION SNAPSHOT '{snapshot}'")
            _raise_wall(session, actor, is_reading=True)
            yield session, snapshot or connection.exec_driver_sql("SELECT pg_export_snapshot()").scalar_one()
            session.commit()

    def glance(self, statement: Any, parameters: Mapping[str, Any]) -> Sequence[Any]:
        """The rows of one statement that needs no actor (whose token is this?), outside any transaction: nothing to begin, nothing to end."""
        try:
            with self._glancing.connect() as connection:
                return connection.execute(statement, parameters).all()
        except DBAPIError as trouble:
            if not trouble.connection_invalidated:
                raise
            with self._glancing.connect() as connection:
                return connection.execute(statement, parameters).all()

    @cached_property
    def _glancing(self) -> Engine:
        return self.app.execution_options(isolation_level="AUTOCOMMIT")

    @contextmanager
    def owner(self) -> Iterator[Any]:
        """A connection with the owner's rights, committed at the end: migrations, and what an installation is born with."""
        engine = create_engine(self.owner_url, json_serializer=_to_json)
        event.listen(engine, "connect", _without_jit)
        try:
            with engine.begin() as connection:
                yield connection
        finally:
            engine.dispose()

    @contextmanager
    def owner_work(self) -> Iterator[Session]:
        """A session with the owner's rights and what the database works with, committed at the end: what is done at a terminal."""
        with self.owner() as connection, Session(connection, info=self._carried) as session:
            yield session

    def check(self) -> None:
        """Refuses a database that cannot be reached or is too old, in one sentence."""
        try:
            with self.owner() as connection:
                version = connection.exec_driver_sql("SHOW server_version_num").scalar_one()
        except OperationalError as trouble:
            reason = str(trouble.orig).strip().splitlines()[0]
            raise Unreachable(f"The database cannot be reached ({reason}): check MASAR_DATABASE_URL, and that the server runs.") from trouble
        if int(version) // 10_000 < OLDEST_POSTGRESQL:
            raise Unreachable(f"PostgreSQL {OLDEST_POSTGRESQL} or later is needed; the database is version {int(version) // 10_000}.")

    def require_migrated(self) -> None:
        """Refuses a database whose tables are not those of this version of Masar, in one sentence."""
        from alembic.runtime.migration import MigrationContext  # as in `migrate`
        from alembic.script import ScriptDirectory

        scripts = ScriptDirectory(str(_MIGRATIONS))
        with self.owner() as connection:
            found = MigrationContext.configure(connection).get_current_revision()
        if found is None:
            raise Unreachable("Nothing of Masar is in this database yet: `masar migrate` installs it, or MASAR_DATABASE_URL is to name another one.")
        if found not in {one.revision for one in scripts.walk_revisions()}:
            raise Unreachable("The database belongs to a newer version of Masar than this one: use that version.")
        if found != scripts.get_current_head():
            raise Unreachable("The database is as an older version of Masar left it: `masar migrate` brings it to this one.")

    def migrate(self) -> None:
        """Brings the schema to this version of Masar; does nothing when it is there."""
        from alembic import command  # with its templates and its highlighter 25 MB and a tenth of the start, of no use to whoever finds the schema there: web server, worker, judge
        from alembic.config import Config

        with self.owner() as connection:
            # Two servers starting at once: the second waits, then finds nothing to do.
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({Alone.MIGRATING})")
            settings = Config()
            settings.set_main_option("script_location", str(_MIGRATIONS))
            settings.attributes["connection"] = connection
            command.upgrade(settings, "head")

    def dispose(self) -> None:
        if "app" in self.__dict__:
            self.app.dispose()


@dataclass(frozen=True)
class _Remembered:
    """Whoever has just read: her session may be closed since, what she read is told all the same."""

    actor: Acting

    @property
    def wall(self) -> Wall:
        return replace(self.actor.wall, token_digest=None, said=None)


def _tell(session: Session, beside: Session, actor: Acting) -> None:
    for tell in session.info.pop(AFTERWARDS, ()):
        tell(beside, actor)


def act_as(session: Session, actor: Acting) -> None:
    """From here to the end of a unit of work that the system began, a person acts: the wall is hers."""
    _raise_wall(session, actor, is_reading=False)


def _raise_wall(session: Session, actor: Acting, *, is_reading: bool) -> None:
    """Says who acts, which is the first thing said on a connection: where the server was started again meanwhile, on a fresh one."""
    wall = actor.wall
    told = {"digest": wall.token_digest, "settings": wall.settings, "is_reading": is_reading}
    try:
        said = ask(session, _RAISE, told)
    except DBAPIError as trouble:
        if not trouble.connection_invalidated:
            raise
        session.rollback()  # nothing was done yet; the pool has let go of its other dead connections
        said = ask(session, _RAISE, told)
    if said != wall.said:
        raise WallFallen


def _without_jit(connection: Any, _record: Any) -> None:
    """Statements here are short. Before PostgreSQL 18 a plan that may scan no table looks dear, and is compiled for seconds."""
    connection.execute("SET jit = off")
    connection.commit()


def _become_app(connection: Any, _record: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_user")
        if cursor.fetchone()[0] != "masar_app":
            cursor.execute("SET SESSION ROLE masar_app")
    connection.commit()


def _to_json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=str)
