"""A coordinator writes a letter of a draft without script: its texts in both languages, its blocks and their conditions, facts from a list, signatures."""

import tomllib

import pytest

from tests.web.small.installation import files
from tests.web.test_the_form_editor import content, opened

NAME = "rappel_pieces.toml"
PATH = f"forms/letters/{NAME}"
LETTER = tomllib.loads(files()[PATH].decode())
LAST = len(LETTER["block"]) - 1


@pytest.fixture
def meriem(browser):
    return browser("meriem")


def act(browser, address, wanted="save", **typed):
    """Presses a button of the editor, with what is typed (`b0__fr` for `b0-fr`)."""
    shown = {name: browser.hidden(name) for name in ("version", "open", "sample")}
    return browser.post(address, act=wanted, **{**shown, **{name.replace("__", "-"): value for name, value in typed.items()}})


def begun(browser):
    draft = opened(browser)
    address = f"{draft}/letters/{NAME}"
    assert browser.get(address).status_code == 200
    return draft, address


def test_a_letter_is_written_in_both_languages_and_the_one_beside_says_it_at_once(meriem):
    draft, address = begun(meriem)
    act(meriem, address, f__title__fr="Rappel", b0__fr="Bonjour.", b0__ar="تحية طيبة.", g0__fr="La cheffe")
    wanted = {**LETTER, "title": {**LETTER["title"], "fr": "Rappel"}, "block": [{"text": {"fr": "Bonjour.", "ar": "تحية طيبة."}}, *LETTER["block"][1:]]}
    wanted["signature"] = [{**LETTER["signature"][0], "fr": "La cheffe"}, *LETTER["signature"][1:]]
    assert content(meriem, draft, PATH) == wanted
    beside = meriem.page.text.partition('id="sample"')[2]
    assert "Bonjour." in beside and "تحية طيبة." in beside and "La cheffe" in beside
    assert meriem.client.get(f"{address}/paper").content.startswith(b"%PDF")


def test_what_the_page_does_not_show_stays_as_it_is_written(meriem):
    draft, address = begun(meriem)
    act(meriem, address, b0__fr="Bonjour.")
    before, after = files()[PATH].decode().splitlines(), meriem.client.get(f"{draft}/content/{PATH}").text.splitlines()
    assert sum(one != other for one, other in zip(before, after, strict=True)) == 1


def test_a_text_that_lacks_a_language_is_said_where_it_stands(meriem):
    _, address = begun(meriem)
    act(meriem, address, b0__ar=" ")
    assert "Écrivez ce texte en français et en arabe" in meriem.page.text.partition('id="block-title"')[2].partition("</li>")[0]
    act(meriem, address, b0__ar="تحية", b1__0__fr="")
    assert meriem.page.text.partition('id="block-title"')[2].count('<p class="wrong"') == 1


def test_blocks_are_added_moved_and_taken_out(meriem):
    draft, address = begun(meriem)
    act(meriem, address, "open:b0")
    act(meriem, address, "add:heading")
    assert meriem.hidden("open") == "b1", "behind the one that was open"
    act(meriem, address, b1__fr="Vos pièces", b1__ar="وثائقكم")
    made = {"heading": {"fr": "Vos pièces", "ar": "وثائقكم"}}
    assert content(meriem, draft, PATH)["block"] == [LETTER["block"][0], made, *LETTER["block"][1:]]
    act(meriem, address, "up:b1")
    assert content(meriem, draft, PATH)["block"][0] == made and meriem.hidden("open") == "b0"
    act(meriem, address, "down:b0")
    act(meriem, address, "remove:b1")
    act(meriem, address, "add:signature")
    act(meriem, address, f"remove:g{len(LETTER['signature'])}")
    assert content(meriem, draft, PATH) == LETTER


