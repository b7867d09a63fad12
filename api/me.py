"""Who the token's owner is."""

from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel

from api import problems
from api.dependencies import Acting

router = APIRouter(tags=["account"])


class Me(BaseModel):
    user_id: UUID
    username: str
    name: str
    agency: str
    branch: str
    roles: list[str]
    language: str


@router.get("/me", responses=problems.described(401))
def show(actor: Acting) -> Me:
    """The account: agency (`OTE`, `CPS`, `ANETI`, `PART`), branch and roles decide what it may do; `language` is that of this answer."""
    return Me(
        user_id=actor.user_id,
        username=actor.username,
        name=actor.name,
        agency=actor.agency,
        branch=actor.branch,
        roles=sorted(actor.roles),
        language=actor.language,
    )
