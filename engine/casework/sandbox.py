"""The sandbox: a case of nobody, walked in memory on the definitions of a draft. Its time is its own, its persons are invented, nothing of it is stored here.

It moves a case exactly as casework does (`instances.Change`, the same forms, the same operations save those that touch the world, `stand_ins`), with its aid
dossiers and sittings, and messages between them. Not here: the acts of a trial and where they are kept (`trials`).
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

from engine import clock, errors
from engine.actors import agencies, authority, users
from engine.actors.roles import ROLES
from engine.casework import cases, messages, operations, stand_ins, tasks
from engine.casework.editions import Edition
from engine.casework.instances import CASE_SERIES, SERIES, Change, Held
from engine.casework.rows import LANES
from engine.dossier import consents, facts
from engine.dossier.programmes import DatedTables
from engine.identity import derived_id
from engine.pathway import bpmn
from forms import answers as readings
from forms import form as forms

_MOST_INSTANCES, _MOST_MESSAGES, _MOST_TIMERS = 40, 200, 400


@dataclass(frozen=True)
class Told:
    """What Masar did by itself after an act: a branch taken, a decision, an operation, a message. `happening` is the pathway's."""

    at: dt.datetime
    instance: int
    happening: Any


@dataclass
class Walk:
    """One instance of the sandbox. `heard`: its stimuli, each with the facts that it made the pathway read."""

    place: int
    held: Held
    started_by: str
    heard: list[bpmn.Stimulus] = field(default_factory=list)
    tasks: dict[str, bpmn.TaskOpened] = field(default_factory=dict)
    opened_at: dict[str, dt.datetime] = field(default_factory=dict)
    waits: dict[str, bpmn.WaitOpened] = field(default_factory=dict)
    incidents: dict[str, bpmn.IncidentRaised] = field(default_factory=dict)

    @property
    def is_open(self) -> bool:
        return self.held.status == "open"

    def copy(self) -> "Walk":
        held = replace(self.held, scope=dict(self.held.scope), assigned=list(self.held.assigned))
        return Walk(self.place, held, self.started_by, list(self.heard), dict(self.tasks), dict(self.opened_at), dict(self.waits), dict(self.incidents))


@dataclass(frozen=True)
class Wait:
    """A message, a signal or an instant that an instance waits for. `turn`: which of those at the element; `is_beside`: it only listens."""

    instance: int
    node: str
    turn: int
    kind: str
    name: str
    correlation: str | None
    due_at: dt.datetime | None


@dataclass(frozen=True)
class Turn:
    """A task of the sandbox. `form` is what whoever does it would be asked; papers and signatures are not asked, they are taken as given."""

    instance: int
    node: str
    turn: int
    process: str
    agency: str
    role: str
    kind: str
    subject: str
    opened_at: dt.datetime
    due_at: dt.datetime | None
    form: forms.Form


class _Tried(Change):
    """A change that leaves no line and no row."""

    def __init__(self, sandbox: "Sandbox", walk: Walk, actor: Any) -> None:
        super().__init__(None, actor, walk.held, sandbox.now, known=list(sandbox.known.values()))
        self.sandbox, self.walk = sandbox, walk

    @property
    def tables(self) -> DatedTables:
        return self.sandbox.tables

    def _append(self, kind: str, body: Mapping[str, Any], new_facts: Sequence[facts.NewFact], happenings: Sequence[Any], stimulus: Any, reason: str, **_sealed: Any) -> None:
        self.held.seq += 1
        self.walk.heard += [] if stimulus is None else [stimulus]

    def note(self, kind: str, body: Mapping[str, Any], new_facts: Sequence[facts.NewFact] = (), reason: str = "") -> None:
        self.held.seq += 1

    def flush(self) -> None:
        """There is nothing to store."""

    def write(self) -> None:
        self.sandbox.take(self)


