"""Authority: the one policy. May this actor do this, here; may she read, may she write a fact of this class.

Everything is refused that no line below allows; an act nobody wrote down is refused to all. The database's own policies
(row-level security, told of the actor by `users.Actor.wall`) hold the same lines a second time.
"""

from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

from engine import errors
from engine.actors.agencies import ANETI, CPS, HEADQUARTERS, OTE, PARTNERS
from engine.actors.roles import ROLES
from engine.actors.users import Actor

__all__ = ["HEADQUARTERS", "branch_of_task", "classes_of", "head_of", "may", "opens", "readable", "require", "roles_done_by", "writable"]

_HEADS = {OTE: "chef_antenne", CPS: "chef_cps", ANETI: "chef_aneti", PARTNERS: "chef_antenne"}  # a partner answers to the branch
_HELPING = frozenset(
    {"agent_accueil", "referent", "chef_antenne", "travailleur_social", "chef_cps", "conseiller_emploi", "conseiller_entreprendre", "chef_aneti"}
)
_AIDING = frozenset({"gestionnaire_aides", "ordonnateur", "secretaire_commission", "president_commission"})
_WORKING = _HELPING | _AIDING | {"coordinateur", "operateur", "membre_commission"}
_ALL = frozenset(ROLES)

# Messages that only diagrams exchange: sent by hand they would make a decision nobody took.
_INTERNAL = frozenset({"aide.demandee", "aide.terminee", "dossier.inscrit", "dossier.decide"})
_SENDERS = {
    "signalement.recu": frozenset({"agent_accueil", "attache_social", "chef_antenne"}),
    "piece.recue": _HELPING | {"gestionnaire_aides", "secretaire_commission"},
    "visite.realisee": _HELPING | {"operateur"},
    "paiement.confirme": frozenset({"gestionnaire_aides", "ordonnateur"}),
    "urgence": _HELPING,
    "desistement": _HELPING,
}

About = Mapping[str, Any]
Test = Callable[[Actor, About], bool]


def _anywhere(_actor: Actor, _about: About) -> bool:
    return True


def _in_reach(actor: Actor, about: About) -> bool:
    """The case is in a branch one reaches. One's own cases (an operator's) are the database's to tell apart: it knows who is assigned.
    A partner's member of a sitting reads what the sitting shows, not the branch's cases."""
    if actor.agency == PARTNERS and actor.reach != "own":
        return False
    return actor.reach in ("all", "own") or (actor.reach == "branch" and about.get("branch", actor.branch) == actor.branch)


def _opens(actor: Actor, about: About) -> bool:
    if actor.roles & {"coordinateur"}:
        return True
    if "attache_social" in actor.roles:
        return about.get("process", "signalement") == "signalement"
    return about.get("branch") == actor.branch


def _does(actor: Actor, about: About) -> bool:
    """The task is of a role one holds, in one's own agency and branch."""
    return about.get("role") in actor.roles and about.get("agency") == actor.agency and about.get("branch") == actor.branch


def _holder(about: About) -> UUID | None:
    return about.get("holder_id")


def _free_or_mine(actor: Actor, about: About) -> bool:
    return _does(actor, about) and _holder(about) in (None, actor.user_id)


def _mine_or_led(actor: Actor, about: About) -> bool:
    """In one's own hands, or in those of somebody one answers for: the head of the agency in the branch, the coordinator everywhere."""
    if _holder(about) is not None and _holder(about) == actor.user_id:
        return True
    if "coordinateur" in actor.roles:
        return True
    return _HEADS.get(about.get("agency", "")) in actor.roles and about.get("branch") == actor.branch


def _sends(actor: Actor, about: About) -> bool:
    name = about.get("name", "")
    return name not in _INTERNAL and ("coordinateur" in actor.roles or bool(_SENDERS.get(name, frozenset()) & actor.roles))


