"""What a pathway costs those who walk it, from the drawing alone."""

import time
from pathlib import Path
from uuid import UUID

import pytest

from engine.casework import editions
from engine.pathway import bpmn, burden
from forms import dictionary, form
from tests.engine.pathway import drawing
from tests.engine.pathway.drawing import boundary, both, call, catch, element, end, flows, message, process, some, start, throw, timer, xor

ROOT = Path(__file__).parents[3]
LABEL = '{ fr = "x", ar = "x", en = "x" }'
_FIELDS = {
    "nom": 'type = "text"', "tel": 'type = "text"\noptional = true', "avis": 'type = "text"\nvalidity = "P0D"',
    "signature": 'type = "signature"\nvalidity = "P0D"',
    "cin": 'type = "doc"\npiece = "PJ01"', "enquete": 'type = "doc"\npiece = "PJ16"', "photo": 'type = "doc"',
}  # fmt: skip


def _group(name, subject, fields):
    head = f'[group]\nid = "{name}"\nsubject = "{subject}"\nlabel = {LABEL}\n'
    walls = f'label = {LABEL}\nclass = "C"\nowner = "OTE"\npurpose = "p"\nretention = "P5Y"\n'
    return (head + "".join(f'[fields."{name}.{field}"]\n{walls}{said}\n' for field, said in fields.items())).encode()


_PIECES = f'[purposes.p]\nlabel = {LABEL}\n[pieces.PJ01]\nlabel = {LABEL}\nheld_by = "INTERIEUR"\n[pieces.PJ16]\nlabel = {LABEL}\nproduced_by = "CPS"\n'
WORDS = dictionary.read({"foyer.toml": _group("foyer", "case", _FIELDS), "mesure.toml": _group("mesure", "measure", {"fin": 'type = "text"'}), "pieces.toml": _PIECES.encode()})


def asks(name, *asked):
    return f"{name}.toml", f'id = "{name}"\ntitle = {LABEL}\n[[section]]\ntitle = {LABEL}\nask = [{", ".join(asked)}]\n'.encode()


FORMS = form.read(
    dict([
        asks("f", '"foyer.nom"'), asks("g", '"foyer.nom"', '"foyer.tel"', '{ field = "foyer.avis", when = "1 = 1" }'), asks("avis", '"foyer.avis"'),
        asks("signe", '"foyer.signature"'), asks("pieces", '"foyer.cin"', '"foyer.enquete"', '"foyer.photo"'), asks("m", '"mesure.fin"'),
    ]), WORDS,
)  # fmt: skip


def task(name, form="f", days="1", unit="jours_ouvres", presence="", inner=""):
    held = f' delai="{days}" unite="{unit}"' if days else ""
    held += f' presence="{presence}"' if presence else ""
    return drawing.user(name, inner, f'<masar:tache form="{form}" role="r"{held}/>')


def lanes(**held):
    places = {lane: "".join(f"<bpmn:flowNodeRef>{one}</bpmn:flowNodeRef>" for one in names.split()) for lane, names in held.items()}
    inside = "".join(f'<bpmn:lane id="lane_{lane}" name="{lane}">{inner}</bpmn:lane>' for lane, inner in places.items())
    return f'<bpmn:laneSet id="lanes">{inside}</bpmn:laneSet>'


def measured(*inner, others=()):
    drawn = {f"{place}.bpmn": drawing.diagram(one) for place, one in enumerate((process(*inner), *others))}
    return burden.measure(bpmn.parse(drawn, {}), FORMS, "p")


def figures(found, figure):
    return tuple(getattr(found.paths[path], figure) for path in burden.PATHS)


def test_delays_add_up_along_the_way_and_the_longest_branch_counts():
    found = measured(start(), task("a", days="2"), both("split"), task("b", days="8", unit="heures_ouvrees"), task("c", days="7", unit="jours"),
                     both("join"), end(), catch("wait", timer("Duration", "P14D")), flows("start > a > split > b > join > wait > end", "split > c > join"))  # fmt: skip
    assert figures(found, "working_days") == (17, 17, 17)


