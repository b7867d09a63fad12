"""Every diagram deploys and names only what exists: forms, roles, decisions, operations, fields and their codes, in three languages."""

import re

import pytest
from lxml import etree
from SpiffWorkflow.bpmn.parser.BpmnParser import BpmnValidator

from engine.actors.roles import ROLES
from engine.casework import aid_operations, operations, signal_operations  # noqa: F401 (each registers its own)
from engine.pathway import bpmn
from forms.feel import compile_expression
from tests.processes import reading
from tests.processes.conftest import VARIABLES
from tests.processes.test_the_tables_as_files import EXPECTED

FILES = sorted(reading.PROCESSES.glob("*.bpmn"))
BPMN, DI, MASAR = "{http://www.omg.org/spec/BPMN/20100524/MODEL}", "{http://www.omg.org/spec/BPMN/20100524/DI}", "{urn:masar:bpmn:1}"
FEEL_PLACES = ("valeur", "cle")
AGENCY = {"OTE": "OTE", "CPS": "CPS", "ANETI": "ANETI", "Partenaires": "PART"}
# Forms that bear the number of a domain.md form instead of their task's.
NUMBERED = {"T001": "f01", "T101": "f11", "T102": "f12", "T104": "f13", "T201": "f21", "T202": "f22", "T203": "f23", "T205": "f24", "T206": "f25",
    "T303": "f31", "T305": "f32",
            "T403": "f41", "T404": "f42", "T502": "f51", "T504": "f52", "T506": "f53", "T654": "f61", "T702": "f71", "T802": "f81"}  # fmt: skip
SPEAKING = {"userTask", "manualTask", "serviceTask", "businessRuleTask", "sendTask", "receiveTask", "task", "callActivity", "subProcess", "startEvent",
    "endEvent",
            "intermediateThrowEvent", "intermediateCatchEvent", "boundaryEvent", "process", "participant", "lane"}  # fmt: skip
GATEWAYS = {"exclusiveGateway", "inclusiveGateway", "parallelGateway", "eventBasedGateway"}


@pytest.fixture(params=FILES, ids=lambda path: path.name)
def root(request):
    return etree.parse(request.param).getroot()


def kind(node):
    return node.tag.rpartition("}")[2] if isinstance(node.tag, str) else ""


def carried(root, name):
    """(element, extension) for each extension of that name."""
    for one in root.iter(f"{MASAR}{name}"):
        holder = one.getparent()
        while kind(holder) in ("extensionElements", "operation", "message", "multiInstanceLoopCharacteristics"):
            holder = holder.getparent()
        yield holder, one


def feel_texts(root):
    """Every FEEL text of a diagram, with the id of its element."""
    for node in root.iter(f"{BPMN}conditionExpression", f"{BPMN}condition", f"{BPMN}loopCondition", f"{BPMN}completionCondition", f"{BPMN}loopCardinality"):
        yield node.getparent().get("id"), node.text or ""
    for node in root.iter():
        if isinstance(node.tag, str) and node.tag.startswith(MASAR):
            for name in FEEL_PLACES:
                if node.get(name):
                    yield node.getparent().getparent().get("id"), node.get(name)


def test_it_is_as_the_schema_of_bpmn_2_says(root):
    """Other editors check it before they open a file."""
    BpmnValidator().validate(root.getroottree())


def test_the_whole_deploys():
    diagrams = {path.name: path.read_bytes() for path in FILES}
    tables = {path.name: path.read_bytes() for path in (reading.PROCESSES / "decisions").glob("*.dmn")}
    definitions = bpmn.parse(diagrams, tables)
    assert {"parcours", "signalement", "dossier_aide", "seance_commission"} <= set(definitions.processes)


