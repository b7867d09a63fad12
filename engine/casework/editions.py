"""Editions: everything a case follows (diagrams, decision tables, forms, letters, dictionary), content-addressed and immutable.

A case is pinned to its edition. The edition in force at an instant is that of the latest start before it (`edition_start`); the first comes with the
installation, every other of a draft that two persons agreed on (`publication`). An edition read once stays in memory: it cannot change.
"""

import datetime as dt
import gc
import hashlib
import json
from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from threading import Lock
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlmodel import Session

from engine import clock, errors
from engine.actors import authority, roles
from engine.casework import judging
from engine.casework.kept import Kept
from engine.dossier import beneficiaries
from engine.identity import new_id
from engine.pathway import judgement
from engine.pathway.papers import RECEIPT
from engine.pathway.sources import Sources
from forms import field_types
from forms.text import FormError

# What service tasks may call, by name: `operations` registers its acts here, so that publication knows them without knowing what they do.
OPERATIONS: dict[str, Any] = {}
_KEPT_IN_MEMORY = 16
_YOUNG = 10_000  # objects made before the collector looks: of what one completion makes, hardly anything turns in circles
_ALWAYS = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_kept: OrderedDict[UUID, "Edition"] = OrderedDict()
_read_lately: Kept["Edition"] = Kept(4)  # of drafts, by their content
_lock = Lock()

_CURRENT = text("SELECT edition_id FROM edition_start WHERE starts_at <= masar_now() ORDER BY starts_at DESC, start_id DESC LIMIT 1")
_IN_FORCE_AT = text("SELECT edition_id FROM edition_start WHERE starts_at <= :at ORDER BY starts_at DESC, start_id DESC LIMIT 1")
_START = text("""INSERT INTO edition_start (edition_id, starts_at, asked_by, approved_by, reason, burden_reason, draft_id)
                 VALUES (:edition, :at, :asked, :approved, :reason, :burden_reason, :draft)""")
_STARTS = text("""
    SELECT s.edition_id, s.starts_at, s.reason, s.burden_reason, s.draft_id IS NULL AS is_first,
           CASE WHEN :arabic AND a.name_ar <> '' THEN a.name_ar ELSE coalesce(a.name, '') END AS asked_by,
           CASE WHEN :arabic AND b.name_ar <> '' THEN b.name_ar ELSE coalesce(b.name, '') END AS approved_by
      FROM edition_start s LEFT JOIN user_account a ON a.user_id = s.asked_by LEFT JOIN user_account b ON b.user_id = s.approved_by
     ORDER BY s.starts_at DESC, s.start_id DESC""")
_PUBLISHED = text("""
    SELECT e.edition_id, e.number, e.digest, e.published_at, (SELECT count(*) FROM jsonb_object_keys(e.files)) AS files,
           (SELECT count(*) FROM instance i WHERE i.edition_id = e.edition_id AND i.status = 'open' AND i.root_id = i.instance_id) AS open_cases
      FROM edition e ORDER BY e.number DESC""")


@dataclass(frozen=True)
class Start:
    """When an edition begins: asked and approved by whom, why, why it may ask more of people, whether that is still to come. `is_first`: it came with the installation."""

    starts_at: dt.datetime
    asked_by: str
    approved_by: str
    reason: str
    burden_reason: str
    is_to_come: bool
    is_first: bool


@dataclass(frozen=True)
class Published:
    """One edition on the list. `open_cases`: root cases that follow it, None for whoever reads no case; `starts`: the latest first."""

    edition_id: UUID
    number: int
    digest: str
    published_at: dt.datetime
    is_in_force: bool
    files: int
    open_cases: int | None
    starts: tuple[Start, ...]


