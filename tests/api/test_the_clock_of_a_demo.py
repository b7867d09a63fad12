"""The demo's clock by the API: there in a demo only, moved by any ISO 8601 duration."""

import datetime as dt

import pytest
from fastapi.testclient import TestClient

from api import demo
from api.app import create_app
from engine.settings import Settings


def at(text):
    return dt.datetime.fromisoformat(text).replace(tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("duration", "until"),
    [("P1D", "2026-02-01T09:00"), ("P2W", "2026-02-14T09:00"), ("P1M", "2026-02-28T09:00"), ("P13M", "2027-02-28T09:00"), ("P1Y", "2027-01-31T09:00"),
     ("PT36H", "2026-02-01T21:00"),
     ("P1DT1H30M", "2026-02-01T10:30"), ("PT90S", "2026-01-31T09:01:30"), ("PT0S", "2026-01-31T09:00"), ("P1Y2M3W4DT5H6M7S", "2027-04-25T14:06:07")],
)  # fmt: skip
def test_a_duration_goes_by_the_calendar(duration, until):
    assert demo.after(at("2026-01-31T09:00"), duration) == at(until)


@pytest.mark.parametrize("duration", ["", "P", "PT", "P1DT", "1D", "-P1D", "P-1D", "P1.5D", "p1d", "P1D ", "P١D", "P99999Y", "soon"])
def test_what_is_no_duration_is_refused(duration, program):
    answer = program("meriem").post("/demo/clock", json={"advance": duration})
    assert answer.status_code == 422 and answer.json()["errors"][0]["pointer"] == "#/advance", duration


def test_the_clock_moves_and_says_what_time_it_is(program):
    coordination = program("meriem")
    before = dt.datetime.fromisoformat(coordination.post("/demo/clock", json={"advance": "PT0S"}).json()["now"])
    after = dt.datetime.fromisoformat(coordination.post("/demo/clock", json={"advance": "P2D"}).json()["now"])
    assert dt.timedelta(days=2) <= after - before < dt.timedelta(days=2, minutes=1)
    assert coordination.post("/demo/clock", json={"advance": "P4000D"}).status_code == 422


def test_outside_a_demo_the_route_is_not_there(furnished):
    real = TestClient(create_app(Settings(is_demo=False), furnished))
    assert real.post("/demo/clock", json={"advance": "P1D"}).status_code == 404
    assert "/demo/clock" not in real.get("/openapi.json").json()["paths"]
