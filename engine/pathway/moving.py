"""Moving a running instance to another edition: where it would stand there, and the proof that nothing is lost on the way.

By replay where the history, played on the other edition, comes to the same (`way` = `replay`); else by the positions of its tokens (`positions`); refused
with a counter-example where one of four things does not hold: an end is reached whichever way is taken; no completed work is asked again; nothing that is
open, awaited, kept or engaged is dropped; no deadline that runs comes earlier. Pure: `casework.moves` asks, writes and undoes.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from engine import errors
from engine.pathway import ahead as coming
from engine.pathway.duties import MONEY
from engine.pathway.happenings import IncidentRaised, MessageSent, OperationRequested, TaskOpened, WaitOpened
from engine.pathway.matching import Matching, named
from engine.pathway.replay import Beside, Said, beside
from engine.pathway.spiff import state as states
from engine.pathway.spiff.activities import CallActivity, OperationTask, PersonTask, SendTask
from engine.pathway.spiff.carrying import Carried, by_positions, by_replay
from engine.pathway.spiff.elements import Element
from engine.pathway.spiff.events import Listener, ThrowEvent
from engine.pathway.spiff.expressions import Fault
from engine.pathway.spiff.run import Run
from engine.pathway.spiff.scopes import Token

PROPERTIES = ("end", "work", "obligations", "deadlines")
_SETTLES = (*MONEY, "liberer_fonds")
# What a replay may not do otherwise than the case did: it would say that something happened which did not.
_INEXACT = frozenset({"sends", "decides", "breaks", "ends", "goes_on", "not_open", "waits_longer", "refused", "process_gone"})


@dataclass(frozen=True)
class Reason:
    """Why a move is refused, or what whoever moves should know. `breaks`: the property that it breaks, "" for none; `way`: elements on the way to the counter-example."""

    code: str
    node: str = ""
    process: str = ""
    breaks: str = ""
    way: tuple[tuple[str, str], ...] = ()
    details: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Certificate:
    """What was proved of a move. `refused`: counter-examples, none where it may be made; `notes`: what else it does; `looked_at`: by property, how much was looked at."""

    way: str
    refused: tuple[Reason, ...]
    notes: tuple[Reason, ...]
    looked_at: Mapping[str, int]

    @property
    def is_given(self) -> bool:
        return not self.refused


@dataclass(frozen=True)
class Moved:
    """Where an instance stands on the other edition. `happenings`: what the move closes and opens; `tasks` and `waits`: those that go on, as the edition has them."""

    certificate: Certificate
    state: bytes = b""
    happenings: tuple[Any, ...] = ()
    tasks: tuple[TaskOpened, ...] = ()
    waits: tuple[WaitOpened, ...] = ()


@dataclass(frozen=True)
class Asked:
    """What is to be moved. `history`: what moved it, none where it cannot be read; `awaited`: messages that others wait for from it; `facts`: what is known now."""

    process: str
    state: bytes
    history: tuple[Said, ...]
    at: Any
    seq: int
    facts: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    awaited: frozenset[str] = frozenset()


def move(asked: Asked, matching: Matching) -> Moved:
    """The instance moved, with its certificate; where that is refused nothing but the certificate is to be used."""
    if asked.process not in matching.after.processes:
        return _refused("replay", [Reason("process_gone", asked.process, asked.process, "end")])
    try:
        old = states.load(matching.before, asked.state, asked.at, asked.seq, asked.facts)
        followed = beside(asked.process, asked.history, matching.after, matching.chosen) if asked.history else None
        why, found = _by_replay(asked, old, followed, matching)
        if why is None and found is not None:
            moved = _judged(asked, matching, old, found, "replay", [], followed)
            if moved.certificate.is_given:
                return moved
            why = _instead(moved.certificate.refused[0].code, moved.certificate.refused[0].node)
        old = states.load(matching.before, asked.state, asked.at, asked.seq, asked.facts)
        return _judged(asked, matching, old, by_positions(old, matching, asked.at, asked.seq, asked.facts), "positions", [why] if why else [], followed)
    except (errors.Conflict, errors.Invalid) as trouble:
        return _refused("positions", [Reason("broke", breaks="end", details={"code": trouble.code})])


def _refused(way: str, reasons: Sequence[Reason]) -> Moved:
    return Moved(Certificate(way, tuple(reasons), (), {}))


# --- by replay ---


def _by_replay(asked: Asked, old: Run, followed: Beside | None, matching: Matching) -> tuple[Reason | None, Carried | None]:
    """Where the history comes to on the other edition; or why it is not the case's own."""
    if followed is None:
        return _instead("history_unread"), None
    turns = followed.turns
    if followed.stopped is None and turns[-1].then.state != asked.state:
        return _instead("history_other"), None
    for turn in turns:
        for one in turn.differences:
            if (one.kind in _INEXACT and not (turn.skipped and one.kind != "sends")) or (one.kind == "branches" and not _takes_more(one.details, matching)):
                return _instead(one.kind, one.node, one.process, seq=turn.said.seq), None
    replayed = states.load(matching.after, followed.state, asked.at, asked.seq, asked.facts)
    if [one[:2] for one in replayed.early] != [one[:2] for one in old.early]:
        return _instead("kept_messages"), None
    return None, by_replay(old, replayed, matching)


