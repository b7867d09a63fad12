"""Walks every path of the diagrams in memory: each process is begun over and over, its forms answered, its messages sent and its clocks moved at random.

Answers are what the forms take, facts known beforehand are answers to forms, operations answer what they may answer; conditions and tables weigh them as in a
real case. A walk is made again from its name: the process, a number for its chances, and what it wishes (`field=value` answered so, null not at all; `name=value` of
an operation or of whoever calls; a form answered before; a node heard or rung before all else; `patient`: nothing else is while somebody has a task, and no clock rings). `python -m tests.processes.every_path` looks for walks that together
pass as many flows as it can, and writes their names in `walks.txt`, with the flows that are left: each needs a walk with wishes.
"""

import datetime as dt
import json
import random
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import UUID

from lxml import etree

from engine import errors
from engine.casework import cases, diagrams, sandbox, stand_ins, tasks
from engine.casework.editions import Edition, files_of
from engine.casework.operations import CannotRun, Outcome
from engine.demo import answers as usual
from engine.demo import people
from engine.dossier import facts
from engine.identity import derived_id
from engine.pathway import bpmn
from forms import answers
from forms import form as forms
from tests.processes import reading

BPMN, MASAR = "{http://www.omg.org/spec/BPMN/20100524/MODEL}", "{urn:masar:bpmn:1}"
NOW = dt.datetime(2026, 3, 12, 9, tzinfo=dt.UTC)
MOST_ACTS = 200
_CALLERS = {"parcours", "accompagnement"}  # from which what is called has what it is handed
_COMPARED = re.compile(r'(?<![\w."])([a-z]\w*(?:\.\w+)*) ?!?= ?"([^"]*)"')
_TRUTH = re.compile(r"(?<![\w.\"])([a-z]\w*(?:\.\w+)*) ?= ?(true|false)")
_AMONG = re.compile(r'list contains\(\[([^\]]*)\], ?([a-z]\w*\.\w+)\)|list contains\(([a-z]\w*\.\w+), ?"([^"]*)"\)')
_NAME = re.compile(r'(?<![\w."])([a-z]\w*(?:\.\w+)+)')


def edition() -> Edition:
    """The edition that an installation is born with."""
    return Edition(UUID(int=0), 1, files_of(reading.PROCESSES, reading.ROOT / "forms"))


@dataclass
class Drawn:
    """One process as it is drawn: its flows, by id, what is read in it, and what it may be begun by."""

    process: str
    flows: dict[str, str]
    facts: set[str] = field(default_factory=set)
    variables: dict[str, set[Any]] = field(default_factory=dict)  # path of a variable → values it is compared with
    aims: dict[str, set[Any]] = field(default_factory=dict)  # field → what conditions compare it with
    starts: list[str | None] = field(default_factory=list)
    wishes: dict[str, Any] = field(default_factory=dict)  # of one walk: field, variable or output → its value
    sooner: frozenset[str] = frozenset()  # of one walk: what is heard or rung before all else


