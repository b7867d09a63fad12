"""Tasks: seeing one, taking it, giving it back, passing it on, keeping a draft, completing it.

A task's version is the newest fact its form asks or shows: two agencies filling their parts the same day do not refuse one another.
"""

import datetime as dt
import hashlib
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlmodel import Session

from engine import clock, errors, identity
from engine.actors import authority
from engine.actors.agencies import OTE, PARTNERS
from engine.casework import cases, doubles, endings, hours, letters, notices, operations, staff, withdrawals
from engine.casework.instances import Change, Held, HeldTask, dated_scope, lock_by_task
from engine.casework.views import Completed, TaskView, Waiting
from engine.dossier import beneficiaries, consents, documents, facts
from engine.i18n import pick
from engine.ledger import consultations
from engine.pathway import bpmn
from forms import answers, field_types
from forms import form as forms

_TASK = text(f"""
    SELECT t.task_id, t.instance_id, t.root_id, t.process, t.node, t.names, t.form, t.subjects, t.agency, t.branch, t.role, t.holder_id, t.opened_at AS task_opened_at, t.due_at,
           t.stage, t.case_number, t.apart, i.edition_id, i.person_id, i.scope, i.subject AS instance_subject, i.opened_at, i.payments_held,
           coalesce(r.is_shared, false) AS is_shared, coalesce(r.is_shared_funder, false) AS is_shared_funder, coalesce(r.is_shared_operator, false) AS is_shared_operator,
           coalesce(r.assigned, '{{}}') AS assigned, r.social_worker_id, masar_is_kept(t.instance_id) AS is_kept,
           i.branch AS case_branch, {staff.called("u")} AS holder, masar_now() AS now, (SELECT dated_version FROM installation) AS dated_version,
           CASE WHEN t.apart <> '{{}}' THEN masar_did_before(t.task_id, CAST(:user AS uuid)) END AS did_before, d.content AS draft,
           CASE WHEN t.holder_id <> CAST(:user AS uuid) THEN masar_stand_in_of(t.holder_id) = CAST(:user AS uuid) END AS stood_in, md5(d.content::text) AS draft_stamp
      FROM open_task t JOIN instance i USING (instance_id) LEFT JOIN instance r ON r.instance_id = i.root_id LEFT JOIN user_account u ON u.user_id = t.holder_id
      LEFT JOIN draft d ON d.task_id = t.task_id AND d.user_id = :user WHERE t.task_id = :task""")
_DONE = text(f"""SELECT d.instance_id, d.root_id, d.done_by, d.done_at, d.outcome, d.key, d.request_digest, {staff.called("u")} AS name, i.number, i.status, i.branch FROM task_done d
                  JOIN instance i USING (instance_id) LEFT JOIN user_account u ON u.user_id = d.done_by WHERE d.task_id = :task""")
# A task as passing it on and drafting in it need it, unlocked, in the columns of the lock.
_PASSED = text("""SELECT i.instance_id, i.root_id, i.branch, coalesce(r.is_shared_operator, false) AS is_shared_operator, coalesce(r.assigned, '{}') AS assigned, t.agency AS task_agency, t.branch AS task_branch, t.role,
                         t.holder_id, masar_is_kept(t.instance_id) AS is_kept
                    FROM open_task t JOIN instance i USING (instance_id) LEFT JOIN instance r ON r.instance_id = i.root_id WHERE t.task_id = :task""")
_DID_BEFORE, _STOOD_IN = text("SELECT masar_did_before(:task, :user)"), text("SELECT masar_stand_in_of(:holder) = :me")
_STAFF = text("""SELECT user_id, name, name_ar FROM user_account WHERE is_active AND agency = :agency AND branch = :branch AND :role = ANY (roles)
                  AND masar_did_before(:task, user_id) IS NULL ORDER BY name""")
