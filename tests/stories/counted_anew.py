"""B1–B12 (domain.md §5.3) counted anew, case by case: from the lines of the ledger, the facts as they were said, and the files of `processes/`.

An oracle for steering: it shares neither its statements nor the rows that the worker keeps for them.
"""

import datetime as dt
import json
import statistics
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from uuid import UUID
from zoneinfo import ZoneInfo

from lxml import etree
from sqlalchemy import text

from engine.actors import users
from engine.casework import diagrams, editions
from engine.casework.rows import FROM_THE_PERSON
from forms import dictionary
from tests.processes import reading
from tests.processes.test_the_diagrams import AGENCY, BPMN, FILES, carried

TUNIS = ZoneInfo("Africa/Tunis")
PLACES = {"antenne", "unite_sociale", "bureau_emploi"}
HEADS = {"chef_antenne", "chef_cps", "chef_aneti", "coordinateur", "ordonnateur", "president_commission"}
SERVICE, FILES_COMPLETE, PIECES_ASKED, HEAD_DECIDES, SITTING = {"suivi.ouvrir", "paiement.confirme"}, "T603", "T602", "T604", "dossier.decide"
LEFT = {"desistement", "perdu_de_vue", "redepart_etranger", "demenagement_hors_zone", "comportement_agressif"}
DAY = 86_400
RATIOS, MEDIANS = ("b1", "b6", "b8", "b10", "b11", "b12"), ("b5", "b7")


@dataclass
class Task:
    instance: UUID
    node: str
    opened: dt.datetime
    due: dt.datetime | None
    held: dt.datetime | None
    claimed: dt.datetime | None = None
    closed: dt.datetime | None = None
    is_done: bool = False
    seq: int = 0
    way: str = ""


@dataclass
class Wait:
    node: str
    name: str
    opened: dt.datetime
    closed: dt.datetime | None = None


@dataclass
class Case:
    """A case with all that runs in it and beside it."""

    root: UUID
    branch: str
    opened: dt.datetime
    ended: dt.datetime | None
    tasks: list[Task] = field(default_factory=list)
    waits: list[tuple[UUID, Wait]] = field(default_factory=list)
    sent: list[tuple[dt.datetime, str, UUID]] = field(default_factory=list)

    def service(self) -> dt.datetime | None:
        return min((at for at, name, _ in self.sent if name in SERVICE), default=None)

    def visits(self, drawn: dict[str, dict]) -> list[dt.datetime]:
        """When the person came: one place and one day are once."""
        found: dict[tuple[dt.date, str], dt.datetime] = {}
        for task in self.done():
            if (place := drawn[task.node]["presence"]) in PLACES:
                key = (task.closed.astimezone(TUNIS).date(), place)
                found[key] = min(task.closed, found.get(key, task.closed))
        return list(found.values())

    def decided(self) -> list[tuple[UUID, dt.datetime]]:
        """When each of its aid files was decided, by a sitting or by the head alone."""
        return [(instance, wait.closed) for instance, wait in self.waits if wait.name == SITTING and wait.closed] + [(task.instance, task.closed) for task in self.done() if task.node == HEAD_DECIDES]

    def done(self) -> list[Task]:
        return sorted((task for task in self.tasks if task.is_done), key=lambda one: (one.closed, one.seq, one.instance))


def drawings() -> dict[str, dict]:
    """Each task of the diagrams: its agency, where the person is, whether it validates."""
    found = {}
    for path in FILES:
        root = etree.parse(path).getroot()
        lanes = {ref.text.strip(): lane.get("name") for lane in root.iter(f"{BPMN}lane") for ref in lane.iter(f"{BPMN}flowNodeRef")}
        for node, note in carried(root, "tache"):
            lane = next((lanes[one.get("id")] for one in (node, *node.iterancestors()) if one.get("id") in lanes), "")
            found[node.get("id")] = {"agency": AGENCY.get(lane, ""), "presence": note.get("presence", ""), "validates": bool(note.get("distinct")) or note.get("role") in HEADS}
    return found


def aided(database, programme: str) -> tuple[set[UUID], set[UUID]]:
    """The cases with a dossier in a programme, and the dossiers that are in another or in none yet."""
    with database.reading(users.system()) as session:
        rows = session.execute(text("SELECT instance_id, root_id, subject FROM instance WHERE process = 'dossier_aide'")).all()
        chosen = dict(session.execute(text("SELECT subject, value FROM fact WHERE field = 'aide.programme' AND is_current")).all())
    return {row.root_id for row in rows if chosen.get(row.subject) == programme}, {row.instance_id for row in rows if programme and chosen.get(row.subject) != programme}


