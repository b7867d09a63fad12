"""The copy of what is kept of a person: all that whoever hands it over may read, in both languages, with a code that anybody verifies."""

from tests.web.test_a_letter_on_paper import text_of
from tests.web.test_a_task_page import complete
from tests.web.test_who_consulted_a_case import agree, lines


def test_the_copy_says_what_is_kept_of_her_and_bears_a_code_that_anybody_verifies(small, browser, tmp_path):
    case = complete(browser("salma"))
    agree(small, case)
    chokri, amel = browser("chokri"), browser("amel")
    assert f"{case}/copy.pdf" in chokri.get(f"{case}/casefile").text
    sheet = chokri.get(f"{case}/copy.pdf")
    assert sheet.status_code == 200 and sheet.headers["content-type"] == "application/pdf"
    found = " ".join(text_of(sheet.content, tmp_path))
    assert "Dridi" in found and "Copie de vos données personnelles" in found and "نسخة من معطياتكم الشخصية" in found
    assert "peut pas lire" in found and "santé" in found, "what the head of the branch does not read is said to be missing"
    assert "sociale" not in " ".join(text_of(amel.get(f"{case}/copy.pdf").content, tmp_path)).partition("peut pas lire")[2][:60], "her social worker's has what is social"
    told = next(line["body"] for kind, line in lines(small, case) if kind == "access.exported")
    assert (told["act"], told["recipient"]) == ("datacopy", "personne") and len(told["sha256"]) == 64
    assert "Dridi" not in str(told), "no value is in the chain"
    visitor = browser()
    shown = visitor.get("/receipt", params={"code": told["paper"].lower()})
    assert shown.status_code == 200 and "Copie de vos données personnelles" in shown.text and "Médenine" in shown.text
    assert "Dridi" not in shown.text and "/receipt/proof" not in shown.text
    assert visitor.get("/receipt", params={"code": "ZZZZZZZZ"}).status_code == 404
    assert browser("karim").get(f"{case}/copy.pdf").status_code == 404, "an adviser takes no case out"
    assert "copie des données" in chokri.get(f"{case}/readers").text
