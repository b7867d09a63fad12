"""Passages: told of sealed lines by the worker."""

from pathlib import Path

from alembic import op

revision = "0023"
down_revision = "0018"


def upgrade() -> None:
    op.get_bind().exec_driver_sql((Path(__file__).parents[1] / "0023_passages.sql").read_text("utf-8").replace("%", "%%"))
