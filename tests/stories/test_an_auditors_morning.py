"""An auditor's morning: she understands a turn, finds what departs, draws a sample that anybody draws again, and a finding of hers holds the next edition."""

import datetime as dt
import hashlib
import re
from dataclasses import replace
from uuid import UUID

import pytest
import sqlalchemy.exc
from sqlalchemy import text

from engine import errors
from engine.actors import users
from engine.casework import drafts, findings, player, publication
from engine.demo import accounts, stories
from engine.insight import audit, departures, proofs_of_why, samples, whys
from engine.ledger import consultations, journal, proving
from engine.settings import Settings
from tests import world as worlds
from tests.web.conftest import Browser
from web.app import create_app


@pytest.fixture(scope="module")
def world(make_database):
    """One Tunisia for all of the morning but its payments."""
    database = make_database(worlds.furnish)
    return worlds.World(database)


@pytest.fixture(scope="module")
def case(world):
    """Somebody whose case was oriented: reception, screening, interviews."""
    case_id = world.receive(world.somebody("emploi"))
    world.reaches("T206", days=40)
    return case_id


def turned(world, actor, case_id):
    """Every turn of a case as a reader sees it."""
    with world.database.reading(actor) as session:
        acts = whys.of_case(session, actor, case_id).items
        return [turn for act in acts for turn in whys.of_act(session, actor, case_id, act.instance_id, act.seq).turns]


def test_she_understands_each_turn_and_is_told_nothing_that_is_not_hers(world, case):
    auditor, worker = world.agent("OTE", "TUN", "auditeur"), world.agent("CPS", "MED", "travailleur_social")
    mine = turned(world, auditor, case)
    admission = next(turn for turn in mine if turn.node == "accueil_D1")
    assert not admission.is_veiled and admission.smallest and admission.rules
    assert any(value.at and value.author for value in admission.values), "who said it, and when"
    classed = next(turn for turn in mine if turn.node == "evaluation_D3")
    assert classed.is_veiled and (classed.smallest, classed.taken, classed.rules, classed.near, classed.others) == ("", "", (), (), ())
    hidden = {value.path for value in classed.values if value.is_hidden}
    assert any(path.startswith("depistage.") for path in hidden) and not any(value.value for value in classed.values if value.is_hidden)
    # What follows from it tells nothing either.
    inquiry = next(turn for turn in mine if turn.node == "evaluation_choix_enquete")
    assert inquiry.is_veiled and all(one.holds is None for one in inquiry.conditions)
    # A social worker sees more, and that she looked is written down.
    assert any(not value.is_hidden and value.path.startswith("depistage.") for turn in turned(world, worker, case) for value in turn.values)
    with world.database.reading(users.system()) as session:
        assert any(one.user_id == worker.user_id and "S" in one.body["classes"] for one in consultations.read(session, case) if one.kind == "access.read")
    with world.database.reading(worker) as session, pytest.raises(errors.NotFound):
        whys.of_case(session, world.agent("PART", "MED", "operateur"), case)
    # All that was kept of why holds, and so does each smallest change.
    with world.database.reading(users.system()) as session:
        proof = proofs_of_why.prove(session)
    assert proof.faults == [] and proof.counts["same"] == proof.counts["turned"] + proof.counts["decided"] > 10
    assert proof.counts["one"] + proof.counts["two"] > 10


def test_the_list_of_turns_says_where_each_led_in_her_language(world, case):
    auditor = world.agent("OTE", "TUN", "auditeur")
    told = {}
    for language in ("fr", "en", "ar"):
        reader = replace(auditor, language=language)
        with world.database.reading(reader) as session:
            acts = whys.of_case(session, reader, case).items
            told[language] = {turn.name: turn.outcome for act in acts for turn in act.turns}
            named = {one.rule: one.label for one in audit.rules(session, reader).items}
            assert not any(re.search("[a-z]_[a-z]|parametres|why\\.", words) for words in (*told[language].values(), *named.values())), named
    assert told["fr"]["Admission au dispositif"] and told["en"]["Admission to the scheme"] not in ("", told["fr"]["Admission au dispositif"]) and re.search("[\u0621-\u064a]", " ".join(told["ar"].values()))
    assert told["fr"]["Réévaluer la vulnérabilité"] == "" == told["en"]["Reassess vulnerability"], "what weighs what is not hers to know is not told"


