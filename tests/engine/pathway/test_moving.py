"""Moving a running instance to another edition: by replay, by positions, refused with a counter-example; what goes on keeps its id and its due instant."""

import datetime as dt

import pytest

from engine.pathway import bpmn, moving, proposal
from engine.pathway.matching import Matching
from engine.pathway.replay import Said
from tests.engine.pathway import drawing as draw
from tests.engine.pathway.drawing import Case


def drawn(*chains, tasks="", parts=(), extra=()):
    held = draw.process(draw.start(), draw.end(), *(draw.user(name) for name in tasks.split()), *parts, draw.flows(*chains))
    return draw.parsed(held, *extra)


def asked(case, **more):
    case.seq += 1
    history = tuple(Said(one.seq, "line", case.definitions, one) for one in case.history)
    return moving.Asked("p", case.state, history, case.now, case.seq, case.facts, **more)


def chosen(**said):
    return {("p", name): ("p", to) if to else None for name, to in said.items()}


def tried(case, after, said=None, **more):
    return moving.move(asked(case, **more), Matching(case.definitions, after, said or {}))


def moved(case, after, said=None, way="replay"):
    """The case on the other edition, going on as it is told there."""
    found = tried(case, after, said)
    assert found.certificate.refused == () and found.certificate.way == way, found.certificate
    there = object.__new__(Case)
    there.__dict__ |= case.__dict__
    there.definitions, there.history, there.happened = after, [], list(case.happened)
    there.open, there.waiting, there.incidents = dict(case.open), dict(case.waiting), dict(case.incidents)
    there.open |= {one.task_id: one for one in found.tasks}
    there.waiting |= {one.wait_id: one for one in found.waits}
    assert {one.task_id for one in found.tasks} <= set(case.open) and {one.wait_id for one in found.waits} <= set(case.waiting)
    return there._take(bpmn.Step(found.state, found.happenings))


def refused(case, after, said=None, **more):
    certificate = tried(case, after, said, **more).certificate
    assert not certificate.is_given
    return {(one.code, one.node) for one in certificate.refused}


def test_a_task_added_ahead_is_done_when_it_comes():
    case = Case(drawn("start > a > b > end", tasks="a b")).do("a")
    kept = case.task("b").task_id
    there = moved(case, drawn("start > a > b > c > end", tasks="a b c"))
    assert there.task("b").task_id == kept
    assert there.do("b").tasks == ["c"] and there.do("c").ended


def test_a_task_added_behind_is_passed_over_and_said_so():
    case = Case(drawn("start > a > b > end", tasks="a b")).do("a")
    after = drawn("start > a > c > b > end", tasks="a b c")
    found = tried(case, after)
    assert found.certificate.way == "positions" and {(one.code, one.node) for one in found.certificate.notes} == {("by_positions", "b"), ("passed_over", "c")}
    assert moved(case, after, way="positions").do("b").ended


def test_a_task_added_to_a_process_that_the_case_never_enters_is_not_told():
    def elsewhere(body, tasks):
        return draw.process(draw.start("s2"), draw.end("e2"), *(draw.user(name) for name in tasks.split()), draw.flows(body), name="q")

    case = Case(drawn("start > a > b > end", tasks="a b", extra=[elsewhere("s2 > x > e2", "x")])).do("a")
    after = drawn("start > a > b > end", tasks="a b", extra=[elsewhere("s2 > x > c > e2", "x c")])
    assert [one for one in tried(case, after).certificate.notes if one.code == "passed_over"] == []


def test_a_task_renamed_is_proposed_and_goes_on_under_its_id():
    case = Case(drawn("start > a > verifier > end", tasks="a verifier")).do("a")
    after = drawn("start > a > verifier_dossier > end", tasks="a verifier_dossier")
    [pair] = proposal.propose(case.definitions, after)
    assert (pair.element, pair.to) == (("p", "verifier"), ("p", "verifier_dossier"))
    kept = case.task("verifier").task_id
    there = moved(case, after, {pair.element: pair.to})
    assert there.task("verifier_dossier").task_id == kept and there.do("verifier_dossier").ended


