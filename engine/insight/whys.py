"""Why a case went the way it did, for whoever may read its history: each turn and each rule applied, on which values, said by whom, and what would have led elsewhere.

What a reader may not know (decisions.md 19) is masked here: the value, whether the condition held, the rule that fired, and any change, since what would have
led elsewhere tells what was.
"""

import datetime as dt
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlmodel import Session

from engine import clock, errors, i18n
from engine.actors import authority
from engine.casework import editions, replays, staff
from engine.casework.instances import Held, find
from engine.dossier import facts, programmes
from engine.insight.wording import Wording, parameters
from engine.ledger import consultations
from engine.pathway import bpmn, replay, why
from engine.pathway.decisions import Decision

PAGE = 20
_LINES = text("""
    SELECT l.instance_id, l.seq, l.line, i.process FROM ledger_line l JOIN instance i USING (instance_id)
     WHERE i.root_id = :root AND l.line::jsonb -> 'body' ?| '{branches,decisions}'
     ORDER BY (l.line::jsonb ->> 'occurred_at') DESC, l.seq DESC, l.instance_id LIMIT :limit OFFSET :offset""")
_LINE = text("SELECT l.line FROM ledger_line l WHERE l.instance_id = :id AND l.seq = :seq")
_NUMBER = text("SELECT edition_id FROM edition WHERE number = :number")
_SAID = text(f"""
    SELECT f.subject, f.field, f.source, f.author_name, f.author_id, f.author_agency, f.recorded_at, f.instance_id, f.seq FROM {facts.EVERY} f
     WHERE (f.root_id = :root OR f.person_id = :person OR f.subject = ANY (:subjects)) AND f.field = ANY (:fields) AND f.recorded_at <= :at
     ORDER BY f.recorded_at, f.fact_id""")


@dataclass(frozen=True)
class Passed:
    """A gateway or a table that an act passed: where it led, or the rules that fired; `outcome` "" where that is not the reader's to know, or nothing fired."""

    name: str
    outcome: str


@dataclass(frozen=True)
class Act:
    """A line that took turns: the gateways and tables it passed."""

    instance_id: UUID
    seq: int
    at: dt.datetime
    turns: tuple[Passed, ...]


@dataclass(frozen=True)
class Acts:
    items: tuple[Act, ...]
    next: str


@dataclass(frozen=True)
class Weighed:
    """A condition in words and as written; `holds`: None where it was not looked at, or may not be known."""

    words: str
    feel: str
    to: str
    holds: bool | None
    is_taken: bool


@dataclass(frozen=True)
class Value:
    """A value that was read: who said it and when (`source` as facts have it; "" for what no person said). `is_hidden`: not the reader's to know."""

    path: str
    label: str
    value: str
    source: str = ""
    author: str = ""
    agency: str = ""
    at: dt.datetime | None = None
    is_hidden: bool = False


@dataclass(frozen=True)
class Turn:
    """One turn taken or rule applied. `taken`: where it went, or what was answered; `smallest`: the smallest change that would have led elsewhere, a sentence, "" where
    there is none within two values; `others`: the other ends one value away; `near`: rules that one column kept from firing. `is_veiled`: it weighs what the reader
    may not know, so that neither the answer nor a change is told."""

    kind: str
    node: str
    name: str
    decision: str
    rules: tuple[str, ...]
    taken: str
    conditions: tuple[Weighed, ...]
    values: tuple[Value, ...]
    near: tuple[str, ...]
    smallest: str
    others: tuple[str, ...]
    tried: int
    is_searched: bool
    is_veiled: bool


@dataclass(frozen=True)
class Whys:
    """All turns of one act."""

    case_id: UUID
    instance_id: UUID
    seq: int
    kind: str
    at: dt.datetime
    actor: str
    agency: str
    turns: tuple[Turn, ...]


def of_case(session: Session, actor: Any, case_id: UUID, cursor: str = "") -> Acts:
    """The acts of a case at which it took a turn, the newest first. Refuses: NotFound."""
    held = _held(session, actor, case_id)
    offset = int(cursor) if cursor.isdigit() else 0
    rows = session.execute(_LINES, {"root": case_id, "limit": PAGE + 1, "offset": offset}).all()
    found, tellers = [], {}
    called = parameters(programmes.tables(session, held.dated_version, held.now))
    for row in rows[:PAGE]:
        line = json.loads(row.line)
        if line["edition"] not in tellers:
            edition = editions.numbered(session, line["edition"])
            tellers[line["edition"]] = Teller(session, actor, held, held, edition, Wording(edition, actor.language, called), clock.now(session))
        found.append(Act(row.instance_id, row.seq, dt.datetime.fromisoformat(line["occurred_at"]), tellers[line["edition"]].passed(line["body"])))
    return Acts(tuple(found), str(offset + PAGE) if len(rows) > PAGE else "")


