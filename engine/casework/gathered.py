"""What rows that a history does not unfold should hold, gathered act by act from its lines: an instance's own columns, tasks done and called off, messages, facts, letters, appointments, stopped clocks.

Fed by `rebuilt`, which unfolds; it asks the tables once, at the end. Of whoever was erased only what lines say in the open is asked. A part's copies of what
its case's person agreed to are not: the walls read the case's own row.
"""

import datetime as dt
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlmodel import Session

from engine.casework.instants import Instant, Told
from engine.dossier.consents import SHARING
from engine.identity import derived_id
from engine.ledger import chain

_READ_AFTER_TRANSFER = dt.timedelta(days=30)  # as `orders` has it
_REMINDERS = frozenset({"task.due", "task.late", "task.very_late"})
_CAME_OF = ("attended", "missed", "not_held")  # an appointment; all else calls it off
_WAITS = ("message", "timer", "signal", "condition")
_HANDED = frozenset({"proposer_antenne", "retirer_proposition"})
_ROW = text("""SELECT i.root_id, i.parent_id, i.process, e.number AS edition, i.person_id, i.number, i.receipt_code, i.subject, i.scope, i.priority, i.is_shared, i.is_shared_funder,
                      i.is_shared_operator, i.assigned, i.is_kept, i.opened_at, i.ended_at, i.suspended_at, i.also_read_by, i.also_read_until, i.payments_held,
                      i.lent_to = '' OR EXISTS (SELECT FROM open_task t WHERE t.root_id = i.root_id AND t.branch <> i.branch AND t.branch || ' ' || t.agency = i.lent_to) AS is_lent_for_a_task,
                      (SELECT p.root_id FROM instance p WHERE p.instance_id = i.parent_id) AS root_of_parent
                 FROM instance i JOIN edition e USING (edition_id) WHERE i.instance_id = :id""")
_SEALED_FOR = text("SELECT DISTINCT person_id FROM ledger_sealed WHERE instance_id = :id")
_MADE_ONE = text("SELECT merged_into FROM person WHERE person_id = :id")
_DONE = text("SELECT task_id::text AS task_id, root_id, node, outcome, done_by::text AS done_by, done_at FROM task_done WHERE instance_id = :id")
_SENT = text("SELECT name, correlation, payload, created_at FROM message WHERE sender_id = :id")
_SEEN = text("SELECT name, correlation, sender_id::text AS sender FROM message WHERE consumed_by = :id")
_FACTS = text("""SELECT seq, subject, field, class, source, person_id, root_id, author_id::text AS author_id, author_agency, recorded_at, reason,
                        (SELECT d.root_id FROM instance d WHERE d.subject = f.subject AND d.subject <> '' AND d.process = 'dossier_aide' LIMIT 1) AS aid_root FROM fact f WHERE instance_id = :id""")
_LETTERS = text("SELECT letter_id::text AS letter_id, template, root_id, produced_at, class, content -> 'titles' AS titles FROM letter WHERE instance_id = :id")
_OPEN = text("""SELECT t.node, t.root_id = i.root_id AND t.case_branch = i.branch AND t.case_number = coalesce(r.number, '') AND t.priority = i.priority
                       AND (t.holder_id IS NOT NULL OR t.claimed_at IS NULL) AS is_hers
                  FROM open_task t JOIN instance i USING (instance_id) JOIN instance r ON r.instance_id = i.root_id WHERE t.instance_id = :id
                UNION ALL SELECT w.node, w.branch = i.branch FROM wait w JOIN instance i USING (instance_id) WHERE w.instance_id = :id
                UNION ALL SELECT n.node, n.root_id = i.root_id FROM incident n JOIN instance i USING (instance_id) WHERE n.instance_id = :id""")
_APPOINTMENTS = text("""SELECT appointment_id::text AS appointment_id, agent_id::text AS agent_id, lower(during) AS begins_at, upper(during) AS ends_at, place, state, cause, changes
                          FROM appointment WHERE instance_id = :id""")
_CLOCKS = text("SELECT position, kind, node, due_at FROM stopped_clock WHERE instance_id = :id")
_REMIND = text("""SELECT position, node, reminders, CASE WHEN due_at IS NULL OR reminders > 2 THEN remind_at IS NULL WHEN reminders = 0 THEN remind_at IS NOT DISTINCT FROM due_at
                            ELSE remind_at > due_at END AS is_sound FROM open_task WHERE instance_id = :id""")
