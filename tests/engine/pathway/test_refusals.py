"""What cannot run is refused when the diagram is read, by a sentence that names file and element; nothing is accepted and then passed over."""

import re
from pathlib import Path

import pytest

from engine import errors, i18n
from engine.casework import judging
from engine.pathway import bpmn
from engine.pathway import decisions as decision_tables
from tests.engine.pathway import drawing as draw
from tests.engine.pathway.test_decision_tables import HEAD, table
from tests.faults import plain

ROOT = Path(__file__).parents[3]
NAMES = '<bpmn:error id="err" errorCode="refus"/>'


def refused(*parts, raw=None, decisions=None):
    """(code, where) of each finding, and the findings."""
    if raw is None:
        raw = draw.diagram(*parts) if any("<bpmn:process" in part for part in parts) else draw.diagram(NAMES, draw.process(*parts))
    with pytest.raises(errors.Invalid) as told:
        bpmn.parse({"p.bpmn": raw}, decisions or {})
    assert told.value.code == "pathway.refused"
    for finding in told.value.findings:
        assert plain.faults({language: judging.worded(finding.code, finding.details, language) for language in i18n.LANGUAGES}) == [], finding.code
    return [(found.code.removeprefix("pathway."), found.where) for found in told.value.findings]


def between(part, name="e"):
    return (draw.start(), part, draw.end(), draw.flows(f"start > {name} > end"))


@pytest.mark.parametrize(
    "part",
    [
        draw.element("scriptTask", "e", "<bpmn:script>x = 1</bpmn:script>"),
        draw.element("complexGateway", "e"),
        draw.element("adHocSubProcess", "e", draw.user("a")),
        draw.element("transaction", "e", draw.user("a")),
        draw.element("dataStoreReference", "e"),
        draw.element("choreographyTask", "e"),
        draw.element("madeUpTask", "e"),
        draw.throw("e", "<bpmn:compensateEventDefinition/>"),
        draw.end("e", "<bpmn:cancelEventDefinition/>"),
        draw.catch("e", "<bpmn:eventDefinitionRef>x</bpmn:eventDefinitionRef>"),
        draw.user("e", isForCompensation="true"),
        draw.user("e", startQuantity="2"),
        draw.user("e", completionQuantity="2"),
        draw.element("receiveTask", "e", "", '<masar:message nom="m"/>', instantiate="true"),
        draw.element("eventBasedGateway", "e", eventGatewayType="Parallel"),
        draw.user("e", draw.several("2").replace("<bpmn:loopCardinality>", "<bpmn:loopDataOutputRef>x</bpmn:loopDataOutputRef><bpmn:loopCardinality>")),
        draw.user("e", draw.several("2").replace("isSequential", 'behavior="None" isSequential')),
        draw.user("e", draw.element("script", "s", "x")),
    ],
)
def test_what_does_not_run_is_refused_by_name(part):
    assert ("unsupported", "p.bpmn#e") in refused(*between(part))


def test_boundaries_of_compensation_and_of_transactions_are_refused():
    for inner in ("<bpmn:compensateEventDefinition/>", "<bpmn:cancelEventDefinition/>"):
        assert ("unsupported", "p.bpmn#b") in refused(*between(draw.user("e")), draw.boundary("b", "e", inner))


INNER, NOTE = draw.message("m")
IN_JAVASCRIPT = draw.flows("start > {n} e").replace("<bpmn:conditionExpression", '<bpmn:conditionExpression language="javascript"')


