"""Proof: what the doctor holds against lines and notes."""

from pathlib import Path

from alembic import op

revision = "0025"
down_revision = "0024"


def upgrade() -> None:
    op.get_bind().exec_driver_sql((Path(__file__).parents[1] / "0025_proof.sql").read_text("utf-8").replace("%", "%%"))
