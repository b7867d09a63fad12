"""How much an evaluation may cost, and the stop when it costs more.

A running evaluation carries `state`, a small list: `state[0]` steps left, `state[1]` depth of calls, `state[2]` (only when
explaining) the parts seen. A step is about one node evaluated or one element visited. Straight-line code is bounded by the
length of its text and is not counted; what repeats (loops, filters, calls, deep comparisons, functions over lists) is.
"""

MAX_TEXT = 10_000
MAX_NESTING = 200
MAX_CALLS = 60
MAX_STRING = 1_000_000
STEPS = 10_000


class Exhausted(Exception):
    """The evaluation was stopped; `Expression.evaluate` turns it into a FeelError."""

    def __init__(self, reason: str, **details: int) -> None:
        super().__init__(reason)
        self.reason, self.details = reason, details


def spend(state: list, steps: int) -> None:
    """Takes `steps` from what is left. Raises Exhausted when nothing is left."""
    state[0] -= steps
    if state[0] < 0:
        raise Exhausted("budget", limit=STEPS)


def weigh(length: int, state: list) -> None:
    """Charges for a text of `length` characters and refuses one beyond MAX_STRING before it is built."""
    if length > MAX_STRING:
        raise Exhausted("budget", limit=MAX_STRING)
    if length > 255:
        spend(state, length >> 8)
