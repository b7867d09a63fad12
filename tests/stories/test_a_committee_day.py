"""A committee day (domain.md §4.7, P6): files studied in parallel by each member on one screen, opinions sealed until all are given, decided one after the other, signed, sent back."""

import re
from uuid import uuid4

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import text

from api.app import create_app as create_api
from engine import clock, errors
from engine.actors import signin, users
from engine.casework import cases, player, sittings
from engine.settings import Settings
from tests.api.conftest import Program
from web.app import create_app


class Window:
    """Somebody at the sitting's page, without script: reads it, fills it, presses its buttons."""

    def __init__(self, database, username):
        self.client = TestClient(create_app(Settings(is_demo=True), database), base_url="http://masar.test")
        self.page = self.client.get("/signin")
        self.page = self.client.post("/signin", data={"csrf": self.hidden("csrf"), "username": username, "password": signin.DEMO_PASSWORD, "next": ""})

    def hidden(self, name):
        return re.search(rf'name="{name}" value="([^"]*)"', self.page.text)[1]

    def get(self, address):
        self.page = self.client.get(address)
        return self.page.text

    def press(self, act, **said):
        """Posts the file's form with what it holds and what is said; answers the page that follows."""
        form = self.page.text[self.page.text.index('id="answers"') :]
        held = dict(re.findall(r'<input[^>]*type="(?:text|hidden)"[^>]*name="([^"]+)" value="([^"]*)"', form)) | dict(re.findall(r'type="radio"[^>]*name="([^"]+)" value="([^"]*)" checked', form))
        held |= {name: value for name, body in re.findall(r'<select[^>]*name="([^"]+)"[^>]*>(.*?)</select>', form) for value in re.findall(r'value="([^"]*)" selected', body)}
        held |= {name: self.hidden(name) for name in ("csrf", "task", "version", "key")}
        for name, value in re.findall(r'<input[^>]*type="checkbox"[^>]*name="([^"]+)" value="([^"]*)" checked', form):
            held.setdefault(name, []).append(value)
        address = re.search(r'id="answers"[^>]*action="([^"]+)"', self.page.text)[1]
        self.page = self.client.post(address, data={**held, **{name.replace("__", "."): value for name, value in said.items()}, "act": act})
        return self.page.text

    @property
    def file(self):
        return str(self.page.url).rpartition("/")[2]


def convened(world, wishes):
    """So many files put down at one sitting, whose agenda is published."""
    cases = [world.receive(world.somebody(wish, number, **said)) for number, (wish, said) in enumerate(wishes, 1)]
    called = world.reaches("T651")
    while _put_down(world) < len(cases):
        world.answers(next(row for row in world.open_tasks() if row.root_id in cases))
    world.answers(called, seance__bailleur_convoque=False)
    world.reaches("T653")
    return called.root_id


def _put_down(world):
    with world.database.reading(users.system()) as session:
        return session.execute(text("SELECT jsonb_array_length(coalesce(scope -> 'aide', '[]')) FROM instance WHERE process = 'seance_commission'")).scalar() or 0


def look(world, who, sitting_id):
    with world.database.reading(who) as session:
        return sittings.show(session, who, sitting_id)


def opinions(world, who, aid_id):
    with world.database.reading(who) as session:
        return set(session.execute(text("SELECT field FROM fact WHERE is_current AND subject = :aid AND field LIKE 'aide.prevote%'"), {"aid": f"aide:{aid_id}"}).scalars())


def _told(world, who, sitting_id):
    """The conflicts of interest that the history of a sitting tells somebody of, and its replay as well as the history."""
    with world.database.reading(who) as session:
        told = [one for line in cases.history(session, who, sitting_id).items for one in line.values if one["field"].startswith("aide.conflit_")]
        replayed = [one for one in player.frame(session, who, sitting_id, when=clock.now(session)).facts if one.field.startswith("aide.conflit_")]
    return [len(replayed) == len(told)] * len(told)