_ABOUT_DOUBLES = ("not_duplicate_of", "not_duplicate_reason", "same_as")
_SAVE = text("""INSERT INTO draft AS d (task_id, user_id, content) VALUES (:task, :user, CAST(:content AS jsonb)) ON CONFLICT (task_id, user_id) DO UPDATE
                SET content = excluded.content, saved_at = now() WHERE CAST(:stamp AS text) IS NULL OR md5(d.content::text) = :stamp
                 OR d.content ->> 'page' = excluded.content ->> 'page' OR d.content -> 'typed' = excluded.content -> 'typed' RETURNING 1""")  # what a page kept itself or began from
_SWEEP = text("DELETE FROM draft d WHERE NOT EXISTS (SELECT FROM open_task t WHERE t.task_id = d.task_id)")
_HOLD = text("UPDATE open_task SET holder_id = :holder, claimed_at = :at, version = version + 1 WHERE task_id = :task")


def view(session: Session, actor: Any, task_id: UUID, correcting: Collection[str] = ()) -> TaskView:
    """A task with its form computed for the reader; `correcting`: known fields that she wishes to answer anew. Refuses: NotFound; `task.done`, `task.over` (Conflict)."""
    row = session.execute(_TASK, {"task": task_id, "user": actor.user_id, "language": actor.language}).one_or_none()
    if row is None:
        raise _gone(session, actor, task_id)
    about = {"agency": row.agency, "role": row.role, "branch": row.branch, "holder_id": row.holder_id, "case": row, "did_before": row.did_before, "stood_in": row.stood_in}
    authority.require(actor, "task.read", case_branch=row.case_branch, **about)
    edition = cases.editions.load(session, row.edition_id)
    subjects = facts.Subjects(row.root_id, row.person_id, row.scope).narrowed(row.subjects)
    definition = edition.forms.get(row.form) or forms.confirm_only(row.form, row.names)
    seen = _known(session, edition, subjects, definition, actor.language)
    asked = _ask(session, actor, edition, definition, seen, row, _home(session, row.subjects, row.instance_subject), correcting)
    consultations.note(session, row.root_id, "task", _shown(asked))
    may = frozenset(act for act in ("claim", "release", "complete", "pass") if authority.may(actor, f"task.{act}", **about))
    names, of = {fact.field: fact.value for fact in facts.readable(session, subjects, beneficiaries.NAME_FIELDS)}, row.instance_subject.partition(":")[0]
    is_seen = authority.may(actor, "sitting.read" if of == "seance" else "case.read", branch=row.case_branch, case=row) and (of != "aide" or actor.agency != PARTNERS)
    return TaskView(
        row.task_id, row.root_id, row.instance_id, row.case_number, beneficiaries.full_name(names, actor.language), row.node, pick(row.names, actor.language), row.process,
        row.agency, row.branch, row.role, row.holder_id, row.holder or "", row.task_opened_at, row.due_at, bool(row.due_at and row.due_at < row.now), row.stage,
        max((one.version for one in seen.values()), default=0), asked, row.draft, may,
        pick(row.apart[row.did_before], actor.language) if row.did_before else "", stands_in(about),
        tuple(letters.of_dossier(session, actor, row.instance_id)) if row.instance_subject.startswith(("seance:", "aide:")) else (), row.draft_stamp or "", of if is_seen else "", row.payments_held,
    )  # fmt: skip


def claim(session: Session, actor: Any, task_id: UUID) -> None:
    """Takes a task in hand, also one of somebody who is away and in whose stead she works. Refuses: `task.held` (Conflict), naming who was first; `task.kept_apart`
    (Forbidden), what she did. Records: `task.claimed`."""
    held = _locked(session, actor, task_id, "task.claim")
    if held.holder_id == actor.user_id:
        return
    _hold(session, actor, held, actor.user_id, "task.claimed")


