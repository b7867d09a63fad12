"""A person is forgotten: proposed by one, approved by another; then no byte of her is left where Masar keeps things, while chains, figures and other cases stand."""

import copy
import io
import random
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import replace
from threading import Thread
from uuid import UUID

import pytest
import sqlalchemy.exc
from sqlalchemy import text

from engine import doctor, errors, postgres
from engine.actors import users
from engine.casework import cases, editions, erasures, findings
from engine.casework.instances import Change, lock
from engine.demo import people
from engine.dossier import documents
from engine.dossier.facts import NewFact
from engine.insight import casefile
from engine.ledger import access, journal, sealing
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
    database = make_database(furnish)
    return worlds.World(database)


def closed(town, number, **said):
    """Somebody received, oriented and visited: her case is over. A document of hers is kept, and an auditor wrote of her."""
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
    chokri = town.staff["chokri"]
    with town.database.unit_of_work(chokri) as session:
        findings.open_at_event(session, chokri, case, 2, f"{called} came twice", "chef_antenne", "MED", town.today())
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


def _journal(database):
    """All that the journal sealed and still opens: the words of findings among it."""
    with database.reading(users.system()) as session:
        return str([one.said for one in journal.read(session, kind="finding.", limit=100)])


def codes(database):
    return [(one.code, one.about) for one in doctor.examine(database).faults]


@contextmanager
def the_log_is_kept(database):
    """Nothing of the server's write-ahead log goes meanwhile, whatever its other databases do."""
    with database.owner() as connection:
        held = connection.exec_driver_sql("SELECT slot_name FROM pg_create_physical_replication_slot(current_database(), true)").scalar()
    try:
        yield
    finally:
        with database.owner() as connection:
            connection.execute(text("SELECT pg_drop_replication_slot(:name)"), {"name": held})


def test_no_byte_of_her_is_left_and_everything_else_stands(town, make_database):
    database = town.database
    is_ours = postgres.is_running(ROOT / "var" / "postgres-test")
    with the_log_is_kept(database) if is_ours else nullcontext():
        case = closed(town, 1, **{"person.nom_fr": CANARY, "person.prenom_fr": CANARY})
        other = closed(town, 2, **{"person.nom_fr": "Autre"})
        assert {"fact", "person_token", "document", "finding"} <= tables_with(database), "positive control"
        if is_ours:
            assert {"base", "pg_wal"} <= files_with(database), "positive control"
    with database.reading(town.staff["meriem"]) as session:
        before = cases.file(session, town.staff["meriem"], other).known
    with database.owner() as connection:
        name = connection.exec_driver_sql("SELECT current_database()").scalar()
        figures = connection.exec_driver_sql("SELECT count(*), min(opened_at), max(ended_at) FROM instance WHERE status = 'ended'").one()
    database.dispose()
    backup = make_database(source=name)
    backup._carried.update(database._carried)  # the keys and documents are not in it

    elsewhere = ExitStack()  # a transaction of another database of the server that began before
    elsewhere.enter_context(backup.owner()).exec_driver_sql("SELECT pg_current_xact_id()")
    erasure, counts = forget(town, case)
    assert counts["facts"] > 10 and counts["documents"] >= 1 and counts["tokens"] > 0 and counts["sealed"] > 0
    assert tables_with(database) == set() and CANARY not in _journal(database)
    assert codes(database) == []
    scrubbed = Thread(target=erasures.scrub, args=[database])
    scrubbed.start()

    def is_waiting():  # a transaction sees the activity of others as it was at its first look
        with backup.owner() as onlooker:
            return onlooker.exec_driver_sql(_WAITS).scalar()

    until(lambda: is_waiting() or not scrubbed.is_alive())
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
    assert "person.came_back" in [code for code, _ in codes(backup)]
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
    assert (town.news(meriem), town.news(town.staff["anis"])) == ((0, []), (1, ["erasure.proposed"]))
    with pytest.raises(Exception, match="approved by somebody who did not propose it"), database.unit_of_work(meriem) as session:
        session.execute(text("UPDATE erasure SET state = 'done', decided_by = :me, xid = pg_current_xact_id() WHERE erasure_id = :id"), {"me": meriem.user_id, "id": erasure})
    with pytest.raises(Exception, match="nobody approved"), database.unit_of_work(meriem) as session:
        session.execute(text("SELECT masar_forget_person(person_id) FROM erasure WHERE erasure_id = :id"), {"id": erasure})
    with database.unit_of_work(meriem) as session:
        erasures.refuse(session, meriem, erasure)
    assert town.news(town.staff["anis"]) == (0, [])
    with database.reading(chokri) as session:
        assert [one.state for one in erasures.listed(session, chokri)] == ["withdrawn"]


