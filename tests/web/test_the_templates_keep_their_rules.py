"""Templates and texts as objects: escaped, complete in three languages, htmx in one place, nothing inline."""

import re
from pathlib import Path

import pytest

from engine import i18n
from web import rendering

WEB = Path(rendering.__file__).parent
TEMPLATES = sorted((WEB / "templates").rglob("*.html"))
PLURALS = {"zero", "one", "two", "few", "many", "other"}
NEEDED = {"fr": {"one", "other"}, "en": {"one", "other"}, "ar": {"one", "two", "few", "many", "other"}}


def codes(language):
    return {code for code in i18n.catalogue(language) if code.startswith("web.")}


def without_plural(found):
    return {code.rpartition(".")[0] if code.rpartition(".")[2] in PLURALS else code for code in found}


@pytest.mark.parametrize("language", ["ar", "en"])
def test_every_text_of_the_pages_exists_in_every_language(language):
    assert without_plural(codes(language)) == without_plural(codes("fr"))


@pytest.mark.parametrize("language", ["fr", "ar", "en"])
def test_what_fills_a_sentence_is_the_same_in_every_language(language):
    for code in codes("fr") & codes(language):
        if code.rpartition(".")[2] not in PLURALS:
            filled = [set(re.findall(r"{(\w+)[:}]", i18n.catalogue(lang)[code])) for lang in ("fr", language)]
            assert filled[0] == filled[1], code


@pytest.mark.parametrize("language", ["fr", "ar", "en"])
def test_a_counted_sentence_has_every_plural_form_of_its_language(language):
    groups = {}
    for code in codes(language):
        head, _, last = code.rpartition(".")
        if last in PLURALS:
            groups.setdefault(head, set()).add(last)
    for head, forms in groups.items():
        assert forms == {"other"} or forms >= NEEDED[language], (head, forms)


@pytest.mark.parametrize("language", ["fr", "ar", "en"])
def test_what_is_counted_within_a_sentence_has_every_plural_form_too(language):
    for code, text in i18n.catalogue(language).items():
        for forms in re.findall(r"{\w+:(\w+=[^{}]*)}", text):
            assert {one.partition("=")[0] for one in forms.split("|")} >= NEEDED[language], code


def test_in_arabic_no_number_stands_before_a_noun_that_never_changes():
    """Three to ten take the plural, eleven to ninety-nine the accusative, a hundred the singular."""
    lone = re.compile(r"{\w+}\s(?:يوم|يوما|أيام|شهر|أشهر|ساعة|دقيقة|ملف|ملفات|سطر|أسطر|مهمة|مهام|شخص|أشخاص|مرة|مرات|وثيقة|وثائق|عضو|أعضاء)(?!\w)")
    once = {"web.draft.accepted_by", "web.history.piece_lodged", "web.desk.awaited_first", "web.desk.found_first", "web.simulation.people_how"}  # who did it, a date, whole hundreds
    texts = {code: text for code, text in i18n.catalogue("ar").items() if code.rpartition(".")[2] not in PLURALS and code not in once}
    assert {code: text for code, text in texts.items() if lone.search(text)} == {}


@pytest.mark.parametrize(("number", "said"), [("1", "يوم واحد"), ("2", "يومان"), ("7", "7 أيام"), ("69", "69 يوما"), ("100", "100 يوم"), ("1\u202f103", "1\u202f103 أيام"), ("7,5", "7,5 يوم"), ("", " يوم")])
def test_an_arabic_count_of_days_follows_its_number_as_it_is_written(number, said):
    assert i18n.translate("web.steering.in.days", "ar", number=number) == said


def test_no_number_stands_before_a_plural_that_never_changes():
    """In French, which says it on the noun. Limits, which are always many, may."""
    lone = re.compile(r"{(?!most|enough|longest|shortest|megapixels|megabytes|hours|what)\w+}[\s\u00a0](?:autres )?(?!fois|pas|remis|dans|vers|mois)\w+s\b")
    texts = {code: text for code, text in i18n.catalogue("fr").items() if code.rpartition(".")[2] not in PLURALS and code not in ("document.quota", "import.workbook_large")}
    assert {code: text for code, text in texts.items() if lone.search(text)} == {}


