"""A real Chromium on the small installation, served for real: what no other test can see.

Without Chromium these tests are left out, in one line; `MASAR_TEST_ALL` (CI) makes its absence a failure.
"""

import asyncio
import os
import shutil
import threading
import time

import pytest
import uvicorn
from playwright.sync_api import Error, expect, sync_playwright

from engine import jobs
from engine.actors import signin, users
from engine.settings import Settings
from tests.web.small.installation import PASSWORD, furnish
from tests.world import World
from web import security
from web.app import create_app
from web.screen import SESSION

SETTINGS = Settings(is_demo=True)

PATIENCE = 30_000  # ms; what does not come by then never will: a busy machine is no failure
expect.set_options(timeout=PATIENCE)
READ = """() => {
    const body = document.body.cloneNode(true);
    body.querySelectorAll("select, script").forEach((one) => one.remove());
    return body.textContent.replace(/\\s*\\n\\s*/g, "\\n").trim();
}"""

SIZES = {"phone": {"width": 390, "height": 780}, "desk": {"width": 1280, "height": 900}}
CHROMIUM = next((found for name in ("chromium", "chromium-browser", "google-chrome") if (found := shutil.which(name))), None)


def pytest_collection_modifyitems(items) -> None:
    for item in items:
        if "tests/browser" in str(item.path).replace(os.sep, "/"):
            item.add_marker(pytest.mark.browser)
            if CHROMIUM is None and not os.environ.get("MASAR_TEST_ALL"):
                item.add_marker(pytest.mark.skip(reason="no Chromium"))


@pytest.fixture(scope="module")
def installed(make_database):
    """The database that is served: of the small installation, unless a file has a fixture of this name for another (`worlds.furnish`: the real pathway)."""
    return make_database(furnish)


@pytest.fixture(scope="module")
def world(installed):
    """Whoever is there, to lead cases beside the browser."""
    return World(installed)


@pytest.fixture(scope="module")
def address(installed):
    """Where it is served."""
    yield from served(installed)


def served(database):
    """The address of an installation while it is served."""
    server = uvicorn.Server(uvicorn.Config(create_app(SETTINGS, database), port=0, log_level="warning", lifespan="off"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.02)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    server.force_exit = True
    thread.join(10)


@pytest.fixture(scope="module")
def chromium():
    """One browser a module: the driver keeps an event loop of its own, which no other test should find running."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def visit(chromium, address, installed):
    """Opens a window of its own; with a name, signed in, in a language, on her desk. Whatever the page complains of fails the test.

    The session is opened beside the browser, but `by_the_door` and without script."""
    opened, complaints = [], []

    def make(username="", language="fr", size="desk", script=True, by_the_door=False, **more):
        context = chromium.new_context(base_url=address, viewport=SIZES[size], locale=f"{language}-TN", java_script_enabled=script, **more)
        context.set_default_timeout(PATIENCE)
        opened.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda said: complaints.append(said.text) if "Content Security Policy" in said.text else None)
        by_the_door = by_the_door or not script
        if username and not by_the_door:
            context.add_cookies([{"url": address, "name": security.cookie_name(SETTINGS, SESSION), "value": session_of(installed, username, language), "httpOnly": True}])
            page.goto("/desk")
        else:
            page.goto(f"/signin?language={language}")
        if username and by_the_door:
            come_in(page, username, language, script)
        return page

    make.opened = opened
    yield make
    for context in opened:
        context.close()
    assert not complaints, complaints


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    """A test that failed says what was on the screens it had opened."""
    report = yield
    if report.failed and call.when == "call" and "visit" in getattr(item, "funcargs", {}):
        for page in (page for context in item.funcargs["visit"].opened for page in context.pages):
            try:
                report.sections.append((f"On the screen at {page.url}", page.evaluate(READ)))
            except Error as error:
                report.sections.append((f"On the screen at {page.url}", f"cannot be read: {error}"))
    return report


def session_of(database, username, language):
    """The token of a session just opened, in the language that its account now has."""
    with database.unit_of_work(users.VISITOR) as session:
        opened = signin.sign_in(session, username, PASSWORD, "web")
    with database.unit_of_work(opened.actor) as session:
        users.choose_language(session, opened.actor, language)
    return opened.token


def come_in(page, username, language, script=True):
    """Signs in by the form of the page shown, and chooses a language as one does."""
    page.fill("#username", username)
    page.fill("#password", PASSWORD)
    page.click("form[action='/signin'] .btn-primary")
    page.wait_for_url("**/desk")
    if page.locator("html").get_attribute("lang") != language:
        page.click("details.who > summary") if script else page.goto("/account")
        page.click(f"button[name=language][value={language}] >> visible=true")
        page.wait_for_load_state()


@pytest.fixture
def worker(installed):
    """The queue at work beside the server, as `masar run` has it."""
    loops = []

    async def work():
        loops.append((asyncio.get_running_loop(), stop := asyncio.Event()))
        await jobs.work(installed, stop)

    thread = threading.Thread(target=lambda: asyncio.run(work()))
    thread.start()
    yield
    for loop, stop in loops:
        loop.call_soon_threadsafe(stop.set)
    thread.join(30)


@pytest.fixture(scope="module")
def case(world):
    """A case on the real pathway whose person was received and is to be assessed."""
    case_id = world.receive(world.somebody("emploi"))
    for node in ("T101", "T102", "T104", "T106"):
        world.does(case_id, node)
    return case_id


def first_held(page, address):
    """A slow line: the first of what is asked of `address` waits in this list until it is let go."""
    held = []
    page.route(address, lambda route: route.continue_() if held else held.append(route))
    return held