def release(session: Session, actor: Any, task_id: UUID, reason: str = "") -> None:
    """Gives a task back to the branch's queue; what is taken back from an operator is entrusted to her no more. Records: `task.released`."""
    held = _locked(session, actor, task_id, "task.release")
    if held.holder_id is not None:
        if held.holder_id in held.assigned and held.holder_id != actor.user_id and held.instance_id == held.root_id:
            held.assigned.remove(held.holder_id)
        _hold(session, actor, held, None, "task.released", reason)


def pass_to(session: Session, actor: Any, task_id: UUID, user_id: UUID, reason: str = "") -> None:
    """Passes a task to a colleague who may do it, unless it is in those hands already; an operator to whom one of hers is passed has the case from then on, until
    the case owner takes one back. Refuses: `task.colleague_cannot`. Records: `task.passed`."""
    held = _locked(session, actor, task_id, "task.pass")
    if held.holder_id == user_id:
        return
    to = next((group for group in _able(session, held, task_id) if user_id in {one.user_id for one in group.people}), None)
    if to is None:
        raise errors.Invalid("task.colleague_cannot")
    if to.is_entrusting:
        held.assigned = [user_id] if to.are_partners else []
    _hold(session, actor, held, user_id, "task.passed", reason)


def colleagues(session: Session, actor: Any, task_id: UUID) -> Sequence[Any]:
    """Who else may do this task: not whoever did one that it is kept apart from. Nobody, for whoever may not pass it."""
    row = session.execute(_PASSED, {"task": task_id}).one_or_none()
    if row is None or not authority.may(actor, "task.pass", agency=row.task_agency, role=row.role, branch=row.task_branch, holder_id=row.holder_id, case=row):
        return ()
    return [one for group in _able(session, row, task_id) for one in group.people if one.user_id != actor.user_id]


def able(session: Session, task_id: UUID) -> frozenset[UUID]:
    """Who may be given an open task, whoever asks; nobody where there is none in reach."""
    row = session.execute(_PASSED, {"task": task_id}).one_or_none()
    return frozenset(one.user_id for group in _able(session, row, task_id) for one in group.people) if row else frozenset()


@dataclass(frozen=True)
class _Able:
    """Some who may do a task. `is_entrusting`: passing it to one of them entrusts the case to her; to the case owner, to no partner any more."""

    people: Sequence[Any]
    is_entrusting: bool = False
    are_partners: bool = False


def _able(session: Session, row: Any, task_id: UUID) -> list[_Able]:
    """Who may be given a task: those of its role; where that is an operator's, operators if the person agreed that they be told, and the case owner."""
    def those(agency: str, role: str) -> Sequence[Any]:
        return session.execute(_STAFF, {"agency": agency, "role": role, "branch": row.task_branch, "task": task_id}).all()

    instead = authority.stands_in_for({"agency": row.task_agency, "role": row.role})  # whoever does it when no operator has the case
    if authority.is_withheld({"agency": row.task_agency, "case": row}):
        return [_Able(those(OTE, authority.stands_in_for({"agency": row.task_agency, "case": row})))]
    if not instead:
        return [_Able(those(row.task_agency, row.role))]
    if not row.is_shared_operator:
        return [_Able(those(OTE, instead))]
    if row.instance_id != row.root_id:  # a case is entrusted on its own row
        return [_Able([one for one in those(row.task_agency, row.role) if one.user_id in row.assigned])]
    return [_Able(those(row.task_agency, row.role), is_entrusting=True, are_partners=True), _Able(those(OTE, instead), is_entrusting=True)]


def stands_in(about: Mapping[str, Any]) -> str:
    """Why the case owner does another's task: `no_consent` (C3 was not given, or withdrawn), `nobody` (entrusted to no operator), `kept` (C1 was refused, or
    withdrawn); "" where she does not."""
    if authority.is_withheld(about):
        return "kept"
    return "" if not authority.stands_in_for(about) else "nobody" if about["case"].is_shared_operator else "no_consent"


