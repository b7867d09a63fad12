"""Administration by file: tried first, every line that is wrong told, then all of it or nothing."""

import datetime as dt
import io
import struct
import time
import tracemalloc
import zipfile
import zlib

import pytest
from openpyxl import Workbook

from engine import errors, i18n
from engine.actors import accounts, users
from engine.casework import imports
from engine.dossier import catalogues, holidays
from engine.ledger import journal
from tests.engine.administration.conftest import REASON

HEAD = "identifiant;nom;nom_ar;agence;antenne;roles;langue\r\n"


def lines(house):
    with house.reading(users.system()) as session:
        return next((one.seq for one in journal.read(session, limit=1)), 0)


def test_a_trial_changes_nothing_and_then_all_of_it_is_done(house, act):
    content = ("\ufeff" + HEAD + "f.imen;Imen Saïdi;إيمان السعيدي;OTE;MED;referent, agent_accueil;ar\r\n;;;;;;\r\nf.chef;Ali Chef;;ote;sfx;chef_antenne;\r\n").encode()
    before = lines(house)
    report = act("zied", imports.run, "users", content, REASON, is_trial=True)
    assert (report.count, report.findings, report.is_done, report.passwords) == (2, (), False, ()) and lines(house) == before
    done = act("zied", imports.run, "users", content, REASON, is_trial=False)
    assert done.is_done and [name for name, _ in done.passwords] == ["f.imen", "f.chef"] and all(word for _, word in done.passwords) and done.proposals == 1
    found = {one.username: one for one in act("zied", accounts.listed, search="f.")}
    assert found["f.imen"].roles == ("agent_accueil", "referent") and found["f.imen"].language == "ar" and found["f.chef"].roles == () and found["f.chef"].proposed == ("rights",)


def test_everything_wrong_is_told_by_line_and_nothing_is_done(house, act):
    content = (HEAD + "g.bon;Bon Compte;;OTE;MED;referent;\r\nsalma;Salma;;OTE;MED;referent;\r\ng.apart;X;;OTE;TUN;ordonnateur gestionnaire_aides;\r\n"
               "g.cps;X;;CPS;MED;referent;\r\ng.bon;Encore;;OTE;MED;referent;\r\ng.lieu;X;;OTE;XXX;referent;de\r\n").encode()  # fmt: skip
    before = lines(house)
    for is_trial in (True, False):
        report = act("zied", imports.run, "users", content, REASON, is_trial=is_trial)
        assert [(one.where, one.code) for one in report.findings] == [
            ("3", "user.exists"), ("4", "user.roles_apart"), ("5", "user.roles"), ("6", "user.exists"), ("7", "user.branch"), ("7", "user.language")]  # fmt: skip
        assert not report.is_done and lines(house) == before
        for one in report.findings:
            assert all(not i18n.translate(one.code, language, **one.details).startswith("[") for language in i18n.LANGUAGES)


def test_what_a_file_of_programmes_sets_no_bound_to_is_a_warning_to_be_read(house, act):
    head = ";".join(name.removesuffix("?") for name in imports.COLUMNS["programmes"])
    row = dict.fromkeys(head.split(";"), "") | {"code": "G-1", "valable_du": "01/01/2035", "nom_fr": "G", "nom_ar": "ج", "nom_en": "G", "source": "Convention"}
    content, before = f"{head}\n{';'.join(row.values())}\n".encode(), lines(house)
    tried = act("zied", imports.run, "programmes", content, REASON, is_trial=True)
    assert (tried.count, [(one.where, one.code, one.severity) for one in tried.findings]) == (1, [("2", "programme.no_level", "warning")])
    unread = act("zied", imports.run, "programmes", content, REASON, is_trial=False)
    assert not unread.is_done and [one.code for one in unread.findings] == ["programme.no_level"] and lines(house) == before
    assert act("zied", imports.run, "programmes", content, REASON, is_trial=True, is_known=True).findings == ()
    assert act("zied", imports.run, "programmes", content, REASON, is_trial=False, is_known=True).is_done


