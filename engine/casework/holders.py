"""Whoever holds a receipt and, given in person, its second secret: what she may read of her own case and do to it without an account.

She sends a paper that is missing, withdraws a consent (at once), complains: by the same verbs and the same checks as from a desk, with the source `holder`. A wrong secret,
one that was never given and a receipt that does not exist look the same and take as long. What the receipt's code alone shows is `receipts`'.
"""

import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, BinaryIO
from uuid import UUID

from sqlalchemy import text
from sqlmodel import Session

from engine import clock, errors
from engine.actors import authority, signin, users
from engine.casework import agreements, editions, exceptions, pieces, receipts
from engine.casework.instances import Change, lock
from engine.casework.receipts import Receipt
from engine.database import Database
from engine.i18n import pick
from engine.identity import secret_token, token_digest
from forms import form as forms

DIGITS = 8  # typed on a telephone; with the limits below, six hundred years of trying
MOST_OF_ONE, MOST_FROM_ONE, MINUTES = 5, 20, 15  # tries in a quarter of an hour: of one receipt, from one address
MOST_UNKNOWN = 40  # codes that nothing has, from one address; a whole quarter may share one
MOST_EVER = 20  # wrong ones before a new secret must be asked for in person
OPEN_MINUTES = 30
MOST_PIECES = 20  # a day and case
COMPLAINT = "reclamation"
# What she asked for herself; of what is looked into about her (a fraud) her page says nothing.
_ASKED_BY_HER = ("dossier_aide", "reclamation", "recours", "droits", "retrait_consentement", "desistement", "reouverture", "transfert")
_DIGITS = str.maketrans("٠١٢٣٤٥٦٧٨٩۰۱۲۳۴۵۶۷۸۹", "01234567890123456789")
_LIMIT = text("SELECT pg_advisory_xact_lock(hashtextextended(:of_code, 0)), pg_advisory_xact_lock(hashtextextended(:of_address, 1))")
_COUNTED = text("SELECT masar_signin_failures(:of_code), masar_signin_failures(:of_address)")
_TRIED, _TRY = text("SELECT masar_signin_failures(:one)"), text("SELECT masar_note_signin_failure(:one)")
_COUNT = text("SELECT masar_note_signin_failure(:of_code), masar_note_signin_failure(:of_address)")
_TAKE_BACK = text("SELECT masar_take_back_signin_failure(:of_code), masar_take_back_signin_failure(:of_address)")
_DOOR = text("SELECT instance_id, secret_hash FROM masar_receipt_door(:code, :most)")
_FAILED = text("SELECT masar_receipt_failed(:case)")
_ENTER = text("SELECT masar_receipt_enter(:case, :digest, :minutes)")
_ENTERED = text("SELECT masar_receipt_entered(:digest)")
_LEAVE = text("SELECT masar_receipt_leave(:digest)")
_GIVE = text("SELECT masar_give_receipt_secret(:case, :hash)")
_CASE = text("SELECT instance_id, root_id, branch, receipt_code, is_kept, is_shared_operator, assigned FROM instance WHERE instance_id = :id AND root_id = instance_id")
_SECRET_GIVEN = text("SELECT given_at FROM receipt_secret WHERE instance_id = :id")
_OWN = text("""SELECT i.receipt_code, i.number, i.status, i.edition_id, i.opened_at,
                      (SELECT array_agg(f.field ORDER BY f.field) FROM fact f WHERE f.root_id = i.instance_id AND f.is_current AND f.field LIKE 'consentement.c_' AND f.value = 'true') AS agreed,
                      (SELECT jsonb_agg(jsonb_build_array(f.field, f.recorded_at) ORDER BY f.fact_id DESC) FROM fact f WHERE f.root_id = i.instance_id AND f.is_current AND f.field LIKE 'consentement.c_'
                          AND f.value = 'false' AND EXISTS (SELECT FROM fact o WHERE o.root_id = f.root_id AND o.subject = f.subject AND o.field = f.field AND o.value = 'true')) AS taken_back
                 FROM instance i WHERE i.instance_id = :id""")
