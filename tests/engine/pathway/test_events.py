"""Events in the flow and at the edge of activities: messages (early ones too), signals, conditions, links, errors, escalations, ends."""

import pytest

from engine import errors
from engine.pathway import bpmn
from tests.engine.pathway import drawing as draw
from tests.engine.pathway.drawing import Case

NAMES = (
    '<bpmn:signal id="sig" name="alerte"/><bpmn:error id="err" errorCode="refus"/><bpmn:error id="other" name="autre"/>'
    '<bpmn:escalation id="esc" escalationCode="hausse"/>'
)


def of(*parts, facts=None, variables=None, extra=()):
    return Case(draw.parsed(NAMES, draw.process(draw.start(), draw.end(), *parts), *extra), facts={"case": facts or {}}, variables=variables)


def catching(key="numero"):
    inner, note = draw.message("piece.recue", key, "piece")
    return of(draw.user("t"), draw.catch("c", inner, note), draw.user("a"), draw.flows("start > t > c > a > end"), variables={"numero": "7"})


# --- messages ---


def test_a_message_that_comes_early_is_kept_until_somebody_waits():
    case = catching()
    case.send("piece.recue", "8").send("piece.recue", "7", nom="cin").send("autre", "7")
    assert case.tasks == ["t"] and case.waits == []
    assert case.do("t").tasks == ["a"]
    assert case.told(bpmn.WaitOpened) and case.waits == []


def test_a_message_under_another_key_does_not_wake_who_waits():
    case = catching().do("t").send("piece.recue", "8")
    assert case.waits == ["c"]
    assert case.send("piece.recue", "7").tasks == ["a"]


def test_a_message_is_consumed_once_by_the_oldest_who_waits():
    inner, note = draw.message("piece.recue")
    case = of(
        draw.both("s"),
        draw.catch("c1", inner, note),
        draw.catch("c2", inner, note),
        draw.user("a"),
        draw.user("b"),
        draw.flows("start > s > c1 > a > end", "s > c2 > b > end"),
    )
    assert case.send("piece.recue").tasks == ["a"]
    assert case.send("piece.recue").tasks == ["a", "b"]


def test_a_numeric_key_is_the_same_as_its_text():
    case = catching("1 + 6").do("t")
    assert case.wait("c").correlation == "7"
    assert case.send("piece.recue", "7").tasks == ["a"]


def test_early_messages_are_kept_up_to_a_number():
    case = catching()
    definitions, state, seq = case.definitions, case.state, 10
    for seq in range(10, 1010):
        state = bpmn.advance(definitions, state, bpmn.Message("bruit", str(seq), at=case.now, seq=seq)).state
    with pytest.raises(errors.Conflict) as refused:
        bpmn.advance(definitions, state, bpmn.Message("bruit", "x", at=case.now, seq=seq + 1))
    assert refused.value.code == "message.too_many_kept"


def test_a_process_starts_with_the_message_it_awaits():
    inner, note = draw.message("signalement.recu", result="signalement")
    definitions = draw.parsed(draw.start("d1"), draw.start("d2", inner, note), draw.user("a"), draw.user("b"), draw.flows("d1 > a", "d2 > b"))
    assert definitions.starting_messages == {"signalement.recu": "p"} and definitions.message_names == {"signalement.recu"}
    assert definitions.processes["p"].start_messages == ("signalement.recu",)
    assert Case(definitions).tasks == ["a"]
    case = Case(definitions, message="signalement.recu", variables={"numero": "7"})
    assert case.tasks == ["b"]
    with pytest.raises(errors.Invalid) as refused:
        Case(definitions, message="autre")
    assert refused.value.code == "process.no_such_start"
    with pytest.raises(errors.Invalid) as refused:
        Case(definitions, process_id="q")
    assert refused.value.code == "process.unknown"


def test_the_payload_of_the_message_that_starts_is_a_variable():
    inner, note = draw.message("signalement.recu", result="signalement")
    definitions = draw.parsed(
        draw.start("d", inner, note),
        draw.xor("x", default="x__b"),
        draw.user("a"),
        draw.user("b"),
        draw.flows('d > x > {signalement.source = "PAF"} a', "x > b"),
    )
    assert Case(definitions, message="signalement.recu", variables={"source": "PAF"}).tasks == ["a"]


def test_files_that_use_the_same_id_for_two_messages_keep_each_their_own():
    def drawn(name, message):
        waiting = '<bpmn:intermediateCatchEvent id="c"><bpmn:messageEventDefinition messageRef="Message_1"/></bpmn:intermediateCatchEvent>'
        return draw.diagram(f'<bpmn:message id="Message_1" name="{message}"/>', draw.process(draw.start(), waiting, draw.flows("start > c"), name=name))

    definitions = bpmn.parse({"p.bpmn": drawn("p", "un"), "q.bpmn": drawn("q", "deux")}, {})
    assert Case(definitions, "p").wait("c").name == "un" and Case(definitions, "q").wait("c").name == "deux"


