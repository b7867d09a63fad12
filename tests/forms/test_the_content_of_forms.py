"""What the forms say: every task has its words in three languages, every datum a place where it is asked, shown or reckoned, and nothing twice."""

import datetime as dt
import html
import re
import tomllib
from collections import Counter
from decimal import Decimal
from pathlib import Path

import pytest

from engine.pathway import decisions
from forms import dictionary, form
from forms.feel import compile_expression
from forms.text import LANGUAGES

ROOT = Path(__file__).resolve().parents[2]
DICTIONARY = dictionary.load(ROOT / "forms" / "dictionary")
FIELDS = DICTIONARY.fields
FORMS = form.load(ROOT / "forms" / "tasks", DICTIONARY)
# The user tasks of domain.md §4.1–4.8: a form with an F-number has its id, the others their task's.
TASKS = """f01 t002 t003 t004 f11 f12 f13 t106 t107 t108 t109 f21 f22 f23 f24 f25 t207 t208 t209 t301 t302 f31 t304 f32 t401 t402 f41 f42 t405 t406 t407 f43
    t408 t409 t501 f51 t503 f52 t505 f53 t507 t508 t509 t510 t601 t602 t603 t604 t605 t606 t607 t608 t609 t610 t611 t612 t651 t652 t653 f61 t655 t701 f71
    t703 t704 t801 f81 t803 t804 t814""".split()
CLASSES = set("COSEPFHR")
ARABIC, LATIN = re.compile("[\u0621-\u064a]"), re.compile("[A-Za-zÀ-ÿ]{2,}")
# What Arabic text in Tunisia leaves in Latin letters: names of bodies and programmes, codes, contracts, vehicles.
LEFT_IN_LATIN = re.compile(
    r"TN-[A-Z0-9-]+|\b(?:[A-Z]{2,}[A-Za-z0-9_-]*|[A-Z][0-9]+|OFII\S*|Fedasil|WhatsApp|SMS|Tounesna|TOUNESNA\S*|Gafsa|Elyssa|Caritas|Starthilfe)\b"
)
DURATION = re.compile(r"P(\d+[DMY])$")
SAID_BY_OPERATIONS = {"aide.versement_rang", "aide.montant_paye", "aide.reste_a_rendre", "fraude.aides", "fraude.reste_du"}


def asked(definition):
    """The fields a form asks, with those of its lists' rows."""
    named = [one.field for section in definition.sections for one in section.ask]
    return [*named, *(inner for name in named for inner in FIELDS[name].items)]


EVER_ASKED = {name for definition in FORMS.values() for name in asked(definition)}


def conditions_of(path):
    """Every FEEL text of a diagram: conditions, values handed over, collections, correlation keys."""
    text = html.unescape(path.read_text())
    yield from re.findall(r"<bpmn:conditionExpression[^>]*>(.*?)</bpmn:conditionExpression>", text, re.S)
    for double, single in re.findall(r"(?:valeur|cle)=(?:\"([^\"]*)\"|'([^']*)')", text):
        yield double or single


def read_by_the_processes():
    """(fact, who reads it) for every dotted name whose group is in the dictionary."""
    for path in sorted((ROOT / "processes" / "decisions").glob("*.dmn")):
        read = decisions.parse(path.read_bytes())
        for one in read.ids:
            yield from ((name, one) for name in read.reads(one))
    for path in sorted((ROOT / "processes").glob("*.bpmn")):
        for text in conditions_of(path):
            yield from ((name, path.name) for name in compile_expression(text).paths)


def has_an_answer(name):
    """Whether a form asks it, the dictionary computes it, a list's row holds it, or it is the identity of a subject."""
    if name in FIELDS:
        return name in EVER_ASKED or FIELDS[name].computed is not None
    held, _, inner = name.rpartition(".")
    if inner == "id":
        return True
    return held in FIELDS and any(item.partition(".")[2] == inner for item in FIELDS[held].items)


def test_each_user_task_of_the_pathway_has_a_form():
    assert sorted(set(TASKS) - FORMS.keys()) == []


def test_each_form_a_diagram_names_exists():
    named = {found for path in (ROOT / "processes").glob("*.bpmn") for found in re.findall(r'\bform="([^"]+)"', path.read_text())}
    assert "f11" in named
    assert sorted(named - FORMS.keys()) == []


@pytest.mark.parametrize("form_id", FORMS)
def test_a_form_asks_facts_or_says_what_is_confirmed(form_id):
    definition = FORMS[form_id]
    questions = [one.field for section in definition.sections for one in section.ask]
    assert bool(questions) != bool(definition.confirmation), "either questions, or a sentence on what one confirms"
    notes = [name for name in questions if FIELDS[name].type in ("longtext", "text")]
    assert not questions or len(questions) > len(notes), "a form is more than a box for remarks"
    assert all(section.ask for section in definition.sections)


