"""People at work: several tasks at once, what comes to somebody, notes, who is away, whole caseloads, kept views."""

import re

from sqlalchemy import text

from engine.actors import users
from engine.casework import appointments
from tests.web.test_a_task_page import complete, open_case
from tests.world import World

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
    assert lines(page) == ["no", "no", "yes", "yes"]
    assert [in_hand(small, one) for one in ids(*mine)] == ["salma", "salma", "selim"], "a preview changes nothing"
    page = salma.post("/desk/selection/do", act="give", task=chosen, to=to, reason="Je pars en formation")
    assert lines(page) == ["no", "no", "yes", "yes"]
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


def test_a_note_keeps_what_was_typed_when_it_is_refused_and_tells_whom_it_names(browser):
    salma, karim, nabil, ines = browser("salma"), browser("karim"), browser("nabil"), browser("ines")
    case = complete(salma)
    karim.get(f"{case}?tab=notes")
    page = karim.post(f"{case}/notes", note="Bonjour @personne", **{"class": "C"})
    assert page.status_code == 422 and "Bonjour @personne" in page.text and "@personne." in page.text
    karim.post(f"{case}/notes", note="Bonjour @salma", **{"class": "C"})
    assert "Bonjour @salma" in karim.page.text and "Karim Ben Amor" in karim.page.text
    salma.get("/notices")
    assert "Vous êtes nommé dans une note de Karim Ben Amor" in salma.page.text and "Bonjour" not in salma.page.text
    ines.get("/desk")
    assert ines.post(f"{case}/notes", note="…", **{"class": "C"}).status_code == 404
    assert "Bonjour" not in nabil.get(f"{case}?tab=notes").text, "the person did not agree that agencies share"


def test_a_leave_is_said_on_its_page_and_the_stand_in_finds_the_work(browser, small):
    salma, selim, karim = browser("salma"), browser("selim"), browser("karim")
    task = open_case(salma)
    salma.post(f"{task}/claim")
    today = users_day(small)
    page = salma.get("/leaves")
    stand_in = re.search(r'<option value="([^"]+)"[^>]*>Selim Jaziri', page.text)[1]
    assert "Karim Ben Amor" not in page.text.partition('id="stand_in"')[2]
    page = salma.post("/leaves", act="today:from_on", stand_in=stand_in)
    assert f'name="from_on~day" value="{today.rpartition("-")[2]}"' in page.text and f'<option value="{stand_in}" selected>' in page.text and "Aucune absence inscrite" in page.text
    assert salma.post("/leaves", **days(today, "2020-01-01"), stand_in=stand_in).status_code == 422
    assert salma.post("/leaves", **days(today, "2026-02-31"), stand_in=stand_in).status_code == 422
    salma.post("/leaves", **days(today, today), stand_in=stand_in)
    assert "Remplacé par" in salma.page.text
    told = next(one for one in re.findall(r'<li.*?</li>', selim.get("/notices").text, re.DOTALL) if "Vous remplacez" in one)
    page = selim.post(f"/notices/{re.search(r'/notices/([0-9a-f-]{36})', told)[1]}")
    assert task in page.text and "À la place d&#39;un absent" in page.text, "the notice leads to what there is to do"
    assert task not in karim.get("/desk?view=instead").text
    selim.post(f"{task}/claim")
    assert in_hand(small, ids(task)[0]) == "selim"
    leave = re.search(r"/leaves/([0-9a-f-]{36})/end", salma.get("/leaves").text)[1]
    assert karim.get("/desk") and karim.post(f"/leaves/{leave}/end").status_code == 404, "no business of his"
    salma.post(f"/leaves/{leave}/end")
    assert "Aucune absence inscrite" in salma.page.text


def users_day(database):
    with database.reading(users.system()) as session:
        return session.execute(text("SELECT (masar_now() AT TIME ZONE 'Africa/Tunis')::date::text")).scalar_one()


