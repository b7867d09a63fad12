"""A person's whole way in a real browser: adviser after adviser of the three agencies signs in, finds her task on her desk and answers what the page asks, until
the case is closed and signed. Whoever fills the pages knows their controls and what is true of the person, and nothing of the pathway.
"""

import datetime as dt

import pytest
from holidays import country_holidays

from engine.demo import answers
from tests import world as worlds

_PAPER = {"name": "piece.pdf", "mimeType": "application/pdf", "buffer": answers._PAGE}
_CONTROLS = """() => [...document.querySelectorAll('#answers .question')].filter(one => one.offsetParent && one.querySelector('input, textarea, select')).map(one => {
    const own = [...one.querySelectorAll('input:not([type=hidden]), select, textarea')].filter(found => !found.closest('.instead') && found.closest('.question') === one)
    const name = (own[0] || one.querySelector('input')).name.split('~')[0], kinds = new Set(own.map(found => found.type))
    const kind = one.querySelector(':scope > .date-parts') ? 'date' : one.querySelector('[data-signature]') ? 'signature' : one.querySelector("button[value^='add:']") ? 'list'
        : kinds.has('radio') ? 'one' : kinds.has('checkbox') ? 'several' : kinds.has('file') ? 'file' : own[0].tagName === 'SELECT' ? 'select' : 'text'
    return {name, kind, refreshes: kind === 'list' || own.some(found => found.hasAttribute('hx-post')), mode: own[0]?.inputMode, needed: !one.querySelector('.optional'), choices: own.filter(found => found.type === 'radio' || found.type === 'checkbox').map(found => found.value)
        .concat(kind === 'select' ? [...own[0].options].map(found => found.value).filter(Boolean) : []),
        empty: kind === 'one' || kind === 'several' ? !own.some(found => found.checked) : kind === 'file' ? !one.querySelector('input[type=hidden]').value : own.every(found => !found.value)}
})"""


@pytest.fixture(scope="module")
def installed(make_database):
    return make_database(worlds.furnish)


_CLOSED = country_holidays("TN", years=range(2020, 2040))


class Adviser:
    """One member of staff before her screen."""

    def __init__(self, page, actor):
        self.page, self.actor = page, actor

    def does(self, task_id, truth, today):
        """Opens the task from her desk, answers it and sends it."""
        page = self.page
        page.goto("/desk")
        page.click(f"a[href$='/tasks/{task_id}'] >> nth=0")
        page.wait_for_url(f"**/tasks/{task_id}")
        told = set()
        while asked := [one for one in page.evaluate(_CONTROLS) if one["name"] not in told]:
            for one in asked:
                told.add(one["name"])
                self._answer(one, truth, today)
                if one["refreshes"]:  # it may bring other questions
                    page.wait_for_selector(".htmx-request", state="detached")
                    break
        page.click("button[value=complete]")
        page.wait_for_selector("#summary, .notice-good")
        wrong = page.locator("#summary").all_inner_texts()
        assert not wrong, (page.locator("h1").inner_text(), wrong)

    def _answer(self, asked, truth, today):
        page, name, kind = self.page, asked["name"], asked["kind"]
        value = truth.get(name, answers._usual().get(name.rpartition("]")[2].lstrip(".") or name))
        if value is None and (not asked["needed"] or not asked["empty"]):
            return
        if isinstance(value, str) and value.startswith("@") and value[1:2] in "+-":
            days, _, hour = value[1:].partition("T")
            day = today + dt.timedelta(days=int(days.removesuffix("o")))
            while days.endswith("o") and (day.weekday() > 4 or day in _CLOSED):
                day += dt.timedelta(days=1)
            value = day.isoformat() + (f"T{hour}" if hour else "")
        elif isinstance(value, str) and value.startswith("@"):
            value = None if value != "@agent" else self.actor.name
        match kind:
            case "one":
                value = str(value).lower() if isinstance(value, bool) else value
                page.check(f"input[name='{name}'][value='{value if value in asked['choices'] else asked['choices'][0]}']")
            case "several":
                for one in [one for one in value or () if one in asked["choices"]] or asked["choices"][:1]:
                    page.check(f"input[name='{name}'][value='{one}']")
            case "select":
                page.select_option(f"[name='{name}']", value if value in asked["choices"] else asked["choices"][0])
            case "date":
                day, _, hour = (value or today.isoformat()).partition("T")
                for part, said in zip(("year", "month", "day"), day.split("-"), strict=False):
                    control = page.locator(f"[name='{name}~{part}']")
                    control.select_option(said) if part == "month" else control.fill(said)
                if page.locator(f"[name='{name}~hour']").count():
                    page.fill(f"[name='{name}~hour']", hour or "09:30")
            case "signature":
                if not page.locator(f"[name='{name}~name'][readonly]").count():  # else her own name stands there
                    page.fill(f"[name='{name}~name']", self.actor.name)
                page.check(f"[name='{name}~typed']")
            case "file":
                with page.expect_response(lambda answer: answer.url.endswith("/documents")):
                    page.set_input_files(f"[name='{name}~file']", _PAPER)
                page.wait_for_selector(f"input[type=hidden][name='{name}'][value*='-']", state="attached")
            case "list":
                for place, row in enumerate(value or ()):
                    page.click(f"button[value='add:{name}']")
                    page.wait_for_selector(f"[name='{name}[{place}]~item']", state="attached")
                    truth.update({f"{name}[{place}].{inner}": one for inner, one in row.items()})
            case _:
                page.fill(f"[name='{name}']", str(value if value is not None else "1" if asked["mode"] in ("numeric", "decimal") else "Néant"))
                page.press(f"[name='{name}']", "Tab")


def test_a_case_is_led_from_the_desk_to_its_signed_closure(visit, world):
    truth = world.somebody("emploi", 7)
    advisers, done = {}, []

    def adviser(actor):
        if actor.username not in advisers:
            advisers[actor.username] = Adviser(visit(actor.username, "ar" if actor.agency == "CPS" else "fr", by_the_door=True), actor)
        return advisers[actor.username]

    desk = adviser(world.agent("OTE", "MED", "agent_accueil")).page
    desk.goto("/intake")
    desk.fill("#q", truth["person.nom_fr"])
    desk.click("main form[role=search] button[type=submit]")
    desk.click("form[action='/intake'][method=post] button[type=submit]")
    desk.wait_for_url("**/tasks/*")
    case_id = world.open_tasks()[0].root_id
    for _ in range(150):
        rows = world.open_tasks(case_id)
        if not rows and world.file(case_id).ended_at:
            break
        if not rows:
            world.passes(days=7)
            continue
        actor = world.who_does(rows[0])
        adviser(actor).does(rows[0].task_id, truth, world.today())
        done.append((rows[0].node, actor.agency))
        world.settle()
    page = adviser(world.agent("OTE", "MED", "chef_antenne")).page
    page.goto(f"/cases/{case_id}")
    assert world.file(case_id).ended_at and page.locator("h1").count() == 1, done
    assert {agency for _, agency in done} == {"OTE", "CPS", "ANETI"} and len(done) >= 15, done
    assert not world.incidents()