@pytest.mark.parametrize("form_id", FORMS)
def test_a_form_names_each_fact_once(form_id):
    definition = FORMS[form_id]
    questions = [one.field for section in definition.sections for one in section.ask]
    assert [name for name, times in Counter([*questions, *definition.show]).items() if times > 1] == []


@pytest.mark.parametrize("form_id", FORMS)
def test_a_condition_reads_what_the_form_asked_before_it_or_what_other_forms_ask(form_id):
    order = [one.field for section in FORMS[form_id].sections for one in section.ask]
    for place, one in enumerate(one for section in FORMS[form_id].sections for one in section.ask):
        for name in one.when.paths if one.when else ():
            if name in order:
                assert order.index(name) < place, f"{one.field} depends on {name}, asked after it"
            elif name != "today" and name.partition(".")[0] not in ("item", "parametres", "dossier"):
                assert has_an_answer(name) or name in SAID_BY_OPERATIONS, f"{one.field} depends on {name}, asked nowhere"


def test_every_fact_that_a_gateway_or_a_table_reads_can_be_answered():
    groups = set(DICTIONARY.groups)
    read = [(name, who) for name, who in read_by_the_processes() if name.partition(".")[0] in groups and "." in name]
    assert ("retour.prouve", "D1") in read
    # D0 reads the outcome of a search under a variable called as no group is; `D2` and its like are tables that read one another.
    missing = sorted({(name, who) for name, who in read if not has_an_answer(name) and not has_an_answer(name.rpartition(".")[0]) and name not in SAID_BY_OPERATIONS})
    assert missing == []


def test_every_field_of_the_dictionary_is_asked_shown_computed_or_read():
    named = {name for definition in FORMS.values() for name in definition.field_ids} | EVER_ASKED
    read = {name for name, _ in read_by_the_processes()}
    # Notes are written on the page of a case, not asked; why a file left a sitting is told on the committee's page and paper.
    assert [name for name, spec in FIELDS.items() if name not in named and name not in read and spec.computed is None and spec.group != "note"] == ["aide.retrait"]


def test_what_no_form_asks_is_computed_or_recorded_by_the_system():
    # Why a file left its sitting comes from the order that takes it out; the rank of an instalment from the operation that opens it, what was paid from the one that opens its settlement or of whoever leaves, what is left to give back from those that settle, what came back from the one that enters it, the paid aids that a fraud may give back and what is left of its plan from theirs, the programme of the best offer from the one that reckons the amount; where colleagues hold the role of an orphan task, from the staff of the day.
    assert [name for name, spec in FIELDS.items() if name not in EVER_ASKED and spec.computed is None and spec.group != "note"] == ["aide.programme_regle", "aide.retrait", "aide.versement_rang", "aide.montant_paye", "aide.reste_a_rendre", "aide.rendu", "fraude.aides", "fraude.reste_du", "orpheline.antenne_relais", "sortie.verse", "versee.rang", "versee.mesure", "versee.montant"]


def test_no_fact_is_asked_under_two_names():
    """Within a group, or between groups about the same subject, two fields never carry the same words."""
    seen = {}
    for name, spec in FIELDS.items():
        seen.setdefault((spec.group, spec.label["fr"].casefold()), []).append(name)
        if spec.subject in ("person", "return"):
            seen.setdefault((spec.subject, spec.label["fr"].casefold()), []).append(name)
    assert [names for names in seen.values() if len(set(names)) > 1] == []


@pytest.mark.parametrize("field_id", FIELDS)
def test_each_field_says_whose_it_is_why_and_for_how_long(field_id):
    spec = FIELDS[field_id]
    assert {spec.class_, *spec.also} <= CLASSES
    assert spec.owner in {"OTE", "CPS", "ANETI", "PART"}
    assert spec.purpose in DICTIONARY.purposes
    assert DURATION.match(spec.retention)
    assert not spec.validity or DURATION.match(spec.validity)
    assert not spec.computed or not (spec.validity or spec.unknown), "what is computed cannot be unknown or stale by itself"
    assert (spec.type in ("enum", "multi")) <= bool(spec.choices)
    assert all(inner in FIELDS and FIELDS[inner].subject in ("member", "measure") for inner in spec.items)
    assert spec.inferred or spec.source, "from a source, or said to be inferred"


def labels():
    """Every label, (where, language → words), of fields, choices, pieces and forms."""
    for spec in FIELDS.values():
        yield spec.id, spec.label
        if spec.help:
            yield f"{spec.id} help", spec.help
    for name, table in tomllib.loads((ROOT / "forms/dictionary/choices.toml").read_text())["lists"].items():
        yield from ((f"{name} {one['code']}", one["label"]) for one in table["values"])
    for name, table in DICTIONARY.pieces.items():
        yield name, table["label"]
    for definition in FORMS.values():
        yield definition.id, definition.title
        yield from ((f"{definition.id} {said['fr']}", said) for said in (definition.intro, definition.confirmation) if said)
        yield from ((f"{definition.id} {section.title['fr']}", section.title) for section in definition.sections)
        yield from ((f"{definition.id} {check.message['fr']}", check.message) for check in definition.checks)


