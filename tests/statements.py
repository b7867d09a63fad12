"""Statements that this process sends to the server, whoever sends them."""

from collections.abc import Iterator
from contextlib import contextmanager
from unittest import mock

import psycopg


@contextmanager
def sent() -> Iterator[list[str]]:
    """What is sent while the block runs, BEGIN and COMMIT left out."""
    found: list[str] = []

    def noting(execute):
        def noted(cursor, query, *given, **named):
            found.append(str(query))
            return execute(cursor, query, *given, **named)

        return noted

    with mock.patch.multiple(psycopg.Cursor, execute=noting(psycopg.Cursor.execute), executemany=noting(psycopg.Cursor.executemany)):
        yield found