def test_a_fact_is_chosen_from_a_list_and_enters_at_the_cursor(meriem):
    draft, address = begun(meriem)
    act(meriem, address, "open:b0")
    assert 'value="limite"' in meriem.page.text and '<option value="numero">Numéro du dossier' in meriem.page.text and "Calculé par cette lettre" in meriem.page.text
    act(meriem, address, "insert", b0__fr="Avant le  au plus tard", b0__ar="قبل", f__name="limite", caret__fr="9")
    assert content(meriem, draft, PATH)["block"][0]["text"] == {"fr": "Avant le {limite} au plus tard", "ar": "قبل {limite}"}
    written = tomllib.loads(files()["forms/letters/contrat_engagement.toml"].decode())["block"]
    listed = next(place for place, one in enumerate(written) if one.get("each") == "aide.reserves")
    meriem.get(f"{draft}/letters/contrat_engagement.toml?element=block[{listed}]")
    assert 'value="item.echeance"' in meriem.page.text, "a list's text may name its line"


def test_readers_of_a_letter_are_offered_only_what_they_may_read(meriem):
    _, address = begun(meriem)
    act(meriem, address, "open:b0")
    offered = meriem.page.text.partition('id="f-name"')[2].partition("</select>")[0]
    assert LETTER["class"] == "C" and 'value="aide.date_demande"' in offered and 'value="aide.total"' not in offered


def test_a_condition_that_cannot_be_read_is_kept_and_the_sentence_stands_by_its_block(meriem):
    draft, address = begun(meriem)
    act(meriem, address, "open:b1")
    act(meriem, address, f__when="person.sexe = ")
    row = meriem.page.text.partition('class="place is-open is-wrong"')[2].partition("</li>")[0]
    assert "Corrigez l&#39;expression « person.sexe =" in row
    assert content(meriem, draft, PATH)["block"][1]["when"] == "person.sexe ="
    act(meriem, address, f__when="")
    act(meriem, address, b0__fr="Avant {limites}")
    assert "Remplacez « limites »" in meriem.page.text.partition('id="block-title"')[2].partition("</li>")[0]


def test_as_a_text_an_error_is_said_in_the_readers_language_with_its_line(meriem):
    draft, address = begun(meriem)
    act(meriem, address, "open:raw")
    broken = files()[PATH].decode().replace('id = "', 'id = ', 1)
    act(meriem, address, f__raw=broken)
    assert "Corrigez la ligne 1" in meriem.page.text and 'id = rappel' in meriem.page.text
    assert "صحّح السطر 1" in meriem.get(f"{address}?language=ar").text
    meriem.get(address)
    act(meriem, address, "close:raw", f__raw=files()[PATH].decode())
    assert content(meriem, draft, PATH) == LETTER and 'name="b0-fr"' in meriem.page.text


def test_what_two_write_at_once_is_lost_to_neither(browser, meriem):
    draft, address = begun(meriem)
    rim = browser("rim")
    rim.get(address)
    act(meriem, address, b0__fr="De Meriem.")
    refused = act(rim, address, b0__fr="De Rim.")
    assert refused.status_code == 409 and "#aside-" in refused.text
    assert content(meriem, draft, PATH)["block"][0]["text"]["fr"] == "De Meriem."
    assert "De Rim." in rim.get(f"{draft}/files/{PATH}").text


@pytest.mark.parametrize("path", sorted(one for one in files() if one.startswith("forms/letters/") and not one.endswith("entete.toml")))
def test_every_letter_of_the_project_opens_in_the_editor(meriem, path):
    draft = opened(meriem)
    shown = meriem.get(f"{draft}/letters/{path.rpartition('/')[2]}?element=block[0]").text
    assert 'name="f-title-fr"' in shown and 'name="f-when"' in shown and "[web." not in shown and "is-wrong" not in shown


