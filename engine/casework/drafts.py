"""Drafts: what coordinators prepare together. A draft forks an edition; its files are the edition's with the saves laid over them.

Every save is a row and names the version it was made from: made from an older one than the last, it stands aside, kept and shown beside it, until somebody
takes or drops it. How a draft becomes an edition is `publication`.
"""

import datetime as dt
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlmodel import Session

from engine import clock, errors, i18n
from engine.actors import authority, users
from engine.casework import archives, editions, staff
from engine.identity import new_id

LONGEST_TITLE = 200
_OPEN = text("""INSERT INTO edition_draft (draft_id, base_id, seen_start, title, opened_by, opened_at, delivered)
                SELECT :id, :base, coalesce(max(start_id), 0), :title, :by, :at, CAST(:delivered AS jsonb) FROM edition_start""")
_COLUMNS = """d.draft_id, d.base_id, e.number AS base_number, d.title, d.delivered IS NOT NULL AS is_delivered, d.state, d.version, d.opened_by AS opener, d.opened_at, d.submitted_by AS submitter,
    d.submitted_at, d.starts_at, d.reason, d.accepted, d.burden_reason, d.decided_by AS decider, d.decided_at, d.refusal, d.edition_id, p.number AS edition_number,
    d.state IN ('open', 'submitted') AND EXISTS (SELECT FROM edition_start s WHERE s.start_id > d.seen_start) AS is_behind,
    ARRAY(SELECT DISTINCT s.saved_by FROM draft_save s WHERE s.draft_id = d.draft_id AND s.saved_by IS NOT NULL) AS savers
  FROM edition_draft d JOIN edition e ON e.edition_id = d.base_id LEFT JOIN edition p ON p.edition_id = d.edition_id"""
_LIST = text(f"SELECT {_COLUMNS} ORDER BY d.state IN ('open', 'submitted') DESC, d.draft_id DESC LIMIT 100")
_ONE = text(f"SELECT {_COLUMNS} WHERE d.draft_id = :id")
_LOCK = text("SELECT 1 FROM edition_draft WHERE draft_id = :id FOR UPDATE")
_SAVES = text("""SELECT DISTINCT ON (path) path, version, content, saved_by, saved_at FROM draft_save
                  WHERE draft_id = :id AND NOT is_aside ORDER BY path, version DESC""")
_ASIDES = text("""SELECT save_id, path, version, content, saved_by, saved_at FROM draft_save
                   WHERE draft_id = :id AND is_aside AND settled IS NULL ORDER BY save_id""")
_SAVE = text("""INSERT INTO draft_save (draft_id, path, version, content, is_aside, saved_by, saved_at)
                VALUES (:id, :path, :version, :content, :is_aside, :by, :at) RETURNING save_id""")
_AS_OF = text("SELECT content FROM draft_save WHERE draft_id = :id AND path = :path AND version = :version AND NOT is_aside")
_SETTLE = text("UPDATE draft_save SET settled = :how, settled_by = :by, settled_at = :at WHERE save_id = :aside AND draft_id = :id")
_REPLACE = text("""UPDATE draft_save SET settled = 'replaced', settled_by = :by, settled_at = :at
                    WHERE draft_id = :id AND path = :path AND version = :version AND is_aside AND settled IS NULL AND saved_by = :by""")
_DROP = text("UPDATE edition_draft SET state = 'dropped', version = version + 1, decided_by = :by, decided_at = :at WHERE draft_id = :id")
_REBASE = text("UPDATE edition_draft SET base_id = :base, seen_start = (SELECT max(start_id) FROM edition_start) WHERE draft_id = :id")
_DELIVERED = text("""SELECT 1 FROM edition WHERE digest = :digest UNION ALL SELECT 1 FROM edition_draft WHERE delivered = CAST(:hashes AS jsonb)""")
_LAST_DELIVERED = text("""SELECT coalesce((SELECT delivered FROM edition_draft WHERE delivered IS NOT NULL ORDER BY draft_id DESC LIMIT 1),
                                          (SELECT files FROM edition ORDER BY number LIMIT 1))""")
