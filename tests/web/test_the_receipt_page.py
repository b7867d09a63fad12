"""Where my case stands, for the holder of a receipt: no account, no name, no answer, in three languages."""

import re

from tests.web import printed
from tests.web.small.answers import reception
from tests.web.test_a_task_page import act, open_case


def test_the_holder_of_a_receipt_follows_the_case_without_account_and_reads_nothing_else(browser):
    salma, visitor = browser("salma"), browser()
    open_case(salma)
    case = re.search(r"/cases/[0-9a-f-]{36}", salma.page.text)[0]
    typed = reception()
    act(salma, "complete", typed)
    page = salma.get(case).text
    code = re.search(r'aria-labelledby="receipt".*?<bdi dir="ltr"[^>]*>([^<]+)</bdi>', page, re.S)[1]
    shown = visitor.get("/receipt", params={"code": code.lower()})
    assert shown.status_code == 200
    assert "Étape actuelle" in shown.text
    assert "On attend" in shown.text
    for said in (typed["person.nom_fr"], typed["person.nom_ar"], typed["person.cin"], case, "TN-MED"):
        assert said not in shown.text
    assert "المرحلة الحالية" in visitor.get("/receipt", params={"code": code, "language": "ar"}).text


def test_a_code_that_was_never_given_is_refused_in_words(browser):
    visitor = browser()
    for code in ("ZZZZZZZZ", "<script>", "٠١٢٣", "' OR 1=1"):
        page = visitor.get("/receipt", params={"code": code})
        assert page.status_code == 404, code
        assert "Ce code n'existe pas" in page.text.replace("&#39;", "'")
    assert visitor.get("/receipt").status_code == 200


def test_the_receipt_is_printed_in_both_languages_by_those_who_may_read_the_person(browser, tmp_path):
    salma, nabil, ines = browser("salma"), browser("nabil"), browser("ines")
    open_case(salma)
    case = re.search(r"/cases/[0-9a-f-]{36}", salma.page.text)[0]
    typed = reception()
    act(salma, "complete", typed)
    address = re.search(r"/letters/[0-9a-f-]{36}", salma.get(case).text)[0]
    sheet = salma.get(address)
    assert sheet.headers["content-type"] == "application/pdf" and sheet.content.startswith(b"%PDF-")
    read = printed.read(sheet.content, tmp_path)
    for said in (typed["person.nom_fr"], typed["person.nom_ar"], "Récépissé", "وصل إيداع"):
        assert said in read
    assert ines.get(address).status_code == 404, "another branch"
    assert nabil.get(address).status_code == 404, "another agency, without consent"
    assert browser("zied").get(address).status_code == 404