_AWAITED = text("""
    SELECT w.opened_at, p.value AS pieces, r.value AS instalment, CASE WHEN r.value IS NULL THEN l.value #>> '{}' END AS until
      FROM wait w JOIN instance i USING (instance_id)
      LEFT JOIN fact p ON p.subject = i.subject AND p.field = 'aide.pieces_manquantes' AND p.is_current
      LEFT JOIN fact l ON l.subject = i.subject AND l.field = 'aide.pieces_limite_le' AND l.is_current
      LEFT JOIN fact r ON r.subject = i.subject AND r.field = 'aide.versement_rang' AND r.is_current
     WHERE i.root_id = :case AND w.kind = 'message' AND w.name = 'piece.recue' ORDER BY w.opened_at""")
_RUNNING_OUT = text("""SELECT l.piece, l.told_at, l.runs_out_at, (SELECT max(p.received_at) FROM received_piece p WHERE p.instance_id = :case AND p.piece = l.piece AND p.received_at > f.recorded_at) AS sent_at
                           FROM lapse l JOIN fact f USING (fact_id) WHERE l.root_id = :case AND l.awaits = 'person' AND l.told_at IS NOT NULL AND l.closed_at IS NULL
                          AND masar_still_lapses(l.fact_id) ORDER BY l.told_at""")
_SENT = text("SELECT piece, max(received_at) AS at FROM received_piece WHERE instance_id = :case GROUP BY piece")
_MINE = text("SELECT piece, received_at FROM received_piece p JOIN document d USING (document_id) WHERE p.instance_id = :case AND d.uploaded_by = :case ORDER BY received_at DESC LIMIT 30")
_TODAY = text("SELECT count(*) FROM received_piece WHERE instance_id = :case AND received_at > masar_now() - interval '1 day'")
_REQUESTS = text("""SELECT process, edition_id, opened_at, status FROM instance WHERE root_id = :case AND instance_id <> :case AND process = ANY (CAST(:which AS text[]))
                     ORDER BY opened_at DESC LIMIT 30""")
_LETTERS = text("""SELECT l.template, l.content -> 'titles' AS titles, l.produced_at, l.code, i.edition_id FROM letter l JOIN instance i USING (instance_id)
                    WHERE l.root_id = :case AND (i.subject NOT LIKE 'imprevu:%' OR i.process = ANY (CAST(:which AS text[]))) ORDER BY l.produced_at DESC, l.letter_id LIMIT 60""")
_GIVEN = (f"{COMPLAINT}.recue_le", f"{COMPLAINT}.canal")


@dataclass(frozen=True)
class Piece:
    """A paper that is awaited of her: `obtain` says where it is had; `sent_at` when she last sent one since it was asked; `is_renewal`: the one she gave runs out (`until`),
    and one that she sent in its place does not do."""

    code: str
    label: str
    obtain: str
    asked_at: datetime
    until: str
    sent_at: datetime | None
    is_renewal: bool = False


@dataclass(frozen=True)
class Request:
    """Something she asked for, when, and whether it is answered."""

    name: str
    at: datetime
    is_over: bool


@dataclass(frozen=True)
class Sent:
    """A letter that was written to her; by its code anybody who holds it may ask whether it is ours."""

    title: str
    at: datetime
    code: str


@dataclass(frozen=True)
class Page:
    """What her own page says. `others`: code and words of the papers that nobody awaits of her, which she may send all the same; `consents`: field, words and what follows without it,
    of those in force; `taken_back`: words of those that are no more, and since when; `complaint`: what a complaint asks of her, where one may be made; `signs_herself`: she is of age,
    and her guardian's consent is still to be followed by hers; `sent`: the papers that came from here, the latest first."""

    code: str
    case_number: str
    opened_at: datetime
    is_closed: bool
    receipt: Receipt
    pieces: tuple[Piece, ...]
    others: tuple[tuple[str, str], ...]
    requests: tuple[Request, ...]
    consents: tuple[tuple[str, str, str], ...]
    taken_back: tuple[tuple[str, datetime], ...]
    letters: tuple[Sent, ...]
    complaint: tuple[forms.Question, ...]
    signs_herself: bool = False
    sent: tuple[tuple[str, datetime], ...] = ()


