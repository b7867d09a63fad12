"""What an edition's definitions tell whoever asks: processes, elements, tasks, operations, messages, labels, the files themselves."""

from engine.pathway import bpmn
from tests.engine.pathway import drawing as draw

TASK = '<masar:tache form="f11" role="agent_accueil" delai="8" unite="heures_ouvrees" sujet="mesure"/><masar:libelle lang="ar">استقبال</masar:libelle>'
MAIN = draw.diagram(
    draw.process(
        draw.lanes(OTE="a"),
        draw.start("s", *draw.message("signalement.recu")),
        draw.user("a", extensions=TASK),
        draw.element("serviceTask", "o", "", '<masar:operation nom="recepisse"/>'),
        draw.call("c", "q"),
        draw.catch("m", *draw.message("piece.recue", "numero")),
        draw.end(),
        draw.flows("s > a > o > c > m > {person.age >= retour.seuil} end"),
    )
)
CALLED = draw.diagram(draw.process(draw.start("s"), draw.user("a"), draw.flows("s > a"), name="q"))
FILES = {"p.bpmn": MAIN, "q.bpmn": CALLED}


def test_what_is_drawn_is_told():
    definitions = bpmn.parse(FILES, {})
    assert list(definitions.processes) == ["p", "q"]
    assert [one.id for one in definitions.elements("p")] == ["s", "a", "o", "c", "m", "end"]
    first, second = definitions.tasks
    assert (first.node, first.process, first.file, first.form, first.role, first.lane, first.deadline, first.subject) == (
        ("a", "p", "p.bpmn", "f11", "agent_accueil", "OTE", (8, "heures_ouvrees"), "mesure")
    )
    assert (second.process, second.lane, second.deadline, second.subject) == ("q", "", None, "")
    assert [one.operation for one in definitions.operations] == ["recepisse"]
    assert definitions.message_names == {"signalement.recu", "piece.recue"} and definitions.starting_messages == {"signalement.recu": "p"}
    assert definitions.reads == {"person.age", "retour.seuil", "numero"}
    assert definitions.diagram("q") == CALLED and definitions.diagram("p") == MAIN


def test_a_label_is_that_of_its_process_where_two_share_an_id():
    definitions = bpmn.parse(FILES, {})
    assert definitions.label("a", "ar", "p") == "استقبال" and definitions.label("a", "ar", "q") == "a"
    assert definitions.labels("a", "p") == {"fr": "a", "ar": "استقبال"}


def test_the_digest_is_that_of_names_and_contents():
    first = bpmn.parse(FILES, {})
    assert bpmn.parse(dict(reversed(FILES.items())), {}) is first
    assert bpmn.parse({"p.bpmn": MAIN, "r.bpmn": CALLED}, {}).digest != first.digest
    assert bpmn.parse({"p.bpmn": MAIN + b"\n", "q.bpmn": CALLED}, {}).digest != first.digest


def test_nothing_an_instance_does_changes_the_definitions_it_shares():
    definitions = bpmn.parse({"q.bpmn": CALLED}, {})
    begun = bpmn.start(definitions, "q", bpmn.Start({}, at=draw.START, seq=1))
    for seq in range(2, 5):
        again = bpmn.start(definitions, "q", bpmn.Start({}, at=draw.START, seq=1))
        assert again == begun
        bpmn.advance(definitions, begun.state, bpmn.Complete("1.2", at=draw.START, seq=seq))
