"""A draft rehearsed on real cases, in the background: who would go otherwise, where; what is told of whom; stale once the draft changes."""

import pytest
from sqlalchemy import text

from engine import errors, jobs
from engine.actors import users
from engine.casework import batches
from engine.dossier import facts
from engine.insight import rehearsals

NEW = ('<bpmn:sequenceFlow id="f3" sourceRef="orienter" targetRef="choix"/>',
       '<bpmn:userTask id="verifier" name="Vérifier"><bpmn:extensionElements><masar:tache form="verifier" role="referent" delai="2" unite="jours"/></bpmn:extensionElements></bpmn:userTask>'
       '<bpmn:sequenceFlow id="f3" sourceRef="orienter" targetRef="verifier"/><bpmn:sequenceFlow id="f3b" sourceRef="verifier" targetRef="choix"/>')  # fmt: skip
FLIP = ("depistage.sans_abri_ce_soir = true", "depistage.sans_abri_ce_soir = false")
SENDS_ABROAD = ("depistage.sans_abri_ce_soir = true", 'retour.pays = "XX"')
LATER = ('form="orienter" role="referent" delai="2" unite="jours_ouvres"', 'form="orienter" role="referent" delai="9" unite="jours_ouvres"')
NO_WAY = (' default="f5"', "")
OF_A_COUNTRY = ('<bpmn:conditionExpression>depistage.sans_abri_ce_soir = true', '<bpmn:conditionExpression>retour.pays = "XX"')
ON_THE_STREET = (NEW[0], NEW[1].replace('targetRef="verifier"/>', 'targetRef="rue"/>')
                 + '<bpmn:exclusiveGateway id="rue" name="Rue ?" default="f3d"/><bpmn:sequenceFlow id="f3c" sourceRef="rue" targetRef="verifier"><bpmn:conditionExpression>'
                 'depistage.sans_abri_ce_soir = true</bpmn:conditionExpression></bpmn:sequenceFlow><bpmn:sequenceFlow id="f3d" sourceRef="rue" targetRef="choix"/>')  # fmt: skip
FALSE = ('<bpmn:sequenceFlow id="f5" sourceRef="choix" targetRef="fin"/>',
         '<bpmn:sequenceFlow id="f5" sourceRef="choix" targetRef="fin"><bpmn:conditionExpression>false</bpmn:conditionExpression></bpmn:sequenceFlow>')  # fmt: skip


def rehearse(town, draft_id, by=None):
    actor = by or town.meriem
    with town.database.unit_of_work(actor) as session:
        batch_id = rehearsals.start(session, actor, draft_id)
    batches.work_off(town.database)
    return batch_id


def report(town, draft_id, by=None):
    actor = by or town.meriem
    with town.database.reading(actor) as session:
        return rehearsals.report(session, actor, draft_id)


def numbers(town, *cases):
    with town.database.reading(town.meriem) as session:
        return {session.execute(text("SELECT number FROM instance WHERE instance_id = :id"), {"id": case}).scalar_one() for case in cases}


def told(found):
    return [(one.kind, one.node, one.cases) for one in found.groups]


def test_a_draft_that_changes_no_walk_makes_no_difference(town):
    draft = town.draft(("<bpmn:process ", "<!-- relu --><bpmn:process "))
    assert report(town, draft) is None
    rehearse(town, draft)
    found = report(town, draft)
    assert (found.batch.state, found.batch.done, found.counts, found.groups) == ("done", 4, {"same": 4}, ())
    assert found.per_thousand > 0 and not found.is_stale


def test_each_case_is_counted_once_and_each_difference_names_its_cases(town):
    draft = town.draft(NEW, LATER)
    rehearse(town, draft)
    found = report(town, draft)
    assert found.counts == {"differs": 4} and found.gravest == {"asks": 3, "waits": 1}
    assert told(found) == [("asks", "verifier", 3), ("waits", "orienter", 4)]
    new, later = found.groups
    assert {number for number, _ in new.named} == numbers(town, *town.cases[:3]) and not new.is_veiled
    assert (later.then, later.now) == (("2", "jours_ouvres"), ("9", "jours_ouvres"))


def test_who_would_go_elsewhere_is_named_where_the_reader_may_know_why_and_counted_where_not(town):
    """Whether somebody has a roof tonight is of the social class, which a coordinator does not read; the country she came from is everybody's."""
    hidden = town.draft(FLIP)
    rehearse(town, hidden)
    found = [one for one in report(town, hidden).groups if one.kind == "branch"]
    assert [(one.node, one.then, one.now, one.cases) for one in found] == [("choix", ("f4",), ("f5",), 2), ("choix", ("f5",), ("f4",), 1)]
    assert all(one.is_veiled and one.named == () and one.fields == ("depistage.sans_abri_ce_soir",) for one in found)
    known = town.draft(SENDS_ABROAD)
    rehearse(town, known)
    groups = {one.kind: one for one in report(town, known).groups}
    assert {number for number, _ in groups["branch"].named} == numbers(town, *town.cases[:2]) and not groups["branch"].is_veiled
    assert (groups["branch"].then, groups["branch"].now) == (("f4",), ("f5",))
    assert (groups["undone"].node, groups["undone"].cases) == ("visiter", 2)


def test_a_case_that_would_stop_is_the_gravest(town):
    draft = town.draft(NO_WAY, FALSE, LATER, OF_A_COUNTRY)
    rehearse(town, draft)
    found = report(town, draft)
    assert found.gravest == {"stops": 3, "waits": 1} and told(found)[0] == ("stops", "choix", 3)
    assert {number for number, _ in found.groups[0].named} == numbers(town, *town.cases[:3]) and found.groups[0].fields == ("retour.pays",)


