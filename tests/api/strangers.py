"""Strangers by chance: `python -m tests.api.strangers 100 [first]` leads so many cases to their ends with any answers that JSON Schema takes.

Each has a Tunisia of its own. None may stay where it is or be given a 5xx, and the doctor finds nothing wrong in what they leave.
"""

import datetime as dt
import random
import sys
import tempfile
from collections import Counter
from pathlib import Path

import psycopg
from sqlalchemy import make_url

from api.app import create_app
from engine import doctor, postgres
from engine.database import Database
from engine.demo import accounts
from engine.ledger.keys import KeyStore
from engine.settings import Settings
from tests import world
from tests.api.conftest import Program
from tests.api.stranger import Stranger


class _Watched(Program):
    """A client that keeps every answer that is ours to be ashamed of."""

    shame: list[str] = []

    def __init__(self, app, language="") -> None:
        super().__init__(app, language)
        self.client.event_hooks["response"].append(self._look)

    def _look(self, answer) -> None:
        if answer.status_code >= 500:
            answer.read()
            self.shame.append(f"{answer.request.method} {answer.request.url.path} {answer.status_code} {answer.text[:300]}")


def lead(database: Database, seed: int) -> str:
    """One case by one stranger: how it ended; what is wrong otherwise."""
    chance, app = random.Random(seed), create_app(Settings(is_demo=True), database)
    programs = {one["username"]: _Watched(app, chance.choice(["fr", "ar", "en"])) for one in accounts.listed() if one["branch"] in ("MED", "TUN")}
    for username, program in programs.items():
        assert program.sign_in(username, accounts.password()).status_code == 200
    _Watched.shame.clear()

    def later():
        return dt.datetime.fromisoformat(programs["coordination"].post("/demo/clock", json={"advance": f"P{chance.choice([1, 7, 15, 40])}D"}).json()["now"]).date()

    case_id = programs["salma"].post("/cases", json={"process": "parcours", "branch": "MED"}).json()["case_id"]
    stranger = Stranger(programs, later(), chance)
    try:
        ended = stranger.lead(case_id, later)
        said = "" if ended["ended_at"] else f"does not end: {ended['waiting']} after {stranger.done[-12:]}"
    except AssertionError as stuck:
        said = f"stuck: {str(stuck)[:1500]}"
    report = doctor.examine(database)
    return "; ".join([*([said] if said else []), *_Watched.shame, *([] if report.is_well else report.lines())]) or f"well, {len(stranger.done)} tasks, the last {stranger.done[-1]}"


def main(times: int, first: int = 0) -> int:
    url = make_url(postgres.ensure_running(world.ROOT / "var" / "postgres-test", is_durable=False))
    counts: Counter[bool] = Counter()

    def named(name, folder):
        return Database(url.set(database=name).render_as_string(hide_password=False), keys=KeyStore(Path(folder) / "keys"), documents=Path(folder) / "documents")

    with psycopg.connect(url.set(drivername="postgresql", database="postgres").render_as_string(hide_password=False), autocommit=True) as server, tempfile.TemporaryDirectory() as kept:
        for name in ("masar_strangers", "masar_stranger"):
            server.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        server.execute('CREATE DATABASE "masar_strangers"')
        source = named("masar_strangers", kept)
        source.migrate()
        world.furnish(source)
        source.dispose()
        for seed in range(first, first + times):
            server.execute('CREATE DATABASE "masar_stranger" TEMPLATE "masar_strangers"')
            database = named("masar_stranger", kept)
            said = lead(database, seed)
            database.dispose()
            server.execute('DROP DATABASE "masar_stranger" WITH (FORCE)')
            counts[said.startswith("well")] += 1
            print(seed, said, flush=True)
        server.execute('DROP DATABASE "masar_strangers"')
    print(f"{counts[True]} of {times} cases were led to their end, and all is well there.")
    return 1 if counts[False] else 0


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
