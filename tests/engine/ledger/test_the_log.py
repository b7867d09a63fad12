"""Lines become entries, whoever commits late; the checkpoint is signed; what is sealed is proved."""

import base64
import json
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from engine.actors import users
from engine.casework import tasks
from engine.ledger import journal, log, merkle, notes
from tests.engine.ledger import second_verifier
from tests.faults import village

OPENED = 2  # lines of a case that is opened


@pytest.fixture(scope="module")
def hamlet(make_database):
    return make_database(village.furnish)


def seal(database) -> int:
    with database.unit_of_work(users.system()) as session:
        return log.seal(session, users.system())


def latest(database):
    with database.reading(users.VISITOR) as session:
        return log.latest(session), log.keys(session)


def test_the_first_sealing_makes_the_key_and_signs_its_line_too(hamlet):
    village.open_case(hamlet)
    assert seal(hamlet) > 1
    sealed, keys = latest(hamlet)
    note = notes.open_note(sealed.note)
    assert notes.is_signed(note, keys[-1])
    assert notes.read_checkpoint(note.text) == notes.Checkpoint(keys[-1].name, sealed.size, sealed.root)
    with hamlet.owner() as connection:
        kinds = connection.execute(text("SELECT kind FROM journal_line j JOIN log_entry e ON e.instance_id = '00000000-0000-0000-0000-000000000000' AND e.seq = j.seq")).scalars().all()
    assert "log.key_made" in kinds


def test_nothing_new_writes_nothing(hamlet):
    village.open_case(hamlet)
    assert seal(hamlet) == OPENED
    before = latest(hamlet)[0]
    assert seal(hamlet) == 0
    assert latest(hamlet)[0] == before


def test_a_line_that_commits_after_a_later_one_is_sealed_next_time(hamlet):
    salma = village.actor(hamlet)
    (late, task), (early, other) = village.open_case(hamlet), village.open_case(hamlet)
    seal(hamlet)
    with hamlet.unit_of_work(salma) as session:
        tasks.complete(session, salma, task, {}, None, "")
        village.complete(hamlet, other)
        seal(hamlet)
        assert len(_indexes(hamlet, early)) > OPENED == len(_indexes(hamlet, late))
    seal(hamlet)
    assert _indexes(hamlet, late)[OPENED] > _indexes(hamlet, early)[-1]


def _indexes(database, case_id):
    with database.owner() as connection:
        return connection.execute(text("SELECT log_index FROM log_entry WHERE instance_id = :id ORDER BY seq"), {"id": case_id}).scalars().all()


def test_two_sealers_at_once_give_each_line_one_place(hamlet):
    for _ in range(5):
        village.open_case(hamlet)
    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(lambda _: seal(hamlet), range(4))) == 5 * OPENED


def test_an_entry_is_proved_to_the_second_verifier(hamlet):
    case_id, task_id = village.open_case(hamlet)
    village.complete(hamlet, task_id)
    with hamlet.reading(users.system()) as session:
        assert log.inclusion(session, case_id, 2) is None
    seal(hamlet)
    with hamlet.reading(users.system()) as session:
        found = log.inclusion(session, case_id, 2)
    with hamlet.owner() as connection:
        line = connection.execute(text("SELECT line FROM ledger_line WHERE instance_id = :id AND seq = 2"), {"id": case_id}).scalar_one()
    _, size, root = second_verifier.checkpoint(found.checkpoint)
    leaf = second_verifier.entry_leaf(str(case_id), 2, line)
    assert second_verifier.inclusion_holds(leaf, found.index, size, [base64.b64decode(one) for one in found.proof], root)


def test_each_checkpoint_is_the_beginning_of_the_next(hamlet):
    first = latest(hamlet)[0]
    for _ in range(3):
        village.open_case(hamlet)
    seal(hamlet)
    second = latest(hamlet)[0]
    with hamlet.reading(users.VISITOR) as session:
        proof = log.consistency(session, first.size, second.size)
    assert merkle.is_consistent(first.size, second.size, first.root, second.root, proof)
    assert second_verifier.consistency_holds(first.size, first.root, second.size, second.root, list(proof))


