"""Why a turn was taken: evaluated anew it is the same, and the smallest change told is one that a search of all small worlds finds too."""

import datetime as dt
import itertools
import random
from decimal import Decimal
from types import SimpleNamespace

import pytest

from engine.pathway import bpmn, instead, why
from forms.dictionary import Field
from tests.engine.pathway import drawing as draw
from tests.engine.pathway.test_decision_tables import HEAD, table


def field(name, kind, codes=(), **more):
    return Field(name, kind, {"fr": name}, "C", "OTE", "case", name.partition(".")[0], "p", "r", codes={code: place for place, code in enumerate(codes)}, **more)


DICTIONARY = SimpleNamespace(
    fields={one.id: one for one in (
        field("c.enfants", "int", min=0, max=12), field("c.seule", "bool"), field("c.logement", "enum", ("loue", "heberge", "rue")), field("c.retour", "date"),
        field("c.rows", "list", items=("c.nature",)), field("c.nature", "enum", ("loyer", "soin")), field("c.aide", "money"))},
    groups={"c": None},
)  # fmt: skip


def reason_of(condition, second="", **facts):
    """The reason of the first gateway of a small diagram, whose ways are these conditions and a default."""
    more = (draw.user("b"),) if second else ()
    ways = [f"start > x > {{{condition}}} a"] + ([f"x > {{{second}}} b"] if second else []) + ["x > z > end"]
    definitions = draw.parsed(draw.start(), draw.end(), draw.xor("x", default="x__z"), draw.user("a"), draw.user("z"), *more, draw.flows(*ways))
    step = bpmn.start(definitions, "p", bpmn.Start(variables={}, at=draw.START, seq=1, facts={"case": {"c": facts}}))
    return definitions, step.reasons[0], step


def smallest(*conditions, **facts):
    definitions, reason, _ = reason_of(*conditions, **facts)
    away = why.elsewhere(definitions, DICTIONARY, reason)
    assert away is None or why.leads_elsewhere(definitions, reason, away)
    return [(one.path, one.now) for one in away.changes] if away else None


def test_a_number_goes_just_over_the_threshold():
    assert smallest("c.enfants >= 3", enfants=Decimal(2)) == [("c.enfants", Decimal(3))]
    assert smallest("c.enfants >= 3", enfants=Decimal(9)) == [("c.enfants", Decimal(2))]
    assert smallest("c.enfants * 2 + 1 > 13", enfants=Decimal(1)) == [("c.enfants", Decimal(7))], "a threshold that nobody wrote is found all the same"


def test_a_choice_a_truth_a_day_an_amount_and_a_row_change():
    assert smallest('c.logement = "rue"', logement="loue") == [("c.logement", "rue")]
    assert smallest("c.seule = true", seule=False) == [("c.seule", True)]
    assert smallest('c.retour + duration("P12M") > today', retour=dt.date(2024, 1, 5)) == [("c.retour", dt.date(2025, 1, 6))]
    assert smallest("c.aide > 300", aide=Decimal("299.5")) == [("c.aide", Decimal("300.001"))]
    (told,) = smallest('count(c.rows[item.nature = "loyer"]) > 0', rows=[{"id": "1", "nature": "soin"}])
    assert told == ("c.rows.nature", "loyer")


def test_two_values_where_one_is_not_enough_and_none_where_two_are_not():
    found = smallest('c.seule = true and c.logement = "rue"', seule=False, logement="loue")
    assert found is not None and dict(found) == {"c.seule": True, "c.logement": "rue"}
    assert smallest('c.seule = true and c.logement = "rue" and c.enfants > 4', seule=False, logement="loue", enfants=Decimal(0)) is None
    assert smallest("c.enfants = c.enfants", enfants=Decimal(0)) == [("c.enfants", None)] or smallest("1 = 1") is None


def test_what_a_condition_before_spared_is_known_to_whoever_asks_why():
    """The first way holds, so the second was never weighed; without its value, the change would be said to lead to the default."""
    definitions, reason, step = reason_of("c.seule = true", "c.enfants > 1", seule=True, enfants=Decimal(5))
    told = bpmn.told({"case": {"c": {"seule": True, "enfants": Decimal(5)}}}, step.read)
    again = bpmn.start(definitions, "p", bpmn.Start(variables={}, at=draw.START, seq=1, facts=told)).reasons[0]
    away = why.elsewhere(definitions, DICTIONARY, again)
    assert away is not None and away.flows == ("x__b",)


