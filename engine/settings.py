"""What this installation was told by its environment; read once, by the command line and the tests, and handed down."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

ROOT = Path(__file__).resolve().parents[1]
_SAID = {"1": True, "yes": True, "true": True, "on": True, "0": False, "no": False, "false": False, "off": False}


class Misconfigured(Exception):
    """A variable says something that cannot be; the text is one sentence for the person at the terminal."""


@dataclass(frozen=True)
class Settings:
    """`database_url` owns and migrates; `app_database_url` is what the application works through ("" = the same, after SET ROLE).

    `var` holds what this machine keeps (embedded PostgreSQL, keys, documents). `is_demo` lets the clock be moved and lists accounts.
    `processes` and `forms` are what the first edition is made of.
    `smtp`, `mail_from`, `address`: how e-mail leaves and where its links lead (`mail.Post`).
    """

    database_url: str = ""
    app_database_url: str = ""
    var: Path = ROOT / "var"
    keys: Path = ROOT / "var" / "keys"
    documents: Path = ROOT / "var" / "documents"
    host: str = "127.0.0.1"
    port: int = 8000
    is_demo: bool = True
    is_tls: bool = False
    processes: Path = ROOT / "processes"
    forms: Path = ROOT / "forms"
    smtp: str = ""
    mail_from: str = ""
    address: str = ""


def read(environment: Mapping[str, str] = os.environ) -> Settings:
    """The settings of `MASAR_*` variables. Raises Misconfigured."""
    var = Path(environment.get("MASAR_VAR") or ROOT / "var").resolve()
    return Settings(
        database_url=_driver("MASAR_DATABASE_URL", environment.get("MASAR_DATABASE_URL", "")),
        app_database_url=_driver("MASAR_APP_DATABASE_URL", environment.get("MASAR_APP_DATABASE_URL", "")),
        var=var,
        keys=Path(environment.get("MASAR_KEYS") or var / "keys").resolve(),
        documents=Path(environment.get("MASAR_DOCUMENTS") or var / "documents").resolve(),
        host=environment.get("MASAR_HOST", "127.0.0.1"),
        port=_port(environment.get("MASAR_PORT", "")),
        is_demo=_yes_or_no(environment, "MASAR_DEMO", True),
        is_tls=_yes_or_no(environment, "MASAR_TLS", False),
        processes=_folder(environment, "MASAR_PROCESSES", ROOT / "processes"),
        forms=_folder(environment, "MASAR_FORMS", ROOT / "forms"),
        smtp=_smtp(environment.get("MASAR_SMTP", ""), environment.get("MASAR_MAIL_FROM", "")),
        mail_from=environment.get("MASAR_MAIL_FROM", ""),
        address=(environment.get("MASAR_ORIGIN") or f"http://127.0.0.1:{_port(environment.get('MASAR_PORT', ''))}").rstrip("/"),
    )


def _driver(name: str, url: str) -> str:
    """SQLAlchemy's name for psycopg 3 in place of the usual `postgresql://` and `postgres://`."""
    if not url:
        return ""
    try:
        found = make_url(url)
    except ArgumentError:
        found = None
    if found is None or found.drivername not in ("postgresql", "postgres", "postgresql+psycopg"):
        raise Misconfigured(f"{name} is not the address of a PostgreSQL database: write it like postgresql://user:password@host:5432/database.")
    return found.set(drivername="postgresql+psycopg").render_as_string(hide_password=False)


def _smtp(url: str, sender: str) -> str:
    if not url:
        return ""
    if urlsplit(url).scheme not in ("smtp", "smtps") or not urlsplit(url).hostname:
        raise Misconfigured("MASAR_SMTP is not the address of a mail server: write it like smtp://user:password@host:587.")
    if "@" not in sender:
        raise Misconfigured("MASAR_MAIL_FROM must be the address that Masar's e-mail comes from.")
    return url


def _folder(environment: Mapping[str, str], name: str, otherwise: Path) -> Path:
    found = Path(environment.get(name) or otherwise).resolve()
    if not found.is_dir():
        raise Misconfigured(f"{name} must be a folder; {found} is none.")
    return found


def _port(text: str) -> int:
    if not text:
        return 8000
    if not text.isdecimal() or not 1 <= int(text) <= 65535:
        raise Misconfigured(f"MASAR_PORT must be a port number from 1 to 65535; it is “{text}”.")
    return int(text)


def _yes_or_no(environment: Mapping[str, str], name: str, otherwise: bool) -> bool:
    text = environment.get(name, "").strip().casefold()
    if text and text not in _SAID:
        raise Misconfigured(f"{name} must be 1 or 0; it is “{text}”.")
    return _SAID[text] if text else otherwise
