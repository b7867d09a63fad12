"""Whoever owns the database changes a row, takes one away, puts one there or swaps two: whatever table it is, the doctor says so and where; or says that it could not check.

`ATTACKS` and `attested.UNTOLD` name every table between them. Each attack is made in a transaction that is taken back; each is seen to be unseen where what it is held against is taken away.
"""

import io
from contextlib import contextmanager, nullcontext
from types import SimpleNamespace
from unittest.mock import patch

import pytest
from sqlalchemy import text
from sqlmodel import Session

from engine import clock, database, doctor, installation, jobs
from engine.actors import users
from engine.casework import appointments, attested, doubles, erasures, findings, gathered, mergers, projections, snapshots
from engine.casework.instances import Change, lock
from engine.dossier import documents
from engine.dossier.facts import NewFact
from engine.identity import new_id
from engine.ledger import consultations, standing
from tests import world as worlds
from tests.engine.dossier.test_documents import PNG

CASE = "WHERE instance_id = :case"
OWN = {"number": "'TN-MED-2020-00001'", "receipt_code": "'AAAA-BBBB'", "stage": "'cloture'", "outcome": "'abandon'", "priority": "3", "referent_id": "gen_random_uuid()", "social_worker_id": "gen_random_uuid()", "is_shared": "NOT is_shared",
       "is_shared_funder": "NOT is_shared_funder", "is_shared_operator": "NOT is_shared_operator", "is_kept": "NOT is_kept", "assigned": "ARRAY[gen_random_uuid()]", "opened_at": "opened_at - interval '1 day'", "ended_at": "now()",
       "suspended_at": "now()", "also_read_by": "'SFX'", "also_read_until": "now()", "payments_held": "true", "lent_to": "'SFX OTE'"}  # fmt: skip
