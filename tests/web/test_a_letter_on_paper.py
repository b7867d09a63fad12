"""Letters as the printer gets them: a PDF/A whose text is read as it was written, in both scripts."""

import datetime as dt
import re
import subprocess
import unicodedata

import pytest

from engine import errors
from forms import field_types, letter, samples
from tests.forms.test_letters import DICTIONARY, ISOLATES, LETTERS, decided, said, write
from tests.web import printed
from tests.web.small.answers import reception
from tests.web.test_a_task_page import act, open_case
from web import printing

AT = dt.datetime(2026, 11, 26, 12, tzinfo=dt.UTC)
EMPTY = {"parametres": {}, "today": AT.date(), "dossier": {"ouvert_le": AT.date()}}


def text_of(pdf, tmp_path):
    """The words of a PDF in the order a reader of it takes them, without marks of direction."""
    return words("".join(one for one in printed.read(pdf, tmp_path) if unicodedata.category(one) != "Cf"))


def words(text):
    """Each run of letters of one script."""
    return [word for word in re.findall("[A-Za-zÀ-ÿ]+|[\u0621-\u0652]+", text) if len(word) > 1]


def test_the_words_of_the_pdf_are_those_of_the_letter_in_french_and_in_arabic(tmp_path):
    composed = decided("refuse")
    found = text_of(printing.pdf(composed, AT), tmp_path)
    for language in ("fr", "ar"):
        wanted = words(said(composed, language))
        assert len(wanted) > 60
        lost = [word for word in wanted if word not in found and word not in "".join(found)] if language == "fr" else [word for word in wanted if word not in found]
        assert lost == [], language
    # In the order of the sentence, letters in the order they are read (never mirrored).
    together = " ".join(found)
    assert "المحكمة الإدارية" in together and "ديوان التونسيين بالخارج" in together and "Tribunal administratif" in together


@pytest.mark.parametrize("name", sorted(LETTERS))
def test_every_letter_is_archivable_even_with_nothing_known(name):
    made = printing.pdf(write(name, EMPTY), AT)
    assert made.startswith(b"%PDF-1.7")
    assert b"<pdfaid:part>2</pdfaid:part>" in made and b"<pdfaid:conformance>A</pdfaid:conformance>" in made and b"<pdfuaid:part>1</pdfuaid:part>" in made


def filled(name):
    """The letter with a made-up answer for each field that it shows."""
    feel, stored = dict(EMPTY), {}
    for field_id in LETTERS[name].fields:
        spec = DICTIONARY.fields[field_id]
        if spec.type != field_types.ROWS:
            group, _, one = field_id.partition(".")
            value = samples.stored(spec, DICTIONARY, AT.date())
            stored.setdefault(group, {})[one] = value
            feel.setdefault(group, {})[one] = field_types.to_feel(spec, value)
    return write(name, feel, stored)


def outside(pdf, tmp_path, *command):
    """What a program that is not ours says of the paper."""
    path = tmp_path / "letter.pdf"
    path.write_bytes(pdf)
    return subprocess.run([command[0], *command[1:], str(path)], capture_output=True, text=True, check=True).stdout


@pytest.mark.parametrize("name", sorted(LETTERS))
def test_every_sentence_of_every_paper_is_found_in_it_in_both_languages_and_the_paper_stands_alone(name, tmp_path):
    composed = filled(name)
    made = printing.pdf(composed, AT)
    found = "".join(text_of(made, tmp_path))
    for language in ("fr", "ar"):
        side = composed[language]
        for sentence in [side["title"], side["object"], *side["basis"], *(block["text"] for block in side["blocks"] if "text" in block), *side["signatures"]]:
            wanted = "".join(words(ISOLATES.sub("", sentence)))
            assert wanted in found, f"{language}: {sentence}"
    # Nothing of it is elsewhere: each face is in it, its colours are told, nothing runs.
    faces = [line.split() for line in outside(made, tmp_path, "pdffonts").splitlines()[2:]]
    assert faces and all("Amiri" in one[0] and one[-5:-2] == ["yes"] * 3 for one in faces), faces
    assert b"/OutputIntent" in made and outside(made, tmp_path, "pdfinfo", "-js").strip() == ""
    for never in (b"/JavaScript", b"/EmbeddedFile", b"/Launch", b"/URI", b"/Encrypt"):
        assert never not in made


@pytest.mark.parametrize("name", ["decision_aide", "refus_admission", "sans_suite", "reponse_recours", "reponse_droits"])
def test_a_decision_that_is_notified_rests_on_texts_of_law_and_says_where_to_go_next(name):
    composed = filled(name)
    for language, where in (("fr", "Tribunal administratif|Instance nationale"), ("ar", "المحكمة الإدارية|الهيئة الوطنية")):
        assert composed[language]["basis"] and composed[language]["object"] and composed[language]["words"]["basis"]
        assert re.search(where, said(write(name, EMPTY | {"aide": {"decision": "refuse"}}), language))


