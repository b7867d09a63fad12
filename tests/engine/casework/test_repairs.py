"""The repair desk with two coordinators: a broken case is moved on and goes to its end; what touches money or rights needs two; each act has its reason and its line."""

import datetime as dt
import itertools
import json
from uuid import uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from engine import errors
from engine.actors import users
from engine.casework import cases, editions, incidents, notices, repairs
from engine.insight import audit
from engine.ledger import access, proving
from engine.pathway import bpmn
from tests.web.small import installation as small
from tests.world import World

DIAGRAM, ORIENT, VISIT = "processes/parcours.bpmn", "forms/tasks/orienter.toml", "forms/tasks/visiter.toml"
_DAYS = itertools.count()
WHY = "Aucun référent ce jour-là ; convenu avec l'antenne."
OPERATION = '<bpmn:serviceTask id="rendre" name="Rendre les fonds"><bpmn:extensionElements><masar:libelle lang="ar">إرجاع الأموال</masar:libelle><masar:libelle lang="en">Give the funds back</masar:libelle><masar:operation nom="liberer_fonds"/></bpmn:extensionElements></bpmn:serviceTask>'
SHEET = """<bpmndi:BPMNShape id="di_rendre" bpmnElement="rendre"><dc:Bounds x="1020" y="300" width="120" height="80"/></bpmndi:BPMNShape>
<bpmndi:BPMNEdge id="di_f7" bpmnElement="f7"><di:waypoint x="1100" y="300"/><di:waypoint x="1100" y="178"/></bpmndi:BPMNEdge>"""
F6 = '<bpmn:sequenceFlow id="f6" sourceRef="visiter" targetRef="fin"/>'


def broken_files():
    """The small pathway with two operations that find nothing to work with: one names a case owner, the other gives money back."""
    files = small.files()
    drawn = files[DIAGRAM].decode().replace('nom="recepisse"', 'nom="designer_referent"')
    drawn = drawn.replace(F6, OPERATION + F6.replace('"fin"', '"rendre"') + F6.replace("f6", "f7").replace("visiter", "rendre"))
    drawn = drawn.replace("</bpmndi:BPMNPlane>", f"{SHEET}</bpmndi:BPMNPlane>")
    orient = files[ORIENT].decode().replace(', "consentement.signature"]', "]")
    visit = files[VISIT].decode() + '\n[[section]]\ntitle = { fr = "Dépense", ar = "المصاريف", en = "Expense" }\nask = ["urgence.depense"]\n'
    return files | {DIAGRAM: drawn.encode(), ORIENT: orient.encode(), VISIT: visit.encode()}


@pytest.fixture(scope="module")
def world(make_database):
    database = make_database()
    small.furnish(database, broken_files())
    with database.owner() as connection:
        users.create(connection, "chef", "Leila Chef", "OTE", "MED", ["chef_antenne"], small.PASSWORD)
        users.create(connection, "gest", "Sami Gest", "OTE", "TUN", ["gestionnaire_aides"], small.PASSWORD)
    return World(database)


def act(world, who, verb, *given, **more):
    actor = world.staff[who]
    with world.database.unit_of_work(actor) as session:
        return verb(session, actor, *given, **more)


def look(world, who, verb, *given, **more):
    actor = world.staff[who]
    with world.database.reading(actor) as session:
        return verb(session, actor, *given, **more)


@pytest.fixture
def without_owner(world):
    """For a while nobody may be named case owner."""

    def referents(active):
        with world.database.owner() as connection:
            connection.execute(text("UPDATE user_account SET is_active = :active WHERE 'referent' = ANY (roles)"), {"active": active})

    referents(False)
    yield
    referents(True)


def received(world):
    """Somebody else each time, born on another day: two names of chance may be alike."""
    digits = f"{uuid4().int % 100_000_000:08d}"
    name = "".join("abcdefghij"[int(one)] for one in digits)
    born = (dt.date(1960, 1, 1) + dt.timedelta(next(_DAYS))).isoformat()
    case_id = world.receive({"person.cin": digits, "person.nom_fr": name, "person.prenom_fr": name[::-1], "person.naissance_date": born, "depistage.sans_abri_ce_soir": True})
    world.does(case_id, "accueillir")
    return case_id


