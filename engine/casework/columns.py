"""What the columns of a draft's decision tables may hold: the choices of the fields they read, and the results of the decisions they require."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from engine import errors
from engine.casework import drafts, form_drafts
from engine.pathway import decisions
from engine.pathway.domains import results_of
from forms.dictionary import Field


@dataclass(frozen=True)
class Columns:
    """`fields`: those a table may read, by path; `results`: a decision (or `decision.column`) → the FEEL of each value it may give."""

    fields: Mapping[str, Field]
    results: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def of(whole: drafts.Whole) -> Columns:
    """The columns of a draft; a file of tables that cannot be read gives none."""
    words, _ = form_drafts.vocabulary(whole)
    found: dict[str, tuple[str, ...]] = {}
    for path, content in whole.files.items():
        if not path.endswith(".dmn"):
            continue
        try:
            read = decisions.parse(content, path)
        except errors.Invalid:
            continue
        for decision in read.by_id.values():
            columns = [("", results_of(decision)), *((f".{one.name}", results_of(decision, one.name)) for one in decision.outputs if one.name)]
            for ending, values in columns:
                for name in {decision.decision_id, decision.name} if values else ():
                    found[f"{name}{ending}"] = tuple(_feel(value) for value in values or ())
    return Columns({one.id: one for one in words.fields.values() if one.type != "list"}, found)


def _feel(value: Any) -> str:
    if isinstance(value, str):
        return f'"{value}"'
    return str(value).lower() if isinstance(value, bool) else "null" if value is None else str(value)
