"""A coordinator writes a field of the dictionary, opens a table, reads a letter before anybody receives one; what does not hold is refused with its sentence."""

import re
import tomllib
from pathlib import Path

import pytest

from engine import i18n
from tests.web.small.installation import files
from tests.web.test_the_form_editor import opened
from web import rendering

ASSETS = Path(rendering.__file__).parent / "assets"
PAGE, TABLE = "forms/dictionary/accueil.toml", "processes/decisions/essai.dmn"
GOOD = {
    "f-group": "accueil", "f-name": "heure_venue", "f-type": "text", "f-label-fr": "Heure de venue", "f-label-ar": "ساعة القدوم", "f-label-en": "Hour of coming",
    "f-class": "C", "f-owner": "OTE", "f-purpose": "accueil", "f-retention-number": "5", "f-retention-unit": "Y", "f-validity": "after", "f-validity-number": "6",
    "f-validity-unit": "M", "f-optional": "yes", "f-max_length": "40",
}  # fmt: skip
DMN = b"""<?xml version="1.0" encoding="UTF-8"?>
<definitions xmlns="https://www.omg.org/spec/DMN/20191111/MODEL/" id="essai" name="Essai" namespace="urn:masar:decisions:essai">
  <decision id="E1" name="Essai"><decisionTable id="E1_table" hitPolicy="FIRST">
    <input id="E1_e1" label="Sexe"><inputExpression id="E1_x1" typeRef="string"><text>person.sexe</text></inputExpression></input>
    <output id="E1_s1" name="issue" typeRef="string"><outputValues id="E1_v"><text>"A", "B"</text></outputValues></output>
    <rule id="E1_un"><inputEntry><text>-</text></inputEntry><outputEntry><text>"A"</text></outputEntry></rule>
  </decisionTable></decision></definitions>"""


@pytest.fixture
def meriem(browser):
    return browser("meriem")


def write(browser, draft, **changed):
    browser.get(f"{draft}/fields/new")
    return browser.submit(f"{draft}/fields", {**GOOD, "act": "save", **{name.replace("__", "-"): value for name, value in changed.items()}})


def test_a_field_is_written_into_the_page_of_its_group_and_shown_as_agents_will_have_it(meriem):
    draft = opened(meriem)
    write(meriem, draft)
    assert meriem.path == f"{draft}/fields/accueil.heure_venue" and "La donnée est enregistrée" in meriem.page.text
    after = meriem.client.get(f"{draft}/content/{PAGE}").content
    entry = tomllib.loads(after.decode())["fields"]["accueil.heure_venue"]
    assert entry == {
        "type": "text", "label": {"fr": "Heure de venue", "ar": "ساعة القدوم", "en": "Hour of coming"}, "class": "C", "owner": "OTE", "purpose": "accueil",
        "retention": "P5Y", "validity": "P6M", "optional": True, "max_length": 40, "inferred": True,
    }  # fmt: skip
    assert after.startswith(files()[PAGE]), "the rest of the page stays as it was"
    assert 'lang="ar" dir="rtl"' in meriem.page.text and "ساعة القدوم" in meriem.page.text
    assert "Heure de venue" in meriem.get(f"{draft}/fields").text and "nouvelle" in meriem.page.text
    meriem.get(f"{draft}/fields/accueil.heure_venue")
    meriem.submit(f"{draft}/fields", {**GOOD, "act": "save", "f-label-fr": "À quelle heure ?", "f-optional": ""})
    assert "À quelle heure" in meriem.get(f"{draft}/forms/accueil.toml?said=fr").text or meriem.page.status_code == 200
    entry = tomllib.loads(meriem.client.get(f"{draft}/content/{PAGE}").text)["fields"]["accueil.heure_venue"]
    assert entry["label"]["fr"] == "À quelle heure ?" and "optional" not in entry


