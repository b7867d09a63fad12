"""One slip of the pen in the project's own diagrams, tables and forms: each is found, at its place, with its code; without it nothing forbids publication.

A slip is a single edit such as a coordinator makes by accident: a gateway of the wrong kind, an attribute lost, a letter wrong.
"""

import pytest
from lxml import etree

from engine import i18n
from engine.casework import cases, editions  # noqa: F401  (cases registers what service tasks may call)
from engine.casework.judging import said
from engine.pathway.judgement import judge
from engine.pathway.sources import Sources
from tests.faults import plain
from tests.processes.slips import (
    ROOT,
    becomes,
    cell,
    conditioned_without_default,
    first_rule,
    loses,
    nobodys,
    note,
    out_of_its_lane,
    reads,
    rules_of,
    takes,
    timer_becomes_a_message,
    unlabelled,
    without,
)
from tests.web.small.installation import files as small_files


@pytest.fixture(scope="module")
def edition():
    return Sources(editions.files_of(ROOT / "processes", ROOT / "forms"))


@pytest.fixture(scope="module")
def found_without(edition):
    return judge(edition, editions.house())


def test_nothing_forbids_the_edition_of_the_project(found_without):
    assert [(found.code, found.where, dict(found.details)) for found in found_without if found.severity == "error"] == []


def test_what_should_be_looked_at_in_it_is_known(found_without):
    """A new warning is read before it is let in here: publication asks a reason for each."""
    known = {
        ("duties.exception", "dossier_aide.bpmn#T617"),
        # Each is answered by an instance that has its own limits: measures that close, a sitting that is held, an aid that ends, whatever its end.
        ("check.waits_for_ever", "accompagnement.bpmn#accompagnement_attente_suivi"),
        ("check.waits_for_ever", "dossier_aide.bpmn#dossier_aide_decide"),
        ("check.waits_for_ever", "emploi.bpmn#emploi_attente_aide"),
        ("check.waits_for_ever", "projet.bpmn#projet_attente_decision"),
        ("check.waits_for_ever", "projet.bpmn#projet_aide_terminee"),
        ("check.waits_for_ever", "social.bpmn#social_aide_terminee"),
    }
    assert {(found.code, found.where) for found in found_without} == known


@pytest.mark.parametrize("language", i18n.LANGUAGES)
def test_each_is_told_in_a_sentence(found_without, language):
    for one in [said(found, language) for found in found_without]:
        assert one["message"] and "[" not in one["message"], one


# --- the slips: name, file, edit, code, element ---

D8B, D1, D10C, D0, D3 = (
    rules_of(one) for one in (("versement", "D8b_preuve"), ("admission", "D1"), ("circuit", "D10c"), ("doublon", "D0"), ("vulnerabilite", "D3"))
)

