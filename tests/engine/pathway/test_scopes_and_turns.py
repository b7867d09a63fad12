"""Sub-processes, event sub-processes, called processes, loops and multi-instances: who sees what, and when they are over."""

import pytest

from engine.pathway import bpmn
from tests.engine.pathway import drawing as draw
from tests.engine.pathway.drawing import Case

NAMES = '<bpmn:signal id="sig" name="alerte"/><bpmn:error id="err" errorCode="refus"/><bpmn:escalation id="esc" escalationCode="hausse"/>'


def of(*parts, facts=None, variables=None, extra=()):
    return Case(draw.parsed(NAMES, draw.process(draw.start(), draw.end(), *parts), *extra), facts=facts, variables=variables)


def event_sub(name, start_inner, *parts, interrupting=True, note=""):
    begin = draw.element("startEvent", f"{name}_s", start_inner, note, isInterrupting=str(interrupting).lower())
    return draw.sub(name, begin, *parts, triggeredByEvent="true")


# --- sub-processes ---


def test_a_sub_process_is_left_when_all_in_it_is_over_and_shares_its_variables():
    body = draw.start("s1") + draw.both("s2") + draw.user("a") + draw.user("b") + draw.flows("s1 > s2 > a", "s2 > b")
    case = of(draw.sub("s", body), draw.xor("x", default="x__d"), draw.user("c"), draw.user("d"), draw.flows("start > s > x > {n = 1} c > end", "x > d > end"))
    assert case.tasks == ["a", "b"] and case.seen.active == {"s", "a", "b"}
    assert case.do("a", n=1).tasks == ["b"]
    assert case.do("b").tasks == ["c"]


def test_a_sub_process_without_a_start_begins_where_nothing_leads_to():
    case = of(draw.sub("s", draw.user("a") + draw.user("b")), draw.flows("start > s > end"))
    assert case.tasks == ["a", "b"] and case.do("b", "a").ended


def test_an_interrupting_event_takes_the_whole_sub_process_with_it():
    inner, note = draw.message("urgence")
    body = draw.sub("s2", draw.start("s3") + draw.user("b") + draw.flows("s3 > b"))
    edge = draw.boundary("m", "s", inner, note)
    case = of(draw.sub("s", draw.start("s1") + body + draw.flows("s1 > s2")), edge, draw.user("c"), draw.flows("start > s > end", "m > c > end"))
    assert case.send("urgence").tasks == ["c"]
    assert case.told(bpmn.TaskClosed)[-1].outcome == "cancelled" and case.waits == []


# --- event sub-processes ---


def event_subs(interrupting, inner, note=""):
    body = event_sub("es", inner, draw.user("b"), draw.end("es_end"), draw.flows("es_s > b > es_end"), interrupting=interrupting, note=note)
    return of(draw.user("a"), body, draw.flows("start > a > end"))


def test_an_interrupting_event_sub_process_takes_over():
    inner, note = draw.message("urgence")
    case = event_subs(True, inner, note)
    assert case.tasks == ["a"] and case.waits == ["es_s"]
    assert case.send("urgence").tasks == ["b"] and case.waits == [] and "es" in case.seen.active
    assert case.do("b").told(bpmn.Ended) == [bpmn.Ended("es_end")]


def test_an_event_sub_process_beside_runs_as_often_as_it_is_called():
    inner, note = draw.message("urgence")
    case = event_subs(False, inner, note).send("urgence").send("urgence")
    assert case.tasks == ["a", "b", "b"] and case.waits == ["es_s"]
    assert not case.do("a").ended, "what runs beside is part of the process"
    assert case.do("b", "b").ended


def test_an_event_sub_process_that_nothing_called_keeps_nobody_waiting():
    for inner in (draw.timer("Duration", "P9D"), draw.refers("error", "err"), draw.refers("escalation", "esc"), draw.refers("signal", "sig")):
        case = event_subs(True, inner)
        assert case.tasks == ["a"] and case.do("a").ended and case.waits == []


@pytest.mark.parametrize("interrupting", [True, False])
def test_an_event_sub_process_by_timer_signal_and_condition(interrupting):
    after = ["b"] if interrupting else ["a", "b"]
    assert event_subs(interrupting, draw.timer("Duration", "P9D")).ring("es_s").tasks == after
    assert event_subs(interrupting, draw.refers("signal", "sig")).give(bpmn.Signal, "alerte").tasks == after
    case = event_subs(interrupting, draw.condition("n > 1"))
    case.facts = {"case": {"n": 2}}
    assert case.give(bpmn.Signal, "rien").tasks == after


