"""Random diagrams of every element that runs, wired at random, under random stimuli: nothing ever breaks, nothing is ever stuck in silence.

After each step: what was told is what is kept; an instance that has not ended waits for somebody (a task, an operation, a wait, an incident); a refusal
changes nothing; whatever stands can be retried, rung or sent. `python -m tests.properties.random_stimuli 2000` prints the first that fails.
"""

import datetime as dt
import random
import sys

from engine import errors
from engine.pathway import bpmn
from tests.engine.pathway import drawing as draw

NAMES = '<bpmn:signal id="sig" name="alerte"/><bpmn:error id="err" errorCode="refus"/><bpmn:escalation id="esc" escalationCode="hausse"/>'
FACTS = ("u", "v", "w")
STEPS = 60


class Drawer:
    """Draws one process: elements, then flows from each to others, mostly onwards."""

    def __init__(self, rng):
        self.rng, self.count = rng, 0

    def name(self, kind):
        self.count += 1
        return f"{kind}{self.count}"

    def condition(self):
        return self.rng.choice(["u", "v", "w", "u and v", "not(w)", "u or w", "n > 1", "n"])

    def listening(self):
        rng = self.rng
        kind = rng.choice(["message", "timer", "signal", "condition", "cycle"])
        if kind == "message":
            return draw.message(rng.choice(["m1", "m2"]), rng.choice(["", "numero"]), rng.choice(["", "recu"]))
        if kind == "signal":
            return draw.refers("signal", "sig"), ""
        if kind == "condition":
            return draw.condition(self.condition()), ""
        return draw.timer(*(("Cycle", "R3/P1D") if kind == "cycle" else ("Duration", rng.choice(["P1D", "PT1H", "delai"])))), ""

    def loop(self):
        rng = self.rng
        if rng.random() < 0.8:
            return ""
        return rng.choice(
            [
                draw.several("2"),
                draw.several("[{id: 1}, {id: 2}]", "item", sequential=True),
                draw.several("3", until="nrOfCompletedInstances = 2"),
                draw.several("n"),
                draw.again_while("u", most="3"),
                draw.again_while("v", before=True, most="2"),
            ]
        )

    def activity(self, name, depth):
        rng = self.rng
        kind = rng.choice(["user", "user", "user", "manual", "service", "rule", "send", "receive", "sub", "sub", "call", "task"])
        if kind == "sub" and depth:
            return draw.sub(name, self.loop(), self.inside(depth - 1, name))
        if kind == "call" and depth:
            return draw.element("callActivity", name, self.loop(), '<masar:entree nom="n" valeur="n"/><masar:sortie nom="n" valeur="n"/>', calledElement="q")
        if kind == "service":
            return draw.element("serviceTask", name, self.loop(), '<masar:operation nom="o"><masar:parametre nom="n" valeur="n"/></masar:operation>')
        if kind == "rule":
            return draw.element("businessRuleTask", name, self.loop(), '<masar:decision ref="D" resultat="n"/>')
        if kind in ("send", "receive"):
            return draw.element(f"{kind}Task", name, self.loop(), f'<masar:message nom="{rng.choice(["m1", "m2"])}"/>')
        if kind in ("task", "manual"):
            return draw.element("task", name, self.loop()) if kind == "task" else draw.element("manualTask", name, self.loop(), '<masar:tache role="r"/>')
        return draw.user(name, self.loop())

    def throwing(self, tag, name):
        rng = self.rng
        choices = ["", draw.refers("signal", "sig"), draw.refers("escalation", "esc"), "message"]
        if tag == "endEvent":
            choices += [draw.refers("error", "err"), "<bpmn:terminateEventDefinition/>", ""]
        inner = rng.choice(choices)
        return draw.element(tag, name, *draw.message("m1")) if inner == "message" else draw.element(tag, name, inner)

    def inside(self, depth, prefix, is_process=False):
        """The XML inside a process or sub-process."""
        rng = self.rng
        begin, parts, flows, middles = f"{prefix}_begin", [], [], []
        parts.append(draw.start(begin))
        for _ in range(rng.randint(2, 6)):
            kind = rng.choice(["activity"] * 5 + ["xor", "or", "and", "event", "catch", "throw"])
            name = self.name(f"{prefix}_{kind}")
            middles.append((kind, name))
            if kind == "activity":
                parts.append(self.activity(name, depth))
                if rng.random() < 0.4:
                    edge = self.name(f"{prefix}_edge")
                    inner, note = (
                        self.listening() if rng.random() < 0.6 else (draw.refers(*rng.choice([("error", "err"), ("error", ""), ("escalation", "esc")])), "")
                    )
                    parts.append(draw.boundary(edge, name, inner, note, interrupting="error" in inner or rng.random() < 0.6))
                    middles.append(("edge", edge))
            elif kind in ("xor", "or"):
                parts.append((draw.xor if kind == "xor" else draw.some)(name, default=f"{name}_default"))
            elif kind == "and":
                parts.append(draw.both(name))
            elif kind == "event":
                parts.append(draw.element("eventBasedGateway", name))
                for _ in range(2):
                    target = self.name(f"{prefix}_rival")
                    parts.append(draw.catch(target, *self.listening()))
                    flows.append((name, target, None, None))
                    middles.append(("rival", target))
            elif kind == "catch":
                parts.append(draw.catch(name, *self.listening()))
            else:
                parts.append(self.throwing("intermediateThrowEvent", name))
        ends = [self.name(f"{prefix}_end") for _ in range(rng.randint(1, 2))]
        parts += [self.throwing("endEvent", end) for end in ends]
        free = [name for kind, name in middles if kind not in ("edge", "rival")]
        # Backwards mostly to where somebody must act: what turns by itself is stopped, and little is seen of the rest.
        back = [name for _, name in middles if any(part.startswith(f'<bpmn:userTask id="{name}"') for part in parts)] if rng.random() < 0.95 else free
        onwards_of = [begin, *(name for _, name in middles), *ends].index
        flows.append((begin, free[0], None, None))
        for place, (kind, name) in enumerate(middles):
            if kind == "event":
                continue
            onwards = [other for _, other in middles[place + 1 :] if other in free] + ends
            for branch in range(rng.randint(2, 3) if kind in ("xor", "or", "and") else 1):
                target = rng.choice(back if back and rng.random() < 0.2 else onwards)
                condition = self.condition() if kind in ("xor", "or") and branch else None
                flows.append((name, target, condition, f"{name}_default" if kind in ("xor", "or") and not branch else None))
        reached = {target for source, target, _, _ in flows if onwards_of(source) < onwards_of(target)}
        for name in [*free[1:], *ends]:
            if name not in reached:
                flows.append((begin, name, None, None))
        if rng.random() < 0.3:
            event = self.name(f"{prefix}_es")
            inner, note = self.listening() if rng.random() < 0.7 else (draw.refers(*rng.choice([("error", "err"), ("escalation", "esc")])), "")
            interrupting = "error" in inner or rng.random() < 0.5
            body = draw.element("startEvent", f"{event}_s", inner, note, isInterrupting=str(interrupting).lower())
            parts.append(draw.sub(event, body, draw.user(f"{event}_u"), draw.flows(f"{event}_s > {event}_u"), triggeredByEvent="true"))
        written = []
        for number, (source, target, condition, name) in enumerate(flows):
            held = f"<bpmn:conditionExpression>{draw.escaped(condition)}</bpmn:conditionExpression>" if condition else ""
            written.append(f'<bpmn:sequenceFlow id="{name or f"{prefix}_f{number}"}" sourceRef="{source}" targetRef="{target}">{held}</bpmn:sequenceFlow>')
        return "".join([*parts, *written])

    def diagram(self):
        called = draw.process(self.inside(0, "q"), name="q")
        return draw.diagram(NAMES, draw.process(self.inside(2, "p")), called)


