"""The code's own wall, predicate by predicate: nothing here asks the database, so a check that is lost is seen though the other wall still holds."""

from types import SimpleNamespace
from uuid import uuid4

import pytest

from engine import errors
from engine.actors import authority, users
from engine.actors.roles import ROLES

ME, OTHER = uuid4(), uuid4()
HELPING = {"agent_accueil", "referent", "chef_antenne", "travailleur_social", "chef_cps", "conseiller_emploi", "conseiller_entreprendre", "chef_aneti"}
WORKING = HELPING | {"gestionnaire_aides", "ordonnateur", "secretaire_commission", "president_commission", "coordinateur", "operateur", "membre_commission"}
WITH_ATTACHE, WITH_AUDITOR = WORKING | {"attache_social"}, WORKING | {"auditeur"}
COORDINATION, ADMINISTRATION = {"coordinateur", "auditeur"}, {"administrateur", "auditeur"}
ANSWERING = {"chef_antenne", "chef_cps", "chef_aneti", "coordinateur", "gestionnaire_aides", "ordonnateur"}
# Who may do what at all, before what must hold besides.
WHO = {
    "worklist.read": WITH_ATTACHE | WITH_AUDITOR, "case.open": {"agent_accueil", "referent", "chef_antenne", "coordinateur", "attache_social"},
    **dict.fromkeys(["case.read", "case.search", "history.read", "letter.read"], WITH_AUDITOR), "task.read": WITH_ATTACHE | WITH_AUDITOR,
    **dict.fromkeys(["task.draft", "task.claim", "task.complete", "task.release", "task.pass", "message.send", "document.upload"], WITH_ATTACHE),
    **dict.fromkeys(["incident.read", "repair.read"], {"coordinateur", "chef_antenne", "auditeur"}),
    "repair.list": {"coordinateur", "chef_antenne", "gestionnaire_aides", "auditeur"}, "repair.approve": {"coordinateur", "chef_antenne", "gestionnaire_aides"},
    **dict.fromkeys(["incident.retry", "incident.assign", "repair.do", "draft.write", "draft.approve", "draft.try", "draft.rehearse", "case.move"], {"coordinateur"}),
    "edition.read": COORDINATION | ADMINISTRATION, **dict.fromkeys(["draft.read", "batch.read", "edition.check"], COORDINATION),
    "document.read": set(ROLES) - {"administrateur"}, **dict.fromkeys(["admin.read", "journal.read"], ADMINISTRATION), "clock.advance": set(ROLES),
    **dict.fromkeys(["account.write", "account.approve", "review.write", "dated.write"], {"administrateur"}),
    "consultation.read": {"auditeur", "chef_antenne"}, "history.export": COORDINATION | {"chef_antenne"},
    "casefile.export": COORDINATION | {"chef_antenne", "chef_cps", "travailleur_social"},
    "erasure.read": COORDINATION | {"chef_antenne"}, **dict.fromkeys(["erasure.propose", "erasure.approve"], {"chef_antenne", "coordinateur"}),
    "steering.read": {"auditeur", "coordinateur", "chef_antenne", "chef_cps", "chef_aneti"},
    "worklist.export": COORDINATION | {"chef_antenne", "chef_cps", "chef_aneti"}, **dict.fromkeys(["audit.search", "audit.sample", "finding.write"], {"auditeur"}),
    "charter.enter": {"attache_social"}, "person.compare": {"agent_accueil", "referent"} | COORDINATION | {"chef_antenne"},
    **dict.fromkeys(["person.tell_apart", "person.propose_merge"], {"agent_accueil", "referent", "chef_antenne", "coordinateur"}),
    **dict.fromkeys(["person.approve_merge", "person.refuse_merge", "person.undo_merge"], {"chef_antenne", "coordinateur"}),
    "finding.answer": ANSWERING, "finding.read": ANSWERING | {"auditeur"}, "exception.begin": WORKING, "appointment.read": WITH_AUDITOR, "appointment.write": HELPING | {"operateur"}, "receipt.open": HELPING, "piece.lodge": WORKING - {"membre_commission"},
    "note.read": WITH_AUDITOR, "note.write": WORKING - {"operateur", "membre_commission"}, "leave.say": WITH_ATTACHE, "view.keep": WITH_ATTACHE | {"auditeur"},
    **dict.fromkeys(["caseload.list", "caseload.give"], {"chef_antenne", "chef_cps", "chef_aneti", "coordinateur"}), "mail.read": {"administrateur"},
    "fund.read": COORDINATION | {"gestionnaire_aides", "ordonnateur", "chef_antenne"},
    "sitting.read": COORDINATION | {"secretaire_commission", "membre_commission", "president_commission", "chef_antenne"},
    "consent.read": HELPING | {"coordinateur", "auditeur"}, **dict.fromkeys(["consent.change", "consent.withdraw"], {"agent_accueil", "referent", "chef_antenne", "coordinateur"}),
}  # fmt: skip
HOLD, LED = ("task.claim", "task.complete"), ("task.release", "task.pass")


