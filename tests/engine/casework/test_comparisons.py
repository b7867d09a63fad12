"""Two editions side by side, in the words of whoever decides."""

import json
import random
import re
from pathlib import Path
from uuid import UUID

import pytest
from lxml import etree
from typer.testing import CliRunner

from engine import errors, i18n
from engine.casework import comparisons, editions
from engine.cli import masar
from engine.pathway import comparison, table_comparison
from forms import comparison as form_comparison
from tests.engine.pathway import edits

ROOT = Path(__file__).parents[3]
FILES = editions.files_of(ROOT / "processes", ROOT / "forms")
CURRENT = editions.Edition(UUID(int=1), 1, FILES)


def draft(*replaced):
    """The current edition with texts replaced: (path, before, after)."""
    files = dict(FILES)
    for path, before, after in replaced:
        assert before.encode() in files[path], before
        files[path] = files[path].replace(before.encode(), after.encode(), 1)
    return editions.Edition(UUID(int=2), 2, files)


def sentences(new, language="fr"):
    return [one.text for one in comparisons.changes(CURRENT, new, language)]


SHORTER = ("processes/cloture.bpmn", 'role="chef_antenne" delai="5"', 'role="chef_antenne" delai="3"')


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("fr", "La tâche « Valider la clôture » passe de 5 à 3 jours ouvrés."),
        ("ar", "المهمة «المصادقة على الغلق»: الأجل من 5 إلى 3 أيام عمل."),
        ("en", "The task “Validate the closure” goes from 5 to 3 working days."),
    ],
)
def test_a_deadline_is_told_in_each_language(language, said):
    assert sentences(draft(SHORTER), language) == [said]


@pytest.mark.parametrize(
    ("replaced", "said"),
    [
        (("processes/accueil.bpmn", 'role="chef_antenne"', 'role="referent"'),
         "La tâche « Vérifier le doublon » · rôle : « Référent du dossier » au lieu de « Chef d'antenne »."),
        (("processes/accueil.bpmn", 'form="t108"', 'form="t109"'),
         "La tâche « Vérifier le doublon » · formulaire : « Vérifier la preuve du retour » au lieu de « Vérifier le doublon possible »."),
        (("processes/accueil.bpmn", ' delai="2" unite="jours_ouvres"', ""), "La tâche « Vérifier le doublon » perd son délai (2 jours ouvrés)."),
        (("processes/social.bpmn", 'cancelActivity="false"', 'cancelActivity="true"'),
         "L'événement de bord « 10 jours » · interrompt l'activité : « oui » au lieu de « non »."),
        (("processes/suivi.bpmn", 'lang="en">Follow-up<', 'lang="en">Visits<'),
         "Le cadre « Suivi » : le nom en anglais devient « Visits », au lieu de « Follow-up »."),
        (("processes/decisions/antenne.dmn", 'hitPolicy="UNIQUE"', 'hitPolicy="FIRST"'),
         "La décision « Antenne compétente » · règle de choix entre lignes : « La première » au lieu de « Une seule »."),
        (("forms/tasks/f52.toml", '  "projet.clients",\n', ""), "Le formulaire « Plan d'affaires » ne demande plus « Qui seront vos clients ? »."),
        (("processes/parcours.bpmn", "</bpmn:definitions>", "</bpmn:definitions>\n<!-- relu -->"),
         "Le diagramme « Parcours de réinsertion » : le fichier est écrit autrement, sans rien changer au fond."),
    ],
)  # fmt: skip
def test_changes_are_told_as_people_speak(replaced, said):
    assert sentences(draft(replaced)) == [said]


# What only files call things by: an id of an element, the name of a message, the code of a table, in no sentence; what somebody wrote to be computed is shown as she wrote it.
RAW = {found for path, content in FILES.items() if path.endswith((".bpmn", ".dmn")) for found in re.findall(r'(?:\bid|<bpmn:message [^>]*name)="([^"]+)"', content.decode())}
COMPUTED = ("due", "key", "condition", "parameter", "input", "output", "loop_collection", "loop_item", "loop_until", "result", "cell", "outcome", "expression")


def raw_names(files, language):
    new = editions.Edition(UUID(int=2), 2, {**FILES, **files})
    found = [one for one in comparisons.differences(CURRENT, new) if one.what not in COMPUTED]
    return {name for told in comparisons.in_words(found, CURRENT, new, language) for name in re.findall(r"[\w.]+", told.text) if name in RAW and re.search(r"[_.0-9]", name)}


