"""The report of a half-year, made once, of the whole land."""

from pathlib import Path

from alembic import op

revision = "0026"
down_revision = "0025"


def upgrade() -> None:
    op.get_bind().exec_driver_sql((Path(__file__).parents[1] / "0026_halfyear.sql").read_text("utf-8").replace("%", "%%"))