# table: (what is done, code, part of what is said); `:case` a case on its road, `:other` another, `:ended` one that is over.
ATTACKS = {
    "instance": [
        *((f"UPDATE instance SET {name} = {value} {CASE}", "table.other", name.removesuffix("_id")) for name, value in {
            "root_id": ":other", "parent_id": ":other", "person_id": "gen_random_uuid()", "branch": "'SFX'", "subject": "'aide:x'", "scope": """'{"aide": "x"}'"""}.items()),
        ("UPDATE instance SET " + ", ".join(f"{name} = {value}" for name, value in OWN.items()) + f" {CASE}", "table.other", *(name.removesuffix("_id") for name in OWN)),  # each is named
        (f"UPDATE instance SET process = 'signalement' {CASE}", "state.other", ""),
        (f"INSERT INTO edition SELECT gen_random_uuid(), 9, 'x', files, now() FROM edition; UPDATE instance SET edition_id = (SELECT edition_id FROM edition WHERE number = 9) {CASE}", "table.other", "edition"),
        (f"UPDATE instance SET status = 'ended' {CASE}", "case.ended_otherwise", ""),
        (f"UPDATE instance SET state = (SELECT state FROM instance WHERE instance_id = :other) {CASE}", "state.other", ""),
    ],
    "open_task": [
        *((f"UPDATE open_task SET {name} = {value} {CASE}", "table.other", said) for name, value, said in (
            ("root_id", ":other", "not of its case"), ("case_branch", "'SFX'", "not of its case"), ("case_number", "'TN-1'", "not of its case"), ("priority", "9", "not of its case"), ("remind_at", "NULL", "reminders"),
            ("reminders", "2", "reminders"), ("role", "'coordinateur'", "role"), ("agency", "'PART'", "agency"), ("form", "'f01'", "form"), ("names", "'{}'", "names"), ("apart", """'{"T1": {}}'""", "apart"))),
        (f"DELETE FROM open_task {CASE}", "table.other", "tasks"),
        (f"UPDATE open_task SET position = '9.9' || position {CASE}", "table.other", "tasks"),
    ],
    "task_done": [
        (f"UPDATE task_done SET done_by = gen_random_uuid() {CASE} AND node LIKE 'T101%'", "table.other", "by another"),
        (f"UPDATE task_done SET done_at = done_at - interval '1 day' {CASE} AND node LIKE 'T101%'", "table.other", "by another"),
        (f"UPDATE task_done SET root_id = :other {CASE} AND node LIKE 'T101%'", "table.other", "by another"),
        (f"DELETE FROM task_done {CASE} AND node LIKE 'T101%'", "task.line_without_done", "T101"),
        (f"INSERT INTO task_done SELECT gen_random_uuid(), instance_id, root_id, node, 'cancelled', NULL, now() FROM task_done {CASE} LIMIT 1", "table.other", "no line tells"),
        (f"UPDATE task_done a SET done_by = b.done_by, done_at = b.done_at FROM task_done b WHERE a.instance_id = :case AND b.instance_id = :case AND a.node LIKE 'T101%' AND b.node LIKE 'T104%'", "table.other", "by another"),
    ],
    "wait": [
        ("UPDATE wait SET branch = 'SFX' WHERE instance_id = :waiting", "table.other", "not of its case"), ("UPDATE wait SET due_at = due_at + interval '1 day' WHERE instance_id = :waiting", "table.other", "due_at"),
        ("DELETE FROM wait WHERE instance_id = :waiting", "table.other", "waits"),
    ],
    "message": [
        ("UPDATE message SET name = 'urgence' WHERE sender_id = :case", "table.other", "messages"), ("UPDATE message SET created_at = created_at + interval '1 hour' WHERE sender_id = :case", "table.other", "messages"),
        ("UPDATE message SET consumed_by = :other WHERE sender_id = :case", "table.other", "received otherwise"), ("UPDATE message SET consumed_by = NULL WHERE sender_id = :case", "message.seen_otherwise", ""),
        ("DELETE FROM message WHERE sender_id = :case", "table.other", "messages"),
        ("INSERT INTO message (message_id, name, correlation, sender_id, created_at) SELECT gen_random_uuid(), 'urgence', '', :case, now()", "table.other", "urgence"),
    ],
    "incident": [(f"INSERT INTO incident SELECT gen_random_uuid(), instance_id, root_id, branch, '1.1', 'T101', 'x', '{{}}', now() FROM instance {CASE}", "table.other", "incidents")],
    "fact": [
        *((f"UPDATE fact SET {name} = {value} {CASE} AND field = 'person.nom_fr'", "fact.other" if name in ("value", "status", "subject") else "table.other", "person.nom_fr") for name, value in {
            "value": """'"Autre"'""", "status": "'refuse'", "author_id": "gen_random_uuid()", "author_agency": "'CPS'", "recorded_at": "recorded_at - interval '1 day'", "person_id": "gen_random_uuid()", "root_id": ":other",
            "source": """'{"kind": "document"}'""", "subject": "'person:00000000-0000-0000-0000-000000000001'", }.items()),
        (f"UPDATE fact SET class = 'H' {CASE} AND field = 'person.nom_fr'", "fact.other", "person.nom_fr"),
        (f"DELETE FROM fact {CASE} AND field = 'person.nom_fr'", "fact.other", "person.nom_fr: its row is gone"),
        (f"INSERT INTO fact (instance_id, root_id, subject, field, value, class, recorded_at, seq) SELECT instance_id, root_id, 'case:' || root_id, 'plan.date', '1', 'C', now(), 3 FROM instance {CASE}", "fact.other", "no line says it"),
        ("UPDATE fact a SET value = b.value FROM fact b WHERE a.field = b.field AND a.field = 'person.nom_fr' AND a.instance_id <> b.instance_id", "fact.other", "person.nom_fr"),
        (f"UPDATE fact SET is_current = false {CASE} AND field = 'person.nom_fr'", "fact.other", "what counts today"),
    ],
    "letter": [
        (f"UPDATE letter SET class = 'F' {CASE}", "table.other", "letter"), (f"UPDATE letter SET root_id = :other {CASE}", "table.other", "letter"), (f"UPDATE letter SET produced_at = now() {CASE}", "table.other", "letter"),
        (f"UPDATE letter SET template = 'convocation' {CASE}", "table.other", "letter"), (f"UPDATE letter SET code = 'AAAA-BBBB' {CASE}", "letter.other", ""), (f"UPDATE letter SET content = content || '{{\"x\": 1}}' {CASE}", "letter.other", ""),
        (f"DELETE FROM letter {CASE}", "letter.other", "gone"),
    ],
    "document": [
        ("UPDATE document SET sha256 = repeat('0', 64)", "document.other", "bytes"), ("UPDATE document SET class = 'F'", "document.other", "class"), ("UPDATE document SET root_id = :other", "document.other", "no answer"),
        ("UPDATE document SET size = size + 1", "document.other", "bytes"), ("BYTES", "document.other", "bytes"),
    ],
    "received_piece": [("INSERT INTO received_piece SELECT document_id, :case, 'cin', now() FROM document LIMIT 1", "document.other", "no line tells")],
    "appointment": [
        ("UPDATE appointment SET place = 'domicile'", "table.other", "appointment"), ("UPDATE appointment SET during = tstzrange(lower(during) + interval '1 day', upper(during) + interval '1 day')", "table.other", "appointment"),
        ("UPDATE appointment SET state = 'missed', cause = 'personne'", "table.other", "appointment"), ("UPDATE appointment a SET agent_id = (SELECT user_id FROM user_account u WHERE u.user_id <> a.agent_id LIMIT 1)", "table.other", "appointment"),
        ("DELETE FROM appointment", "table.other", "appointment"),
    ],
    "stopped_clock": [("INSERT INTO stopped_clock SELECT instance_id, position, 'task', root_id, node, names, now(), NULL, now() FROM open_task WHERE instance_id = :case", "table.other", "stopped clocks")],
    "passage": [
        (f"UPDATE passage SET opened_at = opened_at - interval '9 days' {CASE}", "table.other", "passage"), (f"UPDATE passage SET closed_at = closed_at - interval '1 hour' {CASE}", "table.other", "passage"),
        (f"DELETE FROM passage {CASE} AND kind = 'task'", "table.other", "passage"), (f"INSERT INTO passage (instance_id, kind, position, node, opened_at) SELECT instance_id, 'task', '9.9', 'T101', now() FROM instance {CASE}", "table.other", "passage"),
    ],
    "replay_snapshot": [("UPDATE replay_snapshot SET marks = '[]'", "table.other", "marks")],
    "rule_fired": [(f"DELETE FROM rule_fired {CASE}", "rule.other", "line"), (f"UPDATE rule_fired SET rule = 'autre' {CASE}", "rule.other", "autre")],
    "merger": [
        ("UPDATE merger SET proposed_by = gen_random_uuid()", "person.other", "proposed by another"), ("UPDATE merger SET state = 'done'", "person.other", "no line says so"), ("UPDATE merger SET kept = gone, gone = kept", "row", "merger"),
        ("DELETE FROM merger", "row", "merger"),
    ],
    "person": [("UPDATE person SET merged_into = (SELECT person_id FROM instance WHERE instance_id = :other) WHERE person_id = (SELECT person_id FROM instance WHERE instance_id = :case)", "person.other", "nobody did it")],
    "told_apart": [("INSERT INTO told_apart SELECT least(a.person_id, b.person_id), greatest(a.person_id, b.person_id), gen_random_uuid(), now(), :case, 2 FROM instance a, instance b WHERE a.instance_id = :case AND b.instance_id = :other",
                    "person.other", "told apart by another")],
    "erasure": [
        ("UPDATE erasure SET proposed_by = gen_random_uuid()", "row", "erasure"), ("UPDATE erasure SET ground = 'retention'", "row", "erasure"), ("UPDATE erasure SET state = 'done', decided_by = proposed_by", "erasure.other", "no line says so"),
        ("DELETE FROM erasure", "row", "erasure"),
    ],
    "repair": [("INSERT INTO repair (repair_id, instance_id, root_id, branch, act, content, touches, seq, reason, proposed_by, proposed_at, expires_at) SELECT gen_random_uuid(), instance_id, root_id, branch, 'skip', '{}', '{}', 2, 'x', "
                f"(SELECT user_id FROM user_account LIMIT 1), now(), now() FROM instance {CASE}", "repair.other", "proposed by another")],
    "edition": [("UPDATE edition SET digest = 'x'", "edition.other", "edition 1"), ("UPDATE edition SET files = files - (SELECT min(k) FROM jsonb_object_keys(files) k)", "edition.other", "edition 1"),
                ("UPDATE edition SET published_at = now()", "row", "edition 1")],
    "edition_file": [("UPDATE edition_file SET content = content || '\\x20' WHERE sha256 = (SELECT files ->> 'processes/parcours.bpmn' FROM edition LIMIT 1)", "edition.other", "parcours.bpmn")],
    "edition_start": [("UPDATE edition_start SET starts_at = now()", "row", "edition_start"), ("DELETE FROM edition_start", "row", "edition_start")],
    "warning_accepted": [("UPDATE warning_accepted SET reason = 'Autre'", "row", "warning_accepted"), ("DELETE FROM warning_accepted", "row", "warning_accepted")],
    "dated_scope": [("UPDATE dated_scope SET content = content || '{\"x\": 1}'", "scope.other", "")],
    "programme": [("UPDATE programme SET content = content || '{\"x\": 1}'", "row", "programme")],
    "parameter": [("UPDATE parameter SET value = '0'", "row", "parameter")],
    "fund": [("UPDATE fund SET paid_millimes = 1000", "fund.other", "")],
    "fund_movement": [("UPDATE fund_movement SET amount_millimes = amount_millimes + 1", "row", "fund_movement"), ("DELETE FROM fund_movement", "row", "fund_movement")],
    "halfyear_report": [("UPDATE halfyear_report SET half = 2", "row", "halfyear_report"), ("DELETE FROM halfyear_report", "row", "halfyear_report")],
    "staff_leave": [("UPDATE staff_leave SET until_on = until_on + 30", "row", "staff_leave"), ("DELETE FROM staff_leave", "row", "staff_leave")],
    "user_account": [("UPDATE user_account SET roles = roles || '{ordonnateur}' WHERE username = 'nouvelle'", "account.other", "nouvelle"), ("UPDATE user_account SET branch = 'SFX' WHERE username = 'nouvelle'", "account.other", "nouvelle"),
                     ("UPDATE user_account SET is_active = false WHERE username = 'nouvelle'", "account.other", "nouvelle")],
    "audit_sample": [("INSERT INTO audit_sample (sample_id, seed, size, process, population, drawn, drawn_by) SELECT gen_random_uuid(), 's', 1, 'parcours', ARRAY[:case], ARRAY[:case], user_id FROM user_account LIMIT 1", "sample.other", "s")],
    "finding": [("UPDATE finding SET said = 'Rien'", "finding.other", "1"), ("UPDATE finding SET holds = NOT holds", "finding.other", "1"), ("UPDATE finding SET state = 'closed'", "finding.other", "1"),
                ("UPDATE finding SET due_on = due_on + 90", "finding.other", "1")],
    "finding_word": [("INSERT INTO finding_word SELECT finding_id, 1, 'answer', 'Oui', opened_by, now() FROM finding", "finding.other", "1")],
    "consultation": [("DELETE FROM consultation WHERE root_id = :case AND seq = (SELECT max(seq) FROM consultation WHERE root_id = :case)", "consulted", "line"), ("DELETE FROM consultation WHERE root_id = :case", "consulted", "line")],
    "": [
        ("CREATE OR REPLACE FUNCTION masar_part(of_merger uuid, of_line bigint, parts uuid[]) RETURNS void LANGUAGE sql AS 'SELECT'", "wall", "function masar_part"),
        ("ALTER POLICY class_and_case_written ON fact WITH CHECK (true)", "wall", "policy class_and_case_written on fact"), ("DROP POLICY opinions_are_sealed ON fact", "wall", "policy opinions_are_sealed on fact"),
        ("DROP TRIGGER by_two ON erasure", "wall", "trigger by_two on erasure"), ("ALTER TABLE fact DISABLE TRIGGER have_their_line", "wall", "trigger have_their_line on fact"),
        ("ALTER TABLE fact NO FORCE ROW LEVEL SECURITY", "wall", "table fact"), ("GRANT DELETE ON ledger_line TO masar_app", "wall", "table ledger_line"), ("DROP INDEX instance_one_open_case", "wall", "index instance_one_open_case"),
    ],
}  # fmt: skip
# What chains, log and signatures prove by themselves (`test_proving`).
PROVED = {"ledger_line", "ledger_sealed", "journal_line", "log_entry", "log_tile", "log_checkpoint", "log_cosignature", "log_witness"}
DERIVED = {"replay_due", "passage_told", "asked", "alembic_version"}  # what is to be made again; whose schema it is


