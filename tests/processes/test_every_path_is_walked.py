"""Flows of the diagrams are walked by answers that the forms take, facts that some form asked, and what operations may answer: no condition is assumed to hold.

What needs more than chance finds (an advance, an objection, a list of a charter) is left to stories, by name.
"""

from tests.processes import every_path, reading


def test_every_flow_of_every_diagram_is_walked_but_those_that_stories_tell():
    """Where a diagram or a form changed: `python -m tests.processes.every_path` looks for walks anew."""
    whole, tables, passed = every_path.edition(), reading.dated(), set()
    by_name = {one.process: one for one in every_path.drawn(whole)}
    names, told = every_path.kept()
    for name in names:
        passed |= every_path.walk(whole, by_name, tables, name)
    left = {f"{process}: {drawn}" for process, one in by_name.items() for flow, drawn in one.flows.items() if flow not in passed}
    assert left == told
    assert len(told) < 100 and sum(len(one.flows) for one in by_name.values()) > 650
