"""Programmes, parameters and holidays: complete, in order in time, in three languages, and read as they are written."""

import datetime as dt
import re
import tomllib
from decimal import Decimal
from itertools import pairwise

import pytest
from sqlalchemy import text

from engine.actors import agencies, users
from engine.casework import letters
from engine.clock import TUNIS
from engine.dossier import programmes
from forms import places
from tests.processes import reading

PARAMETERS = tomllib.loads((reading.PROCESSES / "parametres.toml").read_text("utf-8"))["parametres"]
PROGRAMMES = tomllib.loads((reading.PROCESSES / "programmes.toml").read_text("utf-8"))["programmes"]
OWN = {"code", "version", "valid_from", "valid_to", "infere", "source", "label", "fonds_millimes"}


@pytest.mark.parametrize("row", [*PARAMETERS, *PROGRAMMES], ids=lambda row: f"{row['code']}-{row['valid_from']}")
def test_each_is_named_in_three_languages_dated_and_says_where_it_comes_from(row):
    assert set(row["label"]) == {"fr", "ar", "en"} and all(row["label"].values())
    assert re.search("[\u0621-\u064a]", row["label"]["ar"])
    assert row["source"] and isinstance(row["infere"], bool) and isinstance(row["valid_from"], dt.date)
    said = re.search("[Ii]nféré|vérifier|à tenir", row["source"]) is not None
    assert row["infere"] is said or (row["infere"] and row["code"] == "NATIONAL"), "inferred in words and in the mark alike"


def test_a_programme_is_called_the_same_where_it_is_chosen_and_where_its_money_is_counted():
    chosen = tomllib.loads((reading.PROCESSES.parent / "forms/dictionary/choices.toml").read_text("utf-8"))["lists"]["programmes"]["values"]
    assert {one["code"]: one["label"] for one in chosen} == {row["code"]: row["label"] for row in PROGRAMMES}


@pytest.mark.parametrize("rows", [PARAMETERS, PROGRAMMES], ids=["parametres", "programmes"])
def test_versions_of_one_code_follow_one_another(rows):
    by_code: dict = {}
    for row in rows:
        by_code.setdefault(row["code"], []).append((row["valid_from"], row.get("valid_to", dt.date.max)))
    for code, spans in by_code.items():
        assert all(first <= last for first, last in spans), code
        assert all(last < following for (_, last), (following, _) in pairwise(sorted(spans))), code


def test_every_parameter_serves(all_tables):
    read = {path.split(".")[1] for name in all_tables.ids for path in all_tables.reads(name) if path.startswith("parametres.")}
    folders = (reading.ROOT / "forms" / "letters", reading.ROOT / "forms" / "tasks")
    texts = "".join(path.read_text("utf-8") for path in [*reading.PROCESSES.glob("*.bpmn"), *(path for folder in folders for path in folder.glob("*.toml"))])
    told = {row["code"].removesuffix("_millimes") for row in PARAMETERS} - {programmes.SHORT_DAYS, letters.ADDRESSES}
    own = set(re.findall(r"context merge\(concatenate\(\[parametres\], programmes\[.*?\]\)\)\.(\w+)", texts))  # a programme's own limit, else the one of all
    assert sorted(code for code in told - read - own if f"parametres.{code}" not in texts) == []


def test_every_column_of_a_programme_is_read_by_a_table(all_tables):
    texts = "".join(decision.literal.text if decision.literal else " ".join(one.text for one in decision.inputs) for decision in all_tables.by_id.values())
    columns = {key.removesuffix("_millimes") for row in PROGRAMMES for key in set(row) - OWN}
    columns |= {key.removesuffix("_millimes") for row in PROGRAMMES for level in row["niveaux"] for key in level}
    assert sorted(one for one in columns if not re.search(rf"\.{one}\b", texts)) == []


