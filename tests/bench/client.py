"""A load client that costs little: HTTP/1.1 over kept connections, written straight to the socket, so that the figures are the servers'."""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from typing import Any


class Connection:
    """One kept connection. `ask` returns (status, body)."""

    def __init__(self, port: int) -> None:
        self.port, self.reader, self.writer, self.headers = port, None, None, ""

    async def open(self) -> "Connection":
        self.reader, self.writer = await asyncio.open_connection("127.0.0.1", self.port)
        return self

    async def ask(self, method: str, path: str, body: Any = None, *, form: bool = False, headers: str = "") -> tuple[int, Any]:
        content = b"" if body is None else (body.encode() if form else json.dumps(body).encode())
        kind = "application/x-www-form-urlencoded" if form else "application/json"
        head = f"{method} {path} HTTP/1.1\r\nHost: bench\r\nContent-Type: {kind}\r\nContent-Length: {len(content)}\r\n{self.headers}{headers}\r\n"
        self.writer.write(head.encode() + content)
        status, length = 0, 0
        while (line := await self.reader.readline()) not in (b"\r\n", b""):
            if line.startswith(b"HTTP/1.1"):
                status = int(line.split()[1])
            elif line.lower().startswith(b"content-length:"):
                length = int(line.split(b":")[1])
        raw = await self.reader.readexactly(length) if length else b""
        return status, json.loads(raw) if raw[:1] in (b"{", b"[") else raw

    async def close(self) -> None:
        self.writer.close()


async def together(port: int, clients: int, act: Callable[[Connection, list[float]], Awaitable[None]], login: Callable[[Connection], Awaitable[None]]) -> tuple[list[float], float]:
    """`clients` connections run `act` at once; each notes the seconds of its timed calls. Returns all notes and the wall time."""
    connections = [await Connection(port).open() for _ in range(clients)]
    for connection in connections:
        await login(connection)
    notes: list[float] = []
    began = time.perf_counter()
    await asyncio.gather(*(act(connection, notes) for connection in connections))
    wall = time.perf_counter() - began
    for connection in connections:
        await connection.close()
    return notes, wall


def quantile(notes: list[float], share: float) -> float:
    """The value below which `share` of the notes lie."""
    ordered = sorted(notes)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]
