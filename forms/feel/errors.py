"""The one error of FEEL, raised when a text cannot be read or an evaluation overruns its budget.

Ordinary faults of an expression (a type that does not fit, a division by zero) are not errors: FEEL answers null.
Sentences for people are made elsewhere, from `reason` and `details`.
"""

from typing import Any

REASONS = frozenset({
    "empty", "too_long", "too_deep", "bad_character", "bad_string", "bad_literal", "syntax", "unexpected_end",
    "external_function", "unknown_function", "wrong_arguments", "unknown_type", "duplicate_key", "budget",
})


class FeelError(ValueError):
    """A FEEL text refused, or stopped while running.

    `text` is the expression, `position` the offset in characters where it goes wrong (None where no place is to blame),
    `reason` one of `REASONS`, `details` what fills a sentence (`found`, `function`, `limit` …).
    """

    def __init__(self, text: str, position: int | None, reason: str, **details: Any) -> None:
        super().__init__(text, position, reason)
        self.text, self.position, self.reason, self.details = text, position, reason, details

    def __str__(self) -> str:
        place = "" if self.position is None else f" at {self.position}"
        more = "".join(f", {key} {value!r}" for key, value in self.details.items())
        return f"{self.reason}{place}{more}: {self.text[:120]!r}"
