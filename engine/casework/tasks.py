"""Tasks: seeing one, taking it, giving it back, passing it on, keeping a draft, completing it.

A task's version is the newest fact its form asks or shows: two agencies filling their parts the same day do not refuse one another.
"""

import datetime as dt
import hashlib
import json
from collections.abc import Collection, Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlmodel import Session

from engine import clock, errors, identity
from engine.actors import authority
from engine.casework import cases, operations
from engine.casework.instances import LOCK_BY_TASK, Change, Held, from_row
from engine.casework.views import Completed, TaskView
from engine.dossier import beneficiaries, consents, documents, facts, programmes
from engine.i18n import pick
from engine.pathway import bpmn
from forms import answers, field_types
from forms import form as forms

_TASK = text("""
    SELECT t.*, i.edition_id, i.person_id, i.scope, i.is_shared, i.social_worker_id, i.referent_id, i.seq, i.branch AS case_branch, u.name AS holder, masar_now() AS now,
           (SELECT dated_version FROM installation) AS dated_version,
           d.content AS draft
      FROM open_task t JOIN instance i USING (instance_id) LEFT JOIN user_account u ON u.user_id = t.holder_id
      LEFT JOIN draft d ON d.task_id = t.task_id AND d.user_id = :user WHERE t.task_id = :task""")
_DONE = text("""SELECT d.instance_id, d.root_id, d.done_by, d.done_at, d.outcome, d.key, d.request_digest, u.name, i.number, i.status FROM task_done d
                  JOIN instance i USING (instance_id) LEFT JOIN user_account u ON u.user_id = d.done_by WHERE d.task_id = :task""")
_HOLD = text("UPDATE open_task SET holder_id = :holder, claimed_at = :at, version = version + 1 WHERE task_id = :task")


def view(session: Session, actor: Any, task_id: UUID, correcting: Collection[str] = ()) -> TaskView:
    """A task with its form computed for the reader; `correcting`: known fields that she wishes to answer anew. Refuses: NotFound; `task.done` (Conflict) with who did it and when."""
    row = session.execute(_TASK, {"task": task_id, "user": actor.user_id}).one_or_none()
    if row is None:
        raise _gone(session, task_id)
    edition = cases.editions.load(session, row.edition_id)
    subjects = facts.Subjects(row.root_id, row.person_id, row.scope).narrowed(row.subjects)
    definition = edition.forms.get(row.form) or forms.confirm_only(row.form, row.names)
    seen = _known(session, edition, subjects, definition)
    asked = _ask(session, actor, edition, definition, seen, row, correcting)
    about = {"agency": row.agency, "role": row.role, "branch": row.branch, "holder_id": row.holder_id}
    may = frozenset(act for act in ("claim", "release", "complete", "pass") if authority.may(actor, f"task.{act}", **about))
    names = {known: one.value for known, one in seen.items() if known in beneficiaries.NAME_FIELDS}
    if not names:
        names = {fact.field: fact.value for fact in facts.readable(session, subjects, beneficiaries.NAME_FIELDS)}
    return TaskView(
        row.task_id, row.root_id, row.instance_id, row.case_number, beneficiaries.full_name(names, actor.language), row.node, pick(row.names, actor.language), row.process,
        row.agency, row.branch, row.role, row.holder_id, row.holder or "", row.opened_at, row.due_at, bool(row.due_at and row.due_at < row.now), row.stage,
        max((one.version for one in seen.values()), default=0), asked, row.draft, may,
    )  # fmt: skip


def claim(session: Session, actor: Any, task_id: UUID) -> None:
    """Takes a task in hand. Refuses: `task.held` (Conflict) naming who was first. Records: `task.claimed`."""
    held, row = _locked(session, actor, task_id, "task.claim")
    if row.holder_id == actor.user_id:
        return
    if row.holder_id is not None:
        raise _taken(session, row)
    _hold(session, actor, held, row, actor.user_id, "task.claimed")
    session.execute(text("DELETE FROM draft WHERE task_id = :task AND user_id <> :user"), {"task": task_id, "user": actor.user_id})


