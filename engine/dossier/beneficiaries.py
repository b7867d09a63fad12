"""Who the person is: the tokens by which she is found again, and the search that comes before any new case.

Tokens are folded text, searched by equality and prefix only (text operators are not leakproof: under row-level security they cost a
hundred times more). Names are compared across scripts by a skeleton of consonants.
"""

import datetime as dt
import json
import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import Any
from uuid import UUID

from rapidfuzz import fuzz
from sqlalchemy import text
from sqlmodel import Session

IDENTITY_FIELDS = ("person.cin", "person.passport", "person.nom_fr", "person.prenom_fr", "person.nom_ar", "person.prenom_ar", "person.naissance_date", "person.tel", "person.tel2")
HOUSEHOLD_FIELDS = frozenset({"foyer.membres", "membre.prenom", "membre.naissance"})
NAME_FIELDS = ("person.prenom_fr", "person.nom_fr", "person.prenom_ar", "person.nom_ar")

# Arabic letters by the consonants that Tunisians write for them in Latin script; letters written many ways share one.
_ARABIC = {
    "ب": "b", "پ": "b", "ت": "t", "ط": "t", "ث": "t", "ج": "j", "ح": "h", "ه": "h", "خ": "k", "د": "d", "ذ": "d", "ض": "d", "ظ": "d", "ر": "r", "ز": "z",
    "س": "s", "ص": "s", "ش": "$", "ع": "", "غ": "g", "ف": "f", "ق": "k", "ڨ": "k", "ك": "k", "ل": "l", "م": "m", "ن": "n", "و": "", "ي": "", "ى": "", "ا": "",
    "أ": "", "إ": "", "آ": "", "ة": "", "ء": "", "ؤ": "", "ئ": "",
}  # fmt: skip
_LATIN = (("ch", "$"), ("sh", "$"), ("kh", "k"), ("gh", "g"), ("th", "t"), ("dh", "d"), ("ph", "f"), ("ou", ""), ("q", "k"), ("c", "k"), ("x", "ks"), ("v", "f"), ("p", "b"))
# What Tunisians write as one word or as several, with its article or without: Abdelkader, Abd El Kader, عبد القادر; Noureddine, Nour El Dine, نور الدين; and Med, who is Mohamed.
_AS_ONE = tuple((re.compile(written), one) for written, one in (
    (r"\b(?:med|md|mohd)\b", "mohamed"), (r"\babd([aeiou]{1,2}l)? (?:([aeiou]l) )?(?=\w)", r"abd\1\2"), (r"\babd[aeiou]{0,2}l(?=[^l ])", "abd"), (r"\bعبد ?(?:ال(?!له\b))?(?=\w)", "عبد"),
    (r" (?:[aeiou]l )?(?:[aeiou]l?)?d{1,2}[ei]{1,2}ne?\b", "dine"), (r"(?<=\w)[aeiou]l(?=d{1,2}[ei]{1,2}ne?\b)", ""), (r" ?الدين\b", "دين"),
))  # fmt: skip
_BONES, _SON, _SERVANT = "bdfghjklmnrstz$", "bn", "bd"
_MATCH = text("""
    SELECT m.person_id, m.kinds, m.root_id, m.number, m.branch, m.status, m.ended_at, m.outcome, m.process, m.bones,
           (SELECT CAST(p.value #>> '{}' AS float) FROM parameter p WHERE p.code = 'seuil_ressemblance' AND p.valid_from <= d.today AND (p.valid_to IS NULL OR p.valid_to >= d.today)) AS least
      FROM masar_matches(CAST(:tokens AS jsonb)) m, (SELECT CAST(masar_now() AT TIME ZONE 'Africa/Tunis' AS date) AS today) d""")
_TOLD_APART = text("SELECT masar_told_apart(:person)")
_HOUSEHOLD, _KEEP_HOUSEHOLD = text("SELECT first_name, birth FROM masar_household(:person)"), text("SELECT masar_keep_household(:person, CAST(:tokens AS jsonb))")
_CERTAIN = frozenset({"cin", "passport", "namebirth"})
# Those of the kinds just said take the place of the former ones; one that stays is left alone.
_REMEMBER = text("""
    WITH said AS (SELECT r.kind, r.token FROM jsonb_to_recordset(CAST(:tokens AS jsonb)) AS r(kind text, token text)),
         former AS (DELETE FROM person_token k WHERE k.person_id = :person AND k.kind IN (SELECT kind FROM said)
                       AND NOT EXISTS (SELECT FROM said WHERE said.kind = k.kind AND said.token = k.token))
    INSERT INTO person_token (person_id, kind, token) SELECT DISTINCT CAST(:person AS uuid), kind, token FROM said ON CONFLICT DO NOTHING""")


