"""Doubles: a person of the registry, who may be the same as she, two looked at side by side, and that they are not the same, remembered with the reason.

A person is shown by her cases; those of branches out of reach by their number alone. Making two persons one is `mergers`'.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlmodel import Session

from engine import clock, errors
from engine.actors import authority
from engine.casework import editions, staff
from engine.casework.instances import Change, Held, lock
from engine.dossier import beneficiaries, facts
from engine.i18n import pick
from engine.ledger import access
from forms import text as words

_CASE = text("""SELECT i.instance_id, i.person_id, i.number, i.branch, i.status, i.process, i.opened_at, i.ended_at, i.stage, i.is_kept, i.is_shared, i.is_shared_funder, i.is_shared_operator,
                       i.assigned, i.social_worker_id FROM instance i WHERE i.instance_id = :id AND i.root_id = i.instance_id AND i.person_id IS NOT NULL""")
_CASES = text("""SELECT instance_id AS case_id, number, branch, status, process, opened_at, ended_at, stage, is_shared FROM instance
                  WHERE person_id = :person AND root_id = instance_id ORDER BY status = 'ended', opened_at DESC""")
_APART = text("""SELECT t.one, t.other, t.decided_by, t.decided_at, t.instance_id, t.seq, s.person_id, s.ciphertext FROM told_apart t
                   LEFT JOIN ledger_sealed s ON s.instance_id = t.instance_id AND s.seq = t.seq WHERE t.one = :one AND t.other = :other""")
_TELL = text("""INSERT INTO told_apart (one, other, decided_by, decided_at, instance_id, seq) VALUES (:one, :other, :by, :at, :instance, :seq)
                ON CONFLICT DO NOTHING""")
_DECISION, _MOTIVE = "accueil.doublon_decision", "accueil.doublon_motif"


@dataclass(frozen=True)
class Said:
    """One thing known of a person: `value` in words; `source` its kind, `label` what it names."""

    field: str
    label: str
    value: str
    source: str
    source_label: str
    recorded_at: Any
    author: str
    author_agency: str


@dataclass(frozen=True)
class Person:
    """Somebody of the registry, by one of her cases. `members`: her household, each as what is known of them; `is_minor`: None where her birth is not known."""

    person_id: UUID
    case_id: UUID
    name: str
    is_minor: bool | None
    cases: tuple[Any, ...]
    known: tuple[Said, ...]
    members: tuple[Mapping[str, Any], ...]


@dataclass(frozen=True)
class Row:
    """One field of two persons side by side. `agree`: `same`, `alike` (a name in another spelling), `differ`, or `alone` (known of one of them)."""

    field: str
    label: str
    mine: Said | None
    other: Said | None
    agree: str


@dataclass(frozen=True)
class Apart:
    """That two persons are not the same: who said so, when, and why ("" where it is no longer readable)."""

    who: str
    at: Any
    reason: str


@dataclass(frozen=True)
class Beside:
    """Two persons side by side."""

    mine: Person
    other: Person
    rows: tuple[Row, ...]
    apart: Apart | None


def person(session: Session, actor: Any, case_id: UUID) -> Person:
    """The person of a case, as far as the reader may see. Refuses: NotFound (absent, or not hers to know)."""
    row = _case(session, actor, case_id)
    dictionary, today = editions.current(session).dictionary, clock.today(clock.now(session))
    known = facts.readable(session, facts.Subjects(row.instance_id, row.person_id))
    subject = f"person:{row.person_id}"
    authors = staff.authors(session, actor.language, known)
    values = {one.field: one.value for one in known if one.subject == subject and one.status == "known"}
    said = tuple(
        Said(one.field, pick(dictionary.fields[one.field].label, actor.language), _worded(dictionary.fields[one.field], one, actor.language),
             "computed" if dictionary.fields[one.field].computed is not None else one.source.get("kind", ""), one.source.get("label", ""), one.recorded_at,
             authors.get(str(one.author_id), one.author_name), one.author_agency)
        for one in sorted(known, key=lambda one: list(dictionary.fields).index(one.field) if one.field in dictionary.fields else 0)
        if one.subject == subject and one.field in dictionary.fields and dictionary.fields[one.field].type not in ("doc", "signature")
    )  # fmt: skip
    birth = str(values.get("person.naissance_date") or "")
    return Person(row.person_id, row.instance_id, beneficiaries.full_name(values, actor.language), _is_minor(birth, today),
                  tuple(session.execute(_CASES, {"person": row.person_id})), said, _members(known, dictionary, actor.language, today))  # fmt: skip


def suspected(session: Session, actor: Any, case_id: UUID) -> list[beneficiaries.Match]:
    """Who may be the same person, the likeliest first, whoever shares a phone last; not those whom somebody told apart."""
    row = _case(session, actor, case_id)
    authority.require(actor, "person.compare", branch=row.branch)
    return beneficiaries.matches(session, identity(session, row.instance_id, row.person_id), besides=row.person_id, with_phones=True)


def member_of(session: Session, actor: Any, case_id: UUID) -> list[beneficiaries.Match]:
    """In whose household somebody of her first name and day of birth was said to be."""
    row = _case(session, actor, case_id)
    authority.require(actor, "person.compare", branch=row.branch)
    return beneficiaries.households(session, identity(session, row.instance_id, row.person_id), besides=row.person_id)


def reached(session: Session, case_ids: Sequence[UUID]) -> Sequence[Any]:
    """Those of these cases that the reader reaches: of the others she is told their number alone."""
    return session.execute(text("SELECT instance_id AS case_id, branch FROM instance WHERE instance_id = ANY (CAST(:ids AS uuid[]))"), {"ids": list(case_ids)}).all()


def beside(session: Session, actor: Any, case_id: UUID, other_id: UUID) -> Beside:
    """Two persons side by side, by a case of each. Refuses: NotFound (either is not hers to know); `double.same` (they are one already)."""
    mine, other = person(session, actor, case_id), person(session, actor, other_id)
    authority.require(actor, "person.compare")
    if mine.person_id == other.person_id:
        raise errors.Conflict("double.same")
    of_mine, of_other = ({one.field: one for one in side.known} for side in (mine, other))
    fields = [*of_mine, *(field for field in of_other if field not in of_mine)]
    rows = tuple(Row(field, (of_mine.get(field) or of_other[field]).label, of_mine.get(field), of_other.get(field), _agree(field, of_mine.get(field), of_other.get(field)))
                 for field in fields)  # fmt: skip
    return Beside(mine, other, rows, _apart(session, actor, mine.person_id, other.person_id))


def tell_apart(session: Session, actor: Any, case_id: UUID, other_id: UUID, reason: str) -> None:
    """Remembers that two persons are not the same: neither is told to be a double of the other again.

    Refuses: NotFound; `beneficiary.reason_needed`, `double.same`. Records: `person.told_apart` in a case of each.
    """
    rows = [_case(session, actor, one) for one in (case_id, other_id)]
    for row in rows:
        authority.require(actor, "person.tell_apart", branch=row.branch)
    if rows[0].person_id == rows[1].person_id:
        raise errors.Conflict("double.same")
    if not reason.strip():
        raise errors.Invalid("beneficiary.reason_needed")
    first = 0
    for row, than in sorted(zip(rows, rows[::-1], strict=True), key=lambda pair: pair[0].instance_id):  # locked in one order
        seq = note(session, actor, row.instance_id, "person.told_apart", {"other": str(than.instance_id), "number": than.number or ""}, reason.strip()[:1000])
        first = seq if row is rows[0] else first
    _remember(session, actor, rows[0].person_id, rows[1].person_id, rows[0].instance_id, first)


def heard(session: Session, actor: Any, held: Any, seq: int, new: Sequence[facts.NewFact]) -> None:
    """What the head of the branch answered (T108) is remembered too: whoever was taken for a double is not told to be one again. `seq`: the line that tells of it."""
    if held.person_id is None or not any(one.field == _DECISION and one.value == "personne_differente" for one in new):
        return
    for one in beneficiaries.matches(session, identity(session, held.root_id, held.person_id), besides=held.person_id):
        _remember(session, actor, held.person_id, one.person_id, held.instance_id, seq)


def note(session: Session, actor: Any, case_id: UUID, kind: str, body: Mapping[str, Any], reason: str = "") -> int:
    """A line of a case that its diagram does not see; says its number. The case may have ended: its row but for the ledger stays."""
    held = lock(session, case_id)
    if held is None:
        raise errors.NotFound("case.not_found")
    change = Change(session, actor, held, held.now)
    change.note(kind, body, reason=reason)
    session.execute(text("UPDATE instance SET seq = :seq, head = :head WHERE instance_id = :id"), {"id": case_id, "seq": held.seq, "head": held.head})
    return held.seq


def identity(session: Session, root_id: UUID, person_id: UUID) -> dict[str, Any]:
    """What a person is found by, whoever asks."""
    told = facts.snapshot(session, facts.Subjects(root_id, person_id), beneficiaries.IDENTITY_FIELDS)
    return {one.field: one.value for one in told if one.subject == f"person:{person_id}" and one.status == "known"}


def _case(session: Session, actor: Any, case_id: UUID) -> Any:
    row = session.execute(_CASE, {"id": case_id}).one_or_none()
    if row is None:
        raise errors.NotFound("case.not_found")
    authority.require(actor, "case.read", branch=row.branch, case=row)
    return row


def _remember(session: Session, actor: Any, one: UUID, other: UUID, instance_id: UUID, seq: int) -> None:
    first, second = sorted((one, other))
    session.execute(_TELL, {"one": first, "other": second, "by": actor.user_id, "at": clock.now(session), "instance": instance_id, "seq": seq})


def _apart(session: Session, actor: Any, one: UUID, other: UUID) -> Apart | None:
    first, second = sorted((one, other))
    row = session.execute(_APART, {"one": first, "other": second}).one_or_none()
    if row is None:
        return None
    opened = access.open_line(session, row.instance_id, row.seq, row.person_id, row.ciphertext) if row.ciphertext else {}
    reason = opened.get("reason") or next((one["value"] for key, one in opened.items() if key.endswith(f"|{_MOTIVE}")), "")
    return Apart(staff.names(session, actor.language, [row.decided_by]).get(str(row.decided_by), ""), row.decided_at, reason if isinstance(reason, str) else "")


def _agree(field: str, mine: Said | None, other: Said | None) -> str:
    if mine is None or other is None:
        return "alone"
    if beneficiaries.fold(mine.value) == beneficiaries.fold(other.value):
        return "same"
    is_alike = field in beneficiaries.NAME_FIELDS and beneficiaries.skeleton(mine.value) == beneficiaries.skeleton(other.value) != ""
    return "alike" if is_alike else "differ"


def _worded(spec: Any, one: facts.Fact, language: str) -> str:
    return words.display(spec, one.value, language) if one.status == "known" else words.status(one.status, language)


def _members(known: Sequence[facts.Fact], dictionary: Any, language: str, today: Any) -> tuple[Mapping[str, Any], ...]:
    """The household as it was said last in her case, where it was: each member by what is known, and whether a minor."""
    by_member: dict[str, dict[str, facts.Fact]] = {}
    said_last = next((one.value or () for one in known if one.field == "foyer.membres"), None)
    for one in known:
        if one.subject.startswith("membre:") and one.status == "known" and one.field in dictionary.fields and (said_last is None or one.subject.removeprefix("membre:") in said_last):
            by_member.setdefault(one.subject, {})[one.field] = one
    return tuple(
        {"name": str(said["membre.prenom"].value) if "membre.prenom" in said else "",
         "said": tuple((pick(dictionary.fields[field].label, language), _worded(dictionary.fields[field], one, language)) for field, one in said.items() if field != "membre.prenom"),
         "is_minor": _is_minor(str(said["membre.naissance"].value) if "membre.naissance" in said else "", today)}
        for said in by_member.values()
    )  # fmt: skip


def _is_minor(birth: str, today: Any) -> bool | None:
    """Whether somebody is under eighteen; None where the birth is not known well enough to say."""
    if not birth[:4].isdigit():
        return None
    earliest, latest = f"{birth}-01-01"[:10] if len(birth) < 10 else birth, f"{birth}-12-31"[:10] if len(birth) == 4 else f"{birth}-28" if len(birth) == 7 else birth
    limit = f"{today.year - 18:04d}-{today.month:02d}-{today.day:02d}"
    return None if (earliest > limit) != (latest > limit) else earliest > limit


def check_identity(session: Session, held: Held, new: Sequence[facts.NewFact], raw: Mapping[str, Any]) -> tuple[str, list[beneficiaries.Match]]:
    """An identity just said is looked for among the known: a match must be looked at, or set aside with a reason, before the case goes on. That she may be a
    member of somebody's household is told once, and set aside without a word; whoever wrote that case as her parent's is told nothing.

    Returns the reason, and the signals that are said to be of this person: she has come.
    """
    values = {fact.field: fact.value for fact in new if fact.field in beneficiaries.IDENTITY_FIELDS and fact.status == "known"}
    if not values or held.person_id is None:
        return "", []
    found = beneficiaries.matches(session, values, besides=held.person_id)
    parents = next((fact.value for fact in new if fact.field == "accueil.dossier_parent"), None)
    known = [one for one in beneficiaries.households(session, values, besides=held.person_id)
             if held.process == "parcours" and one.case_number != parents and one.person_id not in {double.person_id for double in found}]  # fmt: skip
    aside, same = ({str(one) for one in raw.get(name) or ()} for name in ("not_duplicate_of", "same_as"))
    came = [one for one in found if one.is_expected and held.process == "parcours" and str(one.case_id) in same]
    left = [one for one in (*found, *known) if str(one.case_id) not in aside and one not in came]
    if left:
        raise errors.Conflict("beneficiary.possible_duplicate", candidates=[
            {"case_id": str(one.case_id), "case_number": one.case_number, "branch": one.branch, "status": one.status, "matched": list(one.kinds),
             "is_expected": one.is_expected and held.process == "parcours"} for one in left])  # fmt: skip
    reason = str(raw.get("not_duplicate_reason") or "").strip()
    if aside - {str(one.case_id) for one in known} and not reason:
        raise errors.Invalid("beneficiary.reason_needed")
    beneficiaries.remember(session, held.person_id, values)
    return reason, came
