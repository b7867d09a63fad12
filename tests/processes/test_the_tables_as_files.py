"""The decision files themselves: readable, complete, naming only what exists, and holding no amount, threshold or delay of their own."""

import re
from collections import Counter

import pytest
from lxml import etree

from engine.pathway import decisions
from tests.processes import reading, test_aid_dossiers, test_amounts_and_projects, test_follow_up, test_what_is_open_to_them, test_who_comes_in
from tests.processes.conftest import VARIABLES

FILES = sorted((reading.PROCESSES / "decisions").glob("*.dmn"))
DMN, MASAR = "{https://www.omg.org/spec/DMN/20191111/MODEL/}", "{urn:masar:bpmn:1}"
EXPECTED = {"D0", "D1", "D2", "D3", "D4a", "D4", "D5", "D5b", "D6", "D7", "D8", "D8b", "D9", "D9b", "D10c", "D10d", "D11", "D12", "D13", "D14"}
POLICIES = {"D0": "FIRST", "D1": "FIRST", "D3_points": "COLLECT", "D3": "FIRST", "D4a": "FIRST", "D4": "COLLECT", "D6": "FIRST", "D7": "FIRST",
    "D8_exigees": "COLLECT",
            "D8b": "UNIQUE", "D8b_preuve": "UNIQUE", "D9_rythmes": "COLLECT", "D9b": "FIRST", "D10c": "FIRST", "D10d": "FIRST", "D11": "FIRST", "D13": "FIRST", "D12": "UNIQUE"}  # fmt: skip
DATED = {"parametres", "programmes", "antennes", "dossier", "today", "now"}
# Ranks, classes, milestones of months and arithmetic (a half, a percent, seven days a week, notes out of five, three decimals): nothing that a funder may
# change.
INNATE = {"0", "0.5", "1", "2", "3", "4", "5", "7", "100"}
POINTS = {"0", "1", "2", "3", "4", "5", "6", "0.5"}


@pytest.fixture(scope="module", params=FILES, ids=lambda path: path.name)
def root(request):
    return etree.parse(request.param).getroot()


def expressions(decision):
    """Every FEEL text of a decision."""
    parts = [*decision.inputs, *(part for rule in decision.rules for part in (*rule.tests, *rule.results)), *([decision.literal] if decision.literal else [])]
    return [part.text for part in parts]


def test_every_decision_of_the_domain_is_there_with_its_hit_policy(all_tables):
    assert all_tables.ids >= EXPECTED
    assert {name: found.policy for name, found in all_tables.by_id.items() if found.rules} == POLICIES
    assert all_tables.by_id["D3_points"].aggregation == "SUM"


def test_a_decision_stands_in_one_file_only():
    ids = [name for path in FILES for name in decisions.parse(path.read_bytes(), path.name).ids]
    assert [name for name, count in Counter(ids).items() if count > 1] == []


def test_each_decision_says_what_it_is_in_three_languages_and_where_it_comes_from(root):
    for decision in root.iter(f"{DMN}decision"):
        labels = {one.get("lang"): one.text for one in decision.iter(f"{MASAR}libelle")}
        assert decision.get("name") and set(labels) == {"ar", "en"} and all(labels.values()), decision.get("id")
        assert re.search("[\u0621-\u064a]", labels["ar"]), decision.get("id")
        told = decision.findtext(f"{DMN}description")
        marked = decision.find(f"{DMN}extensionElements/{MASAR}infere") is not None
        assert told and (marked == ("Inféré" in told or "inféré" in told)), f"{decision.get('id')}: inferred in words and in the mark alike"


def test_each_row_has_its_own_name_and_says_in_words_what_it_stands_for(root):
    for rule in root.iter(f"{DMN}rule"):
        table = rule.getparent().getparent()
        assert rule.get("id").startswith(f"{table.get('id')}_"), rule.get("id")
        assert rule.findtext(f"{DMN}description"), rule.get("id")
    for column in root.iter(f"{DMN}input", f"{DMN}output"):
        assert column.get("label"), column.get("id")
    ids = [one.get("id") for one in root.iter() if isinstance(one.tag, str) and one.get("id")]
    assert [name for name, count in Counter(ids).items() if count > 1] == []


def test_each_decision_is_drawn(root):
    drawn = {one.get("dmnElementRef") for one in root.iter() if isinstance(one.tag, str) and one.tag.endswith("DMNShape")}
    assert drawn == {one.get("id") for one in root.iter(f"{DMN}decision")}


def test_what_a_decision_requires_is_there_and_what_it_reads_of_others_it_requires(all_tables):
    for name, decision in all_tables.by_id.items():
        assert set(decision.requires) <= all_tables.ids, name
        read = {path.partition(".")[0] for path in decision.paths} & all_tables.ids
        assert read == set(decision.requires), name


def test_what_a_file_borrows_from_another_it_imports(root):
    imported = {one.get("namespace") for one in root.iter(f"{DMN}import")}
    borrowed = {one.get("href").partition("#")[0] for one in root.iter(f"{DMN}requiredDecision")} - {""}
    assert borrowed == imported
    for one in root.iter(f"{DMN}import"):
        other = etree.parse(reading.PROCESSES / "decisions" / one.get("locationURI")).getroot()
        assert other.get("namespace") == one.get("namespace")


def test_every_path_read_is_a_field_a_parameter_or_a_documented_variable(all_tables, fields):
    parameters = reading.dated().scope(reading.TODAY)["parametres"]
    unknown = []
    for name in sorted(all_tables.ids):
        for path in all_tables.reads(name):
            head, _, rest = path.partition(".")
            if head == "parametres":
                value = parameters
                for step in rest.split("."):
                    value = value.get(step) if isinstance(value, dict) else None
                known = value is not None
            else:
                known = head in DATED or head in VARIABLES or ".".join(path.split(".")[:2]) in fields
            if not known:
                unknown.append((name, path))
    assert unknown == []


