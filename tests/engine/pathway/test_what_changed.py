"""Two versions of a diagram or a table: every difference is told, nothing else, and the same both ways."""

import random
from pathlib import Path

import pytest

from engine.pathway import comparison, table_comparison
from tests.engine.pathway import drawing, edits

ROOT = Path(__file__).parents[3]
DIAGRAMS = {path.name: path.read_bytes() for path in sorted((ROOT / "processes").glob("*.bpmn"))}
TABLES = {path.name: path.read_bytes() for path in sorted((ROOT / "processes" / "decisions").glob("*.dmn"))}


def told(differences):
    return sorted((one.kind, "" if one.kind == "layout" else one.element, one.what) for one in differences)


def as_set(differences):
    return sorted(map(repr, differences))


def assert_told_both_ways(compare, old, new):
    forth = compare({"un": old}, {"un": new})
    assert as_set(one.mirrored() for one in forth) == as_set(compare({"un": new}, {"un": old}))
    return forth


def test_a_version_does_not_differ_from_itself():
    assert comparison.of_diagrams(DIAGRAMS, DIAGRAMS) == []
    assert table_comparison.of_tables(TABLES, TABLES) == []


@pytest.mark.parametrize("name", sorted(edits.OF_DIAGRAMS))
def test_each_kind_of_edit_of_a_diagram_is_told_and_nothing_else(name):
    rng = random.Random(name)
    made = 0
    for file in rng.sample(sorted(DIAGRAMS), len(DIAGRAMS)):
        content, expected = edits.edited(rng, DIAGRAMS[file], {name: edits.OF_DIAGRAMS[name]}, 1)
        if expected and made < 3:
            made += 1
            assert told(assert_told_both_ways(comparison.of_diagrams, DIAGRAMS[file], content)) == sorted(expected), file
    assert made


@pytest.mark.parametrize("seed", range(30))
def test_many_edits_of_a_diagram_are_each_told_and_nothing_else(seed):
    rng = random.Random(seed)
    file = rng.choice(sorted(DIAGRAMS))
    content, expected = edits.edited(rng, DIAGRAMS[file], edits.OF_DIAGRAMS, rng.randint(2, 8))
    assert told(assert_told_both_ways(comparison.of_diagrams, DIAGRAMS[file], content)) == sorted(expected), file


def test_conditions_tried_in_another_order_are_told_and_arrows_written_in_another_order_are_not():
    def drawn(listed, *ways):
        gateway = drawing.element("exclusiveGateway", "x", "".join(f"<bpmn:outgoing>x__{one}</bpmn:outgoing>" for one in listed), default="x__c")
        return drawing.diagram(drawing.process(drawing.start(), gateway, *map(drawing.user, "abc"), drawing.end(), drawing.flows("start > x", *ways, "a > end", "b > end", "c > end")))

    ways = ["x > {n > 3} a", "x > {n > 2} b", "x > c"]
    before = drawn("abc", *ways)
    assert told(assert_told_both_ways(comparison.of_diagrams, before, drawn("abc", *reversed(ways)))) == [("layout", "", "writing")]
    assert [(one.kind, one.what, {one.before, one.after}) for one in assert_told_both_ways(comparison.of_diagrams, before, drawn("bac", *ways))] == [("moved", "order", {"1", "2"})]
    assert [one.what for one in assert_told_both_ways(comparison.of_diagrams, drawn("", *ways), drawn("", ways[1], ways[0], ways[2]))] == ["order"]


@pytest.mark.parametrize("name", sorted(edits.OF_TABLES))
def test_each_kind_of_edit_of_a_table_is_told_and_nothing_else(name):
    rng = random.Random(name)
    for file in rng.sample(sorted(TABLES), 4):
        content, expected = edits.edited(rng, TABLES[file], {name: edits.OF_TABLES[name]}, 1)
        assert not expected or told(assert_told_both_ways(table_comparison.of_tables, TABLES[file], content)) == sorted(expected), file


@pytest.mark.parametrize("seed", range(30))
def test_many_edits_of_a_table_are_each_told_and_nothing_else(seed):
    rng = random.Random(seed)
    file = rng.choice(sorted(TABLES))
    content, expected = edits.edited(rng, TABLES[file], edits.OF_TABLES, rng.randint(2, 5))
    assert told(assert_told_both_ways(table_comparison.of_tables, TABLES[file], content)) == sorted(expected), file


def test_what_was_and_what_is_are_not_swapped():
    old, new = DIAGRAMS["cloture.bpmn"], DIAGRAMS["cloture.bpmn"].replace(b'role="chef_antenne" delai="5"', b'role="chef_antenne" delai="3"')
    (one,) = comparison.of_diagrams({"cloture.bpmn": old}, {"cloture.bpmn": new})
    assert (one.element, one.what, one.before, one.after) == ("T803", "deadline", "5 jours_ouvres", "3 jours_ouvres")


