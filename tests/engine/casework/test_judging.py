"""What the judge's process finds is what the judge finds, whatever it read before; what it found is kept; it says how much it does not show."""

import pytest

from engine.casework import cases, editions, judge, judges, judging  # noqa: F401  (cases registers what service tasks may call)
from engine.pathway import judgement
from engine.pathway.sources import Sources
from tests.web.small.installation import files

DIAGRAM, FORM = "processes/parcours.bpmn", "forms/tasks/accueil.toml"
DICTIONARY = "forms/dictionary/accueil.toml"


def changed(path: str, old: str, new: str) -> dict[str, bytes]:
    base = files()
    assert old.encode() in base[path]
    return {**base, path: base[path].replace(old.encode(), new.encode())}


def told(found) -> list[tuple[str, str, str, str]]:
    return [(one.severity, one.code, one.where, judging.worded(one.code, one.details, "fr")) for one in found]


@pytest.fixture(scope="module", autouse=True)
def learnt():
    """The judge has read the small edition, which each draft here comes from."""
    operations = sorted(editions.house().operations)
    judges.learn(judge.Request(files(), operations))


DRAFTS = {
    "nothing": (DIAGRAM, "accueil", "accueil"),
    "a form that is not there": (DIAGRAM, 'form="orienter"', 'form="rien"'),
    "a diagram that cannot be read": (DIAGRAM, "</bpmn:definitions>", ""),
    "a field that is not there": (FORM, "accueil.", "acueil."),
    "a dictionary without a group": (DICTIONARY, "accueil", "acueil"),
}


@pytest.mark.parametrize("name", DRAFTS)
def test_it_finds_what_the_judge_finds(name):
    draft = changed(*DRAFTS[name])
    there, here = editions.check(draft, files()), judgement.judge(Sources(draft), editions.house())
    assert told(there) == told(here) and (name == "nothing") == (there == ())


def test_the_same_files_are_judged_once_and_in_the_words_of_each_reader(monkeypatch):
    draft = changed(DIAGRAM, 'form="orienter"', 'form="jamais"')
    assert judging.at_hand(draft, editions.house()) is None
    first = editions.check(draft)
    monkeypatch.setattr(judges, "ask", None)
    assert editions.check(draft, files()) is first is judging.at_hand(draft, editions.house())


def test_more_than_can_be_read_are_counted():
    many = "".join(f'<bpmn:userTask id="t{number}" name="t{number}"/>' for number in range(judge.MOST_FOUND + 100))
    draft = changed(DIAGRAM, "</bpmn:process>", many + "</bpmn:process>")
    found, whole = editions.check(draft), judgement.judge(Sources(draft), editions.house())
    assert len(found) == judge.MOST_FOUND + 1 and found[-1].code == "check.too_many" and found[-1].details == {"number": len(whole) - judge.MOST_FOUND}
    assert {one.severity for one in found} >= {one.severity for one in whole if one.severity == "error"}
