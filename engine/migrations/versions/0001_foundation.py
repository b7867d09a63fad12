"""The first floor, and the tables of the job queue beside it."""

from pathlib import Path

from alembic import op
from procrastinate.schema import SchemaManager

revision = "0001"
down_revision = None


def upgrade() -> None:
    run = op.get_bind().exec_driver_sql
    run("SET LOCAL check_function_bodies = off")
    run(SchemaManager.get_schema().replace("%", "%%"))
    run((Path(__file__).parents[1] / "0001_foundation.sql").read_text("utf-8").replace("%", "%%"))
    run(_QUEUE_GRANTS)


_QUEUE_GRANTS = """
DO $$
DECLARE t text;
BEGIN
    FOR t IN SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename LIKE 'procrastinate%%' LOOP
        EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %%I TO masar_app', t);
    END LOOP;
END $$;
GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO masar_app;
"""