def save_draft(session: Session, actor: Any, task_id: UUID, content: Mapping[str, Any], stamp: str | None = None) -> None:
    """Keeps what is being typed, for its author alone, until the task is done. `stamp`: of the draft that the typing began from ("" none; None: whatever there is); `page` in
    the content names where it is typed. Refuses: `task.draft_too_long`; `task.draft_elsewhere` (Conflict); NotFound, `task.done`, as seeing it would.
    """
    row = session.execute(_PASSED, {"task": task_id}).one_or_none()
    if row is None:
        raise _gone(session, actor, task_id)
    about = {"agency": row.task_agency, "role": row.role, "branch": row.task_branch, "holder_id": row.holder_id, "case": row}
    authority.require(actor, "task.draft", **about, case_branch=row.branch)
    if len(written := json.dumps(content, ensure_ascii=False, default=str)) > 200_000:
        raise errors.Invalid("task.draft_too_long")
    if session.execute(_SAVE, {"task": task_id, "user": actor.user_id, "content": written, "stamp": stamp}).scalar() is None:
        raise errors.Conflict("task.draft_elsewhere")


def sweep_drafts(session: Session) -> int:
    """Takes away what was being typed into tasks that are done or gone: whoever did them took her own away, not that of others. Returns how many."""
    return session.execute(_SWEEP).rowcount


def complete(session: Session, actor: Any, task_id: UUID, raw: Mapping[str, Any], version: int | None, key: str = "", *, is_typed: bool = True) -> Completed:
    """Does the task: checks the answers, records them as facts, and moves the case on.

    `raw`: field id → answer, as `forms.answers.read` takes them (`is_typed`: text as one types it, else JSON values only; plus, where a double was suspected, `not_duplicate_of` and
    `not_duplicate_reason`, or `same_as`: the signals of somebody who has now come).
    None repeats a submission whose page can no longer be read: the same `key` answers as the first did.
    Refuses: NotFound; `task.not_yours`, `task.kept_apart` (Forbidden); `task.done`, `task.held`, `task.stale` (Conflict); `task.answers` (Invalid, findings);
    `beneficiary.possible_duplicate` (Conflict).
    Records: `task.completed`.
    """
    digest = hashlib.sha256(json.dumps(raw, sort_keys=True, default=str).encode()).digest()
    case, held = withdrawals.case_of_task(session, task_id, raw), lock_by_task(session, task_id)
    if held is None:
        return _repeat(session, actor, task_id, key, digest if raw is not None else None)
    _check(session, actor, held, "task.complete")
    change, edition, subjects = Change(session, actor, held, held.now), held.edition, held.subjects.narrowed(held.task_subjects)
    definition = edition.forms.get(held.form) or forms.confirm_only(held.form, held.names)
    seen = as_known(change.know(subjects, {*forms.field_ids(definition), *edition.reads, *edition.prints}), subjects, definition, edition)
    if version is not None and version != max((one.version for one in seen.values()), default=0):
        newer = [one for one in seen.values() if one.version > version]
        raise errors.Conflict("task.stale", fields=[pick(edition.dictionary.fields[one.field].label, actor.language) for one in newer if one.field in edition.dictionary.fields])
    home = _home(session, held.task_subjects, held.subject)
    asked = _ask(session, actor, edition, definition, seen, held, home, is_shown=False)
    said = answers.read(asked, {name: raw[name] for name in raw if name not in _ABOUT_DOUBLES}, actor.language, _around(session, held), is_typed=is_typed)
    if said.findings:
        raise errors.Invalid("task.answers", said.findings)
    if case is not None:
        withdrawals.close_now(session, actor, case, said.values)
    new = facts_said(said, subjects, edition, held)
    reason, came = doubles.check_identity(session, held, new, raw)
    for one in came:
        change.send("signalement.arrivee", str(one.case_id), {"dossier": str(held.root_id)}, held.node)
    if home and any(one.subject.startswith("aide:") for one in new):
        change.home = facts.Subjects(home.root_id, home.person_id)
    documents.attach(session, actor, (change.home or held.subjects).root_id, new, edition.dictionary.fields)
    change.done.append({"task_id": str(task_id), "node": held.node, "outcome": "completed", "done_by": str(actor.user_id), "key": key, "digest": digest.hex()})
    instead = {"instead": True} if authority.is_withheld({"agency": held.task_agency, "case": held}) else {}
    if held.holder_id is None and held.role == "travailleur_social" and held.task_branch == held.branch and held.social_worker_id is None and not instead:
        held.social_worker_id = actor.user_id
    consents.apply(held, new)
    hours.attended(change, held)
    change.give("task.completed", bpmn.Complete(task_id=held.position, variables={}, at=held.now, seq=0, facts={}),
                {"task": held.position, "node": held.node, "form": held.form} | instead | _instead_of(held, actor.user_id) | ({"signals": [one.case_number for one in came]} if came else {}), new, reason)  # fmt: skip
    line = held.seq
    endings.finish(change)
    consents.keep(session, held, new)
    doubles.heard(session, actor, held, line, new)
    mine = tuple(UUID(one["task_id"]) for one in change.opened if _is_mine(session, actor, held, one))
    opened = tuple(Waiting("task", pick(one["names"], actor.language), one["node"], held.now, dt.datetime.fromisoformat(one["due_at"]) if one["due_at"] else None,
                           one["agency"], task_id=UUID(one["task_id"]), branch=one["branch"], role=one["role"]) for one in change.opened)  # fmt: skip
    return Completed(held.root_id, held.number or "", mine, held.status == "ended" and held.instance_id == held.root_id, opened=opened, letters=letters.just_written(change))


