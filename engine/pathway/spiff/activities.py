"""Activities: what people, Masar, tables and called processes do; loops and multi-instances around them; events at their edge.

A multi-instance or a loop is one token (the whole) on which its turns hang, each with the variables of its own (`vars`) and its item.
An item that is somebody or something known keeps its `id` alone: its fields are read from the facts of each stimulus.
"""

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from engine.pathway.happenings import Decided, OperationRequested, TaskClosed, TaskOpened
from engine.pathway.spiff.elements import Element
from engine.pathway.spiff.events import Listener, send
from engine.pathway.spiff.expressions import Fault, evaluate, feel_value, holds, plain
from engine.pathway.spiff.extensions import TaskNote
from engine.pathway.spiff.scopes import ScopeSpec, Token
from engine.pathway.spiff.timing import TUNIS
from forms.feel import Expression, PartialDate

if TYPE_CHECKING:
    from engine.pathway.spiff.run import Run

_MOST_TURNS = 1000


@dataclass(frozen=True)
class Loop:
    """`kind` standard|parallel|sequential. `condition`: go on while true (standard), stop once true (multi-instance)."""

    kind: str
    condition: Expression | None = None
    maximum: int | None = None
    tests_before: bool = False
    collection: Expression | None = None
    item: str = ""
    cardinality: Expression | None = None


class Activity(Element):
    """Anything with work in it. `perform` does one turn of it."""

    loop: Loop | None = None

    def is_whole(self, token: Token) -> bool:
        """Whether the token stands for all turns of a loop, not one of them."""
        return self.loop is not None and token.internal_data.get("role") != "turn"

    def act(self, run: "Run", token: Token) -> bool:
        if token.internal_data.get("role") != "turn" and "edged" not in token.internal_data:
            self._listen_at_the_edge(run, token)
            if not token.is_live:
                return False
        return self._begin(run, token) if self.is_whole(token) else self.perform(run, token)

    def _listen_at_the_edge(self, run: "Run", token: Token) -> None:
        if self.boundaries:
            token.internal_data["edged"] = 1
            for boundary in self.boundaries:
                if boundary.listens and token.is_live:
                    run.place(token.scope, boundary, {"host": token.order, "role": "edge"})

    def perform(self, run: "Run", token: Token) -> bool:
        """One turn of the work."""
        return True

    def close(self, run: "Run", token: Token, outcome: str) -> None:
        if (self.loop is not None or self.boundaries) and token.internal_data.get("role") != "turn":
            for hung in run.hung_on(token):
                hung.cancel()
        if not self.is_whole(token):
            self.stop(run, token, outcome)

    def stop(self, run: "Run", token: Token, outcome: str) -> None:
        """Takes away what one turn left open."""

    # --- loops and multi-instances ---

    def _begin(self, run: "Run", token: Token) -> bool:
        loop, inside = self.loop, token.internal_data
        assert loop is not None
        if loop.kind == "standard":
            inside["turn"] = 0
            return not self._next_turn_of_loop(run, token, is_first=True)
        inside["items"], inside["next"], inside["done"] = self._items(run, token), 0, 0
        count = len(inside["items"])
        for _ in range(count if loop.kind == "parallel" else min(count, 1)):
            self._place_turn(run, token)
        return count == 0

    def _items(self, run: "Run", token: Token) -> list[Any]:
        loop = self.loop
        assert loop is not None
        sight = run.sight(token)
        if loop.cardinality is not None:
            count = evaluate(loop.cardinality, sight)
            if not isinstance(count, Decimal) or count != count.to_integral_value() or count < 0:
                raise Fault("multi_instance.not_a_count", text=loop.cardinality.text, value=plain(count))
            if count > _MOST_TURNS:
                raise Fault("multi_instance.too_many", count=int(count), most=_MOST_TURNS)
            return [None] * int(count)
        assert loop.collection is not None
        found = evaluate(loop.collection, sight)
        if found is None:
            raise Fault("multi_instance.not_a_list", text=loop.collection.text, value=None)
        items = found if isinstance(found, list) else [found]
        if len(items) > _MOST_TURNS:
            raise Fault("multi_instance.too_many", count=len(items), most=_MOST_TURNS)
        return [self._kept(item) for item in items]

    def _kept(self, item: Any) -> Any:
        """What the state keeps of an item: the id of a context, else the value itself."""
        if not isinstance(item, dict):
            return feel_value(item)
        if item.get("id") is None:
            raise Fault("multi_instance.item_without_id", element=self.loop.item if self.loop else "")
        return {"id": feel_value(item["id"])}

    def _place_turn(self, run: "Run", whole: Token) -> None:
        loop, inside = self.loop, whole.internal_data
        assert loop is not None
        place = inside["next"]
        inside["next"] = place + 1
        item, own = inside["items"][place], {"loopCounter": Decimal(place + 1)}
        turn: dict[str, Any] = {"host": whole.order, "role": "turn", "vars": own}
        if loop.item:
            own[loop.item] = item
            if isinstance(item, dict):
                turn["subject"] = f"{loop.item}:{plain(item['id'])}"
        run.place(whole.scope, self, turn)

    def _next_turn_of_loop(self, run: "Run", whole: Token, is_first: bool = False) -> bool:
        """Places the next turn of a standard loop, if there is one."""
        loop, inside = self.loop, whole.internal_data
        assert loop is not None
        turn = inside["turn"]
        if loop.maximum is not None and turn >= loop.maximum:
            return False
        if loop.condition is not None and (not is_first or loop.tests_before) and not holds(loop.condition, run.sight(whole)):
            return False
        inside["turn"] = turn + 1
        run.place(whole.scope, self, {"host": whole.order, "role": "turn"})
        return True

    def turn_done(self, run: "Run", whole: Token, turn: Token) -> None:
        """One turn is over: another begins, or the whole is left. A fault here is an incident on the whole, which `retry` weighs again."""
        loop, inside = self.loop, whole.internal_data
        assert loop is not None
        if loop.kind != "standard":
            inside["done"] += 1
        try:
            self._weigh(run, whole, turn)
        except Fault as fault:
            run.raise_incident(whole, fault, "turn")

    def _weigh(self, run: "Run", whole: Token, turn: Token | None) -> None:
        loop, inside = self.loop, whole.internal_data
        assert loop is not None
        if loop.kind == "standard":
            if not self._next_turn_of_loop(run, whole):
                run.resume(whole)
            return
        count, done, started = len(inside["items"]), inside["done"], inside["next"]
        if loop.condition is not None:
            sight = run.sight(turn or whole) | {
                "nrOfInstances": Decimal(count), "nrOfCompletedInstances": Decimal(done), "nrOfActiveInstances": Decimal(started - done),
            }  # fmt: skip
            if holds(loop.condition, sight):
                run.resume(whole)
                return
        if started < count:
            if loop.kind == "sequential":
                self._place_turn(run, whole)
        elif done == count:
            run.resume(whole)

    def retry(self, run: "Run", token: Token, moment: str) -> None:
        if moment != "turn":
            super().retry(run, token, moment)
            return
        try:
            self._weigh(run, token, None)
        except Fault as fault:
            run.raise_incident(token, fault, "turn")


