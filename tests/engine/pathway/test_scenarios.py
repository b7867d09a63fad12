"""Scenarios: kept as text, played on any drawing, failing with the place; made of a real walk they are about nobody."""

import datetime as dt
from dataclasses import replace
from decimal import Decimal

import pytest

from engine.casework import judging
from engine.pathway import scenario_files, scenarios
from engine.pathway.scenario_files import Scenario, Step, Unreadable
from forms.feel import PartialDate, YearsMonths
from tests.engine.pathway import drawing as draw
from tests.engine.pathway.drawing import Case
from tests.faults import plain


def drawn(*chains, parts=()):
    words = " ".join(chains).split()
    ends = [name for name in ("end", "autre") if name in words]
    return draw.parsed(draw.start(), *(draw.end(name) for name in ends), *(draw.user(name) for name in "abc" if name in words), *parts, draw.flows(*chains))


WAY = drawn("start > a > x", "x > {n > 3} b > end", "x > c > end", parts=[draw.xor("x", default="x__c")])


@pytest.fixture
def scenario():
    case = Case(WAY).do("a", n=5).do("b")
    return Scenario("Le grand chemin", "p", "trial", scenarios.record(WAY, "p", case.history))


def finding(definitions, scenario):
    found = scenarios.play(definitions, scenario, "processes/scenarios/s.toml").finding
    return found and (found.code, found.where.partition("#")[2], *(found.details.get(name, {}).get("fr", "") for name in ("lost", "found")))


def test_it_reads_back_as_it_was_written_and_holds_on_its_own_drawing(scenario):
    written = scenario_files.write(scenario)
    assert scenario_files.read(written) == scenario and scenario_files.write(scenario_files.read(written)) == written
    assert [(step.act, step.node, step.opens, step.ends) for step in scenario.steps] == [
        ("start", "", ("a",), None), ("complete", "a", ("b",), None), ("complete", "b", (), "end")]  # fmt: skip
    assert finding(WAY, scenario) is None


@pytest.mark.parametrize("value", [None, True, "é\"\\\n", Decimal("12.50"), Decimal(7), dt.date(2026, 1, 31), dt.time(8, 30), dt.datetime(2026, 1, 31, 8, tzinfo=dt.UTC),
                                   dt.timedelta(days=-2, seconds=5), YearsMonths(14), YearsMonths(-3), PartialDate(1990), PartialDate(1990, 5),
                                   [{"id": "x", "n": Decimal(1)}], {"a b": {"é": False}}, []])  # fmt: skip
def test_every_value_of_feel_reads_back(value):
    step = Step(at=draw.START, act="start", values={"v": value}, facts={"case": {"g": {"f": value}, "liste": [value]}, "mesure:1": {}})
    back = scenario_files.read(scenario_files.write(Scenario("t", "p", "case", (step,)))).steps[0]
    assert back.values == {"v": value} and back.facts == {"case": {"g": {"f": value}, "liste": [value]}}


@pytest.mark.parametrize(("definitions", "told"), [
    (drawn("start > a > b > end"), None),  # the same walk by another drawing
    (drawn("start > a > x", "x > {n > 9} b > end", "x > c > end", parts=[draw.xor("x", default="x__c")]), ("scenario.opens_other", "2", "b", "c")),
    (drawn("start > b > a > end"), ("scenario.opens_other", "1", "a", "b")),
    (drawn("start > a > end"), ("scenario.opens_less", "2", "b (retirée du parcours)", "")),
    (drawn("start > a > p1", "p1 > b > end", "p1 > c > end", parts=[draw.both("p1")]), ("scenario.opens_more", "2", "", "c")),
    (drawn("start > a > b > x", "x > {false} end", "x > {false} c > end", parts=[draw.xor("x")]), ("scenario.breaks", "3", "", "x")),
    (drawn("start > a > b > t > end", parts=[draw.catch("t", draw.timer("Duration", "P1D"))]), ("scenario.ends_not", "3", "end", "")),
    (drawn("start > a > b > autre"), ("scenario.ends_other", "3", "end (retirée du parcours)", "autre")),
])  # fmt: skip
def test_where_a_drawing_goes_otherwise_it_says_at_which_step(scenario, definitions, told):
    assert finding(definitions, scenario) == told


def test_one_that_does_not_begin_begins_twice_or_ends_unforeseen_is_told_so(scenario):
    start, first, last = scenario.steps
    assert finding(WAY, replace(scenario, steps=(first, last)))[:2] == ("scenario.not_started", "1")
    assert finding(WAY, replace(scenario, steps=(start, first, start)))[:2] == ("scenario.started", "3")
    assert finding(WAY, replace(scenario, steps=(start, first, replace(last, ends=None))))[:2] == ("scenario.ends", "3")
    assert finding(WAY, replace(scenario, steps=(start, replace(first, node="c"))))[:2] == ("scenario.not_there", "2")
    with pytest.raises(scenarios.errors.Invalid, match=r"scenario\.value"):
        scenario_files.write(replace(scenario, steps=(replace(start, values={"v": object()}),)))
    many = {f"processes/scenarios/{number}.toml": replace(scenario, steps=scenario.steps * 100) for number in range(100)}
    assert [one.code for one in scenarios.check(WAY, many)] == ["scenario.too_many_steps"]


