"""The scenarios that come with the real edition: whole cases that the judge plays before any draft of it is published, about nobody."""

import re
from pathlib import Path
from uuid import uuid4

import pytest

from engine.casework import editions, judging
from engine.pathway import scenario_files, scenarios
from engine.pathway.scenario_files import FOLDER
from tests.engine.casework import redrawn
from tests.processes.shipped_scenarios import walked

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def edition():
    return editions.Edition(uuid4(), 1, editions.files_of(ROOT / "processes", ROOT / "forms"))


def test_each_goes_to_the_end_of_its_case_as_it_is_written(edition):
    played = [scenarios.play(edition.definitions, one, path) for path, one in edition.scenarios.items()]
    assert 3 <= len(played) and [one.finding for one in played if one.finding] == [] and all(scenarios.is_over(one.scenario.steps) for one in played)
    assert {"parcours", "dossier_aide"} == {one.scenario.process for one in played}
    passed = {element for one in played for elements in one.passed.values() for element in elements}
    assert {"T101", "T206", "T804"} <= passed, "from the desk to the closure"
    road = edition.definitions.processes.keys() - edition.definitions.beside
    drawn = [element.id for process in road for element in edition.definitions.elements(process)]
    assert sum(element in passed for element in drawn) * 10 > len(drawn) * 4


def test_each_has_a_title_in_each_language_that_is_read_back_as_written(edition):
    for path, one in edition.scenarios.items():
        assert {language for language, title in one.named.items() if title} == {"fr", "ar", "en"} and scenario_files.write(one) == edition.files[path]


def test_they_are_about_nobody(edition):
    written = b"".join(content for path, content in edition.files.items() if path.startswith(FOLDER)).decode()
    for _, person in walked():
        said = [person.truth[name] for name in ("person.cin", "person.nom_fr", "person.prenom_fr", "person.tel", "person.adresse", "person.nom_ar")]
        assert [one for one in said if re.search(rf"\b{re.escape(one)}\b", written)] == []
    assert not re.search(r"\b20[12]\d-\d\d-\d\d", written), "nor of our years"


def test_a_first_change_of_the_pathway_is_judged_by_them_and_they_follow_it_in_one_act(edition):
    files = redrawn.redrawn(edition.files, "evaluation", redrawn.under_another_id("T203", "T203_competences"))
    draft = editions.Edition(uuid4(), 2, files)
    found = {one.where.partition("#")[0]: one for one in editions.check(files) if one.code.startswith("scenario.")}
    assert len(found) >= 3 and {one.severity for one in found.values()} == {"error"}
    for one in found.values():
        assert f"« {edition.definitions.label('T203', 'fr')} (retirée du parcours) »" in judging.worded(one.code, one.details, "fr"), "by its name of the edition, and that it is gone"
    for path in found:
        anew = scenarios.rewritten(draft.definitions, edition.scenarios[path])
        assert scenarios.play(draft.definitions, anew).finding is None and scenarios.is_over(anew.steps)
