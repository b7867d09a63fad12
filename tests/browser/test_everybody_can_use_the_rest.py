"""Accessibility with axe on what only the real pathway has: what stands around the task, each kind of page once, in Arabic on a phone in the dark and in French at a desk."""

import datetime as dt
import re
from collections import Counter, deque
from pathlib import Path

import pytest

from engine.actors import reviews, users
from engine.casework import erasures, findings, holders
from engine.insight import halfyear, samples
from tests import world as worlds
from tests.browser.conftest import SETTINGS
from tests.browser.test_everybody_can_use_it import wrong_with
from tests.browser.test_the_next_edition import begin
from tests.stories.test_one_person_two_cards import FOREIGN, end
from tests.web.conftest import routes_of
from web.app import create_app

# Who looks at what, and at whatever links lead to from there; `*` is the case, every <details> of the page is opened. Coordinators first: from a draft they reach what its other readers do not.
PAGES = {
    "coordination": ("/repairs", "/cases/*/repair", "/cases/*/why"),
    "salma": ("/cases/*?tab=documents", "/cases/*/notes", "/cases/*/person", "/cases/*/consent", "/cases/*/appointments/new", "/cases/*/exceptions/desistement", "/appointments", "/leaves", "/notices"),
    "sonia": ("/caseloads", "/erasures", "/exports", "/findings", "/cases/*/casefile", "/cases/*/readers", "/funds", "/sittings", "/steering?tab=report"),
    "auditeur": ("/audit", "/audit/events", "/cases/*/replay", "/admin/journal"),
    "attache": ("/charter",),
    "administration": ("/admin",),
    "aides": ("/funds",),
}


@pytest.fixture(scope="module")
def installed(make_database):
    return make_database(worlds.furnish)


# What is served there is no page: a file, a drawing, what a script asks for; "/" leads on, and `/desk/live` never ends.
NO_PAGES = {
    "/", "/desk/live", "/appointments/{appointment_id}/appointment.ics", "/audit/samples/{sample_id}/population.txt", "/calendar/{secret}.ics", "/cases/{case_id}/diagram/{process}",
    "/cases/{case_id}/replay/diagram/{number}/{process}", "/drafts/{draft_id}/before/{path:path}", "/drafts/{draft_id}/columns", "/drafts/{draft_id}/findings/{path:path}",
    "/drafts/{draft_id}/forms/{name}/findings", "/drafts/{draft_id}/letters/{name}/findings", "/drafts/{draft_id}/vocabulary", "/erasures/{erasure_id}/record.pdf", "/findings/diagram/{edition}/{process}", "/receipt/proof",
    "/steering/diagram/{edition}/{process}", "/steering/report/{year}/{half}/paper", "/steering/report/{year}/{half}/sheet",
}  # fmt: skip
# Kinds of page that are not come to from there: which file looks at them.
ELSEWHERE = {
    "/aids/{dossier_id}": "test_a_sitting_by_keyboard.py", "/drafts/{draft_id}/fields/{field_id}": "test_tables_and_forms.py",
    "/appointments/{appointment_id}": "test_appointments.py", "/appointments/{appointment_id}/move": "test_appointments.py", "/cases/{case_id}/beside/{other_id}": "test_persons.py",
    "/editions/{edition_id}/moves": "test_moving_cases.py", "/moves/{batch_id}": "test_moving_cases.py", "/sittings/{sitting_id}": "test_a_sitting_by_keyboard.py",
    "/sittings/{sitting_id}/{aid_id}": "test_a_sitting_by_keyboard.py", "/steering/cases/{indicator}": "test_everybody_can_use_it.py", "/tasks/{task_id}/pass": "test_everybody_can_use_it.py",
}  # fmt: skip


@pytest.fixture(scope="module")
def made(world, case):
    """What stands only once somebody did it, by who looks at it; of the receipt, the code and its second secret."""
    of = world.staff
    ended = world.receive(world.somebody("social", 9) | FOREIGN)
    world.does(ended, "T101")
    end(world, ended)

    def act(who, verb, *given):
        with world.database.unit_of_work(of[who]) as session:
            return verb(session, of[who], *given)

    name = next(one for one in world.file(case).known if one.field == "person.nom_fr")
    review = act("administration", reviews.begin, "ANETI", "", 90, "Revue du semestre")
    sample = act("auditeur", samples.make, "parcours", "", None, None, 1, "2026")
    finding = act("auditeur", findings.open_at_event, case, 1, "La date du retour est à établir.", "chef_antenne", "MED", world.today() + dt.timedelta(days=20))
    act("sonia", findings.answer, finding, "Le passeport a été vu.")
    act("coordination2", erasures.approve, erasure := act("coordination", erasures.propose, ended, "BO-2026-9"))
    with world.database.unit_of_work(users.system()) as session:
        halfyear.make(session, 2024, 1)
    return {
        "administration": [f"/admin/reviews/{review}"], "auditeur": [f"/audit/samples/{sample}", f"/findings/{finding}"],
        "coordination": [f"/cases/{case}/correct?subject={name.subject}&name={name.field}", f"/erasures/{erasure}", "/steering/report/2024/1"],
        "salma": [f"/cases/{ended}/returned"], "receipt": act("salma", holders.give_secret, case),
    }  # fmt: skip