@pytest.mark.parametrize(("kind", "line", "codes"), [
    ("users", "salma;;;NSA;;roi;de", ["user.exists", "user.name", "user.agency", "user.roles_unknown", "user.no_branch", "user.language"]),
    ("users", ";X;;;XXX;;", ["user.no_username", "user.no_agency", "user.no_role", "user.branch"]),
    ("users", "h.deux;X;;CPS;TUN;ordonnateur gestionnaire_aides;", ["user.roles", "user.roles_apart"]),
    ("branches", "gafsa1;01/01/2020;Gafsa;;Gafsa;TN-99;CPS", ["dated.too_soon", "branch.code", "branch.names", "branch.governorate", "branch.agencies"]),
    ("holidays", "32/01/2031;;ا;A;peut-être", ["import.day", "import.flag", "branch.names"]),
    ("parameters", "quorum_minimum;01/01/2020;trois;;non", ["dated.source", "dated.too_soon", "parameter.shape"]),
    ("programmes", "f 1;hier;F;;F;;;mille;;;;;;;;;;;;;", ["import.amount", "import.day", "dated.source", "programme.code", "programme.label"]),
])  # fmt: skip
def test_a_line_tells_all_that_is_wrong_with_it(house, act, kind, line, codes):
    head = ";".join(name.removesuffix("?") for name in imports.COLUMNS[kind])
    report = act("zied", imports.run, kind, f"{head}\n{line}\n".encode(), REASON, is_trial=True)
    assert [(one.where, one.code) for one in report.findings] == [("2", code) for code in codes]
    for language in i18n.LANGUAGES:
        for one in report.findings:
            said = i18n.translate(one.code, language, **one.details)
            assert not said.startswith("[") and "{" not in said and not any(hole in said for hole in ("«  »", "« »", "«»", "“”"))


def test_what_may_not_be_done_is_told_before_what_is_wrong(act):
    with pytest.raises(errors.Forbidden):
        act("karim", catalogues.add_programme, "f 1", dt.date(2020, 1, 1), {}, "", False, REASON)


@pytest.mark.parametrize("kind", sorted(imports.COLUMNS))
def test_the_example_of_each_kind_is_a_file_that_can_be_taken_up(house, act, kind):
    assert {len(row) for row in imports.EXAMPLES[kind]} == {len(imports.COLUMNS[kind])}
    report = act("zied", imports.run, kind, imports.template(kind).encode(), REASON, is_trial=True)
    assert (report.findings, report.count) == ((), 1)


def test_files_of_a_spreadsheet_are_read_as_it_writes_them(house, act):
    comma = 'jour,nom_fr,nom_ar,nom_en,estimation\n2031-01-03,"Pont, exceptionnel",عطلة,Bridge,oui\n'.encode()
    tabs = "jour\tnom_fr\tnom_ar\tnom_en\n04/01/2031\tPont\tعطلة\tBridge\n".encode()
    for content in (comma, tabs):
        assert act("zied", imports.run, "holidays", content, REASON, is_trial=False).count == 1
    found = act("zied", holidays.listed, 2031)
    assert [(one.day.day, one.names["fr"], one.is_estimate) for one in found] == [(3, "Pont, exceptionnel", True), (4, "Pont", False)]
    levels = ("code;valable_du;nom_fr;nom_ar;nom_en;source;fonds;pays;niveau;plafond;projet_viable\nF-1;01/01/2031;F;ف;F;Convention;1 250,5;FR BE;N2;15 000;non\n"
              "F-1;;;;;;;;N3;16000,500;oui\n").encode()  # fmt: skip
    assert act("zied", imports.run, "programmes", levels, REASON, is_trial=False).count == 1
    sheet = act("zied", catalogues.programmes_listed, "F-1")[0]
    assert sheet.fund.available_millimes == 1_250_500 and sheet.versions[0].value["niveaux"] == [
        {"niveau": "N2", "plafond_millimes": 15_000_000, "projet_viable": False}, {"niveau": "N3", "plafond_millimes": 16_000_500, "projet_viable": True}]  # fmt: skip
    values = 'code;valable_du;valeur;source\nbase_adulte_millimes;01/01/2031;1 400,250;Note\ntranches;01/01/2031;"{""N1"":[100],""N2"":[40,60],""N3"":[60,30,10]}";Note\n'.encode()
    assert act("zied", imports.run, "parameters", values, REASON, is_trial=False).count == 2
    assert act("zied", catalogues.parameters_listed, "base_adulte_millimes")[0].versions[-1].value == 1_400_250