def test_programmes_speak_the_dictionary_s_codes(choices):
    governorates = {one["code"] for one in tomllib.loads((reading.DICTIONARY / "districts.toml").read_text("utf-8"))["governorates"]}
    assert {row["code"] for row in PROGRAMMES} == set(choices["programmes"])
    for row in PROGRAMMES:
        assert set(row.get("pays", [])) <= places.countries(), row["code"]
        assert set(row.get("types_retour", [])) <= set(choices["retour_type"]), row["code"]
        assert set(row.get("gouvernorats", [])) <= governorates, row["code"]
        assert {level["niveau"] for level in row["niveaux"]} <= {*choices["aide_niveau"], "PAP", "PRP"}, row["code"]
        assert row.get("date_comptee", "depot") in ("depot", "validation"), row["code"]


def test_the_documented_figures_are_there():
    amounts = {(row["code"], level["niveau"]): level for row in PROGRAMMES for level in row["niveaux"]}
    assert amounts["TOUNESNA-EU", "N3"] == {"niveau": "N3", "plafond_millimes": 16_000_000, "suivi_mois": 24}  # S22
    assert amounts["OFII-TN-2023", "N3"]["plafond_eur"] == 7000  # S31
    assert amounts["PAD-NL", "N3"]["plafond_eur"] == 6000  # S24
    assert [amounts["EURP-V", level]["plafond_eur"] for level in ("PAP", "PRP")] == [615, 2000]  # S34, S36
    assert [amounts["EURP-F", level]["plafond_eur"] for level in ("PAP", "PRP")] == [205, 1000]
    assert amounts["OFII-TN-2025", "N3"]["projet_viable"] and "projet_viable" not in amounts["OFII-TN-2023", "N3"]  # S29


def test_shares_of_instalments_and_weights_sum_to_a_hundred():
    values = {row["code"]: row["value"] for row in PARAMETERS}
    assert all(sum(shares) == 100 for shares in values["tranches"].values())
    assert sum(values["poids_projet"].values()) == 100
    assert values["seuils_projet"]["refus"] < values["seuils_projet"]["reserve"] < values["seuils_projet"]["accord"]
    assert values["seuil_vulnerabilite"]["moyenne"] < values["seuil_vulnerabilite"]["haute"]
    assert values["preuve_relance_jours"] < values["preuve_alerte_jours"]


def test_sources_cited_are_listed():
    told = (reading.PROCESSES / "README.md").read_text("utf-8")
    cited = {key for path in reading.PROCESSES.rglob("*") if path.suffix in (".dmn", ".bpmn", ".toml")
        for key in re.findall(r"\bS\d{1,2}\b", path.read_text("utf-8"))}
    assert sorted(key for key in cited if not re.search(rf"{key}\b", told.partition("## Sources")[2])) == []


# ── In a database ──


@pytest.fixture(scope="module")
def filled(make_database):
    """A database with what an installation is born with, for 2026."""
    database = make_database()
    with database.owner() as connection:
        connection.execute(text("INSERT INTO installation (is_demo) VALUES (false)"))
        agencies.install(connection)
        programmes.seed_holidays(connection, range(2026, 2028), reading.PROCESSES)
        programmes.seed(connection, reading.PROCESSES)
    return database


def held(database):
    with database.unit_of_work(users.system()) as session:
        return programmes.dated(session)


def test_an_installation_reads_what_the_files_say(filled):
    found, written = held(filled).scope(reading.TODAY), reading.dated().scope(reading.TODAY)
    assert sorted(found["programmes"], key=lambda row: row["code"]) == sorted(written["programmes"], key=lambda row: row["code"])
    assert found["parametres"] == written["parametres"] | {one: found["parametres"][one] for one in ("jours_feries", "seances_uniques")} and "seance_unique" not in found["parametres"]
    assert {branch["code"]: set(branch["gouvernorats"]) for branch in found["antennes"]} == {branch.code: set(branch.governorates)
        for branch in agencies.BRANCHES}
    assert found["parametres"]["base_adulte"] == Decimal(1300) and found["programmes"][0]["du"].year >= 2019


def test_a_new_value_holds_from_its_day(filled):
    with filled.owner() as connection:
        connection.execute(text("UPDATE parameter SET valid_to = '2026-12-31' WHERE code = 'quorum_minimum'"))
        connection.execute(text("INSERT INTO parameter VALUES ('quorum_minimum', '2027-01-01', NULL, '4', '{}', 'essai', true)"))
    told = held(filled)
    assert (told.scope(dt.date(2026, 12, 31))["parametres"]["quorum_minimum"], told.scope(dt.date(2027, 1, 1))["parametres"]["quorum_minimum"]) == (3, 4)