def test_a_recurring_timer_starts_an_event_sub_process_each_time():
    case = event_subs(False, draw.timer("Cycle", "R2/P1D")).ring("es_s").ring("es_s")
    assert case.tasks == ["a", "b", "b"] and case.waits == []


def test_an_error_and_an_escalation_are_caught_by_an_event_sub_process():
    body = event_sub("es", draw.refers("error", "err"), draw.user("b"), draw.flows("es_s > b"))
    case = of(
        draw.user("a"),
        draw.user("c"),
        draw.both("s0"),
        draw.end("boum", draw.refers("error", "err")),
        body,
        draw.flows("start > s0 > a > boum", "s0 > c > end"),
    )
    assert case.do("a").tasks == ["b"] and case.codes == [] and case.do("b").ended
    body = event_sub("es", draw.refers("escalation", "esc"), draw.user("b"), draw.flows("es_s > b"), interrupting=False)
    case = of(draw.throw("hausse", draw.refers("escalation", "esc")), draw.user("a"), body, draw.flows("start > hausse > a > end"))
    assert case.tasks == ["a", "b"]


def test_an_event_sub_process_inside_a_sub_process_takes_over_only_there():
    inner, note = draw.message("urgence")
    body = draw.start("s1") + draw.user("b") + draw.flows("s1 > b") + event_sub("es", inner, draw.user("c"), draw.flows("es_s > c"), note=note)
    case = of(draw.both("s0"), draw.sub("s", body), draw.user("a"), draw.user("d"), draw.flows("start > s0 > s > d > end", "s0 > a > end"))
    assert case.send("urgence").tasks == ["a", "c"]
    assert case.do("c").tasks == ["a", "d"]


def test_two_instances_of_one_edition_do_not_disturb_each_other():
    inner, note = draw.message("urgence")
    first = event_subs(True, inner, note).send("urgence")
    second = Case(first.definitions)
    assert second.tasks == ["a"] and second.waits == ["es_s"]
    assert second.do("a").ended


# --- called processes ---


def called(sortie="", entree="", body=None):
    inner = body or draw.user("b") + draw.xor("x", default="x__fin") + draw.user("c") + draw.end("fin") + draw.flows(
        "q1 > b > x > {montant > 5} c > fin", "x > fin"
    )
    return of(
        draw.user("a"),
        draw.call("appel", "q", entree + sortie),
        draw.xor("y", default="y__e"),
        draw.user("d"),
        draw.user("e"),
        draw.flows("start > a > appel > y > {issue = 2} d > end", "y > e > end"),
        extra=(draw.process(draw.start("q1"), inner, name="q"),),
        variables={"branche": "MED"},
    )


def test_a_called_process_sees_what_it_is_given_and_hands_back_what_is_named():
    case = called('<masar:sortie nom="issue" valeur="resultat * 2"/>', '<masar:entree nom="montant" valeur="budget + 1"/>')
    case.do("a", budget=5)
    assert case.tasks == ["b"] and case.task("b").process == "q"
    assert case.do("b").tasks == ["c"]
    assert case.do("c", resultat=1).tasks == ["d"]
    assert case.seen.done_in["q"] >= {"b", "c", "fin"} and "b" not in case.seen.done_in["p"]


def test_a_called_process_does_not_see_its_callers_variables_nor_the_caller_its_own():
    case = called('<masar:sortie nom="autre" valeur="1"/>')
    case.do("a", montant=9)
    assert case.do("b", issue=2).tasks == ["e"]


def test_a_called_process_sees_what_the_instance_was_started_with_and_the_facts():
    body = draw.xor("x", default="x__c") + draw.user("b") + draw.user("c") + draw.flows('q1 > x > {branche = "MED" and person.age > 3} b', "x > c")
    case = called(body=body)
    case.facts = {"case": {"person": {"age": 4}}}
    assert case.do("a").tasks == ["b"]


def test_what_a_called_process_cannot_be_given_or_hand_back_is_an_incident():
    case = called(entree='<masar:entree nom="f" valeur="function(a) a"/>').do("a")
    assert case.codes == ["value.unknown_kind"] and case.tasks == []
    case = called('<masar:sortie nom="issue" valeur="function(a) a"/>').do("a").do("b")
    assert case.codes == ["value.unknown_kind"] and not case.ended
    assert case.retry().codes == ["value.unknown_kind"]


