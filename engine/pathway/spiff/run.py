"""One step: a stimulus moves tokens until everything that can move by itself has moved.

Order is fixed: tokens that are ready, first come first served; then inclusive joins; then conditions that came true; then joins that nothing can
free any more, which are incidents, never a silent end. What a node may see is in `sight`; who hears an error, an escalation or a signal, in
`hearing`. Not here: what an element does, how state is written.
"""

from collections import deque
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from engine import errors
from engine.pathway.happenings import Ended, IncidentClosed, IncidentRaised
from engine.pathway.spiff import hearing, moves, sight
from engine.pathway.spiff.activities import CallActivity, OperationTask, PersonTask, SubProcess
from engine.pathway.spiff.elements import Element, Reason
from engine.pathway.spiff.events import Listener, StartEvent, micros
from engine.pathway.spiff.expressions import FAULTS, Fault, feel_value, plain, reason_of
from engine.pathway.spiff.gateways import Join
from engine.pathway.spiff.scopes import READY, WAITING, Scope, ScopeSpec, Token
from engine.pathway.stimuli import Complete, Jump, Message, OperationDone, Retry, Signal, Skip, Stimulus, Stop, Timer
from forms.feel import ACT, Budget

if TYPE_CHECKING:
    from engine.pathway.definitions import Definitions

# What one stimulus may cost before a diagram that turns by itself is stopped. A token that lives already counts too: 20,000 of them are all there may be.
_MOST_WORK = 2_000_000
_RUN, _PLACE, _LIVE = 200, 20, 100