DIAGRAMS = [
    # structure
    (
        "a join of branches that both come is drawn as a choice",
        "evaluation",
        becomes("evaluation_fermer_entretien", "exclusiveGateway"),
        "check.doubled",
        "evaluation_fermer_entretien",
    ),
    (
        "a choice is closed by a join of both",
        "etude_dossier",
        becomes("etude_dossier_suite_bailleur", "parallelGateway"),
        "check.deadlock",
        "etude_dossier_suite_bailleur",
    ),
    (
        "branches that may not come are waited for",
        "seance_commission",
        becomes("seance_commission_signe", "parallelGateway"),
        "check.deadlock",
        "seance_commission_signe",
    ),
    ("measures opened together are closed one by one", "mesures", becomes("mesures_reunion", "exclusiveGateway"), "check.doubled", ""),
    ("the fair closing of the pathway is a choice", "accompagnement", becomes("accompagnement_fermeture", "exclusiveGateway"), "check.doubled", ""),
    ("a default is lost", "accueil", loses("accueil_choix_doublon", "default"), "pathway.condition_missing", ""),
    (
        "each way out has a condition and none is the default",
        "accueil",
        conditioned_without_default("accueil_choix_doublon"),
        "check.default_missing",
        "accueil_choix_doublon",
    ),
    ("an end is drawn back into the middle", "cloture", takes("cloture_f_conservation__fin", targetRef="T804"), "pathway.nothing_leads_here", "cloture_fin"),
    ("an arrow is lost", "accueil", without("accueil_f_T102__choix_partage"), "pathway.nothing_leads_here", "accueil_choix_partage"),
    (
        "a way back passes through nobody",
        "constitution",
        takes("constitution_f_rappeler__attente", targetRef="constitution_choix_delai"),
        "check.turns_alone",
        "",
    ),
    ("a loop's only way out goes back into it", "suivi", takes("suivi_f_visite__fin", targetRef="suivi_programmer"), "pathway.nothing_leads_here", "suivi_fin"),
    ("a pathway calls itself", "parcours", takes("parcours_evaluation", calledElement="parcours"), "check.calls_itself", "parcours_evaluation"),
    (
        "a process that does not exist is called",
        "parcours",
        takes("parcours_evaluation", calledElement="evaluations"),
        "pathway.call_unknown",
        "parcours_evaluation",
    ),
    ("a kind that does not run", "accueil", becomes("accueil_choix_urgence", "complexGateway"), "pathway.unsupported", "accueil_choix_urgence"),
    (
        "a reminder comes back into the main way",
        "social",
        takes("social_f_rappeler__fin_rappel", targetRef="T306"),
        "pathway.nothing_leads_here",
        "social_fin_rappel",
    ),
    # duties
    ("who prepares the payment orders it", "versements", note("T608", role="gestionnaire_aides", distinct=None), "duties.alone", "versements_inscrire"),
    ("the order to pay is nobody's", "versements", nobodys("T608"), "duties.alone", "versements_inscrire"),
    ("who examined may grant", "dossier_aide", note("T604", distinct=None), "duties.grants_alone", "T604"),
    ("nobody else checks the advance", "dossier_aide", note("T614", distinct=None), "duties.grants_alone", "T617"),
    ("apart from a task that is none", "dossier_aide", note("T604", distinct="T6O3"), "pathway.distinct_unknown", "T604"),
    # time
    ("a task loses its deadline", "accueil", note("T101", delai=None), "check.deadline_missing", "T101"),
    ("a deadline is no number", "accueil", note("T101", delai="bientôt"), "pathway.deadline_unreadable", "T101"),
    ("a due date reads an amount", "dossier_aide", note("T611", echeance="aide.montant_accorde"), "check.due_is_no_date", "T611"),
    ("a due date reads a dated value", "dossier_aide", note("T611", echeance="parametres.delai_reserves_jours"), "check.due_is_no_date", "T611"),
    ("a due date is misspelt", "attente_arrivee", note("T002", echeance="retour.date_prevu"), "check.field_unknown", "T002"),
    ("a due date alone", "attente_arrivee", note("T002", delai=None, unite=None, ecart=None), "check.due_without_delay", "T002"),
    ("a due date is asked only later", "evaluation", note("T201", echeance="mesure.formation_fin"), "check.due_later", "T201"),
    ("a due date is always gone by", "evaluation", note("T201", echeance="retour.date", ecart="-5"), "check.due_over", "T201"),
    ("a due date is a date of birth", "evaluation", note("T201", echeance="person.naissance_date"), "check.due_same_day", "T201"),
    ("the timer beside a wait is lost", "accueil", timer_becomes_a_message("accueil_delai_preuve"), "check.waits_for_ever", "accueil_attente_preuve"),
    # words
    ("a task has no Arabic", "accueil", unlabelled("T101", "ar"), "check.label_missing", "T101"),
    ("a task has no English", "versements", unlabelled("T608", "en"), "check.label_missing", "T608"),
    ("a label is a page long", "accueil", takes("T101", name="Accueillir " * 20), "check.label_long", "T101"),
    ("a task has no French", "versements", loses("T608", "name"), "check.label_missing", "T608"),
    # who is asked
    ("a role is misspelt", "accueil", note("T101", role="agent_acceuil"), "check.role_unknown", "T101"),
    ("a role of another agency", "accueil", note("T101", role="travailleur_social"), "check.role_elsewhere", "T101"),
    ("a task is drawn outside the lanes", "accueil", out_of_its_lane("T101"), "check.lane_missing", "T101"),
    ("a form asks only what others may write", "accueil", note("T101", role="administrateur"), "form.asks_nothing", "T101"),
    ("a form is misspelt", "accueil", note("T101", form="f1l"), "edition.form_unknown", "T101"),
]
TEXTS = [
    (
        "a value is misspelt in a condition",
        "processes/accueil.bpmn",
        reads('admission = "NON_RECEVABLE"', 'admission = "NON_RECEVABLES"'),
        "check.value_unknown",
    ),
    (
        "a choice is misspelt in a condition",
        "processes/cloture.bpmn",
        reads('cloture.validation = "refusee"', 'cloture.validation = "refuse"'),
        "check.value_unknown",
    ),
    ("a field is misspelt in a condition", "processes/accueil.bpmn", reads("accueil.doublon_decision =", "accueil.doublon_decison ="), "check.field_unknown"),
    (
        "a label sends elsewhere",
        "processes/accueil.bpmn",
        reads('name="Accueillir et identifier"', 'name="Accueillir sur https://ailleurs.example/"'),
        "check.label_address",
    ),
    ("a condition reads what is asked later", "processes/accueil.bpmn", reads("accueil.doublon_decision =", "cloture.validation ="), "check.condition_later"),
    ("a condition reads what nobody asks", "processes/accueil.bpmn", reads("accueil.doublon_decision =", "aide.versement_rang ="), "check.condition_never"),
    (
        "the question that a timer waits for is lost",
        "forms/tasks/t612.toml",
        lambda raw: reads("  { field = \"aide.nouveau_delai\", when = 'aide.suite_entretien = \"poursuivre\"' },\n", "")(raw).partition(b"[[check]]")[0],
        "check.timer_never",
    ),
    (
        "the question that a due date needs is lost",
        "forms/tasks/t106.toml",
        lambda raw: raw.replace(b'  "accueil.rdv_le",\n', b"").rpartition(b"[[check]]")[0].rpartition(b"[[check]]")[0],
        "check.due_never",
    ),
    (
        "a question on a condition that nobody who fills in the form may answer",
        "forms/tasks/t106.toml",
        reads('  "accueil.rdv_accord",', "  \"accueil.rdv_accord\",\n  { field = \"projet.idee\", when = 'accueil.rdv_accord = true' },"),
        "form.not_hers",
    ),
    ("an operation is misspelt", "processes/accueil.bpmn", reads('nom="designer_referent"', 'nom="designer_referant"'), "edition.operation_unknown"),
    ("a role begins what it may not write", "processes/reclamation.bpmn", reads('roles="agent_accueil', 'roles="chef_cps'), "form.not_hers"),
    ("a role that begins something is misspelt", "processes/reclamation.bpmn", reads('roles="agent_accueil', 'roles="agent_accueill'), "check.role_unknown"),
    ("the form of something unforeseen is misspelt", "processes/reclamation.bpmn", reads('form="f96"', 'form="f969"'), "edition.form_unknown"),
    (
        "a label reads the other way",
        "processes/accueil.bpmn",
        reads('name="Accueillir et identifier"', 'name="Accueillir \u202eet identifier"'),
        "pathway.text_unsafe",
    ),
    (
        "a function is misspelt",
        "processes/decisions/vulnerabilite.dmn",
        reads("list contains([depistage", "list_contains([depistage"),
        "check.function_unknown",
    ),
    ("a result is misspelt", "processes/decisions/doublon.dmn", reads('<text>"creer"</text>', '<text>"crer"</text>'), "table.result_unknown"),
    (
        "anybody is asked about her health",
        "forms/tasks/en_ligne.toml",
        reads('"person.email",', '"person.email",\n  "depistage.enceinte",'),
        "form.not_for_anybody",
    ),
    ("a form loses its questions", "forms/tasks/t107.toml", lambda raw: raw.partition(b"[[section]]")[0], "form.empty"),
    (
        "a purpose is lost",
        "forms/dictionary/accueil.toml",
        lambda raw: b"".join(
            line for n, line in enumerate(raw.splitlines(True)) if not (line.startswith(b"purpose") and b"purpose" not in b"".join(raw.splitlines(True)[:n]))
        ),
        "definition.missing",
    ),
    ("a retention is no duration", "forms/dictionary/accueil.toml", reads('retention = "', 'retention = "toujours'), "dictionary.duration"),
]
TABLES = [
    ("two lines for one case", "versement", cell(D8B[-3], 1, "-"), "table.overlap", ""),
    ("a line is lost", "versement", without(D8B[-3]), "table.gap", "D8b_preuve"),
    ("the last line comes first", "admission", first_rule(D1[-1]), "table.masked", ""),
    ("a choice is misspelt in a cell", "circuit", cell(D10C[2], 1, '"N11"'), "table.value_unknown", D10C[2]),
    ("a cell is of another kind", "admission", cell(D1[2], 2, '"oui"'), "table.never_applies", D1[2]),
    ("a class that does not exist", "enquete", reads("<text>&gt;= 3</text>", "<text>&gt;= 7</text>"), "table.never_applies", ""),
    ("thresholds in the wrong order", "vulnerabilite", cell(D3[2], 1, "-"), "table.masked", D3[3]),
]


