"""The domain's own list (domain.md §4.1–§4.8), point by point: each task with who does it and by when, each question with the form that asks it, each decision and timer."""

import re
import tomllib

import pytest
from lxml import etree

from tests.processes import reading
from tests.processes.test_the_diagrams import BPMN, FILES, carried

ROOTS = {path.stem: etree.parse(path).getroot() for path in FILES}
DRAWN = {node.get("id"): (note.get("role"), note.get("delai"), note.get("unite"), note.get("form")) for root in ROOTS.values() for node, note in carried(root, "tache")}
WD, DAYS, HOURS = "jours_ouvres", "jours", "heures_ouvrees"

# Task → role, and the delay where the domain gives one.
TASKS = {
    "T001": ("attache_social",), "T002": ("agent_accueil",), "T003": ("travailleur_social",), "T004": ("agent_accueil",),
    "T101": ("agent_accueil", 8, HOURS), "T102": ("agent_accueil", 8, HOURS), "T104": ("agent_accueil", 8, HOURS), "T106": ("agent_accueil",), "T107": ("chef_antenne", 5, WD),
    "T108": ("chef_antenne",),
    "T201": ("referent",), "T202": ("travailleur_social", 5, WD), "T203": ("conseiller_emploi", 5, WD), "T204": ("referent",), "T205": ("travailleur_social", 10, WD),
    "T206": ("referent", 30, DAYS), "T207": ("chef_antenne",), "T208": ("referent",), "T209": ("referent",),
    "T301": ("chef_cps", 2, WD), "T302": ("travailleur_social", 10, WD), "T303": ("travailleur_social",), "T304": ("travailleur_social",), "T305": ("travailleur_social", 90, DAYS),
    "T307": ("travailleur_social", 15, DAYS),
    "T401": ("chef_aneti", 2, WD), "T402": ("conseiller_emploi",), "T403": ("conseiller_emploi", 15, DAYS), "T404": ("conseiller_emploi",), "T405": ("conseiller_emploi",),
    "T406": ("conseiller_emploi",), "T407": ("conseiller_emploi", 30, DAYS), "T408": ("conseiller_emploi",), "T409": ("conseiller_emploi",),
    "T501": ("chef_aneti", 2, WD), "T502": ("conseiller_entreprendre", 10, DAYS), "T503": ("conseiller_entreprendre",), "T504": ("conseiller_entreprendre", 45, DAYS),
    "T505": ("conseiller_entreprendre", 10, WD), "T506": ("conseiller_entreprendre",), "T507": ("conseiller_entreprendre", 60, DAYS), "T508": ("conseiller_entreprendre",),
    "T509": ("conseiller_entreprendre",), "T510": ("conseiller_entreprendre",),
    "T601_N1": ("travailleur_social",), "T601_N2": ("conseiller_emploi",), "T601_N3": ("conseiller_entreprendre",), "T602": ("referent",), "T603": ("gestionnaire_aides", 10, WD),
    "T604": ("chef_antenne", 5, WD), "T605": ("referent", 5, WD), "T606": ("referent", 15, DAYS), "T607": ("gestionnaire_aides",), "T608": ("ordonnateur", 5, WD),
    "T609": ("gestionnaire_aides",), "T610": ("gestionnaire_aides",), "T611": ("gestionnaire_aides", 60, DAYS), "T612": ("referent",), "T614": ("chef_antenne", 2, WD),
    "T615": ("conseiller_entreprendre", 60, DAYS), "T617": ("travailleur_social",),
    "T651": ("secretaire_commission", 14, DAYS), "T652": ("secretaire_commission",), "T653": ("membre_commission",), "T654": ("secretaire_commission",),
    "T655": ("president_commission", 2, WD),
    "T701": ("referent",), "T702": ("referent",), "T703": ("referent",), "T704": ("chef_antenne",),
    "T801": ("referent",), "T802": ("referent",), "T803": ("chef_antenne",), "T804": ("referent",), "T814": ("chef_antenne",), "T901": ("travailleur_social", 4, HOURS),
    "T902": ("travailleur_social", 2, WD),
    "T912": ("chef_antenne", 3, WD), "T914": ("referent", 2, WD), "T942": ("chef_antenne", 10, WD), "T943": ("coordinateur", 10, WD), "T991": ("referent", 90, DAYS),
    "T921": ("referent",), "T922": ("referent", 10, DAYS), "T932": ("coordinateur",), "T933": ("coordinateur",), "T934": ("coordinateur",), "T951": ("agent_accueil",),
    "T952": ("chef_antenne",), "T953": ("chef_antenne",), "T961": ("chef_antenne",), "T971": ("chef_antenne",), "T972": ("referent", 10, DAYS), "T973": ("coordinateur",),
    "T981": ("agent_accueil", 7, DAYS), "T985": ("travailleur_social",), "T986": ("coordinateur", 3, WD),
}  # fmt: skip
# Tasks that nobody does: an operation of Masar does.
AUTOMATIC = {"T103": "recepisse", "T105": "designer_referent"}
# Form → its questions, as the domain names them; a word that stands under another name here is written `said>named`.
QUESTIONS = {
    "f01": "source retour.date_prevue retour.type besoins_immediats nb_personnes consent_obtenu personnes",
    "f11": """cin passport nom_fr prenom_fr nom_ar prenom_ar sexe naissance_date naissance_lieu nationalite etat_civil langue lit_ecrit tel tel2 email canal_prefere adresse
        gouvernorat delegation urgence_contact membres retour.date retour.type retour.pays sejour_duree_mois statut_pays programme_depart ref_externe aide_recue canal_arrivee motif_visite
        comment_connu pj01 pj02 photo""",
    "f12": "c1 c2 c3 c4 c5 c6 lu_langue lu_oralement temoin_nom signature doc refus_motif",
    # Two of the screening's questions are asked in private by the social worker, at T202.
    "f13": """sans_abri_ce_soir maladie_urgente traitement_interrompu enceinte enfants_charge_seule mineur_non_accompagne handicap detresse_psychologique
        aucune_ressource_7j conflit_familial_empeche_logement""",
    "f21": """attentes projet_souhaite obstacles dettes_montant logement_type ressources_mensuelles reseau_soutien intention_redepart procedures_etranger""",
    "f22": """sante_besoin sante_detail couverture_sociale amen_inscrit amen_score niveau_scolaire handicap_carte soutien_psy_souhaite logement_urgence besoins_sociaux
        besoins_estimation violence_ou_traite_suspectee risque_pour_soi""",
    "f23": """niveau_instruction metiers experience_ans experience_etranger diplomes langues permis mobilite inscrit_aneti numero>numero_aneti disponibilite projet_entrepreneurial
        aptitude_entrepreneuriale""",
    "f24": "date_visite personnes_presentes conditions_logement revenus_foyer charges avis_social photos",
    "f25": "objectifs mesures engagements_beneficiaire",
    "f31": "postes beneficiaire_paiement",
    "f41": "competences points_forts ecarts recommandation",
    "f42": "metier_cible type_contrat salaire_vise echeance actions",
    "f43": "employeur_nom matricule_CNSS>matricule_cnss poste salaire_brut duree_mois date_debut part_demandee formation_cout",
    "f51": """idee secteur lieu>lieu_gouvernorat statut_vise experience_secteur_ans local associe apport_nature apport_numeraire autorisation_requise aide_familiale""",
    "f52": """investissements besoin_fonds_roulement financement_subvention financement_apport financement_credit financement_autre ventes_mensuelles charges_mensuelles emplois_crees clients
        concurrents risques calendrier""",
    "f53": "note_motivation note_competences note_marche note_rentabilite note_apport note_perennite avis reserves",
    "f61": "presence votes decision montant_accorde reserves motif_decision",
    "f71": """visite.date lieu mode present activite_etat revenu_mensuel emplois difficultes besoins_nouveaux photos geoloc appreciation suite""",
    "f94": "portee", "f95": "decision_visee arguments piece souhaite_audition", "f97": "type", "f9a": "faits piece",
    "f92": "adresse antenne motif", "f96": "objet recit agent_vise", "f99": "motif revue_le",
    "f81": "motif bilan satisfaction documents_redemandes nb_deplacements etape_inutile orientation_finale",
}
CATALOGUE = {f"M{number:02d}" for number in range(1, 25)}
CLOSURES = {"objectifs_atteints", "duree_terminee", "plus_eligible", "desistement", "perdu_de_vue", "demenagement_hors_zone", "redepart_etranger", "deces",
            "orientation_definitive_vers_autre_structure", "comportement_agressif", "fonds_epuises", "doublon", "fraude_etablie"}  # fmt: skip


