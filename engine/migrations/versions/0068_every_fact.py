"""The facts of one instance are found by an index; who steers all there is, is asked once for a statement."""

from pathlib import Path

from alembic import op

revision = "0068"
down_revision = "0064"


def upgrade() -> None:
    op.get_bind().exec_driver_sql((Path(__file__).parents[1] / "0068_every_fact.sql").read_text("utf-8").replace("%", "%%"))
