"""Trials: a draft walked by hand in the sandbox, by one coordinator for herself: invented answers, messages that come or not, time that jumps, a step back.

What is kept is the list of her acts; where it stands is found by doing them again, on the draft as it is now. Not here: how a case of nobody moves (`sandbox`).
"""

import datetime as dt
import hashlib
import json
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from inspect import signature
from threading import Lock
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlmodel import Session

from engine import clock, errors, identity
from engine.actors import authority
from engine.casework import drafts, editions, sandbox
from engine.dossier import programmes
from engine.pathway import bpmn

# What may be done in a trial once it is begun; each takes what its verb takes, whatever the face it comes from.
ACTS = {verb.__name__: verb for verb in (sandbox.Sandbox.answer, sandbox.Sandbox.hear, sandbox.Sandbox.retry, sandbox.Sandbox.jump, sandbox.Sandbox.wait)}
MOST_ACTS, _LARGEST = 400, 200_000
_TOWNS_IN_MEMORY = 24
_towns: OrderedDict[str, sandbox.Sandbox] = OrderedDict()
_lock = Lock()
_FIND = text("SELECT trial_id, opened_at, branch, acts FROM trial WHERE draft_id = :draft AND opened_by = :by")
_LOCK = text("SELECT trial_id, opened_at, branch, acts FROM trial WHERE draft_id = :draft AND opened_by = :by FOR UPDATE")
_OPEN = text("""INSERT INTO trial (trial_id, draft_id, opened_by, opened_at, branch, acts) VALUES (:id, :draft, :by, :at, :branch, CAST(:acts AS jsonb))""")
_DROP = text("DELETE FROM trial WHERE draft_id = :draft AND opened_by = :by")
_SAVE = text("UPDATE trial SET acts = CAST(:acts AS jsonb) WHERE draft_id = :draft AND opened_by = :by")
_BRANCH = text("SELECT 1 FROM branch WHERE code = :branch")


@dataclass(frozen=True)
class Trial:
    """A trial where it stands. `acts`: those that were done; `lost`: how many later ones the draft, changed since, no longer allows; `told`: what came of
    the last one."""

    draft: drafts.Draft
    acts: tuple[Mapping[str, Any], ...]
    lost: int
    town: sandbox.Sandbox
    told: tuple[sandbox.Told, ...]

    @property
    def version(self) -> int:
        return len(self.acts) + self.lost

    def standing(self, instance: int) -> bpmn.Inspection:
        """Where one of its instances stands on the diagrams."""
        return bpmn.inspect(self.town.edition.definitions, self.town.walks[instance].held.state)


def show(session: Session, actor: Any, draft_id: UUID) -> Trial | None:
    """The reader's own trial of a draft; None where she began none. Refuses: Forbidden, `draft.not_found`; what cannot be read of the draft."""
    authority.require(actor, "draft.try")
    whole = drafts.show(session, actor, draft_id)
    row = session.execute(_FIND, {"draft": draft_id, "by": actor.user_id}).one_or_none()
    return _played(session, actor, whole, row, row.acts) if row else None


def begin(session: Session, actor: Any, draft_id: UUID, process: str, branch: str, message: str = "", wish: str = "") -> Trial:
    """Begins a trial at a process of the draft (at the start of a `message`, where one is named), in the place of the one she had. `wish`: what the invented
    person came for, remembered for whoever invents her answers.

    Refuses: Forbidden, `draft.not_found`, `branch.unknown`, `process.unknown`, `process.no_such_start`; what cannot be read of the draft.
    """
    authority.require(actor, "draft.try")
    whole = drafts.show(session, actor, draft_id)
    if session.execute(_BRANCH, {"branch": branch}).scalar() is None:
        raise errors.wrong("branch.unknown", "/branch", branch=branch)
    acts = [{"do": "begin", "process": process, "message": message, "wish": wish}]
    session.execute(_DROP, {"draft": draft_id, "by": actor.user_id})
    session.execute(_OPEN, {"id": identity.new_id(), "draft": draft_id, "by": actor.user_id, "at": clock.now(session), "branch": branch, "acts": json.dumps(acts)})
    row = session.execute(_LOCK, {"draft": draft_id, "by": actor.user_id}).one()
    return _after(_played(session, actor, whole, row, []), acts[0])


def act(session: Session, actor: Any, draft_id: UUID, wanted: Mapping[str, Any], version: int) -> Trial:
    """One act more: of all that is given, what the act named by `do` takes. `version`: that of the trial as it was seen.

    Refuses: Forbidden, `trial.unknown_act`, `trial.not_begun` (NotFound), `trial.stale` (Conflict), `trial.too_long`; what the act itself refuses (`trial.…`, `task.answers`).
    """
    whole, row, acts = _locked(session, actor, draft_id, version)
    if wanted["do"] not in ACTS:
        raise errors.Invalid("trial.unknown_act")
    wanted = {"do": wanted["do"], **_taken(ACTS[wanted["do"]], wanted)}
    if len(acts) >= MOST_ACTS or len(json.dumps(wanted, default=str)) > _LARGEST:
        raise errors.Invalid("trial.too_long", most=MOST_ACTS)
    trial = _after(_played(session, actor, whole, row, acts), wanted)
    _keep(session, actor, draft_id, trial.acts)
    return trial