def kinds(database):
    """The address of each GET as it is written in the routes, those with the fewest blanks first, with what it matches."""
    paths = [route.path for method, route in routes_of(create_app(SETTINGS, database)) if method == "GET"]
    return {path: re.compile(re.sub(r"\\{\w+(:path)?\\}", lambda blank: ".+" if blank[1] else "[^/]+", re.escape(path)) + r"(\?.*)?(#.*)?") for path in sorted(paths, key=lambda path: path.count("{"))}


def walk(page, first, of, seen, is_following):
    """From the addresses on, along links if `is_following`, yields at each kind of page not seen before; what is no page is noted and left."""
    ahead, tries = deque(first), Counter()
    while ahead:
        address = ahead.popleft()
        kind = next((path for path, pattern in of.items() if pattern.fullmatch(address)), "")
        if not kind or kind in seen or tries[kind] == 3:
            continue
        tries[kind] += 1
        answer = page.request.get(address, max_redirects=0, headers={"accept": "text/html"})
        if answer.status != 200:
            continue
        seen.add(kind)
        if "html" in answer.headers.get("content-type", ""):
            page.goto(address)
            yield address
            if is_following:
                ahead += page.evaluate("[...document.querySelectorAll('a[href^=\"/\"]')].map(one => one.getAttribute('href'))")


def told_of(page, place):
    """What is wrong with a page, every <details> of it open."""
    page.evaluate("document.querySelectorAll('main details').forEach(one => one.open = true)")
    told = [f"{place}: {rule} at {where}: {why}" for rule, where, why in wrong_with(page)]
    return told + [f"{place} is wider than the screen"] * page.evaluate("document.documentElement.scrollWidth > innerWidth")


@pytest.mark.parametrize(("language", "size", "scheme"), [("fr", "desk", "light"), ("ar", "phone", "dark")])
def test_each_kind_of_page(visit, case, made, installed, language, size, scheme):
    of, seen, told, is_whole = kinds(installed), set(), [], size == "phone"
    for who, addresses in PAGES.items():
        page = visit(who, language, size, color_scheme=scheme)
        drafts = [begin(page)] if who == "coordination" else []
        starts = [address.replace("*", str(case)) for address in addresses] + made.get(who, []) + [re.sub(r"^https?://[^/]+", "", one) for one in drafts]
        if is_whole:
            starts += [path for path in of if "{" not in path and path not in NO_PAGES]
        for address in walk(page, starts, of, seen, is_whole):
            told += told_of(page, f"{who} {address}")
    hers = visit("", language, size, color_scheme=scheme)
    hers.goto(f"/receipt?code={made['receipt'][0]}")
    hers.fill("[name=secret]", made["receipt"][1])
    hers.press("[name=secret]", "Enter")
    hers.wait_for_url("**/receipt/mine")
    for address in walk(hers, ["/receipt/mine"], of, seen, False):
        told += told_of(hers, f"who holds a receipt {address}")
    assert not told, "\n".join(told)
    if is_whole:
        left = sorted({*of} - seen - NO_PAGES - {*ELSEWHERE})
        assert left == [], f"nobody looks at these: {left}"
    assert all("wrong_with" in (Path(__file__).parent / name).read_text("utf-8") for name in ELSEWHERE.values())


@pytest.mark.parametrize("language", ["fr", "ar"])
def test_on_a_phone_the_bar_says_whole_who_i_am_and_leads_wherever_the_desk_s_does(visit, language):
    for who in ("salma", "operateur"):
        page = visit(who, language, "phone")
        page.click("details.who > summary")
        for width in (360, 390):
            page.set_viewport_size({"width": width, "height": 700})
            cut = page.evaluate("[...document.querySelectorAll('.who-name, .who small')].filter(one => one.scrollWidth > one.clientWidth || one.scrollHeight > one.clientHeight + 1).map(one => one.textContent)")
            assert cut == [] and page.evaluate("document.documentElement.scrollWidth <= innerWidth")
            there = {one.get_attribute("href") for one in page.locator(".menu a, .bottom-bar a").all() if one.is_visible()}
            offered = {one.get_attribute("href") for one in page.locator(".bar nav a").all()}
            assert offered <= there, "what the bar of a desk offers is in the menu, or below"