# --- the secret, given in person ---


def give_secret(session: Session, actor: Any, case_id: UUID) -> tuple[str, str]:
    """A new second secret of the case's receipt, told once; returns the receipt's code and the secret. The former, and what it opened, end.

    Refuses: NotFound, Forbidden; `receipt.none` (Conflict). Records: `receipt.secret_given`.
    """
    row = session.execute(_CASE, {"id": case_id}).one_or_none()
    if row is None:
        raise errors.NotFound("case.not_found")
    authority.require(actor, "case.read", branch=row.branch, case=row)
    authority.require(actor, "receipt.open", branch=row.branch, case=row)
    held = lock(session, case_id)
    if held is None or not row.receipt_code:
        raise errors.Conflict("receipt.none")
    secret = "".join(secrets.choice("0123456789") for _ in range(DIGITS))
    change = Change(session, actor, held, held.now)
    change.note("receipt.secret_given", {})
    if not session.execute(_GIVE, {"case": case_id, "hash": users.PASSWORDS.hash(secret)}).scalar_one():
        raise errors.Conflict("receipt.none")
    change.write()
    return row.receipt_code, f"{secret[:4]} {secret[4:]}"


def secret_since(session: Session, case_id: UUID) -> datetime | None:
    """Since when the receipt of a case one reads has a second secret."""
    return session.execute(_SECRET_GIVEN, {"id": case_id}).scalar()


# --- by the code alone ---


def look_up(database: Database, code: str, address: str) -> Receipt | None:
    """Where the case of a receipt stands. Whoever tries code after code from one address is stopped, and told so for codes that exist too.

    Refuses: `receipt.too_many` (Conflict).
    """
    subject = {"one": f"\x01receipt look {_whence(address)}"}
    with database.reading(users.VISITOR) as session:
        if session.execute(_TRIED, subject).scalar_one() >= MOST_UNKNOWN:
            raise errors.Conflict("receipt.too_many", minutes=MINUTES)
        found = receipts.look_up(session, code)
    return found


def note_unknown(database: Database, address: str) -> None:
    """Counts a code that nothing has."""
    with database.unit_of_work(users.system()) as session:
        session.execute(_TRY, {"one": f"\x01receipt look {_whence(address)}"})


def _whence(address: str) -> str:
    """What is kept of an address, for a day."""
    return hashlib.sha256(f"{clock.system_now().date()} {address}".encode()).hexdigest()[:32]


# --- in and out ---


def enter(database: Database, code: str, secret: str, address: str) -> str:
    """The token of a short session of her own case. `address`: where she asks from, of which a digest is kept for a day.

    Refuses: `receipt.not_opened` (NotFound) whatever is wrong, `receipt.too_many` (Conflict) whether or not anything has this code.
    """
    subjects = {"of_code": f"\x01receipt {code[:12]}", "of_address": f"\x01receipt from {_whence(address)}"}
    with database.unit_of_work(users.system()) as session:  # counted before it is looked at: tries sent at once are counted one by one
        session.execute(_LIMIT, subjects)
        of_code, from_address = session.execute(_COUNTED, subjects).one()
        is_one_too_many = of_code >= MOST_OF_ONE or from_address >= MOST_FROM_ONE
        if not is_one_too_many:
            session.execute(_COUNT, subjects)
    if is_one_too_many:
        raise errors.Conflict("receipt.too_many", minutes=MINUTES)
    with database.reading(users.system()) as session:
        door = session.execute(_DOOR, {"code": code, "most": MOST_EVER}).one_or_none()
    typed = "".join(one for one in secret.translate(_DIGITS) if one.isalnum())[:64]
    is_right = users.PASSWORDS.verify(typed, door.secret_hash if door else signin.NOBODYS)
    if door is None or not is_right:
        if door is not None:
            with database.unit_of_work(users.system()) as session:
                session.execute(_FAILED, {"case": door.instance_id})
        raise errors.NotFound("receipt.not_opened")
    token = secret_token()
    with database.unit_of_work(users.system()) as session:
        session.execute(_ENTER, {"case": door.instance_id, "digest": token_digest(token), "minutes": OPEN_MINUTES})
        session.execute(_TAKE_BACK, subjects)
    return token


