"""Random block-structured processes against an oracle that knows nothing of the engine.

A block is drawn (sequence, XOR, AND, OR, loop, sub-process, multi-instance; three deep), written as BPMN, and played in random order: at each step the
facts that its conditions read are drawn anew, the tasks offered must be those the oracle says, the state goes through bytes, and the end comes exactly
when the oracle ends. `python -m tests.properties.random_processes 10000` prints the first that differs and leaves with 1.
"""

import datetime as dt
import random
import sys
from collections import Counter
from dataclasses import dataclass, field

from engine.pathway import bpmn
from tests.engine.pathway import drawing as draw

DEEPEST = 3
KINDS = ("sequence", "xor", "and", "or", "loop", "sub", "mi")
LONGEST = 400  # steps; a loop that random facts keep turning is let go there


class Blocks:
    """Draws a block: nested tuples, each node with a name of its own."""

    def __init__(self, rng):
        self.rng, self.count = rng, 0

    def name(self, kind):
        self.count += 1
        return f"{kind}{self.count}"

    def block(self, depth):
        rng = self.rng
        if depth == 0 or rng.random() < 0.15:
            return ("task", self.name("t"))
        kind = rng.choice(KINDS)
        inner = depth - 1
        if kind == "sequence":
            return (kind, [self.block(inner) for _ in range(rng.randint(2, 3))])
        if kind == "and":
            return (kind, self.name("a"), [self.block(inner) for _ in range(rng.randint(2, 3))])
        if kind in ("xor", "or"):
            own = self.name("x" if kind == "xor" else "o")
            branches = [self.block(inner) for _ in range(rng.randint(1, 3))]
            # the default branch: a block, or nothing (a flow from split to join)
            return (kind, own, branches, self.block(inner) if rng.random() < 0.7 else None)
        if kind == "loop":
            # a loop whose body might hold no task would turn for ever by itself, so a task leads it
            return (kind, self.name("l"), ("sequence", [("task", self.name("t")), self.block(inner)]))
        if kind == "sub":
            return (kind, self.name("s"), self.block(inner))
        return (kind, self.name("m"), self.block(inner), rng.randint(0, 3), rng.random() < 0.5)


class Oracle:
    """Plays a block by what the words mean. `offered`: (task, items around) → what comes once it is done."""

    def __init__(self, block, facts):
        self.facts, self.offered, self.ended = facts, {}, False
        self.begin(block, (), self._end)

    def _end(self):
        self.ended = True

    def complete(self, key, facts):
        self.facts = facts
        self.offered.pop(key)()

    def begin(self, block, around, after):
        kind = block[0]
        if kind == "task":
            assert (block[1], around) not in self.offered
            self.offered[block[1], around] = after
        elif kind == "sequence":
            self._chain(block[1], around, after)
        elif kind == "and":
            self._all(block[2], around, after)
        elif kind == "xor":
            held = [branch for place, branch in enumerate(block[2]) if self.facts[f"{block[1]}_{place}"]][:1] or [block[3]]
            self._all([branch for branch in held if branch], around, after)
        elif kind == "or":
            held = [branch for place, branch in enumerate(block[2]) if self.facts[f"{block[1]}_{place}"]] or [block[3]]
            self._all([branch for branch in held if branch], around, after)
        elif kind == "loop":
            self.begin(block[2], around, lambda: self.begin(block, around, after) if self.facts[block[1]] else after())
        elif kind == "sub":
            self.begin(block[2], around, after)
        else:
            turns = [(block[2], (*around, f"{block[1]}:{place}")) for place in range(1, block[3] + 1)]
            self._turns(turns, after) if block[4] else self._gather(turns, after)

    def _chain(self, blocks, around, after):
        if blocks:
            self.begin(blocks[0], around, lambda: self._chain(blocks[1:], around, after))
        else:
            after()

    def _turns(self, turns, after):
        if turns:
            self.begin(*turns[0], lambda: self._turns(turns[1:], after))
        else:
            after()

    def _all(self, blocks, around, after):
        self._gather([(block, around) for block in blocks], after)

    def _gather(self, parts, after):
        left = [len(parts)]

        def one_done():
            left[0] -= 1
            if not left[0]:
                after()

        if not parts:
            after()
        for part, around in parts:
            self.begin(part, around, one_done)


