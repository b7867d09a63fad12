"""`POST /checks` and `masar check` say the same of the same files, and what publication would say."""

import json
import os
from pathlib import Path

import pytest

from engine.casework import editions
from tests.faults import warm

ROOT = Path(__file__).parents[2]
ACCUEIL = (ROOT / "processes" / "accueil.bpmn").read_bytes()
SPOILED = ACCUEIL.replace(b'role="agent_accueil"', b'role="agent_acceuil"', 1)
NAMES = {"severity", "code", "file", "element", "message"}


def sent(*files):
    return {"files": [("files", (name, content, "application/octet-stream")) for name, content in files]}


def terminal(tmp_path, *files, language="en"):
    """(exit status, findings) of `masar check`."""
    written = []
    for number, (name, content) in enumerate(files):  # a page of the dictionary and a letter may have one name
        written.append(tmp_path / str(number) / name)
        written[-1].parent.mkdir()
        written[-1].write_bytes(content)
    done = warm.masar(["check", "--json", "--language", language, *map(str, written)], os.environ)
    assert done.stderr == ""
    return done.returncode, json.loads(done.stdout)["findings"]


def whole():
    """Every file of the project, so that both are asked of the same edition."""
    return [(path.rpartition("/")[2], content) for path, content in editions.files_of(ROOT / "processes", ROOT / "forms").items()]


def test_a_slip_is_told_the_same_way_by_the_api_and_at_the_terminal(program, tmp_path):
    files = [(name, SPOILED if name == "accueil.bpmn" else content) for name, content in whole()]
    answer = program("meriem", "en").post("/checks", **sent(*files))
    assert answer.status_code == 200
    told = answer.json()["findings"]
    status, at_the_terminal = terminal(tmp_path, *files)
    assert status == 1 and told == at_the_terminal
    assert all(one.keys() == NAMES for one in told)
    wrong = [one for one in told if one["severity"] == "error"]
    assert [(one["code"], one["file"], one["element"]) for one in wrong] == [("check.role_unknown", "accueil.bpmn", "T101")]
    assert "agent_acceuil" in wrong[0]["message"] and "[" not in wrong[0]["message"]


def test_what_only_needs_a_reason_is_no_failure_at_the_terminal(tmp_path):
    status, told = terminal(tmp_path, ("dossier_aide.bpmn", (ROOT / "processes" / "dossier_aide.bpmn").read_bytes()), language="fr")
    assert status == 0 and {one["severity"] for one in told} == {"warning"} and {one["file"] for one in told} == {"dossier_aide.bpmn"}


OF_ANYBODY = [
    ("accueil.bpmn", b"<!DOCTYPE x [<!ENTITY e SYSTEM 'file:///etc/passwd'>]><x>&e;</x>", "pathway.doctype"),
    ("tout.bpmn", b"", "pathway.not_xml"),
    ("table.dmn", b"<a/>", "dmn.not_dmn"),
    ("f11.toml", b"id = ", "definition.unreadable_at"),
    ("notes.txt", b"bonjour", "check.file_kind"),
]


@pytest.fixture(scope="module")
def of_anybody_at_the_terminal(tmp_path_factory):
    return terminal(tmp_path_factory.mktemp("anybody"), *[(name, content) for name, content, _ in OF_ANYBODY], language="fr")


@pytest.mark.parametrize(("name", "content", "code"), OF_ANYBODY)
def test_files_of_anybody_are_a_sentence_at_both(program, of_anybody_at_the_terminal, name, content, code):
    answer = program("chokri", "fr").post("/checks", **sent((name, content)))
    assert answer.status_code == 200
    found = [one for one in answer.json()["findings"] if one["code"] == code]
    assert found and found[0]["severity"] == "error" and found[0]["file"].startswith(name) and "[" not in found[0]["message"]
    status, told = of_anybody_at_the_terminal
    assert status == 1 and found[0] in told


def test_two_files_of_one_name_are_not_both_judged(program):
    answer = program("meriem").post("/checks", **sent(("a.bpmn", ACCUEIL), ("a.bpmn", ACCUEIL)))
    assert "check.file_repeated" in {one["code"] for one in answer.json()["findings"]}


def test_only_coordinators_and_auditors_may_ask(program):
    for username in ("salma", "karim", "amel", "zied"):
        assert program(username).post("/checks", **sent(("a.bpmn", ACCUEIL))).status_code == 403, username
    assert program().post("/checks", **sent(("a.bpmn", ACCUEIL))).status_code == 401


def test_nothing_sent_is_a_sentence(program):
    answer = program("meriem").post("/checks", data={"files": "text"})
    assert answer.status_code == 422 and answer.json()["code"] == "check.no_file"


def test_a_file_that_cannot_be_read_is_said_at_the_terminal(tmp_path):
    done = warm.masar(["check", str(tmp_path / "nada.bpmn")], os.environ)
    assert done.returncode == 1 and "nada.bpmn" in done.stderr and "Traceback" not in done.stderr