@pytest.mark.parametrize("number", TASKS)
def test_each_task_is_drawn_with_who_does_it_and_by_when(number):
    role, *delay = TASKS[number]
    drawn = DRAWN[number]
    assert drawn[0] == role
    assert not delay or (drawn[1], drawn[2]) == (str(delay[0]), delay[1])


def test_what_masar_does_by_itself_is_drawn_so():
    done = {node.get("id"): note.get("nom") for root in ROOTS.values() for node, note in carried(root, "operation")}
    assert {number: done.get(number) for number in AUTOMATIC} == AUTOMATIC


@pytest.mark.parametrize("form", QUESTIONS)
def test_each_question_of_the_domain_is_asked_by_its_form(form):
    content = (reading.ROOT / "forms" / "tasks" / f"{form}.toml").read_text("utf-8")
    asked = {one if isinstance(one, str) else one["field"] for section in tomllib.loads(content)["section"] for one in section["ask"]}
    short = {name.partition(".")[2] for name in asked}
    wanted = [word.partition(">")[2] or word for word in QUESTIONS[form].split()]
    assert [word for word in wanted if word not in (asked if "." in word else short)] == []


def test_the_catalogue_of_measures_and_the_reasons_to_close_are_whole(choices, fields):
    assert set(choices[fields["mesure.type"]["choices"]]) == CATALOGUE
    assert set(choices[fields["cloture.motif"]["choices"]]) == CLOSURES


