"""A coordinator's Monday, whole, in a real browser: she draws a task, breaks it, mends it, rehearses and proposes; a second person, in Arabic, publishes; she moves a
running case and brings it back. What the database holds is asked beside what the pages say."""

import re

import pytest
from sqlalchemy import text

from engine import doctor
from engine.actors import users
from tests.browser.test_drawing import choose, draw, put, saved
from tests.browser.test_the_next_edition import begin
from tests.web.small.installation import files, furnish

ORIENT = "forms/tasks/orienter.toml"
NAMES = {"fr": "Rappeler la personne", "ar": "الاتصال بالشخص من جديد", "en": "Call the person back"}


@pytest.fixture(scope="module")
def installed(make_database):
    """The small pathway, where nobody signs."""
    database = make_database()
    furnish(database, files() | {ORIENT: files()[ORIENT].replace(b', "consentement.signature"', b"")})
    return database


@pytest.fixture(scope="module")
def past_and_present(world):
    """Two families came: one was oriented last week and has left, the other waits to be."""
    cases = []
    for number in (1, 2):
        cases.append(world.receive(world.somebody("social", number, depistage__sans_abri_ce_soir=False)))
        world.does(cases[-1], "accueillir")
    world.does(cases[0], "orienter")
    return cases


def stored(world, case_id):
    """The bytes of a case's state and the edition it follows, as they lie in its row."""
    with world.database.reading(users.system()) as session:
        return session.execute(text("SELECT i.state, e.number, i.status FROM instance i JOIN edition e USING (edition_id) WHERE instance_id = :id"), {"id": case_id}).one()


def tasks_of(world, case_id):
    return [(row.node, row.task_id, row.agency, row.role, row.holder_id) for row in world.open_tasks(case_id)]


def drawn_on_the_way(page):
    """A person's task taken from the palette and let go on the way from the choice to the end, where there is room for one; its id."""
    page.click("[data-do=whole]")
    way = page.locator("[data-part=canvas] [data-element-id=f5] .djs-hit").first.bounding_box()
    at = (way["x"] + way["width"] / 2, way["y"] + way["height"] / 2)
    page.click(".djs-palette [data-action=UserTask]")
    page.mouse.move(at[0] - 9, at[1], steps=3)
    page.mouse.move(*at, steps=3)
    page.mouse.click(*at)
    finding(page, "pathway.form_missing").wait_for()
    return page.locator("[data-part=outline] button[aria-current]").get_attribute("data-element")


def finding(page, code):
    return page.locator(f"button.finding[data-code='{code}']")


def clicked(page, found, made, key):
    """A finding leads from elsewhere on the sheet to its element, and to the control that mends it."""
    found.wait_for()
    choose(page, "fin")
    found.click()
    page.wait_for_selector(f"[data-part=outline] button[data-element='{made}'][aria-current]")
    page.wait_for_selector(f"[data-key='{key}']:focus")


def edition_on_the_page(page, case_id):
    page.goto(f"/cases/{case_id}")
    return int(re.search(r"édition (\d+)", page.locator("#case header p").first.inner_text())[1])


def drawn(page, draft):
    """Draws a task on the diagram of a draft, breaks it twice and mends it; its id."""
    draw(page, draft)
    made = drawn_on_the_way(page)
    for language, name in NAMES.items():
        put(page, f"name-{language}", name)
    page.select_option("[data-key=form]", "visiter")
    page.select_option("[data-key=role]", "referent")
    put(page, "deadline", "3")
    page.select_option("[data-key=unit]", "jours_ouvres")
    page.wait_for_selector("[data-chips]:has-text('Rien à redire')")

    put(page, "name-ar", "")
    nameless = finding(page, "check.label_missing")
    clicked(page, nameless, made, "name-ar")
    put(page, "name-ar", NAMES["ar"])
    nameless.wait_for(state="detached")
    page.select_option("[data-key=form]", "")
    clicked(page, finding(page, "pathway.form_missing"), made, "form")
    assert 'name="reason"' not in page.request.get(draft).text(), "with an error there is nothing to propose it with"
    page.click("[data-do=undo]")
    page.wait_for_selector("[data-chips]:has-text('Rien à redire')")
    saved(page)
    return made


