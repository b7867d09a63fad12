"""Appointments: what each is about, so that a measure given up calls off its own."""

from pathlib import Path

from alembic import op

revision = "0035"
down_revision = "0033"


def upgrade() -> None:
    op.get_bind().exec_driver_sql((Path(__file__).parents[1] / "0035_measures.sql").read_text("utf-8").replace("%", "%%"))
