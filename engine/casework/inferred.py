"""What Masar applies without a public text saying so: everything marked as inferred in the edition in force and in the dated data."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import text
from sqlmodel import Session

from engine.actors import authority
from engine.casework import diagrams, editions
from engine.dossier import programmes
from engine.i18n import pick

_VERSION = text("SELECT dated_version FROM installation")


@dataclass(frozen=True)
class Marked:
    """One thing marked: its code in the files, its name for a reader, where it stands or whose it is."""

    code: str
    name: str
    place: str


def marked(session: Session, actor: Any, language: str) -> Mapping[str, tuple[Marked, ...]]:
    """By kind: `steps` of the diagrams, `programmes` (with parameters), `forms`, `fields`. Refuses: Forbidden."""
    authority.require(actor, "edition.read")
    edition = editions.current(session)
    dated = programmes.tables(session, session.execute(_VERSION).scalar_one())
    amounts = [Marked(row["code"], pick(row["content"].get("label"), language) or row["code"], row["source"]) for row in dated.programmes if row["is_inferred"]]
    amounts += [Marked(row["code"], pick(row["labels"], language) or row["code"], row["source"]) for row in dated.parameters if row["is_inferred"]]
    fields = tuple(Marked(found.id, pick(found.label, language), found.owner) for found in edition.dictionary.fields.values() if found.inferred)
    return {"steps": tuple(_steps(edition, language)), "programmes": tuple(amounts), "fields": fields}


def _steps(edition: editions.Edition, language: str) -> list[Marked]:
    found = []
    for process in edition.definitions.processes:
        sheet = diagrams.sheet_of(edition, process)
        name = pick(sheet.name, language)
        found += [Marked(f"{process}#{node}", pick(sheet.names.get(node, sheet.name), language) or node, name) for node in sorted(sheet.inferred)]
    return found