def test_an_open_task_that_is_no_more_is_dropped_only_when_somebody_says_so():
    case = Case(drawn("start > a > b > c > end", tasks="a b c")).do("a")
    after = drawn("start > a > c > end", tasks="a c")
    assert refused(case, after) == {("task_dropped", "b")}
    there = moved(case, after, chosen(b=None))
    assert there.tasks == ["c"] and there.do("c").ended


def test_a_branch_added_to_a_split_already_passed_begins_at_the_move():
    parts = [draw.both("x"), draw.both("y")]
    case = Case(drawn("start > x > a > y > end", "x > b > y", tasks="a b", parts=parts)).do("a")
    there = moved(case, drawn("start > x > a > y > end", "x > b > y", "x > c > y", tasks="a b c", parts=parts))
    assert there.tasks == ["b", "c"] and there.do("b").tasks == ["c"] and there.do("c").ended


def test_a_loop_after_some_turns_and_a_task_added_in_it():
    parts = [draw.xor("x", default="x__end")]
    case = Case(drawn("start > a > b > x > {n > 0} a", "x > end", tasks="a b", parts=parts))
    case.do("a").do("b", n=1).do("a").do("b", n=1).do("a")
    there = moved(case, drawn("start > a > b > c > x > {n > 0} a", "x > end", tasks="a b c", parts=parts), way="positions")
    assert there.do("b", "c").tasks == ["a"] and there.do("a", "b").do("c", n=0).ended


@pytest.mark.parametrize("sequential", [False, True])
def test_inside_a_multi_instance_of_a_called_process(sequential):
    def edition(body, tasks):
        called = draw.process(draw.start("s1"), draw.end("e1"), *(draw.user(name) for name in tasks.split()), draw.flows(body), name="q")
        several = draw.element("callActivity", "k", draw.several("[{id: 1}, {id: 2}, {id: 3}]", item="m", sequential=sequential), calledElement="q")
        return drawn("start > a > k > z > end", tasks="a z", parts=[several], extra=[called])

    case = Case(edition("s1 > b > c > e1", "b c")).do("a")
    case.do("b", scope=("m:1",)).do("c", scope=("m:1",)).do("b", scope=("m:2",))
    kept = {one.scope: one.task_id for one in case.open.values()}
    there = moved(case, edition("s1 > b > c > d > e1", "b c d"), way="positions" if sequential else "replay")
    assert {one.scope: one.task_id for one in there.open.values() if one.node != "d"} == kept
    while there.tasks != ["z"]:
        one = min(there.open.values(), key=lambda task: (task.node, task.scope))
        there.give(bpmn.Complete, one.task_id)
    assert there.do("z").ended
    # Side by side, the turn that was over has d to do, as the history on the new edition says; one after the other it could not have gone on without.
    assert sum(one.node == "d" for one in there.happened if isinstance(one, bpmn.TaskOpened)) == (2 if sequential else 3)


def test_a_timer_that_runs_keeps_its_instant_and_a_new_one_counts_from_the_move():
    def edition(text, *more):
        return drawn("start > a > end", "t > z > end", *(["t2 > y > end"] if more else []), tasks="a z y" if more else "a z",
                     parts=[draw.boundary("t", "a", draw.timer("Duration", text), interrupting=False), *more])  # fmt: skip

    case = Case(edition("P10D"))
    case.now += dt.timedelta(days=4)
    due = case.wait("t").due_at
    there = moved(case, edition("P3D", draw.boundary("t2", "a", draw.timer("Duration", "P2D"), interrupting=False)))
    assert there.wait("t").due_at == due
    assert there.wait("t2").due_at == there.now + dt.timedelta(days=2)
    assert there.ring("t2").tasks == ["a", "y"] and there.ring("t").tasks == ["a", "y", "z"] and there.do("a", "y", "z").ended


