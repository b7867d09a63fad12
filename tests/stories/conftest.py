"""The promises end to end, on the real pathway, in the words of the trade."""

import datetime as dt
from dataclasses import replace

import pytest
from sqlalchemy import text

from engine import clock
from engine.actors import users
from engine.casework import rebuilt, replays
from engine.demo import play
from engine.insight import proofs_of_why
from engine.pathway import bpmn
from tests import world as worlds

_INSTANCES = text("""SELECT instance_id, process, state, person_id, EXISTS (SELECT FROM ledger_line l WHERE l.instance_id = i.instance_id AND l.kind LIKE 'person.erased%') AS tells_of_erased
                       FROM instance i ORDER BY opened_at""")
# domain.md §5.4: no operation, nor the clock, writes the word that refuses.
_REFUSED_BY_ITSELF = text("""SELECT field, value, source, author_name FROM fact WHERE field IN ('aide.decision', 'aide.suite_pieces', 'aide.reserves_levees', 'accueil.refus_motif')
                              AND (source ->> 'kind' = 'system' OR author_id IS NULL)""")


@pytest.fixture
def tunisia(make_database):
    """A Tunisia of its own for each story: the clock moves in it."""
    database = make_database(worlds.furnish)
    yield database
    _play_again(database)


def _play_again(database):
    """Every history of a story, played again from what the ledger kept, gives the very state that is stored."""
    with database.reading(users.system()) as session:
        for instance in session.execute(_INSTANCES).all():
            found = replays.history(session, instance.instance_id)
            if found.is_whole or (session.info["keys"].find(instance.person_id or instance.instance_id) and not instance.tells_of_erased):
                assert replays.is_exact(found), f"{instance.process} {instance.instance_id}"
            assert list(rebuilt.differences(session, instance.instance_id)) == [], f"{instance.process} {instance.instance_id}"
        assert proofs_of_why.prove(session, changes=False).faults == [], "every reason kept, weighed anew, says the same"
        assert session.execute(_REFUSED_BY_ITSELF).all() == [], "an aid, or a case, is refused by a person"


@pytest.fixture
def world(tunisia):
    """Whoever is there, to lead a story step by step."""
    return worlds.World(tunisia)


@pytest.fixture
def staff(tunisia):
    """Everybody at work: does what their role has to do, in their own time, while days pass."""
    return play.Player(tunisia)


@pytest.fixture
def on_the_day(tunisia):
    """Sets the clock to the morning of a day."""

    def set_to(day: dt.date) -> None:
        with tunisia.unit_of_work(users.system()) as session:
            clock.advance(session, (worlds.clock_at(day) - clock.now(session)).total_seconds())

    return set_to


@pytest.fixture(autouse=True)
def every_step_is_made_again(monkeypatch):
    """A ledger line keeps, of all that is known, what its step read. In every story each step is made a second time from that alone: the same, byte for byte."""

    def twice(make):
        def act(definitions, where, stimulus):
            step = make(definitions, where, stimulus)
            assert make(definitions, where, replace(stimulus, facts=bpmn.told(stimulus.facts, step.read))) == step
            return step

        return act

    for verb in ("start", "advance"):
        monkeypatch.setattr(bpmn, verb, twice(getattr(bpmn, verb)))


@pytest.fixture
def case(world):
    """A case of Médenine with its interview ahead."""
    case_id = world.receive(world.somebody("emploi"))
    for node in ("T101", "T102", "T104", "T106"):
        world.does(case_id, node)
    return case_id
