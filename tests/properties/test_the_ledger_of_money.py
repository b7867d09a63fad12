"""The money of several dossiers against a plain reckoning that shares nothing with the engine: whatever is signed, paid, held, let go, given back, given up or put into the fund
comes next, the fund and each dossier hold what the reckoning says, and money that is short goes to whoever stands first in line.

The programme began another version on the way, with other shares: the dossiers asked before keep theirs.
"""

import json
from dataclasses import dataclass

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule, run_state_machine_as_test
from sqlalchemy import text

from engine import doctor
from engine.actors import users
from engine.dossier import catalogues
from tests import world as worlds

CODE, FIRST, THEN = "TOUNESNA-EU", (60, 30, 10), (50, 30, 20)
GRANTED = (16_000_000, 9_000_000, 5_000_003)
TRUTH = {}
_MOVED = text("""SELECT i.root_id, coalesce(sum(m.amount_millimes) FILTER (WHERE m.kind = 'committed'), 0)::bigint AS committed, coalesce(sum(m.amount_millimes) FILTER (WHERE m.kind = 'paid'), 0)::bigint AS paid,
                        coalesce(sum(m.amount_millimes) FILTER (WHERE m.kind = 'released'), 0)::bigint AS released, coalesce(sum(m.amount_millimes) FILTER (WHERE m.kind = 'recovered'), 0)::bigint AS recovered
                   FROM instance i LEFT JOIN fund_movement m USING (instance_id) WHERE i.process = 'dossier_aide' GROUP BY 1""")  # fmt: skip
_FUND = text("SELECT available_millimes, engaged_millimes, paid_millimes, recovered_millimes FROM fund WHERE programme = :code")
_LINE = text("SELECT i.root_id, w.class, w.asked_on::text FROM fund_waiting w JOIN instance i USING (instance_id)")


def furnish(database):
    """Three projects granted, whose contracts wait to be signed: two asked before the shares changed, one after."""
    worlds.furnish(database)
    world, contracts = worlds.World(database), set()
    for number, granted in enumerate(GRANTED, 1):
        if number == 3:
            with world.database.owner() as connection:
                begins = {"day": world.today(), "code": CODE, "more": json.dumps({"tranches": {"N1": [100], "N2": [50, 50], "N3": THEN}})}
                connection.execute(text("UPDATE programme SET valid_to = :day WHERE code = :code"), begins)
                connection.execute(text("INSERT INTO programme SELECT code, 2, CAST(:day AS date) + 1, NULL, content || CAST(:more AS jsonb), source, is_inferred FROM programme WHERE code = :code"), begins)
                connection.execute(text("UPDATE installation SET dated_version = dated_version + 1"))
            world.passes(days=1)
        world.receive(world.somebody("creation", number))
        world.answers(world.reaches("T654", but=contracts), aide__montant_accorde=granted, aide__hors_proposition_motif="Le comité accorde moins")
        contracts.add(world.reaches("T606", but=contracts).task_id)
    TRUTH.update(world.truth)


@dataclass
class Reckoned:
    """A dossier as the reckoning has it. `state`: contract, line, prepare, order, confirm, stuck (paid while held), gap, settle, repay, over."""

    granted: int
    shares: tuple[int, ...]
    state: str = "contract"
    rank: int = 1
    due: int = 0
    committed: int = 0
    paid: int = 0
    released: int = 0
    recovered: int = 0
    owed: int = 0
    is_held: bool = False
    place: tuple = ()


