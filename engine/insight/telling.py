"""What a ledger line says, in a sentence: on the history's page and in what leaves Masar.

It invents nothing: an event nobody worded is named by its code. `say(code, **details)` gives the words of `web.<code>`.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from engine import i18n

Say = Callable[..., str]
_BY_WHAT = frozenset({"repair.proposed", "repair.refused", "repair.withdrawn", "incident.assigned"})


def sentence(say: Say, kind: str, body: Mapping[str, Any], who: str, agency: str, names: Mapping[str, str]) -> str:
    """One line: who did what, and what it led to. `body` as `staff.with_names` gives it; `names`: elements by id; `who`: the name of whoever acted, "" for Masar itself."""
    doer = say("history.who", name=who, agency=say(f"agency.{agency}")) if who and agency else who or say("history.masar")
    node, to, owner = str(body.get("node") or body.get("process", "")), str(body.get("to", "")), body.get("owner_name", "")
    code = f"history.{kind.replace('.', '_')}"
    if kind in _BY_WHAT:  # worded by what is proposed, or by whether somebody was named
        code += f".{body.get('act') or ('to' if owner else 'nobody')}"
    if kind == "case.stopped" and body.get("reason_code") == "venue":  # an absence that was none
        code = "history.absence_undone"
    if kind == "operation.done" and "error" in body:
        code = "history.operation_failed"
    name = body.get("message") or body.get("name", "")
    said = say(code, who=doer, what=names.get(node) or node, name=name, number=body.get("number", ""), to=names.get(to) or to, owner=owner, former=body.get("former_name", ""))
    if heard := body.get("message"):  # what it means here, where the pathway's own words say it
        meant = say(f"heard.{heard.replace('.', '_')}")
        said = said if meant.startswith("[") else meant
    if said.startswith("["):
        said = say("history.other", who=doer, kind=kind)
    if opened := [names.get(found) or found for _, found in body.get("opened", ())]:
        said = f"{said} {say('history.then', what=quoted(say, opened))}"
    if stopped := [names.get(found) or found for found, _ in body.get("incidents", ())]:
        said = f"{said} {say('history.stopped', what=quoted(say, stopped))}"
    said = f"{said} {say('history.ended')}" if "ended" in body else said
    said = f"{said} {say('history.instead_of', who=body['instead_of_name'])}" if body.get("instead_of_name") else said
    said = f"{said} {say('history.told_who', who=body['told_name'])}" if body.get("told_name") else said
    return f"{said} {say('history.asked_by', who=body['asked_by_name'])}" if body.get("asked_by_name") else said


def why(say: Say, one: Mapping[str, Any], names: Mapping[str, str]) -> list[str]:
    """One why-record as far as it is shown (`cases.seen_why`): a sentence for a table, one for each condition of a gateway."""
    place = names.get(one["node"]) or one["node"]
    if "decision" in one:
        rules = ", ".join(str(rule) for rule in one["rules"]) or "–"
        return [say("history.decided", place=place, decision=one["decision"], rules=rules, values=_values(say, one["values"]), outputs=_plain(one["outputs"]))]
    return [say("history.condition", place=place, text=asked.get("text", ""), values=_values(say, asked.get("values", {})),
                verdict=say("history.hidden" if asked.get("is_hidden") else "format.yes" if asked.get("value") is True else "format.no"))
            for asked in one["why"]]  # fmt: skip


def words(language: str) -> Say:
    return lambda code, **details: i18n.translate(f"web.{code}", language, **details)


def quoted(say: Say, names: Sequence[str]) -> str:
    """Names of elements, one after the other."""
    return f"{say('format.comma')} ".join(say("history.quoted", name=name) for name in names)


def _values(say: Say, values: Mapping[str, Any]) -> str:
    return f"{say('format.comma')} ".join(f"{name} = {say('history.hidden') if value is None else _plain(value)}" for name, value in values.items()) or "–"


def _plain(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{name} = {_plain(inner)}" for name, inner in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(_plain(inner) for inner in value)
    return {True: "true", False: "false", None: "null"}[value] if value is None or isinstance(value, bool) else str(value)