def test_a_paper_that_would_hold_the_press_too_long_is_refused_with_a_sentence_and_a_crowd_waits(monkeypatch):
    composed = decided("refuse")
    endless = {language: composed[language] | {"blocks": [{"kind": "text", "text": "mot " * printing.LONGEST}]} for language in ("fr", "ar")}
    with pytest.raises(errors.Invalid, match="letter.too_long"):
        printing.pdf(endless, AT)
    many = {language: composed[language] | {"blocks": [{"kind": "table", "head": ["a"], "rows": [["b"]] * printing.MOST_CELLS}]} for language in ("fr", "ar")}
    with pytest.raises(errors.Invalid, match="letter.too_long"):
        printing.pdf(many, AT)
    monkeypatch.setattr(printing, "_PATIENCE", 0.01)
    with printing._presses, printing._presses, pytest.raises(errors.Conflict, match="letter.busy"):
        printing.pdf(composed, AT)


def test_the_same_letter_is_the_same_paper_whenever_it_is_printed():
    composed = decided("sous_reserve")
    assert printing.pdf(composed, AT) == printing.pdf(composed, AT)


@pytest.mark.parametrize("typed", ["merci 😀", "王小明", "#strong[x] $a$ \\ *b*", "a\u0000\u0007b", "\u202egnitirw", "\ud83d", "\u3000 \u0600", "mot\u2028suite", "ح" * 4000])
def test_whatever_somebody_typed_can_be_printed(typed, tmp_path):
    composed = decided("refuse", reason=typed)
    read = text_of(printing.pdf(composed, AT), tmp_path)
    assert "Tribunal" in read
    if typed.startswith("#"):
        assert "#strong[x]" in said(composed, "fr") and "strong" in read, "text, never markup"


def test_whoever_holds_a_letter_may_verify_it_and_reads_nothing_of_it(browser):
    salma, visitor = browser("salma"), browser()
    open_case(salma)
    case = re.search(r"/cases/[0-9a-f-]{36}", salma.page.text)[0]
    typed = reception()
    act(salma, "complete", typed)
    address = re.search(r"/letters/[0-9a-f-]{36}", salma.get(case).text)[0]
    sheet = salma.get(address)
    code = re.search(r'filename="recepisse-(\w{8})\.pdf"', sheet.headers["content-disposition"])[1]
    shown = visitor.get("/receipt", params={"code": code.lower()})
    assert "Cette pièce a bien été délivrée" in shown.text and "Récépissé de dépôt" in shown.text and "Médenine" in shown.text
    for secret in (typed["person.nom_fr"], typed["person.nom_ar"], typed["person.cin"], case):
        assert secret not in shown.text
    assert "هذه الوثيقة صادرة فعلا" in visitor.get("/receipt", params={"code": code, "language": "ar"}).text


@pytest.mark.parametrize("more", range(0, 30, 3))
def test_nobody_signs_a_page_that_says_nothing(more, tmp_path):
    composed = filled("contrat_engagement")
    french = composed["fr"]["blocks"]
    longer = {**composed, "fr": {**composed["fr"], "blocks": [*[{"kind": "text", "text": "Une ligne de plus."}] * more, *french]}}
    pages = [" ".join(words(page)) for page in printed.read(printing.pdf(longer, AT, "a" * 700), tmp_path).rstrip("\f").split("\f")]
    (signed,) = [page for page in pages if "lu et approuvé" in page]
    assert more or len(pages) == 2, "a contract is one sheet in each language"
    assert "Engagements du dispositif" in signed, "what is said last stands with the signatures"


def test_neither_a_date_nor_the_number_of_a_case_is_torn_at_the_end_of_a_line(tmp_path):
    """Set after ever more words, so that each of its gaps comes to the end of a line once."""
    composed = filled("decision_aide")
    date, number, torn = {"fr": letter.isolated("26 novembre 2026"), "ar": letter.isolated("26 نوفمبر 2026")}, letter.isolated("TN-MED-2026-00012"), {}
    for language, word in (("fr", "mot"), ("ar", "كلمة")):
        lines = [{"kind": "text", "text": f"{(word + ' ') * more}{said} {word}"} for more in range(10, 34) for said in (date[language], number)]
        torn[language] = {**composed[language], "blocks": lines}
    read = ISOLATES.sub("", printed.read(printing.pdf({**composed, **torn}, AT), tmp_path)).replace("\u00a0", " ")
    read = re.sub("[\u202a-\u202e]|(?<=mot)\n", lambda found: " " if found[0] == "\n" else "", read)
    assert read.count("mot 26 novembre 2026") == 24 and read.count("TN-MED-2026-00012") == 48 + 2, "and in the head of each side"
    assert len(re.findall("(?m)^.*26.*نوفمبر.*2026|^.*2026.*نوفمبر.*26", read)) == 24


def test_a_crowded_table_takes_no_room_from_the_numbers_of_its_cases(tmp_path):
    row = [letter.isolated("TN-MED-2026-00099"), "Niveau 2, emploi", "Oui", "Accordée sous réserve", letter.isolated("2\u202f250,000 DT"), "1", "1", "0"]
    table = {"kind": "table", "head": ["Dossier", "Niveau", "Quorum", "Décision", "Montant", "Pour", "Contre", "Abst."], "rows": [row]}
    composed = filled("proces_verbal")
    read = printed.read(printing.pdf({**composed, "fr": {**composed["fr"], "blocks": [table]}}, AT), tmp_path)
    assert "TN-MED-2026-00099" in ISOLATES.sub("", read)
