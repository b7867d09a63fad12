"""What an instance was at any of its instants, unfolded from its ledger alone: its state, what waited and in whose hands, time spent, money.

An instant is the end of an act: the lines of one unit of work. `Teller.at` starts from the nearest one that was kept (`snapshots`) and makes the steps of the
lines since anew, as `pathway.replay` does, turning what happens into the rows that the act wrote (`rows`). Facts are `facts_then`'s; who may read is the player's.
"""

import datetime as dt
import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import text
from sqlmodel import Session

from engine import errors
from engine.actors.roles import ROLES
from engine.casework import editions
from engine.casework.replays import MOVES
from engine.casework.rows import Rows
from engine.casework.strips import Strip
from engine.dossier import calendars, programmes
from engine.ledger import access
from engine.pathway import bpmn, recorded
from engine.workdays import Calendar

_HELD = ("task.claimed", "task.released", "task.passed")
_ORDERED = ("case.transferred", "clocks.stopped", "clocks.started", "case.reopened", "case.stopped", "aid.given_up", "consent.closed", "task.lent")
_LATE = frozenset({"task.late", "task.very_late"})
_FIRST_READ, _MOST_READ = 16, 256  # lines read at a time: few for one instant, more for whoever goes on
_INSTANCE = text("SELECT instance_id, root_id, process, person_id, seq FROM instance WHERE instance_id = :id")
_LINES = text("""SELECT l.seq, l.line, s.person_id, s.ciphertext FROM ledger_line l
                   LEFT JOIN LATERAL (SELECT * FROM ledger_sealed o WHERE o.instance_id = l.instance_id AND o.seq = l.seq LIMIT 1) s ON true
                  WHERE l.instance_id = :id AND l.seq > :after AND l.seq <= :upto ORDER BY l.seq""")
_EDITIONS = text("SELECT number, edition_id FROM edition")


@dataclass(frozen=True)
class Told:
    """One line, opened as far as its key is still there."""

    seq: int
    kind: str
    at: dt.datetime
    edition: int
    actor: Mapping[str, str]
    body: Mapping[str, Any]
    sealed: Mapping[str, Any]
    promised: frozenset[str]  # what it sealed, whether or not that can be opened

    @property
    def goes_on(self) -> bool:
        """Whether it belongs to the act of the line before: what an operation answered, the first step of what was just opened."""
        return self.kind in ("operation.done", "case.started")


class Instant(msgspec.Struct):
    """An instance right after an act: lines `first` to `seq`. `tasks`, `waits`, `incidents`: rows by position, as the tables held them; `spent`: seconds of working time by
    element, of what is over; `money`: millimes `committed`, `paid`, `released`, `recovered`; `marks`: what the act is worth a halt for (`handover`, `decision`, `delay`, `money`,
    `incident`, `moved`, `stage:<the one it reached>`), `strip`: those of all acts up to it; `is_told`: no line before it was erased; `is_sound`: each step came to the state
    that its line sealed."""

    first: int = 0
    seq: int = 0
    at: dt.datetime = dt.datetime.min.replace(tzinfo=dt.UTC)
    edition: int = 0
    branch: str = ""
    stage: str = "accueil"
    status: str = "open"
    outcome: str = ""
    referent: str | None = None
    social_worker: str | None = None
    state: bytes = b""
    tasks: dict[str, dict[str, Any]] = {}
    waits: dict[str, dict[str, Any]] = {}
    incidents: dict[str, dict[str, Any]] = {}
    spent: dict[str, float] = {}
    money: dict[str, int] = {}
    marks: tuple[str, ...] = ()
    strip: Strip = Strip()
    is_told: bool = True
    is_sound: bool = True
    hands: tuple[tuple[str, str], ...] = ()  # who had something to do last, agency and branch, where nobody has now
    before: bytes = b""  # a move's former instant, until the next act: it may be put back


