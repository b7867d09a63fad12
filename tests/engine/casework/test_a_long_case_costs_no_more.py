"""The rows that a completion looks at do not grow with the age of its case, whatever the planner took the tables for when it was asked: counted, not timed."""

import pytest
from sqlalchemy import text

from engine.casework import cases, tasks
from engine.demo import answers
from tests import world as worlds
from tests.bench import servers

# What this connection read, by index or not, since its figures were last collected.
_READ = text("SELECT sum(idx_tup_fetch + seq_tup_read) FROM pg_stat_xact_user_tables WHERE relname IN ('ledger_line', 'fact', 'instance', 'task_done', 'open_task')")


@pytest.fixture(scope="module")
def turning(make_database):
    database = make_database()
    worlds.furnish(database, servers.edition_files("boucle.bpmn"))
    return worlds.World(database)


def test_the_hundredth_turn_of_a_case_reads_no_more_rows_than_the_tenth(turning):
    actor = turning.agent("OTE", "MED", "agent_accueil")
    with turning.database.unit_of_work(actor) as session:
        case_id = cases.open_case(session, actor, "boucle", "MED").case_id
    read = []
    for turn in range(100):
        (row,) = turning.open_tasks(case_id)
        if turn in (3, 40):  # plans are made anew, on tables that are still small
            with turning.database.owner() as connection:
                connection.exec_driver_sql("ANALYZE")
        with turning.database.reading(actor) as session:
            view = tasks.view(session, actor, row.task_id)
            raw = answers.to(view.form, {"essai.membres": turn, "essai.emploi": True}, turning.today(), actor, session) or {"essai.membres": turn}
        with turning.database.unit_of_work(actor) as session:
            before = session.execute(_READ).scalar_one()
            tasks.complete(session, actor, row.task_id, raw, view.version)
            read.append(session.execute(_READ).scalar_one() - before)
    assert max(read[90:]) <= min(read[5:15]) + 10, " ".join(str(one) for one in read)
