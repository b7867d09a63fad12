"""Whoever has an appointment at hours that were closed since is told."""

from pathlib import Path

from alembic import op

revision = "0044"
down_revision = "0039"


def upgrade() -> None:
    op.get_bind().exec_driver_sql((Path(__file__).parents[1] / "0044_closed_since.sql").read_text("utf-8").replace("%", "%%"))
