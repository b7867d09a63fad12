"""The policy, act by act: who is let through, and who is turned away."""

from types import SimpleNamespace
from uuid import uuid4

import pytest

from engine import errors
from engine.actors import authority, users
from engine.actors.roles import CLASSES, ROLES

ME, OTHER = uuid4(), uuid4()


def person(role, branch="MED", agency=None, user_id=ME):
    agency = agency or sorted(ROLES[role].agencies)[-1 if role == "membre_commission" else 0]
    return users.Actor(user_id, "u", "U", agency, branch, frozenset({role}))


def task(role="referent", agency="OTE", branch="MED", holder_id=None):
    return {"role": role, "agency": agency, "branch": branch, "holder_id": holder_id}


@pytest.mark.parametrize("role", sorted(ROLES))
def test_an_act_nobody_wrote_down_is_refused_to_all(role):
    assert not authority.may(person(role), "case.delete")
    with pytest.raises(errors.Forbidden, match="act.forbidden"):
        authority.require(person(role), "case.delete")
    assert not authority.may(users.system(), "case.delete") and not authority.may(users.VISITOR, "case.read")


@pytest.mark.parametrize("act", ["task.claim", "task.complete"])
def test_a_task_is_done_by_its_role_in_its_agency_and_branch_and_while_it_is_free_or_ones_own(act):
    me = person("referent")
    assert authority.may(me, act, **task()) and authority.may(me, act, **task(holder_id=ME))
    for refused in (task(holder_id=OTHER), task(branch="SFX"), task(role="agent_accueil"), task(agency="CPS"), {}, {"role": "referent"}):
        assert not authority.may(me, act, **refused)


def test_the_coordinator_re_staffs_a_task_and_does_not_do_it():
    head_office = person("coordinateur", "TUN")
    held = task(holder_id=OTHER)
    assert authority.may(head_office, "task.release", **held) and authority.may(head_office, "task.pass", **held)
    assert not authority.may(head_office, "task.complete", **held) and not authority.may(head_office, "task.claim", **task())


@pytest.mark.parametrize(
    ("head", "agency", "role"), [("chef_antenne", "OTE", "referent"), ("chef_cps", "CPS", "travailleur_social"), ("chef_aneti", "ANETI", "conseiller_emploi")]
)
def test_the_head_of_an_agency_takes_back_what_a_colleague_of_the_branch_holds_and_nothing_elsewhere(head, agency, role):
    assert authority.head_of(agency) == head
    assert authority.may(person(head), "task.release", **task(role, agency, holder_id=OTHER))
    for elsewhere in (task(role, agency, "SFX", OTHER), task(role, "PART" if agency == "CPS" else "CPS" if agency != "CPS" else "OTE", holder_id=OTHER)):
        assert not authority.may(person(head), "task.release", **elsewhere)
    assert not authority.may(person(role), "task.release", **task(role, agency, holder_id=OTHER))


def test_cases_are_opened_by_the_desk_of_their_branch_by_headquarters_and_signalled_from_abroad():
    for role in ("agent_accueil", "referent", "chef_antenne"):
        assert authority.may(person(role), "case.open", branch="MED") and not authority.may(person(role), "case.open", branch="SFX")
    assert authority.may(person("coordinateur", "TUN"), "case.open", branch="SFX", process="parcours")
    abroad = person("attache_social", "TUN")
    assert authority.may(abroad, "case.open", branch="SFX", process="signalement") and not authority.may(abroad, "case.open", branch="SFX", process="parcours")
    for role in ("auditeur", "administrateur", "travailleur_social", "conseiller_emploi", "operateur", "ordonnateur", "membre_commission"):
        assert not authority.may(person(role), "case.open", branch="MED")


def test_what_may_not_be_known_looks_absent():
    for act in ("case.read", "history.read"):
        with pytest.raises(errors.NotFound, match="case.not_found"):
            authority.require(person("referent"), act, branch="SFX")
        with pytest.raises(errors.NotFound):
            authority.require(person("administrateur", "TUN"), act, branch="TUN")
        with pytest.raises(errors.NotFound):
            authority.require(person("membre_commission", agency="PART"), act, branch="MED")
        with pytest.raises(errors.Unauthenticated, match="signin.needed"):
            authority.require(users.VISITOR, act, branch="MED")
        authority.require(person("auditeur", "TUN"), act, branch="SFX")


