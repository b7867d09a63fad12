"""One lock, one step, one commit: how any change of a case, an aid dossier, a sitting or a signal is made.

`lock` takes the instance's row; `Change` gives it stimuli, appends their ledger lines, and writes at the end, in one statement, everything
that happened. What a person may do was decided before; what comes next is the pathway's to say.
"""

import base64
import datetime as dt
import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any
from uuid import UUID

import msgspec
from sqlmodel import Session

from engine import clock
from engine.casework import editions
from engine.casework.rows import Rows, in_hand, instant, plain
from engine.database import ask
from engine.dossier import beneficiaries, facts, programmes
from engine.ledger import events
from engine.pathway import bpmn, recorded

# What the snapshot holds besides facts: dated data, named in the ledger by its digest.
DATED = frozenset({"programmes", "parametres", "antennes"})
_CHOICE = ("aide.programme", "aide.date_demande")  # by which an aid keeps a version of a programme
# Instances of their own that are about something smaller than the case.
OWN_SUBJECT = {"dossier_aide": "aide", "seance_commission": "seance"}
# Cases are numbered without a gap: what is none has numbers of its own.
CASE_SERIES, SERIES = "TN", {"seance_commission": "SC", "signalement": "SG"}

# What the person agreed to, and the number: on the case's own row (`r`, of a part), of a case itself on the row that is locked. Where the case is kept from whoever acts,
# she is told of its number alone: what she does beside its road goes on under it.
_COLUMNS = """i.instance_id, i.root_id, i.parent_id, i.process, i.edition_id AS edition, i.person_id, i.receipt_code, i.branch, i.subject, i.scope, i.stage, i.status, i.priority,
    i.referent_id, i.social_worker_id, translate(encode(i.state, 'base64'), E'\n', '') AS state, i.seq, encode(i.head, 'base64') AS head, i.opened_at, i.outcome, i.ended_at,
    coalesce(r.is_shared, i.is_shared) AS is_shared, coalesce(r.is_shared_funder, i.is_shared_funder) AS is_shared_funder,
    coalesce(r.is_shared_operator, i.is_shared_operator) AS is_shared_operator, coalesce(r.assigned, i.assigned) AS assigned, coalesce(r.number, i.number, masar_number_of(i.root_id)) AS number,
    coalesce(r.is_kept, i.is_kept) AND i.subject NOT LIKE 'imprevu:%%' AS is_kept,
    masar_now() AS now, (SELECT dated_version FROM installation) AS dated_version"""
_FROM = "instance i LEFT JOIN instance r ON r.instance_id = i.root_id AND i.root_id <> i.instance_id"
_WHOLE = "SELECT CAST(row_to_json(held) AS text) FROM ({}) held"
_FIND = _WHOLE.format(f"SELECT {_COLUMNS} FROM {_FROM} WHERE i.instance_id = %(id)s")
_LOCK = _WHOLE.format(f"SELECT {_COLUMNS} FROM {_FROM} WHERE i.instance_id = %(id)s FOR UPDATE OF i")
# The task too, after its case: who waited for the case reads the task again as it is now, or finds it gone.
_LOCK_BY_TASK = _WHOLE.format(f"""SELECT {_COLUMNS}, t.task_id, t.position, t.node, t.names, t.form, t.subjects AS task_subjects, t.agency AS task_agency, t.branch AS task_branch, t.role, t.holder_id,
               t.apart
          FROM {_FROM} JOIN open_task t ON t.instance_id = i.instance_id WHERE t.task_id = %(id)s FOR UPDATE OF i, t""")
_WHOSE_AID = "SELECT person_id FROM masar_home_of_aid(%(subject)s)"
_STEP = """SELECT masar_step(%(instance)s, CAST(%(now)s AS timestamptz), CAST(%(author)s AS uuid), %(author_name)s, %(author_agency)s, CAST(%(state)s AS bytea),
    CAST(%(step)s AS jsonb))"""
_STEP_TOLD = f"{_STEP}, masar_tell_opened(%(instance)s, CAST(%(now)s AS timestamptz), CAST(%(notices)s AS jsonb))"


