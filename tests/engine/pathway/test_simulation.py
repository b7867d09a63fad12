"""What is to be expected of a drawing, from what was observed: the same figures for the same observations, what is unseen assumed and told, what is added counted."""

from dataclasses import replace

import pytest

from engine.pathway import simulation
from engine.pathway.simulation import Observed, Part, difference, simulate, turning
from tests.engine.pathway import drawing as draw

LANES = {"OTE": "OTE", "CPS": "CPS"}
SEEN = Observed(lasted={"a": [1.0, 3.0], "b": [10.0]}, went={"x": {("b",): 30, ("end",): 10}}, begun={"p": 20.0}, cases=40)


def task(name, deadline=""):
    return draw.user(name, extensions=f'<masar:tache form="f" role="r" {deadline}/>')


def drawn(*parts, **lanes):
    held = draw.lanes(OTE="a", **lanes)
    return draw.parsed(held, draw.start(), draw.end(), *parts)


NOW = drawn(task("a"), task("b"), draw.xor("x", default="x__end"), draw.flows("start > a > x", "x > {v} b > end", "x > end"), CPS="b")
LATER = drawn(task("a"), task("b"), task("n", 'delai="5" unite="jours"'), draw.xor("x", default="x__end"),
              draw.flows("start > a > x", "x > {v} b > n > end", "x > end"), CPS="b")  # fmt: skip


def shares(forecast):
    return {one.agency: one for one in forecast.shares}


def test_it_expects_what_was_seen_between_limits_and_says_the_same_twice():
    found = simulate(NOW, "p", SEEN, "graine", LANES, rounds=20, cases=200)
    assert found == simulate(NOW, "p", SEEN, "graine", LANES, rounds=20, cases=200) and found != simulate(NOW, "p", SEEN, "autre", LANES, rounds=20, cases=200)
    assert found.days.low < found.days.mean < found.days.high
    assert found.days.mean == pytest.approx(2 + 0.75 * 10, abs=0.8), "a lasts two days on average, three cases in four go by b"
    held = shares(found)
    assert held["OTE"].tasks.mean == 1 and held["OTE"].a_month.mean == pytest.approx(20)
    assert held["CPS"].tasks.mean == pytest.approx(0.75, abs=0.08) and held["CPS"].days.mean == pytest.approx(7.5, abs=0.8)
    assert found.assumed == () and found.half <= found.most


def test_a_task_never_done_takes_its_deadline_and_says_so_and_nothing_else_moves():
    now, later = (simulate(one, "p", SEEN, "graine", LANES, rounds=10, cases=100) for one in (NOW, LATER))
    assert later.assumed == (("deadline", "n"),)
    added = difference(now.days, later.days)
    assert added.low > 0 and added.mean == pytest.approx(5 * 0.75, abs=0.6), "five days, for the three in four that meet it"
    assert difference(shares(now)["CPS"].days, shares(later)["CPS"].days).mean == 0, "the same luck where the drawings are the same"
    first = drawn(task("a"), task("b"), task("n"), draw.xor("x", default="x__end"), draw.flows("start > n > a > x", "x > {v} b > end", "x > end"), CPS="b")
    seen = Observed({"a": [1.0, 3.0], "b": [5.0, 10.0, 30.0], "n": [1.0, 2.0, 9.0]}, SEEN.went, SEEN.begun, 40)
    before, after = (simulate(one, "p", seen, "graine", LANES, rounds=5, cases=50) for one in (NOW, first))
    assert difference(shares(before)["CPS"].days, shares(after)["CPS"].days).mean == 0 and difference(before.days, after.days).low > 0


def test_less_seen_is_less_sure():
    few = Observed(SEEN.lasted, {"x": {("b",): 3, ("end",): 1}}, SEEN.begun, 4)
    many = Observed(SEEN.lasted, {"x": {("b",): 300, ("end",): 100}}, SEEN.begun, 400)
    spread = [(found.days.high - found.days.low) for found in (simulate(NOW, "p", seen, "graine", LANES, rounds=20, cases=100) for seen in (few, many))]
    assert spread[0] > spread[1] * 1.5


