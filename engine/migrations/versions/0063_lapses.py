"""What runs out by the calendar alone while something needs it: papers, and the signature of a guardian."""

from pathlib import Path

from alembic import op

revision = "0063"
down_revision = "0060"


def upgrade() -> None:
    op.get_bind().exec_driver_sql((Path(__file__).parents[1] / "0063_lapses.sql").read_text("utf-8").replace("%", "%%"))
