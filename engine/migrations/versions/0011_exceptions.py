"""Exceptions: clocks that stand still, a branch that reads a case of another, second examiners kept apart across a whole case."""

from pathlib import Path

from alembic import op

revision = "0011"
down_revision = "0012"


def upgrade() -> None:
    run = op.get_bind().exec_driver_sql
    run("SET LOCAL check_function_bodies = off")
    run((Path(__file__).parents[1] / "0011_exceptions.sql").read_text("utf-8").replace("%", "%%"))
