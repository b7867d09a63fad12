"""Each refusal of the words is said in French, Arabic and English, with the same blanks to fill, and says what to do."""

import re
import string
from pathlib import Path

import pytest

from forms import text
from forms.feel import FeelError, compile_expression

ROOT = Path(__file__).resolve().parents[2]
SOURCE = "\n".join(path.read_text("utf-8") for path in (ROOT / "forms").glob("*.py"))
_CODE = re.compile(rf'"((?:{"|".join({code.partition(".")[0] for code in text.messages()} | {"answer", "rows"})})\.[a-z_]+)"')
BUILT = {"number.min", "number.max", "percent.min", "percent.max", "money.min", "money.max", "status.no_inconnu", "status.no_refuse", "status.inconnu",
    "status.refuse"}
KEYS = {f"key.{name}" for name in re.findall(r'"([a-z_]+)"', SOURCE)} & text.messages().keys()  # what an entry of a file is called
USED = set(_CODE.findall(SOURCE)) | BUILT | KEYS


def test_every_code_in_the_source_has_a_sentence():
    assert len(USED) > 60
    assert not USED - text.messages().keys()


def test_no_sentence_is_left_that_nothing_says():
    unsaid = text.messages().keys() - USED
    assert {code for code in unsaid if not code.startswith("key.")} == {"status.vide"}, "status.vide is for the faces: an answer left open"
    assert {code for code in unsaid if f'"{code.removeprefix("key.")}"' not in SOURCE} == {"status.vide"}, "the name of a key that no definition has"


@pytest.mark.parametrize("code", sorted(text.messages()))
def test_each_sentence_stands_in_three_languages_with_the_same_blanks(code):
    sentences = text.messages()[code]
    assert set(sentences) == {"fr", "ar", "en"}
    blanks = {language: sorted(name for _, name, _, _ in string.Formatter().parse(said) if name) for language, said in sentences.items()}
    assert blanks["fr"] == blanks["ar"] == blanks["en"]
    assert re.search("[\u0600-\u06ff]", sentences["ar"]) and not re.search("[\u0600-\u06ff]", sentences["fr"] + sentences["en"])


@pytest.mark.parametrize("wrong", ["a = ", "(a", "a b", "a ~ b", "f(1, b: 2)", "for x in [1] y", "[1..", "function(a) external {}", "(" * 300, "a" * 20_000])
def test_why_an_expression_cannot_be_read_is_said_in_each_language(wrong):
    with pytest.raises(FeelError) as trouble:
        compile_expression(wrong)
    said = {language: text.reason(trouble.value.reason, language) for language in ("fr", "ar", "en")}
    assert re.search("[\u0600-\u06ff]", said["ar"]) and said["fr"] != said["en"], trouble.value.reason


@pytest.mark.parametrize("code", sorted(code for code in text.messages() if code.partition(".")[0] not in ("word", "status", "key") and code != "form.confirm"))
def test_a_sentence_says_what_to_do_first(code):
    first = text.messages()[code]["fr"].split()[0]
    assert first.endswith(("ez", "tes", "Ne")), f"{code}: « {first} » is no imperative"
