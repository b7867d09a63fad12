"""Authority: the one policy. May this actor do this, here; may she read, may she write a fact of this class.

Everything is refused that no line below allows; an act nobody wrote down is refused to all. The database's own policies
(row-level security, told of the actor by `users.Actor.wall`) hold the same lines a second time.
"""

from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

from engine import errors
from engine.actors.agencies import ANETI, CPS, HEADQUARTERS, OTE, PARTNERS
from engine.actors.roles import ROLES, classes_of, opens
from engine.actors.users import Actor

__all__ = ["HEADQUARTERS", "agencies_stood_in_for", "branch_of_task", "classes_of", "head_of", "is_entrusted", "is_withheld", "may", "opens", "readable", "require",
           "roles_stood_in_for", "stands_in_for", "writable"]  # fmt: skip

_HEADS = {OTE: "chef_antenne", CPS: "chef_cps", ANETI: "chef_aneti", PARTNERS: "chef_antenne"}  # a partner answers to the branch
# Who does a partner's task of a case that is not hers to know: the person did not agree (C3), or nobody entrusted it to her.
_STANDS_IN = {"operateur": "referent"}
# Without C1 a case is OTE's alone: what these agencies would do of it is the case owner's.
_OTHERS, _OWNER = frozenset({CPS, ANETI}), "referent"
_HELPING = frozenset({"agent_accueil", "referent", "chef_antenne", "travailleur_social", "chef_cps", "conseiller_emploi", "conseiller_entreprendre", "chef_aneti"})
_AIDING = frozenset({"gestionnaire_aides", "ordonnateur", "secretaire_commission", "president_commission"})
_WORKING = _HELPING | _AIDING | {"coordinateur", "operateur", "membre_commission"}
_REGISTERING = frozenset({"agent_accueil", "referent", "chef_antenne", "coordinateur"})
_ALL = frozenset(ROLES)
# Whom an auditor's finding may ask: who answers for an agency in a branch, for money, for the pathway.
_ANSWERING = frozenset({"chef_antenne", "chef_cps", "chef_aneti", "gestionnaire_aides", "ordonnateur", "coordinateur"})

# Messages that only diagrams exchange: sent by hand they would make a decision nobody took.
_INTERNAL = frozenset({"aide.accordee", "aide.demandee", "aide.terminee", "dossier.inscrit", "dossier.decide", "dossier.ecarte", "signalement.en_ligne", "signalement.transmis",
                       "suivi.ouvrir", "dossier.rouvert", "retour.nouveau", "consentement.retire", "orientation.reorientee", "tache.orpheline"})
_BY_FORM = "imprevu."  # what is begun from the page of a case, with its form
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


def is_entrusted(case: Any) -> bool:
    """Whether an operator has the case: somebody entrusted it to one, and the person agreed that the operator be told (C3)."""
    return case is not None and case.is_shared_operator and bool(case.assigned)


def _has(actor: Actor, case: Any) -> bool:
    """Whether this operator has the case."""
    return actor.reach == "own" and is_entrusted(case) and actor.user_id in case.assigned


def _is_kept(agency: str | None, about: About) -> bool:
    """Whether the case is kept from an agency: the person refused C1, or withdrew it. A row that does not say is an error, never a case open to all."""
    case = about.get("case")
    return agency in _OTHERS and case is not None and case.is_kept


def is_withheld(about: About) -> bool:
    """Whether a task is of an agency that the case is kept from."""
    return _is_kept(about.get("agency"), about)


def _in_reach(actor: Actor, about: About) -> bool:
    """The case is in a branch one reaches, and not kept to OTE. A partner reaches what was entrusted to her: a member of a sitting reads what the sitting shows,
    not the cases."""
    if _is_kept(actor.agency, about):
        return False
    if actor.agency == PARTNERS:
        return _has(actor, about.get("case"))
    return actor.reach == "all" or (actor.reach == "branch" and about.get("branch", actor.branch) == actor.branch)


def _reads(actor: Actor, about: About) -> bool:
    """A case in reach, or one that is offered to one's branch or came from it a short while ago (`case.also_read_by`; the database says until when), or a task of which was lent
    to one's agency there (`case.lent_to`)."""
    case = about.get("case")
    if _is_kept(actor.agency, about):
        return False
    is_offered = actor.agency != PARTNERS and actor.reach == "branch" and getattr(case, "also_read_by", "") == actor.branch
    return is_offered or getattr(case, "lent_to", "") == f"{actor.branch} {actor.agency}" or _in_reach(actor, about)


