"""Small diagrams in words: `user("a")`, `flows("start > a > end")`, `process(...)`; and `Case`, which drives one through its interface.

Every step of a `Case` goes through bytes, so that each test is also a test of what is kept. No layout: nobody looks at these.
"""

import datetime as dt
import re
from decimal import Decimal

from engine.pathway import bpmn

NS = (
    'xmlns:bpmn="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:masar="urn:masar:bpmn:1" '
    'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" targetNamespace="urn:essai"'
)
START = dt.datetime(2026, 1, 5, 8, 0, tzinfo=dt.UTC)


def escaped(text):
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;")


def element(tag, name, inner="", extensions="", **attributes):
    written = "".join(f' {key}="{escaped(str(value))}"' for key, value in attributes.items())
    held = f"<bpmn:extensionElements>{extensions}</bpmn:extensionElements>" if extensions else ""
    return f'<bpmn:{tag} id="{name}" name="{name}"{written}>{held}{inner}</bpmn:{tag}>'


def user(name, inner="", extensions="", **attributes):
    return element("userTask", name, inner, extensions or '<masar:tache form="f" role="r"/>', **attributes)


def start(name="start", inner="", extensions="", **attributes):
    return element("startEvent", name, inner, extensions, **attributes)


def end(name="end", inner="", extensions=""):
    return element("endEvent", name, inner, extensions)


def xor(name, **attributes):
    return element("exclusiveGateway", name, **attributes)


def both(name):
    return element("parallelGateway", name)


def some(name, **attributes):
    return element("inclusiveGateway", name, **attributes)


def catch(name, inner, extensions=""):
    return element("intermediateCatchEvent", name, inner, extensions)


def throw(name, inner="", extensions=""):
    return element("intermediateThrowEvent", name, inner, extensions)


def boundary(name, host, inner, extensions="", interrupting=True):
    return element("boundaryEvent", name, inner, extensions, attachedToRef=host, cancelActivity=str(interrupting).lower())


def timer(kind, text):
    return f"<bpmn:timerEventDefinition><bpmn:time{kind}>{escaped(text)}</bpmn:time{kind}></bpmn:timerEventDefinition>"


def message(name, key="", result=""):
    """(inner, extensions) of an event of a message."""
    held = f'<masar:message nom="{name}"' + (f' cle="{escaped(key)}"' if key else "") + (f' resultat="{result}"' if result else "") + "/>"
    return "<bpmn:messageEventDefinition/>", held


def condition(text):
    return f"<bpmn:conditionalEventDefinition><bpmn:condition>{escaped(text)}</bpmn:condition></bpmn:conditionalEventDefinition>"


def refers(kind, reference=""):
    held = f' {kind}Ref="{reference}"' if reference else ""
    return f"<bpmn:{kind}EventDefinition{held}/>"


def sub(name, *inner, **attributes):
    return element("subProcess", name, "".join(inner), **attributes)


def call(name, called, extensions=""):
    return element("callActivity", name, "", extensions, calledElement=called)


def lanes(**elements):
    """A lane a name, holding one element."""
    held = (f'<bpmn:lane id="lane_{name}" name="{name}"><bpmn:flowNodeRef>{inside}</bpmn:flowNodeRef></bpmn:lane>' for name, inside in elements.items())
    return f'<bpmn:laneSet id="lanes">{"".join(held)}</bpmn:laneSet>'


def several(text, item="", sequential=False, until=""):
    """A multi-instance: over a collection when `item` is named, else that many times."""
    held = f'<bpmn:extensionElements><masar:collection valeur="{escaped(text)}" element="{item}"/></bpmn:extensionElements>' if item else ""
    count = "" if item else f"<bpmn:loopCardinality>{escaped(text)}</bpmn:loopCardinality>"
    stop = f"<bpmn:completionCondition>{escaped(until)}</bpmn:completionCondition>" if until else ""
    return f'<bpmn:multiInstanceLoopCharacteristics isSequential="{str(sequential).lower()}">{held}{count}{stop}</bpmn:multiInstanceLoopCharacteristics>'


def again_while(text="", most="", before=False):
    held = f"<bpmn:loopCondition>{escaped(text)}</bpmn:loopCondition>" if text else ""
    limit = f' loopMaximum="{most}"' if most else ""
    return f'<bpmn:standardLoopCharacteristics testBefore="{str(before).lower()}"{limit}>{held}</bpmn:standardLoopCharacteristics>'


