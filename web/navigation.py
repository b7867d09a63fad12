"""Which parts of Masar the bar offers to whom. What one may do there is decided by `engine.actors.authority`, not here."""

from dataclasses import dataclass
from typing import Any

from engine.actors import authority


@dataclass(frozen=True)
class Link:
    """One entry of the bar: its name in the texts (`web.nav.<name>`), where it leads, its icon."""

    name: str
    address: str
    icon: str


_LINKS = (
    (Link("desk", "/desk", "list-check"), "worklist.read"),
    (Link("cases", "/cases", "folder2-open"), "case.search"),
    (Link("intake", "/intake", "person-plus"), "case.open"),
    (Link("appointments", "/appointments", "calendar-event"), "appointment.read"),
    (Link("sittings", "/sittings", "people"), "sitting.read"),
    (Link("audit", "/audit", "search"), "audit.search"),
    (Link("steering", "/steering", "clock-history"), "steering.read"),
    (Link("incidents", "/incidents", "exclamation-triangle"), "incident.read"),
    (Link("repairs", "/repairs", "arrow-left-right"), "repair.list"),
    (Link("editions", "/editions", "diagram-3"), "edition.read"),
    (Link("inferred", "/inferred", "question-circle"), "edition.read"),
    (Link("administration", "/admin", "gear"), "admin.read"),
    (Link("exports", "/exports", "download"), "worklist.export"),
    (Link("findings", "/findings", "pencil"), "finding.read"),
    (Link("charter", "/charter", "people"), "charter.enter"),
    (Link("funds", "/funds", "cash-coin"), "fund.read"),
    (Link("erasures", "/erasures", "trash"), "erasure.read"),
    (Link("caseloads", "/caseloads", "folder2-open"), "caseload.list"),
    (Link("leaves", "/leaves", "house-door"), "leave.say"),
)


def links_for(actor: Any) -> list[Link]:
    """The entries that the actor's roles open; none for a visitor. Repairs stand beside the incidents, on their page, what is to be
    confirmed beside the editions, findings, exports and erasures beside the audit; in the bar for whoever has none of those."""
    if actor is None:
        return []
    opened = [link for link, act in _LINKS if authority.may(actor, act, branch=actor.branch, user_id=actor.user_id if act == "leave.say" else None)]
    beside = {"repairs": "incidents", "inferred": "editions", "findings": "audit", "exports": "audit", "erasures": "audit"}
    return [link for link in opened if not any(other.name == beside.get(link.name) for other in opened)]
