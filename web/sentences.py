"""History, reasons and sources as sentences in the reader's language, from what the ledger tells.

It invents nothing: an event nobody worded is named by its code.
"""

import datetime as dt
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from engine.casework.views import Happened
from web.formatting import Words


_ISOLATED = re.compile("\u2068([^\u2068\u2069]*)\u2069")
_BY_WHAT = frozenset({"repair.proposed", "repair.refused", "incident.assigned"})
# The reminders of one late task, as they reach higher.
REMINDERS = ("task.due", "task.late", "task.very_late")


def happened(words: Words, one: Happened, names: Mapping[str, str]) -> str:
    """One line of the history: who did what, and what it led to."""
    node = str(one.body.get("node", ""))
    who = words.text("history.masar") if one.actor in ("", "system") else one.actor
    if one.agency and one.actor not in ("", "system"):
        who = words.text("history.who", name=who, agency=words.text(f"agency.{one.agency}"))
    code = f"history.{one.kind.replace('.', '_')}"
    name = one.body.get("message") or one.body.get("name", "")
    to = str(one.body.get("to", ""))
    told = {"what": names.get(node) or node, "name": name, "number": one.body.get("number", ""), "to": names.get(to) or to, "owner": one.body.get("owner_name", "")}
    if one.kind in _BY_WHAT:  # worded by what is proposed, or by whether somebody was named
        code += f".{one.body.get('act') or ('to' if told['owner'] else 'nobody')}"
    sentence = words.text(code, who=who, **told)
    if heard := one.body.get("message"):  # what it means here, where the pathway's own words say it
        said = words.text(f"heard.{heard.replace('.', '_')}")
        sentence = sentence if said.startswith("[") else said
    if sentence.startswith("["):
        sentence = words.text("history.other", who=who, kind=one.kind)
    opened = [names.get(found) or found for _, found in one.body.get("opened", ())]
    if opened:
        sentence = f"{sentence} {words.text('history.then', what=_listed(words, opened))}"
    if "ended" in one.body:
        sentence = f"{sentence} {words.text('history.ended')}"
    if asked_by := one.body.get("asked_by_name"):
        sentence = f"{sentence} {words.text('history.asked_by', who=asked_by)}"
    if one.reason:
        sentence = f"{sentence} {words.text('history.reason', reason=one.reason)}"
    return sentence


def why(words: Words, one: Happened, names: Mapping[str, str]) -> list[str]:
    """Each turn taken and each rule applied in this act, on which values."""
    said = [words.text("history.answer", label=value["label"], value=value["value"]) for value in one.values]
    for reason in one.why:
        place = names.get(reason["node"]) or reason["node"]
        if "decision" in reason:
            rules = ", ".join(str(rule) for rule in reason["rules"]) or "–"
            values, outputs = _values(words, reason["values"]), _plain(reason["outputs"])
            said.append(words.text("history.decided", place=place, decision=reason["decision"], rules=rules, values=values, outputs=outputs))
        else:
            for looked in reason["why"]:
                verdict = words.text("history.hidden" if looked.get("is_hidden") else "format.yes" if looked.get("value") is True else "format.no")
                values = _values(words, looked.get("values", {}))
                said.append(words.text("history.condition", place=place, text=looked.get("text", ""), verdict=verdict, values=values))
    return said


def parts(sentence: str) -> list[tuple[str, bool]]:
    """A sentence of the engine in pieces: text, and whether it keeps its own direction (what stood between isolates, which pages take out)."""
    found = _ISOLATED.split(sentence)
    return [(text, bool(place % 2)) for place, text in enumerate(found) if text]


def shared_source(facts: Sequence[Mapping[str, Any]]) -> str:
    """The source that most facts of a section have, said once above them; "" where there is none to share."""
    counted = Counter(fact["source"] for fact in facts if fact["source"])
    source, number = counted.most_common(1)[0] if counted else ("", 0)
    return source if number > 1 else ""


def awaited(words: Words, message: str, name: str) -> str:
    """What a wait is for: in plain words where they were written for its message, else as its diagram names it."""
    said = words.text(f"awaits.{message.replace('.', '_')}") if message else "["
    return name if said.startswith("[") else said


def reminders(words: Words, run: Sequence[Happened], names: Mapping[str, str]) -> str:
    """Reminders that followed one another with nothing else between them, in one sentence. `run`: the newest first."""
    if len(run) == 1:
        return happened(words, run[0], names)
    what = _listed(words, list(dict.fromkeys(names.get(node) or node for node in (str(one.body.get("node", "")) for one in reversed(run)))))
    told = words.text(f"history.told.{max(run, key=lambda one: REMINDERS.index(one.kind)).kind.rpartition('.')[2]}")
    return words.count("history.reminders", len(run), what=what, since=words.date(run[-1].occurred_at), told=told)


def source(words: Words, kind: str, recorded_at: dt.datetime, author: str, author_agency: str) -> str:
    """Where a fact comes from: what kind of source, the day, who wrote it down."""
    said = words.text(f"fact.by.{kind or 'person'}")
    who = f"{author} ({words.text(f'agency.{author_agency}')})" if author and author_agency else ""  # only the system is of no agency
    return words.text("fact.source_author" if who else "fact.source", source=said, date=words.date(recorded_at), author=who)


def _values(words: Words, values: Mapping[str, Any]) -> str:
    said = [f"{name} = {words.text('history.hidden') if value is None else _plain(value)}" for name, value in values.items()]
    return f"{words.text('format.comma')} ".join(said) or "–"


def _plain(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{name} = {_plain(inner)}" for name, inner in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(_plain(inner) for inner in value)
    return {True: "true", False: "false", None: "null"}.get(value, str(value)) if value is None or isinstance(value, bool) else str(value)


def _listed(words: Words, names: list[str]) -> str:
    return f"{words.text('format.comma')} ".join(words.text("history.quoted", name=name) for name in names)
