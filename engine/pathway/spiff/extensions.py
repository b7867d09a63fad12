"""What Masar adds to BPMN (`urn:masar:bpmn:1`): forms, roles, deadlines, operations, decisions, messages, collections, labels.

Reads them from `bpmn:extensionElements`; what cannot be read is a finding naming the element. Meaning: `engine/README.md` §BPMN extensions; where each may stand: `additions`.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from engine.errors import Finding
from engine.pathway import additions, naming
from engine.pathway.additions import MASAR
from engine.pathway.spiff.expressions import compile_text
from forms.feel import Expression, FeelError

BPMN = "http://www.omg.org/spec/BPMN/20100524/MODEL"
_SHIFT = re.compile(r"[+-]?\d{1,4}")
UNITS = ("jours", "jours_ouvres", "heures_ouvrees")
PLACES = ("antenne", "unite_sociale", "bureau_emploi", "sur_place", "distance")  # where a task has the person present
LANES = ("OTE", "CPS", "ANETI", "Partenaires")
CASES = ("ouvert", "clos", "tout")  # of which cases an unforeseen thing may be told


@dataclass(frozen=True)
class Parameter:
    name: str
    value: Expression


@dataclass(frozen=True)
class TaskNote:
    """`masar:tache`. `due`: the date it is to be done by, `shift` units of the deadline later (earlier, if negative); the deadline counts where that
    date is not known. `distinct`: the tasks whose doer, in the same dossier, may not do this one."""

    form: str = ""
    role: str = ""
    deadline: tuple[int, str] | None = None
    due: Expression | None = None
    shift: int = 0
    subject: str = ""
    distinct: tuple[str, ...] = ()
    presence: str = ""


@dataclass(frozen=True)
class MessageNote:
    """`masar:message`. `result`: the variable a received payload becomes; `parameters`: what a sent one holds."""

    name: str
    key: Expression | None
    result: str
    parameters: tuple[Parameter, ...]


@dataclass(frozen=True)
class Unforeseen:
    """`masar:imprevu`, on the message start of a process: it may be begun from the page of a case, beside its road. `form`: what is asked of whoever begins it
    ("" asks nothing); `roles`: who may; `on`: of an open case, of a closed one, of any; `is_alone`: one at a time in a case."""

    form: str = ""
    roles: tuple[str, ...] = ()
    on: str = "ouvert"
    is_alone: bool = True


@dataclass(frozen=True)
class Extensions:
    """Everything Masar's an element carries."""

    task: TaskNote | None = None
    operation: str = ""
    parameters: tuple[Parameter, ...] = ()
    decision: str = ""
    result: str = ""
    message: MessageNote | None = None
    inputs: tuple[Parameter, ...] = ()
    outputs: tuple[Parameter, ...] = ()
    is_inferred: bool = False
    unforeseen: Unforeseen | None = None


NONE = Extensions()
Report = Callable[..., None]