def test_another_key_takes_over_by_the_word_of_the_one_before(hamlet):
    _, before = latest(hamlet)
    with hamlet.unit_of_work(users.system()) as session:
        new = log.rotate(session, users.system())
    sealed, keys = latest(hamlet)
    note = notes.open_note(sealed.note)
    assert keys == [*before, new]
    assert notes.is_signed(note, before[-1]) and notes.is_signed(note, new), "the checkpoint that tells of it is signed by both"
    village.open_case(hamlet)
    seal(hamlet)
    note = notes.open_note(latest(hamlet)[0].note)
    assert notes.is_signed(note, new) and not notes.is_signed(note, before[-1])
    with hamlet.reading(users.VISITOR) as session:
        chain = log.key_chain(session)
    assert notes.follow(before[0], chain)[-1] == new
    assert notes.follow(notes.make_key(new.name).key, chain)[-1] != new, "a stranger's word counts for nothing"
    forged = [*chain[:-1], {"key": str(new), "word": notes.sign(notes.rotation_word(before[-1], new), notes.make_key(new.name))}]
    assert notes.follow(before[0], forged)[-1] != new


def test_without_its_key_nothing_is_sealed(hamlet):
    folder = hamlet._carried["keys"].log_folder
    current = latest(hamlet)[1][-1]
    file = folder / f"{current.id.hex()}.key"
    assert file.stat().st_mode & 0o077 == 0 and folder.stat().st_mode & 0o077 == 0
    content = file.read_text()
    file.unlink()
    village.open_case(hamlet)
    with pytest.raises(log.KeyMissing):
        seal(hamlet)
    file.write_text(content)
    assert seal(hamlet) == OPENED


@pytest.mark.parametrize("table", ["log_entry", "log_tile", "log_checkpoint", "log_witness", "log_cosignature"])
@pytest.mark.parametrize("act", ["DELETE FROM {}", "TRUNCATE {} CASCADE"])
def test_what_is_sealed_stays(hamlet, table, act):
    for way in (hamlet.owner, lambda: hamlet.unit_of_work(users.system())):
        with pytest.raises(DBAPIError), way() as connection:
            connection.execute(text(act.format(table)))


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO log_entry VALUES ((SELECT max(size) FROM log_checkpoint), gen_random_uuid(), 1, sha256('x'))",
        "INSERT INTO log_entry SELECT 1 + (SELECT max(size) FROM log_checkpoint), instance_id, 99, hash FROM log_entry LIMIT 1",
        "INSERT INTO log_checkpoint VALUES ((SELECT max(size) + 1 FROM log_checkpoint), sha256('x'), 'x')",
        "INSERT INTO log_checkpoint VALUES (1, sha256('x'), 'x')",
    ],
)
def test_no_entry_or_checkpoint_out_of_the_air(hamlet, statement):
    with pytest.raises(DBAPIError), hamlet.unit_of_work(users.system()) as session:
        session.execute(text(statement))


def test_nobody_but_the_system_seals(hamlet):
    village.open_case(hamlet)
    salma = village.actor(hamlet)
    with hamlet.unit_of_work(salma) as session:
        assert log.seal(session, salma) == 0
        with pytest.raises(DBAPIError):
            journal.append(session, salma, "log.key_made", "log", {"key": "x"}, {})


def test_whoever_reads_no_case_reads_no_entry(hamlet):
    with hamlet.reading(users.VISITOR) as session:
        assert session.execute(text("SELECT count(*) FROM log_entry")).scalar_one() == 0
        assert session.execute(text("SELECT count(*) FROM log_checkpoint")).scalar_one() > 0
        assert json.dumps(log.key_chain(session)) and len(session.execute(text("SELECT * FROM masar_log_leaves(0, 100000)")).all()) <= 256