@dataclass
class Sandbox:
    """A whole small town: instances, what is known, what time it is. `name`: from which every id in it derives, so that the same acts make the same town."""

    edition: Edition
    tables: DatedTables
    name: UUID
    now: dt.datetime
    branch: str
    language: str = "fr"
    walks: list[Walk] = field(default_factory=list)
    known: dict[tuple[str, str], facts.Fact] = field(default_factory=dict)
    posted: list[tuple[bpmn.MessageSent, int]] = field(default_factory=list)
    told: list[Told] = field(default_factory=list)
    before: int = 0  # what was told before the last act

    def copy(self) -> "Sandbox":
        """Another town, where everything stands as it does here."""
        return replace(self, walks=[one.copy() for one in self.walks], known=dict(self.known), posted=list(self.posted), told=list(self.told))

    # --- acts ---

    def begin(self, process: str, message: str = "") -> None:
        """A case of nobody is opened. Refuses: `process.unknown`, `process.no_such_start`."""
        if process not in self.edition.definitions.processes:
            raise errors.Invalid("process.unknown", process=process)
        payload = {"branche": self.branch}
        start = bpmn.Message(name=message, correlation=self.branch, payload=payload, at=None, seq=0, facts={}) if message else None
        self._start(process, self.branch, payload if message else {}, None, {}, start)
        self.settle()

    def answer(self, instance: int, node: str, answers: Mapping[str, Any], turn: int = 1) -> None:
        """A task is done. Refuses: `trial.no_task`, `task.answers` (findings), `consent.elsewhere`."""
        walk, key, opened = self._task(instance, node, turn)
        actor, subjects = self._doer(opened), walk.held.subjects.narrowed(opened.scope)
        whole = self._form(walk, opened)
        said = readings.read(whole, stand_ins.with_papers(whole, answers, self.tables.scope(self.today)), self.language, self.tables.scope(self.today))
        if said.findings:
            raise errors.Invalid("task.answers", said.findings)
        new = tasks.facts_said(said, subjects, self.edition, walk.held)
        change = _Tried(self, walk, actor)
        if opened.role == "travailleur_social" and walk.held.social_worker_id is None:
            walk.held.social_worker_id = actor.user_id
        consents.apply(walk.held, new)
        change.give("task.completed", bpmn.Complete(task_id=key, variables={}, at=self.now, seq=0, facts={}), {}, new)
        self._finish(change)

    def hear(self, instance: int, node: str, payload: Mapping[str, Any], turn: int = 1) -> None:
        """What an instance waits for at an element comes: the message, the signal. Refuses: `trial.no_wait`."""
        walk, _, wait = self._wait(instance, node, turn)
        if wait.kind == "signal":
            stimulus: Any = bpmn.Signal(name=wait.name, at=self.now, seq=0, facts={})
        else:
            stimulus = bpmn.Message(name=wait.name, correlation=wait.correlation, payload=payload, at=self.now, seq=0, facts={})
        change = _Tried(self, walk, users.system())
        change.give("message.received", stimulus, {})
        self._finish(change)

    def retry(self, instance: int, node: str) -> None:
        """A broken element is tried again. Refuses: `trial.no_incident`."""
        walk = self._walk(instance)
        key = next((key for key, one in walk.incidents.items() if one.node == node), None)
        if key is None:
            raise errors.Conflict("trial.no_incident")
        change = _Tried(self, walk, users.system())
        change.give("incident.retried", bpmn.Retry(incident_id=key, at=self.now, seq=0, facts={}), {})
        self._finish(change)

    def jump(self) -> None:
        """On to the next instant at which something falls due. Refuses: `trial.nothing_due`."""
        due = min((wait.due_at for walk in self.walks if walk.is_open for wait in walk.waits.values() if wait.due_at is not None), default=None)
        if due is None:
            raise errors.Conflict("trial.nothing_due")
        self.pass_to(max(due, self.now))

    def wait(self, days: int) -> None:
        """Days pass."""
        self.pass_to(self.now + dt.timedelta(days=days))

    def pass_to(self, until: dt.datetime) -> None:
        """Time passes; what falls due on the way happens at its own time."""
        for _ in range(_MOST_TIMERS):
            found = [(wait.due_at, walk.place, key) for walk in self.walks if walk.is_open for key, wait in walk.waits.items() if wait.due_at is not None]
            due = min(found, default=None)
            if due is None or due[0] > until:
                break
            self.now = max(self.now, due[0])
            walk = self.walks[due[1]]
            change = _Tried(self, walk, users.system())
            change.give("timer.fired", bpmn.Timer(wait_id=due[2], at=self.now, seq=0, facts={}), {})
            self._finish(change)
        self.now = max(self.now, until)

    # --- what is there ---

    @property
    def today(self) -> dt.date:
        return clock.today(self.now)

    def turns(self) -> list[Turn]:
        """The tasks that wait, each with its form."""
        found = []
        for walk in self.walks:
            for key, opened in walk.tasks.items():
                due = self.tables.calendar.due(walk.opened_at[key], *opened.deadline) if opened.deadline else None
                found.append(Turn(walk.place, opened.node, _turn_of(walk.tasks, key), opened.process, LANES.get(opened.lane, opened.lane or "OTE"), opened.role,
                                  opened.kind, opened.subject, walk.opened_at[key], due, stand_ins.without_papers(self._form(walk, opened))))  # fmt: skip
        return found

    def waiting(self) -> list[Wait]:
        """What instances wait for, the earliest due first, then messages."""
        found = [Wait(walk.place, wait.node, _turn_of(walk.waits, key), wait.kind, wait.name, wait.correlation, wait.due_at)
                 for walk in self.walks if walk.is_open for key, wait in walk.waits.items() if wait.kind in ("message", "signal", "timer")]  # fmt: skip
        return sorted(found, key=lambda one: (one.due_at is None, one.due_at or self.now))

    # --- how it moves ---

    def settle(self) -> None:
        """Delivers messages until nobody waits for one that was sent."""
        for _ in range(_MOST_MESSAGES):
            chosen = next((place for place, (sent, _) in enumerate(self.posted) if self._hearer(sent) is not None or self._starts(sent)), None)
            if chosen is None:
                return
            sent, sender = self.posted.pop(chosen)
            hearer = self._hearer(sent)
            message = bpmn.Message(name=sent.name, correlation=sent.correlation, payload=dict(sent.payload), at=self.now, seq=0, facts={})
            if hearer is not None:
                messages.widen(hearer.held.scope, hearer.held.process, sent.payload)
                change = _Tried(self, hearer, users.system())
                change.give("message.received", message, {})
                operations.run(change, stand_ins.acts())
                change.write()
            else:
                self._start_by(message, sender)

    def take(self, change: _Tried) -> None:
        """What a change made happen, and what was said in it."""
        walk, at = change.walk, self.now
        for one in change.pending:
            key = (one.subject, one.field)
            self.known[key] = facts.Fact(one.subject, one.field, one.value, one.status, one.field_class, change.actor.agency, one.source, change.actor.name,
                                         change.actor.user_id, at, one.valid_until, len(self.known) + 1)  # fmt: skip
        for happening in change.happenings:
            self.told.append(Told(at, walk.place, happening))
            match happening:
                case bpmn.TaskOpened(task_id=key):
                    walk.tasks[key], walk.opened_at[key] = happening, at
                case bpmn.TaskClosed(task_id=key):
                    walk.tasks.pop(key, None)
                case bpmn.WaitOpened(wait_id=key):
                    walk.waits[key] = happening
                case bpmn.WaitClosed(wait_id=key):
                    walk.waits.pop(key, None)
                case bpmn.IncidentRaised(incident_id=key):
                    walk.incidents[key] = happening
                case bpmn.IncidentClosed(incident_id=key):
                    walk.incidents.pop(key, None)
                case bpmn.MessageSent():
                    self.posted.append((happening, walk.place))
                case bpmn.Ended():
                    walk.held.status = "ended"
                    walk.tasks.clear()
                    walk.waits.clear()
        walk.held.scope = dict(walk.held.scope)

    def _finish(self, change: _Tried) -> None:
        operations.run(change, stand_ins.acts())
        change.write()
        self.settle()

    def _starts(self, sent: bpmn.MessageSent) -> bool:
        return sent.name in self.edition.definitions.starting_messages

    def _hearer(self, sent: bpmn.MessageSent) -> Walk | None:
        return next((walk for walk in self.walks if walk.is_open and any(
            wait.kind == "message" and wait.name == sent.name and (wait.correlation or "") == (sent.correlation or "") for wait in walk.waits.values())), None)  # fmt: skip

    def _start_by(self, message: bpmn.Message, sender: int) -> None:
        process = self.edition.definitions.starting_messages[message.name]
        own, parent, scope = cases.own_subject(self.edition.definitions, process), self.walks[sender], {}
        if own == "aide":
            scope = {"mesure": message.correlation, "aide": message.correlation}
        elif own == "seance":
            messages.widen(scope, process, message.payload)
        self._start(process, str(message.payload.get("branche") or parent.held.branch), dict(message.payload), parent.held, scope, message)

    def _start(self, process: str, branch: str, variables: Mapping[str, Any], parent: Held | None, scope: dict[str, Any], message: bpmn.Message | None) -> None:
        if len(self.walks) >= _MOST_INSTANCES:
            raise errors.Conflict("trial.too_many", most=_MOST_INSTANCES)
        place, own = len(self.walks), cases.own_subject(self.edition.definitions, process)
        instance_id = derived_id(self.name, f"instance.{place}")
        is_root = parent is None or process in cases.ROOTS
        root_id = instance_id if is_root else parent.root_id
        person_id = parent.person_id if parent and own != "seance" and process != "signalement" else None
        if is_root and own is None and person_id is None:
            person_id = derived_id(self.name, f"person.{place}")
        if own in ("seance", cases.UNFORESEEN):
            scope.setdefault(own, str(instance_id))
        subject = f"{own}:{scope.get(own, instance_id)}" if own else ""
        number = parent.number if parent and not is_root else f"{SERIES.get(process, CASE_SERIES)}-{branch}-{self.today.year}-{place:05d}"
        held = Held(instance_id, root_id, parent.instance_id if parent else None, process, self.edition, person_id, number, None, branch, subject, scope, "accueil", "open",
                    0, parent.referent_id if parent else None, parent.social_worker_id if parent else None, *cases.shared(None if is_root else parent, own), b"", 1, b"", self.now,
                    self.tables.version, self.now)  # fmt: skip
        walk = Walk(place, held, message.name if message else "")
        self.walks.append(walk)
        about = {name: {"id": found} for name, found in scope.items() if isinstance(found, str)}
        given = {**variables, "instance": str(instance_id), "branche": branch, "numero": number, **about}
        change = _Tried(self, walk, users.system())
        change.give("case.started", bpmn.Start(variables=given, message=message.name if message else None, correlation=message.correlation if message else None,
                                               at=self.now, seq=0, facts={}), {})  # fmt: skip
        operations.run(change, stand_ins.acts())
        change.write()

    # --- forms ---

    def _form(self, walk: Walk, opened: bpmn.TaskOpened) -> forms.Form:
        """What whoever does the task would be asked."""
        definition, actor = self._definition(opened), self._doer(opened)
        subjects = walk.held.subjects.narrowed(opened.scope)
        known = tasks.as_known(list(self.known.values()), subjects, definition, self.edition)
        case, home = walk.held, self._home(walk, opened)
        return forms.ask(definition, known, tasks.readable_by(actor, case, home), tasks.writable_by(actor), self.today, self.language, self.tables.scope(self.today))

    def _definition(self, opened: bpmn.TaskOpened) -> forms.FormDefinition:
        return self.edition.forms.get(opened.form) or forms.confirm_only(opened.form, self.edition.definitions.labels(opened.node, opened.process))

    def _home(self, walk: Walk, opened: bpmn.TaskOpened) -> Held | None:
        """The case that a sitting's task is about, through its aid."""
        aid = next((one for one in opened.scope if one.startswith("aide:")), "") if walk.held.subject.startswith("seance:") else ""
        dossier = next((other.held for other in self.walks if other.held.subject == aid), None) if aid else None
        return next((other.held for other in self.walks if dossier and other.held.instance_id == dossier.root_id), None)

    def _doer(self, opened: bpmn.TaskOpened) -> users.Actor:
        """Somebody of the task's role, in her agency: what she may see and say is what the form shows."""
        agency = LANES.get(opened.lane, opened.lane or agencies.OTE)
        role = opened.role if opened.role in ROLES else ""
        return users.Actor(derived_id(self.name, f"{agency}.{role}"), role or "?", role or "?", agency, authority.branch_of_task(role, self.branch), frozenset({role} - {""}), self.language)

    # --- finding things ---

    def _walk(self, instance: int) -> Walk:
        if not 0 <= instance < len(self.walks):
            raise errors.Conflict("trial.no_task")
        return self.walks[instance]

    def _task(self, instance: int, node: str, turn: int) -> tuple[Walk, str, bpmn.TaskOpened]:
        walk = self._walk(instance)
        found = _nth(walk.tasks, node, turn)
        if found is None:
            raise errors.Conflict("trial.no_task")
        return walk, *found

    def _wait(self, instance: int, node: str, turn: int) -> tuple[Walk, str, bpmn.WaitOpened]:
        walk = self._walk(instance)
        found = _nth(walk.waits, node, turn)
        if found is None:
            raise errors.Conflict("trial.no_wait")
        return walk, *found


def _nth(these: Mapping[str, Any], node: str, turn: int) -> tuple[str, Any] | None:
    found = [(key, one) for key, one in these.items() if one.node == node]
    return found[turn - 1] if 0 < turn <= len(found) else None


def _turn_of(these: Mapping[str, Any], key: str) -> int:
    node = these[key].node
    return [other for other, one in these.items() if one.node == node].index(key) + 1
