"""Conditions, values and changes in the words of a reader's language: what a dictionary, a diagram and a table call things, put into sentences.

What nobody gave a name keeps its own; a part of FEEL that has no plain words is shown as it is written.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from decimal import Decimal
from functools import cached_property
from typing import Any

from engine import i18n
from engine.pathway.decisions import Decision, Rule
from engine.pathway.spiff.expressions import plain
from engine.pathway.why import Change, Elsewhere
from forms import field_types
from forms import text as words
from forms.dictionary import Field
from forms.feel import FeelError, compile_expression

_OPS = {"=": "eq", "!=": "ne", "<": "lt", "<=": "le", ">": "gt", ">=": "ge"}
_SIGNS = {"+": "+", "-": "−", "*": "×", "/": "÷"}
_STATUS = "_statut"


def parameters(tables: Any) -> dict[str, Mapping[str, str]]:
    """What the dated rules are called, by the code that conditions read them under."""
    return {row["code"].removesuffix("_millimes"): row["labels"] for row in tables.parameters}


class Wording:
    """The words of one edition in one language. `parameters`: names of the dated rules, by code."""

    def __init__(self, edition: Any, language: str, parameters: Mapping[str, Mapping[str, str]]) -> None:
        self.edition, self.language, self.parameters = edition, language, parameters
        self.fields: Mapping[str, Field] = edition.dictionary.fields
        self._rows = ""  # the list whose rows a condition inside brackets asks, one by one (`item`)
        self._results = {one.extensions.result: one for one in edition.definitions.rules() if one.extensions.result}

    def say(self, code: str, **details: Any) -> str:
        return i18n.translate(f"why.{code}", self.language, **details)

    def field(self, path: str) -> Field | None:
        """The field that a path names: its own, or a column of a list's rows."""
        path = path.replace("[]", "")
        if path in self.fields:
            return self.fields[path]
        if self._rows and path.startswith("item."):
            return self.field(f"{self._rows}.{path.removeprefix('item.')}")
        above, _, name = path.rpartition(".")
        listed = self.fields.get(above)
        return next((self.fields[one] for one in (listed.items if listed else ()) if one.partition(".")[2] == name and one in self.fields), None)

    def label(self, path: str) -> str:
        """What a path is called."""
        if path in ("today", "now"):
            return self.say("today")
        if path.endswith(_STATUS):
            return self.say("status", label=self.label(path.removesuffix(_STATUS)))
        above, _, name = path.replace("[]", "").rpartition(".")
        field = self.field(path)
        if field is not None:
            own = i18n.pick(field.label, self.language) or field.id
            return self.say("of_list", label=own, list=i18n.pick(self.fields[above].label, self.language)) if above in self.fields else own
        first, _, column = path.partition(".")
        if first in self._results and self._answers(first, path):
            decided = self._results[first].extensions.decision
            return self._column(self.say("result", name=i18n.pick(self._results[first].names, self.language) or first), column, self._decision(decided))
        if first in self.edition.definitions.decisions:
            decision = self.edition.definitions.decision(first)
            return self._column(self.say("result", name=self.decision(decision)), column, decision)
        if first == "parametres" and (parameter := column.partition(".")[0]) in self.parameters:
            return self._column(i18n.pick(self.parameters[parameter], self.language) or path, column.partition(".")[2])
        return self._word("known", path.replace(".", "_")) or path

    def _decision(self, reference: str) -> Decision | None:
        definitions = self.edition.definitions
        return definitions.decision(reference) if reference in definitions.decisions else None

    def _column(self, what: str, column: str, decision: Decision | None = None) -> str:
        """A part of something that has parts, where the part has a word."""
        return self.say("part", what=what, part=self._part(column, decision)) if column else what

    def _part(self, column: str, decision: Decision | None) -> str:
        """What a part is called: by a word of Masar's, else as its table titles the column."""
        titles = next((one.names for one in decision.outputs if one.name == column), {}) if decision else {}
        return self._word("part_of", column.replace(".", "_")) or i18n.pick(titles, self.language) or column

    def _word(self, room: str, code: str) -> str:
        """The word of a code that no dictionary, diagram or table names; "" where there is none."""
        return self.say(f"{room}.{code}") if f"why.{room}.{code}" in i18n.catalogue(self.language) else ""

    def decision(self, decision: Decision) -> str:
        """What a table is called."""
        return i18n.pick(decision.names, self.language) or decision.name

    def rule(self, decision: Decision, rule: Rule) -> str:
        """A rule in words: its own in French, as it was written; else its cells, each with what its column asks. What stands in a cell without words is shown as it is written."""
        if self.language == "fr" and rule.label:
            return rule.label
        asked = [self.cell(column.text, test.text.strip()) for column, test in zip(decision.inputs, rule.tests, strict=True) if test.text.strip() != "-"]
        return self.listed(asked, "and") if asked else self.say("otherwise")

    def cell(self, column: str, cell: str) -> str:
        """One cell of a rule as a condition. Only what reads back as FEEL is put into words."""
        is_not = cell.startswith("not(") and cell.endswith(")")
        inner = cell[4:-1] if is_not else cell
        if inner in ("true", "false"):
            said, is_not = f"({column})", is_not != (inner == "false")
        elif inner == "null":
            said, is_not = f"({column}) {'!=' if is_not else '='} null", False
        elif inner[:1] in "<>=":
            said = f"({column}) {inner}"
        elif inner[:1] in "[]" and ".." in inner:
            said = f"({column}) in {inner}"
        else:
            said = f"list contains([{inner}], {column})" if "," in inner else f"({column}) = {inner}"
        try:
            tree = compile_expression(said).tree
            told = self.condition(tree, said)
            if tree[0] == "group" and tree[3][0] in ("and", "or") and not is_not:
                return f"({told})"
            return self.say("not", what=told) if is_not else told
        except FeelError:
            return f"{column} : {cell}"

    def _answers(self, variable: str, path: str) -> bool:
        """Whether the path is of the answer of the rule that the variable keeps: something else may have used its name before."""
        reference, column = self._results[variable].extensions.decision, path.partition(".")[2]
        definitions = self.edition.definitions
        if not column or reference not in definitions.decisions or definitions.decision(reference).literal is not None:
            return True
        return column.partition(".")[0] in {one.name for one in definitions.decision(reference).outputs}

    def value(self, path: str, value: Any) -> str:
        """A value of FEEL as a person reads it."""
        if value is None:
            return self.say("nothing")
        field = self.field(path)
        if field is not None and field.type != "list":
            stored = field_types.from_feel(field.type, value)
            if stored is not None and (said := words.display(field, stored, self.language)):
                return said
        match value:
            case bool():
                return words.say("word.yes" if value else "word.no", self.language)
            case Decimal() | int():
                return words.number(value, self.language)
            case dt.datetime():
                return words.moment(value, self.language)
            case dt.date():
                return words.day(value, self.language)
            case str():
                return self.choice(field, value)
            case list():
                held = [self.value(path, one) if not isinstance(one, Mapping) else self.row(path, one) for one in value]
                return self.listed(held) if held else self.say("empty")
            case Mapping():
                return self.row(path, value)
        return str(plain(value))

    def choice(self, field: Field | None, code: str) -> str:
        if field is not None and field.choices:
            return field.choice_label(code, self.language)
        return self._word("answer", code.lower()) or i18n.pick(self._codes.get(code, {}), self.language) or code

    @cached_property
    def _codes(self) -> dict[str, Mapping[str, str]]:
        """What the dictionary's choices call a code, where they all call it the same."""
        found: dict[str, Mapping[str, str]] = {}
        several = set()
        for field in self.fields.values():
            for code, names in field.choices.items():
                if found.setdefault(code, names) != names:
                    several.add(code)
        return {code: names for code, names in found.items() if code not in several}

    def row(self, path: str, row: Mapping[str, Any]) -> str:
        """A row of a list, its values only."""
        told = [self.value(f"{path}.{name}", one) for name, one in row.items() if name != "id" and one is not None]
        return self.listed(told) if told else self.say("a_row")

    def listed(self, parts: Sequence[str], word: str = "") -> str:
        """Parts after one another; with `and` or `or` before each but the first."""
        between = self.say(f"{word}") if word else self.say("comma")
        return between.join(parts)

    def condition(self, node: Any, text: str) -> str:
        """A condition in plain words; what has none, as it is written."""
        match node[0]:
            case "group":
                return self.condition(node[3], text)
            case "and" | "or":
                parts = [f"({self.condition(one, text)})" if one[0] == "group" and one[3][0] in ("and", "or") else self.condition(one, text) for one in node[3]]
                return self.listed(parts, node[0])
            case "compare":
                return self._compared(node[3], node[4], node[5], text)
            case "in" if len(node[4]) == 1 and node[4][0][3] == "" and node[4][0][4][0] == "range":
                first, last = node[4][0][4][4], node[4][0][4][5]
                asked = [("compare", *node[1:3], ">=" if node[4][0][4][3] else ">", node[3], first), ("compare", *node[1:3], "<=" if node[4][0][4][6] else "<", node[3], last)]
                return self.listed([self.condition(one, text) for one in asked], "and")
            case "call" if node[3][0] == "name" and len(node[4]) == 2 and node[3][3] == "list contains":
                held, sought = node[4]
                if held[0] == "list":
                    return self.say("one_of", left=self.term(sought, text), right=self.listed([self.term(one, text, self._path(sought)) for one in held[3]], "or"))
                return self.say("contains", left=self.term(held, text), right=self.term(sought, text, self._path(held)))
            case "call" if node[3][0] == "name" and node[3][3] == "not" and len(node[4]) == 1:
                return self.say("not", what=self.condition(node[4][0], text))
            case "name" | "path":
                return self.say("op.eq", left=self.term(node, text), right=words.say("word.yes", self.language))
            case "if" if self._stands_in(node):
                return self.say("op.eq", left=self.term(node, text), right=words.say("word.yes", self.language))
            case "if":
                return self.say("if", when=self.condition(node[3], text), then=self.condition(node[4], text), otherwise=self.condition(node[5], text))
        return text[node[1] : node[2]].strip()

    def _compared(self, op: str, left: Any, right: Any, text: str) -> str:
        if right == ("constant", *right[1:3], None) and op in ("=", "!="):
            inner = left[3] if left[0] == "group" else left
            if op == "=" and inner[0] in ("compare", "and", "or") or (inner[0] == "call" and inner[3][3:] == ("list contains",)):
                return self.say("cannot_say", what=self.condition(inner, text))
            return self.say("unknown" if op == "=" else "is_known", left=self.term(left, text))
        is_of_days = any(self._is_day(one) for one in (left, right)) and op in ("<", ">")
        return self.say(f"op.{_OPS[op]}{'_day' if is_of_days else ''}", left=self.term(left, text, self._path(right)), right=self.term(right, text, self._path(left)))

    def _is_day(self, node: Any) -> bool:
        path = self._path(node)
        field = self.field(path)
        return path in ("today", "now") or (field is not None and field.type in ("date", "datetime"))

    def term(self, node: Any, text: str, beside: str = "") -> str:
        """One side of a condition. `beside`: the path that it is compared with, whose choices word it."""
        match node[0]:
            case "group":
                return self.term(node[3], text, beside)
            case "string":
                return self.say("quoted", what=self.choice(self.field(beside) if beside else None, node[3]))
            case "number":
                return self.value(beside, Decimal(node[3]))
            case "constant":
                return self.value("", node[3])
            case "name" | "path":
                path = self._path(node)
                return self.say("quoted", what=self.label(path)) if path else text[node[1] : node[2]]
            case "call" if node[3][0] == "name" and node[3][3] == "count" and len(node[4]) == 1:
                held = node[4][0]
                if held[0] == "filter":
                    self._rows = self._path(held[3])
                    where = self.condition(held[4], text).replace("item.", "")
                    self._rows = ""
                    return self.say("count_where", what=self.term(held[3], text), where=where)
                return self.say("count", what=self.term(held, text))
            case "arithmetic" if node[3] in ("+", "-") and (delay := self._delay(node[5], text)):
                return self.say("later" if node[3] == "+" else "earlier", what=self.term(node[4], text), delay=delay)
            case "arithmetic" if node[3] in ("+", "-", "*", "/"):
                return f"{self.term(node[4], text)} {_SIGNS[node[3]]} {self.term(node[5], text)}"
            case "if" if self._stands_in(node):
                return self.term(node[5] if node[3][3] == "=" else node[4], text, beside)
            case "if":
                return f"({self.say('if', when=self.condition(node[3], text), then=self.term(node[4], text, beside), otherwise=self.term(node[5], text, beside))})"
        return text[node[1] : node[2]].strip()

    @staticmethod
    def _stands_in(node: Any) -> bool:
        """Whether an `if` says a value, or what stands in for it where it is not known."""
        asked = node[3]
        return asked[0] == "compare" and asked[3] in ("=", "!=") and asked[5][0] == "constant" and asked[5][3] is None

    def _delay(self, node: Any, text: str) -> str:
        """A length of time: so many days, months or years, or as many as a dated rule says."""
        if node[0] != "call" or node[3][3:] != ("duration",) or len(node[4]) != 1:
            return ""
        said = node[4][0]
        if said[0] == "string" and len(said[3]) > 2 and said[3][1:-1].isdigit() and said[3][-1] in "DMY":
            return self.say(f"delay.{said[3][-1]}", number=said[3][1:-1])
        if said[0] == "arithmetic" and said[5][0] == "string" and said[5][3] in ("D", "M", "Y") and said[4][0] == "arithmetic" and said[4][5][0] == "call":
            return self.say(f"delay.{said[5][3]}", number=self.term(said[4][5][4][0], text))
        return ""

    def _path(self, node: Any) -> str:
        if node[0] == "group":
            return self._path(node[3])
        if node[0] == "name":
            return str(node[3])
        if node[0] == "path":
            inner = self._path(node[3])
            return f"{inner}.{node[4]}" if inner else ""
        return ""

    def change(self, change: Change) -> str:
        """One change, as the condition of a sentence: « … avait été 3 au lieu de 2 »."""
        label = self.label(change.path)
        if change.kind != "value":
            return self.say(f"change.{change.kind}", label=label, row=self.value(change.path, change.now if change.kind == "row_more" else change.was))
        code = "unknown" if change.now is None else "known" if change.was is None else "value"
        said = self.say(f"change.{code}", label=label, was=self.value(change.path, change.was), now=self.value(change.path, change.now))
        return said if change.row is None else self.say("change.in_row", number=words.number(change.row + 1, self.language), what=said)

    def elsewhere(self, away: Elsewhere, where: str) -> str:
        """The whole sentence: what other values would have led to."""
        return self.say("elsewhere", changes=self.listed([self.change(one) for one in away.changes], "and"), where=where)

    def flows(self, ids: Sequence[str]) -> str:
        """Ways out, by their own words and where each leads."""
        return self.listed([self.flow(one) for one in ids], "and") if ids else self.say("no_way")

    def flow(self, flow_id: str) -> str:
        definitions = self.edition.definitions
        own, target = definitions.labels(flow_id), definitions.target_of(flow_id)
        to = i18n.pick(definitions.labels(target), self.language)
        if i18n.pick(own, self.language):
            return self.say("flow_to" if to else "flow", name=i18n.pick(own, self.language), to=to)
        return self.say("to", to=to or target)

    def outputs(self, outputs: Any, decision: Decision | None = None) -> str:
        """What a decision answered."""
        if isinstance(outputs, Mapping):
            return self.listed([self.say("output", name=self._part(name, decision), value=self.outputs(one)) for name, one in outputs.items()]) or self.say("empty")
        if isinstance(outputs, list):
            return self.listed([self.outputs(one, decision) for one in outputs]) or self.say("empty")
        return self.value("", Decimal(outputs) if isinstance(outputs, int) and not isinstance(outputs, bool) else outputs)
