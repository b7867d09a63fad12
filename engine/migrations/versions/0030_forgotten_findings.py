"""Findings are forgotten with the person whose case they were made at."""

from pathlib import Path

from alembic import op

revision = "0030"
down_revision = "0031"


def upgrade() -> None:
    op.get_bind().exec_driver_sql((Path(__file__).parents[1] / "0030_forgotten_findings.sql").read_text("utf-8").replace("%", "%%"))