def judged(edition, path, edit, reread=False):
    raw = edition.files[path]
    try:
        root = etree.fromstring(raw)
        edit(root)
        changed = etree.tostring(root)
    except (etree.XMLSyntaxError, AttributeError, AssertionError, TypeError):
        changed = edit(raw)
    assert changed != raw
    made = Sources({**edition.files, path: changed})
    if not path.startswith("forms/"):
        made.__dict__.update(dictionary=edition.dictionary, forms=edition.forms, _letters=edition._letters)
    return judge(made, editions.house())


def new(found, before):
    known = {(one.code, one.where) for one in before}
    fresh = [one for one in found if (one.code, one.where) not in known]
    assert {one.code: wrong for one in fresh if (wrong := plain.faults({language: said(one, language)["message"] for language in i18n.LANGUAGES}))} == {}
    return {(one.code, one.where) for one in fresh}


@pytest.mark.parametrize(("file", "edit", "code", "element"), [one[1:] for one in DIAGRAMS], ids=[one[0] for one in DIAGRAMS])
def test_a_slip_in_a_diagram_is_found(edition, found_without, file, edit, code, element):
    found = new(judged(edition, f"processes/{file}.bpmn", edit), found_without)
    assert any(one == code and place.endswith(f"#{element}" if element else "") for one, place in found), found


