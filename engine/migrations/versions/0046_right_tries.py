"""The holder of a receipt who types the right secret has not failed."""

from pathlib import Path

from alembic import op

revision = "0046"
down_revision = "0045"


def upgrade() -> None:
    op.get_bind().exec_driver_sql((Path(__file__).parents[1] / "0046_right_tries.sql").read_text("utf-8").replace("%", "%%"))