def drawn(whole: Edition) -> list[Drawn]:
    """Every process of the edition."""
    groups, found = set(whole.dictionary.groups), []
    for process_id in whole.definitions.processes:
        root = etree.fromstring(whole.definitions.diagram(process_id))
        process = root.find(f"{BPMN}process")
        one = Drawn(process.get("id"), {flow.get("id"): f"{flow.get('sourceRef')} > {flow.get('targetRef')}" for flow in root.iter(f"{BPMN}sequenceFlow")})
        texts = [node.text or "" for node in root.iter(f"{BPMN}conditionExpression", f"{BPMN}condition", f"{BPMN}timeDate", f"{BPMN}timeDuration")]
        texts += [value for node in root.iter() if isinstance(node.tag, str) and node.tag.startswith(MASAR) for value in (node.get("valeur"), node.get("cle")) if value]
        for note in root.iter(f"{MASAR}decision"):
            one.facts |= set(whole.definitions.read_by(note.get("ref")))
        for text in texts:
            one.facts |= {path for path in _NAME.findall(text) if path.partition(".")[0] in groups}
            for among, path, other, value in _AMONG.findall(text):
                one.aims.setdefault(path or other, set()).update(re.findall(r'"([^"]*)"', among) if among else [value])
            for path, value in _COMPARED.findall(text):
                one.aims.setdefault(path.replace("item.", "mesure."), set()).add(value)
                if path.partition(".")[0] not in groups:
                    one.variables.setdefault(path, set()).add(value)
            for path, said in _TRUTH.findall(text):
                one.aims.setdefault(path.replace("item.", "mesure."), set()).add(said == "true")
                if path.partition(".")[0] not in groups:
                    one.variables.setdefault(path, set()).add(said == "true")
            for path in _NAME.findall(text):
                if path.partition(".")[0] not in groups:
                    one.variables.setdefault(path, set())
        begun = process.findall(f"{BPMN}startEvent")
        one.starts = [note.get("nom") for node in begun for note in node.iter(f"{MASAR}message")]
        if one.starts and any(not node.findall(f"{BPMN}messageEventDefinition") for node in begun):
            one.starts.append(None)  # by hand
        found.append(one)
    return found


# --- what is answered ---


def value_of(spec: Any, chance: random.Random, today: dt.date, whole: Edition, one: Drawn) -> Any:
    """Some answer of the right kind, often one that a condition of the process asks about."""
    if spec.id in one.wishes:
        return one.wishes[spec.id]
    aims = [value for value in sorted(one.aims.get(spec.id, ()), key=str) if isinstance(value, bool) == (spec.type in ("bool", "tri")) and (not spec.codes or value in spec.codes)]
    if aims and spec.type in ("enum", "multi", "bool", "tri") and chance.random() < 0.45:
        wished = chance.choice(aims)
        return [wished] if spec.type == "multi" else wished
    if (spec.unknown or spec.type == "tri") and chance.random() < 0.15:
        return {"status": "inconnu"}
    codes = list(spec.codes)
    match spec.type:
        case "enum" | "gov" | "country" | "language":
            return chance.choice(codes)
        case "multi":
            return chance.sample(codes, min(len(codes), chance.choice([1, 1, 2])))
        case "bool" | "tri":
            return chance.random() < 0.5
        case "int" | "score" | "number" | "percent" | "money":
            low, high = spec.min or 0, spec.max
            wanted = chance.choice([0, 300_000, 700_000, 5_000_000, 16_000_000, 40_000_000] if spec.type == "money" else [0, 1, 2, 3, 4, 5, 30, 60, 90, 100])
            return max(low, wanted if high is None else min(high, wanted))
        case "date" | "datetime":
            day = today + dt.timedelta(days=chance.choice([0, 0, -1, 1, -40, 40, -130, 200, -400, -9_000]))
            low, high = spec.min_on and spec.min_on(today), spec.max_on and spec.max_on(today)
            day = max(day, low) if low else day
            day = min(day, high) if high else day
            return day.isoformat() if spec.type == "date" else f"{day.isoformat()}T10:00:00+01:00"
        case "list":
            inner = [whole.dictionary.fields[name] for name in spec.items]
            return [{cell.id: value_of(cell, chance, today, whole, one) for cell in inner if cell.type not in ("doc", "signature", "list")} for _ in range(chance.choice([0, 1, 1, 2, 3]))]
    return None  # as is usual


def answered(form: forms.Form, chance: random.Random, today: dt.date, around: Mapping[str, Any], whole: Edition, drawn_as: Drawn, somebody: dict[str, Any]) -> dict[str, Any] | None:
    """Answers that the form takes: half of them drawn, the others as is usual; None where none of some tries holds together."""
    for boldness in (0.9, 0.7, 0.5, 0.3, 0.1, 0.0):
        truth = somebody | {one.spec.id: value for one in form.questions() if (one.spec.id in drawn_as.wishes or chance.random() < boldness)
                 and (value := value_of(one.spec, chance, today, whole, drawn_as)) is not None}  # fmt: skip
        usually = usual.to(form, truth, today, NOBODY, None, around)
        said = {name: value for name, value in usually.items() if drawn_as.wishes.get(name, value) is not None}  # what is wished null is not said
        raw = stand_ins.with_papers(form, said, around)
        if not answers.read(form, raw, "fr", around).findings:
            return raw
    return None


