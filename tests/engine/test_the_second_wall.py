"""What PostgreSQL itself refuses, whatever the code above it says."""

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from engine.database import Wall
from engine.identity import new_id


class Somebody:
    def __init__(self, **wall):
        self.wall = Wall(**wall)


WRITER = Somebody(user_id=str(new_id()), agency="OTE", branch="MED", reach="all", may_write=True, classes="C", writes="C", is_system=True)


def test_the_application_works_as_a_role_that_owns_nothing(database):
    with database.reading(WRITER) as session:
        assert session.execute(text("SELECT current_user")).scalar_one() == "masar_app"
        owned = session.execute(text("SELECT count(*) FROM pg_class WHERE relowner = 'masar_app'::regrole")).scalar_one()
        bypass = session.execute(text("SELECT rolbypassrls OR rolsuper FROM pg_roles WHERE rolname = 'masar_app'")).scalar_one()
    assert (owned, bypass) == (0, False)


def test_every_table_with_persons_or_cases_forces_its_policies(database):
    free = {"installation", "demo_clock", "dated_scope", "edition", "edition_file", "case_number", "alembic_version"}
    with database.owner() as connection:
        rows = connection.exec_driver_sql(
            "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace AND NOT (relrowsecurity AND relforcerowsecurity)"
        )
        unforced = {row[0] for row in rows if not row[0].startswith("procrastinate")}
    assert unforced == free


def test_a_reading_session_cannot_write(database):
    with database.reading(WRITER) as session, pytest.raises(DBAPIError, match="read-only"):
        session.execute(text("INSERT INTO person (person_id) VALUES (gen_random_uuid())"))


def test_nobody_sees_nothing(database):
    with database.reading(Somebody()) as session:
        for table in ("instance", "open_task", "fact", "user_account", "ledger_line", "person", "document", "message", "notice"):
            assert session.execute(text(f"SELECT count(*) FROM {table}")).scalar_one() == 0


@pytest.mark.parametrize("statement", ["SELECT password_hash FROM user_account", "UPDATE fact SET value = '1'", "DELETE FROM ledger_line",
                                       "UPDATE ledger_line SET line = ''", "DELETE FROM fact", "TRUNCATE instance", "DELETE FROM task_done"])  # fmt: skip
def test_what_the_application_may_never_do(database, statement):
    with database.unit_of_work(WRITER) as session:
        with pytest.raises(DBAPIError, match="permission denied"):
            session.execute(text(statement))
        session.rollback()


def test_a_case_cannot_change_without_its_ledger_line(database):
    with database.owner() as connection:
        edition, instance = str(new_id()), str(new_id())
        connection.exec_driver_sql("INSERT INTO agency VALUES ('OTE', '{}') ON CONFLICT DO NOTHING")
        connection.exec_driver_sql(
            "INSERT INTO branch VALUES ('MED', '{}', '2019-09-01', '{}', '{OTE}') ON CONFLICT DO NOTHING"
        )
        connection.exec_driver_sql(
            "INSERT INTO edition VALUES (%s, (SELECT coalesce(max(number), 900) + 1 FROM edition), %s, '{}', now())", (edition, edition)
        )
    insert = text("INSERT INTO instance (instance_id, root_id, process, edition_id, branch, state, head, opened_at) "
                  "VALUES (:i, :i, 'parcours', :e, 'MED', '', '', now())")  # fmt: skip
    with database.unit_of_work(WRITER) as session:
        with pytest.raises(DBAPIError, match="does not point at a ledger line of this transaction|has no ledger line"):
            session.execute(insert, {"i": instance, "e": edition})
        session.rollback()
