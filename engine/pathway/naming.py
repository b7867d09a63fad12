"""What findings call what they speak of, by language: an element, a way, a process by its own name; one that has none by its kind as the editor calls it, and
where it leads, else its id.

Not the sentences themselves (`locales`), nor what a page calls a form or a field.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from engine.i18n import LANGUAGES, ONWARD, catalogue, pick, translate

if TYPE_CHECKING:
    from engine.pathway.spiff.elements import Element, Flow

Names = Mapping[str, str]
_MASAR = "{urn:masar:bpmn:1}libelle"
_NEW = re.compile(r"(Activity|Gateway|Event|StateOrEvent|Flow|Participant|Process)_[0-9a-z]{7}")  # what an editor calls what it has just drawn: it says nothing
_MOST_TOLD = 12  # elements of a way that a sentence names
_FLOW, _TRIGGER = "sequenceFlow", "EventDefinition"
_TRIGGERS = {"conditional": "condition"}


def called(names: Names, kind: str, element_id: str, ahead: Iterable[Names] = ()) -> Names:
    """Its own names; else its kind and the names of what it leads to, its id where those have none."""
    if any(names.values()):
        return dict(names)
    onward = joined((one for one in ahead if one), " / ")
    return {language: _unnamed(kind, element_id, onward.get(language, ""), language) for language in LANGUAGES}


def name_of(element: "Element") -> Names:
    """What a node of a diagram is called."""
    return called(element.names, _kind(element), element.id, (flow.target.names for flow in element.flows_out))


def flow_named(flow: "Flow") -> Names:
    """What an arrow is called: from where to where, if it bears no name itself."""
    return _arrow(flow.names, flow.id, (flow.source.names, _kind(flow.source)), (flow.target.names, _kind(flow.target)))


def process_named(process_id: str, processes: Mapping[str, Any]) -> Names:
    """What a process is called; one that is not there by the id that somebody wrote."""
    names = processes[process_id].names if process_id in processes else {"fr": process_id}
    return called({} if process_id in processes and names == {"fr": process_id} else names, "process", process_id)


def kind_named(kind: str) -> Names:
    """A kind of element or what one carries (`userTask`, `script`, `isForCompensation="true"`) as the editor calls it; one that no editor of ours draws as the file has it."""
    return {language: _kind_in(kind.partition("=")[0], language) or translate("pathway.kind.other", language, kind=kind) for language in LANGUAGES}


def trigger_named(kind: str) -> Names:
    """What an event hears or says: a message, a timer."""
    return {language: translate(f"pathway.event.{kind}", language) for language in LANGUAGES}


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

    def of(self, node: Any) -> Names:
        """What a node with an id is called."""
        names, kind = _written(node), _tag(node)
        if kind == _FLOW and not names:
            ends = [self._by_id.get(node.get(end)) for end in ("sourceRef", "targetRef")]
            return _arrow(names, node.get("id"), *(({}, "") if one is None else (_written(one), _kind_of(one)) for one in ends))
        return called(names, _kind_of(node), node.get("id"))

    def at(self, element_id: str) -> Names:
        """What bears an id that somebody wrote elsewhere in the file; the id where nothing does."""
        found = self._by_id.get(element_id)
        return {"fr": element_id} if found is None else self.of(found)


def _arrow(names: Names, flow_id: str, source: tuple[Names, str], target: tuple[Names, str]) -> Names:
    if any(names.values()) or not (source[0] or target[0]):
        return called(names, _FLOW, flow_id)
    return {language: f" {ONWARD[language]} ".join(pick(said, language) or _kind_in(kind, language) or "…" for said, kind in (source, target)) for language in LANGUAGES}


def _unnamed(kind: str, element_id: str, onward: str, language: str) -> str:
    code = "before" if onward else "new" if _NEW.fullmatch(element_id) else "by_id"
    said = _kind_in(kind, language) or translate("pathway.kind.other", language, kind=kind.partition("_")[0])
    return translate(f"pathway.unnamed.{code}", language, kind=said, ahead=f"{ONWARD[language]} {onward}", id=element_id)


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
    said = {"fr": node.get("name") or node.get("label") or ""}
    for label in node.iterfind(f"{{*}}extensionElements/{_MASAR}"):
        said[label.get("lang") or ""] = label.text or ""
    return {language: " ".join(text.split()) for language, text in said.items() if language and text.strip()}


def _tag(node: Any) -> str:
    return node.tag.rpartition("}")[2] if isinstance(node.tag, str) else ""