def _locked(session: Session, actor: Any, task_id: UUID, act: str) -> HeldTask:
    held = lock_by_task(session, task_id)
    if held is None:
        raise _gone(session, actor, task_id)
    _check(session, actor, held, act)
    return held


def _check(session: Session, actor: Any, held: HeldTask, act: str) -> None:
    """Refuses, of a locked task: NotFound where seeing it is not hers; `task.held`, naming who has it; `task.kept_apart`, what she did; `task.not_yours`."""
    about = {"agency": held.task_agency, "role": held.role, "branch": held.task_branch, "holder_id": held.holder_id, "case": held}
    # Asked once the case is locked: a task just done beside this one is seen.
    did = session.execute(_DID_BEFORE, {"task": held.task_id, "user": actor.user_id}).scalar() if held.apart else None
    is_others = act in ("task.claim", "task.complete") and held.holder_id not in (None, actor.user_id)
    stood_in = is_others and session.execute(_STOOD_IN, {"holder": held.holder_id, "me": actor.user_id}).scalar() is True
    if authority.may(actor, act, **about, did_before=did, stood_in=stood_in):
        return
    authority.require(actor, "task.read", **about, case_branch=held.branch)
    if is_others and not stood_in:
        raise _taken(session, actor, held)
    if did and authority.may(actor, act, **about, stood_in=stood_in):
        raise errors.Forbidden("task.kept_apart", did=pick(held.apart[did], actor.language))
    raise errors.Forbidden("task.not_yours")


def _is_mine(session: Session, actor: Any, held: Held, opened: Mapping[str, Any]) -> bool:
    """Whether a task just opened is the actor's to do next."""
    about = {name: opened[name] for name in ("agency", "role", "branch")} | {"holder_id": opened["holder_id"] and UUID(opened["holder_id"]), "case": held}
    if not authority.may(actor, "task.complete", **about):
        return False
    return not opened["apart"] or session.execute(_DID_BEFORE, {"task": opened["task_id"], "user": actor.user_id}).scalar() is None


