"""A token moved by hand, an operation left undone: from where, to where, what of it is cancelled, what it passes over; and the same history again."""

from contextlib import suppress

import pytest

from engine import errors
from engine.pathway import bpmn
from tests.engine.pathway import drawing as draw
from tests.engine.pathway.drawing import Case

OPERATION = draw.element("serviceTask", "o", "", '<masar:operation nom="lettre"/>')


def of(*parts, extra=()):
    return Case(draw.parsed(draw.process(draw.start(), draw.end(), *parts), *extra))


def at(case, node):
    return next(one for one in bpmn.positions(case.definitions, case.state) if one.node == node)


def moved(case, node, to):
    return case.give(bpmn.Jump, at(case, node).position, to)


def replayed(case):
    """The same stimuli once more, without those that were refused: the same bytes at the end."""
    first, *others = case.history
    state = bpmn.start(case.definitions, "p", first).state
    for stimulus in others:
        with suppress(errors.Refusal):
            state = bpmn.advance(case.definitions, state, stimulus).state
    return state == case.state


def test_a_stuck_token_is_moved_past_what_no_condition_leaves_and_the_case_ends():
    case = of(draw.xor("x"), draw.user("a"), draw.user("b"), draw.flows("start > x > {n = 1} a > end", "x > {n = 2} b > end"))
    assert case.codes == ["gateway.no_way_out"] and at(case, "x").incident
    assert {"a", "b", "x", "end"} == set(at(case, "x").targets)
    assert moved(case, "x", "b").tasks == ["b"] and case.codes == []
    assert case.do("b").ended and replayed(case)


def test_what_is_left_is_cancelled_with_all_that_hangs_on_it():
    body = draw.start("s1") + draw.user("a") + draw.user("b") + draw.flows("s1 > a > b")
    edge = draw.boundary("t", "s", draw.timer("Duration", "P2D"))
    case = of(draw.sub("s", body), edge, draw.user("c"), draw.user("d"), draw.flows("start > s > c > end", "t > d > end"))
    assert case.tasks == ["a"] and case.waits == ["t"] and at(case, "s").what == "inside"
    assert moved(case, "s", "c").tasks == ["c"] and case.waits == []
    assert case.told(bpmn.TaskClosed, "a")[-1].outcome == "cancelled"
    assert moved(case, "c", "s").tasks == ["a"] and case.waits == ["t"], "and back: it begins anew"
    assert set(at(case, "a").targets) == {"a", "b"}, "inside, nowhere but inside"


def test_a_wait_is_moved_and_rings_no_more():
    case = of(draw.catch("w", draw.timer("Duration", "P1D")), draw.user("a"), draw.flows("start > w > a > end"))
    wait = case.wait("w")
    assert at(case, "w").what == "wait" and moved(case, "w", "a").tasks == ["a"]
    with pytest.raises(errors.Conflict, match="wait.not_open"):
        case.give(bpmn.Timer, wait.wait_id)


def test_it_goes_nowhere_else_than_to_a_place_of_its_own_scope():
    body = draw.start("s1") + draw.user("i") + draw.flows("s1 > i")
    case = of(draw.both("f"), draw.user("a"), draw.user("b"), draw.both("j"), draw.sub("s", body), draw.boundary("m", "a", *draw.message("urgence")),
              draw.flows("start > f > a > j > s > end", "f > b > j", "m > end"))  # fmt: skip
    for to in ("start", "j", "m", "i", "nowhere", ""):
        with pytest.raises(errors.Invalid, match="token.no_target"):
            moved(case, "a", to)
    with pytest.raises(errors.Conflict, match="token.not_there"):
        case.give(bpmn.Jump, "9.9", "b")
    with pytest.raises(errors.Conflict, match="token.not_there"):  # what listens at an edge is no token of its own
        case.give(bpmn.Jump, case.wait("m").wait_id, "b")
    assert moved(case, "a", "s").tasks == ["b", "i"]
    assert case.do("b", "i").codes == ["gateway.stuck"], "the join misses what was moved past it, and says so"
    assert moved(case, "j", "end").ended and replayed(case)


def test_an_operation_that_broke_is_left_undone_or_done_again():
    case = of(OPERATION, draw.user("a"), draw.flows("start > o > a > end"))
    asked = case.told(bpmn.OperationRequested)[-1].task_id
    assert at(case, "o").may_skip and at(case, "o").what == "operation"
    case.give(bpmn.OperationDone, asked, {}, "imprimante")
    assert case.codes == ["operation.failed"]
    assert moved(case, "o", "o").codes == [] and len(case.told(bpmn.OperationRequested)) == 2, "to itself: again"
    assert case.give(bpmn.Skip, at(case, "o").position).tasks == ["a"] and case.codes == []
    with pytest.raises(errors.Invalid, match="token.no_operation"):
        case.give(bpmn.Skip, at(case, "a").position)
    assert case.do("a").ended and replayed(case)


def test_of_several_turns_one_operation_is_left_undone_and_none_is_moved():
    work = draw.element("serviceTask", "o", draw.several("2"), '<masar:operation nom="lettre"/>')
    case = of(work, draw.user("a"), draw.flows("start > o > a > end"))
    whole, *turns = [one for one in bpmn.positions(case.definitions, case.state) if one.node == "o"]
    assert not whole.may_skip and whole.targets and [one.may_skip for one in turns] == [True, True] and [one.targets for one in turns] == [(), ()]
    with pytest.raises(errors.Conflict, match="token.not_there"):
        case.give(bpmn.Jump, turns[0].position, "a")
    case.give(bpmn.Skip, turns[0].position)
    assert case.tasks == [] and case.give(bpmn.OperationDone, turns[1].position, {}).tasks == ["a"]


def test_what_a_move_passes_over_is_told_both_ways_with_what_is_inside():
    paid = draw.element("serviceTask", "payer", "", '<masar:operation nom="verser_tranche"/>')
    called = draw.process(draw.start("q0"), draw.user("q1", "", '<masar:tache form="f9" role="r"/>'), draw.flows("q0 > q1"), name="q")
    case = of(draw.user("a"), draw.sub("s", paid), draw.user("b"), draw.call("c", "q"), draw.user("d"), draw.user("beside"), draw.xor("x", default="x__beside"),
              draw.flows("start > a > x > {n = 1} s > b > c > d > end", "x > beside > end"), extra=[called])  # fmt: skip

    def passed(to):
        return bpmn.passed_over(case.definitions, case.state, at(case, "a").position, to)

    assert {one.operation for one in passed("b")} == {"", "verser_tranche"} and {one.node for one in passed("b")} == {"a", "x", "s", "payer", "b"}
    assert "q1" in {one.node for one in passed("d")} and "f9" in {one.form for one in passed("d")}
    assert {one.node for one in passed("beside")} == {"a", "x", "beside"}
    back = moved(case, "a", "d")
    found = bpmn.passed_over(case.definitions, back.state, at(back, "d").position, "a")
    assert "payer" in {one.node for one in found}, "what would be walked again"
