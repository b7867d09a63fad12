"""A case offered to another branch, or that came from it, is hers to read for a while: not to act on, and not for ever."""

import json
import uuid

import pytest
from sqlalchemy import text

from engine import errors
from engine.casework import messages
from tests.stories.test_a_transfer import MOVED


def reached(world, actor, case):
    """What the database itself lets somebody read of a case: its instances, what their lines sealed, its facts."""
    with world.database.reading(actor) as session:
        return [session.execute(text(f"SELECT count(*) FROM {where}"), {"id": case}).scalar() for where in (
            "instance WHERE root_id = :id", "ledger_sealed s JOIN instance i USING (instance_id) WHERE i.root_id = :id", "fact WHERE root_id = :id")]  # fmt: skip


def test_who_reads_for_a_while_neither_acts_nor_reads_for_ever(world):
    case = world.receive(world.somebody("emploi"))
    for node in ("T101", "T102", "T104", "T106"):
        world.does(case, node)
    number, here, there = world.file(case).case_number, world.agent("OTE", "MED", "referent"), world.agent("OTE", "SFX", "chef_antenne")
    world.begins(case, "transfert", here, **MOVED)
    assert all(reached(world, there, case)), "the branch that is asked reads"

    def acts(actor):
        for name in ("urgence", "piece.recue"):
            with pytest.raises(errors.NotFound, match=r"message\.no_addressee"), world.database.unit_of_work(actor) as session:
                messages.send(session, actor, name, number, {})
            with pytest.raises(Exception, match="row-level security"), world.database.unit_of_work(actor) as session:
                session.execute(text("INSERT INTO message (message_id, name, correlation, payload, created_at) VALUES (:id, :name, :key, CAST(:payload AS jsonb), masar_now())"),
                                {"id": uuid.uuid4(), "name": name, "key": number, "payload": json.dumps({})})  # fmt: skip

    acts(there)
    world.does(case, "T912", transfert__reponse="accepte")
    acts(here)
    assert all(reached(world, here, case)), "the branch it came from reads for a month"
    world.does(case, "T914")
    world.passes(days=31)
    assert reached(world, here, case) == [0, 0, 0], "and then nothing, of what moved it neither"
