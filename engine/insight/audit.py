"""History as an auditor searches it: by person, actor, agency, rule fired, deviation, lateness, and who prepared with who approved money.

One query each, on what the auditor reaches. A rule that weighs what she may not know (decisions.md 19) is not searched by: whoever it fired for would be told.
Not here: departures from a proposal (`departures`), samples (`samples`), findings (`casework.findings`).
"""

import datetime as dt
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import chain
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlmodel import Session

from engine import errors
from engine.actors import authority
from engine.casework import cases, editions, staff
from engine.casework.views import Candidate, Happened
from engine.dossier import programmes
from engine.i18n import pick
from engine.insight.wording import Wording, parameters

PAGE = 40
DEVIATIONS = ("token.moved", "operation.skipped", "fact.corrected", "repair.proposed", "repair.refused", "repair.withdrawn", "incident.retried", "case.moved", "case.moved_back")
LATE = ("task.due", "task.late", "task.very_late")

_EVENT = "l.instance_id, l.seq, l.line, i.root_id, r.number, r.branch"
_FROM = "ledger_line l JOIN instance i USING (instance_id) JOIN instance r ON r.instance_id = i.root_id"
_ORDER = "ORDER BY l.at DESC, l.instance_id, l.seq DESC LIMIT :limit OFFSET :offset"
_BY_PERSON = text(f"SELECT {_EVENT} FROM {_FROM} WHERE i.person_id = (SELECT person_id FROM instance WHERE instance_id = :value) {_ORDER}")
_BY_ACTOR = text(f"SELECT {_EVENT} FROM {_FROM} WHERE l.actor_id = :value {_ORDER}")
_BY_AGENCY = text(f"SELECT {_EVENT} FROM {_FROM} WHERE l.agency = :value {_ORDER}")
_BY_KINDS = text(f"SELECT {_EVENT} FROM {_FROM} WHERE l.kind = ANY (:kinds) {_ORDER}")
_BY_RULE = text(f"""SELECT {_EVENT} FROM rule_fired f JOIN ledger_line l USING (instance_id, seq) JOIN instance i USING (instance_id) JOIN instance r ON r.instance_id = i.root_id
                     WHERE f.rule = :value ORDER BY f.at DESC, f.instance_id, f.seq DESC LIMIT :limit OFFSET :offset""")
# Refused, then done all the same: the same act on the same thing, later, in the same instance.
_REFUSED_THEN_DONE = text(f"""
    SELECT {_EVENT} FROM {_FROM} JOIN ledger_line n ON n.instance_id = l.instance_id AND n.kind = 'repair.refused' AND n.seq < l.seq
     WHERE l.kind = ANY ('{{token.moved,operation.skipped,fact.corrected}}')
       AND (n.line::jsonb #>> '{{body,act}}') = CASE l.kind WHEN 'token.moved' THEN 'move' WHEN 'operation.skipped' THEN 'skip' ELSE 'correct' END
       AND (n.line::jsonb #>> '{{body,node}}', n.line::jsonb #>> '{{body,field}}') IS NOT DISTINCT FROM (l.line::jsonb #>> '{{body,node}}', l.line::jsonb #>> '{{body,field}}')
     GROUP BY l.instance_id, l.seq, l.line, l.at, i.root_id, r.number, r.branch {_ORDER}""")
_RULES = text("SELECT f.decision, f.rule, count(*) AS fired, count(DISTINCT f.instance_id) AS cases FROM rule_fired f GROUP BY 1, 2 ORDER BY 1, 2")
_PAIRS = text("""
    WITH apart AS (SELECT * FROM jsonb_to_recordset(CAST(:apart AS jsonb)) AS a(prepares text, approves text)),
         pairs AS (SELECT DISTINCT p.done_by AS prepared_by, a.done_by AS approved_by, a.instance_id, a.node, a.task_id
                     FROM apart w JOIN task_done a ON a.node = w.approves AND a.outcome = 'completed' AND a.done_by IS NOT NULL
                     JOIN task_done p ON p.instance_id = a.instance_id AND p.node = w.prepares AND p.outcome = 'completed' AND p.done_by IS NOT NULL AND p.done_at <= a.done_at)
    SELECT prepared_by, approved_by, count(DISTINCT task_id) AS times, count(DISTINCT instance_id) AS dossiers,
           (SELECT count(DISTINCT o.task_id) FROM pairs o WHERE o.approved_by = pairs.approved_by) AS approved,
           (SELECT count(DISTINCT o.task_id) FROM pairs o WHERE o.prepared_by = pairs.prepared_by) AS prepared
      FROM pairs GROUP BY 1, 2 ORDER BY times DESC, 1, 2 LIMIT :limit OFFSET :offset""")