def person(*roles, agency="OTE", branch="MED", user_id=ME):
    return users.Actor(user_id, "u", "U", agency, branch, frozenset(roles))


def partner(role="operateur", **more):
    return person(role, agency="PART", **more)


def case(to=(ME,), operator=True, funder=False, shared=True, worker=None):
    return SimpleNamespace(assigned=list(to), is_shared_operator=operator, is_shared_funder=funder, is_shared=shared, social_worker_id=worker)


def task(role="referent", agency="OTE", branch="MED", **more):
    return {"role": role, "agency": agency, "branch": branch, "holder_id": None, **more}


def visit(**more):
    """An operator's task."""
    return task("operateur", "PART", **{"case": case(), **more})


def may(actor, *acts, **about):
    """What all these acts answer."""
    (said,) = {authority.may(actor, act, **about) for act in acts}
    return said


def test_each_act_is_of_these_roles_and_no_other():
    assert {act: {role for role in ROLES if act in authority.acts_of(role)} for role in ROLES for act in authority.acts_of(role)} == WHO


# --- which cases ---


def test_a_case_is_read_in_ones_branch_and_from_the_headquarters_everywhere():
    assert may(person("referent"), "case.read", "history.read", "letter.read", branch="MED")
    assert not may(person("referent"), "case.read", "history.read", "letter.read", branch="SFX")
    assert may(person("ordonnateur", branch="TUN"), "case.read", branch="SFX")
    assert may(person("referent"), "case.read"), "a list is asked without a case"
    assert not may(person("operateur"), "case.read", branch="MED"), "a reach that is no branch's"
    assert may(person("chef_antenne"), "incident.read", "repair.read", branch="MED") and not may(person("chef_antenne"), "incident.read", "repair.read", branch="SFX")
    assert may(person("coordinateur", branch="TUN"), "repair.do", branch="SFX") and not may(person("coordinateur", agency="PART"), "repair.do", branch="MED")


@pytest.mark.parametrize(
    ("found", "read"),
    [
        (case(), True),
        (case(to=(OTHER,)), False),
        (case(to=()), False),
        (case(operator=False), False),
        (None, False),
    ],
)
def test_an_operator_reads_what_was_entrusted_to_her_with_the_persons_leave(found, read):
    assert may(partner(), "case.read", branch="MED", case=found) is read
    assert authority.readable(partner(), "C", case=found) is (True if found is None else read)


def test_her_branch_opens_nothing_to_a_partner_nor_what_is_between_the_agencies_and_the_person():
    assert not may(partner(), "case.read", branch="MED")
    assert not may(partner(), "history.read", "letter.read", branch="MED", case=case())
    member = partner("membre_commission")
    assert not may(member, "case.read", "history.read", branch="MED", case=case()), "named on it, but no operator"
    assert authority.is_entrusted(case()) and not authority.is_entrusted(None)


