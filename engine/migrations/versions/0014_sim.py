"""Why a warning was accepted, kept with the edition."""

from pathlib import Path

from alembic import op

revision = "0014"
down_revision = "0011"


def upgrade() -> None:
    run = op.get_bind().exec_driver_sql
    run("SET LOCAL check_function_bodies = off")
    run((Path(__file__).parents[1] / "0014_sim.sql").read_text("utf-8").replace("%", "%%"))
