"""Events: start, end, throw, catch, boundary, link; and what a token listens for.

SpiffWorkflow throws nothing at a signal end, ends silently at a link, lets an unrelated boundary catch an error, and refuses an early message:
here each event says what it throws (`Throw`) or listens for (`Trigger`), and `run` finds who hears it.
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from engine.pathway.happenings import MessageSent, WaitClosed, WaitOpened
from engine.pathway.spiff import timing
from engine.pathway.spiff.elements import Element
from engine.pathway.spiff.expressions import Fault, evaluate, holds, plain
from engine.pathway.spiff.extensions import Parameter
from engine.pathway.spiff.scopes import Token
from forms.feel import Expression

if TYPE_CHECKING:
    from engine.pathway.spiff.run import Run

Payload = Mapping[str, Any]
LISTENING = ("message", "signal", "timer", "condition")


@dataclass(frozen=True)
class Trigger:
    """What an event listens for or throws. `kind` none|message|signal|timer|condition|error|escalation|link|terminate.

    `name`: of the message, signal, link, or the code of the error or escalation ("" catches any). `timer` date|duration|cycle;
    `literal` its ISO text, else `expression` (also the condition, or a message's correlation key). `what` is the text as drawn.
    """

    kind: str = "none"
    name: str = ""
    timer: str = ""
    literal: str = ""
    expression: Expression | None = None
    what: str = ""
    result: str = ""
    parameters: tuple[Parameter, ...] = ()


NOTHING = Trigger()


class Listener(Element):
    """What may wait for an event. A token that listens has `due`, `corr` or `was` in its internal data, and a wait the world knows."""

    trigger: Trigger = NOTHING
    unseen = ""  # the role of a token that only listens: nobody sees it come in or leave

    def is_seen(self, token: Token) -> bool:
        return token.internal_data.get("role") != self.unseen

    def entered(self, run: "Run", token: Token) -> None:
        if self.is_seen(token):
            super().entered(run, token)

    @property
    def listens(self) -> bool:
        """Whether a wait is opened for it (errors and escalations find their catcher without)."""
        return self.trigger.kind in LISTENING

    def listen(self, run: "Run", token: Token) -> Payload | None:
        """Opens the wait; what it waits for if that is already there (an early message, a condition that holds)."""
        trigger, inside = self.trigger, token.internal_data
        correlation = None
        if trigger.kind == "message":
            if trigger.expression is not None:
                correlation = text_of(evaluate(trigger.expression, run.sight(token)))
            inside["corr"] = correlation
        elif trigger.kind == "timer":
            self.set_timer(run, token)
        elif trigger.kind == "condition":
            assert trigger.expression is not None
            inside["was"] = holds(trigger.expression, run.sight(token))
        inside["wait"] = 1
        run.tell(self.opening(token))
        if trigger.kind == "message":
            return run.take_early(trigger.name, correlation)
        return {} if inside.get("was") else None

    def opening(self, token: Token) -> WaitOpened:
        """What is told of the wait when it opens."""
        inside, trigger = token.internal_data, self.trigger
        due_at = instant(inside["due"]) if "due" in inside else None
        return WaitOpened(token.key, self.id, trigger.kind, trigger.name, inside.get("corr"), due_at, trigger.what)

    def set_timer(self, run: "Run", token: Token) -> dt.datetime:
        trigger, inside, at = self.trigger, token.internal_data, run.at
        value: Any = trigger.literal
        if trigger.expression is not None:
            value = evaluate(trigger.expression, run.sight(token))
        if trigger.timer == "cycle":
            due_at, cycle = timing.first_occurrence(value, at)
            inside["cycle"] = [micros(due_at), cycle.every.months, cycle.every.rest // _MICRO, cycle.count, 1]
        else:
            due_at = timing.due(value, at)
        inside["due"] = micros(due_at)
        return due_at

    def rearm(self, run: "Run", token: Token) -> None:
        """After a recurring wait rang: closed, and opened again on the next instant if there is one."""
        inside = token.internal_data
        origin, months, rest, count, number = inside["cycle"]
        every = timing.Duration(months, rest * _MICRO)
        number, due_at, missed = timing.next_occurrence(instant(origin), every, number, run.at, count)
        run.tell(WaitClosed(token.key, self.id, missed))
        del inside["wait"]
        if due_at is None:
            token.cancel()
            return
        kept = {name: value for name, value in inside.items() if name in ("host", "role", "es")}
        run.place(token.scope, self, kept | {"again": [origin, months, rest, count, number, micros(due_at)]})
        token.cancel()

    def take_again(self, run: "Run", token: Token) -> bool:
        """Opens the wait of a recurring timer whose next instant is known."""
        inside = token.internal_data
        origin, months, rest, count, number, due = inside.pop("again")
        inside["cycle"], inside["due"], inside["wait"] = [origin, months, rest, count, number], due, 1
        run.tell(WaitOpened(token.key, self.id, "timer", self.trigger.name, None, instant(due), self.trigger.what))
        return False

    def look_again(self, run: "Run", token: Token) -> bool:
        """Whether a condition that did not hold now does."""
        assert self.trigger.expression is not None
        now = holds(self.trigger.expression, run.sight(token))
        rose = now and not token.internal_data["was"]
        token.internal_data["was"] = now
        return rose

    def retry(self, run: "Run", token: Token, moment: str) -> None:
        if moment != "condition":  # that one is looked at again with the others, when all is quiet
            super().retry(run, token, moment)

    def close(self, run: "Run", token: Token, outcome: str) -> None:
        if token.internal_data.pop("wait", None):
            run.tell(WaitClosed(token.key, self.id))
        super().close(run, token, outcome)

    def hear_what_came(self, run: "Run", token: Token, payload: Payload | None) -> None:
        """Takes what is already there; a listener that stays takes all of it."""
        while payload is not None:
            self.heard(run, token, payload)
            again = self.trigger.kind == "message" and token.is_live and "wait" in token.internal_data
            payload = run.take_early(self.trigger.name, token.internal_data.get("corr")) if again else None

    def keep(self, run: "Run", token: Token, payload: Payload | None) -> None:
        """The payload of a message becomes the variable the diagram names."""
        if self.trigger.kind == "message" and self.trigger.result:
            run.set_variables(token, {self.trigger.result: payload or {}})

    def go_on(self, run: "Run", token: Token) -> None:
        """After a listener that does not interrupt rang: a recurring one is set anew, a timer of one instant is over, the others stay."""
        if not token.is_live:
            return  # what it rang for ended it
        if "cycle" in token.internal_data:
            self.rearm(run, token)
        elif self.trigger.kind == "timer":
            token.cancel()

    def heard(self, run: "Run", token: Token, payload: Payload | None) -> None:
        """What the token listened for happened."""
        inside = token.internal_data
        self.keep(run, token, payload)
        if "wait" in inside:
            del inside["wait"]
            run.tell(WaitClosed(token.key, self.id))
        if inside.get("role") == "rival":
            gate = run.token(inside["host"])
            gate.element.won(run, gate, token)
        run.resume(token)


class CatchEvent(Listener):
    """An intermediate event that waits, or the landing of a link."""

    unseen = "rival"

    def arm(self, run: "Run", token: Token) -> bool:
        if not self.listens:
            return True
        self.hear_what_came(run, token, self.listen(run, token))
        return False

    def sources(self) -> list[Element]:
        links = [
            one for one in self.scope_spec.elements if isinstance(one, ThrowEvent) and one.trigger.kind == "link" and one.trigger.name == self.trigger.name
        ]
        return super().sources() + (links if self.trigger.kind == "link" else [])


class StandingEvent(Listener):
    """An event for which a token listens all the while that something around it runs."""

    def arm(self, run: "Run", token: Token) -> bool:
        if self.is_seen(token):
            return True
        if "again" in token.internal_data:
            return self.take_again(run, token)
        self.hear_what_came(run, token, self.listen(run, token))
        return False


class StartEvent(StandingEvent):
    """Where a process or sub-process begins. Of an event sub-process: a token of the scope around listens for it (role `start`)."""

    unseen, is_interrupting = "start", True

    def heard(self, run: "Run", token: Token, payload: Payload | None) -> None:
        if self.is_seen(token):
            super().heard(run, token, payload)
            return
        self.keep(run, token, payload)
        run.start_event_subprocess(token.scope, token.internal_data["es"], self)
        self.go_on(run, token)


class BoundaryEvent(StandingEvent):
    """An event at the edge of an activity. Its listening token hangs on the activity's (role `edge`); when it rings, another one goes on."""

    host: Element
    unseen, is_interrupting = "edge", True

    def sources(self) -> list[Element]:
        return [self.host]

    def heard(self, run: "Run", token: Token, payload: Payload | None) -> None:
        scope, host = token.scope, run.token(token.internal_data["host"])
        self.keep(run, token, payload)
        if self.is_interrupting:
            self.ring(run, host)
            return
        run.place(scope, self)
        self.go_on(run, token)

    def ring(self, run: "Run", host: Token) -> None:
        """Goes on from the edge; the activity is cancelled first if the event interrupts."""
        scope = host.scope
        if self.is_interrupting:
            run.cancel(host)
        run.place(scope, self)


class ThrowEvent(Element):
    """An intermediate or end event that says something: message, signal, escalation, error, link, terminate; or nothing."""

    trigger: Trigger = NOTHING
    landing: Element | None = None  # of a link

    def act(self, run: "Run", token: Token) -> bool:
        trigger = self.trigger
        if trigger.kind == "message":
            send(run, token, trigger, self.id)
        elif trigger.kind == "signal":
            run.signal(trigger.name)
        elif trigger.kind == "escalation":
            run.escalate(token, trigger.name)
        elif trigger.kind == "error":
            if not run.throw_error(token, trigger.name):
                raise Fault("error.uncaught", error=trigger.name)
        elif trigger.kind == "terminate":
            run.terminate(token)
        return True

    def passed(self, run: "Run", token: Token) -> None:
        if self.landing is not None:
            run.place(token.scope, self.landing)
        elif self.kind == "endEvent" and ends_the_instance(token):
            run.outcome = self.id


def ends_the_instance(token: Token) -> bool:
    """Whether an end event stands in the instance's own process, or in the event sub-process that took it over."""
    host = token.scope.host
    while host is not None and getattr(host.element, "is_event", False):
        host = host.scope.host
    return host is None


def send(run: "Run", token: Token, trigger: Trigger, node: str) -> None:
    """Sends a message to whoever waits for it, in this instance or another: casework carries it."""
    sight = run.sight(token)
    correlation = text_of(evaluate(trigger.expression, sight)) if trigger.expression is not None else None
    payload = {one.name: plain(evaluate(one.value, sight)) for one in trigger.parameters}
    run.tell(MessageSent(trigger.name, correlation, payload, node))


def text_of(value: Any) -> str | None:
    """A correlation key as text; a context stands for its `id`."""
    if isinstance(value, dict):
        value = value.get("id")
    if value is None or value == "":
        raise Fault("message.key_missing")
    return str(plain(value))


_MICRO = dt.timedelta(microseconds=1)
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


def micros(moment: dt.datetime) -> int:
    """An instant as the state keeps it."""
    return (moment - _EPOCH) // _MICRO


def instant(count: int) -> dt.datetime:
    """The instant of `micros`."""
    return _EPOCH + count * _MICRO
