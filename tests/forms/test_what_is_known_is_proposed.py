"""What is known already stands in the question it answers, for whoever is asked to confirm or change; what has one right answer is worked out beside the questions."""

import datetime as dt

import pytest

from forms import answers, dictionary
from forms.schema import json_schema
from tests.forms.conftest import FILES, Forms, group, task

AGO = dt.datetime(2026, 11, 1, 9, tzinfo=dt.UTC)


@pytest.fixture(scope="module")
def forms():
    plan = group(
        "plan", "case", rythme='type = "int"\nvalidity = "P0D"\nproposed = "plan.rythme"\nmax = 9', tel='type = "phone"\nvalidity = "P12M"\nproposed = "person.tel"',
        ville='type = "enum"\nchoices = "villes"\nproposed = "if social.sante = true then \\"SFX\\" else null"',
        total='type = "int"\nproposed = "social.pieces + 5"\nmax = 20', membres='type = "list"\nitems = ["membre.prenom", "membre.handicap"]\nvalidity = "P0D"\nproposed = "plan.membres"',
        depense='type = "money"', reste='type = "money"\ncomputed = "plan.recu - plan.depense"', recu='type = "money"\nclass = "E"', charge='type = "money"\ncomputed = "sum(plan.lignes.revenu)"',
        lignes='type = "list"\nitems = ["membre.prenom", "membre.revenu"]',
    )  # fmt: skip
    return Forms(dictionary.read(FILES | {"plan.toml": plan}))


def proposed(made):
    return {one.spec.id: one.proposed for one in made.questions()}


def test_what_is_known_elsewhere_stands_in_the_question_and_is_said_by_nobody_until_it_is_sent(forms):
    made = forms.ask(task('"plan.total"'), {"social.pieces": forms.known("social.pieces", 3)})
    assert proposed(made) == {"plan.total": 8} and json_schema(made)["properties"]["plan.total"]["default"] == 8
    assert [one.code for one in answers.read(made, {}, "fr").findings] == ["answer.required"]
    assert answers.read(made, {"plan.total": 4}, "fr").values["plan.total"].value == 4


def test_what_the_question_would_not_take_is_not_proposed(forms):
    assert proposed(forms.ask(task('"plan.total"'), {"social.pieces": forms.known("social.pieces", 16)})) == {"plan.total": None}
    assert proposed(forms.ask(task('"plan.total"'))) == {"plan.total": None}


def test_nothing_is_proposed_from_what_she_may_not_see(forms):
    known = {"social.sante": forms.known("social.sante", True)}
    assert proposed(forms.ask(task('"plan.ville"'), known)) == {"plan.ville": "SFX"}
    assert proposed(forms.ask(task('"plan.ville"'), known, hidden="H")) == {"plan.ville": None}


def test_a_last_known_answer_goes_before_a_proposal_save_one_that_was_good_for_one_act(forms):
    known = {"plan.tel": forms.known("plan.tel", "+21620123456", until=AGO), "person.tel": forms.known("person.tel", "+21698222333")}
    assert proposed(forms.ask(task('"plan.tel"'), known)) == {"plan.tel": None}
    again = {"plan.rythme": forms.known("plan.rythme", 2, until=AGO)}
    assert proposed(forms.ask(task('"plan.rythme"'), again)) == {"plan.rythme": 2}


def test_a_list_is_proposed_as_it_was_and_its_rows_stay_themselves(forms):
    rows = [{"id": "1", "membre.prenom": "Amel", "membre.handicap": True}]
    made = forms.ask(task('"plan.membres"'), {"plan.membres": forms.known("plan.membres", rows, until=AGO)}, hidden="H")
    assert proposed(made) == {"plan.membres": [{"id": "1", "membre.prenom": "Amel"}]}
    assert not answers.read(made, {"plan.membres": made.sections[0].questions[0].proposed}, "fr").findings


def test_what_is_worked_out_follows_the_answers_as_far_as_they_go(forms):
    made = forms.ask(task('"plan.depense", "plan.lignes"', 'show = ["plan.reste", "plan.charge"]'), {"plan.recu": forms.known("plan.recu", 900_000)})
    assert {one.spec.id for one in made.questions() if one.reveals} == {"plan.depense", "plan.lignes"}
    assert answers.reckoned(made, {}) == {}
    rows = [{"membre.prenom": "Amel", "membre.revenu": 1_000}, {"membre.prenom": "Ali", "membre.revenu": 500}]
    told = answers.reckoned(made, {"plan.depense": 250_000, "plan.lignes": rows})
    assert {name: one.value for name, one in told.items()} == {"plan.reste": 650_000, "plan.charge": 1_500}


def test_what_is_worked_out_from_what_she_may_not_see_is_not_shown_to_her(forms):
    content, known = task('"plan.depense"', 'show = ["plan.reste"]'), {"plan.recu": forms.known("plan.recu", 900_000)}
    assert answers.reckoned(forms.ask(content, known, hidden="E"), {"plan.depense": 250_000}) == {}
    assert answers.reckoned(forms.ask(task('"plan.depense"'), known), {"plan.depense": 250_000}) == {}, "nor where the form does not show it"
