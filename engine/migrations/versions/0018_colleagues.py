"""Colleagues: notices, notes, leaves and stand-ins, views of the desk, the morning's e-mail."""

from pathlib import Path

from alembic import op

revision = "0018"
down_revision = "0017"


def upgrade() -> None:
    op.get_bind().exec_driver_sql((Path(__file__).parents[1] / "0018_colleagues.sql").read_text("utf-8").replace("%", "%%"))
