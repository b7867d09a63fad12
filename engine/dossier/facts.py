"""What is known: facts of subjects, each with value, source, author, time and validity.

Answers for recording and reading them. Not for who may see them (`actors.authority`, and the database's own policies), nor for the
words (`forms`). A fact is never changed: a newer one takes its place and the older stays in history.
"""

import datetime as dt
import json
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import text
from sqlmodel import Session

from engine.database import ask
from engine.ledger import consultations

# The prefix of a subject's key, by the kind that the dictionary gives to a group of fields.
PREFIX = {"person": "person", "return": "retour", "case": "case", "measure": "mesure", "aid": "aide", "visit": "visite", "sitting": "seance", "exception": "imprevu", "member": "membre"}


@dataclass(frozen=True)
class Subjects:
    """Whom facts can be about, seen from one task or instance. `scope`: prefix → id (`{"mesure": …}`)."""

    root_id: UUID
    person_id: UUID | None
    scope: Mapping[str, Any] = field(default_factory=dict)

    def key(self, kind: str) -> str | None:
        """The key of the subject of that kind, or None when there is none from here."""
        match kind:
            case "person":
                return f"person:{self.person_id}" if self.person_id else None
            case "return" | "case":
                return f"{PREFIX[kind]}:{self.root_id}"
            case "aid":  # an aid is asked by a measure, once: they share their id
                found = self.scope.get("aide") or self.scope.get("mesure")
                return f"aide:{found}" if found else None
            case _:
                found = self.scope.get(PREFIX[kind])
                return f"{PREFIX[kind]}:{found}" if found else None

    def narrowed(self, keys: Iterable[str]) -> "Subjects":
        """The same seen from inside a multi-instance whose subjects are `keys` (`mesure:<id>`)."""
        inner: dict[str, Any] = {prefix: found for prefix, _, found in (key.partition(":") for key in keys) if found}
        return Subjects(self.root_id, self.person_id, {**self.scope, **inner}) if inner else self

    def keys(self) -> list[str]:
        """The keys that scope adds to those of the case; a sitting's scope lists the aids it is about (`{"aide": [id, …]}`)."""
        return [f"{prefix}:{one}" for prefix, found in self.scope.items() for one in (found if isinstance(found, list) else [found])]


class Fact(msgspec.Struct, frozen=True, array_like=True):
    """A current fact as stored: `value` is JSON as `forms.field_types` writes it; None with a status other than `known`."""

    subject: str
    field: str
    value: Any
    status: str
    field_class: str
    author_agency: str
    source: Mapping[str, Any]
    author_name: str
    author_id: UUID | None
    recorded_at: dt.datetime
    valid_until: dt.datetime | None
    fact_id: int


@dataclass(frozen=True)
class NewFact:
    """A fact to record. `source`: {"kind": …, "label": …}: `person`, an answer to a form that an agent filled; `agency`, what an agent wrote besides; `holder`, what
    the person wrote herself by her receipt; `online`, by whoever asked online; `signal`, `case` (another), `system`. Kinds are in the ledger: one is never renamed."""

    subject: str
    field: str
    value: Any
    field_class: str
    status: str = "known"
    source: Mapping[str, Any] = field(default_factory=lambda: {"kind": "person"})
    valid_until: dt.datetime | None = None
    reason: str = ""


_COLUMNS = "subject, field, value, status, class, author_agency, source, author_name, author_id, recorded_at, valid_until, fact_id"
_SNAPSHOT = "SELECT masar_snapshot(%(root)s, %(person)s, %(subjects)s, %(fields)s)"
_FACTS = msgspec.json.Decoder(list[Fact])  # one value for all rows: twelve columns of sixty are a millisecond
_READABLE = text(f"""
    SELECT {_COLUMNS} FROM fact
     WHERE is_current AND (CAST(:fields AS text[]) IS NULL OR field = ANY (:fields))
       AND (subject NOT LIKE 'person:%' OR subject = 'person:' || CAST(CAST(:person AS uuid) AS text))
       AND (root_id = :root OR subject = ANY (:subjects) OR (person_id = :person AND (subject LIKE 'person:%' OR subject LIKE 'membre:%')))
     ORDER BY fact_id""")