def test_work_done_is_not_asked_again():
    case = Case(drawn("start > a > b > end", tasks="a b")).do("a")
    assert refused(case, drawn("start > b > a > end", tasks="a b")) == {("asked_again", "a")}
    [reason] = tried(case, drawn("start > b > a > end", tasks="a b")).certificate.refused
    assert reason.breaks == "work" and reason.way == (("p", "b"), ("p", "a"))


def test_a_way_back_that_somebody_may_take_is_no_repetition():
    case = Case(drawn("start > a > b > end", tasks="a b")).do("a")
    after = drawn("start > a > b > x > {n > 0} a", "x > end", tasks="a b", parts=[draw.xor("x", default="x__end")])
    assert moved(case, after).do("b").ended


def test_parallel_work_put_in_sequence_would_be_asked_twice():
    parts = [draw.both("x"), draw.both("y")]
    case = Case(drawn("start > x > a > y > end", "x > b > y", tasks="a b", parts=parts))
    assert ("asked_again", "b") in refused(case, drawn("start > a > b > end", tasks="a b"))


def test_a_join_that_would_wait_for_ever_is_shown():
    case = Case(drawn("start > a > b > end", tasks="a b")).do("a")
    after = drawn("start > x > a > b > y > end", "x > c > y", tasks="a b c", parts=[draw.both("x"), draw.both("y")])
    there = moved(case, after)  # the history says that c is to be done beside
    assert there.tasks == ["b", "c"]
    certificate = moving.move(moving.Asked("p", case.state, (), case.now, case.seq + 1), Matching(case.definitions, after)).certificate
    [reason] = certificate.refused
    assert (reason.code, reason.node, reason.breaks) == ("stuck", "y", "end") and ("p", "b") in reason.way


def test_a_message_awaited_is_not_dropped_nor_exchanged():
    def edition(name):
        inner, note = draw.message(name, key='"k"')
        return drawn("start > a > w > b > end", tasks="a b", parts=[draw.catch("w", inner, note)])

    case = Case(edition("reponse")).do("a")
    assert refused(case, edition("autre")) == {("message_other", "w")}
    assert refused(case, drawn("start > a > b > end", tasks="a b")) == {("wait_dropped", "w")}
    there = moved(case, drawn("start > a > b > end", tasks="a b"), chosen(w=None))
    assert there.do("b").ended


def test_a_message_kept_early_is_not_lost():
    inner, note = draw.message("reponse", key='"k"')
    before = drawn("start > a > w > b > end", tasks="a b", parts=[draw.catch("w", inner, note)])
    case = Case(before).send("reponse", "k", x=1)
    assert moved(case, drawn("start > a > n > w > b > end", tasks="a b", parts=[draw.catch("w", inner, note), draw.element("task", "n")])).do("a").tasks == ["b"]
    assert refused(case, drawn("start > a > b > end", tasks="a b")) == {("message_unheard", "")}


def test_a_message_that_others_wait_for_is_still_to_be_sent():
    inner, note = draw.message("fini", key='"k"')
    case = Case(drawn("start > a > b > s > end", tasks="a b", parts=[draw.throw("s", inner, note)])).do("a")
    after = drawn("start > a > b > end", tasks="a b")
    assert refused(case, after, awaited=frozenset({"fini"})) == {("message_unsent", "")}
    assert tried(case, after).certificate.is_given


def test_money_engaged_is_still_to_be_settled_and_no_step_before_it_is_jumped():
    def operation(name, what):
        return draw.element("serviceTask", name, extensions=f'<masar:operation nom="{what}"/>')

    parts = [operation("e", "engager_fonds"), operation("v", "verser_tranche")]
    case = Case(drawn("start > a > e > b > v > end", tasks="a b", parts=parts)).do("a")
    case.give(bpmn.OperationDone, case.told(bpmn.OperationRequested)[0].task_id)
    assert case.tasks == ["b"]
    assert ("money_unsettled", "") in refused(case, drawn("start > a > e > b > end", tasks="a b", parts=parts[:1]))
    after = drawn("start > a > e > c > d > v > end", tasks="a", parts=[*parts,
                  draw.user("c", extensions='<masar:tache form="g" role="o"/>'), draw.user("d", extensions='<masar:tache form="h" role="s"/>')])  # fmt: skip
    assert ("money_jumped", "b") in refused(case, after, chosen(b="d"))


