"""A finding asked of whom its case is kept from falls to the head of the branch."""

from pathlib import Path

from alembic import op

revision = "0070"
down_revision = "0068"


def upgrade() -> None:
    op.get_bind().exec_driver_sql((Path(__file__).parents[1] / "0070_asked.sql").read_text("utf-8").replace("%", "%%"))