class Money(RuleBasedStateMachine):
    make_database = None  # of the test

    @initialize(available=st.sampled_from([6_000_000, 12_000_000, 26_000_000, 60_000_000]))
    def begin(self, available):
        self.world = worlds.World(type(self).make_database(furnish))
        self.world.truth, self.arrivals = dict(TRUTH), 0
        self.cases = {one: Reckoned(granted, THEN if number == 2 else FIRST) for number, (one, granted) in enumerate(zip(TRUTH, GRANTED, strict=True))}
        self.available = self.fund()[0]
        self.puts_in(available - self.available)

    def fund(self):
        with self.world.database.reading(users.system()) as session:
            return tuple(session.execute(_FUND, {"code": CODE}).one())

    # --- what the reckoning makes of it ---

    def serve(self):
        """Whoever stands first is served, as long as there is enough for her."""
        line = sorted((one for one in self.cases.values() if one.state == "line"), key=lambda one: one.place)
        while line and line[0].granted <= self.available:
            one = line.pop(0)
            one.committed, one.state, one.rank = one.granted, "prepare", 1
            self.available -= one.granted

    def pay(self, one):
        one.paid += one.due
        one.state = "settle" if one.rank == len(one.shares) else "gap"

    def ends(self, one):
        """What is committed and not paid is free again."""
        one.released = one.committed - one.paid
        self.available += one.released
        self.serve()

    def task(self, case, node):
        return next((row for row in self.world.open_tasks(case) if row.node == node), None)

    def of(self, data, *states, held=None):
        found = [case for case, one in self.cases.items() if one.state in states and held in (None, one.is_held)]
        return data.draw(st.sampled_from(found)) if data else found[0]

    def any(self, *states, held=None):
        return any(one.state in states and held in (None, one.is_held) for one in getattr(self, "cases", {}).values())

    # --- what people do ---

    @precondition(lambda self: self.any("contract"))
    @rule(data=st.data())
    def signs(self, data):
        case = self.of(data, "contract")
        one = self.cases[case]
        self.world.answers(self.task(case, "T606"))
        with self.world.database.reading(users.system()) as session:
            stands = {row.root_id: row for row in session.execute(_LINE)}
        asked = (-stands[case]._mapping["class"], stands[case].asked_on) if case in stands else (-9, "")  # served at once: nobody stood before her
        self.arrivals += 1
        one.state, one.place = "line", (*asked, self.arrivals)
        self.serve()

    @precondition(lambda self: self.any("prepare"))
    @rule(data=st.data(), less=st.sampled_from([0, 0, 1_000, 250_000]))
    def prepares(self, data, less):
        case = self.of(data, "prepare")
        one, row = self.cases[case], self.task(case, "T607")
        parts = [int(one.granted * share / 100) for share in one.shares[:-1]]
        one.due = [*parts, one.granted - sum(parts)][one.rank - 1] - less
        self.world.complete(row, self.world.who_does(row), self.world.truth[case], **{"aide.versement_montant": one.due})
        self.world.settle()
        one.state = "order"

    @precondition(lambda self: self.any("order"))
    @rule(data=st.data(), given=st.sampled_from([True, True, True, False]))
    def orders(self, data, given):
        case = self.of(data, "order")
        self.world.answers(self.task(case, "T608"), aide__ordre_decision="ordonne" if given else "renvoye")
        self.cases[case].state = "confirm" if given else "prepare"

    @precondition(lambda self: self.any("confirm"))
    @rule(data=st.data(), paid=st.sampled_from([True, True, True, False]))
    def bank_answers(self, data, paid):
        case = self.of(data, "confirm")
        one = self.cases[case]
        self.world.answers(self.task(case, "T609"), aide__paiement_issue="paye" if paid else "rejete")
        if not paid:
            one.state = "prepare"
        elif one.is_held:
            one.state = "stuck"
        else:
            self.pay(one)

    @precondition(lambda self: self.any("prepare", "order", "confirm", "gap", held=False))
    @rule(data=st.data())
    def suspects(self, data):
        case = self.of(data, "prepare", "order", "confirm", "gap", held=False)
        self.world.begins(case, "fraude", self.world.agent("OTE", "MED", "chef_antenne"), fraude__piece=None)
        self.cases[case].is_held = True

    @precondition(lambda self: self.any("prepare", "order", "confirm", "gap", "stuck", held=True))
    @rule(data=st.data())
    def clears(self, data):
        case = self.of(data, "prepare", "order", "confirm", "gap", "stuck", held=True)
        for node in ("T971", "T972"):
            self.world.does(case, node)
        self.world.does(case, "T973", fraude__decision="sans_suite")
        one = self.cases[case]
        one.is_held = False
        if one.state == "stuck":
            self.pay(one)

    @precondition(lambda self: self.any("gap") and not any(one.is_held for one in self.cases.values()))
    @rule()
    def months_pass(self):
        self.world.passes(days=125)
        for case, one in self.cases.items():
            if one.state == "gap" and self.task(case, "T607"):
                one.state, one.rank = "prepare", one.rank + 1

    @precondition(lambda self: self.any("settle", held=False))
    @rule(data=st.data(), left=st.sampled_from([0, 1_500_000]))
    def settles(self, data, left):
        case = self.of(data, "settle", held=False)
        one = self.cases[case]
        left = min(left, one.paid)
        self.world.answers(self.task(case, "T610"), aide__solde_depense=one.paid - left, aide__solde_reliquat=left, aide__solde_suite="restitue" if left else "aucun_reste")
        self.ends(one)
        one.owed, one.state = left, "repay" if left else "over"

    @precondition(lambda self: self.any("repay"))
    @rule(data=st.data(), part=st.sampled_from([0, 400_000, 9_999_999]), awaited=st.sampled_from([True, True, False]))
    def gives_back(self, data, part, awaited):
        case = self.of(data, "repay")
        one = self.cases[case]
        part = min(part, one.owed)
        self.world.answers(self.task(case, "T619"), aide__recouvre_montant=part, aide__recouvre_suite="attendu" if awaited else "abandonne")
        one.recovered, one.owed = one.recovered + part, one.owed - part
        self.available += part
        self.serve()
        one.state = "repay" if one.owed and awaited else "over"

    @precondition(lambda self: self.any("contract", "line", "prepare", "order", "gap") and not any(one.is_held for one in self.cases.values()))
    @rule(data=st.data())
    def gives_up(self, data):
        case = self.of(data, "contract", "line", "prepare", "order", "gap")
        one = self.cases[case]
        self.withdraws(case)
        one.state = "settle" if one.paid else "over"
        if not one.paid:
            self.ends(one)

    def withdraws(self, case):
        """She gives up her aid, and the days in which she may take it back go by."""
        world = self.world
        beside = world.begins(case, "desistement", world.owner(case), desistement__portee="aide", desistement__mesure=world.facts("mesure.type")["mesure.type"])
        world.does(case, "T921", desistement__maintenu=True, desistement__retractation_expliquee=True)
        while world.stands(beside).status == "open":
            world.passes(hours=12)

    @rule(amount=st.sampled_from([-3_000_000, 2_000_000, 9_000_000]))
    def puts_in(self, amount):
        if self.available + amount < 0:
            return
        who = self.world.staff["administration"]
        with self.world.database.unit_of_work(who) as session:
            catalogues.change_fund(session, who, CODE, amount, "Avenant du bailleur")
        self.world.settle()
        self.available += amount
        self.serve()

    # --- and what must hold ---

    @invariant()
    def adds_up(self):
        if not hasattr(self, "cases"):
            return
        with self.world.database.reading(users.system()) as session:
            told = {row.root_id: (row.committed, row.paid, row.released, row.recovered) for row in session.execute(_MOVED)}
            line = {row.root_id for row in session.execute(_LINE)}
        assert {case: (one.committed, one.paid, one.released, one.recovered) for case, one in self.cases.items()} == told
        assert line == {case for case, one in self.cases.items() if one.state == "line"}
        every = self.cases.values()
        assert self.fund() == (self.available, sum(one.committed - one.paid - one.released for one in every), sum(one.paid for one in every), sum(one.recovered for one in every))

    def teardown(self):
        if hasattr(self, "cases"):
            assert {(fault.code, fault.about) for fault in doctor.examine(self.world.database).faults} == set()


