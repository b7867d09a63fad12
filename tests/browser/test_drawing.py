"""The diagram editor in a real browser: a task drawn, broken and mended; two coordinators on one diagram; the Arabic view and its mirror; no mouse needed."""

import re
from pathlib import Path
from uuid import uuid4

import pytest
from lxml import etree
from playwright.sync_api import expect

from engine.casework import comparisons, editions
from tests.browser.test_everybody_can_use_it import wrong_with
from tests.browser.test_the_next_edition import begin
from tests.web.test_what_the_editor_writes import others

PATH = "processes/parcours.bpmn"
NAMES = {"fr": "Confirmer le rendez-vous", "ar": "تأكيد الموعد", "en": "Confirm the appointment"}


def draw(page, draft, path=PATH):
    """Opens the editor and waits for the first judgement."""
    page.goto(f"{draft}/diagrams/{path}")
    page.wait_for_selector("[data-drawing][data-ready=yes]")
    page.wait_for_selector("[data-chips] .state:not(.state-calm)")


def choose(page, element):
    page.click(f"[data-part=outline] button[data-element='{element}']")
    page.wait_for_selector(f"[data-part=outline] button[data-element='{element}'][aria-current]")


def saved(page):
    page.wait_for_selector("[data-part=state][data-state=saved]")


def put(page, key, text):
    control = page.locator(f"[data-part=panel] [data-key='{key}']")
    control.fill(text)
    control.press("Tab")


def named(page, draft):
    """What the file holds, by the server."""
    return page.request.get(f"{draft}/content/{PATH}").text()


def test_a_task_is_drawn_broken_mended_and_still_there(visit):
    page = visit("meriem")
    draft = begin(page, "Un rendez-vous confirmé")
    draw(page, draft)
    assert page.inner_text("[data-chips]").strip() == "Rien à redire"
    choose(page, "accueillir")
    page.select_option("[data-key=after]", "UserTask")
    page.click("[data-key=after-do]")
    page.wait_for_selector("button.finding[data-code='pathway.form_missing']")
    made = page.locator("[data-part=outline] button[aria-current]").get_attribute("data-element")
    assert page.locator("[data-part=outline] button[data-element]").evaluate_all("all => all.map(one => one.dataset.element)")[3:5] == ["accueillir", made], "drawn between the two"
    assert page.locator(f".djs-element.masar-error[data-element-id='{made}']").count() == 1, "marked on the sheet"
    for language, name in NAMES.items():
        put(page, f"name-{language}", name)
    page.select_option("[data-key=form]", "visiter")
    assert page.locator("[data-key=role] optgroup").first.get_attribute("label") == "Dans ce couloir : OTE"
    page.select_option("[data-key=role]", "referent")
    late = page.locator("button.finding[data-code='check.deadline_missing']")
    late.wait_for()
    assert NAMES["fr"] in late.inner_text() and "Donnez-lui un délai" in late.inner_text()
    choose(page, "fin")
    late.click()
    page.wait_for_selector(f"[data-part=outline] button[data-element='{made}'][aria-current]")
    page.wait_for_selector("[data-key=deadline]:focus")
    put(page, "deadline", "3")
    page.select_option("[data-key=unit]", "jours_ouvres")
    late.wait_for(state="detached")
    page.click("[data-do=undo]")
    page.click("[data-do=undo]")
    late.wait_for()
    page.click("[data-do=redo]")
    page.click("[data-do=redo]")
    late.wait_for(state="detached")
    draw(page, draft)
    choose(page, made)
    assert page.input_value("[data-key=name-ar]") == NAMES["ar"]
    assert (page.input_value("[data-key=deadline]"), page.input_value("[data-key=unit]")) == ("3", "jours_ouvres")
    assert re.search(r'<masar:tache form="visiter" role="referent" delai="3" unite="jours_ouvres" */>', named(page, draft))


