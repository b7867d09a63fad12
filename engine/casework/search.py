"""Searching persons and their cases: by number, identity card, passport, phone, or a name as somebody spells it, in either script.

Every look is an equality or a prefix on `person_token`, under the reader's own policies: text operators are not leakproof and would read every row.
A name is asked by pairs of its words' skeletons; where few bear it, by every single slip of them.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from rapidfuzz import fuzz
from sqlalchemy import text
from sqlmodel import Session

from engine.casework.views import Candidate
from engine.dossier import beneficiaries

MOST, LONGEST = 20, 200
_ENOUGH, _LOOKED_AT, _WORDS = 3, 60, 5
_DIGITS = re.compile(r"[\d٠-٩]")
_EASTERN = str.maketrans("٠١٢٣٤٥٦٧٨٩", "0123456789")
_BY_NUMBER = text("SELECT person_id, 'number' AS kind, 1 AS hits, instance_id FROM instance WHERE number = :number")
_BY_TOKEN = text("""SELECT person_id, min(kind) AS kind, 1 AS hits FROM person_token WHERE kind = ANY (CAST(:kinds AS text[])) AND token = ANY (CAST(:tokens AS text[]))
                     GROUP BY person_id LIMIT :limit""")
_BY_BEGINNING = text("""(SELECT person_id, kind, 1 AS hits FROM person_token WHERE kind = 'cin' AND token ^@ :beginning LIMIT :limit) UNION ALL
                        (SELECT person_id, kind, 1 FROM person_token WHERE kind = 'passport' AND token ^@ :beginning LIMIT :limit)""")
_BY_PAIR = text("""SELECT person_id, :kind AS kind, count(DISTINCT token) AS hits FROM person_token WHERE kind = 'pair' AND token = ANY (CAST(:tokens AS text[]))
                    GROUP BY person_id ORDER BY hits DESC LIMIT :limit""")
_BY_WORD = text("""SELECT person_id, 'name' AS kind, 1 AS hits FROM (
                       (SELECT person_id FROM person_token WHERE kind = 'name' AND token ^@ :word LIMIT :limit) UNION ALL
                       (SELECT person_id FROM person_token WHERE kind = 'bone' AND token = :bones LIMIT :limit)) f""")
_BY_SLIP = text("SELECT person_id, 'alike' AS kind, 1 AS hits FROM person_token WHERE kind = 'bone' AND token = ANY (CAST(:tokens AS text[])) LIMIT :limit")
_CASES = text("""SELECT i.instance_id, i.person_id, i.number, i.branch, i.status, i.ended_at, i.process FROM instance i
                  WHERE i.person_id = ANY (CAST(:persons AS uuid[])) AND i.root_id = i.instance_id AND NOT (i.process = 'signalement' AND i.status = 'ended')
                  ORDER BY i.opened_at DESC""")
_NAMED = text("""SELECT f.person_id, jsonb_object_agg(f.field, f.value) AS said FROM fact f
                  WHERE f.person_id = ANY (CAST(:persons AS uuid[])) AND f.is_current AND f.status = 'known' AND f.field = ANY (CAST(:fields AS text[]))
                    AND f.subject = 'person:' || f.person_id GROUP BY f.person_id""")


def find(session: Session, actor: Any, query: str, limit: int = MOST) -> tuple[Candidate, ...]:
    """The cases of persons whom the words may mean, the likeliest first, as far as the reader reaches; nothing for fewer than two letters."""
    query = " ".join(query.split())[:LONGEST].translate(_EASTERN)
    if len(query) < 2:
        return ()
    found = (_numbered(session, query) if _DIGITS.search(query) else ()) or _by_name(session, beneficiaries.fold(query))
    persons = {row.person_id: row for row in found if row.person_id is not None}
    rows = session.execute(_CASES, {"persons": list(persons)}).all() if persons else []
    named = names(session, list(persons))
    asked = beneficiaries.fold(query)
    ranked = sorted(rows, key=lambda row: _order(persons[row.person_id], named.get(row.person_id, {}), asked))
    return tuple(_candidate(row, persons[row.person_id], named.get(row.person_id, {}), actor.language) for row in ranked[:limit])


def names(session: Session, persons: Sequence[UUID]) -> dict[UUID, Mapping[str, Any]]:
    """What the reader may see of the names and births of persons, by person."""
    fields = [*beneficiaries.NAME_FIELDS, "person.naissance_date"]
    return {row.person_id: row.said for row in session.execute(_NAMED, {"persons": list(persons), "fields": fields})} if persons else {}


def _numbered(session: Session, query: str) -> Sequence[Any]:
    """Persons by what is written with digits: the number of a case, of a card, of a passport, of a phone as one dials it."""
    plain = re.sub(r"[\s.()/-]", "", query).upper()
    if "-" in query:
        found = session.execute(_BY_NUMBER, {"number": query.upper().replace(" ", "")}).all()
        if found:
            return found
    phones = [plain, f"+216{plain}", "+" + plain.removeprefix("+").removeprefix("00")]
    found = session.execute(_BY_TOKEN, {"kinds": ["cin", "passport", "phone"], "tokens": list(dict.fromkeys(phones)), "limit": _LOOKED_AT}).all()
    if found or len(plain) < 4:
        return found
    return session.execute(_BY_BEGINNING, {"beginning": plain, "limit": _LOOKED_AT}).all()


def _by_name(session: Session, folded: str) -> Sequence[Any]:
    words = folded.split()[:_WORDS]
    bones = beneficiaries.skeleton(" ".join(words))
    together = beneficiaries.pairs(bones)
    if not together:
        return _by_word(session, words, bones)
    found = session.execute(_BY_PAIR, {"kind": "name", "tokens": together, "limit": _LOOKED_AT}).all()
    if len(found) >= _ENOUGH:
        return found
    slipped = [" ".join(sorted((slip, other))) for pair in together[:3] for one, other in (pair.split(), pair.split()[::-1]) for slip in beneficiaries.slips(one)]
    seen = {row.person_id for row in found}
    return [*found, *(row for row in session.execute(_BY_PAIR, {"kind": "alike", "tokens": slipped, "limit": _LOOKED_AT}) if row.person_id not in seen)]


def _by_word(session: Session, words: Sequence[str], bones: str) -> Sequence[Any]:
    """By one word alone: its beginning as written, or its skeleton."""
    written = max(words, key=len, default="")
    if len(written) < 2:
        return ()
    found = session.execute(_BY_WORD, {"word": written, "bones": bones, "limit": _LOOKED_AT}).all()
    if len(found) >= _ENOUGH or len(bones) < 3:
        return found
    return [*found, *session.execute(_BY_SLIP, {"tokens": beneficiaries.slips(bones), "limit": _LOOKED_AT})]


def _order(hit: Any, said: Mapping[str, Any], asked: str) -> tuple[bool, float]:
    """Before whom a person is told: those found as written first, then by how alike the name is in the script it was asked in."""
    written = (" ".join(str(said.get(f"person.{part}_{script}") or "") for part in ("prenom", "nom")) for script in ("fr", "ar"))
    alike = max((fuzz.token_set_ratio(asked, beneficiaries.fold(one)) + fuzz.token_sort_ratio(asked, beneficiaries.fold(one)) for one in written if one.strip()), default=0.0)
    return hit.kind == "alike", -hit.hits * 1000 - alike


def _candidate(row: Any, hit: Any, said: Mapping[str, Any], language: str) -> Candidate:
    return Candidate(row.instance_id, row.number or "", row.branch, beneficiaries.full_name(said, language), row.status, (hit.kind,), row.ended_at,
                     row.process == "signalement" and row.status == "open", row.person_id, str(said.get("person.naissance_date") or ""))  # fmt: skip
