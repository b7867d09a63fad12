"""What colleagues are called, in the script of the reader's language, and who works beside whom. Who they are and what they may do is `actors`."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlmodel import Session

from engine import errors, i18n, identity
from engine.actors import authority, users

_BESIDE = ("asked_by", "owner", "instead_of", "former", "told")
_NAMES = text("SELECT user_id, name, name_ar FROM user_account WHERE user_id = ANY (CAST(:ids AS uuid[]))")
_COLLEAGUE = text("SELECT user_id, name, name_ar, agency, branch, roles, is_active FROM user_account WHERE user_id = :id")
_ALIKE = text("""SELECT user_id, name, name_ar, roles FROM user_account WHERE is_active AND agency = :agency AND branch = :branch AND user_id <> :id
                  AND roles && CAST(:roles AS text[]) ORDER BY name""")


@dataclass(frozen=True)
class Person:
    """A colleague who may be chosen."""

    user_id: UUID
    name: str


def called(alias: str) -> str:
    """SQL: the name of the account `alias` in the script of `:language`; NULL where there is no account."""
    return f"coalesce(CASE WHEN CAST(:language AS text) = 'ar' THEN nullif({alias}.name_ar, '') END, {alias}.name)"


def names(session: Session, language: str, ids: Iterable[UUID | str | None]) -> Mapping[str, str]:
    """What these colleagues are called, by id."""
    wanted = sorted({str(one) for one in ids if one})
    if not wanted:
        return {}
    return {str(row.user_id): users.in_script(row, language) for row in session.execute(_NAMES, {"ids": wanted})}


def of_lines(session: Session, language: str, lines: Iterable[Mapping[str, Any]]) -> Mapping[str, str]:
    """What the colleagues are called, by id, that ledger lines tell of."""
    told = (found for line in lines for found in (line["actor"].get("id"), *(line["body"].get(name) for name in _BESIDE)))
    return names(session, language, (identity.parse(one or "") for one in told))


def with_names(body: Mapping[str, Any], called: Mapping[str, str]) -> dict[str, Any]:
    """What a line says in clear, with the names of the colleagues that it tells of beside whoever acted (`owner` → `owner_name`)."""
    return {**body, **{f"{name}_name": called.get(body[name], "") for name in _BESIDE if name in body}}


def doer(who: Mapping[str, Any], called: Mapping[str, str], language: str, otherwise: str = "") -> str:
    """Whoever acted, as a line tells: a colleague by name, the person herself where she came by her receipt, else `otherwise`."""
    if who.get("kind") == "holder":
        return i18n.translate("web.holder.who", language)
    return called.get(who.get("id", ""), otherwise)


def everybody(session: Session) -> list[UUID]:
    """All colleagues, those too who left: what they did stays."""
    return list(session.execute(text("SELECT user_id FROM user_account")).scalars())


def authors(session: Session, language: str, facts: Iterable[Any]) -> Mapping[str, str]:
    """Who wrote these facts, by id, where the script of the language is another than the one their names were written down in."""
    return names(session, language, (fact.author_id for fact in facts)) if language == "ar" else {}


def colleague(session: Session, actor: Any, user_id: UUID, act: str) -> Any:
    """The account of somebody of whom the actor may do this act. Refuses: `user.not_found` (absent, or nobody she answers for)."""
    row = session.execute(_COLLEAGUE, {"id": user_id}).one_or_none()
    if row is None or not authority.may(actor, act, user_id=user_id, agency=row.agency, branch=row.branch):
        raise errors.NotFound("user.not_found")
    return row


def alike(session: Session, row: Any) -> Sequence[Any]:
    """Who works in the same agency and branch as an account, with a role of hers."""
    return session.execute(_ALIKE, {"id": row.user_id, "agency": row.agency, "branch": row.branch, "roles": list(row.roles)}).all()


def persons(rows: Iterable[Any], language: str) -> tuple[Person, ...]:
    """These accounts, to be chosen from."""
    return tuple(Person(row.user_id, users.in_script(row, language)) for row in rows)
