"""The equity of decisions: a group worth a look is said to be one, and nobody of fewer than five is told of by it."""

import itertools

import pytest

from engine.casework import editions
from engine.insight import equity, halfyear
from engine.insight.equity import Counted
from tests import world as worlds


@pytest.fixture(scope="module")
def edition(make_database):
    database = make_database(worlds.furnish)
    world = worlds.World(database)
    with database.reading(world.staff["coordination"]) as session:
        return editions.current(session)


def shown(edition, **groups):
    (found,) = equity.told({"sex": {code: Counted(decided, granted, days, decided) for code, (decided, granted, days) in groups.items()}}, edition, "fr")
    return {one.code: one for one in found.parts}, found


@pytest.mark.parametrize(
    ("women", "men", "alerts"),
    [
        ((40, 30, 20), (60, 36, 20), ((), ())),  # 75 % and 60 %: four fifths exactly
        ((40, 30, 20), (60, 35, 20), ((), ("share",))),
        ((40, 30, 20), (60, 45, 26), ((), ("days",))),  # 20 days of 26
        ((19, 12, 20), (60, 12, 90), ((), ())),  # nineteen are too few to be compared with
        ((20, 15, 20), (60, 12, 90), ((), ("share", "days"))),
    ],
)
def test_a_group_under_four_fifths_of_the_best_is_worth_a_look(edition, women, men, alerts):
    parts, found = shown(edition, F=women, M=men)
    assert (parts["F"].alerts, parts["M"].alerts) == alerts and found.is_compared is (women[0] >= 20)


def test_a_group_of_which_nothing_is_shown_is_still_worth_a_look(edition):
    parts, _ = shown(edition, F=(40, 38, 20), M=(60, 30, 21))
    assert {(one.decided, one.granted, one.share, one.share_ratio, one.days, one.days_ratio) for one in parts.values()} == {(None,) * 6}, "two were refused, which the others would tell"
    assert parts["M"].alerts == ("share",)


def test_what_is_shown_does_not_tell_a_best_that_is_hidden(edition):
    """Of the best two, two and three were refused: nothing of them is shown, nor of one more. Against the best, the last would say how often they were granted and how long they waited."""
    parts, _ = shown(edition, F=(40, 38, 10), M=(60, 57, 20), X=(50, 30, 30), Y=(200, 120, 30))
    assert [code for code, one in parts.items() if one.decided is None] == ["F", "M", "X"] and parts["Y"].share == 60
    assert (parts["Y"].share_ratio, parts["Y"].days_ratio, parts["Y"].alerts) == (None, None, ("share", "days"))


@pytest.mark.parametrize(("measured", "days"), [(4, None), (5, 12)])
def test_of_how_long_fewer_than_five_waited_nobody_is_told(edition, measured, days):
    (found,) = equity.told({"sex": {"F": Counted(40, 20, 12, measured), "M": Counted(40, 20, 15, 40)}}, edition, "fr")
    assert {one.code: one.days for one in found.parts} == {"F": days, "M": 15}


@pytest.mark.parametrize("groups", [{"a": (9, 6), "b": (12, 6), "c": (30, 20)}, {"a": (9, 6), "b": (3, 2), "c": (30, 20)}, {"a": (7, 7), "b": (20, 14), "c": (8, 3)}, {"a": (4, 0), "b": (40, 20), "c": (50, 25)}])
def test_no_few_can_be_found_by_who_knows_the_totals(edition, groups):
    parts, _ = shown(edition, **{code: (decided, granted, 10) for code, (decided, granted) in groups.items()})
    hidden = [code for code in groups if parts[code].decided is None]
    few = {code for code, (decided, granted) in groups.items() if any(0 < number < 5 for number in (decided, granted, decided - granted))}
    assert few <= set(hidden) and all((parts[code].decided, parts[code].granted) == groups[code] for code in groups if code not in hidden)
    sums = [sum(groups[code][0] for code in hidden), sum(groups[code][1] for code in hidden)]
    cells = [(decided, granted) for decided in range(41) for granted in range(decided + 1)]
    ways = list(itertools.product(cells, repeat=max(len(hidden) - 1, 0)))
    for code in few:
        place = hidden.index(code)
        values = set()
        for way in ways:
            last = (sums[0] - sum(one[0] for one in way), sums[1] - sum(one[1] for one in way))
            if 0 <= last[1] <= last[0]:
                values.add([*way, last][place])
        assert len(values) > 1, "one way only to fill in what is hidden"


def test_in_the_report_of_a_half_year_equity_tells_nothing_that_another_table_hides():
    """Ten were refused, by sex: five and five. Two were granted with conditions: hidden, with the refused beside them, which those of both sexes would tell."""
    tables = {"decision": {"accorde": (27, None), "sous_reserve": (2, None), "refuse": (10, None)}}
    sexes = {"sex": {"F": Counted(20, 15, 10, 20), "M": Counted(19, 14, 10, 19)}}
    away = halfyear.hidden(tables, (), sexes)
    assert ("decision", "sous_reserve") in away
    refused_told = not away & {("equity", "sex", "F", 1), ("equity", "sex", "M", 1)} or ("decision", "refuse") not in away
    assert not refused_told or away & {("decision", "accorde"), ("decision", "total")}, "all decided, less the granted and the refused"