@pytest.mark.parametrize("language", i18n.LANGUAGES)
@pytest.mark.parametrize("kind", sorted(edits.OF_DIAGRAMS))
def test_no_sentence_of_what_changed_names_a_thing_as_only_files_do(kind, language):
    rng = random.Random(kind)
    edited = {path: edits.edited(rng, content, {kind: edits.OF_DIAGRAMS[kind]}, 2)[0] for path, content in FILES.items() if path.endswith(".bpmn")}
    assert raw_names(edited, language) == set()


def bare(content, leave="userTask"):
    """A drawing of which only people's tasks have names, and every arrow goes elsewhere by default."""
    root = etree.fromstring(content)
    for node in root.iter(etree.Element):
        if etree.QName(node).localname not in ("process", "message", "signal", leave):
            node.attrib.pop("name", None)
            for label in [*node.iterfind(f"{edits.B}extensionElements/{edits.M}libelle")]:
                label.getparent().remove(label)
        if node.get("default"):
            node.set("default", next(one.get("id") for one in root.iter(f"{edits.B}sequenceFlow") if one.get("sourceRef") == node.get("id") and one.get("id") != node.get("default")))
    return etree.tostring(root)


@pytest.mark.parametrize("language", i18n.LANGUAGES)
def test_a_drawing_without_names_is_told_without_ids(language):
    assert raw_names({path: bare(content) for path, content in FILES.items() if path.endswith(".bpmn")}, language) == set()
    assert raw_names({path: bare(content, "nothing") for path, content in FILES.items() if path.endswith(".bpmn")}, language) == set()


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("fr", "« Choix : une seule sortie, sans nom, après Étudier (OTE) / Dossier retiré, avant Étudié » disparaît."),
        ("ar", "حذف: «اختيار: مخرج واحد، دون اسم، بعد الدراسة (الديوان) / سُحب الملف، قبل دُرس»."),
        ("en", "“Choice: one way only, unnamed, after Study (OTE) / File withdrawn, before Studied” is removed."),
    ],
)
def test_a_gateway_without_a_name_is_told_by_what_stands_around_it(language, said):
    path = "processes/etude_dossier.bpmn"
    root = etree.fromstring(FILES[path])
    (gone,) = [one for one in root.iter(f"{edits.B}exclusiveGateway") if one.get("id") == "etude_dossier_suite_ote"]
    gone.getparent().remove(gone)
    assert said in [one.text for one in comparisons.changes(CURRENT, editions.Edition(UUID(int=2), 2, {**FILES, path: etree.tostring(root)}), language)]


def test_an_arrow_between_two_without_names_is_told_from_what_comes_before_to_what_follows():
    path = "processes/etude_dossier.bpmn"
    root = etree.fromstring(FILES[path])
    (gone,) = [one for one in root.iter(f"{edits.B}sequenceFlow") if (one.get("sourceRef"), one.get("targetRef")) == ("etude_dossier_suite_ote", "etude_dossier_etudie")]
    gone.getparent().remove(gone)
    told = [one.text for one in comparisons.changes(CURRENT, editions.Edition(UUID(int=2), 2, {**FILES, path: etree.tostring(root)}), "fr")]
    assert told == ["La flèche « Étudier (OTE) → Choix : une seule sortie → En parallèle : toutes les sorties → Étudié » disparaît."]


def test_a_cell_of_a_table_is_told_by_rule_and_column():
    (said,) = sentences(draft(("processes/decisions/circuit.dmn", "<text>\"N1\"</text>", "<text>\"N2\"</text>")))
    assert said.startswith("La règle 1 de « Circuit de décision » (") and said.endswith("case « Niveau » : « \"N2\" » au lieu de « \"N1\" ».")


def test_an_edition_does_not_differ_from_itself():
    assert comparisons.changes(CURRENT, editions.Edition(UUID(int=3), 3, dict(FILES)), "fr") == ()
    assert all(not one.text and one.old == one.new for one in comparisons.burden(CURRENT, CURRENT, "fr"))


def test_what_another_sort_of_file_holds_is_compared_too():
    files = {**FILES, "forms/letters/avis.toml": b'id = "avis"\n', "autre.bin": b"\x00"}
    told = comparisons.changes(CURRENT, editions.Edition(UUID(int=4), 4, files), "fr")
    assert {(one.kind, one.file) for one in told} == {("added", "forms/letters/avis.toml"), ("added", "autre.bin")}


