"""What is forgotten of a person and who she is made one with do not undo one another: no key is destroyed under a case that lives, and nobody new is taken for one who came back."""

from threading import Thread

import pytest

from engine import doctor, errors
from engine.casework import cases, erasures, mergers
from tests import world as worlds
from tests.engine.casework.test_forgetting import approved, closed, forget, kept_longer, years_later  # noqa: F401
from tests.web.small.installation import furnish


@pytest.fixture
def town(make_database):
    database = make_database(furnish)
    return worlds.World(database)


def work(town, username, verb, *given, **named):
    actor = town.staff[username]
    with town.database.unit_of_work(actor) as session:
        return verb(session, actor, *given, **named)


def lines(town, case):
    with town.database.reading(town.staff["meriem"]) as session:
        return [one for one in cases.history(session, town.staff["meriem"], case).items if one.values]


def test_nobody_is_made_one_while_she_is_to_be_forgotten_nor_after(town):
    one, other = closed(town, 1, **{"person.nom_fr": "Un"}), closed(town, 2, **{"person.nom_fr": "Deux"})
    merger = work(town, "meriem", mergers.propose, one, other, [], "La même")
    erasure = work(town, "meriem", erasures.propose, other, reference="BO-2026-1")
    with pytest.raises(errors.Conflict, match=r"merger\.forgotten"):
        work(town, "anis", mergers.approve, merger)
    work(town, "meriem", erasures.refuse, erasure)
    work(town, "anis", mergers.approve, merger)
    assert lines(town, other)
    third = closed(town, 3, **{"person.nom_fr": "Trois"})
    forget(town, third)
    with pytest.raises(errors.Conflict, match=r"merger\.forgotten"):
        work(town, "meriem", mergers.propose, third, one, [], "La même")
    with pytest.raises(errors.Refusal):
        work(town, "salma", cases.open_case, "accueil", returning=third)


@pytest.mark.parametrize("first", ["merger", "erasure"])
def test_in_the_same_moment_one_of_the_two_is_refused_with_a_sentence(town, first):
    one, other = closed(town, 1, **{"person.nom_fr": "Un"}), closed(town, 2, **{"person.nom_fr": "Deux"})
    merger = work(town, "meriem", mergers.propose, one, other, [], "La même")
    acts = {"merger": ("anis", mergers.approve, [merger], {}), "erasure": ("rim", erasures.propose, [other], {"reference": "BO-2026-2"})}
    (who, verb, given, named), (later, *second) = acts.pop(first), acts.popitem()[1]
    refused = []

    def tries():
        try:
            work(town, later, second[0], *second[1], **second[2])
        except errors.Conflict as conflict:
            refused.append(conflict.code)

    meanwhile = Thread(target=tries)
    with town.database.unit_of_work(town.staff[who]) as session:
        verb(session, town.staff[who], *given, **named)
        meanwhile.start()
        meanwhile.join(0.5)
        assert meanwhile.is_alive(), "it waits for the first"
    meanwhile.join()
    assert refused == [{"merger": "erasure.made_one", "erasure": "merger.meanwhile"}[first]]
    assert [(fault.code, fault.about) for fault in doctor.examine(town.database).faults] == []


def test_whoever_is_forgotten_with_one_made_one_with_her_loses_both_keys(town):
    one, other = closed(town, 1, **{"person.nom_fr": "Un"}), closed(town, 2, **{"person.nom_fr": "Deux"})
    merger = work(town, "meriem", mergers.propose, one, other, [], "La même")
    work(town, "anis", mergers.approve, merger)
    assert lines(town, other)
    forget(town, one)
    assert lines(town, one) == [] == lines(town, other)
    assert erasures.again(town.database) == 0 and [(fault.code, fault.about) for fault in doctor.examine(town.database).faults] == []


def test_whoever_comes_again_after_a_part_was_forgotten_did_not_come_back_from_a_backup(town, kept_longer):  # noqa: F811
    case = closed(town, 4)
    years_later(town, case, 6)
    approved(town, case)
    again = town.receive(town.truth[case], returning=case)
    town.does(again, "accueillir")
    assert erasures.again(town.database) == 0 and [(fault.code, fault.about) for fault in doctor.examine(town.database).faults] == []
    assert town.file(again, town.staff["meriem"]).known, "what she says now stays"
