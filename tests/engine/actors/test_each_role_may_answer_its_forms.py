"""A question that its task's role may not write is never asked, so no diagram may give a form to a role that cannot answer it."""

from pathlib import Path

import pytest
from lxml import etree

from engine.actors import authority, users
from engine.actors.roles import ROLES
from forms import dictionary, form

ROOT = Path(__file__).parents[3]
# An aid's file is put together by the agency that asks for it, for its own level: what is asked of another level only is not its to answer.
LEVELS = {"travailleur_social": "N1", "conseiller_emploi": "N2", "conseiller_entreprendre": "N3"}
TASK = "{urn:masar:bpmn:1}tache"


@pytest.fixture(scope="module")
def words():
    read = dictionary.load(ROOT / "forms" / "dictionary")
    return read, form.load(ROOT / "forms" / "tasks", read)


def pairs():
    """(form, role) of every task drawn."""
    return sorted(
        {(node.get("form"), node.get("role")) for path in (ROOT / "processes").rglob("*.bpmn") for node in etree.parse(path).iter(TASK) if node.get("form")}
    )


def test_tasks_are_drawn():
    assert ("f11", "agent_accueil") in pairs()


@pytest.mark.parametrize(("form_id", "role"), pairs())
def test_the_role_may_write_every_answer_but_health(words, form_id, role):
    read, definitions = words
    assert role in ROLES
    if form_id not in definitions:  # a form that does not exist is refused at publication (editions.check), not here
        pytest.fail(f"{form_id} does not exist")
    definition, who = definitions[form_id], users.Actor(None, "", "", "", "", frozenset({role}))
    level = {"aide": {"niveau": LEVELS.get(role)}}
    asked = [one.field for section in definition.sections for one in section.ask if role not in LEVELS or one.when is None or one.when.evaluate(level) is not False]
    said = [*asked, *(inner for one in asked for inner in read.fields[one].items), *definition.computed]
    assert [name for name in said if read.fields[name].class_ != "H" and not authority.writable(who, authority.classes_of(read.fields[name]))] == []
