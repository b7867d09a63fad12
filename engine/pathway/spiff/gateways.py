"""Gateways: SpiffWorkflow's miscount joins in loops and nested inclusive joins; these count tokens by the flow they came by.

Parallel: fires when each flow in has a token, taking one of each; later turns of a loop wait their turn (BPMN 2.0.2 §13.4.1).
Inclusive: fires when no token elsewhere could still reach an empty flow in without also reaching a filled one (§13.4.3); asked by `run` once
everything that can move by itself has moved. Event-based: listens for each of its targets; the first to happen wins.
"""

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from engine.pathway.happenings import BranchTaken
from engine.pathway.spiff.elements import Element, Flow, turn, way_out, weigh
from engine.pathway.spiff.scopes import READY, WAITING, Scope, Token

if TYPE_CHECKING:
    from engine.pathway.spiff.run import Run


class ExclusiveGateway(Element):
    """The first flow whose condition holds, in the order in which they are `tried`; else the default."""

    tried: Sequence[Flow] = ()

    def choose(self, run: "Run", token: Token) -> tuple[Flow, ...]:
        flows = self.flows_out
        if len(flows) == 1 and flows[0].condition is None:
            return tuple(flows)
        return turn(self, run, token)

    def way(self, sight: Mapping[str, Any]) -> tuple[tuple[Flow, ...], list[dict[str, Any]]]:
        flows = self.flows_out
        why, held = weigh([flow for flow in self.tried if flow.condition is not None and not flow.is_default], sight, first_only=True)
        return way_out(flows, held, why)[:1], why


class Join(Element):
    """A gateway that may wait for several tokens; those that came wait with the flow they came by."""

    keeps_flow = True

    def waiting(self, scope: Scope) -> list[Token]:
        """The tokens that came and were not yet taken, oldest first."""
        here = scope.at.get(self.number, {}).values()
        return [token for token in here if token._state & WAITING and "leaving" not in token.internal_data]

    def take(self, run: "Run", tokens: list[Token]) -> None:
        """Fires: one token a flow becomes one token, the newest; the others are over."""
        by_flow: dict[int, Token] = {}
        for token in tokens:
            by_flow.setdefault(token.internal_data.get("flow", 0), token)
        taken = list(by_flow.values())
        for token in taken[:-1]:
            token.cancel()
        kept = taken[-1]
        run.forget_incident(kept)
        kept.internal_data.clear()
        kept._set_state(READY)
        run.queue.append(kept)

    def retry(self, run: "Run", token: Token, moment: str) -> None:
        """A token that broke on the way out tries the way out again; one that waits is looked at again when all is quiet."""
        if moment == "arm":
            token._set_state(WAITING)
        else:
            super().retry(run, token, moment)


class ParallelGateway(Join):
    """All flows in, all flows out."""

    def arm(self, run: "Run", token: Token) -> bool:
        if len(self.flows_in) < 2:
            return True
        token._set_state(WAITING)
        tokens = self.waiting(token.scope)
        run.work += len(tokens)
        if len({one.internal_data.get("flow", 0) for one in tokens}) == len(self.flows_in):
            self.take(run, tokens)
        return False

    def choose(self, run: "Run", token: Token) -> tuple[Flow, ...]:
        return tuple(self.flows_out)


class InclusiveGateway(Join):
    """Every flow whose condition holds, else the default; joins what was really taken."""

    def arm(self, run: "Run", token: Token) -> bool:
        return len(self.flows_in) < 2

    def fire_if_due(self, run: "Run", scope: Scope) -> bool:
        """Fires once if no other token of the scope can still reach a flow in that is empty."""
        tokens = self.waiting(scope)
        if not tokens:
            return False
        filled = {token.internal_data.get("flow", 0) for token in tokens}
        empty = set(range(len(self.flows_in))) - filled
        if empty:
            for number in scope.at:
                reached = self.reached_from.get(number, frozenset())  # of itself: nothing
                if reached & empty and not reached & filled:
                    return False
        self.take(run, tokens)
        return True

    @cached_property
    def reached_from(self) -> dict[int, frozenset[int]]:
        """Element number → the flows into this gateway that a token there may reach without passing it."""
        found: dict[int, set[int]] = {}
        for place, flow in enumerate(self.flows_in):
            seen: set[int] = set()
            stack: list[Element] = [flow.source]
            while stack:
                element = stack.pop()
                if element is self or element.number in seen:
                    continue
                seen.add(element.number)
                found.setdefault(element.number, set()).add(place)
                stack.extend(element.sources())
        return {number: frozenset(places) for number, places in found.items()}

    def choose(self, run: "Run", token: Token) -> tuple[Flow, ...]:
        flows = self.flows_out
        if all(flow.condition is None for flow in flows):
            return tuple(flows)
        return turn(self, run, token)


class EventGateway(Element):
    """Waits for the first of several events."""

    def act(self, run: "Run", token: Token) -> bool:
        for flow in self.flows_out:
            if not token.is_live or "leaving" in token.internal_data:
                break
            run.place(token.scope, flow.target, {"host": token.order, "role": "rival"})
        return False

    def won(self, run: "Run", gate: Token, rival: Token) -> None:
        """A rival's event happened: it goes on as its own element, the others stop listening, the gateway is left."""
        flow = next(flow for flow in self.flows_out if flow.target is rival.task_spec)
        gate.internal_data["leaving"] = 1
        gate.chosen = ()
        rival.scope.unhang(rival)
        rival.internal_data.pop("role")
        run.tell(BranchTaken(self.id, (flow.id,), ()))
        run.mark(flow.number)
        gate._set_state(READY)
        gate.complete()
        rival.element.entered(run, rival)

    def close(self, run: "Run", token: Token, outcome: str) -> None:
        for other in run.hung_on(token):
            if other.internal_data.get("role") == "rival":
                other.cancel()

    def retry(self, run: "Run", token: Token, moment: str) -> None:
        self.close(run, token, "cancelled")
        super().retry(run, token, moment)
