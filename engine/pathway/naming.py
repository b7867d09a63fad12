"""What findings and comparisons call what they speak of, by language: an element, a process by its own name; one that has none by its kind as the editor calls it
and the nearest that have one, before or after it; an arrow by its ends.

Not the sentences themselves (`locales`), nor what a page calls a form or a field.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from engine.i18n import LANGUAGES, ONWARD, catalogue, pick, translate

if TYPE_CHECKING:
    from engine.pathway.spiff.elements import Element, Flow

Names = Mapping[str, str]
_B, _M = "{http://www.omg.org/spec/BPMN/", "{urn:masar:bpmn:1}"
_NEW = re.compile(r"(Participant|Process)_[0-9a-z]{7}")  # what an editor calls what it has just drawn: it says nothing
_MOST_TOLD = 12  # elements of a way that a sentence names
_MOST_NEAR = 2  # neighbours on each side that tell an element without a name
_FARTHEST = 30  # elements without a name that are passed on the way to one that has one
_FLOW, _TRIGGER = "sequenceFlow", "EventDefinition"
ARROWS = frozenset({_FLOW, "messageFlow", "association"})
_TRIGGERS = {"conditional": "condition"}


def called(names: Names, kind: str, ahead: Sequence[Names] = (), behind: Sequence[Names] = (), written: str = "") -> Names:
    """Its own names; else its kind with the nearest names ahead or behind, or as it is `written` in the file where there are none."""
    if any(names.values()):
        return dict(names)
    return {language: _unnamed(kind, ahead, behind, written, language) for language in LANGUAGES}


def is_named(node: Any) -> bool:
    """Whether a node of a file bears a name of its own."""
    return bool(_written(node))


def name_of(element: "Element") -> Names:
    """What a node of a diagram is called."""
    return called(element.names, _kind(element), _ahead(element), _behind(element))


def _ahead(element: "Element") -> list[Names]:
    return _nearest(element, lambda one: [flow.target for flow in one.flows_out], lambda one: one.names, lambda one: one.id)


def _behind(element: "Element") -> list[Names]:
    return _nearest(element, lambda one: [flow.source for flow in one.flows_in], lambda one: one.names, lambda one: one.id)


def flow_named(flow: "Flow") -> Names:
    """What an arrow is called: from where to where, if it bears no name itself."""
    before, after = [] if flow.source.names else _behind(flow.source), [] if flow.target.names else _ahead(flow.target)
    return _arrow(flow.names, (flow.source.names, _kind(flow.source)), (flow.target.names, _kind(flow.target)), before, after)


def process_named(process_id: str, processes: Mapping[str, Any]) -> Names:
    """What a process is called; one that is not there by the id that somebody wrote."""
    names = processes[process_id].names if process_id in processes else {"fr": process_id}
    return called({} if process_id in processes and names == {"fr": process_id} else names, "process", written=process_id)


def kind_named(kind: str) -> Names:
    """A kind of element or what one carries (`userTask`, `script`, `isForCompensation="true"`) as the editor calls it; one that no editor of ours draws as the file has it."""
    return {language: _kind_in(kind.partition("=")[0], language) or translate("pathway.kind.other", language, kind=kind) for language in LANGUAGES}


def trigger_named(kind: str) -> Names:
    """What an event hears or says: a message, a timer."""
    return {language: translate(f"pathway.event.{kind}", language) for language in LANGUAGES}


def message_named(message: str, events: Sequence[Names]) -> Names:
    """What a message means where the pathway's own words say it; else what the events that hear it are called; else its name in the file."""
    return {language: catalogue(language).get(f"web.heard.{message.replace('.', '_')}", "").rstrip(".") or _few(events, language) or message for language in LANGUAGES}


def joined(names: Iterable[Names], between: str) -> Names:
    names = list(names)
    return {language: between.join(pick(one, language) for one in names) for language in LANGUAGES} if names else {}


