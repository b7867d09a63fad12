"""Operators: the cases entrusted to them with the person's consent, their own tasks there, and nothing else (§2.4, §4.0)."""

from types import SimpleNamespace

import pytest

from engine import errors
from engine.casework import cases, letters, tasks
from engine.dossier import consents
from engine.dossier.facts import NewFact


@pytest.fixture
def world(tempting):
    return tempting


def opened(world, **consents):
    case_id = world.receive(process="essai")
    world.does(case_id, "consentir", **{f"consentement__{name}": value for name, value in consents.items()})
    return case_id


def task(world, case_id, node):
    return next(row for row in world.open_tasks(case_id) if row.node == node)


def act(world, who, verb, *given):
    with world.database.unit_of_work(who) as session:
        return verb(session, who, *given)


def read(world, who, verb, *given):
    with world.database.reading(who) as session:
        return verb(session, who, *given)


def nodes(world, who, case_id, scope="queue"):
    return [row.node for row in world.desk(who, scope, case_id=case_id).items]


def test_an_operator_does_the_tasks_of_a_case_from_the_day_it_is_entrusted_to_her(world):
    case_id, karim, voisin, voisine = opened(world), world.staff["karim"], world.staff["voisin"], world.staff["voisine"]
    first = task(world, case_id, "visiter")
    assert nodes(world, voisin, case_id) == [] and nodes(world, voisin, case_id, "all") == []
    with pytest.raises(errors.NotFound, match="task.not_found"):
        act(world, voisin, tasks.claim, first.task_id)

    # The case owner finds it among what she may take, told why, and passes it on.
    row = next(row for row in world.desk(karim, "queue", case_id=case_id).items if row.node == "visiter")
    assert (row.stands_in, row.may_claim) == ("nobody", True)
    assert {one.name for one in read(world, karim, tasks.colleagues, first.task_id)} >= {"Voisin", "Voisine"}
    act(world, karim, tasks.pass_to, first.task_id, voisin.user_id)
    assert nodes(world, voisin, case_id, "mine") == ["visiter"] and nodes(world, karim, case_id) == []

    # Given back, it is hers to take again, and only hers.
    act(world, voisin, tasks.release, first.task_id)
    assert nodes(world, voisin, case_id) == ["visiter"] and nodes(world, voisine, case_id, "all") == [] and nodes(world, karim, case_id) == []
    act(world, voisin, tasks.claim, first.task_id)
    world.does(case_id, "visiter", by=voisin)

    # The next one comes to her without anybody passing it; of the others of the case she sees none.
    assert nodes(world, voisin, case_id) == ["revisiter"] == nodes(world, voisin, case_id, "all")
    assert [one.node for one in read(world, voisin, cases.file, case_id).waiting if one.task_id] == ["revisiter"]
    for way in (read, act):  # a step may write tasks of others, so that the database shows them to a unit of work: the policy does not
        with pytest.raises(errors.NotFound, match="task.not_found"):
            way(world, voisin, tasks.view, task(world, case_id, "preparer").task_id)
    assert read(world, voisin, tasks.colleagues, task(world, case_id, "preparer").task_id) == ()
    for verb in (tasks.claim, tasks.release):
        with pytest.raises(errors.NotFound, match="task.not_found"):
            act(world, voisin, verb, task(world, case_id, "preparer").task_id)
    with pytest.raises(errors.NotFound, match="case.not_found"):
        read(world, voisin, cases.history, case_id)


def test_an_account_with_a_seat_at_the_committee_reaches_no_more_of_a_branch_for_it(world):
    case_id = opened(world)
    for name in ("operateur", "bailleur"):
        who = world.staff[name]
        assert nodes(world, who, case_id, "all") == []
        with pytest.raises(errors.NotFound, match="case.not_found"):
            read(world, who, cases.file, case_id)
        with pytest.raises(errors.NotFound, match="task.not_found"):
            read(world, who, tasks.view, task(world, case_id, "visiter").task_id)
    number = world.file(case_id).case_number
    assert read(world, world.staff["operateur"], cases.search, number) == ()
    with pytest.raises(errors.NotFound):
        read(world, world.staff["bailleur"], cases.search, number)


def test_without_c3_the_task_is_the_case_owners_who_is_told_so_and_no_operator_can_be_given_it(world):
    case_id, karim, voisin = opened(world, c3=False), world.staff["karim"], world.staff["voisin"]
    row = task(world, case_id, "visiter")
    view = read(world, karim, tasks.view, row.task_id)
    assert view.stands_in == "no_consent" and {"claim", "complete"} <= view.may
    assert not {"Voisin", "Voisine"} & {one.name for one in read(world, karim, tasks.colleagues, row.task_id)}
    with pytest.raises(errors.Invalid, match="task.colleague_cannot"):
        act(world, karim, tasks.pass_to, row.task_id, voisin.user_id)
    world.does(case_id, "visiter", by=karim)
    assert "revisiter" in nodes(world, karim, case_id)


