"""The desk: open tasks, mine and my branch's, the latest first; one query however many cases there are.

Keyset paging over a table of open tasks alone; no count over the list. Names are joined for the page's rows only.
"""

import base64
import datetime as dt
import json
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlmodel import Session

from engine import errors
from engine.actors import authority
from engine.casework.tasks import stands_in
from engine.casework.views import Desk, DeskRow
from engine.dossier import beneficiaries
from engine.i18n import pick

SCOPES = ("mine", "queue", "all")
_TO_TAKE = "t.holder_id IS NULL AND t.agency = :agency AND t.role = ANY (CAST(:roles AS text[]))"
# A partner's task of a case that no partner has: it waits for the case owner.
_TO_TAKE_INSTEAD = """(t.agency = 'PART' AND t.role = ANY (CAST(:instead AS text[])) AND EXISTS (
    SELECT FROM instance r WHERE r.instance_id = t.root_id AND (CASE WHEN r.is_shared_operator THEN t.holder_id IS NULL AND r.assigned = '{}'
                                                                     ELSE t.holder_id IS NULL OR t.holder_id = ANY (r.assigned) END)))"""
_PAGE = """
WITH page AS MATERIALIZED (
    SELECT t.task_id, t.root_id, t.case_number, t.names, t.node, t.process, t.agency, t.branch, t.role, t.holder_id, t.opened_at, t.due_at, t.sort_due,
           t.stage, t.priority, t.apart
      FROM open_task t WHERE {where} AND (t.sort_due, t.task_id) > (CAST(:after_due AS timestamptz), CAST(:after_id AS uuid))
     ORDER BY t.sort_due, t.task_id LIMIT :limit)
SELECT p.task_id, p.root_id, p.case_number, p.names, p.node, p.process, p.agency, p.branch, p.role, p.holder_id, p.opened_at, p.due_at, p.stage,
       p.priority, p.apart, masar_now() AS now, u.name AS holder, n.names AS person, r.instance_id AS case_id, r.is_shared_operator, r.assigned,
       CASE WHEN p.apart <> '{{}}' THEN masar_did_before(p.task_id, :me) END AS did_before
  FROM page p LEFT JOIN user_account u ON u.user_id = p.holder_id LEFT JOIN instance r ON r.instance_id = p.root_id
  LEFT JOIN LATERAL (SELECT jsonb_object_agg(f.field, f.value) AS names FROM instance i JOIN fact f ON f.person_id = i.person_id AND f.is_current
                      WHERE i.instance_id = p.root_id AND f.field = ANY (:name_fields)) n ON true
 ORDER BY p.sort_due, p.task_id"""


def desk(session: Session, actor: Any, scope: str = "mine", *, search: str = "", case_id: UUID | None = None, agency: str = "", process: str = "", late: bool = False,
         limit: int = 50, cursor: str = "") -> Desk:  # fmt: skip
    """The tasks of a scope: `mine` (in my hands), `queue` (free, and mine to do, for want of the partner too), `all` (every open task I reach).

    `search`: beginning of a case number, or of a name, CIN or phone. Refuses: `worklist.scope`, `worklist.cursor` (Invalid).
    """
    if scope not in SCOPES:
        raise errors.Invalid("worklist.scope", scope=scope)
    limit = max(1, min(limit, 200))
    after_due, after_id = _read(cursor)
    where, parameters = ["true"], {"limit": limit + 1, "after_due": after_due, "after_id": after_id, "name_fields": list(beneficiaries.NAME_FIELDS),
                                    "me": actor.user_id}  # fmt: skip
    instead = sorted(authority.roles_stood_in_for(actor))
    if scope == "mine":
        where.append("t.holder_id = :me")
    elif scope == "queue":
        where.append(f"t.branch = :branch AND ({_TO_TAKE} OR {_TO_TAKE_INSTEAD})" if instead else f"t.branch = :branch AND {_TO_TAKE}")
    elif not authority.may(actor, "case.read", branch=actor.branch):  # a partner, or who only signals: her own, not her office's
        where.append("t.branch = :branch AND (t.holder_id = :me OR (t.agency = :agency AND t.role = ANY (CAST(:roles AS text[]))))")
    parameters |= {"branch": actor.branch, "agency": actor.agency, "roles": sorted(authority.roles_done_by(actor)), "instead": instead}
    if case_id:
        where.append("t.root_id = :case")
        parameters["case"] = case_id
    if agency:
        where.append("t.agency = :of_agency")
        parameters["of_agency"] = agency
    if process:
        where.append("t.process = :process")
        parameters["process"] = process
    if late:
        where.append("t.sort_due < masar_now()")
    if search.strip():
        where.append("(t.case_number ^@ :number OR t.root_id IN (SELECT i.instance_id FROM person_token k JOIN instance i USING (person_id) "
                     "WHERE k.token ^@ ANY (CAST(:words AS text[])) GROUP BY 1 HAVING count(DISTINCT k.token) >= :hits))")  # fmt: skip
        found = beneficiaries.fold(search).split()
        parameters |= {"number": search.strip().upper(), "words": [*found, search.strip().upper()], "hits": len(found) or 1}
    rows = session.execute(text(_PAGE.format(where=" AND ".join(where))), parameters).all()
    items = tuple(_row(row, actor) for row in rows[:limit])
    return Desk(items, _write(rows[limit - 1]) if len(rows) > limit else "")


def _row(row: Any, actor: Any) -> DeskRow:
    language = actor.language
    about = {"agency": row.agency, "role": row.role, "branch": row.branch, "holder_id": row.holder_id, "case": row if row.case_id else None}
    did = row.did_before if authority.may(actor, "task.complete", **about) else None  # said of what would be hers
    return DeskRow(
        row.task_id, row.root_id, row.case_number, beneficiaries.full_name(row.person or {}, language), pick(row.names, language), row.node, row.process, row.agency,
        row.branch, row.role, row.holder_id, row.holder or "", row.opened_at, row.due_at, bool(row.due_at and row.due_at < row.now), row.stage, row.priority,
        may_claim=row.holder_id != actor.user_id and authority.may(actor, "task.claim", **about, did_before=did),
        kept_apart=pick(row.apart[did], language) if did else "", stands_in=stands_in(about) if row.case_id else "",
    )  # fmt: skip


def _write(row: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps([row.due_at.isoformat() if row.due_at else "infinity", str(row.task_id)]).encode()).decode()


def _read(cursor: str) -> tuple[str, str]:
    if not cursor:
        return "-infinity", "00000000-0000-0000-0000-000000000000"
    try:
        due, task_id = json.loads(base64.urlsafe_b64decode(cursor.encode()))
        return due if due == "infinity" else dt.datetime.fromisoformat(due).isoformat(), str(UUID(task_id))
    except (ValueError, TypeError, AttributeError) as trouble:
        raise errors.Invalid("worklist.cursor") from trouble