def of_act(session: Session, actor: Any, case_id: UUID, instance_id: UUID, seq: int) -> Whys:
    """Why each turn of one act was taken. Refuses: NotFound (the case, or a line of another one); `why.unreadable` (the key of its values was erased)."""
    root = _held(session, actor, case_id)
    held = find(session, instance_id)
    written = session.execute(_LINE, {"id": instance_id, "seq": seq}).scalar() if held is not None and held.root_id == case_id else None
    if held is None or written is None:
        raise errors.NotFound("why.not_found")
    line = json.loads(written)
    reasons = _reasons(session, held, seq)
    edition = editions.load(session, session.execute(_NUMBER, {"number": line["edition"]}).scalar_one())
    at = dt.datetime.fromisoformat(line["occurred_at"])
    names = staff.names(session, actor.language, (line["actor"].get("id"),))
    teller = Teller(session, actor, root, held, edition, Wording(edition, actor.language, parameters(programmes.tables(session, held.dated_version, held.now))), at)
    who = names.get(line["actor"].get("id", ""), line["actor"].get("kind", ""))
    return Whys(case_id, instance_id, seq, line["kind"], at, who, line["actor"].get("agency", ""), tuple(teller.turn(one) for one in reasons))


def _held(session: Session, actor: Any, case_id: UUID) -> Held:
    held = find(session, case_id)
    if held is None or held.root_id != case_id:
        raise errors.NotFound("case.not_found")
    authority.require(actor, "history.read", branch=held.branch, case=held)
    return held


def _reasons(session: Session, held: Held, seq: int) -> tuple[why.Reason, ...]:
    """What the nodes of one line saw: the history up to it, played again."""
    found = replays.history(session, held.instance_id)
    for said, step in replay.again(held.process, found.said):
        if said.seq == seq:
            return step.reasons
    if not found.is_whole:
        raise errors.Conflict("why.unreadable")
    return ()


