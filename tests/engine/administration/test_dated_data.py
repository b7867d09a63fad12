"""Branches, programmes, parameters and holidays changed from a day on: the past stays, the day counts, what is to come may be taken back."""

import datetime as dt

import pytest
from sqlalchemy import text

from engine import clock, errors, i18n
from engine.actors import branches, users
from engine.dossier import calendars, catalogues, holidays, programmes
from tests.engine.administration.conftest import REASON

GAFSA = {"fr": "Gafsa", "ar": "قفصة", "en": "Gafsa"}
ALL = ["OTE", "CPS", "ANETI", "PART"]
CONTENT = {"label": {"fr": "Essai", "ar": "تجربة", "en": "Trial"}, "pays": ["FR"], "delai_mois": 6, "fonds_requis": True,
           "niveaux": [{"niveau": "N3", "plafond_millimes": 16_000_000, "suivi_mois": 12}]}  # fmt: skip


def told(house, day):
    with house.reading(users.system()) as session:
        return programmes.dated(session).scope(day)


def places(house, day):
    return {one["code"]: set(one["gouvernorats"]) for one in told(house, day)["antennes"]}


def test_a_branch_opens_on_its_day_with_its_governorates_and_none_answers_to_two(house, act, days):
    gave = act("zied", branches.open_branch, "zag", GAFSA, days(30), ["TN-71"], ALL, REASON)
    assert gave == ("SFX",)
    assert places(house, days(29))["SFX"] >= {"TN-71"} and "ZAG" not in places(house, days(29))
    assert places(house, days(30))["ZAG"] == {"TN-71"} and "TN-71" not in places(house, days(30))["SFX"]
    sheet = act("chokri", branches.show, "ZAG")
    assert sheet.versions[0].state == "to_come" and sheet.lacks == ("members", "ote", "agency", "president", "secretary")
    with pytest.raises(errors.Conflict, match="branch.exists"):
        act("zied", branches.open_branch, "ZAG", GAFSA, days(40), [], ALL, REASON)
    act("zied", branches.change_branch, "ZAG", days(60), GAFSA, ["TN-71", "TN-73"], ALL, REASON)
    assert "TN-73" in places(house, days(59))["MED"] and "TN-73" in places(house, days(60))["ZAG"]
    with pytest.raises(errors.Conflict, match="branch.later_exists"):
        act("zied", branches.change_branch, "ZAG", days(50), GAFSA, ["TN-71"], ALL, REASON)
    act("zied", branches.take_back, "ZAG", days(60), REASON)
    assert places(house, days(60))["ZAG"] == {"TN-71"}


def test_a_case_is_opened_in_a_branch_that_is_open_and_in_no_other(house, act, days, who):
    act("zied", branches.open_branch, "KEF", {"fr": "Le Kef", "ar": "الكاف", "en": "Kef"}, days(10), [], ALL, REASON)
    with house.reading(users.system()) as session:
        assert not session.execute(text("SELECT masar_branch_is_open('KEF')")).scalar_one()
        assert session.execute(text("SELECT masar_branch_is_open('MED')")).scalar_one()
    act("zied", branches.change_branch, "KEF", days(20), {"fr": "Le Kef", "ar": "الكاف", "en": "Kef"}, [], ALL, REASON, is_open=False)
    assert "KEF" in places(house, days(19)) and "KEF" not in places(house, days(20))
    with pytest.raises(errors.Invalid, match="branch.headquarters"):
        act("zied", branches.change_branch, "TUN", days(20), GAFSA, [], ALL, REASON, is_open=False)


@pytest.mark.parametrize(("changed", "code"), [
    ({"valid_from": 0}, "dated.too_soon"), ({"valid_from": -3}, "dated.too_soon"), ({"names": {"fr": "X", "ar": "X", "en": "X"}}, "branch.names"),
    ({"governorates": ["TN-99"]}, "branch.governorate"), ({"agencies": ["CPS"]}, "branch.agencies"), ({"code": "g1"}, "branch.code"), ({"reason": ""}, "admin.reason"),
])  # fmt: skip
def test_a_branch_that_cannot_be_is_refused(act, days, changed, code):
    given = {"code": "BIZ", "names": GAFSA, "valid_from": 5, "governorates": [], "agencies": ALL, "reason": REASON} | changed
    with pytest.raises(errors.Invalid, match=rf"^{code}\b"):
        act("zied", branches.open_branch, given["code"], given["names"], days(given["valid_from"]), given["governorates"], given["agencies"], given["reason"])


def test_an_agency_is_called_otherwise_from_a_day_on(house, act, days):
    names = {"fr": "Office de la diaspora", "ar": "ديوان الجالية", "en": "Diaspora Office"}
    act("zied", branches.rename_agency, "OTE", days(15), names, REASON)
    with house.reading(users.system()) as session:
        tables = programmes.dated(session)
    assert tables.agency("OTE", days(14))["fr"].startswith("Office des Tunisiens") and tables.agency("OTE", days(15)) == names


