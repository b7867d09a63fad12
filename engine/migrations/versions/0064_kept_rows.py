"""A case kept to OTE is no row for others: the database says what authority says."""

from pathlib import Path

from alembic import op

revision = "0064"
down_revision = "0063"


def upgrade() -> None:
    op.get_bind().exec_driver_sql((Path(__file__).parents[1] / "0064_kept_rows.sql").read_text("utf-8").replace("%", "%%"))
