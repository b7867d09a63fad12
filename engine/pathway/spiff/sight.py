"""What a node may see: case facts, then those of the subjects around it, then variables, inner over outer; `now` and `today` of the stimulus.

A called process sees the facts and subjects around its call, the variables its instance was started with, and its own; not its caller's.
A variable that only holds an `id` stands for a subject: its fields are the snapshot's.
"""

from typing import TYPE_CHECKING, Any

from engine.pathway.spiff.expressions import READ, Fault, evaluate, plain
from engine.pathway.spiff.scopes import Scope, Token
from engine.pathway.spiff.timing import TUNIS
from forms.feel import BUDGET

if TYPE_CHECKING:
    from engine.pathway.spiff.run import Run


def of_token(run: "Run", token: Token) -> dict[str, Any]:
    """The scope of expressions at a token: a new dict."""
    return _assemble(run, token, token.scope)


def of_scope(run: "Run", scope: Scope) -> dict[str, Any]:
    """The scope of expressions inside a process, beside any token."""
    return _assemble(run, None, scope)


def _assemble(run: "Run", token: Token | None, scope: Scope) -> dict[str, Any]:
    layers: list[dict[str, Any]] = []
    turns: list[Token] = []
    has_own = True  # until the call is crossed, variables are those of this process
    current, around = token, scope
    while True:
        if current is not None and "vars" in current.internal_data:
            inside = current.internal_data
            if inside.get("subject"):
                turns.append(current)
            if has_own:
                layers.append(inside["vars"])
            elif inside.get("subject"):
                name = inside["subject"].partition(":")[0]
                layers.append({name: inside["vars"][name]})
        if has_own and around.variables is not None:
            layers.append(around.variables)
            has_own = around.host is None
        if around.host is None:
            break
        current, around = around.host, around.host.scope
    if not has_own:
        assert around.variables is not None
        layers.append({name: around.variables[name] for name in run.given if name in around.variables})
    facts = run.facts
    seen: dict[str, Any] = dict(facts.get("case", _NOTHING))
    variables: dict[str, Any] = {}
    for layer in reversed(layers):
        variables.update(layer)
    for name, value in variables.items():
        if type(value) is dict and len(value) == 1 and "id" in value:
            found = facts.get(f"{name}:{plain(value['id'])}")
            if found is not None:
                seen.update(found)
                value = {**found.get(name, _NOTHING), **value}
            else:
                value = _item_of(run, turns, name, value)
        seen[name] = value
    now = run.at.astimezone(TUNIS)
    seen["now"], seen["today"], seen[READ], seen[BUDGET] = now, now.date(), run.read, run.budget
    return seen


def _item_of(run: "Run", turns: list[Token], name: str, value: dict[str, Any]) -> dict[str, Any]:
    """An item that is no subject of its own: as its collection has it now, found again by its id."""
    for turn in turns:
        if turn.internal_data["subject"].partition(":")[0] == name:
            loop = turn.element.loop
            try:
                items = evaluate(loop.collection, of_token(run, run.token(turn.internal_data["host"])))
            except Fault:
                return value  # the collection broke meanwhile: what reads its fields finds null, and says so
            for item in items if isinstance(items, list) else [items]:
                if isinstance(item, dict) and plain(item.get("id")) == plain(value["id"]):
                    return item
    return value


def subjects(token: Token) -> tuple[str, ...]:
    """The subjects of the multi-instances around a token, outer first, across calls."""
    found: list[str] = []
    current, around = token, token.scope
    while True:
        subject = current.internal_data.get("subject")
        if subject:
            found.append(subject)
        if around.host is None:
            return tuple(reversed(found))
        current, around = around.host, around.host.scope


def depth(token: Token) -> int:
    """How many scopes are around a token."""
    count, scope = 0, token.scope
    while scope.host is not None:
        count, scope = count + 1, scope.host.scope
    return count


def holder(token: Token) -> dict[str, Any]:
    """The variables a token writes to: those of its turn in a multi-instance, else of its process."""
    current, around = token, token.scope
    while True:
        own: dict[str, Any] | None = current.internal_data.get("vars")
        if own is not None:
            return own
        if around.variables is not None:
            return around.variables
        assert around.host is not None
        current, around = around.host, around.host.scope


_NOTHING: dict[str, Any] = {}
