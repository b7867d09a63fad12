"""A letter to print: in French and in Arabic on one sheet, as the person receives it."""

from uuid import UUID

from fastapi import APIRouter
from starlette.responses import Response

from engine.casework import letters
from web import rendering, sentences
from web.dependencies import Acting, OnScreen, Reading

router = APIRouter()
BOTH = ("fr", "ar")


@router.get("/letters/{letter_id}")
def show(screen: OnScreen, actor: Acting, session: Reading, letter_id: UUID) -> Response:
    """The sheet, with a button that prints it."""
    letter = letters.read(session, actor, letter_id)
    person, aid = letter.content.get("personne", {}), letter.content.get("aide", {})
    sides = []
    for language in BOTH:
        words = rendering.words(language)
        name = f"{person.get(f'prenom_{language}', '')} {person.get(f'nom_{language}', '')}".strip()
        sides.append({"language": language, "w": words, "title": sentences.letter(words, letter.template), "name": name or _other_script(person, language)})
    return screen.show("letters/page.html", letter=letter, sides=sides, aid=aid, code=letter.content.get("code") or "")


def _other_script(person: dict[str, str], language: str) -> str:
    other = next(one for one in BOTH if one != language)
    return f"{person.get(f'prenom_{other}', '')} {person.get(f'nom_{other}', '')}".strip()
