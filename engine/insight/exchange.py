"""What happened, for tools of process mining: XES (IEEE 1849-2016) and OCEL 2.0, written as they are read, whatever their length.

Of the cases in the actor's reach, those whose person agreed that her data serve statistics (C5) and nobody took back since. No name: cases and colleagues are
pseudonyms under a key of the installation's own, the same in every export; no fact but what was paid, for who reads finance. Sittings are of several persons
and are left out.
"""

import datetime as dt
import hashlib
import hmac
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID
from xml.sax.saxutils import quoteattr

from sqlalchemy import text
from sqlmodel import Session

from engine.actors import authority
from engine.casework import editions
from engine.database import Database
from engine.dossier import facts
from engine.ledger import consultations
from engine.ledger.keys import KeyStore

STATISTICS = "consentement.c5"
_PSEUDONYMS = UUID(int=0x0C5)  # the owner of the key in the key store
_AT_ONCE = 40
_CASES = text("""SELECT i.instance_id FROM instance i WHERE i.root_id = i.instance_id AND i.person_id IS NOT NULL
     AND EXISTS (SELECT FROM fact f WHERE f.root_id = i.instance_id AND f.field = :consent AND f.is_current AND f.value = 'true') ORDER BY i.opened_at, i.instance_id""")
_INSTANCES = text("""SELECT instance_id, root_id, process, branch, edition_id, opened_at, ended_at, outcome, stage, status FROM instance
                      WHERE root_id = ANY (:roots) ORDER BY opened_at, instance_id""")
_LINES = text("""SELECT l.instance_id, i.root_id, l.seq, l.line FROM ledger_line l JOIN instance i USING (instance_id) WHERE i.root_id = ANY (:roots) ORDER BY l.instance_id, l.seq""")
_PAID = text(f"""SELECT instance_id, subject, field, value, seq FROM {facts.EVERY} f WHERE root_id = ANY (:roots) AND field IN ('aide.versement_montant', 'aide.paye_le') ORDER BY fact_id""")
_EDITIONS = text("SELECT number, edition_id FROM edition")
_EXTENSIONS = {"Concept": "concept", "Time": "time", "Lifecycle": "lifecycle", "Organizational": "org", "Cost": "cost"}
# What a line says of the task it names, in the standard transactional lifecycle of XES.
_TRANSITIONS = {"task.claimed": "assign", "task.passed": "reassign", "task.released": "withdraw", "operation.skipped": "manualskip"}
_ILLEGAL = dict.fromkeys([*range(9), 11, 12, *range(14, 32), 0xFFFE, 0xFFFF])  # what XML 1.0 cannot hold


@dataclass(frozen=True)
class Event:
    """One event. `instance`: pseudonym of the task's round, the same for all its transitions; `paid`: dinars."""

    activity: str
    node: str
    transition: str
    at: str
    part: str
    process: str
    instance: str
    resource: str
    group: str
    edition: int | None
    paid: float | None = None


@dataclass(frozen=True)
class Trace:
    """One case with its parts (pseudonym, process, outcome, opened, ended) and its events in order of time."""

    case: str
    branch: str
    status: str
    stage: str
    parts: Sequence[tuple[str, str, str, str, str]]
    events: Sequence[Event]


@dataclass
class _Reading:
    """What is at hand while one log is written."""

    session: Session
    language: str
    key: bytes
    numbers: Mapping[int, UUID] = field(default_factory=dict)

    def pseudonym(self, kind: str, found: Any) -> str:
        return f"{kind}-{hmac.digest(self.key, f'{kind} {found}'.encode(), hashlib.sha256).hex()[:16]}"


def xes(database: Database, actor: Any) -> Iterator[bytes]:
    """The log as XES. Refuses, before anything is written: Forbidden. Records: `access.exported`."""
    return _written(database, actor, "xes", _as_xes)


def ocel(database: Database, actor: Any) -> Iterator[bytes]:
    """The log as OCEL 2.0 (JSON): cases, their parts and colleagues are objects. Refuses, before anything is written: Forbidden. Records: `access.exported`."""
    return _written(database, actor, "ocel", _as_ocel)


def _written(database: Database, actor: Any, kind: str, write: Any) -> Iterator[bytes]:
    """The export is told of before its first byte leaves."""
    with database.reading(actor) as session:
        authority.require(actor, "history.export", branch=actor.branch)
        number = len(session.execute(_CASES, {"consent": STATISTICS}).all())
        consultations.exported(session, consultations.NOBODYS, f"export.{kind}", {"cases": number})

    def go() -> Iterator[bytes]:
        with database.reading(actor) as session:
            keys: KeyStore = session.info["keys"]
            numbers = {row.number: row.edition_id for row in session.execute(_EDITIONS)}
            yield from (part.encode() for part in write(_Reading(session, actor.language, keys.key(_PSEUDONYMS), numbers)))

    return go()


