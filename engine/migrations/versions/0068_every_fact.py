"""The facts of one instance are found by an index; who steers all there is, is asked once for a statement; persons of compound names are found however these are written."""

import json
from pathlib import Path

from alembic import op
from sqlalchemy import text

from engine.dossier import beneficiaries

revision = "0068"
down_revision = "0064"

_NAMED = text("""SELECT coalesce(p.merged_into, p.person_id) AS person_id, jsonb_object_agg(f.field, f.value) AS said FROM fact f JOIN person p ON f.subject = 'person:' || p.person_id
                  WHERE f.is_current AND f.status = 'known' AND f.field = ANY (:fields) GROUP BY p.person_id, p.merged_into""")
_SAID = text("SELECT p.person_id, h.first_name, h.birth FROM (SELECT DISTINCT person_id FROM fact JOIN person USING (person_id) WHERE field = 'foyer.membres') p, masar_household(p.person_id) h")
_KEEP = text("""INSERT INTO person_token (person_id, kind, token) SELECT CAST(:person AS uuid), kind, token FROM jsonb_to_recordset(CAST(:tokens AS jsonb)) AS r(kind text, token text)
                ON CONFLICT DO NOTHING""")


def upgrade() -> None:
    bind = op.get_bind()
    bind.exec_driver_sql((Path(__file__).parents[1] / "0068_every_fact.sql").read_text("utf-8").replace("%", "%%"))
    for row in bind.execute(_NAMED, {"fields": [*beneficiaries.NAME_FIELDS, "person.naissance_date"]}).all():
        bind.execute(_KEEP, {"person": row.person_id, "tokens": json.dumps(beneficiaries.tokens(row.said), ensure_ascii=False)})
    for row in bind.execute(_SAID).all():
        bind.execute(_KEEP, {"person": row.person_id, "tokens": json.dumps(beneficiaries.household_tokens([row.first_name], row.birth), ensure_ascii=False)})
