"""Duties: no path to money that one person can walk alone, and nobody who grants without another who instructs or checks.

One person is every set of roles that an agency's account may hold together. Hers are walked through the diagrams, called processes and the messages other
processes send included: what another agency, another role or a task kept apart (`distinct`) must do stops her. Each stretch counts by itself: from the
beginning to the commitment of funds, from there to each payment.
"""

from collections import deque
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

from engine.errors import Finding
from engine.pathway.definitions import Definitions
from engine.pathway.game import ways_out
from engine.pathway.questions import AGENCY_OF_LANE, Hands
from engine.pathway.naming import joined, name_of, told
from engine.pathway.spiff.activities import OperationTask, PersonTask, ReceiveTask
from engine.pathway.spiff.elements import Element
from engine.pathway.spiff.events import Listener, ThrowEvent
from engine.pathway.spiff.expressions import FAULTS
from engine.pathway.spiff.gateways import ExclusiveGateway, Join, ParallelGateway
from engine.pathway.walks import Walks
from forms.definitions import FormDefinition
from forms.feel import ACT, BUDGET, Budget, Expression

MONEY = ("engager_fonds", "verser_tranche", "verser_avance")
GRANTS = "aide.decision"  # the task that asks it grants
_MOST = 40_000

Around = tuple[Element, ...]  # the activities it is inside of, outer first
Token = tuple[Around, Element, int]  # the last: the flow it came by, into a join
Standing = tuple[frozenset[Token], frozenset[str], bool]  # tokens, tasks done that others are kept apart from, whether anything was done at all


@dataclass(frozen=True)
class Person:
    """The roles one account may hold together. Without agency: anybody, for whom nothing stops a walk."""

    agency: str = ""
    roles: frozenset[str] = frozenset()

    def may(self, task: PersonTask, done: frozenset[str], apart: Mapping[str, frozenset[str]]) -> bool:
        if not self.agency:
            return True
        note = task.extensions.task
        if note is None or note.role not in self.roles or AGENCY_OF_LANE.get(task.shown_lane, self.agency) != self.agency:
            return False
        return not apart.get(task.id, frozenset()) & done


def people(roles: Mapping[str, Hands], apart: Sequence[frozenset[str]], alone: Collection[str]) -> list[Person]:
    """The largest sets of roles that one person may hold."""
    found: list[Person] = []
    for agency in sorted({agency for role in roles.values() for agency in role.agencies}):
        held = frozenset(name for name, role in roles.items() if agency in role.agencies and name not in alone)
        for left_out in product(*(sorted(pair) for pair in apart)):
            person = Person(agency, held - set(left_out))
            if not any(person.roles <= one.roles and one.agency == agency for one in found):
                found.append(person)
    return found


def check(definitions: Definitions, forms: Mapping[str, FormDefinition], persons: Sequence[Person]) -> list[Finding]:
    """Paths to money that one person walks alone, or nobody; grants that no other person sees."""
    walking = _Walking(definitions)
    findings: list[Finding] = []
    for origin, begun in walking.stretches():
        for person in persons:
            for money, acted, path in walking.reached(person, begun):
                if acted:
                    details = {"element": name_of(money), "roles": sorted(walking.roles_on(path)), "agency": person.agency, "path": told(path)}
                    findings.append(Finding("duties.alone", money.place, details))
                elif money is not origin:
                    findings.append(Finding("duties.nobody", money.place, {"element": name_of(money), "path": told(path)}))
    findings += _granting(definitions, forms, walking.walks)
    return list({(found.code, found.where): found for found in findings[::-1]}.values())[::-1]