def test_an_element_that_is_gone_is_told_by_what_it_was_called_where_the_scenario_was_made(scenario):
    called = {"a": {"fr": "Accueillir", "ar": "الاستقبال", "en": "Receive"}, "b": {"fr": "Instruire", "ar": "الدراسة", "en": "Examine"}}
    made = scenario_files.read(scenario_files.write(replace(scenario, names=called)))
    without_b, without_a = drawn("start > a > c > end"), drawn("start > b > end")
    for definitions, code, gone in ((without_b, "scenario.opens_other", called["b"]), (without_a, "scenario.opens_other", called["a"])):
        found = scenarios.play(definitions, made).finding
        said = {language: judging.worded(found.code, found.details, language) for language in ("fr", "ar", "en")}
        assert found.code == code and all(gone[language] in said[language] for language in said) and plain.faults(said) == []
        assert f"« {gone['fr']} (retirée du parcours) »" in said["fr"]
    start, _, last = made.steps
    found = scenarios.play(without_b, replace(made, steps=(replace(start, opens=("a",)), last))).finding
    assert found.code == "scenario.gone" and "« Instruire » n'est plus dans le parcours" in judging.worded(found.code, found.details, "fr")


def test_a_scenario_keeps_what_its_elements_were_called(scenario):
    assert scenarios.named(WAY, scenario).names == {node: WAY.labels(node) for node in ("a", "b", "end")}
    assert scenarios.rewritten(WAY, scenario).names == scenarios.named(WAY, scenario).names


def test_what_covers_what(scenario):
    passed = scenarios.coverage(WAY, {"s": scenario})["p"]
    assert {"start", "a", "x", "b", "end", "x__b"} <= passed and not {"c", "x__c"} & passed


def test_it_can_be_taken_anew_where_its_acts_are_still_possible(scenario):
    wider = drawn("start > a > p1", "p1 > b > end", "p1 > c > end", parts=[draw.both("p1")])
    anew = scenarios.rewritten(wider, scenario)
    assert finding(wider, anew) is None and anew.steps[1].opens == ("b", "c")
    with pytest.raises(scenarios.errors.Conflict, match="scenario.cannot_act"):
        scenarios.rewritten(drawn("start > a > x", "x > {n > 9} b > end", "x > c > end", parts=[draw.xor("x", default="x__c")]), scenario)


@pytest.mark.parametrize(("definitions", "acts"), [
    (drawn("start > a > c > b > end"), ["a", "c", "b"]),  # a task in the way is done first
    (drawn("start > a > b > c > end"), ["a", "b", "c"]),
    (drawn("start > b > end"), ["b"]),  # one that is no more is left out, what it told is kept
    (drawn("start > a > c > end"), ["a", "c"]),
])  # fmt: skip
def test_taken_anew_it_does_what_was_added_and_leaves_what_is_gone(scenario, definitions, acts):
    anew = scenarios.rewritten(definitions, scenario)
    assert finding(definitions, anew) is None and [step.node for step in anew.steps[1:]] == acts and anew.steps[-1].ends == "end"
    told = {}
    for step in anew.steps:
        told = scenarios.with_told(told, step.facts)
    whole = {}
    for step in scenario.steps:
        whole = scenarios.with_told(whole, step.facts)
    assert told == whole


def test_what_was_told_is_told_once(scenario):
    steps = [replace(step, facts={"case": {"g": {"n": Decimal(number > 1), "m": True}, "liste": [number // 2]}, "mesure:1": {"v": "x"}}) for number, step in enumerate(scenario.steps)]
    brief = scenarios.told_once(replace(scenario, steps=tuple(steps)))
    assert [step.facts for step in brief.steps] == [steps[0].facts, {}, {"case": {"g": {"n": Decimal(1)}, "liste": [1]}}]


@pytest.mark.parametrize("content", [
    b"", b"\xff", b"step = 3", b"[[step]]\nact='start'", b"[[step]]\nat=2026-01-01T00:00:00Z\nact='eval'", b"[[step]]\nat=2026-01-01T00:00:00\nact='start'",
    b"[[step]]\nat=2026-01-01T00:00:00Z\nact='complete'", b"[[step]]\nat=2026-01-01T00:00:00Z\nact='start'\nfacts=1", b"[[step]]\nat=2026-01-01T00:00:00Z\nact='start'\nturn=0",
    b"[[step]]\nat=2026-01-01T00:00:00Z\nact='start'\nvalues={v={'@duration'='P1D\"'}}", b"[[step]]\nat=2026-01-01T00:00:00Z\nact='start'\nvalues={v={'@partial'='2020-13'}}",
    b"[[step]]\nat=2026-01-01T00:00:00Z\nact='start'\nvalues=" + b"{a=" * 12 + b"1" + b"}" * 12, b"[[step]]\nat=2026-01-01T00:00:00Z\nact='start'\n" * 1001,
])  # fmt: skip
def test_a_file_that_is_none_is_a_finding_and_never_a_fault(content):
    with pytest.raises(Unreadable):
        scenario_files.read(content)
    found, findings = scenario_files.read_all({"processes/scenarios/s.toml": content, "processes/p.bpmn": b""})
    assert found == {} and [one.code for one in findings] == ["scenario.unreadable"]