def test_a_message_at_the_edge_interrupts_or_is_heard_each_time():
    inner, note = draw.message("urgence", "numero")

    def at_the_edge(interrupting):
        parts = (draw.user("a"), draw.boundary("m", "a", inner, note, interrupting=interrupting), draw.user("b"), draw.flows("start > a > end", "m > b > end"))
        return of(*parts, variables={"numero": "7"})

    assert at_the_edge(True).send("urgence", "7").tasks == ["b"]
    case = at_the_edge(False).send("urgence", "7").send("urgence", "7")
    assert case.tasks == ["a", "b", "b"] and case.waits == ["m"]
    assert case.do("a").waits == [] and not case.ended


# --- signals, conditions, links ---


def test_a_signal_wakes_all_who_wait_now_and_nobody_later():
    listen = draw.catch("c1", draw.refers("signal", "sig")) + draw.catch("c2", draw.refers("signal", "sig"))
    case = of(draw.both("s"), listen, draw.user("a"), draw.user("b"), draw.flows("start > s > c1 > a > end", "s > c2 > b > end"))
    assert case.give(bpmn.Signal, "autre").waits == ["c1", "c2"]
    assert case.give(bpmn.Signal, "alerte").tasks == ["a", "b"]
    assert not case.do("a").give(bpmn.Signal, "alerte").ended


@pytest.mark.parametrize("kind", ["throw", "end"])
def test_a_signal_thrown_or_at_an_end_is_heard_in_the_whole_instance(kind):
    said = draw.throw("dire", draw.refers("signal", "sig")) if kind == "throw" else draw.end("dire", draw.refers("signal", "sig"))
    way = "s > t > dire > end" if kind == "throw" else "s > t > dire"
    case = of(draw.both("s"), draw.user("t"), said, draw.catch("c", draw.refers("signal", "sig")), draw.user("a"), draw.flows(way, "start > s > c > a > end"))
    assert case.do("t").tasks == ["a"] and case.waits == []


def test_a_condition_is_heard_when_the_facts_make_it_true():
    case = of(
        draw.catch("c", draw.condition("retour.pret")), draw.user("t"), draw.both("s"), draw.user("a"), draw.flows("start > s > c > a > end", "s > t > end")
    )
    assert case.wait("c").kind == "condition" and case.wait("c").what == "retour.pret"
    assert case.give(bpmn.Signal, "rien").waits == ["c"]
    case.facts = {"case": {"retour": {"pret": True}}}
    assert case.do("t").tasks == ["a"] and case.waits == []
    assert "retour.pret" in case.definitions.reads


def test_a_condition_that_holds_already_lets_pass():
    assert of(draw.catch("c", draw.condition("n > 1")), draw.user("a"), draw.flows("start > c > a > end"), facts={"n": 2}).tasks == ["a"]


def test_a_condition_at_the_edge_is_heard_each_time_it_becomes_true():
    case = of(draw.user("a"), draw.user("t"), draw.both("s"), draw.boundary("c", "a", draw.condition("n > 1"), interrupting=False), draw.user("b"),
              draw.flows("start > s > a > end", "s > t > end", "c > b > end"))  # fmt: skip
    for n, heard in ((1, 0), (2, 1), (3, 1), (0, 1), (5, 2)):
        case.facts = {"case": {"n": n}}
        case.give(bpmn.Signal, "rien")
        assert case.tasks.count("b") == heard, n
    cut = of(draw.user("a"), draw.boundary("c", "a", draw.condition("n > 1")), draw.user("b"), draw.flows("start > a > end", "c > b > end"), facts={"n": 3})
    assert cut.tasks == ["b"]


def test_a_condition_that_breaks_is_an_incident_and_is_weighed_again():
    case = of(draw.catch("c", draw.condition("n")), draw.user("a"), draw.flows("start > c > a > end"))
    case.facts = {"case": {"n": 3}}
    case.give(bpmn.Signal, "rien")
    assert case.codes == ["feel.not_boolean"] and case.waits == ["c"]
    case.facts = {"case": {"n": True}}
    assert case.retry().tasks == ["a"] and case.codes == []


def test_a_link_goes_on_where_its_name_lands_even_in_a_circle():
    link = '<bpmn:linkEventDefinition name="suite"/>'
    case = of(
        draw.user("a"),
        draw.xor("x", default="x__out"),
        draw.throw("out", link),
        draw.catch("in", link),
        draw.flows("start > a > x > out", "x > {fini} end", "in > a"),
    )
    assert case.do("a").tasks == ["a"] and case.do("a").tasks == ["a"]
    assert case.do("a", fini=True).ended


# --- errors and escalations ---


def inside(name, *parts):
    return draw.sub(name, *parts)