# Each limit that changes the path, where it is drawn: (diagram, element, what its timer reads).
TIMERS = [
    ("attente_arrivee", "attente_arrivee_sans_nouvelles", "signalement_relances"), ("attente_arrivee", "attente_arrivee_jusqu_a_90", "signalement_effacement_jours"),
    ("accueil", "accueil_delai_preuve", "P30D"), ("constitution", "constitution_rappel_du", "limite"), ("social", "social_rappel", "opposition_rappel_jours"),
    ("dossier_aide", "dossier_aide_revoir_fonds", "liste_attente_jours"), ("seance_commission", "seance_commission_gel", "P7D"), ("parcours", "parcours_deux_ans", "P24M"),
    ("transfert", "transfert_silence", "rendez_vous_avant"), ("suspension", "suspension_maximum", "suspension_max_jours"), ("reclamation", "reclamation_sans_reponse", "rendez_vous_avant"),
    ("parcours", "parcours_six_mois", "P6M"),
]  # fmt: skip


@pytest.mark.parametrize(("diagram", "element", "reads"), TIMERS)
def test_each_limit_that_changes_the_path_is_a_timer(diagram, element, reads):
    node = next(one for one in ROOTS[diagram].iter() if one.get("id") == element)
    assert reads in "".join(node.find(f"{BPMN}timerEventDefinition").itertext())


# Task → the date it is due by, and how many of its units later (negative: before), where the domain counts from a date of the case.
DATED = {
    "T002": ("retour.date_prevue", "-2"), "T003": ("retour.date_prevue", "-1"), "T201": ("accueil.rdv_le", None), "T202": ("accueil.rdv_le", "5"), "T203": ("accueil.rdv_le", "5"),
    "T206": ("retour.date", None), "T307": ("mesure.droit_notifie_le", None), "T406": ("mesure.formation_fin", "10"), "T606": ("delai_contrat_jours", None), "T611": ("aide.reserves.echeance", None),
    "T652": ("seance.date", "-4"), "T653": ("seance.date", "-1"), "T653_CPS": ("seance.date", "-1"), "T653_ANETI": ("seance.date", "-1"), "T653_PART": ("seance.date", "-1"),
    "T654": ("seance.date", None), "T656": ("seance.date", None), "T701": ("visite.prevue_le", "-3"), "T702": ("visite.prevue_le", "2"), "T702_operateur": ("visite.prevue_le", "2"),
    "T619": ("aide.recouvre_prochain_le", "5"), "T975": ("fraude.remboursement_le", "5"), "T991": ("suspension.revue_le", None),
}  # fmt: skip


def test_what_is_due_relative_to_a_date_of_the_case_names_that_date():
    drawn = {node.get("id"): (note.get("echeance"), note.get("ecart")) for root in ROOTS.values() for node, note in carried(root, "tache") if note.get("echeance")}
    assert drawn.keys() == DATED.keys()
    assert {task: due for task, due in drawn.items() if DATED[task][0] not in due[0] or DATED[task][1] != due[1]} == {}


def test_the_advance_is_checked_after_it_is_paid_and_any_other_money_by_two_persons():
    """The one named exception to the separation of duties: everywhere else what is paid was ordered by somebody else than who prepared it."""
    payments = {node.get("id"): root for root in ROOTS.values() for node, note in carried(root, "operation") if note.get("nom") in ("verser_tranche", "verser_avance")}
    assert set(payments) == {"versements_inscrire", "dossier_aide_verser_avance"}
    assert _before(ROOTS["versements"], "versements_inscrire") >= {"T607", "T608", "T609"}
    assert _before(ROOTS["dossier_aide"], "dossier_aide_verser_avance", after="T617") == {"dossier_aide_choix_avance", "T617"}, "nobody else's leave is asked"
    assert "dossier_aide_verser_avance" in _before(ROOTS["dossier_aide"], "T614")
    assert {DRAWN[one][0] for one in ("T607", "T608")} == {"gestionnaire_aides", "ordonnateur"} and DRAWN["T617"][0] != DRAWN["T614"][0]


def _before(root, node_id, after=""):
    """Everything from which a flow leads to the element; what stands before `after` is left out."""
    found, left = set(), [node_id]
    flows = [(flow.get("sourceRef"), flow.get("targetRef")) for flow in root.iter(f"{BPMN}sequenceFlow")]
    for inner in root.iter(f"{BPMN}subProcess"):  # entered at its beginning, left by its ends
        flows += [(inner.get("id"), one.get("id")) for one in inner.iter(f"{BPMN}startEvent")] + [(one.get("id"), inner.get("id")) for one in inner.iter(f"{BPMN}endEvent")]
    while left:
        here = left.pop()
        new = {source for source, target in flows if target == here} - found
        found |= new
        left += new - {after}
    return found


def test_every_number_of_a_task_has_one_meaning():
    names = {}
    for root in ROOTS.values():
        for node, _note in carried(root, "tache"):
            number = re.match(r"T\d{3}$", node.get("id"))
            if number:
                assert number[0] not in names, f"{number[0]} is drawn twice"
                names[number[0]] = node.get("name")
