"""What colleagues are called, in the script of the reader's language. Who they are and what they may do is `actors`."""

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlmodel import Session

from engine import i18n, identity

_BESIDE = ("asked_by", "owner", "instead_of", "former")
_NAMES = text("SELECT user_id, name, name_ar FROM user_account WHERE user_id = ANY (CAST(:ids AS uuid[]))")


def called(alias: str) -> str:
    """SQL: the name of the account `alias` in the script of `:language`; NULL where there is no account."""
    return f"coalesce(CASE WHEN CAST(:language AS text) = 'ar' THEN nullif({alias}.name_ar, '') END, {alias}.name)"


def names(session: Session, language: str, ids: Iterable[UUID | str | None]) -> Mapping[str, str]:
    """What these colleagues are called, by id."""
    wanted = sorted({str(one) for one in ids if one})
    if not wanted:
        return {}
    return {str(row.user_id): in_script(row, language) for row in session.execute(_NAMES, {"ids": wanted})}


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


def in_script(row: Any, language: str) -> str:
    """The name of one account's row."""
    return (language == "ar" and row.name_ar) or row.name
