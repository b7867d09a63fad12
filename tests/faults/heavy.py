"""Diagrams that are drawn correctly and take too much: too long to be played, or too large to be held."""

from tests.engine.pathway import drawing as draw
from tests.faults.hostile_files import service, user


def long(name: str = "lourd", parts: int = 60, branches: int = 14) -> bytes:
    """So many sub-processes one after the other, each of which may stand in 2^branches ways."""
    held = []
    for part in range(parts):
        tasks = [f"t{part}_{branch}" for branch in range(branches)]
        ways = [way for task in tasks for way in (f"g{part} > {task}", f"{task} > j{part}")]
        begin, over = draw.start(f"s{part}"), draw.end(f"e{part}")
        held.append(draw.sub(f"p{part}", begin, over, draw.both(f"g{part}"), draw.both(f"j{part}"), *map(service, tasks), draw.flows(f"s{part} > g{part}", f"j{part} > e{part}", *ways)))
    chain = " > ".join(["start", *(f"p{part}" for part in range(parts)), "fin", "end"])
    return draw.diagram(draw.process(draw.start(), *held, user("fin"), draw.end(), draw.flows(chain), name=name))
