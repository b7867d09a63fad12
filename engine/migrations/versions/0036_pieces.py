"""Papers that come of themselves: brought to a desk too."""

from pathlib import Path

from alembic import op

revision = "0036"
down_revision = "0035"


def upgrade() -> None:
    op.get_bind().exec_driver_sql((Path(__file__).parents[1] / "0036_pieces.sql").read_text("utf-8").replace("%", "%%"))