def test_the_fund_and_each_dossier_hold_what_a_plain_reckoning_says(make_database):
    Money.make_database = staticmethod(make_database)
    run_state_machine_as_test(Money, settings=settings(max_examples=3, stateful_step_count=40, deadline=None, derandomize=True, database=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck)))


ONE_LIFE = [("signs", {}), ("prepares", {"less": 1_000}), ("orders", {"given": True}), ("suspects", {}), ("bank_answers", {"paid": True}), ("clears", {}), ("gives_up", {}), ("settles", {"left": 1_500_000}),
            ("gives_back", {"part": 400_000, "awaited": True}), ("gives_back", {"part": 9_999_999, "awaited": True})]  # fmt: skip


def test_so_they_do_through_a_hold_a_withdrawal_and_repayments(make_database):
    """What chance seldom comes to in a few draws."""
    Money.make_database = staticmethod(make_database)
    money = Money()
    money.begin(26_000_000)
    for act, said in ONE_LIFE:
        getattr(money, act)(data=None, **said)
        money.adds_up()


def test_who_stood_behind_an_aid_given_up_and_needs_less_is_served_at_once(make_database):
    Money.make_database = staticmethod(make_database)
    money = Money()
    money.begin(6_000_000)
    first, _, third = money.cases
    for case in (first, third):
        money.world.answers(money.task(case, "T606"))
    assert money.fund()[:2] == (6_000_000, 0), "the first needs sixteen thousand, and nobody is served before her"
    money.withdraws(first)
    assert money.fund()[:2] == (6_000_000 - GRANTED[2], GRANTED[2])
