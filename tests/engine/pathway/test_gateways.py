"""Gateways: which ways are taken, when joins fire, and what is told of why."""

import pytest

from engine import errors
from engine.pathway import bpmn
from forms.feel import ACT
from forms.feel.budget import Budget
from tests.engine.pathway import drawing as draw
from tests.engine.pathway.drawing import Case


def of(*parts, facts=None):
    return Case(draw.parsed(draw.start(), draw.end(), *parts), facts={"case": facts or {}})


def exclusive(**facts):
    parts = (draw.start(), draw.xor("x", default="x__c"), draw.user("a"), draw.user("b"), draw.user("c"))
    return Case(draw.parsed(*parts, draw.flows("start > x > {n > 1} a", "x > {n > 0} b", "x > c")), facts={"case": facts})


@pytest.mark.parametrize(("n", "taken"), [(2, "a"), (1, "b"), (0, "c"), (None, "c")])
def test_the_first_way_that_holds_is_taken_else_the_default(n, taken):
    assert exclusive(n=n).tasks == [taken]


@pytest.mark.parametrize(("listed", "taken"), [("abc", "a"), ("bac", "b"), ("cba", "b"), ("b", "a"), ("", "a")])
def test_conditions_are_tried_in_the_order_that_the_gateway_lists_whatever_an_editor_makes_of_the_file(listed, taken):
    """Camunda Modeler writes the arrows of a file anew when an element is moved; a list that does not hold all of them says nothing."""
    gateway = draw.element("exclusiveGateway", "x", "".join(f"<bpmn:outgoing>x__{one}</bpmn:outgoing>" for one in listed), default="x__c")
    parts = (draw.start(), gateway, draw.user("a"), draw.user("b"), draw.user("c"))
    assert Case(draw.parsed(*parts, draw.flows("start > x > {n > 1} a", "x > {n > 0} b", "x > c")), facts={"case": {"n": 2}}).tasks == [taken]


def test_a_branch_tells_its_conditions_their_values_and_what_was_taken():
    (told,) = exclusive(n=1).told(bpmn.BranchTaken)
    assert told.node == "x" and told.flows == ("x__b",)
    assert told.why == (
        {"flow": "x__a", "text": "n > 1", "value": False, "values": {"n": 1}},
        {"flow": "x__b", "text": "n > 0", "value": True, "values": {"n": 1}},
    )


def test_no_way_out_is_an_incident_that_retry_takes_up_on_new_facts():
    case = of(draw.xor("x"), draw.user("a"), draw.user("b"), draw.flows("start > x > {n = 1} a > end", "x > {n = 2} b > end"))
    assert case.codes == ["gateway.no_way_out"] and not case.ended and case.seen.active == {"x"}
    details = case.told(bpmn.IncidentRaised)[0].details
    assert [one["text"] for one in details["conditions"]] == ["n = 1", "n = 2"]
    case.retry()
    assert case.codes == ["gateway.no_way_out"] and len(case.told(bpmn.IncidentRaised)) == 2
    case.facts = {"case": {"n": 2}}
    mended = case.seen.incidents[0].incident_id
    assert case.retry().tasks == ["b"] and case.codes == []
    with pytest.raises(errors.Conflict, match=r"incident\.not_open"):
        case.give(bpmn.Retry, mended)


def test_a_condition_that_is_no_truth_value_or_cannot_be_weighed_is_an_incident():
    for condition in (
        "n",
        "(for a in [1,2,3,4,5,6,7,8,9,10] return for b in [1,2,3,4,5,6,7,8,9,10] return for c in [1,2,3,4,5,6,7,8,9,10] return for d in 1..100 return d) = 1",
    ):
        case = of(
            draw.xor("x", default="x__b"), draw.user("a"), draw.user("b"), draw.flows(f"start > x > {{{condition}}} a > end", "x > b > end"), facts={"n": 3}
        )
        assert case.codes in (["feel.not_boolean"], ["feel.fault"])
        assert case.tasks == []