@pytest.mark.parametrize(("path", "edit", "code"), [one[1:] for one in TEXTS], ids=[one[0] for one in TEXTS])
def test_a_slip_in_a_text_is_found(edition, found_without, path, edit, code):
    assert code in {one for one, _ in new(judged(edition, path, edit), found_without)}


@pytest.mark.parametrize(("file", "edit", "code", "element"), [one[1:] for one in TABLES], ids=[one[0] for one in TABLES])
def test_a_slip_in_a_table_is_found(edition, found_without, file, edit, code, element):
    found = new(judged(edition, f"processes/decisions/{file}.dmn", edit), found_without)
    assert any(one == code and place.endswith(f"#{element}" if element else "") for one, place in found), found


def test_money_that_moves_before_anybody_acted_is_refused():
    files, path = small_files(), "processes/parcours.bpmn"
    drawn = files[path].decode().replace('<masar:operation nom="recepisse"/>', '<masar:operation nom="verser_avance"/>')
    drawn = drawn.replace('<masar:tache form="accueil" role="agent_accueil" delai="8" unite="heures_ouvrees"/></bpmn:extensionElements></bpmn:userTask>', "</bpmn:extensionElements></bpmn:task>", 1)
    drawn = drawn.replace('<bpmn:userTask id="accueillir"', '<bpmn:task id="accueillir"')
    found = judge(Sources({**files, path: drawn.encode()}), editions.house())
    assert [(one.code, one.where) for one in found if one.code.startswith("duties.")] == [("duties.nobody", "parcours.bpmn#recepisse")]