def test_no_one_sends_by_hand_what_only_diagrams_tell_one_another():
    for role in ROLES:
        for name in ("dossier.decide", "dossier.inscrit", "aide.demandee", "aide.terminee"):
            assert not authority.may(person(role), "message.send", name=name)
    assert authority.may(person("referent"), "message.send", name="piece.recue") and not authority.may(
        person("referent"), "message.send", name="paiement.confirme"
    )
    assert authority.may(person("gestionnaire_aides", "TUN"), "message.send", name="paiement.confirme")
    assert not authority.may(person("referent"), "message.send", name="unheard.of") and authority.may(
        person("coordinateur", "TUN"), "message.send", name="unheard.of"
    )
    assert not authority.may(person("auditeur", "TUN"), "message.send", name="urgence")


def test_files_are_judged_for_coordinators_and_auditors_only():
    assert {role for role in ROLES if authority.may(person(role, "TUN"), "edition.check")} == {"coordinateur", "auditeur"}


def test_those_who_audit_or_administer_write_nothing():
    for role in ("auditeur", "administrateur"):
        who = person(role, "TUN")
        assert not who.wall.may_write and who.wall.writes == ""
        for act in (
            "case.open",
            "task.claim",
            "task.complete",
            "task.release",
            "task.pass",
            "message.send",
            "document.upload",
            "edition.publish",
            "incident.retry",
        ):
            assert not authority.may(who, act, **task("auditeur", "OTE", "TUN"), name="urgence")


def test_the_auditor_reads_what_decision_nineteen_says():
    assert {one for one in CLASSES if authority.readable(person("auditeur", "TUN"), one)} == set("CPFOE")


def test_health_opens_to_the_named_social_worker_alone():
    named = SimpleNamespace(is_shared=True, social_worker_id=ME)
    other = SimpleNamespace(is_shared=True, social_worker_id=OTHER)
    worker = person("travailleur_social")
    assert authority.readable(worker, "H", case=named)
    assert not authority.readable(worker, "H", case=other) and not authority.readable(worker, "H")
    assert not authority.readable(person("chef_cps"), "H", case=named) and not authority.readable(person("referent"), "H", case=named)


def test_without_consent_facts_stay_with_ote_and_the_agency_that_wrote_them():
    alone = SimpleNamespace(is_shared=False, social_worker_id=None)
    adviser = person("conseiller_emploi")
    assert authority.readable(person("referent"), "C", "CPS", alone)
    assert not authority.readable(adviser, "C", "OTE", alone) and not authority.readable(adviser, "C", "", alone)
    assert authority.readable(adviser, "E", "ANETI", alone)


def test_writing_is_not_reading():
    reception = person("agent_accueil")
    assert authority.writable(reception, "S") and not authority.readable(reception, "S")
    assert not authority.writable(reception, "H") and not authority.writable(person("auditeur", "TUN"), "C")


def test_a_fact_of_several_classes_is_read_by_the_readers_of_each_and_written_by_those_of_the_first():
    field = SimpleNamespace(class_="F", also=("O", "E"))
    assert authority.classes_of(field) == "F,O,E"
    for role, sees in (("ordonnateur", True), ("agent_accueil", True), ("conseiller_emploi", True), ("travailleur_social", False), ("operateur", False)):
        assert authority.readable(person(role), "F,O,E") is sees, role
    assert not authority.writable(person("agent_accueil"), "F,O,E") and authority.writable(person("ordonnateur"), "F,O,E")


def test_tasks_of_the_headquarters_wait_there_and_the_others_in_the_branch_of_the_case():
    assert {role for role in ROLES if authority.branch_of_task(role, "MED") == "TUN"} == {
        "attache_social", "gestionnaire_aides", "ordonnateur", "coordinateur", "auditeur", "administrateur"}  # fmt: skip
    assert authority.branch_of_task("referent", "SFX") == "SFX" and authority.branch_of_task("nobody", "SFX") == "SFX"


def test_roles_held_at_headquarters_reach_the_cases_of_every_branch():
    for role, found in ROLES.items():
        if found.is_central and found.writes:
            assert found.reach == "all", role


def test_the_system_does_what_an_installation_does_by_itself_and_reads_all():
    masar = users.system()
    assert authority.may(masar, "edition.publish") and not authority.may(masar, "task.complete", **task())
    assert all(authority.readable(masar, one) for one in CLASSES) and masar.wall.is_system and masar.wall.reach == "all"
