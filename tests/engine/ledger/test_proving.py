"""Whoever has every right in the database changes what happened: each attack of threats.md §5 is seen and located, on a live case and on a closed one.

Each is also seen by nobody where the defence against it is taken away: a check that was never red proves nothing.
"""

import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest
from sqlalchemy import text

from engine import doctor, jobs
from engine.actors import users
from engine.checking import SENTENCES
from engine.ledger import journal, log, notes, proving
from tests.engine.ledger import attacks
from tests.faults import clean_ledgers, village

BY_HAND = {
    # name: (what is done, line it is located at, seen in chains and log, or only by playing again)
    "payload edited": (attacks.edit_payload, 2, True), "author edited": (attacks.edit_author, 2, True), "middle deleted": (attacks.delete_middle, 2, True),
    "tail cut off": (attacks.truncate_tail, None, True), "lines swapped": (attacks.swap, 2, True), "line inserted": (attacks.insert_back_dated, 2, True),
    "table changed": (attacks.change_table, 3, False), "row dropped": (attacks.drop_row, 3, False),
}  # fmt: skip


def seal(database) -> None:
    with database.unit_of_work(users.system()) as session:
        log.seal(session, users.system())


def work(database) -> None:
    """Does what is due, as a worker would."""
    while any(found := jobs.look(database).values()):
        for kind, all_ids in zip(jobs.KINDS, found, strict=True):
            for ids in all_ids:
                with database.unit_of_work(users.system()) as session:
                    kind.do(session, *ids)


def end(database, case_id) -> None:
    """Brings a case whose first task is done to its end."""
    with database.owner() as connection:
        task_id = connection.execute(text("SELECT task_id FROM open_task WHERE instance_id = :id AND node = 'saluer'"), {"id": case_id}).scalar_one()
    village.complete(database, task_id)


def witnessed(database) -> list[proving.Seen]:
    """What a witness keeps, who looked after each sealing."""
    with database.owner() as connection:
        return [proving.Seen("OTE", row.size, bytes(row.root)) for row in connection.execute(text("SELECT size, root FROM log_checkpoint ORDER BY size"))]


@pytest.fixture(scope="module")
def town(make_database):
    """As many live and closed cases as there are attacks by hand, sealed step by step; and a way to have it anew."""
    database = make_database(village.furnish)
    cases = [village.open_case(database) for _ in range(2 * len(BY_HAND))]
    seal(database)
    for _, task_id in cases:
        village.complete(database, task_id)
        seal(database)
    village.let_an_hour_pass(database)
    work(database)
    closed = [case_id for case_id, _ in cases[len(BY_HAND) :]]
    for case_id in closed:
        end(database, case_id)
    work(database)
    seal(database)
    database.dispose()
    return SimpleNamespace(database=database, live=[case_id for case_id, _ in cases[: len(BY_HAND)]], closed=closed)


@pytest.fixture
def copy(make_database, town):
    """A town of one's own to spoil."""

    def anew(of=town.database):
        of.dispose()
        made = make_database(source=of.app_url.rpartition("/")[2].partition("?")[0])
        shutil.copytree(of.carried["keys"].log_folder.parent, made.carried["keys"].log_folder.parent, dirs_exist_ok=True)
        return made

    return anew


def prove(database, seen=()):
    return proving.prove(database, users.system(), seen).wrong


def first_lines(database) -> dict:
    """What the doctor tells of each case first: the line."""
    return {found.instance_id: found.about for found in reversed(doctor.examine(database).faults) if found.instance_id}


def test_clean_towns_raise_no_alarm(town, copy):
    assert prove(town.database, witnessed(town.database)) == []
    assert doctor.examine(town.database).faults == ()


def test_a_hundred_clean_ledgers_raise_no_alarm(hundred):
    assert [one.wrong for one in hundred if one.wrong] == []