def test_parameters_of_a_later_version_come_with_it_and_what_was_changed_stays(filled):
    with filled.owner() as connection:
        connection.execute(text("DELETE FROM parameter WHERE code = 'delai_contrat_jours'"))
        connection.execute(text("UPDATE parameter SET value = '9' WHERE code = 'age_aine'"))
        before = connection.execute(text("SELECT count(*) FROM parameter")).scalar_one()
        assert programmes.complete(connection, reading.PROCESSES) == ("delai_contrat_jours",) and programmes.complete(connection, reading.PROCESSES) == ()
        assert connection.execute(text("SELECT count(*) FROM parameter")).scalar_one() == before + 1
    told = held(filled).scope(reading.TODAY)["parametres"]
    assert (told["delai_contrat_jours"], told["age_aine"]) == (15, 9)


def test_a_new_branch_is_seen_at_once_and_from_the_day_it_opens(filled):
    before = held(filled)
    with filled.owner() as connection:
        connection.execute(text("INSERT INTO branch VALUES ('GAF', '{}', '2026-06-01', '{TN-71}', '{OTE}')"))
    after = held(filled)
    assert after.version > before.version
    assert "GAF" not in {one["code"] for one in after.scope(dt.date(2026, 5, 31))["antennes"]}
    assert "GAF" in {one["code"] for one in after.scope(dt.date(2026, 6, 1))["antennes"]}


def test_holidays_have_their_three_names_and_say_when_they_are_estimates(filled):
    with filled.owner() as connection:
        rows = {row.day: row for row in connection.execute(text("SELECT day, names, is_estimate FROM holiday"))}
    for day, row in rows.items():
        assert set(row.names) == {"fr", "ar", "en"} and re.search("[\u0621-\u064a]", row.names["ar"]), day
        assert not re.search("[A-Za-z]", row.names["ar"]), day
    assert rows[dt.date(2026, 5, 1)].names["fr"] == "Fête du Travail" and not rows[dt.date(2026, 5, 1)].is_estimate
    assert rows[dt.date(2026, 5, 27)].is_estimate
    both = rows[dt.date(2026, 3, 20)]
    assert both.names["fr"] == "Aïd el-Fitr · Fête de l'Indépendance" and not both.is_estimate


def test_in_ramadan_and_summer_a_delay_ends_when_the_office_closes(filled):
    calendar = held(filled).calendar
    ends = {day: calendar.due(dt.datetime.combine(day, dt.time(9), TUNIS), 0, "jours_ouvres").astimezone(TUNIS).time()
        for day in (dt.date(2026, 3, 2), dt.date(2026, 6, 2), dt.date(2026, 7, 2))}
    assert ends == {dt.date(2026, 3, 2): dt.time(14), dt.date(2026, 6, 2): dt.time(17), dt.date(2026, 7, 2): dt.time(14)}


def test_short_days_come_every_year_and_ramadan_follows_its_feast(filled):
    with filled.owner() as connection:
        programmes.seed_holidays(connection, range(2026, 2035), reading.PROCESSES)
        years = sorted(connection.execute(text("SELECT DISTINCT extract(year FROM day)::int FROM holiday")).scalars())
        feast = connection.execute(text("SELECT min(day) FROM holiday WHERE names ->> 'en' LIKE 'Eid al-Fitr%' AND day > '2029-01-01'")).scalar_one()
    short = held(filled).calendar.single_session
    assert len(years) == 9 and all((dt.date(year, 7, 1), dt.date(year, 8, 31)) in short for year in years)
    assert (feast - dt.timedelta(days=30), feast - dt.timedelta(days=1)) in short
    with filled.owner() as connection:
        connection.execute(text("UPDATE holiday SET day = :later WHERE day = :day"), {"later": feast + dt.timedelta(days=5), "day": feast})
    assert (feast - dt.timedelta(days=25), feast + dt.timedelta(days=4)) in held(filled).calendar.single_session, "corrected once, in one place"
