"""Steering: how long everything stood, in rows that can be added up."""

from pathlib import Path

from alembic import op

revision = "0019"
down_revision = "0020"


def upgrade() -> None:
    op.get_bind().exec_driver_sql((Path(__file__).parents[1] / "0019_steering.sql").read_text("utf-8").replace("%", "%%"))