def cases(database, programme: str = "") -> dict[UUID, Case]:
    """Every case as the ledger tells it; of a programme those with a dossier in it, without their other dossiers."""
    with database.reading(users.system()) as session:
        rows = session.execute(text("SELECT instance_id, root_id, process, branch, opened_at, ended_at FROM instance")).all()
        lines = session.execute(text("SELECT instance_id, seq, kind, line FROM ledger_line ORDER BY instance_id, seq")).all()
    found = {row.instance_id: Case(row.instance_id, row.branch, row.opened_at, row.ended_at) for row in rows if row.process == "parcours" and row.root_id == row.instance_id}
    if programme:
        roots, elsewhere = aided(database, programme)
        found, rows = {root: case for root, case in found.items() if root in roots}, [row for row in rows if row.instance_id not in elsewhere]
    case_of = {row.instance_id: found[row.root_id] for row in rows if row.root_id in found}
    tasks: dict[tuple[UUID, str], Task] = {}
    waits: dict[tuple[UUID, str], Wait] = {}
    for instance, seq, kind, line in lines:
        if instance in case_of:
            told = json.loads(line)
            _hear(case_of[instance], instance, seq, kind, told["body"], dt.datetime.fromisoformat(told["occurred_at"]), tasks, waits)
    return found


def _hear(case: Case, instance: UUID, seq: int, kind: str, body: dict, at: dt.datetime, tasks: dict, waits: dict) -> None:
    if body.get("holder"):
        task = tasks[instance, body["task"]]
        task.held = task.held or at
        task.claimed = (task.claimed or at) if kind == "task.claimed" else task.claimed
    for position, node in body.get("opened", ()):
        due = body.get("due", {}).get(position)
        tasks[instance, position] = Task(instance, node, at, dt.datetime.fromisoformat(due) if due else None, at if position in body.get("held", ()) else None)
        case.tasks.append(tasks[instance, position])
    for position, node, sort, name, *_ in body.get("waits", ()):
        waits[instance, position] = Wait(node, name, at)
        if sort == "message":
            case.waits.append((instance, waits[instance, position]))
    case.sent += [(at, name, instance) for name in body.get("messages", ())]
    ways = [" ".join(sorted(flows)) for _, flows in body.get("branches", ())]
    for position, outcome in body.get("closed", ()):
        task = tasks[instance, position]
        task.closed, task.is_done, task.seq, task.way = at, outcome == "completed", seq, ways[0] if ways else ""
    for position in body.get("waited", ()):
        if (instance, position) in waits:
            waits[instance, position].closed = at


def indicators(database, first: dt.datetime, last: dt.datetime, branch: str = "", programme: str = "") -> dict[str, dict[UUID, list[tuple[float, float]]]]:
    """By indicator and case, what the case adds to it in the period: (numerator, denominator), once or several times."""
    drawn, found = drawings(), {code: defaultdict(list) for code in (f"b{number}" for number in range(1, 13))}
    own = {root: case for root, case in cases(database, programme).items() if branch in ("", case.branch)}
    with database.reading(users.system()) as session:
        listening = diagrams.listening(editions.current(session))
        said = session.execute(text("SELECT root_id, instance_id, subject, field, value, status, source ->> 'kind' AS kind, recorded_at, valid_until, is_current FROM fact ORDER BY fact_id")).all()
    validations = [task for case in own.values() for task in case.done() if drawn[task.node]["validates"]]
    usual = {node: min(ways, key=lambda way: (-ways[way], way)) for node, ways in _ways(validations).items()}

    def add(code: str, case: Case, at: dt.datetime | None, number: float, of: float = 1) -> None:
        if at is not None and first <= at < last:
            found[code][case.root].append((number, of))

    elsewhere = aided(database, programme)[1]
    _asked(found, own, [row for row in said if row.instance_id not in elsewhere], first, last)
    motives = {row.root_id: row.value for row in said if row.is_current and row.field == "cloture.motif" and row.subject == f"case:{row.root_id}"}
    for case in own.values():
        done, service, visits = case.done(), case.service(), case.visits(drawn)
        if service:
            add("b3", case, service, sum(at <= service for at in visits))
            add("b5", case, service, (service - case.opened).total_seconds() / DAY)
        agencies = [drawn[task.node]["agency"] for task in done if drawn[task.node]["agency"]]
        add("b4", case, case.ended, sum(before != after for before, after in zip(agencies, agencies[1:], strict=False)))
        _waited(found, case, listening, first, last)
        for instance, at in case.decided():
            complete = max((task.opened for task in case.tasks if task.instance == instance and task.node == FILES_COMPLETE and task.opened <= at), default=None)
            if complete:
                add("b7", case, at, (at - complete).total_seconds() / DAY)
        for instance in {task.instance for task in case.tasks}:
            filed = min((task.closed for task in done if task.instance == instance and task.node.startswith("T601_")), default=None)
            add("b8", case, filed, not any(task.instance == instance and task.node == PIECES_ASKED for task in case.tasks))
        worked = [task for task in done if first <= task.closed < last]
        if worked:
            hours = sum(0.5 if task.claimed is None else min((task.closed - task.claimed).total_seconds() / 3600, 4) for task in worked)
            found["b9"][case.root].append((12 * hours + 8 * sum(first <= at < last for at in visits), 1))
        for task in done:
            if drawn[task.node]["validates"]:
                add("b10", case, task.closed, task.way != usual[task.node])
            if task.due:
                add("b11", case, task.closed, task.closed <= task.due)
        if case.opened < last and (case.ended is None or case.ended >= first):
            has_left = case.ended is not None and first <= case.ended < last and motives.get(case.root) in LEFT
            found["b12"][case.root].append((has_left, 1))
    return found