def test_a_task_without_deadline_is_counted():
    assert figures(measured(start(), task("a", days=""), task("b"), end(), flows("start > a > b > end")), "without_deadline") == (1, 1, 1)


def choice():
    return (
        start(), xor("which", default="which__b"), task("a", days="1"), task("b", days="3"), task("c", days="5"), task("d", days="5"), end(),
        flows("start > which > {x = 1} a > end", "which > b > end", "which > {x = 2} c > d > end"),
    )  # fmt: skip


def test_a_choice_takes_the_fewest_acts_the_default_or_the_most_acts():
    assert figures(measured(*choice()), "working_days") == (1, 3, 10)


def test_without_a_default_the_ordinary_way_is_the_middle_one():
    found = measured(start(), xor("which"), task("a", days="1"), task("b", days="3"), task("c", days="9"), end(),
                     flows("start > which > {x = 1} c > end", "which > {x = 2} a > end", "which > {x = 3} b > end"))  # fmt: skip
    assert figures(found, "working_days") == (1, 3, 9)


def test_an_inclusive_split_takes_one_way_the_middle_one_or_all():
    found = measured(start(), some("which", default="which__join"), task("a", presence="antenne"), task("b", days="2"), task("c", days="3"),
                     some("join"), end(), flows("start > which > {x} a > join > end", "which > {y} b > join", "which > {z} c > join", "which > join"))  # fmt: skip
    assert [sorted(found.walked[path]["p"] & {"a", "b", "c"}) for path in burden.PATHS] == [[], ["b"], ["a", "b", "c"]]
    assert figures(found, "working_days") == (0, 2, 3)


def test_the_shortest_way_goes_where_the_ordinary_one_does_and_not_out_at_the_door():
    found = measured(start(), task("a"), xor("known", default="known__b"), task("b"), end("served"), end("sent_away"),
                     flows("start > a > known > b > served", "known > {x} sent_away"))  # fmt: skip
    assert found.walked["shortest"]["p"] >= {"b", "served"}


def test_a_loop_turns_once_and_once_more_on_the_longest_way():
    found = measured(start(), task("a", "avis", "2"), xor("again", default="again__end"), task("more", "avis", "3"), end(),
                     flows("start > a > again > end", "again > {x} more > a"))  # fmt: skip
    assert figures(found, "working_days") == (2, 2, 7)
    assert figures(found, "loops") == (0, 0, 1)
    assert figures(found, "questions") == (1, 1, 3)


def test_a_default_that_only_turns_back_is_not_the_ordinary_way():
    found = measured(start(), task("a"), xor("again", default="again__a"), end(), flows("start > a > again > a", "again > {x} end"))
    assert figures(found, "working_days") == (1, 1, 2)


@pytest.mark.parametrize(("sequential", "days"), [(True, (2, 2, 4)), (False, (2, 2, 2))])
def test_a_repetition_asks_about_each_measure(sequential, days):
    found = measured(start(), task("a", "m", "2", inner=drawing.several("plan.mesures", "mesure", sequential)), end(), flows("start > a > end"))
    assert figures(found, "questions") == (1, 1, 2)
    assert figures(found, "working_days") == days


def test_a_datum_is_asked_once_but_for_what_is_good_for_one_act_only():
    found = measured(start(), task("a"), task("b"), task("c", "avis"), task("d", "avis"), task("e", "g"), end(), flows("start > a > b > c > d > e > end"))
    assert figures(found, "questions") == (3, 4, 5)
    assert figures(found, "questions_again") == (1, 1, 1)


def test_documents_of_the_person_are_not_those_an_agency_makes_and_signatures_are_apart():
    found = measured(start(), task("a", "pieces"), task("b", "signe"), task("c", "signe"), end(), flows("start > a > b > c > end"))
    assert figures(found, "documents") == figures(found, "documents_held") == (1, 1, 1)
    assert (figures(found, "signatures"), figures(found, "questions")) == ((2, 2, 2), (0, 0, 0))