def test_what_a_letter_works_out_is_named_in_words_and_changed_as_its_addressee_is(meriem):
    draft, address = begun(meriem)
    act(meriem, address, "open:b0")
    assert '<option value="limite">Dernier jour pour les pièces</option>' in meriem.page.text
    act(meriem, address, v__limite__fr="À remettre avant le", v__limite__ar="قبل تاريخ", v__limite__feel="today", v__limite__type="date", f__addressee__fr="Registre", f__addressee__ar="الدفتر")
    said = content(meriem, draft, PATH)
    assert said["values"]["limite"] == {"feel": "today", "type": "date", "label": {"fr": "À remettre avant le", "ar": "قبل تاريخ"}} and said["addressee"] == {"fr": "Registre", "ar": "الدفتر"}
    act(meriem, address, f__addressee__fr="", f__addressee__ar="", v__limite__feel="")
    assert "addressee" not in content(meriem, draft, PATH) and content(meriem, draft, PATH)["values"]["limite"]["feel"] == "today", "a calculation is never emptied"
    act(meriem, address, v__limite__feel="today +")
    assert "limite" in meriem.page.text and meriem.page.status_code == 200 and "ne peut pas être composée" in meriem.page.text


def test_a_letter_is_begun_from_the_draft_s_page(meriem):
    draft = opened(meriem)
    titles = {"title-fr": "Invitation", "title-ar": "دعوة", "title-en": "Invitation"}
    page = meriem.post(f"{draft}/letters", letter="invitation", **{"class": "P"}, **titles)
    assert meriem.path.endswith("/letters/invitation.toml") and "Invitation" in page.text and 'name="b0-fr"' in page.text
    assert content(meriem, draft, "forms/letters/invitation.toml")["class"] == "P"
    for wrong in ("invitation", "Deux Mots", "../x", ""):
        assert meriem.post(f"{draft}/letters", letter=wrong, **titles).status_code == 422


CONTRACT = "forms/letters/contrat_engagement.toml"


def contract(browser):
    """The contract's page open at its table of instalments: the draft, the address, the table's place and its columns as written."""
    draft = opened(browser)
    blocks = tomllib.loads(files()[CONTRACT].decode())["block"]
    number = next(place for place, one in enumerate(blocks) if one.get("each") == "tranches")
    address = f"{draft}/letters/contrat_engagement.toml"
    browser.get(f"{address}?element=block[{number}]")
    return draft, address, f"b{number}", blocks[number]["columns"]


def columns(browser, draft, place):
    return content(browser, draft, CONTRACT)["block"][int(place[1:])]["columns"]


def test_a_tables_columns_are_added_moved_and_taken_out(meriem):
    draft, address, table, before = contract(meriem)
    act(meriem, address, f"line:{table}")
    new = f"{table}-{len(before)}"
    assert meriem.hidden("open") == new and "Choisissez ce qui est montré ici" in meriem.page.text.partition('class="place is-open is-wrong"')[2].partition("</li>")[0]
    act(meriem, address, **{f"{new}-fr": "Rang", f"{new}-ar": "الرتبة", f"{new}-shows": "item.rang"})
    made = {"label": {"fr": "Rang", "ar": "الرتبة"}, "value": "item.rang"}
    assert columns(meriem, draft, table) == [*before, made]
    assert "ne peut pas être composée" not in meriem.page.text
    act(meriem, address, f"up:{new}")
    assert columns(meriem, draft, table)[-2] == made and meriem.hidden("open") == f"{table}-{len(before) - 1}"
    act(meriem, address, f"remove:{table}-{len(before) - 1}")
    assert columns(meriem, draft, table) == before and meriem.hidden("open") == table
    for _ in before:
        act(meriem, address, f"remove:{table}-0")
    assert "Ajoutez au moins une colonne" in meriem.page.text and meriem.page.status_code == 200