@pytest.fixture(scope="module")
def town(make_database):
    """A case on its road with an appointment, a document and a letter; others beside it; and whatever else has a row."""
    database = make_database(worlds.furnish)
    world = worlds.World(database)
    truth = world.somebody("emploi", 1, person__nom_fr="Une")
    world.signal(world.somebody("emploi", 3, person__nom_fr="Encore"))  # somebody still awaited
    signal = world.signal(truth)
    case = world.receive(truth, expected=signal)
    other = world.receive(world.somebody("emploi", 2, person__nom_fr="Autre"))
    for node in ("T101", "T102", "T104", "T106"):
        world.does(case, node)
    world.does(other, "T101")
    _papers(world, case)
    _persons(world, case, other)
    _administration(world, case)
    with patch.object(snapshots, "EVERY", 4), database.unit_of_work(users.system()) as session:
        snapshots.keep(session, case)
        jobs.seal(session)
    with database.unit_of_work(users.system()) as session:
        assert standing.note(session, users.system()) and not standing.note(session, users.system())
        waiting = session.execute(text("SELECT instance_id FROM wait WHERE due_at IS NOT NULL LIMIT 1")).scalar_one()
    return SimpleNamespace(database=database, case=case, other=other, signal=signal, waiting=waiting)


def _papers(world, case):
    """A document that an answer names, an appointment with its summons, and that somebody looked."""
    karim, database = world.staff["karim"], world.database
    with database.unit_of_work(karim) as session:
        sent = documents.upload(session, karim, "papier.png", io.BytesIO(PNG))
        held = lock(session, case)
        fact = NewFact(f"case:{case}", "consentement.doc", str(sent), "C")
        documents.attach(session, karim, case, [fact], held.edition.dictionary.fields)
        change = Change(session, karim, held, held.now)
        change.note("fact.corrected", {}, [fact], reason="Il manquait")
        change.write()
    with database.unit_of_work(karim) as session:
        offer = appointments.offer(session, karim, case)
        appointments.make(session, karim, case, karim.user_id, offer.slots[0], 30, "antenne")
    for _ in range(2):
        with database.reading(world.staff["auditeur"]) as session:
            consultations.note(session, case, "case", "S")


