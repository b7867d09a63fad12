"""The registry of persons: two cards of one person are looked at side by side, made one by two people, parted again; two persons are told apart once."""

import pytest
from sqlalchemy import text

from engine import errors
from engine.actors import users
from engine.casework import cases, doubles, mergers, projections
from engine.dossier import beneficiaries

NAME_FR = {"person.prenom_fr": "Mohamed Amine", "person.nom_fr": "Gabsi", "person.prenom_ar": "", "person.nom_ar": ""}
NAME_AR = {"person.prenom_fr": "", "person.nom_fr": "", "person.prenom_ar": "محمد أمين", "person.nom_ar": "القابسي"}


@pytest.fixture
def two(world):
    """The same man twice, in two scripts and under two births: an old case that ended, one that begins."""
    first = world.receive(world.somebody("emploi", 1) | NAME_FR | FOREIGN | {"person.naissance_date": "1994-03-11", "person.tel": "+21698111222"})
    world.does(first, "T101")
    second = world.receive(world.somebody("emploi", 2) | NAME_AR | {"person.naissance_date": "1994-11-03", "person.tel": "+21698111222"})
    world.does(second, "T101")
    end(world, first)
    return first, second


FOREIGN = {"person.nationalite": ["FR"]}  # not for us (D1): her case is refused, and ends


def end(world, case_id):
    """A case goes to its end: everybody does what waits. Of somebody `FOREIGN` that is soon."""
    for _ in range(8):
        if one(world, case_id).status == "ended":
            return
        world.answers(world.open_tasks(case_id)[0])
    raise AssertionError(f"still open: {world.nodes(case_id)}")


def work(world, username, verb, *given):
    actor = world.staff[username]
    with world.database.unit_of_work(actor) as session:
        return verb(session, actor, *given)


def look(world, username, verb, *given):
    actor = world.staff[username]
    with world.database.reading(actor) as session:
        return verb(session, actor, *given)


def one(world, case_id):
    with world.database.reading(users.system()) as session:
        return session.execute(text("SELECT person_id, seq, status FROM instance WHERE instance_id = :id"), {"id": case_id}).one()


def whole(world):
    """Everything that a merger and its undoing must leave as it was, but for ledger lines: facts, tokens, whose each instance is."""
    with world.database.reading(users.system()) as session:
        return [session.execute(text(statement)).all() for statement in (
            "SELECT fact_id, person_id, subject, field, value, is_current, source FROM fact ORDER BY fact_id", "SELECT * FROM person_token ORDER BY 1, 2, 3",
            "SELECT instance_id, person_id, status, ended_at, outcome, state FROM instance ORDER BY 1", "SELECT person_id, merged_into FROM person ORDER BY 1")]  # fmt: skip


def assert_rows_are_told(world, *case_ids):
    with world.database.reading(users.system()) as session:
        for case_id in case_ids:
            found = [one for one in projections.differences(session, case_id) if one.code == "fact.other"]
            assert found == []


def test_two_cards_are_compared_field_by_field_and_made_one_by_two(world, two):
    first, second = two
    assert [one.case_id for one in look(world, "karim", doubles.suspected, second)] == [first], "the phone is shared, the births are not"
    side = look(world, "karim", doubles.beside, second, first)
    agreed = {row.field: row.agree for row in side.rows}
    assert agreed["person.tel"] == "same" and agreed["person.naissance_date"] == "differ" and agreed["person.nom_fr"] == "alone" == agreed["person.nom_ar"]
    before = whole(world)
    merger = work(world, "karim", mergers.propose, second, first, ["person.naissance_date"], "Même passeport vu aux deux dates")
    head = world.agent("OTE", "MED", "chef_antenne").username
    with pytest.raises(errors.Forbidden):
        work(world, "karim", mergers.approve, merger)
    heads = [one for one in world.staff.values() if one.roles & {"chef_antenne", "coordinateur"}]
    told = {one.username for one in heads if "merger.proposed" in world.news(one)[1]}
    assert head in told and told == {one.username for one in heads if one.branch == "MED" or one.reach == "all"}, "who may decide of both, and nobody else"
    work(world, head, mergers.approve, merger)
    assert not any("merger.proposed" in world.news(one)[1] for one in heads) and "merger.done" in world.news(world.staff["karim"])[1]
    kept = one(world, second).person_id
    assert one(world, first).person_id == kept, "his old case is his"
    shown = look(world, "karim", doubles.person, second)
    said = {one.field: one for one in shown.known}
    assert {case.case_id for case in shown.cases} == {first, second}
    assert said["person.naissance_date"].value.endswith("1994") and "11" in said["person.naissance_date"].value and "mars" in said["person.naissance_date"].value
    assert said["person.nom_fr"].source == "case" and said["person.nom_fr"].source_label.startswith("TN-MED-"), "with the case it comes from"
    assert said["person.nom_ar"].value == "القابسي"
    with world.database.reading(users.system()) as session:
        old = session.execute(text("SELECT count(*) FROM fact WHERE subject <> :subject AND subject LIKE 'person:%' AND is_current"), {"subject": f"person:{kept}"}).scalar()
    assert old > 5, "what was said of the other card is still there"
    assert [found.case_id for found in look(world, "karim", cases.search, "Mohamed Gabsi")].count(first) == 1
    assert world.file(second).person == "Mohamed Amine Gabsi", "what was known of one card is known in the other's case"
    assert_rows_are_told(world, first, second)
    # Parted again: every row is as it was.
    work(world, head, mergers.undo, merger, "Deux cousins en fait")
    after = whole(world)
    assert after[0] == before[0] and after[2:] == before[2:]
    assert {(row.person_id, row.kind, row.token) for row in after[1]} == {(row.person_id, row.kind, row.token) for row in before[1]}
    assert_rows_are_told(world, first, second)
    assert "merger.undone" in world.news(world.staff["karim"])[1], "whoever proposed it hears what became of it"
    world.does(second, "T102")
    assert world.incidents() == []