class _Walking:
    """Walks of one person through everything that leads to money."""

    def __init__(self, definitions: Definitions) -> None:
        self.definitions, self.walks = definitions, Walks(definitions)
        self.apart: dict[str, frozenset[str]] = {}
        for task in definitions.tasks:
            for other in task.distinct:
                self.apart[task.node] = self.apart.get(task.node, frozenset()) | {other}
                self.apart[other] = self.apart.get(other, frozenset()) | {task.node}
        self.throwers: dict[str, list[Element]] = {}
        for element in definitions.nodes:
            trigger = getattr(element, "trigger", None)
            if trigger is not None and trigger.kind == "message" and not isinstance(element, Listener):
                self.throwers.setdefault(trigger.name, []).append(element)
        self._sent: dict[tuple[str, Person, frozenset[str]], bool] = {}

    def stretches(self) -> Iterator[tuple[Element | None, frozenset[Token]]]:
        """Where a stretch begins: at each way into a process that leads to money, and after each movement of money on the way."""
        called = {call.called for call in self.definitions.calls()}
        seen: set[tuple[Around, Element]] = set()
        for process in sorted(self.definitions.processes):
            scope = self.definitions.spec(process)
            for entry in scope.entries:
                if process in called and getattr(entry, "trigger", None) is not None and entry.trigger.kind == "none":
                    continue
                if not self._leads_to_money(entry):
                    continue
                begun = frozenset({((), entry, -1)})
                yield None, begun
                waiting = [begun]
                while waiting:
                    for around, money in self._moneys(Person(), waiting.pop()):
                        if (around, money) not in seen:
                            seen.add((around, money))
                            after = frozenset(self._entered(around, flow.target, flow.place) for flow in money.flows_out)
                            waiting.append(after)
                            yield money, after

    def _leads_to_money(self, entry: Element) -> bool:
        seen, waiting = {entry}, [entry]
        while waiting:
            element = waiting.pop()
            if _is_money(element):
                return True
            fresh = [one for one in self.walks.after(element) if one not in seen]
            seen.update(fresh)
            waiting += fresh
        return False

    def _moneys(self, person: Person, begun: frozenset[Token]) -> list[tuple[Around, Element]]:
        return [(around, element) for around, element, _, _ in self._search(person, begun)]

    def reached(self, person: Person, begun: frozenset[Token]) -> Iterator[tuple[Element, bool, list[Element]]]:
        """The movements of money she comes to by herself: whether she did anything on the way, and the way."""
        for _, money, acted, path in self._search(person, begun):
            yield money, acted, path

    def roles_on(self, path: Sequence[Element]) -> set[str]:
        return {element.extensions.task.role for element in path if isinstance(element, PersonTask) and element.extensions.task is not None}

    def _search(self, person: Person, begun: frozenset[Token], sought: Element | None = None,
                done: frozenset[str] = frozenset()) -> list[tuple[Around, Element, bool, list[Element]]]:  # fmt: skip
        """Every standing she may bring about. Stops at money (told), or at the element sought (told alone)."""
        first: Standing = (begun, done, False)
        came: dict[Standing, tuple[Standing | None, Element | None]] = {first: (None, None)}
        waiting = deque([first])
        found: dict[tuple[Around, Element, bool], list[Element]] = {}

        def way(standing: Standing | None, last: Element) -> list[Element]:
            path = [last]
            while standing is not None:
                standing, element = came[standing]
                if element is not None:
                    path.append(element)
            return path[::-1]

        while waiting and len(came) < _MOST:
            standing = waiting.pop() if sought else waiting.popleft()  # where the way is told, the shortest is
            tokens, did, acted = standing
            for token in tokens:
                around, element, _ = token
                if element is sought or (sought is None and _is_money(element)):
                    found.setdefault((around, element, acted), way(standing, element))
                    continue
                for taken, put, more in self._moves(person, tokens, token, did):
                    now = acted or isinstance(element, PersonTask)
                    after: Standing = ((tokens - taken) | put, did | more, now)
                    if after not in came:
                        came[after] = (standing, element)
                        waiting.append(after)
            if sought is not None and found:
                break
        return [(around, element, acted, path) for (around, element, acted), path in found.items()]

    def _moves(
        self, person: Person, tokens: frozenset[Token], token: Token, done: frozenset[str]
    ) -> Iterator[tuple[frozenset[Token], frozenset[Token], frozenset[str]]]:
        """(taken, put down, done by it) of each way a token may move."""
        around, element, _ = token
        nothing: frozenset[str] = frozenset()
        if isinstance(element, Join) and len(element.flows_in) > 1:
            here = frozenset(one for one in tokens if one[0] == around and one[1] is element)
            if isinstance(element, ParallelGateway) and len(here) < len(element.flows_in):
                return
            yield from ((here, self._left(around, element, tokens - here, flows), nothing) for flows in ways_out(element))
            return
        for boundary in element.boundaries:
            if boundary.is_interrupting:
                yield frozenset({token}), frozenset({self._entered(around, boundary, -1)}), nothing
        scopes = self.walks.inside(element)
        if scopes:
            inside = (*around, element)
            entries = scopes[0].begins() or scopes[0].entries[:1]
            yield frozenset({token}), frozenset(self._entered(inside, entry, -1) for entry in entries), nothing
            return
        more = nothing
        if isinstance(element, PersonTask):
            if not person.may(element, done, self.apart):
                return
            more = frozenset({element.id}) if element.id in self.apart else nothing
        elif isinstance(element, ReceiveTask | Listener) and element.trigger.kind == "message" and element.kind != "startEvent":
            if not self._comes(element.trigger.name, person, done):
                return
        if isinstance(element, ThrowEvent) and element.trigger.kind == "error":
            return  # out by the host's boundary alone, which was offered before it was entered
        landing = element.landing if isinstance(element, ThrowEvent) else None
        if landing is not None:
            yield frozenset({token}), frozenset({self._entered(around, landing, -1)}), more
            return
        for flows in ways_out(element):
            yield frozenset({token}), self._left(around, element, tokens - {token}, flows), more

    def _left(self, around: Around, element: Element, others: frozenset[Token], flows: Sequence[object]) -> frozenset[Token]:
        """The tokens put down on leaving by these flows; out of a process that is over, those after what called it."""
        if flows:
            return frozenset(self._entered(around, flow.target, flow.place) for flow in flows)  # type: ignore[attr-defined]
        while around and not any(one[0][: len(around)] == around for one in others):
            host, around = around[-1], around[:-1]
            if host.flows_out:
                return frozenset(self._entered(around, flow.target, flow.place) for flow in host.flows_out)
        return frozenset()

    def _entered(self, around: Around, element: Element, place: int) -> Token:
        return (around, element, place if isinstance(element, Join) and len(element.flows_in) > 1 else -1)

    def _comes(self, message: str, person: Person, done: frozenset[str]) -> bool:
        """Whether she can bring a message about: from outside, or by walking to whatever sends it."""
        key = (message, person, done)
        if key not in self._sent:
            self._sent[key] = True  # asked of itself: nothing but it stands in the way
            senders = self.throwers.get(message, [])
            self._sent[key] = not senders or any(self._walks_to(sender, person, done) for sender in senders)
        return self._sent[key]

    def _walks_to(self, sender: Element, person: Person, done: frozenset[str]) -> bool:
        scope = self.definitions.spec(sender.scope_spec.process)
        return any(self._search(person, frozenset({((), entry, -1)}), sender, done) for entry in scope.entries)


