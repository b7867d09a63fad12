"""A task drawn by keyboard alone: added from the outline, named in three languages, given its form, role and deadline, led elsewhere, taken out, put back, kept; then
proposed, and published by a second person, without a mouse either; and the letters of the shortcuts on an Arabic keyboard."""

from playwright.sync_api import expect

from tests.browser.test_drawing import NAMES, differences, draw, named, saved
from tests.browser.test_the_next_edition import begin

HELD = "() => { const on = document.activeElement; return on.dataset.key ?? on.dataset.element ?? on.tagName; }"


def held(page):
    """What the keyboard is on: the key of a control, the id of a step of the outline."""
    return page.evaluate(HELD)


def press_until(page, key, is_reached, what):
    for _ in range(60):
        if is_reached():
            return
        page.keyboard.press(key)
    raise AssertionError(f"{what} is not reached: {held(page)}")


def read_to(page, element):
    """Down the outline to a step."""
    for _ in range(6):
        if page.evaluate("document.activeElement.closest('[data-part=outline]') !== null"):
            break
        page.keyboard.press("F6")
    page.keyboard.press("Home")
    press_until(page, "ArrowDown", lambda: held(page) == element, element)


def on_to(page, key):
    """Along the panel to a control."""
    press_until(page, "Tab", lambda: held(page) == key, key)


def pick(page, value):
    """Through the options of the list in hand, one after the other, to a value."""
    press_until(page, "ArrowDown", lambda: page.evaluate("document.activeElement.value") == value, value)


def steps(page):
    return page.locator("[data-part=outline] button[data-element]").evaluate_all("all => all.map((one) => one.dataset.element)")


def test_a_task_is_drawn_led_elsewhere_taken_out_and_put_back_without_a_mouse(visit):
    page = visit("meriem")
    draft = begin(page, "Sans souris")
    draw(page, draft)
    drawn = steps(page)
    press = page.keyboard.press
    read_to(page, "accueillir")
    press("a")
    page.wait_for_selector("[data-key=after]:focus")
    shapes = page.locator("[data-part=canvas] .djs-shape")
    count = shapes.count()
    press("End")
    press("Home")
    assert shapes.count() == count, "going through the list draws nothing"
    pick(page, "UserTask")
    press("Enter")
    page.wait_for_selector("[data-key=name-fr]:focus")
    page.wait_for_selector("button.finding[data-code='pathway.form_missing']")
    (made,) = set(steps(page)) - set(drawn)
    assert steps(page).index(made) == drawn.index("accueillir") + 1
    for language, name in NAMES.items():
        on_to(page, f"name-{language}")
        page.keyboard.type(name)
    for key, value in (("form", "visiter"), ("role", "referent")):
        on_to(page, key)
        pick(page, value)
    on_to(page, "deadline")
    page.keyboard.type("3")
    on_to(page, "unit")
    pick(page, "jours_ouvres")
    on_to(page, "connect")
    pick(page, "fin")
    press("Enter")
    chips = page.locator("[data-part=panel] [data-key^=way-]")
    expect(chips).to_have_count(2)
    assert held(page) == "connect", "the hand stays where it was"
    read_to(page, made)
    press("Control+z")
    expect(chips).to_have_count(1)
    press("Control+y")
    expect(chips).to_have_count(2)
    press("Enter")
    page.wait_for_selector("[data-key=name-fr]:focus")
    on_to(page, chips.nth(1).get_attribute("data-key"))
    press("Tab")
    press("Enter")  # that way is taken off
    expect(chips).to_have_count(1)
    page.wait_for_selector("[data-chips] .state-good")
    saved(page)
    kept = named(page, draft)
    assert all(name in kept for name in NAMES.values()) and '<masar:tache form="visiter" role="referent" delai="3" unite="jours_ouvres" />' in kept

    read_to(page, made)
    press("Delete")
    expect(page.locator(f"[data-part=outline] [data-element='{made}']")).to_have_count(0)
    expect(page.locator("[data-part=announce]")).to_have_text(f"{NAMES['fr']} : retiré.")
    page.wait_for_selector("[data-part=outline] button:focus")
    press("Control+z")
    page.locator(f"[data-part=outline] [data-element='{made}']").wait_for()
    read_to(page, "fin")
    press("a")
    expect(page.locator("[data-part=announce]")).to_have_text("Rien ne peut suivre cet élément.")
    saved(page)
    assert differences(kept, named(page, draft)) == []
    proposed(page)
    published(visit("rim"), page.url)


def link_to(page, address):
    """On with the tab key to a link, and through it."""
    press_until(page, "Tab", lambda: page.evaluate("document.activeElement.getAttribute?.('href')") == address, address)
    page.keyboard.press("Enter")


def on_to_field(page, name):
    press_until(page, "Tab", lambda: page.evaluate("document.activeElement.id || (document.activeElement.innerText ?? '').trim()") == name, name)


def proposed(page):
    """From the editor back to the draft, its reasons typed, proposed."""
    address = page.url.partition("/diagrams/")[0]
    link_to(page, address.removeprefix(page.evaluate("location.origin")))
    page.wait_for_url(address)
    for name, reason in (("reason", "Un rendez-vous confirmé est tenu"), ("burden-reason", "Un appel évite un déplacement")):
        on_to_field(page, name)
        page.keyboard.type(reason)
    on_to_field(page, "Proposer")
    page.keyboard.press("Enter")
    page.wait_for_selector("text=Attend un accord")


def published(page, address):
    """By somebody else, from her desk: the pathway, what waits for her, its approval."""
    press_until(page, "Tab", lambda: page.evaluate("document.activeElement.matches('details.who > summary')"), "the menu of who she is")
    page.keyboard.press("Enter")
    link_to(page, "/editions")
    page.wait_for_url("**/editions")
    link_to(page, address.removeprefix(page.evaluate("location.origin")))
    page.wait_for_url(address)
    assert NAMES["fr"] in page.inner_text("main")
    on_to_field(page, "Approuver et publier")
    page.keyboard.press("Enter")
    page.wait_for_selector("text=est publiée")


def test_the_letters_of_the_shortcuts_are_those_of_an_arabic_keyboard_too(visit):
    page = visit("meriem", "ar")
    draw(page, begin(page, "لوحة المفاتيح"))
    devtools = page.context.new_cdp_session(page)

    def press(letter, code, number, held=0):
        for kind in ("keyDown", "keyUp"):
            devtools.send("Input.dispatchKeyEvent", {"type": kind, "key": letter, "code": code, "windowsVirtualKeyCode": number, "modifiers": held})

    drawn = steps(page)
    read_to(page, "accueillir")
    press("ش", "KeyA", 65)
    page.wait_for_selector("[data-key=after]:focus")
    pick(page, "UserTask")
    page.keyboard.press("Enter")
    page.wait_for_selector("[data-key=name-fr]:focus")
    read_to(page, "accueillir")
    press("ئ", "KeyZ", 90, held=2)
    page.wait_for_function("number => document.querySelectorAll('[data-part=outline] button[data-element]').length === number", arg=len(drawn))
    read_to(page, "accueillir")
    press("ث", "KeyE", 69)
    page.wait_for_selector(".djs-direct-editing-content:focus")
