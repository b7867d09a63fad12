"""When timers are due: ISO 8601 as bpmn-js writes it, FEEL, the calendar; recurring ones after a sleep."""

import datetime as dt

import pytest

from engine import errors
from engine.pathway import bpmn
from tests.engine.pathway import drawing as draw
from tests.engine.pathway.drawing import START, Case


def waiting(kind, text, **facts):
    definitions = draw.parsed(draw.start(), draw.catch("w", draw.timer(kind, text)), draw.end(), draw.flows("start > w > end"))
    return Case(definitions, facts={"case": facts})


@pytest.mark.parametrize(
    ("kind", "text", "due"),
    [
        ("Duration", "PT1H", dt.datetime(2026, 1, 5, 9, tzinfo=dt.UTC)),
        ("Duration", "P30D", dt.datetime(2026, 2, 4, 8, tzinfo=dt.UTC)),
        ("Duration", "P1M", dt.datetime(2026, 2, 5, 8, tzinfo=dt.UTC)),
        ("Duration", 'duration("P2D")', dt.datetime(2026, 1, 7, 8, tzinfo=dt.UTC)),
        ("Duration", "delai", dt.datetime(2026, 1, 8, 8, tzinfo=dt.UTC)),
        ("Date", "2026-03-01", dt.datetime(2026, 2, 28, 23, tzinfo=dt.UTC)),
        ("Date", "2026-03-01T09:00:00", dt.datetime(2026, 3, 1, 8, tzinfo=dt.UTC)),
        ("Date", "2026-03-01T09:00:00Z", dt.datetime(2026, 3, 1, 9, tzinfo=dt.UTC)),
        ("Date", "retour.le", dt.datetime(2026, 5, 1, 23, tzinfo=dt.UTC)),
        ("Date", 'today + duration("P1D")', dt.datetime(2026, 1, 5, 23, tzinfo=dt.UTC)),
        ("Cycle", "R3/PT10M", dt.datetime(2026, 1, 5, 8, 10, tzinfo=dt.UTC)),
    ],
)
def test_when_a_timer_is_due(kind, text, due):
    case = waiting(kind, text, delai=dt.timedelta(days=3), retour={"le": dt.date(2026, 5, 2)})
    wait = case.wait("w")
    assert (wait.kind, wait.due_at, wait.what) == ("timer", due, text)
    assert case.ring("w").ended


def test_a_timer_rung_too_early_or_twice_is_refused():
    case = waiting("Duration", "PT1H")
    wait = case.wait("w").wait_id
    with pytest.raises(errors.Conflict) as refused:
        case.give(bpmn.Timer, wait)
    assert refused.value.code == "wait.not_due"
    case.now = START + dt.timedelta(hours=2)
    case.give(bpmn.Timer, wait)
    with pytest.raises(errors.Conflict) as refused:
        case.give(bpmn.Timer, wait)
    assert refused.value.code == "instance.ended"


@pytest.mark.parametrize(("kind", "text"), [("Duration", "delai"), ("Date", "delai"), ("Cycle", "delai"), ("Duration", '"demain"'), ("Date", '"PX"')])
def test_a_timer_without_an_instant_is_an_incident(kind, text):
    case = waiting(kind, text)
    assert case.codes == ["timer.unreadable"] and not case.ended and case.waits == []
    case.facts = {"case": {"delai": dt.timedelta(hours=1)}}
    if text == "delai" and kind != "Date":
        assert case.retry().waits == ["w"]


def reminders(text):
    parts = (
        draw.start(),
        draw.end(),
        draw.user("a"),
        draw.boundary("rappel", "a", draw.timer("Cycle", text), interrupting=False),
        draw.element("sendTask", "dire", "", '<masar:message nom="rappel"/>'),
    )
    return Case(draw.parsed(*parts, draw.flows("start > a > end", "rappel > dire")))


def test_a_recurring_timer_rings_until_its_count_then_no_more():
    case = reminders("R3/P1D")
    for turn in range(3):
        assert case.wait("rappel").due_at == START + dt.timedelta(days=turn + 1)
        case.ring("rappel")
        assert len(case.told(bpmn.MessageSent)) == turn + 1
    assert case.waits == [] and case.tasks == ["a"]
    assert case.do("a").ended


def test_after_a_sleep_a_recurring_timer_rings_once_and_says_how_many_it_missed():
    case = reminders("R/P1D")
    case.ring("rappel", late=dt.timedelta(days=5, hours=1))
    assert len(case.told(bpmn.MessageSent)) == 1
    assert case.told(bpmn.WaitClosed)[-1].missed == 5
    assert case.wait("rappel").due_at == START + dt.timedelta(days=7)


def test_a_monthly_timer_keeps_to_the_end_of_the_month():
    case = reminders("R/2026-01-31T08:00:00/P1M")
    months = []
    for _ in range(4):
        months.append(case.wait("rappel").due_at.date().isoformat())
        case.ring("rappel")
    assert months == ["2026-01-31", "2026-02-28", "2026-03-31", "2026-04-30"]


def test_a_timer_at_the_edge_interrupts_or_goes_beside():
    def at_the_edge(interrupting):
        parts = (draw.start(), draw.end(), draw.user("a"), draw.user("b"), draw.boundary("t", "a", draw.timer("Duration", "P2D"), interrupting=interrupting))
        return Case(draw.parsed(*parts, draw.flows("start > a > end", "t > b > end")))

    case = at_the_edge(True).ring("t")
    assert case.tasks == ["b"] and [one.outcome for one in case.told(bpmn.TaskClosed)] == ["cancelled"] and case.do("b").ended
    case = at_the_edge(False).ring("t")
    assert case.tasks == ["a", "b"] and case.waits == [] and not case.do("a").ended and case.do("b").ended
    assert at_the_edge(True).do("a").ended
