"""Random diagrams of every element under random stimuli: never an exception, never a refusal of what stands, never stuck in silence."""

from engine.pathway.spiff.run import Run
from tests.properties import random_stimuli


def test_nothing_breaks_and_nothing_is_stuck_in_silence():
    met = {}
    seeds = range(1_000_000, 1_000_150)
    assert {seed: found for seed in seeds if (found := random_stimuli.Play(seed, met).whole())} == {}
    happened = {
        "TaskOpened",
        "TaskClosed",
        "WaitOpened",
        "WaitClosed",
        "MessageSent",
        "OperationRequested",
        "BranchTaken",
        "Decided",
        "IncidentRaised",
        "IncidentClosed",
        "Ended",
    }
    incidents = {"gateway.stuck", "error.uncaught", "feel.not_boolean", "decision.no_match", "operation.failed"}
    assert happened | incidents <= set(met) and met["Ended"] > 50, met


def test_a_join_that_is_stuck_in_silence_is_seen(monkeypatch):
    monkeypatch.setattr(Run, "_flag_stuck", lambda run: None)
    assert any("stuck in silence" in (random_stimuli.Play(seed).whole() or "") for seed in range(150))


def test_an_incident_that_is_over_and_not_told_is_seen(monkeypatch):
    monkeypatch.setattr(Run, "forget_incident", lambda run, token: token.internal_data.pop("inc", None))
    assert any("incidents told" in (random_stimuli.Play(seed).whole() or "") for seed in range(150))
