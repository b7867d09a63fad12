"""Random processes against the oracle: 300 on every push (`make random`: 10,000), and that the oracle sees what it should."""

import pytest

from engine.pathway.spiff.gateways import InclusiveGateway, ParallelGateway
from engine.pathway.spiff.scopes import WAITING
from tests.properties import random_processes


def test_three_hundred_random_processes_offer_what_the_oracle_says():
    seeds = range(1_000_000, 1_000_300)  # others than the command's
    assert {seed: found for seed in seeds if (found := random_processes.play(seed))} == {}


def test_they_hold_every_kind_of_block_three_deep_and_nearly_all_come_to_their_end():
    kinds, deepest, let_go = set(), 0, 0
    for seed in range(1_000_000, 1_000_300):
        told = random_processes.Told()
        random_processes.play(seed, told)
        kinds |= told.kinds
        deepest = max(deepest, told.depth)
        let_go += not told.ended
    assert kinds == {"task", *random_processes.KINDS} and deepest == random_processes.DEEPEST and let_go <= 15, (kinds, deepest, let_go)


def early(self, run, token):
    """A parallel join that counts tokens, not flows: SpiffWorkflow's fault."""
    token._set_state(WAITING)
    tokens = self.waiting(token.scope)
    if len(tokens) >= min(2, len(self.flows_in)):
        self.take(run, tokens)
    return False


def impatient(self, run, scope):
    """An inclusive join that does not look who could still come."""
    tokens = self.waiting(scope)
    if tokens:
        self.take(run, tokens)
    return bool(tokens)


@pytest.mark.parametrize(("kind", "method", "sabotage"), [(ParallelGateway, "arm", early), (InclusiveGateway, "fire_if_due", impatient)])
def test_the_oracle_sees_a_sabotaged_join(monkeypatch, kind, method, sabotage):
    monkeypatch.setattr(kind, method, sabotage)
    assert any(random_processes.play(seed) for seed in range(300))