class _Nobody:
    name = "Quelqu'un"


NOBODY = _Nobody()


# --- what operations answer ---


@contextmanager
def varied(chance: random.Random, wishes: Mapping[str, Any]) -> Iterator[None]:
    """Operations that touch the world answer one or another of what they may answer, for as long as this is entered."""

    def gives(outputs: Callable[[], Mapping[str, Any]]) -> Any:
        return lambda _change, _parameters, _subject: Outcome({name: wishes.get(name, value) for name, value in outputs().items()})

    def funds(change: Any, parameters: Mapping[str, Any], subject: str) -> Outcome:
        told = before["engager_fonds"](change, parameters, subject)
        return told if chance.random() < 0.7 and wishes.get("fonds") != "insuffisants" else Outcome({"fonds": "insuffisants", "engage": Decimal(0), "paye": Decimal(0)})

    def paid(change: Any, parameters: Mapping[str, Any], subject: str) -> Outcome:
        if wishes.get("retenu"):  # by what runs beside the case
            raise CannotRun("operation.payments_held")
        return before["verser_tranche"](change, parameters, subject)

    before = dict(stand_ins.STAND_INS)
    stand_ins.STAND_INS |= {
        "engager_fonds": funds, "verser_tranche": paid,
        "rechercher_doublons": gives(lambda: {"doublon": {"cin": chance.choice(["non", "exact"]), "ressemblance": Decimal(chance.choice(["0", "0.95"])),
                                                          "dossier": chance.choice(["aucun", "ouvert", "clos"])}}),  # fmt: skip
        "rattacher_dossier_parent": gives(lambda: chance.choice([{"dossier_parent": "", "numero_parent": ""}, {"dossier_parent": "x", "numero_parent": "TN-MED-2026-00001"}])),
        "compter_absences": gives(lambda: {"absences_comptees": chance.randint(1, 3)}),
        "retrouver_cloture": gives(lambda: {"cloture_le": (NOW - dt.timedelta(days=chance.choice([90, 800]))).date()}),
        **dict.fromkeys(("mesures_en_cours", "refuser_orientation"), gives(lambda: {"mesures": chance.choice([[], [{"id": str(UUID(int=1))}]])})),
        "chercher_relais": gives(lambda: {"relais": chance.choice(["", "OTE", "CPS", "ANETI"]), "pretee": chance.choice(["", "SFX"])}),
    }
    try:
        yield
    finally:
        stand_ins.STAND_INS.clear()
        stand_ins.STAND_INS.update(before)


# --- a walk ---


