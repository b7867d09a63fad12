"""Accounts and sessions: who comes in, who is kept out, and what stays on the server."""

import pytest
from sqlalchemy import text

from engine import errors
from engine.actors import agencies, authority, signin, users
from engine.identity import new_id, token_digest

PASSWORD = "une phrase assez longue"


@pytest.fixture
def account(database):
    """Makes an account of the referents in Médenine, unless told otherwise."""
    with database.owner() as connection:
        agencies.install(connection)

    def make(agency="OTE", branch="MED", roles=("referent",), **more):
        username = f"u{new_id().hex[-12:]}"
        with database.owner() as connection:
            users.create(connection, username, "Amel Trabelsi", agency, branch, roles, PASSWORD, **more)
        return username

    return make


def sign_in(database, username, password=PASSWORD, kind="web"):
    with database.unit_of_work(users.VISITOR) as session:
        return signin.sign_in(session, username, password, kind, "a browser")


def enter(database, token):
    return signin.enter(database, token)


def test_the_right_password_opens_a_session_whose_token_is_nowhere_in_the_database(database, account):
    opened = sign_in(database, account())
    entered = enter(database, opened.token)
    assert entered.actor == opened.actor and entered.actor.roles == {"referent"} and entered.kind == "web" and entered.csrf == opened.csrf
    with database.owner() as connection:
        stored = connection.execute(text("SELECT s::text FROM user_session s WHERE token_digest = :d"), {"d": token_digest(opened.token)}).scalar_one()
    assert opened.token not in stored


def test_a_password_is_kept_as_owasp_says(passwords):
    kept = passwords.hash(PASSWORD)
    assert kept.startswith("$argon2id$v=19$m=19456,t=2,p=1$") and passwords.verify(PASSWORD, kept) and not passwords.verify("not it", kept)


@pytest.mark.parametrize("token", ["", "x", "a" * 5000, "\u0000"])
def test_a_token_nobody_was_given_opens_nothing(database, token):
    assert enter(database, token) is None


def test_a_wrong_name_and_a_wrong_password_are_refused_in_the_same_words(database, account):
    username = account()
    for name, password in ((username, "not it"), ("nobody-" + username, PASSWORD), ("\u0000", PASSWORD), ("", ""), (username, "x" * 100_000)):
        with pytest.raises(errors.Unauthenticated, match=r"^signin\.wrong$"):
            sign_in(database, name, password)


def test_after_five_failures_even_the_right_password_waits_and_nobody_learns_whether_the_name_exists(database, account):
    for name in (account(), f"nobody{new_id().hex}"):
        for _ in range(5):
            with pytest.raises(errors.Unauthenticated, match="signin.wrong"):
                sign_in(database, name.upper(), "not it")
        with pytest.raises(errors.Unauthenticated, match="signin.too_many"):
            sign_in(database, name)
    with database.owner() as connection:
        connection.execute(text("UPDATE signin_attempt SET failed_at = failed_at - interval '16 minutes'"))


def test_the_wait_ends_after_a_quarter_of_an_hour(database, account):
    username = account()
    for _ in range(5):
        with pytest.raises(errors.Unauthenticated):
            sign_in(database, username, "not it")
    with database.owner() as connection:
        connection.execute(text("UPDATE signin_attempt SET failed_at = failed_at - interval '16 minutes'"))
    assert sign_in(database, username).actor.username == username


def test_signing_out_closes_the_session_on_the_server_and_no_other(database, account):
    username = account()
    one, other = sign_in(database, username), sign_in(database, username, kind="api")
    for token in (one.token, one.token, "nothing"):
        with database.unit_of_work(users.VISITOR) as session:
            signin.sign_out(session, token)
    assert enter(database, one.token) is None
    assert enter(database, other.token).kind == "api"


def test_a_disabled_account_and_an_expired_session_open_nothing_at_once(database, account):
    disabled, expired = sign_in(database, account()), sign_in(database, account())
    with database.owner() as connection:
        connection.execute(text("UPDATE user_account SET is_active = false WHERE user_id = :u"), {"u": disabled.actor.user_id})
        connection.execute(text("UPDATE user_session SET expires_at = now() WHERE user_id = :u"), {"u": expired.actor.user_id})
    assert enter(database, disabled.token) is None and enter(database, expired.token) is None
    with pytest.raises(errors.Unauthenticated):
        sign_in(database, disabled.actor.username)