class Teller:
    """Tells reasons of one line to one reader."""

    def __init__(self, session: Session, actor: Any, root: Held, held: Held, edition: editions.Edition, wording: Wording, at: dt.datetime) -> None:
        self.session, self.actor, self.root, self.held, self.edition, self.words, self.at = session, actor, root, held, edition, wording, at
        self.sees: Callable[[str], bool] = cache(self._sees)

    def _sees(self, path: str) -> bool:
        """Whether a value may be known: a field by its class; the answer of a table where all it reads is; a variable that nobody said, if it has no parts."""
        fields, definitions = self.edition.dictionary.fields, self.edition.definitions
        base = path.removesuffix("_statut")
        first = base.partition(".")[0]
        field = self.words.field(base)
        if field is not None:
            return authority.readable(self.actor, authority.classes_of(field), case=self.root)
        if first in self.edition.dictionary.groups and base not in fields:
            return False
        decided = [one.extensions.decision for one in definitions.rules() if one.extensions.result == first]
        if decided:
            return all(self.sees(one) for reference in decided for one in definitions.read_by(reference) if one.partition(".")[0] != first)
        return first in why.RULES or "." not in base or first == "dossier"

    def passed(self, body: Mapping[str, Any]) -> tuple[Passed, ...]:
        """What the public part of a line says of the turns it took."""
        definitions = self.edition.definitions
        found = [Passed(i18n.pick(definitions.labels(node), self.words.language) or self.words.say("turn"), self.words.flows(flows)) for node, flows in body.get("branches", ())]
        for node, decision, rules, *_ in body.get("decisions", ()):
            is_known = decision in definitions.decisions and all(self.sees(path) for path in definitions.read_by(decision))
            name = i18n.pick(definitions.labels(node), self.words.language) or (self.words.decision(definitions.decision(decision)) if decision in definitions.decisions else decision)
            found.append(Passed(name, self.words.listed([self._rule(one) for one in rules]) if is_known else ""))
        return tuple(dict.fromkeys(found))

    def turn(self, reason: why.Reason) -> Turn:
        definitions, told = self.edition.definitions, reason.told
        read = why.reads(definitions, reason)
        is_veiled = not all(self.sees(path) for path in read)
        found = None if is_veiled else why.explain(definitions, self.edition.dictionary, reason)
        is_decision = isinstance(told, bpmn.Decided)
        decided = definitions.decision(told.decision) if isinstance(told, bpmn.Decided) else None
        decision_name = self.words.decision(decided) if decided else ""
        decision = self.words.say("rule", name=decision_name) if is_decision else ""
        taken = self.words.outputs(told.outputs, decided) if is_decision else self.words.flows(told.flows)
        name = i18n.pick(reason.element.names, self.actor.language) or (decision_name if is_decision else self.words.say("turn"))
        return Turn(
            "decided" if is_decision else "turned", told.node, name, decision,
            tuple(self._rule(one) for one in told.rules) if is_decision and not is_veiled else (), "" if is_veiled and is_decision else taken,
            () if is_decision else tuple(self._conditions(reason)), tuple(self._values(reason, read)),
            tuple(self._near(one) for one in found.near[:5]) if found else (), self._sentence(found.smallest, decided) if found and found.smallest else "",
            tuple(self._sentence(one, decided) for one in found.others[:5] if one != found.smallest) if found else (),
            found.tried if found else 0, found.is_searched if found else False, is_veiled,
        )  # fmt: skip

    def _sentence(self, away: why.Elsewhere, decided: Decision | None) -> str:
        where = self.words.say("answered", outputs=self.words.outputs(away.outputs, decided)) if decided else self.words.say("gone", where=self.words.flows(away.flows))
        return self.words.elsewhere(away, where)

    def _rule(self, rule_id: str) -> str:
        definitions = self.edition.definitions
        for name in definitions.decisions:
            for rule in definitions.decision(name).rules:
                if rule.rule_id == rule_id:
                    return self.words.say("rule_of", rule=self.words.rule(definitions.decision(name), rule))
        return rule_id

    def _near(self, near: why.Near) -> str:
        return self.words.say("near", rule=self._rule(near.rule_id), wanted=self.words.cell(near.asked, near.wanted), held=self.words.outputs(near.held))

    def _conditions(self, reason: why.Reason) -> list[Weighed]:
        looked = {one["flow"]: one["value"] for one in reason.told.why}
        taken = set(reason.told.flows)
        found = []
        for flow in reason.element.flows_out:
            if flow.condition is None:
                said = self.words.say("otherwise" if flow.is_default else "always")
                found.append(Weighed(said, "", self.words.flow(flow.id), None, flow.id in taken))
                continue
            is_told = all(self.sees(path) for path in flow.condition.paths)
            found.append(Weighed(self.words.condition(flow.condition.tree, flow.condition.text), flow.condition.text, self.words.flow(flow.id),
                                 looked.get(flow.id) if is_told else None, flow.id in taken))  # fmt: skip
        return found

    def _values(self, reason: why.Reason, read: frozenset[str]) -> list[Value]:
        sight = why.seen(reason)
        sources = self._sources(reason, read)
        found = []
        for path in sorted(read):
            value = why.look_up(sight, path)
            field = self.words.field(path)
            if path == "now" or path.partition(".")[0] in ("programmes", "antennes") or (isinstance(value, Mapping) and "." not in path) or (field is not None and field.type == "list" and any(one.startswith(f"{path}.") for one in read)):
                continue
            if path.endswith("_statut") and value is None:
                continue
            label = self.words.label(path)
            if not self.sees(path):
                found.append(Value(path, label, "", is_hidden=True))
                continue
            if field is not None:
                consultations.note(self.session, self.root.instance_id, "history", [field.class_])
            row = sources.get(path)
            agency = row.author_agency if row else ""
            author = self._names.get(str(row.author_id), row.author_name) if row else ""
            found.append(Value(path, label, self.words.value(path, value), (row.source or {}).get("kind", "person") if row else self._origin(path), author, agency,
                               row.recorded_at if row else None))  # fmt: skip
        return found

    def _origin(self, path: str) -> str:
        """Where a value comes from that no person said."""
        first = path.partition(".")[0]
        field = self.words.field(path)
        if field is not None:
            return "computed" if field.computed is not None else ""
        return "rule" if first in why.RULES else "day" if first in ("today", "now") else "pathway"

    def _sources(self, reason: why.Reason, read: frozenset[str]) -> dict[str, Any]:
        """The fact behind each path, as it stood at that line: the reader's own policies say which rows are hers."""
        wanted: dict[str, set[str]] = {}
        for path in read:
            field = self.words.field(path)
            above = path.rpartition(".")[0]
            for one in (field.id if field else "", above if above in self.edition.dictionary.fields else ""):
                if one:
                    wanted.setdefault(one, set()).add(path)
        subjects = {*self.held.subjects.keys(), *self.root.subjects.keys(), *reason.subjects}
        asked = {"root": self.held.root_id, "person": self.held.person_id, "subjects": sorted(subjects), "fields": sorted(wanted), "at": self.at}
        found: dict[str, Any] = {}
        rows = self.session.execute(_SAID, asked).all()
        for row in rows:
            if row.subject in subjects or row.field not in found:
                for path in wanted[row.field]:
                    found[path] = row
        self._names = staff.names(self.session, self.actor.language, (row.author_id for row in rows))
        return found
