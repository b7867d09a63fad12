"""A chain proves itself, and opens only to its key."""

import datetime as dt
import hashlib
import json
from types import SimpleNamespace
from uuid import uuid4

import msgspec
import pytest
import rfc8785
from hypothesis import example, given, settings
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from engine.actors import users
from engine.database import Wall
from engine.ledger import access, chain, events, proving, sealing
from engine.ledger.keys import KeyStore
from tests.faults import clean_ledgers

AT = dt.datetime(2026, 3, 2, 9, tzinfo=dt.UTC)
AGENT = SimpleNamespace(user_id=uuid4(), kind="person", agency="OTE", branch="MED",
                        wall=Wall(user_id=str(uuid4()), agency="OTE", branch="MED", reach="all", may_write=True, is_system=True))  # fmt: skip


@pytest.fixture
def three_lines():
    instance, prev, lines = uuid4(), chain.BEGINNING, []
    for seq in (1, 2, 3):
        line, digest = chain.write(instance, seq, prev, "task.completed", AT.isoformat(), AT.isoformat(), {"id": "x"}, 1, {"node": f"T10{seq}"}, {})
        lines.append((seq, line, digest))
        prev = digest
    return instance, lines


def test_a_whole_chain_has_no_fault(three_lines):
    assert chain.verify(*three_lines) == []


def test_a_flipped_byte_anywhere_is_found(three_lines):
    instance, lines = three_lines
    seq, line, digest = lines[1]
    for place in range(len(line)):
        changed = line[:place] + chr(ord(line[place]) ^ 1) + line[place + 1 :]
        assert chain.verify(instance, [lines[0], (seq, changed, digest), lines[2]]), f"byte {place} changed unseen"


@pytest.mark.parametrize("order", [(0, 2), (1, 0, 2), (0, 2, 1), (1, 2), (0, 0, 1, 2)])
def test_a_missing_moved_or_doubled_line_is_found(three_lines, order):
    instance, lines = three_lines
    assert chain.verify(instance, [lines[place] for place in order])


def test_a_line_rewritten_with_its_hash_breaks_the_next(three_lines):
    instance, lines = three_lines
    line, digest = chain.write(instance, 2, lines[0][2], "task.completed", AT.isoformat(), AT.isoformat(), {"id": "y"}, 1, {}, {})
    assert [fault.code for fault in chain.verify(instance, [lines[0], (2, line, digest), lines[2]])] == ["prev"]


def test_the_same_line_has_the_same_bytes_whatever_the_order_of_its_keys():
    instance = uuid4()
    one = chain.write(instance, 1, chain.BEGINNING, "k", "a", "b", {"id": "x", "kind": "y"}, 1, {"a": 1, "ب": [2]}, {})
    other = chain.write(instance, 1, chain.BEGINNING, "k", "a", "b", {"kind": "y", "id": "x"}, 1, {"ب": [2], "a": 1}, {})
    assert one == other


@pytest.mark.parametrize("body", [{"a": 1.5}, {"a": "é"}, {"a": [1, 2.25, "x.5"]}, {"é": 1}, {"n": 5, "t": "12:08.87"}])
def test_a_line_written_otherwise_than_rfc_8785_has_it_is_found_with_its_hash_right(body):
    instance = uuid4()
    line, digest = chain.write(instance, 1, chain.BEGINNING, "k", "2026-01-01T04:12:08.87+00:00", "b", {"id": "x"}, 1, body, {})
    assert chain.verify(instance, [(1, line, digest)]) == []
    for bad in (line.replace('"v":1', '"v":1.0'), line.replace(",", ", ", 1), line.replace('"v":1', '"v":1,"v":1')):
        assert [fault.code for fault in chain.verify(instance, [(1, bad, hashlib.sha256(bad.encode()).digest())])] == ["form"], bad


@pytest.mark.parametrize("value", [1.5, "a", {"x": [1.0, 2]}, {"é": "1"}, [1e30], 12, None, True, {"a": "1.5"}])
def test_a_commitment_read_again_is_the_one_that_was_made(value):
    salt = chain.salt()
    assert chain.commitments({"n": (salt, msgspec.json.decode(msgspec.json.encode(value)))}) == {"n": chain.commit(salt, value)}


def test_a_commitment_opens_only_with_its_salt_and_value():
    salt = chain.salt()
    assert chain.commit(salt, {"value": "12345678"}) == chain.commit(salt, {"value": "12345678"})
    assert chain.commit(salt, {"value": "12345678"}) != chain.commit(chain.salt(), {"value": "12345678"})
    assert chain.commit(salt, {"value": "12345678"}) != chain.commit(salt, {"value": "12345679"})


def test_what_is_sealed_opens_only_in_its_place_and_with_its_key(tmp_path):
    keys, person, instance = KeyStore(tmp_path), uuid4(), uuid4()
    ciphertext = sealing.seal(keys.key(person), instance, 4, {"person.cin": (b"0" * 16, "12345678")})
    assert b"12345678" not in ciphertext
    assert sealing.unseal(KeyStore(tmp_path).key(person), instance, 4, ciphertext) == {"person.cin": (b"0" * 16, "12345678")}
    for key, place in ((keys.key(uuid4()), (instance, 4)), (keys.key(person), (instance, 5)), (keys.key(person), (uuid4(), 4))):
        with pytest.raises(sealing.CannotOpen):
            sealing.unseal(key, *place, ciphertext)


