"""Notices: whoever a task opened for is told in the statement that opens it."""

from pathlib import Path

from alembic import op

revision = "0027"
down_revision = "0026"


def upgrade() -> None:
    op.get_bind().exec_driver_sql((Path(__file__).parents[1] / "0027_notices.sql").read_text("utf-8").replace("%", "%%"))
