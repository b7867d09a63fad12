"""Audit: history that can be searched, samples that anyone draws again, findings that are answered."""

from pathlib import Path

from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    run = op.get_bind().exec_driver_sql
    run("SET LOCAL check_function_bodies = off")
    run((Path(__file__).parents[1] / "0007_audit.sql").read_text("utf-8").replace("%", "%%"))
