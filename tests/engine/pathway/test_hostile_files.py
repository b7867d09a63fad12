"""Files that mean harm: each is refused in one sentence, quickly, and nothing outside it is opened."""

import time

import pytest

from engine import errors
from engine.pathway import bpmn
from tests.engine.pathway import drawing as draw

BODY = draw.process(draw.start(), draw.user("a"), draw.flows("start > a"))


def refused(raw, name="p.bpmn"):
    with pytest.raises(errors.Invalid) as told:
        bpmn.parse({name: raw}, {})
    return [found.code for found in told.value.findings]


def with_doctype(doctype, inside=""):
    return f"<?xml version='1.0'?><!DOCTYPE x [{doctype}]>".encode() + draw.diagram(BODY, f"<bpmn:category id='c'>{inside}</bpmn:category>" if inside else "")


@pytest.mark.parametrize(
    "raw",
    [
        with_doctype(""),
        with_doctype('<!ENTITY e SYSTEM "file:///etc/passwd">', "&e;"),
        with_doctype('<!ENTITY e SYSTEM "http://127.0.0.1:1/x">', "&e;"),
        with_doctype('<!ENTITY % e SYSTEM "http://127.0.0.1:1/x"> %e;'),
        with_doctype('<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;">', "&c;"),
        b"<!DOCTYPE definitions SYSTEM 'http://127.0.0.1:1/bpmn.dtd'>" + draw.diagram(BODY),
    ],
)
def test_a_document_type_is_refused_and_nothing_it_names_is_opened(raw):
    assert refused(raw) == ["pathway.doctype"]


def test_a_laughing_file_is_refused_at_once():
    entities = '<!ENTITY l0 "ha">' + "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 12))
    begun = time.perf_counter()
    assert refused(with_doctype(entities, "&l11;")) in (["pathway.doctype"], ["pathway.not_xml"])
    assert time.perf_counter() - begun < 2


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (b"", "pathway.not_xml"),
        (b"\x00\x01", "pathway.not_xml"),
        (b"bonjour", "pathway.not_xml"),
        (draw.diagram(BODY)[:-10], "pathway.not_xml"),
        (b"<a/>", "pathway.not_bpmn"),
        (b"<definitions/>", "pathway.not_bpmn"),
        (draw.diagram(), "pathway.nothing_executable"),
        (b"\xff\xfe" + "<a/>".encode("utf-16-le"), "pathway.encoding"),
        (b"<?xml version='1.0' encoding='quipu'?><a/>", "pathway.encoding"),
        (b"PK\x03\x04", "pathway.not_xml"),
        (b" " * 1_000_001, "pathway.file_too_large"),
        (draw.diagram(BODY.replace('isExecutable="true"', 'isExecutable="false"')), "pathway.nothing_executable"),
        (draw.diagram("<bpmn:import namespace='n' location='http://127.0.0.1:1/x.bpmn' importType='t'/>", BODY), "pathway.import_outside"),
        (draw.diagram("<bpmn:category/>" * 50_001), "pathway.file_too_large"),
        (draw.diagram("<bpmn:category>" * 5000 + "</bpmn:category>" * 5000), "pathway.not_xml"),
    ],
)
def test_what_is_no_diagram_or_too_much_of_one_is_refused(raw, code):
    assert refused(raw) == [code]


@pytest.mark.parametrize("wrong", ["a&quot;]|//*[&quot;", "a'b", "a b", "", "1a", "é" * 151, "a&#10;b"])
def test_an_identifier_is_a_plain_word(wrong):
    raw = draw.diagram(BODY).replace(b'id="a"', f'id="{wrong}"'.encode()).replace(b'"a"', f'"{wrong}"'.encode())
    assert {"pathway.id_unfit", "pathway.id_missing"} & set(refused(raw))


def test_positions_and_lanes_that_make_no_sense_harm_nobody():
    shapes = (
        '<bpmndi:BPMNDiagram xmlns:bpmndi="http://www.omg.org/spec/BPMN/20100524/DI" xmlns:dc="http://www.omg.org/spec/DD/20100524/DC">'
        '<bpmndi:BPMNShape bpmnElement="a"><dc:Bounds x="abc" y=""/></bpmndi:BPMNShape></bpmndi:BPMNDiagram>'
    )
    lanes = '<bpmn:laneSet id="ls"><bpmn:lane id="l"><bpmn:flowNodeRef/><bpmn:flowNodeRef>a</bpmn:flowNodeRef></bpmn:lane></bpmn:laneSet>'
    definitions = bpmn.parse({"p.bpmn": draw.diagram(draw.process(lanes, draw.start(), draw.user("a"), draw.flows("start > a")), shapes)}, {})
    assert definitions.tasks[0].lane == ""