@dataclass(frozen=True)
class Match:
    """A person already known, by her case; `kinds` are what agrees, `likeness` (0 to 1) how alike the names are where only they and the birth do."""

    person_id: UUID
    kinds: tuple[str, ...]
    case_id: UUID
    case_number: str
    branch: str
    status: str
    ended_at: dt.datetime | None
    outcome: str
    process: str
    likeness: float = 1.0

    @property
    def is_expected(self) -> bool:
        """Signalled and awaited, with no case yet."""
        return self.process == "signalement"


def fold(name: str) -> str:
    """A name without accents, harakat or case, its letters that are written several ways made one."""
    flat = unicodedata.normalize("NFKD", name).casefold()
    flat = "".join(letter for letter in flat if not unicodedata.combining(letter) and letter != "ـ")
    return re.sub(r"[^\w]+", " ", flat.translate(str.maketrans("أإآىة", "ااايه"))).strip()


def skeleton(name: str) -> str:
    """The consonants of a name, the same from either script: `Ben Salah` and `بن صالح` give `bn slh`."""
    words, flat = [], fold(name)
    for written, one in _AS_ONE:
        flat = written.sub(one, flat)
    for word in flat.split():
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


def apart(bones: str) -> list[str]:
    """The words of a skeleton; of one that `Ben` or `Abd` is written together with, also what follows it: `Bensalah` is `Ben Salah`, and `Kader` is what Abdelkader is called."""
    words = bones.split()
    return words + [word[len(_SON):] for word in words if word.startswith((_SON, _SERVANT)) and len(word) > len(_SON) + 1]


def pairs(bones: str) -> list[str]:
    """Every two words of a skeleton, as one token: who bears both is found by one equality, however many bear each. `Ben` is nobody's own."""
    words = sorted(set(apart(bones)))
    own = [word for word in words if word != _SON] if len(words) > 2 else words
    return [f"{one} {other}" for one, other in combinations(own, 2)]


def slips(bones: str) -> list[str]:
    """What one slip makes of a word of a skeleton: a consonant left out, put in, taken for another, or two that changed places."""
    halves = [(bones[:place], bones[place:]) for place in range(len(bones) + 1)]
    found = {before + after[1:] for before, after in halves if after} | {before + one + after for before, after in halves for one in _BONES}
    found |= {before + one + after[1:] for before, after in halves if after for one in _BONES}
    found |= {before + after[1] + after[0] + after[2:] for before, after in halves if len(after) > 1}
    return sorted(found - {bones, ""})


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
            found += [{"kind": "bone", "token": word} for word in apart(bones)] + [{"kind": "pair", "token": pair} for pair in pairs(bones)]
            if bones and birth:
                found += [{"kind": "namebirth", "token": f"{bones}|{birth[:4]}"}, {"kind": "born", "token": birth}, {"kind": "year", "token": birth[:4]}]
    return [dict(pair) for pair in {tuple(sorted(token.items())) for token in found}]


def remember(session: Session, person_id: UUID, values: Mapping[str, Any]) -> None:
    """Writes the tokens of an identity in place of the earlier ones."""
    wanted = tokens(values)
    if wanted:
        session.execute(_REMEMBER, {"person": person_id, "tokens": json.dumps(wanted, ensure_ascii=False)})


def _worn(bones: str) -> str:
    """A skeleton as households are compared by, where no likeness is weighed: the last letter of Fatma and Sarah is written or not, that of Gabsi and Ghazi either way."""
    return re.sub(r"h\b", "", bones.replace("g", "k"))


def household_tokens(first_names: Iterable[str], birth: str) -> list[dict[str, str]]:
    """By what a member of a household is found again: her first name, whatever the script, and her birth as far as it is known."""
    kind = "household" if len(birth) == len("2000-01-01") else "household_part"
    return [{"kind": kind, "token": f"{bones}|{birth}"} for bones in sorted({_worn(skeleton(name)) for name in first_names if name.strip()})] if birth else []


