"""A programme's own limit holds for its aids, and the one of all where it says nothing (domain.md §4.10: configurable per programme)."""

import pytest
from sqlalchemy import text

from engine import clock


@pytest.mark.parametrize(("own", "days"), [(None, 15), (7, 7)])
def test_the_contract_is_due_when_the_programme_says(world, own, days):
    if own is not None:
        with world.database.owner() as connection:
            connection.execute(text("UPDATE programme SET content = content || jsonb_build_object('delai_contrat_jours', CAST(:own AS int)) WHERE code = 'TOUNESNA-EU'"), {"own": own})
            connection.execute(text("UPDATE installation SET dated_version = dated_version + 1"))
    world.receive(world.somebody("creation", 1))
    task = world.reaches("T606")
    with world.database.owner() as connection:
        opened, due = connection.execute(text("SELECT opened_at, due_at FROM open_task WHERE task_id = :id"), {"id": task.task_id}).one()
    assert days <= (clock.today(due) - clock.today(opened)).days <= days + 3, "or the first working day after"