def _instead(because: str, node: str = "", process: str = "", **details: Any) -> Reason:
    """Why the history is not followed: the kind of the first difference that counts, or the refusal that it would meet."""
    return Reason("by_positions", node, process, details={"because": because, **details})


def _takes_more(details: Mapping[str, Any], matching: Matching) -> bool:
    """Whether a gateway goes every way it went, and others besides."""
    return {matching.led_to(flow) for flow in details["then"]} <= {matching.leads_to(flow) for flow in details["now"]}


# --- the four properties ---


def _judged(asked: Asked, matching: Matching, old: Run, carried: Carried, way: str, notes: list[Reason], followed: Beside | None) -> Moved:
    before = coming.ahead(states.load(matching.before, asked.state, asked.at, asked.seq, asked.facts))
    new = carried.run
    after = coming.ahead(new)
    try:
        tasks, waits = tuple(carried.tasks()), tuple(carried.waits())
    except Fault as fault:  # the subject of a task that goes on is not known there
        return _refused(way, [Reason("broke", breaks="obligations", details={"code": fault.code})])
    refused = [
        *_end(matching, old, carried), *_work(matching, old, carried), *_obligations(asked, matching, old, carried, before, after),
        *_blind(matching, carried, after), *_money(matching, carried), *_apart(matching, old), *_deadlines(old, carried),
    ]  # fmt: skip
    notes += _notes(matching, carried, after, followed)
    looked_at = {
        "end": sum(len(scope.tasks) for scope in new.scopes.values()), "work": len(_passed(matching, old)), "obligations": len(list(_open(old))) + len(old.early),
        "deadlines": sum("due" in token.internal_data for token in carried.kept.values()) + len(tasks),
    }  # fmt: skip
    certificate = Certificate(way, tuple(_once(refused)), tuple(_once(notes)), looked_at)
    if refused:
        return Moved(certificate)
    return Moved(certificate, states.dump(new), tuple(new.happenings), tasks, waits)


def _once(reasons: Iterable[Reason]) -> list[Reason]:
    return list({(one.code, one.node, one.process): one for one in reasons}.values())


def _of(code: str, element: Element, breaks: str = "", way: Iterable[Element] = (), **details: Any) -> Reason:
    return Reason(code, element.id, element.scope_spec.process, breaks, tuple(named(one) for one in way), details)


def _end(matching: Matching, old: Run, carried: Carried) -> Iterator[Reason]:
    """From wherever a token may come, an end is reached."""
    new = carried.run
    told = {token.scope.host.order if token.scope.host else None for token, _ in carried.lost if not matching.given_up(token.element)}
    for order, scope in new.scopes.items():
        if order not in told and not new.is_ended and all(token.internal_data.get("role") == "start" for token in scope.tasks.values()):
            yield Reason("nothing_left", scope.host.element.id if scope.host else scope.drawn.process, scope.drawn.process, "end")
    if new.is_ended:
        yield Reason("would_end", new.outcome, breaks="end")
    for happening in new.happenings:
        if isinstance(happening, IncidentRaised):
            yield Reason("breaks", happening.node, breaks="end", details={"code": happening.code})
    for order, scope in new.scopes.items():
        found = coming.can_end(scope)
        if found.is_doubled and order in old.scopes:  # what may be begun twice as it is (a plan revised while its measures run) may be so still
            anyway = {matching.element(one) for one in coming.doubled(old.scopes[order])}
            found = coming.can_end(scope, anyway=frozenset(one for one in anyway if one is not None))
        if not found.ends:
            yield _of("doubled" if found.is_doubled else "stuck", found.stuck[0] if found.stuck else scope.drawn.elements[0], "work" if found.is_doubled else "end", found.way)