def test_she_sees_what_each_person_did_and_saw(world, case):
    auditor, karim = world.agent("OTE", "TUN", "auditeur"), world.staff["karim"]
    with world.database.reading(auditor) as session:
        frames, seq = [], 1
        while not frames or frames[-1].seq < frames[-1].last:
            frames.append(player.frame(session, auditor, case, at=seq))
            seq = frames[-1].seq + 1
    read = [one for frame in frames for one in frame.seen.readings]
    assert read and {one.kind for one in read} == {"read"} and any(set(one.classes) & {"S", "H"} for one in read)
    assert len({one.seq for one in read}) == len(read), "each reading stands before one act"
    forms = {one.node: one for frame in frames for one in frame.seen.forms}
    assert forms["T202"].labels and forms["T202"].hidden and forms["T202"].who != forms["accueillir" if "accueillir" in forms else "T201"].who
    with world.database.reading(karim) as session:
        assert player.frame(session, karim, case, at=frames[-1].last).seen.readings is None, "not hers to know who read"


def test_a_finding_stands_on_the_diagram_where_it_was_made(world, case):
    app = create_app(Settings(is_demo=True), world.database)
    hers, sonias, karims = Browser(app), Browser(app), Browser(app)
    for browser, name in ((hers, "auditeur"), (sonias, "sonia"), (karims, "karim")):
        browser.sign_in(name, accounts.password())
    page = hers.get("/findings/diagram?process=evaluation").text
    place = re.search(r'id="element-T202".*?href="(/findings/new\?[^"]+)"', page)[1].replace("&amp;", "&")
    assert "Volet social" in hers.get(place).text
    edition = re.search(r"edition=([0-9a-f-]{36})", place)[1]
    hers.post("/findings", edition=edition, process="evaluation", element="T202", said="Délai trop court.", role="chef_antenne", branch="MED", due_on=(world.today() + dt.timedelta(days=5)).isoformat())
    made = hers.path
    for browser, is_told in ((hers, True), (sonias, True), (karims, False)):
        page = browser.get("/findings/diagram?process=evaluation").text
        assert (made in page and "finding" in re.search(r'data-marks="([^"]*)"', page)[1]) == is_told
        assert ("Délai trop court." in browser.get(f"/cases/{case}/replay?process=evaluation").text) == is_told
    assert "/findings/diagram?edition=1&amp;process=evaluation&amp;element=T202" in hers.get(made).text
    assert hers.get("/findings/diagram/1/evaluation").headers["content-type"].startswith("application/xml")
    assert hers.get("/findings/diagram?process=nowhere").status_code == 404 == hers.get("/findings/diagram?process=evaluation&edition=9").status_code


def test_she_searches_the_history_of_all_cases(world, case):
    auditor, salma, karim = world.agent("OTE", "TUN", "auditeur"), world.staff["salma"], world.staff["karim"]
    with world.database.reading(auditor) as session:
        hers = audit.of_actor(session, auditor, salma.user_id).items
        assert hers and {one.happened.actor for one in hers} == {salma.name} and {one.case_id for one in hers} == {case}
        assert {one.happened.agency for one in audit.of_agency(session, auditor, "CPS").items} == {"CPS"}
        whole = audit.of_person(session, auditor, case).items
        assert len(whole) == len({(one.happened.instance_id, one.happened.seq) for one in whole}) > len(hers)
        times = [one.happened.occurred_at for one in whole]
        assert times == sorted(times, reverse=True)
        fired = audit.rules(session, auditor)
        assert "D1_recevable" in {one.rule for one in fired.items} and fired.veiled, "the class of vulnerability weighs what is not hers"
        assert not any(one.decision == "D3" for one in fired.items)
        assert [one.case_id for one in audit.of_rule(session, auditor, "D1_recevable").items] == [case]
        with pytest.raises(errors.Forbidden):
            audit.of_rule(session, auditor, "D3_standard")
        assert audit.deviations(session, auditor).items == () and departures.listed(session, auditor).items == ()
    with world.database.reading(karim) as session:
        for asked in (audit.late, audit.rules, audit.pairs, departures.listed):
            with pytest.raises(errors.Forbidden):
                asked(session, karim)
        assert session.execute(text("SELECT count(*) FROM rule_fired")).scalar() == 0, "the second wall"
    waits = world.receive(world.somebody("emploi", 7))
    world.passes(days=10)
    with world.database.reading(auditor) as session:
        found = audit.late(session, auditor).items
        assert {one.happened.kind for one in found} <= set(audit.LATE) and waits in {one.case_id for one in found}, "nobody received her in ten days"
        assert {one.happened.kind for one in audit.late(session, auditor, "task.very_late").items} <= {"task.very_late"}


