"""Notices: whatever asked for a task is no news once it is done."""

from pathlib import Path

from alembic import op

revision = "0032"
down_revision = "0030"


def upgrade() -> None:
    op.get_bind().exec_driver_sql((Path(__file__).parents[1] / "0032_done_is_no_news.sql").read_text("utf-8").replace("%", "%%"))
