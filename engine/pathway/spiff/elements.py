"""What every element of a diagram has and does: SpiffWorkflow's task spec with flows, labels and a life in four moments.

`arm` (may it begin, or must it wait?) → `act` (its own work; False: it waits for somebody) → `choose` (which flows out) → left. A fault in any of
them is an incident on the token, which waits there; `retry` takes the same moment up again.
"""

from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

import msgspec
from SpiffWorkflow.bpmn.specs.bpmn_task_spec import BpmnTaskSpec
from SpiffWorkflow.task import Task
from SpiffWorkflow.util.task import TaskState

from engine.pathway.happenings import BranchTaken, Entered, Left
from engine.pathway.spiff.expressions import Fault, holds, read_values
from engine.pathway.spiff.extensions import Extensions
from engine.pathway.spiff.scopes import READY, WAITING, ScopeSpec, Token
from forms.feel import Expression

if TYPE_CHECKING:
    from engine.pathway.spiff.run import Run


class Flow:
    """A sequence flow. `number`: its place in the whole of the definitions, for the mark that it was taken."""

    def __init__(self, flow_id: str, source: "Element", target: "Element", names: dict[str, str], condition: Expression | None, is_default: bool) -> None:
        self.id, self.source, self.target, self.names = flow_id, source, target, names
        self.condition, self.is_default = condition, is_default
        self.number = 0
        self.place = 0  # among the flows into its target


class Reason(msgspec.Struct, frozen=True, eq=False):
    """A turn taken or a decision (`told`), with the element it was made at, all that it saw, and the subjects around it, outer first. Two that tell the same are
    the same: a sight may hold more than was read."""

    told: Any
    element: Any
    sight: Mapping[str, Any]
    subjects: tuple[str, ...] = ()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Reason) and (self.told, self.subjects) == (other.told, other.subjects)

    def __hash__(self) -> int:
        return hash((self.told.node, self.subjects))


