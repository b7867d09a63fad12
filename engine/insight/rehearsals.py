"""Rehearsals: every past and open case done again on a draft, in the background, and the report of what would go otherwise, before anybody is concerned by it.

A rehearsal is of the draft's content at that moment (`digest`): what is saved afterwards makes it stale. A difference says where, between what, and in which
cases; it holds no value. Where a branch weighs what its reader may not know, she is told how many cases there are and not which.
"""

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlmodel import Session

from engine import clock, identity
from engine.actors import authority
from engine.casework import batches, drafts, editions, replays
from engine.casework.editions import Edition
from engine.casework.instances import Held, find
from engine.casework.kept import Kept
from engine.dossier import facts
from engine.pathway import bpmn, rehearsal, scenario_files
from forms.definitions import FormDefinition

KIND = "rehearsal"
SAME, DIFFERS, UNREAD = "same", "differs", "unread"
MOST_NAMED = 200  # case numbers of one group on a page
_CASES = text("SELECT instance_id FROM instance WHERE root_id = instance_id AND state <> '' ORDER BY opened_at DESC, instance_id LIMIT :most")
_OF_ROOT = text("SELECT instance_id FROM instance WHERE root_id = :root AND state <> '' ORDER BY opened_at, instance_id")
_FIELDS = text(f"SELECT DISTINCT field FROM {facts.EVERY} f WHERE root_id = :root OR (person_id = :person AND (subject LIKE 'person:%' OR subject LIKE 'membre:%'))")
_PERSON = text("SELECT person_id FROM instance WHERE instance_id = :root")
_GROUPS = text("""
    SELECT d.value - 'after' AS what, coalesce(jsonb_agg(DISTINCT d.value -> 'after') FILTER (WHERE d.value ? 'after'), '[]') AS after, count(DISTINCT l.instance_id) AS cases,
           (array_agg(i.number ORDER BY i.number DESC))[1 : :most] AS numbers, (array_agg(l.instance_id ORDER BY i.number DESC))[1 : :most] AS ids
      FROM batch_line l JOIN instance i USING (instance_id), jsonb_array_elements(l.details -> 'found') d
     WHERE l.batch_id = :id GROUP BY 1""")
_GRAVEST = text("""SELECT l.details ->> 'gravest' AS kind, count(*) FROM batch_line l WHERE l.batch_id = :id AND l.result = 'differs' GROUP BY 1""")
_read = Kept[Edition](2)


@dataclass(frozen=True)
class Group:
    """One difference and the cases that have it. `kind`: `rehearsal.KINDS`; `cases`: how many; `named`: those the reader may be told (number, id), the
    latest first, at most `MOST_NAMED`; `is_veiled`: none is, since what it hangs on is not hers to know; `because`: what words why it stops."""

    kind: str
    process: str
    node: str
    then: tuple[str, ...]
    now: tuple[str, ...]
    fields: tuple[str, ...]
    cases: int
    named: tuple[tuple[str, UUID], ...]
    is_veiled: bool
    because: Mapping[str, str]


@dataclass(frozen=True)
class Report:
    """A rehearsal as far as it is. `counts`: cases by result (`same`, `differs`, `unread`, a refusal's code); `gravest`: those that differ, by the gravest kind;
    `is_stale`: the draft was changed since; `per_thousand`: seconds, once it is done."""

    batch: batches.Batch
    counts: Mapping[str, int]
    gravest: Mapping[str, int]
    groups: tuple[Group, ...]
    is_stale: bool
    per_thousand: float | None


def digest_of(files: Mapping[str, bytes]) -> str:
    """What a rehearsal is of: every file of a draft but its scenarios, which change no walk."""
    return editions.digest_of({path: sha for path, sha in editions.hashes_of(files).items() if not path.startswith(scenario_files.FOLDER)})


def start(session: Session, actor: Any, draft_id: UUID, most: int = batches.MOST) -> UUID:
    """Asks for a rehearsal of a draft as it is now over every case, the latest first; one under way is stopped.

    Refuses: Forbidden, `draft.not_found`, `batch.empty`; what cannot be read of the draft.
    """
    authority.require(actor, "draft.rehearse")
    whole = drafts.show(session, actor, draft_id)
    files = whole.files
    _ = whole.edition  # a draft that cannot be read cannot be rehearsed
    before = batches.latest(session, actor, KIND, draft_id)
    if before is not None and before.is_under_way:
        batches.cancel(session, actor, before.batch_id)
    hashes = editions.hashes_of(files)
    editions.store(session, files, hashes)
    cases = session.execute(_CASES, {"most": most}).scalars()
    return batches.start(session, actor, KIND, cases, {"digest": digest_of(files), "files": hashes}, draft_id=draft_id, edition_id=whole.draft.base_id)


def report(session: Session, actor: Any, draft_id: UUID, *, in_short: bool = False) -> Report | None:
    """The latest rehearsal of a draft; None where there was none. `in_short`: without its groups. Refuses: Forbidden, `draft.not_found`."""
    authority.require(actor, "draft.read")
    batch = batches.latest(session, actor, KIND, draft_id)
    if batch is None:
        return None
    whole = drafts.show(session, actor, draft_id)
    counts = batches.counts(session, actor, batch.batch_id)
    groups = () if in_short else _groups(session, actor, batch, _edition(session, batch))
    gravest = dict(session.execute(_GRAVEST, {"id": batch.batch_id}).all())
    per_thousand = batch.seconds / batch.done * 1000 if batch.seconds is not None and batch.done else None
    return Report(batch, counts, gravest, groups, batch.parameters["digest"] != digest_of(whole.files), per_thousand)


