"""Moves of random cases across random edits: 150 on every push (the command plays thousands), and that the play sees a certificate given too lightly."""

from collections import Counter

import pytest

from engine.pathway import moving
from tests.properties import moves_of_random_processes as moves


def test_a_certificate_given_never_breaks():
    told = Counter()
    assert {seed: found for seed in range(2_000_000, 2_000_150) if (found := moves.play(seed, told))} == {}
    assert told["replay"] > 20 and told["positions"] > 10 and told["refused"] > 5 and told["ended"] > 50, told


@pytest.mark.parametrize("check", ["_end", "_work"])
def test_the_play_sees_a_certificate_given_too_lightly(monkeypatch, check):
    monkeypatch.setattr(moving, check, lambda *_given: ())
    assert any(moves.play(seed) for seed in range(2_000_000, 2_000_150))


def test_the_play_sees_a_task_dropped(monkeypatch):
    monkeypatch.setattr(moving, "_obligations", lambda *_given: ())
    assert any(moves.play(seed) for seed in range(2_000_000, 2_000_150))