@dataclass
class _Then:
    """What `Rows` asks of an instance."""

    instance_id: UUID
    edition: editions.Edition
    branch: str
    stage: str
    referent_id: str | None
    social_worker_id: str | None
    seq: int
    status: str
    outcome: str
    ended_at: dt.datetime | None = None


@dataclass
class _Act:
    """What `Rows` asks of an act."""

    held: _Then
    at: dt.datetime
    dues: Mapping[str, str]
    calendar: Calendar
    done: list[Any] = field(default_factory=list)

    def due(self, opened: bpmn.TaskOpened) -> dt.datetime | None:
        """As the line tells it; lines of before tell none, and are counted anew."""
        if opened.task_id in self.dues or self.dues:
            return dt.datetime.fromisoformat(self.dues[opened.task_id]) if opened.task_id in self.dues else None
        number, unit = opened.deadline or (None, "jours")
        return self.calendar.by(self.at, *opened.due, unit) if opened.due else None if number is None else self.calendar.due(self.at, number, unit)


class Teller:
    """Tells the instants of one instance. Refuses: `case.not_found` (NotFound)."""

    def __init__(self, session: Session, instance_id: UUID, calendar: Calendar | None = None) -> None:
        row = session.execute(_INSTANCE, {"id": instance_id}).one_or_none()
        if row is None:
            raise errors.NotFound("case.not_found")
        self.session, self.instance_id, self.process, self.person_id, self.last = session, instance_id, row.process, row.person_id, row.seq
        self.calendar = calendar or programmes.dated(session).calendar
        self._calendars: calendars.Calendars | None = None
        self._numbers: dict[int, UUID] = {}

    def edition(self, number: int) -> editions.Edition:
        """The edition of a number."""
        if not self._numbers:
            self._numbers = {row.number: row.edition_id for row in self.session.execute(_EDITIONS)}
        return editions.load(self.session, self._numbers[number])

    def acts(self, after: int = 0) -> Iterator[list[Told]]:
        """The acts that begin after a line, in order; read as they are asked for."""
        act: list[Told] = []
        for told in self._lines(after):
            if act and not told.goes_on:
                yield act
                act = []
            act.append(told)
        if act:
            yield act

    def _lines(self, after: int) -> Iterator[Told]:
        number = _FIRST_READ
        while True:
            rows = self.session.execute(_LINES, {"id": self.instance_id, "after": after, "upto": after + number}).all()
            yield from (self._opened(row) for row in rows)
            after += number
            if len(rows) < number and after >= self.last:
                return
            number = min(2 * number, _MOST_READ)

    def _opened(self, row: Any) -> Told:
        line = json.loads(row.line)
        opened = access.open_line(self.session, self.instance_id, row.seq, row.person_id, row.ciphertext) if row.ciphertext else {}
        at = dt.datetime.fromisoformat(line["occurred_at"])
        return Told(row.seq, line["kind"], at, line["edition"], line["actor"], line["body"], opened, frozenset(line["sealed"]))

    def unfold(self, since: Instant | None = None) -> Iterator[tuple[Instant, list[Told]]]:
        """Each instant after one, to the last, with the act that led to it. An instant is the teller's own until the next is asked for: copy what is kept."""
        now = since or Instant()
        for act in self.acts(now.seq):
            now = self._after(now, act)
            yield now, act

    def _after(self, now: Instant, act: Sequence[Told]) -> Instant:
        first, last = act[0], act[-1]
        before = msgspec.json.encode(now) if first.kind == "case.moved" else b""
        if first.kind == "case.moved_back" and now.before:
            back = msgspec.json.decode(now.before, type=Instant)
            strip = now.strip.marked(last.seq, ("moved",))
            return msgspec.structs.replace(back, first=first.seq, seq=last.seq, at=last.at, edition=last.edition, marks=("moved",), strip=strip)
        now = msgspec.structs.replace(now, first=first.seq, seq=last.seq, at=last.at, edition=last.edition, before=before, tasks=dict(now.tasks), waits=dict(now.waits),
                                      incidents=dict(now.incidents), spent=dict(now.spent), money=dict(now.money))  # fmt: skip
        happenings: list[Any] = []
        for told in act:
            happenings += self._take(now, told)
        held = _Then(self.instance_id, self.edition(last.edition), now.branch, now.stage, now.referent, now.social_worker, last.seq, now.status, now.outcome)
        dues: dict[str, str] = {}
        for told in act:
            dues |= told.body.get("due", {})
        doing = _Act(held, last.at, dues, self.calendar)
        rows = Rows(doing)
        for happening in happenings:
            rows.take(happening)
        was, held_by = dict(now.tasks), _hands(now) or set(now.hands)
        going = first.sealed.get("going") if first.kind == "case.moved" else None
        if going is not None:
            self._write(now, _Moved(going), last.at)
            _go_on(now, going)
        self._write(now, rows, last.at)
        now.stage, now.status, now.outcome = going["stage"] if going is not None and not rows.opened else rows.stage(), held.status, held.outcome
        if going is None and first.kind == "case.moved":
            self._stand(now)
        now.marks = _marks(act, now, was, held_by) + ((f"stage:{now.stage}",) if now.stage != held.stage or first.seq == 1 else ())
        now.strip = now.strip.marked(last.seq, now.marks)
        now.hands = () if now.tasks else tuple(sorted(held_by))
        return now

    def _take(self, now: Instant, told: Told) -> Sequence[Any]:
        """What a line made happen; the instance's own columns as it leaves them."""
        if told.kind in ("case.opened", "instance.opened"):
            now.branch, now.stage = told.body["branch"], told.body.get("stage") or now.stage
            now.referent, now.social_worker = told.body.get("referent") or None, told.body.get("social_worker") or None
        if told.kind in _ORDERED:
            _obeyed(now, told)
        if told.kind == "case.handed_over":
            now.referent = told.body["owner"] if "referent" in told.body["as"] else now.referent
            now.social_worker = told.body["owner"] if "travailleur_social" in told.body["as"] else now.social_worker
        if told.kind in MOVES:
            now.is_told = now.is_told and "after" in told.sealed
            now.state = access.bytes_of(told.sealed["after"]) if "after" in told.sealed else b""
            return ()
        self._hold(now, told)
        if "inputs" not in told.promised:
            return ()
        if "inputs" not in told.sealed or not now.is_told:  # erased: what its public part still says
            now.is_told, now.state = False, b""
            return _as_told(told, self.edition(told.edition))
        inputs = told.sealed["inputs"]
        stimulus = recorded.read_stimulus(inputs, told.at, told.seq, programmes.recall(self.session, inputs["dated"]))
        definitions = self.edition(told.edition).definitions
        step = bpmn.start(definitions, self.process, stimulus) if isinstance(stimulus, bpmn.Start) else bpmn.advance(definitions, now.state, stimulus)
        now.state = step.state
        if "state" in told.sealed and hashlib.sha256(step.state).hexdigest() != told.sealed["state"]:
            now.is_sound = False
        if isinstance(stimulus, bpmn.OperationDone):
            _operated(now, told.body.get("operation", ""), stimulus.outputs)
        return step.happenings

    def _hold(self, now: Instant, told: Told) -> None:
        """Who has a task in hand from then on, and who is looked for first."""
        row = now.tasks.get(str(told.body.get("task", "")))
        is_hers = row is not None and row["role"] == "travailleur_social" and row["branch"] == now.branch and now.social_worker is None and not told.body.get("instead")
        if told.kind == "task.completed" and is_hers and row["holder_id"] is None:
            now.social_worker = told.actor["id"]
        if told.kind not in _HELD or row is None:
            return
        holder = told.body["holder"] or None
        now.tasks[row["position"]] = {**row, "holder_id": holder}
        if holder and is_hers:
            now.social_worker = holder
        if left := told.body.get("left_by"):
            now.referent, now.social_worker = (None if one == left else one for one in (now.referent, now.social_worker))

    def _write(self, now: Instant, rows: Any, at: dt.datetime) -> None:
        closed = set(rows.closed)
        for position, row in list(now.tasks.items()):
            if row["task_id"] in closed:
                self._spend(now, now.tasks.pop(position), at)
        for position in rows.waits_closed:
            row = now.waits.pop(position, None)
            if row is not None and row["awaits"]:
                self._spend(now, row, at)
        for position in rows.mended:
            now.incidents.pop(position, None)
        opened_at = at.isoformat()
        now.tasks |= {row["position"]: row | {"opened_at": opened_at} for row in rows.opened}
        now.waits |= {row["position"]: row | {"opened_at": opened_at} for row in rows.waits}
        now.incidents |= {row["position"]: row | {"opened_at": opened_at} for row in rows.incidents}

    def _spend(self, now: Instant, row: Mapping[str, Any], at: dt.datetime) -> None:
        self._calendars = self._calendars or calendars.of(self.session)
        now.spent[row["node"]] = now.spent.get(row["node"], 0) + self._calendars.at(at).open_time(dt.datetime.fromisoformat(row["opened_at"]), at).total_seconds()

    def _stand(self, now: Instant) -> None:
        """After a move whose line does not tell the rows (an older one): what the state says goes on."""
        if not now.state:
            return
        seen = bpmn.inspect(self.edition(now.edition).definitions, now.state)
        now.tasks = {one.task_id: {**now.tasks[one.task_id], "node": one.node, "process": one.process} for one in seen.tasks if one.task_id in now.tasks}
        now.waits = {one.wait_id: {**now.waits[one.wait_id], "node": one.node} for one in seen.waits if one.wait_id in now.waits}


