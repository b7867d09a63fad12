"""Replay: instants of long histories kept at intervals, facts and lines as of an instant."""

from pathlib import Path

from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    run = op.get_bind().exec_driver_sql
    run("SET LOCAL check_function_bodies = off")
    run((Path(__file__).parents[1] / "0009_replay.sql").read_text("utf-8").replace("%", "%%"))
