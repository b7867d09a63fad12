"""Agencies and branches: the three agencies and their partners, and the branches where they sit together, as an installation is born with them.

Branches are data: more are opened by adding rows. Who works there is `users`, what they may do `authority`.
"""

import datetime as dt
import json
from dataclasses import dataclass
from typing import Any

from sqlalchemy import text

OTE, CPS, ANETI, PARTNERS = "OTE", "CPS", "ANETI", "PART"
HEADQUARTERS = "TUN"

AGENCIES = {
    OTE: {"fr": "Office des Tunisiens à l'étranger", "ar": "ديوان التونسيين بالخارج", "en": "Office for Tunisians Abroad"},
    CPS: {"fr": "Promotion sociale", "ar": "النهوض الاجتماعي", "en": "Social Promotion"},
    ANETI: {
        "fr": "Agence nationale pour l'emploi et le travail indépendant",
        "ar": "الوكالة الوطنية للتشغيل والعمل المستقل",
        "en": "National Agency for Employment",
    },
    PARTNERS: {"fr": "Partenaires", "ar": "الشركاء", "en": "Partners"},
}


@dataclass(frozen=True)
class Branch:
    """An antenne: its names, the day it opened and the governorates it answers for (ISO 3166-2)."""

    code: str
    names: dict[str, str]
    opened_on: dt.date
    governorates: tuple[str, ...]


# Domain.md §4.2 D12: fourteen, six and four governorates. The three opened together in September 2019 [S15, S27].
BRANCHES = (
    Branch(
        "TUN",
        {"fr": "Tunis", "ar": "تونس", "en": "Tunis"},
        dt.date(2019, 9, 1),
        ("TN-11", "TN-12", "TN-13", "TN-14", "TN-23", "TN-21", "TN-22", "TN-31", "TN-32", "TN-33", "TN-34", "TN-51", "TN-52", "TN-41"),
    ),
    Branch("SFX", {"fr": "Sfax", "ar": "صفاقس", "en": "Sfax"}, dt.date(2019, 9, 1), ("TN-61", "TN-53", "TN-43", "TN-42", "TN-71", "TN-72")),
    Branch("MED", {"fr": "Médenine", "ar": "مدنين", "en": "Médenine"}, dt.date(2019, 9, 1), ("TN-82", "TN-83", "TN-81", "TN-73")),
)

_AGENCY = text("INSERT INTO agency (code, names) VALUES (:code, CAST(:names AS jsonb)) ON CONFLICT (code) DO UPDATE SET names = excluded.names")
_BRANCH = text("""
    INSERT INTO branch (code, names, opened_on, governorates, agencies)
    VALUES (:code, CAST(:names AS jsonb), :opened_on, :governorates, :agencies)
        ON CONFLICT (code) DO UPDATE SET names = excluded.names, governorates = excluded.governorates, agencies = excluded.agencies""")


def install(connection: Any) -> None:
    """Writes the agencies and the first branches (owner connection); a second time changes nothing but their names."""
    for code, names in AGENCIES.items():
        connection.execute(_AGENCY, {"code": code, "names": json.dumps(names, ensure_ascii=False)})
    for branch in BRANCHES:
        connection.execute(
            _BRANCH,
            {
                "code": branch.code,
                "names": json.dumps(branch.names, ensure_ascii=False),
                "opened_on": branch.opened_on,
                "governorates": list(branch.governorates),
                "agencies": list(AGENCIES),
            },
        )