class _Moved:
    """The rows of a move, as its line sealed them."""

    def __init__(self, going: Mapping[str, Any]) -> None:
        self.opened, self.closed, self.waits, self.waits_closed = going["opened"], going["closed"], going["waits_opened"], going["waits_closed"]
        self.incidents, self.mended = going["incidents_opened"], going["mended"]


def _go_on(now: Instant, going: Mapping[str, Any]) -> None:
    """What goes on after a move, as the new edition has it (`masar_go_on` says the same of the rows)."""
    for one in going["tasks"]:
        row = now.tasks.get(one["position"])
        if row is not None:
            is_same = all(row[name] == one[name] for name in ("agency", "branch", "role"))
            now.tasks[one["position"]] = row | one | {"holder_id": row["holder_id"] if is_same else None}
    for one in (*going["waits"], *going["incidents"]):
        for rows in (now.waits, now.incidents):
            if one["position"] in rows:
                rows[one["position"]] = rows[one["position"]] | one


def _operated(now: Instant, operation: str, outputs: Mapping[str, Any]) -> None:
    """What an operation changed: who is in charge, money. Amounts come in dinars."""
    match operation:
        case "designer_referent" | "transferer_dossier" if outputs.get("referent"):
            now.referent = str(outputs["referent"])
        case "confier_antenne" | "proposer_antenne" | "retirer_proposition" if outputs.get("branche"):
            now.branch = str(outputs["branche"])
        case "engager_fonds" if outputs.get("fonds") == "engages":
            now.money["committed"] = now.money.get("committed", 0) + _millimes(outputs["engage"])
        case "verser_tranche" if "verse" in outputs:
            now.money["paid"] = now.money.get("paid", 0) + _millimes(outputs["verse"])
        case "verser_tranche" | "verser_avance" if "paye" in outputs:
            now.money["paid"] = _millimes(outputs["paye"])
        case "liberer_fonds" if "libere" in outputs:
            now.money["released"] = now.money.get("released", 0) + _millimes(outputs["libere"])
        case "recouvrer" if "recouvre" in outputs:
            now.money["recovered"] = now.money.get("recovered", 0) + _millimes(outputs["recouvre"])