def told(elements: Sequence["Element"]) -> Names:
    """A way as people read it, by what has a name; of a long one, its beginning and its end."""
    shown: Sequence[Names] = [name_of(one) for one in elements if one.bpmn_name] or [name_of(one) for one in elements]
    if len(shown) > _MOST_TOLD:
        shown = [*shown[: _MOST_TOLD // 2], {"fr": "…"}, *shown[-_MOST_TOLD // 2 :]]
    return {language: f" {ONWARD[language]} ".join(pick(one, language) for one in shown) for language in LANGUAGES}


class File:
    """The names in one file, drawn or of tables, before anything of it is read."""

    def __init__(self, root: Any) -> None:
        self._root = root

    @cached_property
    def _by_id(self) -> dict[str, Any]:
        return {one.get("id"): one for one in self._root.iter() if isinstance(one.tag, str) and one.get("id")}

    @cached_property
    def _ways(self) -> tuple[dict[str, list[str]], dict[str, list[str]]]:
        """From each node to those that arrows lead to, and back; what stands on the border of an activity comes from it."""
        forth: dict[str, list[str]] = {}
        back: dict[str, list[str]] = {}
        for one in self._root.iter():
            host = one.get("attachedToRef") if isinstance(one.tag, str) else None
            source, target = (host, one.get("id")) if host else (one.get("sourceRef"), one.get("targetRef")) if _tag(one) == _FLOW else (None, None)
            if source and target:
                forth.setdefault(source, []).extend([] if host else [target])
                back.setdefault(target, []).append(source)
        return forth, back

    @cached_property
    def messages(self) -> dict[str, list[Names]]:
        """Each message of the file with the names of the events that hear it, of those that say it where none does."""
        heard: dict[str, list[Names]] = {}
        said: dict[str, list[Names]] = {}
        for one in self._root.iter():
            if _tag(one) == "message":
                said.setdefault(one.get("nom") or one.get("name") or "", [])
            for name in {note.get("nom") for note in one.iterfind(f"{{*}}extensionElements/{_M}message")} if isinstance(one.tag, str) else ():
                kept = said if "Throw" in _tag(one) or _tag(one) in ("endEvent", "sendTask") else heard
                kept.setdefault(name or "", []).extend(filter(None, [_written(one)]))
        return {name: heard.get(name) or said.get(name, []) for name in {**said, **heard} if name}

    def of(self, node: Any) -> Names:
        """What a node with an id is called."""
        names, kind = _written(node), _tag(node)
        if kind == "message":
            return message_named(node.get("name") or "", self.messages.get(node.get("name"), ()))
        if kind in ARROWS:
            source, target = (self._by_id.get(node.get(end)) for end in ("sourceRef", "targetRef"))
            before, after = ([] if one is None or _written(one) else self._near(one, ways) for one, ways in ((source, self._ways[1]), (target, self._ways[0])))
            return _arrow(names, *(({}, "") if one is None else (_written(one), _kind_of(one)) for one in (source, target)), before, after)
        ahead, behind = (self._near(node, ways) for ways in self._ways)
        return called(names, _kind_of(node), ahead, behind, "" if node.tag.startswith(_B) and kind != "process" else _id(node))

    def _near(self, node: Any, ways: Mapping[str, Sequence[str]]) -> list[Names]:
        return _nearest(node, lambda one: [self._by_id[it] for it in ways.get(_id(one), ()) if it in self._by_id], _written, _id)

    def at(self, element_id: str) -> Names:
        """What bears an id that somebody wrote elsewhere in the file; the id where nothing does."""
        found = self._by_id.get(element_id)
        return {"fr": element_id} if found is None else self.of(found)


def _nearest(first: Any, beyond: Callable[[Any], Sequence[Any]], names: Callable[[Any], Names], key: Callable[[Any], str]) -> list[Names]:
    """The names of what comes next, past what has none."""
    seen, here = {key(first)}, list(beyond(first))
    while here and len(seen) < _FARTHEST:
        here = [one for one in {key(one): one for one in here}.values() if key(one) not in seen]
        if found := [names(one) for one in here if any(names(one).values())]:
            return found
        seen.update(map(key, here))
        here = [other for one in here for other in beyond(one)]
    return []


def _arrow(names: Names, source: tuple[Names, str], target: tuple[Names, str], before: Sequence[Names] = (), after: Sequence[Names] = ()) -> Names:
    """From where to where, whatever it says: many arrows say yes. `before`, `after`: the nearest names, where an end has none."""
    if not (source[0] or target[0] or source[1] or target[1]):
        return called(names, _FLOW)
    way = {}
    for language in LANGUAGES:
        ends = (pick(said, language) or _kind_in(kind, language) or "…" for said, kind in (source, target))
        way[language] = f" {ONWARD[language]} ".join(filter(None, (_few(before[:1], language), *ends, _few(after[:1], language))))
    return {language: f"{way[language]} ({pick(names, language)})" for language in LANGUAGES} if any(names.values()) else way


def _unnamed(kind: str, ahead: Sequence[Names], behind: Sequence[Names], written: str, language: str) -> str:
    said = _kind_in(kind, language) or translate("pathway.kind.other", language, kind=kind.partition("_")[0])
    code = "between" if ahead and behind else "before" if ahead else "after" if behind else "by_id" if written and not _NEW.fullmatch(written) else "new"
    return translate(f"pathway.unnamed.{code}", language, kind=said, ahead=_few(ahead, language), behind=_few(behind, language), id=written)


def _few(names: Sequence[Names], language: str) -> str:
    return " / ".join([*(pick(one, language) for one in names[:_MOST_NEAR]), *(["…"] if len(names) > _MOST_NEAR else [])])


def _kind_in(kind: str, language: str) -> str:
    """`userTask`, `startEvent_timer` in words; "" for what has none."""
    texts, plain = catalogue(language), kind.partition("_")[0]
    drawn = f"web.editor.kind.{kind[:1].upper()}{kind[1:]}"
    return texts.get(drawn) or texts.get(f"pathway.kind.{plain}") or ""


def _kind(element: "Element") -> str:
    trigger = getattr(element, "trigger", None)
    return f"{element.kind}_{trigger.kind}" if trigger is not None and element.kind.endswith("Event") else "eventSubProcess" if getattr(element, "is_event", False) else element.kind


def _kind_of(node: Any) -> str:
    kind = _tag(node)
    if kind.endswith("Event"):
        hears = next((tag.removesuffix(_TRIGGER) for tag in map(_tag, node) if tag.endswith(_TRIGGER)), "none")
        return f"{kind}_{_TRIGGERS.get(hears, hears)}"
    return "eventSubProcess" if node.get("triggeredByEvent") == "true" else kind


def _written(node: Any) -> Names:
    said = {"fr": node.get("name") or node.get("label") or (node.findtext("{*}text") or "" if _tag(node) == "textAnnotation" else "")}
    for label in node.iterfind(f"{{*}}extensionElements/{_M}libelle"):
        said[label.get("lang") or ""] = label.text or ""
    return {language: " ".join(text.split()) for language, text in said.items() if language and text.strip()}


def _id(node: Any) -> str:
    return node.get("id") or ""


def _tag(node: Any) -> str:
    return node.tag.rpartition("}")[2] if isinstance(node.tag, str) else ""
