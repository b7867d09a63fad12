"""Sittings of a committee: the agenda file by file, where each file stands, and what the reader has to do of it.

It looks. A file is studied, voted on and decided by its own task (`tasks.complete`), and by nothing else.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlmodel import Session

from engine import clock, errors
from engine.actors import authority
from engine.casework import editions, letters, operations, staff, tasks
from engine.dossier import beneficiaries, facts
from engine.i18n import pick
from engine.ledger import consultations
from forms import form as forms
from forms.text import display

PROCESS = "seance_commission"
STUDY = "etude_dossier"  # the process in which each member studies a file
DECIDING = "f61"  # the form that decides: what it shows is what a file is told by
VOTES, PRESENT = "aide.votes", "seance.presence"
_VOICELESS, _CONFLICT = frozenset({"secretaire", "invite"}), "aide.conflit_"
CHAIR, MEMBER = "president", "membre"  # in what capacity who has a seat sits
_TOLD = ("aide.retrait", "aide.niveau", "aide.programme", "aide.montant_propose", "aide.decision", "aide.montant_accorde")
_OF_SITTING = ("seance.date", "seance.heure", "seance.lieu", "seance.bailleur_convoque")
_DATE = "(SELECT f.value #>> '{}' FROM fact f WHERE f.subject = i.subject AND f.field = 'seance.date' AND f.is_current)"
_LISTED = text(f"""SELECT i.instance_id, i.number, i.branch, i.status, i.opened_at, i.scope, {_DATE} AS held_on FROM instance i
                    WHERE i.process = '{PROCESS}' AND (i.status = 'open' OR i.ended_at > masar_now() - interval '180 days') ORDER BY i.status = 'ended', i.opened_at DESC, i.instance_id LIMIT 100""")
_SITTING = text("SELECT * FROM instance WHERE instance_id = :id AND process = :process")
_TASKS = text("""SELECT t.task_id, t.instance_id, t.process, t.names, t.subjects, t.agency, t.branch, t.role, t.holder_id, t.due_at, r.is_shared_operator, r.assigned, r.branch AS case_branch, masar_is_kept(t.instance_id) AS is_kept,
                        CASE WHEN t.apart <> '{}' THEN masar_did_before(t.task_id, CAST(:user AS uuid)) END AS did_before
                   FROM open_task t JOIN instance r ON r.instance_id = t.root_id WHERE t.instance_id = ANY (:ids) ORDER BY t.opened_at, t.task_id""")
_PUT_OFF = text("SELECT subject FROM fact WHERE instance_id = :id AND field = 'aide.quorum_reuni' AND value = 'false'")
_DOSSIERS = text("""SELECT i.subject, i.instance_id, r.instance_id AS root_id, r.number, r.person_id, r.is_shared, r.is_shared_funder, r.is_shared_operator, r.assigned, r.social_worker_id, i.status
                      FROM instance i JOIN instance r ON r.instance_id = i.root_id WHERE i.subject = ANY (:subjects) AND i.process = 'dossier_aide'""")
_COMMITTEE = text(f"""SELECT u.user_id, {staff.called("u")} AS name, u.agency, 'president_commission' = ANY (u.roles) AS is_chair FROM user_account u
                       WHERE u.is_active AND u.branch = :branch AND u.roles && '{{membre_commission,president_commission}}' ORDER BY is_chair DESC, u.agency <> 'OTE', u.agency, u.name, u.user_id""")
_FACTS = text("SELECT subject, field, value, class, author_agency, instance_id FROM fact WHERE is_current AND subject = ANY (:subjects) AND field = ANY (:fields)")


@dataclass(frozen=True)
class SittingRow:
    """A sitting in the list. `held_on` is None before it is convened; `files` on its agenda, `to_do` tasks of it that are the reader's."""

    sitting_id: UUID
    number: str
    branch: str
    is_open: bool
    held_on: dt.date | None
    files: int
    to_do: int


