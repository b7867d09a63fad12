"""A small installation for the tests of the pages: a demo with a few accounts, and the small pathway of this folder as its edition 1."""

from collections.abc import Mapping
from pathlib import Path

from sqlalchemy import text

from engine.actors import agencies, signin, users
from engine.casework import cases, editions  # noqa: F401 (`cases`: the operations that an edition may name)
from engine.dossier import programmes

HERE, ROOT = Path(__file__).parent, Path(__file__).parents[3]
PASSWORD = signin.DEMO_PASSWORD
ACCOUNTS = {  # name: name in full, in Arabic, agency, branch, roles
    "salma": ("Salma Trabelsi", "سلمى الطرابلسي", "OTE", "MED", ["agent_accueil"]),
    "selim": ("Selim Jaziri", "سليم الجزيري", "OTE", "MED", ["agent_accueil"]),
    "karim": ("Karim Ben Amor", "كريم بن عمر", "OTE", "MED", ["referent"]),
    "amel": ("Amel Dhaouadi", "آمال الذوادي", "CPS", "MED", ["travailleur_social"]),
    "nabil": ("Nabil Gharbi", "نبيل الغربي", "ANETI", "MED", ["conseiller_emploi"]),
    "ines": ("Inès Bouzid", "إيناس بوزيد", "OTE", "SFX", ["agent_accueil"]),
    "meriem": ("Meriem Louati", "مريم اللواتي", "OTE", "TUN", ["coordinateur"]),
    "anis": ("Anis Mabrouk", "أنيس المبروك", "OTE", "TUN", ["coordinateur"]),
    "rim": ("Rim Chaouch", "ريم الشاوش", "OTE", "TUN", ["coordinateur"]),
    "chokri": ("Chokri Abdelli", "شكري العبدلي", "OTE", "TUN", ["auditeur"]),
    "zied": ("Zied Khemiri", "زياد الخميري", "OTE", "TUN", ["administrateur"]),
}


def furnish(database, given: Mapping[str, bytes] | None = None) -> None:
    """Agencies, branches, accounts, and the edition (`given`: another than the small one): through the engine's own verbs."""
    with database.owner() as connection:
        agencies.install(connection)
        connection.execute(text("INSERT INTO installation (is_demo) VALUES (true) ON CONFLICT DO NOTHING"))
        for username, (name, name_ar, agency, branch, roles) in ACCOUNTS.items():
            users.create(connection, username, name, agency, branch, roles, PASSWORD, name_ar=name_ar, is_demo=True)
    with database.unit_of_work(users.system()) as session:
        editions.publish(session, users.system(), given or files(), "tests")


def furnish_administered(database) -> None:
    """The same, with the dated data of the project and a second administrator: what is administered by two."""
    furnish(database)
    with database.owner() as connection:
        programmes.seed(connection, ROOT / "processes")
        programmes.seed_holidays(connection, range(2025, 2030), ROOT / "processes")
        users.create(connection, "hajer", "Hajer Mansouri", "OTE", "TUN", ["administrateur"], PASSWORD, name_ar="هاجر المنصوري", is_demo=True)


def files() -> dict[str, bytes]:
    """The real dictionary, with the small pathway and its forms."""
    real = editions.files_of(HERE / "processes", ROOT / "forms")
    kept = {name: content for name, content in real.items() if not name.startswith("forms/tasks/")}
    return kept | {f"forms/tasks/{path.name}": path.read_bytes() for path in sorted((HERE / "forms").glob("*.toml"))}