def test_a_gateway_that_would_read_what_a_step_passed_over_gives_is_shown():
    inner, note = draw.message("avis", key='"k"', result="avis")
    case = Case(drawn("start > a > b > end", tasks="a b")).do("a")
    parts = [draw.catch("w", inner, note), draw.xor("x", default="x__end"), draw.user("c")]
    found = tried(case, drawn("start > a > w > b > x > {avis.bon} c > end", "x > end", tasks="a b", parts=parts)).certificate
    assert {(one.code, one.node) for one in found.refused} == {("blind", "x")}
    assert found.refused[0].details == {"name": "avis", "gives": "w"}


def test_a_step_at_a_sub_process_and_an_event_around_it():
    body = draw.start("s1") + draw.user("b") + draw.user("c") + draw.flows("s1 > b > c")
    inner, note = draw.message("urgence")
    before = drawn("start > a > s > end", tasks="a", parts=[draw.sub("s", body)])
    case = Case(before).do("a").do("b")
    begin = draw.element("startEvent", "es_s", inner, note, isInterrupting="false")
    event = draw.sub("es", begin, draw.user("u"), draw.flows("es_s > u"), triggeredByEvent="true")
    longer = draw.start("s1") + draw.user("b") + draw.user("c") + draw.user("d") + draw.flows("s1 > b > c > d")
    there = moved(case, drawn("start > a > s > end", tasks="a", parts=[draw.sub("s", longer), event]))
    assert there.waits == ["es_s"] and there.send("urgence").tasks == ["c", "u"]
    assert there.do("c", "d", "u").ended


def test_a_decision_taken_stands_though_the_table_says_otherwise_now():
    def edition(first):
        table = f"""<definitions xmlns="https://www.omg.org/spec/DMN/20191111/MODEL/" id="d" name="d" namespace="n"><decision id="D" name="D">
            <literalExpression><text>{first}</text></literalExpression></decision></definitions>"""
        held = draw.process(draw.start(), draw.end(), draw.user("a"), draw.user("b"),
                            draw.element("businessRuleTask", "r", extensions='<masar:decision ref="D" resultat="droit"/>'), draw.flows("start > a > r > b > end"))
        return draw.parsed(held, decisions={"d.dmn": table.encode()})

    case = Case(edition("1")).do("a")
    found = tried(case, edition("2")).certificate
    assert found.way == "positions" and ("by_positions", "r") in {(one.code, one.node) for one in found.notes}
    assert tried(case, edition("1 + 0")).certificate.way == "replay"


def test_a_task_given_up_where_the_history_does_not_lead_goes_on_at_what_followed():
    case = Case(drawn("start > a > b > c > d > end", tasks="a b c d")).do("a", "b")
    after = drawn("start > a > n > b > d > end", tasks="a b d n")
    assert refused(case, after) >= {("task_dropped", "c")}
    there = moved(case, after, chosen(c=None), way="positions")
    assert there.tasks == ["d"] and there.do("d").ended


def test_who_did_a_task_others_are_kept_apart_from_is_not_forgotten():
    def edition(name):
        parts = [draw.user("pay", extensions=f'<masar:tache form="f" role="r" distinct="{name}"/>')]
        return drawn(f"start > {name} > pay > end", tasks=name, parts=parts)

    case = Case(edition("prepare")).do("prepare")
    assert refused(case, edition("preparer"), chosen(prepare="preparer")) == {("apart_forgotten", "prepare")}
