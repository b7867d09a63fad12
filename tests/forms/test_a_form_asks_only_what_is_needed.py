import datetime as dt

import pytest

from forms import answers, dictionary, form, text
from forms.schema import json_schema
from forms.text import FormError
from tests.forms.conftest import LABEL, TITLE, TODAY, task

YESTERDAY = dt.datetime(2026, 11, 23, 9, tzinfo=dt.UTC)
TOMORROW = dt.datetime(2026, 11, 25, 9, tzinfo=dt.UTC)


def asked(made):
    return [question.spec.id for question in made.questions()]


def test_what_nobody_answered_is_asked_and_the_rest_is_shown_with_its_source(forms):
    made = forms.ask(task('"person.nom", "person.sexe"'), {"person.nom": forms.known("person.nom", "Ben Salah")})
    assert asked(made) == ["person.sexe"]
    [known] = made.known
    assert (known.text, known.author, known.author_agency, known.may_correct, known.section) == ("Ben Salah", "Amel", "CPS", True, "Libellé")


def test_what_has_gone_stale_is_asked_anew_with_the_old_answer_as_a_hint(forms):
    stale = forms.known("person.tel", "+21620123456", until=YESTERDAY)
    [question] = forms.ask(task('"person.tel"'), {"person.tel": stale}).questions()
    assert question.known.value == "+21620123456"
    fresh = forms.ask(task('"person.tel"'), {"person.tel": forms.known("person.tel", "+21620123456", until=TOMORROW)})
    assert not list(fresh.questions()) and fresh.known[0].text == "+216 20 123 456"


def test_an_answer_good_for_one_act_is_asked_anew_the_same_day(forms):
    today = dt.datetime(2026, 11, 24, 8, tzinfo=dt.UTC)
    made = forms.ask(task('"social.avis"'), {"social.avis": forms.known("social.avis", "M", until=today)})
    assert asked(made) == ["social.avis"]


def test_an_unknown_and_a_refused_answer_count_as_answered(forms):
    known = {"social.pieces": forms.known("social.pieces", None, status="inconnu"), "social.sante": forms.known("social.sante", None, status="refuse")}
    made = forms.ask(task('"social.pieces", "social.sante"'), known)
    assert not asked(made)
    assert [one.text for one in made.known] == ["Ne sait pas", "Ne souhaite pas répondre"]


def test_a_fact_she_may_not_see_counts_as_answered_and_shows_only_who_holds_it(forms):
    made = forms.ask(task('"social.sante"'), {"social.sante": forms.known("social.sante", True)}, hidden="H")
    [known] = made.known
    assert known.is_hidden and not known.may_correct
    assert (known.value, known.text, known.author, known.author_agency) == (None, "", "", "CPS")
    assert not asked(made)


def test_a_question_she_may_not_answer_is_not_put_to_her(forms):
    assert asked(forms.ask(task('"social.sante", "person.nom"'), hidden="H")) == ["person.nom"]


def test_of_a_stale_fact_she_may_not_see_there_is_no_hint(forms):
    definition = forms.define(task('"person.tel"'))
    stale = forms.known("person.tel", "+21620123456", until=YESTERDAY)
    made = form.ask(definition, {"person.tel": stale}, lambda spec, agency: False, lambda spec: True, TODAY, "fr")
    [question] = made.questions()
    assert question.known is None


def test_a_row_keeps_its_health_field_from_who_may_not_read_it(forms):
    rows = [{"id": "1", "membre.prenom": "Amel", "membre.handicap": True}]
    made = forms.ask(task('"foyer.membres"'), {"foyer.membres": forms.known("foyer.membres", rows)}, hidden="H")
    [known] = made.known
    assert known.value == [{"id": "1", "membre.prenom": "Amel"}]
    assert "membre.handicap" not in {inner.id for inner in known.rows}
    [question] = forms.ask(task('"foyer.membres"'), {"foyer.membres": forms.known("foyer.membres", rows, until=YESTERDAY)}, hidden="H").questions()
    assert question.known.value == [{"id": "1", "membre.prenom": "Amel"}]
    assert [inner.id for inner in question.rows] == ["membre.prenom", "membre.sexe", "membre.revenu", "membre.naissance"]


def test_a_question_with_a_condition_says_whether_it_shows_and_who_makes_it_show(forms):
    content = task('"person.cin", { field = "person.passeport", when = "person.cin = null", required = true }')
    one, other = forms.ask(content).questions()
    assert (one.reveals, one.visible, other.reveals, other.visible, other.required) == (True, True, False, True, True)
    known = forms.ask(content, {"person.cin": forms.known("person.cin", "01234567")})
    [hidden] = known.questions()
    assert not hidden.visible


def test_a_condition_reads_what_the_engine_puts_in_scope(forms):
    content = task('{ field = "person.nom", when = "parametres.plafond > 10" }')
    put = forms.ask(content, scope={"parametres": {"plafond": 20}})
    assert [one.visible for one in put.questions()] == [True]
    assert answers.asked(put, {}) == {"person.nom"}, "a page that is drawn anew asks it still"
    assert [one.visible for one in forms.ask(content).questions()] == [False]