def test_each_passage_from_an_agency_to_another_is_a_hand_over():
    found = measured(lanes(OTE="a d", CPS="b", ANETI="c"), start(), task("a"), both("split"), task("b"), task("c"), both("join"), task("d"), end(),
                     flows("start > a > split > b > join > d > end", "split > c > join"))  # fmt: skip
    assert figures(found, "handovers") == (4, 4, 4)
    assert figures(found, "agencies") == (3, 3, 3)


def test_acts_at_one_place_on_one_day_are_one_visit():
    def visits(*tasks):
        return figures(measured(start(), *tasks, end(), flows("start > a > b > c > end")), "visits")[0]

    here = {"presence": "antenne"}
    assert visits(task("a", **here), task("b", **here), task("c", **here)) == 1
    assert visits(task("a", **here), task("b"), task("c", **here)) == 2
    assert visits(task("a", **here), task("b", days="5", **here), task("c", **here)) == 2
    assert visits(task("a", **here), task("b", presence="unite_sociale"), task("c", **here)) == 3
    assert visits(task("a", presence="distance"), task("b", presence="sur_place"), task("c")) == 0


def test_interviews_that_begin_together_at_one_place_are_one_visit():
    found = measured(start(), task("x"), both("split"), task("a", days="7", presence="antenne"), task("b", days="5", presence="antenne"), both("join"), end(),
                     flows("start > x > split > a > join > end", "split > b > join"))  # fmt: skip
    assert figures(found, "visits") == (1, 1, 1)


def test_called_processes_and_those_a_message_starts_are_entered():
    called = process(start(), task("b", days="2"), end(), flows("start > b > end"), name="appele")
    inner, extensions = message("aide.demandee")
    begun = process(start("start", inner, extensions), task("c", days="4"), end(), flows("start > c > end"), name="aide")
    found = measured(start(), call("a", "appele"), throw("ask", *message("aide.demandee")), end(), flows("start > a > ask > end"), others=(called, begun))
    assert figures(found, "working_days") == (6, 6, 6)
    assert found.walked["typical"]["aide"] >= {"c"}


def test_a_process_that_calls_itself_is_entered_once():
    found = measured(start(), task("a"), xor("again", default="again__end"), call("deeper", "p"), end(),
                     flows("start > a > again > end", "again > {x} deeper > end"))  # fmt: skip
    assert figures(found, "working_days")[:2] == (1, 1)


def test_what_may_happen_at_the_edge_belongs_to_the_longest_way_only():
    found = measured(start(), task("a", days="5"), boundary("late", "a", timer("Duration", "P7D"), interrupting=False), task("remind", days="9"), end(),
                     end("reminded"), flows("start > a > end", "late > remind > reminded"))  # fmt: skip
    assert figures(found, "working_days")[:2] == (5, 5)
    assert found.paths["longest"].working_days == 19
    assert "remind" in found.walked["longest"]["p"]


def test_a_wait_for_several_events_ends_ordinarily_by_what_is_no_timer():
    inner, extensions = message("piece.recue", '"x"')
    found = measured(start(), element("eventBasedGateway", "wait"), catch("late", timer("Duration", "P28D")), catch("come", inner, extensions),
                     task("a"), end(), flows("start > wait > late > a > end", "wait > come > a"))  # fmt: skip
    assert figures(found, "working_days") == (1, 1, 21)


def test_every_change_of_a_figure_is_told_and_a_rise_is_one():
    old = measured(start(), task("a", days="5"), task("b"), end(), flows("start > a > b > end"))
    new = measured(start(), task("a", days="3"), task("b", "avis"), end(), flows("start > a > b > end"))
    changes = {(one.path, one.figure): (one.old, one.new, one.is_rise) for one in burden.compare_burden(old, new)}
    assert changes == {(path, figure): told for path in burden.PATHS for figure, told in {"working_days": (6, 4, False), "questions": (1, 2, True)}.items()}
    assert burden.compare_burden(old, old) == ()