class Reading:
    """Reads one file's extensions, gathering findings."""

    def __init__(self, file: str, root: Any) -> None:
        self.file, self.names_of = file, naming.File(root)
        self.findings: list[Finding] = []
        self.expressions: list[Expression] = []
        self._named: dict[tuple[str, str], str] = {}
        self._learn(root)

    def _learn(self, root: Any) -> None:
        """Remembers the names of the file's messages and signals, the codes of its errors and escalations, by kind and id."""
        for kind, attribute in (("message", "name"), ("signal", "name"), ("error", "errorCode"), ("escalation", "escalationCode")):
            for node in root.findall(f"{{{BPMN}}}{kind}"):
                self._named[kind, node.get("id", "")] = node.get(attribute) or node.get("name") or ""

    def named(self, kind: str, reference: str | None) -> str:
        """The name or code behind a reference; "" where there is none. A reference may be qualified (`tns:id`)."""
        return self._named.get((kind, (reference or "").rpartition(":")[2]), "")

    def report(self, code: str, node: Any, **details: Any) -> None:
        """A finding on the nearest element that has an id."""
        self.findings.append(additions.finding(code, self.file, self.names_of, node, **details))

    def feel(self, text: str | None, node: Any) -> Expression | None:
        """The compiled expression of a text, or None with a finding."""
        if text is None or not text.strip():
            self.report("pathway.expression_missing", node)
            return None
        try:
            compiled = compile_text(text)
        except FeelError as wrong:
            self.report("pathway.feel_unreadable", node, text=text.strip()[:200], reason=wrong.reason)
            return None
        self.expressions.append(compiled)
        return compiled

    def names(self, node: Any) -> dict[str, str]:
        """The label by language: `name` is French, `masar:libelle` the others."""
        found = {"fr": " ".join(node.get("name", "").split())} if node.get("name") else {}
        for label in _children(node, "libelle"):
            if label.get("lang") and label.text:
                found[label.get("lang")] = " ".join(label.text.split())
        return found

    def extensions(self, node: Any) -> Extensions:
        """All of an element's extensions."""
        holder = node.find(f"{{{BPMN}}}extensionElements")
        if holder is None:
            return NONE
        found: dict[str, Any] = {}
        for child in holder:
            if not isinstance(child.tag, str) or not child.tag.startswith(f"{{{MASAR}}}"):
                continue
            name = child.tag.rpartition("}")[2]
            if name == "tache":
                found["task"] = self._task(child, node)
            elif name == "operation":
                found["operation"] = self._required(child, "nom", node)
                found["parameters"] = self._parameters(child, "parametre", node)
            elif name == "decision":
                found["decision"], found["result"] = self._required(child, "ref", node), self._required(child, "resultat", node)
            elif name == "message":
                key = self.feel(child.get("cle"), node) if child.get("cle") else None
                found["message"] = MessageNote(self._required(child, "nom", node), key, child.get("resultat", ""), self._parameters(child, "parametre", node))
            elif name == "infere":
                found["is_inferred"] = True
            elif name == "imprevu":
                found["unforeseen"] = self._unforeseen(child, node)
        inputs, outputs = self._parameters(holder, "entree", node), self._parameters(holder, "sortie", node)
        return Extensions(**found, inputs=inputs, outputs=outputs)

    def collection(self, loop: Any, node: Any) -> tuple[Expression | None, str] | None:
        """`masar:collection` of a multi-instance: what it goes through, and the name of one item. None when there is none."""
        found = next(iter(_children(loop, "collection")), None)
        return None if found is None else (self.feel(found.get("valeur"), node), self._required(found, "element", node))

    def _task(self, child: Any, node: Any) -> TaskNote:
        number, unit = child.get("delai"), child.get("unite", "jours")
        deadline = None
        if number:
            if number.isdigit() and 0 < int(number) < 10_000 and unit in UNITS:
                deadline = (int(number), unit)
            else:
                self.report("pathway.deadline_unreadable", node, delay=number, unit=unit)
        due = self.feel(child.get("echeance"), node) if child.get("echeance") is not None else None
        shift = child.get("ecart", "0")
        if not _SHIFT.fullmatch(shift) or (int(shift) and (child.get("echeance") is None or unit == UNITS[-1])):
            self.report("pathway.shift_unreadable", node, shift=shift)
            shift = "0"
        presence = child.get("presence", "")
        if presence and presence not in PLACES:
            self.report("pathway.presence_unknown", node, place=presence)
        distinct = tuple(child.get("distinct", "").split())
        return TaskNote(child.get("form", ""), child.get("role", ""), deadline, due, int(shift), child.get("sujet", ""), distinct, presence)

    def _unforeseen(self, child: Any, node: Any) -> Unforeseen:
        on, alone = child.get("sur", CASES[0]), child.get("seul", "oui")
        if on not in CASES or alone not in ("oui", "non"):
            self.report("pathway.unforeseen_unreadable", node, on=on, alone=alone)
        is_by_message = child.get("form") is None and child.get("roles") is None  # nobody begins it by hand
        roles = tuple(child.get("roles", "").split())
        if not roles and not is_by_message:
            self.report("pathway.unforeseen_by_nobody", node)
        return Unforeseen(child.get("form", ""), roles, on, alone == "oui")

    def _parameters(self, holder: Any, tag: str, node: Any) -> tuple[Parameter, ...]:
        read = ((self._required(child, "nom", node), self.feel(child.get("valeur"), node)) for child in holder.findall(f"{{{MASAR}}}{tag}"))
        return tuple(Parameter(name, value) for name, value in read if value is not None)

    def _required(self, child: Any, attribute: str, node: Any) -> str:
        if not child.get(attribute):
            self.report("pathway.attribute_missing", node, name=child.tag.rpartition("}")[2], attribute=attribute)
        return child.get(attribute) or ""


def _children(node: Any, name: str) -> list[Any]:
    holder = node.find(f"{{{BPMN}}}extensionElements")
    return [] if holder is None else holder.findall(f"{{{MASAR}}}{name}")
