"""History, reasons and sources as sentences on pages, in the reader's language: the words of lines are `engine.insight.telling`'s."""

import datetime as dt
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from engine.casework.cases import RENEWED
from engine.casework.pieces import RECEIVED
from engine.casework.views import Happened
from engine.insight import telling
from web.formatting import Words

_ISOLATED = re.compile("\u2068([^\u2068\u2069]*)\u2069")
# The reminders of one late task, as they reach higher.
REMINDERS = ("task.due", "task.late", "task.very_late")


def happened(words: Words, one: Happened, names: Mapping[str, str]) -> str:
    """One line of the history: who did what, what it led to, who asked for it and why."""
    sentence = telling.sentence(words.text, one.kind, one.body, "" if one.actor == "system" else one.actor, one.agency, names)
    return f"{sentence} {words.text('history.reason', reason=one.reason)}" if one.reason else sentence


def why(words: Words, one: Happened, names: Mapping[str, str]) -> list[str]:
    """Each turn taken and each rule applied in this act, on which values."""
    said = [words.text("history.answer", label=value["label"], value=value["value"]) for value in one.values]
    return said + [sentence for reason in one.why for sentence in telling.why(words.text, reason, names)]


def parts(sentence: str) -> list[tuple[str, bool]]:
    """A sentence of the engine in pieces: text, and whether it keeps its own direction (what stood between isolates, which pages take out)."""
    found = _ISOLATED.split(sentence)
    return [(text, bool(place % 2)) for place, text in enumerate(found) if text]


def shared_source(facts: Sequence[Mapping[str, Any]]) -> str:
    """The source that most facts of a section have, said once above them; "" where there is none to share."""
    counted = Counter(fact["source"] for fact in facts if fact["source"])
    source, number = counted.most_common(1)[0] if counted else ("", 0)
    return source if number > 1 else ""


def awaited(words: Words, message: str, name: str, node: str = "", papers: str = "", until: str = "", agency: str = "") -> str:
    """What a wait is for: in plain words where they were written for its place (`node`) or its message, else as its diagram names it. `papers`: those that the person was asked
    for, `until` the day she was given; `agency`: which makes the paper, where that is not hers to bring."""
    said = words.text(f"awaits.{node}") if node else "["
    if said.startswith("[") and papers and message == RECEIVED:
        return words.text("awaits.papers_until" if until else "awaits.papers", papers=papers, date=until)
    if message == RENEWED:
        return words.text("awaits.renewal_by" if agency else "awaits.renewal", paper=name, agency=words.text(f"agency.{agency}") if agency else "")
    if said.startswith("[") and message:
        said = words.text(f"awaits.{message.replace('.', '_')}")
    return name if said.startswith("[") else said


def reminders(words: Words, run: Sequence[Happened], names: Mapping[str, str]) -> str:
    """Reminders that followed one another with nothing else between them, in one sentence. `run`: the newest first."""
    if len(run) == 1:
        return happened(words, run[0], names)
    what = telling.quoted(words.text, list(dict.fromkeys(names.get(node) or node for node in (str(one.body.get("node", "")) for one in reversed(run)))))
    highest = max(run, key=lambda one: REMINDERS.index(one.kind))
    told = words.text(f"history.told.{highest.kind.rpartition('.')[2]}")
    if highest.body.get("told_name"):
        told = f"{told} {words.text('history.told_who', who=highest.body['told_name'])}"
    return words.count("history.reminders", len(run), what=what, since=words.date(run[-1].occurred_at), told=told)


def source(words: Words, kind: str, recorded_at: dt.datetime, author: str, author_agency: str) -> str:
    """Where a fact comes from, and the day: what an agent wrote down is hers (whom she had it from is not kept); else what kind of source, and who wrote it down."""
    said = words.text(f"fact.by.{kind if kind not in ('', 'agency') else 'person'}")
    who = f"{author} ({words.text(f'agency.{author_agency}')})" if author and author_agency else ""  # only the system is of no agency
    if who and kind in ("", "person", "agency"):
        return words.text("fact.entered", date=words.date(recorded_at), author=who)
    return words.text("fact.source_author" if who else "fact.source", source=said, date=words.date(recorded_at), author=who)