@pytest.fixture
def stuck(world, without_owner):
    """A case that waits at the first operation, which broke."""
    case_id = received(world)
    with world.database.owner() as connection:
        connection.execute(text("UPDATE user_account SET is_active = true WHERE 'referent' = ANY (roles)"))
    return case_id


def incident(world, case_id, who="meriem"):
    return look(world, who, incidents.open_ones, case_id)[0]


def place(world, case_id, node, who="meriem"):
    return next(one for one in look(world, who, repairs.places, case_id) if one.node == node)


def at_the_money(world):
    """A case whose second operation broke: it would give money back."""
    case_id = received(world)
    world.does(case_id, "orienter")
    world.does(case_id, "visiter", urgence__depense=12000)
    return case_id


def lines(world, case_id):
    """The kinds of its lines, the latest first, with what they say."""
    with world.database.reading(users.system()) as session:
        rows = session.execute(text("SELECT kind, line FROM ledger_line WHERE instance_id = :id ORDER BY seq DESC"), {"id": case_id})
        return [(row.kind, json.loads(row.line)["body"]) for row in rows]


def sound(world):
    return proving.prove(world.database, users.system()).wrong == []


def test_a_case_mended_by_a_move_goes_on_to_its_end_its_ledger_holds_and_the_move_is_made_again_from_its_line(world, stuck):
    broken = incident(world, stuck)
    assert (broken.node, broken.code, broken.owner) == ("recepisse", "operation.failed", "") and broken.may == ("retry", "assign", "repair")
    stands = place(world, stuck, "recepisse")
    assert stands.is_broken and stands.may_skip and {"orienter", "rendre", "fin"} <= {one.element for one in stands.targets}
    outlook = look(world, "meriem", repairs.foresee, stuck, "move", stands.position, "orienter")
    assert outlook.opened == ("Orienter la personne",) and outlook.touches == () and not outlook.broken
    with pytest.raises(errors.Invalid, match="repair.reason_needed"):
        act(world, "meriem", repairs.move, stuck, stands.position, "orienter", "  ", stands.seq)
    with world.database.reading(users.system()) as session:
        before = session.execute(text("SELECT state, seq, edition_id FROM instance WHERE instance_id = :id"), {"id": stuck}).one()
    assert act(world, "meriem", repairs.move, stuck, stands.position, "orienter", WHY, stands.seq) is None
    kind, body = lines(world, stuck)[0]
    assert kind == "token.moved" and (body["node"], body["to"]) == ("recepisse", "orienter") and look(world, "meriem", incidents.open_ones, stuck) == []
    told = look(world, "chokri", cases.history, stuck).items[0]
    assert told.reason == WHY and told.actor == "Meriem Louati"

    with world.database.reading(users.system()) as session:
        now = session.execute(text("SELECT state, seq, person_id FROM instance WHERE instance_id = :id"), {"id": stuck}).one()
        sealed = session.execute(text("SELECT ciphertext FROM ledger_sealed WHERE instance_id = :id AND seq = :seq"), {"id": stuck, "seq": now.seq}).scalar_one()
        given = access.open_line(session, stuck, now.seq, now.person_id, sealed)["inputs"]
        assert given.pop("stimulus") == "Jump"
        definitions = editions.load(session, before.edition_id).definitions
        at = told.occurred_at
        again = bpmn.advance(definitions, bytes(before.state), bpmn.Jump(position=given["position"], element=given["element"], at=at, seq=now.seq, facts=given["facts"]))
    assert again.state == bytes(now.state), "byte for byte"

    world.does(stuck, "orienter")
    world.does(stuck, "visiter", urgence__depense=12000)
    waiting = place(world, stuck, "rendre")
    first = act(world, "meriem", repairs.skip, stuck, waiting.position, "Rien n'avait été engagé.", waiting.seq)
    act(world, "anis", repairs.approve, first, place(world, stuck, "rendre").seq)
    with world.database.reading(users.system()) as session:
        assert session.execute(text("SELECT status, outcome FROM instance WHERE instance_id = :id"), {"id": stuck}).one() == ("ended", "fin")
    assert sound(world)
    assert {"token.moved", "operation.skipped"} <= left_the_way(world, stuck) and left_the_way(world, stuck, "token.moved") == {"token.moved"}, "an auditor finds it"