def test_every_word_stands_in_three_languages():
    found = list(labels())
    assert len(found) > 1_500
    assert [where for where, said in found if set(said) != set(LANGUAGES) or not all(said[language].strip() for language in LANGUAGES)] == []


def test_arabic_is_written_in_arabic():
    wrong = []
    for where, said in labels():
        rest = LEFT_IN_LATIN.sub("", said["ar"])
        if LATIN.search(rest) or not (ARABIC.search(rest) or rest != said["ar"]) or "؟؟" in rest:
            wrong.append((where, said["ar"]))
    assert wrong == []


def test_questions_are_short_and_sections_too():
    assert [spec.id for spec in FIELDS.values() if len(spec.label["fr"]) > 90] == []
    assert [(form_id, section.title["fr"]) for form_id, made in FORMS.items() for section in made.sections if len(section.title["fr"]) > 60] == []


def test_no_list_is_typed_anew_for_each_act_save_what_a_committee_decides_each_time():
    assert [name for name, spec in FIELDS.items() if spec.type == "list" and spec.validity == form.ONE_ACT and spec.proposed is None] == ["aide.reserves", "aide.votes"]


@pytest.mark.parametrize("form_id", [name for name, definition in FORMS.items() if set(definition.computed) & set(definition.show)])
def test_what_is_worked_out_beside_the_questions_says_how(form_id):
    definition = FORMS[form_id]
    assert [name for name in definition.computed if name in definition.show and not FIELDS[name].is_of_the_day and not FIELDS[name].help] == []


@pytest.mark.parametrize("form_id", [name for name, definition in FORMS.items() if definition.checks])
def test_a_check_reads_what_it_points_at(form_id):
    for check in FORMS[form_id].checks:
        assert set(check.fields) <= set(asked(FORMS[form_id]))
        assert check.message["fr"].endswith((".", "?")), "a sentence"


# Whoever comes that day finds somebody: days given to a person, or on which an office goes over her case again.
ON_OPEN_DAYS = {"t002": "signalement.accueil_prevu_le", "t106": "accueil.rdv_le", "t602": "aide.pieces_limite_le", "t612": "aide.nouveau_delai", "t616": "aide.pieces_limite_le",
                "t651": "seance.date", "t701": "visite.prevue_le", "f99": "suspension.revue_le", "t974": "fraude.remboursement_le", "t981": "absence.nouvelle_date",
                "t982": "absence.nouvelle_date", "t991": "suspension.prolongee_au"}  # fmt: skip
WEDNESDAY = dt.date(2026, 12, 2)
HOURS = {"ouvre_a": Decimal(8), "ferme_a": Decimal(17), "seances_uniques": [{"du": dt.date(2026, 12, 7), "au": dt.date(2026, 12, 7), "ferme_a": Decimal(14)}]}


def refused(form_id, day, closed=()):
    """Whether the form says that its day is one on which the branch is closed."""
    group, _, name = ON_OPEN_DAYS[form_id].partition(".")
    scope = {group: {name: day}, "parametres": {"jours_feries": list(closed)} | HOURS, "today": WEDNESDAY}
    return any(check.holds.evaluate(scope) is False for check in FORMS[form_id].checks if "l'antenne est fermée" in check.message["fr"])


@pytest.mark.parametrize("form_id", ON_OPEN_DAYS)
def test_a_day_on_which_somebody_is_awaited_is_one_on_which_the_branch_is_open(form_id):
    def at(day, hour=10):
        is_instant = FIELDS[ON_OPEN_DAYS[form_id]].type == "datetime"
        return dt.datetime.combine(day, dt.time(hour), dt.timezone(dt.timedelta(hours=1))) if is_instant else day

    week = [WEDNESDAY + dt.timedelta(days=number) for number in range(7)]
    assert [day.strftime("%a") for day in week if refused(form_id, at(day))] == ["Sat", "Sun"]
    assert refused(form_id, at(WEDNESDAY), [WEDNESDAY]) and not refused(form_id, at(WEDNESDAY), [week[1]]), "a holiday that an administrator entered"
    if FIELDS[ON_OPEN_DAYS[form_id]].type == "datetime":
        assert [hour for hour in (7, 8, 16, 17) if refused(form_id, at(WEDNESDAY, hour))] == [7, 17]
        assert refused(form_id, at(week[5], 14)) and not refused(form_id, at(week[5], 13)), "on a single-session day the branch closes at two"
