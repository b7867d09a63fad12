"""She takes back what she agreed to: whoever knew of her by it asks every page, list, search, export and call there is, and finds nothing of her; what was read before stays written."""

import datetime as dt
import io
import json
import re
from itertools import product
from types import SimpleNamespace
from urllib.parse import quote, unquote
from uuid import uuid4

import pytest
from sqlalchemy import text

from api.app import create_app as create_api
from engine.actors import signin, users
from engine.casework import agendas, agreements, appointments, case_notes, findings, notices, pieces, tasks
from engine.dossier import documents
from engine.ledger import consultations
from engine.settings import Settings
from tests import world as worlds
from tests.web.conftest import routes_of
from tests.house.test_openapi_is_pinned import PINNED
from tests.properties.test_both_walls_agree import BY_ID
from tests.web.test_absent_and_forbidden_look_the_same import NOBODY, PAGE, browser_of, differs, least, pairs, program_of
from web.app import create_app

# Ids of the case and of all that hangs on it; other parameters are of what no case is in, and who may enter there is asked elsewhere.
AGENDA = "/calendar/{secret}.ics"
ENDLESS = "/desk/live"  # news as they come: numbers only, and it never ends
WORDS = {"person.nom_fr": "Zqvxnom", "person.prenom_fr": "Hwkjpre", "person.nom_ar": "ظغثنوم", "person.prenom_ar": "ظضثقيس", "person.cin": "07391846", "person.tel": "+21627391846"}
NOTE, PAPER, DRAFT, FOUND = "Zqvxnote", "Zqvxpapier", "Zqvxbrouillon", "Zqvxconstat"
# What each address may be asked besides: every view and filter, by her name, number, id.
VIEWS = ("mine", "queue", "instead", "all", "others", "late", "person")
TOLD_NOBODY = frozenset({"/cases/{case_id}/returned"})  # asks whether it is she who comes again, of any id
MARKS = (*WORDS.values(), "27391846", "27 391 846", NOTE, PAPER, DRAFT, FOUND)


@pytest.fixture(scope="module")
def village(make_database):
    """A case whose aid was decided, paid for in part, and whose visit is entrusted to an operator, with all that may hang on it."""
    database = make_database(worlds.furnish)
    world = worlds.World(database)
    world.case = world.receive(world.somebody("creation", 4, visite__confiee_a="operateur", **{name.replace(".", "__"): said for name, said in WORDS.items()}))
    studied, visit = world.reaches("T653"), world.reaches("T702_operateur", days=400)
    karim, amel = world.staff["karim"], world.staff["amel"]
    with database.unit_of_work(karim) as session:
        document = documents.upload(session, karim, "piece.pdf", io.BytesIO(PAGE))
        pieces.lodge(session, karim, world.case, pieces.OTHER, "C", document, PAPER)
        case_notes.write(session, karim, world.case, f"@amel @nabil {NOTE}", "C")
        hours = appointments.offer(session, karim, world.case, day=world.today() + dt.timedelta(days=1))
        appointment = appointments.make(session, karim, world.case, karim.user_id, hours.slots[0], 30, "antenne")
        tasks.pass_to(session, karim, visit.task_id, world.staff["operateur"].user_id)
    with database.unit_of_work(amel) as session:  # what she sent herself, and the address of her own agenda
        document = documents.upload(session, amel, "scan.pdf", io.BytesIO(PAGE))
        pieces.lodge(session, amel, world.case, pieces.OTHER, "C", document, PAPER)
        made_for_her = appointments.make(session, amel, world.case, amel.user_id, hours.slots[4], 30, "antenne")
        secret = agendas.make_address(session, amel)
    for row in world.open_tasks(world.case):  # what she began to type, in tasks of hers and of others, in her hands or not
        with database.unit_of_work(amel) as session:
            tasks.save_draft(session, amel, row.task_id, {"typed": {"x": DRAFT}, "page": "p"})
    auditor = world.staff["auditeur"]
    with database.unit_of_work(auditor) as session:
        findings.open_at_event(session, auditor, world.case, 1, FOUND, "chef_cps", "MED", world.today() + dt.timedelta(days=9))
    settings = Settings(is_demo=True)
    made = SimpleNamespace(database=database, world=world, app=create_app(settings, database), api=create_api(settings, database, lambda *_: b"", lambda *_: b""))
    with database.reading(users.system()) as session:
        made.number = session.execute(text("SELECT number FROM instance WHERE instance_id = :id"), {"id": world.case}).scalar_one()
        def every(sql):
            return [str(one) for one in session.execute(text(sql), {"case": world.case, "sitting": studied.root_id}).scalars()]
        instances = every("SELECT instance_id FROM instance WHERE root_id IN (:case, :sitting)")
        made.ids = {
            "case_id": [str(world.case)], "instance_id": instances, "dossier_id": instances, "sitting_id": [str(studied.root_id)],
            "aid_id": every("SELECT DISTINCT split_part(subject, ':', 2) FROM instance WHERE root_id = :case AND subject LIKE 'aide:%'"),
            "task_id": every("SELECT task_id FROM open_task WHERE root_id IN (:case, :sitting) UNION ALL (SELECT task_id FROM task_done WHERE root_id IN (:case, :sitting) ORDER BY task_id LIMIT 4)"),
            "document_id": every("SELECT document_id FROM document WHERE root_id IN (:case, :sitting)"), "letter_id": every("SELECT letter_id FROM letter WHERE root_id IN (:case, :sitting)"),
            "appointment_id": [str(appointment), str(made_for_her)], "secret": [secret], "process": ["parcours", "reclamation", "dossier_aide"], "act": ["withdraw", "sign"], "seq": ["1", "3"], "number": ["1"],
            "other_id": [str(uuid4())], "user_id": [str(karim.user_id), str(amel.user_id)], "year": [str(world.today().year)], "half": ["1", "2"],
            "programme": every("SELECT DISTINCT code FROM programme"), "table": ["events", "tasks", "cases"], "code": ["B1", "B6"], "indicator": ["B1", "B6"],
            "edition_id": every("SELECT edition_id FROM edition"), "edition": every("SELECT edition_id FROM edition"),
        }  # fmt: skip
        made.hers = {  # what is of the case alone, a few of each
            name: every(f"SELECT {name} FROM {table} WHERE root_id = :case ORDER BY {name} LIMIT {most}") for name, table, most in (
                ("instance_id", "instance", 9), ("task_id", "open_task", 9), ("document_id", "document", 3), ("letter_id", "letter", 3))}  # fmt: skip
        made.hers["task_id"] += every("SELECT task_id FROM task_done WHERE root_id = :case ORDER BY task_id LIMIT 5")
    return made