def test_who_sat_reads_the_letter_of_her_sitting_and_no_other():
    member = partner("membre_commission")
    assert may(member, "letter.read", branch="MED", sat=True)
    for about in ({"branch": "MED"}, {"branch": "MED", "sat": False}, {"branch": "MED", "sat": "yes"}, {"branch": "SFX", "sat": True}, {"sat": True}):
        assert not may(member, "letter.read", **about)
    assert not may(partner(), "letter.read", branch="MED", sat=True), "an operator has no seat"
    assert not may(person("referent"), "letter.read", branch="SFX", sat=True), "elsewhere, a seat opens nothing to OTE"


def test_cases_are_looked_for_by_whoever_may_have_one():
    assert may(partner(), "case.search") and may(person("referent"), "case.search")
    assert not may(partner("membre_commission"), "case.search")


def test_who_may_open_what_and_where():
    abroad = person("attache_social", branch="TUN")
    assert may(abroad, "case.open", branch="SFX") and may(abroad, "case.open", branch="SFX", process="signalement")
    assert not may(abroad, "case.open", branch="TUN", process="parcours"), "not even where she sits"
    assert may(person("coordinateur", branch="TUN"), "case.open", branch="SFX", process="parcours")
    assert may(person("agent_accueil"), "case.open", branch="MED") and not may(person("agent_accueil"), "case.open", branch="SFX")
    assert not may(person("agent_accueil"), "case.open"), "nowhere is no branch"


# --- whose task ---


def test_a_task_is_done_by_its_role_its_agency_and_its_branch():
    assert may(person("referent"), *HOLD, **task())
    for other in (task("agent_accueil"), task(agency="CPS"), task(branch="SFX")):
        assert not may(person("referent"), *HOLD, **other)


def test_a_task_is_done_while_it_is_free_and_by_another_than_what_it_is_kept_apart_from():
    me = person("referent")
    assert may(me, *HOLD, **task(holder_id=ME)) and not may(me, *HOLD, **task(holder_id=OTHER))
    assert not may(me, *HOLD, **task(did_before="T603")) and not may(me, *HOLD, **task(holder_id=ME, did_before="T603"))


def test_whoever_stands_in_does_what_is_of_her_roles_and_not_kept_apart_and_gains_nothing_else():
    held = {"holder_id": OTHER}
    assert not may(person("referent"), *HOLD, **task(**held)) and may(person("referent"), *HOLD, **task(**held), stood_in=True)
    assert not may(person("referent"), *HOLD, **task(**held), stood_in=True, did_before="T603")
    assert not may(person("agent_accueil"), *HOLD, **task(**held), stood_in=True), "no role is lent"
    assert not may(person("referent", branch="SFX"), *HOLD, **task(**held), stood_in=True)
    assert not may(person("referent"), *LED, **task(**held), stood_in=True), "she passes nothing on that she has not taken"


def test_a_colleague_is_answered_for_by_the_head_of_her_agency_in_her_branch_and_the_coordinator_a_partner_by_nobody():
    colleague = {"user_id": OTHER, "agency": "CPS", "branch": "MED"}
    for act in ("leave.say", "caseload.give"):
        assert may(person("chef_cps", agency="CPS"), act, **colleague) and may(person("coordinateur", branch="TUN"), act, **colleague)
        assert not may(person("chef_cps", agency="CPS", branch="SFX"), act, **colleague) and not may(person("chef_antenne"), act, **colleague)
        assert not may(person("coordinateur", branch="TUN"), act, **colleague | {"agency": "PART"})
    assert may(person("referent"), "leave.say", user_id=ME, agency="OTE", branch="MED") and not may(partner(), "leave.say", user_id=ME, agency="PART", branch="MED")
    assert not may(person("chef_antenne"), "caseload.give", user_id=ME, agency="OTE", branch="MED"), "her own is for another to give"


