"""The log: entries, tiles, checkpoints, witnesses."""

from pathlib import Path

from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    run = op.get_bind().exec_driver_sql
    run("SET LOCAL check_function_bodies = off")
    run((Path(__file__).parents[1] / "0006_proof.sql").read_text("utf-8").replace("%", "%%"))
