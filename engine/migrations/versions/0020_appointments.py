"""Appointments, agendas, and the second secret of a receipt."""

from pathlib import Path

from alembic import op

revision = "0020"
down_revision = "0022"


def upgrade() -> None:
    run = op.get_bind().exec_driver_sql
    run("SET LOCAL check_function_bodies = off")
    run((Path(__file__).parents[1] / "0020_appointments.sql").read_text("utf-8").replace("%", "%%"))
