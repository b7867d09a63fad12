"""What was proved of a move, as sentences: each property with what was looked at, each refusal with its counter-example, what else the move does."""

from collections.abc import Mapping, Sequence
from typing import Any

from engine import i18n
from engine.casework.editions import Edition
from engine.pathway.moving import PROPERTIES
from web import sentences
from web.formatting import Words

_LONGEST = 6  # elements of a way that a sentence names


class Telling:
    """Says reasons with the names of the edition a case goes to, or of the one it comes from where that has the thing alone."""

    def __init__(self, words: Words, *editions: Edition) -> None:
        self.words, self.editions = words, editions

    def certificate(self, told: Mapping[str, Any]) -> dict[str, Any]:
        """A certificate (`moves.public`) as the page shows it."""
        refused = told.get("refused", ())
        broken = {one["breaks"] for one in refused}
        return {
            "way": self.words.text(f"moving.way.{told['way']}") if told.get("way") else "",
            "properties": [
                {"name": self.words.text(f"moving.property.{name}"), "holds": name not in broken, "looked_at": self.words.count(f"moving.looked_at.{name}", told["looked_at"].get(name, 0))}
                for name in PROPERTIES
            ] if told.get("looked_at") else [],
            "refused": [self.reason(one) for one in refused],
            "notes": [self.reason(one) for one in told.get("notes", ())],
        }  # fmt: skip

    def reason(self, one: Mapping[str, Any]) -> str:
        """One reason, and the way that leads there."""
        details = dict(one.get("details", {}))
        for name in ("to", "gives"):
            if isinstance(details.get(name), str):
                details[name] = self.name(details[name])
        for name in ("then", "now", "message"):
            if name in details:
                details[name] = sentences.awaited(self.words, details[name], details[name])
        if "field" in details:
            details["field"] = self._field(details["field"])
        if "because" in details:
            details["because"] = self.words.text(f"moving.because.{details['because']}", element=self.name(one["node"], one["process"]))
        if one["code"] == "breaks":
            details["code"] = i18n.translate(str(details.get("code", "")), self.words.language)
        said = self.words.text(f"moving.reason.{one['code']}", element=self.name(one["node"], one["process"]), **details)
        way = self._way(one.get("way", ()))
        return f"{said} {self.words.text('moving.by_way', way=way)}" if way else said

    def name(self, node: str, process: str = "") -> str:
        for edition in self.editions:
            if (label := edition.definitions.label(node, self.words.language, process)) != node:
                return label
            if node in edition.definitions.processes:
                return i18n.pick(edition.definitions.processes[node].names, self.words.language)
        return node

    def _way(self, way: Sequence[Sequence[str]]) -> str:
        names = [name for process, node in way if (name := self.name(node, process)) != node]
        shown = names if len(names) <= _LONGEST else [*names[: _LONGEST // 2], "…", *names[-_LONGEST // 2 :]]
        return f" {i18n.ONWARD[self.words.language]} ".join(shown) if len(names) > 1 else ""

    def _field(self, name: str) -> str:
        spec = next((edition.dictionary.fields[name] for edition in self.editions if name in edition.dictionary.fields), None)
        return i18n.pick(spec.label, self.words.language) if spec else name