def left_the_way(world, case_id, kind=""):
    """The kinds of a case's lines that an auditor's search for deviations finds."""
    return {one.happened.kind for one in look(world, "chokri", audit.deviations, kind).items if one.case_id == case_id}


def test_an_incident_is_taken_in_hand_and_retried_with_a_reason(world, stuck):
    found = incident(world, stuck)
    assert {one.name for one in look(world, "meriem", incidents.owners, "MED")} == {"Meriem Louati", "Anis Mabrouk", "Rim Chaouch", "Leila Chef"}
    act(world, "meriem", incidents.assign, found.incident_id, world.staff["chef"].user_id)
    assert incident(world, stuck).owner == "Leila Chef" and lines(world, stuck)[0][0] == "incident.assigned"
    with pytest.raises(errors.Invalid, match="incident.no_owner"):
        act(world, "meriem", incidents.assign, found.incident_id, world.staff["salma"].user_id)
    with pytest.raises(errors.Invalid, match="repair.reason_needed"):
        act(world, "meriem", incidents.retry, found.incident_id, "")
    act(world, "meriem", incidents.retry, found.incident_id, "Un référent est revenu.")
    assert look(world, "meriem", incidents.open_ones, stuck) == [] and world.nodes(stuck) == ["orienter"]
    assert look(world, "chokri", cases.history, stuck).items[1].reason == "Un référent est revenu."
    with pytest.raises(errors.NotFound, match="incident.not_found"):
        act(world, "meriem", incidents.retry, found.incident_id, "Encore.")


def test_what_breaks_again_says_so_in_the_same_hands_and_all_that_broke_alike_is_retried_at_once(world, without_owner):
    """The branch has nobody to name: three cases stand still of one cause."""
    first, second, third = (received(world) for _ in range(3))
    found = {one.case_id: one for one in look(world, "meriem", incidents.open_ones)}
    assert found[first].alike == 2
    act(world, "meriem", incidents.assign, found[first].incident_id, world.staff["chef"].user_id)
    tried = act(world, "meriem", incidents.retry, found[first].incident_id, "Voir si cela passe.")
    assert (tried.went_on, tried.broke_again) == (0, 1) and incident(world, first).owner == "Leila Chef", "still in her hands"
    in_vain = act(world, "meriem", incidents.retry, incident(world, second).incident_id, "Tous ensemble.", is_alike=True)
    assert (in_vain.went_on, in_vain.broke_again) == (0, 3) and incident(world, first).owner == "Leila Chef"
    with world.database.owner() as connection:
        connection.execute(text("UPDATE user_account SET is_active = true WHERE 'referent' = ANY (roles)"))
    done = act(world, "meriem", incidents.retry, incident(world, third).incident_id, "Un référent est revenu.", is_alike=True)
    assert (done.went_on, done.broke_again) == (3, 0)
    for case_id in (first, second, third):
        assert world.nodes(case_id) == ["orienter"] and look(world, "chokri", cases.history, case_id).items[1].reason == "Un référent est revenu."
    assert sound(world)


def test_what_moves_money_is_proposed_by_one_and_applied_by_another(world):
    case_id = at_the_money(world)
    stands = place(world, case_id, "rendre")
    assert look(world, "meriem", repairs.foresee, case_id, "skip", stands.position).touches == ("money",)
    assert look(world, "meriem", repairs.foresee, case_id, "move", stands.position, "visiter").touches == ("money",)
    proposed = act(world, "meriem", repairs.move, case_id, stands.position, "visiter", WHY, stands.seq)
    assert proposed and lines(world, case_id)[0][0] == "repair.proposed" and world.incidents() and world.nodes(case_id) == []
    waiting = next(one for one in look(world, "anis", repairs.listed) if one.repair_id == proposed)
    assert (waiting.state, waiting.touches, waiting.reason, waiting.proposed_by, waiting.may) == ("proposed", ("money",), WHY, "Meriem Louati", ("approve", "refuse"))
    def came(who):
        return [one.code for one in look(world, who, notices.mine).items if one.case_id == case_id and one.code.startswith("repair.")]

    assert came("anis") == came("rim") == ["repair.proposed"] and came("meriem") == came("chef") == came("gest") == [], "who may approve it is told, nobody else"
    with pytest.raises(errors.Forbidden, match="repair.own"):
        act(world, "meriem", repairs.approve, proposed, waiting.at_seq)
    for who in ("chef", "gest", "chokri", "salma"):
        with pytest.raises(errors.Forbidden):
            act(world, who, repairs.approve, proposed, waiting.at_seq)
    with pytest.raises(errors.Conflict, match="repair.stale"):
        act(world, "anis", repairs.approve, proposed, waiting.at_seq - 1)
    act(world, "anis", repairs.approve, proposed, waiting.at_seq)
    assert came("meriem") == ["repair.applied"]
    kind, body = lines(world, case_id)[0]
    assert kind == "token.moved" and body["asked_by"] == str(world.staff["meriem"].user_id) and body["repair"] == str(proposed)
    assert world.nodes(case_id) == ["visiter"] and look(world, "chokri", cases.history, case_id).items[0].body["asked_by_name"] == "Meriem Louati"
    with pytest.raises(errors.Conflict, match="repair.decided"):
        act(world, "rim", repairs.approve, proposed, waiting.at_seq)
    assert sound(world)