@dataclass
class Held:
    """A locked instance, as its row says. `edition`: an `editions.Edition`."""

    instance_id: UUID
    root_id: UUID
    parent_id: UUID | None
    process: str
    edition: Any
    person_id: UUID | None
    number: str | None
    receipt_code: str | None
    branch: str
    subject: str
    scope: dict[str, Any]
    stage: str
    status: str
    priority: int
    referent_id: UUID | None
    social_worker_id: UUID | None
    is_shared: bool
    is_shared_funder: bool
    is_shared_operator: bool
    assigned: list[UUID]
    state: bytes
    seq: int
    head: bytes
    now: dt.datetime
    dated_version: int
    opened_at: dt.datetime
    outcome: str = ""
    ended_at: dt.datetime | None = None
    is_kept: bool = False

    @property
    def subjects(self) -> facts.Subjects:
        return facts.Subjects(self.root_id, self.person_id, self.scope)


@dataclass(kw_only=True)
class HeldTask(Held):
    """And one of its tasks."""

    task_id: UUID
    position: str
    node: str
    names: dict[str, Any]
    form: str
    task_subjects: list[str]
    task_agency: str
    task_branch: str
    role: str
    holder_id: UUID | None
    apart: dict[str, Any]


_HELD, _HELD_TASK = msgspec.json.Decoder(Held), msgspec.json.Decoder(HeldTask)


def find(session: Session, instance_id: UUID) -> Held | None:
    """An instance without its lock, for reading."""
    return _read(session, _HELD, _FIND, instance_id)


def lock(session: Session, instance_id: UUID) -> Held | None:
    """Locks an instance the actor reaches; None when there is none."""
    return _read(session, _HELD, _LOCK, instance_id)


def lock_by_task(session: Session, task_id: UUID) -> HeldTask | None:
    """Locks an open task and its instance, of a case the actor reaches; None when it is not open any more, or never was."""
    return _read(session, _HELD_TASK, _LOCK_BY_TASK, task_id)


def dated_scope(session: Session, seen: Any, day: dt.date) -> dict[str, Any]:
    """The dated data of a day as an instance (`seen`: its row) is told of them: an aid's with the limits of its programme."""
    key = (subjects := facts.Subjects(seen.root_id, seen.person_id, seen.scope)).key("aid")
    rows = facts.snapshot(session, subjects, _CHOICE) if key else ()
    aid = {row.field.partition(".")[2]: row.value for row in rows if row.subject == key and row.value}
    if "date_demande" in aid:
        aid["date_demande"] = dt.date.fromisoformat(aid["date_demande"])
    return programmes.tables(session, seen.dated_version, seen.now).scope(day, aid)


def _read(session: Session, decoder: msgspec.json.Decoder[Any], statement: str, of: UUID) -> Any:
    found = ask(session, statement, {"id": of})
    if not found:
        return None
    held = decoder.decode(found)
    held.edition, held.now = editions.load(session, UUID(held.edition)), held.now.astimezone(dt.UTC)
    return held


