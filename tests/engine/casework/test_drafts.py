"""What coordinators prepare together: who may, what becomes of two saves of one file, what two persons decide, and from when."""

import datetime as dt
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from engine import clock, errors
from engine.actors import users
from engine.casework import drafts, editions, notices, publication
from tests.web.small import installation as small
from tests.world import World

FORM, DIAGRAM = "forms/tasks/orienter.toml", "processes/parcours.bpmn"
REASON = "Le titre n'était pas clair."


@pytest.fixture
def world(make_database):
    database = make_database(small.furnish)
    return World(database)


def act(world, who, verb, *given, **more):
    """One thing a person does, committed."""
    actor = world.staff[who]
    with world.database.unit_of_work(actor) as session:
        return verb(session, actor, *given, **more)


def look(world, draft_id, who="meriem"):
    with world.database.reading(world.staff[who]) as session:
        return drafts.show(session, world.staff[who], draft_id)


def form(title):
    return small.files()[FORM].replace(b'fr = "', f'fr = "{title} '.encode(), 1)


def in_force(world):
    with world.database.reading(users.system()) as session:
        return editions.current(session).number


def changed(world, who="meriem", title="Nouveau"):
    """A draft with one file changed by somebody."""
    draft_id = act(world, who, drafts.open_draft, title)
    act(world, who, drafts.save, draft_id, FORM, form(title), 0)
    return draft_id


def published(world, title="Nouveau", by="meriem", approved_by="anis", **more):
    draft_id = changed(world, by, title)
    act(world, by, publication.submit, draft_id, REASON, **more)
    act(world, approved_by, publication.approve, draft_id, look(world, draft_id).draft.version)
    return draft_id


def test_a_draft_reads_as_its_edition_with_the_saves_over_it(world):
    draft_id = changed(world)
    act(world, "meriem", drafts.save, draft_id, "forms/tasks/neuf.toml", b'id = "neuf"\n', 0)
    act(world, "meriem", drafts.save, draft_id, "forms/tasks/visiter.toml", None, 0)
    whole = look(world, draft_id)
    assert {one.path: one.change for one in drafts.changes(whole)} == {
        FORM: "changed", "forms/tasks/neuf.toml": "added", "forms/tasks/visiter.toml": "removed"
    }  # fmt: skip
    assert whole.files[FORM] == form("Nouveau") and whole.files[DIAGRAM] == small.files()[DIAGRAM] and "forms/tasks/visiter.toml" not in whole.files
    assert whole.draft.authors == ("Meriem Louati",) and in_force(world) == 1


def test_every_save_is_kept_and_the_same_text_is_no_new_one(world):
    draft_id = changed(world)
    for version, title in ((1, "Deux"), (2, "Trois"), (3, "Trois")):
        act(world, "meriem", drafts.save, draft_id, FORM, form(title), version)
    with world.database.reading(world.staff["meriem"]) as session:
        kept = session.execute(text("SELECT version, content FROM draft_save WHERE draft_id = :id ORDER BY save_id"), {"id": draft_id}).all()
    assert [(row.version, bytes(row.content)) for row in kept] == [(1, form("Nouveau")), (2, form("Deux")), (3, form("Trois"))]


def test_of_two_who_change_one_file_the_second_is_told_who_was_first_and_nothing_is_lost(world):
    draft_id = changed(world)
    act(world, "meriem", drafts.save, draft_id, FORM, form("De Meriem"), 1)
    late = act(world, "anis", drafts.save, draft_id, FORM, form("D'Anis"), 1)
    assert late.version == 2 and late.conflict.code == "draft.aside" and late.conflict.details["who"] == "Meriem Louati"
    again = act(world, "anis", drafts.save, draft_id, FORM, form("D'Anis encore"), 1)
    whole = look(world, draft_id)
    assert whole.files[FORM] == form("De Meriem")
    assert [(one.aside_id, one.saved_by, one.made_from) for one in whole.asides] == [(again.aside, "Anis Mabrouk", 1)], "typing on is one text"
    with pytest.raises(errors.Conflict, match="draft.has_asides"):
        act(world, "meriem", publication.submit, draft_id, REASON)
    with pytest.raises(errors.Conflict, match="draft.stale"):
        act(world, "meriem", drafts.take_aside, draft_id, again.aside, 1)
    taken = act(world, "meriem", drafts.take_aside, draft_id, again.aside, 2)
    assert taken.version == 3 and look(world, draft_id).files[FORM] == form("D'Anis encore") and look(world, draft_id).asides == ()


