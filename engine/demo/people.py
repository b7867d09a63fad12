"""Who comes home in the demonstration: people with both scripts of their names, a return, a household, and what they want.

Drawn by chance from a seed, so that the demonstration is the same each time. None of them exists.
"""

import datetime as dt
import random
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

_HERE = Path(__file__).parent


@cache
def _lists() -> Mapping[str, Any]:
    return tomllib.loads((_HERE / "people.toml").read_text("utf-8"))


@dataclass
class Person:
    """What one person would say: field id → value (JSON as the API takes it). `wish`: emploi, formation, creation, social; `pace`: share of the delays taken (above 1: late)."""

    name: str
    branch: str
    arrives_on: dt.date
    wish: str
    pace: float
    truth: dict[str, Any] = field(default_factory=dict)


def draw(rng: random.Random, number: int, branch: str, arrives_on: dt.date, wish: str) -> Person:
    """One person; `number` makes the CIN and the phone her own."""
    lists = _lists()
    is_woman = rng.random() < (0.45 if wish == "social" else 0.2)
    first, family = rng.choice(lists["women" if is_woman else "men"]), rng.choice(lists["families"])
    age = rng.randint(21, 52)
    birth = dt.date(arrives_on.year - age, rng.randint(1, 12), rng.randint(1, 28))
    governorate = rng.choice(lists["branches"][branch]["governorates"])
    has_family = rng.random() < (0.7 if wish == "social" else 0.35)
    members = _household(rng, is_woman, arrives_on) if has_family else []
    truth: dict[str, Any] = {
        "person.cin": f"{8_100_000 + number * 137:08d}", "person.nom_fr": family[0], "person.prenom_fr": first[0], "person.nom_ar": family[1], "person.prenom_ar": first[1],
        "person.sexe": "F" if is_woman else "M", "person.naissance_date": birth.isoformat() if rng.random() < 0.9 else str(birth.year),
        "person.naissance_lieu": lists["branches"][branch]["place"], "person.etat_civil": "marie" if has_family else "celibataire",
        "person.tel": f"+2162{2_100_000 + number * 731:07d}", "person.adresse": f"{rng.randint(2, 90)}, rue de la République", "person.gouvernorat": governorate,
        "person.delegation": f"{governorate}-0{rng.randint(1, 4)}", "person.lit_ecrit": rng.choice(["oui", "oui", "oui", "partiel"]),
        "foyer.membres": members, "retour.date": (arrives_on - dt.timedelta(days=rng.randint(2, 70))).isoformat(),
        "retour.type": rng.choice(["force_charter", "oqtf_execute", "volontaire_assiste", "volontaire_autonome"]),
        "retour.pays": rng.choice(["FR", "FR", "DE", "IT", "BE", "CH"]), "depistage.aucune_ressource_7j": wish == "social",
        "depistage.enfants_charge_seule": wish == "social" and is_woman and has_family, "evaluation.projet_souhaite": {"social": "indecis"}.get(wish, wish),
        "emploi.projet_entrepreneurial": wish == "creation", "social.besoins_sociaux": ["loyer"] if wish == "social" else [],
        "social.besoins_estimation": 600_000 if wish == "social" else 0, "evaluation.ressources_mensuelles": 0 if wish == "social" else 150_000,
    }  # fmt: skip
    truth["plan.mesures"] = measures(wish)
    truth |= amounts(wish)
    return Person(f"{first[0]} {family[0]}", branch, arrives_on, wish, rng.uniform(0.3, 0.9) if rng.random() < 0.85 else 1.3, truth)


def amounts(wish: str) -> dict[str, Any]:
    """What is proposed and granted for a wish, in millimes."""
    return {"aide.montant_propose": {"creation": 16_000_000, "social": 600_000}.get(wish, 5_000_000)}


def measures(wish: str) -> list[dict[str, Any]]:
    """The measures of a plan for a wish, as the case owner would write them."""

    def measure(kind: str, agency: str, *, asks: bool = False, cost: int = 0) -> dict[str, Any]:
        return {"mesure.type": kind, "mesure.agence": agency, "mesure.debut": "@+3", "mesure.aide_demandee": asks, **({"mesure.cout_estime": cost} if cost else {})}

    return {
        "creation": [measure("M20", "ANETI", asks=True, cost=16_000_000)],
        "emploi": [measure("M13", "ANETI")],
        "formation": [measure("M15", "ANETI")],
        "social": [measure("M01", "CPS", asks=True, cost=600_000), measure("M13", "ANETI")],
    }[wish]


def _household(rng: random.Random, is_woman: bool, today: dt.date) -> list[dict[str, Any]]:
    spouse = [] if is_woman else [{"membre.prenom": rng.choice(_lists()["women"])[0], "membre.lien": "conjoint", "membre.naissance": str(today.year - rng.randint(22, 40)),
                                   "membre.sexe": "F", "membre.a_charge": True}]  # fmt: skip
    children = []
    for _ in range(rng.randint(1, 3)):
        sex = rng.choice("FM")
        first = rng.choice(_lists()["women" if sex == "F" else "men"])[0]
        children.append({"membre.prenom": first, "membre.lien": "enfant", "membre.naissance": str(today.year - rng.randint(2, 14)), "membre.sexe": sex,
                         "membre.a_charge": True, "membre.scolarise": True})  # fmt: skip
    return spouse + children