MASAR = "Masar"  # who brought what came with a new version of it


@dataclass(frozen=True)
class Draft:
    """A draft on the list. `authors`: who saved anything in it; `is_behind`: another edition was decided since it was begun or brought up to date; `is_mine`: the reader
    submitted it; `was_taken_back`: its submitter refused it; `may`: what the reader may do with it (`save`, `submit`, `drop`, `approve`, `refuse`, `try`)."""

    draft_id: UUID
    title: str
    state: str
    version: int
    base_id: UUID
    base_number: int
    opened_by: str
    opened_at: dt.datetime
    authors: tuple[str, ...]
    is_behind: bool
    submitted_by: str
    submitted_at: dt.datetime | None
    starts_at: dt.datetime | None
    reason: str
    accepted: str
    burden_reason: str
    decided_by: str
    decided_at: dt.datetime | None
    refusal: str
    edition_id: UUID | None
    edition_number: int | None
    is_mine: bool
    was_taken_back: bool
    may: tuple[str, ...]


@dataclass(frozen=True)
class DraftFile:
    """A file of a draft: its kind, its version (0: as in the edition it was forked from), and what changed: "", `added`, `changed`, `removed`."""

    path: str
    kind: str
    version: int
    change: str
    saved_by: str
    saved_at: dt.datetime | None


@dataclass(frozen=True)
class Aside:
    """A save that came too late: made from `made_from` when a colleague's newer one was there."""

    aside_id: int
    path: str
    made_from: int
    saved_by: str
    saved_at: dt.datetime
    is_removal: bool


@dataclass(frozen=True)
class Saved:
    """What became of a save: the file's last version; with `aside`, the save stands beside it and `conflict` says who was first and when."""

    path: str
    version: int
    aside: int | None = None
    conflict: errors.Conflict | None = None


@dataclass(frozen=True)
class Content:
    """One file of a draft as it is now; `content` is None where it was taken out."""

    path: str
    version: int
    content: bytes | None
    base: bytes | None
    saved_by: str
    saved_at: dt.datetime | None


@dataclass(frozen=True)
class Whole:
    """A draft read whole. `saves`: the last save of each path, which `files` already count in."""

    draft: Draft
    base: editions.Edition = field(repr=False)
    saves: Mapping[str, Any] = field(repr=False)
    names: Mapping[UUID | None, str] = field(repr=False)
    asides: tuple[Aside, ...] = ()

    @property
    def files(self) -> dict[str, bytes]:
        """path → content."""
        laid = {**self.base.files, **{path: save.content for path, save in self.saves.items()}}
        return {path: bytes(content) for path, content in sorted(laid.items()) if content is not None}

    @property
    def edition(self) -> editions.Edition:
        """What the draft would be as an edition. Refuses: `pathway.refused`, `edition.unreadable`, with findings."""
        return editions.of_draft(self.draft.draft_id, self.files, self.base.files)


def open_draft(session: Session, actor: Any, title: str = "", edition_id: UUID | None = None) -> UUID:
    """Begins a draft from the edition in force, or from another. Refuses: Forbidden, `edition.not_found`, `draft.title`."""
    authority.require(actor, "draft.write")
    base = editions.find(session, actor, edition_id) if edition_id else editions.current(session)
    title = title.strip()
    if len(title) > LONGEST_TITLE or not title.isprintable():
        raise errors.Invalid("draft.title", longest=LONGEST_TITLE)
    return _begin(session, actor, base.edition_id, title)


def listed(session: Session, actor: Any) -> tuple[Draft, ...]:
    """The hundred latest drafts, those under way first. Refuses: Forbidden."""
    authority.require(actor, "draft.read")
    rows = session.execute(_LIST).all()
    names = _names(session, actor, {one for row in rows for one in (row.opener, row.submitter, row.decider, *row.savers)})
    return tuple(_draft(row, actor, names) for row in rows)