def at_once(world, first, second):
    """Two acts (who, verb, what is given), the second while the first is not yet committed: what came of each."""
    who, verb, *given = first
    with ThreadPoolExecutor(1) as beside:
        with world.database.unit_of_work(world.staff[who]) as session:
            done = verb(session, world.staff[who], *given)
            other = beside.submit(act, world, *second)
            with pytest.raises(TimeoutError):
                other.result(timeout=0.5)
        return done, other.exception() or other.result()


def test_of_two_saves_in_the_same_instant_one_is_the_next_and_the_other_stands_aside(world):
    draft_id = act(world, "meriem", drafts.open_draft)
    _, late = at_once(world, ("meriem", drafts.save, draft_id, FORM, form("De Meriem"), 0), ("anis", drafts.save, draft_id, FORM, form("D'Anis"), 0))
    assert late.conflict.details["who"] == "Meriem Louati" and len(look(world, draft_id).asides) == 1


def test_of_two_approvals_in_the_same_instant_one_publishes(world):
    draft_id = changed(world)
    act(world, "meriem", publication.submit, draft_id, REASON)
    given = (publication.approve, draft_id, look(world, draft_id).draft.version)
    first, second = at_once(world, ("anis", *given), ("rim", *given))
    assert first == 2 and second.code == "draft.not_submitted" and in_force(world) == 2


def test_what_stands_aside_may_be_put_away(world):
    draft_id = changed(world)
    late = act(world, "anis", drafts.save, draft_id, FORM, form("D'Anis"), 0)
    act(world, "rim", drafts.drop_aside, draft_id, late.aside)
    assert look(world, draft_id).asides == () and look(world, draft_id).files[FORM] == form("Nouveau")
    with pytest.raises(errors.NotFound, match="draft.no_aside"):
        act(world, "rim", drafts.drop_aside, draft_id, late.aside)


@pytest.mark.parametrize("path", ["processes/../secret.bpmn", "/processes/a.bpmn", "forms/tasks/a.py", "processes/a.svg", "forms/other/a.toml", "a.bpmn",
                                  "processes\\a.bpmn", "processes/.bpmn", "forms/tasks/" + "a" * 120 + ".toml"])  # fmt: skip
def test_a_file_that_no_edition_holds_is_not_saved(world, path):
    draft_id = act(world, "meriem", drafts.open_draft)
    with pytest.raises(errors.Invalid, match="archive.path"):
        act(world, "meriem", drafts.save, draft_id, path, b"x", 0)


def test_two_diagrams_of_one_name_are_refused_because_one_would_hide_the_other(world):
    draft_id = act(world, "meriem", drafts.open_draft)
    with pytest.raises(errors.Invalid, match="draft.name_taken"):
        act(world, "meriem", drafts.save, draft_id, "processes/autre/parcours.bpmn", b"x", 0)


def test_nobody_but_coordinators_and_auditors_sees_drafts_on_either_wall(world):
    draft_id = changed(world)
    assert look(world, draft_id, "chokri").files[FORM] == form("Nouveau")
    with pytest.raises(errors.Forbidden):
        act(world, "chokri", drafts.save, draft_id, FORM, b"x", 1)
    for who in ("salma", "karim", "amel", "zied"):
        with pytest.raises(errors.Forbidden):
            look(world, draft_id, who)
        with world.database.reading(world.staff[who]) as session:
            assert session.execute(text("SELECT (SELECT count(*) FROM edition_draft) + (SELECT count(*) FROM draft_save)")).scalar_one() == 0
    for who in ("salma", "chokri"):
        with pytest.raises(DBAPIError, match="row-level security"), world.database.unit_of_work(world.staff[who]) as session:
            session.execute(text("INSERT INTO draft_save (draft_id, path, version, saved_by, saved_at) VALUES (:id, 'p', 9, :by, now())"),
                            {"id": draft_id, "by": world.staff[who].user_id})  # fmt: skip


def test_a_second_person_publishes_and_new_cases_follow_while_those_begun_stay(world):
    before = world.receive()
    draft_id = changed(world)
    act(world, "meriem", publication.submit, draft_id, REASON)
    assert look(world, draft_id, "meriem").draft.may == ("refuse", "try") and "approve" in look(world, draft_id, "anis").draft.may
    assert in_force(world) == 1
    number = act(world, "anis", publication.approve, draft_id, look(world, draft_id).draft.version)
    after = world.receive()
    with world.database.reading(users.system()) as session:
        followed = dict(session.execute(text("SELECT i.instance_id, e.number FROM instance i JOIN edition e USING (edition_id)")).all())
    assert (number, followed[before], followed[after]) == (2, 1, 2)
    with world.database.reading(world.staff["chokri"]) as session:
        newest, first = editions.published(session, world.staff["chokri"])
    assert newest.is_in_force and newest.open_cases == 1 and first.open_cases == 1 and not first.is_in_force
    assert [(one.asked_by, one.approved_by, one.reason) for one in newest.starts] == [("Meriem Louati", "Anis Mabrouk", REASON)]


