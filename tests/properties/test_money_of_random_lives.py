"""The ledger of a programme is the sum of its dossiers after every act, whatever comes next: payments sent back, holds, withdrawals, deaths, transfers, reopenings, moves to another
edition, repairs by two coordinators. Lives are drawn from a seed; three on every push."""

import datetime as dt
import random
from collections import Counter

import pytest
from sqlalchemy import text

from engine import clock, doctor, errors
from engine.actors import users
from engine.casework import aids, editions, moves, repairs
from tests import world as worlds

ACTS = 35
BESIDE = {
    "fraude": {"fraude__piece": None}, "deces_redepart": {"sortie__evenement": "redepart", "sortie__preuve": None}, "suspension": {"suspension__justificatif": None},
    "desistement": {}, "transfert": {"transfert__antenne": "SFX", "transfert__gouvernorat": "TN-61", "transfert__delegation": None}, "reouverture": {"reouverture__nouveau_retour": False},
}  # fmt: skip
# What may be said otherwise than as is usual; what a form refuses is left.
OTHERWISE = {
    "T608": [("aide__ordre_decision", "renvoye")], "T609": [("aide__paiement_issue", "rejete")],
    "T610": [("aide__solde_suite", "restitue")], "T611": [("aide__reserves_levees", False)], "T612": [("aide__suite_entretien", "renoncer")],
    "T654": [("aide__decision", "refuse"), ("aide__decision", "sous_reserve")], "T973": [("fraude__decision", one) for one in ("sans_suite", "echeancier", "cloture")],
    "T912": [("transfert__reponse", "accepte")], "T921": [("desistement__maintenu", True)],
}  # fmt: skip


class Life:
    """One drawn life in a Tunisia; `told` counts what was done."""

    def __init__(self, world, seed, told):
        self.world, self.chance, self.told = world, random.Random(seed), told
        self.before = {one.programme: self.whole(one) for one in self.funds()}
        self.case_id = world.receive(world.somebody(self.chance.choice(["creation", "creation", "social"]), seed))
        world.reaches(self.chance.choice(["T606", "T607", "T608", "T610"]), 400)

    def funds(self):
        officer = self.world.agent("OTE", "TUN", "gestionnaire_aides")
        with self.world.database.reading(officer) as session:
            return aids.funds(session, officer)

    @staticmethod
    def whole(fund):
        return fund.available + fund.committed + fund.paid - fund.recovered

    def check(self, did):
        officer = self.world.agent("OTE", "TUN", "gestionnaire_aides")
        with self.world.database.reading(officer) as session:
            for fund in aids.funds(session, officer):
                assert aids.ledger(session, officer, fund.programme).is_even, did
                assert self.whole(fund) == self.before[fund.programme] and min(fund.available, fund.committed) >= 0, f"a dinar is lost or made by {did}"
            for row in session.execute(text("""SELECT i.subject, split_part(i.subject, ':', 2) AS aid, (f.value #>> '{}')::bigint AS granted FROM instance i LEFT JOIN fact f
                                             ON f.subject = i.subject AND f.field = 'aide.montant_accorde' AND f.is_current WHERE i.subject LIKE 'aide:%'""")).all():
                money = aids.money(session, row.aid)
                assert money.committed - money.released <= (row.granted or 0), f"more is committed than was granted by {did}"
                assert money.paid <= money.committed or not money.committed, did
                assert money.committed - money.released >= (money.paid if money.committed else 0) and money.recovered <= money.paid, did

    def live(self):
        for _ in range(ACTS):
            act = self.chance.choices([self.work, self.wait, self.begin, self.repair, self.move], [12, 3, 2, 2, 1])[0]
            try:
                did = act()
            except errors.Refusal as refused:
                did = f"{act.__name__}: {refused.code}"
            self.told[did.partition(" ")[0].rstrip(":")] += 1
            self.check(did)

    def work(self):
        rows = self.world.open_tasks()
        if not rows:
            return self.wait()
        on_money = [row for row in rows if row.node in OTHERWISE]
        row = self.chance.choice(on_money if on_money and self.chance.random() < 0.5 else rows)
        said = dict([self.chance.choice(OTHERWISE[row.node])]) if row.node in OTHERWISE and self.chance.random() < 0.6 else {}
        if row.node == "T610" and said.get("aide__solde_suite") == "restitue":
            said |= {"aide__solde_depense": self.chance.choice([1_000, 500_000, 1_000_000])}
        self.world.answers(row, **said)
        return f"work {row.node} {said}"

    def wait(self):
        days = self.chance.choice([1, 3, 10, 35])
        self.world.passes(days=days)
        return f"wait {days}"

    def begin(self):
        process, stands = self.chance.choice(list(BESIDE)), self.world.stands(self.case_id)
        who, today = self.world.agent("OTE", stands.branch, "referent"), self.world.today().isoformat()
        given = dict(BESIDE[process])
        if process == "desistement":
            given |= {"desistement__portee": self.chance.choice(["aide", "mesure", "dossier"]), "desistement__mesure": self.world.facts("mesure.type").get("mesure.type")}
        if process == "suspension":
            given |= {"suspension__depuis_le": today, "suspension__revue_le": "@+1o"}
        self.world.begins(self.case_id, process, who, **given)
        return f"begin-{process} {given}"

    def repair(self):
        first, second = [one for one in self.world.staff.values() if "coordinateur" in one.roles][:2]
        with self.world.database.reading(first) as session:
            found = [one for one in repairs.places(session, first, self.case_id) if one.targets]
        if not found:
            return self.wait()
        place = self.chance.choice(found)
        with self.world.database.unit_of_work(first) as session:
            if place.may_skip and self.chance.random() < 0.7:
                proposed = repairs.skip(session, first, place.instance_id, place.position, "Essai")
            else:
                proposed = repairs.move(session, first, place.instance_id, place.position, self.chance.choice(place.targets).element, "Essai")
        if proposed is not None:
            with self.world.database.unit_of_work(second) as session:
                repairs.approve(session, second, proposed, repairs.show(session, second, proposed).at_seq)
        self.world.settle()
        return f"repair {place.node}"

    def move(self):
        coordinator = next(one for one in self.world.staff.values() if "coordinateur" in one.roles)
        with self.world.database.unit_of_work(users.system()) as session:
            ids = session.execute(text("SELECT instance_id FROM instance WHERE root_id = :case AND status = 'open'"), {"case": self.case_id}).scalars().all()
            files = worlds.bare_files()
            files["processes/social.bpmn"] = files["processes/social.bpmn"].replace(b"Dresser le bilan social", f"Dresser le bilan social {self.chance.random()}".encode())
            edition = editions.keep(session, files, clock.now(session), None, "essai").edition_id
        for one in ids:
            with self.world.database.unit_of_work(coordinator) as session:
                moves.move(session, coordinator, one, edition, reason="Essai")
        self.world.settle()
        return "move "


@pytest.mark.parametrize("seed", [2, 3, 4])
def test_a_programme_is_the_sum_of_its_dossiers_after_every_act(make_database, seed):
    told = Counter()
    world = worlds.World(make_database(worlds.furnish))
    Life(world, seed, told).live()
    assert told["work"] >= 3, told
    assert {(fault.code, fault.about) for fault in doctor.examine(world.database).faults} == set()
