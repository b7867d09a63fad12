"""Answers invented for a trial: somebody of the demonstration comes, and says what she would say; what is typed counts first."""

import random
from collections.abc import Mapping
from typing import Any

from engine.actors import users
from engine.casework.sandbox import Sandbox, Turn
from engine.demo import answers, people

WISHES = ("emploi", "formation", "creation", "social")


def invented(town: Sandbox, turn: Turn, said: Mapping[str, Any], wish: str = WISHES[0]) -> dict[str, Any]:
    """What would be answered to the form of a task: what was `said`, else what somebody with this wish says, else what is usual. The same each time."""
    wish = wish if wish in WISHES else WISHES[0]
    branch = town.branch if town.branch in ("MED", "SFX", "TUN") else "MED"
    person = people.draw(random.Random(f"{town.name} {wish}"), 1, branch, town.today, wish)
    return answers.to(turn.form, {**person.truth, **said}, town.today, users.system(), None, town.tables.scope(town.today))