def test_an_error_ends_its_sub_process_and_goes_on_from_the_edge_that_names_it():
    body = (
        draw.start("s1")
        + draw.both("s2")
        + draw.user("b")
        + draw.user("c")
        + draw.end("boum", draw.refers("error", "err"))
        + draw.flows("s1 > s2 > b > boum", "s2 > c")
    )
    edges = (
        draw.boundary("sur_autre", "s", draw.refers("error", "other"))
        + draw.boundary("sur_tout", "s", draw.refers("error"))
        + draw.boundary("sur_refus", "s", draw.refers("error", "err"))
    )
    parts = (
        inside("s", body),
        edges,
        draw.user("x"),
        draw.user("y"),
        draw.user("z"),
        draw.flows("start > s > end", "sur_autre > x", "sur_tout > y", "sur_refus > z"),
    )
    case = of(*parts)
    assert case.tasks == ["b", "c"]
    assert case.do("b").tasks == ["z"]
    assert {task.node: task.outcome for task in case.told(bpmn.TaskClosed)} == {"b": "completed", "c": "cancelled"}


def test_an_error_nobody_catches_is_an_incident_and_no_unrelated_edge_takes_it():
    body = draw.start("s1") + draw.end("boum", draw.refers("error", "err")) + draw.flows("s1 > boum")
    parts = (draw.both("s0"), inside("s", body), draw.user("b"), draw.boundary("e", "b", draw.refers("error", "err")), draw.user("c"))
    case = of(*parts, draw.flows("start > s0 > s > end", "s0 > b > end", "e > c > end"))
    assert case.codes == ["error.uncaught"] and case.tasks == ["b"] and not case.ended
    assert case.told(bpmn.IncidentRaised)[0].node == "boum"
    assert not case.do("b").ended and case.retry().codes == ["error.uncaught"]


def test_an_error_goes_up_through_called_processes():
    called = draw.process(draw.start("s1"), draw.user("b"), draw.end("boum", draw.refers("error", "err")), draw.flows("s1 > b > boum"), name="q")
    case = of(
        draw.call("appel", "q"),
        draw.boundary("e", "appel", draw.refers("error", "err")),
        draw.user("c"),
        draw.flows("start > appel > end", "e > c > end"),
        extra=(called,),
    )
    assert case.do("b").tasks == ["c"] and case.do("c").ended


@pytest.mark.parametrize("interrupting", [True, False])
def test_an_escalation_is_heard_at_the_nearest_edge(interrupting):
    body = draw.start("s1") + draw.throw("hausse", draw.refers("escalation", "esc")) + draw.user("b") + draw.flows("s1 > hausse > b")
    edge = draw.boundary("e", "s", draw.refers("escalation", "esc"), interrupting=interrupting)
    case = of(inside("s", body), edge, draw.user("c"), draw.flows("start > s > end", "e > c > end"))
    assert case.tasks == (["c"] if interrupting else ["b", "c"])


def test_an_escalation_nobody_hears_is_told_and_forgotten():
    case = of(draw.throw("hausse", draw.refers("escalation", "esc")), draw.user("a"), draw.flows("start > hausse > a > end"))
    assert case.tasks == ["a"] and case.told(bpmn.BranchTaken)[0].why[0]["text"] == "escalation hausse"


# --- ends ---


def test_a_terminate_end_ends_its_process_and_nothing_around_it():
    stop = draw.end("stop", "<bpmn:terminateEventDefinition/>")
    case = of(draw.both("s"), draw.user("a"), draw.user("b"), stop, draw.flows("start > s > a > stop", "s > b > end"))
    assert case.do("a").ended and case.told(bpmn.Ended) == [bpmn.Ended("stop")]
    body = draw.start("s1") + draw.both("s2") + draw.user("b") + draw.user("c") + stop + draw.flows("s1 > s2 > b > stop", "s2 > c")
    case = of(draw.both("s"), inside("sp", body), draw.user("d"), draw.user("e"), draw.flows("start > s > sp > e > end", "s > d > end"))
    assert case.do("b").tasks == ["d", "e"]


def test_an_error_at_the_end_of_a_process_is_an_incident():
    case = Case(draw.parsed(NAMES, draw.process(draw.start(), draw.end("boum", draw.refers("error", "err")), draw.flows("start > boum"))))
    assert case.codes == ["error.uncaught"] and not case.ended


def test_the_outcome_is_the_end_that_was_reached():
    case = of(draw.xor("x", default="x__end"), draw.end("refus"), draw.flows("start > x > {non} refus", "x > end"), facts={"non": True})
    assert case.told(bpmn.Ended) == [bpmn.Ended("refus")]
    assert "refus" in case.seen.done and "end" not in case.seen.done and "x__refus" in case.seen.done
    with pytest.raises(errors.Conflict) as refused:
        case.send("urgence")
    assert refused.value.code == "instance.ended"


def test_a_diagram_that_turns_by_itself_is_an_incident():
    case = of(draw.xor("m"), draw.element("task", "t"), draw.xor("x", default="x__m"), draw.flows("start > m > t > x > {fini} end", "x > m"))
    assert case.codes == ["run.endless"]
    case.facts = {"case": {"fini": True}}
    assert case.retry().ended
