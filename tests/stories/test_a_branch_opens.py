"""A branch is opened in administration, staffed from a file by two administrators, and somebody who lives there is received and led by those who work in it."""

import datetime as dt

import pytest
from sqlalchemy import text

from engine import errors
from engine.actors import accounts, branches, signin, users
from engine.casework import cases, imports, posts
from engine.demo.accounts import password
from tests import world as worlds

REASON = "Ouverture de l'antenne de Gafsa"
NAMES = {"fr": "Gafsa", "ar": "قفصة", "en": "Gafsa"}
STAFF = """identifiant;nom;nom_ar;agence;antenne;roles
gaf.accueil;Sihem Zitouni;سهام الزيتوني;OTE;GAF;agent_accueil
gaf.referent;Lotfi Ammar;لطفي عمار;OTE;GAF;referent
gaf.chef;Hela Brahmi;هالة البراهمي;OTE;GAF;chef_antenne president_commission
gaf.membre;Mongi Jlassi;المنجي الجلاصي;OTE;GAF;membre_commission
gaf.secretaire;Ridha Nasri;رضا النصري;OTE;GAF;secretaire_commission
gaf.social;Nour Hamdi;نور حمدي;CPS;GAF;travailleur_social
gaf.cps;Fethi Slimi;فتحي السليمي;CPS;GAF;chef_cps membre_commission
gaf.emploi;Olfa Rezgui;ألفة الرزقي;ANETI;GAF;conseiller_emploi
gaf.projet;Walid Omri;وليد العمري;ANETI;GAF;conseiller_entreprendre
gaf.operateur;Sami Tlili;سامي التليلي;PART;GAF;operateur membre_commission
gaf.aneti;Zohra Khelifi;زهرة الخليفي;ANETI;GAF;chef_aneti membre_commission
"""


def entered(database, username, given):
    """Whoever was given an account comes in with its password, chooses her own, and comes in with that."""
    for said, chosen in ((given, password() + " gafsa"), (password() + " gafsa", "")):
        with database.unit_of_work(users.VISITOR) as session:
            inside = signin.sign_in(session, username, said, "web")
        if chosen:
            with database.unit_of_work(inside.actor) as session:
                signin.change_password(session, inside.actor, said, chosen, inside.token)
    return inside.actor


def test_a_branch_opens_and_decides_of_the_first_person_it_receives(tunisia, on_the_day):
    on_the_day(dt.date(2026, 11, 24))
    world = worlds.World(tunisia)
    first, second = world.staff["administration"], world.staff["administration2"]
    with tunisia.unit_of_work(first) as session:
        opens = world.today() + dt.timedelta(days=7)
        assert branches.open_branch(session, first, "GAF", NAMES, opens, ["TN-71"], ["OTE", "CPS", "ANETI", "PART"], REASON) == ("SFX",)
        made = imports.run(session, first, "users", STAFF.encode(), REASON, is_trial=False)
    assert (made.count, made.findings) == (STAFF.count("GAF"), ()) and made.proposals, "who decides waits for a second administrator"
    with tunisia.unit_of_work(second) as session:
        vacant = posts.vacant(session, second, "GAF")
        assert ("OTE", "membre_commission") in vacant and ("OTE", "agent_accueil") not in vacant, "nobody is on the committee yet"
        for one in accounts.proposals(session, second, state="open"):
            accounts.approve(session, second, one.proposal_id)
        assert posts.vacant(session, second, "GAF") == ()
        assert branches.show(session, second, "GAF").lacks == (), "its committee can sit"
    reception = entered(tunisia, "gaf.accueil", dict(made.passwords)["gaf.accueil"])
    with pytest.raises(errors.Refusal), tunisia.unit_of_work(reception) as session:
        cases.open_case(session, reception, "parcours", "GAF")  # not before its day

    world.passes(days=7)
    world = worlds.World(tunisia)
    case_id = world.receive(world.somebody("creation", 4, "SFX", person__gouvernorat="TN-71", person__delegation="TN-71-01"), branch="GAF")
    decided = world.reaches("T605", days=200)
    assert world.file(case_id).case_number.startswith("TN-GAF-2026-") and decided.branch == "GAF"
    assert {"T101", "T201", "T208", "T651", "T653", "T655"} <= world.done(case_id) | sat(tunisia), "received, assessed, a plan signed, a sitting of its own committee"
    # The forms know it as soon as it is open: a case of another branch goes there.
    moving = world.receive(world.somebody("creation", 5, "SFX"), branch="SFX")
    world.begins(moving, "transfert", world.agent("OTE", "SFX", "referent"), transfert__motif="erreur", transfert__antenne="GAF")
    world.does(moving, "T912", transfert__reponse="accepte")
    assert world.stands(moving).branch == "GAF"
    assert world.incidents() == [] and world.facts("aide.decision") == {"aide.decision": "accorde"}


def sat(database):
    with database.reading(users.system()) as session:
        return set(session.execute(text("SELECT d.node FROM task_done d JOIN instance i USING (instance_id) WHERE i.process = 'seance_commission' AND i.branch = 'GAF'")).scalars())
