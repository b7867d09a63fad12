"""An aid dossier, explained: its programme and version, why each programme is open or closed condition by condition, what is missing, instalments with their evidence, money.

Everything is what the edition's own tables answer on what is known today (`D2`, `D8`, `D8b`); no rule stands here. A condition that weighs what the reader may not know
is named and not told.
"""

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlmodel import Session

from engine import clock, errors
from engine.actors import authority
from engine.actors.agencies import PARTNERS
from engine.casework import aids, cases, holds, lapses
from engine.casework.instances import Change, Held, find
from engine.casework.views import Waiting
from engine.dossier import programmes
from engine.i18n import pick
from engine.insight.whys import Teller
from engine.insight.wording import Wording, parameters
from forms.feel import FeelError, compile_expression
from forms.text import display

PROCESS = "dossier_aide"
_ELIGIBLE, _OFFERS, _REFERENCE, _PROOF = "D2_programmes", "D2_offres", "D2_reference", "D8b_preuve"
_LIKE = {"item.pays": "retour.pays", "item.types_retour": "retour.type", "item.gouvernorats": "person.gouvernorat"}
_HELD = text("SELECT payments_held, suspended_at, status, outcome FROM instance WHERE instance_id = :id")
_OTHERS = text("""SELECT i.instance_id, i.subject, i.status, i.outcome, r.number FROM instance i JOIN instance r ON r.instance_id = i.root_id
                   WHERE i.process = :process AND i.person_id = :person AND i.instance_id <> :id ORDER BY i.opened_at""")
_OTHERS_FACTS = text("SELECT subject, field, value, class, author_agency FROM fact WHERE is_current AND subject = ANY (:subjects) AND field = ANY (:fields)")


@dataclass(frozen=True)
class Condition:
    """One condition in words. `holds`: None where the reader may not know; `values`: label and value of what it read."""

    words: str
    holds: bool | None
    values: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Programme:
    """A programme's version begun by the day that counts, and why it is open to this aid or not. `is_kept`: the one this dossier follows; `offers`: level and ceiling it opens."""

    code: str
    label: str
    version: int
    valid_from: dt.date
    valid_to: dt.date | None
    is_open: bool | None
    is_kept: bool
    conditions: tuple[Condition, ...]
    offers: tuple[str, ...] = ()


@dataclass(frozen=True)
class RequiredPiece:
    """A piece that the level requires, and from whom it comes."""

    code: str
    label: str
    from_whom: str
    is_missing: bool


@dataclass(frozen=True)
class Instalment:
    """An instalment: its share, what it comes to (millimes), what releases it. `state`: `paid`, `now` (being prepared), `held` (made, and entered once payments go on), `to_come`."""

    rank: int
    share: Decimal
    amount: int | None
    state: str
    evidence: tuple[Condition, ...]


@dataclass(frozen=True)
class Other:
    """Another aid of the same person: the case, what it was for, what became of it."""

    number: str
    dossier_id: UUID
    level: str
    programme: str
    granted: str
    is_open: bool
    outcome: str


@dataclass(frozen=True)
class AidFile:
    """The dossier as the reader may see it. `cumul`: what was said of other aids, label and value; `fund`, `place`: its programme's money and where it waits."""

    dossier_id: UUID
    case_id: UUID
    case_number: str
    level: str
    asked_on: str
    programmes: tuple[Programme, ...]
    pieces: tuple[RequiredPiece, ...] | None
    instalments: tuple[Instalment, ...]
    money: aids.Money
    fund: aids.Balance | None
    place: tuple[int, int] | None
    cumul: tuple[tuple[str, str], ...]
    others: tuple[Other, ...]
    waiting: tuple[Waiting, ...]
    is_open: bool
    outcome: str
    payments_held: bool
    is_suspended: bool


def show(session: Session, actor: Any, dossier_id: UUID) -> AidFile:
    """An aid dossier of a case the reader may read. Refuses: `case.not_found`."""
    return _reading(session, actor, dossier_id).whole()


def missing(session: Session, actor: Any, dossier_id: UUID) -> tuple[str, ...]:
    """The papers that a dossier lacks, by code, as far as the reader may know. Refuses: `case.not_found`."""
    return tuple(one.code for one in _reading(session, actor, dossier_id).pieces() or () if one.is_missing)


def _reading(session: Session, actor: Any, dossier_id: UUID) -> "_Reading":
    held = find(session, dossier_id)
    root = find(session, held.root_id) if held is not None and held.process == PROCESS else None
    if held is None or root is None or actor.agency == PARTNERS:
        raise errors.NotFound("case.not_found")
    authority.require(actor, "case.read", branch=root.branch, case=root)
    return _Reading(session, actor, held, root)