def test_a_task_is_due_by_a_date_of_the_case(visit):
    page = visit("meriem", "ar")
    draft = begin(page, "موعد")
    before = named(page, draft)
    draw(page, draft)
    choose(page, "orienter")
    page.wait_for_selector("[data-key=due] optgroup", state="attached")
    groups = page.locator("[data-key=due] optgroup").evaluate_all("all => all.map(one => one.label)")
    assert "العودة" in groups and not re.search("[a-z]{4}", "".join(groups)), "in the reader's words"
    page.select_option("[data-key=due]", "retour.date_prevue")
    put(page, "shift", "2")
    kept = differences_once(page, draft, before, {"due": "retour.date_prevue", "due_shift": "-2"})
    page.select_option("[data-key=side]", "after")
    differences_once(page, draft, kept, {"due_shift": "2"})
    page.click("[data-do=undo]")
    expect(page.locator("[data-key=side]")).to_have_value("before")
    page.select_option("[data-key=unit]", "heures_ouvrees")
    page.wait_for_selector("[data-key=shift]", state="detached")
    page.click("[data-do=undo]")
    page.wait_for_selector("[data-key=shift]")
    assert (page.input_value("[data-key=shift]"), page.input_value("[data-key=side]")) == ("2", "before"), "one act, one undo"
    page.select_option("[data-key=due]", "=")
    put(page, "due-text", "retour.pays")
    wrong = page.locator("button.finding[data-code='check.due_is_no_date']")
    wrong.wait_for()
    choose(page, "fin")
    wrong.click()
    page.wait_for_selector("[data-key=due-text]:focus")
    page.select_option("[data-key=due]", "")
    wrong.wait_for(state="detached")
    saved(page)
    assert differences(before, named(page, draft)) == [], "nothing is left of it"
    assert wrong_with(page) == []


def test_a_choice_tries_its_conditions_in_the_order_that_she_gives_them(visit):
    page = visit("meriem")
    draft = begin(page, "Dans quel ordre")
    draw(page, draft)
    choose(page, "choix")
    page.select_option("[data-key=connect]", "accueillir")
    page.click("[data-key=connect-do]")
    legends = page.locator("[data-part=panel] .way legend")
    expect(legends).to_have_text(["Sortie 1 vers Trouver un hébergement", "Sortie 2 vers Accueillir et identifier", "Sortie 3 vers Orientée"])
    page.click("[data-key=earlier-1]")
    expect(legends).to_have_text(["Sortie 1 vers Accueillir et identifier", "Sortie 2 vers Trouver un hébergement", "Sortie 3 vers Orientée"])
    saved(page)
    listed = re.search(r'id="choix".*?</bpmn:exclusiveGateway>', named(page, draft), re.DOTALL)[0]
    assert re.findall(r"<bpmn:outgoing>(.*?)</bpmn:outgoing>", listed)[1:] == ["f4", "f5"]


def test_something_unforeseen_is_drawn_and_a_step_of_another_kind_keeps_nothing_of_the_former(visit):
    page = visit("meriem")
    draft = begin(page, "Un imprévu")
    before = named(page, draft)
    draw(page, draft)
    choose(page, "debut")
    assert page.locator("[data-key=unforeseen]").count() == 0, "a start that nothing begins from a case"
    page.select_option("[data-key=kind]", "StartEvent_message")
    page.click("[data-key=kind-do]")
    page.check("[data-key=unforeseen]")
    made = page.locator("[data-part=outline] button[aria-current]").get_attribute("data-element")
    page.select_option("[data-key=event]", "+")
    put(page, "event", "imprevu.essai")
    page.select_option("[data-key=form]", "visiter")
    nobody = page.locator("button.finding[data-code='pathway.unforeseen_by_nobody']")
    nobody.wait_for()
    choose(page, "fin")
    nobody.click()
    page.wait_for_selector("[data-key=role]:focus")
    for role in ("referent", "agent_accueil"):
        page.select_option("[data-key=role]", role)
        page.click("[data-key=role-do]")
    expect(page.locator("[data-part=panel] .chip")).to_contain_text(["Référent", "Agent d'accueil"])
    page.select_option("[data-key=cases]", "clos")
    page.uncheck("[data-key=alone]")
    nobody.wait_for(state="detached")
    saved(page)
    assert '<masar:imprevu form="visiter" roles="referent agent_accueil" sur="clos" seul="non" />' in named(page, draft)
    page.select_option("[data-key=kind]", "StartEvent_none")
    page.click("[data-key=kind-do]")
    page.wait_for_selector("[data-key=unforeseen]", state="detached")
    saved(page)
    assert {one.kind for one in differences(before, named(page, draft))} <= {"layout"}, "nor is anything said of a message"
    page.click("[data-do=undo]")
    choose(page, made)
    expect(page.locator("[data-key=cases]")).to_have_value("clos")
    choose(page, "visiter")
    page.select_option("[data-key=kind]", "ServiceTask")
    page.click("[data-key=kind-do]")
    page.wait_for_selector("button.finding[data-code='pathway.operation_missing']")
    assert page.locator("button.finding[data-code='pathway.extension_out_of_place']").count() == 0 and '<masar:tache form="visiter"' not in named(page, draft)


