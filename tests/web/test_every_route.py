"""The routes as a list: each says who may enter, what only looks cannot write, every form works by itself."""

import inspect
import re
from pathlib import Path

import pytest

from tests.web.conftest import routes_of
from web import dependencies, rendering

TEMPLATES = Path(rendering.__file__).parent / "templates"
# Where nobody need be signed in: the door, the way out, and what a receipt's holder may see. Everything else asks for a person.
OPEN = {("GET", "/"), ("GET", "/signin"), ("POST", "/signin"), ("POST", "/signout"), ("GET", "/receipt"), ("GET", "/receipt/proof"), ("GET", "/receipt/verify_receipt.py"), ("GET", "/request"), ("POST", "/request"), ("GET", "/healthz"), ("GET", "/calendar/{secret}.ics"), ("POST", "/receipt/open"), ("GET", "/receipt/mine"), ("POST", "/receipt/piece"), ("POST", "/receipt/withdraw"), ("POST", "/receipt/complain"), ("POST", "/receipt/leave")}
SOME = "00000000-0000-7000-8000-000000000000"


def needs(dependant):
    """Every function a route depends on."""
    found = {inner.call for inner in dependant.dependencies}
    for inner in dependant.dependencies:
        found |= needs(inner)
    return found


def test_every_route_says_who_may_enter(app):
    for method, route in routes_of(app):
        asks = dependencies.acting in needs(route.dependant)
        assert asks is ((method, route.path) not in OPEN), (method, route.path)


def test_no_route_stands_behind_one_that_takes_its_address(app):
    """A word where another route reads an id: whoever is asked first answers, and says that the word is no id."""
    taken, behind = [], []
    for method, route in routes_of(app):
        address = re.sub(r"{[^}]+}", SOME, route.path)
        behind += [f"{method} {route.path} behind {other}" for kind, other, pattern in taken if kind == method and pattern.fullmatch(address)]
        taken.append((method, route.path, re.compile(re.sub(r"{[^}]+}", "[^/]+", re.sub(r"{[^}]+:path}", ".+", route.path)))))
    assert behind == []


def test_a_visitor_is_shown_the_door_everywhere_else(app, browser):
    visitor = browser()
    visitor.get("/signin")
    token = visitor.hidden("csrf")
    for method, route in routes_of(app):
        if (method, route.path) in OPEN:
            continue
        address = re.sub(r"{[^}]+}", SOME, route.path) + ("?since=2026-01-01T00:00:00Z" if route.path == "/desk/live" else "")
        if method == "GET":
            answer = visitor.client.get(address, follow_redirects=False)
            assert (answer.status_code, answer.headers["location"].partition("?")[0]) == (303, "/signin"), address
        else:
            assert visitor.post(address, csrf=token).status_code == 401, address


def test_what_only_looks_cannot_write(app):
    for method, route in routes_of(app):
        if method == "GET":
            assert dependencies.writing not in needs(route.dependant), route.path
            assert "unit_of_work" not in inspect.getsource(route.endpoint), route.path


def test_every_post_is_proved_to_be_ours(app, browser):
    karim = browser("karim")
    for method, route in routes_of(app):
        if method != "GET":
            address = re.sub(r"{[^}]+}", SOME, route.path)
            assert karim.post(address, csrf="0" * 64).status_code == 403, address
            assert karim.post(address, csrf="").status_code == 403, address
    karim.get("/desk")
    assert karim.post("/account/language", language="fr", headers={"origin": "http://elsewhere.tn"}).status_code == 403
    karim.get("/desk")
    assert karim.post("/account/language", language="fr", headers={"sec-fetch-site": "cross-site"}).status_code == 403


@pytest.mark.parametrize("path", sorted(TEMPLATES.rglob("*.html")), ids=lambda path: path.name)
def test_every_form_works_without_script(path):
    text = path.read_text("utf-8")
    for tag in re.findall(r"<form\b[^>]*>", text):
        assert re.search(r"\bmethod=", tag) and re.search(r"\baction=", tag), tag
    for tag in re.findall(r"<button\b[^>]*>", text):
        assert re.search(r'\btype="(submit|button)"', tag), tag
    for tag in re.findall(r'<button\b[^>]*type="button"[^>]*>', text):
        # A button without a form is script's alone: it may only stand where script put it or what it serves is drawn by script.
        assert "data-do=" in tag or "data-clear" in tag or "data-print" in tag or "data-choose-all" in tag, tag


def test_a_variable_nobody_gave_fails_the_page():
    with pytest.raises(Exception, match="undefined"):
        rendering.environment().from_string("{{ absent }}").render()
