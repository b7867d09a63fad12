"""The first line of a case, the history's folded reminders, and what is said after a task is done."""

import datetime as dt
from uuid import uuid4

import pytest

from engine.casework.views import Happened, KnownFact, Waiting
from tests.web.small.answers import reception
from tests.web.test_a_case_page import main
from tests.web.test_a_task_page import act, complete, open_case, task_of
from web import ball, sentences
from web.formatting import Words

NOW = dt.datetime(2026, 11, 24, 9, 30, tzinfo=dt.UTC)
FR = Words("fr")


def task(name, days):
    return Waiting("task", name, name, NOW, NOW + dt.timedelta(days=days), "ANETI", task_id=uuid4(), branch="MED", role="conseiller_emploi")


def wait(awaits, message="", name="", days=None, since=NOW):
    return Waiting("message" if message else "timer", name, name, since, NOW + dt.timedelta(days=days) if days else None, message=message, awaits=awaits)


def test_the_person_is_told_of_on_the_first_line_even_while_others_work():
    found = ball.ball([task("Proposer", 9), wait("person", "piece.recue"), wait("date", name="Visite", days=3)], FR)
    assert [one.what for one in found.first] == ["une pièce à remettre"]
    assert [one.what for one in found.others] == ["Visite"]
    assert found.next is not None and found.next.what == "Visite", "the nearest date is another's"


def test_of_papers_that_are_awaited_it_says_which_and_until_when():
    waits = Waiting("message", "x", "x", NOW, None, message="piece.recue", correlation="1", awaits="person")
    known = [KnownFact(f"aide:{aid}", field, "aide", "", value, "", "", "", NOW, None)
             for aid, field, value in (("1", "aide.pieces_manquantes", "Devis"), ("1", "aide.pieces_limite_le", "14 décembre 2026"), ("2", "aide.pieces_manquantes", "RIB"))]  # fmt: skip
    assert [one.what for one in ball.ball([waits], FR, known).first] == ["à remettre avant le 14 décembre 2026 : Devis"]
    assert [one.what for one in ball.ball([waits], FR, known[2:]).first] == ["une pièce à remettre"], "of another aid, or not hers to read"


def test_the_ways_out_of_one_pause_are_one_wait():
    found = ball.ball([wait("message", "aide.accordee"), wait("message", "aide.terminee")], FR)
    assert [one.what for one in found.first] == ["la réponse à la demande d'aide / la fin du dossier d'aide"]
    assert found.others == () and found.next is None


def test_a_date_the_first_line_tells_is_not_told_twice():
    assert ball.ball([task("Proposer", 2), wait("date", name="Visite", days=9)], FR).next is None
    assert ball.ball([], FR) == ball.Ball((), (), (), None)


def reminder(kind, node="a", days=0):
    return Happened(uuid4(), 1, kind, NOW - dt.timedelta(days=days), "system", "", {"node": node})


@pytest.mark.parametrize(
    ("language", "said"),
    [("fr", "3 rappels depuis le 14 novembre 2026 pour « A ». Le coordinateur est prévenu."), ("ar", "3 تذكيرات منذ 14 نوفمبر 2026 بخصوص «A». تم إعلام المنسق."),
     ("en", "3 reminders since 14 November 2026 for “A”. The coordinator was told.")],
)  # fmt: skip
def test_reminders_that_follow_one_another_are_one_sentence_with_their_count(language, said):
    run = [reminder("task.very_late"), reminder("task.late", days=5), reminder("task.due", days=10)]
    assert sentences.reminders(Words(language), run, {"a": "A"}) == said


def test_one_reminder_alone_is_told_as_it_is():
    assert sentences.reminders(FR, [reminder("task.due")], {"a": "A"}) == "L'échéance de « A » est atteinte ; un rappel est parti."


def test_a_source_that_most_facts_share_is_said_once():
    assert sentences.shared_source([{"source": "x"}, {"source": "x"}, {"source": "y"}]) == "x"
    assert sentences.shared_source([{"source": "x"}, {"source": "y"}]) == "", "nothing is shared"
    assert sentences.shared_source([]) == ""


def test_after_a_task_one_is_told_where_the_case_went_until_when_and_what_to_do_next(browser):
    salma = browser("salma")
    open_case(salma)
    open_case(salma)
    act(salma, "complete", reception())
    said = salma.page.text.partition("notice-good")[2].partition("</main>")[0]
    assert "Envoyé à OTE Médenine, pour le " in said
    assert "« Orienter la personne »" in said
    assert "/tasks/" in said.partition("Tâche suivante")[0]


@pytest.mark.parametrize("language", ["fr", "ar", "en"])
def test_an_adviser_reads_in_her_script_who_has_the_case(browser, language):
    salma, karim = browser("salma"), browser("karim")
    case = complete(salma)
    task = task_of(karim, case)
    karim.get(task)
    karim.post(f"{task}/claim")
    told = main(salma.get(f"{case}?language={language}"))
    assert {"fr": "Chez Karim Ben Amor (OTE Médenine) depuis aujourd", "ar": "لدى كريم بن عمر (ديوان التونسيين بالخارج مدنين) منذ اليوم", "en": "With Karim Ben Amor (OTE Médenine) since today"}[language] in told
    if language == "ar":
        assert "Karim" not in told and "Salma" not in told, "in the history neither"


@pytest.mark.parametrize(("language", "said"), [("fr", "le jour de la visite"), ("ar", "يوم الزيارة"), ("en", "the day of the visit")])
def test_a_day_that_is_waited_for_is_told_as_a_thing_that_comes_not_as_its_diagram_counts_it(language, said):
    words = Words(language)
    assert sentences.awaited(words, "", "Jour de la visite", "visite_jour") == said
    for node in ("constitution_rappel_du", "visite_dix_jours_avant", "emploi_prochain_contact"):
        assert sentences.awaited(words, "", "10, 20 jours, puis la date dite", node) != "10, 20 jours, puis la date dite"
