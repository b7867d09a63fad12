"""Decision tables answer as DMN says, and tell which rules fired on which values."""

from decimal import Decimal

import pytest

from engine.errors import Invalid
from engine.pathway import decisions
from forms.feel import FeelError

HEAD = '<definitions xmlns="https://www.omg.org/spec/DMN/20191111/MODEL/" id="d" name="d" namespace="n">'


def table(policy, rows, aggregation="", values="", inputs=("x",), outputs=("y",), decision_id="D", requires=""):
    columns = "".join(f'<input id="i{n}"><inputExpression id="e{n}"><text>{text}</text></inputExpression></input>' for n, text in enumerate(inputs))
    results = "".join(
        f'<output id="o{n}" name="{name}">' + (f"<outputValues><text>{values}</text></outputValues>" if values else "") + "</output>"
        for n, name in enumerate(outputs)
    )
    rules = "".join(
        f'<rule id="r{n}">' + "".join(f"<inputEntry><text><![CDATA[{cell}]]></text></inputEntry>" for cell in cells)
        + "".join(f"<outputEntry><text><![CDATA[{said}]]></text></outputEntry>" for said in answers) + "</rule>"
        for n, (cells, answers) in enumerate(rows, 1)
    )  # fmt: skip
    extra = f'aggregation="{aggregation}"' if aggregation else ""
    head = f'<decision id="{decision_id}" name="{decision_id}">{requires}'
    return f'{head}<decisionTable hitPolicy="{policy}" {extra}>{columns}{results}{rules}</decisionTable></decision>'


def decide(xml, decision_id="D", **scope):
    return decisions.parse((HEAD + xml + "</definitions>").encode()).decide(decision_id, scope)


OVERLAPPING = [(["> 1"], ['"a"']), (["> 2"], ['"b"']), (["> 3"], ['"a"'])]


@pytest.mark.parametrize(
    ("policy", "x", "outputs", "rules", "findings"),
    [
        ("UNIQUE", 2, "a", ("r1",), ()),
        ("UNIQUE", 3, None, ("r1", "r2"), ("decision.overlap",)),
        ("UNIQUE", 0, None, (), ("decision.no_match",)),
        ("FIRST", 4, "a", ("r1",), ()),
        ("FIRST", 0, None, (), ("decision.no_match",)),
        ("PRIORITY", 3, "b", ("r2",), ()),
        ("ANY", 3, None, ("r1", "r2"), ("decision.disagreement",)),
        ("ANY", 2, "a", ("r1",), ()),
        ("COLLECT", 4, ["a", "b", "a"], ("r1", "r2", "r3"), ()),
        ("COLLECT", 0, [], (), ()),
        ("RULE ORDER", 4, ["a", "b", "a"], ("r1", "r2", "r3"), ()),
        ("OUTPUT ORDER", 4, ["b", "a", "a"], ("r2", "r1", "r3"), ()),
        ("OUTPUT ORDER", 0, [], (), ()),
    ],
)
def test_each_hit_policy(policy, x, outputs, rules, findings):
    verdict = decide(table(policy, OVERLAPPING, values='"b","a"'), x=x)
    assert (verdict.outputs, verdict.rules, tuple(one.code for one in verdict.findings)) == (outputs, rules, findings)
    assert verdict.values == {"x": x}


@pytest.mark.parametrize(
    ("aggregation", "x", "outputs"), [("SUM", 4, 7), ("MIN", 4, 1), ("MAX", 4, 4), ("COUNT", 4, 3), ("SUM", 0, 0), ("COUNT", 0, 0), ("MIN", 0, None)]
)
def test_each_aggregator_of_collect(aggregation, x, outputs):
    rows = [(["> 1"], ["1"]), (["> 2"], ["4"]), (["> 3"], ["2"])]
    assert decide(table("COLLECT", rows, aggregation), x=x).outputs == outputs


@pytest.mark.parametrize("aggregation", ["SUM", "MIN", "MAX"])
def test_words_are_not_added_up(aggregation):
    verdict = decide(table("COLLECT", [(["> 1"], ['"a"']), (["> 2"], ["4"])], aggregation), x=4)
    assert verdict.outputs is None and [one.code for one in verdict.findings] == ["decision.cannot_aggregate"]


def test_half_points_of_an_unknown_answer_add_up_exactly():
    rows = [(['"oui"', "-"], ["4"]), (['"inconnu", "refuse"', "-"], ["0.5 * 4"]), (["-", ">= 3"], ["1"])]
    assert decide(table("COLLECT", rows, "SUM", inputs=("abri", "charge")), abri="inconnu", charge=3).outputs == Decimal("3.0")


