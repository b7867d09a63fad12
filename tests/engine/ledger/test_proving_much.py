"""Proving much: a page at a time, in slices, by several processes, it finds what it finds at once; and it reads each row once. Counted, not timed."""

import random
import shutil
from collections import Counter

import pytest
from sqlalchemy import text

from engine.actors import users
from engine.ledger import chain, log, proving, proving_log
from tests.engine.ledger import attacks
from tests.faults import village

_READ = text("SELECT relname, idx_tup_fetch + seq_tup_read AS rows FROM pg_stat_xact_user_tables WHERE relname IN ('ledger_line', 'ledger_sealed', 'log_entry', 'log_tile')")


@pytest.fixture(scope="module")
def town(make_database):
    """Cases sealed as they grew."""
    database = make_database(village.furnish)
    for turn in range(26):
        _, task_id = village.open_case(database)
        village.complete(database, task_id)
        if turn % 10 == 0:
            seal(database)
    seal(database)
    return database


def seal(database):
    with database.unit_of_work(users.system()) as session:
        log.seal(session, users.system())


def found(database):
    """What is wrong, and how much was looked at."""
    proof = proving.prove(database, users.system())
    return proof.wrong, proof.chains, proof.lines, proof.entries, proof.unsealed, proof.erased, proof.roots


def small(monkeypatch):
    """Pages of seven lines, slices of thirty, entries by eleven."""
    for module, name, value in ((proving, "_LINES_A_PAGE", 7), (proving, "_LINES_A_SLICE", 30), (proving_log, "_ENTRIES_A_PAGE", 11)):
        monkeypatch.setattr(module, name, value)


def test_each_row_is_read_once_however_many_slices_there_are(town, monkeypatch):
    small(monkeypatch)
    with town.still(users.system()) as (session, _):
        slices, lines = proving._slices(session.execute(proving._INSTANCES))
        assert len(slices) >= 3 and lines > 60
        before = Counter(dict(session.execute(_READ).all()))  # of what this connection did before
        proofs = [proving._prove_slice(session, *one) for one in slices]
        entries = proving_log.prove(session, ()).entries
        read = Counter(dict(session.execute(_READ).all())) - before
    assert sum(one.lines for one in proofs) == lines
    assert read["ledger_line"] == lines and read["ledger_sealed"] <= lines and read["log_entry"] <= lines + entries + 1, (lines, read)


@pytest.mark.parametrize("way", ["pages", "processes"])
def test_it_finds_the_same_in_pages_slices_and_processes(make_database, town, monkeypatch, way):
    town.dispose()
    database = make_database(source=town.app_url.rpartition("/")[2].partition("?")[0])
    shutil.copytree(town.carried["keys"].log_folder.parent, database.carried["keys"].log_folder.parent, dirs_exist_ok=True)
    with database.owner() as connection:
        cases = connection.execute(text("SELECT instance_id FROM instance ORDER BY instance_id")).scalars().all()
    with attacks.past_the_guards(database) as connection:
        for act, case in zip((attacks.edit_payload, attacks.delete_middle, attacks.truncate_tail, attacks.insert_back_dated), random.Random(2).sample(cases, 4), strict=True):
            act(connection, case)
    whole = found(database)
    assert len(whole[0]) == 4
    small(monkeypatch)
    if way == "processes":
        monkeypatch.setattr(proving, "_WORTH_A_PROCESS", 0)
    assert found(database) == whole


@pytest.mark.parametrize("value", ["دراسة", {"\ue000": 1, "\U0001f600": 2}, {"é": [1, "ﻡ"], "a": 2**53 - 1}, {"a": {"b": None, "": True}}])
def test_what_was_read_is_written_again_as_rfc_8785_has_it(value):
    written = chain.canonical(value)
    told, is_plain = chain.read(written)
    assert is_plain and chain.again(told) == written
    assert chain.read(b'{"a":[1.5]}')[1] is False