@dataclass(frozen=True)
class Event:
    """A line found: whose case, and the line without its values."""

    case_id: UUID
    case_number: str
    branch: str
    happened: Happened


@dataclass(frozen=True)
class Events:
    items: tuple[Event, ...]
    next: str


@dataclass(frozen=True)
class RuleFired:
    """A rule, how often it fired and in how many cases; `label` are its own words, `table` what its table is called."""

    decision: str
    rule: str
    label: str
    fired: int
    cases: int
    table: str


@dataclass(frozen=True)
class Rules:
    """`veiled`: rules that fired and weigh what the reader may not know; they are not searched by."""

    items: tuple[RuleFired, ...]
    veiled: int


@dataclass(frozen=True)
class Pair:
    """Two persons: one prepared money `times` times that the other approved; `approved` and `prepared` are all that each did with anybody."""

    prepared_by: UUID
    prepared_name: str
    approved_by: UUID
    approved_name: str
    times: int
    dossiers: int
    approved: int
    prepared: int


@dataclass(frozen=True)
class Pairs:
    items: tuple[Pair, ...]
    next: str


def persons(session: Session, actor: Any, query: str) -> tuple[Candidate, ...]:
    """Cases of persons by name, number or phone, as far as she reaches: each leads to all that happened to its person."""
    authority.require(actor, "audit.search")
    return cases.search(session, actor, query)


def of_person(session: Session, actor: Any, case_id: UUID, cursor: str = "") -> Events:
    """All that happened to the person of a case, in every instance of hers."""
    return _events(session, actor, _BY_PERSON, {"value": case_id}, cursor)


def of_actor(session: Session, actor: Any, user_id: UUID, cursor: str = "") -> Events:
    """All that somebody did."""
    return _events(session, actor, _BY_ACTOR, {"value": str(user_id)}, cursor)


def of_agency(session: Session, actor: Any, agency: str, cursor: str = "") -> Events:
    """All that an agency did."""
    return _events(session, actor, _BY_AGENCY, {"value": agency}, cursor)


def of_rule(session: Session, actor: Any, rule: str, cursor: str = "") -> Events:
    """The lines on which a rule fired. Refuses: `audit.veiled` (Forbidden) where it weighs what she may not know."""
    authority.require(actor, "audit.search")
    decisions = {one.decision for one in _fired(session) if one.rule == rule}
    edition = editions.current(session)
    if any(_is_veiled(actor, edition, one) for one in decisions):
        raise errors.Forbidden("audit.veiled")
    return _events(session, actor, _BY_RULE, {"value": rule}, cursor)


def deviations(session: Session, actor: Any, kind: str = "", cursor: str = "") -> Events:
    """Where the procedure was left: moves, operations passed over, corrections, repairs; `kind`: one of `DEVIATIONS`, `refused_then_done`, or "" for all."""
    if kind == "refused_then_done":
        return _events(session, actor, _REFUSED_THEN_DONE, {}, cursor)
    return _events(session, actor, _BY_KINDS, {"kinds": [kind] if kind in DEVIATIONS else list(DEVIATIONS)}, cursor)


def late(session: Session, actor: Any, kind: str = "", cursor: str = "") -> Events:
    """Tasks that were reminded of because they were due, late or very late."""
    return _events(session, actor, _BY_KINDS, {"kinds": [kind] if kind in LATE else ["task.late", "task.very_late"]}, cursor)