def back(session: Session, actor: Any, draft_id: UUID, version: int, steps: int = 1) -> Trial:
    """Takes the last acts back; the first stays. Refuses: Forbidden, `trial.not_begun`, `trial.stale`."""
    whole, row, acts = _locked(session, actor, draft_id, version)
    kept = acts[: max(1, len(acts) - max(steps, 1))]
    _keep(session, actor, draft_id, kept)
    return _played(session, actor, whole, row, kept)


def drop(session: Session, actor: Any, draft_id: UUID) -> None:
    """Ends the reader's own trial; nothing of it stays. Refuses: Forbidden."""
    authority.require(actor, "draft.try")
    session.execute(_DROP, {"draft": draft_id, "by": actor.user_id})


def _do(town: sandbox.Sandbox, act: Mapping[str, Any]) -> None:
    """One act, the beginning or one of `ACTS`. Refuses: what the sandbox refuses. Refused, the town is to be thrown away: the act may be half done."""
    town.before = len(town.told)
    verb = sandbox.Sandbox.begin if act["do"] == "begin" else ACTS[act["do"]]
    verb(town, **_taken(verb, act))


def _taken(verb: Callable[..., None], given: Mapping[str, Any]) -> dict[str, Any]:
    return {name: given[name] for name in signature(verb).parameters if name in given}


def _after(trial: Trial, wanted: Mapping[str, Any]) -> Trial:
    """The trial one act later, those before it that were lost left out. Refuses: what the act refuses."""
    _do(trial.town, wanted)
    return Trial(trial.draft, (*trial.acts, wanted), 0, trial.town, tuple(trial.town.told[trial.town.before :]))


def _locked(session: Session, actor: Any, draft_id: UUID, version: int) -> tuple[drafts.Whole, Any, list[Mapping[str, Any]]]:
    authority.require(actor, "draft.try")
    whole = drafts.show(session, actor, draft_id)
    row = session.execute(_LOCK, {"draft": draft_id, "by": actor.user_id}).one_or_none()
    if row is None:
        raise errors.NotFound("trial.not_begun")
    if version != len(row.acts):
        raise errors.Conflict("trial.stale")
    return whole, row, list(row.acts)


def _keep(session: Session, actor: Any, draft_id: UUID, acts: Sequence[Mapping[str, Any]]) -> None:
    session.execute(_SAVE, {"draft": draft_id, "by": actor.user_id, "acts": json.dumps(acts, ensure_ascii=False, default=str)})


def _played(session: Session, actor: Any, whole: drafts.Whole, row: Any, acts: Sequence[Mapping[str, Any]]) -> Trial:
    """The trial after these acts, as many as can still be done."""
    tables, edition = programmes.dated(session), whole.edition
    town = sandbox.Sandbox(edition, tables, row.trial_id, row.opened_at.astimezone(dt.UTC), row.branch, actor.language)
    names = _names(f"{row.trial_id} {editions.digest_of(editions.hashes_of(edition.files))} {tables.version} {actor.language}", acts)
    done = next((number for number in range(len(acts), 0, -1) if (kept := _remembered(names[number - 1])) is not None), 0)
    town = kept.copy() if done else town
    while done < len(acts):
        attempt = town.copy()
        try:
            _do(attempt, acts[done])
        except (errors.Conflict, errors.Invalid):
            break
        town, done = attempt, done + 1
    if done:
        _remember(names[done - 1], town.copy())
    return Trial(whole.draft, tuple(acts[:done]), len(acts) - done, town, tuple(town.told[town.before :]))


def _names(begun: str, acts: Sequence[Mapping[str, Any]]) -> list[str]:
    """What a trial is called after each of its acts: everything that its town depends on."""
    digest, names = hashlib.sha256(begun.encode()), []
    for one in acts:
        digest.update(json.dumps(one, sort_keys=True, default=str).encode())
        names.append(digest.copy().hexdigest())
    return names


def _remembered(name: str) -> sandbox.Sandbox | None:
    with _lock:
        if name in _towns:
            _towns.move_to_end(name)
            return _towns[name]
    return None


def _remember(name: str, town: sandbox.Sandbox) -> None:
    """Keeps a town where somebody stands: her next act begins there, in place of at the beginning."""
    with _lock:
        _towns[name] = town
        while len(_towns) > _TOWNS_IN_MEMORY:
            _towns.popitem(last=False)
