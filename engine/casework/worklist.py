"""The desk: open tasks, mine and my branch's, the latest first; and what waits for the person herself. One query however many cases there are.

Keyset paging over a table of open tasks alone; a count stops at `COUNTED`, so that no query grows with the list. Names are joined for the
page's rows only. A scope is one or several groups of tasks that have none in common: the first rows of each are read in the order of an index,
then put together; the counts and the news ask for the same groups.
"""

import base64
import datetime as dt
import json
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlmodel import Session

from engine import errors
from engine.actors import authority
from engine.actors.agencies import AGENCIES
from engine.casework import cases, editions, staff
from engine.casework.tasks import stands_in
from engine.casework.views import Awaited, AwaitedRow, Desk, DeskRow
from engine.dossier import beneficiaries
from engine.i18n import pick

SCOPES = ("mine", "queue", "instead", "all", "others")
COUNTED = 100
_NOBODY = "00000000-0000-0000-0000-000000000000"
_NAMES = """LEFT JOIN LATERAL (SELECT jsonb_object_agg(f.field, f.value) AS names FROM instance i JOIN fact f ON f.person_id = i.person_id AND f.is_current
                      WHERE i.instance_id = p.root_id AND f.field = ANY (:name_fields)) n ON true"""
# A partner's task of a case that no partner has: it waits for the case owner.
_TO_TAKE_INSTEAD = """t.branch = :branch AND t.case_branch = :branch AND t.agency = 'PART' AND t.role = :each AND EXISTS (
    SELECT FROM instance r WHERE r.instance_id = t.root_id AND (CASE WHEN r.is_shared_operator THEN t.holder_id IS NULL AND r.assigned = '{}'
                                                                     ELSE t.holder_id IS NULL OR t.holder_id = ANY (r.assigned) END))"""
# Another agency's task of a case that is kept to OTE: it waits for the case owner.
_KEPT = """t.branch = :branch AND t.case_branch = :branch AND t.agency = :each AND t.holder_id IS NULL
    AND t.root_id IN (SELECT k.instance_id FROM instance k WHERE k.is_kept AND k.branch = :branch) AND masar_is_kept(t.instance_id)"""
# What those have in hand who are away today and whom one stands in for; of it, what is of one's own roles.
_INSTEAD = """t.holder_id = ANY (ARRAY(SELECT masar_stood_in_for())) AND t.branch = :branch AND t.agency = :agency AND t.role = ANY (CAST(:roles AS text[]))"""
_OWN_LANE = "t.branch = :branch AND (t.holder_id = :me OR (t.agency = :agency AND t.role = ANY (CAST(:roles AS text[]))))"
_COLUMNS = """t.task_id, t.instance_id, t.root_id, t.case_number, t.names, t.node, t.process, t.agency, t.branch, t.role, t.holder_id, t.opened_at, t.due_at, t.sort_due,
              t.stage, t.priority, t.apart"""
_AFTER = "(t.sort_due, t.task_id) > (CAST(:after_due AS timestamptz), CAST(:after_id AS uuid))"
_PAGE = f"""
SELECT p.task_id, p.root_id, p.case_number, p.names, p.node, p.process, p.agency, p.branch, p.role, p.holder_id, p.opened_at, p.due_at, p.stage,
       p.priority, p.apart, masar_now() AS now, {staff.called("u")} AS holder, n.names AS person, r.instance_id AS case_id, r.is_shared_operator, r.assigned,
       CASE WHEN p.apart <> '{{}}' THEN masar_did_before(p.task_id, :me) END AS did_before, r.is_kept AND masar_is_kept(p.instance_id) AS is_kept,
       p.holder_id = ANY (ARRAY(SELECT masar_stood_in_for())) AS stood_in
  FROM page p LEFT JOIN user_account u ON u.user_id = p.holder_id LEFT JOIN instance r ON r.instance_id = p.root_id {_NAMES}
 ORDER BY p.sort_due, p.task_id"""