@pytest.mark.parametrize(
    ("code", "where", "parts"),
    [
        ("no_start", "p", ()),
        ("start_repeated", "b", (draw.start("a"), draw.start("b"), draw.user("c"), draw.flows("a > c", "b > c"))),
        ("start_never_happens", "start", (draw.start("start", draw.timer("Duration", "P1D")), draw.user("a"), draw.flows("start > a"))),
        ("nothing_leads_here", "b", (*between(draw.user("e")), draw.user("b"))),
        ("nothing_leads_here", "b", (*between(draw.user("e")), draw.user("b"), draw.user("c"), draw.flows("b > c > b"))),
        ("flow_loose", "e__f", (*between(draw.user("e")), draw.flows("e > f"))),
        ("flow_forbidden", "e__start", (*between(draw.user("e")), draw.flows("e > start"))),
        ("flow_forbidden", "end__e", (*between(draw.user("e")), draw.flows("end > e"))),
        ("id_repeated", "e", (*between(draw.user("e")), draw.user("e"))),
        ("gateway_without_exit", "x", (draw.start(), draw.xor("x"), draw.flows("start > x"))),
        ("condition_missing", "x__a", (draw.start(), draw.xor("x"), draw.user("a"), draw.user("b"), draw.flows("start > x > a", "x > {n} b"))),
        ("condition_missing", "x__a", (draw.start(), draw.some("x"), draw.user("a"), draw.user("b"), draw.flows("start > x > a", "x > {n} b"))),
        (
            "condition_on_default",
            "x__a",
            (draw.start(), draw.xor("x", default="x__a"), draw.user("a"), draw.user("b"), draw.flows("start > x > {m} a", "x > {n} b")),
        ),
        ("condition_out_of_place", "x__a", (draw.start(), draw.both("x"), draw.user("a"), draw.user("b"), draw.flows("start > x > {n} a", "x > b"))),
        ("default_unknown", "x", (draw.start(), draw.xor("x", default="f"), draw.user("a"), draw.user("b"), draw.flows("start > x > {m} a", "x > {n} b"))),
        ("feel_unreadable", "x__a", (draw.start(), draw.xor("x"), draw.user("a"), draw.user("b"), draw.flows("start > x > {n >} a", "x > {n} b"))),
        ("expression_missing", "x__a", (draw.start(), draw.xor("x"), draw.user("a"), draw.user("b"), draw.flows("start > x > {} a", "x > {n} b"))),
        ("event_gateway_targets", "e", (draw.start(), draw.element("eventBasedGateway", "e"), draw.user("a"), draw.flows("start > e > a"))),
        ("boundary_loose", "b", (*between(draw.user("e")), draw.boundary("b", "nobody", draw.timer("Duration", "P1D")))),
        ("boundary_loose", "b", (*between(draw.xor("e")), draw.boundary("b", "e", draw.timer("Duration", "P1D")))),
        ("error_interrupts", "b", (*between(draw.user("e")), draw.boundary("b", "e", draw.refers("error", "err"), interrupting=False))),
        ("trigger_out_of_place", "b", (*between(draw.user("e")), draw.boundary("b", "e", '<bpmn:linkEventDefinition name="l"/>'))),
        ("trigger_out_of_place", "e", between(draw.catch("e", ""))),
        ("trigger_out_of_place", "e", between(draw.throw("e", draw.refers("error", "err")))),
        ("several_triggers", "e", between(draw.catch("e", draw.timer("Duration", "P1D") + INNER, NOTE))),
        ("name_missing", "e", between(draw.catch("e", INNER))),
        ("name_missing", "e", between(draw.catch("e", draw.refers("signal", "none")))),
        ("name_missing", "e", between(draw.throw("e", draw.refers("escalation", "none")))),
        ("name_missing", "e", between(draw.element("sendTask", "e"))),
        ("link_loose", "e", (draw.start(), draw.throw("e", '<bpmn:linkEventDefinition name="l"/>'), draw.flows("start > e"))),
        (
            "link_repeated",
            "m",
            (
                draw.start(),
                draw.throw("e", '<bpmn:linkEventDefinition name="l"/>'),
                draw.catch("l", '<bpmn:linkEventDefinition name="l"/>'),
                draw.catch("m", '<bpmn:linkEventDefinition name="l"/>'),
                draw.flows("start > e"),
            ),
        ),
        ("timer_missing", "e", between(draw.catch("e", "<bpmn:timerEventDefinition/>"))),
        ("timer_unreadable", "e", between(draw.catch("e", draw.timer("Date", "2026-02-30")))),
        ("timer_unreadable", "e", between(draw.catch("e", draw.timer("Cycle", "R0/P1D")))),
        ("timer_unreadable", "e", between(draw.catch("e", draw.timer("Cycle", "R/PT1S")))),
        ("loop_endless", "e", between(draw.user("e", draw.again_while()))),
        ("loop_maximum", "e", between(draw.user("e", draw.again_while("n", most="x")))),
        ("collection_missing", "e", between(draw.user("e", "<bpmn:multiInstanceLoopCharacteristics/>"))),
        ("operation_missing", "e", between(draw.element("serviceTask", "e"))),
        ("decision_missing", "e", between(draw.element("businessRuleTask", "e"))),
        ("decision_unknown", "e", between(draw.element("businessRuleTask", "e", "", '<masar:decision ref="D9" resultat="d"/>'))),
        ("call_missing", "e", between(draw.element("callActivity", "e"))),
        ("call_unknown", "e", between(draw.call("e", "q"))),
        ("extension_unknown", "e", between(draw.user("e", extensions="<masar:formulaire/>"))),
        ("attribute_missing", "e", between(draw.element("serviceTask", "e", "", "<masar:operation/>"))),
        ("extension_out_of_place", "e", between(draw.user("e", extensions='<masar:tache form="f" role="r"/><masar:operation nom="lettre"/>'))),
        ("extension_out_of_place", "e", between(draw.user("e", extensions='<masar:tache form="f" role="r"/><masar:collection valeur="[]" element="m"/>'))),
        ("extension_out_of_place", "e", between(draw.catch("e", draw.timer("Duration", "P1D"), '<masar:message nom="m"/>'))),
        ("attribute_unknown", "e", between(draw.user("e", extensions='<masar:tache form="f" role="r" delais="2"/>'))),
        (
            "attribute_unknown",
            "e",
            between(draw.element("serviceTask", "e", "", '<masar:operation nom="o"><masar:parametre nom="n" value="1"/></masar:operation>')),
        ),
        ("form_missing", "e", between(draw.user("e", extensions='<masar:tache role="r"/>'))),
        ("role_missing", "e", between(draw.user("e", extensions='<masar:tache form="f"/>'))),
        ("lane_unknown", "e", (draw.lanes(Mairie="e"), *between(draw.user("e")))),
        ("deadline_unreadable", "e", between(draw.user("e", extensions='<masar:tache form="f" delai="deux"/>'))),
        ("deadline_unreadable", "e", between(draw.user("e", extensions='<masar:tache form="f" delai="2" unite="mois"/>'))),
        ("feel_unreadable", "e", between(draw.user("e", extensions='<masar:tache form="f" role="r" delai="2" echeance="(retour"/>'))),
        ("shift_unreadable", "e", between(draw.user("e", extensions='<masar:tache form="f" role="r" delai="2" echeance="le" ecart="deux"/>'))),
        ("shift_unreadable", "e", between(draw.user("e", extensions='<masar:tache form="f" role="r" delai="2" ecart="-2"/>'))),
        ("shift_unreadable", "e", between(draw.user("e", extensions='<masar:tache form="f" role="r" delai="2" unite="heures_ouvrees" echeance="le" ecart="1"/>'))),
        ("message_reserved", "e", between(draw.catch("e", *draw.message("ordre.cloture")))),
        ("message_reserved", "e", between(draw.throw("e", *draw.message("ordre.cloture")))),
        ("presence_unknown", "e", between(draw.user("e", extensions='<masar:tache form="f" role="r" presence="ailleurs"/>'))),
        ("unforeseen_by_nobody", "start", (draw.start("start", INNER, NOTE + '<masar:imprevu form="f"/>'), draw.user("e"), draw.flows("start > e"))),
        ("unforeseen_unreadable", "start", (draw.start("start", INNER, NOTE + '<masar:imprevu form="f" roles="r" sur="hier"/>'), draw.user("e"), draw.flows("start > e"))),
        ("language_unknown", "start__e", (draw.start(), draw.user("e"), IN_JAVASCRIPT)),
        ("event_start_missing", "es", (*between(draw.user("e")), draw.sub("es", draw.user("a"), triggeredByEvent="true"))),
        ("event_start_missing", "s", (*between(draw.user("e")), draw.sub("es", draw.start("s"), draw.user("a"), draw.flows("s > a"), triggeredByEvent="true"))),
        (
            "event_subprocess_connected",
            "es",
            (
                *between(draw.user("e")),
                draw.sub("es", draw.start("s", INNER, NOTE), draw.user("a"), draw.flows("s > a"), triggeredByEvent="true"),
                draw.flows("e > es"),
            ),
        ),
    ],
)
def test_a_slip_of_the_pen_is_named(code, where, parts):
    assert (code, f"p.bpmn#{where}") in refused(*parts)


