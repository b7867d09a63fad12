"""Known when it is read: what a condition, a timer, a table or a due date reads, and whether any walk there can have told it.

A fact that no form asks is never known; one that is asked only further on is not known yet: what reads it gives null, in silence, on every walk. What another instance may
tell (a signal, an aid's file, a form that no task has) is never found wanting. Not here: fields that the dictionary lacks (`conditions`).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from engine.errors import Finding
from engine.pathway.definitions import Definitions
from engine.pathway.naming import name_of, told
from engine.pathway.spiff.activities import PersonTask
from engine.pathway.spiff.elements import Element
from engine.pathway.walks import Walks
from forms.definitions import FormDefinition
from forms.dictionary import Dictionary, Field
from forms.feel import Expression

_SOME_DAY = date(2026, 1, 5)  # a Monday: only what lies between it and another counts
_DATES = ("date", "datetime")
_WEEK = 7 / 5  # calendar days of a working day


@dataclass(frozen=True)
class _Read:
    """Something that is read as an element is entered or left. `kind`: `due`, `timer` or `condition`."""

    kind: str
    element: Element
    where: str
    text: str
    paths: frozenset[str]


def check(definitions: Definitions, dictionary: Dictionary, forms: Mapping[str, FormDefinition]) -> list[Finding]:
    """What is read and can be known on no walk: an error where a deadline or a wait hangs on it, else a warning; and due dates that are over before they begin."""
    asking = _Asked(definitions, dictionary, forms)
    findings = [found for read in _reads(definitions) for found in asking.wanting(read)]
    return list({(found.code, found.where, str(found.details.get("id"))): found for found in [*findings, *_over(definitions, dictionary)]}.values())


class _Asked:
    """Which tasks tell which fields, and what comes after what."""

    def __init__(self, definitions: Definitions, dictionary: Dictionary, forms: Mapping[str, FormDefinition]) -> None:
        self.fields, self.walks = dictionary.fields, Walks(definitions)
        self.askers: dict[str, list[Element]] = {}
        self.anywhere: set[str] = set()  # asked by a form that no task has: somebody else tells it
        of_tasks = {task.form for task in definitions.tasks}
        asked = {form.id: [ask.field for section in form.sections for ask in section.ask] for form in forms.values()}
        for form, names in asked.items():
            if form not in of_tasks:
                self.anywhere.update(one for name in names for one in self._with_rows(name))
        for element in definitions.nodes:
            note = element.extensions.task if isinstance(element, PersonTask) else None
            for name in asked.get(note.form, ()) if note else ():
                for one in self._with_rows(name):
                    self.askers.setdefault(one, []).append(element)
        self._after: dict[Element, tuple[Element, ...]] = {}
        self._told: dict[str, frozenset[Element]] = {}

    def _with_rows(self, name: str) -> tuple[str, ...]:
        field = self.fields.get(name)
        return (name, *(field.items if field else ()))

    def wanting(self, read: _Read) -> Iterator[Finding]:
        lacking = [(field, self._lacks(field, read.element)) for field in self._fields_of(read)]
        if read.kind != "condition" and any(why is None for _, why in lacking):
            return  # the least or the earliest of several: one that is known will do
        for field, why in lacking:
            if why is None:
                continue
            details: dict[str, Any] = {"element": name_of(read.element), "field": dict(field.label) or {"fr": field.id}, "id": field.id, "text": " ".join(read.text.split())[:200]}
            if why:
                details["path"] = told(why)
            yield Finding(f"check.{read.kind}_{'later' if why else 'never'}", read.where, details, severity="warning" if read.kind == "condition" else "error")

    def _fields_of(self, read: _Read) -> list[Field]:
        names = dict.fromkeys(".".join(path.replace("[]", "").split(".")[:2]).removesuffix("_statut") for path in sorted(read.paths))
        return [self.fields[one] for one in names if one in self.fields]

    def _lacks(self, field: Field, reader: Element, depth: int = 0) -> list[Element] | None:
        """None where some walk tells it before; the way to who tells it later; [] where nobody does."""
        if field.computed is not None:
            sources = [self.fields[one] for one in field.reads if one in self.fields]
            wants = [self._lacks(one, reader, depth + 1) for one in sources] if depth < 8 else []
            return wants[0] if wants and all(one is not None for one in wants) else None
        askers = self.askers.get(field.id, [])
        if field.id in self.anywhere or field.produced_by or reader in self._after_asking(field.id):
            return None
        if not askers:
            return []
        ways = [self.walks.way(reader, asker) or ([reader] if asker is reader else []) for asker in askers]
        return min(ways, key=len) if all(ways) else None  # told beside it, or in another instance: nobody can say which comes first

    def _after_asking(self, name: str) -> frozenset[Element]:
        """Everything that some walk comes to after a task that asks a field."""
        if name not in self._told:
            seen: set[Element] = set()
            waiting = [after for asker in self.askers.get(name, ()) for after in self._onward(asker)]
            while waiting:
                element = waiting.pop()
                if element not in seen:
                    seen.add(element)
                    waiting += self._onward(element)
            self._told[name] = frozenset(seen)
        return self._told[name]

    def _onward(self, element: Element) -> tuple[Element, ...]:
        if element not in self._after:
            self._after[element] = tuple(self.walks.after(element))
        return self._after[element]


def _reads(definitions: Definitions) -> Iterator[_Read]:
    for element in definitions.nodes:
        for flow in element.flows_out:
            if flow.condition is not None:
                yield _Read("condition", element, f"{element.file}#{flow.id}", flow.condition.text, frozenset(flow.condition.paths))
        note, trigger = element.extensions.task, getattr(element, "trigger", None)
        if isinstance(element, PersonTask) and note is not None and note.due is not None:
            yield _Read("due", element, element.place, note.due.text, frozenset(note.due.paths))
        if trigger is not None and trigger.kind == "timer" and isinstance(trigger.expression, Expression):
            yield _Read("timer", element, element.place, trigger.expression.text, frozenset(trigger.expression.paths))
        name = element.extensions.decision
        if name in definitions.decisions:
            decision = definitions.decision(name)
            for one in (*decision.inputs, *((decision.literal,) if decision.literal else ())):
                yield _Read("condition", element, element.place, one.text, frozenset(one.paths))


def _over(definitions: Definitions, dictionary: Dictionary) -> Iterator[Finding]:
    """Tasks due by a date that is always gone by: one that may not lie after the day it is told, or not as far after it as the shift takes off. On that very day, a warning."""
    for element in definitions.nodes:
        note = element.extensions.task if isinstance(element, PersonTask) else None
        field = dictionary.fields.get(note.due.text.strip()) if note is not None and note.due is not None else None
        if note is None or field is None or field.type not in _DATES or field.max_on is None:
            continue
        a_unit = _WEEK if note.deadline and note.deadline[1] == "jours_ouvres" else 1.0
        ahead = (field.max_on(_SOME_DAY) - _SOME_DAY).days + note.shift * a_unit
        if ahead <= 0:
            details = {"element": name_of(element), "field": dict(field.label) or {"fr": field.id}, "id": field.id, "shift": note.shift}
            yield Finding("check.due_over" if ahead < 0 else "check.due_same_day", element.place, details, severity="error" if ahead < 0 else "warning")