# What runs out and is awaited anew of the person, in the columns of a wait; its paper stands where a wait has its place.
_LAPSES = f"""SELECT i.instance_id, l.piece, CASE l.piece WHEN '' THEN '{cases.OF_AGE}' ELSE '{cases.RENEWED}' END, CAST('{{{{}}}}' AS jsonb), l.told_at AS opened_at, i.branch FROM lapse l JOIN instance i ON i.instance_id = l.root_id
     WHERE l.awaits = 'person' AND l.told_at IS NOT NULL AND l.closed_at IS NULL AND ({{}}) AND masar_still_lapses(l.fact_id)"""
_AWAITED = text(f"""
WITH page AS MATERIALIZED (
    SELECT f.* FROM branch b CROSS JOIN LATERAL (
        SELECT w.instance_id, w.position, w.name, w.labels, w.opened_at, w.branch FROM wait w WHERE w.branch = b.code AND w.awaits = 'person'
           AND (w.opened_at, w.instance_id) > (CAST(:after_due AS timestamptz), CAST(:after_id AS uuid)) ORDER BY w.opened_at, w.instance_id LIMIT :limit) f
     WHERE CAST(:branch AS text) = '' OR b.code = :branch
    UNION ALL SELECT * FROM ({_LAPSES.format("CAST(:branch AS text) = '' OR i.branch = :branch")}) l WHERE (l.opened_at, l.instance_id) > (CAST(:after_due AS timestamptz), CAST(:after_id AS uuid))
     ORDER BY opened_at, instance_id LIMIT :limit),
first AS MATERIALIZED (SELECT f.*, i.root_id FROM page f JOIN instance i USING (instance_id))
SELECT p.*, r.number, n.names AS person FROM first p JOIN instance r ON r.instance_id = p.root_id {_NAMES}
 ORDER BY p.opened_at, p.instance_id""")


def desk(session: Session, actor: Any, scope: str = "mine", *, search: str = "", case_id: UUID | None = None, agency: str = "", process: str = "", stage: str = "", late: bool = False,
         limit: int = 50, cursor: str = "") -> Desk:  # fmt: skip
    """The tasks of a scope: `mine` (in my hands), `queue` (free, and mine to do, for want of the partner too), `instead` (in the hands of those who are away and whom I stand in for), `others` (of my
    branch's cases, in another agency's hands), `all` (every open task I reach).

    `search`: beginning of a case number, or of a name, CIN or phone. Refuses: `worklist.scope`, `worklist.cursor` (Invalid).
    """
    if scope not in SCOPES:
        raise errors.Invalid("worklist.scope", scope=scope)
    limit = max(1, min(limit, 200))
    after_due, after_id = _read(cursor)
    groups, parameters = _of_scope(actor, scope)
    where = [_AFTER]
    parameters |= {"limit": limit + 1, "after_due": after_due, "after_id": after_id, "name_fields": list(beneficiaries.NAME_FIELDS),
                   "language": actor.language}  # fmt: skip
    if case_id:
        where.append("t.root_id = :case")
        parameters["case"] = case_id
    if agency:
        where.append("t.agency = :of_agency")
        parameters["of_agency"] = agency
    if process:
        where.append("t.process = :process")
        parameters["process"] = process
    if stage:
        where.append("t.stage = :stage")
        parameters["stage"] = stage
    if late:
        where.append("t.sort_due < masar_now()")
    if search.strip():
        where.append("(t.case_number ^@ :number OR t.root_id IN (SELECT i.instance_id FROM person_token k JOIN instance i USING (person_id) "
                     "WHERE k.token ^@ ANY (CAST(:words AS text[])) GROUP BY 1 HAVING count(DISTINCT k.token) >= :hits))")  # fmt: skip
        found = beneficiaries.fold(search).split()
        parameters |= {"number": search.strip().upper(), "words": [*found, search.strip().upper()], "hits": len(found) or 1}
    first = _together([" AND ".join([group, *where]) for group in groups], _COLUMNS, "ORDER BY t.sort_due, t.task_id LIMIT :limit")
    page = f"SELECT * FROM ({first}) f ORDER BY f.sort_due, f.task_id LIMIT :limit"
    rows = session.execute(text(f"WITH page AS MATERIALIZED ({page}){_PAGE}"), parameters).all()
    return Desk(tuple(_row(row, actor) for row in rows[:limit]), _mark(rows[limit - 1].due_at, rows[limit - 1].task_id) if len(rows) > limit else "")


