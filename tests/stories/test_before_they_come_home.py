"""Signals before a return (domain.md §4.1): one person or a whole charter, awaited, received without being asked twice, or forgotten."""

import datetime as dt

import pytest
from sqlalchemy import text

from engine import clock, errors
from engine.actors import users
from engine.casework import cases

ANIS = {
    "person.nom_fr": "Chaabane", "person.prenom_fr": "Anis", "person.naissance_date": "1994-05-02", "person.sexe": "M", "person.passport": "X812345", "person.tel": "+21622510077",
    "person.gouvernorat": "TN-82", "person.delegation": "TN-82-01", "retour.type": "oqtf_execute", "retour.pays": "FR", "retour.programme_depart": "OFII", "retour.ref_externe": "OFII-2026-771",
    "signalement.vulnerable": False, "signalement.personne_prevenue": "injoignable",
}  # fmt: skip


def expected_on(world, days):
    return {"retour.date_prevue": (world.today() + dt.timedelta(days=days)).isoformat()}


def line(**known):
    """A line of a charter list; what is not known is said to be unknown, nothing is made up."""
    names = ("nom", "prenom", "sexe", "naissance", "gouvernorat", "besoin")
    return {f"signale.{name}": known.get(name, {"status": "inconnu"}) for name in names}


def cases_of(world, process):
    with world.database.reading(users.system()) as session:
        return session.execute(text("SELECT instance_id, branch, person_id, status FROM instance WHERE process = :process ORDER BY opened_at, instance_id"), {"process": process}).all()


def told_of(world, case_id):
    """field → (value, source) of what is known in a case itself."""
    with world.database.reading(users.system()) as session:
        rows = session.execute(text("SELECT field, value, source FROM fact WHERE root_id = :id AND is_current"), {"id": case_id}).all()
    return {row.field: (row.value, row.source) for row in rows}


def asked_in(world, case_id, node):
    from engine.casework import tasks

    row = next(one for one in world.open_tasks(case_id) if one.node == node)
    actor = world.who_does(row)
    with world.database.reading(actor) as session:
        form = tasks.view(session, actor, row.task_id).form
    return {question.spec.id for question in form.questions()}, {known.spec.id: known for known in form.known}


def test_reception_opens_the_case_of_somebody_awaited_and_asks_nothing_that_was_signalled(world):
    signal = world.signal(ANIS | expected_on(world, 10))
    assert world.nodes(signal) == ["T002"]
    # The search that comes before any new case shows that he is awaited.
    found = world.look_for("Chaabane")
    assert [(one.case_id, one.is_expected) for one in found] == [(signal, True)]
    case_id = world.receive(ANIS, expected=signal)
    # The signal heard of it: nobody prepares for him any more, nobody will look for him.
    assert world.stands(signal).status == "ended" and world.nodes(signal) == []
    assert [row.instance_id for row in cases_of(world, "parcours")] == [case_id], "one case, not two"
    asked, known = asked_in(world, case_id, "T101")
    for field in ("person.nom_fr", "person.passport", "retour.type", "retour.pays", "retour.programme_depart", "retour.ref_externe"):
        assert field not in asked and known[field].source.kind == "signal", field
        assert known[field].may_correct, field
    assert "retour.date" in asked, "when he did come, nobody could say before"
    told = told_of(world, case_id)
    assert told["retour.pays"][0] == "FR" and told["retour.pays"][1]["label"].startswith("SG-MED-")
    world.does(case_id, "T101")
    assert world.nodes(case_id) == ["T102"], "he is no double of himself"
    assert world.incidents() == []


def test_his_welcome_is_prepared_two_working_days_before_he_arrives(world, on_the_day):
    on_the_day(dt.date(2026, 11, 2))
    signal = world.signal(ANIS | {"retour.date_prevue": "2026-12-14", "signalement.vulnerable": True})  # a Monday
    assert due(world, signal, "T002") == dt.date(2026, 12, 10)
    world.does(signal, "T002")
    assert due(world, signal, "T003") == dt.date(2026, 12, 11)
    world.passes(days=42)
    assert notices(world, signal) == ["task.due", "task.late"], "once late, the head is told in a day or two, not weeks after he came"


