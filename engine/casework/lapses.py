"""What runs out by the calendar alone: a paper that a task under way or an open aid still needs; what a guardian signed, on the day the person is of age.

Each is looked at from so many days before on as a person is given to bring a paper, once a day, and on the day itself. The first time that it is needed whoever answers for it is told, once, and it
stands among what the case waits for (`cases.waiting`, the receipt) until another takes its place or nothing needs it any more. A row of a list has no validity of its own: it is judged with its list.
Not here: the paper that comes (`pieces`), the consent that she signs herself (`agreements`).
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlmodel import Session

from engine import clock
from engine.actors import authority, users
from engine.casework import editions, notices, tasks
from engine.casework.instances import Change, Held, dated_scope, find, lock
from engine.dossier import facts, programmes
from forms import form as forms
from forms.scope import on_the_day

GUARDIAN, BIRTH, MINOR = "consentement.signature_tuteur", "person.naissance_date", "person.mineur"
REQUIRED, COMPLETE = "D8_exigees", "D8"  # what an aid's level requires, and what of it is missing
_SIGNED = "aide.contrat_signe_le"
_OF_AGE = """((substr((jsonb_build_array(b.value) ->> 0) || '-01-01', 1, 10)::date - 1 + make_interval(years => :age)) + interval '1 day') AT TIME ZONE 'Africa/Tunis'"""
_OF_CASE = "i.root_id = i.instance_id AND i.process = 'parcours' AND i.status = 'open' AND i.suspended_at IS NULL"
_RUNNING = f"""SELECT f.fact_id, f.field, i.instance_id AS root_id, f.valid_until AS at FROM fact f JOIN instance i ON {_OF_CASE} AND i.instance_id = CASE WHEN f.subject LIKE 'person:%' THEN
                      (SELECT o.instance_id FROM instance o WHERE o.person_id = f.person_id AND o.root_id = o.instance_id AND o.process = 'parcours' AND o.status = 'open' LIMIT 1) ELSE f.root_id END
                WHERE f.is_current AND f.status = 'known' AND f.field = ANY (CAST(:papers AS text[])) {{}}
               UNION ALL SELECT f.fact_id, f.field, i.instance_id, {_OF_AGE} FROM fact f JOIN instance i ON {_OF_CASE} AND i.instance_id = f.root_id
                 JOIN fact b ON b.person_id = i.person_id AND b.subject = 'person:' || i.person_id AND b.field = '{BIRTH}' AND b.is_current AND b.status = 'known'
                WHERE f.is_current AND f.status = 'known' AND f.field = '{GUARDIAN}'
                  AND NOT EXISTS (SELECT FROM fact s WHERE s.root_id = f.root_id AND s.field = 'consentement.signature' AND s.is_current AND s.status = 'known' AND s.fact_id > f.fact_id)"""
# From when on one is looked at, until it has run out: a signature on the day, a paper so many days before.
_FROM = f"r.at - CASE WHEN r.field = '{GUARDIAN}' THEN interval '0' ELSE make_interval(days => :before) END"
_AGAIN = "l.looked_at < masar_now() - interval '1 day'"
_DUE = text(f"""SELECT fact_id, root_id FROM (
        SELECT r.fact_id, r.root_id FROM ({_RUNNING.format("AND f.valid_until <= masar_now() + make_interval(days => :before)")}) r LEFT JOIN lapse l USING (fact_id)
         WHERE CASE WHEN r.field = '{GUARDIAN}' THEN r.at <= masar_now() AND (l.fact_id IS NULL OR ((l.told_at IS NULL OR l.closed_at IS NOT NULL) AND {_AGAIN}))
               ELSE r.at > masar_now() - interval '60 days' AND (l.fact_id IS NULL OR (l.told_at IS NULL AND l.looked_at < r.at AND ({_AGAIN} OR r.at <= masar_now()))) END
        UNION SELECT l.fact_id, l.root_id FROM lapse l WHERE l.told_at IS NOT NULL AND l.closed_at IS NULL AND {_AGAIN}) x
     WHERE fact_id || ' ' || root_id <> ALL (CAST(:but AS text[])) ORDER BY fact_id LIMIT :limit""")
_NEXT = text(f"""SELECT min(CASE WHEN {_FROM} > masar_now() THEN {_FROM} ELSE r.at END) FROM ({_RUNNING.format("")}) r LEFT JOIN lapse l USING (fact_id) WHERE r.at > masar_now() AND l.told_at IS NULL""")
_ONE = text(f"""SELECT f.fact_id, f.subject, f.field, f.class, f.author_agency, f.is_current, r.at, l.told_at, l.closed_at FROM fact f LEFT JOIN ({_RUNNING.format("AND f.fact_id = :fact")}) r ON r.fact_id = f.fact_id AND r.root_id = :root
                   LEFT JOIN lapse l ON l.fact_id = f.fact_id WHERE f.fact_id = :fact""")
_KEEP = text("""INSERT INTO lapse AS l (fact_id, root_id, piece, awaits, runs_out_at, needed_by, looked_at, told_at) VALUES (:fact, :root, :piece, :awaits, :at, CAST(:by AS uuid[]), :now, :told)
                ON CONFLICT (fact_id) DO UPDATE SET needed_by = excluded.needed_by, looked_at = excluded.looked_at, told_at = coalesce(excluded.told_at, l.told_at),
                   closed_at = CASE WHEN excluded.told_at IS NULL THEN l.closed_at END""")
_CLOSE = text("UPDATE lapse SET closed_at = :now, looked_at = :now WHERE fact_id = :fact AND closed_at IS NULL")
_STILL = text("SELECT masar_still_lapses(:fact)")
_END_SECRET = text("SELECT masar_end_receipt_secret(:case)")
_STAND_IN = text("SELECT masar_stand_in_of(:holder)")
_TASKS = text("""SELECT t.task_id, t.form, t.subjects, t.holder_id, i.edition_id, i.root_id, i.person_id, i.scope, i.opened_at, masar_now() AS now, (SELECT dated_version FROM installation) AS dated_version
                   FROM open_task t JOIN instance i USING (instance_id) WHERE t.root_id = :root""")
_AIDS = text("SELECT instance_id FROM instance WHERE root_id = :root AND process = 'dossier_aide' AND status = 'open'")


def due(session: Session, limit: int = 500, but: Sequence[str] = ()) -> list[tuple[str, str]]:
    """What is to be looked at: fact and case. `but`: those ("fact case") that somebody sees to already."""
    return [(str(row.fact_id), str(row.root_id)) for row in session.execute(_DUE, {"limit": limit, "but": list(but), **_asked(session)})]


def next_at(session: Session) -> Any:
    """The next instant at which one is looked at for the first time, or runs out; None where there is none."""
    return session.execute(_NEXT, _asked(session)).scalar()


def _asked(session: Session) -> dict[str, Any]:
    """The papers that run out, with the dated data that says when one is looked at."""
    told, edition = programmes.of_today(session)[1]["parametres"], editions.current_or_none(session)  # where nothing was published yet nothing runs out
    fields = edition.dictionary.fields.values() if edition else ()
    return {"papers": [one.id for one in fields if one.runs_out], "before": int(told.get("delai_pieces_jours") or 0), "age": int(told.get("age_majorite") or 18)}


def look(session: Session, fact_id: int, root_id: UUID) -> bool:
    """Looks at one of them: tells of it where it is needed now, ends it where it is no more. Records: `piece.lapses`, `consent.of_age`."""
    held = lock(session, root_id)
    row = session.execute(_ONE, {"fact": fact_id, "root": root_id, **_asked(session)}).one_or_none()
    if held is None or row is None:
        return False
    needs = _needs(session, held, row) if row.at is not None and row.is_current else ()
    is_told = row.told_at is not None and row.closed_at is None
    if is_told and not (needs and session.execute(_STILL, {"fact": fact_id}).scalar()):
        session.execute(_CLOSE, {"fact": fact_id, "now": held.now})
        return True
    if row.at is None:
        return False
    piece, awaits = _paper(held, row)
    tells = bool(needs) and not is_told
    session.execute(_KEEP, {"fact": fact_id, "root": root_id, "piece": piece, "awaits": awaits, "at": row.at, "by": [str(one) for one, _ in needs], "now": held.now, "told": held.now if tells else None})
    if tells:
        _tell(Change(session, users.system(), held, held.now), row, [holder for _, holder in needs])
    return True


def _paper(held: Held, row: Any) -> tuple[str, str]:
    """Which paper it is ("" of a signature), and of whom another is awaited: the person, or the agency that makes it."""
    spec = held.edition.dictionary.fields.get(row.field)
    piece = spec.piece if spec is not None else ""
    return piece, held.edition.dictionary.pieces.get(piece, {}).get("produced_by") or "person"


def _tell(change: Change, row: Any, holders: Sequence[UUID | None]) -> None:
    """Tells whoever answers for it that it runs out; of a signature, that she signs herself: what was handed to her guardian opens her page no more."""
    kind = "consent.of_age" if row.field == GUARDIAN else "piece.lapses"
    change.note(kind, {})
    tell(change, kind, row._mapping["class"], row.author_agency, holders)
    if kind == "consent.of_age":
        change.session.execute(_END_SECRET, {"case": change.held.root_id})
    change.write()


def tell(change: Change, code: str, field_class: str, author_agency: str = "", besides: Sequence[UUID | None] = ()) -> None:
    """Leaves a notice for the case owner, the social worker and those `besides`, and for who stands in for one of them: as far as they may know an answer of that class."""
    session, held = change.session, change.held
    named = [one for one in dict.fromkeys([held.referent_id, held.social_worker_id, *besides]) if one is not None]
    instead = [session.execute(_STAND_IN, {"holder": one}).scalar() for one in named]
    for user_id in dict.fromkeys([*named, *instead]):
        actor = users.find(session, user_id) if user_id else None
        if actor and authority.may(actor, "case.read", branch=held.branch, case=held) and authority.readable(actor, field_class, author_agency, held):
            notices.tell(session, change.actor, actor.user_id, code, held.branch, instance_id=held.root_id)


def _needs(session: Session, held: Held, row: Any) -> Sequence[tuple[UUID, UUID | None]]:
    """What needs it, each with who has it in hand: the case itself, of a signature of whoever is of age."""
    if row.field == GUARDIAN:
        return () if _is_minor(session, held) else ((held.root_id, None),)
    found: list[tuple[UUID, UUID | None]] = [(task.task_id, task.holder_id) for task in session.execute(_TASKS, {"root": held.root_id}) if _is_asked(session, task, row)]
    return (*found, *((aid, None) for aid in session.execute(_AIDS, {"root": held.root_id}).scalars() if _is_required(session, aid, row)))


def _is_minor(session: Session, held: Held) -> bool:
    known = {one.field: one.value for one in facts.snapshot(session, held.subjects, [BIRTH]) if one.status == "known"}
    spec = held.edition.dictionary.fields.get(MINOR)
    return spec is not None and on_the_day(spec, known, held.edition.dictionary, clock.today(held.now)) is True


def _is_asked(session: Session, task: Any, row: Any) -> bool:
    """Whether the form of a task would ask for it, were it run out."""
    edition = editions.load(session, task.edition_id)
    definition = edition.forms.get(task.form)
    subjects = facts.Subjects(task.root_id, task.person_id, task.scope).narrowed(task.subjects)
    if definition is None or row.field not in definition.field_ids or subjects.key(edition.dictionary.fields[row.field].subject) != row.subject:
        return False
    known = tasks.as_known(facts.snapshot(session, subjects, forms.field_ids(definition)), subjects, definition, edition)
    if row.field in known:
        known[row.field] = replace(known[row.field], valid_until=task.now)
    today = clock.today(task.now)
    around = {**dated_scope(session, task, today), "dossier": {"ouvert_le": clock.today(task.opened_at)}}
    asked = forms.ask(definition, known, lambda *_: True, lambda _: True, today, "fr", around)
    return any(one.spec.id == row.field and one.visible for one in asked.questions())


def _is_required(session: Session, aid_id: UUID, row: Any) -> bool:
    """Whether an aid whose contract is not signed would lack it."""
    held = find(session, aid_id)
    assert held is not None
    scope, definitions = scope_of(Change(session, users.system(), held, held.now), row.fact_id), held.edition.definitions
    if COMPLETE not in definitions.decisions or scope.get("aide", {}).get("contrat_signe_le"):
        return False
    answer = definitions.decide(COMPLETE, scope).outputs
    piece = held.edition.dictionary.fields[row.field].piece
    return any(one["piece"] == piece for one in answer.get("manquantes") or ())


def scope_of(change: Change, without: int = 0) -> dict[str, Any]:
    """What the tables of an aid's own diagram read: the case, its measure and the aid, and the day its contract was signed. `without`: a fact that is left out."""
    held = change.held
    change.known = [one for one in change.know(held.subjects, {*held.edition.reads, _SIGNED}) if one.fact_id != without]
    tree = change.snapshot()
    own = [tree.get(held.subjects.key(kind) or "", {}) for kind in ("measure", "aid")]
    return {**tree["case"], **own[0], **own[1], "today": clock.today(change.at), "now": change.at}
