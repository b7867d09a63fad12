"""The draft's page and the repair desk in a real browser: what changes is painted on both sides; a broken case is moved on, by one and by two."""

import pytest
from sqlalchemy import text

from tests.browser.test_everybody_can_use_it import wrong_with
from tests.engine.casework.test_repairs import broken_files, received
from tests.web.small.installation import furnish

DIAGRAM = "processes/parcours.bpmn"


@pytest.fixture(scope="module")
def installed(make_database):
    """The installation whose operations break."""
    database = make_database()
    furnish(database, broken_files())
    return database


@pytest.fixture(scope="module")
def stuck(world):
    """A case that waits at its first operation: there was nobody to name."""
    referents = text("UPDATE user_account SET is_active = :active WHERE 'referent' = ANY (roles)")
    with world.database.owner() as connection:
        connection.execute(referents, {"active": False})
    case_id = received(world)
    with world.database.owner() as connection:
        connection.execute(referents, {"active": True})
    return case_id


def test_what_changes_is_painted_on_both_diagrams_and_a_rise_asks_why(visit):
    meriem = visit("meriem")
    meriem.goto("/editions")
    meriem.locator("details:has(form[action='/drafts']) > summary").first.click()
    meriem.click("form[action='/drafts'] button >> visible=true")
    meriem.wait_for_url("**/drafts/*")
    draft = meriem.url
    meriem.goto(f"{draft}/files/{DIAGRAM}")
    drawn = meriem.input_value("#content").replace('role="referent" delai="2"', 'role="referent" delai="7"')
    drawn = drawn.replace('<bpmn:sequenceFlow id="f5" sourceRef="choix" targetRef="fin"/>', '<bpmn:sequenceFlow id="f5" sourceRef="choix" targetRef="rendre"/>')
    meriem.fill("#content", drawn)
    meriem.click("button[value=save]")
    meriem.wait_for_load_state()
    meriem.goto(draft)
    for side in (0, 1):
        sheet = meriem.locator(".sides .canvas").nth(side)
        sheet.locator(".djs-element.masar-changed[data-element-id=orienter]").wait_for()
        assert sheet.locator(".djs-element.masar-changed[data-element-id=f5]").count() == 1
    assert "passe de 2 à 7 jours ouvrés" in meriem.locator("section:has(#changes)").inner_text()
    meriem.locator("a:has-text('Voir sur le diagramme')").first.click()
    meriem.wait_for_selector(".canvas .masar-looked")
    assert "Sur le chemin habituel, jours ouvrés" in meriem.locator("section:has(#burden)").inner_text()
    meriem.fill("#reason", "Deux entretiens")
    meriem.fill("#burden-reason", "La famille est vue deux fois")
    meriem.click("button:has-text('Proposer')")
    meriem.wait_for_selector("text=Attend un accord")
    anis = visit("anis", "ar", "phone", color_scheme="dark")
    assert "La famille est vue deux fois" in anis.goto(draft).text()
    anis.locator(".sides .canvas").nth(1).locator(".masar-changed").first.wait_for()
    assert wrong_with(anis) == []


def test_a_broken_case_is_moved_on_and_what_touches_money_waits_for_a_second_person(visit, stuck, world):
    meriem, anis = visit("meriem"), visit("anis")
    meriem.goto("/incidents")
    meriem.locator("select[name=owner]").select_option(label="Meriem Louati")
    meriem.click("button:has-text('Noter')")
    meriem.wait_for_selector("text=Pris en charge par Meriem Louati")
    meriem.click("a:has-text('Réparer le dossier')")
    broken = meriem.locator("section:has-text('attend une opération')")
    broken.locator("select[name=to]").select_option("fin")
    broken.locator("button:has-text('effet')").click()
    meriem.wait_for_selector("text=Le parcours se terminerait là.")
    assert "deux personnes doivent être d'accord" in meriem.locator("section:has(#outlook)").inner_text()
    assert wrong_with(meriem) == []
    meriem.fill("#reason", "Plus rien à faire")
    meriem.click("button:has-text('Proposer à une autre personne')")
    meriem.wait_for_selector("text=Vous pouvez la retirer")
    assert meriem.locator("button:has-text('Approuver')").count() == 0
    anis.goto("/repairs")
    assert wrong_with(anis) == []
    rim = visit("rim", "ar", "phone", color_scheme="dark")
    for address in ("/incidents", f"/cases/{stuck}/repair", "/repairs"):
        rim.goto(address)
        assert wrong_with(rim) == [], address
    anis.locator("input[name=reason]").fill("Orientez-la d'abord")
    anis.click("button:has-text('Refuser')")
    anis.wait_for_selector("text=La proposition est refusée.")

    meriem.goto(f"/cases/{stuck}/repair")
    meriem.locator("select[name=to]").select_option("orienter")
    meriem.click("button:has-text('effet')")
    meriem.wait_for_selector("text=Ces tâches s'ouvriraient")
    meriem.fill("#reason", "Aucun référent ce jour-là")
    meriem.click("button.btn-primary:has-text('Faire')")
    meriem.wait_for_selector("text=C'est fait")
    assert world.nodes(stuck) == ["orienter"]
    meriem.goto(f"/cases/{stuck}?tab=history")
    assert "a fait passer le dossier de « Remettre le récépissé » à « Orienter la personne »" in meriem.locator("main").inner_text()

    meriem.goto(f"/cases/{stuck}?tab=known")
    meriem.locator("a[href*='name=retour.pays']").click()
    assert wrong_with(meriem) == []
    meriem.locator("select[name='retour.pays']").select_option("DE")
    meriem.fill("#reason", "Elle revient d'Allemagne")
    meriem.click("button.btn-primary:has-text('Corriger')")
    meriem.wait_for_selector("text=La réponse est corrigée.")
    assert "Allemagne" in meriem.locator("main").inner_text()
