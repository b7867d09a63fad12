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
from playwright.sync_api import sync_playwright

from engine import jobs
from engine.settings import Settings
from tests.web.small.installation import PASSWORD, furnish
from web.app import create_app

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
    """The database of the small installation."""
    return make_database(furnish)


@pytest.fixture(scope="module")
def address(installed):
    """Where the small installation is served."""
    yield from served(installed)


def served(database):
    """The address of an installation while it is served."""
    server = uvicorn.Server(uvicorn.Config(create_app(Settings(is_demo=True), database), port=0, log_level="warning", lifespan="off"))
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
def visit(chromium, address):
    """Opens a window of its own; with a name, signed in, in a language. Whatever the page complains of fails the test."""
    opened, complaints = [], []

    def make(username="", language="fr", size="desk", script=True, **more):
        context = chromium.new_context(base_url=address, viewport=SIZES[size], locale=f"{language}-TN", java_script_enabled=script, **more)
        context.set_default_timeout(8000)
        page = context.new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda said: complaints.append(said.text) if "Content Security Policy" in said.text else None)
        opened.append(context)
        page.goto(f"/signin?language={language}")
        if username:
            page.fill("#username", username)
            page.fill("#password", PASSWORD)
            page.click("form[action='/signin'] .btn-primary")
            page.wait_for_url("**/desk")
            if page.locator("html").get_attribute("lang") != language:
                page.click("details.who > summary") if script else page.goto("/account")
                page.click(f"button[name=language][value={language}] >> visible=true")
                page.wait_for_load_state()
        return page

    yield make
    for context in opened:
        context.close()
    assert not complaints, complaints


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
