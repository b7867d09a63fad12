"""What an instance did, done again on another drawing: what would go otherwise is told, once, and nothing else is."""

import datetime as dt

import pytest

from engine.pathway import rehearsal, replay
from engine.pathway.rehearsal import Difference, Side
from tests.engine.pathway import drawing as draw
from tests.engine.pathway.drawing import Case
from tests.engine.pathway.test_decision_tables import HEAD, table

ASKS = {"f": ("x.a",), "g": ("x.a", "x.b")}


def drawn(*parts):
    return draw.parsed(draw.start(), draw.end(), *parts)


def found(case, after, known=(), days=0):
    """What would go otherwise on `after`, the present being so many days after the last act."""
    history = [replay.Said(one.seq, "line", case.definitions, one) for one in case.history]
    acts = rehearsal.done("p", history)
    return rehearsal.rehearse(Side(case.definitions, ASKS), Side(after, ASKS), "p", acts, known, acts[-1].at + dt.timedelta(days=days))


def straight(*names, form="f", deadline='delai="2" unite="jours"'):
    return "".join(draw.user(name, extensions=f'<masar:tache form="{form}" role="r" {deadline}/>') for name in names)


BEFORE = drawn(straight("a", "b", "c"), draw.flows("start > a > b > c > end"))


@pytest.fixture
def case():
    return Case(BEFORE).do("a", "b", "c")


def test_a_drawing_that_goes_alike_makes_no_difference_whatever_its_flows_are_called(case):
    assert found(case, BEFORE) == ()
    other = drawn(straight("a", "b", "c"), draw.flows("start > a > b > c > end").replace('"a__b"', '"autre"'))
    assert found(case, other) == ()


def test_a_task_put_in_between_is_told_and_passed_over(case):
    after = drawn(straight("a", "b", "c"), straight("n", form="g"), draw.flows("start > a > n > b > c > end"))
    assert found(case, after) == (Difference("asks", "p", "n", now=("g",), fields=("x.b",)),)
    assert found(case, after, known={"x.b"}) == (Difference("asks", "p", "n", now=("g",)),), "a new task is told even where all that it asks is known"


def test_a_form_that_asks_more_is_told_unless_it_is_known(case):
    after = drawn(straight("a", "c"), straight("b", form="g"), draw.flows("start > a > b > c > end"))
    assert found(case, after) == (Difference("asks", "p", "b", now=("g",), fields=("x.b",)),)
    assert found(case, after, known={"x.b"}) == ()


def test_a_task_that_is_no_more_is_work_without_a_place(case):
    assert found(case, drawn(straight("a", "c"), draw.flows("start > a > c > end"))) == (Difference("undone", "", "b"),)


def test_a_longer_deadline_is_told_and_a_shorter_one_is_not(case):
    longer = drawn(straight("a", "c"), straight("b", deadline='delai="3" unite="jours_ouvres"'), draw.flows("start > a > b > c > end"))
    assert found(case, longer) == (Difference("waits", "p", "b", then=("2", "jours"), now=("3", "jours_ouvres")),)
    assert found(case, drawn(straight("a", "c"), straight("b", deadline='delai="1" unite="jours"'), draw.flows("start > a > b > c > end"))) == ()
    endless = drawn(straight("a", "c"), straight("b", deadline=""), draw.flows("start > a > b > c > end"))
    assert found(case, endless) == (Difference("waits", "p", "b", then=("2", "jours"), now=()),)


def waiting(days, *more):
    return drawn(straight("a", "b"), draw.catch("w", draw.timer("Duration", f"P{days}D")), *more, draw.flows("start > a > w > b > end"))


def test_a_longer_timer_makes_what_follows_come_later_and_is_told():
    case = Case(waiting(3)).do("a").ring("w").do("b")
    assert found(case, waiting(10)) == (Difference("waits", "", "w", then=("3",), now=("10",)),)
    assert found(case, waiting(1)) == ()


def test_a_timer_that_would_have_rung_by_now_has():
    """A case that still waits: on the other drawing the wait would be over, and nobody would be asked anything else."""
    case = Case(waiting(30)).do("a")
    assert found(case, waiting(3), days=5) == ()
    stuck = drawn(straight("a", "b"), draw.catch("w", draw.timer("Duration", "P3D")), draw.xor("x"),
                  draw.flows("start > a > w > x", "x > {false} b > end", "x > {false} end"))  # fmt: skip
    assert [(one.kind, one.node) for one in found(case, stuck, days=5)] == [("stops", "x")]
    assert found(case, stuck, days=1) == (), "it is not there yet"


