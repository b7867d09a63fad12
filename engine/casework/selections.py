"""Selections: one act on several tasks of the desk at once. What would become of each is seen first; then each is a unit of work of its own.

The preview is the act itself, undone: it refuses what the act would refuse. What one task is refused, or breaks on, is its own: the others are done.
"""

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlmodel import Session

from engine import errors
from engine.actors import users
from engine.casework import editions, tasks
from engine.database import Database
from engine.dossier import beneficiaries
from engine.i18n import pick

log = logging.getLogger("masar.selections")

MOST = 200
ACTS = ("claim", "give", "release")
# What was chosen may be over by now: then it is still called what it was.
_TASKS = text("""SELECT t.*, n.names AS person FROM (
                     SELECT task_id, root_id, case_number, names, node, NULL::uuid AS edition_id FROM open_task WHERE task_id = ANY (CAST(:ids AS uuid[]))
                     UNION ALL SELECT d.task_id, d.root_id, coalesce(r.number, ''), NULL, d.node, i.edition_id FROM task_done d JOIN instance i USING (instance_id)
                       JOIN instance r ON r.instance_id = d.root_id WHERE d.task_id = ANY (CAST(:ids AS uuid[]))) t
                 LEFT JOIN LATERAL (SELECT jsonb_object_agg(f.field, f.value) AS names FROM instance i JOIN fact f ON f.person_id = i.person_id AND f.is_current
                                     WHERE i.instance_id = t.root_id AND f.field = ANY (:name_fields)) n ON true""")
_PEOPLE = text("SELECT user_id, name, name_ar FROM user_account WHERE user_id = ANY (CAST(:ids AS uuid[])) ORDER BY name")


@dataclass(frozen=True)
class Picked:
    """What becomes of one task. `code`: "" where it is done (or would be), else why not, with its details; `task`, `person`, `case_number`: "" where they are not hers to see;
    `case_id`: where to look for what follows."""

    task_id: UUID
    task: str
    person: str
    case_number: str
    code: str = ""
    details: Mapping[str, Any] = field(default_factory=dict)
    case_id: UUID | None = None


@dataclass(frozen=True)
class Able:
    """A colleague who may be given `tasks` of those chosen."""

    user_id: UUID
    name: str
    tasks: int


@dataclass(frozen=True)
class Wish:
    """What is to be done. `to`: the colleague, where tasks are given; `reason`: in her own words, asked for where something is taken from somebody."""

    act: str
    to: UUID | None = None
    reason: str = ""


def candidates(session: Session, actor: Any, ids: Sequence[UUID]) -> list[Able]:
    """Colleagues to whom at least one of these tasks may be given. Refuses: `selection.empty`, `selection.too_many` (Invalid)."""
    counted: dict[UUID, int] = {}
    for one in _within(ids):
        for colleague in tasks.colleagues(session, actor, one):
            counted[colleague.user_id] = counted.get(colleague.user_id, 0) + 1
    rows = session.execute(_PEOPLE, {"ids": [str(one) for one in counted]})
    return [Able(row.user_id, users.in_script(row, actor.language), counted[row.user_id]) for row in rows]


def preview(session: Session, actor: Any, wish: Wish, ids: Sequence[UUID]) -> list[Picked]:
    """What would become of each. Writes nothing. Refuses: `selection.empty`, `selection.too_many`, `selection.act`, `selection.reason` (Invalid)."""
    do = _verb(actor, wish)
    lines = []
    for line in _lines(session, actor, _within(ids)):
        with session.begin_nested() as undone:
            lines.append(_tried(line, lambda line=line: do(session, line.task_id)))
            if undone.is_active:
                undone.rollback()
    return lines


def carry_out(database: Database, actor: Any, wish: Wish, ids: Sequence[UUID]) -> list[Picked]:
    """Does it, one unit of work and one ledger line a task, and says what became of each. Refuses: as `preview`. Records: as claiming, passing or releasing does."""
    do, within = _verb(actor, wish), _within(ids)
    with database.reading(actor) as session:
        lines = _lines(session, actor, within)

    def done(line: Picked) -> None:
        with database.unit_of_work(actor) as session:
            do(session, line.task_id)

    return [_tried(line, lambda line=line: done(line)) for line in lines]


def _within(ids: Iterable[UUID]) -> list[UUID]:
    found = list(dict.fromkeys(ids))
    if not found:
        raise errors.Invalid("selection.empty")
    if len(found) > MOST:
        raise errors.Invalid("selection.too_many", most=MOST)
    return found


def _verb(actor: Any, wish: Wish) -> Callable[[Session, UUID], None]:
    if wish.act not in ACTS or (wish.act == "give") != (wish.to is not None):
        raise errors.Invalid("selection.act")
    if wish.act != "claim" and not wish.reason.strip():
        raise errors.Invalid("selection.reason")
    if wish.to is not None:
        to = wish.to
        return lambda session, task_id: tasks.pass_to(session, actor, task_id, to, wish.reason)
    if wish.act == "claim":
        return lambda session, task_id: tasks.claim(session, actor, task_id)
    return lambda session, task_id: tasks.release(session, actor, task_id, wish.reason)


def _lines(session: Session, actor: Any, ids: Sequence[UUID]) -> list[Picked]:
    """The tasks in the order in which they were chosen."""
    rows = {row.task_id: row for row in session.execute(_TASKS, {"ids": [str(one) for one in ids], "name_fields": list(beneficiaries.NAME_FIELDS)})}
    lines = []
    for one in ids:
        if (row := rows.get(one)) is None:
            lines.append(Picked(one, "", "", ""))
            continue
        name = pick(row.names, actor.language) if row.names else editions.load(session, row.edition_id).definitions.label(row.node, actor.language)
        lines.append(Picked(one, name, beneficiaries.full_name(row.person or {}, actor.language), row.case_number, case_id=row.root_id))
    return lines


def _tried(line: Picked, act: Callable[[], None]) -> Picked:
    try:
        act()
    except errors.Refusal as refusal:
        return replace(line, code=refusal.code, details=refusal.details)
    except Exception:
        log.exception("one of a selection broke: %s", line.task_id)
        return replace(line, code="selection.broke")
    return line
