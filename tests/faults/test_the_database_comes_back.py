"""The database ends every connection, as it does when it is started again: the next act finds a fresh one."""

from sqlalchemy import text

from engine.actors import users
from engine.database import Database

_END_ALL = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"


def test_the_next_read_and_the_next_write_work(make_database):
    database: Database = make_database()
    for _ in range(2):
        with database.reading(users.system()) as session, database.reading(users.system()), database.reading(users.system()):  # three that wait in the pool afterwards
            assert session.execute(text("SELECT current_user")).scalar_one() == "masar_app"
        with database.owner() as connection:
            connection.exec_driver_sql(_END_ALL)
    with database.unit_of_work(users.system()) as session:
        assert session.execute(text("SELECT current_setting('masar.is_system')")).scalar_one() == "on"