def test_a_programme_has_a_version_more_from_its_day_and_dossiers_keep_theirs(house, act, days):
    assert act("zied", catalogues.add_programme, "TOUNESNA-EU", days(90), CONTENT, "Convention 2027", False, REASON) == 2
    first, second = (one for one in told(house, days(90))["programmes"] if one["code"] == "TOUNESNA-EU")
    assert (first["au"], second["du"], second["au"]) == (days(89), days(90), None)
    assert first["niveaux"][2]["plafond"] == 16000 and len(second["niveaux"]) == 1
    assert [one["version"] for one in told(house, days(89))["programmes"] if one["code"] == "TOUNESNA-EU"] == [1]
    with pytest.raises(errors.Invalid, match="dated.before_it_begins"):
        act("zied", catalogues.end_programme, "TOUNESNA-EU", days(89), REASON)
    act("zied", catalogues.end_programme, "TOUNESNA-EU", days(400), "La convention finit ce jour-là.")
    assert [one["au"] for one in told(house, days(90))["programmes"] if one["code"] == "TOUNESNA-EU"] == [days(89), days(400)], "its end is known before it begins"
    with pytest.raises(errors.Conflict, match="dated.later_exists"):
        act("zied", catalogues.add_programme, "TOUNESNA-EU", days(80), CONTENT, "Autre", False, REASON)
    act("zied", catalogues.take_back, "programme", "TOUNESNA-EU", days(90), REASON)
    assert [(one["version"], one["au"]) for one in told(house, days(90))["programmes"] if one["code"] == "TOUNESNA-EU"] == [(1, None)]
    act("zied", catalogues.end_programme, "PAD-NL", days(10), REASON)
    assert next(one["au"] for one in told(house, days(90))["programmes"] if one["code"] == "PAD-NL") == days(10)
    for again, code in (("PAD-NL", None), ("OFII-TN-2023", "dated.ended")):
        if code:
            with pytest.raises(errors.Conflict, match=code):
                act("zied", catalogues.end_programme, again, days(20), REASON)


def test_a_programme_that_cannot_be_is_refused_place_by_place(act, days):
    wrong = CONTENT | {"pays": ["XX"], "delai_mois": -1, "inconnu": 1, "niveaux": [{"niveau": "N1", "plafond_millimes": 1.5}, {"niveau": "N9"}]}
    with pytest.raises(errors.Invalid, match="programme.content") as refused:
        act("zied", catalogues.add_programme, "NEUF-1", days(5), wrong, "Convention", False, REASON)
    assert {one.where for one in refused.value.findings} == {"/content/pays", "/content/delai_mois", "/content/inconnu", "/content/niveaux", "/content/niveaux/0/plafond_millimes"}
    with pytest.raises(errors.Invalid, match="dated.source"):
        act("zied", catalogues.add_programme, "NEUF-1", days(5), CONTENT, " ", False, REASON)
    assert act("zied", catalogues.add_programme, "NEUF-1", days(5), CONTENT, "", True, REASON, 5_000_000) == 1
    sheet = act("chokri", catalogues.programmes_listed, "NEUF-1")[0]
    assert sheet.fund.available_millimes == 5_000_000 and sheet.versions[0].is_inferred
    act("zied", catalogues.take_back, "programme", "NEUF-1", days(5), REASON)
    act("zied", catalogues.add_programme, "NEUF-1", days(6), CONTENT, "", True, REASON, 7_000_000)
    assert act("zied", catalogues.programmes_listed, "NEUF-1")[0].fund.available_millimes == 7_000_000


def test_what_a_programme_sets_no_bound_to_is_read_before_it_is_accepted_once(house, act, days):
    def begins(content, from_day, code="LIBRE-1", **more):
        return act("zied", catalogues.add_programme, code, days(from_day), content, "Convention", False, REASON, **more)

    none, free = CONTENT | {"niveaux": []}, CONTENT | {"niveaux": [{"niveau": "N1"}, {"niveau": "N2", "plafond_eur": 6_000}, {"niveau": "PAP", "dossier_aide": False}]}
    for content, told in ((none, [("programme.no_level", "Aucun niveau")]), (free, [("programme.no_ceiling", "Niveau 1, social")])):
        with pytest.raises(errors.Conflict, match="programme.unlimited") as refused:
            begins(content, 5)
        found = refused.value.findings
        assert [(one.code, one.severity) for one in found] == [(code, "warning") for code, _ in told]
        assert all(i18n.translate(one.code, "fr", **one.details).startswith(words) for one, (_, words) in zip(found, told, strict=True))
    assert begins(free, 5, is_known=True) == 1
    assert begins(free | {"delai_mois": 9}, 10) == 2, "what the version before said already is not asked again"
    with pytest.raises(errors.Conflict, match="programme.unlimited"):
        begins(none, 15)
    assert begins(CONTENT, 15) == 3, "what is bounded asks nothing"
    with pytest.raises(errors.Invalid, match="programme.content"):
        begins(none | {"label": {}}, 20, is_known=True)


