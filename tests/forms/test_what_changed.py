"""Two versions of the forms, the dictionary and the letters: every difference is told, nothing else, and the same both ways."""

import random
import re
from pathlib import Path

import pytest

from forms import comparison

ROOT = Path(__file__).parents[2] / "forms"
FORMS = {path.name: path.read_bytes() for path in sorted((ROOT / "tasks").glob("*.toml"))}
DICTIONARY = {path.name: path.read_bytes() for path in sorted((ROOT / "dictionary").glob("*.toml"))}
LETTER = """id = "convocation"
title = { fr = "Convocation", ar = "استدعاء" }

[[block]]
text.fr = "Vous êtes invité à vous présenter à l'antenne le jour dit, muni de vos pièces."
text.ar = "المرجو منكم الحضور بالفرع في اليوم المحدد مصحوبين بوثائقكم."

[[block]]
when = "aide.montant != null"
rows = [
  { label = { fr = "Jour", ar = "اليوم" }, value = "seance.jour" },
  { label = { fr = "Lieu", ar = "المكان" }, value = "seance.lieu" },
]

[[block]]
text.fr = "En cas d'empêchement, prévenez l'antenne au plus tôt par téléphone."
text.ar = "في صورة التعذر، المرجو إعلام الفرع في أقرب وقت بالهاتف."
"""


def forms(old, new):
    return comparison.of_forms(old, new, comparison.labels(DICTIONARY), comparison.labels(DICTIONARY))


def letters(old, new):
    return comparison.of_texts(old, new, "letter")


def told(compare, old, new):
    """(kind, element, what, before, after) of each difference, once seen to be the same both ways."""
    forth = compare(old, new)
    assert sorted(repr(one.mirrored()) for one in forth) == sorted(map(repr, compare(new, old)))
    return sorted((one.kind, one.element, one.what, one.before, one.after) for one in forth)


def changed(files, name, before, after):
    content = files[name].decode()
    assert before in content
    return {**files, name: content.replace(before, after, 1).encode()}


def test_a_version_does_not_differ_from_itself():
    assert forms(FORMS, FORMS) == comparison.of_dictionary(DICTIONARY, DICTIONARY) == letters({"a": LETTER.encode()}, {"a": LETTER.encode()}) == []


def test_a_question_no_longer_asked_and_one_asked_anew():
    new = changed(FORMS, "f52.toml", '  "projet.clients",\n', '  "projet.idee_autre",\n')
    assert told(forms, FORMS, new) == [("added", "projet.idee_autre", "", "", ""), ("removed", "projet.clients", "", "", "")]
    asked = next(one for one in forms(FORMS, new) if one.kind == "removed")
    assert (asked.subject.names["en"], asked.subject.within["en"]) == ("Who will your customers be?", "Business plan")


def test_the_order_of_questions():
    new = changed(FORMS, "f52.toml", '  "projet.financement_subvention",\n  "projet.financement_apport",\n  "projet.financement_credit",\n',
                  '  "projet.financement_apport",\n  "projet.financement_credit",\n  "projet.financement_subvention",\n')  # fmt: skip
    assert told(forms, FORMS, new) == [("moved", "projet.financement_subvention", "order", "1", "3")]


def test_a_question_in_another_section():
    new = changed(FORMS, "f52.toml", '  "projet.clients",\n', "")
    new = changed(new, "f52.toml", '  "projet.financement_subvention",\n', '  "projet.clients",\n  "projet.financement_subvention",\n')
    ((kind, element, what, before, after),) = told(forms, FORMS, new)
    assert (kind, element, what, before, after) == ("moved", "projet.clients", "section", "Le marché", "D'où vient l'argent")


def test_a_condition_and_whether_an_answer_is_required():
    new = changed(FORMS, "f52.toml", '  "projet.clients",\n', '  { field = "projet.clients", when = "1 = 2", required = false },\n')
    assert told(forms, FORMS, new) == [("changed", "projet.clients", "required", "", "false"), ("changed", "projet.clients", "when", "", "1 = 2")]


def test_the_title_of_a_section_in_one_language():
    new = changed(FORMS, "f52.toml", 'fr = "Le marché"', 'fr = "Vos clients"')
    assert told(forms, FORMS, new) == [("renamed", "Vos clients", "name", "Le marché", "Vos clients")]


def test_what_is_shown_and_the_form_that_goes():
    new = changed(FORMS, "f52.toml", '  "projet.secteur",\n', "")
    del new["t804.toml"]
    assert told(forms, FORMS, new) == [("removed", "projet.secteur", "", "", ""), ("removed", "t804.toml", "", "", "")]