def test_what_a_column_shows_is_a_fact_a_text_one_of_several_or_worked_out(meriem):
    draft, address, table, before = contract(meriem)
    act(meriem, address, f"open:{table}-1")
    assert before[1] == {"label": before[1]["label"], "value": "item.montant"} and 'value="item.montant" selected' in meriem.page.text
    shows, label = f"{table}-1-shows", before[1]["label"]
    act(meriem, address, **{shows: "=text"})
    assert columns(meriem, draft, table)[1] == {"label": label, "text": {"fr": "{item.montant}", "ar": "{item.montant}"}}, "what it showed is taken along"
    act(meriem, address, "insert", f__name="item.rang", **{f"{table}-1-text-fr": "Soit {item.montant}, tranche", f"{table}-1-text-ar": "أي {item.montant}", shows: "=text"})
    assert columns(meriem, draft, table)[1]["text"] == {"fr": "Soit {item.montant}, tranche {item.rang}", "ar": "أي {item.montant} {item.rang}"}
    act(meriem, address, **{shows: "=choose"})
    act(meriem, address, f"choice:{table}-1")
    assert meriem.hidden("open") == f"{table}-1-0", "before the one that is said otherwise"
    act(meriem, address, "condition", f__of="aide.niveau", f__is="=", f__value="N3", f__when="", **{f"{table}-1-0-fr": "D'abord", f"{table}-1-0-ar": "أولا", shows: "=choose"})
    chosen = columns(meriem, draft, table)[1]["choose"]
    assert chosen[0] == {"text": {"fr": "D'abord", "ar": "أولا"}, "when": 'aide.niveau = "N3"'} and "when" not in chosen[1]
    act(meriem, address, f"remove:{table}-1-0")
    assert meriem.hidden("open") == f"{table}-1" and len(columns(meriem, draft, table)[1]["choose"]) == 1
    act(meriem, address, **{shows: "=feel"})
    act(meriem, address, **{shows: "=feel", f"{table}-1-feel": "item.rang * 2", f"{table}-1-type": "int"})
    assert columns(meriem, draft, table)[1] == {"label": label, "feel": "item.rang * 2", "type": "int"}
    act(meriem, address, **{shows: "item.montant"})
    assert columns(meriem, draft, table) == before


def test_a_table_a_list_and_particulars_are_made_by_choosing(meriem):
    draft, address = begun(meriem)
    end = len(LETTER["block"])
    act(meriem, address, "add:table")
    assert meriem.hidden("open") == f"b{end}" and "Choisissez la liste" in meriem.page.text
    offered = meriem.page.text.partition('id="f-each"')[2].partition("</select>")[0]
    assert 'value="foyer.membres"' in offered or 'value="plan.mesures"' in offered
    assert 'value="documents"' not in offered and 'value="donnees"' not in offered, "these are the copy's alone"
    act(meriem, address, f__each="plan.mesures", f__where='item.agence = "CPS"')
    act(meriem, address, f"open:b{end}-0")
    act(meriem, address, **{f"b{end}-0-shows": "item.agence", f"b{end}-0-fr": "Agence", f"b{end}-0-ar": "الهيكل"})
    assert content(meriem, draft, PATH)["block"][end] == {"each": "plan.mesures", "where": 'item.agence = "CPS"', "columns": [{"label": {"fr": "Agence", "ar": "الهيكل"}, "value": "item.agence"}]}
    act(meriem, address, **{f"b{end}-0-shows": "=choose"})
    act(meriem, address, f"open:b{end}-0-0")
    act(meriem, address, "condition", f__of="item.agence", f__is="=", f__value="CPS", f__when="")
    assert content(meriem, draft, PATH)["block"][end]["columns"][0]["choose"] == [{"text": {"fr": "{item.agence}", "ar": "{item.agence}"}, "when": 'item.agence = "CPS"'}]
    act(meriem, address, f"close:b{end}-0-0")
    assert meriem.hidden("open") == f"b{end}-0"
    act(meriem, address, "add:rows")
    assert meriem.hidden("open") == f"b{end + 1}-0", "its first particular is open"
    act(meriem, address, **{f"b{end + 1}-0-shows": "numero"})
    assert content(meriem, draft, PATH)["block"][end + 1]["rows"][0]["value"] == "numero"
    act(meriem, address, f"remove:b{end + 1}")
    act(meriem, address, f"remove:b{end}")
    assert content(meriem, draft, PATH) == LETTER