def test_a_process_that_calls_itself_without_end_is_an_incident():
    case = Case(draw.parsed(draw.start(), draw.call("encore", "p"), draw.flows("start > encore")))
    assert case.codes == ["call.too_deep"] and not case.ended


def test_a_called_process_begins_at_its_plain_start_only():
    inner, note = draw.message("autre")
    body = draw.start("q2", inner, note) + draw.user("b") + draw.user("c") + draw.flows("q1 > b", "q2 > c")
    assert called(body=body).do("a").tasks == ["b"]


# --- loops ---


def test_a_loop_goes_on_while_its_condition_holds():
    case = of(draw.user("a", draw.again_while("n < 3")), draw.flows("start > a > end"))
    for n in (1, 2):
        assert case.do("a", n=n).tasks == ["a"]
    assert case.do("a", n=3).ended


def test_a_loop_may_test_before_and_has_a_maximum():
    assert of(draw.user("a", draw.again_while("n < 3", before=True)), draw.flows("start > a > end"), facts={"case": {"n": 3}}).ended
    case = of(draw.user("a", draw.again_while("true", most="2")), draw.flows("start > a > end"))
    assert case.do("a").tasks == ["a"] and case.do("a").ended
    case = of(draw.user("a", draw.again_while(most="2")), draw.flows("start > a > end"))
    assert case.do("a").tasks == ["a"] and case.do("a").ended


def test_a_sub_process_loops():
    case = of(draw.sub("s", draw.again_while("n < 2"), draw.start("s1"), draw.user("a"), draw.flows("s1 > a")), draw.flows("start > s > end"))
    assert case.do("a", n=1).tasks == ["a"] and case.do("a", n=2).ended


def test_a_loop_that_breaks_waits_and_goes_on_when_mended():
    case = of(draw.user("a", draw.again_while("encore")), draw.flows("start > a > end"))
    case.do("a", encore="oui")
    assert case.codes == ["feel.not_boolean"] and case.tasks == []
    assert case.retry().codes == ["feel.not_boolean"] and not case.ended


# --- multi-instances ---

MEASURES = {
    "case": {"plan": {"mesures": [{"id": "m1", "type": "sante"}, {"id": "m2", "type": "emploi"}]}},
    "mesure:m1": {"mesure": {"type": "sante"}},
    "mesure:m2": {"mesure": {"type": "emploi"}},
}


def measures(sequential=False, until="", facts=MEASURES):
    task = '<masar:tache form="f" role="r" sujet="mesure"/>'
    loop = draw.several("plan.mesures", "mesure", sequential, until)
    body = (
        draw.start("s1")
        + draw.xor("x", default="x__b")
        + draw.user("a", extensions=task)
        + draw.user("b", extensions=task)
        + draw.flows('s1 > x > {mesure.type = "sante"} a', "x > b")
    )
    return of(draw.sub("s", loop, body), draw.user("fin"), draw.flows("start > s > fin > end"), facts=facts)


def test_each_item_has_its_own_turn_its_subject_and_its_facts():
    case = measures()
    assert {(task.node, task.subject, task.scope) for task in case.open.values()} == {("a", "mesure:m1", ("mesure:m1",)), ("b", "mesure:m2", ("mesure:m2",))}
    assert case.do("b", "a").tasks == ["fin"]


def test_one_after_the_other():
    case = measures(sequential=True)
    assert [task.subject for task in case.open.values()] == ["mesure:m1"]
    assert [task.subject for task in case.do("a").open.values()] == ["mesure:m2"]
    assert case.do("b").tasks == ["fin"]


@pytest.mark.parametrize("sequential", [True, False])
def test_enough_is_enough(sequential):
    case = measures(sequential, until="nrOfCompletedInstances = 1")
    assert case.do("a").tasks == ["fin"]
    with_result = measures(sequential, until="trouve")
    assert with_result.do("a", trouve=True).tasks == ["fin"]


def test_the_state_keeps_of_an_item_its_id_alone():
    secret = "Mohamed Ben Salah, né le 3 mars"
    facts = {"case": {"plan": {"mesures": [{"id": "m1", "titulaire": secret}]}}, "mesure:m1": {"mesure": {"type": secret}}}
    state = measures(facts=facts).state
    assert b"Salah" not in state and len(state) < 400  # small enough not to be compressed