@pytest.mark.parametrize("key", ["class", "owner", "purpose", "retention", "validity", "type"])
def test_each_key_of_a_field_of_the_dictionary(key):
    rng = random.Random(key)
    places = [(name, found) for name, content in DICTIONARY.items() for found in re.finditer(rf'^{key} = "(.*)"$', content.decode(), re.M)]
    for name, found in rng.sample([one for one in places if "[fields." in DICTIONARY[one[0]].decode()[: one[1].start()]], 5):
        text = DICTIONARY[name].decode()
        field = re.findall(r'^\[fields\."(.*)"\]$', text[: found.start()], re.M)[-1]
        new = {**DICTIONARY, name: (text[: found.start()] + f'{key} = "autre"' + text[found.end() :]).encode()}
        assert told(comparison.of_dictionary, DICTIONARY, new) == [("changed", field, key, found[1], "autre")]


@pytest.mark.parametrize("language", ["fr", "ar", "en"])
def test_the_words_of_a_field_in_one_language(language):
    text = DICTIONARY["retour.toml"].decode()
    found = re.search(rf'^(label = .*){language} = "([^"]*)"', text[text.index("[fields.") :], re.M)
    new = {**DICTIONARY, "retour.toml": text.replace(found[0], f'{found[1]}{language} = "Autrement"', 1).encode()}
    ((kind, _, what, before, after),) = told(comparison.of_dictionary, DICTIONARY, new)
    assert (kind, what, before, after) == ("renamed", "name", found[2], "Autrement")


def test_a_choice_more_a_choice_less_and_their_order():
    lines = ['  { code = "%s", label = { fr = "%s" } },\n' % (code, code.upper()) for code in "abc"]

    def choices(*given):
        return {"choices.toml": f"[lists.canal]\nvalues = [\n{''.join(given)}]\n".encode()}

    first, *others = lines
    assert told(comparison.of_dictionary, choices(*lines), choices(*others)) == [("removed", "a", "", "", "")]
    assert told(comparison.of_dictionary, choices(*others), choices(*lines)) == [("added", "a", "", "", "")]
    assert told(comparison.of_dictionary, choices(*lines), choices(*others, first)) == [("moved", "a", "order", "1", "3")]


def test_a_field_that_moves_to_another_file_or_gets_another_id():
    text = DICTIONARY["retour.toml"].decode()
    field = text[text.rindex("[fields.") :]
    name = re.match(r'\[fields\."(.*)"\]', field)[1]
    elsewhere = {**DICTIONARY, "retour.toml": text.replace(field, "").encode(), "person.toml": DICTIONARY["person.toml"] + b"\n" + field.encode()}
    assert told(comparison.of_dictionary, DICTIONARY, elsewhere) == [("moved", name, "file", "retour.toml", "person.toml")]
    called = {**DICTIONARY, "retour.toml": text.replace(f'"{name}"]', '"retour.autrement"]').encode()}
    assert told(comparison.of_dictionary, DICTIONARY, called) == [("changed", "retour.autrement", "id", name, "retour.autrement")]


def test_a_remark_in_a_file_changes_nothing_and_is_said_once():
    (one,) = comparison.of_dictionary(DICTIONARY, changed(DICTIONARY, "retour.toml", "[group]", "# relu\n[group]"))
    assert (one.kind, one.what, one.file) == ("layout", "writing", "retour.toml")


def test_a_draft_that_cannot_be_read():
    assert told(forms, FORMS, {**FORMS, "f52.toml": b"id = "}) == [("changed", "f52.toml", "content", "", "")]
    assert ("changed", "retour.toml", "content", "", "") in told(comparison.of_dictionary, DICTIONARY, {**DICTIONARY, "retour.toml": b"\xff"})


def test_a_paragraph_of_a_letter_rewritten_taken_out_and_moved():
    old = {"convocation.toml": LETTER.encode()}
    blocks = LETTER.split("[[block]]")

    def version(*parts):
        return {"convocation.toml": "[[block]]".join(parts).encode()}

    rewritten = told(letters, old, version(blocks[0], blocks[1].replace("muni de", "avec"), *blocks[2:]))
    assert [(one[0], one[2]) for one in rewritten] == [("changed", "text")]
    assert [one[0] for one in told(letters, old, version(blocks[0], blocks[2], blocks[3]))] == ["removed"]
    assert [(one[0], one[2]) for one in told(letters, old, version(blocks[0], blocks[1].rstrip() + "\n\n", blocks[3], blocks[2]))] == [("moved", "order")]
    elsewhere = changed(old, "convocation.toml", '"seance.lieu"', '"antenne.lieu"')
    assert [one[2:] for one in told(letters, old, elsewhere)] == [("value", "seance.lieu", "antenne.lieu")]
