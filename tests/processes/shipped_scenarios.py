"""The scenarios that come with the real edition, made again: `python -m tests.processes.shipped_scenarios` plays three persons of the demonstration to the end of
their cases and keeps each as a coordinator would, disguised. For whoever changes the pathway so that the walks themselves are to be others; where only what
they lead to changed, a draft's page of scenarios renews them.
"""

import dataclasses
import datetime as dt
import random
import tempfile
from pathlib import Path

import psycopg
from sqlalchemy import make_url, text

from engine import clock, postgres
from engine.actors import users
from engine.casework import drafts, scenarios
from engine.database import Database
from engine.demo import people, play, stories
from engine.ledger.keys import KeyStore
from engine.pathway import scenario_files
from engine.pathway.scenario_files import FOLDER
from tests import world as worlds

TODAY = dt.date(2026, 11, 24)
YEARS = 3
_NUMBER = text("SELECT number, status FROM instance WHERE instance_id = :id")


def walked() -> list[tuple[str, people.Person]]:
    """Who is played, and what her walk is called."""
    employed = people.draw(random.Random(8), 8, "TUN", dt.date(2024, 9, 2), "emploi")
    return [
        ("Création d'une activité", stories.pizzeria_of_zarzis(TODAY)),
        ("Aide sociale à une famille", stories.mother_in_sfax(TODAY)),
        ("Retour à l'emploi", employed),
    ]


TITLES = {"Création d'une activité": {"ar": "إحداث مشروع", "en": "Starting a business"}, "Aide sociale à une famille": {"ar": "إعانة اجتماعية لأسرة", "en": "Social aid to a family"},
          "Retour à l'emploi": {"ar": "العودة إلى الشغل", "en": "Back to work"}}  # fmt: skip


def titled(content: bytes, title: str) -> bytes:
    """The file with its title in the other languages."""
    found, _ = scenario_files.read_all({f"{FOLDER}x.toml": content})
    return scenario_files.write(dataclasses.replace(found[f"{FOLDER}x.toml"], titles=TITLES[title]))


def make(database: Database) -> dict[str, bytes]:
    """The files, by path, played in an empty migrated database."""
    worlds.furnish(database, worlds.bare_files())
    world, made = worlds.World(database), {}
    meriem = next(one for one in world.staff.values() if "coordinateur" in one.roles)
    with database.unit_of_work(meriem) as session:
        draft_id = drafts.open_draft(session, meriem, "Scénarios")
    for title, person in walked():
        with database.unit_of_work(users.system()) as session:
            clock.advance(session, (worlds.clock_at(person.arrives_on) - clock.now(session)).total_seconds())
        staff = play.Player(database)
        case_id = staff.receive(person)
        for month in range(1, 12 * YEARS):
            staff.until(worlds.clock_at(person.arrives_on + dt.timedelta(days=30 * month)))
            if world.file(case_id).ended_at is not None:
                break
        assert staff.refused == [], staff.refused
        with database.unit_of_work(meriem) as session:
            row = session.execute(_NUMBER, {"id": case_id}).one()
            paths = scenarios.of_case(session, meriem, draft_id, row.number, title)
        print(title, row.status, paths)
        with database.reading(meriem) as session:
            made |= {path: titled(drafts.read(session, meriem, draft_id, path).content, title) for path in paths}
    return made


def main() -> None:
    url = make_url(postgres.ensure_running(worlds.ROOT / "var" / "postgres-test", is_durable=False))
    name = "masar_shipped_scenarios"
    with psycopg.connect(url.set(drivername="postgresql", database="postgres").render_as_string(hide_password=False), autocommit=True) as connection:
        connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        connection.execute(f'CREATE DATABASE "{name}"')
        with tempfile.TemporaryDirectory() as kept:
            database = Database(url.set(database=name).render_as_string(hide_password=False), keys=KeyStore(Path(kept) / "keys"), documents=Path(kept) / "documents")
            database.migrate()
            made = make(database)
            database.dispose()
        connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
    folder = worlds.ROOT / FOLDER
    folder.mkdir(exist_ok=True)
    for old in folder.glob("*.toml"):
        old.unlink()
    for path, content in made.items():
        (worlds.ROOT / path).write_bytes(content)


if __name__ == "__main__":
    main()
