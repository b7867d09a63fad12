"""What a ledger line says, in a sentence, for what leaves Masar: the words of the history's page, without its markup."""

from collections.abc import Callable, Mapping
from typing import Any

from engine import i18n


def sentence(line: Mapping[str, Any], who: str, names: Mapping[str, str], language: str) -> str:
    """One line: who did what, and what it led to. `names`: elements by id; `who`: the name of whoever acted, "" for Masar itself."""
    say = words(language)
    body, agency = line["body"], line["actor"].get("agency", "")
    doer = say("history.who", name=who, agency=say(f"agency.{agency}")) if who and agency else who or say("history.masar")
    node, to = str(body.get("node", "")), str(body.get("to", ""))
    name = body.get("message") or body.get("name", "")
    said = say(f"history.{line['kind'].replace('.', '_')}", who=doer, what=names.get(node) or node, name=name, number=body.get("number", ""), to=names.get(to) or to, owner="")
    if heard := body.get("message"):
        meant = say(f"heard.{heard.replace('.', '_')}")
        said = said if meant.startswith("[") else meant
    if said.startswith("["):
        said = say("history.other", who=doer, kind=line["kind"])
    if opened := [names.get(found) or found for _, found in body.get("opened", ())]:
        said = f"{said} {say('history.then', what=listed(language, [say('history.quoted', name=one) for one in opened]))}"
    return f"{said} {say('history.ended')}" if "ended" in body else said


def why(one: Mapping[str, Any], names: Mapping[str, str], language: str) -> list[str]:
    """One why-record as far as it is shown (`cases.seen_why`): a sentence for a table, one for each condition of a gateway."""
    say, place = words(language), names.get(one["node"]) or one["node"]
    if "decision" in one:
        rules = ", ".join(str(rule) for rule in one["rules"]) or "–"
        return [say("history.decided", place=place, decision=one["decision"], rules=rules, values=_values(language, one["values"]), outputs=_plain(one["outputs"]))]
    return [say("history.condition", place=place, text=asked.get("text", ""), values=_values(language, asked.get("values", {})),
                verdict=say("history.hidden" if asked.get("is_hidden") else "format.yes" if asked.get("value") is True else "format.no"))
            for asked in one["why"]]  # fmt: skip


def words(language: str) -> Callable[..., str]:
    return lambda code, **details: i18n.translate(f"web.{code}", language, **details)


def listed(language: str, names: list[str]) -> str:
    return f"{words(language)('format.comma')} ".join(names)


def _values(language: str, values: Mapping[str, Any]) -> str:
    return listed(language, [f"{name} = {words(language)('history.hidden') if value is None else _plain(value)}" for name, value in values.items()]) or "–"


def _plain(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{name} = {_plain(inner)}" for name, inner in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(_plain(inner) for inner in value)
    return {True: "true", False: "false", None: "null"}[value] if value is None or isinstance(value, bool) else str(value)