def test_what_comes_after_a_longer_wait_is_as_far_from_it_as_it_was():
    """Four days after the task that follows a wait, whenever that is: a timer of three days has rung, and what follows it has no way out."""
    def two(first, second, *after):
        return drawn(straight("a", "b", "c"), draw.catch("w", draw.timer("Duration", f"P{first}D")), draw.catch("v", draw.timer("Duration", f"P{second}D")), draw.xor("x"),
                     draw.flows("start > a > w > b > v > x", *after))  # fmt: skip

    case = Case(two(3, 9, "x > {true} c > end", "x > {false} end")).do("a").ring("w").do("b")
    stuck = two(10, 3, "x > {false} c > end", "x > {false} end")
    assert [(one.kind, one.node) for one in found(case, stuck, days=4)] == [("stops", "x"), ("waits", "w")]
    assert [(one.kind, one.node) for one in found(case, stuck, days=2)] == [("waits", "w")]


def choice(over):
    return drawn(straight("a", "b", "c"), draw.xor("x", default="x__c"), draw.flows("start > a > x", f"x > {{n > {over}}} b > end", "x > c > end"))


def test_a_branch_that_goes_elsewhere_is_told_by_where_it_leads_with_what_is_left_over():
    case = Case(choice(3)).do("a", n=5).do("b")
    assert found(case, choice(9)) == (
        Difference("branch", "", "x", then=("x__b",), now=("x__c",)), Difference("undone", "", "b"), Difference("ends", "p", "p", then=("end",), now=("c",)),
    )  # fmt: skip
    assert found(case, choice(4)) == ()
    renamed = drawn(straight("a", "b", "c"), draw.xor("x", default="x__c"),
                    draw.flows("start > a > x", "x > {n > 3} b > end", "x > c > end").replace('"x__b"', '"autrement"'))  # fmt: skip
    assert found(case, renamed) == (), "by where it leads, not by what it is called"


def test_the_facts_that_a_branch_weighs_are_named():
    other = drawn(straight("a", "b", "c"), draw.xor("x", default="x__c"), draw.flows("start > a > x", "x > {person.malade} b > end", "x > c > end"))
    case = Case(choice(3), facts={"case": {"person": {"malade": False}}}).do("a", n=5).do("b")
    assert found(case, other)[0] == Difference("branch", "", "x", then=("x__b",), now=("x__c",), fields=("person.malade",), after=("person.malade",))


def test_a_process_that_is_gone_and_an_end_that_comes_early():
    case = Case(BEFORE).do("a")
    assert found(case, draw.parsed(draw.process(draw.start(), draw.end(), draw.flows("start > end"), name="q"))) == (Difference("stops", "p", "p", now=("process.unknown",)),)
    assert found(case, drawn(straight("a"), draw.flows("start > a > end"))) == (Difference("ends", "p", "p", now=("end",)),)


def test_several_tokens_at_one_task_are_told_apart_by_their_turn():
    def several(*chain):
        body = draw.start("s1") + straight(*(name for name in "mn" if f" {name} " in chain[0])) + draw.end("e1") + draw.flows(*chain)
        return drawn(straight("a"), draw.sub("s", draw.several("3"), body), draw.flows("start > a > s > end"))

    case = Case(several("s1 > m > e1")).do("a")
    for task in list(case.open.values()):
        case.give(draw.bpmn.Complete, task.task_id)
    assert case.ended
    assert found(case, several("s1 > m > e1")) == ()
    assert [(one.kind, one.node) for one in found(case, several("s1 > n > m > e1"))] == [("asks", "n")]


OPERATION = draw.element("serviceTask", "o", extensions='<masar:operation nom="essai"/>')


def test_a_task_put_before_what_answers_by_itself_leaves_no_step_too_many():
    """An operation, a message, a signal and a timer come when they came: the new task before them is passed over at once."""
    told = (Difference("asks", "p", "n", now=("g",), fields=("x.b",)),)
    for middle, do in ((OPERATION, lambda case: case.give(draw.bpmn.OperationDone, case.told(draw.bpmn.OperationRequested)[0].task_id)),
                       (draw.catch("o", *draw.message("m")), lambda case: case.send("m")),
                       (draw.catch("o", draw.timer("Duration", "P3D")), lambda case: case.ring("o"))):  # fmt: skip
        before = drawn(straight("a", "b"), middle, draw.flows("start > a > o > b > end"))
        after = drawn(straight("a", "b"), straight("n", form="g"), middle, draw.flows("start > a > n > o > b > end"))
        case = Case(before).do("a")
        assert found(case, after) == told
        do(case)
        assert found(case.do("b"), after, days=1) == told
    last = drawn(straight("a"), draw.catch("w", draw.timer("Duration", "P3D")), draw.flows("start > a > w > end"))
    after = drawn(straight("a"), straight("n", form="g"), draw.catch("w", draw.timer("Duration", "P3D")), draw.flows("start > a > n > w > end"))
    assert found(Case(last).do("a").ring("w"), after) == told, "over by itself, as it was"