class Walk:
    """One process, begun beside a case that knows something, and walked for some acts. `passed`: the elements and flows behind it."""

    def __init__(self, whole: Edition, tables: Any, one: Drawn, seed: str) -> None:
        _, number, *wishes = seed.split(" ")
        told = {name: json.loads(value, parse_float=Decimal) for name, _, value in (wish.partition("=") for wish in wishes) if value}
        self.whole, self.chance, self.listening = whole, random.Random(f"{one.process} {number}"), diagrams.listening(whole)
        self.one = replace(one, wishes=told, sooner=frozenset(wish for wish in wishes if "=" not in wish))
        self.before = [whole.forms[wish] for wish in wishes if wish in whole.forms]
        self.town = sandbox.Sandbox(whole, tables, derived_id(UUID(int=0), seed), NOW, "MED")
        self.passed: set[str] = set()
        self.truth = dict(people.draw(self.chance, 1, "MED", self.town.today, self.chance.choice(["emploi", "formation", "creation", "social"])).truth)

    def go(self) -> set[str]:
        with varied(self.chance, self.one.wishes):
            is_part = cases.own_subject(self.whole.definitions, self.one.process) is not None
            if is_part:
                self.town.begin("parcours")
            first, parent = len(self.town.walks), self.town.walks[0].held if is_part else None
            root, person = derived_id(self.town.name, "instance.0"), derived_id(self.town.name, "person.0")
            scope: dict[str, Any] = {name: str(derived_id(root, "mesure" if name == "aide" else name)) for name in ("mesure", "aide", "visite", "seance")}
            self._tell(facts.Subjects(root, person, {**scope, "imprevu": str(derived_id(self.town.name, f"instance.{first}"))}), root)
            message = self.chance.choice(self.one.starts) if self.one.starts else None
            variables = self._variables() | {"branche": "MED", "antenne": "MED"}
            began = bpmn.Message(name=message, correlation=scope["mesure"], payload=variables, at=NOW, seq=0, facts={}) if message else None
            try:
                if cases.OWN_SUBJECT.get(self.one.process) == "seance":
                    scope["aide"] = [scope["aide"]]
                self.town._start(self.one.process, "MED", variables, parent, scope, began)
                self.town.settle()
                for _ in range(MOST_ACTS):
                    self._look(first)
                    if not self._act(first):
                        break
            except (errors.Refusal, CannotRun):
                pass  # a combination of facts that no case has: what was walked before it counts
            self._look(first)
        return self.passed

    def _look(self, first: int) -> None:
        for walk in self.town.walks[first:]:
            if walk.held.state:
                self.passed |= bpmn.inspect(self.whole.definitions, walk.held.state).done

    def _tell(self, subjects: facts.Subjects, root: UUID) -> None:
        """What is known beforehand: some forms that ask what this process reads were answered."""
        wanted = [form for form in self.whole.forms.values() if self.one.facts.intersection(forms.field_ids(form))]
        self.chance.shuffle(wanted)
        for spec in self.whole.dictionary.fields.values():  # of the row of a list that this is about
            if spec.group == "mesure" and spec.computed is None and (spec.id in self.one.wishes or self.chance.random() < 0.7):
                self._know(subjects.key("measure"), spec, value_of(spec, self.chance, self.town.today, self.whole, self.one))
        around, told = self.town.tables.scope(self.town.today), SimpleNamespace(instance_id=root, seq=0, now=NOW)
        for told.seq, definition in enumerate([*self.before, *wanted[: self.chance.choice([0, 3, 8, 20])]]):
            known = tasks.as_known(list(self.town.known.values()), subjects, definition, self.whole)
            asked = forms.ask(definition, known, lambda *_: True, lambda _: True, self.town.today, "fr", around)
            raw = answered(asked, self.chance, self.town.today, around, self.whole, self.one, self.truth)
            if raw is None or any(subjects.key(one.spec.subject) is None for one in asked.questions()):
                continue
            for new in tasks.facts_said(answers.read(asked, raw, "fr", around), subjects, self.whole, told):
                self._know(new.subject, self.whole.dictionary.fields[new.field], new.value, new.status)

    def _know(self, subject: str, spec: Any, value: Any, status: str = "known") -> None:
        if isinstance(value, Mapping) and "status" in value:
            value, status = None, value["status"]
        if value is not None or status != "known":
            self.town.known[subject, spec.id] = facts.Fact(subject, spec.id, value, status, spec.class_, "OTE", {}, "x", None, NOW, None, len(self.town.known) + 1)

    def _variables(self) -> dict[str, Any]:
        """What the caller, a message or an operation would have handed over."""
        given: dict[str, Any] = {}
        for path, values in self.one.variables.items():
            here, *inner = path.split(".")
            if here in ("item", "parametres", "dossier", "mesure", "aide", "seance", "visite") or (self.chance.random() < 0.3 and path not in self.one.wishes):
                continue
            value = self.chance.choice([*sorted(values, key=str), None] if values else [True, False, None, Decimal(1), "x"])
            value = self.one.wishes.get(path, value)
            if inner:
                if isinstance(given.setdefault(here, {}), dict):
                    given[here][inner[0]] = value
            else:
                given[here] = value
        for inner in [one for one in given.values() if isinstance(one, dict)]:  # what a message carries is read under a name of whoever hears it
            given |= inner
        return given

    def _act(self, first: int) -> bool:
        """Something happens: somebody answers, a message comes, a clock rings."""
        turns = [one for one in self.town.turns() if one.instance >= first]
        waits = [one for one in self.town.waiting() if one.instance >= first]
        heard = [one for one in waits if one.kind in ("message", "signal") and (one.node not in self.listening or self.chance.random() < 0.1)]  # else few walks would reach their end
        rings = [one for one in waits if one.due_at is not None]
        is_left = "patient" in self.one.sooner and turns
        sooner = next((one for one in waits if one.node in self.one.sooner and not (is_left and one.due_at is not None)), None)
        if sooner is not None:
            self._come(sooner)
            return True
        if is_left:
            heard, rings = [], []
        kinds = [kind for kind, times, there in (("turn", 6, turns), ("hear", 1 if turns else 3, heard), ("ring", 2 if turns else 3, rings)) if there for _ in range(times)]
        if not kinds:
            return False
        match self.chance.choice(kinds):
            case "turn":
                turn = self.chance.choice(turns)
                walk, _, opened = self.town._task(turn.instance, turn.node, turn.turn)
                raw = answered(self.town._form(walk, opened), self.chance, self.town.today, self.town.tables.scope(self.town.today), self.whole, self.one, self.truth)
                if raw is not None:
                    with suppress(errors.Invalid):  # what the whole form refuses, papers and signatures included, changes nothing
                        self.town.answer(turn.instance, turn.node, raw, turn.turn)
            case "hear":
                self._come(self.chance.choice(heard))
            case "ring":
                self._come(min(rings, key=lambda one: one.due_at))
        return True

    def _come(self, wait: sandbox.Wait) -> None:
        if wait.due_at is None:
            self.town.hear(wait.instance, wait.node, self._variables(), wait.turn)
        else:
            self.town.pass_to(wait.due_at)


