"""A witness cosigns what goes on from what it saw, and shouts at everything else; the word it leaves is kept, nobody else's is."""

import json

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import text

from api.app import create_app
from engine import clock, settings
from engine.actors import users
from engine.ledger import log, notes, proving, witness
from tests.engine.ledger import attacks
from tests.faults import village


@pytest.fixture
def hamlet(make_database):
    database = make_database(village.furnish)
    village.open_case(database)
    seal(database)
    return database


def seal(database):
    with database.unit_of_work(users.system()) as session:
        log.seal(session, users.system())


def asking(database):
    """The API as a witness asks it, without a wire."""
    program = TestClient(create_app(settings.Settings(), database), raise_server_exceptions=False)

    def ask(path, posted):
        answer = program.get(f"/log{path}") if posted is None else program.post(f"/log{path}", json=posted)
        if answer.status_code >= 400:
            raise (witness.Refused if answer.status_code < 500 else witness.CannotLook)(str(answer.status_code))
        return answer.json()

    return ask


@pytest.fixture
def watching(hamlet, tmp_path):
    """A witness that knows the log's key and is named by it."""
    made = witness.Witness(tmp_path / "cps", asking(hamlet))
    key = made.begin("cps.test")
    with hamlet.owner_work() as session:
        log.name_witness(session, users.system(), key, "CPS")
    with hamlet.reading(users.VISITOR) as session:
        made.trust(log.keys(session)[0])
    return made


def go_on(database):
    case_id, task_id = village.open_case(database)
    village.complete(database, task_id)
    seal(database)
    return case_id


def test_it_cosigns_what_goes_on_and_its_word_is_kept(hamlet, watching):
    assert "cosigned" in watching.look()
    go_on(hamlet)
    assert "cosigned" in watching.look()
    assert watching.look().startswith("Nothing new")
    with hamlet.reading(users.VISITOR) as session:
        note = notes.open_note(log.latest(session).note)
    assert [name for name, _, _ in note.signatures][1:] == ["cps.test"]
    proof = proving.prove(hamlet, users.system())
    assert (proof.wrong, proof.cosignatures) == ([], 2)


def test_it_follows_a_key_that_the_old_one_vouches_for_and_no_other(hamlet, watching):
    watching.look()
    with hamlet.unit_of_work(users.system()) as session:
        log.rotate(session, users.system())
    go_on(hamlet)
    assert "vouches" in watching.look()
    with hamlet.unit_of_work(users.system()) as session:
        log.replace_lost_key(session, users.system())
    with pytest.raises(witness.Shout, match="not signed by the key"):
        watching.look()


def rewritten(database, case_id):
    with attacks.past_the_guards(database) as connection:
        attacks.rewrite(connection, case_id, 2, attacks.another_author)
        attacks.grow_tree_anew(connection, attacks.stolen(database))


def test_it_shouts_at_what_was_rewritten_with_the_stolen_key_and_says_where(hamlet, watching):
    watching.look()
    first = watching.seen()[-1]["size"]
    case_id = go_on(hamlet)
    watching.look()
    go_on(hamlet)
    watching.look()
    rewritten(hamlet, case_id)
    with pytest.raises(witness.Shout, match=f"entries {first} to "):
        watching.look()
    go_on(hamlet)
    with pytest.raises(witness.Shout, match=f"entries {first} to "):
        watching.look()
    assert {one.code for one in proving.prove(hamlet, users.system()).wrong} == {"cosignature.wrong"}, "the words kept beside do not fit either"


def test_a_witness_that_began_afterwards_sees_nothing(hamlet, watching):
    """The defence taken away: what it never saw, it cannot miss."""
    case_id = go_on(hamlet)
    rewritten(hamlet, case_id)
    assert "cosigned" in watching.look()


def test_it_shouts_at_an_old_backup(hamlet, watching, tmp_path):
    go_on(hamlet)
    watching.look()
    with attacks.past_the_guards(hamlet) as connection:
        connection.exec_driver_sql("DELETE FROM log_cosignature; DELETE FROM log_checkpoint WHERE size = (SELECT max(size) FROM log_checkpoint)")
    with pytest.raises(witness.Shout, match="cut"):
        watching.look()


def test_it_shouts_at_another_log_and_at_one_that_refuses_to_prove(hamlet, watching):
    watching.look()
    go_on(hamlet)
    ask = watching.ask

    def refusing(path, posted):
        if "consistency" in path:
            raise witness.Refused("404")
        return ask(path, posted)

    watching.ask = refusing
    with pytest.raises(witness.Shout, match="rewritten"):
        watching.look()
    stranger = notes.make_key("masar/elsewhere")
    watching.ask = lambda path, posted: {"note": notes.sign(str(notes.Checkpoint("masar/elsewhere", 9, bytes(32))), stranger), "keys": []}
    with pytest.raises(witness.Shout, match="not signed"):
        watching.look()


@pytest.mark.parametrize("answer", [{}, {"note": "x"}, {"note": "a\n1\nAA==\n\n— a AAAA\n", "keys": []}, [], {"note": 5, "keys": 3}])
def test_what_it_cannot_read_is_no_reason_to_be_quiet(watching, answer, monkeypatch, capsys):
    monkeypatch.setattr(witness, "over_http", lambda _address: lambda _path, _posted: answer)
    assert witness.main(["look", str(watching.folder), "https://x"]) != 0
    assert capsys.readouterr().err


def test_no_word_but_a_named_witness_s_is_kept(hamlet, watching):
    watching.look()
    with hamlet.reading(users.VISITOR) as session:
        found = log.latest(session)
    said = notes.open_note(found.note).text
    stranger = notes.make_key("cps.test", notes.COSIGNATURE)
    program = TestClient(create_app(settings.Settings(), hamlet))
    line = json.loads((watching.folder / "seen").read_text().splitlines()[-1])["line"]
    assert program.post(f"/log/checkpoints/{found.size}/cosignatures", json={"line": line}).status_code == 200
    for wrong in (notes.cosign(said, stranger, clock.system_now()), line[:-8] + "AAAAAA=\n", "x"):
        answer = program.post(f"/log/checkpoints/{found.size}/cosignatures", json={"line": wrong})
        assert (answer.status_code, answer.json()["code"]) == (422, "log.cosignature_wrong")
    with hamlet.owner() as connection:
        assert connection.execute(text("SELECT count(*) FROM log_cosignature")).scalar_one() == 1


def test_a_folder_that_is_a_witness_s_already_keeps_its_key_and_says_so(tmp_path, capsys):
    assert witness.main(["begin", str(tmp_path), "cps.test"]) == 0
    kept = (tmp_path / "witness.key").read_text("utf-8")
    assert witness.main(["begin", str(tmp_path), "cps.test"]) == 2
    said = capsys.readouterr().err
    assert "witness's already" in said and "Errno" not in said and said.count("\n") == 1
    assert (tmp_path / "witness.key").read_text("utf-8") == kept
