"""Scenarios of a draft: made in one act of a trial or of a real case, kept among its files, played with its other checks; what they cover of its diagrams.

A scenario is about nobody (`pathway.disguise`): what a real case tells of its person does not enter a file. Not here: how one is played (`pathway.scenarios`).
"""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlmodel import Session

from engine import errors
from engine.actors import authority
from engine.casework import drafts, replays, trials
from engine.casework.editions import Edition
from engine.errors import Finding
from engine.i18n import pick
from engine.pathway import bpmn, scenario_files
from engine.pathway import disguise as disguises
from engine.pathway import scenarios as walks
from engine.pathway.scenario_files import FOLDER, Scenario
from engine.pathway.stimuli import Jump, Skip, Stop

LONGEST_TITLE = 120
_ROOT = text("SELECT instance_id, number, branch, is_kept, is_shared_operator, assigned FROM instance WHERE instance_id = :id AND root_id = instance_id")
_BY_NUMBER = text("SELECT instance_id FROM instance WHERE number = :number AND root_id = instance_id")
_PARTS = text("SELECT instance_id FROM instance WHERE root_id = :root AND state <> '' ORDER BY opened_at, instance_id")


@dataclass(frozen=True)
class Kept:
    """A scenario of a draft and how it went: `finding` where the draft no longer follows it; then `change` is what taking it anew would change, None where it cannot be."""

    path: str
    title: str
    process: str
    made_of: str
    steps: int
    days: int
    is_whole: bool
    finding: Finding | None
    change: walks.Change | None = None


@dataclass(frozen=True)
class Sheet:
    """One process as scenarios cover it: elements passed, and those no scenario passes."""

    process: str
    file: str
    passed: frozenset[str]
    missed: tuple[str, ...]
    total: int


def listed(session: Session, actor: Any, draft_id: UUID) -> tuple[drafts.Whole, tuple[Kept, ...], tuple[Sheet, ...]]:
    """The scenarios of a draft, played, those that fail first, and what they cover. Refuses: Forbidden, `draft.not_found`; what cannot be read of the draft."""
    whole = drafts.show(session, actor, draft_id)
    edition = whole.edition
    played = {path: walks.play(edition.definitions, scenario, path) for path, scenario in sorted(edition.scenarios.items())}
    kept = tuple(_kept(edition, path, one.scenario, actor.language, one) for path, one in sorted(played.items(), key=lambda one: one[1].finding is None))
    passed: dict[str, frozenset[str]] = {}
    for one in played.values():
        for process, elements in one.passed.items():
            passed[process] = passed.get(process, frozenset()) | elements
    return whole, kept, tuple(_sheet(edition, process, passed.get(process, frozenset())) for process in edition.definitions.processes)


def of_trial(session: Session, actor: Any, draft_id: UUID, title: str) -> tuple[str, ...]:
    """Keeps the actor's trial as scenarios of the draft: one a process that it walked. Returns their paths.

    Refuses: Forbidden, `draft.not_found`, `draft.not_open`, `trial.not_begun`, `scenario.title`, `scenario.personal`.
    """
    authority.require(actor, "draft.write")
    trial = trials.show(session, actor, draft_id)
    if trial is None:
        raise errors.NotFound("trial.not_begun")
    walked = [(walk.held.process, tuple(walk.heard)) for walk in trial.town.walks]
    whole = drafts.locked(session, actor, draft_id)
    return _keep(session, actor, whole, _made(whole, trial.town.edition, title, "trial", walked))


def of_case(session: Session, actor: Any, draft_id: UUID, number: str, title: str, expects: str = "case") -> tuple[str, ...]:
    """Makes scenarios of a real case and its dossiers, disguised. `expects`: where the draft leads it elsewhere, what the `case` did or what the `draft` does; "": nobody
    has said, and nothing is kept. Returns their paths.

    Refuses: Forbidden, `draft.not_found`, `draft.not_open`, `scenario.title`, `case.not_found`, `scenario.erased` (what it said can no longer be read),
    `scenario.moved` (it followed several editions, or a hand), `scenario.personal` (it depends on what may not be kept), `scenario.differs` (`foreseen` tells how).
    """
    edition, walked = _walked(session, actor, number)
    whole = drafts.locked(session, actor, draft_id)
    made = _made(whole, edition, title, "case", walked)
    if expects != "case" and _is_readable(whole.edition):
        seen = [_kept(whole.edition, path, scenario, actor.language) for path, scenario in made.items()]
        if not expects and any(one.finding for one in seen):
            raise errors.Conflict("scenario.differs")
        made = {one.path: one.change.scenario if one.change else made[one.path] for one in seen}
    return _keep(session, actor, whole, made)


def foreseen(session: Session, actor: Any, draft_id: UUID, number: str, title: str) -> tuple[Kept, ...]:
    """What `of_case` would keep, and how each goes in the draft. Refuses: as it does."""
    edition, walked = _walked(session, actor, number)
    whole = drafts.show(session, actor, draft_id)
    return tuple(_kept(whole.edition, path, scenario, actor.language) for path, scenario in _made(whole, edition, title, "case", walked).items())