def _is_money(element: Element) -> bool:
    return isinstance(element, OperationTask) and element.extensions.operation in MONEY


def _granting(definitions: Definitions, forms: Mapping[str, FormDefinition], walks: Walks) -> Iterator[Finding]:
    """Tasks that grant and are kept apart from none: an error, unless another person checks on every way, before money moves or after: an exception, told."""
    checks: dict[str, set[str]] = {}
    budget = Budget(ACT)
    for task in definitions.tasks:
        for other in task.distinct:
            checks.setdefault(other, set()).add(task.node)
    for element in definitions.nodes:
        note = element.extensions.task if isinstance(element, PersonTask) else None
        if note is None or note.distinct or GRANTS not in _asked(element, forms):
            continue
        controls = checks.get(element.id, set())
        ways = _Ways(walks, forms, controls, budget)
        unseen = next(ways.to(element, _is_money), [])  # money moves before anybody else looks
        escape = next(ways.to(unseen[-1], lambda one: not walks.after(one)), []) if unseen else []
        details = {"element": name_of(element), "role": note.role, "path": told([*unseen, *escape[1:]])}
        if escape:
            yield Finding("duties.grants_alone", element.place, details)
        elif unseen or next(_Ways(walks, forms, set(), budget).to(element, _is_money), []):
            by = joined([name_of(one) for one in definitions.nodes if one.id in controls], ", ")
            yield Finding("duties.exception", element.place, details | {"control": by}, severity="warning")


