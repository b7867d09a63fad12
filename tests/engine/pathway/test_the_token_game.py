"""What the token game says of a drawing is what happens when it runs: sound blocks are let in, and what is told of a spoiled one comes true."""

import random
from pathlib import Path

import pytest
from lxml import etree

from engine import errors
from engine.pathway import bpmn, soundness
from engine.pathway.game import games
from tests.engine.pathway import drawing as draw
from tests.properties.random_processes import Blocks, Written

BPMN = "{http://www.omg.org/spec/BPMN/20100524/MODEL}"


def found(*parts):
    return [(one.code, one.where.partition("#")[2]) for one in soundness.check(draw.parsed(*parts))]


def tasks(*names):
    return "".join(draw.user(name) for name in names)


def test_a_sound_process_has_nothing_told_of_it():
    assert found(draw.start(), tasks("a", "b"), draw.both("g"), draw.both("j"), draw.end(), draw.flows("start > g", "g > a > j", "g > b > j", "j > end")) == []


def test_a_join_of_both_after_a_choice_never_completes_and_the_way_is_told():
    parts = (draw.start(), draw.xor("x", default="x__b"), tasks("a", "b"), draw.both("j"), draw.end(),
             draw.flows("start > x", "x > {n > 1} a", "x > b", "a > j", "b > j", "j > end"))  # fmt: skip
    told = soundness.check(draw.parsed(*parts))
    assert [(one.code, one.where) for one in told] == [("check.deadlock", "p.bpmn#j")]
    assert told[0].details["path"]["fr"] == "start → x → a → j" and told[0].details["missing"]["ar"] == "b"


def test_a_choice_after_a_split_doubles_what_follows():
    parts = (draw.start(), draw.both("g"), tasks("a", "b", "c"), draw.xor("j"), draw.end(), draw.flows("start > g", "g > a > j", "g > b > j", "j > c > end"))
    assert ("check.doubled", "j") in found(*parts)


def test_doubling_that_no_two_tokens_meet_at_is_found_too():
    parts = (draw.start(), draw.both("g"), tasks("a", "b"), draw.element("serviceTask", "pay", "", '<masar:operation nom="x"/>'), draw.end(),
             draw.flows("start > g", "g > a > pay", "g > b > pay", "pay > end"))  # fmt: skip
    assert ("check.doubled", "pay") in found(*parts)


def test_a_loop_without_a_way_out_is_told():
    parts = (draw.start(), tasks("a", "b"), draw.flows("start > a > b > a"))
    assert [code for code, _ in found(*parts)] == ["check.endless"]


def test_a_loop_through_nobody_is_told_and_one_with_a_timer_is_not():
    service = draw.element("serviceTask", "s", "", '<masar:operation nom="x"/>')
    around = (draw.start(), service, draw.xor("x", default="x__end"), draw.end())
    assert found(*around, draw.flows("start > s > x", "x > {n > 1} s", "x > end")) == [("check.turns_alone", "s")]
    wait = draw.catch("t", draw.timer("Duration", "P1D"))
    assert found(*around, wait, draw.flows("start > s > x", "x > {n > 1} t", "t > s", "x > end")) == []


def test_a_reminder_that_ends_by_itself_is_fine_and_one_that_comes_back_is_not():
    parts = (draw.start(), tasks("a", "b"), draw.boundary("r", "a", draw.timer("Duration", "P1D"), interrupting=False), draw.end(), draw.end("over"))
    assert found(*parts, draw.flows("start > a > b > end", "r > over")) == []
    assert ("check.doubled", "b") in found(draw.start(), tasks("a", "b"), parts[2], draw.end(), draw.flows("start > a > b > end", "r > b"))


def test_a_new_round_beside_the_old_one_is_a_warning():
    parts = (draw.start(), tasks("m", "a", "b"), draw.both("g"), draw.xor("x", default="x__j"), draw.both("j"), draw.end(),
             draw.flows("start > m > g", "g > a > x", "g > b > j", "x > {n > 1} m", "x > j", "j > end"))  # fmt: skip
    told = soundness.check(draw.parsed(*parts))
    assert "check.overtaken" in {one.code for one in told if one.severity == "warning"}


def test_ways_out_that_may_all_be_shut_are_told():
    parts = (draw.start(), draw.xor("x"), tasks("a", "b"), draw.end(), draw.flows("start > x", "x > {n > 1} a", "x > {n < 1} b", "a > end", "b > end"))
    assert found(*parts) == [("check.default_missing", "x")]