def test_a_sitting_is_worked_through_on_one_screen_and_nobody_votes_after_another(world):
    sitting_id = convened(world, [("creation", {}), ("creation", {}), ("creation", {})])
    row = {one.agency: one for one in world.open_tasks(sitting_id) if one.node.startswith("T653")}
    members = {agency: world.who_does(one) for agency, one in row.items()}
    first = look(world, members["CPS"], sitting_id).files[0].aid_id

    # A member goes through her files; each answer leads to the next, and what she was typing stands there again after a reload.
    window = Window(world.database, members["CPS"].username)
    page = window.get(f"/sittings/{sitting_id}")
    assert page.count('class="place"') == 3 and "aide.conflit_cps" in page
    assert "avis technique" in page, "the whole file is there to be read while it is studied, its project too"
    window.press("draft", aide__conflit_cps="false", aide__prevote_cps="favorable", aide__question_cps="Le bail est-il signé ?")
    assert "Le bail est-il signé" in window.get(f"/sittings/{sitting_id}/{first}")
    window.press("complete")
    assert window.file == look(world, members["CPS"], sitting_id).files[1].aid_id != first
    window.press("complete", aide__conflit_cps="true")
    window.press("complete", aide__conflit_cps="false", aide__prevote_cps="favorable")
    assert {one.state for one in look(world, members["CPS"], sitting_id).files} == {"study"}, "hers are done; others study"
    assert "task.completed" in _lines(world, sitting_id), "by the same verb, with its line"

    # Sealed: neither the other members nor the head of the branch know what she thinks until all have said it.
    head = world.agent("OTE", "MED", "chef_antenne")
    assert opinions(world, members["CPS"], first) == {"aide.prevote_cps"} and opinions(world, members["ANETI"], first) == opinions(world, head, first) == set()
    assert _told(world, members["CPS"], sitting_id) == 3 * [True] and _told(world, members["ANETI"], sitting_id) == _told(world, head, sitting_id) == [], "nor by the history"
    for agency in ("ANETI", "OTE"):
        other = Window(world.database, members[agency].username)
        assert "Le bail est-il signé" not in other.get(f"/sittings/{sitting_id}/{first}")
        other.get(f"/sittings/{sitting_id}")
        for _ in range(3):
            other.press("complete", **{f"aide__conflit_{agency.lower()}": "false", f"aide__prevote_{agency.lower()}": "favorable"})
    assert opinions(world, members["ANETI"], first) == {"aide.prevote_ote", "aide.prevote_cps", "aide.prevote_aneti"}, "all have said it: it is known"
    world.settle()

    # The day: the secretary says once who is present; each file then is two buttons.
    world.reaches("T654")
    secretary = Window(world.database, world.agent("OTE", "MED", "secretaire_commission").username)
    secretary.get(f"/sittings/{sitting_id}")
    page = secretary.press("add:seance.presence", seance__ouverte_a="09:30", **{"seance__presence~tick": [str(one.user_id) for one in members.values()]})
    offered = re.findall(r'name="seance.presence~tick" value="([^"]+)"( checked)?', page)
    seated = {str(one.user_id) for one in world.staff.values() if one.branch == "MED" and {"membre_commission", "president_commission"} & set(one.roles)}
    assert {key for key, _ in offered} == seated and {key for key, is_ticked in offered if is_ticked} == {str(one.user_id) for one in members.values()}
    guest = {"nom": "Nadia Fakhfakh", "agence": "OTE", "qualite": "invite"}
    page = secretary.press("unanimous", **{f"seance__presence[0]__presence__{field}": value for field, value in guest.items()})
    assert page.count('value="pour" checked') == 3, "a guest has no vote"
    assert look(world, members["OTE"], sitting_id).counts == {"decide": 3}, "nothing is done by filling the form"
    page = secretary.press("complete")
    sat = world.listed("seance.presence", "presence.nom", "presence.qualite")
    assert sat == {("Nadia Fakhfakh", "invite"), *((one.name, "president" if "president_commission" in one.roles else "membre") for one in members.values())}
    decided = next(one for one in look(world, head, sitting_id).files if one.state == "decided")
    assert (decided.decision_code, bool(decided.granted)) == ("accorde", True) and secretary.file != decided.aid_id
    recused = next(one for one in (secretary.file, look(world, head, sitting_id).files[2].aid_id) if _conflict(world, one))
    secretary.get(f"/sittings/{sitting_id}/{recused}")
    assert secretary.page.text.count('value="recusation" checked') == 1, "who declared a conflict is recused, and said so"
    away = 'name="aide.votes[0].vote.vote" value="absent" checked'
    assert away not in secretary.page.text and away in secretary.press("unanimous", **{"aide__votes[0]__vote__vote": "absent"}), "who left does not vote with the others"
    secretary.press("complete", **{"aide__quorum_reuni": "false"} | {f"aide__votes[{place}]__vote__vote": "pour" for place in (0, 1)})
    secretary.press("unanimous")
    secretary.press("complete")
    files = look(world, head, sitting_id).files
    assert sorted(one.state for one in files) == ["decided", "decided", "put_off"], "without quorum a file is the next sitting's"

    page = Window(world.database, head.username).get(f"/cases/{sitting_id}")
    assert "<h1 class=\"mb-0\">Séance de commission" in page and f'href="/sittings/{sitting_id}"' in page and f"/cases/{sitting_id}/person" not in page and f"/cases/{sitting_id}/appointments" not in page and "class=\"stages" not in page, "a sitting is nobody's case"

    # The minutes are signed by whoever sat; then each dossier has its answer, and the put off one waits in a new sitting.
    for node in ("T655", "T655_CPS", "T655_ANETI"):
        world.does(sitting_id, node)
    assert not look(world, head, sitting_id).is_open
    assert sum(row.node == "T605" for row in world.open_tasks()) == 2 and world.incidents() == []
    assert [one.files for one in _list(world, head) if one.is_open] == [1]