@pytest.mark.parametrize("seed", [2, 3])
def test_clean_ledgers_of_any_shape_raise_no_alarm_and_one_that_is_touched_raises_its_own(make_database, seed):
    """A hundred of ten thousand entries: `python -m tests.faults.clean_ledgers`."""
    database = make_database(village.furnish)
    witness = clean_ledgers.grow(database, seed, 300)
    assert clean_ledgers.alarms(database, witness) == []
    touched = clean_ledgers.touch(database, seed)
    assert {(one.instance_id, one.seq) for one in clean_ledgers.alarms(database, witness)} == {touched}


@pytest.fixture(scope="module")
def hundred(make_database):
    """A hundred states of a ledger that grows: another one after every act."""
    database = make_database(village.furnish)
    found, seen = [], []
    for turn in range(50):
        _, task_id = village.open_case(database)
        if turn % 3 == 0:
            seal(database)
        found.append(proving.prove(database, users.system(), seen))
        village.complete(database, task_id)
        if turn % 20 == 7:
            with database.unit_of_work(users.system()) as session:
                log.rotate(session, users.system())
        if turn % 2:
            seal(database)
        seen = witnessed(database)
        found.append(proving.prove(database, users.system(), seen))
    return found


def test_what_is_done_by_hand_is_seen_and_located(town, copy):
    """Sixteen cases, sixteen attacks, one town: each case is named, at its first bad line, and no other case is."""
    database = copy()
    done = {}
    with attacks.past_the_guards(database) as connection:
        for kind in ("live", "closed"):
            for (name, (act, seq, in_chain)), case in zip(BY_HAND.items(), getattr(town, kind), strict=True):
                last = connection.execute(text("SELECT seq FROM instance WHERE instance_id = :id"), {"id": case}).scalar_one()
                act(connection, case)
                done[case] = (f"{name}, {kind}", seq or last, in_chain)
    proved = {one.instance_id: one.seq for one in prove(database) if one.instance_id}
    assert proved == {case: seq for case, (_, seq, in_chain) in done.items() if in_chain}
    told = first_lines(database)
    missed = [name for case, (name, seq, _) in done.items() if f"line {seq}," not in told.get(str(case), "") and name.partition(",")[0] != "table changed"]
    assert missed == []
    assert set(told) == {str(case) for case in done}


# What else can be wrong with a line: done to a case of its own, sealed in the log or not yet, and the line it is told at.
_REHASH = "hash = sha256(convert_to({line}, 'UTF8'))"
LINES = {
    "chain.gap": (False, "DELETE FROM ledger_line WHERE instance_id = :case AND seq = 2", 2), "chain.hash": (False, "UPDATE ledger_line SET hash = sha256('x') WHERE instance_id = :case AND seq = 2", 2),
    "chain.prev": (False, "UPDATE ledger_line SET line = replace(line, '\"OTE\"', '\"CPS\"'), " + _REHASH.format(line="replace(line, '\"OTE\"', '\"CPS\"')") + " WHERE instance_id = :case AND seq = 1", 2),
    "chain.form": (False, "UPDATE ledger_line SET line = '{}', " + _REHASH.format(line="'{}'") + " WHERE instance_id = :case AND seq = 2", 2),
    "chain.head": (True, "UPDATE instance SET head = sha256('x') WHERE instance_id = :case", 4), "chain.gone": (False, "DELETE FROM ledger_line WHERE instance_id = :case", 1),
    "line.gone, its case too": (True, "DELETE FROM instance WHERE instance_id = :case", 1), "line.kind": (True, "UPDATE ledger_line SET kind = 'task.passed' WHERE instance_id = :case AND seq = 2", 2),
    "line.gone": (True, "DELETE FROM ledger_line WHERE instance_id = :case AND seq = 2", 2), "line.not_as_sealed": (True, "UPDATE ledger_line SET hash = sha256('x') WHERE instance_id = :case AND seq = 2", 2),
    "line.never_sealed": (True, "DELETE FROM log_entry WHERE instance_id = :case AND seq = 2", 2), "sealed.gone": (True, "DELETE FROM ledger_sealed WHERE instance_id = :case AND seq = 2", 2),
    "sealed.other": (True, "UPDATE ledger_sealed SET ciphertext = ciphertext || 'x' WHERE instance_id = :case AND seq = 2", 2),
    "sealed.key_gone": (True, "UPDATE ledger_sealed SET person_id = gen_random_uuid() WHERE instance_id = :case AND seq = 2", 2),
}  # fmt: skip