def rules(session: Session, actor: Any) -> Rules:
    """The rules that fired. Those that weigh what the reader may not know are counted only."""
    authority.require(actor, "audit.search")
    edition = editions.current(session)
    definitions, shown, veiled = edition.definitions, [], 0
    wording = Wording(edition, actor.language, parameters(programmes.dated(session)))
    for row in _fired(session):
        if _is_veiled(actor, edition, row.decision):
            veiled += 1
            continue
        table = definitions.decision(row.decision)
        label = next((wording.rule(table, one) for one in table.rules if one.rule_id == row.rule), "")
        shown.append(RuleFired(row.decision, row.rule, label or row.rule, row.fired, row.cases, wording.decision(table)))
    return Rules(tuple(shown), veiled)


def pairs(session: Session, actor: Any, cursor: str = "") -> Pairs:
    """Who prepared and who approved money: the tasks that every edition keeps apart, by the two who did them; the most frequent two first."""
    authority.require(actor, "audit.search")
    apart = {(prepares, task.node) for number in _editions(session) for task in editions.load(session, number).definitions.tasks for prepares in task.distinct}
    offset = int(cursor) if cursor.isdigit() else 0
    asked = json.dumps([{"prepares": one, "approves": other} for one, other in sorted(apart)])
    rows = session.execute(_PAIRS, {"apart": asked, "limit": PAGE + 1, "offset": offset}).all()
    names = staff.names(session, actor.language, chain.from_iterable((row.prepared_by, row.approved_by) for row in rows))
    items = tuple(Pair(row.prepared_by, names.get(str(row.prepared_by), ""), row.approved_by, names.get(str(row.approved_by), ""), row.times, row.dossiers, row.approved,
                       row.prepared) for row in rows[:PAGE])  # fmt: skip
    return Pairs(items, str(offset + PAGE) if len(rows) > PAGE else "")


def labels(session: Session, language: str) -> Mapping[str, str]:
    """What elements are called in the edition in force, for the sentences of events."""
    definitions = editions.current(session).definitions
    return {one.id: pick(one.names, language) for process in definitions.processes for one in definitions.elements(process) if one.names}


def _editions(session: Session) -> Iterable[UUID]:
    return session.execute(text("SELECT edition_id FROM edition ORDER BY number")).scalars()


def _fired(session: Session) -> Any:
    return session.execute(_RULES).all()


def _is_veiled(actor: Any, edition: editions.Edition, decision: str) -> bool:
    """Whether a table reads a field that the actor may not; one that the edition in force does not have is not known, so it is."""
    return decision not in edition.definitions.decisions or not all(may_know(actor, edition, path) for path in edition.definitions.read_by(decision))


def may_know(actor: Any, edition: editions.Edition, path: str) -> bool:
    """Whether what a path of an edition's scope holds may be the actor's to know: each field of it, and each column where it is one of a list's rows."""
    fields = edition.dictionary.fields
    base = path.removesuffix("_statut")
    above, _, name = base.rpartition(".")
    listed = fields[above].items if above in fields else ()
    named = (base, *(item for item in listed if item.partition(".")[2] == name))
    return all(actor.reads & set(authority.classes_of(fields[one]).split(",")) for one in named if one in fields)


def _events(session: Session, actor: Any, query: Any, asked: Mapping[str, Any], cursor: str) -> Events:
    authority.require(actor, "audit.search")
    offset = int(cursor) if cursor.isdigit() else 0
    rows = session.execute(query, {**asked, "limit": PAGE + 1, "offset": offset}).all()
    lines = [json.loads(row.line) for row in rows[:PAGE]]
    names = staff.of_lines(session, actor.language, lines)
    return Events(tuple(_event(row, line, names, actor.language) for row, line in zip(rows, lines, strict=False)), str(offset + PAGE) if len(rows) > PAGE else "")


def _event(row: Any, line: Mapping[str, Any], names: Mapping[str, str], language: str) -> Event:
    who, body = line["actor"], staff.with_names(line["body"], names)
    happened = Happened(row.instance_id, row.seq, line["kind"], dt.datetime.fromisoformat(line["occurred_at"]), staff.doer(who, names, language, who.get("kind", "")), who.get("agency", ""), body)
    return Event(row.root_id, row.number or "", row.branch, happened)