def traces(reading: _Reading) -> Iterator[Trace]:
    """The cases, a few at once."""
    chosen = reading.session.execute(_CASES, {"consent": STATISTICS}).scalars().all()
    for first in range(0, len(chosen), _AT_ONCE):
        some = list(chosen[first : first + _AT_ONCE])
        given = {"roots": some}
        instances: dict[UUID, list[Any]] = {}
        for row in reading.session.execute(_INSTANCES, given):
            instances.setdefault(row.root_id, []).append(row)
        paid = _paid(reading.session.execute(_PAID, given).all())
        lines: dict[UUID, list[Any]] = {}
        for row in reading.session.execute(_LINES, given):
            lines.setdefault(row.instance_id, []).append(row)
        for root_id in some:
            yield _trace(reading, root_id, instances[root_id], lines, paid)


def _paid(rows: Sequence[Any]) -> dict[tuple[UUID, int], float]:
    """Dinars paid, by the line that says it was paid; nothing for who does not read finance."""
    amounts: dict[str, int] = {}
    found: dict[tuple[UUID, int], float] = {}
    for row in rows:
        if row.field == "aide.versement_montant" and row.value is not None:
            amounts[row.subject] = row.value if isinstance(row.value, int) else row.value.get("amount", 0)
        elif row.field == "aide.paye_le" and row.subject in amounts:
            found[(row.instance_id, row.seq)] = amounts[row.subject] / 1000
    return found


def _trace(reading: _Reading, root_id: UUID, rows: Sequence[Any], lines: Mapping[UUID, Sequence[Any]], paid: Mapping[tuple[UUID, int], float]) -> Trace:
    root = next(row for row in rows if row.instance_id == root_id)
    found = [one for row in rows for one in _events(reading, row, lines.get(row.instance_id, ()), paid)]
    parts = tuple((reading.pseudonym("part", row.instance_id), row.process, row.outcome, _instant(row.opened_at), _instant(row.ended_at)) for row in rows)
    return Trace(reading.pseudonym("case", root_id), root.branch, root.status, root.stage, parts, sorted(found, key=lambda one: one.at))


def _events(reading: _Reading, row: Any, lines: Sequence[Any], paid: Mapping[tuple[UUID, int], float]) -> Iterator[Event]:
    """What each line says: what it is about, the tasks it opened, those it cancelled."""
    nodes: dict[str, str] = {}
    part = reading.pseudonym("part", row.instance_id)
    for one in lines:
        line = json.loads(one.line)
        body, who, kind = line["body"], line["actor"], line["kind"]
        edition = editions.load(reading.session, reading.numbers.get(line["edition"], row.edition_id))
        resource = reading.pseudonym("agent", who["id"]) if who.get("id") else "masar"
        at = dt.datetime.fromisoformat(line["occurred_at"]).astimezone(dt.UTC).isoformat(timespec="milliseconds")

        def event(node: str, transition: str, position: str, doer: str, amount: float | None = None, named: str = "") -> Event:
            label = edition.definitions.label(node, reading.language) if node else ""  # noqa: B023 (used at once)
            group = " ".join(filter(None, (who["agency"], who["branch"]))) if doer != "masar" else "masar"  # noqa: B023
            return Event(label or named or node, node or named, transition, at, part, row.process, f"{part}.{position}", doer, group, line["edition"], amount)  # noqa: B023

        node = str(body.get("node", ""))
        yield event(node, _TRANSITIONS.get(kind, "complete"), str(body.get("task", one.seq)), resource, paid.get((row.instance_id, one.seq)), body.get("message") or kind)
        for position, opened in body.get("opened", ()):
            nodes[position] = opened
            yield event(opened, "schedule", position, "masar")
        for position, outcome in body.get("closed", ()):
            if outcome != "completed" and position in nodes:
                yield event(nodes[position], "ate_abort", position, "masar")


def _as_xes(reading: _Reading) -> Iterator[str]:
    yield '<?xml version="1.0" encoding="UTF-8"?>\n<log xes.version="1849-2016" xes.features="" xmlns="http://www.xes-standard.org/">\n'
    for name, prefix in _EXTENSIONS.items():
        yield f'\t<extension name="{name}" prefix="{prefix}" uri="http://www.xes-standard.org/{prefix}.xesext"/>\n'
    yield f'\t<global scope="trace">\n{_xml("concept:name", "unknown", 2)}\t</global>\n\t<global scope="event">\n'
    yield f"{_xml('concept:name', 'unknown', 2)}{_xml('lifecycle:transition', 'unknown', 2)}{_xml('time:timestamp', '1970-01-01T00:00:00.000+00:00', 2, 'date')}\t</global>\n"
    yield '\t<classifier name="Activity" keys="concept:name"/>\n\t<classifier name="Activity and transition" keys="concept:name lifecycle:transition"/>\n'
    yield f"{_xml('concept:name', 'Masar', 1)}{_xml('lifecycle:model', 'standard', 1)}"
    for trace in traces(reading):
        yield "\t<trace>\n" + "".join(_xml(name, value, 2, kind) for name, value, kind in _of_trace(trace))
        for event in trace.events:
            yield "\t\t<event>\n" + "".join(_xml(name, value, 3, kind) for name, value, kind in _of_event(event)) + "\t\t</event>\n"
        yield "\t</trace>\n"
    yield "</log>\n"


