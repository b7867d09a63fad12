"""The repair desk: who takes an incident, what two must agree on; and why a draft may ask more of people."""

from pathlib import Path

from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.get_bind().exec_driver_sql((Path(__file__).parents[1] / "0002_repairs.sql").read_text("utf-8").replace("%", "%%"))
