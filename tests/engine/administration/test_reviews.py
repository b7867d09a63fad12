"""Access reviewed: everybody looked at, by another than herself, withdrawn with a reason, closed with a record."""

import pytest

from engine import errors
from engine.actors import accounts, reviews
from engine.ledger import journal
from tests.engine.administration.conftest import REASON


def test_a_review_looks_at_every_account_in_use_and_is_closed_with_a_record(house, act, who, account):
    kept, gone = account(agency="CPS", branch="SFX", roles=("travailleur_social",)), account(agency="CPS", branch="SFX", roles=("travailleur_social",))
    with house.owner() as connection:
        connection.exec_driver_sql("UPDATE user_account SET created_at = now() - interval '100 days' WHERE user_id = %s", (gone.user_id,))
    review = act("zied", reviews.begin, "CPS", "SFX", 90, "Revue annuelle")
    whole = act("chokri", reviews.show, review)
    assert {one.user_id: one.is_idle for one in whole.lines} == {kept.user_id: False, gone.user_id: True} and not any(one.may for one in whole.lines)
    with pytest.raises(errors.Conflict, match="review.unfinished"):
        act("zied", reviews.conclude, review, "Fini")
    act("zied", reviews.decide, review, kept.user_id, "kept")
    with pytest.raises(errors.Invalid, match="admin.reason"):
        act("zied", reviews.decide, review, gone.user_id, "withdrawn")
    act("zied", reviews.decide, review, gone.user_id, "withdrawn", "Jamais utilisé")
    assert not act("zied", accounts.show, gone.user_id).is_active and act("zied", accounts.show, kept.user_id).is_active
    with pytest.raises(errors.Conflict, match="review.decided"):
        act("zied", reviews.decide, review, kept.user_id, "withdrawn", REASON)
    act("zied", reviews.conclude, review, "Deux comptes vus, un retiré")
    found = act("chokri", reviews.show, review).review
    assert (found.accounts, found.decided, found.withdrawn, found.conclusion) == (2, 2, 1, "Deux comptes vus, un retiré") and found.closed_by == who("zied").user_id
    with pytest.raises(errors.Conflict, match="review.closed"):
        act("zied", reviews.decide, review, kept.user_id, "kept")
    with house.reading(who("chokri")) as session:
        assert journal.read(session, about=f"review:{review}")[0].body == {"kept": 1, "withdrawn": 1}


def test_nobody_reviews_herself(act, who):
    review = act("zied", reviews.begin, "OTE", "TUN", 90, REASON)
    me = who("zied").user_id
    assert not next(one for one in act("zied", reviews.show, review).lines if one.user_id == me).may
    with pytest.raises(errors.Forbidden, match="account.own"):
        act("zied", reviews.decide, review, me, "kept")
    act("hajer", reviews.decide, review, me, "kept")


def test_a_review_of_nobody_and_one_that_does_not_exist_are_refused(act, who):
    with pytest.raises(errors.Invalid, match="review.empty"):
        act("zied", reviews.begin, "ANETI", "TUN", 90, REASON)
    with pytest.raises(errors.Invalid, match="review.idle"):
        act("zied", reviews.begin, "", "", 0, REASON)
    with pytest.raises(errors.NotFound, match="review.not_found"):
        act("zied", reviews.show, who("zied").user_id)
    for name in ("meriem", "karim"):
        with pytest.raises(errors.Forbidden, match="act.forbidden"):
            act(name, reviews.listed)