def test_a_worked_out_value_is_added_by_its_code_and_taken_out(meriem):
    draft, address = begun(meriem)
    for wrong in ("", "Deux Mots", "jour2", "date", "today", "item", "if", "limite", "person", "dossiers", "x" * 61):
        act(meriem, address, "work", f__worked=wrong)
        assert "Donnez un code en minuscules" in meriem.page.text and content(meriem, draft, PATH) == LETTER, wrong
    act(meriem, address, "work", f__worked="dernier_jour")
    assert content(meriem, draft, PATH)["values"]["dernier_jour"] == {"feel": "", "type": "text"} and 'name="f-worked" dir="ltr" maxlength="60" autocomplete="off" spellcheck="false" value=""' in meriem.page.text
    assert "is-wrong" in meriem.page.text.partition('id="worked"')[2].partition("</details>")[0], "its calculation is yet to be written"
    act(meriem, address, v__dernier_jour__feel="today", v__dernier_jour__type="date", v__dernier_jour__fr="Dernier jour", v__dernier_jour__ar="آخر يوم")
    assert content(meriem, draft, PATH)["values"]["dernier_jour"] == {"feel": "today", "type": "date", "label": {"fr": "Dernier jour", "ar": "آخر يوم"}}
    act(meriem, address, "open:b0")
    assert '<option value="dernier_jour">Dernier jour</option>' in meriem.page.text
    act(meriem, address, "insert", f__name="dernier_jour")
    act(meriem, address, "remove:v-dernier_jour")
    assert "dernier_jour" not in content(meriem, draft, PATH)["values"] and meriem.hidden("open") == "b0"
    assert "Remplacez « dernier_jour »" in meriem.page.text, "where it was said, one is told"
    act(meriem, address, "remove:v-limite")
    assert "values" not in content(meriem, draft, PATH)


def test_rows_that_a_letter_works_out_have_their_columns(meriem):
    draft, address, table, before = contract(meriem)
    act(meriem, address, "work", f__worked="parties")
    act(meriem, address, v__parties__type="rows", v__parties__feel="[{nom: 1}]")
    assert "Ajoutez au moins une colonne" in meriem.page.text
    act(meriem, address, "column:v-parties", v__parties__new="nom")
    act(meriem, address, **{"v-parties.nom-type": "int"})
    assert content(meriem, draft, CONTRACT)["values"]["parties"] == {"feel": "[{nom: 1}]", "type": "rows", "columns": {"nom": "int"}}
    act(meriem, address, f"open:{table}")
    act(meriem, address, f__each="parties")
    act(meriem, address, f"open:{table}-0")
    assert 'value="item.nom"' in meriem.page.text and 'value="item.part"' not in meriem.page.text
    act(meriem, address, "remove:v-parties.nom")
    assert content(meriem, draft, CONTRACT)["values"]["parties"]["columns"] == {}
    act(meriem, address, v__parties__type="int")
    assert content(meriem, draft, CONTRACT)["values"]["parties"] == {"feel": "[{nom: 1}]", "type": "int"}


@pytest.mark.parametrize("wanted", ["line:b99", "line:", "choice:b0-9", "choice:head", "remove:b99-9", "remove:v-rien", "remove:v-limite.rien", "up:v-limite", "add:raw", "insert:", "open:v-limite", "column:b0", "column:v-rien", "line:raw"])
def test_an_act_on_what_is_not_there_changes_nothing(meriem, wanted):
    draft, address = begun(meriem)
    assert act(meriem, address, wanted, f__name="numero").status_code == 200
    assert content(meriem, draft, PATH) == LETTER