def test_a_move_over_money_from_before_it_needs_two_and_a_refusal_says_why(world, stuck):
    stands = place(world, stuck, "recepisse")
    proposed = act(world, "meriem", repairs.move, stuck, stands.position, "fin", WHY, stands.seq)
    with pytest.raises(errors.Invalid, match="repair.reason_needed"):
        act(world, "anis", repairs.refuse, proposed, " ")
    told = "repair.proposed"
    assert all(told in world.news(world.staff[who])[1] for who in ("anis", "rim"))
    act(world, "anis", repairs.refuse, proposed, "Orientez-la d'abord.")
    assert not any(told in world.news(world.staff[who])[1] for who in ("anis", "rim")), "decided by one, it waits for nobody"
    decided = next(one for one in look(world, "meriem", repairs.listed) if one.repair_id == proposed)
    assert (decided.state, decided.answer, decided.decided_by, decided.may) == ("refused", "Orientez-la d'abord.", "Anis Mabrouk", ())
    own = act(world, "meriem", repairs.move, stuck, stands.position, "fin", WHY)
    act(world, "meriem", repairs.refuse, own, "Je la retire.")
    assert [kind for kind, _ in lines(world, stuck)[:2]] == ["repair.withdrawn", "repair.proposed"] and incident(world, stuck) and sound(world)
    decided = next(one for one in look(world, "anis", repairs.listed) if one.repair_id == own)
    assert (decided.state, decided.decided_by) == ("withdrawn", "Meriem Louati"), "nobody refused it"
    assert left_the_way(world, stuck, "refused_then_done") == set()
    act(world, "meriem", repairs.move, stuck, stands.position, "orienter", WHY)
    assert left_the_way(world, stuck, "refused_then_done") == {"token.moved"}, "refused, then done all the same: an auditor finds it"


def test_a_proposal_expires(world, stuck):
    stands = place(world, stuck, "recepisse")
    proposed = act(world, "meriem", repairs.move, stuck, stands.position, "fin", WHY)
    assert "repair.proposed" in world.news(world.staff["anis"])[1]
    with world.database.owner() as connection:
        connection.execute(text("UPDATE demo_clock SET shift = shift + interval '20 days'"))
    assert "repair.proposed" not in world.news(world.staff["anis"])[1]
    shown = next(one for one in look(world, "anis", repairs.listed) if one.repair_id == proposed)
    assert (shown.state, shown.may) == ("expired", ("refuse",))
    with pytest.raises(errors.Conflict, match="repair.expired"):
        act(world, "anis", repairs.approve, proposed, shown.at_seq)
    act(world, "anis", repairs.refuse, proposed, "Trop tard.")