def test_everything_that_is_read_has_its_three_languages(root):
    for node in root.iter():
        if not isinstance(node.tag, str) or not node.tag.startswith(BPMN):
            continue
        asks = kind(node) in ("exclusiveGateway", "inclusiveGateway") and len(node.findall(f"{BPMN}outgoing")) > 1
        if kind(node) not in SPEAKING and not asks and not (node.get("name") and kind(node) in {"sequenceFlow", *GATEWAYS}):
            continue
        holder = node.find(f"{BPMN}extensionElements")
        labels = {} if holder is None else {one.get("lang"): (one.text or "").strip() for one in holder.iterfind(f"{MASAR}libelle")}
        assert node.get("name"), f"{node.get('id')}: no French name"
        assert labels.get("ar") and labels.get("en"), f"{node.get('id')}: {sorted(labels)}"
        if re.search("[a-zé]{2}", node.get("name")):  # else a code or a number, the same everywhere
            assert re.search("[\u0621-\u064a]", labels["ar"]), f"{node.get('id')}: {labels['ar']}"


def test_each_form_exists_and_is_the_task_s(root):
    standing = {path.stem for path in (reading.ROOT / "forms" / "tasks").glob("*.toml")}
    for task, note in carried(root, "tache"):
        form = note.get("form")
        if kind(task) == "manualTask" and form is None:
            continue
        assert form in standing, f"{task.get('id')}: no form {form}"
        if form == "f43":  # the hiring aid: domain.md gives its form a number, its task none
            continue
        number = re.match(r"T\d{3}", task.get("id"))
        assert number, f"{task.get('id')}: a task of a person begins with its number"
        own = NUMBERED.get(number[0])
        assert form == own or (own is None and form.startswith(number[0].lower())), f"{task.get('id')} asks {form}"


def test_each_task_of_a_person_names_a_role_of_its_lane(root):
    lanes = {one.text.strip(): lane.get("name") for lane in root.iter(f"{BPMN}lane") for one in lane.iterfind(f"{BPMN}flowNodeRef")}
    for task, note in carried(root, "tache"):
        role, holder = note.get("role"), task
        assert role in ROLES, f"{task.get('id')}: no role {role}"
        while holder.get("id") not in lanes and holder.getparent() is not None:
            holder = holder.getparent()  # a task inside a sub-process stands in the lane of the sub-process
        assert AGENCY[lanes[holder.get("id")]] in ROLES[role].agencies, f"{task.get('id')}: {role} in the lane {lanes[holder.get('id')]}"


def test_each_decision_and_operation_called_exists(root, all_tables):
    for rule, note in carried(root, "decision"):
        assert note.get("ref") in all_tables.ids, f"{rule.get('id')}: no decision {note.get('ref')}"
    for task, note in carried(root, "operation"):
        assert note.get("nom") in operations.REGISTERED, f"{task.get('id')}: no operation {note.get('nom')}"


def test_no_variable_hides_facts(root, fields):
    groups = {name.partition(".")[0] for name in fields}
    for name in ("decision", "message"):
        for node, note in carried(root, name):
            assert note.get("resultat") not in groups, f"{node.get('id')}: the variable {note.get('resultat')} would hide the facts of that group"


def test_conditions_read_fields_that_exist_and_codes_they_may_hold(root, fields, choices, all_tables):
    groups = {name.partition(".")[0] for name in fields}
    said = {note.get("resultat"): all_tables.by_id.get(note.get("ref")) for _, note in carried(root, "decision")}
    wrong = []
    for place, text in feel_texts(root):
        plain = re.sub(r'"[^"]*"', '""', text)
        wrong += [(place, path) for path in re.findall(r"(?<![\w.])(\w+\.\w+)", plain) if path.partition(".")[0] in groups and path not in fields
            and not path.endswith((".id", "_statut"))]
        for name, code in re.findall(r'(?<![\w.])([\w.]+) !?= "([^"]*)"', text):
            codes = choices.get(fields.get(name, {}).get("choices", ""))
            decision = said.get(name.partition(".")[0])
            if decision and decision.outputs:
                column = name.partition(".")[2]
                codes = next((output.values for output in decision.outputs if not column or output.name == column), None)
            wrong += [(place, f"{name} = {code}")] if codes and code not in codes else []
    assert wrong == []


