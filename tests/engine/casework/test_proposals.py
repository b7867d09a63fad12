"""What a draft would change and cost, before whoever decides: told in words, painted on both diagrams; and a rise that nobody gave a reason for."""

import pytest

from engine import errors
from engine.casework import drafts, editions, proposals, publication
from tests.engine.casework.test_drafts import DIAGRAM, REASON, act, in_force, look
from tests.web.small import installation as small
from tests.world import World

ORIENT = 'form="orienter" role="referent" delai="{}"'
WHY = "Le référent doit voir la famille deux fois."


@pytest.fixture(scope="module")
def world(make_database):
    database = make_database(small.furnish)
    return World(database)


def slower(world, days, who="meriem"):
    """A draft in which the case owner has so many working days, where she has two."""
    draft_id = act(world, who, drafts.open_draft, "Plus lent")
    written = small.files()[DIAGRAM].decode()
    assert ORIENT.format(2) in written
    act(world, who, drafts.save, draft_id, DIAGRAM, written.replace(ORIENT.format(2), ORIENT.format(days)).encode(), 0)
    return draft_id


def read(world, draft_id, who="anis"):
    actor = world.staff[who]
    with world.database.reading(actor) as session:
        return proposals.read(session, actor, drafts.show(session, actor, draft_id))


def test_what_changes_is_told_and_painted_on_both_sides_and_its_cost_counted(world):
    found = read(world, slower(world, 7))
    assert [one.text for one in found.changes] == ["La tâche « Orienter la personne » passe de 2 à 7 jours ouvrés."]
    assert found.marks.old[DIAGRAM] == found.marks.new[DIAGRAM] == {"orienter": "changed"} and found.edition_number == 1
    assert {(one.path, one.new - one.old) for one in found.rises} == {("shortest", 5), ("typical", 5), ("longest", 5)}
    assert all(one.figure == "working_days" and "de plus" in one.text for one in found.rises)


def test_a_rise_is_refused_without_its_reason_and_the_reason_stays_with_the_edition(world):
    draft_id = slower(world, 7)
    with pytest.raises(errors.Invalid, match="draft.burden_needs_reason") as refused:
        act(world, "meriem", publication.submit, draft_id, REASON, burden_reason="  ")
    assert len(refused.value.findings) == 3
    act(world, "meriem", publication.submit, draft_id, REASON, burden_reason=WHY)
    shown = look(world, draft_id, "anis").draft
    assert shown.burden_reason == WHY and "approve" in shown.may
    act(world, "anis", publication.approve, draft_id, shown.version)
    with world.database.reading(world.staff["chokri"]) as session:
        newest = editions.published(session, world.staff["chokri"])[0]
    assert newest.starts[0].burden_reason == WHY and in_force(world) == 2
    assert [one.text for one in read(world, draft_id).changes] == ["La tâche « Orienter la personne » passe de 2 à 7 jours ouvrés."], "against what it replaced"
    with world.database.reading(world.staff["meriem"]) as session:
        former = editions.published(session, world.staff["meriem"])[1]
    back = act(world, "meriem", publication.bring_back, former.edition_id, "Trop lent.")
    assert [one.text for one in read(world, back).changes] == ["La tâche « Orienter la personne » passe de 7 à 2 jours ouvrés."] and read(world, back).rises == ()
    act(world, "anis", publication.approve, back, look(world, back).draft.version)
    again = [one.edition_id for one in publication_list(world) if one.number == 2][0]
    with pytest.raises(errors.Invalid, match="draft.burden_needs_reason"):
        act(world, "meriem", publication.bring_back, again, "Quand même.")


def publication_list(world):
    with world.database.reading(world.staff["meriem"]) as session:
        return editions.published(session, world.staff["meriem"])


def test_a_draft_that_cannot_be_read_whole_is_compared_and_not_measured(world):
    draft_id = act(world, "meriem", drafts.open_draft, "Cassé")
    act(world, "meriem", drafts.save, draft_id, "forms/tasks/orienter.toml", b'id = "orienter"\n[[', 0)
    found = read(world, draft_id)
    assert found.burden is None and found.rises == () and found.changes


def test_the_same_two_contents_are_compared_once(world, monkeypatch):
    draft_id = slower(world, 9)
    first = read(world, draft_id)
    monkeypatch.setattr(proposals.comparisons, "differences", None)
    monkeypatch.setattr(proposals.comparisons, "burden", None)
    assert read(world, draft_id, "rim") == first
