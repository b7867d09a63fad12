"""People at work: several tasks at once, what comes to somebody, notes, who is away, whole caseloads, kept views."""

import re

from sqlalchemy import text

from engine.actors import users
from tests.web.test_a_task_page import open_case

NOWHERE = "00000000-0000-7000-8000-000000000000"


def ids(*tasks):
    return [one.removeprefix("/tasks/") for one in tasks]


def lines(page):
    return re.findall(r'<tr data-line="(yes|no)">', page.text)


def colleague(page, name):
    return re.search(rf'id="(to-\d+)" value="([^"]+)"[^>]*><label[^>]*for="\1"><bdi>{name}', page.text)[2]


def in_hand(database, task):
    with database.reading(users.system()) as session:
        return session.execute(text("SELECT u.username FROM open_task t JOIN user_account u ON u.user_id = t.holder_id WHERE task_id = :id"), {"id": task}).scalar()


def test_a_selection_is_seen_first_then_given_line_by_line(browser, small):
    salma, selim = browser("salma"), browser("selim")
    mine = [open_case(salma) for _ in range(3)]
    for task in mine[:2]:
        salma.get("/desk?view=queue")
        salma.post(f"{task}/claim")
    selim.get("/desk?view=queue")
    selim.post(f"{mine[2]}/claim")  # in another's hands: Salma does not answer for him
    salma.get("/desk?view=mine")
    chosen = [*ids(*mine), NOWHERE]
    page = salma.post("/desk/selection", act="give", task=chosen, back="/desk?view=mine")
    to = colleague(page, "Selim Jaziri")
    assert salma.post("/desk/selection", act="give", task=chosen, to=to, step="look", reason="").status_code == 422
    page = salma.post("/desk/selection", act="give", task=chosen, to=to, reason="Je pars en formation", step="look")
    assert lines(page) == ["yes", "yes", "no", "no"]
    assert [in_hand(small, one) for one in ids(*mine)] == ["salma", "salma", "selim"], "a preview changes nothing"
    page = salma.post("/desk/selection/do", act="give", task=chosen, to=to, reason="Je pars en formation")
    assert lines(page) == ["yes", "yes", "no", "no"]
    assert [in_hand(small, one) for one in ids(*mine)] == ["selim", "selim", "selim"]
    with small.reading(users.system()) as session:
        told = session.execute(text("SELECT count(*) FROM ledger_line WHERE kind = 'task.passed' AND line LIKE '%\"reason\"%'")).scalar_one()
    assert told >= 2, "each has its line, with its reason"
    page = selim.get("/desk")
    assert re.search(r'class="unread"[^>]*>2<', page.text)
    page = selim.get("/notices")
    assert page.text.count("Une tâche vous est donnée par Salma Trabelsi") == 2
    first = re.search(r"/notices/([0-9a-f-]{36})", page.text)[1]
    selim.post(f"/notices/{first}")
    assert selim.path in mine
    assert re.search(r'class="unread"[^>]*>1<', selim.page.text)
    selim.get("/notices")
    selim.post("/notices/read")
    assert 'class="unread"' not in selim.page.text
    assert salma.post(f"/notices/{first}").status_code == 404, "another's notice is nobody's"