def test_all_ways_are_taken_and_all_awaited():
    case = of(draw.both("s"), draw.user("a"), draw.user("b"), draw.user("c"), draw.both("j"), draw.flows("start > s > a > j > c > end", "s > b > j"))
    assert case.tasks == ["a", "b"]
    assert case.do("b").tasks == ["a"]
    assert case.do("a").tasks == ["c"] and case.do("c").ended


def test_a_parallel_join_in_a_loop_waits_for_both_at_each_turn_in_any_order():
    parts = (draw.xor("m"), draw.both("s"), draw.user("a"), draw.user("b"), draw.both("j"), draw.xor("x", default="x__m"))
    case = of(*parts, draw.flows("start > m > s > a > j > x > {n > 2} end", "s > b > j", "x > m"))
    for turn, (first, second) in enumerate([("a", "b"), ("b", "a"), ("b", "a")], 1):
        assert case.tasks == ["a", "b"]
        assert case.do(first).tasks == [second], turn
        case.do(second, n=turn)
    assert case.ended


def test_a_join_that_nothing_can_free_is_an_incident_never_an_end():
    case = of(draw.xor("x"), draw.user("a"), draw.user("b"), draw.both("j"), draw.flows("start > x > {n = 1} a > j > end", "x > {n = 2} b > j"), facts={"n": 1})
    case.do("a")
    assert case.codes == ["gateway.stuck"] and not case.ended
    assert case.retry().codes == ["gateway.stuck"]


def inclusive(facts):
    parts = (draw.some("s", default="s__c"), draw.user("a"), draw.user("b"), draw.user("c"), draw.some("j"), draw.user("d"))
    return of(*parts, draw.flows("start > s > {a} a > j > d > end", "s > {b} b > j", "s > c > j"), facts=facts)


@pytest.mark.parametrize(
    ("facts", "taken"), [({"a": True}, ["a"]), ({"b": True}, ["b"]), ({"a": True, "b": True}, ["a", "b"]), ({}, ["c"]), ({"a": None, "b": False}, ["c"])]
)
def test_an_inclusive_gateway_takes_every_way_that_holds_and_joins_what_it_took(facts, taken):
    case = inclusive(facts)
    for done, node in enumerate(taken):
        assert case.tasks == taken[done:]
        case.do(node)
    assert case.tasks == ["d"] and case.do("d").ended


def test_nested_inclusive_joins_wait_for_what_is_still_open_inside():
    """`a` or (`b`, then perhaps `d`), then `e`: SpiffWorkflow started `e` while `d` was open."""
    parts = (draw.some("s"), draw.user("a"), draw.user("b"), draw.some("s2", default="s2__j2"), draw.user("d"), draw.some("j2"), draw.some("j"), draw.user("e"))
    case = of(*parts, draw.flows("start > s > {a} a > j > e > end", "s > {b} b > s2 > {d} d > j2 > j", "s2 > j2"), facts={"a": True, "b": True, "d": True})
    assert case.do("a").tasks == ["b"]
    assert case.do("b").tasks == ["d"]
    assert case.do("d").tasks == ["e"]


def test_an_inclusive_join_in_a_loop():
    parts = (draw.xor("m"), draw.some("s"), draw.user("a"), draw.user("b"), draw.some("j"), draw.xor("x", default="x__m"))
    case = of(*parts, draw.flows("start > m > s > {a} a > j > x > {n > 1} end", "s > {both} b > j", "x > m"), facts={"a": True, "both": True})
    assert case.do("b").tasks == ["a"]
    case.do("a", n=1)
    assert case.tasks == ["a", "b"]
    assert case.do("a").tasks == ["b"]
    assert case.do("b", n=2).ended


def test_an_inclusive_split_without_conditions_takes_all():
    case = of(draw.some("s"), draw.user("a"), draw.user("b"), draw.some("j"), draw.flows("start > s > a > j > end", "s > b > j"))
    assert case.tasks == ["a", "b"] and case.do("a", "b").ended


def event_gateway():
    inner, note = draw.message("piece", "numero", "piece")
    parts = (
        draw.element("eventBasedGateway", "g"),
        draw.catch("recue", inner, note),
        draw.catch("echue", draw.timer("Duration", "P30D")),
        draw.user("a"),
        draw.user("b"),
    )
    receive = draw.element("receiveTask", "renonce", "", '<masar:message nom="desistement" cle="numero"/>')
    definitions = draw.parsed(
        draw.start(), draw.end(), *parts, receive, draw.flows("start > g > recue > a > end", "g > echue > b > end", "g > renonce > end")
    )  # fmt: skip
    return Case(definitions, variables={"numero": "7"})