def remember_household(session: Session, person_id: UUID) -> None:
    """Writes the tokens of a person's household, as it was said last, in place of the earlier ones; none is left of a household that nobody is in."""
    found = [token for row in session.execute(_HOUSEHOLD, {"person": person_id}) for token in household_tokens([row.first_name], row.birth)]
    session.execute(_KEEP_HOUSEHOLD, {"person": person_id, "tokens": json.dumps(found, ensure_ascii=False)})


def households(session: Session, values: Mapping[str, Any], besides: UUID | None = None) -> list[Match]:
    """Whose household somebody of this first name and birth was said to be of, each by her last case: a hint that she is that member, never that she is a double.

    Where the day of the member's birth was not said, only of whom bears the family name too.
    """
    birth, names = str(values.get("person.naissance_date") or ""), [str(values.get(f"person.prenom_{script}") or "") for script in ("fr", "ar")]
    wanted = [token for length in {len(birth), 7, 4} if length <= len(birth) for token in household_tokens(names, birth[:length])]
    if not wanted:
        return []
    family = [words for script in ("fr", "ar") if (words := set(_worn(skeleton(str(values.get(f"person.nom_{script}") or ""))).split()))]
    rows = session.execute(_MATCH, {"tokens": json.dumps(wanted, ensure_ascii=False)}).all()
    last = {row.person_id: row for row in reversed(rows) if row.person_id != besides and row.process == "parcours"
            and ("household" in row.kinds or any(words <= set(_worn(bones).split()) for words in family for bones in row.bones or ()))}  # fmt: skip
    return [Match(row.person_id, ("household",), row.root_id, row.number or "", row.branch, row.status, row.ended_at, row.outcome, row.process) for row in last.values()]


def matches(session: Session, values: Mapping[str, Any], besides: UUID | None = None, with_phones: bool = False) -> list[Match]:
    """Persons known in any branch who may be this one, the likeliest first: the same CIN or passport, the same name (either script) and year of birth,
    or a name much alike (the parameter `seuil_ressemblance`) and a birth that agrees as far as both are known. `with_phones`: also whoever shares a phone.

    Whom somebody told apart from the person `besides` is not among them.
    """
    said = tokens(values)
    wanted = [token for token in said if token["kind"] in _CERTAIN] + _births(str(values.get("person.naissance_date") or ""))
    wanted += [token for token in said if with_phones and token["kind"] == "phone"]
    if not wanted:
        return []
    mine = [token["token"].partition("|")[0] for token in said if token["kind"] == "namebirth"]
    found = []
    for row in session.execute(_MATCH, {"tokens": json.dumps(wanted, ensure_ascii=False)}):
        kinds = tuple(kind for kind in row.kinds if kind in _CERTAIN or kind == "phone")
        alike = 1.0 if kinds else max((likeness(one, other) for one in mine for other in row.bones or ()), default=0.0)
        if row.person_id != besides and (kinds or row.least is not None and alike >= row.least):
            found.append(Match(row.person_id, kinds or ("namebirth",), row.root_id, row.number or "", row.branch, row.status, row.ended_at, row.outcome,
                               row.process, alike))  # fmt: skip
    if found and besides:
        apart = set(session.execute(_TOLD_APART, {"person": besides}).scalars())
        found = [one for one in found if one.person_id not in apart]
    return sorted(found, key=lambda one: (one.kinds == ("phone",), -one.likeness))


def _births(birth: str) -> list[dict[str, str]]:
    """What a birth that agrees may be written as: of a day, that day, or its month or year where no more is known; of less, any of its year."""
    if len(birth) == len("2000-01-01"):
        return [{"kind": "born", "token": birth[:length]} for length in (10, 7, 4)]
    return [{"kind": "year", "token": birth[:4]}] if birth else []


def likeness(bones: str, other: str) -> float:
    """How alike two names are, 0 to 1, by their skeletons."""
    return fuzz.token_sort_ratio(bones, other) / 100


def full_name(values: Mapping[str, Any], language: str) -> str:
    """The person's name in the reader's script where it is known, else in the other."""
    for script in ("ar", "fr") if language == "ar" else ("fr", "ar"):
        name = " ".join(str(values.get(f"person.{part}_{script}") or "") for part in ("prenom", "nom")).strip()
        if name:
            return name
    return ""
