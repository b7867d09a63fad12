"""Publication: how a draft becomes the edition that new cases follow, by two persons. One submits with a reason, another who wrote nothing in it approves.

Bringing a former edition back goes the same way: a draft of it, submitted in the same act.
"""

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlmodel import Session

from engine import clock, errors, i18n
from engine.actors import approvals, authority
from engine.casework import acceptances, drafts, editions, judging, proposals
from engine.casework import findings as findings_of_audit
from engine.casework.acceptances import Accepted
from engine.casework.comparisons import BurdenLine
from engine.database import Alone

LONGEST_REASON = 2000
_SUBMIT = text("""UPDATE edition_draft SET state = 'submitted', version = version + 1, submitted_by = :by, submitted_at = :at, starts_at = :starts,
                         reason = :reason, accepted = :accepted, burden_reason = :burden_reason, decided_by = NULL, decided_at = NULL, refusal = '' WHERE draft_id = :id""")
_REFUSE = text("""UPDATE edition_draft SET state = 'open', version = version + 1, decided_by = :by, decided_at = :at, refusal = :reason WHERE draft_id = :id""")
_APPROVE = text("""UPDATE edition_draft SET state = 'published', version = version + 1, decided_by = :by, decided_at = :at, edition_id = :edition,
                          starts_at = :starts WHERE draft_id = :id""")
_PEOPLE = text("""SELECT submitted_by FROM edition_draft WHERE draft_id = :id
                   UNION SELECT saved_by FROM draft_save WHERE draft_id = :id AND saved_by IS NOT NULL""")


def findings(whole: drafts.Whole) -> Sequence[errors.Finding]:
    """What forbids the publication of a draft (`error`) and what should be looked at before (`warning`). The same files are judged once."""
    return editions.check(whole.files, whole.base.files)


def standing(session: Session, whole: drafts.Whole) -> frozenset[tuple[str, str]]:
    """What the edition that the draft would replace is found wanting of already: code and place."""
    return frozenset((one.code, one.where) for one in editions.check(proposals.against(session, whole).files))


def reasons_before(session: Session, whole: drafts.Whole, language: str) -> Mapping[str, Accepted]:
    """Why warnings of the edition that the draft would replace, or was forked from, were accepted, by `acceptances.digest_of`."""
    old = proposals.against(session, whole)
    return acceptances.of(session, language, [old.edition_id, whole.base.edition_id], editions.check(old.files))


def judged_already(whole: drafts.Whole) -> Sequence[errors.Finding] | None:
    """The same, at once, where these very files were judged before; None elsewhere."""
    return judging.at_hand(whole.files, editions.house())


def require_publishable(found: Sequence[errors.Finding], accepted: str, before: Mapping[str, Accepted] = MappingProxyType({})) -> None:
    """Refuses: `draft.has_errors`, naming each; `draft.warnings_need_reason`, naming each that nobody accepted before, when nobody says why these are accepted."""
    if wrong := [one for one in found if one.severity == "error"]:
        raise errors.Invalid("draft.has_errors", wrong)
    new = [one for one in found if acceptances.digest_of(one) not in before]
    if new and not accepted.strip():
        raise errors.Invalid("draft.warnings_need_reason", new)


def require_borne(rises: Sequence[BurdenLine], reason: str) -> None:
    """Refuses: `draft.burden_needs_reason`, naming each figure that rises, when nobody says why more is asked of people."""
    if rises and not reason.strip():
        raise errors.Invalid("draft.burden_needs_reason", [errors.Finding("burden.rise", details={"change": one.text}, severity="warning") for one in rises])


def submit(
    session: Session, actor: Any, draft_id: UUID, reason: str, *, accepted: str = "", burden_reason: str = "", starts_at: dt.datetime | None = None
) -> None:
    """Asks for a draft to be published from an instant on; without one, from its approval.

    Refuses: Forbidden, `draft.not_found`, `draft.not_open`, `draft.reason_needed`, `draft.has_asides`, `draft.behind`, `draft.starts_before_now`,
    `draft.nothing_changed`, `draft.has_errors`, `draft.warnings_need_reason`, `draft.burden_needs_reason`.
    """
    whole, now = drafts.locked(session, actor, draft_id), clock.now(session)
    reason, accepted, burden_reason = _reason(reason), *(_reason(one) if one.strip() else "" for one in (accepted, burden_reason))
    if whole.asides:
        raise errors.Conflict("draft.has_asides", number=len(whole.asides))
    if whole.draft.is_behind:
        raise errors.Conflict("draft.behind")
    if starts_at is not None and starts_at < now:
        raise errors.Invalid("draft.starts_before_now", at=now)
    followed = editions.in_force_at(session, starts_at or now)
    if followed and dict(editions.load(session, followed).files) == whole.files:
        raise errors.Invalid("draft.nothing_changed")
    require_publishable(findings(whole), accepted, reasons_before(session, whole, actor.language))
    require_borne(proposals.rises(session, actor, whole, starts_at or now), burden_reason)
    session.execute(_SUBMIT, {
        "id": draft_id, "by": actor.user_id, "at": now, "starts": starts_at, "reason": reason, "accepted": accepted, "burden_reason": burden_reason,
    })  # fmt: skip
    approvals.ask(session, actor, _approves(session, draft_id), "draft", draft_id, title=drafts.titles(session, draft_id))