def _work(matching: Matching, old: Run, carried: Carried) -> Iterator[Reason]:
    """No task that was done is asked again, but where a round leads back to it that need not be taken, or led there already."""
    done, new = _passed(matching, old), carried.run
    opened = {happening.node for happening in new.happenings if isinstance(happening, TaskOpened)}
    still = {matching.element(token.element) for token in _open(old)}
    for order, scope in new.scopes.items():
        after = coming.ahead_in(scope)
        before = {matching.element(one) for one in coming.ahead_in(old.scopes[order])} if order in old.scopes else set()
        for element in done:
            if element.id in opened and element not in still and element not in before and any(token.element is element for token in scope.live()):
                yield _of("asked_again", element, "work")
            elif element in after and element not in before:
                way = coming.way(after, element)
                if not coming.comes_back(element, way[0], matching.after) or not _avoidable(new, element):
                    yield _of("asked_again", element, "work", way)


def _passed(matching: Matching, old: Run) -> list[Element]:
    """The tasks of the other edition whose work was done, or is open, in the order drawn."""
    found = {matching.element(one) for one in matching.before.nodes if isinstance(one, PersonTask) and _has_passed(old, one)}
    found |= {matching.element(token.element) for token in _open(old) if "task" in token.internal_data and matching.is_same(token.element)}
    return sorted((one for one in found if one is not None), key=lambda one: one.number)


def _avoidable(run: Run, element: Element) -> bool:
    """Whether every scope that runs may come to its end without passing an element."""
    closed = {element.number}
    grew = True
    while grew:  # what holds nothing but ways through it cannot be passed either
        grew = False
        for host in run.definitions.nodes:
            spec = run.definitions.spec(host.called) if isinstance(host, CallActivity) and host.called in run.definitions.processes else host.inner
            if spec is not None and host.number not in closed and any(one.number in closed for inner in spec.sub_specs() for one in inner.elements):
                if not coming.is_sound(spec, frozenset(closed)):
                    closed.add(host.number)
                    grew = True
    if any(scope.host is not None and scope.host.element.number in closed and _turns_follow(run, scope.host) for scope in run.scopes.values()):
        return False
    return all(coming.can_end(scope, frozenset(closed)).ends for scope in run.scopes.values())


def _turns_follow(run: Run, token: Token) -> bool:
    """Whether other turns of the activity come after this one."""
    if token.internal_data.get("role") != "turn":
        return False
    whole = run.token(token.internal_data["host"]).internal_data
    return bool(whole.get("next", 0) < len(whole.get("items", ())) or "turn" in whole)


def _open(run: Run) -> Iterator[Token]:
    """The tokens of which the world knows something: a task, a wait, an operation, an incident."""
    for scope in run.scopes.values():
        for token in scope.tasks.values():
            if {"task", "wait", "asked", "inc"} & token.internal_data.keys():
                yield token


def _obligations(asked: Asked, matching: Matching, old: Run, carried: Carried, before: coming.Came, after: coming.Came) -> Iterator[Reason]:
    """What is open, awaited, kept, engaged or owed is so still."""
    for token, why in carried.lost:
        inside = token.internal_data
        if matching.given_up(token.element) or not {"task", "wait", "asked", "inc"} & inside.keys():
            continue
        kind = "task" if "task" in inside else "wait" if "wait" in inside else "operation" if "asked" in inside else "incident"
        yield _of(f"{kind}_dropped", token.element, "obligations", why=why)
    for element, fault in carried.broke:
        yield _of("breaks", element, "obligations", code=fault.code)
    for token in carried.kept.values():
        was = old.find(token.order)
        if was is not None and "wait" in token.internal_data and isinstance(token.element, Listener) and isinstance(was.element, Listener):
            if token.element.trigger.kind == "message" and token.element.trigger.name != was.element.trigger.name:
                yield _of("message_other", was.element, "obligations", then=was.element.trigger.name, now=token.element.trigger.name)
    for name, _, _ in carried.run.early:
        if name not in matching.after.message_names:
            yield Reason("message_unheard", breaks="obligations", details={"message": name})
    engaged = _operations(one for one in matching.before.nodes if _has_passed(old, one)) & set(MONEY[:1])
    for name in sorted((_operations(before) - _operations(after)) & set(_SETTLES)) if engaged else ():
        yield Reason("money_unsettled", breaks="obligations", details={"operation": name})
    for name in sorted((_sends(before) - _sends(after)) & asked.awaited):
        yield Reason("message_unsent", breaks="obligations", details={"message": name})