def test_who_prepared_with_who_approved_and_where_the_decision_departs(tunisia, staff, on_the_day):
    samia = stories.mother_in_sfax(dt.date(2026, 11, 24))
    samia.truth |= {"aide.montant_accorde": 450_000, "aide.motif_decision": "Deux devis suffisent"}
    on_the_day(samia.arrives_on)
    staff.receive(samia)
    staff.until(worlds.clock_at(samia.arrives_on + dt.timedelta(days=100)))
    world = worlds.World(tunisia)
    auditor = world.agent("OTE", "TUN", "auditeur")
    with tunisia.reading(auditor) as session:
        two = audit.pairs(session, auditor).items
        assert two and all(one.prepared_by != one.approved_by and 0 < one.times <= one.approved for one in two)
        departed = departures.listed(session, auditor).items
        assert [(one.proposed, one.decided) for one in departed] == [("600,000 DT", "450,000 DT")], "granted less than was proposed"
        granted = departed[0]
        assert granted.author and granted.agency == "OTE" and granted.at and granted.case_number and granted.reason == "Deux devis suffisent"
        assert player.frame(session, auditor, granted.told_in, at=granted.seq, part=granted.instance_id).seq == granted.seq, "and is seen where it was decided"
        assert departures.listed(session, auditor, "aid").items == departed and departures.listed(session, auditor, "orientation").items == ()
        assert departures.listed(session, auditor).veiled == 0
    # A plan of other measures than the rules proposed: told of where they weigh what is hers to know, only counted where they do not.
    with tunisia.owner() as connection:
        said = connection.exec_driver_sql("SELECT fact_id, value #>> '{}' FROM fact WHERE field = 'mesure.type' AND is_current").all()
        connection.exec_driver_sql("SET LOCAL session_replication_role = replica")
        connection.execute(text("UPDATE fact SET value = to_jsonb('M23'::text) WHERE fact_id = ANY (:ids)"), {"ids": [one for one, _ in said]})
    with tunisia.reading(auditor) as session:
        (plan,) = departures.listed(session, auditor, "orientation").items
        assert plan.case_id == granted.case_id and plan.author and "social" in plan.proposed and plan.decided and departures.listed(session, auditor, "orientation").veiled == 0
    with tunisia.owner() as connection:
        connection.exec_driver_sql("SET LOCAL session_replication_role = replica")
        connection.exec_driver_sql("UPDATE rule_fired SET rule = 'D4_psy' WHERE decision = 'D4' AND rule = 'D4_besoins'")
    with tunisia.reading(auditor) as session:
        found = departures.listed(session, auditor, "orientation")
        assert "social" not in found.items[0].proposed and found.veiled == 1, "it would tell to whom psychological support was proposed"
    with tunisia.owner() as connection:
        connection.exec_driver_sql("SET LOCAL session_replication_role = replica")
        connection.exec_driver_sql("UPDATE rule_fired SET rule = 'D4_besoins' WHERE decision = 'D4' AND rule = 'D4_psy'")
        connection.execute(text("UPDATE fact SET value = to_jsonb(CAST(:value AS text)) WHERE fact_id = :id"), [{"id": one, "value": was} for one, was in said])


def test_anybody_draws_her_sample_again_and_nobody_keeps_another(world, case):
    auditor = world.agent("OTE", "TUN", "auditeur")
    for _ in range(3):
        world.receive(world.somebody("social"))
    with world.database.unit_of_work(auditor) as session:
        sample_id = samples.make(session, auditor, "parcours", "", None, None, 2, "graine")
    with world.database.reading(auditor) as session:
        whole = samples.show(session, auditor, sample_id)
    again = sorted((str(one) for one in whole.ids), key=lambda one: hashlib.sha256(("graine" + one).encode()).hexdigest())[:2]
    assert [str(one.case_id) for one in whole.drawn] == again and whole.sample.population == len(whole.ids) >= 4
    with pytest.raises(sqlalchemy.exc.DBAPIError, match="not what its seed draws"), world.database.unit_of_work(auditor) as session:
        journal.append(session, auditor, "sample.drawn", f"sample:{case}", {}, {})
        session.execute(samples._ADD, {"id": case, "seed": "graine", "size": 2, "process": "parcours", "branch": "", "opened_from": None, "opened_to": None,
                                       "population": list(whole.ids), "drawn": [one for one in whole.ids if str(one) not in again][:2], "me": auditor.user_id})  # fmt: skip
    with pytest.raises(errors.Forbidden), world.database.unit_of_work(world.staff["karim"]) as session:
        samples.make(session, world.staff["karim"], "parcours", "", None, None, 2)


