"""The README's glossary: every noun of the code that people meet has its French and its Arabic word."""

import re

from tests.house.test_the_repository import ROOT

ROW = re.compile(r"^\| ([a-z ]+) \| ([^|]+) \| ([^|]+) \|$", re.MULTILINE)
# Modules whose name is no noun of the trade: layers of the code itself.
OF_THE_CODE = {"access", "agencies", "attested", "chain", "diagrams", "found", "gathered", "inferred", "kept", "keys", "known_then", "looks", "merkle", "notes", "projections", "proving", "proving_log", "rebuilt", "repair_views",
               "roles", "rows", "sealing", "signin", "stand_ins", "standing", "strips", "verify_receipt", "views"}
IRREGULAR = {"beneficiaries": "beneficiary", "agencies": "agency", "branches": "branch", "batches": "batch", "vacancies": "vacancy", "sketches": "sketch", "witness": "witness"}


def glossary():
    return {english: (french.strip(), arabic.strip()) for english, french, arabic in ROW.findall((ROOT / "README.md").read_text("utf-8"))}


def test_every_table_and_module_of_the_trade_has_its_two_other_words():
    tables = re.findall(r"^CREATE TABLE (\w+)", (ROOT / "engine/migrations/0001_foundation.sql").read_text("utf-8"), re.MULTILINE)
    modules = [path.stem for room in ("actors", "dossier", "casework", "ledger") for path in (ROOT / "engine" / room).glob("[a-z]*.py") if path.stem not in OF_THE_CODE]
    nouns = {name.rpartition("_")[2] for name in tables} | {IRREGULAR.get(word := name.rpartition("_")[2], word.removesuffix("s")) for name in modules}
    known = glossary()
    assert sorted(nouns - known.keys()) == []


def test_no_noun_has_two_rows():
    rows = [english for english, _, arabic in ROW.findall((ROOT / "README.md").read_text("utf-8")) if not arabic.isascii()]
    assert sorted({english for english in rows if rows.count(english) > 1}) == []


def test_each_row_is_in_both_scripts():
    for english, (french, arabic) in glossary().items():
        assert re.search(r"[a-zéèêàç]", french), english
        assert re.search(r"[\u0600-\u06ff]", arabic), english
