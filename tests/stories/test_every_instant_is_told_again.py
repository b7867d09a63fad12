"""What the tables held after every act of a story, and what its ledger alone tells of that instant: the same, bit for bit."""

import base64
import datetime as dt
from dataclasses import replace

import msgspec
import pytest
from sqlalchemy import text

from engine.actors import users
from engine.casework import known_then, snapshots
from engine.casework.instances import Change
from engine.casework.instants import Teller
from engine.demo import stories
from engine.dossier import facts
from engine.ledger import sealing
from tests import world as worlds

TODAY = dt.date(2026, 11, 24)
TASKS = text("""SELECT position, task_id::text, process, node, names, kind, form, subject, subjects, agency, branch, role, holder_id::text, opened_at, due_at, stage, apart
                  FROM open_task WHERE instance_id = :id""")
WAITS = text("SELECT position, node, kind, name, correlation, labels, opened_at, due_at, awaits FROM wait WHERE instance_id = :id")
INCIDENTS = text("SELECT position, node, code, details, opened_at FROM incident WHERE instance_id = :id AND resolved_at IS NULL")
INSTANCE = text("SELECT seq, state, stage, status, outcome, branch, referent_id::text AS referent, social_worker_id::text AS social_worker FROM instance WHERE instance_id = :id")
HOURS = ("opened_at", "due_at")


@pytest.fixture
def held(monkeypatch):
    """(instance, seq) → what the tables held once the act was written."""
    kept = {}
    write = Change.write

    def and_look(change):
        write(change)
        session, instance = change.session, change.held
        asked = {"id": instance.instance_id}
        row = session.execute(INSTANCE, asked).one()
        rows = [{one.position: dict(one._mapping) for one in session.execute(query, asked)} for query in (TASKS, WAITS, INCIDENTS)]
        known = facts.snapshot(session, instance.subjects, instance.edition.dictionary.fields)  # whoever acts
        kept[(instance.instance_id, row.seq)] = (row, *rows, {(one.subject, one.field): said(one) for one in known})

    monkeypatch.setattr(Change, "write", and_look)
    return kept


def said(fact):
    return fact.value, fact.status, fact.field_class, fact.author_agency, fact.author_id, fact.recorded_at


def told(rows, but=()):
    """Rows of an instant as the tables have them: hours as hours."""
    return {position: {name: dt.datetime.fromisoformat(value) if name in HOURS and value else value for name, value in row.items() if name not in but} for position, row in rows.items()}


def check(database, held, every=1):
    """Every instant kept, told again by its ledger; its facts, for each `every`-th."""
    looked = 0
    with database.reading(users.system()) as session:
        for instance_id in {instance for instance, _ in held}:
            teller = Teller(session, instance_id)
            for now, _ in teller.unfold():
                if (instance_id, now.seq) not in held:
                    continue
                row, tasks, waits, incidents, known = held[(instance_id, now.seq)]
                where = f"{teller.process} {instance_id} line {now.seq}"
                assert now.state == bytes(row.state) and now.is_sound and now.is_told, where
                assert {name: getattr(now, name) for name in ("stage", "status", "outcome", "branch", "referent", "social_worker")} == {
                    name: getattr(row, name) for name in ("stage", "status", "outcome", "branch", "referent", "social_worker")}, where
                assert told(now.tasks) == tasks, where
                assert told(now.waits) == waits, where
                assert told(now.incidents, ("incident_id",)) == incidents, where
                if looked % every == 0:
                    found = known_then.facts(session, instance_id, now.seq, now.at)
                    assert {(one.subject, one.field): said(one) for one in found} == known, where
                looked += 1
    return looked


def test_the_pizzeria_of_zarzis(tunisia, staff, on_the_day, held):
    walid = stories.pizzeria_of_zarzis(TODAY)
    on_the_day(walid.arrives_on)
    case_id = staff.receive(walid)
    staff.until(worlds.clock_at(walid.arrives_on + dt.timedelta(days=1100)))
    assert worlds.World(tunisia).file(case_id).ended_at is not None
    assert check(tunisia, held, every=7) == len(held) > 80
    # Kept instants change nothing but how far one has to go; a line in the middle of an act tells its act.
    with tunisia.unit_of_work(users.system()) as session:
        for (one,) in snapshots.due(session):
            assert snapshots.keep(session, worlds.UUID(one))
        kept = session.execute(text("SELECT count(*) FROM replay_snapshot")).scalar_one()
    assert kept >= 4
    with tunisia.reading(users.system()) as session:
        for (instance_id, seq), (row, tasks, *_) in list(held.items())[::5]:
            now, act, _ = snapshots.at(session, instance_id, seq)
            assert (now.seq, now.state, told(now.tasks)) == (seq, bytes(row.state), tasks)
            assert act[-1].seq == seq and snapshots.at(session, instance_id, now.first)[0].seq == seq
    _an_instant_that_is_not_its_lines_is_noticed(tunisia, case_id)


def _an_instant_that_is_not_its_lines_is_noticed(database, case_id):
    with database.unit_of_work(users.system()) as session:
        teller = Teller(session, case_id)
        honest = snapshots.nearest(session, teller, teller.last)
        assert 0 < honest.seq <= teller.last
        # One that somebody put there under the right key, with a state that the line did not come to, is passed over for an earlier one.
        forged = msgspec.structs.replace(honest, state=honest.state[:-1] + bytes([honest.state[-1] ^ 1]))
        key = session.info["keys"].find(teller.person_id)
        ciphertext = sealing.seal(key, case_id, honest.seq, {"instant": (b"", base64.b64encode(msgspec.json.encode(forged)).decode())})
        marks = session.execute(text("DELETE FROM replay_snapshot WHERE instance_id = :id AND seq = :seq RETURNING marks::text"), {"id": case_id, "seq": honest.seq}).scalar_one()
        session.execute(text("INSERT INTO replay_snapshot (instance_id, seq, marks, ciphertext) VALUES (:id, :seq, CAST(:marks AS jsonb), :ciphertext)"),
                        {"id": case_id, "seq": honest.seq, "marks": marks, "ciphertext": ciphertext})  # fmt: skip
        assert snapshots.nearest(session, teller, teller.last).seq < honest.seq
        # A line whose step comes to another state than the one it sealed is told so, from there on.
        act = next(act for act in teller.acts() if any("state" in told.sealed for told in act) and act[-1].seq > 5)
        lied = [replace(told, sealed={**told.sealed, "state": "0" * 64}) if "state" in told.sealed else told for told in act]
        before, _, _ = snapshots.at(session, case_id, act[0].seq - 1)
        assert before.is_sound and teller._after(before, act).is_sound and not teller._after(before, lied).is_sound
