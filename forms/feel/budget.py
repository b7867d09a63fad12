"""What an evaluation may still spend: loops, filters and calls count, everything else is bounded by the length of the text."""

from collections.abc import Callable
from typing import Any

from forms.feel.values import FeelError

Act = Callable[[dict[str, Any]], Any]
BUDGET = "\0budget"


class Budget:
    """Steps left, and how deep functions call each other."""

    __slots__ = ("steps", "depth")

    def __init__(self, steps: int) -> None:
        self.steps, self.depth = steps, 0

    def spend(self) -> None:
        self.steps -= 1
        if self.steps < 0:
            raise FeelError("", 0, "the expression takes more steps than it may")
