"""Roles: in which agency each is held, how far it reaches, which classes of facts it reads and which it writes (domain.md §4.0).

Both walls read this table: `authority` (what may be done) and, through `users.Actor.wall`, the database's own policies.
Reading and writing are two sets: the reception officer writes the answers of a screening that she does not read again.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from engine.actors.agencies import ANETI, CPS, OTE, PARTNERS

# C common · O OTE · S social · E employment · P project · F finance · H health, the named social worker's · R appeals and complaints.
CLASSES = "COSEPFHR"
REACHES = ("none", "own", "branch", "all")  # from the least to the most


@dataclass(frozen=True)
class Role:
    """`is_central`: held at the headquarters, its tasks too, whatever the branch of the case."""

    agencies: frozenset[str]
    reach: str
    reads: str
    writes: str
    is_central: bool = False


def _role(agencies: str, reach: str, reads: str, writes: str, is_central: bool = False) -> Role:
    return Role(frozenset(agencies.split()), reach, reads, writes, is_central)


ROLES = {
    # Both take down complaints and appeals, which they do not read again.
    "agent_accueil": _role(OTE, "branch", "CO", "COSR"),
    "referent": _role(OTE, "branch", "COE", "COSEFR"),
    "chef_antenne": _role(OTE, "branch", "COPFR", "COPFR"),
    # Signals a return from abroad to any branch; reads no case.
    "attache_social": _role(OTE, "all", "", "CO", is_central=True),
    "travailleur_social": _role(CPS, "branch", "CSH", "COSHFP"),
    "chef_cps": _role(CPS, "branch", "CS", "CSF"),
    "conseiller_emploi": _role(ANETI, "branch", "CE", "COESF"),
    "conseiller_entreprendre": _role(ANETI, "branch", "CEP", "COESPF"),
    "chef_aneti": _role(ANETI, "branch", "CEP", "CEP"),
    "operateur": _role(PARTNERS, "own", "CP", "COSP"),
    # OTE's finance sits at the headquarters and works for every branch [inferred].
    "gestionnaire_aides": _role(OTE, "all", "COPF", "COPF", is_central=True),
    "ordonnateur": _role(OTE, "all", "CF", "CF", is_central=True),
    "secretaire_commission": _role(OTE, "branch", "COP", "COPFR"),
    "membre_commission": _role(f"{OTE} {CPS} {ANETI} {PARTNERS}", "branch", "CP", "CPR"),
    "president_commission": _role(OTE, "branch", "CP", "CPFR"),
    "coordinateur": _role(OTE, "all", "COR", "COPR", is_central=True),
    "auditeur": _role(OTE, "all", "CPFOE", "", is_central=True),  # decisions.md 19: S, H and R stay masked
    "administrateur": _role(OTE, "none", "", "", is_central=True),
}

# Nobody holds two of these at once: who prepares does not order, who audits or administers does nothing else (§4.0, separation of duties).
APART = (frozenset({"gestionnaire_aides", "ordonnateur"}), frozenset({"gestionnaire_aides", "chef_antenne"}))
ALONE = frozenset({"auditeur", "administrateur"})
# What decides about money, publishes, or gives rights: one administrator proposes them for somebody, another approves (the database says the same, masar_given_by_two).
# A social worker's advance in an emergency is the exception of §4.7, looked at afterwards by the head of the branch.
GIVEN_BY_TWO = frozenset({"administrateur", "chef_antenne", "coordinateur", "gestionnaire_aides", "membre_commission", "ordonnateur", "president_commission", "secretaire_commission"})


def reach(held: Iterable[str]) -> str:
    """How far these roles reach together: none, own, branch or all."""
    return max((ROLES[role].reach for role in held), key=REACHES.index, default="none")


def reads(held: Iterable[str]) -> frozenset[str]:
    return frozenset("".join(ROLES[role].reads for role in held))


def writes(held: Iterable[str]) -> frozenset[str]:
    return frozenset("".join(ROLES[role].writes for role in held))


def clash(held: frozenset[str]) -> frozenset[str]:
    """The roles among these that one person may not hold together; empty when all is well."""
    if held & ALONE and len(held) > 1:
        return held
    return next((pair for pair in APART if pair <= held), frozenset())


def opens(letter_class: str, fact_class: str) -> bool:
    """Whether everybody who reads papers of a class may read a fact of these classes too. Health stays off paper that others may open."""
    classes = set(fact_class.split(","))
    return "H" not in classes and all(classes & set(role.reads) for role in ROLES.values() if letter_class in role.reads)


def classes_of(field: Any) -> str:
    """The classes of a field of the dictionary as facts carry them: its own, then those whose readers see it too (`also`)."""
    return ",".join((field.class_, *field.also))
