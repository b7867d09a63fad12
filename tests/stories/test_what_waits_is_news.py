"""A task that opens for somebody is told to her, and is news until it is done."""

from sqlalchemy import text

from engine.casework import notices
from tests import world as worlds


def test_what_was_to_be_done_and_is_done_is_no_news_any_more(tunisia):
    world = worlds.World(tunisia)
    case = world.receive(world.somebody("social"))
    for node in ("T101", "T102", "T104", "T106"):
        world.does(case, node)
    owner = next(one for one in world.staff.values() if one.user_id == next(row.holder_id for row in world.open_tasks(case) if row.holder_id))

    def seen():
        with tunisia.owner() as connection:
            unread = connection.execute(text("SELECT masar_unread(:id)"), {"id": owner.user_id}).scalar_one()
        with tunisia.reading(owner) as session:
            return unread, [(one.code, one.is_read) for one in notices.mine(session, owner).items]

    assert seen() == (1, [("task.opened", False)])
    for node in ("T202", "T203", "T201"):
        world.does(case, node)
    assert seen() == (0, []), "what asked for it is gone from the list too"