@dataclass
class Change:
    """All that one act does to one instance: stimuli in, ledger lines as they come, rows at the end (`write`).

    `started_by` is the message that opens the instance, when one does. `pending` are facts said in this act, already visible to the diagram.
    """

    session: Session
    actor: Any
    held: Held
    at: dt.datetime
    happenings: list[Any] = field(default_factory=list)
    done: list[dict[str, Any]] = field(default_factory=list)
    pending: list[facts.NewFact] = field(default_factory=list)
    known: list[facts.Fact] | None = None
    looked_for: tuple[facts.Subjects | None, frozenset[str]] = (None, frozenset())  # of whom, and which fields, `known` holds
    touched: bool = False
    aid: Mapping[str, Any] = field(default_factory=dict)  # the one that `snapshot` told of
    home: facts.Subjects | None = None  # where facts go that belong to another case (a sitting's word on an aid)
    opened: list[dict[str, Any]] = field(default_factory=list)
    lines: list[events.Line] = field(default_factory=list)  # of this act, stored with the rows they tell of (or before, by `flush`)
    said: list[dict[str, Any]] = field(default_factory=list)
    dues: dict[str, dt.datetime | None] = field(default_factory=dict)
    letters: list[dict[str, Any]] = field(default_factory=list)
    written: list[UUID] = field(default_factory=list)  # the ids of the letters of this act, kept once they are stored
    unsaid: list[bpmn.MessageSent] = field(default_factory=list)  # messages that code sends: the next line tells of them

    @property
    def tables(self) -> programmes.DatedTables:
        return programmes.tables(self.session, self.held.dated_version, self.held.now)

    def snapshot(self) -> dict[str, dict[str, Any]]:
        """What the diagram may read: facts, with those said in this act, and the dated data of the day, an aid's with the limits of its programme."""
        held = self.held
        known = self.know(held.subjects, held.edition.reads) if self.known is None else self.known
        tree = facts.tree([*held.edition.counting(known, self.at), *self.pending], held.subjects, held.edition.to_feel, held.edition.lists)
        today = clock.today(self.at)
        held.edition.add_of_the_day(tree, today)
        self.aid = tree.get(held.subjects.key("aid") or "", {}).get("aide", {})
        tree["case"] |= self.tables.scope(today, self.aid)
        tree["case"]["dossier"] = {"numero": held.number, "antenne": held.branch, "ouvert_le": clock.today(held.opened_at), "partage": held.is_shared}
        return tree

    def know(self, subjects: facts.Subjects, fields: Collection[str]) -> list[facts.Fact]:
        """Reads what the diagram will be shown: the current facts of these fields."""
        self.looked_for = (subjects, frozenset(fields))
        self.known = facts.snapshot(self.session, subjects, fields)
        return self.known

    def look(self, subjects: facts.Subjects, fields: Collection[str]) -> list[facts.Fact]:
        """The facts of these fields as they were before this act: out of what it knows where that holds them, else asked."""
        of, held = self.looked_for
        if self.known is not None and of == subjects and held.issuperset(fields):
            return [one for one in self.known if one.field in fields]
        return facts.snapshot(self.session, subjects, fields)

    def give(self, kind: str, stimulus: bpmn.Stimulus, body: Mapping[str, Any], new_facts: Sequence[facts.NewFact] = (), reason: str = "",
             sealed: Mapping[str, Any] = MappingProxyType({})) -> None:  # fmt: skip
        """Gives one stimulus (its `at`, `seq` and `facts` are set here), records the facts said with it and its ledger line. `sealed`: what else the line commits to."""
        held = self.held
        self.pending += new_facts
        stimulus = replace(stimulus, at=self.at, seq=held.seq + 1, facts=self.snapshot())
        definitions = held.edition.definitions
        if isinstance(stimulus, bpmn.Start):
            step = bpmn.start(definitions, held.process, stimulus)
        else:
            step = bpmn.advance(definitions, held.state, stimulus)
        held.state = step.state
        self.happenings += step.happenings
        self._append(kind, body, new_facts, step.happenings, replace(stimulus, facts=bpmn.told(stimulus.facts, step.read)), reason, kept=sealed)

    def send(self, name: str, correlation: str, payload: Mapping[str, Any], node: str = "") -> None:
        """A message that no diagram throws, carried like every other; the line of what sends it tells of it."""
        sent = bpmn.MessageSent(name, correlation, dict(payload), node)
        self.happenings.append(sent)
        self.unsaid.append(sent)

    def note(self, kind: str, body: Mapping[str, Any], new_facts: Sequence[facts.NewFact] = (), reason: str = "", proposed: Sequence[facts.NewFact] = (),
             sealed: Mapping[str, Any] = MappingProxyType({})) -> None:  # fmt: skip
        """A change that the diagram does not see (a claim, a correction, a reminder): its line, stored at once, and its facts. `proposed`: facts sealed, not yet
        recorded; `sealed`: what else the line keeps under the key."""
        self._append(kind, body, new_facts, (), None, reason, proposed, sealed)
        self.flush()

    def flush(self) -> None:
        """Stores the lines so far: before a row of its own that the database refuses without its line."""
        for line in self.lines:
            events.store(self.session, line)
        self.lines.clear()

    def _append(self, kind: str, body: Mapping[str, Any], new_facts: Sequence[facts.NewFact], happenings: Sequence[Any], stimulus: Any, reason: str,
                proposed: Sequence[facts.NewFact] = (), kept: Mapping[str, Any] = MappingProxyType({})) -> None:  # fmt: skip
        held = self.held
        said = (*new_facts, *proposed)
        sealed: dict[str, Any] = dict(kept) | {f"{fact.subject}|{fact.field}": {"value": fact.value, "status": fact.status, "class": fact.field_class} for fact in said}
        public = dict(body) | account((*self.unsaid, *happenings)) | self.deadlines(happenings) | self.hands(happenings)
        if new_facts:
            public["facts"] = [{"subject": fact.subject, "field": fact.field, "class": fact.field_class, "source": fact.source.get("kind", "")} for fact in new_facts]
        self.unsaid.clear()
        why = reasons(happenings)
        if why:
            sealed["why"] = why
        if stimulus is not None:
            sealed["inputs"] = inputs(stimulus, self.tables.keep(self.session, clock.today(self.at), self.aid))
            sealed["state"] = hashlib.sha256(held.state).hexdigest()
        if reason:
            sealed["reason"] = reason
        line = events.line(self.session, self.actor, events.Head(held.instance_id, held.seq, held.head), self._whose(said, stimulus), kind, self.at, public, sealed, held.edition.number)
        self.lines.append(line)
        held.seq, held.head = line.head.seq, line.head.hash
        self.said += [facts.row(fact, self._home_of(fact), held.seq) for fact in new_facts]
        self.touched = True

    def due(self, opened: bpmn.TaskOpened) -> dt.datetime | None:
        """When a task just opened is to be done by, in the calendar of now."""
        if opened.task_id not in self.dues:
            calendar, (number, unit) = self.tables.calendar, opened.deadline or (None, "jours")
            self.dues[opened.task_id] = (calendar.by(self.at, *opened.due, unit) if opened.due else None if number is None else calendar.due(self.at, number, unit))
        return self.dues[opened.task_id]

    def deadlines(self, happenings: Sequence[Any]) -> dict[str, Any]:
        """The due instants of the tasks just opened, as their line tells them: a holiday announced later does not move them."""
        found = {one.task_id: instant(due) for one in happenings if isinstance(one, bpmn.TaskOpened) and (due := self.due(one))}
        return {"due": found} if found else {}

    def hands(self, happenings: Sequence[Any]) -> dict[str, Any]:
        """Which of the tasks just opened are in somebody's hands at once, as their line tells them: not in whose."""
        found = [one.task_id for one in happenings if isinstance(one, bpmn.TaskOpened) and in_hand(self.held, one.role)]
        return {"held": found} if found else {}

    def _home_of(self, fact: facts.NewFact) -> facts.Subjects:
        """Whose case a fact belongs to: what a sitting says of an aid is the aid's case's, what it says of itself (who was present) its own."""
        if self.home is None or fact.subject.partition(":")[0] in self.held.edition.of_sittings:
            return self.held.subjects
        return self.home

    def _whose(self, said: Sequence[facts.NewFact], stimulus: Any) -> UUID | None:
        """Under whose key a line goes: of the person it tells of, so that it is forgotten with her. In a sitting, of whose aid facts are said, or a message tells."""
        if self.held.person_id is not None:
            return self.held.person_id
        told = getattr(stimulus, "payload", None) or getattr(stimulus, "variables", None) or {}
        if aid := told.get("aide"):
            return ask(self.session, _WHOSE_AID, {"subject": f"aide:{aid['id'] if isinstance(aid, Mapping) else aid}"})
        return next((home.person_id for home in map(self._home_of, said) if home.person_id), None)

    def write(self) -> None:
        """Writes the rows of everything that happened: tasks, waits, messages, incidents, the instance itself, and notices to whom a task opened for, in one statement."""
        if not self.touched:
            return
        held = self.held
        rows = Rows(self)
        for happening in self.happenings:
            rows.take(happening)
        told: dict[str, Any] = {
            "lines": [events.row(line) for line in self.lines], "facts": self.said, "closed": rows.closed, "opened": rows.opened, "done": [*self.done, *rows.cancelled], "letters": self.letters,
            "messages": rows.messages, "waits_closed": rows.waits_closed, "waits": rows.waits, "incidents": rows.incidents, "mended": rows.mended,
        }  # fmt: skip
        step = {name: those for name, those in told.items() if those}
        step |= {"number": held.number or "", "head": base64.b64encode(held.head).decode(), "instance": {
            "root_id": held.root_id, "person_id": held.person_id, "branch": held.branch, "seq": held.seq, "stage": rows.stage(), "status": held.status,
            "outcome": held.outcome, "ended_at": instant(held.ended_at), "scope": held.scope, "subject": held.subject,
            "priority": held.priority, "referent_id": held.referent_id, "social_worker_id": held.social_worker_id, "is_shared": held.is_shared,
            "is_shared_funder": held.is_shared_funder, "is_shared_operator": held.is_shared_operator, "assigned": held.assigned,
            "receipt_code": held.receipt_code,
        }}  # fmt: skip
        notices = rows.notices()
        ask(self.session, _STEP_TOLD if notices else _STEP, {
            "instance": held.instance_id, "now": self.at, "author": self.actor.user_id, "author_name": self.actor.name, "author_agency": self.actor.agency,
            "state": held.state, "step": _json(step), "notices": _json(notices),
        })  # fmt: skip
        self.opened = rows.opened
        if held.person_id is not None and any(one["field"] in beneficiaries.HOUSEHOLD_FIELDS for one in self.said):
            beneficiaries.remember_household(self.session, held.person_id)
        self.lines.clear()
        self.said.clear()
        self.letters.clear()


