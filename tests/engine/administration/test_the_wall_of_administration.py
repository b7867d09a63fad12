"""What PostgreSQL refuses of administration by itself: to every other role all of it, to an administrator what takes two, the past, and what has no line."""

import json

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from engine.actors import users
from engine.actors.roles import GIVEN_BY_TWO, ROLES, clash
from engine.identity import new_id
from engine.ledger import journal, proving

TWO = sorted(GIVEN_BY_TWO)
HASH = "$argon2id$nobody"
# What would change rights or rules, as the application's role: each alone is the whole attack.
STATEMENTS = {
    "make an account": ("INSERT INTO user_account (user_id, username, name, agency, branch, roles, password_hash, one_time_until) "
                        "VALUES (gen_random_uuid(), gen_random_uuid()::text, 'X', 'OTE', 'MED', '{referent}', 'x', now())"),
    "give another a role": "UPDATE user_account SET roles = '{agent_accueil,referent}' WHERE username = 'salma'",
    "give oneself a role": "UPDATE user_account SET roles = roles || '{referent}' WHERE user_id = masar_setting('user_id')::uuid",
    "open one's closed account": "UPDATE user_account SET is_active = NOT is_active WHERE user_id = masar_setting('user_id')::uuid",
    "move to another branch": "UPDATE user_account SET branch = 'SFX', agency = 'OTE' WHERE user_id = masar_setting('user_id')::uuid AND branch <> 'SFX'",
    "take another's password": "UPDATE user_account SET password_hash = 'x' WHERE username = 'salma'",
    "propose rights": "INSERT INTO account_proposal (proposal_id, user_id, kind, agency, branch, roles, reason, proposed_by) SELECT gen_random_uuid(), user_id, 'rights', "
                      "'OTE', 'MED', '{referent}', 'x', masar_setting('user_id')::uuid FROM user_account WHERE username = 'salma'",
    "begin a review": "INSERT INTO access_review (review_id, idle_days, opened_by) VALUES (gen_random_uuid(), 9, masar_setting('user_id')::uuid)",
    "open a branch": "INSERT INTO branch VALUES ('GAF', '{}', '2099-01-01', '{}', '{OTE}')",
    "move governorates": "INSERT INTO branch_change VALUES ('SFX', '2099-01-01', '{}', '{}', '{OTE}')",
    "rename an agency": "INSERT INTO agency_change VALUES ('OTE', '2099-01-01', '{}')",
    "begin a programme": "INSERT INTO programme VALUES ('X-1', 1, '2099-01-01', NULL, '{}', '', true)",
    "end a programme": "UPDATE programme SET valid_to = '2098-01-01' WHERE code = 'TOUNESNA-EU'",
    "fill a fund": "UPDATE fund SET available_millimes = available_millimes + 1 WHERE programme = 'TOUNESNA-EU'",
    "make a fund": "INSERT INTO fund VALUES ('X-1', 1)",
    "set a parameter": "INSERT INTO parameter VALUES ('quorum_minimum', '2099-01-01', NULL, '1', '{}', '', true)",
    "close a day": "INSERT INTO holiday VALUES ('2099-01-02', '{}', false)",
    "open a day": "DELETE FROM holiday WHERE day = (SELECT max(day) FROM holiday)",
    "write in the journal": "INSERT INTO journal_line (seq, kind, about, line, hash) SELECT coalesce(max(seq), 0) + 1, 'x', 'y', '{}', sha256('{}') FROM journal_line",
    "end another's sessions": "SELECT masar_end_sessions(user_id) FROM user_account WHERE username = 'salma'",
}
_STATE = text("""SELECT md5(string_agg(t, '' ORDER BY t)) FROM (
    SELECT u::text || coalesce((SELECT count(*)::text FROM user_session s WHERE s.user_id = u.user_id AND revoked_at IS NULL), '') AS t FROM user_account u
    UNION ALL SELECT p::text FROM account_proposal p UNION ALL SELECT r::text FROM access_review r UNION ALL SELECT b::text FROM branch b
    UNION ALL SELECT c::text FROM branch_change c UNION ALL SELECT a::text FROM agency_change a UNION ALL SELECT p::text FROM programme p
    UNION ALL SELECT f::text FROM fund f UNION ALL SELECT p::text FROM parameter p UNION ALL SELECT h::text FROM holiday h UNION ALL SELECT j::text FROM journal_line j) all_of_it""")


@pytest.fixture(scope="module")
def one_of_each(house):
    """A person of every role, made by the owner of the installation."""
    made = {}
    with house.owner() as connection:
        for role, found in ROLES.items():
            agency = sorted(found.agencies)[0]
            user_id, branch = new_id(), "TUN" if found.is_central else "MED"
            connection.execute(text("INSERT INTO user_account (user_id, username, name, agency, branch, roles, password_hash) VALUES (:id, :name, 'X', :agency, :branch, :roles, :hash)"),
                               {"id": user_id, "name": f"x-{role}", "agency": agency, "branch": branch, "roles": [role], "hash": HASH})  # fmt: skip
            made[role] = users.Actor(user_id, f"x-{role}", "X", agency, branch, frozenset({role}))
    return made


