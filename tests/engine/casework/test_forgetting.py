"""A person is forgotten: proposed by one, approved by another; then no byte of her is left where Masar keeps things, while chains, figures and other cases stand."""

import io
import random
from contextlib import ExitStack
from threading import Thread
from uuid import UUID

import pytest
from sqlalchemy import text

from engine import doctor, errors, postgres
from engine.actors import users
from engine.casework import cases, editions, erasures
from engine.casework.instances import Change, lock
from engine.demo import people
from engine.dossier import documents
from engine.dossier.facts import NewFact
from engine.insight import casefile
from tests import world as worlds
from tests.conftest import ROOT
from tests.faults.conftest import until
from tests.engine.dossier.test_documents import PNG
from tests.web.small.installation import furnish

CANARY = "Kanarouziya"
_WAITS = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep%%'"
_HISTORY = text("SELECT state, seq FROM instance WHERE instance_id = :id")


@pytest.fixture
def town(make_database):
    database = make_database()
    furnish(database)
    return worlds.World(database)


def closed(town, number, **said):
    """Somebody received, oriented and visited: her case is over. A document of hers is kept."""
    truth = people.draw(random.Random(number), number, "MED", town.today(), "emploi").truth | {"depistage.sans_abri_ce_soir": True, "foyer.membres": [], **said}
    case, called = town.receive(truth), said.get("person.nom_fr", "Quelqu'un")
    salma = town.staff["salma"]
    for node in ("accueillir", "orienter", "visiter"):
        town.does(case, node)
        town.passes(days=1)
    with town.database.unit_of_work(salma) as session:
        sent = documents.upload(session, salma, f"{called}.png", io.BytesIO(PNG))
        held = lock(session, case)
        fact = NewFact(f"case:{case}", "consentement.doc", str(sent), "C")
        documents.attach(session, salma, case, [fact], held.edition.dictionary.fields)
        change = Change(session, salma, held, held.now)
        change.note("fact.corrected", {}, [fact], reason=f"{called} said so")
        change.write()
    return case


def files_with(database, needle=CANARY):
    """Files under which the server keeps this database and its log, of the key store and of the documents, that hold the canary."""
    with database.owner() as connection:
        number = connection.exec_driver_sql("SELECT oid FROM pg_database WHERE datname = current_database()").scalar()
        connection.exec_driver_sql("CHECKPOINT")
    data = ROOT / "var" / "postgres-test" / "data"
    kept = [*(data / "base" / str(number)).glob("*"), *(data / "pg_wal").glob("0*"), *data.glob("*.log")]
    kept += [one for folder in (database._carried["documents"], database._carried["keys"]._folder) for one in folder.rglob("*")]
    found = set()
    for one in kept:
        if one.is_file() and any(form in one.read_bytes() for form in (needle.encode(), needle.lower().encode(), needle.upper().encode())):
            found.add(one.parent.name if one.parent.name == "pg_wal" else "base" if one.parent.parent.name == "base" else one.name)
    return found


def tables_with(database, needle=CANARY):
    """Tables a row of which says the canary, in whatever column."""
    with database.owner() as connection:
        names = connection.exec_driver_sql("SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace").scalars().all()
        return {name for name in names if connection.exec_driver_sql(f"SELECT count(*) FROM {name} t WHERE t::text ILIKE '%%{needle}%%'").scalar()}


def forget(town, case):
    """Two coordinators agree, since she asked."""
    meriem, anis = town.staff["meriem"], town.staff["anis"]
    with town.database.unit_of_work(meriem) as session:
        erasure = erasures.propose(session, meriem, case, reference="BO-2026-117")
    with pytest.raises(errors.Forbidden), town.database.unit_of_work(meriem) as session:
        erasures.approve(session, meriem, erasure)
    with town.database.unit_of_work(anis) as session:
        return erasure, erasures.approve(session, anis, erasure)


def codes(database):
    return [(one.code, one.about) for one in doctor.examine(database).faults]


