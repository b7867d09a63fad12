"""Departures: where a person decided otherwise than what was proposed to her, by a colleague (an amount, a reason to close) or by a table (an orientation, a decision on a project).

What an auditor may know of it (decisions.md 19): who decided what and when, in which case, the reason she gave, and the proposal, unless it comes of a rule that weighs what is not
the auditor's to know: whoever such a rule fired for would be told. Those are counted only.
"""

import datetime as dt
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlmodel import Session

from engine.actors import authority
from engine.casework import editions, staff
from engine.dossier import facts, programmes
from engine.i18n import pick
from engine.insight import audit
from engine.insight.wording import Wording, parameters
from engine.pathway.decisions import Decision, Rule
from forms import text as words

KINDS = ("aid", "orientation", "closure")


@dataclass(frozen=True)
class _Asked:
    """A proposal that is an answer itself. `decided`: what is decided of it, the first that was answered; of one that is of another kind than the proposal, `departs` are its answers
    that depart. `reasons`: where she may say why she does; saying so is departing. `grounds`: where else she says why. `said`: what is proposed by being asked at all."""

    kind: str
    proposed: str
    decided: tuple[str, ...]
    reasons: tuple[str, ...] = ()
    departs: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    grounds: tuple[str, ...] = ()
    said: Any = None


@dataclass(frozen=True)
class _Table:
    """A table that proposes by its `column`, what is decided of it, and where she may say why."""

    kind: str
    table: str
    column: str
    decided: str
    reasons: tuple[str, ...]


_ASKED = (
    _Asked("aid", "aide.montant_propose", ("aide.montant_accorde", "aide.decision"), ("aide.hors_proposition_motif",), {"aide.decision": ("refuse", "ajourne")}, ("aide.motif_decision",)),
    _Asked("orientation", "mesure.type", ("mesure.contre_proposition", "mesure.acceptation"), ("mesure.acceptation_motif",), {"mesure.acceptation": ("refusee",)}),
    _Asked("orientation", "", ("enquete.a_faire",), ("enquete.a_faire_motif",), {"enquete.a_faire": (False,)}, said=True),
    _Asked("orientation", "", ("accueil.antenne_choisie",), ("accueil.antenne_motif",)),
    _Asked("orientation", "", ("evaluation.orientation_manuelle",), ("evaluation.orientation_motif",)),
    _Asked("closure", "cloture.motif_propose", ("cloture.motif",)),
    _Asked("closure", "cloture.motif_propose", ("cloture.validation",), ("cloture.validation_motif",), {"cloture.validation": ("refusee",)}),
)
_ON_PROJECTS = _Table("aid", "D7", "decision", "aide.decision", ("aide.hors_proposition_motif", "aide.motif_decision"))
# The table that orients, and the measures of each road that it proposes (the conditions of `mesures.bpmn`).
_ORIENTATION = "D4"
_ROADS = {"social": (*(f"M{number:02}" for number in range(1, 11)), "M24"), "emploi": tuple(f"M{number}" for number in range(11, 18)), "projet": tuple(f"M{number}" for number in range(18, 24))}