def test_a_long_row_of_choices_costs_no_more_than_its_length(count_calls):
    def row(count):
        parts, chains = [start(), end()], []
        for number in range(count):
            parts += [xor(f"x{number}", default=f"x{number}__a{number}"), both(f"s{number}"), both(f"j{number}")]
            parts += [task(f"a{number}"), task(f"b{number}", days="2"), task(f"c{number}"), task(f"d{number}")]
            after = f"x{number + 1}" if number + 1 < count else "end"
            chains += [f"x{number} > a{number} > s{number} > c{number} > j{number} > {after}"]
            chains += [f"x{number} > {{x}} b{number} > s{number} > d{number} > j{number}"]
        return drawing.parsed(process(*parts, flows("start > x0", *chains)))

    work = []
    for count in (30, 60):
        definitions = row(count)
        with count_calls() as counted:
            found = burden.measure(definitions, FORMS, "p")
        work.append(counted.calls)
        assert figures(found, "working_days") == (2 * count, 2 * count, 3 * count)
    assert work[1] < 2.5 * work[0]


def test_a_deep_pile_of_processes_that_each_call_the_next_twice_is_measured_at_once():
    def called(depth, *after):
        return process(start(), *after, end(), flows("start > a > b > end"), name=f"p{depth}")

    pile = [called(depth, call("a", f"p{depth + 1}"), call("b", f"p{depth + 1}")) for depth in range(1500)]
    begun = time.monotonic()
    found = measured(start(), call("a", "p0"), end(), flows("start > a > end"), others=(*pile, called(1500, task("a"), task("b"))))
    assert (found.paths["typical"].working_days, found.paths["longest"].questions) == (1_000_000, 1)
    assert time.monotonic() - begun < 30


@pytest.fixture(scope="module")
def edition():
    return editions.Edition(UUID(int=0), 1, editions.files_of(ROOT / "processes", ROOT / "forms"))


def test_the_real_pathway_is_measured_at_once_and_always_the_same(edition):
    definitions, forms = edition.definitions, edition.forms
    begun = time.monotonic()
    found = burden.measure(definitions, forms, "parcours")
    assert time.monotonic() - begun < 1
    assert found == burden.measure(definitions, forms, "parcours")
    for figure in burden.FIGURES:
        short, _, long = figures(found, figure)
        assert short <= long, figure
    assert found.paths["typical"].questions_again == 0
    assert found.walked["typical"]["evaluation"] >= {"T201", "T202", "T203"}
    assert found.walked["typical"]["plan"] >= {"T206", "T208"}
    assert {"dossier_aide", "seance_commission", "versements"} <= found.walked["longest"].keys()


@pytest.mark.parametrize("process_id", ["accueil", "evaluation", "dossier_aide", "suivi", "cloture", "signalement", "seance_commission"])
def test_every_process_of_the_pathway_has_its_three_ways(edition, process_id):
    found = burden.measure(edition.definitions, edition.forms, process_id)
    assert all(found.walked[path].get(process_id) for path in burden.PATHS)


def test_a_task_of_the_person_drawn_once_more_raises_visits_questions_and_days(edition):
    content = edition.files["processes/cloture.bpmn"].decode()
    drawn = task("T8X", "t108", "5", presence="antenne") + '<bpmn:sequenceFlow id="encore" sourceRef="T8X" targetRef="T804"/>'
    more = content.replace('targetRef="T804"', 'targetRef="T8X"', 1).replace("</bpmn:process>", f"{drawn}</bpmn:process>")
    draft = editions.Edition(UUID(int=1), 2, {**edition.files, "processes/cloture.bpmn": more.encode()})
    before, after = (burden.measure(one.definitions, one.forms, "cloture") for one in (edition, draft))
    rises = {(one.path, one.figure) for one in burden.compare_burden(before, after) if one.is_rise}
    assert {("shortest", "visits"), ("shortest", "working_days"), ("shortest", "questions")} <= rises
