"""A bug leaves its place in the log, and nothing of anybody."""

import pytest
import structlog
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from engine import logs
from engine.actors import users


def test_an_exception_is_logged_by_its_places_without_any_value(capsys):
    logs.configure()
    name = "Walid Ben Romdhane"
    try:
        try:
            raise KeyError(name)
        except KeyError as trouble:
            raise ValueError(f"no room for {name}") from trouble
    except ValueError as trouble:
        structlog.get_logger().error("bug", reference="ABCD", exc_info=trouble)
    said = capsys.readouterr().out
    assert "ABCD" in said and "builtins.ValueError from builtins.KeyError" in said and "test_an_exception_is_logged" in said
    assert "Walid" not in said and "Romdhane" not in said


def test_an_error_of_the_database_quotes_no_parameter(database):
    with pytest.raises(DBAPIError) as raised, database.reading(users.VISITOR) as session:
        session.execute(text("SELECT 1 / CAST(:nought AS integer), CAST(:name AS text)"), {"nought": 0, "name": "Walid"})
    assert "Walid" not in str(raised.value)
