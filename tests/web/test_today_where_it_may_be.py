"""One click says today, where today may be said."""

from pathlib import Path

import pytest

from forms import dictionary
from web import widgets
from web.formatting import Words
from web.typed import Typed


@pytest.mark.parametrize(("field", "may_be"), [("suspension.depuis_le", True), ("suspension.revue_le", False), ("absence.nouvelle_date", True)])
def test_today_is_offered_only_where_it_would_be_taken(field, may_be):
    spec = dictionary.load(Path("forms/dictionary")).fields[field]
    assert widgets.draw(spec, field, Typed(), Words("fr"), "").may_be_today is may_be
