"""Letters of a case: what they are made of, who reads them, and that they stay as they were written."""

import json
import re

import pytest
from sqlalchemy import text

from engine import errors
from engine.actors import authority, users
from engine.casework import editions, letters
from engine.demo import stories
from tests.web.small import installation as small
from tests.world import FORMS, PROCESSES, World

ISOLATES = re.compile("[\u2066\u2067\u2069]")


@pytest.fixture(scope="module")
def world(make_database):
    database = make_database(small.furnish)
    return World(database)


@pytest.fixture
def received(world):
    """Somebody received at the desk of Médenine: the case, and the id of her receipt."""

    def receive(number):
        truth = stories.pizzeria_of_zarzis(world.today()).truth | {"person.cin": f"0{6_000_000 + number}", "person.nom_fr": f"Recu{chr(65 + number)}", "person.nom_ar": "رسالة" + "بتثجح"[number],
                                                                   "person.naissance_date": f"{1950 + number}-02-03", "person.tel": f"+2165400000{number}"}  # fmt: skip
        case_id = world.receive(truth)
        world.does(case_id, "accueillir")
        return case_id, world.file(case_id, world.staff["karim"]).letters[0]["letter_id"]

    return receive


def read(world, letter_id, username):
    actor = world.staff[username]
    with world.database.reading(actor) as session:
        return letters.read(session, actor, letter_id)


def test_a_receipt_names_the_person_in_each_script_and_what_was_asked(world, received):
    case_id, letter_id = received(1)
    found = read(world, letter_id, "salma")
    french, arabic = (ISOLATES.sub("", json.dumps(found.content[language], ensure_ascii=False)) for language in ("fr", "ar"))
    assert "Walid RecuB" in french and found.case_number in french and "Médenine" in french
    assert "رسالةت" in arabic and found.case_number in arabic and "مدنين" in arabic
    assert found.code == world.file(case_id, world.staff["karim"]).receipt_code


def test_a_letter_stays_as_it_was_written_whatever_is_corrected_later(world, received):
    case_id, letter_id = received(2)
    before = read(world, letter_id, "salma").content
    with world.database.owner() as connection:
        connection.execute(text("UPDATE fact SET value = '\"Autre\"' WHERE root_id = :case AND field = 'person.nom_fr'"), {"case": case_id})
        connection.execute(text("UPDATE branch SET names = jsonb_set(names, '{fr}', '\"Ailleurs\"') WHERE code = 'MED'"))
    try:
        assert read(world, letter_id, "salma").content == before and "RecuC" in str(before)
    finally:
        with world.database.owner() as connection:
            connection.execute(text("UPDATE branch SET names = jsonb_set(names, '{fr}', '\"Médenine\"') WHERE code = 'MED'"))


def test_without_consent_a_letter_is_not_there_for_another_agency_not_even_in_the_database(world, received):
    case_id, letter_id = received(3)
    with pytest.raises(errors.NotFound, match="letter.not_found"):
        read(world, letter_id, "nabil")
    nabil = world.staff["nabil"]
    with world.database.reading(nabil) as session:
        assert session.execute(text("SELECT count(*) FROM letter WHERE root_id = :case"), {"case": case_id}).scalar_one() == 0
    with world.database.reading(world.staff["salma"]) as session:
        assert session.execute(text("SELECT count(*) FROM letter WHERE root_id = :case"), {"case": case_id}).scalar_one() == 1


def test_a_visitor_learns_of_a_letter_its_kind_its_branch_and_its_day(world, received):
    _, letter_id = received(4)
    found = read(world, letter_id, "salma")
    with world.database.reading(users.VISITOR) as session:
        known = letters.verify(session, found.code.lower())
        assert (known.titles["fr"], known.branch, known.produced_at) == ("Récépissé de dépôt d'une demande", "MED", found.produced_at)
        assert set(vars(known)) == {"titles", "branch", "produced_at"}
        assert letters.verify(session, "ZZZZZZZZ") is None
        assert session.execute(text("SELECT count(*) FROM letter")).scalar_one() == 0


def edition(**changed):
    files = editions.files_of(PROCESSES, FORMS)
    for name, (old, new) in changed.items():
        path = f"forms/letters/{name}.toml"
        assert old.encode() in files[path]
        files[path] = files[path].replace(old.encode(), new.encode())
    return files


def found_in(files):
    return {(one.code, one.details.get("id") or one.details.get("letter")) for one in editions.check(files) if one.severity == "error"}


def test_a_letter_that_shows_more_than_its_readers_may_see_cannot_be_published():
    assert found_in(edition()) == set()
    # The reason of a decision is not for an employment adviser, who reads the class C.
    assert ("edition.letter_shows_too_much", "aide.motif_decision") in found_in(edition(decision_aide=('class = "O"', 'class = "C"')))
    # Nor does a condition tell what it may not show.
    hidden = '[[block]]\nwhen = "depistage.violence = true"\ntext = { fr = "x", ar = "س" }\n\n[[signature]]'
    files = edition(recepisse=("[[signature]]", hidden.replace("depistage.violence", "aide.instruction_note")))
    assert ("edition.letter_shows_too_much", "aide.instruction_note") in found_in(files)


def test_a_diagram_that_writes_a_letter_nobody_wrote_cannot_be_published():
    files = edition()
    del files["forms/letters/plan.toml"], files["forms/letters/recepisse.toml"]
    assert found_in(files) == {("edition.letter_unknown", "plan"), ("edition.letter_unknown", "recepisse")}


@pytest.mark.parametrize(("letter", "fact", "opens"), [("C", "C", True), ("C", "P,F,O,S,E", True), ("C", "P,O,R", False), ("O", "P,O,R", True), ("O", "C", True), ("F", "O", False),
                                                       ("P", "P,R", True), ("H", "H", False), ("S", "H", False)])  # fmt: skip
def test_a_class_of_paper_opens_what_all_its_readers_read(letter, fact, opens):
    assert authority.opens(letter, fact) is opens