def test_a_condition_that_looks_at_nothing_is_told():
    parts = (draw.start(), draw.xor("x", default="x__b"), tasks("a", "b"), draw.end())
    assert found(*parts, draw.flows("start > x", "x > {1 = 1} a", "x > b", "a > end", "b > end")) == [("check.condition_constant", "x__a")]
    assert found(*parts, draw.flows("start > x", "x > {n = 1} a", "x > b", "a > end", "b > end")) == []


def test_processes_that_call_one_another_round_are_told():
    parts = [
        draw.process(draw.start(f"s{n}"), draw.call(f"c{n}", f"q{(n + 1) % 3}"), draw.end(f"e{n}"), draw.flows(f"s{n} > c{n} > e{n}"), name=f"q{n}")
        for n in range(3)
    ]
    assert {code for code, _ in found(*parts)} == {"check.calls_itself"}


@pytest.mark.parametrize("turns", ["1001", "10**9", "2000 + 1"])
def test_more_turns_than_there_may_be_are_told(turns):
    assert found(draw.start(), draw.user("a", draw.several(turns)), draw.end(), draw.flows("start > a > end")) == [("check.too_many_turns", "a")]


def test_blocks_within_blocks_are_sound():
    for seed in range(120):
        definitions = bpmn.parse({"p.bpmn": draw.diagram(Written(Blocks(random.Random(seed)).block(3)).xml)}, {})
        told = [one for one in soundness.check(definitions) if one.severity == "error"]
        assert told == [], (seed, told)


def test_what_is_told_of_a_spoiled_block_comes_true_when_it_runs():
    """A gateway changed into another kind: where the game says nothing, no run is stuck; where it tells of a deadlock, a run can be found that is."""
    kinds = ("exclusiveGateway", "parallelGateway", "inclusiveGateway")
    told_deadlocks = told_nothing = 0
    for seed in range(400):
        rng = random.Random(seed)
        root = etree.fromstring(draw.diagram(Written(Blocks(rng).block(3)).xml))
        joins = [
            one
            for one in root.iter(*(BPMN + kind for kind in kinds))
            if sum(flow.get("targetRef") == one.get("id") for flow in root.iter(BPMN + "sequenceFlow")) > 1
        ]
        if not joins:
            continue
        spoiled = rng.choice(joins)
        spoiled.tag = BPMN + rng.choice([kind for kind in kinds if BPMN + kind != spoiled.tag])
        try:
            definitions = bpmn.parse({"p.bpmn": etree.tostring(root)}, {})
        except errors.Invalid:
            continue
        told = soundness.check(definitions)
        if any(one.code == "check.too_many_ways" for one in told):
            continue
        codes = {one.code for one in told if one.severity == "error"}
        stuck = any(runs_into_a_wall(definitions, random.Random(1000 * seed + turn)) for turn in range(25))
        if not codes:
            told_nothing += 1
            assert not stuck, seed
        elif codes == {"check.deadlock"}:
            told_deadlocks += 1
    assert told_deadlocks > 10 and told_nothing > 10


def runs_into_a_wall(definitions, rng):
    """Whether a run with random answers stands at a join that nothing can free."""
    facts = {"case": {}}
    for path in definitions.reads:
        facts["case"][path] = rng.random() < 0.5
    step = bpmn.start(definitions, "p", bpmn.Start({}, at=draw.START, seq=1, facts=facts))
    for seq in range(2, 60):
        there = bpmn.inspect(definitions, step.state)
        if any(one.code == "gateway.stuck" for one in there.incidents):
            return True
        if there.ended or not there.tasks:
            return False
        for path in facts["case"]:
            facts["case"][path] = rng.random() < 0.5
        step = bpmn.advance(definitions, step.state, bpmn.Complete(rng.choice(there.tasks).task_id, {}, at=draw.START, seq=seq, facts=facts))
    return False


def test_the_largest_diagram_of_the_project_is_walked_whole():
    folder = Path(__file__).parents[3] / "processes"
    definitions = bpmn.parse(
        {path.name: path.read_bytes() for path in folder.rglob("*.bpmn")}, {path.name: path.read_bytes() for path in folder.rglob("*.dmn")}
    )
    for scope in definitions.all_specs:
        for game in games(scope):
            assert game.play().is_whole and len(game.came) < 1000, scope.name