def test_whatever_is_wrong_with_a_line_is_said_by_its_name_and_at_its_place(town, copy):
    database = copy()
    fresh = [village.open_case(database) for _ in range(len(LINES))]
    for _, task_id in fresh:
        village.complete(database, task_id)
    cases = {code: case for code, case in zip(LINES, (case if sealed else fresh[place][0] for place, (case, (sealed, *_)) in enumerate(zip(town.live + town.closed, LINES.values(), strict=False))), strict=True)}
    with attacks.past_the_guards(database) as connection:
        for code, (_, statement, _) in LINES.items():
            attacks.run(connection, statement, case=cases[code])
    told = {one.instance_id: (one.code, one.seq) for one in prove(database) if one.instance_id}
    assert told == {cases[name]: (name.partition(",")[0], seq) for name, (_, _, seq) in LINES.items()}


def test_each_sentence_of_the_prover_is_said_somewhere():
    here = {one.partition('"')[0] for one in Path(__file__).read_text("utf-8").split('"')}
    elsewhere = {"cosignature.wrong", "case.gone", "sealed.key_damaged"}  # of a witness: test_the_witness; of a key: test_at_a_terminal; lines without their case are out of sight, and told as gone
    assert set(SENTENCES) <= here | elsewhere


@pytest.mark.parametrize("kind", ["live", "closed"])
def test_a_chain_calculated_anew_does_not_bear_the_signed_root(town, copy, kind):
    database, case = copy(), getattr(town, kind)[0]
    index = _index(database, case, 3)
    with attacks.past_the_guards(database) as connection:
        attacks.rewrite(connection, case, 3, attacks.another_author)
    (wrong,) = prove(database)  # the tiles do not fit; or, as there is none yet, the root
    assert wrong.code == "checkpoint.root" and _is_in(wrong.about, index)
    with attacks.past_the_guards(database) as connection:
        attacks.grow_tree_anew(connection)
    (wrong,) = prove(database)
    assert wrong.code == "checkpoint.root" and _is_in(wrong.about, index), "located between two checkpoints"
    with attacks.past_the_guards(database) as connection:  # without the defence
        connection.exec_driver_sql("DELETE FROM log_checkpoint; DELETE FROM log_entry; DELETE FROM log_tile")
    assert prove(database) == [], "the chain alone does not see it"


@pytest.mark.parametrize("kind", ["live", "closed"])
def test_with_the_stolen_key_only_a_witness_sees_it(town, copy, kind):
    seen, database, case = witnessed(town.database), copy(), getattr(town, kind)[0]
    index = _index(database, case, 3)
    with attacks.past_the_guards(database) as connection:
        attacks.rewrite(connection, case, 3, attacks.another_author)
        attacks.grow_tree_anew(connection, attacks.stolen(database))
    assert prove(database) == [], "without the witness nothing is wrong"
    (wrong,) = prove(database, seen)
    assert wrong.code == "witness.other" and _is_in(wrong.about.partition(", ")[2], index)
    with database.reading(users.system()) as session:
        first, _, last = wrong.about.partition(", ")[2].partition("–")
        assert (case, 3) in {(instance, seq) for _, instance, seq in proving.located(session, int(first), int(last) + 1)}


@pytest.mark.parametrize("kind", ["live", "closed"])
def test_a_case_removed_and_rebuilt_with_the_stolen_key(town, copy, kind):
    seen, database, case = witnessed(town.database), copy(), getattr(town, kind)[0]
    index = _index(database, case, 1)
    with attacks.past_the_guards(database) as connection:
        attacks.rewrite(connection, case, 1, attacks.another_author)
        attacks.grow_tree_anew(connection, attacks.stolen(database))
    assert prove(database) == []
    (wrong,) = prove(database, seen)
    assert wrong.code == "witness.other" and _is_in(wrong.about.partition(", ")[2], index)


