"""History as an auditor searches it: by person, actor, agency, rule fired, deviation, lateness, departure from a proposal, and who prepared with who approved money.

One query each, on what the auditor reaches. A rule or a proposal that weighs what she may not know (decisions.md 19) is not searched by: whoever it fired for would be told.
Not here: samples (`samples`), findings (`casework.findings`).
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
from forms import text as words

PAGE = 40
DEVIATIONS = ("token.moved", "operation.skipped", "fact.corrected", "repair.proposed", "repair.refused", "incident.retried", "case.moved", "case.moved_back")
LATE = ("task.due", "task.late", "task.very_late")
KINDS = ("aid", "orientation", "closure")
# What the engine or whoever prepares proposes, and what a person then decided, by kind; the proposal "" where a person only says why she departs: she is asked it nowhere else.
PROPOSALS = {
    "aid": (("aide.montant_propose", "aide.montant_accorde"), ("", "aide.hors_proposition_motif")),
    "orientation": (("mesure.type", "mesure.contre_proposition"), ("", "mesure.acceptation_motif"), ("", "accueil.antenne_motif"), ("", "evaluation.orientation_motif")),
    "closure": (("cloture.motif_propose", "cloture.motif"),),
}
# The table that orients, and the measures of each road that it proposes (the conditions of `mesures.bpmn`).
ORIENTATION = "D4"
_ROADS = {"social": (*(f"M{number:02}" for number in range(1, 11)), "M24"), "emploi": tuple(f"M{number}" for number in range(11, 18)), "projet": tuple(f"M{number}" for number in range(18, 24))}

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
_DEPARTURES = text("""
    SELECT d.instance_id, d.seq, r.instance_id AS root_id, r.number, r.branch, p.field AS proposed_field, p.value AS proposed, d.field AS decided_field, d.value AS decided,
           d.author_id, d.author_name, d.author_agency, d.recorded_at
      FROM jsonb_to_recordset(CAST(:pairs AS jsonb)) AS w(proposed text, decided text)
      JOIN fact d ON d.field = w.decided AND d.is_current AND d.value IS NOT NULL JOIN instance r ON r.instance_id = d.root_id
      LEFT JOIN LATERAL (SELECT o.field, o.value FROM fact o WHERE o.subject = d.subject AND o.field = w.proposed AND o.fact_id < d.fact_id ORDER BY o.fact_id DESC LIMIT 1) p ON true
     WHERE CASE WHEN w.proposed = '' THEN true ELSE p.value IS DISTINCT FROM d.value AND p.value IS NOT NULL END
     ORDER BY d.recorded_at DESC, d.fact_id DESC LIMIT :limit OFFSET :offset""")
# Cases whose plan has no measure of a road, or not the measure, that the rules which fired propose; how many, whose they are is not told.
_OFF_THE_ROAD = text("""
    WITH asked AS (SELECT * FROM jsonb_to_recordset(CAST(:asked AS jsonb)) AS a(rule text, measures text[])),
         fired AS (SELECT DISTINCT i.root_id, f.rule FROM rule_fired f JOIN instance i USING (instance_id) WHERE f.rule = ANY (ARRAY(SELECT rule FROM asked)))
    SELECT count(DISTINCT o.root_id) FROM fired o JOIN asked a USING (rule)
     WHERE EXISTS (SELECT FROM fact m WHERE m.root_id = o.root_id AND m.field = 'mesure.type' AND m.is_current)
       AND NOT EXISTS (SELECT FROM fact m WHERE m.root_id = o.root_id AND m.field = 'mesure.type' AND m.is_current AND (m.value #>> '{}') = ANY (a.measures))""")
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
class Departure:
    """What was proposed and what a person decided instead; `proposed` is "" where she only said why she departs."""

    case_id: UUID
    case_number: str
    branch: str
    proposed_label: str
    proposed: str
    decided_label: str
    decided: str
    author: str
    agency: str
    at: dt.datetime


@dataclass(frozen=True)
class Departures:
    """`veiled`: cases whose plan is not what the orientation table proposed, which weighs what the reader may not know: counted, not shown; None where all of it may be known."""

    items: tuple[Departure, ...]
    next: str
    veiled: int | None = None


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


def departures(session: Session, actor: Any, kind: str = "", cursor: str = "") -> Departures:
    """Where what was proposed and what a person decided differ, or she said why they do. `kind`: one of `KINDS`, or "" for all."""
    authority.require(actor, "audit.search")
    edition, language = editions.current(session), actor.language
    fields = edition.dictionary.fields
    asked = chain.from_iterable(PROPOSALS[one] for one in (KINDS if kind not in KINDS else (kind,)))
    pairs = [{"proposed": one, "decided": other} for one, other in asked if other in fields]
    offset = int(cursor) if cursor.isdigit() else 0
    rows = session.execute(_DEPARTURES, {"pairs": json.dumps(pairs), "limit": PAGE + 1, "offset": offset}).all()
    names = staff.names(session, language, (row.author_id for row in rows))

    def label(field: str | None) -> str:
        return pick(fields[field].label, language) if field in fields else ""

    def shown(field: str | None, value: Any) -> str:
        return words.display(fields[field], value, language) if field in fields else ""

    items = tuple(Departure(row.root_id, row.number or "", row.branch, label(row.proposed_field), shown(row.proposed_field, row.proposed), label(row.decided_field),
                            shown(row.decided_field, row.decided), names.get(str(row.author_id), row.author_name), row.author_agency, row.recorded_at)
                  for row in rows[:PAGE])  # fmt: skip
    return Departures(items, str(offset + PAGE) if len(rows) > PAGE else "", _off_the_road(session, actor, edition) if kind in ("", "orientation") else None)


def _off_the_road(session: Session, actor: Any, edition: editions.Edition) -> int | None:
    """How many plans are not what the orientation table proposed, where that table is not the reader's to know."""
    definitions = edition.definitions
    if ORIENTATION not in definitions.decisions or not _is_veiled(actor, edition, ORIENTATION):
        return None
    asked = []
    for rule in definitions.decision(ORIENTATION).rules:
        said = [result.text.strip().strip('"') for result in rule.results]
        measures = next(([one] for one in said if one.startswith("M")), next((_ROADS[one] for one in said if one in _ROADS), ()))
        if measures:
            asked.append({"rule": rule.rule_id, "measures": measures})
    return int(session.execute(_OFF_THE_ROAD, {"asked": json.dumps(asked)}).scalar_one())


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
    if decision not in edition.definitions.decisions:
        return True
    fields = edition.dictionary.fields
    for path in edition.definitions.read_by(decision):
        base = path.removesuffix("_statut")
        above, _, name = base.rpartition(".")
        listed = fields[above].items if above in fields else ()
        for one in (base, *(item for item in listed if item.partition(".")[2] == name)):
            if one in fields and not (actor.reads & set(authority.classes_of(fields[one]).split(","))):
                return True
    return False


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
