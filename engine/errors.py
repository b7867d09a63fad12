"""The refusals of the engine: what a person can understand and act upon.

Not for faults of a diagram (those are incidents, rows on the case) nor for bugs (any other exception).
Each refusal has a dotted code, translated in `locales/`, and details that fill its sentence.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Finding:
    """One thing wrong: a code, where (`file#element`, or a JSON pointer), and what fills the sentence. `severity`: `error` or `warning`."""

    code: str
    where: str = ""
    details: Mapping[str, Any] = field(default_factory=dict)
    message: str = ""
    severity: str = "error"


class Refusal(Exception):
    """The act is refused and everything it did is rolled back."""

    status = 400

    def __init__(self, code: str, findings: Sequence[Finding] = (), **details: Any) -> None:
        super().__init__(code)
        self.code, self.findings, self.details = code, tuple(findings), details

    def __str__(self) -> str:
        return " · ".join([self.code, *(f"{found.where}: {found.code}" for found in self.findings[:8])])


class Unauthenticated(Refusal):
    status = 401


class Forbidden(Refusal):
    status = 403


class NotFound(Refusal):
    """Absent, or not yours to know: the two look the same."""

    status = 404


class Conflict(Refusal):
    """Somebody, or you yourself, changed it first; `details` say who and when."""

    status = 409


class Invalid(Refusal):
    """What was sent breaks a rule; `findings` name each place."""

    status = 422


def wrong(code: str, where: str, **details: Any) -> Invalid:
    """A refusal that names the one thing that will not do."""
    return Invalid(code, [Finding(code, where, details)], **details)