_WHY = "(SELECT o.value FROM fact o WHERE o.subject = d.subject AND o.field = ANY ({}) AND o.is_current AND o.value IS NOT NULL ORDER BY array_position({}, o.field) LIMIT 1)"
_DID = "d.instance_id, d.seq, d.root_id, d.author_id, d.author_name, d.author_agency, d.recorded_at, d.fact_id"
# Answers that say otherwise than the answer that proposed; tables whose last rule before the answer says otherwise; plans without what the rules of their case propose.
_FOUND = f"""
    WITH asked AS (SELECT * FROM jsonb_to_recordset(CAST(:asked AS jsonb)) AS w(proposed text, decided text[], reasons text[], departs jsonb, grounds text[], said jsonb)),
         rules AS (SELECT * FROM jsonb_to_recordset(CAST(:rules AS jsonb)) AS w(decision text, rule text, value jsonb, decided text, reasons text[], veiled boolean)),
         roads AS (SELECT * FROM jsonb_to_recordset(CAST(:roads AS jsonb)) AS w(rule text, measures text[], veiled boolean)),
         answers AS (
             SELECT {_DID}, w.proposed AS proposed_field, coalesce(p.value, w.said) AS proposed, NULL::text AS decision, NULL::text[] AS rules, d.field AS decided_field, d.value AS decided, coalesce(r.value, {_WHY.format("w.grounds", "w.grounds")}) AS reason, false AS veiled
               FROM asked w
               JOIN LATERAL (SELECT DISTINCT ON (o.subject) o.* FROM fact o WHERE o.field = ANY (w.decided) AND o.is_current AND o.value IS NOT NULL ORDER BY o.subject, array_position(w.decided, o.field)) d ON true
               LEFT JOIN LATERAL (SELECT o.value FROM {facts.EVERY} o WHERE o.subject = d.subject AND o.field = w.proposed AND o.fact_id < d.fact_id ORDER BY o.fact_id DESC LIMIT 1) p ON true
               LEFT JOIN LATERAL (SELECT {_WHY.format("w.reasons", "w.reasons")} AS value) r ON true
              WHERE CASE WHEN w.departs ? d.field THEN w.departs -> d.field @> d.value ELSE r.value IS NOT NULL OR (p.value IS NOT NULL AND p.value <> d.value) END),
         told AS (
             SELECT {_DID}, NULL AS proposed_field, w.value AS proposed, w.decision, ARRAY[w.rule] AS rules, d.field AS decided_field, d.value AS decided, {_WHY.format("w.reasons", "w.reasons")} AS reason, w.veiled
               FROM rules w JOIN rule_fired f USING (decision, rule) JOIN instance i ON i.instance_id = f.instance_id
               JOIN fact d ON d.subject = i.subject AND d.field = w.decided AND d.is_current AND d.value IS NOT NULL AND d.value <> w.value AND d.recorded_at >= CAST(f.at AS timestamptz)
              WHERE NOT EXISTS (SELECT FROM rule_fired g WHERE g.instance_id = f.instance_id AND g.decision = f.decision AND g.seq > f.seq AND CAST(g.at AS timestamptz) <= d.recorded_at)),
         fired AS (SELECT i.root_id, f.rule, w.measures, w.veiled, rank() OVER (PARTITION BY i.root_id ORDER BY f.at DESC, f.seq DESC) AS age
                     FROM rule_fired f JOIN instance i USING (instance_id) LEFT JOIN roads w ON w.rule = f.rule WHERE f.decision = :orientation),
         plans AS (SELECT m.root_id, jsonb_agg(m.value ORDER BY m.fact_id) AS measures, array_agg(m.value #>> '{{}}') AS types, max(m.fact_id) AS last FROM fact m WHERE m.field = 'mesure.type' AND m.is_current GROUP BY 1),
         oriented AS (
             SELECT {_DID}, NULL AS proposed_field, NULL::jsonb AS proposed, :orientation AS decision, array_agg(o.rule ORDER BY o.rule) AS rules, 'mesure.type' AS decided_field, n.measures AS decided, NULL::jsonb AS reason, o.veiled
               FROM fired o JOIN plans n USING (root_id) JOIN fact d ON d.fact_id = n.last WHERE o.age = 1 AND NOT o.measures && n.types
              GROUP BY {_DID}, n.measures, o.veiled),
         found AS (SELECT * FROM answers UNION ALL SELECT * FROM told UNION ALL SELECT * FROM oriented)"""
_LISTED = text(f"""{_FOUND}
    SELECT d.*, r.number, r.branch, i.root_id AS told_in FROM found d JOIN instance r ON r.instance_id = d.root_id JOIN instance i ON i.instance_id = d.instance_id WHERE NOT d.veiled ORDER BY d.recorded_at DESC, d.fact_id DESC, d.decided_field, d.proposed_field LIMIT :limit OFFSET :offset""")
_VEILED = text(f"{_FOUND} SELECT count(DISTINCT root_id) FROM found WHERE veiled")


@dataclass(frozen=True)
class Departure:
    """What was proposed ("" where that is written nowhere) and what a person decided instead: who, when, and why, "" where she did not say. `told_in`: the case, or the sitting, of
    whose history line `seq` of `instance_id` is."""

    case_id: UUID
    case_number: str
    branch: str
    told_in: UUID
    instance_id: UUID
    seq: int
    proposed_label: str
    proposed: str
    decided_label: str
    decided: str
    reason: str
    author: str
    agency: str
    at: dt.datetime


@dataclass(frozen=True)
class Departures:
    """`veiled`: cases in which what departs was proposed by a rule that weighs what the reader may not know: counted, not shown."""

    items: tuple[Departure, ...]
    next: str
    veiled: int


