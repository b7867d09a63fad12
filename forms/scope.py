"""What conditions, checks and computed fields see: known facts and answers as nested FEEL contexts (`person.sexe`, `foyer.membres[item.lien = "enfant"]`).

A field without a known value is null; beside it `<name>_statut` says `inconnu` or `refuse`. Whether a person may see a value is not asked
here: conditions read all that is known.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from forms import field_types
from forms.dictionary import Dictionary, Field
from forms.feel import ACT, BUDGET, Budget


class Scope:
    """Nested contexts over those the caller gives (`base` is never changed), with what all that is evaluated on them may spend."""

    def __init__(self, dictionary: Dictionary, base: Mapping[str, Any] | None, today: date) -> None:
        self._fields = dictionary.fields
        self.contexts: dict[str, Any] = {name: dict(found) if isinstance(found, dict) else found for name, found in (base or {}).items()}
        self.contexts["today"], self.contexts[BUDGET] = today, Budget(ACT)

    def put(self, spec: Field, value: Any, status: str = "known") -> None:
        """A fact or an answer, as stored."""
        context = self._context(spec)
        name = spec.id.partition(".")[2]
        context.pop(f"{name}_statut", None)
        if status != "known":
            context[name], context[f"{name}_statut"] = None, status
        elif spec.type == field_types.ROWS:
            context[name] = [self._row(row) for row in value or ()]
        else:
            context[name] = field_types.to_feel(spec, value)

    def forget(self, spec: Field) -> None:
        """As if nothing had been said of it."""
        name = spec.id.partition(".")[2]
        context = self._context(spec)
        context.pop(name, None)
        context.pop(f"{name}_statut", None)

    def _context(self, spec: Field) -> dict[str, Any]:
        found = self.contexts.get(spec.group)
        if not isinstance(found, dict):
            found = self.contexts[spec.group] = {}
        return found

    def _row(self, row: Mapping[str, Any]) -> dict[str, Any]:
        made: dict[str, Any] = {"id": row.get("id")}
        for inner, value in row.items():
            spec = self._fields.get(inner)
            if spec is not None:
                is_list = spec.type == field_types.ROWS  # of a row: its rows are known by their ids, or whole
                made[inner.partition(".")[2]] = [self._row(one if isinstance(one, Mapping) else {"id": one}) for one in value or ()] if is_list else field_types.to_feel(spec, value)
        return made


def on_the_day(spec: Field, known: Mapping[str, Any], dictionary: Dictionary, today: date) -> Any:
    """The value that day of a field that depends on it (an age), from the stored values it is computed from; None where they do not tell."""
    if not all(known.get(name) is not None for name in spec.reads):
        return None
    made = Scope(dictionary, None, today)
    for name in spec.reads:
        made.put(dictionary.fields[name], known[name])
    return field_types.from_feel(spec.type, spec.computed.evaluate(made.contexts))


def whole_rows(rows: Sequence[Mapping[str, Any]], old: Sequence[Mapping[str, Any]], offered: Sequence[Field]) -> list[dict[str, Any]]:
    """The rows of an answer with what is known of the same rows and was not hers to say: a health field stays when another agency edits the list."""
    asked = {spec.id for spec in offered}
    kept = {row.get("id"): {inner: value for inner, value in row.items() if inner not in asked} for row in old if isinstance(row, Mapping)}
    return [{**kept.get(row["id"], {}), **row} if "id" in row else dict(row) for row in rows]