@dataclass(frozen=True)
class FileRow:
    """A file of the agenda. `state`: `todo` (the reader's turn), `study` (a member still studies it), `decide` (to be decided by whoever holds the sitting), `day` (waits for
    the day of the sitting), `listed` (the agenda is still open), `decided`, `put_off` (no quorum: the next sitting has it), `withdrawn` (its aid ended, or the person withdrew
    what the committee needed; `why` says which).

    `person`, `number`, `level`, `asked`, `decision`, `granted`, `why` are "" where the reader may not see them; `task_id`: the task to look at, the reader's own first.
    """

    aid_id: str
    place: int
    state: str
    number: str = ""
    person: str = ""
    level: str = ""
    asked: str = ""
    decision: str = ""
    decision_code: str = ""
    granted: str = ""
    task_id: UUID | None = None
    case_id: UUID | None = None
    dossier_id: UUID | None = None
    why: str = ""


@dataclass(frozen=True)
class Sitting:
    """A sitting as the reader may see it. `tasks`: hers of the sitting itself (convene, publish, sign): id and name; `told`: when and where, label and value;
    `counts`: files by state; `papers`: what it wrote so far, id and kind by language."""

    sitting_id: UUID
    number: str
    branch: str
    is_open: bool
    files: tuple[FileRow, ...]
    tasks: tuple[tuple[UUID, str], ...]
    told: tuple[tuple[str, str], ...]
    papers: tuple[tuple[UUID, Mapping[str, str]], ...]
    counts: Mapping[str, int] = field(default_factory=dict)

    def file(self, aid_id: str) -> FileRow:
        """A file of the agenda. Refuses: `sitting.not_found`."""
        found = next((one for one in self.files if one.aid_id == aid_id), None)
        if found is None:
            raise errors.NotFound("sitting.not_found")
        return found

    def first(self, after: str = "") -> FileRow | None:
        """The reader's next file: the first of hers after this one, else the first of hers, else the first of all."""
        place = next((one.place for one in self.files if one.aid_id == after), 0)
        mine = [one for one in self.files if one.state == "todo" and one.aid_id != after]
        return next((one for one in mine if one.place > place), None) or next(iter(mine), None) or next(iter(self.files), None)


@dataclass(frozen=True)
class Piece:
    """A document of a file that the reader may open."""

    document_id: str
    label: str
    recorded_at: dt.datetime


@dataclass(frozen=True)
class Member:
    """Somebody who has a seat in a committee. `quality`: in what capacity she sits, as an attendance says it."""

    user_id: UUID
    name: str
    agency: str
    quality: str


@dataclass(frozen=True)
class Seat:
    """Somebody who votes on a file. `is_recused`: her agency declared a conflict over it."""

    agency: str
    name: str
    is_recused: bool


def committee(session: Session, branch: str, language: str) -> tuple[Member, ...]:
    """Who has a seat in the committee of a branch: those whose account says so (`actors.branches` tells what a committee lacks), the chair first."""
    rows = session.execute(_COMMITTEE, {"branch": branch, "language": language})
    return tuple(Member(row.user_id, row.name, row.agency, CHAIR if row.is_chair else MEMBER) for row in rows)


def ballot(form: forms.Form, present: Sequence[Mapping[str, str]] | None = None) -> tuple[Seat, ...]:
    """Who votes on a file, by the form of its task: the members present, without the secretary and the guests; nobody where the form asks no vote.
    `present`: rows (`agence`, `nom`, `qualite`) that are being typed, else those that are known of the sitting."""
    if not any(one.spec.id == VOTES for one in form.questions()):
        return ()
    if present is None:
        known = next((one.value for one in form.known if one.spec.id == PRESENT and not one.is_hidden), None)
        present = [{name: row.get(f"presence.{name}", "") for name in ("agence", "nom", "qualite")} for row in known or ()]
    conflicts = {one.spec.id.removeprefix(_CONFLICT).upper() for one in form.known if one.spec.id.startswith(_CONFLICT) and one.value is True}
    return tuple(Seat(row["agence"], row["nom"], row["agence"] in conflicts) for row in present if row["agence"] and row["qualite"] not in _VOICELESS)


def seats(session: Session, actor: Any, file: FileRow) -> tuple[Seat, ...]:
    """Who votes on a file that is the reader's to decide; nobody elsewhere."""
    return ballot(tasks.view(session, actor, file.task_id).form) if file.state == "todo" and file.task_id else ()