def test_whoever_saved_or_submitted_does_not_approve(world):
    draft_id = changed(world)
    act(world, "anis", drafts.save, draft_id, FORM, form("Deux"), 1)
    act(world, "meriem", publication.submit, draft_id, REASON)
    version = look(world, draft_id).draft.version
    for who in ("meriem", "anis"):
        with pytest.raises(errors.Forbidden, match="draft.own"):
            act(world, who, publication.approve, draft_id, version)
        assert "approve" not in look(world, draft_id, who).draft.may
    for who in ("chokri", "salma", "zied"):
        with pytest.raises(errors.Forbidden):
            act(world, who, publication.approve, draft_id, version)
    assert in_force(world) == 1
    act(world, "rim", publication.approve, draft_id, version)
    assert in_force(world) == 2


def test_the_database_by_itself_refuses_what_one_person_decides_alone(world):
    draft_id = changed(world)
    meriem = world.staff["meriem"]
    approve = text("UPDATE edition_draft SET state = 'published', decided_by = :me, edition_id = base_id WHERE draft_id = :id")
    start = text("""INSERT INTO edition_start (edition_id, starts_at, asked_by, approved_by, draft_id)
                    SELECT base_id, masar_now(), :me, :me, draft_id FROM edition_draft WHERE draft_id = :id""")
    with pytest.raises(DBAPIError, match="row-level security"), world.database.unit_of_work(meriem) as session:
        session.execute(start, {"me": meriem.user_id, "id": draft_id})
    act(world, "meriem", publication.submit, draft_id, REASON)
    with pytest.raises(DBAPIError, match="neither wrote nor submitted"), world.database.unit_of_work(meriem) as session:
        session.execute(approve, {"me": meriem.user_id, "id": draft_id})
    with pytest.raises(DBAPIError, match="submitted by whoever"), world.database.unit_of_work(world.staff["anis"]) as session:
        session.execute(text("UPDATE edition_draft SET submitted_by = :other WHERE draft_id = :id"), {"other": world.staff["rim"].user_id, "id": draft_id})
    with pytest.raises(DBAPIError, match="row-level security"), world.database.unit_of_work(users.system()) as session:
        session.execute(text("INSERT INTO edition_start (edition_id, starts_at) SELECT edition_id, masar_now() FROM edition"))
    act(world, "anis", publication.approve, draft_id, look(world, draft_id).draft.version)
    with pytest.raises(DBAPIError, match="does not change"), world.database.unit_of_work(world.staff["rim"]) as session:
        session.execute(text("UPDATE edition_draft SET state = 'open' WHERE draft_id = :id"), {"id": draft_id})
    for statement in ("UPDATE edition SET reason = ''", "DELETE FROM edition_start", "UPDATE edition_start SET starts_at = now()", "DELETE FROM draft_save",
                      "UPDATE draft_save SET content = NULL"):  # fmt: skip
        with pytest.raises(DBAPIError, match="permission denied"), world.database.unit_of_work(meriem) as session:
            session.execute(text(statement))


def test_what_was_sent_back_and_submitted_again_is_not_approved_unread(world):
    draft_id = changed(world)
    act(world, "meriem", publication.submit, draft_id, REASON)
    read = look(world, draft_id).draft.version
    with pytest.raises(errors.Invalid, match="draft.reason_needed"):
        act(world, "anis", publication.refuse, draft_id, read, "  ")
    act(world, "anis", publication.refuse, draft_id, read, "Le mot n'est pas le bon.")
    sent_back = look(world, draft_id).draft
    assert (sent_back.state, sent_back.refusal, sent_back.decided_by) == ("open", "Le mot n'est pas le bon.", "Anis Mabrouk")
    act(world, "meriem", drafts.save, draft_id, FORM, form("Mieux"), 1)
    act(world, "meriem", publication.submit, draft_id, REASON)
    with pytest.raises(errors.Conflict, match="draft.stale"):
        act(world, "anis", publication.approve, draft_id, read)
    act(world, "anis", publication.approve, draft_id, look(world, draft_id).draft.version)
    assert in_force(world) == 2