def release(session: Session, actor: Any, task_id: UUID) -> None:
    """Gives a task back to the branch's queue. Records: `task.released`."""
    held, row = _locked(session, actor, task_id, "task.release")
    if row.holder_id is not None:
        _hold(session, actor, held, row, None, "task.released")


def pass_to(session: Session, actor: Any, task_id: UUID, user_id: UUID) -> None:
    """Passes a task to a colleague who may do it. Refuses: `task.colleague_cannot`. Records: `task.passed`."""
    held, row = _locked(session, actor, task_id, "task.pass")
    if user_id not in {colleague.user_id for colleague in colleagues_for(session, row.task_agency, row.role, row.task_branch)}:
        raise errors.Invalid("task.colleague_cannot")
    _hold(session, actor, held, row, user_id, "task.passed")


def colleagues(session: Session, actor: Any, task_id: UUID) -> Sequence[Any]:
    """Who else may do this task."""
    row = session.execute(text("SELECT agency, role, branch FROM open_task WHERE task_id = :task"), {"task": task_id}).one_or_none()
    return () if row is None else [one for one in colleagues_for(session, row.agency, row.role, row.branch) if one.user_id != actor.user_id]


def colleagues_for(session: Session, agency: str, role: str, branch: str) -> Sequence[Any]:
    return session.execute(
        text("SELECT user_id, name, name_ar FROM user_account WHERE is_active AND agency = :agency AND branch = :branch AND :role = ANY (roles) ORDER BY name"),
        {"agency": agency, "role": role, "branch": branch},
    ).all()


def save_draft(session: Session, actor: Any, task_id: UUID, content: Mapping[str, Any]) -> None:
    """Keeps what is being typed, for its author alone, until the task is done."""
    if len(json.dumps(content, default=str)) > 200_000:
        raise errors.Invalid("task.draft_too_long")
    session.execute(
        text("""INSERT INTO draft (task_id, user_id, content) SELECT t.task_id, :user, CAST(:content AS jsonb) FROM open_task t WHERE t.task_id = :task
                ON CONFLICT (task_id, user_id) DO UPDATE SET content = excluded.content, saved_at = now()"""),
        {"task": task_id, "user": actor.user_id, "content": json.dumps(content, ensure_ascii=False)},
    )


def complete(session: Session, actor: Any, task_id: UUID, raw: Mapping[str, Any], version: int | None, key: str = "", *, is_typed: bool = True) -> Completed:
    """Does the task: checks the answers, records them as facts, and moves the case on.

    `raw`: field id → answer, as `forms.answers.read` takes them (`is_typed`: text as one types it, else JSON values only; plus `not_duplicate_of` and `not_duplicate_reason` where a double was suspected).
    None repeats a submission whose page can no longer be read: the same `key` answers as the first did.
    Refuses: NotFound; `task.done`, `task.held`, `task.stale` (Conflict); `task.answers` (Invalid, findings); `beneficiary.possible_duplicate` (Conflict).
    Records: `task.completed`.
    """
    digest = hashlib.sha256(json.dumps(raw, sort_keys=True, default=str).encode()).digest()
    row = session.execute(LOCK_BY_TASK, {"task": task_id}).one_or_none()
    if row is None:
        return _repeat(session, actor, task_id, key, digest if raw is not None else None)
    about = {"agency": row.task_agency, "role": row.role, "branch": row.task_branch, "holder_id": row.holder_id}
    if not authority.may(actor, "task.complete", **about):
        if row.holder_id not in (None, actor.user_id):
            raise _taken(session, row)
        raise errors.Forbidden("task.not_yours")
    held = from_row(session, row)
    change = Change(session, actor, held, held.now)
    edition = held.edition
    subjects = held.subjects.narrowed(row.subjects)
    definition = edition.forms.get(row.form) or forms.confirm_only(row.form, row.names)
    fields = sorted(set(forms.field_ids(definition)) | set(edition.reads))
    change.known = facts.snapshot(session, held.subjects if subjects is held.subjects else subjects, fields)
    seen = _as_known(change.known, subjects, definition, edition)
    if version is not None and version != max((one.version for one in seen.values()), default=0):
        newer = [one for one in seen.values() if one.version > version]
        raise errors.Conflict("task.stale", fields=[pick(edition.dictionary.fields[one.field].label, actor.language) for one in newer if one.field in edition.dictionary.fields])
    asked = _ask(session, actor, edition, definition, seen, row)
    own = {name: raw[name] for name in raw if name not in ("not_duplicate_of", "not_duplicate_reason")}
    said = answers.read(asked, own, actor.language, _around(session, row), is_typed=is_typed)
    if said.findings:
        raise errors.Invalid("task.answers", said.findings)
    new = _new_facts(said, subjects, edition, held)
    reason = _check_identity(session, actor, held, new, raw)
    if held.process == "seance_commission":
        change.home = operations.home_of_aid(session, next((one.subject for one in new if one.subject.startswith("aide:")), ""))
    documents.attach(session, actor, (change.home or held.subjects).root_id, new, edition.dictionary.fields)
    change.done.append({"task_id": str(task_id), "node": row.node, "outcome": "completed", "done_by": str(actor.user_id), "key": key, "digest": digest.hex()})
    if row.holder_id is None and row.role == "travailleur_social" and held.social_worker_id is None:
        held.social_worker_id = actor.user_id
    consents.apply(held, new)
    change.give("task.completed", bpmn.Complete(task_id=row.position, variables={}, at=held.now, seq=0, facts={}),
                {"task": row.position, "node": row.node, "form": row.form}, new, reason)  # fmt: skip
    cases.finish(change)
    mine = tuple(UUID(one["task_id"]) for one in change.opened
                 if authority.may(actor, "task.complete", agency=one["agency"], role=one["role"], branch=one["branch"], holder_id=one["holder_id"] and UUID(one["holder_id"])))  # fmt: skip
    return Completed(held.root_id, held.number or "", mine, held.status == "ended")


