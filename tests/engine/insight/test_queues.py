"""Who waits for whom: one person for what comes makes a queue, two make none; work goes to whoever holds the role; the calendar says how long they are there."""

import datetime as dt
import math
import random

import pytest

from engine.insight import queues, simulations, teams
from engine.insight.queues import Post, Profile, Team, Work
from engine.pathway.simulation import Observed, difference
from engine.workdays import Calendar
from tests.engine.pathway import drawing as draw

DESK, LED = Post("MED", "OTE", "agent_accueil"), Post("MED", "OTE", "chef_antenne")


def team(**numbers):
    return Team({Profile("MED", "OTE", frozenset(roles.split("__"))): number for roles, number in numbers.items()})


def poisson(rate, hours, post=DESK, takes=lambda rng: rng.expovariate(1.0), seed="graine"):
    rng, at, found = random.Random(seed), 0.0, []
    while (at := at + rng.expovariate(rate)) < hours:
        found.append(Work(at, post, takes(rng)))
    return found


def test_one_person_makes_a_queue_as_long_as_the_books_say():
    """M/M/1: with a load of 0.7 one waits 0.7 / 0.3 of a task's work; M/M/2 with the same people twice: Erlang's C."""
    works = poisson(0.7, 40_000)
    found = queues.run(team(agent_accueil=1), works, 40_000)[DESK]
    assert sum(found.waits) / len(found.waits) == pytest.approx(0.7 / 0.3, rel=0.12) and found.busy == pytest.approx(0.7, abs=0.03)
    two = queues.run(team(agent_accueil=2), works, 40_000)[DESK]
    load = 0.7
    erlang = (load**2 / 2 * 2 / (2 - load)) / (1 + load + load**2 / 2 * 2 / (2 - load))
    assert sum(two.waits) / len(two.waits) == pytest.approx(erlang / (2 - load), rel=0.2) and two.busy == pytest.approx(0.35, abs=0.02)
    assert math.isclose(found.hours, sum(one.hours for one in works))


def test_what_is_too_much_for_them_is_full_and_what_nobody_holds_is_nobodys():
    found = queues.run(team(agent_accueil=1), poisson(1.5, 500) + poisson(0.2, 500, LED), 500)
    assert found[DESK].busy > 0.99 and max(found[DESK].waits) > 100
    assert found[LED].waits == () and found[LED].nobody > 50 and found[LED].busy == 0


def test_whoever_holds_two_roles_does_both_and_the_longest_waiting_first():
    both = team(agent_accueil__chef_antenne=1)
    found = queues.run(both, [Work(0, DESK, 5), Work(1, LED, 2), Work(2, DESK, 1)], 100)
    assert found[LED].waits == (4,) and found[DESK].waits == (0, 5) and found[LED].busy == pytest.approx(0.08)


def test_other_numbers_of_people_take_first_who_holds_least():
    there = team(agent_accueil=2, agent_accueil__chef_antenne=1)
    assert there.holders(DESK) == 3 and there.with_holders(DESK, 3) == there
    assert there.with_holders(DESK, 1) == team(agent_accueil__chef_antenne=1) and there.with_holders(DESK, 0).holders(LED) == 0
    assert there.with_holders(LED, 2) == Team({**there.people, Profile("MED", "OTE", frozenset({"chef_antenne"})): 1})


def at(hour, minute=0, day=2):
    return dt.datetime(2026, 11, day, hour, minute, tzinfo=dt.UTC)


def test_work_is_measured_from_what_the_same_person_did_before_and_never_over_half_a_day():
    calendar = Calendar()
    acts = [teams.Act("a", at(8)), teams.Act("a", at(8, 30), "t", at(7)), teams.Act("a", at(9, 30), "t", at(9), is_in_hand=True),
            teams.Act("b", at(11), "alone", at(7)), teams.Act("c", at(15), "long", at(7), is_in_hand=True), teams.Act("a", at(9, 30) + dt.timedelta(seconds=40), "same", at(7))]  # fmt: skip
    assert teams.worked(acts, calendar) == {"t": [0.5, 0.5], "long": [4.0]}, "what nobody can tell is not told: the first act of a day, two of the same minute"


