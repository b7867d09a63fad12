"""Flows of the diagrams are walked by answers that the forms take, facts that some form asked, and what operations may answer: no condition is assumed to hold.

What chance does not find (an advance, an objection, a list of a charter) is walked by answers that were chosen for it, in the walk's name.
"""

from tests.processes import every_path, reading


def test_every_flow_of_every_diagram_is_walked():
    """Where a diagram or a form changed: `python -m tests.processes.every_path` looks for walks anew; what it still leaves needs a walk with wishes."""
    whole, tables, passed = every_path.edition(), reading.dated(), set()
    by_name = {one.process: one for one in every_path.drawn(whole)}
    names, _ = every_path.kept()
    for name in names:
        passed |= every_path.walk(whole, by_name, tables, name)
    left = {f"{process}: {drawn}" for process, one in by_name.items() for flow, drawn in one.flows.items() if flow not in passed}
    assert sorted(left) == []
    assert sum(len(one.flows) for one in by_name.values()) > 650