def test_a_draft_under_decision_is_not_changed_and_a_dropped_one_never_comes_back(world):
    draft_id = changed(world)
    act(world, "meriem", publication.submit, draft_id, REASON)
    for verb, given in ((drafts.save, (FORM, b"x", 1)), (drafts.drop, ()), (publication.submit, (REASON,))):
        with pytest.raises(errors.Conflict, match="draft.not_open"):
            act(world, "anis", verb, draft_id, *given)
    act(world, "meriem", publication.refuse, draft_id, look(world, draft_id).draft.version, "Je la reprends.")
    act(world, "anis", drafts.drop, draft_id)
    with pytest.raises(errors.Conflict, match="draft.not_open"):
        act(world, "meriem", drafts.save, draft_id, FORM, b"x", 1)


def test_an_error_forbids_and_names_its_file(world):
    draft_id = act(world, "meriem", drafts.open_draft)
    act(world, "meriem", drafts.save, draft_id, "forms/tasks/orienter.toml", None, 0)
    with pytest.raises(errors.Invalid, match="draft.has_errors") as refused:
        act(world, "meriem", publication.submit, draft_id, REASON)
    assert [found.where.partition("#")[0] for found in refused.value.findings] == ["parcours.bpmn"]
    act(world, "meriem", drafts.save, draft_id, DIAGRAM, b"<not", 0)
    with pytest.raises(errors.Invalid, match="draft.has_errors"):
        act(world, "meriem", publication.submit, draft_id, REASON)


def test_a_warning_asks_for_a_reason_an_error_for_a_correction():
    warning, wrong = errors.Finding("a.b", severity="warning"), errors.Finding("c.d")
    publication.require_publishable([], "")
    publication.require_publishable([warning], "Connu, sans effet.")
    with pytest.raises(errors.Invalid, match="draft.warnings_need_reason"):
        publication.require_publishable([warning], "  ")
    with pytest.raises(errors.Invalid, match="draft.has_errors") as refused:
        publication.require_publishable([warning, wrong], "Connu, sans effet.")
    assert refused.value.findings == (wrong,)


def test_nothing_is_submitted_without_a_reason_or_a_change(world):
    draft_id = act(world, "meriem", drafts.open_draft)
    with pytest.raises(errors.Invalid, match="draft.reason_needed"):
        act(world, "meriem", publication.submit, draft_id, " ")
    with pytest.raises(errors.Invalid, match="draft.nothing_changed"):
        act(world, "meriem", publication.submit, draft_id, REASON)


def test_an_edition_begins_at_its_date_and_not_before(world):
    with world.database.reading(users.system()) as session:
        now = clock.now(session)
    draft_id = changed(world)
    with pytest.raises(errors.Invalid, match="draft.starts_before_now"):
        act(world, "meriem", publication.submit, draft_id, REASON, starts_at=now - dt.timedelta(minutes=1))
    act(world, "meriem", publication.submit, draft_id, REASON, starts_at=now + dt.timedelta(days=7))
    act(world, "anis", publication.approve, draft_id, look(world, draft_id).draft.version)
    assert in_force(world) == 1
    world.passes(days=6)
    assert in_force(world) == 1
    world.passes(days=1, hours=1)
    assert in_force(world) == 2


def test_an_approval_that_comes_after_the_date_begins_at_once_and_never_in_the_past(world):
    draft_id = changed(world)
    with world.database.reading(users.system()) as session:
        soon = clock.now(session) + dt.timedelta(hours=1)
    act(world, "meriem", publication.submit, draft_id, REASON, starts_at=soon)
    world.passes(days=2)
    act(world, "anis", publication.approve, draft_id, look(world, draft_id).draft.version)
    with world.database.reading(users.system()) as session:
        began = session.execute(text("SELECT max(starts_at) FROM edition_start")).scalar_one()
        assert soon + dt.timedelta(days=1) < began <= clock.now(session)
    assert in_force(world) == 2


def test_the_former_edition_is_brought_back_by_two_and_it_is_the_very_same(world):
    published(world)
    with world.database.reading(world.staff["meriem"]) as session:
        former = next(one for one in editions.published(session, world.staff["meriem"]) if one.number == 1)
    draft_id = act(world, "meriem", publication.bring_back, former.edition_id, "La nouvelle ne va pas.")
    assert in_force(world) == 2
    with pytest.raises(errors.Forbidden, match="draft.own"):
        act(world, "meriem", publication.approve, draft_id, look(world, draft_id).draft.version)
    assert act(world, "anis", publication.approve, draft_id, look(world, draft_id).draft.version) == 1
    with world.database.reading(world.staff["meriem"]) as session:
        assert editions.current(session).edition_id == former.edition_id
        assert len(editions.published(session, world.staff["meriem"])) == 2
    with pytest.raises(errors.Invalid, match="draft.nothing_changed"):
        act(world, "anis", publication.bring_back, former.edition_id, "Encore.")


