"""The notice that an appointment is called off is proved as its summons is."""

from pathlib import Path

from alembic import op

revision = "0031"
down_revision = "0027"


def upgrade() -> None:
    op.get_bind().exec_driver_sql((Path(__file__).parents[1] / "0031_called_off.sql").read_text("utf-8").replace("%", "%%"))
