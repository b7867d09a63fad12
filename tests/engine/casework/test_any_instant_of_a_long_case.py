"""What opening an instant reads does not grow with the age of its case: statements and rows are counted, nothing is timed. Halts are found as by going through all of it."""

import random
from collections import Counter

import pytest
from sqlalchemy import text

from engine.actors import users
from engine.casework import player, snapshots, strips
from engine.casework.instants import Teller
from engine.casework.strips import Strip
from tests import statements
from tests import world as worlds
from tests.bench import replay, servers
from tests.bench.endurance import Loop

_READ = text("SELECT relname, idx_tup_fetch + seq_tup_read AS rows FROM pg_stat_xact_user_tables WHERE idx_tup_fetch + seq_tup_read > 0")
YOUNG, OLD = 60, 172


@pytest.fixture(scope="module")
def cases(make_database):
    """A young case and an old one of the same pathway, their instants kept as the worker keeps them; an auditor. A strip of fewer places stands for a longer history."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(strips, "PLACES", 64)
        yield grown(make_database)


def grown(make_database):
    database = make_database()
    worlds.furnish(database, servers.edition_files("boucle.bpmn"))
    made = {length: Loop(database, 10**9) for length in (YOUNG, OLD)}
    for length, loop in made.items():
        replay.turn_until(loop, length)
        replay.keep(database, loop.case_id)
    with database.owner() as connection:
        connection.exec_driver_sql("ANALYZE")
    auditor = made[OLD].there.agent("OTE", "TUN", "auditeur")
    return database, auditor, {length: loop.case_id for length, loop in made.items()}


def cost(database, auditor, act) -> tuple[int, Counter[str]]:
    """Statements and rows of one look, at the server."""
    with database.reading(auditor) as session:
        before = Counter(dict(session.execute(_READ).all()))
        with statements.sent() as ran:
            act(session)
        return len(ran), Counter(dict(session.execute(_READ).all())) - before


LOOKS = {
    "an instant": lambda auditor, case_id, last, drawn: lambda session: player.frame(session, auditor, case_id, at=drawn.randint(1, last)),
    "the timeline": lambda auditor, case_id, _last, _drawn: lambda session: player.timeline(session, auditor, case_id),
    "the next decision": lambda auditor, case_id, last, drawn: lambda session: player.halt(session, auditor, case_id, None, drawn.randint(1, last), "decision"),
    "the delay before": lambda auditor, case_id, last, drawn: lambda session: player.halt(session, auditor, case_id, None, drawn.randint(1, last), "delay", is_back=True),
    "its diagram": lambda auditor, case_id, _last, _drawn: lambda session: player.drawing(session, auditor, case_id, 1, "boucle"),
}  # fmt: skip


@pytest.mark.parametrize("name", LOOKS)
def test_an_old_case_is_looked_at_as_lightly_as_a_young_one(cases, name):
    database, auditor, known = cases
    found = {}
    for length, case_id in known.items():
        drawn = random.Random(7)
        looks = [cost(database, auditor, LOOKS[name](auditor, case_id, length, drawn)) for _ in range(13)][1:]  # the first reads what an edition is read into
        found[length] = (max(ran for ran, _ in looks), {table: max(rows[table] for _, rows in looks) for table in set().union(*(rows for _, rows in looks))})
    (ran_young, young), (ran_old, old) = found[YOUNG], found[OLD]
    assert ran_old <= ran_young + 2, found
    behind = old.pop("instance", 0)  # looked at behind each row of the others, by its policy and by its join, or once for all of them, as PostgreSQL plans it
    assert {table: rows for table, rows in old.items() if rows > young.get(table, 0) + 20} == {}, young
    assert behind <= 2 * sum(old.values()) + 20, old
    assert {table: rows for table, rows in old.items() if table in ("ledger_line", "ledger_sealed", "fact", "replay_snapshot") and rows > 80} == {}, "not every row there is"


def test_halts_are_those_that_a_walk_through_all_of_it_meets(cases):
    database, auditor, known = cases
    with database.reading(users.system()) as session:
        for case_id in known.values():
            marks = [(now.seq, now.marks) for now, _ in Teller(session, case_id).unfold()]
            last = marks[-1][0]
            for kind in ("decision", "delay", "stage:accueil"):
                lines = [seq for seq, kinds in marks if kind in kinds]
                for seq in range(1, last + 1, 19):
                    assert snapshots.find(session, case_id, seq, kind) == min((line for line in lines if line > seq), default=None), (kind, seq)
                    assert snapshots.find(session, case_id, seq, kind, is_back=True) == max((line for line in lines if line < seq), default=None), (kind, seq)


def test_a_strip_is_of_one_size_and_forgets_no_kind():
    strip, drawn, met = Strip(), random.Random(3), []
    for seq in range(1, 5_000, 3):
        kinds = tuple(kind for kind in ("decision", "delay") if drawn.random() < 0.02)
        strip = strip.marked(seq, kinds)
        met += [(seq, kind) for kind in kinds]
    assert strip.grain * strips.PLACES == 8_192 and all(len(bits) == strips.PLACES // 8 for bits in strip.kinds.values())
    told: dict[int, set[str]] = {}
    for seq, kind in met:
        told.setdefault((seq - 1) // strip.grain * strip.grain + 1, set()).add(kind)
    assert strip.told() == sorted((first, tuple(sorted(kinds))) for first, kinds in told.items())
    first, last = next(strip.stretches("delay", 1_000, is_back=True))
    assert any(first <= seq <= last for seq, kind in met if kind == "delay") and first <= 1_000
