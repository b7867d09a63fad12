"""The servers that are compared, each a process of its own on the same PostgreSQL."""

import os
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import psycopg
from sqlalchemy import make_url

from engine import postgres

ROOT = Path(__file__).resolve().parents[2]


def server_address() -> str:
    """The address of the PostgreSQL of the bench: durable, as in production."""
    return os.environ.get("MASAR_DATABASE_URL") or postgres.ensure_running(ROOT / "var" / "postgres-bench")


def edition_files(*diagrams: str) -> dict[str, bytes]:
    """The files of an edition of the bench's own small diagrams, forms and fields."""
    small = Path(__file__).parent / "small"
    files = {f"processes/{name}": (small / name).read_bytes() for name in diagrams}
    files |= {f"forms/tasks/{path.name}": path.read_bytes() for path in (small / "tasks").glob("*.toml")}
    return files | {f"forms/dictionary/{path.name}": path.read_bytes() for path in (small / "dictionary" / "essai.toml", ROOT / "forms" / "dictionary" / "purposes.toml")}


def stop_server() -> None:
    if not os.environ.get("MASAR_DATABASE_URL"):
        postgres.stop(ROOT / "var" / "postgres-bench")


def make_database(server: str, name: str) -> str:
    """An empty database of that name."""
    with psycopg.connect(make_url(server).set(drivername="postgresql").render_as_string(hide_password=False), autocommit=True) as connection:
        connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        connection.execute(f'CREATE DATABASE "{name}"')
    return make_url(server).set(database=name).render_as_string(hide_password=False)


def drop_database(server: str, name: str) -> None:
    with psycopg.connect(make_url(server).set(drivername="postgresql").render_as_string(hide_password=False), autocommit=True) as connection:
        connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


@contextmanager
def serving(command: list[str], environment: dict[str, str], port: int):
    """A server process until the block ends; yields it once its door is open."""
    process = subprocess.Popen(command, cwd=ROOT, env={**os.environ, **environment})
    try:
        for _ in range(1_200):
            with socket.socket() as one:
                if one.connect_ex(("127.0.0.1", port)) == 0:
                    break
            if process.poll() is not None:
                raise SystemExit(f"{command} ended with status {process.returncode}")
            time.sleep(0.05)
        else:
            raise SystemExit(f"{command} did not open its door within a minute")
        yield process
    finally:
        process.terminate()
        process.wait()


def uvicorn(app: str, port: int) -> list[str]:
    return [sys.executable, "-m", "uvicorn", app, "--port", str(port), "--log-level", "warning", "--no-access-log"]


def machine() -> str:
    """Where a figure was seen: processors, memory, and how busy it was."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return f"{os.cpu_count()} processors, {memory:.0f} GB, load {os.getloadavg()[0]:.1f}"


def cpu_seconds(pid: int) -> float:
    """Seconds that a process has been on a CPU so far, its ended threads included; counted in hundredths."""
    user, system = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


def bytes_of(url: str) -> int:
    """The size of a database's tables and indexes, compacted."""
    with psycopg.connect(make_url(url).set(drivername="postgresql").render_as_string(hide_password=False), autocommit=True) as connection:
        connection.execute("VACUUM FULL")
        row = connection.execute("SELECT sum(pg_total_relation_size(c.oid)) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = 'public' AND c.relkind = 'r'")
        return int(row.fetchone()[0])