KEPT = Path(__file__).with_name("walks.txt")  # names of walks; after a dash, the flows that none of them passes


def kept() -> tuple[list[str], set[str]]:
    """The names of the walks, and what they leave."""
    lines = KEPT.read_text().splitlines() if KEPT.exists() else []
    return [line for line in lines if not line.startswith("- ")], {line.removeprefix("- ") for line in lines if line.startswith("- ")}


def walk(whole: Edition, by_name: Mapping[str, Drawn], tables: Any, name: str) -> set[str]:
    """What the walk of that name (`process number`) passes."""
    return Walk(whole, tables, by_name[name.partition(" ")[0]], name).go()


def search(tries: int) -> None:
    """Looks for walks that pass every flow, writes the names of few that together do, and says which flows none did."""
    whole, tables = edition(), reading.dated()
    by_name = {one.process: one for one in drawn(whole)}
    left = {flow for one in by_name.values() for flow in one.flows}
    every, passes = frozenset(left), {}
    names = [name for name in kept()[0] if name.partition(" ")[0] in by_name]
    for name in dict.fromkeys([*names, *(f"{process} {number}" for number in range(tries) for process in by_name)]):
        process = name.partition(" ")[0]
        if name in names or process in _CALLERS or left & set(by_name[process].flows):
            passes[name] = every & walk(whole, by_name, tables, name)
            left -= passes[name]
    few, still = [], every - left
    while still:
        few.append(max(passes, key=lambda name: len(passes[name] & still)))
        still -= passes[few[-1]]
    told = sorted(f"- {process}: {one.flows[flow]}" for process, one in by_name.items() for flow in left & set(one.flows))
    KEPT.write_text("\n".join([*sorted(few), *told]) + "\n")
    print(f"{len(few)} walks pass {len(every) - len(left)} of {len(every)} flows.", *told, sep="\n")


if __name__ == "__main__":
    search(int(sys.argv[1]) if len(sys.argv) > 1 else 100)