def listed(session: Session, actor: Any) -> tuple[SittingRow, ...]:
    """The sittings the reader may look at, those that run first. Refuses: Forbidden."""
    authority.require(actor, "sitting.read", branch=actor.branch)
    rows = [row for row in session.execute(_LISTED).all() if authority.may(actor, "sitting.read", branch=row.branch)]
    mine: dict[UUID, int] = {}
    for one in session.execute(_TASKS, {"ids": [row.instance_id for row in rows if row.status == "open"], "user": actor.user_id}):
        mine[one.instance_id] = mine.get(one.instance_id, 0) + _is_mine(actor, one)
    return tuple(SittingRow(row.instance_id, row.number or "", row.branch, row.status == "open", dt.date.fromisoformat(row.held_on) if row.held_on else None,
                            len(row.scope.get("aide") or ()), mine.get(row.instance_id, 0)) for row in rows)  # fmt: skip


def show(session: Session, actor: Any, sitting_id: UUID) -> Sitting:
    """A sitting with the state of each of its files. Refuses: `sitting.not_found`."""
    row = session.execute(_SITTING, {"id": sitting_id, "process": PROCESS}).one_or_none()
    if row is None:
        raise errors.NotFound("sitting.not_found")
    authority.require(actor, "sitting.read", branch=row.branch)
    edition = editions.load(session, row.edition_id)
    open_tasks = session.execute(_TASKS, {"ids": [sitting_id], "user": actor.user_id}).all()
    aids = [str(one) for one in row.scope.get("aide") or ()]
    put_off = [one for one in dict.fromkeys(found.partition(":")[2] for found in session.execute(_PUT_OFF, {"id": sitting_id}).scalars()) if one not in aids]
    told = _told(session, actor, edition, [*aids, *put_off])
    by_file: dict[str, list[Any]] = {}
    for one in open_tasks:
        by_file.setdefault(next((key.partition(":")[2] for key in one.subjects if key.startswith("aide:")), ""), []).append(one)
    is_frozen = bool(by_file.keys() - {""}) or not by_file or row.status == "ended" or any(told[one].decided_by == sitting_id for one in aids)
    files = tuple(_file(actor, place, aid, by_file.get(aid, []), told[aid], sitting_id, is_frozen, aid in put_off) for place, aid in enumerate([*aids, *put_off], 1))
    counts: dict[str, int] = {}
    for file in files:
        counts[file.state] = counts.get(file.state, 0) + 1
    own = tuple((one.task_id, pick(one.names, actor.language)) for one in by_file.get("", ()) if _is_mine(actor, one))
    return Sitting(sitting_id, row.number or "", row.branch, row.status == "open", files, own, _when_and_where(session, actor, edition, row),
                   tuple(letters.of_dossier(session, actor, sitting_id)), counts)  # fmt: skip


def known(session: Session, actor: Any, file: FileRow) -> forms.Form | None:
    """What is known of a file that waits for no task of its own, as the reader may see it: what the deciding form shows and what was decided. None where the case is not hers."""
    home = operations.home_of_aid(session, f"aide:{file.aid_id}")
    row = _case_of(session, file.aid_id)
    if home is None or row is None:
        return None
    edition = editions.load(session, row.edition_id)
    whole = edition.forms[DECIDING]
    subjects = _subjects(home, file.aid_id)
    shown = tuple(name for name in forms.field_ids(whole) if name.startswith("aide.") and name not in whole.show)
    definition = replace(whole, show=(*shown, *whole.show), sections=(), checks=())
    rows = facts.readable(session, subjects, forms.field_ids(whole))
    seen = tasks.as_known(rows, subjects, definition, edition, staff.authors(session, actor.language, rows))
    form = forms.ask(definition, seen, tasks.readable_by(actor, home, home), lambda _found: False, clock.today(clock.now(session)), actor.language)
    consultations.note(session, home.root_id, "case", [authority.classes_of(one.spec) for one in form.known if not one.is_hidden])
    return form


def pieces(session: Session, actor: Any, file: FileRow) -> tuple[Piece, ...]:
    """The documents of a file and of its person that the reader may open, the newest first."""
    home, row = operations.home_of_aid(session, f"aide:{file.aid_id}"), _case_of(session, file.aid_id)
    if home is None or row is None:
        return ()
    edition = editions.load(session, row.edition_id)
    papers = [name for name, spec in edition.dictionary.fields.items() if spec.type == "doc"]
    found = [one for one in facts.readable(session, _subjects(home, file.aid_id), papers) if one.status == "known" and authority.readable(actor, one.field_class, one.author_agency, home)]
    return tuple(Piece(str(one.value), pick(edition.dictionary.fields[one.field].label, actor.language), one.recorded_at) for one in sorted(found, key=lambda one: -one.fact_id))