def test_where_the_day_of_arrival_is_not_known_the_welcome_has_five_working_days(world, on_the_day):
    on_the_day(dt.date(2026, 11, 2))
    signal = world.signal(ANIS | {"retour.date_prevue": {"status": "inconnu"}})
    assert due(world, signal, "T002") == dt.date(2026, 11, 9)


def due(world, case_id, node):
    with world.database.reading(users.system()) as session:
        instant = session.execute(text("SELECT due_at FROM open_task WHERE instance_id = :id AND node = :node"), {"id": case_id, "node": node}).scalar_one()
    return clock.today(instant)


def notices(world, case_id):
    """Whoever they went to: a post, or somebody by name."""
    with world.database.owner() as connection:
        return list(connection.execute(text("SELECT code FROM notice WHERE instance_id = :id ORDER BY created_at"), {"id": case_id}).scalars())


def test_somebody_awaited_is_received_once(world):
    signal = world.signal(ANIS | expected_on(world, 10))
    world.receive(ANIS, expected=signal)
    with pytest.raises(errors.Conflict) as refused:
        world.receive(ANIS, expected=signal)
    assert refused.value.code == "case.not_expected"


def test_somebody_awaited_elsewhere_is_not_awaited_here(world):
    signal, sfax = world.signal(ANIS | expected_on(world, 10)), world.agent("OTE", "SFX", "agent_accueil")
    for walls in (sfax, users.system()):  # the two walls together, then the code's own
        with pytest.raises(errors.Conflict, match=r"case\.not_expected"), world.database.unit_of_work(walls) as session:
            cases.open_case(session, sfax, "parcours", "SFX", expected=signal)


def test_who_was_not_looked_for_is_recognised_when_identified_and_the_signal_is_told(world):
    signal = world.signal(ANIS | expected_on(world, 3))
    case_id = world.receive(ANIS, branch="SFX")  # another branch, which does not see the signal
    row = world.open_tasks(case_id)[0]
    agent = world.who_does(row)
    with pytest.raises(errors.Conflict) as refused:
        world.complete(row, agent, world.truth[case_id])
    assert refused.value.code == "beneficiary.possible_duplicate"
    candidate = refused.value.details["candidates"][0]
    assert candidate["is_expected"] and candidate["case_id"] == str(signal)
    world.complete(row, agent, world.truth[case_id], same_as=[candidate["case_id"]])
    world.settle()
    assert world.stands(signal).status == "ended" and world.nodes(signal) == []
    assert world.nodes(case_id) == ["T102"], "the head of the branch has no double to look at"


def test_a_charter_list_counts_as_so_many_arrivals(world):
    lines = [
        line(nom="Trabelsi", prenom="Ridha", naissance="1991", gouvernorat="TN-61", besoin="aucun", sexe="M"),
        line(nom="العياري", prenom="منير", gouvernorat="TN-82", besoin="hebergement"),
        line(),
    ]
    charter = {"signalement.liste": True, "signalement.nb_personnes": 3, "signalement.personnes": lines, "retour.type": "force_charter", "retour.pays": "DE",
               "signalement.vulnerable": True}  # fmt: skip
    whole = world.signal(charter | expected_on(world, 5))
    arrivals = [row for row in cases_of(world, "signalement") if row.instance_id != whole]
    assert len({row.person_id for row in arrivals}) == 3, "each line is somebody"
    assert sorted(row.branch for row in arrivals) == ["MED", "SFX", "TUN"], "each at the branch of where they go; unknown: the headquarters"
    assert [row.node for row in world.open_tasks()] == ["T002"] * 3
    ridha = next(row.instance_id for row in arrivals if row.branch == "SFX")
    told = told_of(world, ridha)
    assert told["person.nom_fr"][0] == "Trabelsi" and told["person.naissance_date"][0] == "1991" and told["retour.pays"][0] == "DE"
    mounir = next(row.instance_id for row in arrivals if row.branch == "MED")
    assert told_of(world, mounir)["person.nom_ar"][0] == "العياري" and told_of(world, mounir)["signalement.besoins_immediats"][0] == ["hebergement"]
    unknown = next(row.instance_id for row in arrivals if row.branch == "TUN")
    assert not any(field.startswith("person.") for field in told_of(world, unknown)), "nothing is invented"
    # One comes: his case, and the others go on being awaited.
    assert [one.case_id for one in world.look_for("Trabelsi", "SFX")] == [ridha]
    case_id = world.receive(branch="SFX", expected=ridha)
    assert told_of(world, case_id)["person.prenom_fr"][0] == "Ridha"
    assert [world.stands(one.instance_id).status for one in arrivals].count("open") == 2
    assert world.incidents() == []