def test_a_draft_that_another_edition_overtook_is_brought_up_to_date_first(world):
    slow = changed(world, "rim", "De Rim")
    act(world, "rim", drafts.save, slow, "forms/tasks/visiter.toml", small.files()["forms/tasks/visiter.toml"] + b"# rim\n", 0)
    waiting = changed(world, "rim", "Autre")
    act(world, "rim", publication.submit, waiting, REASON)
    published(world)
    with pytest.raises(errors.Conflict, match="draft.behind"):
        act(world, "rim", publication.submit, slow, REASON)
    with pytest.raises(errors.Conflict, match="draft.behind"):
        act(world, "anis", publication.approve, waiting, look(world, waiting).draft.version)
    act(world, "rim", drafts.bring_up_to_date, slow)
    whole = look(world, slow)
    assert (whole.draft.base_number, whole.draft.is_behind) == (2, False)
    assert [one.path for one in whole.asides] == [FORM], "both changed it: the edition's version stands aside, the draft's own other file does not"
    with world.database.reading(world.staff["rim"]) as session:
        assert drafts.read_aside(session, world.staff["rim"], slow, whole.asides[0].aside_id)[1] == form("Nouveau")
    act(world, "rim", drafts.drop_aside, slow, whole.asides[0].aside_id)
    act(world, "rim", publication.submit, slow, REASON)


def test_the_installation_alone_publishes_the_first_edition_only(world):
    with pytest.raises(errors.Conflict, match="edition.by_two"), world.database.unit_of_work(users.system()) as session:
        editions.publish(session, users.system(), {**small.files(), FORM: form("Autre")})
    with world.database.unit_of_work(users.system()) as session:
        assert editions.publish(session, users.system(), small.files()).number == 1
    with pytest.raises(errors.Forbidden):
        act(world, "meriem", editions.publish, small.files())


def test_an_upgrade_of_masar_arrives_once_as_a_draft_and_never_as_an_edition(world):
    def deliver(files):
        with world.database.unit_of_work(users.system()) as session:
            return drafts.deliver(session, files)

    assert deliver(small.files()) is None
    upgraded = {**small.files(), DIAGRAM: small.files()[DIAGRAM] + b"<!-- 2 -->\n"}
    draft_id = deliver(upgraded)
    assert deliver(upgraded) is None and in_force(world) == 1
    whole = look(world, draft_id)
    assert [(one.path, one.change, one.saved_by) for one in drafts.changes(whole)] == [(DIAGRAM, "changed", "Masar")] and whole.draft.opened_by == "Masar"
    act(world, "meriem", publication.submit, draft_id, "Nouvelle version de Masar.")
    act(world, "anis", publication.approve, draft_id, look(world, draft_id).draft.version)
    assert in_force(world) == 2 and deliver(upgraded) is None


def test_what_an_upgrade_changes_beside_a_coordinators_own_work_stands_aside(world):
    published(world, "De la coordination")
    theirs = {**small.files(), FORM: form("De Masar"), DIAGRAM: small.files()[DIAGRAM] + b"<!-- 2 -->\n"}
    with world.database.unit_of_work(users.system()) as session:
        draft_id = drafts.deliver(session, theirs)
    whole = look(world, draft_id)
    assert whole.files == {**small.files(), FORM: form("De la coordination"), DIAGRAM: theirs[DIAGRAM]}
    assert [(one.path, one.saved_by) for one in whole.asides] == [(FORM, "Masar")]
    act(world, "meriem", drafts.take_aside, draft_id, whole.asides[0].aside_id, 0)
    assert look(world, draft_id).files == theirs


@pytest.mark.parametrize(("language", "said"), [("fr", "Brouillon d'après l'édition 1"), ("ar", "مسودة انطلاقا من الإصدار عدد 1"), ("en", "Draft from edition 1")])
def test_a_draft_that_nobody_named_is_called_in_the_language_of_whoever_reads(world, language, said):
    unnamed, named = act(world, "meriem", drafts.open_draft), changed(world)
    act(world, "meriem", drafts.save, unnamed, FORM, form("Neuf"), 0)
    act(world, "meriem", publication.submit, unnamed, REASON)
    anis = replace(world.staff["anis"], language=language)
    with world.database.reading(anis) as session:
        assert drafts.show(session, anis, unnamed).draft.title == said and drafts.show(session, anis, named).draft.title == "Nouveau"
        (told,) = [one for one in notices.mine(session, anis).items if one.about == unnamed]
    assert told.title == said
