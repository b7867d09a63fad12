"""What the person agreed to (§2.4): shown as she signed it, said anew with another signature, withdrawn scope by scope.

It is one object: the case's facts `consentement.*`, which F12 records first, each version kept. A withdrawal closes at once what it was for (`dossier.consents`), and begins
the diagram that hears `consentement.retire` (`withdrawals`). What was read lawfully before stays written in the case's consultations.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlmodel import Session

from engine import clock, errors
from engine.actors import authority
from engine.casework import editions, notices, staff, tasks, withdrawals
from engine.casework.instances import Change, Held, find, lock
from engine.dossier import beneficiaries, consents, documents, facts, programmes
from engine.i18n import pick
from engine.ledger import consultations
from forms import answers
from forms import form as forms
from forms import text as words

FORMS = {"sign": "f12", "withdraw": "f12r"}
_ACTS = {"sign": "consent.change", "withdraw": "consent.withdraw"}
_GROUP = "consentement."
_NAMED = {"lu_langue": "language", "lu_oralement": "is_oral", "temoin_nom": "witness", "signature": "signature", "signature_tuteur": "guardian", "doc": "document", "retrait_doc": "document",
          "refus_motif": "reason", "retrait_motif": "reason", "retrait_canal": "channel"}  # fmt: skip
_ROOT = text("""SELECT instance_id, root_id, process, branch, number, is_shared, is_shared_funder, is_shared_operator, is_kept, assigned, also_read_by, lent_to FROM instance
                 WHERE instance_id = :id AND root_id = instance_id""")
_SAID = text(f"""SELECT field, value, status, class, author_id, author_name, author_agency, recorded_at, instance_id, seq FROM {facts.EVERY} f
                 WHERE root_id = :root AND subject = 'case:' || :root AND field ^@ 'consentement.' ORDER BY fact_id""")
_OF_AGE = text("SELECT runs_out_at FROM lapse WHERE root_id = :root AND piece = '' AND told_at IS NOT NULL AND closed_at IS NULL AND masar_still_lapses(fact_id)")
_REPEATED = text("SELECT 1 FROM ledger_line WHERE instance_id = :id AND kind IN ('consent.signed', 'consent.withdrawn') AND line::jsonb -> 'body' ->> 'key' = :key LIMIT 1")


@dataclass(frozen=True)
class Scope:
    """One thing that she may agree to. `is_given`: None where it was never asked; `since`: when she last said so; `names`: who may know by it now, operators by their names."""

    code: str
    label: str
    about: str
    is_given: bool | None
    since: dt.datetime | None
    names: tuple[str, ...]
    is_withdrawn: bool = False


@dataclass(frozen=True)
class Said:
    """One time that she said something of it: to whom ("": by her receipt, to nobody), read in which language, with which signature; `guardian`: who signed for a minor. `given`, `refused`, `withdrawn`: codes of scopes."""

    at: dt.datetime
    to: str
    agency: str
    given: tuple[str, ...]
    refused: tuple[str, ...]
    withdrawn: tuple[str, ...]
    language: str = ""
    is_oral: bool | None = None
    witness: str = ""
    channel: str = ""
    reason: str = ""
    is_signed: bool = False
    guardian: str = ""
    document_id: str = ""


@dataclass(frozen=True)
class Agreement:
    """`said`: the latest first; `of_age_since`: where her guardian signed, since when she signs herself and did not yet."""

    case_id: UUID
    case_number: str
    person: str
    scopes: tuple[Scope, ...]
    said: tuple[Said, ...]
    may_change: bool
    of_age_since: dt.datetime | None = None


@dataclass(frozen=True)
class Asked:
    """The form of a new signature, or of a withdrawal."""

    case_id: UUID
    case_number: str
    act: str
    form: forms.Form


def of_case(session: Session, actor: Any, case_id: UUID) -> Agreement:
    """What the person agreed to and all that she ever said of it. Refuses: `case.not_found` (absent, or not hers to know)."""
    row = _root(session, actor, case_id, "consent.read")
    held = find(session, case_id)
    assert held is not None
    rows = session.execute(_SAID, {"root": str(case_id)}).all()
    consultations.note(session, case_id, "case", [one._mapping["class"] for one in rows])
    names = staff.names(session, actor.language, [*row.assigned, *(one.author_id for one in rows)])
    fields = editions.current(session).dictionary.fields
    persons = {one.field: one.value for one in facts.readable(session, held.subjects, beneficiaries.NAME_FIELDS)}
    may_change = authority.may(actor, "consent.change", branch=row.branch, case=row) and row.process == "parcours"
    return Agreement(case_id, row.number or "", beneficiaries.full_name(persons, actor.language), tuple(_scope(code, rows, fields, row, names, actor.language) for code in withdrawals.SCOPES),
                     tuple(reversed(_said(rows, fields, names, actor.language))), may_change, session.execute(_OF_AGE, {"root": case_id}).scalar())  # fmt: skip


def _scope(code: str, rows: Sequence[Any], fields: Mapping[str, Any], case: Any, names: Mapping[str, str], language: str) -> Scope:
    field, last = fields[_GROUP + code], next((one for one in reversed(rows) if one.field == _GROUP + code), None)
    told = tuple(names.get(str(one), "") for one in case.assigned) if code == "c3" and case.is_shared_operator else ()
    given = None if last is None else last.status == "known" and last.value is True
    stood = any(one.field == _GROUP + code and one.value is True for one in rows)
    return Scope(code, pick(field.label, language), pick(field.help, language) if field.help else "", given, last.recorded_at if last else None, told, stood and not given)


def _said(rows: Sequence[Any], fields: Mapping[str, Any], names: Mapping[str, str], language: str) -> list[Said]:
    acts: dict[tuple[Any, int], list[Any]] = {}
    for row in rows:
        acts.setdefault((row.instance_id, row.seq), []).append(row)
    found, stood = [], set()
    for act in acts.values():
        now = {one.field.removeprefix(_GROUP): one for one in act}
        yes = [code for code in withdrawals.SCOPES if code in now and now[code].status == "known" and now[code].value is True]
        no = [code for code in withdrawals.SCOPES if code in now and code not in yes]
        told: dict[str, Any] = {_NAMED[name]: _worded(fields[one.field], one, language) for name, one in now.items() if name in _NAMED and one.status == "known"}
        if yes or no:
            found.append(Said(act[0].recorded_at, names.get(str(act[0].author_id), act[0].author_name), act[0].author_agency, tuple(yes), tuple(one for one in no if one not in stood),
                              tuple(one for one in no if one in stood), told.get("language", ""), told.get("is_oral"), told.get("witness", ""), told.get("channel", ""),
                              told.get("reason", ""), bool(told.get("signature") or told.get("guardian")), told.get("guardian", ""), told.get("document", "")))  # fmt: skip
        stood = (stood | set(yes)) - set(no)
    return found


def _worded(field: Any, row: Any, language: str) -> Any:
    if field.type == "bool":
        return bool(row.value)
    if field.type == "signature":
        return row.value["name"]
    return str(row.value) if field.type == "doc" else words.display(field, row.value, language)


def ask(session: Session, actor: Any, case_id: UUID, act: str) -> Asked:
    """The form by which she signs anew (`sign`) or withdraws (`withdraw`). Refuses: `case.not_found`, Forbidden, `consent.nothing_given` (Conflict: nothing to withdraw)."""
    _root(session, actor, case_id, _ACTS[act])
    held = find(session, case_id)
    assert held is not None
    form = _form(session, actor, held, act)
    consultations.note(session, case_id, "task", [authority.classes_of(one.spec) for one in form.known if not one.is_hidden])
    return Asked(case_id, held.number or "", act, form)


def sign(session: Session, actor: Any, case_id: UUID, raw: Mapping[str, Any], key: str = "", *, is_typed: bool = True) -> None:
    """She signs anew: what she says of each scope takes the place of what she said. The same `key` twice is said once.

    Refuses: `case.not_found`, Forbidden; `task.answers` (Invalid, findings). Records: `consent.signed`.
    """
    held = _locked(session, actor, case_id, "sign")
    if key and session.execute(_REPEATED, {"id": case_id, "key": key}).scalar():
        return
    new, _ = _read(session, actor, held, "sign", raw, is_typed)
    stood = {one.field for one in facts.snapshot(session, held.subjects, [_GROUP + code for code in withdrawals.SCOPES]) if one.value is True}
    gone = [code for code in withdrawals.SCOPES if _GROUP + code in stood and any(one.field == _GROUP + code and one.value is not True for one in new)]
    _record(session, actor, held, "consent.signed", new, gone, key)


def withdraw(session: Session, actor: Any, case_id: UUID, raw: Mapping[str, Any], key: str = "", *, is_typed: bool = True) -> tuple[str, ...]:
    """She withdraws scopes that she had agreed to, at a desk or by her receipt and its secret; returns them. The same `key` twice withdraws once.

    Refuses: as `sign`; `consent.not_given` (Invalid) where none of what is withdrawn stands. Records: `consent.withdrawn`.
    """
    held = _locked(session, actor, case_id, "withdraw")
    if key and session.execute(_REPEATED, {"id": case_id, "key": key}).scalar():
        return ()
    said, values = _read(session, actor, held, "withdraw", raw, is_typed)
    wanted = set(values.get("consentement.retires") or ())
    known = facts.snapshot(session, held.subjects, [_GROUP + code for code in withdrawals.SCOPES])
    no = withdrawals.facts_of(held, known, wanted, values.get("consentement.retrait_motif") or "")
    gone = [one.field.removeprefix(_GROUP) for one in no]
    if not gone:
        raise errors.wrong("consent.not_given", "/consentement.retires")
    _record(session, actor, held, "consent.withdrawn", [*said, *no], gone, key)
    if actor.kind == "holder":
        notices.tell(session, actor, held.referent_id, "consent.withdrawn", held.branch, instance_id=held.instance_id)
    return tuple(gone)


def _record(session: Session, actor: Any, held: Held, kind: str, new: Sequence[facts.NewFact], gone: Sequence[str], key: str) -> None:
    if actor.kind == "holder":
        new = [replace(one, source={"kind": "holder"}) for one in new]
    change = Change(session, actor, held, held.now)
    consents.apply(held, new)
    documents.attach(session, actor, held.root_id, list(new), editions.current(session).dictionary.fields)
    if gone:
        change.send(withdrawals.MESSAGE, str(held.root_id), {"portees": list(gone)})
    change.note(kind, {"withdrawn": list(gone)} | ({"key": key} if key else {}), new)
    change.write()
    consents.keep(session, held, new)


def _root(session: Session, actor: Any, case_id: UUID, act: str) -> Any:
    row = session.execute(_ROOT, {"id": case_id}).one_or_none()
    if row is None:
        raise errors.NotFound("case.not_found")
    authority.require(actor, "case.read", branch=row.branch, case=row)
    authority.require(actor, act, branch=row.branch, case=row)
    return row


def _locked(session: Session, actor: Any, case_id: UUID, act: str) -> Held:
    _root(session, actor, case_id, _ACTS[act])
    held = lock(session, case_id)
    if held is None:  # hers to read for a while, not to change
        raise errors.Forbidden("act.forbidden", act=_ACTS[act])
    return held


def _form(session: Session, actor: Any, held: Held, act: str) -> forms.Form:
    """What is asked: of her consent itself nothing counts as known, since it is said anew."""
    edition = editions.current(session)
    definition = edition.forms.get(FORMS.get(act, ""))
    if definition is None or held.process != "parcours":
        raise errors.NotFound("consent.no_form")
    rows = [one for one in facts.snapshot(session, held.subjects, forms.field_ids(definition)) if not one.field.startswith(_GROUP)]
    known = tasks.as_known(rows, held.subjects, definition, edition, staff.authors(session, actor.language, rows))
    return forms.ask(definition, known, tasks.readable_by(actor, held, None), tasks.writable_by(actor), clock.today(held.now), actor.language, _around(session, held))


def _around(session: Session, held: Held) -> Mapping[str, Any]:
    return programmes.tables(session, held.dated_version, held.now).scope(clock.today(held.now))


def _read(session: Session, actor: Any, held: Held, act: str, raw: Mapping[str, Any], is_typed: bool) -> tuple[list[facts.NewFact], dict[str, Any]]:
    said = answers.read(_form(session, actor, held, act), dict(raw), actor.language, _around(session, held), is_typed=is_typed)
    if said.findings:
        raise errors.Invalid("task.answers", said.findings)
    return tasks.facts_said(said, held.subjects, editions.current(session), held), {name: one.value for name, one in said.values.items()}