def to_payment(database, first: dt.datetime, last: dt.datetime, branch: str = "") -> float | None:
    """Days from an aid's decision to its first payment, of those first paid in the period: the middle."""
    found = []
    for case in cases(database).values():
        decided: dict[UUID, dt.datetime] = {}
        for instance, at in case.decided():
            decided[instance] = min(at, decided.get(instance, at))
        for instance, begun in decided.items():
            paid = min((at for at, name, of in case.sent if of == instance and name == "paiement.confirme"), default=None)
            if paid and first <= paid < last and begun <= paid and branch in ("", case.branch):
                found.append((paid - begun).total_seconds() / DAY)
    return statistics.median(found) if found else None


def _ways(validations: list[Task]) -> dict[str, Counter]:
    found: dict[str, Counter] = defaultdict(Counter)
    for task in validations:
        found[task.node][task.way] += 1
    return found


def _waited(found: dict, case: Case, listening: frozenset, first: dt.datetime, last: dt.datetime) -> None:
    """Of the time a case was open in the period, how much was waited through, whatever waited at once."""
    begin, end = max(case.opened, first), min(case.ended or last, last)
    if begin >= end:
        return
    awaited = {*FROM_THE_PERSON, SITTING}
    stretches = [(task.opened, task.held or task.closed) for task in case.tasks] + [(wait.opened, wait.closed) for _, wait in case.waits if wait.name in awaited and wait.node not in listening]
    waited, upto = 0.0, first
    for since, till in sorted((max(since, first), min(till or last, last)) for since, till in stretches):
        waited += max((till - max(since, upto)).total_seconds(), 0)
        upto = max(upto, till)
    found["b6"][case.root].append((waited, (end - begin).total_seconds()))


def _asked(found: dict, own: dict[UUID, Case], said: list, first: dt.datetime, last: dt.datetime) -> None:
    """What the person was asked, and of it what she had said already, as validly; the papers she gave."""
    specs = dictionary.load(reading.DICTIONARY).fields
    asks: Counter = Counter()
    again: Counter = Counter()
    papers: Counter = Counter()
    for before, row in _one_after_the_other(said):
        spec = specs.get(row.field)
        if row.root_id not in own or row.kind != "person" or not first <= row.recorded_at < last or spec is None:
            continue
        if spec.type == "doc":
            papers[row.root_id] += bool(spec.piece and not spec.produced_by and row.value is not None)
        elif spec.type != "list" and spec.computed is None and spec.validity != "P0D" and spec.subject != "member":
            asks[row.root_id] += 1
            was_known = before is not None and before.status == "known" and (before.valid_until is None or before.valid_until > row.recorded_at)
            again[row.root_id] += was_known and before.value == row.value
    for root, number in asks.items():
        found["b1"][root].append((again[root], number))
    for root, number in papers.items():
        if number:
            found["b2"][root].append((number, 1))


def _one_after_the_other(said: list) -> Iterator[tuple]:
    before: dict[tuple[str, str], object] = {}
    for row in said:
        yield before.get((row.subject, row.field)), row
        before[row.subject, row.field] = row


def figure(code: str, of: dict[UUID, list[tuple[float, float]]]) -> float | None:
    """The indicator's figure of what its cases add to it."""
    rows = [row for those in of.values() for row in those]
    if not rows:
        return None
    if code in MEDIANS:
        return statistics.median(number for number, _ in rows)
    whole = sum(number for number, _ in rows) / (sum(of for _, of in rows) or 1)
    return 100 * whole if code in RATIOS else whole


def of_a_case(code: str, rows: list[tuple[float, float]]) -> float:
    """What the page of cases says of one."""
    if code in MEDIANS:
        return max(number for number, _ in rows)
    whole = sum(number for number, _ in rows) / (sum(of for _, of in rows) or 1)
    return 100 * whole if code in RATIOS else whole
