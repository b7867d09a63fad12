"""Accounts made, given rights and closed by administrators: what one does alone, what takes two, what nobody may."""

import pytest

from engine import errors, installation
from engine.actors import accounts, signin, users
from engine.identity import token_digest
from engine.ledger import journal, proving
from tests.engine.administration.conftest import REASON
from tests.web.small.installation import PASSWORD


def sign_in(house, username, password, kind="web"):
    with house.unit_of_work(users.VISITOR) as session:
        return signin.sign_in(session, username, password, kind)


def shown(act, user_id):
    return act("zied", accounts.show, user_id)


def test_an_account_opens_once_with_the_password_it_was_given_and_holds_nothing_until_its_owner_chose_another(house, act, account):
    given = account()
    username = shown(act, given.user_id).username
    opened = sign_in(house, username, given.password)
    assert opened.actor.must_change and opened.actor.roles == frozenset() and opened.actor.wall.reach == "none"
    with pytest.raises(errors.Unauthenticated, match="signin.change_first"):
        sign_in(house, username, given.password, "api")
    with house.unit_of_work(opened.actor) as session, pytest.raises(errors.Invalid, match="password.same"):
        signin.change_password(session, opened.actor, given.password, given.password, opened.token)
    with house.unit_of_work(opened.actor) as session:
        signin.change_password(session, opened.actor, given.password, "une phrase à elle seule", opened.token)
    now = signin.enter(house, opened.token).actor
    assert not now.must_change and now.roles == {"referent"} and now.name_ar == "إيمان السعيدي"
    with pytest.raises(errors.Unauthenticated, match="signin.wrong"):
        sign_in(house, username, given.password)


def test_a_password_given_opens_nothing_after_a_week(house, act, account):
    given = account()
    with house.owner() as connection:
        connection.exec_driver_sql("UPDATE user_account SET one_time_until = now() WHERE user_id = %s", (given.user_id,))
    with pytest.raises(errors.Unauthenticated, match="signin.wrong"):
        sign_in(house, shown(act, given.user_id).username, given.password)


def test_roles_that_decide_or_pay_wait_for_a_second_administrator(house, act, account):
    given = account(branch="TUN", roles=("referent", "ordonnateur"))
    assert shown(act, given.user_id).roles == ("referent",) and shown(act, given.user_id).proposed == ("rights",)
    with pytest.raises(errors.Forbidden, match="proposal.own"):
        act("zied", accounts.approve, given.proposal_id)
    handed = act("hajer", accounts.approve, given.proposal_id)
    assert handed.password not in ("", given.password), "whoever proposed does not know the password that comes with the rights"
    found = shown(act, given.user_id)
    assert found.roles == ("ordonnateur", "referent") and found.proposed == ()
    with pytest.raises(errors.Conflict, match="proposal.decided"):
        act("hajer", accounts.approve, given.proposal_id)
    with pytest.raises(errors.Unauthenticated):
        sign_in(house, found.username, given.password)
    assert sign_in(house, found.username, handed.password).actor.must_change


def test_a_proposal_is_refused_with_a_reason_or_withdrawn_and_then_another_may_be_made(act, account):
    given = account(branch="MED", roles=("referent", "chef_antenne"))
    with pytest.raises(errors.Conflict, match="account.proposed"):
        act("hajer", accounts.set_rights, given.user_id, "OTE", "MED", ["chef_antenne"], REASON)
    act("hajer", accounts.refuse, given.proposal_id, "Pas encore nommée")
    found = next(one for one in act("zied", accounts.proposals, user_id=given.user_id))
    assert (found.state, found.refusal, found.may) == ("refused", "Pas encore nommée", ())
    again = act("zied", accounts.set_rights, given.user_id, "OTE", "MED", ["chef_antenne"], REASON)
    act("zied", accounts.refuse, again.proposal_id, "Erreur de ma part")
    assert {one.state for one in act("zied", accounts.proposals, user_id=given.user_id)} == {"refused", "withdrawn"}


def test_the_password_of_whoever_decides_or_pays_is_given_by_two(act, account):
    given = account(branch="TUN", roles=("ordonnateur",))
    act("hajer", accounts.approve, given.proposal_id)
    asked = act("zied", accounts.reset_password, given.user_id, REASON)
    assert asked.password == "" and asked.proposal_id
    assert act("hajer", accounts.approve, asked.proposal_id).password
    assert act("zied", accounts.reset_password, account().user_id, REASON).password


def test_rights_are_moved_by_two_taken_by_one_and_come_back_by_two(act, account):
    given = account(branch="MED", roles=("chef_antenne",))
    act("hajer", accounts.approve, given.proposal_id)
    moved = act("zied", accounts.set_rights, given.user_id, "OTE", "SFX", ["chef_antenne"], REASON, is_known=True)
    assert moved.proposal_id and shown(act, given.user_id).branch == "MED"
    act("zied", accounts.refuse, moved.proposal_id, REASON)
    act("zied", accounts.close, given.user_id, REASON, is_known=True)
    back = act("zied", accounts.set_rights, given.user_id, "OTE", "MED", ["chef_antenne"], REASON)
    assert back.proposal_id and not shown(act, given.user_id).is_active
    assert act("hajer", accounts.approve, back.proposal_id).password and shown(act, given.user_id).is_active
    assert act("zied", accounts.set_rights, given.user_id, "OTE", "MED", ["referent"], REASON, is_known=True).proposal_id is None