_PASSAGES = text("SELECT kind, position, node, opened_at, due_at, closed_at, outcome FROM passage WHERE instance_id = :id AND kind IN ('task', 'message', 'timer', 'signal', 'condition')")
_TOLD_TO = text("SELECT max(e.seq) FROM log_entry e, passage_told t WHERE e.instance_id = :id AND e.log_index < t.upto")
_HALTS = text("SELECT seq, marks FROM replay_snapshot WHERE instance_id = :id ORDER BY seq")
_AGENCIES = text("SELECT user_id::text, agency FROM user_account")


class Gathered:
    """One instance's. `take` each act with what stood before it and what it wrote (`rows.Rows`, or a move's); `differences` at the end."""

    def __init__(self, session: Session, instance_id: UUID, edition: Callable[[int], Any]) -> None:
        self.session, self.instance_id, self.edition = session, instance_id, edition
        self.own: dict[str, Any] = {"ended_at": None, "suspended_at": None, "also_read_by": "", "also_read_until": None, "payments_held": False, "priority": 0}
        self.shared: dict[str, Any] = {"is_shared": False, "is_shared_funder": False, "is_shared_operator": False, "is_kept": False, "assigned": []}
        self.is_root = False
        self.branch = ""
        self.is_told = True
        self.has_moved = False
        self.variables: Mapping[str, Any] = {}
        self.begun: str | None = ""  # the message that it began with; None: it was forgotten which
        self.agenda: list[str] = []
        self.halts: list[list[Any]] = []
        self.reminded: Counter[str] = Counter()
        self.passages: dict[tuple[str, str], list[Any]] = {}
        self.told: dict[tuple[str, str], list[Any]] | None = None  # as they were up to the line that they were told of
        self.told_to: int | None = None
        self.codes: set[str] = set()
        self.done: dict[str, tuple[Any, ...]] = {}
        self.off: dict[str, tuple[Any, ...]] = {}
        self.names: Counter[tuple[str, dt.datetime]] = Counter()
        self.thrown: Counter[tuple[Any, ...]] = Counter()
        self.received: Counter[tuple[str, ...]] = Counter()
        self.facts: dict[tuple[int, str, str], tuple[Any, ...]] = {}
        self.reasons: dict[int, str] = {}
        self.letters: dict[str, tuple[dt.datetime, int]] = {}
        self.appointments: dict[str, dict[str, Any]] = {}
        self.clocks: dict[tuple[str, str], tuple[Any, ...]] = {}
        self._agencies: dict[str, str] | None = None

    # ── What lines say ───────────────────────────────────────────────────────────────────────────────────────────────────────────

    def take(self, before: Instant, act: Sequence[Told], after: Instant, wrote: Sequence[Any], asked: Sequence[Any]) -> None:
        """`wrote`: what the act made of the rows; `asked`: the operations that its diagram asked for."""
        self.is_told = self.is_told and after.is_told
        for told in act:
            self._own(before, told)
            self._past(told)
        off = {one.parameters.get("aide") for one in asked if one.operation == "retirer_dossier"}
        self.agenda = [one for one in self.agenda if one not in off]
        self.branch = after.branch
        if after.marks:
            self.halts.append([after.seq, *after.marks])
        at, nodes = act[-1].at, {row["task_id"]: row["node"] for row in before.tasks.values()}
        for rows in wrote:
            for one in getattr(rows, "messages", ()):
                self.thrown[one["name"], one["correlation"], chain.canonical(one["payload"]), at] += 1
            for one in getattr(rows, "cancelled", ()):
                self.off[one["task_id"]] = (one["node"] or nodes.get(one["task_id"], ""), one["outcome"], None, at)

    def _own(self, before: Instant, told: Told) -> None:
        body, own = told.body, self.own
        if told.seq == 1:
            self.is_root, self.branch = told.kind == "case.opened", body["branch"]
            own |= {"process": body["process"], "number": body["number"] if self.is_root else None, "parent_id": UUID(body["parent"]) if body["parent"] else None, "opened_at": told.at}
            if body["process"] == "seance_commission":
                self.shared |= {"is_shared": True, "is_shared_funder": True}
        own["edition"] = told.edition
        if "ended" in body:
            own["ended_at"] = told.at
        match told.kind:
            case "case.reopened":
                own["ended_at"] = None
            case "clocks.stopped":
                own["suspended_at"] = told.at
                self.clocks = {(kind, position): (node, dt.datetime.fromisoformat(due)) for position, kind, node, due in body["clocks"]}
            case "clocks.started":
                own["suspended_at"], self.clocks = None, {}
            case "payments.held" | "payments.released":
                own["payments_held"] = told.kind == "payments.held"
            case "case.shown":
                own |= {"also_read_by": body["branch"], "also_read_until": None}
            case "case.transferred":
                own |= {"also_read_by": body["from"], "also_read_until": told.at + _READ_AFTER_TRANSFER}
                self.shared["assigned"] = []
            case "operation.done" if "error" not in body and body["operation"] in _HANDED:
                own |= {"also_read_by": self.branch, "also_read_until": None}
            case "operation.done" if "error" not in body and body["operation"] == "transferer_dossier" and own["also_read_by"]:
                own["also_read_until"] = told.at + _READ_AFTER_TRANSFER
            case "case.moved" | "case.moved_back":
                self.has_moved = True
        if "inputs" in told.sealed:
            self._started(told)
        elif told.kind == "case.started" and "inputs" in told.promised:
            self.begun = None
        self._agreed(told)
        if told.kind in ("task.passed", "task.released"):
            self._entrusted(before, told)

    def _started(self, told: Told) -> None:
        """What an instance is about: what its start was told of it, the aid that it is bound to since, and the aids that messages put on a sitting's agenda."""
        inputs = told.sealed["inputs"]
        if told.kind == "case.started":
            self.variables, self.begun = inputs.get("variables") or {}, inputs.get("message") or ""
        elif told.kind == "operation.done" and told.body.get("operation") == "convenir_remboursement" and inputs.get("outputs"):  # which aid a plan of repayments (X11) is of
            self.variables = {**self.variables, **inputs["outputs"]}
        payload = (inputs.get("payload") if told.kind == "message.received" and told.body.get("from") else self.variables if told.kind == "case.started" else None) or {}
        aid = payload.get("aide")
        found = aid["id"] if isinstance(aid, Mapping) else aid
        if found and self.own.get("process") == "seance_commission" and found not in self.agenda:
            self.agenda.append(found)

    def _agreed(self, told: Told) -> None:
        said = {one["field"]: told.sealed.get(f"{one['subject']}|{one['field']}") for one in told.body.get("facts", ()) if one["field"] in SHARING}
        for field, one in said.items():
            is_given = one is not None and one["status"] == "known" and one["value"] is True
            self.shared[SHARING[field]] = is_given
            if field == "consentement.c1":
                self.shared["is_kept"] = not is_given
        if told.kind == "consent.closed" and not self.shared["is_shared_operator"]:
            self.shared["assigned"] = []

    def _entrusted(self, before: Instant, told: Told) -> None:
        """To which operator a case is entrusted: to whom an operator's task of it was passed, until it is taken back."""
        row, holder = before.tasks.get(told.body["task"]), told.body["holder"]
        if row is None or row["agency"] != "PART" or row["role"] != "operateur":
            return
        if told.kind == "task.released":
            self.shared["assigned"] = [one for one in self.shared["assigned"] if one != row["holder_id"] or one == told.actor["id"]]
        elif self.shared["is_shared_operator"] and not told.body.get("instead"):
            if self._agencies is None:
                self._agencies = dict(self.session.execute(_AGENCIES).all())
            self.shared["assigned"] = [holder] if self._agencies.get(holder) == "PART" else []

    def _past(self, told: Told) -> None:
        body = told.body
        if told.kind == "task.completed":
            self.done[str(derived_id(self.instance_id, body["task"]))] = (body["node"], "completed", told.actor["id"], told.at)
        for name in body.get("messages", ()):
            self.names[name, told.at] += 1
        if told.kind == "message.received":
            self.received[body["message"], body["correlation"], body["from"]] += 1
        if told.kind == "person.parted" and "undone" in body:
            self.facts = {key: said for key, said in self.facts.items() if key[0] != body["undone"]}
        for one in body.get("facts", ()):
            self.facts[told.seq, one["subject"], one["field"]] = (one["class"], one["source"], told.actor["id"], told.actor["agency"], told.at)
        if "reason" in told.sealed:
            self.reasons[told.seq] = told.sealed["reason"]
        if "letter" in body:
            self.letters[body["letter"]] = (told.at, told.edition)
            if body.get("operation") == "recepisse" and "code" in told.sealed:
                self.codes.add(told.sealed["code"])
        if "appointment" in body:
            self._appointed(told)
        if told.kind in _REMINDERS:
            self.reminded[body["task"]] += 1
        self._passed(told)

    def _passed(self, told: Told) -> None:
        """The rows that steering adds up, of tasks and waits (`masar_note_passages`): element, when it opened, was due, closed, and how."""
        body = told.body
        self.told_to = self.told_to if self.told_to is not None else self.session.execute(_TOLD_TO, {"id": self.instance_id}).scalar() or 0
        if told.seq == self.told_to + 1:
            self.told = {place: list(row) for place, row in self.passages.items()}
        for position, node in body.get("opened", ()):
            due = body.get("due", {}).get(position)
            self.passages.setdefault(("task", position), [node, told.at, due and dt.datetime.fromisoformat(due), None, ""])
        for position, node, kind, _, due in body.get("waits", ()):
            self.passages.setdefault((kind, position), [node, told.at, due and dt.datetime.fromisoformat(due), None, ""])
        for position, outcome in body.get("closed", ()):
            if (row := self.passages.get(("task", position))) and row[3] is None:
                row[3:] = [told.at, outcome]
        for position in body.get("waited", ()):
            for kind in _WAITS:
                if (row := self.passages.get((kind, position))) and row[3] is None:
                    row[3] = told.at

    def _appointed(self, told: Told) -> None:
        body, what = told.body, told.kind.partition(".")[2]
        row = self.appointments.setdefault(body["appointment"], {"changes": -1, "state": "set", "cause": ""})
        row["changes"] += 1
        row["agent_id"] = body["owner"]
        if what in ("made", "moved"):
            row |= {"begins_at": dt.datetime.fromisoformat(body["begins_at"]), "ends_at": dt.datetime.fromisoformat(body["ends_at"]), "place": body["place"]}
        else:
            row |= {"state": what if what in _CAME_OF else "cancelled", "cause": body.get("cause", "")}

    # ── What rows say otherwise ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def differences(self) -> Iterator[tuple[int, str]]:
        """Each by its line, where one tells of it (else 0), and its name."""
        row = self.session.execute(_ROW, {"id": self.instance_id}).one()
        yield from ((0, f"instance: {name}") for name in self._columns(row))
        asked = {"id": self.instance_id}
        yield from ((0, f"{one.node}: not of its case") for one in self.session.execute(_OPEN, asked) if not one.is_hers)
        yield from self._done_otherwise(row)
        yield from self._said_otherwise(row)
        yield from self._letters(row)
        yield from ((0, f"messages: {name}") for name in self._messages())
        held = {one.appointment_id: {name: value for name, value in one._mapping.items() if name != "appointment_id"} for one in self.session.execute(_APPOINTMENTS, asked)}
        yield from ((0, "appointment: not as it was told") for one in held.keys() | self.appointments.keys() if held.get(one) != self.appointments.get(one))
        clocks = {(one.kind, one.position): (one.node, one.due_at) for one in self.session.execute(_CLOCKS, asked)}
        if clocks != self.clocks:
            yield 0, "stopped clocks: not as they were told"
        for one in self.session.execute(_REMIND, asked):
            if not self.has_moved and (one.reminders != self.reminded[one.position] or not one.is_sound):
                yield 0, f"tasks: {one.node} reminders"
        yield from ((0, f"passage: {node}") for node in self._passages())
        before = 0
        for one in self.session.execute(_HALTS, asked):
            if one.marks != [halt for halt in self.halts if before < halt[0] <= one.seq]:
                yield one.seq, "marks of a kept instant"
            before = one.seq

    def _columns(self, row: Any) -> Iterator[str]:
        expected = dict(self.own)
        if self.is_root and self.is_told:
            expected |= self.shared | {"assigned": [UUID(one) for one in self.shared["assigned"]]}
        yield from (name for name, value in expected.items() if getattr(row, name) != value)
        if row.root_id != (self.instance_id if self.is_root else row.root_of_parent):
            yield "root_id"
        if self.is_told:
            own, _, about = row.subject.partition(":")
            if (row.scope.get(own) if own else "") != about:
                yield "subject"
            if any(value != self._about(name, value) for name, value in row.scope.items()):
                yield "scope"
        if row.receipt_code is not None and self.codes and row.receipt_code not in self.codes:
            yield "receipt_code"
        if not self._is_hers(row.person_id):
            yield "person_id"
        if not row.is_lent_for_a_task:
            yield "lent_to"

    def _about(self, name: str, value: Any) -> Any:
        """What the start was told of a subject; of a sitting's agenda, whatever of it was put there."""
        if isinstance(value, list):
            return self.agenda
        found = self.variables.get(name)
        return found.get("id") if isinstance(found, Mapping) else None

    def _is_hers(self, person_id: UUID | None) -> bool:
        """Whether the lines were sealed for this person, or for one who was made one with her; a sitting has no person, its lines those whose aids they tell of."""
        if self.own["process"] == "seance_commission":
            return person_id is None
        for sealed_for in self.session.execute(_SEALED_FOR, {"id": self.instance_id}).scalars():
            seen, one = set(), sealed_for
            while one is not None and one != person_id and one not in seen:
                seen.add(one)
                one = self.session.execute(_MADE_ONE, {"id": one}).scalar()
            if one != person_id:
                return False
        return True

    def _done_otherwise(self, row: Any) -> Iterator[tuple[int, str]]:
        for one in self.session.execute(_DONE, {"id": self.instance_id}):
            said = self.done.get(one.task_id) or self.off.get(one.task_id)
            if said is None:  # one that no line tells of as done is named by `projections`
                if one.outcome != "completed" and self.is_told and not self.has_moved:
                    yield 0, f"task done: {one.node}: no line tells of it"
            elif (one.node, one.outcome, one.done_by, one.done_at) != said or one.root_id != row.root_id:
                yield 0, f"task done: {one.node}: by another, or otherwise"

    def _said_otherwise(self, row: Any) -> Iterator[tuple[int, str]]:
        found = self.session.execute(_FACTS, {"id": self.instance_id}).all()
        homes: dict[int, set[Any]] = {}  # a sitting's line about an aid tells facts of the aid's own case, the rows of its lists too
        for one in found:
            homes.setdefault(one.seq, {row.root_id}).add(one.aid_root)
        for one in found:
            said = self.facts.get((one.seq, one.subject, one.field))
            if said is None:
                continue  # named by `projections`
            if (one._mapping["class"], one.source.get("kind", ""), one.author_id or "", one.author_agency, one.recorded_at) != said or one.reason not in ("", self.reasons.get(one.seq, one.reason)):
                yield one.seq, f"{one.field}: said by another, or otherwise"
            kind, _, about = one.subject.partition(":")
            if (kind == "person" and one.person_id != UUID(about)) or one.root_id not in homes[one.seq]:
                yield one.seq, f"{one.field}: of another person or case"

    def _letters(self, row: Any) -> Iterator[tuple[int, str]]:
        for one in self.session.execute(_LETTERS, {"id": self.instance_id}):
            at, edition = self.letters.get(one.letter_id, (None, 0))
            drawn = self.edition(edition).letters.get(one.template) if at else None
            if at and (drawn is None or (one.root_id, one.produced_at, one._mapping["class"], one.titles) != (row.root_id, at, drawn.class_, dict(drawn.title))):
                yield 0, f"letter {one.template}: of another case, hour, kind or class"

    def _passages(self) -> Iterator[str]:
        """The worker tells them of lines some time after those were sealed: what it told is there, and what is there was told, or will be."""
        held = {(one.kind, one.position): [one.node, one.opened_at, one.due_at, one.closed_at, one.outcome] for one in self.session.execute(_PASSAGES, {"id": self.instance_id})}
        told = self.passages if self.told is None else self.told
        for place in sorted(held.keys() | told.keys()):
            last = self.passages.get(place)
            if held.get(place) not in (told.get(place), *((last, [*last[:3], None, ""]) if last and last != told.get(place) else ())):
                yield (held.get(place) or told[place])[0]

    def _messages(self) -> Iterator[str]:
        rows = self.session.execute(_SENT, {"id": self.instance_id}).all()
        for name in sorted({name for name, _ in (self.names - Counter((one.name, one.created_at) for one in rows)) + (Counter((one.name, one.created_at) for one in rows) - self.names)}):
            yield f"{name} sent otherwise"
        if self.is_told:
            sent = Counter((one.name, one.correlation, chain.canonical(one.payload), one.created_at) for one in rows)
            yield from sorted({f"{one[0]} says something else" for one in self.thrown - sent})
        seen = Counter((one.name, one.correlation, one.sender or "") for one in self.session.execute(_SEEN, {"id": self.instance_id}))
        begun = Counter({(self.begun, one[1], one[2]): 1 for one in seen if one[0] == self.begun}) if self.begun else Counter()
        lost = {one for one in seen - self.received - begun if not one[0].startswith("ordre.")}
        if self.begun is None and len(lost) == 1:
            lost.clear()
        yield from sorted({f"{one[0]} received otherwise" for one in {*(self.received - seen), *lost}})