TABLE = b"""<definitions xmlns="https://www.omg.org/spec/DMN/20191111/MODEL/" id="d" name="d" namespace="n">
<decision id="D" name="D"><decisionTable hitPolicy="UNIQUE">
<input id="i"><inputExpression id="e"><text>u</text></inputExpression></input><output id="o" name="y"/>
<rule id="r1"><inputEntry><text>true</text></inputEntry><outputEntry><text>2</text></outputEntry></rule></decisionTable></decision></definitions>"""


class Play:
    """One diagram under random stimuli. `told` counts what was met, so that a test can say the play was worth something."""

    def __init__(self, seed, told=None):
        self.rng = random.Random(seed)
        self.told = told if told is not None else {}
        self.definitions = bpmn.parse({"p.bpmn": Drawer(self.rng).diagram()}, {"d.dmn": TABLE})
        self.at, self.seq, self.open, self.waits, self.asked, self.incidents, self.ended = draw.START, 0, {}, {}, {}, {}, False

    def facts(self):
        case = {name: self.rng.choice([True, False]) for name in FACTS}
        return {"case": case | {"n": self.rng.choice([1, 2, 2, True]), "delai": self.rng.choice(["PT2H", "PT2H", None])}}

    def whole(self):
        """Plays it. Returns what differs, or None."""
        wrong = self.take(bpmn.start(self.definitions, "p", bpmn.Start({"numero": "7"}, at=self.at, seq=self.next(), facts=self.facts())))
        for _ in range(STEPS):
            if wrong or self.ended or any(one.code == "run.endless" for one in self.incidents.values()):
                break  # what turns by itself was stopped: more of it teaches nothing
            stimulus = self.drawn()
            try:
                step = bpmn.advance(self.definitions, self.state, stimulus)
            except errors.Refusal as refusal:
                return f"{stimulus} was refused: {refusal}"
            wrong = self.take(step)
        return wrong

    def next(self):
        self.seq += 1
        return self.seq

    def drawn(self):
        rng = self.rng
        choices = (
            [(bpmn.Complete, key) for key in self.open] * 2 + [(bpmn.OperationDone, key) for key in self.asked] + [(bpmn.Retry, key) for key in self.incidents]
        )
        choices += [(bpmn.Timer, key) for key, wait in self.waits.items() if wait.kind == "timer"]
        places = bpmn.positions(self.definitions, self.state)
        if rng.random() < 0.2:  # somebody moves a token by hand, or leaves an operation undone
            choices += [(bpmn.Jump, (one.position, to)) for one in places for to in one.targets]
        choices += [(bpmn.Skip, one.position) for one in places if one.may_skip]
        choices += [(bpmn.Message, "m1"), (bpmn.Message, "m2"), (bpmn.Signal, "alerte")]
        kind, key = rng.choice(choices)
        named = {"at": self.at, "seq": self.next(), "facts": self.facts()}
        if kind is bpmn.Timer:
            self.at = named["at"] = max(self.at, self.waits[key].due_at) + rng.choice([dt.timedelta(), dt.timedelta(days=3)])
        if kind is bpmn.Jump:
            return bpmn.Jump(*key, **named)
        if kind is bpmn.Message:
            return bpmn.Message(key, rng.choice([None, "7", "8"]), {"x": 1}, **named)
        if kind is bpmn.OperationDone:
            return bpmn.OperationDone(key, {"n": 2}, rng.choice([None, None, "refus", "autre"]), **named)
        if kind is bpmn.Complete:
            return bpmn.Complete(key, {"n": rng.choice([1, 2, 3])}, **named)
        return kind(key, **named)

    def take(self, step):
        self.state = step.state
        asked = set(self.asked)
        for one in step.happenings:
            self.told[type(one).__name__] = self.told.get(type(one).__name__, 0) + 1
            match one:
                case bpmn.TaskOpened():
                    self.open[one.task_id] = one
                case bpmn.TaskClosed():
                    del self.open[one.task_id]
                case bpmn.WaitOpened():
                    self.waits[one.wait_id] = one
                case bpmn.WaitClosed():
                    del self.waits[one.wait_id]
                case bpmn.OperationRequested():
                    self.asked[one.task_id] = one
                case bpmn.IncidentRaised():
                    self.incidents[one.incident_id] = one
                    self.told[one.code] = self.told.get(one.code, 0) + 1
                case bpmn.IncidentClosed():
                    del self.incidents[one.incident_id]
                case bpmn.Ended():
                    self.ended = True
        seen = bpmn.inspect(self.definitions, self.state)
        live = {task.task_id for task in seen.operations}
        if not live <= set(self.asked):
            return f"operations {live - set(self.asked)} were never told"
        self.asked = {key: one for key, one in self.asked.items() if key in live}
        for name, told, kept in (
            ("tasks", set(self.open), {task.task_id for task in seen.tasks}),
            ("waits", set(self.waits), {wait.wait_id for wait in seen.waits}),
            ("incidents", set(self.incidents), {one.incident_id for one in seen.incidents}),
        ):
            if told != kept:
                return f"{name} told {sorted(told)}, kept {sorted(kept)}"
        if seen.ended != self.ended:
            return f"ended: told {self.ended}, kept {seen.ended}"
        if self.ended and (self.open or self.waits or self.asked or self.incidents):
            return f"ended with {self.open} {self.waits} {self.asked} {self.incidents}"
        if not self.ended and not (self.open or self.waits or self.asked or self.incidents):
            return f"stuck in silence at {sorted(seen.active)} (operations before: {sorted(asked)})"
        return None


def main(count):
    wrong, told = 0, {}
    for seed in range(count):
        found = Play(seed, told).whole()
        if found:
            wrong += 1
            if wrong <= 5:
                print(f"seed {seed}: {found}")
    print(f"{count} random diagrams under random stimuli, {wrong} wrong; met {dict(sorted(told.items()))}")
    return wrong


if __name__ == "__main__":
    sys.exit(1 if main(int(sys.argv[1]) if len(sys.argv) > 1 else 300) else 0)
