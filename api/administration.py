"""Administration: accounts and what waits for a second administrator, access reviews, administration by file, the journal."""

from dataclasses import dataclass
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Path, Query
from pydantic import AwareDatetime, BaseModel, Field

from api import problems
from api.dependencies import Acting, Body, Reading, Route, Writing
from engine import i18n
from engine.actors import accounts, reviews
from engine.actors.accounts import Account, Proposal
from engine.actors.reviews import Review, WholeReview
from engine.casework import imports

router = APIRouter(prefix="/admin", tags=["administration"], route_class=Route)
Reason = Annotated[str, Field(min_length=1, max_length=accounts.LONGEST_REASON, description="Reasoned; it goes into the journal.")]
Code = Annotated[str, Field(max_length=40)]
Known = Annotated[bool, Field(description="That nobody else holds a role there (409 `account.last_holder` says which, and what would wait) was read.")]


class Reasoned(Body):
    reason: Reason


class Leaving(Reasoned):
    is_known: Known = False


class Rights(Reasoned):
    agency: Code
    branch: Code
    roles: list[Code] = Field(max_length=20)


class NewRights(Rights, Leaving):
    pass


class NewAccount(Rights):
    username: str = Field(min_length=1, max_length=100)
    name: str = Field(min_length=1, max_length=accounts.LONGEST_NAME)
    name_ar: str = Field(default="", max_length=accounts.LONGEST_NAME)
    language: Literal["fr", "ar", "en"] = "fr"


class Names(Reasoned):
    name: str = Field(min_length=1, max_length=accounts.LONGEST_NAME)
    name_ar: str = Field(default="", max_length=accounts.LONGEST_NAME)
    language: Literal["fr", "ar", "en"]


class Given(BaseModel):
    """`password` is said once: it opens the account once, for a week, to choose another. `proposal_id`: what a second administrator has to approve."""

    account: Account
    password: str
    proposal_id: UUID | None


@dataclass(frozen=True)
class Accounts:
    """Those that answer, at most five hundred."""

    items: tuple[Account, ...]


@dataclass(frozen=True)
class Proposals:
    items: tuple[Proposal, ...]


@dataclass(frozen=True)
class Reviews:
    items: tuple[Review, ...]


class NewReview(Reasoned):
    agency: Code = Field(default="", description="Empty: every agency.")
    branch: Code = Field(default="", description="Empty: every branch.")
    idle_days: int = Field(default=reviews.IDLE_DAYS, ge=1, le=3650)


class Decided(Body):
    is_known: Known = False
    decision: Literal["kept", "withdrawn"]
    reason: str = Field(default="", max_length=accounts.LONGEST_REASON, description="Needed where access is withdrawn.")


class JournalLine(BaseModel):
    seq: int
    kind: str = Field(examples=["account.created"])
    about: str = Field(examples=["user:01999f39-0d21-7b44-a1b2-c3d4e5f60718"])
    at: AwareDatetime
    actor_id: str
    body: dict[str, Any]
    said: dict[str, Any] = Field(description="What the line sealed: names, the reason. Empty once its key is gone.")


class Journal(BaseModel):
    items: list[JournalLine]
    next: int | None = Field(description="`before` of the next page.")


class FileSent(Reasoned):
    content: str = Field(description="The CSV file as text, 500 kB at most; its first line names the columns.")
    is_trial: bool = Field(default=True, description="Tries everything and changes nothing.")
    is_known: bool = Field(default=False, description="That the warnings of a trial were read: without it a file that has any is not taken up.")


class LineFound(BaseModel):
    line: int
    severity: Literal["error", "warning"]
    code: str
    detail: str


class FileTaken(BaseModel):
    """What a file did, or would. Where `errors` is not empty nothing was done."""

    kind: str
    count: int
    is_done: bool
    errors: list[LineFound]
    passwords: dict[str, str] = Field(description="User name → password, said once.")
    proposals: int


@router.get("/accounts", responses=problems.described(401, 403, 422))
def show_accounts(
    actor: Acting, session: Reading, search: Annotated[str, Query(max_length=100)] = "", agency: Code = "", branch: Code = "", role: Code = "",
    state: Literal["", "active", "closed", "new"] = "", idle_days: Annotated[int, Query(ge=0, le=3650)] = 0,
) -> Accounts:  # fmt: skip
    """Accounts, those in use first. `idle_days`: not used for so long; `proposed`: what waits for a second administrator."""
    return Accounts(accounts.listed(session, actor, search=search, agency=agency, branch=branch, role=role, state=state, idle_days=idle_days))


@router.post("/accounts", status_code=201, responses=problems.described(401, 403, 409, 422))
def create_account(actor: Acting, session: Writing, asked: NewAccount) -> Given:
    """Makes an account. Roles that decide, pay, publish or give rights wait for a second administrator."""
    made = accounts.create(session, actor, asked.username, asked.name, asked.agency, asked.branch, asked.roles, asked.reason, name_ar=asked.name_ar, language=asked.language)
    return _given(session, actor, made)


@router.get("/accounts/{user_id}", responses=problems.described(401, 403, 404))
def show_account(actor: Acting, session: Reading, user_id: UUID) -> Account:
    """One account."""
    return accounts.show(session, actor, user_id)


@router.put("/accounts/{user_id}/names", responses=problems.described(401, 403, 404, 422))
def rename(actor: Acting, session: Writing, user_id: UUID, asked: Names) -> Account:
    """What somebody is called, in both scripts, and the language of her pages."""
    accounts.rename(session, actor, user_id, asked.name, asked.name_ar, asked.language, asked.reason)
    return accounts.show(session, actor, user_id)


