"""What Masar applies without a public text saying so: everything marked as inferred in the edition in force and in the dated data."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sqlmodel import Session

from engine.actors import authority
from engine.casework import diagrams, editions
from engine.dossier import programmes
from engine.i18n import pick



@dataclass(frozen=True)
class Marked:
    """One thing marked: its code in the files, its name for a reader, where it stands or whose it is."""

    code: str
    name: str
    place: str


def marked(session: Session, actor: Any, language: str) -> Mapping[str, tuple[Marked, ...]]:
    """By kind: `steps` of the diagrams, `rules` (decisions and their lines), `programmes` (with parameters), `fields`. Refuses: Forbidden."""
    authority.require(actor, "edition.read")
    edition = editions.current(session)
    dated = programmes.dated(session)
    amounts = [Marked(row["code"], pick(row["content"].get("label"), language) or row["code"], row["source"]) for row in dated.programmes if row["is_inferred"]]
    amounts += [Marked(row["code"], pick(row["labels"], language) or row["code"], row["source"]) for row in dated.parameters if row["is_inferred"]]
    fields = tuple(Marked(found.id, pick(found.label, language), found.owner) for found in edition.dictionary.fields.values() if found.inferred)
    return {"steps": tuple(_steps(edition, language)), "rules": tuple(_rules(edition, language)), "programmes": tuple(amounts), "fields": fields}


def _steps(edition: editions.Edition, language: str) -> list[Marked]:
    found = []
    for process in edition.definitions.processes:
        sheet = diagrams.sheet_of(edition, process)
        name = pick(sheet.name, language)
        found += [Marked(f"{process}#{node}", pick(sheet.names.get(node, sheet.name), language) or node, name) for node in sorted(sheet.inferred)]
    return found


def _rules(edition: editions.Edition, language: str) -> Iterator[Marked]:
    """A line of a table is told by its sentence where the reader reads French, in which it is written; else by its table."""
    for decision in (edition.definitions.decision(one) for one in sorted(edition.definitions.decisions)):
        name, file = pick(decision.names, language) or decision.decision_id, decision.file.rpartition("/")[2]
        if decision.is_inferred:
            yield Marked(decision.decision_id, name, file)
        yield from (Marked(one.rule_id, one.label if language == "fr" and one.label else name, name) for one in decision.rules if one.is_inferred)
