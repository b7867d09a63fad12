"""The judge of an edition: everything that forbids its publication, or should be looked at before. One for the editor, publication, `masar check` and the API.

It only joins: what cannot be read is found by the readers, the rest by one module a family. Pure: who holds which role and which operations exist are told.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from engine.errors import Finding, Invalid
from engine.pathway import conditions, duties, known, naming, papers, questions, scenarios, soundness, tables, waiting, wording
from engine.pathway.definitions import Definitions
from engine.pathway.questions import Hands
from engine.pathway.sources import Sources
from engine.pathway.spiff.activities import OperationTask, PersonTask
from forms.definitions import FormDefinition
from forms.text import FormError


@dataclass(frozen=True)
class House:
    """What diagrams may count on. `apart`: roles that nobody holds together; `alone`: those held without any other; `opens`: whether whoever reads papers of
    a class may read facts of these; `operations`: what service tasks may call."""

    roles: Mapping[str, Hands]
    apart: Sequence[frozenset[str]]
    alone: Collection[str]
    opens: Callable[[str, str], bool]
    operations: Collection[str]


def judge(sources: Sources, house: House) -> list[Finding]:
    """All findings, those that forbid first. Never raises for what is in the files."""
    findings: list[Finding] = [*sources.unreadable_scenarios]
    definitions: Definitions | None = None
    try:
        definitions = sources.definitions
    except Invalid as refused:
        findings += refused.findings
    forms: Mapping[str, FormDefinition] | None = None
    letters: Mapping[str, Any] | None = None
    try:
        forms = sources.forms
        letters = sources.letters
    except FormError as refused:
        findings += [Finding(found.code, found.where, found.details, found.message) for found in refused.findings]
    if definitions is not None:
        findings += soundness.check(definitions) + waiting.check(definitions) + wording.check(definitions)
        findings += _operations(definitions, house.operations) + scenarios.check(definitions, sources.scenarios)
        if forms is not None:
            dictionary = sources.dictionary
            findings += _forms(definitions, forms) + tables.check(definitions, dictionary) + conditions.check(definitions, dictionary, forms)
            findings += waiting.dates(definitions, dictionary) + known.check(definitions, dictionary, forms)
            findings += questions.check(definitions, dictionary, forms, house.roles)
            if letters is not None:
                findings += papers.check(definitions, dictionary, letters, house.opens)
            findings += duties.check(definitions, forms, duties.people(house.roles, house.apart, house.alone))
    return sorted(findings, key=lambda found: found.severity != "error")


def _operations(definitions: Definitions, operations: Collection[str]) -> list[Finding]:
    return [
        Finding("edition.operation_unknown", one.place, {"operation": one.extensions.operation, "element": naming.name_of(one)})
        for one in definitions.nodes if isinstance(one, OperationTask) and one.extensions.operation not in operations
    ]  # fmt: skip


def _forms(definitions: Definitions, forms: Mapping[str, FormDefinition]) -> list[Finding]:
    return [
        Finding("edition.form_unknown", one.place, {"form": one.extensions.task.form, "element": naming.name_of(one)})
        for one in definitions.nodes if isinstance(one, PersonTask) and one.extensions.task and one.extensions.task.form and one.extensions.task.form not in forms
    ]  # fmt: skip