def test_notes_are_between_the_agencies_in_reach_of_the_case():
    for act in ("note.read", "note.write"):
        assert may(person("referent"), act, branch="MED", case=case()) and not may(person("referent"), act, branch="SFX", case=case())
        assert not may(partner(), act, branch="MED", case=case())


def test_a_paper_is_brought_into_a_case_by_who_works_there_in_reach_or_has_it():
    assert may(person("agent_accueil"), "piece.lodge", branch="MED") and not may(person("agent_accueil"), "piece.lodge", branch="SFX")
    assert may(partner(), "piece.lodge", branch="MED", case=case()) and not may(partner(), "piece.lodge", branch="MED", case=case(to=(OTHER,)))
    assert not may(person("auditeur"), "piece.lodge", branch="MED")


def test_an_operator_does_the_task_of_a_case_that_she_has():
    assert may(partner(), *HOLD, **visit())
    for lost in (case(to=(OTHER,)), case(operator=False), None):
        assert not may(partner(), *HOLD, **visit(case=lost))
    assert may(partner("membre_commission"), *HOLD, **task("membre_commission", "PART")), "a sitting's task is no operator's"


def test_where_no_operator_has_the_case_the_case_owner_of_its_branch_does_her_task():
    alone = visit(case=case(to=()))
    assert authority.stands_in_for(alone) == "referent" and authority.stands_in_for(visit()) == ""
    assert authority.stands_in_for(task("referent", "OTE")) == "" and authority.stands_in_for(task("membre_commission", "PART")) == ""
    assert authority.stands_in_for(task("operateur", "OTE", case=case(to=()))) == ""
    assert may(person("referent"), *HOLD, **alone) and not may(person("referent"), *HOLD, **visit())
    assert not may(person("referent", branch="SFX"), *HOLD, **alone)
    assert not may(person("chef_antenne"), *HOLD, **alone)
    assert not may(person("referent", agency="CPS"), *HOLD, **alone)
    assert authority.roles_stood_in_for(person("referent")) == {"operateur"}
    assert not authority.roles_stood_in_for(person("chef_antenne")) and not authority.roles_stood_in_for(person("referent", agency="CPS"))


def test_the_case_owner_ends_what_she_began_in_an_operators_place():
    begun = visit(holder_id=ME)
    assert may(person("referent"), *HOLD, **begun)
    assert not may(person("referent", agency="CPS"), *HOLD, **begun) and not may(person("chef_antenne"), *HOLD, **begun)
    assert not may(person("referent"), *HOLD, **task("membre_commission", "PART", holder_id=ME))


def test_from_whom_the_person_withdrew_her_consent_the_task_is_free_again():
    withdrawn = case(to=(OTHER,), operator=False)
    assert may(person("referent"), *HOLD, **visit(holder_id=OTHER, case=withdrawn))
    assert not may(person("referent"), *HOLD, **visit(holder_id=uuid4(), case=withdrawn)), "in the hands of somebody who was not withdrawn"
    assert not may(person("referent"), *HOLD, **task(holder_id=OTHER, case=withdrawn)), "a task that is no operator's"
    assert not may(person("referent"), *HOLD, **visit(holder_id=OTHER, case=case(to=(OTHER,))))


def test_a_task_is_given_back_by_whoever_holds_it_and_whoever_answers_for_her():
    assert may(person("referent"), *LED, **task(holder_id=ME)) and not may(person("referent"), *LED, **task(holder_id=OTHER))
    assert not may(person("referent", user_id=None), *LED, **task()), "free is not mine"
    assert may(person("agent_accueil"), *LED, **task(holder_id=ME)), "though the role is no longer hers"
    assert may(person("coordinateur", branch="TUN"), *LED, **task(branch="SFX", holder_id=OTHER))
    for head, agency, role in (("chef_antenne", "OTE", "referent"), ("chef_cps", "CPS", "travailleur_social"), ("chef_aneti", "ANETI", "conseiller_emploi")):
        held = task(role, agency, holder_id=OTHER)
        assert may(person(head, agency=agency), *LED, **held)
        assert not may(person(head, agency=agency), *LED, **held | {"branch": "SFX"})
        others = [one for one in ("chef_antenne", "chef_cps", "chef_aneti") if one != head]
        assert not any(may(person(one), *LED, **held) for one in others)


