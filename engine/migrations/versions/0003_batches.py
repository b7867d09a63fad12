"""Work over many cases, done in the background."""

from pathlib import Path

from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.get_bind().exec_driver_sql((Path(__file__).parents[1] / "0003_batches.sql").read_text("utf-8").replace("%", "%%"))