def _persons(world, case, other):
    """A merger and an erasure that are proposed: their rows, and the lines that there are of them."""
    who = world.staff["coordination"]
    with world.database.unit_of_work(who) as session:
        seq = doubles.note(session, who, case, "person.merge_proposed", {"other": str(other), "number": ""}, "La même")
        persons = dict(session.execute(text("SELECT instance_id, person_id FROM instance WHERE instance_id IN (:case, :other)"), {"case": case, "other": other}).all())
        at = clock.now(session)
        session.execute(mergers._PROPOSE, {"id": new_id(), "kept": persons[case], "gone": persons[other], "instance": case, "other": other, "seq": seq, "content": "{}", "by": who.user_id, "at": at})
        session.execute(erasures._PROPOSE, {"id": new_id(), "person": persons[other], "root": other, "branch": "MED", "ground": "asked", "reference": "BO-1", "by": who.user_id, "at": at, "retentions": [], "kept": None})


def _administration(world, case):
    """An account that the journal tells of, a finding, and rows that are noted alone."""
    auditor = world.staff["auditeur"]
    installation.add_user(world.database, "nouvelle", "Nouvelle", "OTE", "MED", ["agent_accueil"], "une phrase assez longue")
    with world.database.unit_of_work(auditor) as session:
        findings.open_at_event(session, auditor, case, 2, "Pourquoi si tard ?", "chef_antenne", "MED", world.today())
    with world.database.owner() as connection:
        connection.exec_driver_sql("SET LOCAL session_replication_role = replica")
        for statement in ("INSERT INTO halfyear_report VALUES (2020, 1, '{}', now())", "INSERT INTO warning_accepted SELECT edition_id, 'x', 'Parce que', NULL, now() FROM edition", "INSERT INTO staff_leave SELECT gen_random_uuid(), user_id, '2026-01-01', '2026-01-31', NULL, user_id, now(), NULL FROM user_account LIMIT 1",
                          "INSERT INTO fund_movement (programme, kind, amount_millimes, moved_at) SELECT programme, 'brought_committed', 1000, now() FROM fund LIMIT 1",
                          "UPDATE fund SET engaged_millimes = engaged_millimes + 1000 WHERE programme = (SELECT programme FROM fund_movement)"):  # fmt: skip
            connection.exec_driver_sql(statement)