@dataclass(frozen=True, init=False)
class Edition(Sources):
    """One edition, parsed."""

    edition_id: UUID
    number: int

    def __init__(self, edition_id: UUID, number: int, files: Mapping[str, bytes]) -> None:
        super().__init__(files)
        object.__setattr__(self, "edition_id", edition_id)
        object.__setattr__(self, "number", number)

    @cached_property
    def lists(self) -> dict[str, str]:
        """The fields that hold rows, and the prefix of the rows' subjects."""
        return {found.id: found.items[0].partition(".")[0] for found in self.dictionary.fields.values() if found.type == "list" and found.items}

    @cached_property
    def of_sittings(self) -> frozenset[str]:
        """The prefixes of what is a sitting's own: itself, and the rows of its lists."""
        return frozenset({"seance"} | {prefix for name, prefix in self.lists.items() if self.dictionary.fields[name].subject == "sitting"})

    @cached_property
    def reads(self) -> tuple[str, ...]:
        """The fields that a condition or a table of the edition may read (with the fields of the rows of lists)."""
        fields = self.dictionary.fields
        wanted: set[str] = set()
        for path in self.definitions.reads:
            segments = path.split(".")
            found = ".".join(segments[:2])
            if found in fields:
                wanted.add(found)
                wanted.update(fields[found].items or ())
                if found in self.lists and len(segments) > 2:  # a field of the rows that the list's own form does not ask
                    wanted.update({f"{self.lists[found]}.{segments[2]}"} & fields.keys())
            elif len(segments) == 1 or found not in fields:  # a whole group (`person`), or the value of an element
                wanted.update(name for name in fields if name.startswith(f"{segments[0]}."))
        for found in list(wanted):
            wanted.update(fields[found].items or ())
            wanted.update(fields[found].reads if fields[found].is_of_the_day else ())
        return tuple(sorted(wanted))

    @cached_property
    def prints(self) -> frozenset[str]:
        """The fields that its letters print, and those a person is known again by."""
        return frozenset(beneficiaries.IDENTITY_FIELDS).union(*(letter.fields for letter in self.letters.values()))

    def add_of_the_day(self, tree: Mapping[str, dict[str, Any]], today: dt.date) -> None:
        """Puts into a tree of facts those that depend on the day (an age): no fact holds them."""
        for spec in self.dictionary.of_the_day:
            if spec.id not in self.reads:
                continue
            for contexts in tree.values():
                if all((contexts.get(group) or {}).get(name) is not None for group, _, name in (read.partition(".") for read in spec.reads)):
                    contexts[spec.group][spec.id.partition(".")[2]] = spec.computed.evaluate({**contexts, "today": today})

    def counting(self, known: Iterable[Any], at: dt.datetime) -> list[Any]:
        """What is known, without the papers that ran out: such a paper is there for nobody any more, nor for a table."""
        fields = self.dictionary.fields
        return [one for one in known if one.valid_until is None or one.valid_until > at or one.field not in fields or not fields[one.field].runs_out]

    def to_feel(self, field_id: str, value: Any) -> Any:
        """The FEEL value of a stored value."""
        found = self.dictionary.fields.get(field_id)
        return field_types.to_feel(found, value) if found else value


def of_files(edition_id: UUID, files: Mapping[str, bytes]) -> Edition:
    """The edition that these files would be, read once. Refuses: `pathway.refused`, `edition.unreadable`, with findings."""
    return _read_lately.get(digest_of(hashes_of(files)), lambda: _read(Edition(edition_id, 0, dict(files))))


def of_draft(draft_id: UUID, files: Mapping[str, bytes], known: Mapping[str, bytes]) -> Edition:
    """The same for files that anybody wrote (`known`: those of the edition they come from). Refuses besides what the judge could not come to the end of."""
    require_light(files, known)
    return of_files(draft_id, files)


def require_light(files: Mapping[str, bytes], known: Mapping[str, bytes]) -> None:
    """What the judge could not come to the end of is not read in this process either. Refuses: `edition.unreadable`, with the finding."""
    if heavy := [one for one in check(files, known) if one.code in judging.UNJUDGED]:
        raise errors.Invalid("edition.unreadable", heavy)


def _read(edition: Edition) -> Edition:
    try:
        _ = edition.definitions, edition.forms, edition.letters
    except FormError as refused:
        raise errors.Invalid("edition.unreadable", [errors.Finding(one.code, one.where, one.details, one.message) for one in refused.findings]) from refused
    return edition