def account(happenings: Sequence[Any]) -> dict[str, Any]:
    """What a line says of the happenings: nodes and codes, never a value."""
    told: dict[str, list[Any]] = {}
    for happening in happenings:
        match happening:
            case bpmn.TaskOpened():
                told.setdefault("opened", []).append([happening.task_id, happening.node])
            case bpmn.TaskClosed():
                told.setdefault("closed", []).append([happening.task_id, happening.outcome])
            case bpmn.BranchTaken():
                told.setdefault("branches", []).append([happening.node, list(happening.flows)])
            case bpmn.Decided():
                told.setdefault("decisions", []).append([happening.node, happening.decision, list(happening.rules)])
            case bpmn.WaitOpened():
                told.setdefault("waits", []).append([happening.wait_id, happening.node, happening.kind, happening.name or "", instant(happening.due_at)])
            case bpmn.WaitClosed():
                told.setdefault("waited", []).append(happening.wait_id)
            case bpmn.MessageSent():
                told.setdefault("messages", []).append(happening.name)
            case bpmn.IncidentRaised():
                told.setdefault("incidents", []).append([happening.node, happening.code])
            case bpmn.Ended():
                told["ended"] = happening.outcome or ""
    return told


def reasons(happenings: Sequence[Any]) -> list[dict[str, Any]]:
    """The why-records: each gateway with its conditions, each table with its rules, and the values they read."""
    return [
        {"node": one.node, "flows": list(one.flows), "why": plain(one.why)}
        if isinstance(one, bpmn.BranchTaken)
        else {"node": one.node, "decision": one.decision, "rules": list(one.rules), "values": plain(one.values), "outputs": plain(one.outputs)}
        for one in happenings
        if isinstance(one, bpmn.BranchTaken | bpmn.Decided)
    ]


def inputs(stimulus: Any, dated: str) -> dict[str, Any]:
    """The stimulus as replay needs it: its kind, its own values, the facts that the step read, and the digest of the dated data of that day."""
    return {**recorded.write_stimulus(stimulus, DATED), "dated": dated}


def _json(value: Any) -> str:
    return msgspec.json.encode(value, enc_hook=str).decode()