def test_keys_are_their_owners_alone_and_erased_for_good(tmp_path):
    keys, person = KeyStore(tmp_path), uuid4()
    first = keys.key(person)
    assert [path.stat().st_mode & 0o777 for path in tmp_path.rglob("*.key")] == [0o600]
    keys.erase(person)
    assert keys.find(person) is None and keys.key(person) != first


def _bare_instance(database, session, instance):
    """A row for the chain to belong to; made as the engine makes one: line first, then the row."""
    with database.owner() as connection:
        connection.exec_driver_sql("INSERT INTO agency VALUES ('OTE', '{}') ON CONFLICT DO NOTHING")
        connection.exec_driver_sql("INSERT INTO branch VALUES ('MED', '{}', '2019-09-01', '{}', '{OTE}') ON CONFLICT DO NOTHING")
        edition = str(uuid4())
        connection.exec_driver_sql("INSERT INTO edition VALUES (%s, (SELECT coalesce(max(number), 900) + 1 FROM edition), %s, '{}', now())", (edition, edition))
    head = events.append(session, AGENT, events.Head(instance, 0, b""), None, "case.opened", AT, {"process": "p"}, {"person.cin": "12345678"})
    session.execute(text("INSERT INTO instance (instance_id, root_id, process, edition_id, branch, state, seq, head, opened_at) VALUES (:i, :i, 'p', :e, 'MED', '', 1, :h, now())"),
                    {"i": instance, "e": edition, "h": head.hash})  # fmt: skip
    return head


def test_the_doctor_finds_a_line_the_owner_changed_behind_our_back(make_database):
    database, instance = make_database(), uuid4()
    with database.unit_of_work(AGENT) as session:
        _bare_instance(database, session, instance)
    with database.reading(AGENT) as session:
        row = session.execute(text("SELECT ciphertext FROM ledger_sealed")).one()
        assert access.open_line(session, instance, 1, None, row.ciphertext) == {"person.cin": "12345678"}
        assert "12345678" not in session.execute(text("SELECT line FROM ledger_line")).scalar_one()
    assert proving.prove(database, users.system()).wrong == []
    with database.owner() as connection:
        connection.exec_driver_sql("UPDATE ledger_line SET line = replace(line, 'case.opened', 'case.closed')")
    assert [(one.instance_id, one.seq) for one in proving.prove(database, users.system()).wrong] == [(instance, 1)]


def test_erasing_the_key_leaves_the_chain_whole(make_database):
    database, instance = make_database(), uuid4()
    with database.unit_of_work(AGENT) as session:
        _bare_instance(database, session, instance)
        keys = session.info["keys"]
    keys.erase(instance)
    with database.reading(AGENT) as session:
        row = session.execute(text("SELECT ciphertext FROM ledger_sealed")).one()
        assert access.open_line(session, instance, 1, None, row.ciphertext) == {}
    assert [(one.code, one.seq) for one in proving.prove(database, users.system()).wrong] == [("sealed.key_gone", 1)], "no line says why"
    with database.unit_of_work(users.system()) as session:
        clean_ledgers.forget(session, instance)
    assert proving.prove(database, users.system()).wrong == []


def test_the_database_refuses_a_gap_and_a_wrong_hash(database):
    instance = uuid4()
    with database.unit_of_work(AGENT) as session:
        with pytest.raises(DBAPIError, match="does not follow the last one"):
            events.append(session, AGENT, events.Head(instance, 4, chain.BEGINNING), None, "k", AT, {}, {})
        session.rollback()
    with database.unit_of_work(AGENT) as session:
        with pytest.raises(DBAPIError, match="does not have its own hash"):
            session.execute(text("INSERT INTO ledger_line (instance_id, seq, kind, line, hash) VALUES (:i, 1, 'k', :l, :h)"), {"i": instance, "l": json.dumps({}), "h": b"x" * 32})
        session.rollback()


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**54), 2**54) | st.floats(allow_nan=False, allow_infinity=False) | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"]), max_size=4), inner, max_size=4),
    max_leaves=20,
)


@settings(max_examples=400, deadline=None)
@example({"\ufb33": 1, "\U0001f600": 2})  # names are ordered by their UTF-16 units, not by their letters
@example(["".join(map(chr, range(0x20))), "\x7f\u2028\ufeff\"\\/", "é😀ملف", {"b": 1, "a": -(2**53) + 1, "": None}])
@example([1.0, 1e30, -0.0, 2**53, "\x7f\x1f\u2028\"\\"])
@given(JSON)
def test_the_short_way_writes_the_bytes_that_rfc_8785_says(value):
    try:
        expected = rfc8785.dumps(value)
    except rfc8785.CanonicalizationError:
        with pytest.raises(rfc8785.CanonicalizationError):
            chain.canonical(value)
    else:
        assert chain.canonical(value) == expected
