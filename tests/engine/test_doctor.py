"""The doctor finds nothing in a sound installation, and each thing that must not be when somebody with every right has made it so."""

import pytest

from engine import doctor
from tests.faults import village


@pytest.fixture
def hamlet(make_database):
    database = make_database(village.furnish)
    for _ in range(2):
        _, task_id = village.open_case(database)
    village.complete(database, task_id)
    return database


def test_each_fault_is_of_an_invariant_and_each_invariant_has_its_faults():
    assert set(doctor._OF.values()) == set(doctor.INVARIANTS) == {f"I{number}" for number in range(1, 10)}
    assert set(doctor._OF) <= set(doctor._SENTENCES) and set(doctor._FAULTS) <= set(doctor._OF)


def spoil(database, *statements: str) -> set[str]:
    """What the doctor finds after an owner wrote past the guards."""
    with database.owner() as connection:
        connection.exec_driver_sql("SET LOCAL session_replication_role = replica")
        for statement in statements:
            connection.exec_driver_sql(statement)
    return {found.code for found in doctor.examine(database).faults}


def test_a_sound_installation_is_well(hamlet):
    report = doctor.examine(hamlet)
    assert report.is_well and report.faults == ()
    assert [worry.code for worry in report.worries] == ["worker.none"]
    assert report.counts == {"ledger lines": 5, "cases and dossiers": 2, "open tasks": 1, "facts": 0}
    assert list(report.lines())[-1].startswith("All is well")


@pytest.mark.parametrize(
    ("statement", "code"),
    [
        ("UPDATE ledger_line SET line = replace(line, 'saisir', 'saisie') WHERE kind = 'task.completed'", "chain"),
        ("DELETE FROM ledger_line WHERE seq = 2", "chain"),
        ("DELETE FROM open_task", "case.stuck"),
        ("UPDATE instance SET status = 'ended'", "case.ended_with_work"),
        ("INSERT INTO task_done SELECT task_id, instance_id, root_id, node, 'cancelled', NULL, now() FROM open_task", "task.open_and_done"),
        ("DELETE FROM task_done", "task.line_without_done"),
        ("UPDATE task_done SET task_id = gen_random_uuid()", "task.done_without_line"),
        ("UPDATE wait SET node = 'saluer'", "table.other"),
        ("UPDATE open_task SET due_at = due_at + interval '1 day'", "table.other"),
        ("UPDATE open_task SET holder_id = (SELECT user_id FROM user_account LIMIT 1)", "table.other"),
        ("UPDATE instance SET branch = (SELECT code FROM branch WHERE code <> instance.branch LIMIT 1)", "table.other"),
        ("INSERT INTO task_done SELECT gen_random_uuid(), instance_id, root_id, node, outcome, done_by, done_at, 'twice' FROM task_done, generate_series(1, 2)", "key.twice"),
        ("UPDATE instance SET status = 'ended'", "case.ended_otherwise"),
        ("UPDATE instance SET state = (SELECT state FROM instance WHERE seq = 2) WHERE seq = 3", "state.other"),
        ("INSERT INTO ledger_line (instance_id, seq, kind, line, hash) SELECT instance_id, seq + 9, kind, line, hash FROM ledger_line WHERE kind = 'task.completed'", "task.twice"),
        ("INSERT INTO message (message_id, name, correlation, sender_id, created_at) SELECT gen_random_uuid(), 'coucou', '', instance_id, now() FROM instance", "message.sent_otherwise"),
        ("INSERT INTO fact (instance_id, root_id, subject, field, value, class, recorded_at, seq) SELECT instance_id, root_id, 'case:' || instance_id, 'plan.date', '1', 'C', now(), 99 FROM instance", "fact.without_line"),
        ("UPDATE ledger_sealed SET person_id = gen_random_uuid() WHERE seq = 2", "chain"),
    ],
)
def test_what_must_not_be_is_found(hamlet, statement, code):
    assert code in spoil(hamlet, statement)


@pytest.mark.parametrize("line", ["nothing", "[" * 100_000, "{}"], ids=["no JSON", "too deep", "no line"])
def test_a_line_that_nobody_can_read_is_named_and_all_else_is_looked_at(hamlet, line):
    """Else one byte in one case would hide whatever was done to the others."""
    with hamlet.owner() as connection:
        connection.exec_driver_sql("SET LOCAL session_replication_role = replica")
        broken, other = connection.exec_driver_sql("SELECT instance_id FROM instance ORDER BY seq DESC").scalars().all()
        connection.exec_driver_sql("UPDATE ledger_line SET line = %s WHERE instance_id = %s AND seq = 2", (line, broken))
        connection.exec_driver_sql("UPDATE open_task SET due_at = due_at + interval '1 day' WHERE instance_id = %s", (other,))
    report = doctor.examine(hamlet)
    assert {(one.code, one.instance_id) for one in report.faults} >= {("chain", str(broken)), ("table.other", str(other))}
    assert next(one for one in report.faults if one.code == "chain").about.startswith("line 2,")
    assert line == "{}" or any("cannot be read" in one for one in report.unchecked)


def test_work_that_nobody_takes_is_a_worry(hamlet):
    village.let_an_hour_pass(hamlet, 100)  # over a week-end too
    report = doctor.examine(hamlet)
    assert report.is_well
    assert {worry.code for worry in report.worries} == {"worker.none", "timer.late", "reminder.late"}
    assert report.as_json()["worries"][0].keys() == {"code", "instance_id", "about"}