BEGUN, TASK = '<masar:imprevu form="f" roles="r"/>', '<masar:tache form="f" role="r"/>'
OTHERS = '<other xmlns="urn:x"><masar:infere/></other>'
SENT = '<masar:message nom="m"><masar:parametre nom="n" valeur="1"/></masar:message>'


def on_the_process(extensions, attribute=""):
    """A process that carries extensions itself."""
    written = draw.diagram(draw.process(*between(draw.user("e")))).decode()
    return written.replace("<bpmn:process ", f"<bpmn:process {attribute} ", 1).replace("<bpmn:startEvent", f"<bpmn:extensionElements>{extensions}</bpmn:extensionElements><bpmn:startEvent", 1)


def on_a_flow(extensions):
    written = draw.diagram(draw.process(*between(draw.user("e")))).decode()
    return written.replace('targetRef="e"></bpmn:sequenceFlow>', f'targetRef="e"><bpmn:extensionElements>{extensions}</bpmn:extensionElements></bpmn:sequenceFlow>', 1)


@pytest.mark.parametrize(
    ("code", "where", "drawn"),
    [
        ("extension_out_of_place", "p", on_the_process(BEGUN)),
        ("extension_out_of_place", "p", on_the_process(TASK)),
        ("extension_unknown", "p", on_the_process("<masar:infere/>", 'masar:delai="2"')),
        ("extension_unknown", "p", on_the_process('<infere xmlns="urn:masar:bpmn:2"/>')),
        ("extension_out_of_place", "start__e", on_a_flow(TASK)),
        ("extension_out_of_place", "start", (draw.start("start", "", BEGUN), draw.user("e"), draw.flows("start > e"))),
        ("extension_out_of_place", "s", (*between(draw.user("e")), draw.sub("es", draw.start("s", INNER, NOTE + BEGUN), draw.user("a"), draw.flows("s > a"), triggeredByEvent="true"))),
        ("extension_out_of_place", "e", between(draw.user("e", '<masar:libelle lang="ar">x</masar:libelle>'))),
        ("extension_out_of_place", "e", between(draw.user("e", extensions=TASK + OTHERS))),
        ("extension_out_of_place", "e", between(draw.catch("e", INNER, SENT))),
        ("attribute_unknown", "e", between(draw.throw("e", INNER, '<masar:message nom="m" resultat="r"/>'))),
        ("extension_repeated", "e", between(draw.user("e", extensions=TASK * 2))),
        ("extension_repeated", "e", between(draw.user("e", extensions=TASK + '<masar:libelle lang="ar">x</masar:libelle>' * 2))),
        ("label_language", "e", between(draw.user("e", extensions=TASK + '<masar:libelle lang="de">x</masar:libelle>'))),
        ("label_language", "e", between(draw.user("e", extensions=TASK + "<masar:libelle>x</masar:libelle>"))),
    ],
)
def test_what_is_masars_and_says_nothing_where_it_stands_is_named(code, where, drawn):
    assert (code, f"p.bpmn#{where}") in (refused(raw=drawn.encode()) if isinstance(drawn, str) else refused(*drawn))


