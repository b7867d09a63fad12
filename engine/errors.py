"""The refusals of the engine: what a person can understand and act upon.

Not for faults of a diagram (those are incidents, rows on the case) nor for bugs (any other exception).
Each refusal has a dotted code, translated in `locales/`, and details that fill its sentence.
"""

from collections.abc import Callable, Mapping, Sequence
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


def faults(refusal: Refusal) -> list[Finding]:
    """What a refusal says, one by one: each place it names, else itself."""
    named = [one for one in refusal.findings if one.code != refusal.code or len(refusal.findings) > 1]
    return named or [Finding(refusal.code, "", refusal.details)]


def together(*checks: Callable[[], Any]) -> list[Any]:
    """What each check gives. All are made: where one refuses, that is the refusal; where several do, one refusal says all they say."""
    given, refused = [], []
    for check in checks:
        try:
            given.append(check())
        except (Invalid, Conflict, NotFound) as refusal:
            refused.append(refusal)
    if len(refused) == 1:
        raise refused[0]
    if refused:
        raise Invalid("refused.several", [found for one in refused for found in faults(one)])
    return given
