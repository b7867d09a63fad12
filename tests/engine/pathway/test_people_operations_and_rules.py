"""What one element does by itself: people's tasks, operations, tables, messages sent and received, conditional flows out of a task."""

import datetime as dt

import pytest

from engine import errors
from engine.pathway import bpmn
from forms.feel import PartialDate
from tests.engine.pathway import drawing as draw
from tests.engine.pathway.drawing import Case
from tests.engine.pathway.test_decision_tables import HEAD, table

TABLES = {
    "d.dmn": (
        HEAD + table("UNIQUE", [(["< 18"], ['"mineur"']), ([">= 18"], ['"majeur"'])], inputs=("person.age",), decision_id="D1") + "</definitions>"
    ).encode()
}


def straight(name, *parts, decisions=None):
    return draw.parsed(draw.start(), draw.end(), *parts, draw.flows(f"start > {name} > end"), decisions=decisions)


def test_a_user_task_is_offered_with_its_form_role_and_deadline():
    case = Case(straight("recevoir", draw.user("recevoir", extensions='<masar:tache form="f11" role="agent_accueil" delai="2" unite="jours_ouvres"/>')))
    task = case.task("recevoir")
    assert (task.kind, task.form, task.role, task.deadline, task.subject, task.process) == ("user", "f11", "agent_accueil", (2, "jours_ouvres"), "", "p")
    case.do("recevoir")
    assert case.ended and case.told(bpmn.Ended) == [bpmn.Ended("end")]
    assert [one.outcome for one in case.told(bpmn.TaskClosed)] == ["completed"]


DATED = '<masar:tache form="f11" role="agent_accueil" delai="5" unite="jours_ouvres" echeance="retour.le" ecart="-2"/>'


@pytest.mark.parametrize(
    ("known", "due"),
    [
        (dt.date(2026, 3, 20), (dt.date(2026, 3, 20), -2)),
        (dt.datetime(2026, 3, 20, 23, 30, tzinfo=dt.UTC), (dt.date(2026, 3, 21), -2)),  # half past midnight in Tunis
        (PartialDate(2026, 3), None),
        (None, None),
    ],
)
def test_a_task_is_due_by_a_date_of_the_case_where_that_is_known(known, due):
    case = Case(straight("preparer", draw.user("preparer", extensions=DATED)), facts={"case": {"retour": {"le": known}}})
    assert (case.task("preparer").deadline, case.task("preparer").due) == ((5, "jours_ouvres"), due)


def test_a_task_due_by_what_is_no_date_is_an_incident_and_is_offered_once_that_is_mended():
    case = Case(straight("preparer", draw.user("preparer", extensions=DATED)), facts={"case": {"retour": {"le": "vendredi"}}})
    assert case.codes == ["deadline.not_a_date"] and case.tasks == []
    case.facts = {"case": {"retour": {"le": dt.date(2026, 3, 20)}}}
    case.retry()
    assert case.task("preparer").due == (dt.date(2026, 3, 20), -2)


def test_a_manual_task_is_somebodys_too():
    case = Case(straight("appeler", draw.element("manualTask", "appeler", "", '<masar:tache role="referent"/>')))
    assert case.task("appeler").kind == "manual"
    assert case.do("appeler").ended


def test_a_task_of_no_kind_is_passed_at_once():
    case = Case(straight("rien", draw.element("task", "rien")))
    assert case.ended and "rien" in case.seen.done


def test_a_task_done_twice_or_never_offered_is_refused():
    definitions = straight("a", draw.user("a"))
    case = Case(definitions)
    task = case.task("a").task_id
    before = case.state
    for wrong in ("9.9", "1", "", "a.b", "1.1", "²."):
        with pytest.raises(errors.Conflict) as refused:
            case.give(bpmn.Complete, wrong)
        assert refused.value.code == "task.not_open"
    assert case.state == before
    case.give(bpmn.Complete, task)
    with pytest.raises(errors.Conflict) as refused:
        case.give(bpmn.Complete, task)
    assert refused.value.code == "instance.ended"


def test_variables_of_a_completion_are_seen_by_the_gateways_after_it():
    definitions = draw.parsed(
        draw.start(),
        draw.user("a"),
        draw.xor("x", default="x__non"),
        draw.user("oui"),
        draw.user("non"),
        draw.flows("start > a > x > {montant > 100} oui", "x > non"),
    )
    assert Case(definitions).do("a", montant=101).tasks == ["oui"]
    assert Case(definitions).do("a", montant=100).tasks == ["non"]


