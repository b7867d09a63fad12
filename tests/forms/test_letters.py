"""Letters: what a file may say, and the text it gives, in French and in Arabic."""

import datetime as dt
import json
import re
import tomllib
from decimal import Decimal

import pytest

from forms import dictionary as dictionaries
from forms import letter, letter_files
from forms.text import FormError
from tests.world import FORMS

DICTIONARY = dictionaries.load(FORMS / "dictionary")
FILES = {path.name: path.read_bytes() for path in sorted((FORMS / "letters").glob("*.toml"))}
LETTERS, HEAD = letter_files.read(FILES, DICTIONARY)
ISOLATES = re.compile("[\u2066\u2067\u2069]")
GIVEN = {
    name: {"fr": fr, "ar": ar, "en": fr}
    for name, (fr, ar) in {
        "numero": ("TN-MED-2026-00012",) * 2, "code": ("K7QM4ZTA",) * 2, "date": ("26 novembre 2026", "26 نوفمبر 2026"), "antenne": ("Médenine", "مدنين"),
        "agence": ("Office des Tunisiens à l'étranger", "ديوان التونسيين بالخارج"), "adresse": ("", ""), "personne": ("Salah Ben Ali", "صالح بن علي"),
    }.items()
}  # fmt: skip


def write(name, feel=None, stored=None, rows=None, files=FILES):
    """The composed letter; `feel`, `stored`: what conditions read and what is written out."""
    letters, head = letter_files.read(files, DICTIONARY)
    return letter.compose(letters[name], head, letter.Material(DICTIONARY, feel or {}, stored or {}, GIVEN, rows or {}))


def said(composed, language):
    """Every text of the body, without the marks that isolate numbers and names."""
    texts = []
    for block in composed[language]["blocks"]:
        texts += [block.get("text", ""), *block.get("items", ()), *block.get("head", ())]
        texts += [cell for row in block.get("rows", ()) for cell in row]
    return ISOLATES.sub("", "\n".join(texts))


def decided(decision, reason="Le devis manque.", closed=()):
    feel = {"parametres": {"jours_feries": list(closed), "delai_recours_jours": Decimal(15), "delai_reponse_recours_jours": Decimal(30), "delai_reserves_jours": Decimal(60)},
            "today": dt.date(2026, 11, 26), "aide": {"decision": decision, "notifie_le": dt.date(2026, 11, 25), "motif_decision": "x"}}  # fmt: skip
    stored = {"aide": {"decision": decision, "montant_accorde": 12_500_500, "date_demande": "2026-10-02", "motif_decision": reason}}
    return write("decision_aide", feel, stored)


def test_the_papers_of_the_pathway_are_all_written():
    assert set(LETTERS) >= {
        "recepisse", "convocation", "pieces_manquantes", "decision_aide", "refus_admission", "plan", "contrat_engagement", "proces_verbal", "ordre_paiement",
        "fiche_visite", "attestation", "accuse_recours", "accuse_reclamation", "copie_donnees", "fiche_orientation",
    }  # fmt: skip


def test_a_refusal_says_why_and_until_which_day_it_may_be_appealed_in_both_languages():
    composed = decided("refuse")
    french, arabic = said(composed, "fr"), said(composed, "ar")
    assert "ne peut pas vous être accordée" in french and "Motif : Le devis manque." in french
    assert "15 jours" in french and "jusqu'au 10 décembre 2026 inclus" in french and "30 jours" in french
    assert "500,500" not in french and "500,500" not in arabic, "no amount in a refusal"
    assert "تعذرت الموافقة" in arabic and "15 يوما" in arabic and "10 ديسمبر 2026" in arabic


def test_a_limit_that_falls_on_a_closed_day_is_the_next_on_which_the_branch_is_open():
    composed = decided("refuse", closed=[dt.date(2026, 12, 10), dt.date(2026, 12, 11)])
    assert "jusqu'au 14 décembre 2026 inclus" in said(composed, "fr") and "14 ديسمبر 2026" in said(composed, "ar"), "two holidays, then the weekend"