@pytest.fixture(scope="module")
def session(town):
    """As the database's owner, past its guards; what is done is taken back."""
    with town.database.owner() as connection, Session(connection, info=town.database.carried) as opened:
        database._raise_wall(opened, users.system(), is_reading=False)
        opened.execute(text("SET LOCAL session_replication_role = replica"))
        yield opened
        connection.get_transaction().rollback()


_NOTED, _ASKED = {"wall", "row", "consulted"}, set(doctor._FAULTS) - set(attested._LINES)
_LINES = {"table.other", "fact.other", "letter.other", "state.other", "case.ended_otherwise", "task.line_without_done"}


def looks(session, cases, codes=None):
    """What the doctor asks of rows (`doctor.examine` asks it of every case): code and what is said; with `codes`, where they come from alone."""
    if not codes or codes & _LINES:
        yield from ((one.code, one.about) for case in cases for one in projections.differences(session, case))
    if not codes or codes & _NOTED:
        yield from ((code, about) for code, about, _ in standing.differences(session))
    if not codes or codes & _ASKED:
        yield from ((one.code, one.about) for code, query in doctor._FAULTS.items() for one in doctor._look(session, code, query))
    if not codes or not codes <= _LINES | _NOTED | _ASKED:
        yield from ((code, about) for code, _, about in attested.differences(session))