@pytest.mark.parametrize("kind", ["live", "closed"])
def test_an_old_backup_is_smaller_than_what_was_seen(town, copy, kind):
    """The live case had gone on, the closed one had been closed, since the backup."""
    backup, database = copy(), copy()
    size = witnessed(backup)[-1].size
    if kind == "live":
        end(database, town.live[1])
    else:
        village.open_case(database)
    seal(database)
    seen = witnessed(database)
    assert prove(database, seen) == []
    assert prove(backup) == [], "by itself a backup is whole"
    (wrong,) = prove(backup, seen)
    assert (wrong.code, wrong.index) == ("witness.other", size)


def test_what_the_chain_cannot_see_without_the_log(town, copy):
    """The defence taken away: without entries nobody sees that the tail is cut off, without playing again nobody sees a row."""
    database = copy()
    with attacks.past_the_guards(database) as connection:
        connection.exec_driver_sql("DELETE FROM log_checkpoint; DELETE FROM log_entry; DELETE FROM log_tile")
        attacks.truncate_tail(connection, town.live[3])
        attacks.drop_row(connection, town.live[7])
    assert prove(database) == []


@pytest.mark.parametrize(
    ("statement", "code"),
    [
        ("UPDATE log_tile SET hashes = overlay(hashes placing '\\x00' from 100 for 1)", "tile.other"),
        ("DELETE FROM log_tile", "tile.other"),
        ("UPDATE log_checkpoint SET note = replace(note, 'masar/', 'Masar/')", "checkpoint.unsigned"),
        ("UPDATE log_checkpoint SET root = sha256('x')", "checkpoint.other"),
        ("DELETE FROM log_checkpoint WHERE size = (SELECT max(size) FROM log_checkpoint)", "entry.without_checkpoint"),
        ("UPDATE log_checkpoint SET note = 'x'", "checkpoint.unreadable"),
        ("INSERT INTO log_tile SELECT tile_row, 99, root, hashes FROM log_tile LIMIT 1", "tile.too_many"),
        ("UPDATE journal_line SET line = 'x' WHERE kind = 'log.key_made'", "checkpoint.unsigned"),
        ("DELETE FROM log_entry WHERE log_index = 5", "entry.gone"),
        ("DELETE FROM log_entry WHERE log_index = (SELECT max(log_index) FROM log_entry)", "checkpoint.root"),
    ],
)
def test_the_log_itself_is_proved(large, copy, statement, code):
    database = copy(large)
    assert prove(database) == []
    with attacks.past_the_guards(database) as connection:
        connection.exec_driver_sql(statement)
    assert code in {one.code for one in prove(database)}


@pytest.fixture(scope="module")
def large(make_database):
    """More lines than a tile holds."""
    database = make_database(village.furnish)
    for _ in range(3):
        with database.unit_of_work(users.system()) as session:
            for _ in range(100):
                journal.append(session, users.system(), "log.tried", "log", {}, {})
        seal(database)
    return database


def test_a_checkpoint_signed_by_a_key_that_gave_way_is_not_signed(large, copy):
    database = copy(large)
    old = attacks.stolen(database)
    with database.unit_of_work(users.system()) as session:
        log.rotate(session, users.system())
    village.open_case(database)
    seal(database)
    assert prove(database) == []
    with attacks.past_the_guards(database) as connection:
        row = connection.execute(text("SELECT size, root FROM log_checkpoint ORDER BY size DESC LIMIT 1")).one()
        note = notes.sign(str(notes.Checkpoint(old.key.name, row.size, bytes(row.root))), old)
        attacks.run(connection, "UPDATE log_checkpoint SET note = :note WHERE size = :size", note=note, size=row.size)
    assert [one.code for one in prove(database)] == ["checkpoint.unsigned"]


def _index(database, case, seq) -> int:
    with database.owner() as connection:
        return connection.execute(text("SELECT log_index FROM log_entry WHERE instance_id = :case AND seq = :seq"), {"case": case, "seq": seq}).scalar_one()


def _is_in(window: str, index: int) -> bool:
    first, _, last = window.partition("–")
    return int(first) <= index <= int(last)