@router.put("/accounts/{user_id}/rights", responses=problems.described(401, 403, 404, 409, 422))
def set_rights(actor: Acting, session: Writing, user_id: UUID, asked: NewRights) -> Given:
    """Agency, branch and roles, at once or as a proposal (`proposal_id`). Opens a closed account again."""
    return _given(session, actor, accounts.set_rights(session, actor, user_id, asked.agency, asked.branch, asked.roles, asked.reason, is_known=asked.is_known))


@router.post("/accounts/{user_id}/close", responses=problems.described(401, 403, 404, 409, 422))
def close(actor: Acting, session: Writing, user_id: UUID, asked: Leaving) -> Account:
    """Closes an account: its sessions end now, what it holds goes back to its queue."""
    accounts.close(session, actor, user_id, asked.reason, is_known=asked.is_known)
    return accounts.show(session, actor, user_id)


@router.post("/accounts/{user_id}/password", responses=problems.described(401, 403, 404, 409, 422))
def reset_password(actor: Acting, session: Writing, user_id: UUID, asked: Reasoned) -> Given:
    """A password that opens the account once, or, for whoever decides or pays, a proposal."""
    return _given(session, actor, accounts.reset_password(session, actor, user_id, asked.reason))


@router.get("/proposals", responses=problems.described(401, 403, 422))
def show_proposals(actor: Acting, session: Reading, state: Literal["", "open", "approved", "refused", "withdrawn"] = "") -> Proposals:
    """What one administrator asked for and another has to decide."""
    return Proposals(accounts.proposals(session, actor, state=state))


@router.post("/proposals/{proposal_id}/approve", responses=problems.described(401, 403, 404, 409))
def approve(actor: Acting, session: Writing, proposal_id: UUID) -> Given:
    """Does what was proposed. Refused (403 `proposal.own`) to whoever proposed it, and to whom it is about."""
    return _given(session, actor, accounts.approve(session, actor, proposal_id))


@router.post("/proposals/{proposal_id}/refuse", responses=problems.described(401, 403, 404, 409, 422))
def refuse(actor: Acting, session: Writing, proposal_id: UUID, asked: Reasoned) -> Proposals:
    """Refuses a proposal, or withdraws one's own. Answers what still waits."""
    accounts.refuse(session, actor, proposal_id, asked.reason)
    return Proposals(accounts.proposals(session, actor, state="open"))


@router.get("/reviews", responses=problems.described(401, 403))
def show_reviews(actor: Acting, session: Reading) -> Reviews:
    """Access reviews, the newest first."""
    return Reviews(reviews.listed(session, actor))


@router.post("/reviews", status_code=201, responses=problems.described(401, 403, 422))
def begin_review(actor: Acting, session: Writing, asked: NewReview) -> WholeReview:
    """Begins a review of the accounts in use."""
    return reviews.show(session, actor, reviews.begin(session, actor, asked.agency, asked.branch, asked.idle_days, asked.reason))


@router.get("/reviews/{review_id}", responses=problems.described(401, 403, 404))
def show_review(actor: Acting, session: Reading, review_id: UUID) -> WholeReview:
    """A review, account by account, as each was when it began."""
    return reviews.show(session, actor, review_id)


@router.post("/reviews/{review_id}/accounts/{user_id}", responses=problems.described(401, 403, 404, 409, 422))
def decide(actor: Acting, session: Writing, review_id: UUID, user_id: UUID, asked: Decided) -> WholeReview:
    """Keeps an account's access or withdraws it (the account is closed). Nobody reviews herself."""
    reviews.decide(session, actor, review_id, user_id, asked.decision, asked.reason, is_known=asked.is_known)
    return reviews.show(session, actor, review_id)


@router.post("/reviews/{review_id}/close", responses=problems.described(401, 403, 404, 409, 422))
def conclude(actor: Acting, session: Writing, review_id: UUID, asked: Reasoned) -> WholeReview:
    """Closes a review once every account was looked at; `reason` is its conclusion."""
    reviews.conclude(session, actor, review_id, asked.reason)
    return reviews.show(session, actor, review_id)


@router.post("/import/{kind}", responses=problems.described(401, 403, 404, 422))
def take_up(actor: Acting, session: Writing, kind: Annotated[str, Path(description="`users`, `branches`, `holidays`, `parameters` or `programmes`.")], sent: FileSent) -> FileTaken:
    """Takes a CSV file up, all of it or nothing; by default only tries it. `errors` names every line that is wrong."""
    report = imports.run(session, actor, kind, sent.content.encode(), sent.reason, is_trial=sent.is_trial, is_known=sent.is_known)
    found = [LineFound(line=int(one.where or 0), severity=one.severity, code=one.code, detail=i18n.translate(one.code, actor.language, **one.details)) for one in report.findings]
    return FileTaken(kind=kind, count=report.count, is_done=report.is_done, errors=found, passwords=dict(report.passwords), proposals=report.proposals)


@router.get("/journal", responses=problems.described(401, 403, 422))
def show_journal(
    actor: Acting, session: Reading, before: Annotated[int, Query(ge=0, le=2**62)] = 0, about: Annotated[str, Query(max_length=80)] = "",
    kind: Annotated[str, Query(max_length=40)] = "", limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> Journal:  # fmt: skip
    """Who changed what, when and why, the newest first; `kind` may be the beginning of one (`account.`)."""
    found = accounts.history(session, actor, before, about, kind, limit + 1)
    items = [JournalLine(**vars(one)) for one in found[:limit]]
    return Journal(items=items, next=items[-1].seq if len(found) > limit else None)


def _given(session: Any, actor: Any, made: accounts.Given) -> Given:
    return Given(account=accounts.show(session, actor, made.user_id), password=made.password, proposal_id=made.proposal_id)
