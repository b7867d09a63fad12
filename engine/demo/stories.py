"""Who arrives in the demonstration, and when: walk-throughs A, B and C of the domain, then returns across the three branches up to today."""

import datetime as dt
import random

from engine import clock
from engine.demo.people import Person, amounts, draw, measures

BRANCHES = ("MED", "SFX", "TUN")
# A project above the programme's ceiling: the headquarters and the funder have a say.
_LARGER = {"projet.financement_subvention": 18_000_000, "projet.financement_apport": 2_000_000}
# Who is to be before whom when the demonstration ends: days since arrival, branch, wish, what sets the case apart.
_EXPECTED = (
    (95, "MED", "creation", {}), (90, "SFX", "creation", {}), (78, "TUN", "creation", {}),  # the committees
    (74, "MED", "creation", _LARGER),  # the headquarters and the funder
    (42, "TUN", "social", {}), (40, "SFX", "social", {}),  # the head of the social services
)
_WISHES = ("creation", "emploi", "social", "creation", "formation", "emploi")


def arrivals(rng: random.Random, now: dt.datetime) -> list[Person]:
    """About sixty persons: one every eleven days over the last eighteen months, thicker at the end, and the three walk-throughs."""
    today = clock.today(now)
    found = [pizzeria_of_zarzis(today), mother_in_sfax(today), long_back_from_italy(today)]
    for number, (days, branch, wish, apart) in enumerate(_EXPECTED, 800):
        person = draw(rng, number, branch, today - dt.timedelta(days=days), wish)
        person.pace = 0.3
        person.truth |= apart
        found.append(person)
    day, number = today - dt.timedelta(days=540), 10
    while day < today:
        wish = _WISHES[number // len(BRANCHES) % len(_WISHES)]  # every wish in every branch
        person = draw(rng, number, BRANCHES[number % len(BRANCHES)], day, wish)
        if number % 13 == 0:  # back for more than a year: the service, not the aid
            person.truth["retour.date"] = (day - dt.timedelta(days=430)).isoformat()
        if number % 29 == 0:
            person.truth["person.nationalite"] = ["autre"]
        if number % 2:
            person.truth["visite.confiee_a"] = "operateur"
        if number % 3:  # statistics: those whose cases are in the logs that leave
            person.truth["consentement.c5"] = True
        if wish == "creation" and number % 3 == 0:
            person.truth |= _LARGER
        found.append(person)
        number += 1
        day += dt.timedelta(days=rng.randint(8, 17) if (today - day).days > 40 else rng.randint(2, 6))
    return found


def pizzeria_of_zarzis(today: dt.date) -> Person:
    """A: 27, Zarzis, expelled from Germany by charter on 12 March, class 1, a pizzeria; 24 months of follow-up."""
    year = today.year - 3 if (today.month, today.day) < (12, 1) else today.year - 2
    arrives = dt.date(year, 3, 14)
    return Person("Walid Ben Romdhane", "MED", arrives, "creation", 0.4, {
        "person.cin": "09412233", "person.nom_fr": "Ben Romdhane", "person.prenom_fr": "Walid", "person.nom_ar": "بن رمضان", "person.prenom_ar": "وليد", "person.sexe": "M",
        "person.naissance_date": f"{year - 27}-01-19", "person.naissance_lieu": "Zarzis", "person.tel": "+21622318845", "person.adresse": "12, avenue de la Liberté, Zarzis",
        "person.gouvernorat": "TN-82", "person.delegation": "TN-82-01", "foyer.membres": [], "retour.date": f"{year}-03-12", "retour.type": "force_charter", "retour.pays": "DE",
        "accueil.motif_visite": ["projet"], "evaluation.projet_souhaite": "creation", "emploi.projet_entrepreneurial": True,
        "plan.mesures": measures("creation"), **amounts("creation"), "projet.note_motivation": 4, "projet.note_competences": 4, "projet.note_marche": 4, "projet.note_rentabilite": 3, "projet.note_apport": 3, "projet.note_perennite": 3,
    })  # fmt: skip


def mother_in_sfax(today: dt.date) -> Person:
    """B: 34, two children, from France after a refused asylum, Sfax, class 3; rent and school, then training."""
    arrives = today - dt.timedelta(days=420)
    child = {"membre.lien": "enfant", "membre.a_charge": True, "membre.scolarise": True}
    return Person("Samia Kallel", "SFX", arrives, "social", 0.5, {
        "person.cin": "07788120", "person.nom_fr": "Kallel", "person.prenom_fr": "Samia", "person.nom_ar": "القلال", "person.prenom_ar": "سامية", "person.sexe": "F",
        "person.naissance_date": f"{arrives.year - 34}-06-02", "person.etat_civil": "divorce", "person.tel": "+21655120034", "person.adresse": "7, rue Mongi Slim, Sfax",
        "person.gouvernorat": "TN-61", "person.delegation": "TN-61-01", "retour.date": (arrives - dt.timedelta(days=9)).isoformat(), "retour.type": "volontaire_assiste",
        "retour.pays": "FR", "retour.statut_pays": "deboute", "retour.programme_depart": "OFII",
        "foyer.membres": [{"membre.prenom": "Yasmine", "membre.naissance": str(arrives.year - 8), "membre.sexe": "F", **child},
                          {"membre.prenom": "Adem", "membre.naissance": str(arrives.year - 5), "membre.sexe": "M", **child}],
        "depistage.enfants_charge_seule": True, "depistage.aucune_ressource_7j": True, "depistage.traitement_interrompu": True,
        "evaluation.projet_souhaite": "formation", "evaluation.ressources_mensuelles": 0, "social.besoins_sociaux": ["loyer", "scolarite"],
        "social.besoins_estimation": 1_400_000,
        "social.niveau_scolaire": [{"ecolier.prenom": "Yasmine", "ecolier.niveau": "primaire"}, {"ecolier.prenom": "Adem", "ecolier.niveau": "prescolaire"}], **amounts("social"), "plan.mesures": [*measures("social")[:1], *measures("formation")],
    })  # fmt: skip


def long_back_from_italy(today: dt.date) -> Person:
    """C: 61, from Italy after 20 months there, back 14 months ago: the service without the aid."""
    arrives = today - dt.timedelta(days=150)
    return Person("Béchir Lahmar", "TUN", arrives, "social", 0.6, {
        "person.cin": "03311871", "person.nom_fr": "Lahmar", "person.prenom_fr": "Béchir", "person.nom_ar": "الأحمر", "person.prenom_ar": "البشير", "person.sexe": "M",
        "person.naissance_date": str(arrives.year - 61), "person.etat_civil": "marie", "person.tel": "+21698441020", "person.adresse": "Cité Ettadhamen, Ariana",
        "person.gouvernorat": "TN-12", "person.delegation": "TN-12-01", "retour.date": (arrives - dt.timedelta(days=425)).isoformat(), "retour.type": "volontaire_autonome",
        "retour.pays": "IT", "retour.sejour_duree_mois": 20, "evaluation.projet_souhaite": "indecis", "social.besoins_sociaux": ["soins"], "social.besoins_estimation": 200_000,
        "plan.mesures": [{"mesure.type": "M06", "mesure.agence": "CPS", "mesure.debut": "@+3", "mesure.aide_demandee": False}],
    })  # fmt: skip