def test_a_grant_names_the_amount_to_the_millime_and_no_appeal():
    composed = decided("accorde")
    assert "12\u202f500,500\u00a0DT" in said(composed, "fr")
    assert "12\u202f500,500\u00a0د.ت" in said(composed, "ar")
    assert "recours" not in said(composed, "fr") and "التظلم" not in said(composed, "ar")


def test_the_time_to_appeal_is_a_dated_parameter_and_not_a_word_of_the_letter():
    for name, content in FILES.items():
        for language, sentence in re.findall(r"text\.(fr|ar) = \"(.*)\"", content.decode()):
            assert not re.search(r"\d+ (jours|يوما|mois|أشهر)", sentence), f"{name} ({language}): a delay is written out"
            assert not re.search(r"\d[\d \u202f]*,\d{3}", sentence), f"{name} ({language}): an amount is written out"


def test_the_instalments_of_a_contract_add_up_to_what_was_granted():
    feel = {"parametres": {"tranches": {"N3": [Decimal(60), Decimal(30), Decimal(10)]}, "factures_minimum": Decimal(90), "tranche_delai_mois": Decimal(6),
                           "preuve_relance_jours": Decimal(60)}, "aide": {"niveau": "N3", "montant_accorde": Decimal("1000.001"), "decision": "accorde"}}  # fmt: skip
    composed = write("contrat_engagement", feel, {"aide": {"niveau": "N3", "montant_accorde": 1_000_001}})
    table = next(block for block in composed["fr"]["blocks"] if block["kind"] == "table")
    amounts = [ISOLATES.sub("", row[1]) for row in table["rows"]]
    assert [int(re.sub(r"\D", "", amount)) for amount in amounts] == [600_000, 300_000, 100_001]
    assert "90\u00a0% au moins" in ISOLATES.sub("", table["rows"][1][2]) and "6 mois" in ISOLATES.sub("", table["rows"][2][2])


def test_each_missing_paper_says_how_it_may_be_obtained():
    feel = {"parametres": {"delai_pieces_jours": Decimal(30)}, "today": dt.date(2026, 11, 26), "aide": {"pieces_manquantes": ["PJ13"], "pieces_demandees_le": dt.date(2026, 11, 1)}}
    composed = write("pieces_manquantes", feel, {"aide": {"pieces_manquantes": ["PJ13"]}})
    assert "RIB" in said(composed, "fr") and "Auprès de votre banque" in said(composed, "fr") and "1er décembre 2026" in said(composed, "fr")
    assert "من البنك" in said(composed, "ar")
    asked = {code for code in DICTIONARY.fields["aide.pieces_manquantes"].choices if not DICTIONARY.pieces.get(code, {}).get("produced_by")}
    assert {code for code in asked if not DICTIONARY.pieces[code].get("obtain")} == set()


def test_the_minutes_count_the_votes_and_never_say_who_cast_them():
    votes = [{"vote": "pour", "nom": "Leila", "agence": "OTE"}, {"vote": "contre", "nom": "Karim", "agence": "CPS"}]
    file = {"decision": "refuse", "motif_decision": "Hors délai.", "votes": votes, "numero": "TN-MED-2026-00012"}
    composed = write("proces_verbal", {"seance": {}}, {"seance": {}}, {"dossiers": [(file, file)]})
    for language in letter.BOTH:
        assert "TN-MED-2026-00012" in said(composed, language) and "Hors délai." in said(composed, language)
        assert "Leila" not in said(composed, language) and "Karim" not in said(composed, language)
    row = next(block for block in composed["fr"]["blocks"] if block["kind"] == "table" and block["head"][0] == "Dossier")["rows"][0]
    assert [ISOLATES.sub("", cell) for cell in row[-3:]] == ["1", "1", "0"]
    shown = LETTERS["proces_verbal"].fields
    assert "vote.nom" not in shown and "vote.agence" not in shown, "not even read"


