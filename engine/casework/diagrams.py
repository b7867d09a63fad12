"""The diagrams of a case as a person looks at them: which ones it walks, where it stands on each, what comes next.

It reads drawings; what may happen next is the pathway's to decide when it happens.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from operator import itemgetter
from typing import Any
from uuid import UUID

from lxml import etree
from sqlalchemy import text
from sqlmodel import Session

from engine import errors
from engine.actors import authority
from engine.casework import editions
from engine.casework.views import CaseFile, Stand
from engine.i18n import pick

_BPMN = "{http://www.omg.org/spec/BPMN/20100524/MODEL}"
_MASAR = "{urn:masar:bpmn:1}"
_ACTS = frozenset(f"{_BPMN}{kind}" for kind in ("userTask", "manualTask"))
_FORMER = text("""
    SELECT DISTINCT e.edition_id FROM instance i JOIN ledger_line l USING (instance_id) JOIN edition e ON e.number = (l.line::jsonb -> 'body' ->> 'from')::integer
     WHERE i.root_id = :root AND l.kind = ANY ('{case.moved,case.moved_back}')""")
_FOLLOWED = text("""
    SELECT e.number, e.edition_id FROM instance i JOIN edition e USING (edition_id) WHERE i.root_id = :root
    UNION
    SELECT e.number, e.edition_id FROM instance i JOIN ledger_line l USING (instance_id) JOIN edition e ON e.number = (l.line::jsonb -> 'body' ->> 'from')::integer
     WHERE i.root_id = :root AND l.kind = ANY ('{case.moved,case.moved_back}')""")
_Rank = tuple[bool, bool, bool]
_FARTHEST = 40  # elements looked through for what comes next: a drawing may turn in circles


@dataclass(frozen=True)
class Drawing:
    """One diagram of a case, as `edition_id` draws it: the elements where it stands, those it passed, those where it broke."""

    process: str
    name: str
    here: tuple[str, ...]
    done: tuple[str, ...]
    here_names: tuple[str, ...]
    edition_id: UUID


@dataclass(frozen=True)
class _Sheet:
    """What is read of one process: names by element, flows out of each, which elements are acts of a person, processes called."""

    name: Mapping[str, str]
    names: Mapping[str, Mapping[str, str]]
    flows: Mapping[str, tuple[tuple[str, str], ...]]
    acts: frozenset[str]
    calls: Mapping[str, str]
    starts: tuple[str, ...]
    inferred: frozenset[str]
    listening: frozenset[str]


def edition_of(session: Session, actor: Any, case_id: UUID) -> editions.Edition:
    """The edition a case follows. Refuses: NotFound (absent, or not hers to know)."""
    row = session.execute(text("SELECT edition_id, branch, is_kept, is_shared_operator, assigned, also_read_by, lent_to FROM instance WHERE instance_id = :id"), {"id": case_id}).one_or_none()
    if row is None:
        raise errors.NotFound("case.not_found")
    authority.require(actor, "case.read", branch=row.branch, case=row)
    return editions.load(session, row.edition_id)


def of_case(session: Session, edition: editions.Edition, file: CaseFile, language: str) -> tuple[Drawing, ...]:
    """The diagrams that the case has walked or stands on: first those where a person has something to do, then those it stands on by a call. What runs beside the
    case may follow a later edition, and is drawn as that one has it."""
    found: dict[str, tuple[_Rank, Drawing]] = {}
    for edition_id in dict.fromkeys([edition.edition_id, *(one.edition_id for one in file.stands)]):
        for rank, one in _ranked(editions.load(session, edition_id), [each for each in file.stands if each.edition_id == edition_id], file.process, language):
            if one.process not in found or rank < found[one.process][0]:
                found[one.process] = rank, one
    return tuple(one for _, one in sorted(found.values(), key=itemgetter(0)))


def of_stands(edition: editions.Edition, stands: Iterable[Stand], own: str, language: str) -> tuple[Drawing, ...]:
    """The same of instances that stand somewhere; `own`: the process to be drawn first among equals."""
    return tuple(one for _, one in sorted(_ranked(edition, stands, own, language), key=itemgetter(0)))


def _ranked(edition: editions.Edition, stands: Iterable[Stand], own: str, language: str) -> list[tuple[_Rank, Drawing]]:
    stands = tuple(stands)
    here = {element for stand in stands for element in stand.active}
    done = {element for stand in stands for element in stand.done}
    processes, shared = {stand.process for stand in stands}, _shared(edition)
    found = []
    for process in edition.definitions.processes:
        sheet = sheet_of(edition, process)
        known = set(sheet.names)
        if process not in processes and not known & (here | (done - shared)):
            continue
        standing = tuple(sorted(known & here))
        names = tuple(name for element in standing if (name := pick(sheet.names[element], language)))
        passed = known & done
        flows = {flow for source in passed for flow, target in sheet.flows.get(source, ()) if target in passed | set(standing)}
        rank = not sheet.acts & set(standing), not standing, process != own
        found.append((rank, Drawing(process, pick(sheet.name, language), standing, tuple(sorted(passed - set(standing) | flows)), names, edition.edition_id)))
    return found


def ahead(edition: editions.Edition, file: CaseFile, language: str) -> tuple[str, ...]:
    """The acts of persons that may come next, as drawn: every branch is looked through, since nobody has decided yet."""
    names: dict[str, None] = {}
    for process in edition.definitions.processes:
        sheet = sheet_of(edition, process)
        for stand in file.stands:
            for element in stand.active:
                if element in sheet.acts:
                    names |= dict.fromkeys(_after(edition, sheet, element, language))
    return tuple(names)[:8]


def labels(edition: editions.Edition, language: str) -> dict[str, str]:
    """The name of every process and of every element, in the language."""
    called = {process: pick(one.names, language) for process, one in edition.definitions.processes.items()}
    return called | {element: pick(names, language) for process in edition.definitions.processes for element, names in sheet_of(edition, process).names.items()}


def labels_since(session: Session, root_id: UUID, edition: editions.Edition, language: str) -> dict[str, str]:
    """Every element's name in the language, of the edition a case follows and of those it followed before it was moved: its history names these too."""
    found: dict[str, str] = {}
    for former in session.execute(_FORMER, {"root": root_id}).scalars():
        found |= labels(editions.load(session, former), language)
    return found | labels(edition, language)


