"""Moving running cases; reading what a case was told."""

from pathlib import Path

from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.get_bind().exec_driver_sql((Path(__file__).parents[1] / "0004_moves.sql").read_text("utf-8").replace("%", "%%"))