def test_a_kept_view_is_mine_or_my_branchs_and_holds_no_word_one_looked_for(browser, small):
    salma, karim, ines = browser("salma"), browser("karim"), browser("ines")
    open_case(salma)
    salma.get("/desk?view=all")
    salma.post("/desk/views", name="Accueil OTE", view="all", agency="OTE", stage="accueil", q="Dridi", is_shared="yes")
    assert salma.page.url.query == b"view=all&agency=OTE&stage=accueil" and "Accueil OTE" in salma.page.text
    salma.post("/desk/views", name="Ma file du matin", view="queue", agency="", stage="")
    assert "Accueil OTE" in karim.get("/desk").text and "Ma file du matin" not in karim.page.text
    assert "Accueil OTE" not in ines.get("/desk").text
    with small.owner() as connection:
        assert not connection.execute(text("SELECT 1 FROM desk_view WHERE filters::text LIKE '%Dridi%'")).first()
    view = re.search(r"/desk/views/([0-9a-f-]{36})/drop", salma.get("/desk").text)[1]
    karim.get("/desk")
    assert karim.post(f"/desk/views/{view}/drop").status_code == 404
    salma.post("/desk", q="Dridi", view="all")
    salma.get("/desk")
    salma.post(f"/desk/views/{view}/drop")
    assert view not in salma.page.text


def test_caseloads_are_for_whoever_answers_and_mail_for_administrators(browser):
    karim, meriem, zied = browser("karim"), browser("meriem"), browser("zied")
    assert karim.get("/caseloads").status_code == 403
    page = meriem.get("/caseloads")
    salma = re.search(r'/caseloads/([0-9a-f-]{36})"><bdi>Salma', page.text)[1]
    assert "<bdi>Salma Trabelsi</bdi>" in meriem.get(f"/caseloads/{salma}").text
    assert karim.get(f"/caseloads/{salma}").status_code == karim.get(f"/caseloads/{NOWHERE}").status_code == 404
    assert meriem.get("/admin/mail").status_code == 403
    assert zied.get("/admin/mail").status_code == 200


def test_what_is_late_of_a_post_is_listed_to_whoever_holds_it_with_how_late(browser, small):
    world = World(small)
    case_id = world.receive(world.somebody("social", 31))
    with small.reading(users.system()) as session:
        task = session.execute(text("SELECT task_id, due_at, masar_now() AS now FROM open_task WHERE root_id = :id"), {"id": case_id}).one()
    world.passes(seconds=((task.due_at - task.now) * 2.5).total_seconds())
    page = browser("salma").get("/notices").text
    assert "Ce qui arrive à votre poste" in page and f"/tasks/{task.task_id}" in page and "en retard" in page.partition("Ce qui arrive à votre poste")[2].split("</section>")[0]
    assert f"/tasks/{task.task_id}" not in browser("ines").get("/notices").text, "another branch's is not hers"


def days(first, last):
    """Two days as the page's fields say them."""
    return {f"{name}~{part}": value for name, day in (("from_on", first), ("until_on", last)) for part, value in zip(("year", "month", "day"), str(day).split("-"), strict=True)}


def test_the_mornings_email_is_asked_for_and_stopped_where_notices_are(browser):
    salma = browser("salma")
    salma.get("/notices")
    assert salma.submit("/notices/digest", {"address": "salma@ote.tn"}).status_code == 200
    assert 'value="salma@ote.tn"' in salma.get("/notices").text
    page = salma.post("/notices/digest", address="salma@ote")
    shown = page.text.partition('action="/notices/digest"')[2]
    assert page.status_code == 422 and "pas une adresse électronique" in shown and 'value="salma@ote"' in shown, "beside its field, with what was typed"
    assert 'value="salma@ote.tn"' in salma.get("/notices").text, "the one before stands"
    salma.submit("/notices/digest", {"address": ""})
    assert 'value="salma@ote.tn"' not in salma.get("/notices").text


def test_who_did_not_come_is_noted_and_the_case_says_who_has_what_follows(browser, small):
    world, salma = World(small), browser("salma")
    case_id, met = world.receive(world.somebody("social", 32)), []
    actor = world.staff["salma"]
    with small.unit_of_work(actor) as session:
        for _ in range(2):
            hours = appointments.offer(session, actor, case_id)
            met.append(appointments.make(session, actor, case_id, actor.user_id, hours.slots[0], 15, "antenne"))
    world.passes(days=10)
    for one, outcome, then in ((met[0], "attended", f"/appointments/{met[0]}"), (met[1], "missed", f"/cases/{case_id}")):
        salma.get(f"/appointments/{one}")
        salma.post(f"/appointments/{one}/settle", outcome=outcome)
        assert salma.path == then