@pytest.mark.parametrize(("number", "said"), [(1, "ملف واحد"), (2, "ملفين"), (3, "3 ملفات"), (11, "11 ملفا"), (100, "100 ملف")])
def test_arabic_counts_as_arabic_does(number, said):
    assert i18n.translate("web.moving.progress", "ar", done=0, total=number) == f"0 من {said}"
    assert i18n.translate("web.moving.progress", "fr", done=1, total="1\u202f002").endswith("dossiers")


def test_every_text_a_page_asks_for_was_written():
    known = without_plural(codes("fr")) | codes("fr")
    sources = [*TEMPLATES, *WEB.glob("*.py"), *(WEB / "pages").glob("*.py")]
    for path in sources:
        for code in re.findall(r"""\b(?:t|n|text|count)\(\s*"([a-z0-9_]+(?:\.[a-z0-9_]+)*)"\s*[,)]""", path.read_text("utf-8")):
            # A code that ends with a dot is completed at run time (`"agency." ~ code`): at least one text must stand under it.
            written = f"web.{code}" in known or (code.endswith(".") and any(one.startswith(f"web.{code}") for one in known))
            assert written, (path.name, code)


def test_every_template_can_be_read():
    for path in TEMPLATES:
        rendering.environment().get_template(str(path.relative_to(WEB / "templates")))


def test_htmx_is_written_in_one_file_only():
    for path in TEMPLATES:
        if path.name != "forms.html":
            assert not re.search(r"\s(hx-|sse-)[a-z-]+=", path.read_text("utf-8")), path


def test_no_style_or_script_is_written_into_a_page():
    for path in TEMPLATES:
        text = path.read_text("utf-8")
        assert not re.search(r"""\sstyle=|\son[a-z]+=|<style|javascript:""", text), path
        assert all("src=" in tag for tag in re.findall(r"<script[^>]*>", text)), path


def test_nothing_escapes_the_escaping():
    for path in [*TEMPLATES, *WEB.rglob("*.py")]:
        if "node_modules" not in path.parts:
            assert not re.search(r"\|\s*safe\b|Markup\(|from_string|autoescape\s+false", path.read_text("utf-8")), path
    assert rendering.environment().autoescape is True


def test_hostile_text_comes_out_as_text():
    template = rendering.environment().get_template("components/parts.html").module
    shown = str(template.number("<script>alert(1)</script>\u202e{{ 7*7 }}"))
    assert "<script" not in shown
    assert "{{ 7*7 }}" in shown
    assert "\u202e" not in shown


def test_styles_name_colours_in_the_theme_only():
    for path in (WEB / "assets" / "styles").glob("*.css"):
        if path.name != "theme.css":
            assert not re.search(r"#[0-9a-f]{3,8}\b|\brgba?\(", path.read_text("utf-8"), re.I), path


def test_styles_are_written_without_left_and_right():
    for path in (WEB / "assets" / "styles").glob("*.css"):
        found = re.findall(r"(?<![-\w])(?:margin|padding|border|inset)?-?(?:left|right)\s*:", path.read_text("utf-8"))
        assert not found, (path.name, found)


def test_no_lock_or_setting_names_a_registry():
    for name in ("package.json", "package-lock.json", ".npmrc"):
        text = (WEB / "assets" / name).read_text("utf-8")
        assert '"resolved"' not in text
        assert "registry=" not in text


def test_no_form_stands_in_a_paragraph():
    """A browser closes the paragraph before the form: what was to stand in one line stands apart, with an empty paragraph below."""
    within = re.compile(r"<p(?: [^>]*)?>(?:(?!</?p[ >]).)*?(?:\bact\(|call form\(|<form)", re.DOTALL)
    assert [(path.name, found[0][-60:]) for path in TEMPLATES if (found := within.search(path.read_text()))] == []
