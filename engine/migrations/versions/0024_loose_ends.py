"""Loose ends: an agent on leave is free for nobody, a task lent to another branch."""

from pathlib import Path

from alembic import op

revision = "0024"
down_revision = "0023"


def upgrade() -> None:
    run = op.get_bind().exec_driver_sql
    run("SET LOCAL check_function_bodies = off")
    run((Path(__file__).parents[1] / "0024_loose_ends.sql").read_text("utf-8").replace("%", "%%"))
