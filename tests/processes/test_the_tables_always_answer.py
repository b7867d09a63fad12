"""Whatever the facts, known, unknown or refused, a decision answers: no case falls between two rows, none on two rows of a UNIQUE table."""

import datetime as dt
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from forms.feel import PartialDate
from tests.processes import reading
from tests.processes.conftest import VARIABLES

TABLES = reading.tables()
CALLED = sorted({"D0", "D1", "D2", "D3", "D4a", "D4", "D5", "D5b", "D6", "D7", "D8", "D8b", "D9", "D9b", "D10c", "D10d", "D12", "D14"})
DAYS = some.dates(dt.date(2024, 1, 1), dt.date(2027, 12, 31))
AMOUNTS = some.one_of(some.sampled_from([0, 300, 500, 800, 1000, 16000]),
    some.integers(0, 40_000_000).map(lambda millimes: Decimal(millimes) / 1000)).map(Decimal)
OF_TYPE = {
    "bool": some.booleans(), "tri": some.booleans(), "date": DAYS, "money": AMOUNTS, "percent": some.integers(0, 100).map(Decimal),
    "number": some.floats(0, 1).map(lambda one: Decimal(str(one))),
    "int": some.integers(0, 24).map(Decimal), "score": some.integers(0, 5).map(Decimal), "doc": some.just("d"),
    "gov": some.sampled_from(["TN-11", "TN-23", "TN-61", "TN-82"]),
    "country": some.sampled_from(["FR", "DE", "IT", "NL", "LY"]), "datetime": DAYS.map(lambda day: dt.datetime.combine(day, dt.time(9), dt.UTC)),
}  # fmt: skip
OF_VARIABLE = {
    "doublon": some.fixed_dictionaries({"cin": some.sampled_from(["exact", "non"]),
    "ressemblance": some.integers(0, 10).map(lambda tenths: Decimal(tenths) / 10), "dossier": some.sampled_from(["ouvert", "clos", "aucun"])}),
    "k": some.integers(1, 4).map(Decimal), "suivi_debut": some.none() | DAYS, "visites_manquees": some.none() | some.integers(0, 3).map(Decimal),
    "signale": some.none() | some.fixed_dictionaries({"gouvernorat": some.none() | OF_TYPE["gov"]}),
}  # fmt: skip


def values(name, fields, choices):
    """What a field may hold, or nothing: unknown, refused and not yet asked are all null to a table."""
    found = fields[name]
    codes = choices.get(found.get("choices", ""))
    if name == "person.naissance_date":
        value = some.one_of(some.dates(dt.date(1940, 1, 1), dt.date(2026, 3, 12)), some.integers(1940, 2026).map(PartialDate))
    elif found["type"] == "list":
        value = some.lists(some.fixed_dictionaries({one.partition(".")[2]: values(one, fields, choices) for one in found["items"]}), max_size=4)
    elif found["type"] == "multi":
        value = some.lists(some.sampled_from(codes), unique=True, max_size=3)
    elif codes:
        value = some.sampled_from(codes)
    else:
        value = OF_TYPE.get(found["type"], some.just("texte"))
    return some.none() | value


def scopes(decision, fields, choices):
    """Any scope that the decision may meet."""
    groups, variables = {}, {name: some.just(value) for name, value in {"today": reading.TODAY}.items()}
    for path in TABLES.reads(decision):
        head, _, rest = path.partition(".")
        if head in VARIABLES:
            variables[head] = OF_VARIABLE[head]
        elif f"{head}.{rest.partition('.')[0]}" in fields:
            short = rest.partition(".")[0]
            groups.setdefault(head, {})[short] = values(f"{head}.{short}", fields, choices)
    return some.fixed_dictionaries(variables | {group: some.fixed_dictionaries(inner) for group, inner in groups.items()})


@pytest.mark.parametrize("decision", CALLED)
def test_a_decision_always_answers(decision, fields, choices):
    found = TABLES.by_id[decision]
    chosen = {name: output.values for name, output in zip([one.name for one in found.outputs], found.outputs, strict=True) if output.values}
    dated = reading.dated().scope(reading.TODAY) | {"dossier": {"antenne": "SFX", "ouvert_le": reading.TODAY}}

    @settings(max_examples=60, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
    @given(scopes(decision, fields, choices))
    def answers(scope):
        for inner in reading.needed(TABLES, decision):
            verdict = TABLES.decide(inner, dated | scope)
            assert not verdict.findings, (inner, verdict)
        told = TABLES.decide(decision, dated | scope).outputs
        assert told is not None
        for one in told if isinstance(told, list) else [told]:
            for name, allowed in chosen.items():
                assert (one[name] if isinstance(one, dict) else one) in allowed

    answers()