def test_one_sees_and_closes_ones_own_sessions_only(database, account):
    here, there, stranger = sign_in(database, username := account()), sign_in(database, username), sign_in(database, account())
    with database.reading(here.actor) as session:
        listed = signin.sessions(session, here.actor, here.token)
    assert {one.is_this for one in listed} == {True, False} and len(listed) == 2
    theirs = token_digest(stranger.token).hex()
    for name in (theirs, "not hex", "00"):
        with pytest.raises(errors.NotFound), database.unit_of_work(here.actor) as session:
            signin.end_session(session, here.actor, name)
    with database.unit_of_work(here.actor) as session:
        signin.end_session(session, here.actor, next(one.session_id for one in listed if not one.is_this))
    assert enter(database, there.token) is None
    assert enter(database, here.token) and enter(database, stranger.token)


def test_changing_the_password_needs_the_old_one_and_closes_the_other_sessions(database, account):
    here, there = sign_in(database, username := account()), sign_in(database, username)
    for old, new, code in (
        ("not it", "another long phrase", "password.wrong"),
        (PASSWORD, "short", "password.short"),
        (PASSWORD, username.upper(), "password"),
    ):
        with pytest.raises(errors.Invalid, match=code), database.unit_of_work(here.actor) as session:
            signin.change_password(session, here.actor, old, new, here.token)
    with database.unit_of_work(here.actor) as session:
        signin.change_password(session, here.actor, PASSWORD, "another long phrase", here.token)
    assert enter(database, there.token) is None and enter(database, here.token)
    assert sign_in(database, username, "another long phrase")
    with pytest.raises(errors.Unauthenticated):
        sign_in(database, username)


def test_the_language_chosen_is_kept_and_changes_nobody_elses(database, account):
    one, other = sign_in(database, account()), sign_in(database, account())
    with database.unit_of_work(one.actor) as session:
        users.choose_language(session, one.actor, "ar")
        users.choose_language(session, other.actor, "en")  # the database lets one change one's own account only
    assert enter(database, one.token).actor.language == "ar" and enter(database, other.token).actor.language == "fr"
    with pytest.raises(errors.Invalid, match="user.language"), database.unit_of_work(one.actor) as session:
        users.choose_language(session, one.actor, "de")


@pytest.mark.parametrize(
    ("what", "code"),
    [({"roles": ()}, "user.no_role"), ({"roles": ("travailleur_social",)}, "user.roles"), ({"roles": ("roi",)}, "user.roles_unknown"), ({"branch": "XXX"}, "user.branch"),
     ({"roles": ("gestionnaire_aides", "ordonnateur"), "branch": "TUN"}, "user.roles_apart"), ({"roles": ("auditeur", "referent")}, "user.roles_apart"),
     ({"language": "de"}, "user.language")],
)  # fmt: skip
def test_an_account_that_cannot_be_is_refused(account, what, code):
    with pytest.raises(errors.Invalid, match=f"^{code}$"):
        account(**what)


def test_two_accounts_of_one_name_are_refused_and_the_first_stays(database, account):
    username = account()
    with database.owner() as connection:
        with pytest.raises(errors.Conflict, match="user.exists"):
            users.create(connection, username.upper(), "Another", "OTE", "MED", ["referent"], PASSWORD)
    assert sign_in(database, username).actor.name == "Amel Trabelsi"


def test_demo_accounts_are_listed_in_a_demo_installation_only(make_database):
    database = make_database()
    with database.owner() as connection:
        agencies.install(connection)
        users.create(connection, "amel", "Amel", "OTE", "MED", ["referent"], signin.DEMO_PASSWORD, is_demo=True)
        users.create(connection, "real", "Real", "OTE", "MED", ["referent"], PASSWORD)

    def listed():
        with database.reading(users.VISITOR) as session:
            return [(one.username, one.password) for one in signin.demo_accounts(session)]

    assert listed() == []
    with database.owner() as connection:
        connection.execute(text("INSERT INTO installation (is_demo) VALUES (true)"))
    assert listed() == [("amel", signin.DEMO_PASSWORD)]
    assert sign_in(database, "amel", signin.DEMO_PASSWORD)


def test_a_role_of_another_agency_gives_nothing(database, account):
    username = account()
    with database.owner() as connection:
        connection.execute(text("UPDATE user_account SET roles = '{travailleur_social,roi}' WHERE username = :u"), {"u": username})
    actor = sign_in(database, username).actor
    assert actor.roles == frozenset() and actor.wall.reach == "none" and not actor.wall.may_write
    assert not authority.may(actor, "case.read", branch="MED")