def test_the_largest_diagram_is_read_in_a_few_seconds():
    tasks = "".join(f'<bpmn:task id="t{n}"/>' for n in range(6000))
    flows = "".join(f'<bpmn:sequenceFlow id="f{n}" sourceRef="t{n}" targetRef="t{n + 1}"/>' for n in range(5999))
    raw = draw.diagram(draw.process(draw.start(), tasks, flows, draw.flows("start > t0")))
    begun = time.perf_counter()
    definitions = bpmn.parse({"p.bpmn": raw}, {})
    assert len(definitions.elements("p")) == 6001 and time.perf_counter() - begun < 20


def test_a_web_of_inclusive_gateways_is_read_and_run_within_bounds():
    parts = "".join(f'<bpmn:inclusiveGateway id="g{n}"/>' for n in range(1, 200))
    flows = "".join(f'<bpmn:sequenceFlow id="f{n}_{m}" sourceRef="g{n}" targetRef="g{m}"/>' for n in range(1, 200) for m in range(n + 1, min(200, n + 4)))
    definitions = bpmn.parse({"p.bpmn": draw.diagram(draw.process(draw.start(), parts, flows, draw.end(), draw.flows("start > g1", "g199 > end")))}, {})
    begun = time.perf_counter()
    step = bpmn.start(definitions, "p", bpmn.Start({}, at=draw.START, seq=1))
    assert bpmn.inspect(definitions, step.state).ended and time.perf_counter() - begun < 20


@pytest.mark.parametrize(
    "text",
    [
        '__import__("os").system("id")',
        "().__class__.__bases__[0].__subclasses__()",
        'open("/etc/passwd").read()',
        "9**9**9",
        "(lambda: 1)()",
        "(age := 0)",
        "case.__class__",
        '"{0.__class__}".format(1)',
        "[x for x in range(10000000)]",
        "import os",
        'exec("1")',
        "(" * 3000 + "1" + ")" * 3000,
        "+".join(["1"] * 20_000),
        'matches("aaaaaaaaaaaaaaaaaaaaaaaaaaaa!", "(a+)+$")',
        "count(for i in 1..50000000 return i) > 0",
    ],
)
def test_an_attack_in_a_condition_is_refused_or_ends_in_an_incident_or_nothing(text):
    parts = (
        draw.start(),
        draw.xor("x", default="x__b"),
        draw.user("a"),
        draw.user("b"),
        draw.flows("start > x > {CONDITION} a", "x > b").replace("CONDITION", draw.escaped(text)),
    )
    begun = time.perf_counter()
    try:
        case = draw.Case(draw.parsed(*parts))
    except errors.Invalid as told:
        assert [found.code for found in told.findings] == ["pathway.feel_unreadable"]
    else:
        assert case.tasks == ["b"] or case.codes
    assert time.perf_counter() - begun < 5


@pytest.mark.parametrize("state", [b"", b"\x01", b"\x02\x00abc", bytes(200)])
def test_a_state_of_another_version_is_refused(state):
    definitions = draw.parsed(draw.start(), draw.user("a"), draw.flows("start > a"))
    with pytest.raises(errors.Conflict) as told:
        bpmn.inspect(definitions, state)
    assert told.value.code == "state.foreign"


def test_a_state_of_another_edition_is_refused():
    one, two = (draw.parsed(draw.start(), draw.user(name), draw.flows(f"start > {name}")) for name in "ab")
    state = bpmn.start(one, "p", bpmn.Start({}, at=draw.START, seq=1)).state
    with pytest.raises(errors.Conflict) as told:
        bpmn.advance(two, state, bpmn.Signal("x", at=draw.START, seq=2))
    assert told.value.code == "state.foreign"


def test_a_state_too_large_to_be_read_again_is_never_written():
    definitions = draw.parsed(draw.start(), draw.user("a"), draw.user("b"), draw.flows("start > a > b"))
    case = draw.Case(definitions)
    with pytest.raises(errors.Invalid) as told:
        case.do("a", texte="x" * 8_000_001)
    assert told.value.code == "state.too_large"


@pytest.mark.parametrize("value", [object(), {1, 2}, b"x", 1j])
def test_a_value_of_no_known_kind_is_refused(value):
    case = draw.Case(draw.parsed(draw.start(), draw.user("a"), draw.flows("start > a")))
    with pytest.raises(errors.Invalid) as told:
        case.do("a", valeur=value)
    assert told.value.code == "value.unknown_kind"
    with pytest.raises(errors.Invalid):
        case.send("m", None, valeur=value)
