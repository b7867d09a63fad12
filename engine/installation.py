"""An installation: its database found or made, migrated, and given what it is born with (branches, holidays, programmes, edition 1, the demo).

A first start that was cut short begins again: with the embedded database by itself, with one that was given by asking for an empty one.
"""

from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from sqlalchemy import make_url, text

from engine import clock, mail, postgres
from engine.actors import agencies, users
from engine.casework import archives, drafts, editions, erasures, incoming
from engine.database import Database
from engine.demo import accounts, play
from engine.dossier import programmes
from engine.ledger import journal, standing
from engine.ledger.keys import KeyStore
from engine.settings import Settings

_NAME = "masar"
_HOLIDAY_YEARS = (3, 12)  # before and after the year of birth: demo cases began earlier, deadlines fall later
_READY = text("SELECT is_ready FROM installation")
_BEGUN = text("SELECT EXISTS (SELECT FROM instance)")
_BORN = text("INSERT INTO installation (is_demo) VALUES (:is_demo) ON CONFLICT (only_row) DO UPDATE SET is_demo = excluded.is_demo")
_MADE = text("UPDATE installation SET is_ready = true")


class Unusable(Exception):
    """The installation cannot be used as it is; the text is one sentence for the person at the terminal."""


def cluster(settings: Settings) -> Path:
    """The folder of the embedded PostgreSQL."""
    return settings.var / "postgres"


@contextmanager
def opened(settings: Settings) -> Iterator[Database]:
    """The installation's database, checked; an embedded server that had to be started for it is stopped at the end.

    Raises Unreachable (not there, or not of this version), postgres.ServerTrouble; Unusable when nothing was installed yet.
    """
    if not settings.database_url and not (cluster(settings) / "data" / "PG_VERSION").exists():
        raise Unusable("Nothing is installed here yet: start with `make run`.")
    with _as_it_was(settings):
        if not settings.database_url:
            postgres.ensure_running(cluster(settings))
        database = _database(settings)
        try:
            database.check()
            database.require_migrated()
            yield database
        finally:
            database.dispose()


def bring_up_to_date(settings: Settings, say: Callable[[str], None], tell: Callable[[float], None] = lambda _share: None) -> None:
    """`prepare`, for a command that ends then: an embedded server that had to be started for it is stopped. Raises: as `prepare`."""
    with _as_it_was(settings):
        prepare(settings, say, tell).dispose()


@contextmanager
def _as_it_was(settings: Settings) -> Iterator[None]:
    """An embedded server that was not running before is stopped at the end."""
    was_running = bool(settings.database_url) or postgres.is_running(cluster(settings))
    try:
        yield
    finally:
        if not was_running:
            postgres.stop(cluster(settings))


def prepare(settings: Settings, say: Callable[[str], None], tell: Callable[[float], None] = lambda _share: None) -> Database:
    """Makes or finds the database, brings it to this version, and the first time fills it. `say` tells what takes long, `tell` which share of it is done.

    Raises Unreachable, postgres.ServerTrouble, Unusable, errors.Refusal (`edition.refused`).
    """
    if not settings.database_url:
        if not (cluster(settings) / "data" / "PG_VERSION").exists():
            say("Making the database (once) …")
        postgres.ensure_running(cluster(settings))
        _make_database(settings)
    database = _database(settings)
    database.check()
    database.migrate()
    is_ready, is_begun = _standing(database)
    if is_begun and not is_ready:
        if settings.database_url:
            raise Unusable("The demonstration's first playing on this database was cut short: make the database empty, then start again.")
        say("The first start was cut short: beginning again …")
        database.dispose()
        _make_database(settings, anew=True)
        database = _database(settings)
        database.migrate()
    if not is_ready:
        fill(database, settings, say, tell)
        return database
    if back := erasures.again(database):
        say(f"{back} persons who were erased had come back with a backup: they are erased again.")
    note_standing(database)
    with database.owner() as connection:
        new = programmes.complete(connection, settings.processes)
    if new:
        say(f"New parameters with their first values, on the page Administration: {', '.join(new)}.")
    if deliver(database, settings):
        say("The files of this version of Masar differ from every edition: they wait as a draft on the page Parcours; cases go on as before.")
    return database