class PersonTask(Activity):
    """A user or manual task: somebody's turn, until `Complete`."""

    def perform(self, run: "Run", token: Token) -> bool:
        opened = self.opening(run, token)
        token.internal_data["task"] = 1
        run.tell(opened)
        return False

    def opening(self, run: "Run", token: Token) -> TaskOpened:
        """What is told of the task when it opens."""
        note = self.extensions.task
        subjects = run.subjects(token)
        subject = ""
        if note and note.subject:
            found = run.sight(token).get(note.subject)
            known = found.get("id") if isinstance(found, dict) else None
            if known is None:
                raise Fault("task.subject_unknown", subject=note.subject)
            subject = f"{note.subject}:{plain(known)}"
        return TaskOpened(
            token.key, self.id, self.bpmn_name or self.id, "user" if self.kind == "userTask" else "manual", self.shown_lane,
            note.form if note else "", note.role if note else "", note.deadline if note else None, subject, subjects, self.scope_spec.process,
            note.distinct if note else (), self._due(run, token, note) if note else None,
        )  # fmt: skip

    def _due(self, run: "Run", token: Token, note: TaskNote) -> tuple[dt.date, int] | None:
        """The date it is to be done by, as drawn; None where none is, or it is not known to the day. What is no date is a Fault `deadline.not_a_date`."""
        if note.due is None:
            return None
        found = evaluate(note.due, run.sight(token))
        if isinstance(found, dt.datetime):
            found = (found if found.tzinfo is None else found.astimezone(TUNIS)).date()
        if isinstance(found, dt.date):
            return found, note.shift
        if found is None or isinstance(found, PartialDate):
            return None
        raise Fault("deadline.not_a_date", text=note.due.text, value=plain(found))

    def stop(self, run: "Run", token: Token, outcome: str) -> None:
        if token.internal_data.pop("task", None):
            run.tell(TaskClosed(token.key, outcome, self.id))


