"""How long steering takes by the number of cases: its pages as a coordinator (of one programme too) and as a head of an agency in a branch read them, at N and at ten times N, beside a floor.

`python -m tests.bench.steering [cases]` (500), on an embedded server of its own; not in the timed suite. The cases are those of the demonstration, played by the engine, and copies of
them written by the owner with the guards off: what they opened and waited for, their facts, their tasks. The floor, in the same minute: one statement that adds up every passage and
counts every case, as the owner, without a wall. Each figure is the median of its looks, in turn with the floor's.
"""

import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from engine import jobs, postgres
from engine.actors import users
from engine.database import Database
from engine.demo import accounts, play
from engine.ledger.keys import KeyStore
from engine.settings import Settings
from tests import world as worlds
from tests.bench import servers
from tests.web.conftest import Browser
from web.app import create_app

PAGES = ("overview", "waits", "stuck", "indicators", "equity", "flow")
PROGRAMME = "TOUNESNA-EU"  # of which the coordinator reads each page too
_LOOKS = 5
_FLOOR = """SELECT (SELECT sum(extract(epoch FROM coalesce(closed_at, now()) - opened_at)) FROM passage), (SELECT count(*) FROM instance WHERE ended_at IS NULL)"""
_BEGIN = """
CREATE FUNCTION bench_id(of uuid, copy integer) RETURNS uuid LANGUAGE sql IMMUTABLE AS $$ SELECT md5(of::text || copy)::uuid $$;
CREATE FUNCTION bench_subject(of text, copy integer) RETURNS text LANGUAGE sql IMMUTABLE AS $$ SELECT CASE WHEN of ~ ':' THEN split_part(of, ':', 1) || ':' || md5(split_part(of, ':', 2) || copy)::uuid ELSE of END $$;
CREATE TABLE bench_own AS SELECT i.instance_id FROM instance i JOIN instance r ON r.instance_id = i.root_id AND r.process = 'parcours'
"""
_COPIES = """
SET LOCAL session_replication_role = replica;
INSERT INTO instance (instance_id, root_id, parent_id, process, edition_id, person_id, number, branch, subject, scope, stage, status, outcome, is_shared, state, seq, head, opened_at, ended_at, is_kept)
SELECT bench_id(instance_id, n), bench_id(root_id, n), bench_id(parent_id, n), process, edition_id, bench_id(person_id, n), number || '-' || n, branch, bench_subject(subject, n), scope, stage, status, outcome,
       is_shared, state, seq, head, opened_at, ended_at, is_kept FROM instance JOIN bench_own USING (instance_id), generate_series({first}, {last}) n;
INSERT INTO passage (instance_id, kind, position, node, name, opened_at, due_at, held_at, claimed_at, closed_at, outcome, closed_seq, way)
SELECT bench_id(instance_id, n), kind, position, node, name, opened_at, due_at, held_at, claimed_at, closed_at, outcome, closed_seq, way FROM passage JOIN bench_own USING (instance_id), generate_series({first}, {last}) n;
INSERT INTO asked (instance_id, seq, at, asks, again, corrected, given, given_held)
SELECT bench_id(instance_id, n), seq, at, asks, again, corrected, given, given_held FROM asked JOIN bench_own USING (instance_id), generate_series({first}, {last}) n;
INSERT INTO open_task (task_id, instance_id, root_id, position, process, node, names, form, agency, branch, role, opened_at, claimed_at, due_at, case_number, case_branch, stage)
SELECT bench_id(task_id, n), bench_id(instance_id, n), bench_id(root_id, n), position, process, node, names, form, agency, branch, role, opened_at, claimed_at, due_at, case_number || '-' || n, case_branch, stage
  FROM open_task JOIN bench_own USING (instance_id), generate_series({first}, {last}) n;
INSERT INTO fund_movement (programme, kind, amount_millimes, aid_id, instance_id, seq, moved_at)
SELECT programme, kind, amount_millimes, bench_id(aid_id, n), bench_id(instance_id, n), seq, moved_at FROM fund_movement JOIN bench_own USING (instance_id), generate_series({first}, {last}) n;
INSERT INTO fact (person_id, root_id, instance_id, subject, field, value, status, class, source, author_agency, recorded_at, valid_until, seq, is_current)
SELECT bench_id(person_id, n), bench_id(root_id, n), bench_id(instance_id, n), bench_subject(subject, n), field, value, status, class, source, author_agency, recorded_at, valid_until, seq, is_current
  FROM fact JOIN bench_own USING (instance_id), generate_series({first}, {last}) n ORDER BY n, fact_id
"""
Look = Callable[[], None]