@pytest.fixture
def spoilt(session, town):
    """Does an attack, says what is told of it, and takes it back."""

    def act(statement, codes):
        flipped = statement == "BYTES"
        with session.begin_nested() as undone:
            for one in () if flipped else statement.split("; "):
                done = session.execute(text(one), {name: value for name, value in vars(town).items() if f":{name}" in one})
                assert done.rowcount, "the attack changed something"
            with bytes_changed(town.database) if flipped else nullcontext():
                found = set(looks(session, {town.waiting} if ":waiting" in statement else {town.case, town.signal} if "message" in statement else {town.case}, codes))
            undone.rollback()
        return found

    return act


@contextmanager
def bytes_changed(database):
    file = min(database.carried["documents"].rglob("*.sealed"))
    was = file.read_bytes()
    file.write_bytes(was[:-1] + bytes([was[-1] ^ 1]))
    yield
    file.write_bytes(was)


def test_nothing_is_told_of_a_town_that_nobody_touched(session, town):
    assert set(looks(session, session.execute(text("SELECT instance_id FROM instance")).scalars().all())) == set()


def test_each_table_is_attacked_proved_or_said_to_be_unchecked(session):
    tables = set(session.execute(text("SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace")).scalars())
    untold = {one for names in attested.UNTOLD for one in names.split(", ")}
    assert tables == (set(ATTACKS) - {""}) | PROVED | DERIVED | untold
    assert not untold & (set(ATTACKS) | PROVED)


@pytest.mark.parametrize("table", ATTACKS, ids=lambda table: table or "walls")
def test_it_is_told_and_where(spoilt, table):
    for statement, code, *said in ATTACKS[table]:
        found = spoilt(statement, {code})
        assert [one for one in said if not any(about[0] == code and one in about[1] for about in found)] == [], (statement, found)


def test_without_what_it_is_held_against_nobody_sees_it(spoilt, monkeypatch):
    """Each defence taken away: of what only it holds, one attack each."""
    for module, name, nothing, (statement, code, *_) in (
        (gathered.Gathered, "differences", lambda _self: iter(()), ATTACKS["task_done"][0]), (attested, "_LINES", {}, ATTACKS["rule_fired"][0]), (attested, "_documents", lambda _session: iter(()), ATTACKS["document"][0]),
        (attested, "_findings", lambda _session: iter(()), ATTACKS["finding"][0]), (standing, "_noted", lambda _session: standing._Noted(), ATTACKS["edition_start"][0]),
    ):  # fmt: skip
        assert spoilt(statement, {code})
        with monkeypatch.context() as taken:
            taken.setattr(module, name, nothing)
            assert not spoilt(statement, set()), name
