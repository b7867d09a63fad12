"""What an evaluation may still spend. An expression is short (`tokens.LONGEST`), so what it says once costs little; what it says again and again is counted:
each turn of a loop or filter and each call is a step; its load is the size of what is done in a turn, and the weight of every value that is given a name, goes
into a call or comes out of one: only what has a name can be doubled, and doubled again.
"""

from collections.abc import Callable
from typing import Any

from forms.feel.values import FeelError

Act = Callable[[dict[str, Any]], Any]
BUDGET = "\0budget"
_LOAD = 50  # for each step
_LETTERS = 100  # of a text that weigh as one item


class Budget:
    """Steps and load left, and how deep functions call each other."""

    __slots__ = ("depth", "load", "steps")

    def __init__(self, steps: int) -> None:
        self.steps, self.load, self.depth = steps, steps * _LOAD, 0

    def spend(self, size: int = 1) -> None:
        self.steps -= 1
        self._bear(size)

    def bear(self, value: Any) -> Any:
        """The value, once its weight is taken off: its items at every depth, as often as they stand there, and its letters."""
        waiting = [value]
        while waiting:
            one = waiting.pop()
            if isinstance(one, str):
                self._bear(len(one) // _LETTERS)
            elif isinstance(one, list | dict):
                self._bear(len(one))
                waiting += one.values() if isinstance(one, dict) else one
        return value

    def bear_pairs(self, count: int) -> None:
        """What is compared each with each."""
        self._bear(count * count // 2)

    def _bear(self, load: int) -> None:
        self.load -= load
        if self.load < 0 or self.steps < 0:
            raise FeelError("", 0, "the expression takes more steps than it may")


def borne(scope: dict[str, Any], value: Any) -> Any:
    """`Budget.bear`, where the scope holds one: without, nothing is done twice and nothing has a name."""
    if type(value) in (str, list, dict) and BUDGET in scope:
        scope[BUDGET].bear(value)
    return value


def size(node: Any) -> int:
    """How many parts a tree has."""
    if isinstance(node, dict):
        node = tuple(node.values())
    return 1 + sum(size(part) for part in node if isinstance(part, tuple | list | dict)) if isinstance(node, tuple | list) else 1
