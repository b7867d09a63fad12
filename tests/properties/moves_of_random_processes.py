"""Random processes, redrawn at random while a case runs in them: a move whose certificate is given never breaks when the case is driven to its end.

What is looked at knows nothing of how moves are judged: no incident, an end, every task that was open goes on under its id (but those given up), and,
where nothing is drawn in a loop, nothing that was done is asked again. `python -m tests.properties.moves_of_random_processes 5000` prints what breaks.
"""

import datetime as dt
import random
import sys
from collections import Counter

from engine.pathway import bpmn, moving, proposal
from engine.pathway.matching import Matching
from engine.pathway.replay import Said
from tests.engine.pathway import drawing as draw
from tests.properties.random_processes import Blocks, Written

LONGEST = 120


def places(block, path=()):
    """Every block in a block, with the way to it."""
    yield path, block
    for number, part in enumerate(block):
        if isinstance(part, tuple) and part and isinstance(part[0], str):
            yield from places(part, (*path, number))
        elif isinstance(part, list):
            for place, inner in enumerate(part):
                if isinstance(inner, tuple):
                    yield from places(inner, (*path, number, place))


def put(block, path, new):
    if not path:
        return new
    first, *rest = path
    held = list(block)
    held[first] = put(held[first], rest, new)
    return held if isinstance(block, list) else tuple(held)


def edited(rng, block, blocks):
    """The block with one edit of a kind that coordinators make."""
    found = list(places(block))
    path, chosen = rng.choice(found)
    what = rng.choice(("before", "after", "beside", "remove", "rename", "swap", "spread"))
    task = ("task", blocks.name("n"))
    if what in ("before", "after") and not _leads_a_loop(block, path):
        return put(block, path, ("sequence", [task, chosen] if what == "before" else [chosen, task]))
    if what == "beside" and chosen[0] == "and":
        return put(block, path, (chosen[0], chosen[1], [*chosen[2], task]))
    if what == "rename" and chosen[0] == "task":
        return put(block, path, ("task", f"{chosen[1]}_autrement"))
    if chosen[0] == "sequence" and len(chosen[1]) > 1 and not _leads_a_loop(block, (*path, 1, 0)):
        if what == "remove":
            return put(block, path, ("sequence", chosen[1][1:]))
        if what == "swap":
            return put(block, path, ("sequence", chosen[1][::-1]))
        if what == "spread":
            return put(block, path, ("and", blocks.name("a"), chosen[1]))
    return block


def _leads_a_loop(block, path):
    """Whether it is what leads a loop: without a task there it would turn by itself."""
    here = block
    for number in path[:-3]:
        here = here[number]
    return len(path) >= 3 and isinstance(here, tuple) and here[0] == "loop"


class Played:
    """An instance and what it was told, on definitions that may change."""

    def __init__(self, rng, definitions, facts):
        self.rng, self.definitions, self.names, self.seq, self.at = rng, definitions, facts, 0, draw.START
        self.offered, self.done, self.history, self.broke, self.ended = {}, [], [], [], False

    def drawn(self):
        return {"case": {name: self.rng.random() < 0.4 for name in self.names}}

    def take(self, step):
        self.state = step.state
        for one in step.happenings:
            match one:
                case bpmn.TaskOpened():
                    self.offered[one.task_id] = (one.node, one.scope)
                case bpmn.TaskClosed():
                    del self.offered[one.task_id]
                case bpmn.IncidentRaised():
                    self.broke.append(one)
                case bpmn.Ended():
                    self.ended = True

    def give(self, kind, *given):
        self.seq, self.at = self.seq + 1, self.at + dt.timedelta(hours=1)
        stimulus = kind(*given, at=self.at, seq=self.seq, facts=self.drawn())
        self.history.append(Said(self.seq, "line", self.definitions, stimulus))
        self.take(bpmn.start(self.definitions, "p", stimulus) if kind is bpmn.Start else bpmn.advance(self.definitions, self.state, stimulus))

    def step(self):
        key = self.rng.choice(sorted(self.offered))
        self.done.append(self.offered[key])
        self.give(bpmn.Complete, key)

    def moved(self, after, chosen):
        self.seq += 1
        asked = moving.Asked("p", self.state, tuple(self.history), self.at, self.seq, self.drawn())
        return moving.move(asked, Matching(self.definitions, after, chosen))


