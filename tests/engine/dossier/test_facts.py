"""Facts as rows: recorded, replaced, walled by class, read whole by the engine alone."""

import datetime as dt
from types import SimpleNamespace
from uuid import uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from engine.database import Wall
from engine.dossier import facts
from engine.dossier.facts import NewFact
from engine.ledger import events

AT = dt.datetime(2026, 3, 2, 9, tzinfo=dt.UTC)


def somebody(agency="OTE", branch="MED", classes="C,O,S", writes="C,O,S", reach="branch"):
    user = uuid4()
    return SimpleNamespace(user_id=user, name="Amel", kind="person", agency=agency, branch=branch,
                           wall=Wall(user_id=str(user), agency=agency, branch=branch, reach=reach, may_write=True, classes=classes, writes=writes))  # fmt: skip


@pytest.fixture
def case(database):
    """A bare case in Médenine, its line first, as the engine makes one."""
    actor, instance, person = somebody(), uuid4(), uuid4()
    with database.owner() as connection:
        connection.exec_driver_sql("INSERT INTO agency VALUES ('OTE', '{}') ON CONFLICT DO NOTHING")
        connection.exec_driver_sql("INSERT INTO branch VALUES ('MED', '{}', '2019-09-01', '{}', '{OTE}') ON CONFLICT DO NOTHING")
        edition = str(uuid4())
        connection.exec_driver_sql("INSERT INTO edition VALUES (%s, (SELECT coalesce(max(number), 900) + 1 FROM edition), %s, '{}', now())", (edition, edition))
    with database.unit_of_work(actor) as session:
        session.execute(text("INSERT INTO person (person_id) VALUES (:p)"), {"p": person})
        head = events.append(session, actor, events.Head(instance, 0, b""), person, "case.opened", AT, {}, {})
        session.execute(text("INSERT INTO instance (instance_id, root_id, process, edition_id, person_id, branch, state, seq, head, opened_at) VALUES (:i, :i, 'p', :e, :p, 'MED', '', 1, :h, now())"),
                        {"i": instance, "e": edition, "p": person, "h": head.hash})  # fmt: skip
    return facts.Subjects(instance, person), head


def record(session, actor, case, *new):
    subjects, head = case
    seq, digest = session.execute(text("SELECT seq, hash FROM ledger_line WHERE instance_id = :i ORDER BY seq DESC LIMIT 1"), {"i": subjects.root_id}).one()
    head = events.append(session, actor, events.Head(subjects.root_id, seq, bytes(digest)), subjects.person_id, "facts.recorded", AT, {}, {})
    facts.record(session, actor, subjects, subjects.root_id, AT, head.seq, new)
    session.execute(text("UPDATE instance SET seq = :s, head = :h WHERE instance_id = :i"), {"s": head.seq, "h": head.hash, "i": subjects.root_id})


def test_a_newer_fact_takes_the_place_of_the_older_which_stays_in_history(database, case):
    subjects, actor = case[0], somebody()
    key = subjects.key("person")
    with database.unit_of_work(actor) as session:
        record(session, actor, case, NewFact(key, "person.adresse", "Zarzis", "C"))
    with database.unit_of_work(actor) as session:
        record(session, actor, case, NewFact(key, "person.adresse", "Djerba", "C", reason="déménagement"))
    with database.reading(actor) as session:
        assert [one.value for one in facts.readable(session, subjects)] == ["Djerba"]
        assert [(one["value"], one["is_current"]) for one in facts.versions(session, subjects, key, "person.adresse")] == [("Djerba", True), ("Zarzis", False)]


def test_a_class_that_is_not_yours_is_not_seen_but_the_engine_reads_it(database, case):
    subjects, writer = case[0], somebody()
    with database.unit_of_work(writer) as session:
        record(session, writer, case, NewFact(subjects.key("case"), "depistage.sans_abri", "oui", "S"))
    reader = somebody(classes="C,O")
    with database.reading(reader) as session:
        assert facts.readable(session, subjects) == []
        assert [one.value for one in facts.snapshot(session, subjects, ["depistage.sans_abri"])] == ["oui"]


def test_another_branch_and_an_agency_without_consent_see_nothing(database, case):
    subjects, writer = case[0], somebody()
    with database.unit_of_work(writer) as session:
        record(session, writer, case, NewFact(subjects.key("case"), "accueil.motif", "info", "C"))
    for stranger in (somebody(branch="SFX"), somebody(agency="CPS")):
        with database.reading(stranger) as session:
            assert facts.readable(session, subjects) == []
    with database.reading(somebody(branch="SFX")) as session:
        assert facts.snapshot(session, subjects, ["accueil.motif"]) == []


def test_the_database_refuses_a_class_one_may_not_write_and_a_fact_without_its_line(database, case):
    subjects, actor = case[0], somebody(writes="C")
    with database.unit_of_work(actor) as session:
        with pytest.raises(DBAPIError, match="row-level security"):
            record(session, actor, case, NewFact(subjects.key("case"), "social.sante_detail", "x", "H"))
        session.rollback()
    with database.unit_of_work(actor) as session:
        with pytest.raises(DBAPIError, match="has no ledger line"):
            facts.record(session, actor, subjects, subjects.root_id, AT, 1, [NewFact(subjects.key("case"), "accueil.motif", "info", "C")])
        session.rollback()


def test_facts_become_the_tree_a_diagram_reads():
    subjects = facts.Subjects(uuid4(), uuid4(), {"mesure": "m1"})
    new = [
        NewFact(subjects.key("person"), "person.sexe", "F", "C"), NewFact(subjects.key("return"), "retour.pays", "FR", "C"),
        NewFact(subjects.key("case"), "plan.mesures", ["m1", "m2"], "C"), NewFact("mesure:m1", "mesure.type", "M01", "C"), NewFact("mesure:m2", "mesure.type", "M13", "C"),
        NewFact(subjects.key("case"), "depistage.enceinte", None, "S", status="refuse"), NewFact(subjects.key("aid"), "aide.niveau", "N1", "P"),
    ]  # fmt: skip
    tree = facts.tree(new, subjects, lambda _, value: value, {"plan.mesures": "mesure"})
    assert tree["case"] == {
        "person": {"sexe": "F"}, "retour": {"pays": "FR"}, "plan": {"mesures": [{"id": "m1", "type": "M01"}, {"id": "m2", "type": "M13"}]},
        "depistage": {"enceinte": None, "enceinte_statut": "refuse"}}  # fmt: skip
    assert tree["mesure:m1"] == {"mesure": {"type": "M01"}}
    assert tree["aide:m1"] == {"aide": {"niveau": "N1"}}
