"""What the counting of steering is told of the drawings and the dictionary of every edition: agencies, stages, what is asked of persons, which class a rule finds. Not here: what is counted."""

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from sqlalchemy import text
from sqlmodel import Session

from engine.casework import diagrams, editions
from engine.casework.kept import Kept
from engine.casework.rows import LANES, STAGES
from engine.insight import measures


class Drawings(NamedTuple):
    """What is told of every edition's drawings and dictionary; `papers`: those that persons are asked for, `held`: of them, those that an administration has; `classes`: rule → class."""

    nodes: str
    listening: list[str]
    fields: list[str]
    papers: list[str]
    held: list[str]
    classes: str


_drawings = Kept[Drawings](4)


def told(session: Session) -> Drawings:
    """Of the editions there are now."""
    ids = tuple(session.execute(text("SELECT edition_id FROM edition ORDER BY number DESC")).scalars())
    return _drawings.get(ids, lambda: _read([editions.load(session, one) for one in ids]))


def _read(found: list[editions.Edition]) -> Drawings:
    """Of every edition, the newest first: each task with its agency, where the person is, its stage and whether it validates; elements that merely listen; fields that persons are
    asked, and papers. A field that counts for one act only is asked anew by nature."""
    tasks: dict[str, dict[str, Any]] = {}
    fields: dict[str, Any] = {}
    for edition in found:
        beside = edition.definitions.beside
        for element in edition.definitions.nodes:
            note = element.extensions.task
            if element.id in tasks or note is None:
                continue
            process, lane = element.scope_spec.process, element.shown_lane or ""
            tasks[element.id] = {
                "node": element.id, "process": process, "agency": LANES.get(lane, ""), "presence": note.presence or "", "stage": "" if process in beside else STAGES.get(process, "accompagnement"),
                "validates": bool(note.distinct) or (note.role or "") in ("chef_antenne", "chef_cps", "chef_aneti", "coordinateur", "ordonnateur", "president_commission"),
            }  # fmt: skip
        for one in edition.dictionary.fields.values():
            fields.setdefault(one.id, one)
    listening = sorted(frozenset().union(*(diagrams.listening(one) for one in found)))
    asked = [one.id for one in fields.values() if one.computed is None and one.type not in ("doc", "list") and one.validity != "P0D" and one.subject != "member"]
    papers = [one for one in fields.values() if one.type == "doc" and one.piece and not one.produced_by]
    classes = {rule: found for edition in reversed(found) for rule, found in _classes(edition).items()}
    return Drawings(json.dumps(list(tasks.values())), listening, asked, [one.id for one in papers], [one.id for one in papers if one.held_by], json.dumps([{"rule": rule, "class": said} for rule, said in classes.items()]))


def _classes(edition: editions.Edition) -> Mapping[str, str]:
    """Of each rule that finds how vulnerable somebody is, the class it says."""
    reference, result = measures.CLASS
    if reference not in edition.definitions.decisions:
        return {}
    decided = edition.definitions.decision(reference)
    return {rule.rule_id: said.text for rule in decided.rules for output, said in zip(decided.outputs, rule.results, strict=True) if output.name == result}
