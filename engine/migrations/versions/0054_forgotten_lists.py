"""A charter's list goes with whoever of it is erased."""

from pathlib import Path

from alembic import op

revision = "0054"
down_revision = "0052"


def upgrade() -> None:
    op.get_bind().exec_driver_sql((Path(__file__).parents[1] / "0054_forgotten_lists.sql").read_text("utf-8").replace("%", "%%"))