def addresses(village, app):
    """Every address to read of the routes there are, filled with all that hangs on the case."""
    for method, route in routes_of(app):
        names = re.findall(r"{(\w+)(?::path)?}", route.path)
        if method != "GET" or route.path == ENDLESS or not set(names) <= village.ids.keys():
            continue
        for found in product(*(village.ids[name] for name in names)):
            yield route.path, route.path.format(**dict(zip(names, found, strict=True)))


def asked_of(village, route):
    """What an address is asked besides: its views, and its filters by her case."""
    case = village.world.case
    return ["", *{
        "/cases/{case_id}": [f"?tab={tab}" for tab in ("known", "aid", "documents", "notes", "history")],
        "/desk": [f"?view={view}" for view in VIEWS], "/worklist": [*(f"?scope={scope}" for scope in VIEWS[:5]), f"?scope=all&case_id={case}"],
        "/steering": [f"?tab={tab}" for tab in ("overview", "indicators", "waiting", "equity", "programmes")], "/steering/waiting": [f"?who={who}" for who in ("CPS", "ANETI", "OTE", "PART", "person", "sitting")],
        "/steering/cases/{indicator}": ["?days=800"], "/steering/indicators/{code}/cases": ["?days=800"], "/exports/csv/{table}": [f"?case_id={case}"],
        "/appointments": ["?of=" + village.ids["user_id"][1], "?span=month"], "/findings": [f"?state={state}" for state in ("open", "closed")],
    }.get(route, ())]  # fmt: skip


def found_by(village, name):
    """By route: whatever of her an answer holds, as one finds it who asks everything."""
    page, call, found = browser_of(village, name), program_of(village, name), {}

    def look(where, answer, address=""):
        told = answer.text + answer.headers.get("content-disposition", "")
        if answer.status_code == 200 and str(village.world.case) in address.partition("?")[0] and where not in TOLD_NOBODY:
            found.setdefault(where, set()).add("there is such a case")
        # Her number is hers as her name is; that a task of this number was taken back, or an appointment called off, is told to whoever had it.
        for one in (*MARKS, str(village.world.case), *(() if where in ("/notices", "API /notices") else (village.number,))):
            if one not in unquote(address) and (one in told or quote(one) in told):
                found.setdefault(where, set()).add(one)

    for route, address in addresses(village, village.app):
        if route == AGENDA and name != "amel":  # it is hers
            continue
        for more in asked_of(village, route):
            look(f"{route}{more}", page.client.get(address + more), address + more)
    for route, address in addresses(village, village.api):
        for more in asked_of(village, route):
            look(f"API {route}{more}", call.get(address + more), address + more)
    look("API preview", call.post("/worklist/selection/preview", json={"tasks": village.ids["task_id"], "act": "claim"}))
    for words in (*WORDS.values(), village.number, village.number[:-2], *(one[:4] for one in WORDS.values())):
        answer = call.post("/search", json={"words": words})
        if str(village.world.case) in answer.text:
            found.setdefault("API /search", set()).add("her case")
        for address in ("/desk", "/cases", "/intake", "/intake/search"):
            page.get("/desk")
            answer = page.post(address, q=words, view="all")
            if str(village.world.case) in answer.text:
                found.setdefault(f"search {address}", set()).add("her case")
    with village.database.reading(village.world.staff[name]) as session:  # what a message would be made of
        told = [str(one) for one in notices.mine(session, village.world.staff[name]).items]
    if [one for one in told if any(mark in one for mark in MARKS) or ("case_id=UUID" in one and str(village.world.case) in one)]:
        found["notices"] = {"her case"}
    return found


