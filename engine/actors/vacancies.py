"""Vacancies: roles that nobody holds any more in an agency and branch once somebody no longer does; what would wait there, and who might be named.

Numbers and names of tasks alone: an administrator sees no case.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlmodel import Session

from engine import errors, i18n
from engine.actors import authority, roles, users

_ALONE = text("SELECT role, agency, branch, tasks, cases FROM masar_left_alone(:id)")
_BESIDE = text("""SELECT user_id, name, name_ar, roles FROM user_account WHERE is_active AND agency = :agency AND branch = :branch AND user_id <> :id ORDER BY name""")


@dataclass(frozen=True)
class Vacancy:
    """One role that is hers alone. `tasks`: the open ones it has there, by name, and how many of each; `open`: of all of them; `cases`: open ones entrusted to her by
    name; `could`: colleagues there who may be given it."""

    role: str
    agency: str
    branch: str
    tasks: tuple[tuple[str, int], ...]
    open: int
    cases: int
    could: tuple[tuple[UUID, str], ...]


def of(session: Session, actor: Any, user_id: UUID, lost: Collection[str] | None = None) -> tuple[Vacancy, ...]:
    """The roles (of those that would be `lost`) that somebody alone holds where she is, the one with most waiting first. Refuses: Forbidden."""
    authority.require(actor, "account.write")
    rows = [row for row in session.execute(_ALONE, {"id": user_id}) if lost is None or row.role in lost]
    beside = session.execute(_BESIDE, {"id": user_id, "agency": rows[0].agency, "branch": rows[0].branch}).all() if rows else []
    return tuple(_vacancy(row, beside, actor.language) for row in sorted(rows, key=lambda row: -sum(one["number"] for one in row.tasks)))


def require_known(session: Session, user_id: UUID, lost: Collection[str], is_known: bool) -> list[str]:
    """The roles among those she loses that nobody else holds. Refuses: `account.last_holder` (Conflict) unless whoever takes them away has read what would wait."""
    rows = [row for row in session.execute(_ALONE, {"id": user_id}) if row.role in lost]
    if rows and not is_known:
        told = {row.role: sum(one["number"] for one in row.tasks) for row in rows}
        raise errors.Conflict("account.last_holder", roles=", ".join(sorted(told)), branch=rows[0].branch, tasks=sum(told.values()), cases=sum(row.cases for row in rows))
    return sorted(row.role for row in rows)


def _vacancy(row: Any, beside: Collection[Any], language: str) -> Vacancy:
    tasks: dict[str, int] = {}
    for one in row.tasks:
        name = i18n.pick(one["names"], language)
        tasks[name] = tasks.get(name, 0) + one["number"]
    could = tuple((one.user_id, users.in_script(one, language)) for one in beside if not roles.clash(frozenset(one.roles) | {row.role}))
    return Vacancy(row.role, row.agency, row.branch, tuple(sorted(tasks.items(), key=lambda one: -one[1])), sum(tasks.values()), row.cases, could)