def with_fields(edition, page, written, form, asked):
    """The edition with a field more, asked by a form."""
    files = dict(edition.files)
    files[f"forms/dictionary/{page}.toml"] += written.encode()
    files[f"forms/tasks/{form}.toml"] = files[f"forms/tasks/{form}.toml"].replace(b"ask = [", f"ask = [{asked}, ".encode(), 1)
    return judge(Sources(files), editions.house())


FIELD = """
[fields."{id}"]
type = "{type}"
label = {{ fr = "{label}", ar = "{arabic}", en = "{english}" }}
class = "{class_}"
owner = "{owner}"
purpose = "identification"
retention = "P5Y"
inferred = true
"""


def test_a_question_put_twice_under_two_names_is_refused_with_the_way(edition):
    label = edition.dictionary.fields["person.tel"].label
    field = FIELD.format(id="evaluation.numero_appel", type="text", label=label["fr"], arabic="رقم آخر", english="Another", class_="C", owner="OTE").replace(
        "evaluation.", "person."
    )
    found = [one for one in with_fields(edition, "person", field, "f25", '"person.numero_appel"') if one.code == "form.asked_twice"]
    assert [(one.details["twin"], one.where) for one in found] == [("person.tel", "plan.bpmn#T206")]
    assert found[0].details["path"]["fr"].startswith("Accueillir et identifier → ") and found[0].details["path"]["ar"].endswith(edition.definitions.label("T206", "ar"))


def test_a_fact_asked_by_two_tasks_open_together_is_refused_with_the_way(edition):
    asked = next(
        ask.field
        for section in edition.forms["f21"].sections
        for ask in section.ask
        if edition.dictionary.fields[ask.field].class_ == "C"
        and edition.dictionary.fields[ask.field].validity != "P0D"
        and not any(ask.field == one.field for name, form in edition.forms.items() if name != "f21" for part in form.sections for one in part.ask)
    )
    files = dict(edition.files)
    files["forms/tasks/f23.toml"] = files["forms/tasks/f23.toml"].replace(b"ask = [", f'ask = ["{asked}", '.encode(), 1)
    found = [one for one in judge(Sources(files), editions.house()) if one.code == "form.asked_together"]
    assert [(one.details["id"], one.where) for one in found] == [(asked, "evaluation.bpmn#T201")]
    assert edition.definitions.label("T203", "fr") in found[0].details["path"]["fr"]


def test_a_form_whose_answers_hold_for_one_act_is_warned_of_where_a_second_task_of_the_way_uses_it(edition):
    before = [one for one in judge(Sources(dict(edition.files)), editions.house()) if one.code == "form.asked_anew"]
    files = dict(edition.files)
    files["processes/accueil.bpmn"] = files["processes/accueil.bpmn"].replace(b'form="f13"', b'form="t109"')
    found = [one for one in judge(Sources(files), editions.house()) if one.code == "form.asked_anew"]
    assert before == [] and [(one.details["id"], one.severity) for one in found] == [("accueil.preuve_source", "warning")]
    assert edition.definitions.label("T109", "fr") in found[0].details["path"]["fr"]


def test_a_field_of_another_agency_asked_of_a_role_that_may_not_write_it_is_refused(edition):
    files = dict(edition.files)
    asked = next(
        one
        for one in edition.dictionary.fields.values()
        if one.class_ == "E" and one.owner == "ANETI" and one.subject == "case" and one.computed is None and not one.items
    )
    files["forms/tasks/t803.toml"] = files["forms/tasks/t803.toml"].replace(b"ask = [", f'ask = ["{asked.id}", '.encode(), 1)
    found = [one for one in judge(Sources(files), editions.house()) if one.code == "form.not_hers" and one.severity == "error"]
    assert [(one.details["id"], one.details["owner"], one.where) for one in found] == [(asked.id, "ANETI", "cloture.bpmn#T803")]