def test_what_an_operator_holds_is_given_back_by_her_by_the_head_of_the_branch_and_by_the_case_owner():
    held = visit(holder_id=OTHER)
    assert may(person("chef_antenne"), *LED, **held) and may(person("referent"), *LED, **held)
    assert not may(person("referent"), *LED, **task("operateur", "OTE", holder_id=OTHER)), "only a partner's"
    assert not may(partner(user_id=uuid4()), *LED, **held)
    assert not may(person("referent", agency="PART"), *LED, **held), "a partner answers for nobody"
    assert may(partner(), *LED, **visit(holder_id=ME))
    assert not may(partner(), *LED, **visit(holder_id=ME, case=case(to=(OTHER,)))), "entrusted to another meanwhile"


def test_a_task_is_seen_with_its_case_and_a_partners_or_an_attaches_only_to_do_it():
    assert may(person("agent_accueil"), "task.read", "task.draft", **task())
    assert not may(person("agent_accueil"), "task.read", "task.draft", **task(branch="SFX"))
    assert may(person("agent_accueil"), "task.read", **task(branch="TUN", case_branch="MED")), "the headquarters do it, the case is here"
    assert not may(person("agent_accueil"), "task.read", **task(branch="MED", case_branch="SFX"))
    assert may(partner(), "task.read", **visit()) and may(partner(), "task.read", **visit(holder_id=ME))
    assert not may(partner(), "task.read", **visit(holder_id=OTHER)) and not may(partner(), "task.read", **task(case=case()))
    abroad = person("attache_social", branch="TUN")
    signal = task("attache_social", branch="TUN")
    assert may(abroad, "task.read", **signal) and may(abroad, "task.read", **signal | {"holder_id": OTHER}) and not may(abroad, "task.read", **task())
    assert may(person("referent"), "task.read", **task(holder_id=OTHER)), "a colleague's is seen"


def test_what_is_not_foreseen_is_begun_by_the_roles_its_diagram_names_in_reach_of_the_case():
    about = {"roles": ("referent", "coordinateur"), "branch": "MED", "case": case()}
    assert may(person("referent"), "exception.begin", **about) and may(person("coordinateur", branch="TUN"), "exception.begin", **about)
    assert not may(person("agent_accueil"), "exception.begin", **about) and not may(person("referent", branch="SFX"), "exception.begin", **about)
    assert not may(partner(), "exception.begin", **about | {"roles": ("operateur",)}) and not may(person("referent"), "exception.begin", branch="MED")
    assert not may(person("coordinateur"), "message.send", name="imprevu.transfert"), "by its form alone"


def test_a_branch_that_a_case_is_offered_to_reads_it_and_does_nothing_else():
    offered = {"branch": "MED", "case": SimpleNamespace(**vars(case()), also_read_by="SFX")}
    assert may(person("chef_antenne", branch="SFX"), "case.read", "history.read", **offered) and not may(person("chef_antenne", branch="TUN"), "case.read", **offered)
    assert not may(person("chef_antenne", branch="SFX"), "repair.read", "exception.begin", **offered, roles=("chef_antenne",))
    assert not may(person("chef_antenne", agency="PART", branch="SFX"), "case.read", **{**offered, "case": SimpleNamespace(**vars(case(to=())), also_read_by="SFX")})


# --- messages, two persons, oneself ---