def files_of(processes: Path, forms: Path) -> dict[str, bytes]:
    """The files of an edition as they lie in the folders of the project."""
    found = {f"processes/{path.relative_to(processes)}": path for path in [*processes.rglob("*.bpmn"), *processes.rglob("*.dmn"), *processes.glob("scenarios/*.toml")]}
    for folder in ("dictionary", "tasks", "letters"):
        found |= {f"forms/{folder}/{path.name}": path for path in (forms / folder).glob("*.toml")}
    return {name: found[name].read_bytes() for name in sorted(found)}


def hashes_of(files: Mapping[str, bytes]) -> dict[str, str]:
    """The SHA-256 of each file, by path."""
    return {path: hashlib.sha256(content).hexdigest() for path, content in sorted(files.items())}


def digest_of(hashes: Mapping[str, str]) -> str:
    """What names an edition by its content."""
    return hashlib.sha256(json.dumps(dict(hashes), sort_keys=True).encode()).hexdigest()


def publish(session: Session, actor: Any, files: Mapping[str, bytes], reason: str = "") -> Edition:
    """Makes the first edition of an installation of these files, in force since ever (cases may be told of earlier days); again, it is the same one.

    Refuses: Forbidden to whoever is not the installation itself; `edition.by_two` once an edition is in force; `edition.refused` with the findings.
    """
    authority.require(actor, "edition.publish")
    now = clock.now(session)
    in_force = in_force_at(session, now)
    if in_force is None:
        edition = keep(session, files, now, None, reason)
        start(session, edition.edition_id, _ALWAYS, reason=reason)
        return edition
    edition = load(session, in_force)
    if hashes_of(edition.files) != hashes_of(files):
        raise errors.Conflict("edition.by_two", number=edition.number)
    return edition


def keep(session: Session, files: Mapping[str, bytes], at: dt.datetime, by: UUID | None, reason: str) -> Edition:
    """The edition of these files: the one that has them already, else the next. It is kept, not yet in force. Refuses: `edition.refused` with the findings."""
    hashes = hashes_of(files)
    digest = digest_of(hashes)
    same = session.execute(text("SELECT edition_id FROM edition WHERE digest = :digest"), {"digest": digest}).scalar()
    if same:
        return load(session, same)
    number = session.execute(text("SELECT coalesce(max(number), 0) + 1 FROM edition")).scalar_one()
    edition = Edition(new_id(), number, dict(files))
    findings = [found for found in check(edition.files) if found.severity == "error"]
    if findings:
        raise errors.Invalid("edition.refused", findings)
    store(session, files, hashes)
    session.execute(
        text("INSERT INTO edition VALUES (:id, :number, :digest, :files, :at, :by, :reason)"),
        {"id": edition.edition_id, "number": number, "digest": digest, "files": json.dumps(hashes), "at": at, "by": by, "reason": reason},
    )
    return _keep(edition)


def store(session: Session, files: Mapping[str, bytes], hashes: Mapping[str, str]) -> None:
    """Keeps the content of files under their hashes."""
    session.execute(
        text("INSERT INTO edition_file (sha256, content) SELECT * FROM unnest(CAST(:hashes AS text[]), CAST(:contents AS bytea[])) ON CONFLICT DO NOTHING"),
        {"hashes": list(hashes.values()), "contents": [files[path] for path in hashes]},
    )


def stored(session: Session, hashes: Mapping[str, str]) -> dict[str, bytes]:
    """Files by path, from their hashes."""
    contents = dict(session.execute(text("SELECT sha256, content FROM edition_file WHERE sha256 = ANY (:hashes)"), {"hashes": list(hashes.values())}).all())
    return {path: bytes(contents[sha]) for path, sha in hashes.items()}