def test_a_label_is_given_in_each_language_and_falls_back_on_french():
    label = '<masar:libelle lang="ar">استقبال</masar:libelle><masar:tache form="f" role="r"/><masar:infere/>'
    definitions = straight("recevoir", draw.user("recevoir", extensions=label))
    assert definitions.label("recevoir", "ar") == "استقبال"
    assert definitions.label("recevoir", "en") == "recevoir" == definitions.label("recevoir", "fr")
    assert definitions.label("rien", "fr") == "rien"
    assert {one.id: one.is_inferred for one in definitions.elements("p")} == {"start": False, "end": False, "recevoir": True}


def test_an_operation_is_asked_for_with_its_parameters_and_its_outputs_become_variables():
    operation = '<masar:operation nom="fixer_rendez_vous"><masar:parametre nom="jours" valeur="1 + plan.delai"/></masar:operation>'
    parts = (
        draw.start(),
        draw.end(),
        draw.element("serviceTask", "fixer", "", operation),
        draw.user("suite"),
        draw.xor("x", default="x__fin"),
        draw.element("task", "fin"),
    )
    definitions = draw.parsed(*parts, draw.flows("start > fixer > x > {rendez_vous.pris} suite > end", "x > fin > end"))
    case = Case(definitions, facts={"case": {"plan": {"delai": 4}}})
    (asked,) = case.told(bpmn.OperationRequested)
    assert (asked.node, asked.operation, asked.parameters, asked.subject) == ("fixer", "fixer_rendez_vous", {"jours": 5}, "")
    assert not case.tasks and case.seen.active == {"fixer"}
    case.give(bpmn.OperationDone, asked.task_id, {"rendez_vous": {"pris": True}})
    assert case.tasks == ["suite"]
    with pytest.raises(errors.Conflict) as refused:
        case.give(bpmn.OperationDone, asked.task_id, {})
    assert refused.value.code == "operation.not_asked"
    assert [(one.operation, one.node) for one in definitions.operations] == [("fixer_rendez_vous", "fixer")]


def test_an_operation_that_fails_is_an_incident_and_is_asked_for_again_on_retry():
    case = Case(straight("envoyer", draw.element("serviceTask", "envoyer", "", '<masar:operation nom="lettre"/>')))
    first = case.told(bpmn.OperationRequested)[-1]
    case.give(bpmn.OperationDone, first.task_id, {}, "imprimante")
    assert case.codes == ["operation.failed"] and not case.ended
    case.retry()
    assert case.codes == [] and len(case.told(bpmn.OperationRequested)) == 2
    assert case.give(bpmn.OperationDone, case.told(bpmn.OperationRequested)[-1].task_id, {}).ended


def test_an_operation_that_fails_goes_on_from_the_error_event_at_its_edge():
    error = '<bpmn:error id="e" errorCode="adresse"/>'
    inside = draw.process(
        draw.start(),
        draw.end(),
        draw.element("serviceTask", "envoyer", "", '<masar:operation nom="lettre"/>'),
        draw.user("corriger"),
        draw.boundary("rate", "envoyer", draw.refers("error", "e")),
        draw.flows("start > envoyer > end", "rate > corriger > end"),
    )
    case = Case(draw.parsed(error, inside))
    asked = case.told(bpmn.OperationRequested)[0].task_id
    case.give(bpmn.OperationDone, asked, {}, "adresse")
    assert case.tasks == ["corriger"] and case.codes == []
    other = Case(draw.parsed(error, inside))
    other.give(bpmn.OperationDone, other.told(bpmn.OperationRequested)[0].task_id, {}, "autre")
    assert other.codes == ["operation.failed"] and other.tasks == []


def test_a_table_decides_and_its_output_becomes_a_variable():
    rule = draw.element("businessRuleTask", "age", "", '<masar:decision ref="D1" resultat="tranche"/>')
    parts = (draw.start(), rule, draw.xor("x", default="x__b"), draw.user("a"), draw.user("b"), draw.flows('start > age > x > {tranche = "mineur"} a', "x > b"))
    definitions = draw.parsed(*parts, decisions=TABLES)
    case = Case(definitions, facts={"case": {"person": {"age": 12}}})
    assert case.tasks == ["a"]
    (told,) = case.told(bpmn.Decided)
    assert (told.node, told.decision, told.rules, told.values, told.outputs) == ("age", "D1", ("r1",), {"person.age": 12}, "mineur")
    assert Case(definitions, facts={"case": {"person": {"age": 40}}}).tasks == ["b"]
    assert "person.age" in definitions.reads and "tranche" in definitions.reads


