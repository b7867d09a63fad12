"""What waited for a second person and is decided is no news."""

from pathlib import Path

from alembic import op

revision = "0052"
down_revision = "0050"


def upgrade() -> None:
    op.get_bind().exec_driver_sql((Path(__file__).parents[1] / "0052_decided_is_no_news.sql").read_text("utf-8").replace("%", "%%"))
