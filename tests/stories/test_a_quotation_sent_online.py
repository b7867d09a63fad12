"""The same paper is asked by two agencies: sent online, a quotation is read by whom the aid that waits for it is for, and the room of the other stays shut."""

import io

import pytest
from sqlalchemy import text

from engine.casework import holders

PDF = b"%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"
LEASE = {"aide.postes": [{"poste.nature": "loyer", "poste.montant": 280_000, "poste.fournisseur": "Bailleur"}]}


@pytest.mark.parametrize(("wish", "lacking", "class_"), [("social", LEASE, "S,F"), ("creation", {"aide.pj13": None}, "P")])
def test_a_quotation_sent_online_is_of_the_class_of_the_aid_that_waits_for_it(world, wish, lacking, class_):
    case_id = world.receive(world.somebody(wish, 1, **lacking))
    world.answers(world.reaches("T602"), aide__pieces_toutes_remises=False, aide__pieces_manquantes=["PJ10", "PJ13"])
    holders.send_piece(world.database, case_id, "PJ10", "devis.pdf", io.BytesIO(PDF))
    with world.database.owner() as connection:
        found = connection.execute(text("SELECT d.class FROM received_piece p JOIN document d USING (document_id) WHERE p.instance_id = :case"), {"case": case_id}).scalar_one()
    assert found == class_
