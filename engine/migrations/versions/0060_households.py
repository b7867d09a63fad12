"""A member of a household who comes as her own person is recognised, of the households that were said before too; who sent a paper reads it as long as the person agrees."""

from pathlib import Path

from alembic import op
from sqlalchemy import text

from engine.dossier import beneficiaries

revision = "0060"
down_revision = "0055"

_SAID = text("SELECT p.person_id, h.first_name, h.birth FROM (SELECT DISTINCT person_id FROM fact WHERE field = 'foyer.membres' AND person_id IS NOT NULL) p, masar_household(p.person_id) h")
_KEEP = text("INSERT INTO person_token (person_id, kind, token) VALUES (:person, :kind, :token) ON CONFLICT DO NOTHING")


def upgrade() -> None:
    bind = op.get_bind()
    bind.exec_driver_sql((Path(__file__).parents[1] / "0060_households.sql").read_text("utf-8").replace("%", "%%"))
    for row in bind.execute(_SAID).all():
        for token in beneficiaries.household_tokens([row.first_name], row.birth):
            bind.execute(_KEEP, {"person": row.person_id, **token})
