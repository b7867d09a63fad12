"""What this installation was told by its environment; read once, by the command line and the tests, and handed down."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class Settings:
    """`database_url` owns and migrates; `app_database_url` is what the application works through ("" = the same, after SET ROLE).

    `var` holds what this machine keeps (embedded PostgreSQL, keys, documents). `is_demo` lets the clock be moved and lists accounts.
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


def read(environment: Mapping[str, str] = os.environ) -> Settings:
    """The settings of `MASAR_*` variables."""
    var = Path(environment.get("MASAR_VAR") or ROOT / "var").resolve()
    return Settings(
        database_url=_driver(environment.get("MASAR_DATABASE_URL", "")),
        app_database_url=_driver(environment.get("MASAR_APP_DATABASE_URL", "")),
        var=var,
        keys=Path(environment.get("MASAR_KEYS") or var / "keys").resolve(),
        documents=Path(environment.get("MASAR_DOCUMENTS") or var / "documents").resolve(),
        host=environment.get("MASAR_HOST", "127.0.0.1"),
        port=int(environment.get("MASAR_PORT", "8000")),
        is_demo=environment.get("MASAR_DEMO", "1") not in ("0", "no", "false"),
        is_tls=environment.get("MASAR_TLS", "0") in ("1", "yes", "true"),
    )


def _driver(url: str) -> str:
    """SQLAlchemy's name for psycopg 3 in place of the usual `postgresql://` and `postgres://`."""
    for prefix in ("postgresql://", "postgres://"):
        if url.startswith(prefix):
            return "postgresql+psycopg://" + url.removeprefix(prefix)
    return url