def test_messages_are_sent_by_those_whom_they_concern():
    internal = ("aide.accordee", "aide.demandee", "aide.terminee", "dossier.inscrit", "dossier.decide", "signalement.en_ligne", "signalement.transmis", "suivi.ouvrir")
    assert not any(may(person(*ROLES), "message.send", name=name) for name in internal)
    senders = {
        "signalement.recu": {"agent_accueil", "attache_social", "chef_antenne"},
        "piece.recue": HELPING | {"gestionnaire_aides", "secretaire_commission"},
        "urgence": HELPING,
        "desistement": HELPING,
        "paiement.confirme": {"gestionnaire_aides", "ordonnateur"},
        "visite.realisee": HELPING | {"operateur"},
        "": set(),
        "unheard.of": set(),
    }
    for name, allowed in senders.items():
        assert {role for role in ROLES if may(person(role), "message.send", name=name)} == allowed | {"coordinateur"}, name
    assert not may(person("auditeur"), "message.send", name="urgence")


def test_two_persons_are_two_persons():
    coordinator, administrator = person("coordinateur"), person("administrateur")
    assert may(coordinator, "draft.approve", authors=[OTHER]) and not may(coordinator, "draft.approve", authors=[OTHER, ME])
    assert may(administrator, "account.approve", authors=[OTHER]) and not may(administrator, "account.approve", authors=[ME])
    assert may(administrator, "account.write", "review.write", user_id=OTHER) and not may(administrator, "account.write", "review.write", user_id=ME)


def test_a_repair_is_decided_by_another_who_reaches_it_and_a_correction_by_who_reads_and_writes_its_class():
    coordinator = person("coordinateur", branch="TUN")
    assert may(coordinator, "repair.approve", proposer=OTHER, branch="MED", kind="undo")
    assert not may(coordinator, "repair.approve", proposer=ME, branch="MED", kind="undo")
    head = person("chef_antenne")
    assert not may(head, "repair.approve", proposer=OTHER, branch="MED", kind="undo")
    correction = {"proposer": OTHER, "branch": "MED", "kind": "correct", "case": case()}
    assert may(head, "repair.approve", field_class="F", **correction)
    assert not may(head, "repair.approve", field_class="F", **correction | {"branch": "SFX"})
    assert not may(head, "repair.approve", field_class="F", **correction | {"proposer": ME})
    assert not may(head, "repair.approve", field_class="S", **correction), "she neither reads nor writes it"
    assert not may(coordinator, "repair.approve", field_class="P", **correction), "she writes it and does not read it"
    assert not may(person("chef_antenne", agency="PART"), "repair.approve", field_class="F", **correction)
    # One class of several: who reads any of them reads it, who writes the first writes it.
    assert not may(head, "repair.approve", field_class="E,O", **correction)


# --- persons ---


def test_two_persons_are_made_one_by_somebody_else_than_who_proposed_it_where_she_reaches():
    head = person("chef_antenne")
    assert may(head, "person.approve_merge", branch="MED", authors=[OTHER]) and not may(head, "person.approve_merge", branch="MED", authors=[ME])
    for act in ("person.compare", "person.tell_apart", "person.propose_merge", "person.approve_merge", "person.refuse_merge", "person.undo_merge"):
        assert may(person("coordinateur", branch="TUN"), act, branch="SFX", authors=[OTHER]) and not may(head, act, branch="SFX", authors=[OTHER]), act


# --- facts ---


def test_a_fact_is_read_by_its_class_then_by_what_the_person_agreed_to():
    adviser, alone = person("conseiller_emploi", agency="ANETI"), case(shared=False)
    assert authority.readable(adviser, "E", "CPS", case()) and not authority.readable(adviser, "F", "CPS", case())
    assert not authority.readable(adviser, "E", "CPS", alone) and authority.readable(adviser, "E", "ANETI", alone)
    assert not authority.readable(person("conseiller_emploi", agency=""), "E", "", alone), "an author nobody knows is nobody's colleague"
    assert authority.readable(person("referent"), "E", "CPS", alone) and authority.readable(adviser, "E")
    member = partner("membre_commission")
    assert authority.readable(member, "C", "OTE", case(funder=True)) and not authority.readable(member, "C", "OTE", case())
    assert not authority.readable(partner(), "C", "OTE", case(to=(OTHER,), funder=True)), "a seat's consent opens nothing to an operator"
    assert not authority.readable(member, "C", "PART", case()), "nor does having written it"