def test_each_element_is_drawn(root):
    drawn = {one.get("bpmnElement") for one in root.iter(f"{DI}BPMNShape", f"{DI}BPMNEdge")}
    bare = [one.get("id") for one in root.iter() if isinstance(one.tag, str) and one.tag.startswith(BPMN) and kind(one) in SPEAKING | GATEWAYS
        | {"sequenceFlow"} - {"process"}]
    assert sorted(set(bare) - drawn - {one.get("id") for one in root.iter(f"{BPMN}process")}) == []


# What people, partners or Masar itself send, that no diagram throws (`engine/README.md`, messages).
NOT_YET_HEARD = {"visite.realisee"}  # partners hear of visits
NOT_YET_CALLED: set[str] = set()
FROM_OUTSIDE = {"signalement.recu", "piece.recue"}
FROM_RECEPTION = {"signalement.arrivee", "demande.en_ligne"}  # `cases.open_case` and the first task send them (tests/stories/test_before_they_come_home.py)
FROM_ANYBODY = {"signalement.en_ligne"}  # the page without account (tests/web/test_asking_online.py)
FROM_OPERATIONS = {"aide.abandonnee", "dossier.ecarte", "fonds.revenus", "dossier.rouvert"}  # a closed case is opened again; a fund that gets money back calls the first of its waiting list
FROM_THE_CASE_PAGE = {note.getparent().find(f"{MASAR}message").get("nom") for path in FILES for note in etree.parse(path).getroot().iter(f"{MASAR}imprevu")}


def test_what_one_diagram_says_another_hears():
    said, heard = set(), set()
    for path in FILES:
        for node, note in carried(etree.parse(path).getroot(), "message"):
            (said if kind(node) in ("intermediateThrowEvent", "endEvent", "sendTask") else heard).add(note.get("nom"))
    assert sorted(said - heard - NOT_YET_HEARD) == [], "said to nobody"
    assert sorted(heard - said - FROM_OUTSIDE - FROM_RECEPTION - FROM_ANYBODY - FROM_OPERATIONS - FROM_THE_CASE_PAGE) == [], "waited for in vain"


def test_every_decision_of_the_domain_is_called(all_tables):
    called = {note.get("ref") for path in FILES for _, note in carried(etree.parse(path).getroot(), "decision")}
    inside = {required for name in called for required in reading.needed(all_tables, name)}
    assert sorted(EXPECTED - inside - NOT_YET_CALLED) == []


def test_every_variable_a_condition_reads_is_given_by_something(fields, all_tables):
    """By a decision, an operation, a message, a call, a repetition, or the start of the instance."""
    groups = {name.partition(".")[0] for name in fields}
    given = {"instance", "branche", "numero", "loopCounter", "parametres", "programmes", "antennes", "dossier", "today", "now"} | VARIABLES
    roots = [etree.parse(path).getroot() for path in FILES]
    for root in roots:
        for name, attribute in (("decision", "resultat"), ("message", "resultat"), ("entree", "nom"), ("sortie", "nom"), ("collection", "element")):
            given |= {note.get(attribute) for _, note in carried(root, name)} - {None}
    casework = reading.ROOT / "engine" / "casework"
    sources = "".join(path.read_text("utf-8") for path in (*casework.glob("*operations.py"), *(casework / f"{one}.py" for one in ("orders", "holds", "reopenings", "plan_measures", "withdrawals", "referrals", "reliefs", "set_aside"))))
    given |= set(re.findall(r'"(\w+)":', sources))
    for root in roots:
        for _, note in carried(root, "operation"):
            if note.get("nom") == "retenir":
                given |= {one.get("nom") for one in note.iterfind(f"{MASAR}parametre")}
    read = {path.partition(".")[0] for root in roots for _, text in feel_texts(root) for path in compile_expression(text).paths}
    assert sorted(read - given - groups) == []
