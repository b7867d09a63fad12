"""Signing in on the real application: the door and its demo accounts, the cookie, the language, the way out."""

import pytest
from fastapi.testclient import TestClient

from engine.settings import Settings
from tests.web.small.installation import ACCOUNTS, PASSWORD
from web.app import create_app
from web.security import HEADERS


def test_one_signs_in_lands_on_the_desk_and_goes_out_again(browser):
    salma = browser("salma")
    assert "Salma Trabelsi" in salma.page.text
    token = salma.client.cookies["masar"]
    salma.post("/signout")
    assert salma.path == "/signin"
    assert salma.client.get("/desk", follow_redirects=False, headers={"cookie": f"masar={token}"}).status_code == 303, "the session is closed on the server too"


def test_a_wrong_pair_is_told_without_saying_which_was_wrong_and_keeps_the_name(browser):
    visitor = browser()
    visitor.get("/signin")
    wrong = visitor.post("/signin", username="salma", password="not this one", next="")
    nobody = visitor.post("/signin", username="nobody", password="not this one", next="")
    assert wrong.status_code == nobody.status_code == 401
    assert 'value="salma"' in wrong.text
    alert = [page.text.partition('role="alert">')[2].partition("<form")[0] for page in (wrong, nobody)]
    assert "masar" not in visitor.client.cookies
    assert alert[0].replace("salma", "") == alert[1].replace("nobody", "")


def test_the_session_cookie_is_out_of_reach_of_scripts(browser):
    visitor = browser()
    visitor.get("/signin")
    answer = visitor.post("/signin", username="salma", password=PASSWORD, next="", follow=False)
    cookie = next(line for line in answer.headers.get_list("set-cookie") if line.startswith("masar="))
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie


def test_in_a_demo_the_door_lists_the_accounts_and_elsewhere_it_does_not(browser, small):
    page = browser().get("/signin").text
    for username, (name, *_) in ACCOUNTS.items():
        assert name in page
        assert username in page
    elsewhere = TestClient(create_app(Settings(is_demo=False), small), base_url="http://masar.test")
    closed = elsewhere.get("/signin").text
    assert "Salma" not in closed
    assert "/demo/clock" not in closed


def test_after_signing_in_one_comes_to_the_page_one_wanted(browser):
    visitor = browser()
    visitor.get("/cases")
    assert (visitor.path, visitor.page.url.query) == ("/signin", b"next=/cases")
    visitor.post("/signin", username="salma", password=PASSWORD, next="/cases")
    assert visitor.path == "/cases"


@pytest.mark.parametrize(("language", "direction", "said"), [("fr", "ltr", "Connexion"), ("ar", "rtl", "تسجيل الدخول"), ("en", "ltr", "Sign in")])
def test_a_visitor_chooses_her_language_and_it_is_kept(browser, language, direction, said):
    visitor = browser()
    for address in (f"/signin?language={language}", "/signin"):
        page = visitor.get(address).text
        assert f'<html lang="{language}" dir="{direction}">' in page
        assert said in page


def test_an_account_keeps_its_language(browser):
    nabil = browser("nabil")
    nabil.post("/account/language", language="ar", next="/desk")
    assert 'dir="rtl"' in nabil.page.text
    assert 'lang="ar" dir="rtl"' in browser("nabil").page.text
    nabil.post("/account/language", language="fr", next="/desk")


def test_every_page_of_the_real_application_carries_the_strict_policy(browser):
    salma = browser("salma")
    for address in ("/desk", "/intake", "/cases", "/account", "/demo/clock", "/receipt", "/nowhere", "/assets/nothing", "/incidents"):
        answer = salma.get(address)
        for name, value in HEADERS.items():
            assert answer.headers[name] == value, (address, name)
        assert "style=" not in answer.text
        assert "<script>" not in answer.text


def test_what_a_role_may_not_open_is_not_in_its_bar_and_is_refused_in_words(browser):
    salma, meriem = browser("salma"), browser("meriem")
    assert 'href="/incidents"' not in salma.get("/desk").text
    refused = salma.get("/incidents")
    assert refused.status_code == 403
    assert "[" not in refused.text.partition("<main")[2].partition("</main>")[0]
    assert 'href="/incidents"' in meriem.get("/desk").text
    assert meriem.get("/incidents").status_code == 200


def test_a_page_that_does_not_exist_and_one_that_is_not_hers_look_the_same(browser):
    salma = browser("salma")
    absent = salma.get("/cases/00000000-0000-7000-8000-000000000000")
    nothing = salma.get("/nothing-here")
    assert absent.status_code == nothing.status_code == 404
    said = [page.text.partition("<main")[2].partition("</main>")[0] for page in (absent, nothing)]
    assert said[0] == said[1]


def test_a_password_is_changed_and_other_sessions_end(browser):
    here, there = browser("ines"), browser("ines")
    assert here.post("/account/password", old="wrong", new="une autre phrase longue").status_code == 422
    here.post("/account/password", old=PASSWORD, new="une autre phrase longue")
    assert here.path == "/account"
    assert there.client.get("/desk", follow_redirects=False).status_code == 303
    here.post("/account/password", old="une autre phrase longue", new=PASSWORD)


def test_the_demo_clock_moves_for_whoever_is_in(browser):
    salma = browser("salma")
    before = salma.get("/demo/clock").text
    salma.post("/demo/clock", step="day", next="/demo/clock")
    assert salma.path == "/demo/clock"
    assert salma.page.text != before
    assert salma.post("/demo/clock", days="0", next="/desk").status_code == 422
