"""Cases are numbered without a gap, branch by branch: a signal or a sitting does not take a case's number."""

from engine.actors import users
from engine.casework import cases, editions
from engine.casework.instances import SERIES


def test_cases_signals_and_sittings_are_counted_apart(tempting):
    year = tempting.today().year
    with tempting.database.unit_of_work(users.system()) as session:
        edition = editions.current(session)
        made = ["parcours", "signalement", "parcours", "seance_commission", "parcours", "signalement"]
        found = [cases.begin(session, users.system(), edition, process, "TUN", {}).held.number for process in made]
        elsewhere = cases.begin(session, users.system(), edition, "parcours", "SFX", {}).held.number
        session.rollback()
    assert found == [f"{name}-TUN-{year}-{place:05d}" for name, place in [("TN", 1), ("SG", 1), ("TN", 2), ("SC", 1), ("TN", 3), ("SG", 2)]]
    assert elsewhere == f"TN-SFX-{year}-00001"
    assert SERIES.keys() <= {one.process for one in edition.definitions.tasks} | {"signalement"}