def test_once_more_has_happened_two_cards_are_not_parted(world, two):
    first, second = two
    head = world.agent("OTE", "MED", "chef_antenne").username
    merger = work(world, "karim", mergers.propose, second, first, [], "Le même")
    work(world, head, mergers.approve, merger)
    with pytest.raises(errors.Conflict, match=r"merger\.decided"):
        work(world, head, mergers.approve, merger)
    _touch(world, first)
    with pytest.raises(errors.Conflict, match=r"merger\.went_on"):
        work(world, head, mergers.undo, merger, "Trop tard")


def _touch(world, case_id):
    """Anything that happens in the case that came over."""
    actor = world.staff["karim"]
    with world.database.unit_of_work(actor) as session:
        doubles.note(session, actor, case_id, "task.reminded", {})


def test_who_has_two_cases_running_is_not_made_one(world):
    both = []
    for number, name in ((1, NAME_FR), (2, NAME_AR)):
        both.append(world.receive(world.somebody("emploi", number) | name | {"person.naissance_date": f"199{number}-03-11"}))
        world.does(both[-1], "T101")
    with pytest.raises(errors.Conflict, match=r"merger\.two_open") as refused:
        work(world, "karim", mergers.propose, both[0], both[1], [], "Le même")
    assert {refused.value.details["one"], refused.value.details["other"]} == {world.file(case).case_number for case in both}
    with pytest.raises(errors.NotFound):
        look(world, "ines" if world.staff["ines"].branch != "MED" else "selim", doubles.beside, both[0], world.receive(branch="SFX"))


def test_twins_are_told_apart_once(world):
    twins = [world.somebody("emploi", number) | {"person.prenom_fr": first, "person.nom_fr": "Chebbi", "person.prenom_ar": "", "person.nom_ar": "", "person.naissance_date": "1996-04-02"}
             for number, first in ((1, "Hassan"), (2, "Hassen"))]  # fmt: skip
    one_, other = world.receive(twins[0]), world.receive(twins[1])
    world.does(one_, "T101")
    row = next(row for row in world.open_tasks(other) if row.node == "T101")
    world.complete(row, world.who_does(row), twins[1], not_duplicate_of=[str(one_)], not_duplicate_reason="Jumeaux")
    world.settle()
    assert world.nodes(other) == ["T108"] and [match.case_id for match in look(world, "karim", doubles.suspected, other)] == [one_]
    world.does(other, "T108", accueil__doublon_decision="personne_differente", accueil__doublon_motif="Deux CIN vues ensemble, jumeaux")
    assert look(world, "karim", doubles.suspected, other) == [] == look(world, "karim", doubles.suspected, one_), "remembered, from both sides"
    side = look(world, "karim", doubles.beside, one_, other)
    assert side.apart is not None and side.apart.reason == "Deux CIN vues ensemble, jumeaux" and side.apart.who
    with world.database.reading(users.system()) as session:
        third = beneficiaries.matches(session, twins[0] | {"person.cin": ""})
    assert len(third) == 2, "a third is still compared with both"


def test_side_by_side_one_says_why_they_are_not_the_same(world, two):
    first, second = two
    with pytest.raises(errors.Invalid, match="reason_needed"):
        work(world, "karim", doubles.tell_apart, second, first, " ")
    work(world, "karim", doubles.tell_apart, second, first, "Frères, même téléphone")
    assert look(world, "karim", doubles.suspected, second) == []
    assert look(world, "karim", doubles.beside, first, second).apart.reason == "Frères, même téléphone"
    told = [one for case in two for one in look(world, "karim", cases.history, case).items if one.kind == "person.told_apart"]
    assert len(told) == 2


def test_who_was_told_apart_from_one_stays_so_from_whom_that_one_is_made_one_with(world, two):
    first, second = two
    third = world.receive(world.somebody("emploi", 3) | NAME_FR | FOREIGN | {"person.naissance_date": "1991-03-12", "person.tel": "+21698111222"})
    world.does(third, "T101")
    end(world, third)
    work(world, "karim", doubles.tell_apart, second, first, "Frères, même téléphone")
    assert [one.case_id for one in look(world, "karim", doubles.suspected, second)] == [third]
    head = world.agent("OTE", "MED", "chef_antenne").username
    merger = work(world, "karim", mergers.propose, third, first, [], "Deux fiches du frère")
    work(world, head, mergers.approve, merger)
    assert look(world, "karim", doubles.suspected, second) == [] == look(world, "karim", doubles.suspected, third), "both were looked at, under the other card"
    work(world, head, mergers.undo, merger, "Deux frères encore")
    assert [one.case_id for one in look(world, "karim", doubles.suspected, second)] == [third]


def test_of_two_mergers_that_cross_one_is_done(world, two):
    first, second = two
    merger = work(world, "karim", mergers.propose, second, first, [], "Le même")
    with pytest.raises(errors.Conflict, match=r"merger\.proposed"):
        work(world, "sonia", mergers.propose, first, second, [], "Le même, dans l'autre sens")
    third = world.receive(world.somebody("emploi", 3) | NAME_FR | FOREIGN | {"person.naissance_date": "1991-03-12", "person.tel": "+21698111222"})
    world.does(third, "T101")
    end(world, third)
    chained = work(world, "karim", mergers.propose, first, third, [], "Encore lui")
    head = world.agent("OTE", "MED", "chef_antenne").username
    work(world, head, mergers.approve, merger)
    with pytest.raises(errors.Conflict, match=r"merger\.meanwhile"):
        work(world, head, mergers.approve, chained)
