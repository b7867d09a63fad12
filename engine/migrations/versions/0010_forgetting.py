"""Forgetting: erasures proposed by one and approved by another."""

from pathlib import Path

from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    run = op.get_bind().exec_driver_sql
    run("SET LOCAL check_function_bodies = off")
    run((Path(__file__).parents[1] / "0010_forgetting.sql").read_text("utf-8").replace("%", "%%"))
