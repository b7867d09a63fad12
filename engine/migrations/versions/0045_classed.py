"""The class of vulnerability that was found is told with the passages, so that figures are told apart by it."""

from pathlib import Path

from alembic import op

revision = "0045"
down_revision = "0044"


def upgrade() -> None:
    op.get_bind().exec_driver_sql((Path(__file__).parents[1] / "0045_classed.sql").read_text("utf-8").replace("%", "%%"))
