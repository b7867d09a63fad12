"""Who the person is: the tokens by which she is found again, and the search that comes before any new case.

Tokens are folded text, searched by equality and prefix only (text operators are not leakproof: under row-level security they cost a
hundred times more). Names are compared across scripts by a skeleton of consonants.
"""

import datetime as dt
import json
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from rapidfuzz import fuzz
from sqlalchemy import text
from sqlmodel import Session

IDENTITY_FIELDS = ("person.cin", "person.passport", "person.nom_fr", "person.prenom_fr", "person.nom_ar", "person.prenom_ar", "person.naissance_date", "person.tel", "person.tel2")
NAME_FIELDS = ("person.prenom_fr", "person.nom_fr", "person.prenom_ar", "person.nom_ar")

# Arabic letters by the consonants that Tunisians write for them in Latin script; letters written many ways share one.
_ARABIC = {
    "ب": "b", "پ": "b", "ت": "t", "ط": "t", "ث": "t", "ج": "j", "ح": "h", "ه": "h", "خ": "k", "د": "d", "ذ": "d", "ض": "d", "ظ": "d", "ر": "r", "ز": "z",
    "س": "s", "ص": "s", "ش": "$", "ع": "", "غ": "g", "ف": "f", "ق": "k", "ڨ": "k", "ك": "k", "ل": "l", "م": "m", "ن": "n", "و": "", "ي": "", "ى": "", "ا": "",
    "أ": "", "إ": "", "آ": "", "ة": "", "ء": "", "ؤ": "", "ئ": "",
}  # fmt: skip
_LATIN = (("ch", "$"), ("sh", "$"), ("kh", "k"), ("gh", "g"), ("th", "t"), ("dh", "d"), ("ph", "f"), ("ou", ""), ("q", "k"), ("c", "k"), ("x", "ks"), ("v", "f"), ("p", "b"))
_MATCH = text("SELECT person_id, kinds, root_id, number, branch, status, ended_at, outcome FROM masar_matches(CAST(:tokens AS jsonb))")
_ADD = text("INSERT INTO person_token (person_id, kind, token) SELECT :person, r.kind, r.token FROM jsonb_to_recordset(CAST(:tokens AS jsonb)) AS r(kind text, token text) "
            "ON CONFLICT DO NOTHING")  # fmt: skip
_DROP = text("DELETE FROM person_token WHERE person_id = :person AND kind = ANY (:kinds)")


@dataclass(frozen=True)
class Match:
    """A person already known, by her case; `kinds` are the tokens that agree."""

    person_id: UUID
    kinds: tuple[str, ...]
    case_id: UUID
    case_number: str
    branch: str
    status: str
    ended_at: dt.datetime | None
    outcome: str


def fold(name: str) -> str:
    """A name without accents, harakat or case, its letters that are written several ways made one."""
    flat = unicodedata.normalize("NFKD", name).casefold()
    flat = "".join(letter for letter in flat if not unicodedata.combining(letter) and letter != "ـ")
    return re.sub(r"[^\w]+", " ", flat.translate(str.maketrans("أإآىة", "ااايه"))).strip()


def skeleton(name: str) -> str:
    """The consonants of a name, the same from either script: `Ben Salah` and `بن صالح` give `bn slh`."""
    words = []
    for word in fold(name).split():
        if any(letter in _ARABIC for letter in word):
            bones = "".join(_ARABIC.get(letter, "") for letter in (word.removeprefix("ال") if len(word) > 4 else word))
        else:
            bones = word
            for written, bone in _LATIN:
                bones = bones.replace(written, bone)
            bones = re.sub(r"[aeiouyw]", "", bones)
        bones = re.sub(r"(.)\1+", r"\1", bones)
        if bones and bones not in ("l",):  # the article, written apart or not at all
            words.append(bones)
    return " ".join(sorted(words))


def tokens(values: Mapping[str, Any]) -> list[dict[str, str]]:
    """The search tokens of an identity (`person.cin` → value …)."""
    found = []
    for kind in ("cin", "passport"):
        if values.get(f"person.{kind}"):
            found.append({"kind": kind, "token": str(values[f"person.{kind}"]).upper()})
    for name in ("person.tel", "person.tel2"):
        if values.get(name):
            found.append({"kind": "phone", "token": str(values[name])})
    birth = str(values.get("person.naissance_date") or "")
    for script in ("fr", "ar"):
        full = " ".join(str(values.get(f"person.{part}_{script}") or "") for part in ("prenom", "nom")).strip()
        if full:
            found += [{"kind": "name", "token": word} for word in fold(full).split()]
            bones = skeleton(full)
            if bones and birth:
                found.append({"kind": "namebirth", "token": f"{bones}|{birth[:4]}"})
    return [dict(pair) for pair in {tuple(sorted(token.items())) for token in found}]


def remember(session: Session, person_id: UUID, values: Mapping[str, Any]) -> None:
    """Writes the tokens of an identity in place of the earlier ones."""
    wanted = tokens(values)
    if wanted:
        session.execute(_DROP, {"person": person_id, "kinds": sorted({token["kind"] for token in wanted})})
        session.execute(_ADD, {"person": person_id, "tokens": json.dumps(wanted, ensure_ascii=False)})


def matches(session: Session, values: Mapping[str, Any], besides: UUID | None = None) -> list[Match]:
    """Persons known in any branch who may be this one: the same CIN or passport, or the same name (either script) and year of birth."""
    wanted = [token for token in tokens(values) if token["kind"] in ("cin", "passport", "namebirth")]
    if not wanted:
        return []
    rows = session.execute(_MATCH, {"tokens": json.dumps(wanted, ensure_ascii=False)})
    return [Match(row.person_id, tuple(row.kinds), row.root_id, row.number or "", row.branch, row.status, row.ended_at, row.outcome)
            for row in rows if row.person_id != besides]  # fmt: skip


def likeness(one: str, other: str) -> float:
    """How alike two names are, 0 to 1, across scripts."""
    return fuzz.token_sort_ratio(skeleton(one), skeleton(other)) / 100


def full_name(values: Mapping[str, Any], language: str) -> str:
    """The person's name in the reader's script where it is known, else in the other."""
    for script in ("ar", "fr") if language == "ar" else ("fr", "ar"):
        name = " ".join(str(values.get(f"person.{part}_{script}") or "") for part in ("prenom", "nom")).strip()
        if name:
            return name
    return ""