def awaited(session: Session, actor: Any, *, limit: int = 50, cursor: str = "") -> Awaited:
    """The cases that wait for their person to do something, the longest wait first; none for whoever reads no branch's cases.

    Refuses: `worklist.cursor` (Invalid).
    """
    since, after_id = _read(cursor)
    if not reads_cases(actor):
        return Awaited((), "")
    limit = max(1, min(limit, 200))
    rows = session.execute(_AWAITED, {"branch": _branch(actor), "after_due": since, "after_id": after_id, "limit": limit + 1,
                                      "name_fields": list(beneficiaries.NAME_FIELDS)}).all()  # fmt: skip
    papers = editions.current(session).dictionary.pieces if any(row.name == cases.RENEWED for row in rows) else {}
    items = tuple(
        AwaitedRow(row.root_id, row.number or "", beneficiaries.full_name(row.person or {}, actor.language), row.branch, row.name, pick(papers[row.position]["label"] if row.name == cases.RENEWED else row.labels, actor.language),
                   row.opened_at)
        for row in rows[:limit]
    )  # fmt: skip
    return Awaited(items, _mark(rows[limit - 1].opened_at, rows[limit - 1].instance_id) if len(rows) > limit else "")


def counts(session: Session, actor: Any) -> Mapping[str, int]:
    """How many there are in each view of the desk, up to `COUNTED`: by scope, and `late` and `person`."""
    asked = {scope: _of_scope(actor, scope) for scope in SCOPES}
    asked["late"] = ([f"{group} AND t.sort_due < masar_now()" for group in asked["all"][0]], asked["all"][1])
    awaited = "(CAST(:reached AS text) = '' OR w.branch = :reached)" if reads_cases(actor) else "false"
    return _counted(session, asked, {"reached": _branch(actor)}, person=f"SELECT 1 FROM wait w WHERE w.awaits = 'person' AND {awaited} UNION ALL SELECT 1 FROM ({_LAPSES.format('true')}) w WHERE {awaited}")


def arrived(session: Session, actor: Any, since: dt.datetime) -> Mapping[str, int]:
    """How many tasks came since an instant, `mine` and `queue`; up to `COUNTED` each."""
    asked = {scope: _of_scope(actor, scope) for scope in ("mine", "queue")}
    came = {scope: ([f"{group} AND t.opened_at > :since" for group in groups], named) for scope, (groups, named) in asked.items()}
    return _counted(session, came, {"since": since})


def late_and_free(session: Session, actor: Any) -> int:
    """How many late tasks of the actor's post are in nobody's hands."""
    return _all_of(session, actor, "queue", " AND t.sort_due < masar_now()")


def of_the_absent(session: Session, actor: Any) -> int:
    """How many tasks are in the hands of those who are away and whom the actor stands in for."""
    return _all_of(session, actor, "instead")


def _all_of(session: Session, actor: Any, scope: str, which: str = "") -> int:
    groups, named = _of_scope(actor, scope)
    rows = _together([f"{group}{which}" for group in groups], "1", "")
    return session.execute(text(f"SELECT count(*) FROM ({rows}) g"), named).scalar_one()


def reads_cases(actor: Any) -> bool:
    """Whether the actor reads the cases of a branch, or of all; a partner and whoever only signals have their own lane alone."""
    return authority.may(actor, "case.read", branch=actor.branch)