def tried(house, actor, *statements):
    """Tries statements as the application would in this actor's name: the error, or nothing."""
    try:
        with house.unit_of_work(actor) as session:
            for one in statements:
                one(session) if callable(one) else session.execute(text(one))
    except DBAPIError as trouble:
        return str(trouble.orig)
    return ""


def state(house):
    with house.owner() as connection:
        return connection.execute(_STATE).scalar_one()


@pytest.mark.parametrize("role", sorted(ROLES.keys() - {"administrateur"}))
def test_no_other_role_changes_rights_or_rules_whatever_statement_it_finds(house, one_of_each, role):
    before = state(house)
    refused = {name: tried(house, one_of_each[role], statement) for name, statement in STATEMENTS.items()}
    assert state(house) == before, refused


def test_nor_does_the_system_a_visitor_or_whoever_was_given_her_password(house, one_of_each):
    held = one_of_each["administrateur"]
    with house.owner() as connection:
        connection.execute(text("UPDATE user_account SET one_time_until = now() + interval '1 day' WHERE user_id = :id"), {"id": held.user_id})
    before = state(house)
    for actor in (users.system(), users.VISITOR, held):
        refused = {name: tried(house, actor, statement) for name, statement in STATEMENTS.items()}
        assert state(house) == before, (actor.username, refused)
    with house.owner() as connection:
        connection.execute(text("UPDATE user_account SET one_time_until = NULL WHERE user_id = :id"), {"id": held.user_id})


def test_the_policies_hold_by_themselves_without_the_triggers(house, one_of_each):
    tables = "user_account account_proposal access_review branch branch_change agency_change programme fund parameter holiday journal_line".split()
    # One's own row and the money inside a fund are everybody's to write: there the triggers stand alone.
    apart = {"give oneself a role", "open one's closed account", "move to another branch", "fill a fund"}
    before = state(house)
    with house.owner() as connection:
        for table in tables:
            connection.exec_driver_sql(f"ALTER TABLE {table} DISABLE TRIGGER USER")
    for role in ("referent", "coordinateur", "auditeur", "ordonnateur"):
        refused = {name: tried(house, one_of_each[role], statement) for name, statement in STATEMENTS.items() if name not in apart}
        assert state(house) == before, (role, refused)
    with house.owner() as connection:
        for table in tables:
            connection.exec_driver_sql(f"ALTER TABLE {table} ENABLE TRIGGER USER")


def test_an_administrator_changes_nothing_without_its_line(house, one_of_each):
    before = state(house)
    for name, statement in STATEMENTS.items():
        if name != "end another's sessions":
            assert tried(house, one_of_each["administrateur"], statement) or state(house) == before, name
            assert state(house) == before, name


def lined(actor):
    return lambda session: journal.append(session, actor, "account.renamed", "user:" + str(actor.user_id), {}, {})