def workbook(*rows):
    written, book = io.BytesIO(), Workbook()
    for row in rows:
        book.active.append(row)
    book.save(written)
    return written.getvalue()


def repacked(content, name, change, beside=""):
    """A workbook with one of its parts changed, and another one beside them."""
    written = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as new:
        for one in old.namelist():
            new.writestr(one, change(old.read(one)) if one == name else old.read(one))
        if beside:
            new.writestr(beside, b"<a/>")
    return written.getvalue()


def test_a_workbook_is_read_as_its_file_of_text_would_be(house, act):
    head = ("Jour", "nom_fr", "nom_ar", "nom_en", "estimation")
    content = workbook(head, (dt.date(2031, 3, 5), "Pont", "عطلة", "Bridge", True), (), ("06/03/2031", 1956, "عطلة", "Bridge", "non"))
    assert act("zied", imports.run, "holidays", content, REASON, is_trial=False).count == 2
    found = [one for one in act("zied", holidays.listed, 2031) if one.day.month == 3]
    assert [(one.day.day, one.names["fr"], one.is_estimate) for one in found] == [(5, "Pont", True), (6, "1956", False)]
    wrong = workbook(head, (dt.date(2031, 3, 7), "A", "ا", "A", None), (), (dt.date(2020, 1, 1), "A", "ا", "A", None))
    report = act("zied", imports.run, "holidays", wrong, REASON, is_trial=True)
    assert [(one.where, one.code) for one in report.findings] == [("4", "dated.too_soon")], "by the line one sees in the spreadsheet"


SHEET = "xl/worksheets/sheet1.xml"
SMALL = workbook(("jour", "nom_fr", "nom_ar", "nom_en"), (dt.date(2031, 4, 5), "Pont", "عطلة", "Bridge"))
BOMB = b"<!DOCTYPE a [<!ENTITY a 'aaaaaaaaaa'><!ENTITY b '&a;&a;&a;&a;&a;&a;&a;&a;'>]>"