def _locked(session: Session, actor: Any, task_id: UUID, act: str) -> tuple[Held, Any]:
    row = session.execute(LOCK_BY_TASK, {"task": task_id}).one_or_none()
    if row is None:
        raise _gone(session, task_id)
    if not authority.may(actor, act, agency=row.task_agency, role=row.role, branch=row.task_branch, holder_id=row.holder_id):
        if act == "task.claim" and row.holder_id not in (None, actor.user_id):
            raise _taken(session, row)
        raise errors.Forbidden("task.not_yours")
    return from_row(session, row), row


def _hold(session: Session, actor: Any, held: Held, row: Any, holder: UUID | None, kind: str) -> None:
    change = Change(session, actor, held, held.now)
    change.note(kind, {"task": row.position, "node": row.node, "holder": str(holder or "")})
    if holder and row.role == "travailleur_social" and held.social_worker_id is None:
        held.social_worker_id = holder
    session.execute(_HOLD, {"task": row.task_id, "holder": holder, "at": held.now if holder else None})
    change.write()


def _gone(session: Session, task_id: UUID) -> errors.Refusal:
    done = session.execute(_DONE, {"task": task_id}).one_or_none()
    if done is None:
        return errors.NotFound("task.not_found")
    return errors.Conflict("task.done", who=done.name or "Masar", at=done.done_at, outcome=done.outcome, case_id=str(done.root_id))


def _taken(session: Session, row: Any) -> errors.Refusal:
    who = session.execute(text("SELECT name FROM user_account WHERE user_id = :id"), {"id": row.holder_id}).scalar()
    return errors.Conflict("task.held", who=who or "", case_id=str(row.root_id))


def _repeat(session: Session, actor: Any, task_id: UUID, key: str, digest: bytes | None) -> Completed:
    """The same submission again answers as the first did; another one is told who was first."""
    done = session.execute(_DONE, {"task": task_id}).one_or_none()
    if done is not None and key and done.key == key and done.done_by == actor.user_id:
        if digest is not None and bytes(done.request_digest or b"") != digest:
            raise errors.Conflict("task.key_reused")
        return Completed(done.root_id, done.number or "", (), done.status == "ended", is_repeat=True)
    raise _gone(session, task_id)


