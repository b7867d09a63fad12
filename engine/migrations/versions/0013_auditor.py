"""What an auditor sees of a replay, and forgetting by class of retention."""

from pathlib import Path

from alembic import op

revision = "0013"
down_revision = "0016"


def upgrade() -> None:
    run = op.get_bind().exec_driver_sql
    run("SET LOCAL check_function_bodies = off")
    run((Path(__file__).parents[1] / "0013_auditor.sql").read_text("utf-8").replace("%", "%%"))