@pytest.mark.parametrize(("content", "code"), [
    (SMALL[: len(SMALL) // 2], "import.workbook"), (b"PK\x03\x04 no archive", "import.workbook"),
    (repacked(SMALL, SHEET, lambda was: was.replace(b"</sheetData>", b" " * 60_000_000 + b"</sheetData>")), "import.workbook_large"),
    (repacked(SMALL, SHEET, lambda was: BOMB + was), "import.workbook"), (repacked(SMALL, SHEET, lambda was: was.decode().encode("utf-16")), "import.workbook"),
    (repacked(SMALL, SHEET, lambda was: was.replace(b'r="2"', b'r="1048576"')), "import.workbook_large"),
    (repacked(SMALL, "[Content_Types].xml", lambda was: was.replace(b"sheet.main", b"sheet.macroEnabled.main")), "import.workbook_macros"),
    (repacked(SMALL, SHEET, lambda was: was, beside="xl/vbaProject.bin"), "import.workbook_macros"), (repacked(SMALL, SHEET, lambda was: was, beside="xl/macrosheets/sheet1.xml"), "import.workbook_macros"),
    (workbook(("jour", "nom_fr"), ("=TODAY()", "Pont")), "import.workbook_formulas"), (repacked(SMALL, SHEET, lambda was: was.replace(b'<c r="A2"', b'<c r="A2"><f>1+1</f><v>2</v></c><c r="Z2"', 1)), "import.workbook_formulas"),
    (repacked(SMALL, SHEET, lambda was: b"<broken"), "import.workbook"), (repacked(SMALL, "xl/workbook.xml", lambda was: b"<a/>"), "import.workbook"),
])  # fmt: skip
def test_a_workbook_that_is_damaged_or_a_bomb_is_refused_at_once(act, content, code):
    begun = time.monotonic()
    with pytest.raises(errors.Invalid, match=rf"^{code}$"):
        act("zied", imports.run, "holidays", content, REASON, is_trial=True)
    assert time.monotonic() - begun < 3


@pytest.mark.parametrize(("content", "code"), [
    (b"", "import.empty"), (HEAD.encode(), "import.empty"), (b"\xff\xfe\x00", "import.not_text"), ("identifiant;nom\n".encode() + b"a;b\n", "import.columns"),
    ((HEAD.strip() + ";secret\r\na;b;c;d;e;f;g;h\r\n").encode(), "import.columns"), (("x" * 600_000).encode(), "import.too_large"),
    ((HEAD + "a;b;c;OTE;MED;referent;fr;encore\r\n").encode(), "import.columns"), ((HEAD + "a;b;c;OTE;MED;referent;fr\r\n" * 201).encode(), "import.too_many"),
    ((HEAD + 'a;"b;c').encode(), "import.not_text"), ("é".encode("latin-1"), "import.not_text"),
])  # fmt: skip
def test_what_is_no_such_file_is_refused_whole(act, content, code):
    with pytest.raises(errors.Invalid, match=rf"^{code}\b"):
        act("zied", imports.run, "users", content, REASON, is_trial=True)


@pytest.mark.parametrize(("line", "code"), [
    ("32/01/2031;A;ا;A;", "import.day"), ("2020-01-01;A;ا;A;", "dated.too_soon"), ("05/01/2031;;ا;A;", "branch.names"), ("05/01/2031;A;ا;A;peut-être", "import.flag")])  # fmt: skip
def test_a_cell_that_cannot_be_read_is_told_with_its_line(act, line, code):
    report = act("zied", imports.run, "holidays", f"jour;nom_fr;nom_ar;nom_en;estimation\n06/01/2031;B;ب;B;non\n{line}\n".encode(), REASON, is_trial=True)
    assert [(one.where, one.code) for one in report.findings] == [("3", code)]


def test_nobody_else_takes_up_a_file(act):
    for name in ("meriem", "chokri", "karim"):
        for kind in imports.COLUMNS:
            with pytest.raises(errors.Forbidden, match="act.forbidden"):
                act(name, imports.run, kind, b"", REASON, is_trial=True)
    with pytest.raises(errors.NotFound, match="import.kind"):
        act("zied", imports.run, "cases", b"a;b", REASON, is_trial=True)


def test_a_workbook_that_lies_about_its_size_fills_no_memory(act):
    """Its directory says a kilobyte where a gigabyte is packed; the sum is that of the kilobyte."""
    packed, written = zlib.compressobj(9, zlib.DEFLATED, -15), io.BytesIO()
    many = b" " * 1_000_000
    body = b"".join([packed.compress(b" " * 1000), *(packed.compress(many) for _ in range(300)), packed.flush()])
    name = b"xl/workbook.xml"
    sums = struct.pack("<IIIHH", zlib.crc32(b" " * 1000), len(body), 1000, len(name), 0)
    written.write(b"PK\x03\x04" + struct.pack("<HHHHH", 20, 0, 8, 0, 33) + sums + name + body)
    directory = b"PK\x01\x02" + struct.pack("<HHHHHH", 20, 20, 0, 8, 0, 33) + sums + struct.pack("<HHHII", 0, 0, 0, 0, 0) + name
    end = b"PK\x05\x06" + struct.pack("<HHHHIIH", 0, 0, 1, 1, len(directory), written.tell(), 0)
    tracemalloc.start()
    try:
        with pytest.raises(errors.Invalid, match=r"^import.workbook$"):
            act("zied", imports.run, "holidays", written.getvalue() + directory + end, REASON, is_trial=True)
        assert tracemalloc.get_traced_memory()[1] < 50_000_000
    finally:
        tracemalloc.stop()
