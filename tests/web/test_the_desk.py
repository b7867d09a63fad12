"""The desk: its views, searching, claiming and giving back, news by server-sent events."""

import re
import threading
import time

import httpx
import pytest
import uvicorn

from engine.casework import worklist
from tests.web.small.answers import reception
from tests.web.test_a_task_page import act, complete, open_case, task_of


def rows(page):
    return re.findall(r'<a class="open" href="(/tasks/[0-9a-f-]{36})"', page.text)


def test_what_is_mine_and_what_waits_in_my_branch(browser):
    salma, karim = browser("salma"), browser("karim")
    task = open_case(salma)
    assert task not in rows(salma.get("/desk?view=mine"))
    assert task in rows(salma.get("/desk?view=queue"))
    assert task not in rows(karim.get("/desk?view=queue")), "another role's work"
    assert task in rows(karim.get("/desk?view=all"))
    salma.get("/desk?view=queue")
    salma.post(f"{task}/claim")
    assert salma.path == task
    assert task in rows(salma.get("/desk?view=mine"))
    assert task not in rows(salma.get("/desk?view=queue"))
    salma.get(task)
    act(salma, "release", {})
    assert salma.path == "/desk"
    assert task in rows(salma.get("/desk?view=queue"))


def test_a_task_is_passed_to_a_colleague_who_may_do_it(browser):
    salma, selim = browser("salma"), browser("selim")
    task = open_case(salma)
    salma.post(f"{task}/claim")
    page = salma.get(f"{task}/pass")
    assert "Selim Jaziri" in page.text
    assert "Karim Ben Amor" not in page.text
    to = re.search(r'name="to"[^>]* value="([^"]+)"', page.text)[1]
    salma.post(f"{task}/pass", to=to)
    assert "Selim Jaziri" in salma.page.text
    assert task in rows(selim.get("/desk?view=mine"))


def test_a_search_finds_by_name_in_either_script_number_or_card(browser):
    salma, karim = browser("salma"), browser("karim")
    typed = reception()
    open_case(salma)
    number = re.search(r"TN-MED-\d{4}-\d{5}", salma.page.text)[0]
    case = re.search(r"/cases/[0-9a-f-]{36}", salma.page.text)[0]
    act(salma, "complete", typed)
    task = task_of(karim, case)
    for said in (typed["person.nom_fr"], typed["person.nom_ar"], number, typed["person.cin"]):
        karim.get("/desk?view=queue")
        assert rows(karim.post("/desk", view="queue", q=said)) == [task], said
        assert str(karim.page.url).endswith("/desk"), "whom one looks for stands in no address"
    karim.get("/desk?view=queue")
    assert rows(karim.post("/desk", view="queue", q="nobody of that name")) == []


def test_without_a_view_one_sees_ones_own_work_or_else_what_waits(browser):
    selim = browser("selim")
    task = open_case(selim)
    page = selim.get("/desk")
    assert 'aria-current="page"' in page.text
    assert task in rows(selim.get("/desk?view=queue"))


def test_an_empty_view_says_so_kindly_and_offers_the_queue(browser):
    page = browser("ines").get("/desk?view=mine").text
    assert "Rien ne vous attend" in page
    assert "/desk?view=queue" in page


def views(page):
    """Name of a view of the desk → how many are in it, as told beside it."""
    nav = page.text.partition('class="views"')[2].partition("</nav>")[0]
    found = re.findall(r'view=(\w+)".*?<span class="count[^"]*"><bdi[^>]*>([^<]*)</bdi>', nav, re.S)
    return dict(found)


def test_each_view_tells_how_many_there_are_and_a_count_stops_at_a_hundred(browser, monkeypatch):
    salma, karim = browser("salma"), browser("karim")
    before = views(salma.get("/desk?view=queue"))
    assert list(before) == ["mine", "queue", "all", "late", "person", "others"]
    open_case(salma)
    after = views(salma.get("/desk?view=queue"))
    assert {name for name in after if after[name] != before[name]} == {"queue", "all"}
    assert int(after["queue"]) == len(rows(salma.page))
    monkeypatch.setattr(worklist, "COUNTED", 1)
    assert views(salma.get("/desk"))["all"] == "0+", "no query grows with the list"
    assert views(karim.get("/desk"))["queue"] in ("0", "0+")


def test_whoever_takes_no_task_is_shown_everything_and_no_view_of_her_own(browser):
    auditor, salma = browser("chokri"), browser("salma")
    task = open_case(salma)
    page = auditor.get("/desk")
    assert list(views(page)) == ["all", "late", "person"]
    assert "Toutes les antennes" in page.text
    assert task in rows(page)
    assert "data-claim" not in page.text


def test_what_another_agency_has_in_hand_is_a_view_of_its_own(browser):
    salma, karim, nabil = browser("salma"), browser("karim"), browser("nabil")
    case = complete(salma)
    task = task_of(karim, case)
    assert task not in rows(karim.get("/desk?view=others")), "it is at her own agency"
    assert task in rows(nabil.get("/desk?view=others"))


def test_on_an_arabic_page_colleagues_are_named_in_arabic(browser):
    salma, karim = browser("salma"), browser("karim")
    task = task_of(karim, complete(salma))
    karim.get(task)
    karim.post(f"{task}/claim")
    page = salma.get("/desk?view=all&language=ar").text
    assert "كريم" in page
    assert "Karim" not in page


def test_the_desk_of_each_language_has_its_own_words(browser):
    salma = browser("salma")
    complete(salma)
    for language, said in (("fr", "Bureau"), ("ar", "المكتب"), ("en", "Desk")):
        page = salma.get(f"/desk?view=all&language={language}").text
        assert said in page
        assert "[web." not in page


@pytest.fixture
def address(app):
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="warning", lifespan="off"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.02)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = server.force_exit = True
    thread.join(10)


def test_news_come_by_themselves_and_only_to_whoever_is_in(browser, address):
    selim, salma = browser("selim"), browser("salma")
    since = "2026-01-01T00:00:00+00:00"
    assert selim.get("/desk/live?since=yesterday").status_code == 400
    open_case(salma)
    with httpx.Client(base_url=address, cookies=dict(selim.client.cookies), timeout=10) as client:
        with client.stream("GET", "/desk/live", params={"since": since}) as stream:
            assert stream.headers["content-type"].startswith("text/event-stream")
            assert "content-encoding" not in stream.headers, "an event must not wait in a compressor"
            lines = stream.iter_lines()
            assert next(lines) == "event: arrivals"
            assert "nouvelle" in next(lines)
    with httpx.Client(base_url=address, timeout=10) as nobody:
        assert nobody.get("/desk/live", params={"since": since}).status_code == 303