def test_the_first_event_wins_and_the_others_are_no_longer_awaited():
    case = event_gateway()
    assert case.waits == ["echue", "recue", "renonce"] and case.seen.active == {"g"}
    case.send("piece", "7", nom="cin")
    assert case.tasks == ["a"] and case.waits == [] and {"g", "recue", "g__recue"} <= case.seen.done and "echue" not in case.seen.done
    assert event_gateway().ring("echue").tasks == ["b"]
    assert event_gateway().send("desistement", "7").ended


def test_an_event_gateway_takes_a_message_that_came_before_it():
    inner, note = draw.message("piece", "numero")
    parts = (
        draw.start(),
        draw.user("t"),
        draw.element("eventBasedGateway", "g"),
        draw.catch("recue", inner, note),
        draw.catch("echue", draw.timer("Duration", "P30D")),
        draw.user("a"),
    )
    case = Case(draw.parsed(*parts, draw.flows("start > t > g > recue > a", "g > echue")), variables={"numero": "7"})
    case.send("piece", "7")
    assert case.do("t").tasks == ["a"] and case.waits == []


def test_gateways_that_merge_let_each_token_pass():
    case = of(draw.both("s"), draw.user("a"), draw.user("b"), draw.xor("m"), draw.user("c"), draw.flows("start > s > a > m > c > end", "s > b > m"))
    assert case.do("a", "b").tasks == ["c", "c"]
    assert not case.do("c").ended and case.do("c").ended


def spending(monkeypatch):
    """What is spent from here on, of whatever budget: steps and load."""
    spent = {"steps": 0, "load": 0}
    spend, bear = Budget.spend, Budget._bear

    def one_step(self, *given):
        spent["steps"] += 1
        spend(self, *given)

    def one_load(self, load):
        spent["load"] += load
        bear(self, load)

    monkeypatch.setattr(Budget, "spend", one_step)
    monkeypatch.setattr(Budget, "_bear", one_load)
    return spent


HEAVY = "count(for i in 1..4400 return i) = n"  # within what an expression may take by itself


@pytest.mark.parametrize("ways", [3, 300])
def test_all_that_one_act_has_weighed_shares_one_budget(monkeypatch, ways):
    """A click answers in the time of one budget, however many conditions a gateway has: beyond it the case waits there, and the reason is told."""
    flows = [f"x > {{{HEAVY} - {number}}} a" for number in range(ways)]
    parts = (draw.start(), draw.user("first"), draw.xor("x", default="x__b"), draw.user("a"), draw.user("b"))
    numbered = draw.flows("start > first > x", "x > b") + "".join(
        draw.flows(flow).replace('id="x__a"', f'id="x__a{number}"') for number, flow in enumerate(flows))  # fmt: skip
    case = Case(draw.parsed(*parts, numbered), facts={"case": {"n": -1}})
    spent = spending(monkeypatch)
    case.do("first")
    assert spent["steps"] <= ACT + 1 and spent["load"] <= 50 * (ACT + 1)
    if ways == 3:
        assert case.tasks == ["b"] and spent["steps"] > ways * 8000
    else:
        assert case.codes == ["feel.fault"] and "more steps" in case.told(bpmn.IncidentRaised)[0].details["reason"]


def test_conditions_that_are_waited_for_spend_of_the_same_budget(monkeypatch):
    waits = [f"w{number}" for number in range(60)]
    parts = (draw.start(), draw.both("g"), draw.user("a"), *(draw.catch(one, draw.condition(f"{HEAVY} - {one[1:]}")) for one in waits))
    drawn = draw.parsed(*parts, draw.flows("start > g > a", *(f"g > {one}" for one in waits)))
    spent = spending(monkeypatch)
    case = Case(drawn, facts={"case": {"n": -1}})
    assert case.tasks == ["a"] and spent["steps"] <= ACT + len(waits)