_RECORD = text("SELECT masar_record(:instance, CAST(:now AS timestamptz), CAST(:author AS uuid), :author_name, :author_agency, CAST(:facts AS jsonb))")
# All that was ever said: those facts that hold and those that do no more, in two, as they are indexed. A statement over `fact` that names neither of both meets no index, and reads the land's.
EVERY = "(SELECT * FROM fact WHERE is_current UNION ALL SELECT * FROM fact WHERE NOT is_current)"
_HISTORY = text(f"""SELECT {_COLUMNS}, is_current, reason FROM {EVERY} f WHERE (root_id = :root OR (person_id = :person AND subject LIKE 'person:%')) AND field = :field AND subject = :subject
                     ORDER BY fact_id DESC""")


def snapshot(session: Session, subjects: Subjects, fields: Collection[str]) -> list[Fact]:
    """Every current fact of these fields that the engine may read for this case, whoever is at the screen. Never shown as it is."""
    return _FACTS.decode(ask(session, _SNAPSHOT, {"root": subjects.root_id, "person": subjects.person_id, "subjects": subjects.keys(), "fields": " ".join(fields)}))


def readable(session: Session, subjects: Subjects, fields: Sequence[str] | None = None) -> list[Fact]:
    """The current facts that the signed-in person may see (the database's policies decide); None: of any field."""
    parameters = {"root": subjects.root_id, "person": subjects.person_id, "subjects": subjects.keys(), "fields": list(fields) if fields is not None else None}
    found = [Fact(*row) for row in session.execute(_READABLE, parameters)]
    consultations.note(session, subjects.root_id, "case", (fact.field_class for fact in found))
    return found


def versions(session: Session, subjects: Subjects, subject: str, field_id: str) -> list[Mapping[str, Any]]:
    """All that was ever said of one field, the newest first, as far as the reader may see it."""
    rows = session.execute(_HISTORY, {"root": subjects.root_id, "person": subjects.person_id, "field": field_id, "subject": subject})
    found = [dict(row) for row in rows.mappings()]
    consultations.note(session, subjects.root_id, "case", (one["class"] for one in found))
    return found


def record(session: Session, actor: Any, subjects: Subjects, instance_id: UUID, at: dt.datetime, seq: int, new: Sequence[NewFact]) -> None:
    """Writes facts in one statement; each takes the place of the current one of its subject and field.

    The ledger line `seq` of the instance tells of them already (the database's guard looks for it).
    """
    if not new:
        return
    rows = [row(fact, subjects, seq) for fact in new]
    session.execute(
        _RECORD,
        {"instance": instance_id, "author": actor.user_id, "author_name": actor.name, "author_agency": actor.agency, "now": at,
         "facts": json.dumps(rows, ensure_ascii=False, default=str)},
    )  # fmt: skip


def row(fact: NewFact, subjects: Subjects, seq: int) -> dict[str, Any]:
    """A fact as `masar_record` takes it: whose case it belongs to and the ledger line that tells of it, but not who said it and when."""
    return {"person_id": subjects.person_id, "root_id": subjects.root_id, "seq": seq, "subject": fact.subject, "field": fact.field, "value": fact.value,
            "status": fact.status, "class": fact.field_class, "source": dict(fact.source), "valid_until": fact.valid_until.isoformat() if fact.valid_until else None,
            "reason": fact.reason}  # fmt: skip


def tree(rows: Iterable[Fact | NewFact], subjects: Subjects, to_feel: Callable[[str, Any], Any], lists: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    """The facts as a diagram reads them: subject key → nested contexts, with person, return and case merged under `"case"`.

    `to_feel(field, value)` gives the FEEL value; `lists` names the fields that hold rows and the prefix of their subjects
    (`{"foyer.membres": "membre"}`): each row becomes a context with its `id`.
    """
    by_subject: dict[str, dict[str, Any]] = {}
    merged = {f"person:{subjects.person_id}", f"retour:{subjects.root_id}", f"case:{subjects.root_id}"}
    row_ids: list[tuple[dict[str, Any], str, str, list[str]]] = []
    for row in rows:
        nested = by_subject.setdefault("case" if row.subject in merged else row.subject, {})
        group, _, name = row.field.partition(".")
        context = nested.setdefault(group, {})
        if row.field in lists and row.status == "known":
            row_ids.append((context, name, lists[row.field], row.value or []))
        else:
            context[name] = to_feel(row.field, row.value) if row.status == "known" else None
            if row.status != "known":
                context[f"{name}_statut"] = row.status
    for context, name, prefix, ids in row_ids:
        context[name] = [{"id": found, **by_subject.get(f"{prefix}:{found}", {}).get(prefix, {})} for found in ids]
    by_subject.setdefault("case", {})
    return by_subject

