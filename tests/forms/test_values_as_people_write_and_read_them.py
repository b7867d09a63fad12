import datetime as dt
from decimal import Decimal
from types import SimpleNamespace

import pytest

from forms import field_types, text
from forms.feel import PartialDate


def spec(type_, **more):
    return SimpleNamespace(**({"type": type_, "min": None, "max": None, "max_length": None, "matches": None, "partial": True, "codes": {},
        "piece_labels": {}} | more))


@pytest.mark.parametrize(
    ("type_", "typed", "value"),
    [
        ("money", "1 250,500", 1250500), ("money", "1250.5 DT", 1250500), ("money", "١٢٥٠٫٥", 1250500), ("money", "300 د.ت", 300000), ("money", "1 250",
        1250000), ("money", "0,001", 1),
        ("int", "٣", 3), ("int", "1 000", 1000), ("number", "12,5", 12.5), ("percent", "50", 50), ("date", "24/11/2026", "2026-11-24"), ("date", "2-3-1990",
        "1990-03-02"), ("date", "1990", "1990"),
        ("date", "3/1990", "1990-03"), ("date", "٢٤/١١/٢٠٢٦", "2026-11-24"), ("datetime", "2026-12-01T09:00", "2026-12-01T08:00:00Z"), ("phone", "20 123 456",
        "+21620123456"),
        ("phone", "00216 20 123 456", "+21620123456"), ("phone", "+39 06 1234 5678", "+390612345678"), ("phone", "٢٠١٢٣٤٥٦", "+21620123456"), ("cin",
        "0123 4567", "01234567"),
        ("passport", "a 123456", "A123456"), ("email", " amel@exemple.tn ", "amel@exemple.tn"), ("bool", "true", True), ("text", "  Ben  Salah ", "Ben  Salah"),
    ],
)  # fmt: skip
def test_what_is_typed_is_understood_as_tunisians_write_it(type_, typed, value):
    kind = field_types.TYPES[type_]
    assert kind.read(spec(type_), kind.from_text(spec(type_), typed)) == value


@pytest.mark.parametrize(
    ("type_", "value", "fr", "ar"),
    [
        ("money", 1250500, "1\u202f250,500 DT", "1\u202f250,500 د.ت"), ("money", -5, "-0,005 DT", "-0,005 د.ت"), ("date", "2026-03-01", "1er mars 2026",
        "1 مارس 2026"),
        ("date", "1990-02", "février 1990", "فيفري 1990"), ("date", "1990", "1990", "1990"), ("datetime", "2026-12-01T08:00:00Z", "mardi 1er décembre 2026, 09:00",
        "الثلاثاء 1 ديسمبر 2026، 09:00"),
        ("bool", False, "Non", "لا"), ("phone", "+21620123456", "+216 20 123 456", "+216 20 123 456"), ("percent", 12.5, "12,5\u00a0%", "12,5\u00a0%"),
    ],
)  # fmt: skip
def test_a_value_is_shown_with_tunisian_months_dinars_and_western_digits(type_, value, fr, ar):
    assert (text.display(spec(type_), value, "fr"), text.display(spec(type_), value, "ar")) == (fr, ar)


@pytest.mark.parametrize(("type_", "value", "feel"), [("money", 1250500, Decimal("1250.5")), ("date", "1990-02", PartialDate(1990, 2)), ("date", "1990-02-03",
    dt.date(1990, 2, 3)),
                                                      ("number", 0.1, Decimal("0.1")), ("bool", True, True), ("multi", ["a"], ["a"]), ("int", None,
                                                      None)])  # fmt: skip
def test_a_stored_value_is_given_to_conditions_and_back(type_, value, feel):
    assert field_types.to_feel(spec(type_), value) == feel
    if value is not None and not isinstance(feel, PartialDate):
        assert field_types.from_feel(type_, feel) == value


def test_a_value_of_another_type_is_no_answer_of_a_computation():
    assert field_types.from_feel("int", Decimal("1.5")) is None
    assert field_types.from_feel("money", "100") is None
    assert field_types.from_feel("bool", Decimal(1)) is None
    assert field_types.from_feel("money", Decimal("1e999999")) is None


@pytest.mark.parametrize(("written", "days"), [("P0D", 0), ("P30D", 30), ("P12M", 365), ("P2Y", 730), ("P1Y6M", 548), ("P3M", 91)])
def test_how_long_an_answer_holds(written, days):
    assert field_types.duration(written) == dt.timedelta(days=days)


@pytest.mark.parametrize("written", ["", "P", "P1W", "12M", "P-1D"])
def test_a_duration_of_another_form_is_refused(written):
    with pytest.raises(ValueError):
        field_types.duration(written)
