"""Operations on money, visits and sittings that diagrams ask for: funds committed, paid and released, instalments, follow-up dates.

Registered beside `operations`; each runs in the unit of work that reached it. Amounts are read in dinars and kept in millimes.
"""

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from sqlalchemy import text

from engine import clock, identity
from engine.actors import authority
from engine.casework import aids, operations
from engine.casework.instances import Change
from engine.casework.operations import CannotRun, Outcome
from engine.dossier import facts

# One statement each: two dossiers never commit the same dinar, the balance cannot go below nothing (the table's own check), and the movement stands beside what it moved.
_MOVED = """WITH moved AS (UPDATE fund SET {columns} WHERE programme = :programme AND {short} RETURNING available_millimes, paid_millimes)
            INSERT INTO fund_movement (programme, kind, amount_millimes, aid_id, instance_id, seq, moved_at)
            SELECT :programme, :kind, :amount, :aid, :instance, :seq, CAST(:at AS timestamptz) FROM moved RETURNING movement_id"""
_IS_THERE = "available_millimes >= :amount"


def _moving(columns: str, short: str = "true") -> Any:
    return text(_MOVED.format(columns=columns, short=short))


_MOVES = {
    "committed": _moving("available_millimes = available_millimes - :amount, engaged_millimes = engaged_millimes + :amount", _IS_THERE),
    "paid": _moving("engaged_millimes = engaged_millimes - :amount, paid_millimes = paid_millimes + :amount"),
    "advanced": _moving("available_millimes = available_millimes - :amount, paid_millimes = paid_millimes + :amount", _IS_THERE),
    "released": _moving("engaged_millimes = engaged_millimes - :amount, available_millimes = available_millimes + :amount"),
    "recovered": _moving("recovered_millimes = recovered_millimes + :amount, available_millimes = available_millimes + :amount"),
}
# The fund's row is the turnstile: who asks for its money asks one at a time, and in the order of the list.
_LOCK_FUND = text("SELECT 1 FROM fund WHERE programme = :programme FOR UPDATE")
_LINE_UP = text("INSERT INTO fund_waiting (aid_id, programme, instance_id, class, asked_on) VALUES (:aid, :programme, :instance, :class, :asked_on) ON CONFLICT DO NOTHING")
_FIRST = text("SELECT masar_first_in_line(:programme)")
_LEAVE_LINE = text("DELETE FROM fund_waiting WHERE aid_id = :aid")
_PAID, _LEFT, _BY_THE_RULES, _LEFT_WITH_HER = "aide.montant_paye", "aide.reste_a_rendre", "aide.programme_regle", "sortie.verse"
_BACK, _OF_PLAN, _KIND = "aide.rendu", "fraude.reste_du", "mesure.type"
_PAID_AIDS = text("""SELECT m.aid_id::text AS aid, sum(CASE WHEN m.kind = 'recovered' THEN -m.amount_millimes ELSE m.amount_millimes END)::bigint AS left FROM fund_movement m JOIN instance i USING (instance_id)
                      WHERE i.root_id = :root AND m.kind IN ('paid', 'advanced', 'recovered') GROUP BY m.aid_id HAVING sum(CASE WHEN m.kind = 'recovered' THEN -m.amount_millimes ELSE m.amount_millimes END) > 0
                     ORDER BY min(m.movement_id)""")
_HELD = text("SELECT payments_held FROM instance WHERE instance_id = :id")


@operations.operation("engager_fonds", "classe")
def commit_funds(change: Change, parameters: Mapping[str, Any], _subject: str) -> Outcome:
    """Commits what was granted, and is not committed yet, on its programme's fund: `fonds` is `engages`, or `insuffisants` and the aid stands in the programme's waiting list.

    The list is served by vulnerability class (`classe`), then by the day the aid was asked, then by arrival in the line: nobody is served before whoever stands ahead.
    """
    programme, granted = granted_of(change)
    aid_id, session, moved = _aid_id(change), change.session, _moved(change)
    due = granted - moved.committed + moved.released
    if due <= 0:  # a repair brought it here again
        return Outcome({"fonds": "engages", "engage": Decimal(0), "paye": Decimal(moved.paid) / 1000})
    session.execute(_LOCK_FUND, {"programme": programme})
    asked_on = aid_of(change).get("date_demande") or clock.today(change.at)
    session.execute(_LINE_UP, {"aid": aid_id, "programme": programme, "instance": change.held.instance_id, "class": int(parameters.get("classe") or 0), "asked_on": _day(asked_on)})
    row = False
    if str(session.execute(_FIRST, {"programme": programme}).scalar()) == aid_id:
        row = _move(change, programme, "committed", due)
    if row:
        session.execute(_LEAVE_LINE, {"aid": aid_id})
        _call_next(change, programme)
    return Outcome({"fonds": "engages" if row else "insuffisants", "engage": Decimal(due if row else 0) / 1000, "paye": Decimal(moved.paid) / 1000})