def start(
    session: Session, edition_id: UUID, at: dt.datetime, *,
    asked_by: UUID | None = None, approved_by: UUID | None = None, reason: str = "", burden_reason: str = "", draft_id: UUID | None = None,
) -> None:  # fmt: skip
    """From this instant new cases follow the edition. The database refuses what two persons did not agree on."""
    session.execute(_START, {
        "edition": edition_id, "at": at, "asked": asked_by, "approved": approved_by, "reason": reason, "burden_reason": burden_reason, "draft": draft_id,
    })  # fmt: skip


def check(files: Mapping[str, bytes], known: Mapping[str, bytes] | None = None) -> Sequence[errors.Finding]:
    """What forbids publication (`error`) and what needs a reason (`warning`), each naming its file and element: the only judge, of drafts and files too.
    `known`: the files of the edition that these come from."""
    return judging.judged(files, house(), known)


def house() -> judgement.House:
    """Who holds which roles and what service tasks may call, here."""
    return judgement.House(roles.ROLES, roles.APART, roles.ALONE, roles.opens, frozenset(OPERATIONS))


def load(session: Session, edition_id: UUID) -> Edition:
    """An edition by its id, from memory or from its stored files."""
    with _lock:
        if edition_id in _kept:
            _kept.move_to_end(edition_id)
            return _kept[edition_id]
    row = session.execute(text("SELECT number, files FROM edition WHERE edition_id = :id"), {"id": edition_id}).one()
    return _keep(Edition(edition_id, row.number, stored(session, row.files)))


def current(session: Session) -> Edition:
    """The edition that new cases follow. Refuses: `edition.none` when nothing was published."""
    found = current_or_none(session)
    if found is None:
        raise errors.Conflict("edition.none")
    return found


def current_or_none(session: Session) -> Edition | None:
    """The edition in force, or None before the first publication."""
    found = session.execute(_CURRENT).scalar()
    return load(session, found) if found else None


def in_force_at(session: Session, at: dt.datetime) -> UUID | None:
    """The edition that is or will be in force at an instant, as far as was decided."""
    return session.execute(_IN_FORCE_AT, {"at": at}).scalar()


def published(session: Session, actor: Any) -> tuple[Published, ...]:
    """Every edition, the newest first: when it begins or began, who made and who approved it, how many cases follow it. Refuses: Forbidden."""
    authority.require(actor, "edition.read")
    now = clock.now(session)
    in_force = in_force_at(session, now)
    is_arabic = actor.language == "ar"
    starts: dict[UUID, list[Start]] = {}
    for row in session.execute(_STARTS, {"arabic": is_arabic}):
        starts.setdefault(row.edition_id, []).append(Start(row.starts_at, row.asked_by, row.approved_by, row.reason, row.burden_reason, row.starts_at > now, row.is_first))
    sees_cases = authority.may(actor, "case.read")
    return tuple(
        Published(row.edition_id, row.number, row.digest, row.published_at, row.edition_id == in_force, row.files, row.open_cases if sees_cases else None,
                  tuple(starts.get(row.edition_id, ())))
        for row in session.execute(_PUBLISHED)
    )  # fmt: skip


def find(session: Session, actor: Any, edition_id: UUID) -> Edition:
    """An edition, for whoever reads them. Refuses: `edition.not_found`; Forbidden."""
    authority.require(actor, "edition.read")
    if session.execute(text("SELECT 1 FROM edition WHERE edition_id = :id"), {"id": edition_id}).scalar() is None:
        raise errors.NotFound("edition.not_found")
    return load(session, edition_id)


def numbered(session: Session, number: int) -> Edition:
    """An edition by its number. Refuses: `edition.not_found`."""
    found = session.execute(text("SELECT edition_id FROM edition WHERE number = :number"), {"number": number}).scalar()
    if found is None:
        raise errors.NotFound("edition.not_found")
    return load(session, found)


def _keep(edition: Edition) -> Edition:
    with _lock:
        _kept[edition.edition_id] = edition
        while len(_kept) > _KEPT_IN_MEMORY:
            _kept.popitem(last=False)
    # A hundred thousand objects that live as long as the process: looked through by the collector, they cost a completion now and then a tenth of a second.
    gc.collect()
    gc.freeze()
    gc.set_threshold(_YOUNG, 20, 50)
    return edition