def test_an_item_that_is_no_subject_is_read_again_from_its_collection():
    parts = (
        draw.sub(
            "s",
            draw.several("foyer", "membre"),
            draw.start("s1"),
            draw.user("t"),
            draw.xor("x", default="x__b"),
            draw.user("a"),
            draw.user("b"),
            draw.flows("s1 > t > x > {membre.mineur} a", "x > b"),
        ),
        draw.flows("start > s > end"),
    )
    case = of(*parts, facts={"case": {"foyer": [{"id": 1, "mineur": False}]}})
    case.facts = {"case": {"foyer": [{"id": 1, "mineur": True}]}}
    assert case.do("t").tasks == ["a"]


def test_variables_of_a_turn_are_its_own():
    parts = (
        draw.sub(
            "s",
            draw.several("2"),
            draw.start("s1"),
            draw.user("t"),
            draw.xor("x", default="x__b"),
            draw.user("a"),
            draw.user("b"),
            draw.flows("s1 > t > x > {n = 1} a", "x > b"),
        ),
        draw.flows("start > s > end"),
    )
    case = of(*parts)
    first, second = (task.task_id for task in case.open.values())
    case.give(bpmn.Complete, first, {"n": 1})
    case.give(bpmn.Complete, second, {})
    assert case.tasks == ["a", "b"]


def test_a_task_and_a_call_repeat_too():
    case = of(draw.user("a", draw.several("3")), draw.flows("start > a > end"))
    assert case.tasks == ["a"] * 3 and case.do("a", "a").tasks == ["a"] and case.do("a").ended
    inner = draw.process(draw.start("q1"), draw.user("b", extensions='<masar:tache form="f" role="r" sujet="mesure"/>'), draw.flows("q1 > b"), name="q")
    body = draw.element("callActivity", "appel", draw.several("plan.mesures", "mesure"), calledElement="q")
    case = of(body, draw.flows("start > appel > end"), extra=(inner,), facts=MEASURES)
    assert sorted(task.subject for task in case.open.values()) == ["mesure:m1", "mesure:m2"] and case.do("b", "b").ended


def test_none_to_do_is_passed_at_once():
    assert measures(facts={"case": {"plan": {"mesures": []}}}).tasks == ["fin"]
    assert of(draw.user("a", draw.several("0", sequential=True)), draw.flows("start > a > end")).ended


@pytest.mark.parametrize(
    ("loop", "code"),
    [
        (draw.several("absent", "m"), "multi_instance.not_a_list"),
        (draw.several('"trois"'), "multi_instance.not_a_count"),
        (draw.several("1.5"), "multi_instance.not_a_count"),
        (draw.several("-1"), "multi_instance.not_a_count"),
        (draw.several("1001"), "multi_instance.too_many"),
        (draw.several("[{nom: 1}]", "m"), "multi_instance.item_without_id"),
    ],
)
def test_a_collection_that_is_none_is_an_incident(loop, code):
    case = of(draw.user("a", loop), draw.flows("start > a > end"))
    assert case.codes == [code] and case.tasks == [] and not case.ended


def test_an_edge_around_many_turns_ends_them_all():
    inner, note = draw.message("urgence")
    case = of(draw.user("a", draw.several("3")), draw.boundary("m", "a", inner, note), draw.user("b"), draw.flows("start > a > end", "m > b > end"))
    assert case.waits == ["m"]
    assert case.send("urgence").tasks == ["b"] and [one.outcome for one in case.told(bpmn.TaskClosed)] == ["cancelled"] * 3


def test_an_error_in_one_turn_ends_them_all():
    body = draw.start("s1") + draw.user("a") + draw.end("boum", draw.refers("error", "err")) + draw.flows("s1 > a > boum")
    case = of(
        draw.sub("s", draw.several("2"), body),
        draw.boundary("e", "s", draw.refers("error", "err")),
        draw.user("b"),
        draw.flows("start > s > end", "e > b > end"),
    )
    assert case.do("a").tasks == ["b"]


def test_a_task_about_nobody_known_is_an_incident():
    case = of(draw.user("a", extensions='<masar:tache form="f" role="r" sujet="mesure"/>'), draw.flows("start > a > end"))
    assert case.codes == ["task.subject_unknown"]


def test_a_dossier_started_about_a_subject_reads_its_facts():
    parts = (draw.xor("x", default="x__b"), draw.user("a"), draw.user("b"), draw.flows('start > x > {mesure.type = "sante"} a > end', "x > b > end"))
    case = of(*parts, variables={"mesure": {"id": "m1"}}, facts=MEASURES)
    assert case.tasks == ["a"]
