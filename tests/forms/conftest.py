"""A small dictionary and a form of each kind of trouble, so that these tests do not depend on the content of the real ones."""

import dataclasses
import datetime as dt
from collections.abc import Mapping
from typing import Any

import pytest

from forms import dictionary, form
from forms.text import say

TODAY = dt.date(2026, 11, 24)
LONG_AGO = dt.datetime(2026, 1, 5, 9, tzinfo=dt.UTC)

PURPOSES = '[purposes.accueil]\nlabel = { fr = "Accueillir", ar = "استقبال", en = "Receive" }\n'.encode()
CHOICES = """
[lists.sexe]
values = [{ code = "F", label = { fr = "Femme", ar = "أنثى", en = "Female" } }, { code = "M", label = { fr = "Homme", ar = "ذكر", en = "Male" } }]
[lists.villes]
values = [{ code = "SFX", label = { fr = "Sfax", ar = "صفاقس", en = "Sfax" } }, { code = "MED", label = { fr = "Médenine", ar = "مدنين", en = "Medenine" } }]
[lists.besoins]
values = [
  { code = "logement", label = { fr = "Logement", ar = "سكن", en = "Housing" } },
  { code = "sante", label = { fr = "Santé", ar = "صحة", en = "Health" } },
]
"""
LABEL = '{ fr = "Libellé", ar = "تسمية", en = "Label" }'


def group(id_: str, subject: str, **fields: str) -> bytes:
    """The file of a group: name → TOML lines of the field beyond those every field has."""
    lines = [f'[group]\nid = "{id_}"\nsubject = "{subject}"\nlabel = {LABEL}']
    for name, said in fields.items():
        walls = "" if "class =" in said else 'class = "C"\n'
        lines.append(f'[fields."{id_}.{name}"]\nlabel = {LABEL}\n{walls}owner = "OTE"\npurpose = "accueil"\nretention = "P5Y"\n{said}')
    return "\n".join(lines).encode()


FILES = {
    "purposes.toml": PURPOSES,
    "choices.toml": CHOICES.encode(),
    "person.toml": group(
        "person", "person", nom='type = "text"\nmax_length = 40', note='type = "longtext"\noptional = true', sexe='type = "enum"\nchoices = "sexe"',
        naissance='type = "date"\npartial = true\nmax_on = "today"\nmin_on = "today - duration(\\"P120Y\\")"',
        age='type = "int"\ncomputed = "years and months duration(person.naissance, today).years"',
        cin='type = "cin"\noptional = true', passeport='type = "passport"\noptional = true', tel='type = "phone"\noptional = true\nvalidity = "P12M"',
        courriel='type = "email"\noptional = true', heure='type = "text"\noptional = true\npattern = "^([01][0-9]|2[0-3]):[0-5][0-9]$"',
        lieu='type = "gov"\noptional = true',
    ),
    "social.toml": group(
        "social", "case", besoins='type = "multi"\nchoices = "besoins"', sante='type = "tri"\nclass = "H"\nrefusable = true', logement='type = "bool"',
        note='type = "score"',
        pieces='type = "int"\nmin = 1\nmax = 20\nunknown = true', part='type = "percent"', rdv='type = "datetime"\nmin_on = "today"',
        papier='type = "doc"\noptional = true',
        signature='type = "signature"', accord='type = "signature"\nown_hand = true', avis='type = "enum"\nchoices = "sexe"\nvalidity = "P0D"', surface='type = "number"\nmax = 500\nunknown = true',
        antenne='type = "enum"\nchoices = "villes"\noffered = "antennes[item.code != social.avis].code"',
        somme='type = "int"\ncomputed = "social.note + social.pieces"',
    ),
    "foyer.toml": group(
        "foyer", "case", membres=f'type = "list"\nitems = {[f"membre.{name}" for name in ("prenom", "sexe", "handicap", "revenu", "naissance")]}\nmax_items = 4',
        enfants='type = "int"\ncomputed = "count(foyer.membres)"', revenus='type = "money"\ncomputed = "sum(foyer.membres.revenu)"',
        aide='type = "money"\nmin = 1000\nmax = 5000000',
    ),
    "membre.toml": group(
        "membre", "member", prenom='type = "text"', sexe='type = "enum"\nchoices = "sexe"',
        handicap='type = "tri"\nclass = "H"\noptional = true\nrefusable = true',
        revenu='type = "money"\noptional = true', naissance='type = "date"\npartial = true\noptional = true\nunknown = true',
    ),
}  # fmt: skip

TITLE = f"title = {LABEL}"


def task(ask: str, more: str = "", sections: str = "") -> bytes:
    """A task file with one section that asks `ask`."""
    return f'id = "f01"\n{TITLE}\n{more}\n[[section]]\n{TITLE}\nask = [{ask}]\n{sections}'.encode()


EVERYTHING = ", ".join(
    f'"{name}"'
    for name in (
        "person.nom", "person.note", "person.sexe", "person.naissance", "person.cin", "person.tel", "person.courriel", "person.heure", "person.lieu",
        "social.besoins",
        "social.sante", "social.logement", "social.note", "social.pieces", "social.part", "social.rdv", "social.papier", "social.signature", "social.avis",
        "social.surface",
        "foyer.membres", "foyer.aide",
    )
)  # fmt: skip
GOOD = {
    "person.nom": "Ben Salah", "person.sexe": "F", "person.naissance": "1990-02", "social.besoins": ["sante", "logement"], "social.sante": False,
    "social.logement": True,
    "social.note": 3, "social.pieces": 2, "social.part": 12.5, "social.rdv": "2026-12-01T09:00:00+01:00",
    "social.signature": {"name": "Ben Salah", "strokes": "M0 0L10 10"}, "social.avis": "M", "social.surface": 80.5,
    "foyer.membres": [{"membre.prenom": "Amel", "membre.sexe": "F", "membre.revenu": 250500}], "foyer.aide": 1500000,
}  # fmt: skip


@dataclasses.dataclass
class Forms:
    """Makes forms over the small dictionary; by default for somebody who may read and write all."""

    dictionary: dictionary.Dictionary

    def define(self, content: bytes) -> form.FormDefinition:
        return form.read({"f01.toml": content}, self.dictionary)["f01"]

    def ask(self, content: bytes, known: Mapping[str, form.Known] = {}, *, hidden: str = "", language: str = "fr", scope: Any = None,
        correcting: Any = ()) -> form.Form:  # noqa: B006
        """`hidden`: classes that the person neither reads nor writes."""
        return form.ask(
            self.define(content), known, lambda spec, author_agency: spec.class_ not in hidden, lambda spec: spec.class_ not in hidden, TODAY, language,
            scope, correcting
        )

    def known(self, field: str, value: Any, *, status: str = "known", until: dt.datetime | None = None, agency: str = "CPS", version: int = 1) -> form.Known:
        return form.Known(field, value, status, form.Source("person", ""), "Amel", agency, LONG_AGO, until, version)


@pytest.fixture(scope="session")
def forms() -> Forms:
    return Forms(dictionary.read(FILES))


@pytest.fixture(scope="session")
def sentence():
    return say