def test_nobody_touches_her_own_rights_and_no_administrator_makes_another_alone(act, who, account):
    me = who("zied").user_id
    for verb, *given in ((accounts.set_rights, "OTE", "TUN", ["coordinateur"], REASON), (accounts.reset_password, REASON), (accounts.close, REASON),
                         (accounts.rename, "Autre", "", "fr", REASON)):  # fmt: skip
        with pytest.raises(errors.Forbidden, match="account.own"):
            act("zied", verb, me, *given)
    made = account(branch="TUN", roles=("administrateur",))
    assert made.proposal_id and shown(act, made.user_id).roles == ()
    with pytest.raises(errors.Forbidden, match="proposal.own"):
        act("zied", accounts.approve, made.proposal_id)
    about_me = act("hajer", accounts.set_rights, me, "OTE", "SFX", ["administrateur"], REASON)
    with pytest.raises(errors.Forbidden, match="proposal.own"):
        act("zied", accounts.approve, about_me.proposal_id)
    act("hajer", accounts.refuse, about_me.proposal_id, REASON)


@pytest.mark.parametrize(
    ("what", "code"),
    [({"roles": ("gestionnaire_aides", "ordonnateur"), "branch": "TUN"}, "user.roles_apart"), ({"roles": ("auditeur", "referent"), "branch": "TUN"}, "user.roles_apart"),
     ({"roles": ("travailleur_social",)}, "user.roles"), ({"branch": "XXX"}, "user.branch"), ({"roles": ()}, "user.no_role")],
)  # fmt: skip
def test_what_one_person_may_not_hold_is_refused_with_a_sentence(account, what, code):
    with pytest.raises(errors.Invalid, match=f"^{code}$"):
        account(**what)


def test_closing_an_account_ends_its_sessions_at_once(house, act, account):
    given = account()
    opened = sign_in(house, shown(act, given.user_id).username, given.password)
    act("zied", accounts.close, given.user_id, "Départ à la retraite")
    assert signin.enter(house, opened.token) is None
    with house.owner() as connection:
        revoked = connection.exec_driver_sql("SELECT revoked_at IS NOT NULL FROM user_session WHERE token_digest = %s", (token_digest(opened.token),)).scalar_one()
    assert revoked
    with pytest.raises(errors.Conflict, match="account.closed"):
        act("zied", accounts.close, given.user_id, REASON)


def test_a_session_that_is_open_loses_a_role_taken_away_at_its_next_act(house, act, account):
    given = account(roles=("referent", "agent_accueil"))
    opened = sign_in(house, shown(act, given.user_id).username, given.password)
    with house.unit_of_work(opened.actor) as session:
        signin.change_password(session, opened.actor, given.password, PASSWORD, opened.token)
    assert signin.enter(house, opened.token).actor.roles == {"referent", "agent_accueil"}
    act("zied", accounts.set_rights, given.user_id, "OTE", "MED", ["agent_accueil"], REASON)
    assert signin.enter(house, opened.token).actor.roles == {"agent_accueil"}


def test_every_change_says_who_what_and_why_and_needs_a_reason(house, act, who, account):
    given = account()
    act("hajer", accounts.rename, given.user_id, "Imen Ben Saïdi", "إيمان بن السعيدي", "ar", "Mariage")
    act("zied", accounts.close, given.user_id, "Mutation")
    for verb, *said in ((accounts.close, " "), (accounts.rename, "A", "", "fr", ""), (accounts.reset_password, "x" * 501)):
        with pytest.raises(errors.Invalid, match="admin.reason"):
            act("zied", verb, given.user_id, *said)
    with house.reading(who("chokri")) as session:
        lines = journal.read(session, about=f"user:{given.user_id}")
    assert [(one.kind, one.said["reason"], one.actor_id) for one in lines] == [
        ("account.closed", "Mutation", str(who("zied").user_id)), ("account.renamed", "Mariage", str(who("hajer").user_id)),
        ("account.created", REASON, str(who("zied").user_id))]  # fmt: skip
    assert lines[1].said["was"]["name"] == "Imen Saïdi" and "Imen" not in str([one.body for one in lines])


def test_accounts_are_found_by_what_they_may_do_and_by_not_being_used(house, act, account):
    given = account(branch="SFX")
    assert given.user_id in {one.user_id for one in act("chokri", accounts.listed, branch="SFX", role="referent", state="new")}
    assert given.user_id not in {one.user_id for one in act("zied", accounts.listed, idle_days=30)}
    with house.owner() as connection:
        connection.exec_driver_sql("UPDATE user_account SET created_at = now() - interval '40 days' WHERE user_id = %s", (given.user_id,))
    assert given.user_id in {one.user_id for one in act("zied", accounts.listed, idle_days=30)}
    assert [one.username for one in act("zied", accounts.listed, search="زياد")] == ["zied"]
    assert act("zied", accounts.show, act("zied", accounts.listed, search="zied")[0].user_id).last_signin_at


def test_an_account_made_at_the_terminal_has_its_line_too(house, who):
    installation.add_user(house, "t.premier", "Premier Admin", "OTE", "TUN", ["administrateur"], PASSWORD)
    assert sign_in(house, "t.premier", PASSWORD).actor.roles == {"administrateur"}
    with house.reading(who("chokri")) as session:
        line = journal.read(session, limit=1)[0]
    assert line.kind == "account.created" and line.said["username"] == "t.premier" and line.actor_id == ""
    assert proving.prove(house, users.system()).wrong == []