def _begins(actor: Actor, about: About) -> bool:
    """Something unforeseen of a case in reach, which its diagram lets one of her roles begin (`roles`)."""
    return bool(actor.roles & set(about.get("roles", ()))) and _in_reach_of_agencies(actor, about)


def _in_reach_of_agencies(actor: Actor, about: About) -> bool:
    """What is between the agencies and the person: her history and her letters are no partner's."""
    return actor.agency != PARTNERS and _in_reach(actor, about)


def _in_reach_or_sat(actor: Actor, about: About) -> bool:
    """A letter is no partner's, save what a sitting of her branch wrote for those who sat (`sat`)."""
    if actor.agency == PARTNERS:
        return actor.sits and about.get("sat") is True and about.get("branch") == actor.branch
    return _in_reach(actor, about)


def _looks_for_cases(actor: Actor, _about: About) -> bool:
    return actor.agency != PARTNERS or actor.reach == "own"


def _opens(actor: Actor, about: About) -> bool:
    if actor.roles & {"coordinateur"}:
        return True
    if "attache_social" in actor.roles:
        return about.get("process", "signalement") == "signalement"
    return about.get("branch") == actor.branch


def stands_in_for(about: About) -> str:
    """The role that does a partner's task in her place, where the case is not open to her, and another agency's where it is kept to OTE; "" elsewhere."""
    if is_withheld(about):
        return _OWNER
    return "" if about.get("agency") != PARTNERS or is_entrusted(about.get("case")) else _STANDS_IN.get(about.get("role", ""), "")


def _stands_in(actor: Actor, about: About) -> bool:
    return actor.agency == OTE and about.get("branch") == actor.branch and stands_in_for(about) in actor.roles


def _does(actor: Actor, about: About) -> bool:
    """The task is of a role one holds, in one's own agency and branch; an operator's, of a case entrusted to her, else it is the case owner's."""
    if _stands_in(actor, about):
        return True
    if is_withheld(about) or about.get("role") not in actor.roles or about.get("agency") != actor.agency or about.get("branch") != actor.branch:
        return False
    return about.get("role") not in _STANDS_IN or _has(actor, about.get("case"))


def _holder(about: About) -> UUID | None:
    """Who has the task in hand. An operator from whom the person withdrew her consent has it no more."""
    held, case = about.get("holder_id"), about.get("case")
    is_lost = about.get("role") in _STANDS_IN and case is not None and not case.is_shared_operator and held in case.assigned
    return None if is_lost else held


def _free_or_mine(actor: Actor, about: About) -> bool:
    """The task is one's own to do and nobody else has it, nor is it kept apart from one that she did (`did_before`). Standing in for whoever has it and is away
    (`stood_in`) opens it, and gives no right beside: it is of a role of her own."""
    is_mine = _does(actor, about) or (actor.agency == OTE and _holder(about) == actor.user_id and _STANDS_IN.get(about.get("role", "")) in actor.roles)
    return is_mine and (_holder(about) in (None, actor.user_id) or about.get("stood_in") is True) and not about.get("did_before")


def _mine_or_led(actor: Actor, about: About) -> bool:
    """In one's own hands, or in those of somebody one answers for: the head of the agency in the branch, the coordinator everywhere.
    The case owner answers for what an operator does in her place, and for what is kept from another agency."""
    if _is_kept(actor.agency, about):
        return False
    if actor.user_id is not None and _holder(about) == actor.user_id and (actor.agency != PARTNERS or _does(actor, about)):
        return True
    if "coordinateur" in actor.roles:
        return True
    if about.get("branch") != actor.branch or actor.agency == PARTNERS:
        return False
    heads = {_HEADS.get(about.get("agency", "")), _STANDS_IN.get(about.get("role", "")) if about.get("agency") == PARTNERS else stands_in_for(about) or None}
    return bool(heads & actor.roles)


def _sees_task(actor: Actor, about: About) -> bool:
    """A task of a case one reads, or one's own to do; a partner's and a social attaché's are only the latter."""
    if _does(actor, about) and (actor.agency != PARTNERS or _holder(about) in (None, actor.user_id)):
        return True
    if _is_kept(actor.agency, about):
        return False
    return may(actor, "case.read", branch=about.get("case_branch", about.get("branch")))  # no partner reads a case by its branch


def _sits(actor: Actor, about: About) -> bool:
    """A sitting of a branch one reaches; a funder's member, of the branch she sits in."""
    return actor.reach == "all" or about.get("branch") == actor.branch


