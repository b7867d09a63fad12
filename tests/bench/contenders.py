"""The four that are compared: the floor, the naive application, Masar on the small pathway and on the real one.

Each has a database of its own on the same PostgreSQL and a server that stays up, so that they take turns within seconds: the pace of a shared machine
changes within minutes. A block lets 1 or 8 clients complete tasks one after the other.
"""

import asyncio
import shutil
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
from sqlalchemy import make_url

from engine.actors import users
from engine.casework import tasks
from engine.database import Database
from engine.demo import accounts, answers
from engine.ledger.keys import KeyStore
from tests import statements, world
from tests.bench import servers
from tests.bench.client import Connection, quantile, together

HERE = Path(__file__).parent
_WARMING = 3  # cases a client


@dataclass(frozen=True)
class Block:
    """One block's figures: completions a second, milliseconds at the median and at 95 %, CPU milliseconds of the server a completion."""

    rate: float
    p50: float
    p95: float
    cpu: float


class Contender:
    """A server with its database. `prepare` makes and warms them, `block` measures, `close` stops the one and drops the other."""

    name, module, database = "", "", ""

    def __init__(self, server: str) -> None:
        self.server, self.url, self.folder, self.done, self.running = server, "", tempfile.mkdtemp(prefix="masar-bench-"), 0, ExitStack()

    def prepare(self) -> None:
        self.url = servers.make_database(self.server, self.database)
        self.furnish()
        self.port = servers.free_port()
        environment = {"BENCH_DATABASE": self.url, "BENCH_FOLDER": self.folder}
        self.served = self.running.enter_context(servers.serving(servers.uvicorn(f"tests.bench.{self.module}:app", self.port), environment, self.port))
        for clients in (1, 8):  # imports, plans, the edition read
            self.block(_WARMING * clients, clients)

    def furnish(self) -> None:
        """Gives the empty database its tables."""

    def block(self, cases: int, clients: int) -> Block:
        each, notes = max(1, cases // clients), []
        wall, cpu = asyncio.run(self._play(each, clients, notes, lambda: servers.cpu_seconds(self.served.pid)))
        self.done += each * clients
        return Block(len(notes) / wall, quantile(notes, 0.5) * 1e3, quantile(notes, 0.95) * 1e3, cpu / len(notes) * 1e3)

    async def _play(self, cases: int, clients: int, notes: list[float], meter: Callable[[], float]) -> tuple[float, float]:
        """Each client plays its cases, `cases` of them, without pause; the seconds and the CPU seconds of the server that the timed calls took."""

        async def act(connection: Connection, own: list[float]) -> None:
            for _ in range(cases):
                await self.play(connection, own)

        before = meter()
        found, _wall = await together(self.port, clients, act, self.login)
        notes += found
        return sum(found) / clients, meter() - before  # opening a case stands between the timed calls

    async def login(self, connection: Connection) -> None:
        connection.headers = "Authorization: Bearer bench\r\n"

    async def play(self, connection: Connection, notes: list[float]) -> None:
        """One case from its start to its end; each completion's seconds go into `notes`."""
        raise NotImplementedError

    def statements(self) -> str:
        """Statements a completion, where they were counted."""
        return ""

    def bytes_a_case(self) -> int:
        return servers.bytes_of(self.url) // max(1, self.done)

    def close(self) -> None:
        self.running.close()
        servers.drop_database(self.server, self.database)
        shutil.rmtree(self.folder, ignore_errors=True)


async def timed(connection: Connection, notes: list[float], method: str, path: str, body: Any, headers: str = "") -> Any:
    """A call whose seconds are noted; anything but a success stops the bench."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    status, answer = await connection.ask(method, path, body, headers=headers)
    notes.append(loop.time() - began)
    if status not in (200, 201):
        raise SystemExit(f"{method} {path} answered {status}: {answer}")
    return answer


class Floor(Contender):
    name, module, database = "floor", "floor", "bench_floor"

    def furnish(self) -> None:
        _run(self.url, Path(HERE / "floor.py").read_text("utf-8").split('SCHEMA = """')[1].split('"""')[0])

    async def play(self, connection: Connection, notes: list[float]) -> None:
        _, found = await connection.ask("POST", "/tasks")
        for _ in range(6):
            found = await timed(connection, notes, "POST", f"/tasks/{found['task_id']}/complete", {"answers": {"membres": 2, "emploi": True}})

    def statements(self) -> str:
        return "5"


class Naive(Contender):
    name, module, database = "naive", "naive", "bench_naive"

    def furnish(self) -> None:
        _run(self.url, Path(HERE / "naive.py").read_text("utf-8").split('SCHEMA = """')[1].split('"""')[0])

    async def play(self, connection: Connection, notes: list[float]) -> None:
        _, found = await connection.ask("POST", "/cases")
        waiting = found["tasks"]
        while waiting:
            waiting = (await timed(connection, notes, "POST", f"/tasks/{waiting[0]['task_id']}/complete", {"answers": {"membres": 2, "emploi": True}}))["tasks"]


class Small(Contender):
    """Masar on the small pathway of six tasks."""

    name, module, database = "Masar, small pathway", "masar", "bench_small"
    process = "petit"
    masar: Database | None = None

    def furnish(self) -> None:
        self.masar = Database(self.url, keys=KeyStore(Path(self.folder) / "keys"), documents=Path(self.folder) / "documents")
        self.masar.migrate()
        world.furnish(self.masar, self.edition())
        self.world = world.World(self.masar)
        self.tokens: dict[str, str] = {}

    def edition(self) -> dict[str, bytes] | None:
        """The files of the edition; None for the real one."""
        return servers.edition_files("petit.bpmn")

    async def login(self, connection: Connection) -> None:
        """A token for each member of staff who will work; signed in once, since argon2 is no part of a completion."""
        for actor in self.staff():
            if actor.username in self.tokens:
                continue
            status, answer = await connection.ask("POST", "/token", f"username={actor.username}&password={accounts.password()}", form=True)
            if status != 200:
                raise SystemExit(f"sign-in of {actor.username} answered {status}: {answer}")
            self.tokens[actor.username] = f"Authorization: Bearer {answer['access_token']}\r\n"

    def staff(self) -> list[users.Actor]:
        return [one for one in self.world.staff.values() if one.branch == "MED" or one.username in ("aides", "ordonnateur", "coordination")]

    async def _play(self, cases: int, clients: int, notes: list[float], meter: Callable[[], float]) -> tuple[float, float]:
        """All cases step by step: the answers to every open task are made ready, which nobody times; then the clients send them without pause, as those of
        the others do. Thinking between two calls would let the server's caches go cold, and count the thinking of whoever drives it."""
        connections = [await Connection(self.port).open() for _ in range(clients)]
        for connection in connections:
            await self.login(connection)
        truths = {await self.open(connections[0]): self.truth() for _ in range(cases * clients)}
        wall = cpu = 0.0
        while ready := await asyncio.to_thread(self._ready, truths):

            async def send(connection: Connection) -> None:
                while ready:
                    task_id, body, token = ready.pop()
                    await timed(connection, notes, "POST", f"/tasks/{task_id}/complete", body, token)

            began, before = time.perf_counter(), meter()
            await asyncio.gather(*(send(connection) for connection in connections))
            wall, cpu = wall + time.perf_counter() - began, cpu + meter() - before
        for connection in connections:
            await connection.close()
        return wall, cpu

    async def open(self, connection: Connection) -> UUID:
        opener = self.world.agent("OTE", "MED", "agent_accueil")
        status, opened = await connection.ask("POST", "/cases", {"process": self.process, "branch": "MED"}, headers=self.tokens[opener.username])
        if status != 201:
            raise SystemExit(f"opening a case answered {status}: {opened}")
        return UUID(opened["case_id"])

    def _ready(self, truths: dict[UUID, dict[str, Any]]) -> list[tuple[UUID, dict[str, Any], str]]:
        """An open task of each case (what one says may make the page of another stale) with its answers and the token of who sends them."""
        made = []
        for case_id, truth in truths.items():
            for row in self.world.open_tasks(case_id)[:1]:
                actor = self.world.who_does(row)
                with self.masar.unit_of_work(actor) as session:
                    view = tasks.view(session, actor, row.task_id)
                    body = {"answers": answers.to(view.form, truth, self.world.today(), actor, session), "version": view.version}
                made.append((row.task_id, body, self.tokens[actor.username]))
        return made

    def truth(self) -> dict[str, Any]:
        return {"essai.membres": 2, "essai.emploi": True}

    def statements(self) -> str:
        """Client round trips of a completion, BEGIN and COMMIT left out, whose token it is included: the mean and the most, counted in this process over one case."""
        truth = self.truth()
        case_id = self.world.receive(truth, process=self.process)
        counted: list[int] = []
        while waiting := self.world.open_tasks(case_id):
            for row in waiting:
                actor = self.world.who_does(row)
                with self.masar.unit_of_work(actor) as session:
                    view = tasks.view(session, actor, row.task_id)
                    raw = answers.to(view.form, truth, self.world.today(), actor, session)
                with statements.sent() as ran, self.masar.unit_of_work(actor) as session:
                    tasks.complete(session, actor, row.task_id, raw, view.version)
                counted.append(1 + len(ran))  # whose token it is
        return f"{sum(counted) / len(counted):.1f}≤{max(counted)}"

    def close(self) -> None:
        if self.masar:
            self.masar.dispose()
        super().close()


class Real(Small):
    """Masar on the real pathway, its reception and assessment."""

    name, database, process = "Masar, real pathway", "bench_real", "parcours"
    _number = 0

    def edition(self) -> None:
        return None

    def truth(self) -> dict[str, Any]:
        Real._number += 1
        # A name of her own in either script: doubles are looked for by the consonants of names.
        latin, arabic = ("ma".join(letters[int(digit)] for digit in str(Real._number)) for letters in (("ba", "ja", "da", "ra", "sa", "fa", "ka", "la", "na", "ta"), "بجدرسفكلنت"))
        return {"person.cin": f"{10_000_000 + Real._number}"[:8], "person.nom_fr": latin.capitalize(), "person.prenom_fr": "Banc", "person.nom_ar": arabic.replace("ma", "م"),
                "person.prenom_ar": "بنك", "person.sexe": "M", "person.naissance_date": f"{1970 + Real._number % 30}-03-{1 + Real._number % 28:02d}", "person.tel": f"+2162{1_000_000 + Real._number % 9_000_000}",
                "person.adresse": "Rue du banc", "person.gouvernorat": "TN-82", "person.delegation": "TN-82-01", "retour.date": "2026-10-01", "retour.type": "force_charter",
                "retour.pays": "DE", "plan.mesures": [{"mesure.type": "M12", "mesure.agence": "ANETI", "mesure.debut": "@+3", "mesure.aide_demandee": False}]}  # fmt: skip


def _run(url: str, statements: str) -> None:
    with psycopg.connect(make_url(url).set(drivername="postgresql").render_as_string(hide_password=False), autocommit=True) as connection:
        connection.execute(statements)
