"""Steering: what it counts is told once, and added up by row."""

from pathlib import Path

from alembic import op

revision = "0037"
down_revision = "0036"


def upgrade() -> None:
    op.get_bind().exec_driver_sql((Path(__file__).parents[1] / "0037_steering_told.sql").read_text("utf-8").replace("%", "%%"))