def test_a_step_takes_another_lane_and_a_colour_the_overview_moves_the_sheet_and_what_must_exist_is_picked(visit):
    page = visit("meriem")
    draft = begin(page, "Couloir et couleur")
    draw(page, draft)
    choose(page, "orienter")
    page.select_option("[data-key=lane]", "couloir_CPS")
    page.click("label[for=colour-green]")
    saved(page)
    kept = etree.fromstring(named(page, draft).encode())
    assert kept.xpath("//*[local-name()='flowNodeRef'][text()='orienter']/../@id") == ["couloir_CPS"]
    assert kept.xpath("//*[@bpmnElement='orienter']/@*[local-name()='fill' or local-name()='background-color']") == ["#c8e6c9"] * 2, "for bpmn.io and for any tool of the OMG's"
    draw(page, draft)
    choose(page, "orienter")
    assert page.is_checked("[data-key=colour-green]") and page.input_value("[data-key=lane]") == "couloir_CPS"
    drawn = page.locator("[data-part=canvas] [data-element-id=orienter] .djs-visual > :first-child")
    assert drawn.evaluate("one => getComputedStyle(one).fill") == "rgb(200, 230, 201)"
    page.click("label[for=colour-none]")
    saved(page)
    assert "#c8e6c9" not in named(page, draft)

    for _ in range(4):
        page.click("[data-do=closer]")
    here, overview = places(page, "canvas")["debut"], page.locator(".djs-minimap.open .map").bounding_box()
    page.mouse.click(overview["x"] + overview["width"] - 6, overview["y"] + overview["height"] / 2)
    assert places(page, "canvas")["debut"] < here - 50
    page.click("[data-do=whole]")

    for kind, keys in {"BusinessRuleTask": ("decision",), "CallActivity": ("call",), "ServiceTask": ("operation",), "ReceiveTask": ("event",), "UserTask": ("form", "role")}.items():
        page.select_option("[data-key=kind]", kind)
        page.click("[data-key=kind-do]")
        for key in keys:
            page.wait_for_selector(f"select[data-key={key}]")
            assert page.locator(f"select[data-key={key}] option").count() > 1 or key == "decision", key


def test_two_coordinators_lose_nothing(visit):
    meriem, anis = visit("meriem"), visit("anis")
    draft = begin(meriem, "À deux")
    draw(meriem, draft)
    draw(anis, draft)
    choose(meriem, "orienter")
    choose(anis, "visiter")
    put(meriem, "name-fr", "Orienter avec elle")
    saved(meriem)
    put(anis, "name-fr", "Loger ce soir")
    anis.wait_for_selector("[data-part=notice] :text('Meriem Louati a enregistré ce fichier')")
    put(anis, "name-en", "House tonight")
    anis.wait_for_selector("[data-part=state][data-state=conflict]")
    assert "Orienter avec elle" in named(anis, draft) and "Loger ce soir" not in named(anis, draft)
    anis.click("[data-part=notice] button:has-text('Garder ma version')")
    anis.wait_for_selector("[data-part=state][data-state=saved]")
    kept = named(anis, draft)
    assert "Loger ce soir" in kept and "House tonight" in kept and "Orienter avec elle" not in kept
    meriem.evaluate("window.dispatchEvent(new Event('focus'))")
    meriem.click("[data-part=notice] button:has-text('Ouvrir sa version')")
    meriem.wait_for_selector("[data-part=outline] button:has-text('Loger ce soir')")
    choose(meriem, "orienter")
    put(meriem, "name-fr", "Orienter avec elle")
    saved(meriem)
    both = named(meriem, draft)
    assert "Loger ce soir" in both and "Orienter avec elle" in both