# act → (roles, and what must hold besides)
_POLICY: dict[str, tuple[frozenset[str], Test]] = {
    "worklist.read": (_WORKING | {"auditeur", "attache_social"}, _anywhere),
    "case.open": (frozenset({"agent_accueil", "referent", "chef_antenne", "coordinateur", "attache_social"}), _opens),
    "case.read": (_WORKING | {"auditeur"}, _in_reach),
    "history.read": (_WORKING - {"operateur"} | {"auditeur"}, _in_reach),
    "task.claim": (_WORKING | {"attache_social"}, _free_or_mine),
    "task.complete": (_WORKING | {"attache_social"}, _free_or_mine),
    "task.release": (_WORKING | {"attache_social"}, _mine_or_led),
    "task.pass": (_WORKING | {"attache_social"}, _mine_or_led),
    "incident.read": (frozenset({"coordinateur", "chef_antenne", "auditeur"}), _in_reach),
    "incident.retry": (frozenset({"coordinateur"}), _anywhere),
    "edition.read": (frozenset({"coordinateur", "auditeur", "administrateur"}), _anywhere),
    "edition.publish": (frozenset({"coordinateur"}), _anywhere),
    "message.send": (_WORKING | {"attache_social"}, _sends),
    "document.upload": (_WORKING | {"attache_social"}, _anywhere),
    "document.read": (_ALL - {"administrateur"}, _anywhere),
    "clock.advance": (_ALL, _anywhere),  # the database lets it move in a demo only
}
# What an installation does by itself; its jobs carry cases on without asking, as the diagrams say.
_SYSTEM = frozenset({"edition.read", "edition.publish", "message.send", "clock.advance"})
# Refused as though there were nothing there.
_ABSENT = {"case.read": "case.not_found", "history.read": "case.not_found", "document.read": "document.not_found"}


def may(actor: Actor, act: str, **about: Any) -> bool:
    """Whether the act is the actor's to do.

    `about`: `agency`, `role`, `branch`, `holder_id` of a task; `branch` (and `process`) of a case; `name` of a message.
    """
    if actor.kind == "system":
        return act in _SYSTEM
    allowed, test = _POLICY.get(act, (frozenset(), _anywhere))
    return actor.kind == "person" and bool(actor.roles & allowed) and test(actor, about)


def require(actor: Actor, act: str, **about: Any) -> None:
    """Refuses: `signin.needed` (Unauthenticated) to a visitor; NotFound where even the existence is not hers to know; else `act.forbidden`."""
    if may(actor, act, **about):
        return
    if actor.kind == "visitor":
        raise errors.Unauthenticated("signin.needed")
    if act in _ABSENT:
        raise errors.NotFound(_ABSENT[act])
    raise errors.Forbidden("act.forbidden", act=act)


def readable(actor: Actor, field_class: str, author_agency: str = "", case: Any = None) -> bool:
    """Whether the actor may read a fact of this class. `field_class`: one class, or several joined by commas (`F,O`: any of them opens it; see `classes_of`).

    Without consent C1 (`case.is_shared`) a fact stays with OTE and the agency that wrote it; health (H) opens to the case's named
    social worker alone. The policy on the table `fact` says the same.
    """
    if actor.kind == "system":
        return True
    held = actor.reads & set(field_class.split(","))
    if field_class == "H" and (case is None or actor.user_id is None or case.social_worker_id != actor.user_id):
        return False
    if not held:
        return False
    return case is None or case.is_shared or actor.agency == OTE or (author_agency != "" and author_agency == actor.agency)


def writable(actor: Actor, field_class: str) -> bool:
    """Whether the actor may write facts of this class: the first one, when several are joined."""
    return field_class.partition(",")[0] in actor.writes


def opens(letter_class: str, fact_class: str) -> bool:
    """Whether everybody who reads papers of a class may read a fact of these classes too. Health stays off paper that others may open."""
    classes = set(fact_class.split(","))
    return "H" not in classes and all(classes & set(role.reads) for role in ROLES.values() if letter_class in role.reads)


def classes_of(field: Any) -> str:
    """The classes of a field of the dictionary as facts carry them: its own, then those whose readers see it too (`also`)."""
    return ",".join((field.class_, *field.also))


def roles_done_by(actor: Actor) -> frozenset[str]:
    """The roles whose tasks the actor does."""
    return actor.roles


def head_of(agency: str) -> str:
    """The role that answers for an agency in a branch."""
    return _HEADS.get(agency, "chef_antenne")


def branch_of_task(role: str, case_branch: str) -> str:
    """Where a task of the role waits: the headquarters for roles held there, else the case's branch."""
    return HEADQUARTERS if role in ROLES and ROLES[role].is_central else case_branch