def published(meriem, anis, draft, past):
    """The draft rehearsed and proposed by one, read in Arabic and published by another."""
    meriem.goto(f"{draft}/rehearsal")
    meriem.click("button:has-text('Répéter sur tous les dossiers')")
    meriem.wait_for_selector("#outcome", timeout=30_000)
    report = meriem.inner_text("#rehearsal")
    assert "1 dossier irait exactement de même" in report and f"« {NAMES['fr']} » : une tâche nouvelle" in report
    assert meriem.locator(f"#rehearsal a[href='/cases/{past}']").count() == 1, "whom it would have asked more of"
    meriem.goto(draft)
    meriem.fill("#reason", "Personne n'est rappelé aujourd'hui")
    meriem.fill("#burden-reason", "Un appel évite un retour à l'antenne")
    meriem.click("button:has-text('Proposer')")
    meriem.wait_for_selector("text=Attend un accord")
    assert meriem.locator("button:has-text('Approuver')").count() == 0
    token, version = (meriem.locator(f"form:has([value=refuse]) [name={name}]").input_value() for name in ("csrf", "version"))
    refused = meriem.request.post(draft, form={"csrf": token, "act": "approve", "version": version}, headers={"origin": re.match(r"\w+://[^/]+", draft)[0]})
    assert "Approuver" not in refused.text() and "est publiée" not in refused.text(), "nor by hand"

    anis.goto(draft)
    read = anis.inner_text("main")
    assert anis.locator("html").get_attribute("dir") == "rtl"
    for told in (f"إضافة: المهمة «{NAMES['ar']}»", "Un appel évite un retour à l'antenne", "بزيادة", "مُرّنت على ملفين"):
        assert told in read, f"before the approver's eyes: {told}"
    anis.click("button:has-text('الموافقة والنشر')")
    anis.wait_for_selector("text=نُشر الإصدار عدد 2")


def test_the_whole_of_a_monday(visit, world, worker, past_and_present):
    past, present = past_and_present
    before, waiting = stored(world, present), tasks_of(world, present)
    meriem, anis = visit("meriem"), visit("anis", "ar")
    draft = begin(meriem, "Rappeler avant de clore")
    made = drawn(meriem, draft)
    published(meriem, anis, draft, past)
    assert edition_on_the_page(meriem, present) == 1, "what runs stays where it is"

    meriem.goto("/editions")
    meriem.locator("a[href$='/moves']").first.click()
    meriem.wait_for_url("**/moves")
    assert meriem.locator("input[name=case]").evaluate_all("all => all.map(one => one.value)") == [str(present)]
    meriem.check(f"[name=case][value='{present}']")
    meriem.click("button:has-text('Essayer à blanc')")
    meriem.wait_for_selector("#do")
    meriem.locator("summary:has-text('Ce qui a été vérifié')").click()
    certificate = meriem.inner_text(f"#case-{present}")
    for proved in ("Il peut arriver à sa fin", "Rien de fait n'est redemandé", "Rien de dû ni d'attendu n'est perdu", "Aucun délai n'est raccourci", "rejouée sur la nouvelle édition"):
        assert proved in certificate, proved
    assert stored(world, present) == before, "tried, not done"
    meriem.fill("#reason", "Elle aussi sera rappelée")
    meriem.click("button:has-text('Déplacer 1 dossier')")
    meriem.wait_for_selector("text=/\\b1 déplacé(?!s)/")
    assert edition_on_the_page(meriem, present) == 2 and NAMES["fr"] in meriem.inner_text("section:has-text('Selon ce qui sera décidé')")
    assert tasks_of(world, present) == waiting, "the same task, held by the same hands"

    meriem.click("summary:has-text('Remettre comme avant')")
    meriem.fill("input[name=reason] >> visible=true", "Fait trop tôt")
    meriem.click("button:has-text('Remettre comme avant') >> visible=true")
    meriem.wait_for_selector("text=Le dossier est remis comme il était.")
    assert edition_on_the_page(meriem, present) == 1 and NAMES["fr"] not in meriem.inner_text("main")
    assert (stored(world, present), tasks_of(world, present)) == (before, waiting), "to the byte"
    meriem.goto(f"/cases/{present}?tab=history")
    history = re.sub(r"\s+", " ", meriem.inner_text("main"))
    back, forth = (history.index(said) for said in ("a remis le dossier sur l'édition 1, comme il était. Raison : Fait trop tôt", "a déplacé le dossier vers l'édition 2 du parcours. Raison : Elle aussi"))
    assert back < forth, "the latest first"

    world.does(present, "orienter")
    assert (stored(world, present).status, made in world.done(present)) == ("ended", False)
    assert doctor.examine(world.database).faults == ()