def _sends(actor: Actor, about: About) -> bool:
    name = about.get("name", "")
    return not name.startswith(_BY_FORM) and name not in _INTERNAL and ("coordinateur" in actor.roles or bool(_SENDERS.get(name, frozenset()) & actor.roles))


def _another(actor: Actor, about: About) -> bool:
    """Two persons: neither wrote nor submitted it, nor is it about her (`authors`)."""
    return actor.user_id not in about.get("authors", ())


def _decides_repair(actor: Actor, about: About) -> bool:
    """Another than whoever proposed it (`proposer`): a coordinator; of a correction, who reads and writes facts of its class (`field_class`)."""
    if actor.user_id == about.get("proposer") or not _in_reach_of_agencies(actor, about):
        return False
    if about.get("kind") != "correct":
        return "coordinateur" in actor.roles
    field_class = about.get("field_class", "")
    return writable(actor, field_class) and readable(actor, field_class, case=about.get("case"))


def _leads(actor: Actor, about: About) -> bool:
    """She answers for the colleague: the head of her agency in her branch, the coordinator for everybody; nobody so for herself. Nobody for a partner, whose cases are
    entrusted one by one."""
    if actor.user_id == about.get("user_id") or about.get("agency") == PARTNERS:
        return False
    return "coordinateur" in actor.roles or (about.get("branch") == actor.branch and _HEADS.get(about.get("agency", "")) in actor.roles)


def _herself_or_led(actor: Actor, about: About) -> bool:
    return (actor.user_id == about.get("user_id") and actor.agency != PARTNERS) or _leads(actor, about)


def _asked(actor: Actor, about: About) -> bool:
    """The finding asks a role she holds, in her branch."""
    return about.get("role") in actor.roles and about.get("branch") == actor.branch


def _not_herself(actor: Actor, about: About) -> bool:
    """Nobody changes, or reviews, her own rights (`user_id`)."""
    return actor.user_id != about.get("user_id")