def test_sixty_lines_fit_in_one_list_and_sixty_one_do_not(world):
    def charter(count):
        lines = [line(nom=f"Nom{rank}", prenom="Ali") for rank in range(count)]
        return {"signalement.liste": True, "signalement.nb_personnes": count, "signalement.personnes": lines, "retour.type": "force_charter", "retour.pays": "IT"}

    with pytest.raises(errors.Invalid):
        world.signal(charter(61) | expected_on(world, 1))
    world.signal(charter(60) | expected_on(world, 1))
    assert len(cases_of(world, "signalement")) == 62, "the refused one still waits for its list; the other became sixty arrivals"


def test_nobody_came_three_reminders_then_nothing_is_kept(world):
    signal = world.signal(ANIS | {"signalement.relance_resultat": "injoignable"} | expected_on(world, 0))
    world.does(signal, "T002")
    reminded = []
    for day in range(1, 95):
        world.passes(days=1)
        if "T004" in world.nodes(signal):
            reminded.append(day)
            world.does(signal, "T004")
        if world.stands(signal).status == "ended":
            break
    assert reminded == [30, 45, 60]
    assert day == 90 and "expire" in world.stands(signal).outcome
    with world.database.reading(users.system()) as session:
        left = session.execute(text("SELECT count(*) FROM fact")).scalar_one(), session.execute(text("SELECT count(*) FROM person_token")).scalar_one()
    assert left == (0, 0)
    assert world.look_for("Chaabane") == []
    assert world.incidents() == []


def test_a_signal_that_nobody_minded_is_erased_all_the_same(world):
    signal = world.signal(ANIS | expected_on(world, 0))
    world.passes(days=31)
    assert world.nodes(signal) == ["T004"], "thirty days on there is nothing left to prepare: he is looked for"
    world.passes(days=60)
    assert world.stands(signal).status == "ended" and world.facts("person.") == {}


def test_who_is_reached_by_phone_has_a_case_opened_at_the_branch(world):
    signal = world.signal(ANIS | expected_on(world, 0))
    world.does(signal, "T002")
    world.passes(days=31)
    world.does(signal, "T004", signalement__relance_resultat="joint")
    (case,) = cases_of(world, "parcours")
    assert world.nodes(case.instance_id) == ["T101"] and case.branch == "MED"
    assert told_of(world, case.instance_id)["retour.pays"][0] == "FR"


def test_the_list_itself_is_forgotten_after_ninety_days(world):
    charter = {"signalement.liste": True, "signalement.nb_personnes": 1, "signalement.personnes": [line(nom="Trabelsi", prenom="Ridha")],
               "retour.type": "force_charter", "retour.pays": "DE"}  # fmt: skip
    whole = world.signal(charter | expected_on(world, 5))
    world.passes(days=96)
    assert world.stands(whole).status == "ended"
    assert world.facts("signale.") == {} and world.facts("person.") == {}


def test_a_request_that_came_online_is_said_so_once(world):
    case_id = world.receive(ANIS, channel="en_ligne")
    asked, known = asked_in(world, case_id, "T101")
    assert "accueil.canal_arrivee" not in asked and known["accueil.canal_arrivee"].value == "en_ligne"
    with pytest.raises(errors.Invalid) as refused:
        world.receive(ANIS, channel="pigeon")
    assert refused.value.code == "case.channel_unknown"


def test_an_age_grows_while_the_case_lasts_and_no_fact_holds_it(world):
    case_id = world.receive(ANIS | {"person.naissance_date": "1994-05-02"})
    world.does(case_id, "T101")

    def age():
        return next(one.value for one in world.file(case_id).known if one.field == "person.age")

    def years():
        today = world.today()
        return today.year - 1994 - ((today.month, today.day) < (5, 2))

    assert age() == str(years())
    before = years()
    world.passes(days=366)
    assert age() == str(years()) == str(before + 1)
    assert world.facts("person.age") == {}