def test_which_choices_are_offered_is_written_beside_them_and_what_cannot_be_read_is_said_there(meriem):
    draft = opened(meriem)
    write(meriem, draft, f__type="enum", f__choices="antennes", f__offered="antennes.nom")
    entry = tomllib.loads(meriem.client.get(f"{draft}/content/{PAGE}").text)["fields"]["accueil.heure_venue"]
    assert (entry["choices"], entry["offered"]) == ("antennes", "antennes.nom") and ">antennes.nom</textarea>" in meriem.page.text
    refused = meriem.submit(f"{draft}/fields", {**GOOD, "act": "save", "f-type": "enum", "f-choices": "antennes", "f-offered": "antennes["})
    assert refused.status_code == 422 and 'id="f-offered-wrong"' in refused.text and ">antennes[</textarea>" in refused.text


@pytest.mark.parametrize(
    ("changed", "sentences"),
    [
        (
            {"f-label-ar": "", "f-purpose": "", "f-owner": "", "f-retention-number": "", "f-type": "enum", "f-computed": "person.naissance_date ="},
            ["Donnez le libellé en français, en arabe et en anglais.", "Définissez la finalité", "Choisissez l&#39;agence qui tient cette donnée",
             "Écrivez une durée en années, mois ou jours", "Définissez la liste de choix", "Corrigez l&#39;expression"],
        ),
        ({"f-name": "Heure venue"}, ["Donnez à cette donnée un identifiant qui commence par celui de son groupe, en minuscules : « accueil.nom »"]),
        ({"f-group": ""}, ["Choisissez de quoi parle cette donnée."]),
    ],
)  # fmt: skip
def test_what_is_missing_is_refused_with_its_sentence_and_nothing_is_saved(meriem, changed, sentences):
    draft = opened(meriem)
    refused = write(meriem, draft, **changed)
    assert refused.status_code == 422 and "Hour of coming" in refused.text, "what was typed stays"
    assert [one for one in sentences if one not in refused.text] == []
    assert meriem.client.get(f"{draft}/content/{PAGE}").content == files()[PAGE]


def test_choices_of_ones_own_are_added_and_taken_out(meriem):
    draft = opened(meriem)
    meriem.get(f"{draft}/fields/new")
    chosen = {**GOOD, "f-type": "enum"}
    meriem.submit(f"{draft}/fields", {**chosen, "act": "add-choice"})
    assert 'name="f-values-0-code"' in meriem.page.text
    one = {"f-values-0-code": "matin", "f-values-0-fr": "Matin", "f-values-0-ar": "صباحا", "f-values-0-en": "Morning"}
    meriem.submit(f"{draft}/fields", {**chosen, **one, "act": "add-choice"})
    meriem.submit(f"{draft}/fields", {**chosen, **one, "f-values-1-code": "", "act": "remove-choice:1"})
    meriem.submit(f"{draft}/fields", {**chosen, **one, "act": "save"})
    entry = tomllib.loads(meriem.client.get(f"{draft}/content/{PAGE}").text)["fields"]["accueil.heure_venue"]
    assert entry["values"] == [{"code": "matin", "label": {"fr": "Matin", "ar": "صباحا", "en": "Morning"}}]


def test_the_page_of_a_table_and_what_its_columns_may_hold(meriem, browser):
    draft = opened(meriem)
    meriem.get(draft)
    meriem.client.post(draft, files=[("csrf", (None, meriem.hidden("csrf"))), ("act", (None, "upload")), ("files", ("essai.dmn", DMN))])
    page = meriem.get(f"{draft}/tables/{TABLE}")
    assert page.status_code == 200 and f'data-path="{TABLE}"' in page.text and "tables-" in page.text
    assert meriem.get(f"{draft}/tables/{PAGE}").status_code == 404
    told = meriem.client.get(f"{draft}/columns").json()
    assert told["fields"]["person.sexe"]["values"] == [["F", "Femme"], ["M", "Homme"]] and told["decisions"]["E1"] == ['"A"', '"B"']
    assert told["bpmn_js"]["Add rule"] == "Ajouter une ligne" and told["words"]["table.any"] == "N'importe laquelle"
    in_arabic = meriem.client.get(f"{draft}/columns?language=ar").json()
    assert in_arabic["fields"]["person.sexe"]["values"][0] == ["F", "أنثى"] and in_arabic["bpmn_js"]["Add rule"] == "إضافة سطر"
    assert browser("salma").get(f"{draft}/columns").status_code == 403