def years_later(town, case, years):
    """Her case ended so long ago, one of her answers being of an aid, kept ten years, and the others five."""
    salma = town.staff["salma"]
    with town.database.unit_of_work(salma) as session:
        change = Change(session, salma, held := lock(session, case), held.now)
        change.note("fact.corrected", {}, [NewFact(f"case:{case}", "aide.niveau", "N1", "C")], reason=f"{CANARY} was paid")
        change.write()
    with town.database.owner() as connection:  # the clock, not her row: the doctor would see that
        connection.exec_driver_sql("UPDATE demo_clock SET shift = shift + make_interval(years => %s)", (years,))


def approved(town, case):
    meriem, anis = town.staff["meriem"], town.staff["anis"]
    with town.database.unit_of_work(meriem) as session:
        erasure = erasures.propose(session, meriem, case)
    with town.database.unit_of_work(anis) as session:
        return erasure, erasures.approve(session, anis, erasure)


@pytest.fixture
def kept_longer(monkeypatch):
    """The small dictionary keeps everything five years: here, one field ten, as the aids of the real one."""
    real = editions.current

    def current(session):
        edition = real(session)
        fields = dict(edition.dictionary.fields)
        fields["aide.niveau"] = replace(next(iter(fields.values())), id="aide.niveau", retention="P10Y")
        made = copy.copy(edition)
        object.__setattr__(made, "dictionary", replace(edition.dictionary, fields=fields))
        return made

    monkeypatch.setattr(editions, "current", current)


def test_what_is_past_its_class_goes_and_what_is_kept_longer_stands(town, make_database, kept_longer):
    database, meriem = town.database, town.staff["meriem"]
    case = closed(town, 1, **{"person.nom_fr": CANARY, "person.prenom_fr": CANARY})
    years_later(town, case, 6)
    with database.reading(meriem) as session:
        held = erasures.due(session, meriem)[0]
    assert [(one.retention, one.is_due) for one in held.classes] == [("P5Y", True), ("P10Y", False)] and held.is_due and not held.is_whole
    with database.owner() as connection:
        name = connection.exec_driver_sql("SELECT current_database()").scalar()
        person = connection.exec_driver_sql("SELECT person_id FROM instance WHERE instance_id = %s", (case,)).scalar()
    database.dispose()
    backup = make_database(source=name)
    backup._carried.update(database._carried)
    keys = database._carried["keys"]
    before = keys.find(person)

    erasure, counts = approved(town, case)
    assert counts["facts"] > 10 and counts["kept"] == 1 and counts["documents"] >= 1 and counts["tokens"] > 0
    assert tables_with(database) == set() and codes(database) == []
    assert keys.find(person) not in (None, before) and keys.renewing() == {}
    with database.reading(users.system()) as session:
        rows = session.execute(text("SELECT instance_id, seq, ciphertext FROM ledger_sealed WHERE person_id = :id"), {"id": person}).all()
        opened = [access.open_line(session, row.instance_id, row.seq, person, row.ciphertext) for row in rows]
    assert [name for one in opened for name in one] == [f"case:{case}|aide.niveau"], "what is kept opens, nothing else"
    with pytest.raises(sealing.CannotOpen):
        sealing.unseal(before, rows[0].instance_id, rows[0].seq, bytes(rows[0].ciphertext))
    with database.reading(meriem) as session:
        assert cases.history(session, meriem, case).items[0].kind == "person.erased_in_part"
        assert erasures.show(session, meriem, erasure).retentions == ("P5Y",)
        assert [one.retention for one in erasures.due(session, meriem)[0].classes] == ["P10Y"]
        with pytest.raises(errors.Conflict, match="erasure.not_due"):
            erasures.propose(session, meriem, case)
    if postgres.is_running(ROOT / "var" / "postgres-test"):
        erasures.scrub(database)
        assert files_with(database) == set()

    assert tables_with(backup), "an old backup holds her rows"
    assert "person.came_back" in [code for code, _ in codes(backup)]
    assert erasures.again(backup) == 1
    assert tables_with(backup) == set() and codes(backup) == []
    # Somebody who takes out a value that no erasure told of is noticed.
    with database.owner() as connection:
        connection.exec_driver_sql("SET LOCAL session_replication_role = replica")
        for row in rows:
            connection.exec_driver_sql("UPDATE ledger_sealed SET ciphertext = %s WHERE instance_id = %s AND seq = %s", (sealing.seal(keys.find(person), row.instance_id, row.seq, {}), row.instance_id, row.seq))
    assert "chain" in [code for code, _ in codes(database)]


