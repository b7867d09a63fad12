"""What one asks for and another approves is told to each who may, is news until one of them decided, and comes back to whoever asked."""

import pytest

from engine.actors import accounts, users
from engine.casework import drafts, publication
from tests.web.small import installation as small
from tests.world import World

FORM, REASON = "forms/tasks/orienter.toml", "Le titre n'était pas clair."


def furnish(database):
    small.furnish_administered(database)
    with database.owner() as connection:
        for name in ("kenza", "firas"):
            users.create(connection, name, name.title(), "OTE", "TUN", ["coordinateur"], small.PASSWORD)
        users.create(connection, "olfa", "Olfa Jebali", "OTE", "TUN", ["administrateur"], small.PASSWORD)


@pytest.fixture
def world(make_database):
    return World(make_database(furnish))


@pytest.fixture
def act(world):
    def do(who, verb, *given, **named):
        with world.database.unit_of_work(world.staff[who]) as session:
            return verb(session, world.staff[who], *given, **named)

    return do


@pytest.fixture
def news(world):
    """What is new to somebody: what the bell counts, and it is what the page says."""

    def find(who):
        unread, codes = world.news(world.staff[who])
        assert unread == len(codes)
        return codes

    return find


@pytest.fixture
def look(world):
    def find(draft_id):
        with world.database.reading(world.staff["meriem"]) as session:
            return drafts.show(session, world.staff["meriem"], draft_id).draft

    return find


@pytest.fixture
def awaited(world, look):
    """By name, whose approval a draft waits for."""

    def find(draft_id):
        with world.database.reading(world.staff["meriem"]) as session:
            return set(publication.awaited(session, world.staff["meriem"], look(draft_id)))

    return find


def test_a_draft_waits_for_every_coordinator_who_wrote_nothing_in_it_until_one_decided(act, news, look, awaited):
    draft_id = act("meriem", drafts.open_draft, "Orientation")
    act("meriem", drafts.save, draft_id, FORM, small.files()[FORM].replace(b'fr = "', b'fr = "Autre ', 1), 0)
    act("firas", drafts.save, draft_id, FORM, small.files()[FORM].replace(b'fr = "', b'fr = "Encore ', 1), 1)
    act("meriem", publication.submit, draft_id, REASON)
    assert news("anis") == news("kenza") == ["draft.proposed"] and news("meriem") == news("firas") == news("zied") == []
    assert awaited(draft_id) == {"Anis Mabrouk", "Kenza", "Rim Chaouch"}
    act("anis", publication.refuse, draft_id, look(draft_id).version, "Le mot arabe manque.")
    assert news("anis") == news("kenza") == [] and news("meriem") == ["draft.sent_back"] and not look(draft_id).was_taken_back
    act("meriem", publication.submit, draft_id, REASON)
    assert news("anis") == news("kenza") == ["draft.proposed"], "asked again, it is told once"
    act("meriem", publication.refuse, draft_id, look(draft_id).version, "Je me suis trompée.")
    assert news("anis") == news("kenza") == [] and news("meriem") == ["draft.sent_back"], "nobody waits for what its author takes back"
    assert look(draft_id).was_taken_back, "and it was not refused"
    act("meriem", publication.submit, draft_id, REASON)
    act("kenza", publication.approve, draft_id, look(draft_id).version)
    assert news("anis") == news("kenza") == [] and news("meriem") == ["draft.published", "draft.sent_back"]


@pytest.mark.parametrize("verb", ["rights", "password"])
def test_rights_and_passwords_given_by_two_wait_for_every_other_administrator_until_one_decided(world, act, news, verb):
    chief = act("zied", accounts.create, f"chef.{verb}", "Imen Saïdi", "OTE", "MED", ("chef_antenne",), REASON)
    assert news("hajer") == news("olfa") == ["account.proposed"] and news("zied") == news("meriem") == []
    act("hajer", accounts.approve, chief.proposal_id)
    assert news("hajer") == news("olfa") == [] and news("zied") == ["account.approved"]
    asks = {"rights": lambda: act("zied", accounts.set_rights, chief.user_id, "OTE", "TUN", ("coordinateur",), REASON, is_known=True), "password": lambda: act("zied", accounts.reset_password, chief.user_id, REASON)}
    asked = asks[verb]()
    assert news("hajer") == news("olfa") == ["account.proposed"]
    act("olfa", accounts.refuse, asked.proposal_id, "Pas maintenant.")
    assert news("hajer") == news("olfa") == [] and news("zied") == ["account.refused", "account.approved"]
    asked = asks[verb]()
    act("zied", accounts.refuse, asked.proposal_id, "Je la retire.")
    assert news("hajer") == news("olfa") == [] and news("zied") == ["account.refused", "account.approved"]