def flows(*chains):
    """`a > b > c`; `x > {amount > 3} b` puts a condition on the flow; ids are `source__target`."""
    written = []
    for chain in chains:
        parts = [part.strip() for part in re.split(r"\s>\s(?![^{]*})", chain)]
        source = parts[0]
        for part in parts[1:]:
            asked = re.match(r"\{(.*)\}\s*(.*)", part)
            target = asked[2] if asked else part
            held = f"<bpmn:conditionExpression>{escaped(asked[1])}</bpmn:conditionExpression>" if asked else ""
            written.append(f'<bpmn:sequenceFlow id="{source}__{target}" sourceRef="{source}" targetRef="{target}">{held}</bpmn:sequenceFlow>')
            source = target
    return "".join(written)


def process(*inner, name="p"):
    return f'<bpmn:process id="{name}" isExecutable="true">{"".join(inner)}</bpmn:process>'


def diagram(*parts):
    return f"<bpmn:definitions {NS}>{''.join(parts)}</bpmn:definitions>".encode()


def parsed(*parts, decisions=None):
    if not any("<bpmn:process" in part for part in parts):
        parts = (process(*parts),)
    return bpmn.parse({"p.bpmn": diagram(*parts)}, decisions or {})


class Case:
    """An instance, from outside. `open` and `waits` come from the happenings, and are compared with `inspect` at each step."""

    def __init__(self, definitions, process_id="p", variables=None, facts=None, message=None):
        self.definitions, self.now, self.seq, self.facts = definitions, START, 0, facts or {}
        self.open, self.waiting, self.incidents, self.happened, self.history = {}, {}, {}, [], []
        self._take(bpmn.start(definitions, process_id, self._made(bpmn.Start, variables or {}, message=message)))

    def _made(self, kind, *given, **named):
        self.seq += 1
        stimulus = kind(*given, **named, at=self.now, seq=self.seq, facts=self.facts)
        self.history.append(stimulus)
        return stimulus

    def _take(self, step):
        self.state, self.last = step.state, step.happenings
        self.happened += step.happenings
        for one in step.happenings:
            match one:
                case bpmn.TaskOpened():
                    self.open[one.task_id] = one
                case bpmn.TaskClosed():
                    del self.open[one.task_id]
                case bpmn.WaitOpened():
                    self.waiting[one.wait_id] = one
                case bpmn.WaitClosed():
                    del self.waiting[one.wait_id]
                case bpmn.IncidentRaised():
                    self.incidents[one.incident_id] = one
                case bpmn.IncidentClosed():
                    del self.incidents[one.incident_id]
        seen = bpmn.inspect(self.definitions, self.state)
        assert sorted(task.task_id for task in seen.tasks) == sorted(self.open)
        assert sorted(wait.wait_id for wait in seen.waits) == sorted(self.waiting)
        assert sorted(one.incident_id for one in seen.incidents) == sorted(self.incidents)
        assert seen.ended == any(isinstance(one, bpmn.Ended) for one in self.happened)
        self.seen = seen
        return self

    def give(self, kind, *given, **named):
        return self._take(bpmn.advance(self.definitions, self.state, self._made(kind, *given, **named)))

    @property
    def tasks(self):
        return sorted(task.node for task in self.open.values())

    @property
    def waits(self):
        return sorted(wait.node for wait in self.waiting.values())

    @property
    def codes(self):
        """The codes of the incidents that stand."""
        return sorted(one.code for one in self.seen.incidents)

    @property
    def ended(self):
        return self.seen.ended

    def task(self, node, scope=None):
        return next(task for task in self.open.values() if task.node == node and (scope is None or task.scope == scope))

    def wait(self, node):
        return next(wait for wait in self.waiting.values() if wait.node == node)

    def do(self, *nodes, scope=None, **variables):
        for node in nodes:
            self.give(bpmn.Complete, self.task(node, scope).task_id, variables)
        return self

    def ring(self, node, late=dt.timedelta()):
        """Moves the clock to when the wait is due, and rings."""
        wait = self.wait(node)
        self.now = max(self.now, wait.due_at + late)
        return self.give(bpmn.Timer, wait.wait_id)

    def send(self, name, correlation=None, **payload):
        return self.give(bpmn.Message, name, correlation, payload)

    def told(self, kind, node=None):
        return [one for one in self.happened if isinstance(one, kind) and (node is None or one.node == node)]

    def retry(self):
        return self.give(bpmn.Retry, self.seen.incidents[0].incident_id)


def number(value):
    return Decimal(value)
