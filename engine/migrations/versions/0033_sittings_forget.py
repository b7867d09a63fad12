"""Forgetting: what a sitting says of an aid goes with its person."""

from pathlib import Path

from alembic import op

revision = "0033"
down_revision = "0032"


def upgrade() -> None:
    op.get_bind().exec_driver_sql((Path(__file__).parents[1] / "0033_sittings_forget.sql").read_text("utf-8").replace("%", "%%"))
