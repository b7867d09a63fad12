"""The pages on a small installation: clients that keep cookies and send what a page's form would send."""

import re

import pytest
from fastapi.routing import APIRoute, iter_route_contexts
from fastapi.testclient import TestClient

from engine.settings import Settings
from tests import world as worlds
from tests.web.small.installation import PASSWORD, furnish
from web.app import create_app

ADDRESS = "http://masar.test"


def routes_of(app):
    """Method and route of each address. FastAPI keeps those of an included router behind it: `app.routes` alone shows none of them."""
    found = [(method, one) for one in iter_route_contexts(app.routes) if isinstance(one.original_route, APIRoute) for method in sorted(one.methods)]
    assert len(found) > 100, "no routes were found: nothing would be asked of any"
    return found


class Browser:
    """A browser without script: follows redirections, keeps cookies, posts a page's form with its hidden fields."""

    def __init__(self, app) -> None:
        self.client = TestClient(app, base_url=ADDRESS, raise_server_exceptions=True)
        self.page = None

    def get(self, address, **more):
        self.page = self.client.get(address, **more)
        return self.page

    def post(self, where, csrf=None, follow=True, headers=None, **fields):
        """Posts as the page shown would; `csrf` defaults to the one in it."""
        if csrf is None:
            csrf = self.hidden("csrf")
        sent = {name.replace("__", "."): value for name, value in fields.items()}
        self.page = self.client.post(where, data={"csrf": csrf, **sent}, follow_redirects=follow, headers=headers or {})
        return self.page

    def submit(self, address, fields, headers=None, follow=True):
        """Posts fields given as a mapping, with the hidden ones of the page's task."""
        held = {name: self.hidden(name) for name in ("csrf", "version", "key") if f'name="{name}"' in self.page.text}
        self.page = self.client.post(address, data={**held, **fields}, headers=headers or {}, follow_redirects=follow)
        return self.page

    def hidden(self, name):
        """The value of a hidden field of the page shown."""
        return re.search(rf'name="{name}" value="([^"]*)"', self.page.text)[1]

    def sign_in(self, username, password=PASSWORD):
        self.get("/signin")
        return self.post("/signin", username=username, password=password, next="")

    @property
    def path(self):
        return self.page.url.path


@pytest.fixture(scope="module")
def world(make_database):
    """The real pathway with its staff; `app`: its pages."""
    database = make_database(worlds.furnish)
    made = worlds.World(database)
    made.app = create_app(Settings(is_demo=True), database)
    return made


@pytest.fixture(scope="module")
def small(make_database):
    """A database furnished once for the tests of the pages."""
    return make_database(furnish)


@pytest.fixture(scope="module")
def app(small):
    return create_app(Settings(is_demo=True), small)


@pytest.fixture
def browser(app):
    """Makes a browser; with a name, one already signed in."""

    def make(username=""):
        made = Browser(app)
        if username:
            made.sign_in(username)
            assert made.path == "/desk", made.page.text
        return made

    return make


@pytest.fixture
def sign_in(own_tunisia):
    """Makes browsers that are signed in, in a Tunisia of their own."""
    app = create_app(Settings(is_demo=True), own_tunisia)

    def make(username, language="fr"):
        made = Browser(app)
        made.sign_in(username)
        if language != "fr":
            made.post("/account/language", language=language, next=made.path)
        return made

    return make