def listed(session: Session, actor: Any, kind: str = "", cursor: str = "") -> Departures:
    """Departures, the newest first. `kind`: one of `KINDS`, or "" for all. Refuses: Forbidden."""
    authority.require(actor, "audit.search")
    edition = editions.current(session)
    wording = Wording(edition, actor.language, parameters(programmes.dated(session)))
    asked = _question(actor, edition, (kind,) if kind in KINDS else KINDS)
    offset = int(cursor) if cursor.isdigit() else 0
    rows = session.execute(_LISTED, asked | {"limit": audit.PAGE + 1, "offset": offset}).all()
    names = staff.names(session, actor.language, (row.author_id for row in rows))
    items = tuple(Departure(row.root_id, row.number or "", row.branch, row.told_in, row.instance_id, row.seq, *_proposed(wording, row), wording.label(row.decided_field), _shown(wording, row.decided_field, row.decided),
                            row.reason or "", names.get(str(row.author_id), row.author_name), row.author_agency, row.recorded_at) for row in rows[: audit.PAGE])  # fmt: skip
    return Departures(items, str(offset + audit.PAGE) if len(rows) > audit.PAGE else "", int(session.execute(_VEILED, asked).scalar_one()))


def _question(actor: Any, edition: editions.Edition, kinds: Sequence[str]) -> dict[str, str]:
    """What the query looks for, of what the edition in force has."""
    fields, definitions = edition.dictionary.fields, edition.definitions
    asked = [asdict(one) for one in _ASKED if one.kind in kinds and all(name in fields for name in one.decided)]
    rules, roads = [], []
    if _ON_PROJECTS.kind in kinds and _ON_PROJECTS.table in definitions.decisions:
        table = definitions.decision(_ON_PROJECTS.table)
        told = {"decision": table.decision_id, "decided": _ON_PROJECTS.decided, "reasons": _ON_PROJECTS.reasons}
        rules = [told | {"rule": rule.rule_id, "value": said[_ON_PROJECTS.column], "veiled": _is_veiled(actor, edition, table, rule)} for rule, said in _said(table) if _ON_PROJECTS.column in said]
    if "orientation" in kinds and _ORIENTATION in definitions.decisions:
        table = definitions.decision(_ORIENTATION)
        roads = [{"rule": rule.rule_id, "measures": measures, "veiled": _is_veiled(actor, edition, table, rule)} for rule, said in _said(table) if (measures := _measures(said))]
    return {"asked": json.dumps(asked), "rules": json.dumps(rules), "roads": json.dumps(roads), "orientation": _ORIENTATION}


def _said(table: Decision) -> Iterator[tuple[Rule, Mapping[str, str]]]:
    """What each rule of a table says outright, by column."""
    for rule in table.rules:
        yield rule, {one.name: said for one, result in zip(table.outputs, rule.results, strict=True) if not result.paths and isinstance(said := result.evaluate({}), str) and said}


def _measures(said: Mapping[str, str]) -> tuple[str, ...]:
    """The measures of which a plan is to have one: the one that a rule names, else any of its road."""
    return (said["mesure"],) if said.get("mesure") else _ROADS.get(said.get("branche", ""), ())


def _is_veiled(actor: Any, edition: editions.Edition, table: Decision, rule: Rule) -> bool:
    """Whether that a rule fired tells of what the actor may not know: its own cells and results, and of a table that stops at the first, those passed over."""
    passed = table.rules[: table.rules.index(rule) + 1] if table.policy == "FIRST" else (rule,)
    parts = [part for one in passed for place, test in one.asked for part in (table.inputs[place], test)] + list(rule.results)
    for path in {path for part in parts for path in part.paths}:
        required = edition.definitions.read_by(path.partition(".")[0])
        if not all(audit.may_know(actor, edition, one) for one in required or (path,)):
            return True
    return False


def _proposed(wording: Wording, row: Any) -> tuple[str, str]:
    """What proposed, and what."""
    if row.decision is None:
        name = row.proposed_field or (row.decided_field if row.proposed is not None else "")
        return (wording.label(name), _shown(wording, name, row.proposed)) if name else ("", "")
    table = wording.edition.definitions.decision(row.decision)
    if row.proposed is not None:
        return wording.decision(table), _shown(wording, row.decided_field, row.proposed)
    said = {rule.rule_id: told for rule, told in _said(table)}
    return wording.decision(table), wording.listed([wording.choice(wording.field(row.decided_field) if "mesure" in told else None, told.get("mesure") or told["branche"]) for told in (said[one] for one in row.rules)])


def _shown(wording: Wording, name: str, value: Any) -> str:
    """A stored value in words; of a list of them, each once."""
    spec = wording.fields[name]
    if isinstance(value, list) and spec.type != "multi":
        return wording.listed([words.display(spec, one, wording.language) for one in dict.fromkeys(value)])
    return words.display(spec, value, wording.language)