def test_a_fund_grows_and_shrinks_by_what_is_not_engaged(act):
    before = act("zied", catalogues.programmes_listed, "TOUNESNA-EU")[0].fund.available_millimes
    assert act("zied", catalogues.change_fund, "TOUNESNA-EU", 1_000_000, REASON) == before + 1_000_000
    with pytest.raises(errors.Conflict, match="fund.short"):
        act("zied", catalogues.change_fund, "TOUNESNA-EU", -before - 1_000_001, REASON)
    for amount in (0, 10**14):
        with pytest.raises(errors.Invalid, match="fund.amount"):
            act("zied", catalogues.change_fund, "TOUNESNA-EU", amount, REASON)


def test_a_parameter_has_another_value_from_its_day(house, act, days):
    act("zied", catalogues.set_parameter, "quorum_minimum", days(40), 4, "Note du 3 novembre 2026", False, REASON)
    assert [told(house, days(number))["parametres"]["quorum_minimum"] for number in (39, 40)] == [3, 4]
    versions = act("chokri", catalogues.parameters_listed, "quorum_minimum")[0].versions
    assert [(one.valid_to, one.is_inferred, one.state) for one in versions] == [(days(39), versions[0].is_inferred, "now"), (None, False, "to_come")]
    act("zied", catalogues.take_back, "parameter", "quorum_minimum", days(40), REASON)
    assert told(house, days(40))["parametres"]["quorum_minimum"] == 3
    with pytest.raises(errors.NotFound, match="dated.not_found"):
        act("zied", catalogues.take_back, "parameter", "quorum_minimum", days(40), REASON)
    with pytest.raises(errors.Conflict, match="dated.begun"):
        act("zied", catalogues.take_back, "parameter", "quorum_minimum", dt.date(2019, 9, 1), REASON)


@pytest.mark.parametrize(("code", "value", "refusal"), [
    ("quorum_minimum", "quatre", "parameter.shape"), ("quorum_minimum", -1, "parameter.shape"), ("base_adulte_millimes", 1300.5, "parameter.shape"),
    ("tranches", {"N1": [100], "N2": [50, 49], "N3": [60, 30, 10]}, "parameter.rule"), ("tranches", {"N1": [100]}, "parameter.shape"),
    ("seuil_vulnerabilite", {"haute": 2, "moyenne": 3}, "parameter.rule"), ("antenne_par_defaut", "XXX", "branch.unknown"),
    ("seance_unique", [{"du": "2028-02-30", "au": "2028-03-01"}], "parameter.rule"), ("rythme_suivi", {}, "parameter.shape"),
    ("seance_unique", [{"avant": "Aïd", "jours": 30}], "parameter.feast"),
])  # fmt: skip
def test_a_value_of_another_shape_or_whose_parts_disagree_is_refused(act, days, code, value, refusal):
    with pytest.raises(errors.Invalid, match=rf"^{refusal}\b"):
        act("zied", catalogues.set_parameter, code, days(4000), value, "Note", False, REASON)


def test_working_time_of_the_past_is_counted_by_the_calendar_of_then(house, act):
    """A feast moved today moves the short days before it, those of weeks gone by too; what was known then stays what was known then."""

    def now():
        with house.reading(users.system()) as session:
            return clock.now(session)

    def known(at):
        with house.reading(users.system()) as session:
            return calendars.of(session).at(at)

    feast = next(one for one in act("chokri", holidays.listed, 2028) if "Eid al-Fitr" in one.names["en"].split(" · "))
    first = feast.day - dt.timedelta(days=30)
    first += dt.timedelta(days=0 if first.weekday() < 5 else 7 - first.weekday())
    before = now()
    assert known(before).closing(first) == dt.time(14) and not known(before).is_open(feast.day)
    act("zied", holidays.drop_holiday, feast.day, REASON)
    between = now()
    later = feast.day + dt.timedelta(days=40)
    act("zied", holidays.set_holiday, later, feast.names, False, REASON)
    act("zied", holidays.set_holiday, later, {**feast.names, "fr": "Aïd"}, False, REASON)
    act("zied", catalogues.set_parameter, "seance_unique", dt.date(2029, 1, 1), [{"du": "2029-07-05", "au": "2029-07-09"}], "Note", False, REASON)
    told = now()
    act("zied", catalogues.take_back, "parameter", "seance_unique", dt.date(2029, 1, 1), REASON)
    after = now()
    assert known(before).closing(first) == dt.time(14) and not known(before).is_open(feast.day) and known(before).is_open(later) == (later.weekday() < 5)
    assert known(between).closing(first) == dt.time(17) and known(between).is_open(feast.day) == (feast.day.weekday() < 5)
    assert not known(told).is_open(later) and known(told).closing(later - dt.timedelta(days=1)) == dt.time(14)
    assert (known(told).closing(dt.date(2029, 7, 6)), known(told).closing(dt.date(2029, 8, 2))) == (dt.time(14), dt.time(17))
    assert known(before).closing(dt.date(2029, 8, 2)) == known(after).closing(dt.date(2029, 8, 2)) == dt.time(14)
    with house.reading(users.system()) as session:
        assert known(after) == programmes.dated(session).calendar