def test_no_byte_of_her_is_left_and_everything_else_stands(town, make_database):
    database = town.database
    case = closed(town, 1, **{"person.nom_fr": CANARY, "person.prenom_fr": CANARY})
    other = closed(town, 2, **{"person.nom_fr": "Autre"})
    assert {"fact", "person_token", "document"} <= tables_with(database), "positive control"
    is_ours = postgres.is_running(ROOT / "var" / "postgres-test")
    if is_ours:
        assert {"base", "pg_wal"} <= files_with(database), "positive control"
    with database.reading(town.staff["meriem"]) as session:
        before = cases.file(session, town.staff["meriem"], other).known
    with database.owner() as connection:
        name = connection.exec_driver_sql("SELECT current_database()").scalar()
        figures = connection.exec_driver_sql("SELECT count(*), min(opened_at), max(ended_at) FROM instance WHERE status = 'ended'").one()
    database.dispose()
    backup = make_database(name)
    backup._carried.update(database._carried)  # the keys and documents are not in it

    elsewhere = ExitStack()  # a transaction of another database of the server that began before
    elsewhere.enter_context(backup.owner()).exec_driver_sql("SELECT pg_current_xact_id()")
    erasure, counts = forget(town, case)
    assert counts["facts"] > 10 and counts["documents"] >= 1 and counts["tokens"] > 0 and counts["sealed"] > 0
    assert tables_with(database) == set()
    assert codes(database) == []
    scrubbed = Thread(target=erasures.scrub, args=[database])
    scrubbed.start()
    with backup.owner() as onlooker:
        until(lambda: onlooker.exec_driver_sql(_WAITS).scalar() or not scrubbed.is_alive())
    assert scrubbed.is_alive(), "a table written anew while somebody may see her rows keeps them"
    elsewhere.close()
    scrubbed.join()
    if is_ours:
        assert files_with(database) == set(), "tables, indexes, what the planner remembers, write-ahead log, documents, keys"
    with database.owner() as connection:
        assert connection.exec_driver_sql("SELECT count(*), min(opened_at), max(ended_at) FROM instance WHERE status = 'ended'").one() == figures
    with database.reading(town.staff["meriem"]) as session:
        assert cases.file(session, town.staff["meriem"], other).known == before, "another's case reads as before"
        assert cases.file(session, town.staff["meriem"], case).known == ()
        told = cases.history(session, town.staff["meriem"], case).items
        assert told[0].kind == "person.erased" and not any(one.values or one.reason for one in told)
        assert CANARY not in casefile.make(session, town.staff["meriem"], case).content.decode()
        assert erasures.show(session, town.staff["meriem"], erasure).counts == counts

    assert tables_with(backup), "an old backup holds her rows"
    assert [code for code, _ in codes(backup)] == ["person.came_back"]
    assert erasures.again(backup) == 1
    assert tables_with(backup) == set() and codes(backup) == []
    assert erasures.again(backup) == 0


def test_who_may_what_and_what_is_due(town):
    database, meriem = town.database, town.staff["meriem"]
    running = town.receive(people.draw(random.Random(5), 5, "MED", town.today(), "emploi").truth)
    with pytest.raises(errors.Conflict, match="erasure.running"), database.unit_of_work(meriem) as session:
        erasures.propose(session, meriem, running, reference="BO-1")
    case = closed(town, 3)
    with database.reading(meriem) as session:
        listed = erasures.due(session, meriem)
        keeps = max(editions.current(session).dictionary.fields[name].retention for name in ("person.nom_fr", "consentement.doc"))
    assert [(one.case_id, one.is_due) for one in listed] == [(case, False)] and keeps.startswith("P")
    with pytest.raises(errors.Conflict, match="erasure.not_due"), database.unit_of_work(meriem) as session:
        erasures.propose(session, meriem, case)
    karim, chokri = town.staff["karim"], town.staff["chokri"]
    for who in (karim, chokri):
        with pytest.raises(errors.Forbidden), database.unit_of_work(who) as session:
            erasures.propose(session, who, case, reference="BO-1")
    with database.owner() as connection:
        connection.exec_driver_sql("SET LOCAL session_replication_role = replica")
        connection.exec_driver_sql("UPDATE instance SET ended_at = ended_at - interval '11 years' WHERE instance_id = %s", (case,))
    with database.unit_of_work(meriem) as session:
        assert [one.is_due for one in erasures.due(session, meriem)] == [True]
        erasure = erasures.propose(session, meriem, case)
    with pytest.raises(Exception, match="approved by somebody who did not propose it"), database.unit_of_work(meriem) as session:
        session.execute(text("UPDATE erasure SET state = 'done', decided_by = :me, xid = pg_current_xact_id() WHERE erasure_id = :id"), {"me": meriem.user_id, "id": erasure})
    with pytest.raises(Exception, match="nobody approved"), database.unit_of_work(meriem) as session:
        session.execute(text("SELECT masar_forget_person(person_id) FROM erasure WHERE erasure_id = :id"), {"id": erasure})
    with database.unit_of_work(meriem) as session:
        erasures.refuse(session, meriem, erasure)
    with database.reading(chokri) as session:
        assert [one.state for one in erasures.listed(session, chokri)] == ["refused"]


def test_a_death_between_the_commit_and_the_key_is_made_good(town, monkeypatch):
    case = closed(town, 4, **{"person.nom_fr": CANARY})
    monkeypatch.setattr(erasures, "_destroying", lambda *_: lambda _session: None)
    forget(town, case)
    monkeypatch.undo()
    keys = town.database._carried["keys"]
    with town.database.reading(users.system()) as session:
        person = UUID(str(session.execute(text("SELECT person_id FROM instance WHERE instance_id = :id"), {"id": case}).scalar_one()))
    assert keys.find(person) is not None
    assert erasures.again(town.database) == 0
    assert keys.find(person) is None and person in keys.erased()