def _of_trace(trace: Trace) -> Iterator[tuple[str, str, str]]:
    yield from (("concept:name", trace.case, "string"), ("branch", trace.branch, "string"), ("status", trace.status, "string"), ("stage", trace.stage, "string"))
    total = sum(one.paid for one in trace.events if one.paid is not None)
    if total:
        yield from (("cost:total", f"{total:.3f}", "float"), ("cost:currency", "TND", "string"))


def _of_event(event: Event) -> Iterator[tuple[str, str, str]]:
    yield from (("concept:name", event.activity, "string"), ("concept:instance", event.instance, "string"), ("lifecycle:transition", event.transition, "string"),
                ("time:timestamp", event.at, "date"), ("org:resource", event.resource, "string"), ("org:group", event.group, "string"),
                ("node", event.node, "string"), ("process", event.process, "string"), ("part", event.part, "string"))  # fmt: skip
    if event.edition is not None:
        yield "edition", str(event.edition), "int"
    if event.paid is not None:
        yield from (("cost:total", f"{event.paid:.3f}", "float"), ("cost:currency", "TND", "string"))


def _xml(name: str, value: str, depth: int, kind: str = "string") -> str:
    return f"{chr(9) * depth}<{kind} key={quoteattr(name)} value={quoteattr(value.translate(_ILLEGAL))}/>\n"


_OBJECT_TYPES = {
    "case": {"branch": "string", "status": "string", "stage": "string"},
    "part": {"process": "string", "outcome": "string"},
    "agent": {"group": "string"},
}
_EVENT_ATTRIBUTES = {"transition": "string", "node": "string", "process": "string", "paid_tnd": "float"}


def _as_ocel(reading: _Reading) -> Iterator[str]:
    """Events first; the objects and the types met on the way are small and come after them."""
    objects: dict[str, dict[str, Any]] = {}
    types: set[str] = set()
    number = 0
    yield '{"events":['
    for trace in traces(reading):
        opened = trace.parts[0][3]
        objects[trace.case] = _object(trace.case, "case", opened, {"branch": trace.branch, "status": trace.status, "stage": trace.stage}, [(one[0], "part") for one in trace.parts])
        for part, process, outcome, since, _ in trace.parts:
            objects[part] = _object(part, "part", since, {"process": process, "outcome": outcome}, ())
        for event in trace.events:
            types.add(event.activity)
            about = [(trace.case, "case"), (event.part, "part")]
            if event.resource != "masar":
                objects.setdefault(event.resource, _object(event.resource, "agent", event.at, {"group": event.group}, ()))
                about.append((event.resource, "done by"))
            told = {"transition": event.transition, "node": event.node, "process": event.process} | ({"paid_tnd": event.paid} if event.paid is not None else {})
            number += 1
            yield ("," if number > 1 else "") + _json({
                "id": f"e{number}", "type": event.activity, "time": event.at, "attributes": [{"name": name, "value": value} for name, value in told.items()],
                "relationships": [{"objectId": found, "qualifier": qualifier} for found, qualifier in about],
            })  # fmt: skip
    yield f'],"objects":{_json(list(objects.values()))}'
    yield f',"eventTypes":{_json([{"name": name, "attributes": _typed(_EVENT_ATTRIBUTES)} for name in sorted(types)])}'
    yield f',"objectTypes":{_json([{"name": name, "attributes": _typed(found)} for name, found in _OBJECT_TYPES.items()])}}}\n'


def _object(name: str, kind: str, since: str, told: Mapping[str, str], parts: Sequence[tuple[str, str]]) -> dict[str, Any]:
    return {"id": name, "type": kind, "attributes": [{"name": key, "value": value, "time": since} for key, value in told.items()],
            "relationships": [{"objectId": found, "qualifier": qualifier} for found, qualifier in parts]}  # fmt: skip


def _typed(attributes: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"name": name, "type": kind} for name, kind in attributes.items()]


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _instant(at: dt.datetime | None) -> str:
    return at.astimezone(dt.UTC).isoformat(timespec="milliseconds") if at else ""