def _obeyed(now: Instant, told: Told) -> None:
    """What an order of something unforeseen left of the rows (`orders`)."""
    body = told.body
    match told.kind:
        case "case.stopped" if body.get("released"):
            now.money["released"] = now.money.get("released", 0) + int(body["released"])
        case "case.transferred":
            now.branch, now.referent, now.social_worker = body["to"], body["referent"] or None, None
            for position, row in now.tasks.items():
                if not ROLES[row["role"]].is_central:
                    now.tasks[position] = row | {"branch": body["to"], "holder_id": now.referent if row["role"] == "referent" else None}
        case "clocks.stopped":
            for position, kind, _, _ in body["clocks"]:
                _due(now, kind, position, None)
        case "clocks.started":
            for position, due in body["clocks"].items():
                _due(now, "task" if position in now.tasks else "timer", position, due)
        case "consent.closed":
            now.tasks |= {position: now.tasks[position] | {"holder_id": None} for position, _ in body["tasks"]}
        case "task.lent" if body.get("task") in now.tasks:
            now.tasks[body["task"]] = now.tasks[body["task"]] | {"branch": body["branch"]}
        case "case.reopened":
            now.status, now.outcome = "open", ""


def _due(now: Instant, kind: str, position: str, due: str | None) -> None:
    rows = now.tasks if kind == "task" else now.waits
    if position in rows:
        rows[position] = rows[position] | {"due_at": due}