def _hold(session: Session, actor: Any, held: HeldTask, holder: UUID | None, kind: str, reason: str = "") -> None:
    """In whose hands a task is from then on. Whoever it was taken from, and whoever it was given to, is told."""
    change = Change(session, actor, held, held.now)
    kept = {"instead": True} if authority.is_withheld({"agency": held.task_agency, "case": held}) else {}
    instead = _instead_of(held, holder) if kind == "task.claimed" else {}
    change.note(kind, {"task": held.position, "node": held.node, "holder": str(holder or "")} | kept | instead, reason=reason)
    about: dict[str, Any] = {"instance_id": held.instance_id, "task_id": held.task_id, "task": held.names}
    if held.holder_id != holder:
        notices.tell(session, actor, held.holder_id, "task.taken", held.branch, **about)
    notices.tell(session, actor, holder, "task.given", held.branch, **about)
    if holder and held.role == "travailleur_social" and held.task_branch == held.branch and held.social_worker_id is None and not kept:
        held.social_worker_id = holder
    session.execute(_HOLD, {"task": held.task_id, "holder": holder, "at": held.now if holder else None})
    change.write()


def _instead_of(held: HeldTask, doer: UUID | None) -> dict[str, str]:
    """For whom somebody does a task who has it not in hand herself: whoever is away, and for whom she stands in."""
    return {"instead_of": str(held.holder_id)} if held.holder_id not in (None, doer) and held.holder_id not in held.assigned else {}


def _gone(session: Session, actor: Any, task_id: UUID) -> errors.Refusal:
    done = session.execute(_DONE, {"task": task_id, "language": actor.language}).one_or_none()
    if done is None or not (done.done_by == actor.user_id or authority.may(actor, "case.read", branch=done.branch)):
        return errors.NotFound("task.not_found")
    told = {"who": done.name or "Masar", "at": done.done_at, "outcome": done.outcome, "case_id": str(done.root_id)}
    return errors.Conflict("task.done", **told) if done.outcome == "completed" else errors.Conflict("task.over", **told)


def _taken(session: Session, actor: Any, held: HeldTask) -> errors.Refusal:
    who = staff.names(session, actor.language, [held.holder_id])
    return errors.Conflict("task.held", who=who.get(str(held.holder_id), ""), case_id=str(held.root_id))


def _repeat(session: Session, actor: Any, task_id: UUID, key: str, digest: bytes | None) -> Completed:
    """The same submission again answers as the first did; another one is told who was first."""
    done = session.execute(_DONE, {"task": task_id, "language": actor.language}).one_or_none()
    if done is not None and key and done.key == key and done.done_by == actor.user_id:
        if digest is not None and bytes(done.request_digest or b"") != digest:
            raise errors.Conflict("task.key_reused")
        return Completed(done.root_id, done.number or "", (), done.status == "ended" and done.instance_id == done.root_id, is_repeat=True)
    raise _gone(session, actor, task_id)


def _ask(session: Session, actor: Any, edition: Any, definition: Any, seen: Mapping[str, forms.Known], row: Any, home: Any,
         correcting: Collection[str] = (), *, is_shown: bool = True) -> forms.Form:  # fmt: skip
    """The form for this reader: what conditions read besides the facts is the same for seeing and for completing."""
    return forms.ask(definition, seen, readable_by(actor, row, home), writable_by(actor), clock.today(row.now), actor.language, _around(session, row),
                     correcting=correcting, is_shown=is_shown, signer=actor.names)  # fmt: skip


def _around(session: Session, row: Any) -> Mapping[str, Any]:
    return {**dated_scope(session, row, clock.today(row.now)), "dossier": {"ouvert_le": clock.today(row.opened_at)}}


def _home(session: Session, subjects: Sequence[str], instance_subject: str) -> Any:
    """The case that a sitting's task is about, through the aid on the agenda; None where the task is about its own case."""
    if not instance_subject.startswith("seance:"):
        return None
    return operations.home_of_aid(session, next((one for one in subjects if one.startswith("aide:")), ""))