def test_health_is_read_by_the_named_social_worker_alone():
    worker = person("travailleur_social", agency="CPS")
    assert authority.readable(worker, "H", "CPS", case(worker=ME))
    assert not authority.readable(worker, "H", "CPS", case(worker=OTHER)) and not authority.readable(worker, "H", "CPS", case()) and not authority.readable(worker, "H")
    assert not authority.readable(person("travailleur_social", agency="CPS", user_id=None), "H", "CPS", case(worker=None)), "nobody is not the one named"
    assert not authority.readable(person("referent"), "H", "OTE", case(worker=ME)), "named, but of a role that does not read it"


# --- who is no person ---


def test_masar_and_a_visitor_do_what_is_theirs_and_nothing_else():
    masar = users.system()
    own = {"casefile.export", "history.export", "edition.read", "edition.publish", "draft.read", "draft.write", "message.send", "clock.advance", "steering.read"}
    acts = {act for role in ROLES for act in authority.acts_of(role)} | own | {"request.send"}
    assert {act for act in acts if may(masar, act, **task(), name="urgence")} == own
    assert {act for act in acts if may(users.VISITOR, act, **task(), name="urgence")} == {"request.send"}
    nobody = users.Actor(ME, "u", "U", "OTE", "MED", frozenset({"coordinateur"}), kind="other")
    assert not may(nobody, "draft.write")
    assert authority.readable(masar, "H") and not may(person("coordinateur"), "request.send")


def test_what_is_refused_is_told_as_what_it_is():
    with pytest.raises(errors.Unauthenticated, match="signin.needed"):
        authority.require(users.VISITOR, "case.read", branch="MED")
    with pytest.raises(errors.NotFound, match="task.not_found"):
        authority.require(person("referent"), "task.read", **task(branch="SFX"))
    with pytest.raises(errors.NotFound, match="task.not_found"):
        authority.require(person("referent"), "task.draft", **task(branch="SFX"))
    with pytest.raises(errors.NotFound, match="document.not_found"):
        authority.require(person("administrateur"), "document.read")
    with pytest.raises(errors.NotFound, match="letter.not_found"):
        authority.require(person("referent"), "letter.read", branch="SFX")
    with pytest.raises(errors.NotFound, match="case.not_found"):
        authority.require(partner("membre_commission"), "case.search")
    with pytest.raises(errors.Forbidden, match="act.forbidden"):
        authority.require(person("referent"), "draft.write")
    assert authority.head_of("PART") == "chef_antenne" and authority.head_of("") == "chef_antenne"


def test_what_is_kept_from_an_agency_is_the_case_owners_and_hidden_from_it():
    kept, open_ = SimpleNamespace(**vars(case()), is_kept=True), SimpleNamespace(**vars(case()), is_kept=False)
    hers = task("travailleur_social", "CPS", case=kept)
    assert authority.stands_in_for(hers) == "referent" and authority.is_withheld(hers) and not authority.is_withheld(hers | {"case": open_})
    assert may(person("referent"), *HOLD, **hers) and not may(person("travailleur_social", agency="CPS"), *HOLD, **hers)
    assert may(person("travailleur_social", agency="CPS"), *HOLD, **hers | {"case": open_})
    assert not may(person("chef_cps", agency="CPS"), "task.read", "task.pass", **hers)
    about = {"branch": "MED", "case": kept}
    assert not may(person("chef_cps", agency="CPS"), "case.read", "history.read", "casefile.export", "consent.read", **about) and may(person("referent"), "case.read", "consent.change", **about)