def test_a_scenario_is_told_by_its_title_and_not_by_what_a_machine_reads():
    path, content = next((path, content) for path, content in sorted(CURRENT.files.items()) if path.startswith("processes/scenarios/"))
    title = content.decode().partition('title = "')[2].partition('"')[0]
    head, _, last = content.decode().rpartition("[[step]]")
    assert sentences(draft((path, "[[step]]" + last, ""))) == [f"Le scénario « {title} » change : 0 étape en plus, 1 en moins."]
    assert sentences(draft((path, "[[step]]" + last, "")), "ar") == [f"تغيّر السيناريو «{title}»: دون خطوات جديدة، وحُذفت خطوة واحدة."]


def test_the_diagrams_of_both_sides_are_painted():
    new = draft(SHORTER, ("processes/accueil.bpmn", "</bpmn:process>", '<bpmn:endEvent id="autre_fin" name="Autre fin"/></bpmn:process>'),
                ("processes/evaluation.bpmn", "<bpmn:flowNodeRef>T202</bpmn:flowNodeRef>", ""))  # fmt: skip
    marks = comparisons.marks(comparisons.differences(CURRENT, new))
    both = {"processes/cloture.bpmn": {"T803": "changed"}, "processes/evaluation.bpmn": {"T202": "moved"}}
    assert (marks.old, marks.new) == (both, both | {"processes/accueil.bpmn": {"autre_fin": "added"}})
    back = comparisons.marks(comparisons.differences(new, CURRENT))
    assert back.old["processes/accueil.bpmn"] == {"autre_fin": "removed"}


def test_a_rise_of_the_burden_is_told_and_flagged_in_each_language():
    new = draft(("processes/plan.bpmn", 'form="t208" role="referent" delai="5"', 'form="t208" role="referent" delai="9"'))
    for language, said in {
        "fr": "Sur le chemin habituel, jours ouvrés : {new} au lieu de {old} (4 de plus).",
        "ar": "في المسار المعتاد، أيام العمل: {new} عوضا عن {old} (بزيادة 4).",
        "en": "On the typical path, working days: {new} instead of {old} (4 more).",
    }.items():
        lines = {(one.path, one.figure): one for one in comparisons.burden(CURRENT, new, language)}
        assert len(lines) == 33
        typical = lines["typical", "working_days"]
        assert (typical.is_rise, typical.text) == (True, said.format(old=typical.old, new=typical.new))
        assert not lines["typical", "questions"].is_rise and lines["typical", "questions"].text == ""
    back = comparisons.burden(new, CURRENT, "fr")
    assert not any(one.is_rise for one in back) and any(one.text.endswith("(4 de moins).") for one in back)


def test_a_draft_that_cannot_be_published_is_compared_but_has_no_figures():
    broken = draft(("processes/accueil.bpmn", 'role="chef_antenne"', ""))
    assert len(sentences(broken)) == 1
    with pytest.raises(errors.Invalid, match=r"pathway\.refused"):
        comparisons.burden(CURRENT, broken, "fr")
    wrong = draft(("forms/tasks/f52.toml", '  "projet.clients",\n', '  "projet.nulle_part",\n'))
    with pytest.raises(errors.Invalid, match=r"edition\.refused"):
        comparisons.burden(CURRENT, wrong, "fr")


def _things():
    for path, content in FILES.items():
        if path.endswith(".bpmn"):
            yield from comparison._things(path, content)
        elif path.endswith(".dmn"):
            yield from table_comparison._things(path, content)
        elif path.startswith("forms/dictionary/"):
            yield from form_comparison._dictionary(path, content)
        elif path.startswith("forms/tasks/"):
            yield from form_comparison._form({}, path, content)


@pytest.mark.parametrize("language", i18n.LANGUAGES)
def test_whatever_the_files_hold_has_its_words(language):
    texts = i18n.catalogue(language)
    whats = {what for one in _things() for what, _ in one.properties} | {what for one in _things() for what in one.links}
    assert {what for what in whats - {"name", "deadline", "lane", "section"} if f"comparison.what.{what}" not in texts} == set()
    kinds = {one.kind for one in _things()} - {"rule"}
    assert {kind for kind in kinds if f"comparison.subject.{kind}" not in texts} == set()


def test_two_folders_are_compared_at_the_terminal(tmp_path):
    for path, content in draft(SHORTER).files.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_bytes(content)
    told = CliRunner().invoke(masar, ["compare", str(ROOT), str(tmp_path), "--json"])
    assert told.exit_code == 0, told.output
    read = json.loads(told.output)
    assert [one["text"] for one in read["changes"]] == ["La tâche « Valider la clôture » passe de 5 à 3 jours ouvrés."]
    assert any(one["old"] > one["new"] for one in read["burden"])