def test_a_common_fact_is_corrected_by_one_and_money_by_who_keeps_it(world):
    case_id = at_the_money(world)
    subject = f"retour:{case_id}"
    with pytest.raises(errors.Invalid, match="repair.answer"):
        act(world, "meriem", repairs.correct, case_id, subject, "retour.pays", "ZZ", WHY)
    assert act(world, "meriem", repairs.correct, case_id, subject, "retour.pays", "DE", WHY) is None
    told = look(world, "meriem", cases.history, case_id).items[0]
    assert told.kind == "fact.corrected" and told.reason == WHY and told.values[0]["field"] == "retour.pays"
    known = {one.field: one for one in look(world, "meriem", cases.file, case_id).known}
    assert known["retour.pays"].author == "Meriem Louati" and world.nodes(case_id) == []
    with pytest.raises(errors.Conflict, match="repair.same"):
        act(world, "meriem", repairs.correct, case_id, subject, "retour.pays", "DE", WHY)

    money = (case_id, f"case:{case_id}", "urgence.depense")
    proposed = act(world, "meriem", repairs.correct, *money, "9", "Deux zéros de trop.")
    assert world.facts("urgence.depense")["urgence.depense"] != 9000
    with world.database.reading(world.staff["anis"]) as session:
        assert "9000" not in str(session.execute(text("SELECT r.* FROM repair r WHERE repair_id = :id"), {"id": proposed}).one()), "sealed in the ledger, nowhere else"
    row = next(one for one in look(world, "gest", repairs.listed) if one.repair_id == proposed)
    assert row.may == ("approve", "refuse") and "9,000" in row.value and "12,000" in row.before and row.touches == ("money",)
    with pytest.raises(errors.Forbidden):
        act(world, "anis", repairs.approve, proposed, row.at_seq)
    act(world, "gest", repairs.approve, proposed, row.at_seq)
    assert world.facts("urgence.depense")["urgence.depense"] == 9000 and lines(world, case_id)[0][0] == "fact.corrected"
    for field, code in (("consentement.c1", "repair.consent"), ("foyer.membres", "repair.said_on_its_task"), ("social.score", "repair.no_fact")):
        with pytest.raises(errors.Refusal, match=code):
            act(world, "meriem", repairs.correct, case_id, f"case:{case_id}", field, "x", WHY)
    assert sound(world)


def test_nobody_but_coordinators_mends_and_the_database_by_itself_asks_for_two(world, stuck):
    stands = place(world, stuck, "recepisse")
    for who in ("chef", "gest", "salma", "chokri", "zied"):
        for verb, given in ((repairs.move, (stuck, stands.position, "orienter", WHY)), (repairs.skip, (stuck, stands.position, WHY)),
                            (repairs.correct, (stuck, f"retour:{stuck}", "retour.pays", "DE", WHY)), (incidents.retry, (incident(world, stuck).incident_id, WHY)),
                            (incidents.assign, (incident(world, stuck).incident_id, None))):  # fmt: skip
            with pytest.raises((errors.Forbidden, errors.NotFound)):
                act(world, who, verb, *given)
    with pytest.raises(errors.Forbidden):
        look(world, "salma", repairs.places, stuck)
    assert look(world, "chef", repairs.places, stuck), "the head of the branch looks on"
    proposed = act(world, "meriem", repairs.move, stuck, stands.position, "fin", WHY)
    apply = text("UPDATE repair SET state = 'applied', decided_by = :me, decided_at = now() WHERE repair_id = :id")
    with world.database.reading(world.staff["salma"]) as session:
        assert session.execute(text("SELECT count(*) FROM repair")).scalar_one() == 0
    for who, other, why in (("meriem", "meriem", "did not propose"), ("anis", "rim", "did not propose"), ("anis", "anis", "no ledger line")):
        with pytest.raises(DBAPIError, match=why), world.database.unit_of_work(world.staff[who]) as session:
            session.execute(apply, {"me": world.staff[other].user_id, "id": proposed})
    act(world, "meriem", repairs.refuse, proposed, "Rangé.")


def test_what_was_read_is_told_without_what_is_not_the_readers_to_see():
    details = {"conditions": [{"flow": "f", "text": "person.age > 60", "value": False, "values": {"person.age": 40}},
                              {"flow": "g", "text": "sante.suivi", "value": True, "values": {"sante.suivi": True}}], "values": {"sante.suivi": True, "retour.pays": "IT"},
               "decision": "D1"}  # fmt: skip
    open_one, hidden, table = incidents.looked(details, lambda name: name != "sante.suivi")
    assert (open_one.value, dict(open_one.values), open_one.is_hidden) == (False, {"person.age": 40}, False)
    assert (hidden.value, dict(hidden.values), hidden.is_hidden) == (None, {"sante.suivi": None}, True), "nor how it came out"
    assert dict(table.values) == {"sante.suivi": None, "retour.pays": "IT"} and table.text == "D1"
