"""Figures: what a long history made longer."""

from pathlib import Path

from alembic import op

revision = "0016"
down_revision = "0010"


def upgrade() -> None:
    op.get_bind().exec_driver_sql((Path(__file__).parents[1] / "0016_figures.sql").read_text("utf-8").replace("%", "%%"))
