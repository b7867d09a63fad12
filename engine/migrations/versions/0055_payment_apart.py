"""A payment is not ordered by whoever granted it, at a sitting too."""

from pathlib import Path

from alembic import op

revision = "0055"
down_revision = "0054"


def upgrade() -> None:
    op.get_bind().exec_driver_sql((Path(__file__).parents[1] / "0055_payment_apart.sql").read_text("utf-8").replace("%", "%%"))