def _walked(session: Session, actor: Any, number: str) -> tuple[Edition | None, list[tuple[str, Sequence[bpmn.Stimulus]]]]:
    """What a case and its dossiers heard, and the edition they followed."""
    authority.require(actor, "draft.write")
    case_id = session.execute(_BY_NUMBER, {"number": number.strip().upper()}).scalar()
    root = session.execute(_ROOT, {"id": case_id}).one_or_none() if case_id else None
    if root is None:
        raise errors.NotFound("case.not_found")
    authority.require(actor, "case.read", branch=root.branch, case=root)
    walked: list[tuple[str, Sequence[bpmn.Stimulus]]] = []
    edition = None
    for instance_id in session.execute(_PARTS, {"root": case_id}).scalars().all():
        history = replays.history(session, instance_id)
        if not history.is_whole:
            raise errors.Conflict("scenario.erased")
        if len({one.definitions.digest for one in history.said}) > 1 or any(one.stimulus is None or isinstance(one.stimulus, Jump | Skip | Stop) for one in history.said):
            raise errors.Conflict("scenario.moved")
        edition = history.held.edition
        walked.append((history.held.process, tuple(one.stimulus for one in history.said)))
    return edition, walked


def renew(session: Session, actor: Any, draft_id: UUID, path: str) -> None:
    """Takes what the draft does now as what a scenario expects. Refuses: as `drafts.save`; `draft.no_file`; `scenario.cannot_act`."""
    whole = drafts.locked(session, actor, draft_id)
    scenario = whole.edition.scenarios.get(path)
    if scenario is None:
        raise errors.NotFound("draft.no_file")
    content = scenario_files.write(walks.rewritten(whole.edition.definitions, scenario))
    drafts.save(session, actor, draft_id, path, content, whole.saves[path].version if path in whole.saves else 0)


def renew_all(session: Session, actor: Any, draft_id: UUID, paths: Sequence[str]) -> int:
    """Takes anew each of these that the draft no longer follows and that can be, in one act; the others stay as they are. Returns how many. Refuses: as `drafts.save`."""
    whole = drafts.locked(session, actor, draft_id)
    edition, done = whole.edition, 0
    for path in dict.fromkeys(paths):
        scenario = edition.scenarios.get(path)
        if scenario is None or walks.play(edition.definitions, scenario, path).finding is None or (made := _change(edition, scenario)) is None:
            continue
        drafts.save(session, actor, draft_id, path, scenario_files.write(made.scenario), whole.saves[path].version if path in whole.saves else 0)
        done += 1
    return done


def _change(edition: Edition, scenario: Scenario) -> walks.Change | None:
    try:
        return walks.change(edition.definitions, scenario)
    except errors.Refusal:
        return None


def remove(session: Session, actor: Any, draft_id: UUID, path: str) -> None:
    """Takes a scenario out of a draft. Refuses: as `drafts.save`; `draft.no_file`."""
    whole = drafts.locked(session, actor, draft_id)
    if not path.startswith(FOLDER):
        raise errors.NotFound("draft.no_file")
    drafts.save(session, actor, draft_id, path, None, whole.saves[path].version if path in whole.saves else 0)


def _made(whole: drafts.Whole, edition: Edition | None, title: str, made_of: str, walked: Sequence[tuple[str, Sequence[bpmn.Stimulus]]]) -> dict[str, Scenario]:
    """Path → scenario, of what was walked on an edition."""
    title = title.strip()
    if not title or len(title) > LONGEST_TITLE or not title.isprintable() or disguises.names_a_case(title):
        raise errors.Invalid("scenario.title", longest=LONGEST_TITLE)
    taken, made = set(whole.files), {}
    for process, heard in walked:
        assert edition is not None
        steps = walks.record(edition.definitions, process, heard)
        if len(steps) > scenario_files.MOST_STEPS:
            raise errors.Invalid("scenario.too_long", most=scenario_files.MOST_STEPS)
        path = _path(title, process, taken)
        taken.add(path)
        made[path] = walks.named(edition.definitions, disguises.disguise(edition, Scenario(title, process, made_of, steps)))
    return made


def _is_readable(edition: Edition) -> bool:
    """Whether anything can be played on it; a draft half drawn is told so on every page."""
    try:
        return bool(edition.definitions.processes)
    except errors.Invalid:
        return False


def _keep(session: Session, actor: Any, whole: drafts.Whole, made: Mapping[str, Scenario]) -> tuple[str, ...]:
    for path, scenario in made.items():
        drafts.save(session, actor, whole.draft.draft_id, path, scenario_files.write(scenario), whole.saves[path].version if path in whole.saves else 0)
    return tuple(made)


def _kept(edition: Edition, path: str, scenario: Scenario, language: str, played: walks.Played | None = None) -> Kept:
    played = played or walks.play(edition.definitions, scenario, path)
    return Kept(path, pick(scenario.named, language) or path.rpartition("/")[2], scenario.process, scenario.made_of, len(scenario.steps), walks.lasted(scenario.steps).days,
                walks.is_over(scenario.steps), played.finding, _change(edition, scenario) if played.finding else None)  # fmt: skip


def _path(title: str, process: str, taken: set[str]) -> str:
    plain = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode().lower()
    stem = "-".join(filter(None, (re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:50], process.replace("_", "-")[:40])))
    name, number = stem, 1
    while f"{FOLDER}{name}.toml" in taken:
        number += 1
        name = f"{stem}-{number}"
    return f"{FOLDER}{name}.toml"


def _sheet(edition: Edition, process: str, passed: frozenset[str]) -> Sheet:
    elements = [one.id for one in edition.definitions.elements(process)]
    file = next((path for path in edition.files if path.rpartition("/")[2] == edition.definitions.processes[process].file), "")
    return Sheet(process, file, passed, tuple(one for one in elements if one not in passed), len(elements))


def covered(sheets: Sequence[Sheet]) -> Mapping[str, int]:
    """Elements passed and in all."""
    return {"passed": sum(one.total - len(one.missed) for one in sheets), "total": sum(one.total for one in sheets)}