def _operations(elements: Iterable[Element]) -> set[str]:
    return {one.extensions.operation for one in elements if isinstance(one, OperationTask)}


def _sends(elements: Iterable[Element]) -> set[str]:
    return {one.trigger.name for one in elements if isinstance(one, SendTask | ThrowEvent) and one.trigger is not None and one.trigger.kind == "message"}


def _blind(matching: Matching, carried: Carried, after: coming.Came) -> Iterator[Reason]:
    """Nothing ahead reads what only a step that was passed over would have given."""
    new = carried.run
    known = {name for scope in new.scopes.values() for name in scope.variables or ()} | {name for token in carried.kept.values() for name in token.internal_data.get("vars", ())}
    given = {name for one in after for name in coming.sets(one)}
    over: dict[str, Element] = {}
    for element in matching.after.nodes:
        if element not in after and matching.is_new(element) and not _has_passed(new, element):
            over |= {name: element for name in coming.sets(element) - known - given}
    for element in (*after, *(token.element for token in carried.kept.values())):
        for name in sorted(coming.reads(element, matching.after) & over.keys()):
            yield _of("blind", element, "end", coming.way(after, element) if element in after else (), name=name, gives=over[name].id)


def _money(matching: Matching, carried: Carried) -> Iterator[Reason]:
    """Where money is engaged or paid nobody is put past a step by hand: only an edition, which two persons agreed on, takes a control away."""
    pays = {one.scope_spec.process for one in matching.before.nodes if isinstance(one, OperationTask) and one.extensions.operation in MONEY}
    for token, element in carried.jumped:
        if token.element.scope_spec.process in pays:
            yield _of("money_jumped", token.element, "obligations", to=element.id)


def _apart(matching: Matching, old: Run) -> Iterator[Reason]:
    """Who did a task is remembered by its id: under another, nobody would be kept apart from it any more."""
    apart = {name for one in matching.after.nodes if isinstance(one, PersonTask) and one.extensions.task is not None for name in one.extensions.task.distinct}
    for one in matching.before.nodes:
        other = matching.element(one)
        if isinstance(one, PersonTask) and other is not None and other.id != one.id and other.id in apart and _has_passed(old, one):
            yield _of("apart_forgotten", one, "obligations", to=other.id)


def _deadlines(old: Run, carried: Carried) -> Iterator[Reason]:
    """No wait that runs rings earlier than it would have."""
    for order, token in carried.kept.items():
        was = old.find(order)
        due, then = token.internal_data.get("due"), was.internal_data.get("due") if was is not None else None
        if due is not None and then is not None and due < then:
            yield _of("sooner", token.element, "deadlines", then=then, now=due)


def _notes(matching: Matching, carried: Carried, after: coming.Came, followed: Beside | None) -> Iterator[Reason]:
    """What a move does besides: what begins, what is given up, what is passed over, what it sets off at once."""
    new = carried.run
    for token, element in carried.jumped:
        yield _of("given_up" if matching.given_up(token.element) else "jumps", token.element, to=element.id)
    for token, _ in carried.lost:
        if matching.given_up(token.element):
            yield _of("given_up", token.element)
    for happening in new.happenings:
        match happening:
            case TaskOpened() | WaitOpened():
                yield Reason("opens", happening.node, getattr(happening, "process", ""))
            case MessageSent() | OperationRequested():
                yield Reason("sets_off", happening.node)
    asked_then = {one.node for turn in (followed.turns if followed else ()) for one in turn.differences if one.kind == "asks"}
    entered = {element.scope_spec.process for element in matching.after.nodes if _has_passed(new, element) or _is_open(new, element)}
    for element in matching.after.nodes:
        if isinstance(element, PersonTask) and matching.is_new(element) and element.scope_spec.process in entered and not _is_open(new, element) and not _has_passed(new, element):
            if element not in after or element.id in asked_then:
                yield _of("passed_over", element)


def _has_passed(run: Run, element: Element) -> bool:
    return bool(run.passed[element.number >> 3] >> (element.number & 7) & 1)


def _is_open(run: Run, element: Element) -> bool:
    return any(element.number in scope.at for scope in run.scopes.values())
