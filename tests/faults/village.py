"""A very small installation for faults: a case that is confirmed, waits an hour, greets, is reminded every ten minutes, and tells a neighbour.

`saisir` → timer PT1H → `saluer` (and `rappeler` every ten minutes meanwhile) → message `coucou`, which starts `voisin` → `repondre`.
"""

from pathlib import Path
from uuid import UUID

from sqlalchemy import text

from engine.actors import agencies, signin, users
from engine.casework import cases, editions, tasks
from engine.database import Database
from tests.engine.pathway.drawing import boundary, catch, diagram, end, flows, message, process, start, throw, timer, user

PASSWORD = signin.DEMO_PASSWORD
_ACT = '<masar:libelle lang="ar">إجراء</masar:libelle><masar:libelle lang="en">Act</masar:libelle><masar:tache form="acte" role="agent_accueil" delai="1" unite="jours"/>'
_FORM = """id = "acte"
title = { fr = "Acte", ar = "إجراء", en = "Act" }
confirmation = { fr = "C'est fait.", ar = "تم.", en = "Done." }
"""


def files() -> dict[str, bytes]:
    told = message("coucou", '"" + instance')
    heard = message("coucou", "instance")
    drawn = diagram(
        process(
            start(), user("saisir", extensions=_ACT), catch("attendre", timer("Duration", "PT1H")), user("saluer", extensions=_ACT),
            boundary("dix_minutes", "saluer", timer("Cycle", "R/PT10M"), interrupting=False), user("rappeler", extensions=_ACT), end("rappele"),
            throw("dire", *told), end(), flows("start > saisir > attendre > saluer > dire > end", "dix_minutes > rappeler > rappele"), name="parcours",
        ),
        process(start("entendre", *heard), user("repondre", extensions=_ACT), end("repondu"), flows("entendre > repondre > repondu"), name="voisin"),
    )  # fmt: skip
    root = Path(__file__).parents[2]
    dictionary = {name: content for name, content in editions.files_of(root / "processes", root / "forms").items() if name.startswith("forms/dictionary/")}
    return dictionary | {"processes/village.bpmn": drawn, "forms/tasks/acte.toml": _FORM.encode()}


def furnish(database: Database) -> None:
    with database.owner() as connection:
        connection.execute(text("INSERT INTO installation (is_demo, is_ready) VALUES (true, true)"))
        agencies.install(connection)
        for name in ("salma", "selim"):
            users.create(connection, name, name.title(), "OTE", "MED", ["agent_accueil"], PASSWORD, is_demo=True)
    with database.unit_of_work(users.system()) as session:
        editions.publish(session, users.system(), files(), "tests")


def actor(database: Database, name: str = "salma") -> users.Actor:
    with database.reading(users.system()) as session:
        return users.of_row(session.execute(text("SELECT user_id, username, name, agency, branch, roles, language FROM user_account WHERE username = :name"), {"name": name}).one())


def open_case(database: Database) -> tuple[UUID, UUID]:
    """A case and its first task."""
    salma = actor(database)
    with database.unit_of_work(salma) as session:
        opened = cases.open_case(session, salma, "parcours")
    return opened.case_id, opened.task_id


def complete(database: Database, task_id: UUID, name: str = "salma", key: str = "") -> None:
    who = actor(database, name)
    with database.unit_of_work(who) as session:
        tasks.complete(session, who, task_id, {}, None, key)


def let_an_hour_pass(database: Database, hours: int = 1) -> None:
    """The clock moves at once, as after a night without a worker: nothing is done on the way."""
    with database.owner() as connection:
        connection.execute(text("UPDATE demo_clock SET shift = shift + make_interval(hours => :hours, secs => 1)"), {"hours": hours})


def lines(database: Database, kind: str, case_id: UUID | None = None) -> int:
    with database.owner() as connection:
        return connection.execute(
            text("SELECT count(*) FROM ledger_line WHERE kind = :kind AND (CAST(:case AS uuid) IS NULL OR instance_id = :case)"), {"kind": kind, "case": case_id}
        ).scalar_one()


def open_tasks(database: Database, case_id: UUID | None = None) -> list[str]:
    with database.owner() as connection:
        return sorted(connection.execute(
            text("SELECT node FROM open_task WHERE CAST(:case AS uuid) IS NULL OR instance_id = :case"), {"case": case_id}
        ).scalars())  # fmt: skip