def approve(session: Session, actor: Any, draft_id: UUID, version: int) -> int:
    """Publishes what another submitted: the edition of its number begins at the instant asked for, or now when that is past. `version`: the one that was read.

    Refuses: Forbidden; `draft.own` (Forbidden) to whoever saved anything in it or submitted it; `draft.not_found`, `draft.not_submitted`,
    `draft.stale` (sent back and submitted again meanwhile), `draft.behind`, `finding.holds` (an auditor's finding is not closed), `draft.has_errors`, `draft.burden_needs_reason`.
    """
    Alone.PUBLISHING.take(session)
    whole, now = drafts.locked(session, actor, draft_id, "submitted"), clock.now(session)
    if not _approves(session, draft_id)(actor):
        raise errors.Forbidden("draft.own")
    draft = whole.draft
    if version != draft.version:
        raise errors.Conflict("draft.stale")
    if draft.is_behind:
        raise errors.Conflict("draft.behind")
    findings_of_audit.require_none_holding(session)
    starts_at = max(now, draft.starts_at or now)
    found, before = findings(whole), reasons_before(session, whole, actor.language)
    require_publishable(found, draft.accepted, before)
    require_borne(proposals.rises(session, actor, whole, starts_at), draft.burden_reason)
    submitter = _submitter(session, draft_id)
    edition = editions.keep(session, whole.files, now, submitter, draft.reason)
    submitted_at = draft.submitted_at or now
    session.execute(_APPROVE, {"id": draft_id, "by": actor.user_id, "at": now, "edition": edition.edition_id, "starts": starts_at})
    editions.start(session, edition.edition_id, starts_at, asked_by=submitter, approved_by=actor.user_id, reason=draft.reason,
                   burden_reason=draft.burden_reason, draft_id=draft_id)  # fmt: skip
    acceptances.keep(session, edition.edition_id, found, before, draft.accepted, submitter, submitted_at)
    approvals.answer(session, actor, submitter, "draft.published", draft_id, title=drafts.titles(session, draft_id))
    return edition.number


def awaited(session: Session, actor: Any, draft: drafts.Draft) -> tuple[str, ...]:
    """Whose approval a submitted draft waits for: any of them; nobody where none may."""
    return tuple(one.called(actor.language) for one in approvals.who(session, _approves(session, draft.draft_id))) if draft.state == "submitted" else ()


def refuse(session: Session, actor: Any, draft_id: UUID, version: int, reason: str) -> bool:
    """Sends a draft back to whoever prepares it, saying why; whoever submitted it takes it back the same way: whether it was so.

    Refuses: Forbidden, `draft.not_found`, `draft.not_submitted`, `draft.stale`, `draft.reason_needed`.
    """
    whole = drafts.locked(session, actor, draft_id, "submitted")
    if version != whole.draft.version:
        raise errors.Conflict("draft.stale")
    session.execute(_REFUSE, {"id": draft_id, "by": actor.user_id, "at": clock.now(session), "reason": _reason(reason)})
    submitter = _submitter(session, draft_id)
    approvals.answer(session, actor, submitter, "draft.sent_back", draft_id, title=drafts.titles(session, draft_id))
    return submitter == actor.user_id


def bring_back(
    session: Session, actor: Any, edition_id: UUID, reason: str, *, accepted: str = "", burden_reason: str = "", starts_at: dt.datetime | None = None
) -> UUID:
    """Asks for a former edition to be followed again, in one act; it begins when another person approves. Refuses: as `drafts.open_draft` and `submit`."""
    number = editions.find(session, actor, edition_id).number
    draft_id = drafts.open_draft(session, actor, i18n.translate("draft.bring_back", actor.language, number=number), edition_id)
    submit(session, actor, draft_id, reason, accepted=accepted, burden_reason=burden_reason, starts_at=starts_at)
    return draft_id


def _approves(session: Session, draft_id: UUID) -> Callable[[Any], bool]:
    """Whether somebody may approve it: a coordinator who wrote nothing in it and did not submit it."""
    authors = set(session.execute(_PEOPLE, {"id": draft_id}).scalars())
    return lambda one: authority.may(one, "draft.approve", authors=authors)


def _submitter(session: Session, draft_id: UUID) -> UUID:
    return session.execute(text("SELECT submitted_by FROM edition_draft WHERE draft_id = :id"), {"id": draft_id}).scalar_one()


def _reason(reason: str) -> str:
    reason = reason.strip()
    if not reason or len(reason) > LONGEST_REASON or "\0" in reason:
        raise errors.Invalid("draft.reason_needed", longest=LONGEST_REASON)
    return reason
