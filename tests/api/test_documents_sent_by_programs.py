"""Documents by the API: kept, given back as attachments, refused by what they are."""

import pytest

from tests.engine.dossier.test_documents import HOSTILE, PDF


def test_a_file_sent_comes_back_as_an_attachment_to_its_sender_alone(program):
    sender = program("salma")
    answer = sender.post("/documents", files={"file": ("passeport <b>.pdf", PDF, "text/html")})
    assert answer.status_code == 201
    document_id = answer.json()["document_id"]
    given = sender.get(f"/documents/{document_id}")
    assert given.content == PDF and given.headers["content-type"] == "application/pdf" and given.headers["content-disposition"].startswith("attachment;")
    assert (
        "sandbox" in given.headers["content-security-policy"]
        and given.headers["x-content-type-options"] == "nosniff"
        and "<" not in given.headers["content-disposition"]
    )
    assert program("karim").get(f"/documents/{document_id}").status_code == 404


@pytest.mark.parametrize("what", sorted(HOSTILE)[::4])
def test_a_hostile_file_is_a_sentence(program, what):
    answer = program("salma", "en").post("/documents", files={"file": ("scan.pdf", HOSTILE[what], "application/pdf")})
    assert (
        answer.status_code == 422
        and answer.json()["code"] in ("document.kind", "document.kind_mixed")
        and "PDF" in answer.json()["detail"]
        or "formats" in answer.json()["detail"]
    )


@pytest.mark.parametrize(("sent", "code"), [({"files": {"file": ("x.pdf", b"", "application/pdf")}}, "document.empty"), ({"data": {"file": "text"}},
    "document.none"), ({}, "document.none"),
                                            ({"json": {"file": "x"}}, "document.none")])  # fmt: skip
def test_nothing_sent_is_a_sentence(program, sent, code):
    answer = program("salma").post("/documents", **sent)
    assert answer.status_code == 422 and answer.json()["code"] == code


def test_a_file_too_large_is_stopped(program):
    answer = program("salma").post("/documents", files={"file": ("x.jpg", b"\xff\xd8\xff" + b"\0" * 22_000_000, "image/jpeg")})
    assert answer.status_code == 413 and answer.json()["code"] == "api.too_large"
    answer = program("salma").post("/documents", files={"file": ("x.jpg", b"\xff\xd8\xff" + b"\0" * 20_000_000, "image/jpeg")})
    assert answer.status_code == 422 and answer.json()["code"] == "document.too_large"


def test_those_who_only_read_send_nothing(program):
    assert program("chokri").post("/documents", files={"file": ("x.pdf", PDF, "application/pdf")}).status_code == 403


@pytest.mark.parametrize(
    ("sent", "code"),
    [({"files": [("a", ("x.pdf", b"%PDF-1.4")), ("b", ("y.pdf", b"%PDF-1.4"))]}, "document.unreadable"),
     ({"content": b"abc", "headers": {"content-type": "multipart/form-data; boundary=x"}}, "document.unreadable"),
     ({"content": b"abc", "headers": {"content-type": "multipart/form-data"}}, "document.unreadable"), ({"data": {"file": "words"}}, "document.none"), ({"json": {}}, "document.none")],
)  # fmt: skip
def test_what_is_no_form_with_one_file_is_refused_in_words_that_are_about_files(program, sent, code):
    answer = program("salma").post("/documents", **sent)
    assert (answer.status_code, answer.json()["code"]) == (422, code) and answer.json()["errors"][0]["pointer"] == "#/file"