# act → (roles, and what must hold besides)
_POLICY: dict[str, tuple[frozenset[str], Test]] = {
    "worklist.read": (_WORKING | {"auditeur", "attache_social"}, _anywhere),
    "case.open": (frozenset({"agent_accueil", "referent", "chef_antenne", "coordinateur", "attache_social"}), _opens),
    "case.read": (_WORKING | {"auditeur"}, _reads),
    "case.search": (_WORKING | {"auditeur"}, _looks_for_cases),
    "history.read": (_WORKING | {"auditeur"}, lambda actor, about: actor.agency != PARTNERS and _reads(actor, about)),
    "letter.read": (_WORKING | {"auditeur"}, _in_reach_or_sat),
    "sitting.read": (frozenset({"secretaire_commission", "membre_commission", "president_commission", "chef_antenne", "coordinateur", "auditeur"}), _sits),
    "fund.read": (frozenset({"gestionnaire_aides", "ordonnateur", "chef_antenne", "coordinateur", "auditeur"}), _anywhere),
    "task.read": (_WORKING | {"auditeur", "attache_social"}, _sees_task),
    "task.draft": (_WORKING | {"attache_social"}, _sees_task),
    "task.claim": (_WORKING | {"attache_social"}, _free_or_mine),
    "task.complete": (_WORKING | {"attache_social"}, _free_or_mine),
    "task.release": (_WORKING | {"attache_social"}, _mine_or_led),
    "task.pass": (_WORKING | {"attache_social"}, _mine_or_led),
    "incident.read": (frozenset({"coordinateur", "chef_antenne", "auditeur"}), _in_reach),
    "incident.retry": (frozenset({"coordinateur"}), _anywhere),
    "incident.assign": (frozenset({"coordinateur"}), _anywhere),
    "repair.list": (frozenset({"coordinateur", "chef_antenne", "gestionnaire_aides", "auditeur"}), _anywhere),
    "repair.read": (frozenset({"coordinateur", "chef_antenne", "auditeur"}), _in_reach),
    "repair.do": (frozenset({"coordinateur"}), _in_reach),
    "repair.approve": (frozenset({"coordinateur", "chef_antenne", "gestionnaire_aides"}), _decides_repair),
    "edition.read": (frozenset({"coordinateur", "auditeur", "administrateur"}), _anywhere),
    "draft.read": (frozenset({"coordinateur", "auditeur"}), _anywhere),
    "draft.write": (frozenset({"coordinateur"}), _anywhere),
    "draft.approve": (frozenset({"coordinateur"}), _another),
    "draft.try": (frozenset({"coordinateur"}), _anywhere),
    "draft.rehearse": (frozenset({"coordinateur"}), _anywhere),
    "case.move": (frozenset({"coordinateur"}), _anywhere),
    "batch.read": (frozenset({"coordinateur", "auditeur"}), _anywhere),
    "edition.check": (frozenset({"coordinateur", "auditeur"}), _anywhere),
    "message.send": (_WORKING | {"attache_social"}, _sends),
    "document.upload": (_WORKING | {"attache_social"}, _anywhere),
    "document.read": (_ALL - {"administrateur"}, _anywhere),
    "admin.read": (frozenset({"administrateur", "auditeur"}), _anywhere),
    "journal.read": (frozenset({"administrateur", "auditeur"}), _anywhere),
    "account.write": (frozenset({"administrateur"}), _not_herself),
    "account.approve": (frozenset({"administrateur"}), _another),
    "review.write": (frozenset({"administrateur"}), _not_herself),
    "dated.write": (frozenset({"administrateur"}), _anywhere),
    "consultation.read": (frozenset({"auditeur", "chef_antenne"}), _in_reach),
    "casefile.export": (frozenset({"auditeur", "chef_antenne", "chef_cps", "coordinateur", "travailleur_social"}), _in_reach),
    "history.export": (frozenset({"auditeur", "chef_antenne", "coordinateur"}), _anywhere),
    "worklist.export": (frozenset({"auditeur", "chef_antenne", "chef_cps", "chef_aneti", "coordinateur"}), _anywhere),
    "audit.search": (frozenset({"auditeur"}), _anywhere),
    "steering.read": (frozenset({"auditeur", "chef_antenne", "chef_cps", "chef_aneti", "coordinateur"}), _anywhere),
    "audit.sample": (frozenset({"auditeur"}), _anywhere),
    "finding.write": (frozenset({"auditeur"}), _anywhere),
    "finding.read": (_ANSWERING | {"auditeur"}, _anywhere),  # of her role and branch: `casework.findings`, and the database's policy
    "finding.answer": (_ANSWERING, _asked),
    "erasure.read": (frozenset({"auditeur", "chef_antenne", "coordinateur"}), _in_reach),
    "erasure.propose": (frozenset({"chef_antenne", "coordinateur"}), _in_reach),
    "erasure.approve": (frozenset({"chef_antenne", "coordinateur"}), lambda actor, about: _another(actor, about) and _in_reach(actor, about)),
    "charter.enter": (frozenset({"attache_social"}), _anywhere),
    "person.compare": (_REGISTERING | {"auditeur"}, _in_reach),
    "person.tell_apart": (_REGISTERING, _in_reach),
    "person.propose_merge": (_REGISTERING, _in_reach),
    "person.approve_merge": (frozenset({"chef_antenne", "coordinateur"}), lambda actor, about: _another(actor, about) and _in_reach(actor, about)),
    "person.refuse_merge": (frozenset({"chef_antenne", "coordinateur"}), _in_reach),
    "person.undo_merge": (frozenset({"chef_antenne", "coordinateur"}), _in_reach),
    "exception.begin": (_WORKING, _begins),
    "appointment.read": (_WORKING | {"auditeur"}, _reads),
    "appointment.write": (_HELPING | {"operateur"}, _in_reach),
    "piece.lodge": (_HELPING | _AIDING | {"coordinateur", "operateur"}, _in_reach),
    "receipt.open": (_HELPING, _in_reach_of_agencies),  # gives the second secret of a receipt, in person
    "consent.read": (_HELPING | {"coordinateur", "auditeur"}, _in_reach_of_agencies),
    "consent.change": (_REGISTERING, _in_reach),
    "consent.withdraw": (_REGISTERING, _in_reach),
    "note.read": (_WORKING | {"auditeur"}, lambda actor, about: actor.agency != PARTNERS and _reads(actor, about)),
    "note.write": (_HELPING | _AIDING | {"coordinateur"}, lambda actor, about: actor.agency != PARTNERS and _reads(actor, about)),
    "leave.say": (_WORKING | {"attache_social"}, _herself_or_led),
    "caseload.list": (frozenset({"chef_antenne", "chef_cps", "chef_aneti", "coordinateur"}), _anywhere),
    "caseload.give": (frozenset({"chef_antenne", "chef_cps", "chef_aneti", "coordinateur"}), _leads),
    "view.keep": (_WORKING | {"auditeur", "attache_social"}, _anywhere),
    "mail.read": (frozenset({"administrateur"}), _anywhere),
    "clock.advance": (_ALL, _anywhere),  # the database lets it move in a demo only
}
# What an installation does by itself; its jobs carry cases on without asking, as the diagrams say.
# `edition.publish`: the first one; afterwards an edition comes of a draft that two persons agreed on.
_SYSTEM = frozenset({"casefile.export", "history.export", "edition.read", "edition.publish", "draft.read", "draft.write", "message.send", "clock.advance", "steering.read"})
# What somebody without an account may do.
_OPEN = frozenset({"request.send"})
# What the holder of a receipt and its second secret may begin of her own case, beside what she takes back of her consent.
_BEGUN_BY_HER = frozenset({"reclamation"})
# Refused as though there were nothing there.
_ABSENT = {"case.read": "case.not_found", "case.search": "case.not_found", "history.read": "case.not_found", "document.read": "document.not_found",
           "letter.read": "letter.not_found", "sitting.read": "sitting.not_found", "note.read": "case.not_found", "consultation.read": "case.not_found", "casefile.export": "case.not_found", "task.read": "task.not_found", "task.draft": "task.not_found"}  # fmt: skip