def test_so_is_what_a_table_holds():
    good = HEAD + table("UNIQUE", [(["= 1"], ['"a"'])], decision_id="D1") + "</definitions>"
    spoilt = good.replace("<decisionTable", '<extensionElements><m:tache xmlns:m="urn:masar:bpmn:1" form="f"/><m:infere xmlns:m="urn:masar:bpmn:1"/></extensionElements><decisionTable', 1)
    found = refused(*between(draw.user("e")), decisions={"d.dmn": spoilt.encode()})
    assert [one for one in found if one[1].startswith("d.dmn")] == [("extension_out_of_place", "d.dmn#D1")]


def test_what_two_files_say_against_each_other():
    one = draw.process(draw.start("a", *draw.message("m")), draw.user("b"), draw.flows("a > b"))
    with pytest.raises(errors.Invalid) as told:
        bpmn.parse({"a.bpmn": draw.diagram(one), "b.bpmn": draw.diagram(one), "c.bpmn": draw.diagram(one.replace('id="p"', 'id="c"'))}, {})
    assert {(found.code, found.where) for found in told.value.findings} == {
        ("pathway.process_repeated", "b.bpmn#p"),
        ("pathway.start_message_repeated", "a.bpmn#p"),
    }
    calling = draw.process(draw.start("a"), draw.call("b", "p"), draw.flows("a > b"), name="d")
    with pytest.raises(errors.Invalid) as told:
        bpmn.parse({"a.bpmn": draw.diagram(one), "d.bpmn": draw.diagram(calling)}, {})
    assert [(found.code, found.where) for found in told.value.findings] == [("pathway.call_without_start", "d.bpmn#b")]