def fill(database: Database, settings: Settings, say: Callable[[str], None], tell: Callable[[float], None] = lambda _share: None) -> None:
    """Gives a migrated database without cases what an installation is born with; what is there already stays. Raises errors.Refusal (`edition.refused`)."""
    year = clock.today(clock.system_now()).year
    with database.owner() as connection:
        connection.execute(_BORN, {"is_demo": settings.is_demo})
        agencies.install(connection)
        programmes.seed_holidays(connection, range(year - _HOLIDAY_YEARS[0], year + _HOLIDAY_YEARS[1] + 1), settings.processes)
        programmes.seed(connection, settings.processes)
        if settings.is_demo:
            accounts.make(connection)
    publish(database, settings)
    if settings.is_demo:
        say("Playing the demonstration, some sixty cases (once, a minute or two) …")
        play.load(database, tell=tell)
    note_standing(database)
    with database.owner() as connection:
        connection.execute(_MADE)


def publish(database: Database, settings: Settings) -> int:
    """Publishes `processes/` and `forms/` as the first edition; returns its number. Raises errors.Refusal (`edition.refused`)."""
    with database.unit_of_work(users.system()) as session:
        return editions.publish(session, users.system(), editions.files_of(settings.processes, settings.forms)).number


def deliver(database: Database, settings: Settings) -> bool:
    """After an upgrade of Masar: files that changed in the folders become a draft, once, never an edition by themselves. Whether one was made."""
    files = editions.files_of(settings.processes, settings.forms)
    with database.unit_of_work(users.system()) as session:
        return drafts.deliver(session, files) is not None


def note_standing(database: Database) -> None:
    """Notes in the journal what the doctor holds the database's walls and unchanging rows against."""
    with database.unit_of_work(users.system()) as session:
        standing.note(session, users.system())


def export(database: Database, number: int | None) -> bytes:
    """An edition as an archive, by its number; by default the one in force. Raises errors.Refusal (`edition.none`, `edition.not_found`)."""
    with database.reading(users.system()) as session:
        edition = editions.numbered(session, number) if number is not None else editions.current(session)
        return archives.pack(edition.files, str(edition.number))


def bring_in(database: Database, paths: list[Path], title: str) -> None:
    """Makes a draft of an archive, or of BPMN, DMN and TOML files. Raises OSError, errors.Refusal."""
    sent = [(path.name, path.read_bytes()) for path in paths]
    with database.unit_of_work(users.system()) as session:
        incoming.bring_in(session, users.system(), sent, title)


def add_user(database: Database, username: str, name: str, agency: str, branch: str, roles: Collection[str], password: str, *, name_ar: str = "", language: str = "fr") -> None:
    """Makes an account from the terminal: the first administrators, who make the others in the browser. Raises errors.Refusal. Records: `account.created`."""
    with database.owner_work() as session:
        user_id = users.create(session, username, name, agency, branch, roles, password, name_ar=name_ar, language=language)
        told = {"agency": agency, "branch": branch, "roles": sorted(roles), "language": language}
        journal.append(session, users.system(), "account.created", f"user:{user_id}", told, {"username": username, "name": name, "name_ar": name_ar})


def _database(settings: Settings) -> Database:
    url = settings.database_url or postgres.address(cluster(settings), _NAME)
    return Database(url, settings.app_database_url, keys=KeyStore(settings.keys), documents=settings.documents, post=mail.Post(settings.smtp, settings.mail_from, settings.address))


def _make_database(settings: Settings, *, anew: bool = False) -> None:
    server = make_url(postgres.address(cluster(settings), "postgres")).set(drivername="postgresql").render_as_string()
    with psycopg.connect(server, autocommit=True) as connection:
        if anew:
            connection.execute(f"DROP DATABASE IF EXISTS {_NAME} WITH (FORCE)")
        if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [_NAME]).fetchone():
            connection.execute(f"CREATE DATABASE {_NAME}")


def _standing(database: Database) -> tuple[bool, bool]:
    """Whether the first start came to its end, and whether cases were made: a demonstration can only be played from its beginning."""
    with database.owner() as connection:
        return bool(connection.execute(_READY).scalar()), connection.execute(_BEGUN).scalar_one()