def test_a_table_without_an_answer_waits_for_its_mending():
    case = Case(
        straight("age", draw.element("businessRuleTask", "age", "", '<masar:decision ref="D1" resultat="tranche"/>'), decisions=TABLES),
        facts={"case": {"person": {"age": None}}},
    )
    assert case.codes == ["decision.no_match"] and not case.ended
    assert case.told(bpmn.IncidentRaised)[0].details["values"] == {"person.age": None}
    case.facts = {"case": {"person": {"age": 30}}}
    assert case.retry().ended and case.codes == []


def test_a_send_task_and_a_throwing_event_send_their_message():
    note = '<masar:message nom="dossier.inscrit" cle="branche"><masar:parametre nom="aide" valeur="aide.id"/></masar:message>'
    for part in (draw.element("sendTask", "inscrire", "", note), draw.throw("inscrire", "<bpmn:messageEventDefinition/>", note)):
        case = Case(straight("inscrire", part), variables={"branche": "MED", "aide": {"id": "a7"}})
        assert case.told(bpmn.MessageSent) == [bpmn.MessageSent("dossier.inscrit", "MED", {"aide": "a7"}, "inscrire")]
        assert case.ended


def test_a_message_without_its_key_is_an_incident():
    note = '<masar:message nom="dossier.inscrit" cle="branche"/>'
    case = Case(straight("inscrire", draw.element("sendTask", "inscrire", "", note)))
    assert case.codes == ["message.key_missing"]


def test_a_receive_task_waits_for_its_message_and_keeps_its_payload():
    note = '<masar:message nom="dossier.decide" cle="aide.id" resultat="decision"/>'
    parts = (draw.start(), draw.element("receiveTask", "attendre", "", note), draw.xor("x", default="x__b"), draw.user("a"), draw.user("b"))
    case = Case(draw.parsed(*parts, draw.flows('start > attendre > x > {decision.issue = "accord"} a', "x > b")), variables={"aide": {"id": "a7"}})
    wait = case.wait("attendre")
    assert (wait.kind, wait.name, wait.correlation) == ("message", "dossier.decide", "a7")
    case.send("dossier.decide", "a8", issue="accord")
    assert case.waits == ["attendre"]
    case.send("dossier.decide", "a7", issue="accord")
    assert case.tasks == ["a"] and not case.waits


def test_conditional_flows_out_of_a_task_are_taken_where_they_hold():
    parts = (draw.start(), draw.user("t"), draw.user("a"), draw.user("b"), draw.user("c"))
    definitions = draw.parsed(*parts, draw.flows("start > t > {n > 1} a", "t > {n > 2} b", "t > c"))
    assert Case(definitions).do("t", n=0).tasks == ["c"]
    assert Case(definitions).do("t", n=3).tasks == ["a", "b", "c"]
    single = draw.parsed(draw.start(), draw.user("t"), draw.user("a"), draw.flows("start > t > {n > 1} a"))
    assert Case(single).do("t", n=2).tasks == ["a"]
    case = Case(single).do("t", n=1)
    assert case.codes == ["gateway.no_way_out"] and case.tasks == []


def test_the_default_flow_of_a_task_is_taken_when_no_condition_holds():
    parts = (draw.start(), draw.user("t", default="t__b"), draw.user("a"), draw.user("b"))
    definitions = draw.parsed(*parts, draw.flows("start > t > {n > 1} a", "t > b"))
    assert Case(definitions).do("t", n=2).tasks == ["a"]
    assert Case(definitions).do("t", n=1).tasks == ["b"]


def test_lanes_name_who_acts_down_into_sub_processes():
    lanes = draw.lanes(OTE="a", CPS="s")
    inner = draw.sub("s", draw.start("s1"), draw.user("b"), draw.flows("s1 > b"))
    definitions = draw.parsed(lanes, draw.start(), draw.user("a"), inner, draw.flows("start > a > s"))
    assert {task.node: task.lane for task in definitions.tasks} == {"a": "OTE", "b": "CPS"}
    assert Case(definitions).task("a").lane == "OTE"