class _Reading:
    """One reading of one dossier."""

    def __init__(self, session: Session, actor: Any, held: Held, root: Held) -> None:
        self.session, self.actor, self.held, self.edition = session, actor, held, held.edition
        self.now = clock.now(session)
        self.tables = programmes.tables(session, held.dated_version, self.now)
        self.words = Wording(self.edition, actor.language, parameters(self.tables))
        self.teller = Teller(session, actor, root, held, self.edition, self.words, self.now)
        self.scope = lapses.scope_of(Change(session, actor, held, self.now))
        self.aid: Mapping[str, Any] = self.scope.get("aide") or {}
        self.aid_id = (held.subjects.key("aid") or ":").partition(":")[2]

    def whole(self) -> AidFile:
        row = self.session.execute(_HELD, {"id": self.held.instance_id}).one()
        kept = self.aid.get("programme") if self.sees("aide.programme") else None
        moved = aids.money(self.session, self.aid_id) if self.sees("aide.versement_montant") else aids.Money()
        return AidFile(
            self.held.instance_id, self.held.root_id, self.held.number or "", self.said("aide.niveau"), self.said("aide.date_demande"),
            tuple(sorted(self.programmes(), key=lambda one: (not one.is_kept, not one.is_open, one.is_open is False))), self.pieces(),
            tuple(self.instalments()), moved, aids.fund_of(self.session, self.actor, kept or ""), aids.place(self.session, self.aid_id),
            tuple((self.words.label(name), self.said(name)) for name in ("aide.cumul_declare", "aide.cumul_detail", "aide.cumul_verifie") if self.said(name)), tuple(self.others()),
            tuple(self.waiting(row.payments_held)), row.status == "open", row.outcome, row.payments_held, row.suspended_at is not None,
        )  # fmt: skip

    def waiting(self, is_held: bool) -> Iterator[Waiting]:
        """What the dossier waits for, and what holds its payments does."""
        for part in [self.held.instance_id, *(holds.holding(self.session, self.held.root_id) if is_held else ())]:
            yield from cases.waiting(self.session, self.held.root_id, self.actor.language, part)

    def sees(self, path: str) -> bool:
        return self.teller.sees(path)

    def said(self, name: str) -> str:
        value = self.aid.get(name.partition(".")[2])
        return self.words.value(name, value) if value is not None and self.sees(name) else ""

    def decide(self, name: str, **more: Any) -> Any:
        """What a table of the edition answers today; None where there is none of the name, or it finds no answer."""
        if name not in self.edition.definitions.decisions:
            return None
        try:
            return self.edition.definitions.decide(name, {**self.scope, **more}).outputs
        except FeelError:
            return None

    def programmes(self) -> Iterator[Programme]:
        """Each version begun, newest first within its code: which of the conditions of D2 it meets, those that fail first."""
        definitions = self.edition.definitions
        written = definitions.decision(_ELIGIBLE).literal if _ELIGIBLE in definitions.decisions else None
        day = self.decide(_REFERENCE) or self.scope["today"]
        inner = {**self.scope, **{one: self.decide(one) for one in definitions.decision(_ELIGIBLE).requires}} if written else dict(self.scope)
        first, each = _conditions(written.tree) if written else ((), ())
        offers = self.decide(_OFFERS) or []
        kept = self.aid.get("programme") if self.sees("aide.programme") else None
        labels = {(row["code"], row["version"]): row["content"].get("label", {}) for row in self.tables.programmes}
        for one in sorted(self.scope.get("programmes") or (), key=lambda found: (found["code"], -found["version"])):
            if one["au"] is not None and one["au"] < day:
                continue
            told = [self.condition(written.text, node, {**inner, "item": one}) for node in (*first, *each)] if written else []
            holds = [condition.holds for condition in told]
            mine = [self._offer(offer) for offer in offers if (offer["programme"], offer["version"]) == (one["code"], one["version"])]
            yield Programme(one["code"], pick(labels.get((one["code"], int(one["version"])), {}), self.actor.language) or one["code"], int(one["version"]), one["du"], one["au"],
                            None if None in holds else all(holds), kept == one["code"], tuple(sorted(told, key=lambda condition: condition.holds is not False)), tuple(mine) if None not in holds else ())  # fmt: skip

    def _offer(self, offer: Mapping[str, Any]) -> str:
        ceiling = offer.get("plafond")
        level = self.words.value("aide.niveau", offer["niveau"])
        amount = self.edition.dictionary.fields.get("aide.montant_propose")
        return f"{level} · {display(amount, int(ceiling * 1000), self.actor.language)}" if ceiling is not None and amount is not None else level

    def condition(self, whole: str, node: Any, scope: Mapping[str, Any]) -> Condition:
        """One condition on a scope: in words, whether it holds, and what it read."""
        written = whole[node[1] : node[2]].strip()
        said = self.words.condition(node, whole)
        expression = compile_expression(written)
        paths = sorted(path for path in expression.paths if path not in ("today", "now"))
        if not all(path.startswith(("item.", "D1", "date_depot", "D2_reference", "parametres.")) or self.sees(path) for path in paths):
            return Condition(said, None)
        try:
            holds = expression.evaluate(scope) is True
        except FeelError:
            return Condition(said, False)
        read = tuple((self.words.label(path), self._value(path, _at(scope, path))) for path in paths if not isinstance(_at(scope, path), Mapping))
        return Condition(said, holds, read)

    def _value(self, path: str, value: Any) -> str:
        """A value in words; what a programme lists, in those of the answer that it is held against."""
        like = _LIKE.get(path)
        return self.words.listed([self.words.value(like, one) for one in value]) if like and isinstance(value, list) else self.words.value(path, value)

    def pieces(self) -> tuple[RequiredPiece, ...] | None:
        """The one list: what the level requires, and what of it is missing; None to whoever reads nothing common of the case."""
        required, answer = self.decide(lapses.REQUIRED), self.decide(lapses.COMPLETE)
        if not self.sees("aide.niveau") or required is None or answer is None:
            return None
        is_settled = self.aid.get("contrat_signe_le") is not None or self.held.status == "ended"  # what runs out from then on nobody needs
        missing = set() if is_settled else {one["piece"] for one in answer.get("manquantes") or ()}
        unique = {one["piece"]: one for one in required}
        return tuple(RequiredPiece(code, self._called(code), self.words.value("", one["aupres"]), code in missing) for code, one in sorted(unique.items()))

    def _called(self, code: str) -> str:
        """A paper in words: one that an agency fills in here bears the title of its form."""
        form = self.edition.forms.get(code.lower())
        return f"{code} {pick(form.title, self.actor.language)}" if form else self.words.choice(self.edition.dictionary.fields.get("aide.pieces_manquantes"), code)

    def instalments(self) -> Iterator[Instalment]:
        """By the shares of the level; each with the condition that releases it."""
        shares = (self.scope.get("parametres", {}).get("tranches") or {}).get(self.aid.get("niveau")) or []
        if not self.sees("aide.montant_accorde") or not self.sees("aide.niveau"):
            return
        granted = int(Decimal(str(self.aid.get("montant_accorde") or 0)) * 1000)
        is_told = self.sees("aide.versement_montant")  # who reads no finance is told of no payment
        paid = [amount for kind, amount, _ in aids.money(self.session, self.aid_id).moves if kind in ("paid", "advanced")] if is_told else []
        present = int(self.aid.get("versement_rang") or 0) if is_told else 0
        before = 0
        for rank, share in enumerate(shares, 1):
            due = granted - before if rank == len(shares) else int(granted * share / 100)
            before += due
            state = "paid" if rank <= len(paid) else ("held" if holds.stands_still(self.session, self.held.instance_id) else "now") if rank == present and granted else "to_come"
            yield Instalment(rank, share, paid[rank - 1] if rank <= len(paid) else due if granted else None, state, tuple(self.evidence(rank)))

    def evidence(self, rank: int) -> Iterator[Condition]:
        definitions = self.edition.definitions
        if _PROOF not in definitions.decisions:
            return
        scope = {**self.scope, "k": Decimal(rank)}
        verdict = definitions.decide(_PROOF, scope)
        for rule in definitions.decision(_PROOF).rules:
            if rule.rule_id in verdict.rules:
                for node in _conjuncts(rule.results[0].tree):
                    yield self.condition(rule.results[0].text, node, scope)

    def others(self) -> Iterator[Other]:
        """The person's other aids, in any of her cases that the reader reaches."""
        if self.held.person_id is None:
            return
        rows = self.session.execute(_OTHERS, {"process": PROCESS, "person": self.held.person_id, "id": self.held.instance_id}).all()
        names = ["aide.niveau", "aide.programme", "aide.montant_accorde"]
        said: dict[str, dict[str, str]] = {}
        for fact in self.session.execute(_OTHERS_FACTS, {"subjects": [row.subject for row in rows], "fields": names}):
            if fact.value is not None and self.sees(fact.field):
                said.setdefault(fact.subject, {})[fact.field] = display(self.edition.dictionary.fields[fact.field], fact.value, self.actor.language)
        for row in rows:
            told = said.get(row.subject, {})
            yield Other(row.number or "", row.instance_id, *(told.get(name, "") for name in names), row.status == "open", row.outcome)


def _conditions(tree: Any) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
    """Of `if A then rows[B] else []`: the parts of A, and those of B, which is asked of each row."""
    first: tuple[Any, ...] = ()
    while tree[0] in ("group", "if"):
        if tree[0] == "if":
            first = (*first, *_conjuncts(tree[3]))
        tree = tree[4] if tree[0] == "if" else tree[3]
    return first, _conjuncts(tree[4]) if tree[0] == "filter" else ()


def _conjuncts(node: Any) -> tuple[Any, ...]:
    while node[0] == "group" and node[3][0] == "and":
        node = node[3]
    return tuple(node[3]) if node[0] == "and" else (node,)


def _at(scope: Mapping[str, Any], path: str) -> Any:
    value: Any = scope
    for name in path.split("."):
        value = value.get(name) if isinstance(value, Mapping) else None
    return value
