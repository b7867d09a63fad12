"""Consent: what a case keeps to OTE."""

from pathlib import Path

from alembic import op

revision = "0017"
down_revision = "0021"


def upgrade() -> None:
    op.get_bind().exec_driver_sql((Path(__file__).parents[1] / "0017_consents.sql").read_text("utf-8").replace("%", "%%"))