@operations.operation("verser_avance")
def pay_advance(change: Change, _parameters: Mapping[str, Any], _subject: str) -> Outcome:
    """Enters in its fund an emergency advance that was paid at once, and as the aid's only instalment."""
    programme, granted = granted_of(change)
    if _moved(change).paid < granted and not _move(change, programme, "advanced", granted):
        raise CannotRun("operation.no_fund")
    said = [operations.recorded(change, "aide.versement_rang", 1), operations.recorded(change, "aide.versement_montant", granted), *paid_so_far(change, granted)]
    return Outcome({"paye": Decimal(granted) / 1000}, said)


@operations.operation("fixer_niveau", "niveau")
def set_level(change: Change, parameters: Mapping[str, Any], _subject: str) -> Outcome:
    """Records the level that the measure asks its aid of (`niveau`), unless one is known: nobody is asked what the plan says already."""
    level, spec = parameters.get("niveau"), change.held.edition.dictionary.fields.get("aide.niveau")
    if level is None or change.snapshot().get(change.held.subjects.key("aid") or "", {}).get("aide", {}).get("niveau"):
        return Outcome()
    if spec is None or level not in spec.codes:
        raise CannotRun("operation.parameter")
    return Outcome({}, [operations.recorded(change, spec.id, level)])


@operations.operation("calculer_aide", "montant", "programme")
def propose_amount(change: Change, parameters: Mapping[str, Any], _subject: str) -> Outcome:
    """Records the amount that the rules give (`montant`, dinars) as the one proposed, and the programme of their best offer (`programme`); who examines the file may say otherwise."""
    amount, programme = millimes(parameters.get("montant")), parameters.get("programme")
    said = [operations.recorded(change, "aide.montant_propose", amount)] if amount > 0 else []
    if programme is not None and _BY_THE_RULES in change.held.edition.dictionary.fields:
        if programme not in [row["code"] for row in change.tables.programmes]:  # dated data: a programme begins without an edition
            raise CannotRun("operation.parameter")
        said.append(operations.recorded(change, _BY_THE_RULES, programme))
    return Outcome({"montant_regle": Decimal(amount) / 1000}, said)


@operations.operation("preparer_tranche", "k")
def open_instalment(change: Change, parameters: Mapping[str, Any], _subject: str) -> Outcome:
    """Opens instalment `k`: its rank and its amount by the programme's shares, the last one taking what remains."""
    rank = int(parameters.get("k") or 1)
    aid, case = aid_of(change), change.snapshot()["case"]
    shares = (case.get("parametres", {}).get("tranches") or {}).get(aid.get("niveau")) or [Decimal(100)]
    if rank > len(shares):
        raise CannotRun("operation.no_instalment")
    granted = millimes(aid.get("montant_accorde"))
    before = sum(int(granted * share / 100) for share in shares[: rank - 1])
    amount = granted - before if rank == len(shares) else int(granted * shares[rank - 1] / 100)
    said = [operations.recorded(change, "aide.versement_rang", rank), operations.recorded(change, "aide.versement_montant", amount)]
    return Outcome({"k": Decimal(rank)}, said)


@operations.operation("verser_tranche", "k", "deja")
def pay_instalment(change: Change, parameters: Mapping[str, Any], _subject: str) -> Outcome:
    """Enters the payment of instalment `k` in its fund: from committed to paid, never more than was committed."""
    if change.session.execute(_HELD, {"id": change.held.instance_id}).scalar():
        raise CannotRun("operation.payments_held")
    programme, granted = granted_of(change)
    amount, moved = millimes(aid_of(change).get("versement_montant")), _moved(change)
    paid = max(moved.paid, millimes(parameters.get("deja"))) + amount
    if paid > (moved.committed or granted) - moved.released or not _move(change, programme, "paid", amount):
        raise CannotRun("operation.no_fund")
    return Outcome({"paye": Decimal(paid) / 1000, "verse": Decimal(amount) / 1000}, paid_so_far(change, paid))