def entered(database: Database, token: str) -> UUID:
    """Whose case a token opens. Refuses: `receipt.not_opened` (NotFound)."""
    found = next(iter(database.glance(_ENTERED, {"digest": token_digest(token)})), None) if token else None
    if found is None or found[0] is None:
        raise errors.NotFound("receipt.not_opened")
    return found[0]


def code_of(database: Database, case_id: UUID) -> str:
    """The receipt's code of an opened case."""
    with database.reading(users.holder(case_id)) as session:
        return session.execute(_OWN, {"id": case_id}).one().receipt_code


def leave(database: Database, token: str) -> None:
    """The token opens nothing any more."""
    with database.unit_of_work(users.system()) as session:
        session.execute(_LEAVE, {"digest": token_digest(token)})


# --- what she reads and does ---


def page(database: Database, case_id: UUID, language: str) -> Page:
    """Her own page."""
    with database.reading(users.holder(case_id)) as session:
        row = session.execute(_OWN, {"id": case_id}).one()
        edition, found = editions.load(session, row.edition_id), receipts.look_up(session, row.receipt_code)
        fields = edition.dictionary.fields
        assert found is not None
        requests = tuple(Request(pick(editions.load(session, one.edition_id).definitions.processes[one.process].names, language), one.opened_at, one.status == "ended")
                         for one in session.execute(_REQUESTS, {"case": case_id, "which": list(_ASKED_BY_HER)}))  # fmt: skip
        may_withdraw = agreements.FORMS["withdraw"] in editions.current(session).forms
        consents = tuple((name, pick(fields[name].label, language), pick(fields[name].help, language)) for name in row.agreed or () if name in fields and may_withdraw)
        taken_back = tuple((pick(fields[name].label, language), datetime.fromisoformat(at)) for name, at in row.taken_back or () if name in fields)
        awaited = _pieces(session, case_id, edition, language)
        others = () if row.status == "ended" else tuple((code, pick(one["label"], language)) for code, one in _hers(edition).items() if code not in {piece.code for piece in awaited})
        return Page(row.receipt_code, row.number or "", row.opened_at, row.status == "ended", found, awaited, others, requests, consents, taken_back,
                    _letters(session, case_id, language), _complaint(session, case_id, language), any(not one.piece for one in session.execute(_RUNNING_OUT, {"case": case_id})),
                    tuple((pick(edition.dictionary.pieces.get(one.piece, {}).get("label"), language), one.received_at) for one in session.execute(_MINE, {"case": case_id})))  # fmt: skip


def send_piece(database: Database, case_id: UUID, piece: str, name: str, stream: BinaryIO) -> None:
    """A paper of hers becomes a document of the case, awaited or not; whoever waits for it goes on.

    Refuses: `receipt.piece_not_asked` (one that agencies write themselves, or any once the case is over), what `documents.upload` refuses (Invalid);
    `receipt.pieces_enough` (Conflict). Records: `piece.received`.
    """
    actor = users.holder(case_id)
    with database.unit_of_work(actor) as session:
        held = lock(session, case_id)
        if held is None or held.status == "ended" or piece not in (*_hers(held.edition), pieces.OTHER):
            raise errors.Invalid("receipt.piece_not_asked")
        if session.execute(_TODAY, {"case": case_id}).scalar_one() >= MOST_PIECES:
            raise errors.Conflict("receipt.pieces_enough", number=MOST_PIECES)
        pieces.send(session, actor, held, piece, name, stream)