def _millimes(dinars: Any) -> int:
    return int(Decimal(str(dinars)) * 1000)


def _as_told(told: Told, edition: editions.Edition) -> list[Any]:
    """Happenings as far as the public part of a line tells them: positions and branchings, of a person who was erased."""
    drawn = {one.node: one for one in edition.definitions.tasks}
    found: list[Any] = [bpmn.TaskClosed(position, outcome) for position, outcome in told.body.get("closed", ())]
    found += [bpmn.WaitClosed(position) for position in told.body.get("waited", ())]
    for position, node in told.body.get("opened", ()):
        if (one := drawn.get(node)) is not None:
            found.append(bpmn.TaskOpened(position, node, one.name, one.kind, one.lane, one.form, one.role, one.deadline, "", (), one.process, one.distinct))
    found += [bpmn.WaitOpened(position, node, kind, name, "", dt.datetime.fromisoformat(due) if due else None, "") for position, node, kind, name, due in told.body.get("waits", ())]
    return found + ([bpmn.Ended(told.body["ended"])] if "ended" in told.body else [])


def _hands(now: Instant) -> set[tuple[str, str]]:
    return {(row["agency"], row["branch"]) for row in now.tasks.values()}


def _marks(act: Iterable[Told], now: Instant, was: Mapping[str, Mapping[str, Any]], hands: set[tuple[str, str]]) -> tuple[str, ...]:
    found = set()
    if (hands and _hands(now) - hands) or any(told.kind == "task.passed" for told in act):
        found.add("handover")
    for told in act:
        if told.body.get("decisions") or told.body.get("branches"):
            found.add("decision")
        if told.kind in _LATE or (told.kind == "task.completed" and _is_late(was.get(told.body.get("task", "")), told.at)):
            found.add("delay")
        if told.body.get("operation") in ("engager_fonds", "verser_tranche", "verser_avance", "liberer_fonds"):
            found.add("money")
        if told.body.get("incidents"):
            found.add("incident")
        if told.kind in MOVES:
            found.add("moved")
    return tuple(sorted(found))


def _is_late(row: Mapping[str, Any] | None, at: dt.datetime) -> bool:
    return row is not None and bool(row["due_at"]) and dt.datetime.fromisoformat(row["due_at"]) < at