def _ask(session: Session, actor: Any, edition: Any, definition: Any, seen: Mapping[str, forms.Known], row: Any, correcting: Collection[str] = ()) -> forms.Form:
    """The form for this reader: what conditions read besides the facts is the same for seeing and for completing."""
    return forms.ask(definition, seen, _readable(actor, row), _writable(actor), clock.today(row.now), actor.language, _around(session, row),
                     correcting=correcting)  # fmt: skip


def _around(session: Session, row: Any) -> Mapping[str, Any]:
    return programmes.tables(session, row.dated_version).scope(clock.today(row.now))


def _readable(actor: Any, row: Any) -> Any:
    return lambda found, author_agency="": authority.readable(actor, authority.classes_of(found), author_agency, row)


def _writable(actor: Any) -> Any:
    return lambda found: authority.writable(actor, authority.classes_of(found))


def _known(session: Session, edition: Any, subjects: facts.Subjects, definition: Any) -> dict[str, forms.Known]:
    """What is known of the form's fields; who may see the values is decided by `forms.ask` with the actor's rights."""
    return _as_known(facts.snapshot(session, subjects, forms.field_ids(definition)), subjects, definition, edition)


def _as_known(rows: Sequence[facts.Fact], subjects: facts.Subjects, definition: Any, edition: Any) -> dict[str, forms.Known]:
    wanted = set(forms.field_ids(definition))
    by_key = {(row.subject, row.field): row for row in rows}
    found: dict[str, forms.Known] = {}
    for name in wanted:
        field = edition.dictionary.fields[name]
        key = subjects.key(field.subject) if field.subject != "member" else None
        row = by_key.get((key, name)) if key else None
        if row is None:
            continue
        value = row.value
        if name in edition.lists and row.status == "known":
            prefix = edition.lists[name]
            value = [{"id": one, **{fact.field: fact.value for (subject, _), fact in by_key.items() if subject == f"{prefix}:{one}"}} for one in row.value or []]
        found[name] = forms.Known(
            field=name, value=value, status=row.status, source=forms.Source(row.source.get("kind", "person"), row.source.get("label", "")), author=row.author_name,
            author_agency=row.author_agency, recorded_at=row.recorded_at, valid_until=row.valid_until, version=row.fact_id,
        )  # fmt: skip
    return found


def _new_facts(said: Any, subjects: facts.Subjects, edition: Any, held: Held) -> list[facts.NewFact]:
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
                unsaid = answer.statuses[place] if place < len(answer.statuses) else {}
                new += [_fact(row, edition.dictionary.fields[inner], None, status, held.now) for inner, status in unsaid.items()]
            value = ids
        new.append(_fact(key, field, value, answer.status, held.now, getattr(answer, "reason", "")))
    return new


def _fact(subject: str, field: Any, value: Any, status: str, now: dt.datetime, reason: str = "") -> facts.NewFact:
    until = now + field_types.duration(field.validity) if field.validity else None
    return facts.NewFact(subject, field.id, value, authority.classes_of(field), status, valid_until=until, reason=reason)


def _check_identity(session: Session, actor: Any, held: Held, new: Sequence[facts.NewFact], raw: Mapping[str, Any]) -> str:
    """An identity just said is looked for among the known: a match must be looked at, or set aside with a reason, before the case goes on."""
    values = {fact.field: fact.value for fact in new if fact.field in beneficiaries.IDENTITY_FIELDS and fact.status == "known"}
    if not values or held.person_id is None:
        return ""
    found = beneficiaries.matches(session, values, besides=held.person_id)
    aside = {str(one) for one in raw.get("not_duplicate_of") or ()}
    left = [one for one in found if str(one.case_id) not in aside]
    if left:
        raise errors.Conflict("beneficiary.possible_duplicate", candidates=[
            {"case_id": str(one.case_id), "case_number": one.case_number, "branch": one.branch, "status": one.status, "matched": list(one.kinds)} for one in left])  # fmt: skip
    reason = str(raw.get("not_duplicate_reason") or "").strip()
    if aside and not reason:
        raise errors.Invalid("beneficiary.reason_needed")
    beneficiaries.remember(session, held.person_id, values)
    return reason