class Element(BpmnTaskSpec):
    """One node of a diagram. `kind` is its BPMN name (`userTask`); `names` its label by language."""

    inner: ScopeSpec | None = None

    def __init__(
        self, spec: ScopeSpec, element_id: str, *, kind: str, names: dict[str, str], lane: str | None, extensions: Extensions, number: int = 0
    ) -> None:
        super().__init__(spec, element_id, lane=lane)
        self.scope_spec = spec
        self.id = element_id
        self.bpmn_id = element_id
        self.kind, self.names, self.extensions = kind, names, extensions
        self.bpmn_name = names.get("fr", "")
        self.number = number
        self.flows_in: list[Flow] = []
        self.flows_out: list[Flow] = []
        self.boundaries: list[Any] = []
        spec.elements.append(self)

    @property
    def file(self) -> str:
        return str(self.scope_spec.file)

    @property
    def place(self) -> str:
        """`file#element`, as findings name it."""
        return f"{self.file}#{self.id}"

    @property
    def shown_lane(self) -> str:
        return self.lane or ""

    # --- the life of a token, called by SpiffWorkflow's Task ---

    def test(self) -> None:
        """Nothing to test at each entering: the diagram was checked when it was parsed."""

    def _update_hook(self, my_task: Task) -> bool:
        token, run = my_task, my_task.workflow.run
        try:
            if self.arm(run, token):
                return True
        except Fault as fault:
            token._set_state(WAITING)
            run.raise_incident(token, fault, "arm")
            return False
        if token._state == TaskState.FUTURE:
            token._set_state(WAITING)
        return False

    def _on_ready_hook(self, my_task: Task) -> None:
        my_task.workflow.run.queue.append(my_task)

    def _run_hook(self, my_task: Task) -> bool | None:
        token, run = my_task, my_task.workflow.run
        inside = token.internal_data
        try:
            if "leaving" not in inside:
                if not self.act(run, token):
                    return None
                if not token.is_live:
                    return None
            if inside.get("role") == "turn":
                return True
            inside["leaving"] = 1
            token.chosen = self.choose(run, token)
        except Fault as fault:
            run.raise_incident(token, fault, "run")
            return None
        return True

    def _on_complete_hook(self, my_task: Task) -> None:
        token, run = my_task, my_task.workflow.run
        run.mark(self.number)
        self.close(run, token, "completed")
        run.tell(Left(self.id, token.key))
        if token.internal_data.get("role") == "turn":
            run.turn_done(token)
            return
        for flow in token.chosen:
            run.mark(flow.number)
            run.place(token.scope, flow.target, {"flow": flow.place} if flow.target.keeps_flow else None)
        self.passed(run, token)

    def _on_cancel(self, my_task: Task) -> None:
        token, run = my_task, my_task.workflow.run
        run.forget_incident(token)
        self.close(run, token, "cancelled")
        if self.is_seen(token):
            run.tell(Left(self.id, token.key))
        token.scope.splice(token)

    # --- what kinds of elements say differently ---

    def sources(self) -> "list[Element]":
        """The elements a token may come from."""
        return [flow.source for flow in self.flows_in]

    keeps_flow = False  # whether a token must know by which flow it came (joins)

    def is_seen(self, token: Token) -> bool:
        """Whether the token's entering was told (tokens that only listen are not)."""
        return True

    def entered(self, run: "Run", token: Token) -> None:
        run.tell(Entered(self.id, token.key))

    def arm(self, run: "Run", token: Token) -> bool:
        """Whether the element may begin now."""
        return True

    def act(self, run: "Run", token: Token) -> bool:
        """The element's own work. False: somebody else ends it, through `run.resume`."""
        return True

    def passed(self, run: "Run", token: Token) -> None:
        """What follows leaving, beside the flows."""

    def close(self, run: "Run", token: Token, outcome: str) -> None:
        """Takes away what hangs on the token: tasks, waits, boundary events, what runs inside."""

    def retry(self, run: "Run", token: Token, moment: str) -> None:
        """Takes up again the moment that broke."""
        if moment == "arm":
            self._update(token)
        else:
            token._set_state(READY)
            run.queue.append(token)

    def choose(self, run: "Run", token: Token) -> tuple[Flow, ...]:
        """The flows a task or an event leaves by: all without condition, and of the others those that hold (else the default)."""
        flows = self.flows_out
        if len(flows) <= 1 and not (flows and flows[0].condition):
            return tuple(flows)
        if not any(flow.condition is not None and not flow.is_default for flow in flows):
            return tuple(flow for flow in flows if flow.is_default or flow.condition is None)
        return turn(self, run, token)

    @cached_property
    def weighs(self) -> frozenset[str]:
        """The paths that the conditions on its ways out may read."""
        return frozenset(path for flow in self.flows_out if flow.condition is not None for path in flow.condition.paths)

    def way(self, sight: Mapping[str, Any]) -> "tuple[tuple[Flow, ...], list[dict[str, Any]]]":
        """The flows that conditions lead to on what a node sees, and the why of each condition looked at. Faults where there is no way out."""
        flows = self.flows_out
        why, held = weigh([flow for flow in flows if flow.condition is not None and not flow.is_default], sight)
        free = [flow for flow in flows if flow.condition is None and not flow.is_default]
        return way_out(flows, free + held, why), why


def turn(element: Element, run: "Run", token: Token) -> tuple[Flow, ...]:
    """Takes the way that the element's conditions lead to, and tells it. All its conditions count as read, those too that one before them spared: whoever asks
    where other values would have led finds what they would have met."""
    sight = run.sight(token)
    run.read |= element.weighs
    told = tuple(flow for flow in element.flows_out if flow.id == run.ways[element.id]) if element.id in run.ways else ()
    taken, why = (told, []) if told else element.way(sight)
    run.explain(BranchTaken(element.id, tuple(flow.id for flow in taken), tuple(why)), element, sight, token)
    return taken


def way_out(flows: list[Flow], held: list[Flow], why: list[dict[str, Any]]) -> tuple[Flow, ...]:
    """The flows that hold, as drawn, else the default. Faults where there is neither."""
    taken = held or [flow for flow in flows if flow.is_default]
    if not taken:
        raise Fault("gateway.no_way_out", conditions=why)
    return tuple(sorted(taken, key=flows.index))


def weigh(flows: list[Flow], sight: Mapping[str, Any], first_only: bool = False) -> tuple[list[dict[str, Any]], list[Flow]]:
    """Evaluates the conditions in order: the why of each, and the flows that hold (`first_only`: stops at the first)."""
    why: list[dict[str, Any]] = []
    held: list[Flow] = []
    for flow in flows:
        assert flow.condition is not None
        value = holds(flow.condition, sight)
        why.append({"flow": flow.id, "text": flow.condition.text, "value": value, "values": read_values(flow.condition, sight)})
        if value:
            held.append(flow)
            if first_only:
                break
    return why, held
