"""Tokens and the scopes they live in: SpiffWorkflow's Task and Workflow, without its growing tree.

A scope is one running process, called process or (event) sub-process. Its tree is a root and the tokens that live now: what is completed or
cancelled is spliced out at once, so that neither time nor state grows with age. Ids come from the stimulus, never from a clock or chance.
Not here: what a token does (elements, gateways, events, activities), nor the order of things (run).
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, cast

from SpiffWorkflow.specs.WorkflowSpec import WorkflowSpec
from SpiffWorkflow.task import Task
from SpiffWorkflow.util.event import Event
from SpiffWorkflow.util.task import TaskState
from SpiffWorkflow.workflow import Workflow

if TYPE_CHECKING:
    from engine.pathway.spiff.elements import Element
    from engine.pathway.spiff.run import Run

WAITING, READY, STARTED, COMPLETED, CANCELLED = TaskState.WAITING, TaskState.READY, TaskState.STARTED, TaskState.COMPLETED, TaskState.CANCELLED
LIVE = WAITING | READY | STARTED | TaskState.FUTURE


class ScopeSpec(WorkflowSpec):
    """The elements of one process or sub-process, as drawn. Read-only once parsed: shared by every instance."""

    def __init__(self, name: str, filename: str, process: str) -> None:
        super().__init__(name=name, filename=filename)
        self.process = process
        self.number = 0
        self.elements: list[Element] = []
        self.entries: list[Element] = []
        self.event_subprocesses: list[Any] = []
        self.inclusive_joins: list[Any] = []

    def begins(self, message: str | None = None) -> "list[Element]":
        """Where it begins: at the start of a message, else at the plain start (or where nothing leads to, in a drawing without starts)."""
        kinds = [(element, getattr(element, "trigger", None)) for element in self.entries]
        if message is not None:
            return [element for element, trigger in kinds if trigger is not None and trigger.kind == "message" and trigger.name == message]
        return [element for element, trigger in kinds if element.kind != "startEvent" or trigger is None or trigger.kind == "none"]

    def sub_specs(self) -> Iterator["ScopeSpec"]:
        """This spec and those drawn inside it."""
        yield self
        for element in self.elements:
            if element.inner is not None:
                yield from element.inner.sub_specs()


class Token(Task):
    """Where an instance stands: one entering of an element. `order` is (seq, ordinal); `internal_data` is what the state keeps of it:

    `host` (the token it hangs on: a boundary's activity, an event gateway, a multi-instance), `role` (of a token with a host, or of the
    start of an event sub-process that listens), `vars`, `subject`, `flow`, `due`…
    """

    # SpiffWorkflow's constructor draws a random id and reads the clock; both would make a history irreproducible.
    def __init__(self, workflow: "Scope", task_spec: "Element", order: tuple[int, int], state: int, internal: dict[str, Any] | None = None) -> None:
        self.order = order
        self.id = order
        self.workflow = workflow
        self.task_spec = task_spec
        self._parent = None
        self._children: list[Any] = []
        self._state = state
        self.triggered = False
        self.thread_id = 0
        self.data: dict[str, Any] = {}
        self.internal_data = internal if internal is not None else {}
        self.last_state_change = 0
        self.chosen: tuple[Any, ...] = ()  # the flows out, between choosing and leaving
        workflow.add(self)

    @property
    def key(self) -> str:
        """The id that the world knows."""
        return f"{self.order[0]}.{self.order[1]}"

    @property
    def element(self) -> "Element":
        return cast("Element", self.task_spec)

    @property
    def scope(self) -> "Scope":
        return cast("Scope", self.workflow)

    @property
    def is_live(self) -> bool:
        return bool(self._state & LIVE)

    def _set_state(self, value: int) -> None:
        self._state = value

    def run(self) -> bool | None:
        """Runs the element. What the run itself ended, or moved on already, stays as it was made."""
        self._state = STARTED
        done = self.task_spec._run(self)
        if done and self._state == STARTED:
            self.complete()
        return done


class Scope(Workflow):
    """A running process or sub-process. `host`: the token of the activity it is inside of, None for the whole instance.

    `variables` is None where it shares those of the scope around (embedded sub-process).
    """

    # SpiffWorkflow's constructor makes and predicts the first tasks; here a scope starts empty and never predicts.
    def __init__(self, run: "Run", spec: ScopeSpec, host: Token | None, variables: dict[str, Any] | None) -> None:
        self.spec = spec
        self.data = {}
        self.locks = {}
        self.last_task = None
        self.success = True
        self.tasks: dict[Any, Token] = {}
        self.at: dict[int, dict[Any, Token]] = {}  # the same, by the number of their element
        self.hung: dict[Any, dict[Any, Token]] = {}  # those that hang on another, by its order
        self.completed = False
        self.completed_event = _NO_EVENT
        self.task_removed_event = _NO_EVENT
        self.run = run
        self.host = host
        self.variables = variables

    @property
    def drawn(self) -> ScopeSpec:
        return cast(ScopeSpec, self.spec)

    def _task_completed_notify(self, task: Task) -> None:
        self.splice(cast(Token, task))
        self.run.check_scope(self)

    def add(self, token: Token) -> None:
        """Takes a token in."""
        self.tasks[token.order] = token
        self.at.setdefault(token.element.number, {})[token.order] = token
        host = token.internal_data.get("host")
        if host is not None:
            self.hung.setdefault(host, {})[token.order] = token

    def splice(self, token: Token) -> None:
        """Takes a finished token out: nothing of it stays but the mark that its element was passed."""
        if self.tasks.pop(token.order, None) is not None:
            _drop(self.at, token.element.number, token)
            self.unhang(token)

    def unhang(self, token: Token) -> None:
        """From now on the token stands for itself."""
        host = token.internal_data.pop("host", None)
        if host is not None:
            _drop(self.hung, host, token)

    def live(self) -> list[Token]:
        """The tokens that live, oldest first."""
        return [token for token in self.tasks.values() if token._state & LIVE]


def _drop(index: dict[Any, dict[Any, Token]], key: Any, token: Token) -> None:
    kept = index[key]
    del kept[token.order]
    if not kept:
        del index[key]


_NO_EVENT = Event()  # never connected to, never emitted