def paid_so_far(change: Change, paid: int) -> list[facts.NewFact]:
    """What the person was paid in all, as a fact that her accounts are settled against, where the edition knows of it."""
    return [operations.recorded(change, _PAID, paid)] if _PAID in change.held.edition.dictionary.fields else []


@operations.operation("liberer_fonds", "paye")
def release_funds(change: Change, parameters: Mapping[str, Any], _subject: str) -> Outcome:
    """Gives back to the fund what was committed and not paid, and opens what the person has to give back (`reste`)."""
    programme, granted = granted_of(change)
    moved = _moved(change)
    rest = (moved.committed or granted) - moved.released - max(moved.paid, millimes(parameters.get("paye")))
    if rest > 0:
        _move(change, programme, "released", rest)
        _call_next(change, programme)
    owed = max(owed_of(change) - moved.recovered, 0)
    return Outcome({"libere": Decimal(max(rest, 0)) / 1000, "reste": Decimal(owed) / 1000}, left_to_give_back(change, owed))


def owed_of(change: Change) -> int:
    """What is to be given back of an aid that was settled so, in millimes."""
    aid = aid_of(change)
    return millimes(aid.get("solde_reliquat")) if aid.get("solde_suite") == "restitue" else 0


def left_to_give_back(change: Change, left: int) -> list[facts.NewFact]:
    """What is still to be given back, as a fact that each repayment is held against, where something was owed and the edition knows of it."""
    return [operations.recorded(change, _LEFT, max(left, 0))] if owed_of(change) and _LEFT in change.held.edition.dictionary.fields else []


@operations.operation("recouvrer", "montant", "du")
def recover(change: Change, parameters: Mapping[str, Any], _subject: str) -> Outcome:
    """Enters in its fund what the person gave back of what she was paid (`montant`): `reste` is what is still to come, in as many times as she needs. Who waits first for the programme is told.
    `du`: what was still to come of a plan of repayments (X11), which `reste` then is of. Written where it is received: the fund's row keeps apart two who enter money of one aid at the same moment."""
    programme, granted = granted_of(change)
    change.session.execute(_LOCK_FUND, {"programme": programme})
    amount, moved = millimes(parameters.get("montant")), _moved(change)
    if amount > (moved.paid or granted) - moved.recovered:
        raise CannotRun("operation.no_fund")
    if amount > 0:
        _move(change, programme, "recovered", amount)
        _call_next(change, programme)
    left = max(owed_of(change) - moved.recovered - amount, 0)
    said = [*left_to_give_back(change, left), *([operations.recorded(change, _BACK, moved.recovered + amount)] if _BACK in change.held.edition.dictionary.fields else [])]
    if (due := parameters.get("du")) is not None:
        left = max(min(millimes(due), (moved.paid or granted) - moved.recovered) - amount, 0)
        said.append(operations.recorded(change, _OF_PLAN, left))
    return Outcome({"recouvre": Decimal(max(amount, 0)) / 1000, "reste": Decimal(left) / 1000}, said)


@operations.operation("retrouver_verse")
def look_up_paid(change: Change, _parameters: Mapping[str, Any], _subject: str) -> Outcome:
    """Records what was paid for all aids of the case and did not come back."""
    return Outcome({}, [operations.recorded(change, _LEFT_WITH_HER, sum(int(row.left) for row in _paid_aids(change)))])


@operations.operation("retrouver_aides")
def look_up_aids(change: Change, _parameters: Mapping[str, Any], _subject: str) -> Outcome:
    """Records each aid of the case that was paid and did not come back whole (`fraude.aides`): its rank, the kind of measure it goes with, what may be given back of it."""
    kinds, fields = {fact.subject.partition(":")[2]: fact.value for fact in facts.snapshot(change.session, change.held.subjects, (_KIND,))}, change.held.edition.dictionary.fields
    told, said = _paid_aids(change), []
    for rank, row in enumerate(told, 1):  # a row of the list is of the aid that it tells of
        values = {"versee.rang": rank, "versee.mesure": kinds.get(row.aid), "versee.montant": int(row.left)}
        said += [facts.NewFact(f"versee:{row.aid}", name, value, authority.classes_of(fields[name]), source={"kind": "system"}) for name, value in values.items() if value is not None]
    return Outcome({}, [*said, operations.recorded(change, "fraude.aides", [row.aid for row in told])])