class Run:
    """An instance in the hands of one stimulus. `scopes`: by the order of the activity they are inside of, None for the instance itself."""

    def __init__(self, definitions: "Definitions", at: Any, seq: int, facts: Mapping[str, Mapping[str, Any]]) -> None:
        self.definitions, self.at, self.seq, self.facts = definitions, at, seq, facts
        self.ordinal = 0
        self.work = 0
        self.budget = Budget(ACT)  # of all the expressions that this stimulus has evaluated, tables too
        self.queue: deque[Any] = deque()
        self.happenings: list[Any] = []
        self.tell = self.happenings.append
        self.reasons: list[Reason] = []  # turns taken and tables asked, with all that their node saw
        self.scopes: dict[tuple[int, int] | None, Scope] = {}
        self.early: list[list[Any]] = []
        self.given: list[str] = []
        self.passed = bytearray((definitions.count + 7) // 8)
        self.outcome = ""
        self.is_ended = False
        self.ways: Mapping[str, str] = {}  # node → the flow that it is to take unasked
        self.read: set[str] = set()  # the paths that this stimulus made conditions, tables and parameters read

    # --- the stimulus ---

    def give(self, stimulus: Stimulus) -> None:
        """Moves the instance. Refuses what no longer stands: `task.not_open`, `wait.not_open`, `wait.not_due`, `incident.not_open`, `instance.ended`; as `moves`."""
        if self.is_ended:
            raise errors.Conflict("instance.ended")
        self.work += _LIVE * sum(len(scope.tasks) for scope in self.scopes.values())
        match stimulus:
            case Complete(task_id=key, variables=variables):
                task = self._open(key, "task", "task.not_open")
                given = self.checked(variables)
                assert isinstance(task.element, PersonTask)
                task.element.stop(self, task, "completed")  # done, even if the way out then breaks
                self.set_variables(task, given)
                self.resume(task)
            case Message(name=name, correlation=correlation, payload=payload):
                hearing.message(self, name, correlation or None, self.checked(payload))
            case Timer(wait_id=key):
                wait = self._open(key, "due", "wait.not_open")
                if micros(self.at) < wait.internal_data["due"]:
                    raise errors.Conflict("wait.not_due", wait=key)
                wait.element.heard(self, wait, None)
            case Signal(name=name):
                hearing.signal(self, name)
            case OperationDone():
                self._operation_done(stimulus)
            case Retry(incident_id=key):
                self._retry(key)
            case Jump(position=key, element=element):
                moves.jump(self, key, element)
            case Skip(position=key):
                moves.skip(self, key)
            case Stop(outcome=outcome):
                self.outcome = outcome
                whole = self.scopes[None]
                for token in whole.live():
                    if token.is_live:
                        token.cancel()
                if not self.is_ended:
                    self.check_scope(whole)
        self.drain()

    def checked(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Values from outside as FEEL values. Refuses: `value.unknown_kind`."""
        try:
            return {str(name): feel_value(value) for name, value in values.items()}
        except Fault as fault:
            raise errors.Invalid(fault.code, **fault.details) from fault

    def _open(self, key: str, mark: str, code: str) -> Token:
        first, _, second = key.partition(".")
        token = self.find((int(first), int(second))) if first.isdigit() and second.isdigit() else None
        if token is None or mark not in token.internal_data or (mark == "due" and "wait" not in token.internal_data):
            raise errors.Conflict(code, id=key)
        return token

    def _operation_done(self, done: OperationDone) -> None:
        token = self._open(done.task_id, "asked", "operation.not_asked")
        del token.internal_data["asked"]
        if done.error:
            if not hearing.error(self, token, done.error, at_the_edge=True):
                element = token.element
                assert isinstance(element, OperationTask)
                self.raise_incident(token, Fault("operation.failed", operation=element.extensions.operation, error=done.error), "run")
            return
        self.set_variables(token, self.checked(done.outputs))
        self.resume(token)

    def _retry(self, key: str) -> None:
        for scope in self.scopes.values():
            for token in scope.live():
                found = token.internal_data.get("inc")
                if found and found[0] == key:
                    self.forget_incident(token)
                    token.element.retry(self, token, found[2])
                    return
        raise errors.Conflict("incident.not_open", id=key)

    def drain(self) -> None:
        """Lets everything move that can. A diagram that turns without anybody is stopped where it is (incident `run.endless`).

        What was ready then stays ready, and goes on with the next stimulus (`state.load` queues it again).
        """
        queue = self.queue
        while True:
            while queue:
                token = queue.popleft()
                if token._state != READY or "inc" in token.internal_data:
                    continue
                if self.is_spent:
                    self.raise_incident(token, _endless(), "run")
                    return
                self.work += _RUN
                token.run()
            if not (self._settle_inclusive() or (self.definitions.has_conditions and self._settle_conditions())):
                break
        self._flag_stuck()

    @property
    def is_spent(self) -> bool:
        """Whether this stimulus has cost all that one may."""
        return self.work > _MOST_WORK

    def _settle_inclusive(self) -> bool:
        for scope in self.scopes.values():
            for join in scope.drawn.inclusive_joins:
                self.work += len(scope.at)
                if join.fire_if_due(self, scope):
                    return True
        return False

    def _settle_conditions(self) -> bool:
        for scope in list(self.scopes.values()):
            for token in scope.live():
                inside = token.internal_data
                if "was" not in inside or "wait" not in inside or "inc" in inside:
                    continue
                element = token.element
                assert isinstance(element, Listener)
                if self.is_spent:
                    self.raise_incident(token, _endless(), "condition")
                    return False
                self.work += _PLACE
                try:
                    rose = element.look_again(self, token)
                except Fault as fault:
                    self.raise_incident(token, fault, "condition")
                    continue
                if rose:
                    element.heard(self, token, None)
                    return True
        return False

    def _flag_stuck(self) -> None:
        for scope in self.scopes.values():
            tokens = [token for token in scope.live() if token.internal_data.get("role") != "start"]
            if tokens and all(isinstance(token.task_spec, Join) and token._state == WAITING and "inc" not in token.internal_data for token in tokens):
                self.raise_incident(tokens[0], Fault("gateway.stuck"), "arm")

    # --- tokens and scopes ---

    def place(self, scope: Scope, element: Element, internal: dict[str, Any] | None = None) -> Token:
        """A token enters an element."""
        self.ordinal += 1
        self.work += _PLACE
        token = Token(scope, element, (self.seq, self.ordinal), 4, internal)
        element.entered(self, token)
        element._update(token)
        return token

    def resume(self, token: Token) -> None:
        """What a token waited for is done: it leaves."""
        token.internal_data["leaving"] = 1
        self.forget_incident(token)
        token._set_state(READY)
        self.queue.append(token)

    def cancel(self, token: Token) -> None:
        """Ends a token and all that hangs on it."""
        token.cancel()

    def find(self, order: tuple[int, int]) -> Token | None:
        """The live token of an order."""
        for scope in self.scopes.values():
            token = scope.tasks.get(order)
            if token is not None:
                return token
        return None

    def token(self, order: tuple[int, int]) -> Token:
        """The live token of an order that must be there."""
        found = self.find(order)
        assert found is not None, f"no token {order}"
        return found

    def hung_on(self, host: Token) -> list[Token]:
        """The live tokens that hang on another: edges, rivals, turns."""
        return list(host.scope.hung.get(host.order, _NOBODY).values())

    def open_scope(self, spec: ScopeSpec, host: Token | None, variables: dict[str, Any] | None, entries: list[Element]) -> Scope:
        """A process or sub-process begins at its entries; the starts of its event sub-processes listen."""
        scope = self.scopes[host.order if host else None] = Scope(self, spec, host, variables)
        for entry in entries:
            self.place(scope, entry)
        for inside in spec.event_subprocesses:
            for start in inside.inner.entries:
                if isinstance(start, StartEvent) and start.listens:
                    self.place(scope, start, {"role": "start", "es": inside.number})
        return scope

    def close_scope(self, host: Token) -> None:
        """Cancels what runs inside an activity."""
        scope = self.scopes.pop(host.order, None)
        if scope is not None:
            for token in scope.live():
                if token.is_live:
                    token.cancel()

    def check_scope(self, scope: Scope) -> None:
        """Ends a scope in which nothing lives any more but starts that listen; its host is left, or the instance is over."""
        for token in scope.tasks.values():
            if token.internal_data.get("role") != "start":
                return
        host = scope.host
        if host is not None and isinstance(host.task_spec, CallActivity):
            try:
                host.task_spec.returned(self, host, sight.of_scope(self, scope))
            except Fault as fault:
                self.raise_incident(host, fault, "return")
                return
        for token in scope.live():
            token.cancel()
        self.scopes.pop(host.order if host else None, None)
        scope.completed = True
        if host is not None:
            self.resume(host)
        else:
            self.is_ended = True
            self.early.clear()
            self.tell(Ended(self.outcome))

    def start_event_subprocess(self, scope: Scope, number: int, start: StartEvent) -> None:
        """An event sub-process begins; if its start interrupts, everything else in the scope is over."""
        if start.is_interrupting:
            for token in scope.live():
                if token.is_live:
                    token.cancel()
        element = self.definitions.nodes[number]
        assert isinstance(element, SubProcess)
        self.place(scope, element, {"begin": start.number})

    def terminate(self, token: Token) -> None:
        """Everything else in the token's scope is over."""
        for other in token.scope.live():
            if other is not token and other.is_live:
                other.cancel()

    def turn_done(self, turn: Token) -> None:
        """One turn of a loop or multi-instance is over."""
        whole = self.token(turn.internal_data["host"])
        whole.element.turn_done(self, whole, turn)

    def mark(self, number: int) -> None:
        """Remembers that an element or a flow was passed."""
        self.passed[number >> 3] |= 1 << (number & 7)

    def raise_incident(self, token: Token, fault: Fault, moment: str) -> None:
        """The token waits at its node; `moment` says what `retry` takes up again."""
        self.ordinal += 1
        key = f"{self.seq}.{self.ordinal}"
        token.internal_data["inc"] = [key, fault.code, moment]
        self.tell(IncidentRaised(key, token.element.id, fault.code, {name: plain(value) for name, value in fault.details.items()}))

    def forget_incident(self, token: Token) -> None:
        """What the incident was about is over."""
        found = token.internal_data.pop("inc", None)
        if found:
            self.tell(IncidentClosed(found[0], token.element.id))

    # --- what elements ask for ---

    def sight(self, token: Token) -> dict[str, Any]:
        return sight.of_token(self, token)

    def explain(self, happening: Any, element: Any, seen: dict[str, Any], token: Token) -> None:
        """Tells a turn taken or a decision, and keeps what it was made of for whoever asks why."""
        self.tell(happening)
        self.reasons.append(Reason(happening, element, seen, sight.subjects(token)))

    def subjects(self, token: Token) -> tuple[str, ...]:
        return sight.subjects(token)

    def depth(self, token: Token) -> int:
        return sight.depth(token)

    def set_variables(self, token: Token, variables: Mapping[str, Any]) -> None:
        sight.holder(token).update({name: feel_value(value) for name, value in variables.items()})

    def take_early(self, name: str, correlation: str | None) -> Mapping[str, Any] | None:
        """The payload of the oldest message kept for this listener, which is then consumed."""
        for place, (kept, key, payload) in enumerate(self.early):
            if kept == name and (correlation is None or key == correlation):
                del self.early[place]
                return dict(payload)
        return None

    def signal(self, name: str) -> None:
        hearing.signal(self, name)

    def escalate(self, token: Token, code: str) -> None:
        hearing.escalation(self, token, code)

    def throw_error(self, token: Token, code: str) -> bool:
        return hearing.error(self, token, code, at_the_edge=False)

    def decide(self, reference: str, seen: Mapping[str, Any]) -> Any:
        """The verdict of a decision of the edition."""
        self.read |= self.definitions.read_by(reference)
        try:
            return self.definitions.decide(reference, seen)
        except FAULTS as fault:
            raise Fault("feel.fault", decision=reference, text=getattr(fault, "text", ""), reason=reason_of(fault)) from fault


def _endless() -> Fault:
    return Fault("run.endless", steps=_MOST_WORK // _RUN)


_NOBODY: dict[Any, Token] = {}