class PlainTask(Activity):
    """A task of no kind: passed at once."""


class OperationTask(Activity):
    """A service task: asks for a registered operation, waits for `OperationDone`."""

    def perform(self, run: "Run", token: Token) -> bool:
        sight = run.sight(token)
        parameters = {one.name: plain(evaluate(one.value, sight)) for one in self.extensions.parameters}
        subjects = run.subjects(token)
        token.internal_data["asked"] = 1
        run.tell(OperationRequested(token.key, self.id, self.extensions.operation, parameters, subjects[-1] if subjects else ""))
        return False


class RuleTask(Activity):
    """A business rule task: decided here and now by a decision of the edition; its output becomes a variable."""

    def perform(self, run: "Run", token: Token) -> bool:
        reference = self.extensions.decision
        sight = run.sight(token)
        verdict = run.decide(reference, sight)
        if verdict.findings:
            first = verdict.findings[0]
            raise Fault(first.code, **{**first.details, "decision": reference, "values": {path: plain(value) for path, value in verdict.values.items()}})
        outputs = feel_value(verdict.outputs)
        values = {path: plain(value) for path, value in verdict.values.items()}
        run.explain(Decided(self.id, reference, tuple(verdict.rules), values, plain(outputs)), self, sight, token)
        if self.extensions.result:
            run.set_variables(token, {self.extensions.result: outputs})
        return True


class SendTask(Activity):
    """Sends its message and goes on."""

    trigger: Any = None

    def perform(self, run: "Run", token: Token) -> bool:
        send(run, token, self.trigger, self.id)
        return True


class ReceiveTask(Activity, Listener):
    """Waits for its message; may be one of the targets of an event gateway."""

    unseen = "rival"

    def arm(self, run: "Run", token: Token) -> bool:
        if self.is_seen(token):
            return True
        self.hear_what_came(run, token, self.listen(run, token))
        return False

    def perform(self, run: "Run", token: Token) -> bool:
        self.hear_what_came(run, token, self.listen(run, token))
        return False

    def close(self, run: "Run", token: Token, outcome: str) -> None:
        Listener.close(self, run, token, outcome)
        Activity.close(self, run, token, outcome)


class SubProcess(Activity):
    """An embedded sub-process: shares the variables around it."""

    is_event = False

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self.inner = ScopeSpec(self.id, self.file, self.scope_spec.process)

    def perform(self, run: "Run", token: Token) -> bool:
        assert self.inner is not None
        entries = self.inner.entries
        begun_by = token.internal_data.get("begin")
        if begun_by is not None:
            entries = [one for one in self.inner.elements if one.number == begun_by]
        run.open_scope(self.inner, token, None, entries)
        return False

    def stop(self, run: "Run", token: Token, outcome: str) -> None:
        run.close_scope(token)


class CallActivity(Activity):
    """Calls a process of the edition with variables of its own; the facts and subjects around stay in sight."""

    called = ""

    def perform(self, run: "Run", token: Token) -> bool:
        spec = run.definitions.spec(self.called)
        if run.depth(token) > _DEEPEST:
            raise Fault("call.too_deep", process=self.called)
        sight = run.sight(token)
        variables = {one.name: feel_value(evaluate(one.value, sight)) for one in self.extensions.inputs}
        run.open_scope(spec, token, variables, spec.begins())
        return False

    def returned(self, run: "Run", token: Token, sight: dict[str, Any]) -> None:
        """The called process ended: what it hands over becomes variables here."""
        if self.extensions.outputs:
            run.set_variables(token, {one.name: feel_value(evaluate(one.value, sight)) for one in self.extensions.outputs})

    def retry(self, run: "Run", token: Token, moment: str) -> None:
        if moment == "return":
            run.check_scope(run.scopes[token.order])
        else:
            super().retry(run, token, moment)

    def stop(self, run: "Run", token: Token, outcome: str) -> None:
        run.close_scope(token)


_DEEPEST = 30