def test_what_is_withdrawn_is_closed_at_the_next_read_also_what_she_holds(world, withdraw):
    case_id, karim, voisin = opened(world), world.staff["karim"], world.staff["voisin"]
    row = task(world, case_id, "visiter")
    act(world, karim, tasks.pass_to, row.task_id, voisin.user_id)
    assert read(world, voisin, tasks.view, row.task_id).case_number and read(world, voisin, cases.file, case_id).known
    withdraw(case_id, c3=False)
    for verb, given, code in ((tasks.view, row.task_id, "task.not_found"), (cases.file, case_id, "case.not_found"), (cases.history, case_id, "case.not_found")):
        with pytest.raises(errors.NotFound, match=code):
            read(world, voisin, verb, given)
    for verb, given in ((tasks.release, ()), (tasks.save_draft, ({},)), (tasks.complete, ({}, None))):
        with pytest.raises(errors.NotFound, match="task.not_found"):
            act(world, voisin, verb, row.task_id, *given)
    assert nodes(world, voisin, case_id, "mine") == []
    # What she had in hand does not wait for her: the case owner takes it.
    (waiting,) = [one for one in world.desk(karim, "queue", case_id=case_id).items if one.node == "visiter"]
    assert (waiting.stands_in, waiting.may_claim) == ("no_consent", True)
    act(world, karim, tasks.claim, row.task_id)
    world.does(case_id, "visiter", by=karim)
    # Given again, the case is hers again.
    withdraw(case_id, c3=True)
    assert nodes(world, voisin, case_id) == ["revisiter"]


def test_what_the_case_owner_takes_back_is_entrusted_no_more(world):
    case_id, karim, voisin = opened(world), world.staff["karim"], world.staff["voisin"]
    row = task(world, case_id, "visiter")
    for take_back in (lambda: act(world, karim, tasks.release, row.task_id), lambda: act(world, karim, tasks.pass_to, row.task_id, karim.user_id)):
        act(world, karim, tasks.pass_to, row.task_id, voisin.user_id)
        assert read(world, voisin, cases.file, case_id)
        take_back()
        with pytest.raises(errors.NotFound):
            read(world, voisin, cases.file, case_id)
    world.does(case_id, "visiter", by=karim)


def test_another_agency_without_c1_finds_the_case_neither_by_name_nor_named(world):
    truth = {"person.nom_fr": "Introuvable", "person.prenom_fr": "Nour"}
    found = {}
    for agreed in (True, False):
        own = {"person.cin": f"0{7_100_000 + agreed}", "person.tel": f"+2165511000{int(agreed)}", "person.naissance_date": f"{1980 + agreed}-01-02"}
        case_id = world.receive(truth | own)
        world.does(case_id, "T101")
        world.does(case_id, "T102", consentement__c1=agreed)
        for node in ("T104", "T106"):
            world.does(case_id, node)
        found[agreed] = case_id
    amel = world.staff["amel"]
    assert {row.case_id for row in world.desk(amel, "all", search="introuvable").items} == {found[True]}
    social = {agreed: next(row for row in world.open_tasks(case_id) if row.node == "T202") for agreed, case_id in found.items()}
    assert "Nour Introuvable" in read(world, amel, tasks.view, social[True].task_id).person
    # The case is OTE's alone: what another agency would do of it waits for the case owner, who is told why.
    for verb, given, code in ((tasks.view, social[False].task_id, "task.not_found"), (cases.file, found[False], "case.not_found"), (cases.history, found[False], "case.not_found")):
        with pytest.raises(errors.NotFound, match=code):
            read(world, amel, verb, given)
    assert nodes(world, amel, found[False], "all") == []
    view = read(world, world.staff["karim"], tasks.view, social[False].task_id)
    assert view.stands_in == "kept" and "Nour Introuvable" in view.person
    letter = world.file(found[False]).letters[0]["letter_id"]
    with pytest.raises(errors.NotFound, match="letter.not_found"):
        read(world, amel, letters.read, letter)


def test_consent_is_not_changed_from_a_dossier(world):
    child = SimpleNamespace(instance_id=1, root_id=2)
    with pytest.raises(errors.Invalid, match="consent.elsewhere"):
        consents.apply(child, [NewFact("case:2", "consentement.c2", True, "C")])
    consents.apply(child, [NewFact("case:2", "person.tel", "1", "C")])
