"""The first floor, and the job queue beside it in a schema of its own."""

from pathlib import Path

from alembic import op
from procrastinate.schema import SchemaManager

revision = "0001"
down_revision = None


def upgrade() -> None:
    run = op.get_bind().exec_driver_sql
    run("SET LOCAL check_function_bodies = off")
    run((Path(__file__).parents[1] / "0001_foundation.sql").read_text("utf-8").replace("%", "%%"))
    # procrastinate writes its names without a schema: made, and used (engine.jobs), under a search path that knows nothing else.
    path = run("SHOW search_path").scalar_one()
    run("CREATE SCHEMA queue")
    run("SET LOCAL search_path TO queue")
    run(SchemaManager.get_schema().replace("%", "%%"))
    run(_QUEUE_GRANTS)
    run(f"SET LOCAL search_path TO {path}")


_QUEUE_GRANTS = """
GRANT USAGE ON SCHEMA queue TO masar_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON procrastinate_jobs, procrastinate_workers TO masar_app;
GRANT SELECT, INSERT ON procrastinate_events TO masar_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON procrastinate_periodic_defers TO masar_app;
GRANT USAGE ON ALL SEQUENCES IN SCHEMA queue TO masar_app;
REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA queue FROM PUBLIC;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA queue TO masar_app;
"""