def _case_of(session: Session, aid_id: str) -> Any:
    return session.execute(text("SELECT edition_id FROM instance WHERE subject = :subject AND process = 'dossier_aide'"), {"subject": f"aide:{aid_id}"}).first()


def _subjects(home: Any, aid_id: str) -> facts.Subjects:
    return facts.Subjects(home.root_id, home.person_id, {"aide": aid_id, "mesure": aid_id})


def _is_mine(actor: Any, task: Any) -> bool:
    return authority.may(actor, "task.complete", agency=task.agency, role=task.role, branch=task.branch, holder_id=task.holder_id, case=task, did_before=task.did_before)


@dataclass
class _Told:
    """What the reader may see of a file in the list."""

    row: Any = None
    words: dict[str, str] = field(default_factory=dict)
    names: dict[str, Any] = field(default_factory=dict)
    decision: str = ""
    decided_by: UUID | None = None


def _told(session: Session, actor: Any, edition: Any, aids: Sequence[str]) -> dict[str, _Told]:
    """Of each file, in three queries however many there are."""
    found = {one: _Told() for one in aids}
    for row in session.execute(_DOSSIERS, {"subjects": [f"aide:{one}" for one in aids]}):
        found[row.subject.partition(":")[2]].row = row
    persons = {str(one.row.person_id): one for one in found.values() if one.row is not None}
    asked = {"subjects": [*(f"aide:{one}" for one in aids), *(f"person:{one}" for one in persons)], "fields": [*_TOLD, *beneficiaries.NAME_FIELDS]}
    for fact in session.execute(_FACTS, asked):
        kind, _, key = fact.subject.partition(":")
        one = found.get(key) if kind == "aide" else persons.get(key)
        if one is None or one.row is None or fact.value is None or not authority.readable(actor, fact._mapping["class"], fact.author_agency, one.row):
            continue
        consultations.note(session, one.row.root_id, "case", [fact._mapping["class"]])
        if kind == "person":
            for mine in (other for other in found.values() if other.row is not None and str(other.row.person_id) == key):
                mine.names[fact.field] = fact.value
            continue
        one.words[fact.field] = display(edition.dictionary.fields[fact.field], fact.value, actor.language)
        if fact.field == "aide.decision":
            one.decision, one.decided_by = fact.value, fact.instance_id
    return found


def _file(actor: Any, place: int, aid: str, waiting: Sequence[Any], told: _Told, sitting_id: UUID, is_frozen: bool, is_put_off: bool) -> FileRow:
    mine = next((one for one in waiting if _is_mine(actor, one)), None)
    task = mine or next(iter(waiting), None)
    is_decided = told.decided_by == sitting_id and not waiting
    is_withdrawn = not is_put_off and told.decided_by != sitting_id and ("aide.retrait" in told.words or (told.row is not None and told.row.status == "ended"))
    if is_put_off:
        state = "put_off"
    elif is_withdrawn:
        state = "withdrawn"
    elif mine is not None:
        state = "todo"
    elif waiting:
        state = "study" if waiting[0].process == STUDY else "decide"
    else:
        state = "decided" if is_decided else "day" if is_frozen else "listed"
    words = told.words
    return FileRow(
        aid, place, state, (told.row.number or "") if told.row is not None else "", beneficiaries.full_name(told.names, actor.language), words.get("aide.niveau", ""),
        words.get("aide.montant_propose", ""), words.get("aide.decision", "") if is_decided else "", told.decision if is_decided else "",
        words.get("aide.montant_accorde", "") if is_decided else "", task.task_id if task is not None else None,
        told.row.root_id if told.row is not None else None, told.row.instance_id if told.row is not None else None, words.get("aide.retrait", "") if is_withdrawn else "",
    )  # fmt: skip


def _when_and_where(session: Session, actor: Any, edition: Any, row: Any) -> tuple[tuple[str, str], ...]:
    found = {fact.field: fact.value for fact in session.execute(_FACTS, {"subjects": [row.subject], "fields": list(_OF_SITTING)})
             if fact.value is not None and authority.readable(actor, fact._mapping["class"], fact.author_agency, row)}  # fmt: skip
    fields = edition.dictionary.fields
    return tuple((pick(fields[name].label, actor.language), display(fields[name], found[name], actor.language)) for name in _OF_SITTING if name in found)