@operations.operation("convenir_remboursement", "rang", "montant")
def agree_on_repayment(change: Change, parameters: Mapping[str, Any], _subject: str) -> Outcome:
    """Binds what runs beside the case to the paid aid that is given back (`rang`, as `retrouver_aides` told them; the first where one only was paid), and opens what is to come of it (`montant`)."""
    told, rank = _paid_aids(change), int(parameters.get("rang") or 1)
    if rank > len(told):
        raise CannotRun("operation.no_aid")
    change.held.scope["aide"], change.known = told[rank - 1].aid, None
    return Outcome({"aide": {"id": told[rank - 1].aid}}, [operations.recorded(change, _OF_PLAN, min(millimes(parameters.get("montant")), int(told[rank - 1].left)))])


def _paid_aids(change: Change) -> list[Any]:
    return list(change.session.execute(_PAID_AIDS, {"root": change.held.root_id}))


def give_back(change: Change, money: Mapping[str, int]) -> int:
    """Gives back to its fund what an aid that ends before its time has committed and not paid, and leaves the line it stood in. Returns the millimes."""
    stood = change.session.execute(_LEAVE_LINE, {"aid": _aid_id(change)}).rowcount
    rest = max(money.get("committed", 0) - money.get("paid", 0) - money.get("released", 0), 0)
    if rest:
        _move(change, granted_of(change)[0], "released", rest)
    if rest or stood:  # whoever stood behind her may need less than she did
        _call_next(change, granted_of(change)[0])
    return rest


@operations.operation("programmer_visites", "echeances")
def schedule_visits(change: Change, parameters: Mapping[str, Any], _subject: str) -> Outcome:
    """Makes a visit of each date that the rhythm asks for (`echeances`, as D9 answers), or of the next open day: `visites` lists their ids, in order of date."""
    visits, said = [], []
    for place, one in enumerate(parameters.get("echeances") or ()):
        visit_id = str(identity.derived_id(change.held.instance_id, f"{change.held.seq + 1}.visite.{place}"))
        visits.append({"id": visit_id})
        subject = [f"visite:{visit_id}"]
        said += [operations.recorded(change, "visite.prevue_le", _open_day(change, one["le"]), subject), operations.recorded(change, "visite.echeance", one["echeance"], subject)]
    return Outcome({"visites": visits}, said)


@operations.operation("retirer_dossier", "aide")
def put_off(change: Change, parameters: Mapping[str, Any], _subject: str) -> Outcome:
    """Takes a file off a sitting that had no quorum for it: the next sitting has it."""
    change.held.scope["aide"] = [one for one in change.held.scope.get("aide") or [] if one != parameters.get("aide")]
    return Outcome()


def _moved(change: Change) -> aids.Money:
    """What the dossier moved in its fund so far. Of what it committed and was paid before movements were kept nothing stands here: then what was granted counts."""
    return aids.money(change.session, _aid_id(change))


def _move(change: Change, programme: str, kind: str, amount: int) -> bool:
    """Moves millimes in a fund for the aid, with the line that is being written; False where the money is not there."""
    told = {"programme": programme, "kind": kind, "amount": amount, "aid": _aid_id(change), "instance": change.held.instance_id, "seq": change.held.seq + 1, "at": change.at}
    return change.session.execute(_MOVES[kind], told).first() is not None


def _call_next(change: Change, programme: str) -> None:
    """Tells the first of a programme's waiting list that there may be money for her."""
    first = change.session.execute(_FIRST, {"programme": programme}).scalar()
    if first is not None:
        change.send("fonds.revenus", str(first), {})


def _aid_id(change: Change) -> str:
    key = change.held.subjects.key("aid")
    if key is None:
        raise CannotRun("operation.no_aid")
    return key.partition(":")[2]


def aid_of(change: Change) -> Mapping[str, Any]:
    """What is known of the aid that the instance is about."""
    subjects = change.held.subjects
    aid = change.snapshot().get(subjects.key("aid") or "", {}).get("aide")
    if not aid:
        raise CannotRun("operation.no_aid")
    return aid


def granted_of(change: Change) -> tuple[str, int]:
    aid = aid_of(change)
    if not aid.get("programme") or not aid.get("montant_accorde"):
        raise CannotRun("operation.nothing_granted")
    return aid["programme"], millimes(aid["montant_accorde"])


def millimes(dinars: Any) -> int:
    return int(Decimal(str(dinars or 0)) * 1000)


def _open_day(change: Change, value: Any) -> str:
    """A day, or where the branches are closed the next on which they are open."""
    return change.tables.calendar.shift(dt.date.fromisoformat(_day(value)), 0).isoformat()


def _day(value: Any) -> str:
    return (clock.today(value) if isinstance(value, dt.datetime) else value).isoformat() if hasattr(value, "isoformat") else str(value)[:10]

