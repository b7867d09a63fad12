"""A double without a CIN: found by a name much alike, whatever the script, and a birth that agrees; the head of the branch has the last word (D0, T108)."""

import random

import pytest

from engine import errors
from engine.demo import people
from tests import world as worlds


def truth(number, **said):
    drawn = people.draw(random.Random(number), number, "MED", worlds.dt.date(2026, 11, 24), "emploi").truth
    return drawn | {name.replace("__", "."): value for name, value in said.items()}


KNOWN = truth(1, person__prenom_fr="Mohamed Amine", person__nom_fr="Gabsi", person__prenom_ar="", person__nom_ar="", person__naissance_date="1994-03-11")


@pytest.mark.parametrize(
    ("said", "is_found"),
    [({"person__prenom_ar": "محمد أمين", "person__nom_ar": "القابسي", "person__naissance_date": "1994-03-11"}, True),
     ({"person__prenom_ar": "محمد أمين", "person__nom_ar": "القابسي", "person__naissance_date": "1994"}, True),
     ({"person__prenom_ar": "محمد أمين", "person__nom_ar": "القابسي", "person__naissance_date": "1994-03-12"}, False),
     ({"person__prenom_ar": "منجي", "person__nom_ar": "الشابي", "person__naissance_date": "1994-03-11"}, False)],
)  # fmt: skip
def test_a_name_much_alike_in_the_other_script_is_looked_at_before_the_case_goes_on(tunisia, said, is_found):
    world = worlds.World(tunisia)
    first = world.receive(KNOWN)
    world.does(first, "T101")
    other = truth(2, **said) | {"person.prenom_fr": "", "person.nom_fr": ""}
    second = world.receive(other)
    if not is_found:
        world.does(second, "T101")
        assert world.nodes(second) == ["T102"]
        return
    with pytest.raises(errors.Conflict) as stopped:
        world.does(second, "T101")
    assert stopped.value.code == "beneficiary.possible_duplicate"
    assert [(one["case_id"], one["matched"]) for one in stopped.value.details["candidates"]] == [(str(first), ["namebirth"])]
    row = next(row for row in world.open_tasks(second) if row.node == "T101")
    world.complete(row, world.who_does(row), other, not_duplicate_of=[str(first)], not_duplicate_reason="Deux cousins")
    world.settle()
    assert world.nodes(second) == ["T108"], "the head of the branch checks it"
