"""What Masar applies without a public text saying so, for those who can have it confirmed or corrected."""

from fastapi import APIRouter
from starlette.responses import Response

from engine.casework import inferred
from web.dependencies import Acting, OnScreen, Reading

router = APIRouter()


@router.get("/inferred")
def show(screen: OnScreen, actor: Acting, session: Reading) -> Response:
    """Everything marked, by kind."""
    groups = inferred.marked(session, actor, screen.language)
    return screen.show("inferred/page.html", groups=[{"title": screen.words.text(f"inferred.{kind}"), "rows": rows} for kind, rows in groups.items()])