@pytest.mark.parametrize("language", ["fr", "ar"])
def test_every_sentence_of_dmn_js_is_translated(language):
    """Its words, the types of columns, the ways of choosing rules and what it says of a value badly written."""
    library = ASSETS / "node_modules"
    texts = {path: path.read_text("utf-8") for name in ("dmn-js-decision-table", "dmn-js-shared", "dmn-js-drd", "dmn-js-literal-expression", "dmn-js-boxed-expression") for path in (library / name / "lib").rglob("*.js")}
    found = {one for text in texts.values() for _, one in re.findall(r"""translate\(\s*(['"])((?:(?!\1).)+)\1""", text)}
    for path, text in texts.items():
        if path.name == "DataTypes.js":
            found |= set(re.findall(r"'(\w+)'", re.search(r"DEFAULT_DATA_TYPES = \[(.*?)\]", text)[1]))
        if path.name in ("HitPolicies.js", "Utils.js", "DurationInput.js"):
            found |= set(re.findall(r"(?:label: |explanation: |return |Duration: )'([A-Z][^']+)'", text))
    assert len(found) > 170 and {"string", "Unique", "Must match PnDTnH", "Date must match pattern yyyy-MM-dd"} <= found
    said = i18n.catalogue(language)
    assert {one for one in found if f"web.dmn_js.{one}" not in said} == set()


def test_a_letter_is_read_in_both_languages_and_on_paper_before_anybody_receives_one(meriem):
    draft = opened(meriem)
    shown = meriem.get(f"{draft}/letters/rappel_pieces.toml")
    assert "pièces encore attendues" in shown.text and "الوثائق" in shown.text and 'lang="ar" dir="rtl"' in shown.text
    paper = meriem.client.get(f"{draft}/letters/rappel_pieces.toml/paper?sample=2")
    assert paper.headers["content-type"] == "application/pdf" and paper.content.startswith(b"%PDF")
    path = "forms/letters/rappel_pieces.toml"
    broken = files()[path].decode().replace("{limite}", "{limites}")
    meriem.post(f"{draft}/files/{path}", content=broken, version="0")
    assert "La lettre ne peut pas être composée" in meriem.get(f"{draft}/letters/rappel_pieces.toml").text
    assert meriem.client.get(f"{draft}/letters/rappel_pieces.toml/paper").status_code == 422
    meriem.get(f"{draft}/letters/rappel_pieces.toml")
    meriem.post(f"{draft}/files/{path}", content=files()[path].decode().replace("[values]\n", "values = 3\n[autres]\n"), version="1")
    assert "Écrivez ici ce qui est attendu à cette place" in meriem.get(f"{draft}/letters/rappel_pieces.toml").text and meriem.get(draft).status_code == 200
    meriem.get(f"{draft}/letters/entete.toml")
    assert meriem.path.endswith("/files/forms/letters/entete.toml")


def test_every_letter_of_the_project_can_be_read_beforehand(meriem):
    draft = opened(meriem)
    for path in sorted(files()):
        name = path.rpartition("/")[2]
        if path.startswith("forms/letters/") and name != "entete.toml":
            for sample in (1, 4):
                assert "notice-late" not in meriem.get(f"{draft}/letters/{name}?sample={sample}").text, (name, sample)


def test_in_arabic_every_word_is_there(meriem):
    draft = opened(meriem, "أقصر")
    for address in ("fields?q=رقم", "fields/new", "fields/person.sexe", "fields/foyer.membres", "letters/rappel_pieces.toml", "forms/accueil.toml"):
        shown = meriem.get(f"{draft}/{address}{'&' if '?' in address else '?'}language=ar").text
        assert 'dir="rtl"' in shown and "[web." not in shown and "[draft." not in shown, address
