"""Somebody named on a charter's sheet is recognised on another."""

from pathlib import Path

from alembic import op

revision = "0050"
down_revision = "0046"


def upgrade() -> None:
    op.get_bind().exec_driver_sql((Path(__file__).parents[1] / "0050_charter_names.sql").read_text("utf-8").replace("%", "%%"))