@pytest.mark.parametrize("edits", [(NO_WAY, FALSE, LATER), (ON_THE_STREET, LATER)])
def test_nobody_is_named_by_what_hangs_on_answers_the_reader_may_not_know(town, edits):
    """A case that stops where a roof is weighed, a new task that only those without one come to: who they are would be told by their numbers."""
    draft = town.draft(*edits)
    rehearse(town, draft)
    stops_or_asks, *_, later = report(town, draft).groups
    assert stops_or_asks.kind in ("stops", "asks") and stops_or_asks.cases and stops_or_asks.is_veiled and stops_or_asks.named == ()
    assert (later.kind, later.cases, len(later.named)) == ("waits", 4, 4), "what comes before it is named"


def test_a_form_that_asks_more_is_told_for_whoever_was_never_asked(town):
    draft = town.draft(('"accueil.accompagne",', '"accueil.accompagne", "person.etat_civil",'), path="forms/tasks/accueil.toml")
    rehearse(town, draft)
    found = report(town, draft)
    assert [(one.kind, one.node, one.fields, one.cases) for one in found.groups] == [("asks", "accueillir", ("person.etat_civil",), 4)]


def test_a_later_save_makes_it_stale_and_the_rehearsal_stays_of_what_was_rehearsed(town):
    draft = town.draft(LATER)
    with town.database.unit_of_work(town.meriem) as session:
        rehearsals.start(session, town.meriem, draft)
    town.edit(draft, NEW)  # before anybody worked at it
    batches.work_off(town.database)
    found = report(town, draft)
    assert found.is_stale and told(found) == [("waits", "orienter", 4)]


def test_another_one_asked_stops_the_first_and_it_can_be_stopped(town):
    draft = town.draft(LATER)
    with town.database.unit_of_work(town.meriem) as session:
        first = rehearsals.start(session, town.meriem, draft)
    with town.database.unit_of_work(town.meriem) as session:
        second = rehearsals.start(session, town.meriem, draft)
    assert [ids[0] for ids in jobs.look(town.database)["batch"]] == [str(second)]
    with town.database.unit_of_work(town.meriem) as session:
        assert batches.progress(session, town.meriem, first).state == "cancelled"
        batches.cancel_latest(session, town.meriem, rehearsals.KIND, draft)
    assert batches.work_off(town.database) == 0 and report(town, draft).batch.state == "cancelled"


def test_nothing_of_the_cases_changes_and_no_value_is_written(town):
    asked = "SELECT count(*), max(xid::text::bigint) FROM ledger_line"
    with town.database.reading(town.meriem) as session:
        before = session.execute(text(asked)).one()
    draft = town.draft(FLIP, NEW)
    batch_id = rehearse(town, draft)
    with town.database.reading(town.meriem) as session:
        assert session.execute(text(asked)).one() == before
        written = session.execute(text("SELECT string_agg(details::text, ' ') FROM batch_line WHERE batch_id = :id"), {"id": batch_id}).scalar_one()
        facts = session.execute(text("SELECT value #>> '{}' FROM fact WHERE is_current AND field IN ('person.nom_fr', 'person.cin', 'person.tel')")).scalars().all()
    assert facts and not any(value in written for value in facts)


def facts_read(session):
    return session.execute(text("SELECT sum(idx_tup_fetch + seq_tup_read) FROM pg_stat_xact_user_tables WHERE relname = 'fact'")).scalar_one()


def test_of_all_the_facts_only_those_of_the_case_are_read(town):
    draft, case = town.draft(NEW), town.cases[0]
    rehearse(town, draft)
    batch = report(town, draft).batch
    with town.database.reading(users.system()) as session:
        session.execute(text("SET LOCAL enable_seqscan = off"))  # few facts are read faster all together: what counts is that there is an index
        hers, person = session.execute(text("SELECT count(*), max(person_id::text) FROM fact WHERE root_id = :root"), {"root": case}).one()
        before = facts_read(session)
        rehearsals.one(session, users.system(), batch, case)
        assert facts_read(session) - before <= 3 * hers
        before = facts_read(session)
        said = facts.versions(session, facts.Subjects(case, person), f"person:{person}", "person.tel")
        assert facts_read(session) - before == len(said) == 1


def test_who_reads_it_and_who_does_not(town):
    draft = town.draft(LATER)
    for username in ("salma", "amel", "zied", "chokri"):
        actor = town.staff[username]
        with town.database.unit_of_work(actor) as session, pytest.raises(errors.Forbidden):
            rehearsals.start(session, actor, draft)
    rehearse(town, draft)
    assert report(town, draft, town.staff["chokri"]).counts == {"differs": 4}, "an auditor reads it"
    for username in ("salma", "zied"):
        actor = town.staff[username]
        with town.database.reading(actor) as session, pytest.raises(errors.Forbidden):
            rehearsals.report(session, actor, draft)


def test_a_draft_that_cannot_be_read_is_not_rehearsed(town):
    draft = town.draft(("<bpmn:userTask", "<bpmn:userTusk"), ("</bpmn:userTask", "</bpmn:userTusk"))
    with town.database.unit_of_work(town.meriem) as session, pytest.raises(errors.Invalid, match="pathway.refused"):
        rehearsals.start(session, town.meriem, draft)
