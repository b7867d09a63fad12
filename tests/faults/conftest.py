"""Processes on a village: workers and web servers as people start them, to be killed."""

import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest

from engine.database import Database
from tests.conftest import ROOT
from tests.faults import village


def until(said: Callable[[], object], seconds: float = 30.0) -> None:
    end = time.monotonic() + seconds
    while not said():
        assert time.monotonic() < end, "it did not come about in time"
        time.sleep(0.03)


@dataclass
class Village:
    """A furnished database and the processes started on it."""

    database: Database
    folder: Path
    started: list[subprocess.Popen] = field(default_factory=list)

    def worker(self) -> subprocess.Popen:
        return self._start("-m", "engine.cli", "worker")

    def web(self) -> tuple[subprocess.Popen, str]:
        """A web server and its address."""
        with socket.socket() as door:
            door.bind(("127.0.0.1", 0))
            port = door.getsockname()[1]
        server = self._start("-m", "web.serve", MASAR_PORT=str(port))
        address = f"http://127.0.0.1:{port}"
        until(lambda: _is_up(address), 60)
        return server, address

    def _start(self, *command: str, **environment: str) -> subprocess.Popen:
        told = {**os.environ, "MASAR_DATABASE_URL": self.database.owner_url, "MASAR_VAR": str(self.folder), **environment}
        self.started.append(subprocess.Popen([sys.executable, *command], cwd=ROOT, env=told, stderr=open(self.folder / "said", "a")))
        return self.started[-1]


def _is_up(address: str) -> bool:
    try:
        return httpx.get(f"{address}/healthz").status_code == 200
    except httpx.TransportError:
        return False


@pytest.fixture
def hamlet(make_database) -> Iterator[Village]:
    database = make_database(village.furnish)
    made = Village(database, database.carried["documents"].parent)
    yield made
    for process in made.started:
        process.kill()
        process.wait()


class Visitor:
    """A browser without script, signed in."""

    def __init__(self, address: str, name: str) -> None:
        self.client = httpx.Client(base_url=address, follow_redirects=True, timeout=60)
        page = self.client.get("/signin").text
        page = self.client.post("/signin", data={"csrf": hidden(page, "csrf"), "username": name, "password": village.PASSWORD, "next": ""})
        assert page.url.path == "/desk", page.text

    def complete(self, task_id: object, page: str = "") -> httpx.Response:
        page = page or self.page(task_id)
        return self.client.post(f"/tasks/{task_id}", data={"act": "complete", **{name: hidden(page, name) for name in ("csrf", "version", "key")}})

    def page(self, task_id: object) -> str:
        return self.client.get(f"/tasks/{task_id}").text


def hidden(page: str, name: str) -> str:
    return re.search(rf'name="{name}" value="([^"]*)"', page)[1]
