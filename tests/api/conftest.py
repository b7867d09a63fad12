"""The API on a small installation: clients that hold a token and speak JSON."""

import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from engine.settings import Settings
from tests.web.small.installation import PASSWORD, furnish


class Program:
    """A client that knows nothing but the routes."""

    def __init__(self, app, language="") -> None:
        headers = {"accept-language": language} if language else {}
        self.client = TestClient(app, base_url="http://masar.test", headers=headers, raise_server_exceptions=False)

    def sign_in(self, username, password=PASSWORD):
        answer = self.post("/token", data={"username": username, "password": password})
        if answer.status_code == 200:
            self.client.headers["authorization"] = f"Bearer {answer.json()['access_token']}"
        return answer

    def get(self, address, **query):
        return self.client.get(address, params=query)

    def post(self, address, **sent):
        return self.client.post(address, **sent)


@pytest.fixture(scope="module")
def furnished(make_database):
    """A database of its own, furnished once for the tests of the API."""
    return make_database(furnish)


@pytest.fixture(scope="module")
def app(furnished):
    return create_app(Settings(is_demo=True), furnished)


@pytest.fixture
def program(app):
    """Makes a client; with a name, one that holds that account's token."""

    def make(username="", language=""):
        made = Program(app, language)
        if username:
            assert made.sign_in(username).status_code == 200
        return made

    return make


@pytest.fixture
def sign_in(own_tunisia):
    """Makes clients that hold a token, in a Tunisia of their own."""
    app = create_app(Settings(is_demo=True), own_tunisia)

    def make(username):
        made = Program(app, "en")
        assert made.sign_in(username).status_code == 200
        return made

    return make