def _asked(element: Element, forms: Mapping[str, FormDefinition]) -> set[str]:
    """The fields that a task's form asks."""
    note = element.extensions.task
    form = forms.get(note.form) if note is not None else None
    return {ask.field for section in form.sections for ask in section.ask} if form else set()


Known = frozenset[tuple[str, object]]


class _Ways:
    """Walks that their own conditions allow: who was refused on the way is not granted at the next gateway, until the question is asked again."""

    def __init__(self, walks: Walks, forms: Mapping[str, FormDefinition], avoided: Collection[str], budget: Budget) -> None:
        self.walks, self.forms, self.avoided, self.budget = walks, forms, avoided, budget

    def to(self, start: Element, is_there: Callable[[Element], bool]) -> Iterator[list[Element]]:
        """The ways from an element to others, the shortest first, without the tasks to be avoided."""
        first: tuple[Element, Known] = (start, frozenset())
        came: dict[tuple[Element, Known], tuple[Element, Known] | None] = {first: None}
        ahead = deque([first])
        while ahead and len(came) < _MOST:
            here = ahead.popleft()
            element, known = here
            if element is not start and is_there(element):
                path: list[Element] = []
                step: tuple[Element, Known] | None = here
                while step is not None:
                    path.append(step[0])
                    step = came[step]
                yield path[::-1]
            for after in self._onward(element, self._still(element, known)):
                if after not in came and after[0].id not in self.avoided:
                    came[after] = here
                    ahead.append(after)

    def _still(self, element: Element, known: Known) -> Known:
        """What is still known once an element is left: an answer may be given anew, another instance may have written."""
        if isinstance(element, Listener) and element.trigger.kind == "message":
            return frozenset()
        asked = _asked(element, self.forms) if isinstance(element, PersonTask) else set()
        return frozenset(one for one in known if one[0] not in asked)

    def _onward(self, element: Element, known: Known) -> Iterator[tuple[Element, Known]]:
        if not isinstance(element, ExclusiveGateway) or len(element.flows_out) < 2:
            yield from ((after, known) for after in self.walks.after(element))
            return
        may_be_default = True
        for flow in element.flows_out:
            if flow.is_default or flow.condition is None:
                continue
            held = _weighed(flow.condition, known, self.budget)
            if held is not False:
                yield flow.target, known | _said_by(flow.condition.tree)
            if held is True:
                may_be_default = False
                break
        if may_be_default:
            yield from ((flow.target, known) for flow in element.flows_out if flow.is_default)


def _weighed(condition: Expression, known: Known, budget: Budget) -> bool | None:
    """What a condition gives on what is known; None where it reads anything else."""
    values = dict(known)
    if not condition.paths or not condition.paths <= values.keys():
        return None
    scope: dict[str, Any] = {BUDGET: budget}
    for path in condition.paths:
        group, _, name = path.partition(".")
        scope.setdefault(group, {})[name] = values[path]
    try:
        return condition.evaluate(scope) is True
    except FAULTS:
        return None


def _said_by(tree: Any) -> Known:
    """What is known where a condition holds: a field equal to a text or a truth value."""
    if tree[0] == "and":
        return frozenset().union(*(_said_by(part) for part in tree[3]))
    if tree[0] == "compare" and tree[3] == "=" and tree[4][0] == "path" and tree[4][3][0] == "name" and tree[5][0] in ("string", "constant"):
        return frozenset({(f"{tree[4][3][3]}.{tree[4][4]}", tree[5][3])})
    return frozenset()
