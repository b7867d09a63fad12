"""Copies of somebody's data: papers verified by their code, whose text is not kept."""

from pathlib import Path

from alembic import op

revision = "0022"
down_revision = "0014"


def upgrade() -> None:
    op.get_bind().exec_driver_sql((Path(__file__).parents[1] / "0022_copies.sql").read_text("utf-8").replace("%", "%%"))