def show(session: Session, actor: Any, draft_id: UUID) -> Whole:
    """A draft with its files and what stands aside. Refuses: Forbidden, `draft.not_found`."""
    authority.require(actor, "draft.read")
    row = session.execute(_ONE, {"id": draft_id}).one_or_none()
    if row is None:
        raise errors.NotFound("draft.not_found")
    saves = {save.path: save for save in session.execute(_SAVES, {"id": draft_id})}
    asides = session.execute(_ASIDES, {"id": draft_id}).all()
    people = {one.saved_by for one in (*saves.values(), *asides)} | {row.opener, row.submitter, row.decider, *row.savers}
    names = _names(session, actor, people)
    beside = tuple(Aside(one.save_id, one.path, one.version, names[one.saved_by], one.saved_at, one.content is None) for one in asides)
    return Whole(_draft(row, actor, names), editions.load(session, row.base_id), saves, names, beside)


def files(whole: Whole) -> tuple[DraftFile, ...]:
    """Every file of a draft, by kind then path, with what changed; those taken out too."""
    order = list(archives.KINDS)
    found = [_file(whole, path) for path in {*whole.base.files, *whole.saves} if path in whole.base.files or whole.saves[path].content is not None]
    return tuple(sorted(found, key=lambda one: (order.index(one.kind), one.path)))


def changes(whole: Whole) -> tuple[DraftFile, ...]:
    """What differs from the edition the draft was forked from, file by file."""
    return tuple(one for one in files(whole) if one.change)


def read(session: Session, actor: Any, draft_id: UUID, path: str) -> Content:
    """One file of a draft as it is now. Refuses: Forbidden, `draft.not_found`, `draft.no_file`."""
    whole = show(session, actor, draft_id)
    base, save = whole.base.files.get(path), whole.saves.get(path)
    if base is None and save is None:
        raise errors.NotFound("draft.no_file")
    if save is None:
        return Content(path, 0, base, base, "", None)
    return Content(path, save.version, _bytes(save.content), base, whole.names[save.saved_by], save.saved_at)


def read_as_of(session: Session, actor: Any, draft_id: UUID, path: str, version: int) -> bytes | None:
    """A file as a version left it, to be changed from there; None where it was taken out. Refuses: as `read`; `draft.stale` (a version that never was)."""
    found = read(session, actor, draft_id, path)
    if version == found.version:
        return found.content
    if version == 0:
        return found.base
    row = session.execute(_AS_OF, {"id": draft_id, "path": path, "version": version}).one_or_none()
    if row is None:
        raise errors.Conflict("draft.stale")
    return _bytes(row.content)


def read_aside(session: Session, actor: Any, draft_id: UUID, aside_id: int) -> tuple[Aside, bytes | None]:
    """What stands aside, and its content (None: the file taken out). Refuses: Forbidden, `draft.not_found`, `draft.no_aside`."""
    whole = show(session, actor, draft_id)
    found = next((one for one in whole.asides if one.aside_id == aside_id), None)
    if found is None:
        raise errors.NotFound("draft.no_aside")
    return found, _bytes(session.execute(text("SELECT content FROM draft_save WHERE save_id = :id"), {"id": aside_id}).scalar())


def save(session: Session, actor: Any, draft_id: UUID, path: str, content: bytes | None, version: int) -> Saved:
    """Keeps a file as somebody left it; None takes the file out. `version`: the one it was made from.

    When somebody saved a newer version meanwhile, this one is kept aside and the answer carries the Conflict `draft.aside`: it is not raised, because a
    refusal would undo what was kept. Refuses: Forbidden, `draft.not_found`, `draft.not_open`, `archive.path`, `archive.file_too_large`, `draft.name_taken`,
    `draft.no_file`, `draft.stale` (a version that never was).
    """
    whole = locked(session, actor, draft_id)
    archives.kind_of(path)
    if content is not None:
        archives.check_size(path, content)
    now, last = clock.now(session), whole.saves.get(path)
    at_last = last.version if last else 0
    if version > at_last:
        raise errors.Conflict("draft.stale")
    present = _bytes(last.content) if last else whole.base.files.get(path)
    if present == content:
        if content is None and last is None:
            raise errors.NotFound("draft.no_file")
        return Saved(path, at_last)
    _check_name(whole, path, content)
    told = {"id": draft_id, "path": path, "content": content, "by": actor.user_id, "at": now}
    if version == at_last:
        session.execute(_SAVE, {**told, "version": version + 1, "is_aside": False})
        return Saved(path, version + 1)
    session.execute(_REPLACE, {**told, "version": version})  # one's own earlier one of the same version: typing on is one text, not ten
    aside = session.execute(_SAVE, {**told, "version": version, "is_aside": True}).scalar_one()
    conflict = errors.Conflict("draft.aside", who=whole.names[last.saved_by], at=last.saved_at, path=path, version=at_last, aside=aside)
    return Saved(path, at_last, aside, conflict)


