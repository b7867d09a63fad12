"""Views of the desk kept under a name: filters of its list, one's own or shared with one's branch. Never the words one looked for, which name somebody."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlmodel import Session

from engine import clock, errors, identity
from engine.actors import authority
from engine.casework import staff

FILTERS = ("view", "agency", "stage")
MOST, LONGEST = 30, 60
_SEEN = text(f"""SELECT v.view_id, v.name, v.filters, v.is_shared, v.owner_id, {staff.called("u")} AS owner FROM desk_view v LEFT JOIN user_account u ON u.user_id = v.owner_id
                  ORDER BY (v.owner_id = :me) DESC, v.name, v.view_id LIMIT 100""")
_COUNT = text("SELECT count(*) FROM desk_view WHERE owner_id = :me AND name <> :name")
_KEEP = text("""INSERT INTO desk_view (view_id, owner_id, branch, name, filters, is_shared, kept_at) VALUES (:id, :me, :branch, :name, CAST(:filters AS jsonb), :shared, :at)
                ON CONFLICT (owner_id, name) DO UPDATE SET filters = excluded.filters, is_shared = excluded.is_shared, kept_at = excluded.kept_at
                RETURNING view_id""")
_DROP = text("DELETE FROM desk_view WHERE view_id = :id AND owner_id = :me RETURNING 1")


@dataclass(frozen=True)
class DeskView:
    """A kept view. `owner`: whose it is, where it is a colleague's."""

    view_id: UUID
    name: str
    filters: Mapping[str, str]
    is_shared: bool
    is_mine: bool
    owner: str


def seen(session: Session, actor: Any) -> tuple[DeskView, ...]:
    """One's own, then those that colleagues of the branch share."""
    rows = session.execute(_SEEN, {"me": actor.user_id, "language": actor.language})
    return tuple(DeskView(row.view_id, row.name, row.filters, row.is_shared, row.owner_id == actor.user_id, "" if row.owner_id == actor.user_id else row.owner or "") for row in rows)


def keep(session: Session, actor: Any, name: str, filters: Mapping[str, str], is_shared: bool) -> UUID:
    """Keeps filters under a name and returns the view's id; the same name again takes the place of what it named. Refuses: Forbidden; `view.name`, `view.too_many` (Invalid)."""
    authority.require(actor, "view.keep")
    name = " ".join(name.split())
    if not name or len(name) > LONGEST or not name.isprintable():
        raise errors.Invalid("view.name", longest=LONGEST)
    if session.execute(_COUNT, {"me": actor.user_id, "name": name}).scalar_one() >= MOST:
        raise errors.Invalid("view.too_many", most=MOST)
    kept = {one: filters[one][:20] for one in FILTERS if filters.get(one)}
    return session.execute(_KEEP, {"id": identity.new_id(), "me": actor.user_id, "branch": actor.branch, "name": name, "filters": json.dumps(kept), "shared": is_shared, "at": clock.now(session)}).scalar_one()


def drop(session: Session, actor: Any, view_id: UUID) -> None:
    """Forgets one of one's own. Refuses: `view.not_found`."""
    if session.execute(_DROP, {"id": view_id, "me": actor.user_id}).scalar() is None:
        raise errors.NotFound("view.not_found")