def test_whose_business_a_sitting_is_not_finds_none(world):
    sitting_id = convened(world, [("creation", {})])
    elsewhere, reception = world.agent("OTE", "SFX", "chef_antenne"), world.agent("OTE", "MED", "agent_accueil")
    for who in (elsewhere, reception):
        with world.database.reading(who) as session, pytest.raises(errors.NotFound):
            sittings.show(session, who, sitting_id)
    assert Window(world.database, elsewhere.username).client.get(f"/sittings/{sitting_id}").status_code == 404
    member = world.who_does(next(one for one in world.open_tasks(sitting_id) if one.node == "T653_ANETI"))
    window = Window(world.database, member.username)
    assert window.client.get(f"/sittings/{sitting_id}/{uuid4()}").status_code == 404
    # Programs see of it what the pages show, and complete the file's own task.
    api = create_api(Settings(is_demo=True), world.database)
    hers, theirs = (Program(api, "en") for _ in range(2))
    for program, who in ((hers, member), (theirs, elsewhere)):
        assert program.sign_in(who.username, signin.DEMO_PASSWORD).status_code == 200
    (file,) = hers.get(f"/sittings/{sitting_id}").json()["files"]
    shown = hers.get(f"/sittings/{sitting_id}/files/{file['aid_id']}").json()
    assert (hers.get("/sittings").json()["items"][0]["to_do"], file["state"], shown["file"], bool(shown["known"])) == (1, "todo", file, True)
    assert "aide.prevote_aneti" in hers.get(f"/tasks/{file['task_id']}").json()["form"]["properties"]
    dossier = hers.get(f"/aids/{file['dossier_id']}").json()
    assert dossier["case_number"] == file["number"] and dossier["programmes"][0]["conditions"] and dossier["money"]["committed"] == 0
    assert hers.get("/funds").status_code == 403 and (theirs.get("/sittings").json()["items"], bool(theirs.get("/funds").json()["items"])) == ([], True)
    for address in (f"/sittings/{sitting_id}", f"/sittings/{sitting_id}/files/{file['aid_id']}", f"/aids/{file['dossier_id']}"):
        assert theirs.get(address).status_code == 404 and hers.get(address.replace(address[-36:], str(uuid4()))).status_code == 404
    # Without C1 the list tells a member of another agency no name; the file is still hers to study.
    with world.database.reading(users.system()) as session:
        case_id = session.execute(text("SELECT root_id FROM instance WHERE process = 'dossier_aide'")).scalar_one()
    named = look(world, member, sitting_id).files[0].person
    world.says(case_id, c1=False)
    assert named and look(world, member, sitting_id).files[0].person == "" and look(world, member, sitting_id).files[0].state == "todo"


def _conflict(world, aid_id):
    with world.database.reading(users.system()) as session:
        return session.execute(text("SELECT value FROM fact WHERE is_current AND subject = :aid AND field = 'aide.conflit_cps'"), {"aid": f"aide:{aid_id}"}).scalar() is True


def _lines(world, sitting_id):
    with world.database.reading(users.system()) as session:
        return session.execute(text("SELECT kind FROM ledger_line WHERE instance_id = :id"), {"id": sitting_id}).scalars().all()


def _list(world, who):
    with world.database.reading(who) as session:
        return sittings.listed(session, who)


def test_a_case_before_a_committee_says_who_has_it_and_until_when(world):
    first, second = (world.receive(world.somebody("creation", number)) for number in (1, 2))
    called = world.reaches("T651")
    while _put_down(world) < 2:
        world.answers(next(row for row in world.open_tasks() if row.root_id in (first, second)))
    hand, *waits = world.file(first).waiting
    number = look(world, world.agent("OTE", "MED", "chef_antenne"), called.root_id).number
    assert (hand.role, hand.branch, hand.task_id, hand.name) == ("secretaire_commission", "MED", None, f"Convoquer la séance · {number}")
    assert [one.message for one in waits if one.kind == "message"][0] == "dossier.decide", "what its own parts will tell comes after"
    world.answers(called)
    (held_on,) = world.facts("seance.date").values()
    wait = next(one for one in world.file(first).waiting if one.message == "dossier.decide")
    assert clock.today(wait.until).isoformat() == held_on
    world.reaches("T653")
    row = next(one for one in world.open_tasks(called.root_id) if one.node == "T653_CPS")
    world.answers(row)
    studied = ["T653_CPS" not in {one.node for one in world.file(case_id).waiting} for case_id in (first, second)]
    assert sorted(studied) == [False, True], "each is told of its own file's members"
