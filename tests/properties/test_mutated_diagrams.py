"""Real diagrams, spoiled at random: each is refused by findings that name their place, or runs; never another exception."""

import random
from copy import deepcopy
from pathlib import Path

import pytest
from lxml import etree

from engine import errors
from engine.pathway import bpmn
from tests.engine.pathway import drawing as draw
from tests.properties.random_stimuli import TABLE, Drawer

ROOT = Path(__file__).parents[2]
TEXTS = ("", "x", "-1", "true", "P1D", "R/P1D", "n > ", "[", "é" * 300, "&", "bpmn:start", "999999999999", "debut")


def spoil(root, rng):
    """Changes a few things in a tree: attributes, texts, elements gone, doubled or moved."""
    for _ in range(rng.randint(1, 4)):
        nodes = [node for node in root.iter() if isinstance(node.tag, str) and node.getparent() is not None]
        node = rng.choice(nodes)
        kind = rng.choice(["attribute", "swap", "gone", "twice", "text", "move", "rename", "drop"])
        names = sorted(node.attrib)
        if kind == "attribute" and names:
            node.set(rng.choice(names), rng.choice(TEXTS))
        elif kind == "swap" and names:
            other = rng.choice(nodes)
            if other.attrib:
                node.set(rng.choice(names), rng.choice(sorted(other.attrib.values())))
        elif kind == "drop" and names:
            del node.attrib[rng.choice(names)]
        elif kind == "gone":
            node.getparent().remove(node)
        elif kind == "twice":
            node.getparent().append(deepcopy(node))
        elif kind == "text":
            node.text = rng.choice(TEXTS)
        elif kind == "move":
            target = rng.choice(nodes)
            if target is not node and node not in target.iterancestors():
                target.append(node)
        elif kind == "rename":
            node.tag = rng.choice(nodes).tag


def whole(raw, decisions, rng):
    """Reads a spoiled diagram and, where it is accepted, starts each of its processes. Returns whether it was."""
    try:
        definitions = bpmn.parse({"p.bpmn": raw}, decisions)
    except errors.Invalid as refused:
        assert refused.findings and all(found.where.startswith(("p.bpmn", "d.dmn")) for found in refused.findings)
        return False
    for process_id in definitions.processes:
        step = bpmn.start(definitions, process_id, bpmn.Start({"numero": "7"}, at=draw.START, seq=1, facts={"case": {"u": rng.random() < 0.5, "n": 2}}))
        bpmn.inspect(definitions, step.state)
        assert definitions.elements(process_id) and definitions.labels("x") == {}
    return True


def test_spoiled_random_diagrams_are_refused_or_run():
    accepted = 0
    for seed in range(400):
        rng = random.Random(seed)
        root = etree.fromstring(Drawer(rng).diagram())
        spoil(root, rng)
        accepted += whole(etree.tostring(root), {"d.dmn": TABLE}, rng)
    assert 20 < accepted < 380, accepted


@pytest.mark.parametrize("path", sorted((ROOT / "processes").rglob("*.bpmn")), ids=lambda path: path.stem)
def test_spoiled_diagrams_of_the_dispositif_are_refused_or_run(path):
    for seed in range(15):
        rng = random.Random(seed)
        root = etree.fromstring(path.read_bytes())
        spoil(root, rng)
        whole(etree.tostring(root), {}, rng)


def test_cut_and_garbled_bytes_are_refused():
    raw = Drawer(random.Random(1)).diagram()
    for seed in range(300):
        rng = random.Random(seed)
        cut = bytearray(raw[: rng.randint(0, len(raw))] if rng.random() < 0.5 else raw)
        for _ in range(rng.randint(0, 5)):
            if cut:
                cut[rng.randrange(len(cut))] = rng.randrange(256)
        whole(bytes(cut), {"d.dmn": TABLE}, rng)
