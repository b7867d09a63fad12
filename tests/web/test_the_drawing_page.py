"""The page of the diagram editor and what its script asks for: who may, in which words, what the judge says, how a diagram begins."""

import re
from pathlib import Path

import pytest

from engine import i18n
from engine.casework import cases, editions  # noqa: F401  (cases registers what service tasks may call)
from tests.web.small.installation import files
from tests.web.test_the_pages_of_editions import opened, sign_in  # noqa: F401
from web import rendering

ASSETS = Path(rendering.__file__).parent / "assets"
SCRIPTS = "\n".join(path.read_text("utf-8") for path in sorted((ASSETS / "scripts" / "drawing").glob("*.js")))
PATH = "processes/parcours.bpmn"
# What bpmn-js can say of elements that Masar does not run, or in menus that are not shown.
UNSEEN = re.compile(r"compensat|cancel|transaction|ad-hoc|script|complex|data|instantiating|HELLO|align|distribute|multiplicity|collection|^create ", re.IGNORECASE)


def save(browser, draft, content, version="0"):
    return browser.post(f"{draft}/files/{PATH}", content=content, version=version, headers={"accept": "application/json"})


def test_the_judge_answers_for_this_file_and_tells_of_the_others(sign_in):  # noqa: F811
    meriem = sign_in("meriem")
    draft = opened(meriem)
    assert meriem.client.get(f"{draft}/findings/{PATH}").json() == {"version": 0, "who": "", "at": None, "findings": [], "elsewhere": []}
    save(meriem, draft, files()[PATH].decode().replace('form="orienter"', 'form="rien"'))
    told = meriem.client.get(f"{draft}/findings/{PATH}").json()
    assert (told["version"], told["who"]) == (1, "Meriem Louati") and told["at"]
    one = next(one for one in told["findings"] if one["code"] == "edition.form_unknown")
    assert (one["severity"], one["element"], one["path"]) == ("error", "orienter", PATH) and "« rien », qui n'existe pas" in one["sentence"]
    beside = meriem.client.get(f"{draft}/findings/forms/tasks/accueil.toml").json()
    assert one in beside["elsewhere"] and beside["version"] == 0


def test_what_may_be_named_comes_in_the_readers_words(sign_in):  # noqa: F811
    meriem = sign_in("meriem", "ar")
    draft = opened(meriem)
    told = meriem.client.get(f"{draft}/vocabulary").json()
    assert {"id": "referent", "label": i18n.translate("web.role.referent", "ar"), "agencies": ["OTE"]} in told["roles"]
    assert next(one["label"] for one in told["forms"] if one["id"] == "orienter") == "التوجيه"
    assert [one["id"] for one in told["lanes"]] == ["OTE", "CPS", "ANETI", "Partenaires"] and told["words"]["undo"] == "تراجع"
    assert [one["id"] for one in told["tasks"]] == ["accueillir", "orienter", "visiter"]


def test_a_diagram_begins_from_a_sketch(sign_in):  # noqa: F811
    meriem = sign_in("meriem")
    draft = opened(meriem)
    meriem.get(draft)
    asked = {"process": "relire", "name_fr": "Relire", "name_ar": "المراجعة", "name_en": "Review", "lane": "CPS", "kind": "task"}
    assert meriem.post(f"{draft}/diagrams", **asked).status_code == 200 and meriem.path == f"{draft}/diagrams/processes/relire.bpmn"
    assert b'name="CPS"' in meriem.client.get(f"{draft}/content/processes/relire.bpmn").content
    meriem.get(draft)
    assert meriem.post(f"{draft}/diagrams", **asked).status_code == 422, "its name is taken"
    meriem.get(draft)
    assert meriem.post(f"{draft}/diagrams", **{**asked, "process": "parcours"}).status_code == 422, "by a file of the edition too"
    meriem.get(f"{draft}/files/processes/relire.bpmn")
    meriem.post(f"{draft}/files/processes/relire.bpmn", act="remove", version="1")
    meriem.get(draft)
    assert meriem.post(f"{draft}/diagrams", **asked).status_code == 200, "taken out, it may begin again"
    for wrong in ({"process": "Été"}, {"process": "../x"}, {"name_fr": ""}, {"lane": "OFII"}, {"kind": "x"}):
        meriem.get(draft)
        assert meriem.post(f"{draft}/diagrams", **{**asked, "process": "autre", **wrong}).status_code == 422, wrong


def test_the_auditor_looks_and_others_do_not_come_in(sign_in):  # noqa: F811
    meriem = sign_in("meriem")
    draft = opened(meriem)
    addresses = [f"{draft}/diagrams/{PATH}", f"{draft}/vocabulary", f"{draft}/findings/{PATH}"]
    chokri = sign_in("chokri")
    assert 'data-may-save="no"' in chokri.get(addresses[0]).text and [chokri.get(one).status_code for one in addresses] == [200] * 3
    chokri.get(draft)
    assert chokri.post(f"{draft}/diagrams", csrf=chokri.hidden("csrf"), process="x", name_fr="x", lane="OTE", kind="task").status_code == 403
    for who in ("zied", "salma"):
        assert [sign_in(who).get(one).status_code for one in addresses] == [403] * 3
    assert meriem.get(f"{draft}/diagrams/forms/tasks/accueil.toml").status_code == 404
    assert meriem.get(f"{draft}/diagrams/processes/absent.bpmn").status_code == 404


@pytest.mark.parametrize("language", i18n.LANGUAGES)
def test_every_word_the_editor_asks_for_is_written(language):
    known = {code.removeprefix("web.editor.") for code in i18n.catalogue(language) if code.startswith("web.editor.")}
    for code in re.findall(r'\bt\("([a-z0-9_.A-Z]+)"', SCRIPTS):
        assert code in known, code
    for code in re.findall(r'\bn\("([a-z_]+)"', SCRIPTS):
        assert f"{code}.other" in known, code
    kinds = re.search(r"const ACTS = \[(.*?)\];\nconst GATEWAYS = \[(.*?)\]", SCRIPTS, re.DOTALL)
    for kind in re.findall(r'"(\w+)"', kinds[0]):
        assert f"kind.{kind}" in known, kind
    for operation in editions.OPERATIONS:
        assert f"operation.{operation}" in known, operation


@pytest.mark.parametrize("language", ["fr", "ar"])
def test_every_sentence_of_bpmn_js_that_can_be_seen_is_translated(language):
    said = i18n.catalogue(language)
    library = ASSETS / "node_modules"
    found = set(re.findall(r"label: '([^']+)'", (library / "bpmn-js/lib/features/popup-menu/PopupEntries.js").read_text("utf-8")))
    for part in ("bpmn-js/lib/features", "diagram-js/lib/features"):
        for path in (library / part).rglob("*.js"):
            found |= set(re.findall(r"translate\('([^']+)'\)", path.read_text("utf-8")))
    missing = {one for one in found if not UNSEEN.search(one) and f"web.bpmn_js.{one}" not in said}
    assert len(found) > 80 and missing == set()