def the_finding(world, auditor, case, **more):
    with world.database.unit_of_work(auditor) as session:
        return findings.open_at_event(session, auditor, case, 3, "Pièce non datée.", "chef_antenne", "MED", world.today() + dt.timedelta(days=10), **more)


def acts(world, actor, verb, finding_id, said="Voilà."):
    with world.database.unit_of_work(actor) as session:
        verb(session, actor, finding_id, said)


def test_a_finding_is_answered_by_whom_it_asks_and_closed_by_an_auditor(world, case):
    auditor, sonia, tarek = world.agent("OTE", "TUN", "auditeur"), world.staff["sonia"], world.staff["tarek"]
    finding_id = the_finding(world, auditor, case)
    for stranger in (tarek, world.staff["karim"], world.staff["coordination"]):
        with pytest.raises((errors.NotFound, errors.Forbidden)):
            acts(world, stranger, findings.answer, finding_id)
    with pytest.raises(errors.Forbidden):
        acts(world, sonia, findings.close, finding_id)
    acts(world, sonia, findings.answer, finding_id)
    acts(world, auditor, findings.give_back, finding_id)
    acts(world, sonia, findings.answer, finding_id)
    acts(world, auditor, findings.close, finding_id)
    with pytest.raises(errors.Conflict):
        acts(world, sonia, findings.answer, finding_id)
    with world.database.reading(sonia) as session:
        found = findings.show(session, sonia, finding_id)
    assert found.state == "closed" and [one.kind for one in found.words] == ["answer", "return", "answer", "close"] and found.may == ()
    assert proving.prove(world.database, users.system()).wrong == []


def test_what_is_asked_of_whom_a_case_is_kept_from_falls_to_the_head_of_the_branch(world, case):
    auditor, sonia = world.agent("OTE", "TUN", "auditeur"), world.staff["sonia"]
    head = next(one for one in world.staff.values() if "chef_cps" in one.roles and one.branch == "MED")
    with world.database.unit_of_work(auditor) as session:
        finding_id = findings.open_at_event(session, auditor, case, 3, "Tâche rendue sans motif.", "chef_cps", "MED", world.today() + dt.timedelta(days=10))

    def shown(actor):
        with world.database.reading(actor) as session:
            one = findings.show(session, actor, finding_id)
            return one.answer_role, one.instead_of, one.may

    def rows(actor):
        with world.database.reading(actor) as session:
            return session.execute(text("SELECT count(*) FROM finding WHERE finding_id = :id"), {"id": finding_id}).scalar()

    assert shown(head) == ("chef_cps", "", ("answer",)) and rows(sonia) == 0
    world.says(case, c1=False)
    try:
        assert (rows(head), rows(sonia)) == (0, 1)
        with pytest.raises(errors.NotFound):
            acts(world, head, findings.answer, finding_id)
        assert shown(auditor) == ("chef_antenne", "chef_cps", ("close",)) and shown(sonia) == ("chef_antenne", "chef_cps", ("answer",))
        browser = Browser(create_app(Settings(is_demo=True), world.database))
        browser.sign_in("auditeur", accounts.password())
        page = browser.get(f"/findings/{finding_id}").text
        assert "Chef d&#39;antenne" in page and "Demandé d&#39;abord à" in page and "Chef de l&#39;unité sociale" in page
        acts(world, sonia, findings.answer, finding_id, "Motif retrouvé.")
        acts(world, auditor, findings.give_back, finding_id)
    finally:
        world.says(case, c1=True)
    assert shown(head) == ("chef_cps", "", ("answer",)) and rows(sonia) == 0, "shared again, it is hers again"
    acts(world, head, findings.answer, finding_id)
    assert proving.prove(world.database, users.system()).wrong == []