def test_a_fact_shown_for_reading_is_never_asked_nor_corrected(forms):
    content = task('"person.nom"', 'show = ["person.sexe", "person.tel"]')
    made = forms.ask(content, {"person.sexe": forms.known("person.sexe", "F")}, language="ar")
    assert asked(made) == ["person.nom"]
    [shown] = made.known
    assert (shown.text, shown.section, shown.may_correct) == ("أنثى", "", False)


def test_a_known_fact_is_asked_again_at_her_own_wish(forms):
    made = forms.ask(task('"person.nom"'), {"person.nom": forms.known("person.nom", "Ben Salah")}, correcting=["person.nom"])
    [question] = made.questions()
    assert question.corrects and question.known.value == "Ben Salah" and not made.known


def test_the_fields_of_a_form_are_all_that_it_asks_shows_reads_and_computes(forms):
    content = task('"person.naissance", "foyer.membres"', 'show = ["person.sexe"]',
        f'[[check]]\nholds = "social.pieces > 1"\nfields = ["foyer.membres"]\nmessage = {LABEL}')
    found = form.field_ids(forms.define(content))
    assert set(found) == {
        "person.naissance", "foyer.membres", "person.sexe", "social.pieces", "person.age", "foyer.enfants", "foyer.revenus", "membre.prenom", "membre.sexe",
        "membre.handicap",
        "membre.revenu", "membre.naissance",
    }  # fmt: skip


def test_a_task_that_only_confirms_says_what_completing_it_means(forms):
    made = form.ask(form.confirm_only("t999", {"fr": "Ranger", "ar": "ترتيب", "en": "File"}), {}, lambda *_: True, lambda _: True, TODAY, "en")
    assert (made.title, made.confirmation) == ("File", "By completing this task you confirm that it is done.")
    assert form.field_ids(made.definition) == () and not made.sections


@pytest.mark.parametrize(
    ("code", "content"),
    [
        ("form.field", task('"person.inconnu"')),
        ("form.field", task('"membre.prenom"')),
        ("form.asks_computed", task('"person.age"')),
        ("form.asks_twice", task('"person.nom", "person.nom"')),
        ("form.reads_later", task('{ field = "person.nom", when = "person.sexe = \\"F\\"" }, "person.sexe"')),
        ("form.reads_later", task('{ field = "person.nom", when = "person.nom = null" }')),
        ("definition.feel", task('{ field = "person.nom", when = "1 +" }')),
        ("definition.reads_unknown", task('{ field = "person.nom", when = "person.nomm = null" }')),
        ("definition.unknown_key", task('{ field = "person.nom", quand = "true" }')),
        ("definition.shape", task("3").replace(b"[3]", b"3")),
        ("form.check_field", task('"person.nom"', "", f'[[check]]\nholds = "true"\nfields = ["person.sexe"]\nmessage = {LABEL}')),
        ("definition.label", task('"person.nom"').replace('ar = "تسمية", '.encode(), b"")),
        ("form.id", task('"person.nom"').replace(b"f01", b"f02")),
        ("form.empty", f'id = "f01"\n{TITLE}'.encode()),
        ("definition.encoding", b"id = \xff"),
        ("definition.unreadable_at", b"id ="),
        ("definition.missing", b'id = "f01"'),
    ],
)
def test_a_form_that_does_not_hold_together_is_refused_naming_file_and_place(forms, code, content):
    with pytest.raises(FormError) as caught:
        forms.define(content)
    assert code in {found.code for found in caught.value.findings}
    assert all(found.where.startswith("f01.toml") and found.message for found in caught.value.findings)


def test_of_a_list_what_dated_data_offers_that_day_may_be_chosen_and_is_called_as_it_says(forms):
    dictionary.call("villes", {"GAF": {"fr": "Gafsa", "ar": "قفصة", "en": "Gafsa"}, "SFX": {"fr": "Sfax-Sud", "ar": "صفاقس الجنوبية", "en": "South Sfax"}})
    known = {"social.avis": forms.known("social.avis", "MED")}

    def offered(scope):
        made = forms.ask(task('"social.antenne"'), known, scope=scope, language="ar")
        [question] = made.questions()
        refused = {code for code in ("SFX", "MED", "GAF") if answers.read(made, {"social.antenne": code}, "ar", scope).findings}
        schema = {one["const"]: one["title"] for one in json_schema(made)["properties"]["social.antenne"]["oneOf"]}
        assert schema == {code: question.spec.choice_label(code, "ar") for code in question.spec.codes} and not refused & schema.keys()
        return schema

    assert offered({"antennes": [{"code": "GAF"}, {"code": "MED"}]}) == {"GAF": "قفصة"}, "opened since, and not where the case is"
    assert offered({"antennes": []}).keys() == offered(None).keys() == {"SFX", "MED"}, "what nothing tells of stays as the dictionary has it"
    assert text.display(forms.dictionary.fields["social.antenne"], "SFX", "en") == "South Sfax"