def test_short_days_of_a_version_count_in_its_own_days_only(house, act, days):
    first = act("zied", catalogues.parameters_listed, "seance_unique")[0].versions[0].value
    act("zied", catalogues.set_parameter, "seance_unique", dt.date(2027, 5, 1), [{"du": "2027-07-05", "au": "2027-07-09"}], "Note", False, REASON)
    with house.reading(users.system()) as session:
        calendar = programmes.present(session).calendar
    assert {"du": "07-01", "au": "08-31"} in first and calendar.closing(dt.date(2027, 7, 1)) == dt.time(17) and calendar.closing(dt.date(2027, 7, 6)) == dt.time(14)
    assert calendar.closing(dt.date(2027, 2, 9)) == dt.time(14)


def test_a_holiday_closes_a_day_to_come_and_deadlines_given_stay_given(house, act, days):
    day = days(14)
    while day.weekday() > 4:
        day += dt.timedelta(days=1)
    names = {"fr": "Pont", "ar": "يوم عطلة", "en": "Bridge day"}
    act("zied", holidays.set_holiday, day, names, True, REASON)
    with house.reading(users.system()) as session:
        assert not programmes.present(session).calendar.is_open(day)
    act("zied", holidays.set_holiday, day, names, False, "Confirmé par décret")
    assert not next(one for one in act("chokri", holidays.listed, day.year) if one.day == day).is_estimate
    act("zied", holidays.drop_holiday, day, REASON)
    with house.reading(users.system()) as session:
        assert programmes.present(session).calendar.is_open(day)
    for past in (days(0), dt.date(2026, 1, 1)):
        with pytest.raises(errors.Invalid, match="dated.too_soon"):
            act("zied", holidays.drop_holiday, past, REASON)


def test_a_feast_moves_with_its_short_days_in_one_act_and_onto_no_other(house, act):
    feast = next(one for one in act("chokri", holidays.listed, 2027) if "Eid al-Fitr" in one.names["en"].split(" · "))
    later = feast.day + dt.timedelta(days=3)
    act("zied", holidays.set_holiday, later, GAFSA, False, REASON)
    with pytest.raises(errors.Conflict, match="dated.closed_then"):
        act("zied", holidays.move_holiday, feast.day, later, feast.names, False, REASON)
    act("zied", holidays.drop_holiday, later, REASON)
    with house.reading(users.system()) as session:
        before = programmes.present(session).calendar
    act("zied", holidays.move_holiday, feast.day, later, feast.names, False, REASON)
    with house.reading(users.system()) as session:
        after = programmes.present(session).calendar
    assert before.holidays ^ after.holidays == {feast.day, later}
    moved = {(first, last) for first, last in after.single_session if (first, last) not in before.single_session}
    assert {last - later for _, last in moved} == {last - feast.day for first, last in before.single_session if (first, last) not in after.single_session}, "the month of fasting ends before the feast, wherever it falls"
    with pytest.raises(errors.NotFound):
        act("zied", holidays.move_holiday, feast.day, later + dt.timedelta(days=2), feast.names, False, REASON)


@pytest.mark.parametrize("name", ["meriem", "karim", "chokri"])
def test_nobody_else_changes_what_is_dated(act, days, name):
    for verb, *given in ((holidays.set_holiday, days(5), GAFSA, False, REASON), (catalogues.set_parameter, "quorum_minimum", days(5), 4, "x", False, REASON),
                         (catalogues.add_programme, "X-1", days(5), CONTENT, "x", False, REASON), (branches.open_branch, "XX", GAFSA, days(5), [], ALL, REASON),
                         (catalogues.change_fund, "TOUNESNA-EU", 1, REASON), (branches.rename_agency, "OTE", days(5), GAFSA, REASON)):  # fmt: skip
        with pytest.raises(errors.Forbidden, match="act.forbidden"):
            act(name, verb, *given)
