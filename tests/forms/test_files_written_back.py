"""A form or a page of the dictionary written back: it says what is wanted, and what did not change stays as it was written."""

import difflib
import tomllib
from copy import deepcopy
from pathlib import Path

import pytest

from forms.rewriting import rewrite

FORMS = Path(__file__).parents[2] / "forms"
FILES = sorted([*(FORMS / "tasks").glob("*.toml"), *(FORMS / "dictionary").glob("*.toml"), *(FORMS / "letters").glob("*.toml")])
LABEL = {"fr": 'dire "oui"', "ar": "قل «نعم»", "en": "it's\nyes"}


def changes(content):
    """Ways in which an editor changes a file."""
    one = deepcopy(content)
    one["title"] = {**one.get("title", {}), "ar": "غير"}
    yield one
    if sections := content.get("section"):
        one = deepcopy(content)
        one["section"].reverse()
        one["section"][0]["ask"] = [{"field": "a.b", "when": 'c.d = "e"'}, *reversed(one["section"][0]["ask"])]
        one["section"].append({"title": LABEL, "ask": []})
        yield one
        yield {**deepcopy(content), "section": deepcopy(sections[1:])} if sections[1:] else {key: value for key, value in content.items() if key != "section"}
    if fields := content.get("fields"):
        one, first = deepcopy(content), next(iter(fields))
        one["fields"][first] |= {"help": LABEL, "optional": not fields[first].get("optional"), "min": 3}
        one["fields"]["neuf.un"] = {"type": "enum", "label": LABEL, "values": [{"code": "a", "label": LABEL}]}
        del one["fields"][list(fields)[-1]]
        yield one


def removed(before, after):
    return [line[1:] for line in difflib.unified_diff(before.decode().splitlines(), after.decode().splitlines(), n=0, lineterm="") if line[:1] == "-" and line[:3] != "---"]


@pytest.mark.parametrize("kind", ["tasks", "dictionary", "letters"])
def test_every_file_of_the_project_says_what_is_wanted_and_keeps_the_rest(kind):
    for path in FILES:
        if path.parent.name == kind:
            before = path.read_bytes()
            content = tomllib.loads(before.decode())
            assert rewrite(before, content) == before
            for wanted in changes(content):
                after = rewrite(before, wanted)
                assert tomllib.loads(after.decode()) == wanted, path.name
                assert rewrite(after, wanted) == after
                assert before.decode().count("#") == after.decode().count("#"), path.name


def test_only_the_lines_that_change_change():
    before = (FORMS / "tasks" / "f12.toml").read_bytes()
    content = tomllib.loads(before.decode())
    content["check"][0]["message"]["ar"] = "غير"
    content["section"][0]["ask"].insert(1, "person.tel")
    assert removed(before, rewrite(before, content)) == ['message.ar = "الشخص لا يقرأ: يجب أن يُتلى عليه النص بصوت مسموع."']


def test_comments_unknown_keys_and_the_ends_of_lines_are_kept():
    before = b'# head\r\nid = "x" # why\r\nstrange = [1, 2]\r\n\r\n[[section]]\r\nask = [\r\n  "a.b", # first\r\n  "c.d",\r\n]\r\n'
    after = rewrite(before, {"id": "y", "strange": [1, 2], "section": [{"ask": ["c.d", "a.b", "e.f"]}]})
    assert after == b'# head\r\nid = "y" # why\r\nstrange = [1, 2]\r\n\r\n[[section]]\r\nask = [\r\n  "c.d",\r\n  "a.b", # first\r\n  "e.f",\r\n]\r\n'


@pytest.mark.parametrize("text", ["", "a\tb", "'", "''' \" '''", "\\", "a\nb'", "\n'x'", "\u0001", "é\u200f\u2066", "fin '"])
def test_any_text_comes_back(text):
    assert tomllib.loads(rewrite(b"", {"a": text, "b": {"c": text}, "d": [{"e": [text, {"f": text}]}]}).decode()) == {"a": text, "b": {"c": text}, "d": [{"e": [text, {"f": text}]}]}


def test_what_the_style_keeper_cannot_do_is_written_anew():
    before = b'[[section]]\nask = ["a"]\n[[check]]\nholds = "b"\n[[section]]\nask = ["c"]\n'
    wanted = {"section": [{"ask": ["c"]}, {"ask": ["d"]}], "check": [], "title": {"fr": "x"}}
    assert tomllib.loads(rewrite(before, wanted).decode()) == wanted