def _shown(asked: forms.Form) -> list[str]:
    """The classes of the values that a form shows; of a list, those of its rows."""
    known = [one for one in asked.known if not one.is_hidden] + [one for one in asked.questions() if one.known is not None]
    return [authority.classes_of(spec) for one in known for spec in (one.spec, *one.rows)]


def readable_by(actor: Any, row: Any, home: Any) -> Any:
    """What the reader may see of a field: of its own case, which at a sitting is not the one whose task it is."""
    def may_read(found: Any, author_agency: str = "") -> bool:
        return authority.readable(actor, authority.classes_of(found), author_agency, home if home and found.subject != "sitting" else row)

    return may_read


def writable_by(actor: Any) -> Any:
    return lambda found: authority.writable(actor, authority.classes_of(found))


def _known(session: Session, edition: Any, subjects: facts.Subjects, definition: Any, language: str) -> dict[str, forms.Known]:
    """What is known of the form's fields; who may see the values is decided by `forms.ask` with the actor's rights."""
    rows = facts.snapshot(session, subjects, forms.field_ids(definition))
    return as_known(rows, subjects, definition, edition, staff.authors(session, language, rows))


def as_known(rows: Sequence[facts.Fact], subjects: facts.Subjects, definition: Any, edition: Any, authors: Mapping[str, str] | None = None) -> dict[str, forms.Known]:
    """The facts as a form takes them: those of its fields, of the subjects seen from here; rows of a list put together."""
    by_key = {(row.subject, row.field): row for row in rows}
    found: dict[str, forms.Known] = {}
    for name in set(forms.field_ids(definition)):
        subject = edition.dictionary.fields[name].subject
        key = subjects.key(subject) if subject != "member" else None
        row = by_key.get((key, name)) if key else None
        if row is None:
            continue
        value = row.value
        if name in edition.lists and row.status == "known":
            prefix = edition.lists[name]
            value = [{"id": one, **{fact.field: fact.value for (subject, _), fact in by_key.items() if subject == f"{prefix}:{one}"}} for one in row.value or []]
        found[name] = forms.Known(
            field=name, value=value, status=row.status, source=forms.Source(row.source.get("kind", "person"), row.source.get("label", "")),
            author=(authors or {}).get(str(row.author_id), row.author_name), author_agency=row.author_agency, recorded_at=row.recorded_at, valid_until=row.valid_until, version=row.fact_id,
        )  # fmt: skip
    return found


def facts_said(said: Any, subjects: facts.Subjects, edition: Any, held: Held) -> list[facts.NewFact]:
    """The answers as facts: rows of a list become subjects of their own, with ids that replay finds again."""
    new: list[facts.NewFact] = []
    for ordinal, (name, answer) in enumerate(said.values.items()):
        field = edition.dictionary.fields[name]
        key = subjects.key(field.subject)
        if key is None:
            raise errors.Invalid("task.no_subject", field=name)
        value = answer.value
        if name in edition.lists and answer.status == "known":
            prefix = edition.lists[name]
            ids = []
            for place, item in enumerate(value or []):
                item_id = str(identity.parse(item.get("id")) or identity.derived_id(held.instance_id, f"{held.seq + 1}.{name}.{ordinal}.{place}"))
                ids.append(item_id)
                row = f"{prefix}:{item_id}"
                new += [_fact(row, edition.dictionary.fields[inner], one, "known", held.now) for inner, one in item.items() if inner != "id" and one is not None]
                new += [_fact(row, edition.dictionary.fields[inner], None, status, held.now) for statuses in answer.statuses[place : place + 1] for inner, status in statuses.items()]
            value = ids
        new.append(_fact(key, field, value, answer.status, held.now, getattr(answer, "reason", "")))
    return new


def _fact(subject: str, field: Any, value: Any, status: str, now: dt.datetime, reason: str = "") -> facts.NewFact:
    until = now + field_types.duration(field.validity) if field.validity else None
    return facts.NewFact(subject, field.id, value, authority.classes_of(field), status, valid_until=until, reason=reason)
