"""A history played again: on its own definitions the same bytes; on others, where and how it first differs."""

import datetime as dt
from dataclasses import replace
from decimal import Decimal

import pytest

from engine.pathway import bpmn, recorded, replay
from forms.feel import PartialDate, YearsMonths
from tests.engine.pathway import drawing as draw
from tests.engine.pathway.drawing import Case


def said(case):
    return [replay.Said(one.seq, "line", case.definitions, one) for one in case.history]


def drawn(*chains, parts=(), **tasks):
    return draw.parsed(draw.start(), draw.end(), *(draw.user(name) for name in tasks), *parts, draw.flows(*chains))


@pytest.mark.parametrize("value", [
    None, True, 3, "text", "=n:3", Decimal("12.50"), dt.date(2026, 1, 31), dt.datetime(2026, 1, 31, 8, tzinfo=dt.UTC), dt.time(8, 30),
    dt.timedelta(days=2, microseconds=5), YearsMonths(14), PartialDate(1990), PartialDate(1990, 5), [{"id": "=", "n": [Decimal(1)]}], 2**60,
])  # fmt: skip
def test_a_recorded_value_reads_back_as_it_was(value):
    back = recorded.read(recorded.write(value))
    assert back == value and (type(back) is type(value) or value == 2**60)


def test_a_history_played_again_gives_the_same_bytes():
    body = draw.start("s1") + draw.user("b") + draw.flows("s1 > b")
    case = Case(drawn("start > a > s > end", a=1, parts=[draw.sub("s", draw.several("3"), body)]))
    case.do("a", n=3).do("b", "b")
    *_, (_, last) = replay.again("p", said(case))
    assert last.state == case.state


def test_a_task_added_ahead_changes_nothing_and_one_added_behind_stops_there():
    before = drawn("start > a > b > end", a=1, b=1)
    case = Case(before).do("a")
    ahead = replay.beside("p", said(case), drawn("start > a > b > c > end", a=1, b=1, c=1))
    assert ahead.stopped is None and ahead.first is None
    case.do("b")
    behind = replay.beside("p", said(case), drawn("start > a > c > b > end", a=1, b=1, c=1))
    assert behind.stopped is not None and behind.stopped.said.seq == 3
    turn, first = behind.first
    assert (turn.said.seq, first.kind, first.node) == (2, "asks_no_more", "b") or (first.kind, first.node) == ("asks", "c")
    assert behind.stopped.differences[0].kind == "not_open" and behind.stopped.differences[0].details["open"] == ("c",)


def test_a_task_that_is_no_more_is_left_out_and_one_renamed_is_found():
    case = Case(drawn("start > a > b > c > end", a=1, b=1, c=1)).do("a", "b")
    after = drawn("start > a > d > end", a=1, d=1)
    found = replay.beside("p", said(case), after, {("p", "b"): None, ("p", "c"): ("p", "d")})
    assert found.stopped is None and [one.skipped for one in found.turns] == [False, False, True]
    assert [task.node for task in bpmn.inspect(after, found.state).tasks] == ["d"]


def test_a_gateway_that_now_goes_another_way_is_named():
    parts = [draw.xor("x", default="x__c")]
    case = Case(drawn("start > a > x > {n > 3} b > end", "x > c > end", a=1, b=1, c=1, parts=parts)).do("a", n=4)
    found = replay.beside("p", said(case), drawn("start > a > x > {n > 9} b > end", "x > c > end", a=1, b=1, c=1, parts=parts))
    assert found.first[1].kind == "branches" and found.first[1].details == {"then": ("x__b",), "now": ("x__c",)}


def test_a_timer_that_now_waits_longer_is_told_and_stops_the_replay():
    def waiting(text):
        return drawn("start > w > a > end", a=1, parts=[draw.catch("w", draw.timer("Duration", text))])

    case = Case(waiting("P1D")).ring("w")
    found = replay.beside("p", said(case), waiting("P3D"))
    assert found.first[1].kind == "due" and found.stopped.differences[0].kind == "waits_longer"


def test_a_loop_and_a_multi_instance_are_followed_turn_by_turn_though_ordinals_differ():
    body = draw.start("s1") + draw.user("b") + draw.flows("s1 > b")
    several = draw.sub("s", draw.several("[{id: 1}, {id: 2}]", item="x"), body)
    case = Case(drawn("start > a > s > end", a=1, parts=[several]))
    case.do("a").give(bpmn.Complete, case.task("b", ("x:2",)).task_id)
    after = drawn("start > n > a > s > end", a=1, parts=[draw.element("task", "n"), several])
    found = replay.beside("p", said(case), after)
    assert found.stopped is None and found.first is None
    assert [one.node for one in bpmn.inspect(after, found.state).tasks] == ["b"]


def test_a_hand_s_move_is_followed_to_what_its_target_became():
    case = Case(drawn("start > a > b > c > end", a=1, b=1, c=1)).do("a")
    case.give(bpmn.Jump, case.task("b").task_id, "c")
    again = recorded.read_stimulus(recorded.write_stimulus(case.history[-1]), case.now, case.seq, {})
    assert again == replace(case.history[-1], facts={"case": {}})
    after = drawn("start > a > b > d > end", a=1, b=1, d=1)
    found = replay.beside("p", said(case), after, {("p", "c"): ("p", "d")})
    assert found.stopped is None and [task.node for task in bpmn.inspect(after, found.state).tasks] == ["d"]
