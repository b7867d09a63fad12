"""A warning that was accepted with a reason stays accepted from edition to edition; what is new is asked."""

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from engine import errors
from engine.casework import acceptances, drafts, publication
from tests.engine.casework.test_drafts import DIAGRAM, REASON, act, look, published
from tests.engine.casework.test_drafts import world as world
from tests.web.small import installation as small

WAITS = ('<bpmn:sequenceFlow id="f3" sourceRef="orienter" targetRef="choix"/>',
         '<bpmn:receiveTask id="attendre" name="Attendre la pièce"><bpmn:extensionElements><masar:libelle lang="ar">انتظار الوثيقة</masar:libelle><masar:libelle lang="en">Wait for the paper</masar:libelle>'
         '<masar:message nom="piece.recue" cle="instance"/></bpmn:extensionElements></bpmn:receiveTask><bpmn:sequenceFlow id="f3" sourceRef="orienter" targetRef="attendre"/>'
         '<bpmn:sequenceFlow id="f3b" sourceRef="attendre" targetRef="choix"/>')  # fmt: skip


def drawn(*edits):
    content = small.files()[DIAGRAM].decode()
    for old, new in edits:
        assert old in content
        content = content.replace(old, new)
    return content.encode()


def test_a_reason_once_given_stays_with_the_edition_and_only_what_is_new_is_asked(world):
    def submitted(content, title, **more):
        draft_id = act(world, "meriem", drafts.open_draft, title)
        act(world, "meriem", drafts.save, draft_id, DIAGRAM, content, 0)
        act(world, "meriem", publication.submit, draft_id, REASON, **more)
        return draft_id

    def approved(draft_id):
        act(world, "anis", publication.approve, draft_id, look(world, draft_id).draft.version)

    more = {"burden_reason": "Une pièce est attendue."}
    with pytest.raises(errors.Invalid, match="draft.warnings_need_reason"):
        submitted(drawn(WAITS), "Sans raison", **more)
    approved(submitted(drawn(WAITS), "Avec raison", accepted="La pièce est déjà promise.", **more))
    again = submitted(drawn(WAITS, ('role="referent" delai="2"', 'role="referent" delai="3"')), "Plus tard", **more)
    with world.database.reading(world.staff["meriem"]) as session:
        whole = drafts.show(session, world.staff["meriem"], again)
        told = publication.reasons_before(session, whole, "fr")
        (warning,) = [one for one in publication.findings(whole) if one.severity == "warning"]
        known = told[acceptances.digest_of(warning)]
    assert (warning.code, known.reason, known.by) == ("check.waits_for_ever", "La pièce est déjà promise.", "Meriem Louati") and known.at is not None
    approved(again)
    with pytest.raises(errors.Invalid, match="draft.warnings_need_reason") as refused:
        submitted(drawn(WAITS, ('name="Attendre la pièce"', 'name="Attendre le papier"')), "Autrement", **more)
    assert [one.code for one in refused.value.findings] == ["check.waits_for_ever"], "what it says is not what was accepted"
    approved(submitted(drawn(WAITS, ('role="referent" delai="2"', 'role="referent" delai="4"')), "Encore", **more))
    with world.database.reading(world.staff["anis"]) as session:
        rows = session.execute(text("SELECT count(DISTINCT edition_id), count(DISTINCT reason) FROM warning_accepted")).one()
    assert tuple(rows) == (3, 1), "the reason goes on from edition to edition"


def test_nobody_writes_a_reason_into_an_edition_besides(world):
    published(world)
    for who in ("meriem", "salma"):
        with pytest.raises(DBAPIError), world.database.unit_of_work(world.staff[who]) as session:
            session.execute(text("INSERT INTO warning_accepted SELECT edition_id, 'x', 'parce que', :me, masar_now() FROM edition"), {"me": world.staff[who].user_id})
    with world.database.reading(world.staff["salma"]) as session:
        assert session.execute(text("SELECT count(*) FROM warning_accepted")).scalar() == 0
