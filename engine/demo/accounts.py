"""The accounts of the demonstration: one for each role where it is held, all with the one password that the sign-in page shows."""

import tomllib
from functools import cache
from pathlib import Path
from typing import Any

from sqlalchemy import text

from engine.actors import signin, users

_FILE = Path(__file__).with_name("accounts.toml")


@cache
def _read() -> dict[str, Any]:
    return tomllib.loads(_FILE.read_text("utf-8"))


def password() -> str:
    """The password of every demo account: the one that the sign-in page shows."""
    return signin.DEMO_PASSWORD


def listed() -> list[dict[str, Any]]:
    """The accounts, in the order in which they are shown."""
    return list(_read()["accounts"])


def make(connection: Any) -> None:
    """Makes the accounts that are not there yet (owner connection)."""
    known = set(connection.execute(text("SELECT username FROM user_account")).scalars())
    for one in listed():
        if one["username"] not in known:
            users.create(connection, one["username"], one["name"], one["agency"], one["branch"], one["roles"], password(), name_ar=one["name_ar"], is_demo=True)