def test_several_outputs_make_a_context():
    rows = [(['"FR"'], ['"OFII"', "7000"]), (["-"], ['"NATIONAL"', "0"])]
    assert decide(table("FIRST", rows, outputs=("programme", "plafond")), x="FR").outputs == {"programme": "OFII", "plafond": 7000}


def test_null_never_passes_a_comparison():
    assert [one.code for one in decide(table("UNIQUE", [([">= 18"], ['"majeur"'])]), x=None).findings] == ["decision.no_match"]


def test_a_decision_reads_those_it_requires():
    xml = '<decision id="S" name="S"><literalExpression><text>a + b</text></literalExpression></decision>' + table(
        "FIRST",
        [([">= 10"], ['"haut"']), (["-"], ['"bas"'])],
        inputs=("S",),
        requires='<informationRequirement><requiredDecision href="#S"/></informationRequirement>',
    )
    read = decisions.parse((HEAD + xml + "</definitions>").encode())
    assert read.decide("D", {"a": 4, "b": 6}).outputs == "haut"
    assert read.reads("D") == {"a", "b"}


@pytest.mark.parametrize(
    ("xml", "code"),
    [
        (b"<definitions", "dmn.not_xml"),
        (b"<a/>", "dmn.not_dmn"),
        (b'<!DOCTYPE a [<!ENTITY e SYSTEM "file:///etc/passwd">]><a>&e;</a>', "dmn.doctype"),
        (b" " * 1_000_001, "dmn.file_too_large"),
        ((HEAD + '<import namespace="n" locationURI="file:///etc/passwd" importType="t"/>' + table("FIRST", OVERLAPPING) + "</definitions>").encode(), "dmn.import_outside"),
        ((HEAD + table("BEST", OVERLAPPING) + "</definitions>").encode(), "dmn.hit_policy"),
        ((HEAD + table("FIRST", [(["> ("], ["1"])]) + "</definitions>").encode(), "dmn.cell"),
        ((HEAD + table("FIRST", OVERLAPPING, inputs=("x +",)) + "</definitions>").encode(), "dmn.column"),
        ((HEAD + table("FIRST", [(["1"], ["1 +"])]) + "</definitions>").encode(), "dmn.result"),
        ((HEAD + table("PRIORITY", OVERLAPPING, values="a b") + "</definitions>").encode(), "dmn.allowed"),
        ((HEAD + '<decision id="D" name="D"><literalExpression><text>1 +</text></literalExpression></decision></definitions>').encode(), "dmn.literal"),
        ((HEAD + table("FIRST", [(["1", "2"], ["1"])]) + "</definitions>").encode(), "dmn.row_length"),
        ((HEAD + table("FIRST", [(["-"] * 60, ["1"])], inputs=("a",) * 60) + "</definitions>").encode(), "dmn.table_too_wide"),
        ((HEAD + '<decision id="D" name="D"/></definitions>').encode(), "dmn.no_logic"),
        ((HEAD + table("FIRST", OVERLAPPING) * 2 + "</definitions>").encode(), "dmn.id_twice"),
        (
            (
                HEAD + table("FIRST", OVERLAPPING, requires='<informationRequirement><requiredDecision href="#D"/></informationRequirement>') + "</definitions>"
            ).encode(),
            "dmn.requires_itself",
        ),
    ],
)
def test_a_file_that_cannot_be_trusted_is_refused_naming_the_place(xml, code):
    with pytest.raises(Invalid) as refusal:
        decisions.parse(xml, "regles.dmn")
    assert code in {one.code for one in refusal.value.findings}
    assert all(one.where.startswith("regles.dmn") for one in refusal.value.findings)


def test_the_cells_of_a_table_and_of_those_it_requires_share_what_they_may_take():
    heavy = "some i in 1..4000 satisfies i < x"
    assert decide(table("FIRST", [([heavy], ["1"]), (["-"], ["2"])]), x=0).outputs == 2
    with pytest.raises(FeelError, match="more steps"):
        decide(table("FIRST", [([heavy], ["1"])] * 20), x=0)


def test_a_decision_without_an_answer_leaves_those_above_it_without_one():
    above = table(
        "FIRST",
        [(["-"], ['"oui"'])],
        inputs=("below",),
        decision_id="above",
        requires='<informationRequirement><requiredDecision href="#below"/></informationRequirement>',
    )
    verdict = decide(table("UNIQUE", [(["> 1"], ["1"])], decision_id="below") + above, "above", x=0)
    assert verdict.outputs is None and [(one.code, one.where) for one in verdict.findings] == [("decision.no_match", "below")]