@pytest.mark.parametrize(("name", "statement"), [
    ("rights by one", f"UPDATE user_account SET roles = '{{{TWO[5]}}}' WHERE username = 'karim'"),
    ("an account born with them", f"INSERT INTO user_account (user_id, username, name, agency, branch, roles, password_hash, one_time_until) VALUES (gen_random_uuid(), 'z', 'Z', 'OTE', 'TUN', '{{{TWO[0]}}}', 'x', now())"),
    ("an account without a one-time password", "INSERT INTO user_account (user_id, username, name, agency, branch, roles, password_hash) VALUES (gen_random_uuid(), 'z', 'Z', 'OTE', 'TUN', '{referent}', 'x')"),
    ("her own rights", "UPDATE user_account SET roles = '{coordinateur}' WHERE user_id = masar_setting('user_id')::uuid"),
    ("her own branch", "UPDATE user_account SET branch = 'MED' WHERE user_id = masar_setting('user_id')::uuid"),
    ("a coordinator's password", "UPDATE user_account SET password_hash = 'x', one_time_until = now() + interval '1 day' WHERE username = 'meriem'"),
    ("a coordinator elsewhere", "UPDATE user_account SET branch = 'SFX' WHERE username = 'meriem'"),
    ("a password for good", "UPDATE user_account SET password_hash = 'x' WHERE username = 'karim'"),
    ("roles kept apart", "UPDATE user_account SET roles = '{auditeur,referent}' WHERE username = 'karim'"),
    ("her own proposal approved", "UPDATE account_proposal SET state = 'approved', decided_by = masar_setting('user_id')::uuid, xid = pg_current_xact_id() WHERE proposed_by = masar_setting('user_id')::uuid"),
    ("a holiday in the past", "INSERT INTO holiday VALUES ('2020-01-02', '{}', false)"),
    ("a past day opened", "DELETE FROM holiday WHERE day = (SELECT min(day) FROM holiday)"),
    ("a parameter since ever", "INSERT INTO parameter VALUES ('quorum_minimum', '2018-01-01', '2019-08-31', '1', '{}', '', true)"),
    ("a parameter's value in place", "UPDATE parameter SET value = '1' WHERE code = 'quorum_minimum'"),
    ("a parameter gone", "DELETE FROM parameter WHERE code = 'quorum_minimum'"),
    ("a programme ended last year", "UPDATE programme SET valid_to = '2025-01-01' WHERE code = 'TOUNESNA-EU'"),
    ("a programme back from its end", "UPDATE programme SET valid_to = NULL WHERE code = 'OFII-TN-2023'"),
    ("a branch opened last year", "INSERT INTO branch VALUES ('KEF', '{}', '2025-01-01', '{}', '{OTE}')"),
    ("the journal corrected", "UPDATE journal_line SET line = ''"),
    ("the journal cut", "DELETE FROM journal_line"),
    ("the past of an open branch", "UPDATE branch SET opened_on = '2099-01-01' WHERE code = 'MED'"),
])  # fmt: skip
def test_an_administrator_with_her_line_does_not_do_alone_what_takes_two_nor_what_has_been(house, one_of_each, name, statement):
    me = one_of_each["administrateur"]
    propose = ("INSERT INTO account_proposal (proposal_id, user_id, kind, agency, branch, roles, reason, proposed_by) SELECT gen_random_uuid(), user_id, 'rights', agency, branch, "
               f"'{{{TWO[5]}}}', 'x', masar_setting('user_id')::uuid FROM user_account WHERE username = 'karim'")  # fmt: skip
    before = state(house)
    with house.unit_of_work(me) as session:  # first that the fixture is one the wall lets work at all
        session.execute(text("SELECT 1"))
    assert tried(house, me, lined(me), propose, statement) != "", name
    assert state(house) == before


def test_an_administrator_with_her_line_does_what_is_hers(house, one_of_each):
    me = one_of_each["administrateur"]
    assert tried(house, me, lined(me), "UPDATE user_account SET name = 'Karim B. A.' WHERE username = 'karim'") == ""
    assert tried(house, me, lined(me), "INSERT INTO holiday VALUES ('2099-03-04', '{}', false)", "DELETE FROM holiday WHERE day = '2099-03-04'") == ""


def test_both_walls_know_the_same_roles(house):
    with house.owner() as connection:
        assert set(connection.execute(text("SELECT masar_given_by_two()")).scalar_one()) == GIVEN_BY_TWO
        for one in ROLES:
            for other in ROLES:
                held = sorted({one, other})
                assert connection.execute(text("SELECT masar_clash(:held)"), {"held": held}).scalar_one() is bool(clash(frozenset(held))), held


def test_a_line_that_lies_about_its_author_or_its_place_is_refused(house, one_of_each, who):
    me, other = one_of_each["administrateur"], who("zied")
    assert "says of itself" in tried(house, me, lined(other))

    def skipping(session):
        session.execute(text("INSERT INTO journal_line (seq, kind, about, line, hash) VALUES (999999, 'x', 'y', :line, sha256(convert_to(:line, 'UTF8')))"), {"line": json.dumps({})})

    assert "does not follow" in tried(house, me, skipping)


def test_the_journal_is_proved_and_every_change_of_it_is_found(house, act, account, make_database):
    account(), account()
    assert proving.prove(house, users.system()).wrong == []
    for change, code in (("UPDATE journal_line SET line = replace(line, 'OTE', 'CPS') WHERE seq = 1", "chain.hash"), ("DELETE FROM journal_line WHERE seq = 1", "chain.gap"),
                         ("UPDATE journal_line SET ciphertext = (SELECT ciphertext FROM journal_line ORDER BY seq DESC LIMIT 1) WHERE seq = 1", "sealed.other")):  # fmt: skip
        with house.owner() as connection:
            kept = [tuple(row) for row in connection.exec_driver_sql("SELECT seq, kind, about, line, hash, key_id, ciphertext, xid::text FROM journal_line WHERE seq = 1")]
            connection.exec_driver_sql("ALTER TABLE journal_line DISABLE TRIGGER USER")
            connection.execute(text(change))
        assert [one.code for one in proving.prove(house, users.system()).wrong] == [code]
        with house.owner() as connection:
            connection.exec_driver_sql("DELETE FROM journal_line WHERE seq = 1")
            connection.exec_driver_sql("INSERT INTO journal_line VALUES (%s, %s, %s, %s, %s, %s, %s, %s::xid8)", kept[0])
            connection.exec_driver_sql("ALTER TABLE journal_line ENABLE TRIGGER USER")
    assert proving.prove(house, users.system()).wrong == []