def main() -> None:
    fewer = int(sys.argv[1]) if len(sys.argv) > 1 else 500
    with tempfile.TemporaryDirectory() as folder:
        url = postgres.ensure_running(Path(folder) / "postgres", is_durable=False)
        database = Database(url, keys=KeyStore(Path(folder) / "keys"), documents=Path(folder) / "documents")
        try:
            database.migrate()
            worlds.furnish(database)
            play.load(database)
            with database.unit_of_work(users.system()) as session:
                jobs.seal(session)
            done = begin(database)
            played, found = done, {}
            print(f"\nSteering, {_LOOKS} looks each, in turn with the floor; {servers.machine()}\n")
            for size in (fewer, 10 * fewer):
                done = grow(database, played, done, size)
                found[size] = measured(database)
                print(f"{done} cases: the floor {found[size][''] * 1e3:.0f} ms", flush=True)
                for name, seconds in found[size].items():
                    if name:
                        told = f", {seconds / found[fewer][name]:.1f} times what it took at a tenth" if size > fewer else ""
                        print(f"  {name:32}{seconds * 1e3:7.0f} ms, {seconds / found[size]['']:5.1f} times the floor{told}", flush=True)
        finally:
            database.dispose()
            postgres.stop(Path(folder) / "postgres")


def begin(database: Database) -> int:
    """Makes what copying needs; how many cases were played."""
    with database.owner() as connection:
        for statement in _BEGIN.strip().split(";\n"):
            connection.exec_driver_sql(statement)
        return connection.exec_driver_sql("SELECT count(*) FROM instance WHERE process = 'parcours' AND root_id = instance_id").scalar_one()


def grow(database: Database, played: int, done: int, size: int) -> int:
    """Copies the cases played until there are about so many; how many there are."""
    first, last = done // played, max(size // played, 1) - 1
    with database.owner() as connection:
        for statement in _COPIES.format(first=first, last=last).strip().split(";\n"):
            connection.exec_driver_sql(statement)
    with database.owner() as connection:
        connection.exec_driver_sql("ANALYZE")
    return played * (last + 1)


def measured(database: Database) -> dict[str, float]:
    """Seconds of each page for each reader, and of the floor ("")."""
    looks: dict[str, Look] = {"": lambda: add_up(database)} | {f"{who}, {tab}": look for who in ("coordinateur", "chef_cps") for tab, look in pages(database, who).items()}
    taken: dict[str, list[float]] = {name: [] for name in looks}
    for turn in range(_LOOKS + 1):
        for name, look in looks.items():
            began = time.perf_counter()
            look()
            if turn:
                taken[name].append(time.perf_counter() - began)
    return {name: statistics.median(those) for name, those in taken.items()}


def add_up(database: Database) -> None:
    with database.owner() as connection:
        connection.exec_driver_sql(_FLOOR).all()


def pages(database: Database, role: str) -> dict[str, Look]:
    reader = next(one for one in worlds.World(database).staff.values() if role in one.roles)
    browser = Browser(create_app(Settings(is_demo=True), database))
    browser.sign_in(reader.username, accounts.password())

    def page(address: str) -> Look:
        def look() -> None:
            assert browser.get(f"/steering?{address}").status_code == 200

        return look

    apart = {f"{tab}, a programme": page(f"tab={tab}&programme={PROGRAMME}") for tab in PAGES} if role == "coordinateur" else {}
    return {tab: page(f"tab={tab}") for tab in PAGES} | apart


if __name__ == "__main__":
    main()