class Written:
    """A block as BPMN, and the names of the facts its conditions read."""

    def __init__(self, block):
        self.facts = []
        self.xml = draw.process(*self._scope(block))

    def _scope(self, block, prefix=""):
        self.parts, self.flows = [], []
        begun, over = f"{prefix}begin", f"{prefix}over"
        first, last = self._write(block)
        self._flow(begun, first)
        self._flow(last, over)
        return [draw.start(begun), draw.end(over), *self.parts, *self.flows]

    def _flow(self, source, target, condition=None, name=None):
        text = f"<bpmn:conditionExpression>{condition}</bpmn:conditionExpression>" if condition else ""
        name = name or f"{source}__{target}"
        self.flows.append(f'<bpmn:sequenceFlow id="{name}" sourceRef="{source}" targetRef="{target}">{text}</bpmn:sequenceFlow>')

    def _inside(self, block, prefix):
        """The XML of a block in a scope of its own."""
        kept = self.parts, self.flows
        inner = self._scope(block, prefix)
        self.parts, self.flows = kept
        return "".join(inner)

    def _write(self, block):
        kind = block[0]
        if kind == "task":
            self.parts.append(draw.user(block[1]))
            return block[1], block[1]
        if kind == "sequence":
            ends = [self._write(inner) for inner in block[1]]
            for (_, last), (first, _) in zip(ends, ends[1:], strict=False):
                self._flow(last, first)
            return ends[0][0], ends[-1][1]
        name = block[1]
        if kind == "and":
            self.parts += [draw.both(f"{name}_split"), draw.both(f"{name}_join")]
            self._branches(name, [(inner, None) for inner in block[2]])
            return f"{name}_split", f"{name}_join"
        if kind in ("xor", "or"):
            gateway = draw.xor if kind == "xor" else draw.some
            self.facts += [f"{name}_{place}" for place in range(len(block[2]))]
            self.parts += [gateway(f"{name}_split", default=f"{name}_{len(block[2])}"), gateway(f"{name}_join")]
            self._branches(name, [(inner, f"{name}_{place}") for place, inner in enumerate(block[2])] + [(block[3], None)])
            return f"{name}_split", f"{name}_join"
        if kind == "loop":
            self.facts.append(name)
            self.parts += [draw.xor(f"{name}_merge"), draw.xor(f"{name}_test", default=f"{name}_on")]
            first, last = self._write(block[2])
            self.parts.append(draw.element("task", f"{name}_out"))
            self._flow(f"{name}_merge", first)
            self._flow(last, f"{name}_test")
            self._flow(f"{name}_test", f"{name}_merge", name)
            self._flow(f"{name}_test", f"{name}_out", name=f"{name}_on")
            return f"{name}_merge", f"{name}_out"
        if kind == "sub":
            self.parts.append(draw.sub(name, self._inside(block[2], f"{name}_")))
            return name, name
        items = "[" + ", ".join(f"{{id: {place}}}" for place in range(1, block[3] + 1)) + "]"
        loop = draw.several(items, item=name, sequential=block[4])
        self.parts.append(draw.sub(name, loop, self._inside(block[2], f"{name}_")))
        return name, name

    def _branches(self, name, branches):
        for place, (inner, condition) in enumerate(branches):
            flow = f"{name}_{place}"
            if inner is None:
                self._flow(f"{name}_split", f"{name}_join", condition, flow)
                continue
            first, last = self._write(inner)
            self._flow(f"{name}_split", first, condition, flow)
            self._flow(last, f"{name}_join")


def measure(block, kinds):
    """How deep a block is; the kinds of blocks in it are added to `kinds`."""
    kinds.add(block[0])
    if block[0] == "task":
        return 0
    parts = [part for part in block[1:] if isinstance(part, list | tuple)]
    inner = [one for part in parts for one in (part if isinstance(part, list) else [part])]
    own = block[0] != "loop"  # a loop's sequence, which leads it with a task, is the loop itself
    return own + max(measure(one, kinds) for one in inner)


@dataclass
class Told:
    """What a play was: its steps, the kinds of its blocks, how deep, whether it came to its end."""

    steps: list = field(default_factory=list)
    kinds: set = field(default_factory=set)
    depth: int = 0
    ended: bool = False


def play(seed, told=None):
    """Plays the process of a seed, telling what it was. Returns what differs, or None."""
    told = told or Told()
    rng = random.Random(seed)
    block = Blocks(rng).block(DEEPEST)
    told.depth = measure(block, told.kinds)
    written = Written(block)

    def drawn():
        return {name: rng.random() < 0.5 for name in written.facts}

    definitions = bpmn.parse({"p.bpmn": draw.diagram(written.xml)}, {})
    facts, at, seq = drawn(), draw.START, 1
    step = bpmn.start(definitions, "p", bpmn.Start({}, at=at, seq=seq, facts={"case": facts}))
    oracle = Oracle(block, facts)
    offered = {}
    for _ in range(LONGEST):
        told.steps.append(step)
        for one in step.happenings:
            if isinstance(one, bpmn.TaskOpened):
                offered[one.task_id] = (one.node, one.scope)
            elif isinstance(one, bpmn.TaskClosed):
                del offered[one.task_id]
            elif isinstance(one, bpmn.IncidentRaised):
                return f"incident {one}"
        seen = bpmn.inspect(definitions, step.state)
        if Counter(task.node for task in seen.tasks) != Counter(node for node, _ in offered.values()):
            return "what was told and what is kept differ"
        if sorted(offered.values()) != sorted(oracle.offered):
            return f"offered {sorted(offered.values())}, should be {sorted(oracle.offered)}"
        if seen.ended != oracle.ended:
            return f"ended {seen.ended}, should be {oracle.ended}"
        if oracle.ended:
            told.ended = True
            return None
        facts, seq, at = drawn(), seq + 1, at + dt.timedelta(hours=1)
        key = rng.choice(sorted(offered))
        done = offered[key]
        step = bpmn.advance(definitions, step.state, bpmn.Complete(key, at=at, seq=seq, facts={"case": facts}))
        oracle.complete(done, facts)
    return None


def main(count):
    """Plays `count` processes, telling how far it is. Returns how many differ."""
    wrong = 0
    for seed in range(count):
        found = play(seed)
        if found:
            wrong += 1
            if wrong <= 5:
                print(f"seed {seed}: {found}")
        if seed % 1000 == 999:
            print(f"{seed + 1} processes, {wrong} wrong", flush=True)
    print(f"{count} random processes, {wrong} wrong")
    return wrong


if __name__ == "__main__":
    sys.exit(1 if main(int(sys.argv[1]) if len(sys.argv) > 1 else 300) else 0)