def test_people_are_there_when_branches_are_open_that_month():
    monday = at(8)
    assert teams.open_hours(Calendar(), monday, 7) == 45
    assert teams.open_hours(Calendar(frozenset({dt.date(2026, 11, 4)}), ((dt.date(2026, 11, 5), dt.date(2026, 11, 6)),)), monday, 7) == 45 - 9 - 6


def town(begun, works=(1.0, 2.0, 3.0) * 30):
    held = draw.lanes(OTE="a", ANETI="b")
    tasks = [draw.user(name, extensions=f'<masar:tache form="f" role="{role}" delai="5" unite="jours"/>') for name, role in (("a", "agent_accueil"), ("b", "conseiller_emploi"))]
    drawn = draw.parsed(held, draw.start(), draw.end(), *tasks, draw.flows("start > a > b > end"))
    seen = Observed({"a": [1.0, 2.0, 3.0], "b": [2.0, 4.0]}, {}, {"p": begun}, 40, {"a": works, "b": works}, {"p": {"MED": 3, "SFX": 1}})
    return drawn, simulations._Town(seen, Calendar(), at(8))


ADVISERS = Post("MED", "ANETI", "conseiller_emploi")
PRESENT = Team({Profile(branch, agency, frozenset({role})): number for branch in ("MED", "SFX") for agency, role, number in (("OTE", "agent_accueil", 2), ("ANETI", "conseiller_emploi", 2))})


def compared(monkeypatch, begun, asked, **seen):
    monkeypatch.setattr(simulations, "WORKED", ("p",))
    monkeypatch.setattr(simulations, "SHOWN", ("p",))
    drawn, found = town(begun, **seen)
    (one,), posts = found.compare((drawn, PRESENT), (drawn, asked))
    return one, {held.post: held for held in posts}


def test_one_adviser_fewer_makes_medenine_wait_and_only_as_much_as_the_work_says(monkeypatch):
    one, posts = compared(monkeypatch, 170, PRESENT)
    assert one.is_same and one.now == one.then and posts[ADVISERS].now == posts[ADVISERS].then
    assert 0.55 < posts[ADVISERS].now.busy.mean < 0.85, "127 tasks of two hours a month for two who are there some 195 hours each"
    assert posts[ADVISERS].now.tasks.mean == pytest.approx(127, rel=0.12)
    fewer, after = compared(monkeypatch, 170, PRESENT.with_holders(ADVISERS, 1))
    assert not fewer.is_same and after[ADVISERS].then.is_full and not after[ADVISERS].now.is_full and after[ADVISERS].then.waits.low > after[ADVISERS].now.waits.high
    days = {share.agency: share.days for share in fewer.now.shares}, {share.agency: share.days for share in fewer.then.shares}
    assert difference(days[0]["ANETI"], days[1]["ANETI"]).low > 1 and difference(days[0]["OTE"], days[1]["OTE"]).mean == 0, "whoever was not changed makes nobody wait"
    assert after[Post("SFX", "ANETI", "conseiller_emploi")].now == after[Post("SFX", "ANETI", "conseiller_emploi")].then
    few, calm = compared(monkeypatch, 8, PRESENT.with_holders(ADVISERS, 1))
    assert calm[ADVISERS].then.busy.mean < 0.2 and difference(few.now.days, few.then.days).mean < 0.2, "where there is little to do, one is enough"
    none, gone = compared(monkeypatch, 8, PRESENT.with_holders(ADVISERS, 0))
    assert gone[ADVISERS].then.is_nobodys and none.then == none.now


def test_what_was_worked_on_less_often_is_less_sure(monkeypatch):
    spread = []
    for works in ((1.0, 6.0), (1.0, 6.0) * 60):
        _, posts = compared(monkeypatch, 60, PRESENT, works=list(works))
        spread.append(posts[ADVISERS].now.busy.high - posts[ADVISERS].now.busy.low)
    assert spread[0] > spread[1] * 1.3