def _of_scope(actor: Any, scope: str) -> tuple[list[str], dict[str, Any]]:
    """The groups of tasks that make a scope, as conditions, and what they name.

    The wall refuses what is out of reach; the conditions say the same again where an index can then be used.
    """
    named: dict[str, Any] = {"me": actor.user_id, "branch": actor.branch, "agency": actor.agency, "roles": sorted(actor.roles)}
    if scope == "mine":
        return ["t.holder_id = :me"], named
    if scope == "queue":
        own = _each(named, "role", named["roles"], "t.branch = :branch AND t.agency = :agency AND t.role = :each AND t.holder_id IS NULL")
        own += _each(named, "partner", sorted(authority.roles_stood_in_for(actor)), _TO_TAKE_INSTEAD)
        return own + _each(named, "kept", sorted(authority.agencies_stood_in_for(actor)), _KEPT), named
    if scope == "instead":
        return [_INSTEAD], named
    if not reads_cases(actor):  # her own, not her office's
        return [_OWN_LANE] if scope == "all" else [], named
    if not _branch(actor):
        return ["true" if scope == "all" else "t.agency <> :agency"], named
    return _each(named, scope, [code for code in AGENCIES if scope == "all" or code != actor.agency], "t.case_branch = :branch AND t.agency = :each"), named


def _each(named: dict[str, Any], name: str, values: Sequence[str], where: str) -> list[str]:
    """One group for each of the values, which `where` calls `:each`; `name` is theirs alone: groups of several scopes are asked for together."""
    named |= {f"{name}_{number}": value for number, value in enumerate(values)}
    return [where.replace(":each", f":{name}_{number}") for number in range(len(values))]


def _together(groups: Sequence[str], columns: str, end: str) -> str:
    """SQL: what each group gives, one after the other."""
    return " UNION ALL ".join(f"(SELECT {columns} FROM open_task t WHERE {group} {end})" for group in groups or ["false"])


def _counted(session: Session, asked: Mapping[str, tuple[list[str], dict[str, Any]]], parameters: Mapping[str, Any], **besides: str) -> Mapping[str, int]:
    """How many tasks the groups of each name have, up to `COUNTED`, in one query; `besides`: other rows to count."""
    rows = {name: _together(groups, "1", "LIMIT :most") for name, (groups, _) in asked.items()} | besides
    columns = ", ".join(f'(SELECT count(*) FROM (SELECT 1 FROM ({found}) g LIMIT :most) x) AS "{name}"' for name, found in rows.items())
    named = {key: value for _, needed in asked.values() for key, value in needed.items()}
    return dict(session.execute(text(f"SELECT {columns}"), {**named, **parameters, "most": COUNTED}).mappings().one())


def _branch(actor: Any) -> str:
    """The one branch that the actor reaches; "" where the wall says what she reaches."""
    return actor.branch if actor.reach == "branch" else ""


def _row(row: Any, actor: Any) -> DeskRow:
    language = actor.language
    about = {"agency": row.agency, "role": row.role, "branch": row.branch, "holder_id": row.holder_id, "case": row if row.case_id else None}
    did = row.did_before if authority.may(actor, "task.complete", **about, stood_in=row.stood_in) else None  # said of what would be hers
    return DeskRow(
        row.task_id, row.root_id, row.case_number, beneficiaries.full_name(row.person or {}, language), pick(row.names, language), row.node, row.process, row.agency,
        row.branch, row.role, row.holder_id, row.holder or "", row.opened_at, row.due_at, bool(row.due_at and row.due_at < row.now), row.stage, row.priority,
        may_claim=row.holder_id != actor.user_id and authority.may(actor, "task.claim", **about, did_before=did, stood_in=row.stood_in),
        kept_apart=pick(row.apart[did], language) if did else "", stands_in=stands_in(about) if row.case_id else "",
    )  # fmt: skip


def _mark(at: dt.datetime | None, last: UUID) -> str:
    return base64.urlsafe_b64encode(json.dumps([at.isoformat() if at else "infinity", str(last)]).encode()).decode()


def _read(cursor: str) -> tuple[str, str]:
    if not cursor:
        return "-infinity", _NOBODY
    try:
        due, task_id = json.loads(base64.urlsafe_b64decode(cursor.encode()))
        return due if due == "infinity" else dt.datetime.fromisoformat(due).isoformat(), str(UUID(task_id))
    except (ValueError, TypeError, AttributeError) as trouble:
        raise errors.Invalid("worklist.cursor") from trouble