def test_nested_too_deep_is_refused():
    body = draw.user("u")
    for place in range(20):
        body = draw.sub(f"s{place}", body)
    assert [code for code, _ in refused(body)] == ["nested_too_deep"]


def test_all_faults_of_a_file_are_told_at_once():
    assert len(refused(draw.start(), draw.element("scriptTask", "a"), draw.element("complexGateway", "b"), draw.user("c"))) >= 3


def test_a_table_that_cannot_be_read_is_told_with_the_diagrams():
    assert refused(*between(draw.user("e")), draw.user("b"), decisions={"d.dmn": b"<x/>"}) == [("dmn.not_dmn", "d.dmn"), ("nothing_leads_here", "p.bpmn#b")]


def test_a_table_given_twice_or_too_long_is_told():
    rows = [([f"= {number}"], [f'"{number}"']) for number in range(decision_tables.MOST_ROWS + 1)]
    one = (HEAD + table("UNIQUE", rows[:2], decision_id="D1") + "</definitions>").encode()
    long = (HEAD + table("UNIQUE", rows, decision_id="D2") + "</definitions>").encode()
    found = refused(*between(draw.element("scriptTask", "e")), decisions={"a.dmn": one, "b.dmn": one, "c.dmn": long})
    assert {("decision_repeated", "b.dmn#D1"), ("dmn.table_too_long", "c.dmn#D2")} <= set(found)
    bare = (HEAD + table("UNIQUE", [(["= 1"], [])], outputs=(), decision_id="D3") + "</definitions>").encode()
    assert refused(*between(draw.user("e")), decisions={"c.dmn": bare}) == [("dmn.no_output", "c.dmn#D3")]
    with pytest.raises(errors.Invalid, match=r"dmn\.refused"):
        decision_tables.parse(bare)
    assert decision_tables.parse((HEAD + table("UNIQUE", rows[:-1], decision_id="D2") + "</definitions>").encode()).ids == {"D2"}


def test_what_only_documents_is_passed_over():
    parts = (
        "<bpmn:documentation>Pourquoi.</bpmn:documentation>",
        draw.element("dataObjectReference", "d", dataObjectRef="o"),
        draw.element("dataObject", "o"),
        draw.element("textAnnotation", "t", "<bpmn:text>x</bpmn:text>"),
        '<bpmn:association id="as" sourceRef="e" targetRef="t"/>',
        draw.element("group", "g"),
        *between(draw.user("e")),
    )
    definitions = draw.parsed(*parts)
    assert [one.id for one in definitions.elements("p")] == ["start", "e", "end"]


def test_every_code_of_the_pathway_has_its_sentence_in_each_language():
    sources = [path.read_text("utf-8") for path in (ROOT / "engine/pathway").rglob("*.py")]
    codes = {found for text in sources for found in re.findall(r'(?:report|Finding|Fault|Conflict|Invalid)\(\s*"([a-z_]+\.[a-z_]+)"', text)}
    codes |= {found for text in sources for found in re.findall(r'"((?:decision|dmn)\.[a-z_]+)"', text)}
    assert len(codes) > 70
    for language in i18n.LANGUAGES:
        assert codes <= set(i18n.catalogue(language)), language


def test_what_may_stand_in_a_file_that_cannot_be_read_is_not_told_to_be_missing():
    asks = between(draw.element("businessRuleTask", "e", "", '<masar:decision ref="D9" resultat="x"/>'))
    assert refused(*asks) == [("decision_unknown", "p.bpmn#e")]
    assert refused(*asks, decisions={"d.dmn": b"<x/>"}) == [("dmn.not_dmn", "d.dmn")]
    calls = draw.diagram(draw.process(*between(draw.call("e", "elsewhere"))))
    with pytest.raises(errors.Invalid) as told:
        bpmn.parse({"p.bpmn": calls, "elsewhere.bpmn": b"<x/>"}, {})
    assert [found.code for found in told.value.findings] == ["pathway.not_bpmn"]