def followed(session: Session, root_id: UUID) -> dict[int, UUID]:
    """The editions that a case and its dossiers follow, or followed before they were moved, by number."""
    return {row.number: row.edition_id for row in session.execute(_FOLLOWED, {"root": root_id})}


def with_what_they_call(edition: editions.Edition, spent: Mapping[str, float]) -> dict[str, float]:
    """Something measured by element, and of each call what was measured inside of what it calls, through all the calls in there."""
    found = dict(spent)

    def inside(process: str, around: frozenset[str]) -> float:
        if process in around or process not in edition.definitions.processes:
            return 0
        sheet = sheet_of(edition, process)
        return sum(spent.get(node, 0) for node in sheet.names) + sum(inside(called, around | {process}) for called in sheet.calls.values())

    for process in edition.definitions.processes:
        for call, called in sheet_of(edition, process).calls.items():
            total = inside(called, frozenset({process}))
            if total:
                found[call] = found.get(call, 0) + total
    return found


def listening(edition: editions.Edition) -> frozenset[str]:
    """Elements at which a diagram listens without standing still: events on the edge of an activity, starts of event sub-processes."""
    return frozenset().union(*(sheet_of(edition, process).listening for process in edition.definitions.processes))


def xml(session: Session, actor: Any, case_id: UUID, process: str, edition_id: UUID | None = None) -> bytes:
    """The diagram that a case follows, as it was published; `edition_id`: that of a part of it, or of what runs beside. Refuses: NotFound."""
    edition = edition_of(session, actor, case_id)
    if edition_id and edition_id in followed(session, case_id).values():
        edition = editions.load(session, edition_id)
    if process not in edition.definitions.processes:
        raise errors.NotFound("process.unknown")
    return edition.definitions.diagram(process)


def sheet_of(edition: editions.Edition, process: str) -> _Sheet:
    """What one diagram draws."""
    return _read(edition.definitions.diagram(process), process)


@lru_cache(maxsize=128)
def _read(content: bytes, process: str) -> _Sheet:
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
    tree = etree.fromstring(content, parser)
    root = next(found for found in tree.iter(f"{_BPMN}process") if found.get("id") == process)
    names, flows, calls, inferred = {}, {}, {}, set()
    for element in root.iter():
        if not isinstance(element.tag, str) or not element.tag.startswith(_BPMN) or not element.get("id"):
            continue
        if element.tag == f"{_BPMN}sequenceFlow":
            flows.setdefault(element.get("sourceRef"), []).append((element.get("id"), element.get("targetRef")))
        elif element.tag != f"{_BPMN}lane":
            names[element.get("id")] = _names(element)
            if element.tag == f"{_BPMN}callActivity":
                calls[element.get("id")] = element.get("calledElement", "")
        if element.find(f"{_BPMN}extensionElements/{_MASAR}infere") is not None:
            inferred.add(element.get("id"))
    acts = frozenset(found.get("id") for found in root.iter() if found.tag in _ACTS)
    starts = tuple(found.get("id") for found in root.findall(f"{_BPMN}startEvent"))
    listening = {found.get("id") for found in root.iter(f"{_BPMN}boundaryEvent")}
    listening |= {found.get("id") for part in root.iter(f"{_BPMN}subProcess") if part.get("triggeredByEvent") == "true" for found in part.findall(f"{_BPMN}startEvent")}
    names.pop(process, None)
    return _Sheet(_names(root), names, {source: tuple(found) for source, found in flows.items()}, acts, calls, starts, frozenset(inferred), frozenset(listening))


def _names(element: Any) -> dict[str, str]:
    said = {found.get("lang"): (found.text or "").strip() for found in element.iterfind(f"{_BPMN}extensionElements/{_MASAR}libelle")}
    return {"fr": " ".join((element.get("name") or "").split()), **said}


def _after(edition: editions.Edition, sheet: _Sheet, element: str, language: str) -> Iterable[str]:
    """Names of the first acts met along the flows, through gateways, events, tables and called processes."""
    left = [(sheet, target) for _, target in sheet.flows.get(element, ())]
    seen = set()
    while left and len(seen) < _FARTHEST:
        on, place = left.pop(0)
        if (id(on), place) in seen:
            continue
        seen.add((id(on), place))
        if place in on.acts:
            yield pick(on.names[place], language)
        elif on.calls.get(place) in edition.definitions.processes:
            called = sheet_of(edition, on.calls[place])
            left += [(called, start) for start in called.starts]
        else:
            left += [(on, target) for _, target in on.flows.get(place, ())]


def _shared(edition: editions.Edition) -> frozenset[str]:
    """Ids that several diagrams use: having passed one says nothing of the others."""
    seen: set[str] = set()
    twice: set[str] = set()
    for process in edition.definitions.processes:
        known = set(sheet_of(edition, process).names)
        twice |= known & seen
        seen |= known
    return frozenset(twice)