def test_joins_wait_for_the_last_and_rounds_come_to_an_end():
    both = drawn(task("a"), task("b"), draw.both("g"), draw.both("h"), draw.flows("start > g", "g > a > h", "g > b > h", "h > end"), CPS="b")
    assert simulate(both, "p", SEEN, "graine", LANES, rounds=2, cases=5).days.mean == 10
    waiting = drawn(task("a"), draw.catch("w", draw.timer("Duration", "P3D")), draw.flows("start > w > a > end"))
    assert simulate(waiting, "p", Observed({"a": [1.0]}), "graine", LANES, rounds=2, cases=5).days.mean == 4
    endless = drawn(task("a"), draw.xor("x", default="x__a"), draw.flows("start > a > x", "x > {v} end", "x > a"))
    found = simulate(endless, "p", Observed({"a": [1.0]}, {"x": {("a",): 1000}}), "graine", LANES, rounds=2, cases=3)
    assert 0 < found.days.mean < 2_100 and simulation.ROUNDS > 1
    unseen = simulate(endless, "p", Observed({"a": [1.0]}), "graine", LANES, rounds=2, cases=50)
    assert unseen.assumed == (("ways", "x"),) and unseen.days.mean == pytest.approx(2, abs=0.5), "each way as likely as the other"


ROUND = drawn(task("a"), task("b"), draw.xor("x", default="x__end"), draw.flows("start > a > x", "x > {v} b > a", "x > end"), CPS="b")


def test_one_case_that_turns_for_long_makes_no_other_turn():
    """Nineteen are done at once and one turns twenty times: as many turns as ends, but half of the cases do not turn at all, nor do nine out of ten."""
    once = Part([("a", 1.0)], [("x", ("end",), False)])
    long = Part([("a", 1.0)] * 21 + [("b", 9.0)] * 20, [("x", ("b",), False), *[("x", ("b",), True)] * 19, ("x", ("end",), True)])
    seen = Observed(cases=20).pooled([once] * 19 + [long])
    found = simulate(ROUND, "p", seen, "graine", LANES, rounds=1, cases=400)
    assert found.half == 1 and found.most == 1
    assert found.days.mean == pytest.approx(1 + 1.0 * 10, abs=5), "on average as seen, all the same"
    walked = simulation.walk(ROUND, "p", seen, "graine", LANES, rounds=1, cases=400).rounds[0]
    assert 20 < max(len(one.turns) for one in walked) <= 41, "nor more often than the longest that was seen"


def test_cases_are_drawn_whole():
    """What one case did twenty times is said by one case: eight of them are no surer than eight."""
    parts = [Part([("a", days)] * 20, [("x", ("end",), False)]) for days in (1.0, 9.0) * 4]
    whole = Observed().pooled(parts)
    from_cases, from_tasks = (simulate(ROUND, "p", seen, "graine", LANES, rounds=40, cases=200) for seen in (replace(whole, parts=parts), whole))
    assert from_cases.days.high - from_cases.days.low > 1.5 * (from_tasks.days.high - from_tasks.days.low)


def test_what_is_done_several_times_turns_as_often_as_was_seen():
    inside = draw.start("s1") + task("b") + draw.end("e1") + draw.flows("s1 > b > e1")

    def several(sequential):
        return drawn(task("a"), draw.sub("s", draw.several("3", sequential=sequential), inside), draw.flows("start > a > s > end"))

    (one,) = turning(several(True))
    assert (one.node, one.is_parallel) == ("s", False) and "b" in one.counted
    seen = Observed({"a": [1.0], "b": [10.0]}, turns={"s": [2, 4]})
    for sequential, days in ((True, 31.0), (False, 11.0)):
        found = simulate(several(sequential), "p", seen, "graine", LANES, rounds=2, cases=400)
        assert found.days.mean == pytest.approx(days, abs=2) and found.assumed == ()
        assert sum(one.tasks.mean for one in found.shares) == pytest.approx(4, abs=0.3)
    assert simulate(several(True), "p", Observed({"a": [1.0], "b": [10.0]}), "graine", LANES, rounds=2, cases=2).assumed == (("turns", "s"),)