def test_numbers_and_names_of_the_other_script_are_set_apart_and_what_was_typed_turns_no_line():
    composed = decided("refuse", reason="\u202eabc\u2066")
    said_here = next(block["text"] for block in composed["ar"]["blocks"] if "abc" in block.get("text", ""))
    assert "\u2066abc\u2069" in said_here and "\u202e" not in said_here
    assert "\u2066TN-MED-2026-00012\u2069" in json.dumps(composed, ensure_ascii=False)
    assert letter.isolated("PJ13 كشف الهوية البنكية").startswith("\u2067"), "an Arabic label that begins with a code reads from the right"
    firm, seller = "شركة «Sté Nour & Fils» SARL، نهج 18 جانفي 1952", "Sté Nour, نهج الحبيب بورقيبة، عمارة السلام، الطابق الثاني"
    assert letter.isolated(firm).startswith("\u2067") and letter.isolated(seller).startswith("\u2066"), "as on the screen where it was typed, by its first word, however many are of the other script"
    assert letter.isolated("الهاتف +216 98 222 333 بعد 17") == "\u2067الهاتف \u2066+216\u00a098\u00a0222\u00a0333\u2069 بعد 17\u2069", "a number's groups stand in their order, on one line"


def test_what_nobody_knows_leaves_room_for_a_pen():
    assert letter.BLANK in said(write("decision_aide", {"parametres": {}, "aide": {"decision": "accorde"}}, {}), "fr")


@pytest.mark.parametrize("name", sorted(FILES))
def test_arabic_letters_are_arabic_without_vowel_signs_and_in_western_digits(name):
    def texts(found):
        if isinstance(found, dict):
            if set(found) >= {"fr", "ar"}:
                yield found["fr"], found["ar"]
            for inner in found.values():
                yield from texts(inner)
        elif isinstance(found, list):
            for inner in found:
                yield from texts(inner)

    pairs = list(texts(tomllib.loads(FILES[name].decode())))
    assert pairs
    for french, arabic in pairs:
        # A vowel sign breaks the word in the text of the PDF; Tunisian paper has Western digits.
        assert not re.search("[\u064b-\u0652\u0660-\u0669]", arabic), arabic
        assert sorted(re.findall(r"\{[^}]*\}", french)) == sorted(re.findall(r"\{[^}]*\}", arabic)), "both languages say the same facts"
        assert re.search("[\u0621-\u064a]", arabic) or not re.search("[a-zé]{2}", re.sub(r"\{[^}]*\}", "", french)), arabic


def broken(**changes):
    made = 'id = "essai"\nclass = "C"\ntitle = { fr = "Essai", ar = "تجربة", en = "Trial" }\n'
    return {"entete.toml": FILES["entete.toml"], "essai.toml": (made + changes["body"]).encode()}


@pytest.mark.parametrize(
    ("body", "where"),
    [
        ('[[block]]\ntext = { fr = "{aide.rien}", ar = "{aide.rien}" }', "essai.toml#block[0]"),
        ('[[block]]\ntext = { fr = "{nimporte}", ar = "{nimporte}" }', "essai.toml#block[0]"),
        ('[[block]]\ntext = { fr = "x" }', "essai.toml#block[0]"),
        ('[[block]]\nwhen = "aide.decision ="\ntext = { fr = "x", ar = "س" }', "essai.toml#block[0]"),
        ('[[block]]\nwhen = "aide.rien = 1"\ntext = { fr = "x", ar = "س" }', "essai.toml#block[0]"),
        ('[[block]]\neach = "aide.decision"\ntext = { fr = "x", ar = "س" }', "essai.toml#block[0].each"),
        ('[[block]]\neach = "aide.reserves"\ntext = { fr = "{item.rien}", ar = "{item.rien}" }', "essai.toml#block[0]"),
        ('[values]\nx = { feel = "today", type = "poids" }', "essai.toml#values.x"),
        ('couleur = "rouge"', "essai.toml#.couleur"),
    ],
)
def test_a_letter_that_names_what_does_not_exist_is_refused_with_its_place(body, where):
    with pytest.raises(FormError) as refused:
        letter_files.read(broken(body=body), DICTIONARY)
    assert {found.where for found in refused.value.findings} == {where}