@pytest.mark.parametrize(
    ("who", "change", "match"),
    [("auditeur", "UPDATE finding SET state = 'closed', closed_by = :me, closed_at = now()", "no journal line"),
     ("sonia", "UPDATE finding SET state = 'closed', closed_by = :me, closed_at = now()", "returned, lifted and closed by an auditor|no journal line"),
     ("auditeur", "INSERT INTO finding_word VALUES (:id, 9, 'close', 'x', :me, now())", "no journal line")],
)  # fmt: skip
def test_the_database_itself_wants_a_line_and_the_right_hand(world, case, who, change, match):
    auditor, actor = world.staff["auditeur"], world.staff[who]
    finding_id = the_finding(world, auditor, case)
    with pytest.raises(sqlalchemy.exc.DBAPIError, match=match), world.database.unit_of_work(actor) as session:
        session.execute(text(change), {"id": finding_id, "me": actor.user_id})


def test_her_pages_work_without_script(world, case):
    """From a line of the history to why, to a finding made by its form, to its answer by whom it asks."""
    app = create_app(Settings(is_demo=True), world.database)
    hers, sonias, karims = Browser(app), Browser(app), Browser(app)
    for browser, name in ((hers, "auditeur"), (sonias, "sonia"), (karims, "karim")):
        browser.sign_in(name, accounts.password())
    listed = hers.get(f"/cases/{case}/why").text
    places = re.findall(rf'href="(/cases/{case}/why/[^"]+)"', listed)
    assert any("data-smallest" in hers.get(place).text for place in places) and places[0] in hers.get(f"/cases/{case}?tab=history").text
    for address in ("/audit", "/audit/events?by=agency&value=CPS", "/audit/rules", "/audit/departures", "/audit/pairs", "/audit/samples", "/findings"):
        assert hers.get(address).status_code == 200, address
        assert karims.get(address).status_code == 403, address
    hers.get(f"/findings/new?instance={case}&seq=3")
    made = hers.post("/findings", instance=str(case), seq="3", said="Pièce non datée.", role="chef_antenne", branch="MED", due_on=(world.today() + dt.timedelta(days=5)).isoformat())
    assert made.status_code == 200 and "Pièce non datée." in made.text
    assert sonias.get(hers.path).status_code == 200
    assert "Vu." in sonias.post(f"{hers.path}/answer", said="Vu.").text
    assert karims.get(hers.path).status_code == 403
    hers.get("/audit/samples")
    drawn = hers.post("/audit/samples", process="parcours", branch="", size="1", seed="g", opened_from="", opened_to="")
    assert str(case) in hers.get(f"{hers.path}/population.txt").text and "SHA-256" in drawn.text


def published(world):
    """Two coordinators agree on a draft that changes a word."""
    writer, other = world.staff["coordination"], world.staff["coordination2"]
    path = "forms/tasks/t401.toml"
    with world.database.unit_of_work(writer) as session:
        draft_id = drafts.open_draft(session, writer, "essai")
        content = drafts.read(session, writer, draft_id, path)
        drafts.save(session, writer, draft_id, path, content.content + b"\n# relu\n", content.version)
        publication.submit(session, writer, draft_id, "relu", accepted="connu", burden_reason="rien")
    with world.database.unit_of_work(other) as session:
        version = drafts.show(session, other, draft_id).draft.version
        return publication.approve(session, other, draft_id, version)


def test_a_finding_holds_the_next_edition_until_it_is_lifted(world, case):
    auditor = world.staff["auditeur"]
    finding_id = the_finding(world, auditor, case, holds=True)
    with pytest.raises(errors.Conflict) as held:
        published(world)
    with world.database.reading(auditor) as session:
        assert (held.value.code, held.value.details["number"]) == ("finding.holds", findings.show(session, auditor, finding_id).number)
    with pytest.raises(sqlalchemy.exc.DBAPIError, match="holds the next publication"), world.database.unit_of_work(world.staff["coordination2"]) as session:
        edition = session.execute(text("SELECT edition_id FROM edition")).scalar()
        session.execute(text("INSERT INTO edition_start (edition_id, starts_at) VALUES (:id, masar_now())"), {"id": UUID(str(edition))})
    acts(world, auditor, findings.lift, finding_id)
    assert published(world) == 2