def test_read_in_arabic_from_right_to_left_and_used_by_all(visit):
    page = visit("meriem", "ar", color_scheme="dark")
    draft = begin(page, "نظرة")
    before = named(page, draft)
    draw(page, draft)
    assert "توجيه الشخص" in page.text_content("[data-part=canvas] [data-element-id=orienter]")
    assert not re.search("[a-z]{4}", page.inner_text("[data-part=outline]")), "every word of the outline is the reader's"
    straight = places(page, "canvas")
    page.click("label[for=mirrored]")
    page.wait_for_selector("[data-part=mirror] .djs-element")
    mirrored = places(page, "mirror")
    assert sorted(straight, key=straight.get) == sorted(mirrored, key=mirrored.get, reverse=True)
    page.locator("[data-part=mirror] [data-element-id=visiter] .djs-hit").click()
    page.wait_for_selector("[data-part=outline] button[data-element=visiter][aria-current]")
    assert wrong_with(page) == []
    page.click("label[for=mirrored]")
    assert wrong_with(page) == []
    assert named(page, draft) == before, "looking changes nothing"
    page.click("label[for=shown-fr]")
    page.wait_for_selector("[data-part=canvas] [data-element-id=orienter] :text('Orienter')")
    choose(page, "visiter")
    put(page, "name-en", "Find a roof")
    saved(page)
    told = differences(before, named(page, draft))
    assert [(one.kind, one.what, one.detail, one.after) for one in told] == [("renamed", "name", "en", "Find a roof")], "nor does it write anything else"
    choose(page, "choix")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.wait_for_selector("[data-part=panel] [data-key=name-fr]:focus")
    page.keyboard.press("F6")
    page.wait_for_selector("[data-part=findings] summary:focus")
    page.keyboard.press("F6")
    page.wait_for_selector("[data-part=outline] button:focus")


def differences_once(page, draft, before, changed):
    """What the file holds once it says exactly this else than before."""
    for _ in range(50):
        after = named(page, draft)
        if {one.what: one.after for one in differences(before, after)} == changed:
            return after
        page.wait_for_timeout(100)
    raise AssertionError(differences(before, after))


def differences(before, after):
    old, new = (editions.Edition(uuid4(), 0, {PATH: text.encode()}) for text in (before, after))
    return [one for one in comparisons.differences(old, new) if one.what != "writing"]


def places(page, part):
    """Where each step stands: its middle, from the left."""
    return page.locator(f"[data-part={part}] .djs-shape[data-element-id]").evaluate_all(
        """all => Object.fromEntries(all.filter(one => ["debut", "accueillir", "recepisse", "orienter", "choix", "fin"].includes(one.dataset.elementId))
             .map(one => { const box = one.getBoundingClientRect(); return [one.dataset.elementId, box.x + box.width / 2]; }))"""
    )


@pytest.mark.parametrize("name", ["camunda7", "camunda8", "spiffarena"])
def test_what_other_tools_wrote_is_still_there_after_she_drew_and_goes_out_with_her_file(visit, name):
    page = visit("meriem")
    theirs = Path(__file__).parents[1].joinpath("web", "foreign", f"{name}.bpmn").read_bytes()
    draft = begin(page, name)
    page.set_input_files("#upload", {"name": "parcours.bpmn", "mimeType": "text/xml", "buffer": theirs})
    page.click("button:has-text('Envoyer')")
    page.wait_for_load_state()
    draw(page, draft)
    choose(page, "accueillir")
    put(page, "name-fr", "Accueillir ensemble")
    page.click("label[for=colour-green]")
    page.select_option("[data-key=kind]", "ManualTask")
    page.click("[data-key=kind-do]")
    saved(page)
    kept = named(page, draft)
    assert "<bpmn:manualTask" in kept and "Accueillir ensemble" in kept
    assert [one for one in others(theirs) if one not in others(kept.encode())] == []


UNDRAWN = re.compile(r"<bpmndi:BPMNDiagram.*</bpmndi:BPMNDiagram>", re.DOTALL)


def test_a_file_without_its_drawing_is_told_in_her_language_and_takes_no_place(visit):
    page = visit("meriem")
    draft = begin(page, "Sans dessin")
    draw(page, draft)
    before = named(page, draft)
    page.set_input_files("[data-import]", {"name": "sans.bpmn", "mimeType": "application/xml", "buffer": UNDRAWN.sub("", before).encode()})
    told = page.locator("[data-part=notice]")
    expect(told).to_contain_text("décrit un processus sans le dessiner")
    assert page.locator(".djs-element[data-element-id=accueillir]").count() == 1 and named(page, draft) == before, "the diagram of before stays"