def take_aside(session: Session, actor: Any, draft_id: UUID, aside_id: int, version: int) -> Saved:
    """Makes what stands aside the file's next version; `version`: the one it was compared with. Refuses: as `save`; `draft.no_aside`, `draft.stale`."""
    whole = locked(session, actor, draft_id)
    aside, content = read_aside(session, actor, draft_id, aside_id)
    last = whole.saves.get(aside.path)
    if version != (last.version if last else 0):
        raise errors.Conflict("draft.stale")
    _settle(session, actor, draft_id, aside_id, "taken")
    return save(session, actor, draft_id, aside.path, content, version)


def drop_aside(session: Session, actor: Any, draft_id: UUID, aside_id: int) -> None:
    """Puts away what stands aside; its row stays. Refuses: Forbidden, `draft.not_found`, `draft.not_open`, `draft.no_aside`."""
    locked(session, actor, draft_id)
    read_aside(session, actor, draft_id, aside_id)
    _settle(session, actor, draft_id, aside_id, "dropped")


def drop(session: Session, actor: Any, draft_id: UUID) -> None:
    """Gives a draft up; its rows stay. Refuses: Forbidden, `draft.not_found`, `draft.not_open`."""
    locked(session, actor, draft_id)
    session.execute(_DROP, {"id": draft_id, "by": actor.user_id, "at": clock.now(session)})


def bring_up_to_date(session: Session, actor: Any, draft_id: UUID) -> None:
    """Lays the draft's saves over the newest edition decided. A file that both changed stays the draft's, the edition's version stands aside.

    Refuses: Forbidden, `draft.not_found`, `draft.not_open`.
    """
    whole, now = locked(session, actor, draft_id), clock.now(session)
    newest = session.execute(text("SELECT edition_id FROM edition_start ORDER BY start_id DESC LIMIT 1")).scalar_one()
    theirs = editions.load(session, newest).files
    session.execute(_REBASE, {"id": draft_id, "base": newest})
    for path, mine in whole.saves.items():
        was, new = whole.base.files.get(path), theirs.get(path)
        if new not in (was, _bytes(mine.content)):
            told = {"id": draft_id, "path": path, "version": mine.version, "content": new, "is_aside": True, "by": actor.user_id, "at": now}
            session.execute(_SAVE, told)


def deliver(session: Session, sent: Mapping[str, bytes]) -> UUID | None:
    """After an upgrade of Masar: the files that changed with it become a draft by Masar, once. What coordinators had changed themselves stays; Masar's version
    stands aside. Nothing when these files are an edition, or were brought already."""
    masar, hashes = users.system(), editions.hashes_of(sent)
    told = json.dumps(hashes)
    if session.execute(_DELIVERED, {"digest": editions.digest_of(hashes), "hashes": told}).first():
        return None
    before, base = session.execute(_LAST_DELIVERED).scalar_one(), editions.current(session)
    ours = editions.hashes_of(base.files)
    changed = [path for path in sorted({*before, *hashes}) if before.get(path) != hashes.get(path) and hashes.get(path) != ours.get(path)]
    if not changed:
        return None
    draft_id, now = _begin(session, masar, base.edition_id, "", told), clock.now(session)
    for path in changed:
        is_aside = ours.get(path) != before.get(path)
        session.execute(_SAVE, {"id": draft_id, "path": path, "version": int(not is_aside), "content": sent.get(path), "is_aside": is_aside, "by": None, "at": now})
    return draft_id