def test_every_small_world_agrees_on_what_is_smallest():
    """Conditions drawn at random over four values; the worlds one and two values away are all walked, by another way than the search's."""
    rng = random.Random(7)
    worlds = {"enfants": [Decimal(n) for n in range(5)], "seule": [True, False], "logement": ["loue", "heberge", "rue"]}
    parts = ["c.enfants > 1", "c.enfants = 3", "c.seule = true", "c.seule = false", 'c.logement = "rue"', 'c.logement != "loue"', "c.enfants < 2"]
    for _ in range(40):
        condition = f" {rng.choice(['and', 'or'])} ".join(rng.sample(parts, rng.choice([1, 2, 3])))
        here = {name: rng.choice(values) for name, values in worlds.items()}
        definitions, reason, _ = reason_of(condition, **here)

        def flows(world, definitions=definitions, reason=reason):
            return why.outcome(definitions, reason, {**why.seen(reason), "c": {**reason.sight["c"], **world}}).flows

        least = next((size for size in (1, 2) if any(flows(dict(zip(names, values, strict=True))) != flows({}) for names in itertools.combinations(worlds, size)
                                                     for values in itertools.product(*(worlds[name] for name in names)))), None)  # fmt: skip
        away = why.elsewhere(definitions, DICTIONARY, reason)
        assert (len(away.changes) if away else None) == least or (least is None and away is not None), (condition, here, away)
        assert away is None or why.leads_elsewhere(definitions, reason, away)


def decided(**facts):
    xml = HEAD + table("FIRST", [(["true", "-"], ['"urgent"']), (["-", ">= 3"], ['"suivi"']), (["-", "-"], ['"ordinaire"'])], inputs=("c.seule", "c.enfants")) + "</definitions>"
    rule = draw.element("businessRuleTask", "r", extensions='<masar:decision ref="D" resultat="d"/>')
    definitions = draw.parsed(draw.start(), draw.end(), rule, draw.user("a"), draw.flows("start > r > a > end"), decisions={"d.dmn": xml.encode()})
    step = bpmn.start(definitions, "p", bpmn.Start(variables={}, at=draw.START, seq=1, facts={"case": {"c": facts}}))
    return definitions, step.reasons[0]


def test_a_table_tells_what_it_would_have_answered_and_which_rule_nearly_fired():
    definitions, reason = decided(seule=False, enfants=Decimal(2))
    found = why.explain(definitions, DICTIONARY, reason)
    assert found.smallest is not None
    assert [(one.path, one.now) for one in found.smallest.changes] == [("c.enfants", Decimal(3))] and found.smallest.outputs == "suivi"
    assert {one.outputs for one in found.others} == {"suivi", "urgent"}
    assert {one.rule_id for one in found.near} == {"r1", "r2"}


@pytest.mark.parametrize("wrong", [{"rules": ["r1"]}, {"outputs": "suivi"}, {"values": {"c.seule": True, "c.enfants": 2}}, {"node": "other"}])
def test_a_record_that_says_otherwise_is_not_the_same(wrong):
    definitions, reason = decided(seule=False, enfants=Decimal(2))
    record = {"node": "r", "decision": "D", "rules": ["r3"], "outputs": "ordinaire", "values": {"c.seule": False, "c.enfants": 2}}
    assert why.is_same(definitions, reason, record) and not why.is_same(definitions, reason, record | wrong)


def test_a_change_leaves_what_was_seen_as_it_was():
    sight = {"c": {"rows": [{"id": "1", "nature": "soin"}], "x": None, "x_statut": "refuse"}}
    there = instead.put(sight, instead.Change("c.rows.nature", "soin", "loyer", row=0))
    assert sight["c"]["rows"][0]["nature"] == "soin" and there["c"]["rows"][0]["nature"] == "loyer"
    assert instead.put(sight, instead.Change("c.x", None, Decimal(1)))["c"]["x_statut"] is None, "what is known was not refused"
