"""What a long life costs, counted: steps of the run, tokens kept, bytes of state. Wall time is the bench's."""

import datetime as dt

import pytest

from engine.pathway import bpmn
from engine.pathway.spiff import state as states
from tests.engine.pathway import drawing as draw
from tests.engine.pathway.drawing import START, Case


class Counted:
    """Drives an instance, counting for each stimulus the function calls made in the engine: its work, whatever the machine."""

    def __init__(self, definitions, count_calls):
        self.definitions, self.count_calls = definitions, count_calls
        self.at, self.seq, self.open, self.waits, self.work, self.sizes = START, 0, {}, {}, [], []

    def give(self, act, kind, *given):
        self.seq += 1
        stimulus = kind(*given, at=self.at, seq=self.seq)
        with self.count_calls() as counted:
            step = act(stimulus)
        self.work.append(counted.calls)
        self.sizes.append(len(step.state))
        self.state, self.happened = step.state, step.happenings
        for one in step.happenings:
            match one:
                case bpmn.TaskOpened():
                    self.open[one.task_id] = one.node
                case bpmn.TaskClosed():
                    del self.open[one.task_id]
                case bpmn.WaitOpened():
                    self.waits[one.wait_id] = one
                case bpmn.WaitClosed():
                    del self.waits[one.wait_id]
        return self

    def start(self):
        return self.give(lambda stimulus: bpmn.start(self.definitions, "p", stimulus), bpmn.Start, {})

    def advance(self, kind, *given):
        return self.give(lambda stimulus: bpmn.advance(self.definitions, self.state, stimulus), kind, *given)

    def do(self, node, **variables):
        return self.advance(bpmn.Complete, next(key for key, name in self.open.items() if name == node), variables)

    def ring(self):
        ((key, wait),) = self.waits.items()
        self.at = wait.due_at
        return self.advance(bpmn.Timer, key)

    @property
    def tokens(self):
        run = states.load(self.definitions, self.state, None, 0, {})
        return sum(len(scope.tasks) for scope in run.scopes.values())


def monthly():
    """Every month: wait, a table of nothing, two agencies at once in a sub-process, until it is over."""
    body = (
        draw.start("s1")
        + draw.both("s2")
        + draw.user("a")
        + draw.user("b")
        + draw.both("s3")
        + draw.end("s4")
        + draw.flows("s1 > s2 > a > s3 > s4", "s2 > b > s3")
    )
    parts = (draw.start(), draw.end(), draw.xor("m"), draw.catch("mois", draw.timer("Duration", "P1M")), draw.sub("s", body), draw.xor("x", default="x__m"))
    return draw.parsed(*parts, draw.flows("start > m > mois > s > x > {fini} end", "x > m"))


def test_a_monthly_loop_of_two_thousand_turns_ends_and_its_last_turn_costs_as_its_tenth(count_calls):
    case = Counted(monthly(), count_calls).start()
    costs, tokens = [], set()
    for turn in range(1, 2001):
        begun = len(case.work)
        case.ring()
        tokens.add(case.tokens)
        case.do("a").do("b", fini=turn == 2000)
        costs.append(sum(case.work[begun:]))
    assert case.happened[-1] == bpmn.Ended("end")
    assert costs[-2] <= 2 * costs[9] and max(costs[9:]) <= 2 * costs[9], (costs[9], costs[-2], max(costs))
    assert len(tokens) == 1 and max(case.sizes) <= min(case.sizes[:-1]) + 200 < 600, (tokens, max(case.sizes))
    assert case.at > START + dt.timedelta(days=365 * 160)


def test_a_loop_of_one_task_a_thousand_and_more_deep_goes_on(count_calls):
    definitions = draw.parsed(draw.start(), draw.end(), draw.user("a"), draw.xor("x", default="x__a"), draw.flows("start > a > x > {fini} end", "x > a"))
    case = Counted(definitions, count_calls).start()
    for turn in range(1, 1501):
        assert list(case.open.values()) == ["a"]
        case.do("a", fini=turn == 1500)
    assert case.happened[-1] == bpmn.Ended("end") and case.work[-2] <= 2 * case.work[10]


def test_a_procedure_of_fifteen_hundred_tasks_in_a_row_is_walked_to_its_end():
    names = [f"t{n}" for n in range(1500)]
    definitions = draw.parsed(draw.start(), draw.end(), *(draw.user(name) for name in names), draw.flows(" > ".join(["start", *names, "end"])))
    case = Case(definitions)
    for name in names:
        case.do(name)
    assert case.ended and case.seen.done >= set(names)


def test_fifteen_hundred_elements_that_nobody_waits_at_are_passed_in_one_step():
    names = [f"t{n}" for n in range(1500)]
    parts = (draw.element("task", name) for name in names)
    assert Case(draw.parsed(draw.start(), draw.end(), *parts, draw.flows(" > ".join(["start", *names, "end"])))).ended


def blocks(count):
    """So many parallel blocks of two, one after the other."""
    parts, chain = [draw.start(), draw.end()], "start"
    for n in range(count):
        parts += [draw.both(f"s{n}"), draw.both(f"j{n}"), draw.user(f"a{n}"), draw.user(f"b{n}"), draw.flows(f"s{n} > b{n} > j{n}")]
        chain += f" > s{n} > a{n} > j{n}"
    return draw.parsed(*parts, draw.flows(f"{chain} > end"))


def test_twelve_parallel_blocks_cost_no_more_than_twelve_times_one(count_calls):
    costs = {}
    for count in (1, 12):
        case = Counted(blocks(count), count_calls).start()
        for n in range(count):
            case.do(f"b{n}").do(f"a{n}")
        assert case.happened[-1] == bpmn.Ended("end")
        costs[count] = sum(case.work)
        assert max(case.sizes) < 400
    assert costs[12] <= 12 * costs[1], costs


def test_twelve_splits_inside_each_other_offer_each_task_once():
    """2¹² tasks would be predicted by SpiffWorkflow; two branches a level are thirteen."""
    parts, chain, back = [draw.start(), draw.end()], "start", "end"
    for n in range(12):
        parts += [draw.both(f"s{n}"), draw.both(f"j{n}"), draw.user(f"a{n}"), draw.flows(f"s{n} > a{n} > j{n}")]
        chain, back = f"{chain} > s{n}", f"j{n} > {back}"
    case = Case(draw.parsed(*parts, draw.user("z"), draw.flows(f"{chain} > z > {back}")))
    assert case.tasks == sorted([*(f"a{n}" for n in range(12)), "z"])
    assert case.do("z", *(f"a{n}" for n in range(12))).ended


@pytest.mark.parametrize("sequential", [True, False])
def test_a_thousand_turns_of_a_multi_instance(sequential, count_calls):
    definitions = draw.parsed(draw.start(), draw.end(), draw.user("a", draw.several("1000", sequential=sequential)), draw.flows("start > a > end"))
    case = Counted(definitions, count_calls).start()
    assert len(case.open) == (1 if sequential else 1000)
    if not sequential:
        return
    for _ in range(1000):
        case.do("a")
    assert case.happened[-1] == bpmn.Ended("end") and case.work[-2] <= 2 * case.work[10]
