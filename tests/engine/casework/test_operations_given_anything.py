"""A diagram computes what it hands to an operation of whatever is known: a value of another kind is an incident on the case, never a fault of the server."""

import datetime as dt
from uuid import UUID

import pytest

from engine.casework import aid_operations, operations, orders, sandbox, signal_operations, withdrawals  # noqa: F401 (each registers its own)
from engine.casework.editions import Edition
from engine.dossier.programmes import DatedTables
from tests.engine.pathway import drawing as draw
from tests.processes import reading

NOW = dt.datetime(2026, 3, 12, 9, tzinfo=dt.UTC)
DICTIONARY = {f"forms/dictionary/{path.name}": path.read_bytes() for path in reading.DICTIONARY.glob("*.toml")}


def incidents(operation: str, **parameters: str) -> list[str]:
    """What a case says whose one step calls an operation with these FEEL expressions."""
    notes = "".join(f'<masar:parametre nom="{name}" valeur="{feel}"/>' for name, feel in parameters.items())
    service = draw.element("serviceTask", "s", "", f'<masar:operation nom="{operation}">{notes}</masar:operation>')
    diagram = draw.diagram(draw.process(draw.start(), service, draw.end(), draw.flows("start > s > end"), name="parcours"))
    town = sandbox.Sandbox(Edition(UUID(int=1), 1, {"processes/p.bpmn": diagram, **DICTIONARY}), DatedTables(1), UUID(int=2), NOW, "MED")
    town.begin("parcours")
    return [one.details.get("error", one.code) for one in town.walks[0].incidents.values()]


@pytest.mark.parametrize(
    ("operation", "parameters"),
    [("calculer_aide", {"montant": "&quot;beaucoup&quot;"}), ("calculer_aide", {"montant": "[1, 2]"}), ("calculer_aide", {"montant": "10**300"}),
     ("calculer_aide", {"programme": "&quot;AUCUN&quot;"}), ("calculer_aide", {"programme": "[1]"}),
     ("fixer_niveau", {"niveau": "3"}), ("fixer_niveau", {"niveau": "&quot;N9&quot;"}), ("calculer_aide", {"montant": "today"}), ("calculer_aide", {"montant": "true"}),
     ("fixer_rendez_vous", {"jours": "&quot;deux&quot;"}), ("fixer_rendez_vous", {"jours": "999999999"}), ("fixer_rendez_vous", {"jours": "2", "unite": "&quot;mois&quot;"}),
     ("programmer_visites", {"echeances": "3"}), ("programmer_visites", {"echeances": "[{le: &quot;demain&quot;, echeance: 3}]"}), ("programmer_visites", {"echeances": "[1]"}),
     ("compter_absences", {"jours": "{a: 1}"}), ("engager_fonds", {"classe": "&quot;haute&quot;"}), ("verser_tranche", {"k": "1", "deja": "&quot;rien&quot;"}),
     ("liberer_fonds", {"paye": "[]"}), ("recouvrer", {"montant": "&quot;tout&quot;"}), ("fermer_acces", {"portees": "1"}), ("reprendre_signalement", {"de": "&quot;x&quot;"})],
)  # fmt: skip
def test_a_value_of_another_kind_is_an_incident_that_says_so(operation, parameters):
    assert incidents(operation, **parameters) == ["operation.parameter"]


def test_what_is_of_its_kind_or_not_known_passes():
    assert incidents("fixer_rendez_vous", jours="2.5", unite="&quot;jours_ouvres&quot;") == []
    assert incidents("fixer_rendez_vous", jours="null") == []
    assert incidents("retenir", montant="&quot;beaucoup&quot;") == [], "what a diagram keeps for itself is its own"
