"""Work over many cases, done in the background."""

from pathlib import Path

from alembic import op

revision = "0002"
down_revision = "0004"


def upgrade() -> None:
    op.get_bind().exec_driver_sql((Path(__file__).parents[1] / "0002_batches.sql").read_text("utf-8").replace("%", "%%"))