def test_an_approval_in_part_opens_no_other_door_and_a_death_at_it_is_made_good(town, monkeypatch, kept_longer):
    database, meriem, anis = town.database, town.staff["meriem"], town.staff["anis"]
    case = closed(town, 4, **{"person.nom_fr": CANARY})
    years_later(town, case, 6)
    with database.unit_of_work(meriem) as session:
        erasure = erasures.propose(session, meriem, case)
    decide = {"state": "done", "by": anis.user_id, "at": None, "id": erasure}
    for statement in ("SELECT masar_forget_person(person_id) FROM erasure WHERE erasure_id = :id", "SELECT masar_forget_in_part(person_id, '{}') FROM erasure WHERE erasure_id = :id"):
        with pytest.raises(sqlalchemy.exc.DBAPIError, match="kept by what was approved|nobody approved"), database.unit_of_work(anis) as session:
            session.execute(erasures._DECIDE, decide)
            session.execute(text(statement), {"id": erasure})
    monkeypatch.setattr(erasures, "_renewing", lambda *_: lambda _session: None)
    with database.unit_of_work(anis) as session:
        erasures.approve(session, anis, erasure)
    monkeypatch.undo()
    keys = database._carried["keys"]
    with database.reading(users.system()) as session:
        person = session.execute(text("SELECT person_id FROM instance WHERE instance_id = :id"), {"id": case}).scalar_one()
    assert list(keys.renewing()) == [person]
    erasures.again(database)
    assert keys.renewing() == {} and {one: kept for one, (kept, _) in keys.erased_in_part().items()} == {person: ["aide.niveau"]} and codes(database) == []


def test_a_server_that_starts_meanwhile_leaves_the_new_key_where_it_is(town, kept_longer):
    """It looks for keys that nobody settled: this one is at work, not dead."""
    database, meriem, anis = town.database, town.staff["meriem"], town.staff["anis"]
    case = closed(town, 4)
    years_later(town, case, 6)
    with database.unit_of_work(meriem) as session:
        erasure = erasures.propose(session, meriem, case)
    started = Thread(target=erasures.again, args=[database])
    with database.unit_of_work(anis) as session:
        erasures.approve(session, anis, erasure)
        started.start()
        started.join(1)
    started.join()
    with database.reading(users.system()) as session:
        rows = session.execute(text("SELECT instance_id, seq, person_id, ciphertext FROM ledger_sealed WHERE instance_id = :id AND person_id IS NOT NULL"), {"id": case}).all()
        opened = [access.open_line(session, row.instance_id, row.seq, row.person_id, row.ciphertext) for row in rows]
    assert [name for one in opened for name in one] == [f"case:{case}|aide.niveau"] and codes(database) == []


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