def withdraw(database: Database, case_id: UUID, consents: list[str], words: str, key: str, language: str) -> None:
    """Withdraws consents: closed from the next reading on, as at a desk (`agreements`), for who she is was seen when the secret was handed to her. Refuses: `receipt.no_consent`,
    `consent.not_given`, `task.answers` (Invalid). Records: `consent.withdrawn`."""
    scopes = [name.removeprefix("consentement.") for name in dict.fromkeys(consents)]
    if not scopes:
        raise errors.Invalid("receipt.no_consent")
    said = {"consentement.retires": scopes, "consentement.retrait_canal": "en_ligne", **({"consentement.retrait_motif": words} if words.strip() else {})}
    actor = users.holder(case_id, language)
    with database.unit_of_work(actor) as session:
        agreements.withdraw(session, actor, case_id, said, key, is_typed=False)


def complain(database: Database, case_id: UUID, said: Mapping[str, Any], key: str, language: str) -> None:
    """A complaint (X6), as it would be taken down at a desk. Refuses: `task.answers` (Invalid, findings)."""
    kept = {name: value for name, value in said.items() if value not in (None, "")}
    _begin(database, case_id, COMPLAINT, kept, key, language)


def _begin(database: Database, case_id: UUID, process: str, said: Mapping[str, Any], key: str, language: str) -> None:
    actor = users.holder(case_id, language)
    with database.unit_of_work(actor) as session:
        today = clock.today(clock.now(session)).isoformat()
        exceptions.begin(session, actor, case_id, process, {f"{process}.recue_le": today, f"{process}.canal": "en_ligne", **said}, key, is_typed=False)


def _letters(session: Session, case_id: UUID, language: str) -> tuple[Sent, ...]:
    """What was written to her, the newest first: not what is between agencies, nor of what is looked into about her."""
    rows = session.execute(_LETTERS, {"case": case_id, "which": list(_ASKED_BY_HER)}).all()
    return tuple(Sent(pick(row.titles, language), row.produced_at, row.code) for row in rows
                 if (written := editions.load(session, row.edition_id).letters.get(row.template)) is not None and written.to_person)  # fmt: skip


def _complaint(session: Session, case_id: UUID, language: str) -> tuple[forms.Question, ...]:
    """What the pathway asks of a complaint, but for what is known of one made here: the day and the way it came."""
    try:
        asked = exceptions.ask(session, users.holder(case_id, language), case_id, COMPLAINT).form
    except errors.Refusal:
        return ()
    return tuple(one for one in asked.questions() if one.spec.id not in _GIVEN)


def _pieces(session: Session, case_id: UUID, edition: Any, language: str) -> tuple[Piece, ...]:
    """What is awaited of her, each paper once, the longest asked first."""
    sent = {row.piece: row.at for row in session.execute(_SENT, {"case": case_id})}
    found: dict[str, Piece] = {}
    for row in session.execute(_AWAITED, {"case": case_id}):
        for code in pieces.of_wait(row.pieces, row.instalment):
            known = _hers(edition).get(code)
            if known is None or code in found:
                continue
            at = sent.get(code)
            found[code] = Piece(code, pick(known["label"], language), pick(known.get("obtain"), language), row.opened_at, row.until or "", at if at and at >= row.opened_at else None)
    for row in session.execute(_RUNNING_OUT, {"case": case_id}):
        if row.piece in _hers(edition) and row.piece not in found:
            known = _hers(edition)[row.piece]
            found[row.piece] = Piece(row.piece, pick(known["label"], language), pick(known.get("obtain"), language), row.told_at, clock.today(row.runs_out_at).isoformat(), row.sent_at, is_renewal=True)
    return tuple(found.values())


def _hers(edition: Any) -> dict[str, Mapping[str, Any]]:
    """The papers that are hers to bring: not those that an agency writes."""
    return {code: one for code, one in edition.dictionary.pieces.items() if not one.get("produced_by")}
