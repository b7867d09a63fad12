"""Sittings: what members think of a file beforehand is not known to the others until all have said it."""

from pathlib import Path

from alembic import op

revision = "0021"
down_revision = "0019"


def upgrade() -> None:
    op.get_bind().exec_driver_sql((Path(__file__).parents[1] / "0021_sittings.sql").read_text("utf-8").replace("%", "%%"))