def alike(village, name):
    """Where a page or a call, whatever it is asked to do, says of what is hers otherwise than of what never was."""
    page, program, wrong, made = browser_of(village, name), program_of(village, name), [], json.loads(PINNED.read_text("utf-8"))
    hers = SimpleNamespace(ids=village.ids | village.hers | {name: [] for name in ("session_id", "view_id", "leave_id", "notice_id", "user_id")})  # of none of these is anything hers
    token = page.hidden("csrf")
    said = {"act": "complete", "to": NOBODY, "version": "0", "key": "k", "agent": NOBODY, "begins_at": "2030-01-07T09:00:00+01:00", "minutes": "30"}
    for app, client in ((village.app, page.client), (village.api, program)):
        for path, there, absent, ids in pairs(hers, app, "GET"):
            wrong.append((there, differs(path, *(client.get(address, follow_redirects=False) for address in (there, absent)), ids)))
    for path, there, absent, ids in pairs(hers, village.app, "POST"):
        wrong.append((there, differs(path, *(page.post(address, csrf=token, follow=False, **said) for address in (there, absent)), ids)))
    for path, there, absent, ids in pairs(hers, village.api, "POST"):
        body = made["paths"][path]["post"].get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema")
        wrong.append((there, differs(path, *(program.post(address, json=least(body, made["components"]["schemas"]) if body else None) for address in (there, absent)), ids)))
    for key in (village.world.case, village.number):
        wrong += [(key, why) for message in ("piece.recue", "urgence", "desistement")
                  if (why := differs("", *(program.post("/messages", json={"name": message, "correlation": str(one)}) for one in (key, uuid4())), ("", "")))]  # fmt: skip
    return [(where, why) for where, why in wrong if isinstance(why, tuple)]


def rows_of(village, name):
    """How many rows that tell of her each table shows to somebody, by the ids of her case, its parts, its tasks and herself."""
    with village.database.reading(users.system()) as session:
        instances, done, person = (session.execute(text("""SELECT (SELECT array_agg(instance_id) FROM instance WHERE root_id = :case), (SELECT array_agg(task_id) FROM (
            SELECT task_id FROM open_task WHERE root_id = :case UNION ALL SELECT task_id FROM task_done WHERE root_id = :case) t), (SELECT array[person_id] FROM instance WHERE instance_id = :case)"""),
            {"case": village.world.case}).one())  # fmt: skip
    ids = {"instance_id": instances, "root_id": instances, "task_id": done, "person_id": person}
    with village.database.reading(village.world.staff[name]) as session:
        counted = {(table, column): session.execute(text(f"SELECT count(*) FROM {table} WHERE {column} = ANY (:ids)"), {"ids": ids[column]}).scalar_one()
                   for table, column in session.execute(BY_ID, {"columns": list(ids)}).all()}  # fmt: skip
    return {where: number for where, number in counted.items() if number}


@pytest.mark.parametrize(("scopes", "those"), [(("c3",), ("operateur",)), (("c1",), ("amel", "nabil", "hedi"))])
def test_whoever_knew_by_what_she_takes_back_finds_nothing_of_her_anywhere(village, scopes, those):
    world, desk = village.world, village.world.agent("OTE", "MED", "agent_accueil")
    before = {name: found_by(village, name) for name in those}
    for name, found in before.items():
        assert len(found) >= 5, f"{name} knew nothing of her before: this asks nothing. {found}"
    with village.database.unit_of_work(desk) as session:
        said = {"consentement.retires": list(scopes), "consentement.retrait_canal": "guichet", "consentement.retrait_motif": "Je ne veux plus"}
        assert set(agreements.withdraw(session, desk, world.case, said)) == set(scopes)
    # From the next request on: no job has run.
    assert {name: found_by(village, name) for name in those} == dict.fromkeys(those, {})
    world.settle()
    assert {name: found_by(village, name) for name in those[:2]} == dict.fromkeys(those[:2], {}), "nor once what hangs on it was done"
    if "c1" in scopes:
        for name in those[:2]:
            assert alike(village, name) == [], "what is kept from her is as what never was"
            assert rows_of(village, name).keys() <= {("ledger_sealed", "person_id")}, "nor has any table a row of it for her, but the sitting's lines, sealed under her key"
    agencies = {world.staff[name].agency for name in those}
    left = [row.node for row in world.open_tasks() if row.holder_id in {world.staff[name].user_id for name in those}]
    assert left == [] == [one.node for name in those for one in world.desk(world.staff[name], "all").items], "their tasks are taken back"
    with village.database.reading(users.system()) as session:
        assert agencies <= {one.agency for one in consultations.read(session, world.case, 0, 500)}, "what was read lawfully stays written"
    assert world.incidents() == []