def test_a_flow_that_a_new_element_cuts_in_two_is_told_as_one_gone_and_two_come():
    old = drawing.diagram(drawing.process(drawing.start(), drawing.user("a"), drawing.end(), drawing.flows("start > a > end")))
    new = drawing.diagram(drawing.process(drawing.start(), drawing.user("a"), drawing.user("b"), drawing.end(), drawing.flows("start > a > b > end")))
    found = assert_told_both_ways(comparison.of_diagrams, old, new)
    assert told(found) == [("added", "a__b", ""), ("added", "b", ""), ("added", "b__end", ""), ("removed", "a__end", "")]


def test_a_diagram_under_another_name_is_the_same_diagram():
    (one,) = comparison.of_diagrams({"a.bpmn": DIAGRAMS["suivi.bpmn"]}, {"b.bpmn": DIAGRAMS["suivi.bpmn"]})
    assert (one.kind, one.what, one.before, one.after) == ("renamed", "path", "a.bpmn", "b.bpmn")


def test_a_diagram_that_comes_or_goes_is_told_once():
    (one,) = comparison.of_diagrams({}, {"suivi.bpmn": DIAGRAMS["suivi.bpmn"]})
    assert (one.kind, one.file, one.subject.names["fr"]) == ("added", "suivi.bpmn", "Suivi")


def test_a_file_written_otherwise_is_told_once_as_nothing_more():
    (one,) = comparison.of_diagrams({"suivi.bpmn": DIAGRAMS["suivi.bpmn"]}, {"suivi.bpmn": DIAGRAMS["suivi.bpmn"] + b"<!-- relu -->"})
    assert (one.kind, one.what) == ("layout", "writing")


@pytest.mark.parametrize(
    ("before", "after"),
    [("<bpmn:boundaryEvent ", '<bpmn:boundaryEvent cancelActivity="true" '), ("<bpmn:sequenceFlow ", '<bpmn:sequenceFlow isImmediate="false" '),
     ("<bpmn:userTask ", '<bpmn:userTask startQuantity="1" ')],
)  # fmt: skip
def test_what_goes_without_saying_may_be_written_out(before, after):
    old = drawing.diagram(drawing.process(drawing.start(), drawing.user("a"), drawing.boundary("late", "a", drawing.timer("Duration", "P1D")), drawing.end(),
                                          drawing.flows("start > a > end", "late > end"))).replace(b' cancelActivity="true"', b"")  # fmt: skip
    (one,) = comparison.of_diagrams({"un": old}, {"un": old.replace(before.encode(), after.encode())})
    assert (one.kind, one.what) == ("layout", "writing")


def test_what_goes_without_saying_is_said_when_it_no_longer_holds():
    old = drawing.diagram(drawing.process(drawing.start(), drawing.user("a"), drawing.boundary("late", "a", drawing.timer("Duration", "P1D")), drawing.end(),
                                          drawing.flows("start > a > end", "late > end"))).replace(b' cancelActivity="true"', b"")  # fmt: skip
    (one,) = comparison.of_diagrams({"un": old}, {"un": old.replace(b"<bpmn:boundaryEvent ", b'<bpmn:boundaryEvent cancelActivity="false" ')})
    assert (one.element, one.what, one.before, one.after) == ("late", "interrupting", "true", "false")


@pytest.mark.parametrize("broken", [b"", b"<a", b"<a/>", b"\xff\xfe", b'<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>'])
def test_a_draft_that_cannot_be_read_is_told_as_changed(broken):
    (one,) = comparison.of_diagrams({"suivi.bpmn": DIAGRAMS["suivi.bpmn"]}, {"suivi.bpmn": broken})
    (other,) = table_comparison.of_tables({"circuit.dmn": TABLES["circuit.dmn"]}, {"circuit.dmn": broken})
    assert (one.kind, one.what) == (other.kind, other.what) == ("changed", "content")


def test_a_wholly_redrawn_large_diagram_is_compared_in_bounded_work(count_calls):
    def redrawn(prefix, count):
        ids = [f"{prefix}{number}" for number in range(count)]
        drawn = drawing.process(drawing.start(), *(drawing.user(one) for one in ids), drawing.end(), drawing.flows(f"start > {' > '.join(ids)} > end"))
        return drawing.diagram(drawn)

    work = []
    for count in (200, 400):
        with count_calls() as counted:
            comparison.of_diagrams({"un": redrawn("a", count)}, {"un": redrawn("b", count)})
        work.append(counted.calls)
    assert work[1] < 3 * work[0]
