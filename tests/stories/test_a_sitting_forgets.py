"""A sitting judged somebody's aid. She is forgotten: nothing that it wrote of her is left to read, the others' files and the chain stand, and an old backup does not bring her back."""

import json

from sqlalchemy import text

from engine import doctor
from engine.actors import users
from engine.casework import cases, erasures, letters
from engine.database import Database
from engine.ledger import access, proving
from tests.engine.casework.test_forgetting import tables_with
from tests.stories.test_a_committee_day import convened
from tests.stories.test_aids_off_the_straight_road import present, votes

HERS, OTHERS = "Kanarimotif", "Serinmotif"
_SEALED = text("SELECT instance_id, seq, person_id, ciphertext FROM ledger_sealed ORDER BY instance_id, seq")


def opened(database: Database) -> str:
    """All that still opens of what every line sealed."""
    with database.reading(users.system()) as session:
        return json.dumps([access.open_line(session, *row) for row in session.execute(_SEALED)], ensure_ascii=False)


def _at_the_sitting(database: Database, sitting_id) -> str:
    """The same of its own lines."""
    with database.reading(users.system()) as session:
        return json.dumps([access.open_line(session, *row) for row in session.execute(_SEALED) if row.instance_id == sitting_id], ensure_ascii=False)


def minutes(database: Database, actor: users.Actor, sitting_id) -> str:
    """Every paper of a sitting, as somebody reads it."""
    with database.reading(actor) as session:
        return json.dumps([letters.read(session, actor, one).content for one, _ in letters.of_dossier(session, actor, sitting_id)], ensure_ascii=False)


def decided(world):
    """Two cases, their aids refused by one sitting, each for its own reason."""
    sitting_id = convened(world, [("creation", {}), ("creation", {})])
    first, second = (row.root_id for row in _dossiers(world))
    while rows := [one for one in world.open_tasks(sitting_id) if one.node.startswith("T653")]:
        said = HERS if _aid_of(world, rows[0]) == _aid(world, first) else OTHERS
        world.answers(rows[0], **{f"aide__question_{rows[0].agency.lower()}": f"{said} ?"})
    while row := next((one for one in [world.reaches("T654")] if one.root_id == sitting_id), None):
        said = HERS if _aid_of(world, row) == _aid(world, first) else OTHERS
        against = {"seance.presence": present("OTE", "CPS", "ANETI"), "aide.votes": votes(OTE="contre", CPS="contre", ANETI="contre")}
        world.answers(row, **against, aide__quorum_reuni=True, aide__decision="refuse", aide__motif_decision=f"{said}, hors délai", aide__montant_accorde=None)
        if not any(one.node.startswith("T654") for one in world.open_tasks(sitting_id)):
            break
    for node in ("T655", "T655_CPS", "T655_ANETI"):
        world.does(sitting_id, node)
    return sitting_id, first, second


def _dossiers(world):
    with world.database.reading(users.system()) as session:
        return session.execute(text("SELECT root_id, subject FROM instance WHERE process = 'dossier_aide' ORDER BY opened_at, instance_id")).all()


def _aid(world, case_id):
    return next(row.subject for row in _dossiers(world) if row.root_id == case_id)


def _aid_of(world, task):
    with world.database.reading(users.system()) as session:
        return next(one for one in session.execute(text("SELECT subjects FROM open_task WHERE task_id = :id"), {"id": task.task_id}).scalar_one() if one.startswith("aide:"))


def closed(world, case_id):
    """Her case is over."""
    world.begins(case_id, "deces_redepart", world.agent("OTE", "MED", "referent"), sortie__evenement="deces", sortie__preuve=None)
    world.does(case_id, "T961")
    assert world.stands(case_id).status == "ended"


def faults(database):
    return [(one.code, one.about) for one in doctor.examine(database).faults]


def test_what_a_sitting_wrote_of_her_goes_with_her(world, make_database):
    sitting_id, hers, other = decided(world)
    closed(world, hers)
    database, head = world.database, world.agent("OTE", "MED", "chef_antenne")
    assert HERS in opened(database) and HERS in minutes(database, head, sitting_id) and {"fact", "letter"} <= tables_with(database, HERS), "positive control"
    assert faults(database) == []
    told_of_both = _at_the_sitting(database, sitting_id).count("montant_regle")
    with database.owner() as connection:
        name = connection.exec_driver_sql("SELECT current_database()").scalar()
        state = connection.exec_driver_sql("SELECT state FROM instance WHERE instance_id = %s", (sitting_id,)).scalar()
    database.dispose()
    backup = make_database(source=name)
    backup._carried.update(database._carried)

    world.forgets(hers)
    assert HERS not in opened(database) and tables_with(database, HERS) == set() and HERS not in minutes(database, head, sitting_id)
    assert OTHERS in opened(database) and OTHERS in minutes(database, head, sitting_id), "another's file stands"
    assert _at_the_sitting(database, sitting_id).count("montant_regle") == told_of_both / 2 > 0, "what the dossier told the sitting of her"
    assert proving.prove(database, users.system()).wrong == [] and faults(database) == []
    with database.reading(head) as session:
        told = cases.history(session, head, sitting_id).items
        assert told[0].kind == "person.erased" and HERS not in str(told) and OTHERS in str(told)
    with database.owner() as connection:
        assert connection.exec_driver_sql("SELECT state FROM instance WHERE instance_id = %s", (sitting_id,)).scalar() == state
        # What is left of a paper is as the line says, and nothing else.
        connection.exec_driver_sql("SET LOCAL session_replication_role = replica")
        connection.execute(text("UPDATE letter SET content = jsonb_set(content, '{fr,object}', to_jsonb('autre'::text)) WHERE root_id = :id"), {"id": sitting_id})
    assert {code for code, _ in faults(database)} == {"letter.other"}

    assert tables_with(backup, HERS), "an old backup holds what was written of her"
    assert erasures.again(backup) == 1
    assert HERS not in opened(backup) and tables_with(backup, HERS) == set() and OTHERS in minutes(backup, head, sitting_id)
    assert proving.prove(backup, users.system()).wrong == [] and faults(backup) == []


def test_what_is_kept_longer_is_read_on_until_its_time_is_over_too(world):
    """Decisions on aids are kept ten years, most of the rest five."""
    sitting_id, hers, _ = decided(world)
    closed(world, hers)
    database, head = world.database, world.agent("OTE", "MED", "chef_antenne")
    for years, is_kept in ((6, True), (5, False)):
        with database.owner() as connection:
            connection.exec_driver_sql("UPDATE demo_clock SET shift = shift + make_interval(years => %s)", (years,))
        world.forgets(hers, reference="")
        for told in (opened(database), minutes(database, head, sitting_id)):
            assert (HERS in told) == is_kept and OTHERS in told
        assert proving.prove(database, users.system()).wrong == [] and faults(database) == []