def may(actor: Actor, act: str, **about: Any) -> bool:
    """Whether the act is the actor's to do.

    `about`: `agency`, `role`, `branch`, `holder_id` of a task, `did_before` (a task she did that it is kept apart from), `stood_in` (its holder is away and she stands in), `case` (the row of its case, which
    says what the person agreed to and to whom it is entrusted); `branch` (and `process`, `case`) of a case; `name` of a message; `authors` of a draft or
    of a proposal; `proposer`, `kind` and `field_class` of a repair; `user_id` of an account; `sat`: a partner did a task of the sitting that wrote a letter,
    and those it tells of agree.
    """
    if actor.kind == "system":
        return act in _SYSTEM
    if actor.kind == "visitor":
        return act in _OPEN
    if actor.kind == "holder":
        return _of_her_own(actor, act, about)
    allowed, test = _POLICY.get(act, (frozenset(), _anywhere))
    return actor.kind == "person" and bool(actor.roles & allowed) and test(actor, about)


def _of_her_own(actor: Actor, act: str, about: About) -> bool:
    """What the holder of a receipt may do to the one case that it is of."""
    is_hers = getattr(about.get("case"), "instance_id", None) == actor.user_id
    return act == "document.upload" or (is_hers and (act in ("case.read", "consent.withdraw") or (act == "exception.begin" and about.get("process") in _BEGUN_BY_HER)))


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

    Without consent C1 (`case.is_shared`) a fact stays with OTE and the agency that wrote it; a partner reads of a case entrusted to her with C3
    (`is_shared_operator`) and, at a sitting, with C2 (`is_shared_funder`); health (H) opens to the case's named social worker alone. The policy on the
    table `fact` says the same, save that it shows a partner's member no case at all: what a sitting shows of one is asked here.
    """
    if actor.kind == "system":
        return True
    held = actor.reads & set(field_class.split(","))
    if not held or (field_class == "H" and (case is None or actor.user_id is None or case.social_worker_id != actor.user_id)):
        return False
    if case is None or actor.agency == OTE:
        return True
    if actor.agency == PARTNERS:
        return _has(actor, case) or (actor.sits and case.is_shared_funder)
    return case.is_shared or (author_agency != "" and author_agency == actor.agency)


def writable(actor: Actor, field_class: str) -> bool:
    """Whether the actor may write facts of this class: the first one, when several are joined."""
    return field_class.partition(",")[0] in actor.writes


def roles_stood_in_for(actor: Actor) -> frozenset[str]:
    """The partners' roles whose tasks the actor does where no partner has the case."""
    return frozenset(role for role, instead in _STANDS_IN.items() if actor.agency == OTE and instead in actor.roles)


def agencies_stood_in_for(actor: Actor) -> frozenset[str]:
    """The agencies whose tasks the actor does in cases kept from them."""
    return _OTHERS if actor.agency == OTE and _OWNER in actor.roles else frozenset()


def acts_of(role: str) -> list[str]:
    """The acts that a role opens; what must hold besides is not told here."""
    return sorted(act for act, (allowed, _) in _POLICY.items() if role in allowed)


def head_of(agency: str) -> str:
    """The role that answers for an agency in a branch."""
    return _HEADS.get(agency, "chef_antenne")


def branch_of_task(role: str, case_branch: str) -> str:
    """Where a task of the role waits: the headquarters for roles held there, else the case's branch."""
    return HEADQUARTERS if role in ROLES and ROLES[role].is_central else case_branch