def locked(session: Session, actor: Any, draft_id: UUID, state: str = "open") -> Whole:
    """A draft for whoever is about to change it: nobody else does meanwhile. Refuses: Forbidden, `draft.not_found`, `draft.not_open`, `draft.not_submitted`."""
    authority.require(actor, "draft.write")
    session.execute(_LOCK, {"id": draft_id})
    whole = show(session, actor, draft_id)
    if whole.draft.state != state:
        raise errors.Conflict("draft.not_open" if state == "open" else "draft.not_submitted")
    return whole


def _begin(session: Session, actor: Any, base_id: UUID, title: str, delivered: str | None = None) -> UUID:
    draft_id = new_id()
    session.execute(_OPEN, {"id": draft_id, "base": base_id, "title": title, "by": actor.user_id, "at": clock.now(session), "delivered": delivered})
    return draft_id


def titles(session: Session, draft_id: UUID) -> Mapping[str, str]:
    """What a draft is called, by language."""
    return _titles(session.execute(_ONE, {"id": draft_id}).one())


def _titles(row: Any) -> Mapping[str, str]:
    """As somebody called it; one that nobody did, by the edition it came from, in the language of whoever reads."""
    code = "draft.delivered" if row.is_delivered else "draft.untitled"
    return {language: row.title or i18n.translate(code, language, number=row.base_number) for language in i18n.LANGUAGES}


def _settle(session: Session, actor: Any, draft_id: UUID, aside_id: int, how: str) -> None:
    session.execute(_SETTLE, {"how": how, "by": actor.user_id, "at": clock.now(session), "aside": aside_id, "id": draft_id})


def _check_name(whole: Whole, path: str, content: bytes | None) -> None:
    """Diagrams and tables are known by the last part of their name; an edition has so many files and no more."""
    present = whole.files
    if content is None or path in present:
        return
    name, kind = path.rpartition("/")[2], archives.kind_of(path)
    if any(one.rpartition("/")[2].casefold() == name.casefold() and archives.kind_of(one) == kind for one in present):
        raise errors.Invalid("draft.name_taken", name=name)
    if len(present) >= archives.MOST_FILES:
        raise errors.Invalid("archive.too_many", most=archives.MOST_FILES)


def _draft(row: Any, actor: Any, names: Mapping[UUID | None, str]) -> Draft:
    authors = {*row.savers, row.submitter}
    may = {"open": ["save", "submit", "drop"], "submitted": ["refuse"]}.get(row.state, []) if authority.may(actor, "draft.write") else []
    if may and row.state == "submitted" and not row.is_behind and authority.may(actor, "draft.approve", authors=authors):
        may = ["approve", *may]
    may = [*may, "try"] if authority.may(actor, "draft.try") else may
    return Draft(
        row.draft_id, i18n.pick(_titles(row), actor.language), row.state, row.version, row.base_id, row.base_number, names[row.opener], row.opened_at,
        tuple(sorted(names[one] for one in row.savers)), row.is_behind, names[row.submitter] if row.submitter else "", row.submitted_at, row.starts_at,
        row.reason, row.accepted, row.burden_reason, names[row.decider] if row.decider else "", row.decided_at, row.refusal, row.edition_id, row.edition_number,
        bool(row.submitter) and row.submitter == actor.user_id, row.refusal != "" and row.decider == row.submitter, tuple(may),
    )  # fmt: skip


def _file(whole: Whole, path: str) -> DraftFile:
    base, last = whole.base.files.get(path), whole.saves.get(path)
    if last is None:
        return DraftFile(path, archives.kind_of(path), 0, "", "", None)
    content = _bytes(last.content)
    change = "removed" if content is None else "added" if base is None else "changed" if content != base else ""
    return DraftFile(path, archives.kind_of(path), last.version, change, whole.names[last.saved_by], last.saved_at)


def _names(session: Session, actor: Any, ids: Iterable[UUID | None]) -> dict[UUID | None, str]:
    return {None: MASAR} | {UUID(one): name for one, name in staff.names(session, actor.language, ids).items()}


def _bytes(content: Any) -> bytes | None:
    return None if content is None else bytes(content)