def test_documented_variables_are_those_read(all_tables):
    read = {path.partition(".")[0] for name in all_tables.ids for path in all_tables.reads(name)}
    assert read >= VARIABLES
    told = (reading.PROCESSES / "README.md").read_text("utf-8")
    assert [name for name in sorted(VARIABLES) if f"`{name}" not in told] == []


def test_names_read_inside_rows_exist(all_tables, fields):
    """`item.nature`, `p.bail`: columns of lists, of programmes, of branches, or made by the expression itself."""
    columns = {name.partition(".")[2] for name in fields}
    scope = reading.dated().scope(reading.TODAY)
    columns |= {key for row in [*scope["programmes"], *scope["antennes"]] for key in row} | {key for row in scope["programmes"] for level in row["niveaux"]
        for key in level}
    for name, decision in all_tables.by_id.items():
        for text in expressions(decision):
            made = set(re.findall(r"(\w+)\s*:", text))
            made |= {output.name for one in decision.requires for output in all_tables.by_id[one].outputs}
            made |= {key for one in decision.requires if all_tables.by_id[one].literal for key in re.findall(r"(\w+)\s*:", all_tables.by_id[one].literal.text)}
            read = set(re.findall(r"\b(?:item|p|n|a|b|v|r|offre)\.(\w+)", text))
            assert read <= columns | made, (name, read - columns - made)


def test_codes_compared_are_codes_that_a_field_may_hold(all_tables, fields, choices):
    wrong = []
    for name, decision in all_tables.by_id.items():
        for place, asked in enumerate(decision.inputs):
            codes = choices.get(fields.get(asked.text, {}).get("choices", ""))
            for rule in decision.rules if codes else ():
                wrong += [(name, asked.text, code) for code in re.findall(r'"([^"]*)"', rule.tests[place].text) if code not in codes]
        for text in expressions(decision):
            for field, code in re.findall(r'\b(\w+\.\w+) !?= "([^"]*)"', text):
                codes = choices.get(fields.get(field, {}).get("choices", ""))
                wrong += [(name, field, code)] if codes and code not in codes else []
    assert wrong == []


@pytest.mark.parametrize(
    ("decision", "column", "listed"),
    [("D4", "mesure", "mesures"), ("D7", "decision", "aide_decision"), ("D8_exigees", "aupres", None), ("D9b", "suite", None), ("D10c", "circuit", None),
        ("D1", "issue", None)],
)
def test_results_are_codes_of_their_lists(all_tables, choices, decision, column, listed):
    found = all_tables.by_id[decision]
    place = next(place for place, output in enumerate(found.outputs) if output.name == column)
    said = {code for rule in found.rules for code in re.findall(r'"([^"]*)"', rule.results[place].text)} - {""}
    assert said and said <= set(choices[listed] if listed else found.outputs[place].values)


def test_pieces_asked_are_pieces_of_the_dictionary_and_each_can_be_found_present(all_tables, choices):
    asked = {rule.results[0].text.strip('"') for rule in all_tables.by_id["D8_exigees"].rules}
    assert {piece for piece in asked if piece.startswith("PJ")} <= set(choices["pieces"])
    assert asked == set(re.findall(r"\b(PJ\d\d|F\d\d):", all_tables.by_id["D8_fournies"].literal.text))


def test_amounts_thresholds_and_delays_are_data(all_tables):
    for name, decision in all_tables.by_id.items():
        for text in expressions(decision):
            numbers = set(re.findall(r"(?<![\w.])\d+(?:\.\d+)?(?![\w.])", re.sub(r'"[^"]*"', "", text)))
            allowed = POINTS if name == "D3_points" else INNATE
            assert numbers <= allowed, f"{name}: {sorted(numbers - allowed)} in {text!r} belongs in parametres.toml"


def test_every_row_is_hit_by_a_case_of_these_tests(all_tables, decide):
    cases = [case for module in (test_who_comes_in, test_what_is_open_to_them, test_amounts_and_projects, test_aid_dossiers, test_follow_up)
        for case in module.CASES]
    hit = {rule for decision, facts, _, _ in cases for rule in decide(decision, facts).rules}
    elsewhere = {"D3", "D8_exigees"}  # the next test
    rows = {rule.rule_id for name, decision in all_tables.by_id.items() if name not in elsewhere for rule in decision.rules}
    assert sorted(rows - hit) == []


def test_every_piece_and_every_class_is_met(decide, all_tables):
    hit = set()
    for facts in (test_who_comes_in.CALM, test_what_is_open_to_them.CLASS_2, test_what_is_open_to_them.CLASS_3, test_what_is_open_to_them.CLASS_4):
        hit |= set(decide("D3", facts).rules)
    asked = {"aide.beneficiaire_paiement": "beneficiaire", "aide.postes": [{"nature": "loyer"}], "enquete.a_faire": True}
    for level in ("N1", "N2", "N3"):
        hit |= set(decide("D8_exigees", asked | {"aide.niveau": level}).rules)
    assert sorted(rule.rule_id for name in ("D3", "D8_exigees") for rule in all_tables.by_id[name].rules if rule.rule_id not in hit) == []


def test_every_mark_of_what_no_public_text_says_is_read(root):
    marked = {one.getparent().getparent().get("id") for one in root.iter(f"{MASAR}infere")}
    read = decisions.parse(etree.tostring(root)).by_id.values()
    assert {one.decision_id for one in read if one.is_inferred} | {rule.rule_id for one in read for rule in one.rules if rule.is_inferred} == marked