def play(seed, told=None):
    """Plays one. Returns what broke, or None; `told` counts what became of it."""
    told = told if told is not None else Counter()
    rng = random.Random(seed)
    blocks = Blocks(rng)
    may_loop = rng.random() < 0.4  # without, nothing may ever be asked twice
    block = None
    while block is None or (not may_loop and any(one[0] == "loop" for _, one in places(block))):
        block = ("sequence", [blocks.block(2), blocks.block(2), blocks.block(2)])
    other = block
    for _ in range(rng.randint(1, 4)):
        other = next((drawn for _ in range(20) if (drawn := edited(rng, other, blocks)) != other), other)
    before, after = Written(block), Written(other)
    definitions = [bpmn.parse({"p.bpmn": draw.diagram(one.xml)}, {}) for one in (before, after)]
    case = Played(rng, definitions[0], sorted({*before.facts, *after.facts}))
    case.give(bpmn.Start, {})
    for _ in range(rng.randint(0, 7)):
        if not case.ended and (len(case.offered) > 1 or rng.random() < 0.8):
            case.step()
    if case.ended:
        told["over"] += 1
        return None
    chosen = {pair.element: pair.to for pair in proposal.propose(*definitions) if pair.to}
    if rng.random() < 0.5:
        chosen |= {pair.element: None for pair in proposal.propose(*definitions) if not pair.to}
    open_before, done_before = dict(case.offered), Counter(case.done)
    found = case.moved(definitions[1], chosen)
    told[found.certificate.way if found.certificate.is_given else "refused"] += 1
    if not found.certificate.is_given:
        told |= {f"refused: {one.code}": told[f"refused: {one.code}"] + 1 for one in found.certificate.refused}
        return None if all(one.code and (one.node or one.details) for one in found.certificate.refused) else "a refusal that shows nothing"
    case.offered |= {one.task_id: (one.node, one.scope) for one in found.tasks}
    case.definitions = definitions[1]
    case.take(bpmn.Step(found.state, found.happenings))
    gone = {key for key in open_before if key not in case.offered}
    if any(chosen.get(("p", open_before[key][0]), "") is not None for key in gone):
        return f"dropped {[open_before[key] for key in gone]}"
    if {task.task_id for task in bpmn.inspect(case.definitions, case.state).tasks} != set(case.offered):
        return "what was told and what is kept differ"
    has_loops = any(one[0] == "loop" for _, one in places(other))
    done_then = {((chosen.get(("p", node)) or ("p", node))[1], scope) for node, scope in done_before}
    for _ in range(LONGEST):
        if case.broke:
            return f"broke {case.broke}"
        if case.ended:
            told["ended"] += 1
            return None
        if not case.offered:
            return "nothing is offered and it has not ended"
        twice = [one for one in case.offered.values() if one in done_then]
        if twice and not has_loops:
            return f"asked again {twice}"
        case.step()
    return None


def main(count):
    told = Counter()
    wrong = 0
    for seed in range(count):
        try:
            found = play(seed, told)
        except Exception as fault:
            found = f"{type(fault).__name__}: {fault}"
        if found:
            wrong += 1
            if wrong <= 10:
                print(f"seed {seed}: {found}", flush=True)
    print(f"{count} moves, {wrong} wrong: {dict(sorted(told.items()))}")
    return wrong


if __name__ == "__main__":
    sys.exit(1 if main(int(sys.argv[1]) if len(sys.argv) > 1 else 300) else 0)
