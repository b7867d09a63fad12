"""What a person typed into the form of a task, as pairs of name and text: kept as a draft, shown again, and read into answers.

Names: `group.name`; `group.list[0].item.name` for a row of a list; `name~part` for the parts of one answer (the day of a date, a
status, a typed signature). It judges nothing: `forms.answers` does.
"""

import datetime as dt
import re
from collections.abc import Iterable, Mapping
from typing import Any

from starlette.datastructures import FormData

from engine import clock

OURS = frozenset({"csrf", "version", "key", "act", "correcting", "draft"})
_ROW = re.compile(r"^(?P<list>[a-z0-9_.]+)\[(?P<place>\d{1,3})\]")
_LONGEST = 20_000


class Typed:
    """The pairs of one form, in order."""

    def __init__(self, pairs: Iterable[tuple[str, str]] = ()) -> None:
        self.pairs: dict[str, list[str]] = {}
        for name, value in pairs:
            self.pairs.setdefault(name, []).append(value)

    @classmethod
    def of_post(cls, form: FormData) -> "Typed":
        """The text of a posted form, without what is ours and without files."""
        return cls((name, value[:_LONGEST]) for name, value in form.multi_items() if isinstance(value, str) and name not in OURS)

    @classmethod
    def of_draft(cls, draft: Mapping[str, Any] | None) -> "Typed":
        """A kept draft; nothing when there is none or it was kept by another face."""
        kept = (draft or {}).get("typed") or {}
        return cls((str(name), str(value)) for name, values in kept.items() for value in values)

    def as_draft(self, correcting: Iterable[str]) -> dict[str, Any]:
        return {"typed": self.pairs, "correcting": sorted(correcting)}

    def one(self, name: str) -> str:
        """The value of a name, trimmed; "" when it was not typed."""
        return (self.pairs.get(name) or [""])[0].strip()

    def many(self, name: str) -> list[str]:
        return [value for value in self.pairs.get(name, ()) if value]

    def has(self, name: str) -> bool:
        """Whether the form held this question at all (an empty answer counts)."""
        return any(found == name or found.startswith((f"{name}~", f"{name}[")) for found in self.pairs)

    def rows(self, name: str) -> list[str]:
        """The names of a list's rows, in order: `foyer.membres[0]`, `foyer.membres[2]`."""
        places = {int(found["place"]) for key in self.pairs if (found := _ROW.match(key)) and found["list"] == name}
        return [f"{name}[{place}]" for place in sorted(places)]

    def ticked(self, name: str) -> list[str]:
        """The keys of a list's ready rows that are ticked."""
        return self.many(f"{name}~tick")

    def add_row(self, name: str, item_id: str = "") -> str:
        """One more row at the end; its name."""
        rows = self.rows(name)
        place = int(_ROW.match(rows[-1])["place"]) + 1 if rows else 0
        self.pairs[f"{name}~present"] = ["1"]
        self.pairs[f"{name}[{place}]~item"] = [item_id]
        return f"{name}[{place}]"

    def remove_row(self, row: str) -> None:
        self.pairs = {name: values for name, values in self.pairs.items() if not name.startswith((f"{row}.", f"{row}~"))}

    def obey(self, act: str, name: str, now: dt.datetime) -> str:
        """What a button beside a question asks: `add` or `remove` a row of a list, `today` in a date (and the hour it is, where one is asked), `at` an hour that is free (`name=instant`), `take` a paper that came (`name=document`; none: not any). Returns the question to go to next."""
        match act:
            case "add":
                return self.add_row(name)
            case "remove":
                self.remove_row(name)
                return name.partition("[")[0]
            case "today" | "at":
                name, _, instant = name.partition("=")
                try:
                    at = dt.datetime.fromisoformat(instant) if instant else now
                except ValueError:
                    return ""  # of no page of ours
                year, month, day, hour = at.astimezone(clock.TUNIS).strftime("%Y %m %d %H:%M").split()
                for part, value in (("year", year), ("month", month), ("day", day), *([("hour", hour)] if f"{name}~hour" in self.pairs else [])):
                    self.put(f"{name}~{part}", value)
                return name
            case "take":
                name, _, document = name.partition("=")
                self.put(name, document)
                return name
        return ""

    def forget(self, name: str) -> None:
        """As if the question had never been in the page."""
        self.pairs = {key: values for key, values in self.pairs.items() if key != name and not key.startswith((f"{name}~", f"{name}["))}

    def put(self, name: str, *values: str) -> None:
        self.pairs[name] = list(values)