def edition_of(session: Session, batch: batches.Batch) -> Edition:
    """The draft as it was when the rehearsal was asked."""
    return _edition(session, batch)


@batches.work(KIND, act="draft.rehearse", is_seen_whole=True)
def one(session: Session, _actor: Any, batch: batches.Batch, root_id: UUID) -> batches.Result:
    """One case with its dossiers; nothing of it is changed, and nothing of what is known of it is said."""
    edition, until = _edition(session, batch), clock.now(session)
    person = session.execute(_PERSON, {"root": root_id}).scalar()
    known = frozenset(session.execute(_FIELDS, {"root": root_id, "person": person}).scalars())
    found: list[rehearsal.Difference] = []
    for instance_id in session.execute(_OF_ROOT, {"root": root_id}).scalars().all():
        held = find(session, instance_id)
        if (met := _beside(held, edition)) is not None:  # it never met what the draft changes: only its forms may ask more
            found += rehearsal.questions(met, met, side(held.edition), side(edition), known)
            continue
        history = replays.history(session, instance_id, on=edition)
        if not history.is_whole or not history.said:
            return batches.Result(UNREAD)
        acts = rehearsal.done(held.process, history.said)
        found += rehearsal.rehearse(side(held.edition), side(edition), held.process, acts, known, max(until, acts[-1].at) if held.status == "open" else acts[-1].at)
    if not found:
        return batches.Result(SAME)
    told = sorted(dict.fromkeys(found), key=lambda one: rehearsal.KINDS.index(one.kind))
    return batches.Result(DIFFERS, {"gravest": told[0].kind, "found": [_public(one) for one in told]})


def _beside(held: Held, edition: Edition) -> dict[str, str] | None:
    """The tasks that an instance met, with their process, where every diagram that it walked, every table and every datum is the same in the draft; else None."""
    then, now = held.edition, edition
    seen = bpmn.inspect(then.definitions, held.state)
    walked = {*seen.done_in, *seen.active_in}
    if not all(process in now.definitions.processes and then.definitions.diagram(process) == now.definitions.diagram(process) for process in walked):
        return None
    if _shared(then) != _shared(now):
        return None
    met = seen.done | seen.active
    return {task.node: task.process for task in then.definitions.tasks if task.process in walked and task.node in met}


def _shared(edition: Edition) -> dict[str, bytes]:
    """What every diagram of an edition counts on."""
    return {path: content for path, content in edition.files.items() if path.endswith(".dmn") or path.startswith("forms/dictionary/")}


def side(edition: Edition) -> rehearsal.Side:
    """An edition as a rehearsal takes it."""
    may_ask = {form: tuple(one.field for section in definition.sections for one in section.ask) for form, definition in edition.forms.items()}
    return rehearsal.Side(edition.definitions, {form: _asked(definition) for form, definition in edition.forms.items()}, may_ask)


def _asked(definition: FormDefinition) -> tuple[str, ...]:
    """The fields that a form always asks: what a condition may spare her is not counted against a draft."""
    return tuple(dict.fromkeys(one.field for section in definition.sections for one in section.ask if one.when is None))


def _public(one: rehearsal.Difference) -> dict[str, Any]:
    return {name: value for name, value in asdict(one).items() if value}


def _groups(session: Session, actor: Any, batch: batches.Batch, edition: Edition) -> tuple[Group, ...]:
    found = []
    for row in session.execute(_GROUPS, {"id": batch.batch_id, "most": MOST_NAMED}):
        what = row.what
        fields = tuple(what.get("fields", ()))
        weighed = {*(fields if what["kind"] in ("branch", "stops") else ()), *(field for one in row.after for field in one)}
        is_veiled = not _may_know(actor, edition, weighed)
        named = () if is_veiled else tuple(zip((number or "" for number in row.numbers), (identity.parse(one) for one in row.ids), strict=True))
        found.append(Group(what["kind"], what.get("process", ""), what["node"], tuple(what.get("then", ())), tuple(what.get("now", ())), fields, row.cases, named, is_veiled, dict(what.get("because", ()))))
    return tuple(sorted(found, key=lambda one: (rehearsal.KINDS.index(one.kind), -one.cases, one.node)))


def _may_know(actor: Any, edition: Edition, fields: Iterable[str]) -> bool:
    """Whether the reader may read, in every branch, all the facts that a branch weighs."""
    specs = (edition.dictionary.fields.get(".".join(name.split(".")[:2])) for name in fields)
    return all(authority.readable(actor, authority.classes_of(spec)) for spec in specs if spec is not None)


def _edition(session: Session, batch: batches.Batch) -> Edition:
    given = batch.parameters
    return _read.get(given["digest"], lambda: editions.of_files(batch.draft_id or batch.batch_id, editions.stored(session, given["files"])))


def lasts(batch: batches.Batch, now: dt.datetime) -> dt.timedelta | None:
    """How long a rehearsal under way will still take, from how long it took so far."""
    if batch.started_at is None or not batch.done or not batch.is_under_way:
        return None
    return (now - batch.started_at) / batch.done * (batch.total - batch.done)


