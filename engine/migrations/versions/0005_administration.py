"""Administration: rights given by two, access reviewed, dated data changed from a day on, the journal."""

from pathlib import Path

from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    run = op.get_bind().exec_driver_sql
    run("SET LOCAL check_function_bodies = off")
    run((Path(__file__).parents[1] / "0005_administration.sql").read_text("utf-8").replace("%", "%%"))