@pytest.mark.parametrize("otherwise", ["end", "c"])
@pytest.mark.parametrize("is_default", [True, False])
def test_where_the_way_hangs_on_what_was_never_asked_the_case_goes_where_it_went(case, otherwise, is_default):
    """By default it would end there and then; without one it would stop."""
    gateway = draw.xor("x", **({"default": f"x__{otherwise}"} if is_default else {}))
    after = drawn(straight("a", "b", "c"), straight("n", form="g"), gateway,
                  draw.flows("start > a > n > x", "x > {x.b} b > c > end", f"x > {'' if is_default else '{x.b = false} '}{otherwise}"))  # fmt: skip
    assert [(one.kind, one.node) for one in found(case, after)] == [("asks", "n")]
    assert [(one.kind, one.node) for one in found(Case(BEFORE).do("a"), after)] == [("asks", "n")], "open, at what it waits for"


TABLE = {"d.dmn": (HEAD + table("UNIQUE", [(["< 18"], ['"mineur"']), ([">= 18"], ['"majeur"'])], inputs=("x.b",), decision_id="D1") + "</definitions>").encode()}
RULE = draw.element("businessRuleTask", "r", "", '<masar:decision ref="D1" resultat="tranche"/>')


def test_a_table_on_what_was_never_asked_stops_nobody_and_one_that_finds_nothing_is_named(case):
    """What the new task would be answered, nobody knows, and so not what the table says; where nothing asks it, no case gets past the table."""
    chosen = draw.flows("start > a > n > r > x", 'x > {tranche = "majeur"} b > c > end', "x > end")
    for rows in (TABLE, {"d.dmn": TABLE["d.dmn"].replace(b"&lt; 18", b"-").replace(b"< 18", b"-")}):
        after = draw.parsed(draw.start(), draw.end(), straight("a", "b", "c"), straight("n", form="g"), RULE, draw.xor("x", default="x__end"), chosen, decisions=rows)
        assert [(one.kind, one.node) for one in found(case, after)] == [("asks", "n")]
    never = draw.parsed(draw.start(), draw.end(), straight("a", "b", "c"), RULE, draw.flows("start > a > r > b > c > end"), decisions=TABLE)
    stops = found(case, never)[0]
    assert (stops.kind, stops.node, stops.now, stops.fields, dict(stops.because)["decision"]) == ("stops", "r", ("decision.no_match",), ("x.b",), "D1")


def test_what_the_draft_alone_weighs_is_told_of_all_that_comes_after_it(case):
    """Through a variable too; not of what comes before."""
    after = drawn(straight("a", "b", deadline='delai="9" unite="jours"'), straight("c"), straight("n", form="g"), draw.element("serviceTask", "o", "",
                  '<masar:operation nom="retenir"><masar:parametre nom="m" valeur="person.malade"/></masar:operation>'), draw.xor("x", default="x__c"),
                  draw.flows("start > a > b > o > x", "x > {m = null} n > c > end", "x > c"))  # fmt: skip
    assert [(one.kind, one.node, one.after) for one in found(case, after)] == [("asks", "n", ("person.malade",)), ("waits", "a", ()), ("waits", "b", ())]


def test_what_nobody_asks_is_known_to_be_nothing(case):
    known = drawn(straight("a", "b", "c"), straight("n", form="g"), draw.xor("x", default="x__end"), draw.flows("start > a > n > x", "x > {x.z = true} b > c > end", "x > end"))
    assert {one.kind for one in found(case, known)} == {"asks", "undone"}


def test_a_wait_that_was_not_there_is_told_as_a_wait(case):
    hears = drawn(straight("a", "b", "c"), draw.catch("w", *draw.message("m")), draw.flows("start > a > w > b > c > end"))
    assert found(case, hears) == (Difference("waits", "", "w"),)
    rings = drawn(straight("a", "b", "c"), draw.catch("w", draw.timer("Duration", "P3D")), draw.flows("start > a > w > b > c > end"))
    assert found(case, rings) == (Difference("waits", "", "w"),)
