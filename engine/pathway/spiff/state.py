"""State as bytes: where an instance stands, never what the diagram says (that is in the definitions) nor what was (that is in the ledger).

MessagePack under zstd when it pays, by a version number of our own. The same history gives the same bytes on every machine: order is that of tokens,
nothing is hashed. SpiffWorkflow's JSON kept the specs and every finished task: 140 kB where this keeps some hundred bytes.
"""

import datetime as dt
import threading
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import msgspec
import zstandard

from engine import errors
from engine.pathway.spiff.run import Run
from engine.pathway.spiff.scopes import READY, Scope, Token
from forms.feel import PartialDate, YearsMonths

if TYPE_CHECKING:
    from engine.pathway.definitions import Definitions

VERSION = 1
_COMPRESSED_FROM = 400  # bytes; below, zstd gains nothing
_LARGEST = 8_000_000
_PLAIN = (bool, str, int, type(None))
_local = threading.local()  # zstandard's objects are not for several threads


def dump(run: Run) -> bytes:
    """The state of an instance. Refuses: `state.too_large`."""
    scopes = []
    for host, scope in run.scopes.items():
        tokens = [
            [*token.order, token.task_spec.number, token._state, _internal(token.internal_data) if token.internal_data else None]
            for token in scope.tasks.values()
        ]
        variables = {name: _frozen(value) for name, value in scope.variables.items()} if scope.variables is not None else None
        scopes.append([scope.drawn.number, list(host) if host else None, variables, tokens])
    early = [[name, key, _frozen(payload)] for name, key, payload in run.early]
    body = _encoder.encode([bytes.fromhex(run.definitions.digest[:16]), run.is_ended, run.outcome, run.given, early, bytes(run.passed), scopes])
    if len(body) > _LARGEST:  # what is written must be read again
        raise errors.Invalid("state.too_large", most=_LARGEST)
    if len(body) < _COMPRESSED_FROM:
        return bytes((VERSION, 0)) + body
    if not hasattr(_local, "compressor"):
        _local.compressor = zstandard.ZstdCompressor(level=3, write_checksum=False)
    return bytes((VERSION, 1)) + _local.compressor.compress(body)


def load(definitions: "Definitions", state: bytes, at: dt.datetime | None, seq: int, facts: Any) -> Run:
    """The instance a state tells of, ready for a stimulus. Refuses: `state.foreign` (other definitions or version)."""
    if len(state) < 2 or state[0] != VERSION:
        raise errors.Conflict("state.foreign")
    body = state[2:]
    if state[1]:
        if not hasattr(_local, "decompressor"):
            _local.decompressor = zstandard.ZstdDecompressor()
        body = _local.decompressor.decompress(body, max_output_size=_LARGEST)
    digest, is_ended, outcome, given, early, passed, scopes = _decoder.decode(body)
    if digest.hex() != definitions.digest[:16]:
        raise errors.Conflict("state.foreign")
    run = Run(definitions, at, seq, facts)
    run.is_ended, run.outcome, run.given, run.early, run.passed = is_ended, outcome, given, early, bytearray(passed)
    elements = definitions.nodes
    for number, host, variables, tokens in scopes:
        order = tuple(host) if host else None
        scope = Scope(run, definitions.all_specs[number], run.find(order) if order else None, variables)
        run.scopes[order] = scope
        for first, second, element, kept_state, internal in tokens:
            if internal and "host" in internal:
                internal["host"] = tuple(internal["host"])
            token = Token(scope, elements[element], (first, second), kept_state, internal)
            if kept_state == READY and "inc" not in token.internal_data:
                run.queue.append(token)  # a run that was stopped for turning without end
    return run


def _internal(internal: dict[str, Any]) -> dict[str, Any]:
    return {name: value if type(value) in _PLAIN else _frozen(value) for name, value in internal.items()}


def _frozen(value: Any) -> Any:
    """A FEEL value as MessagePack reads it back: what it has no kind for as an extension."""
    if type(value) in _PLAIN:
        return value
    if isinstance(value, dict):
        return {name: _frozen(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_frozen(inner) for inner in value]
    if isinstance(value, Decimal):
        return msgspec.msgpack.Ext(1, str(value).encode())
    if isinstance(value, dt.datetime):
        return msgspec.msgpack.Ext(3, value.isoformat().encode())
    if isinstance(value, dt.date):
        return msgspec.msgpack.Ext(2, value.isoformat().encode())
    if isinstance(value, dt.time):
        return msgspec.msgpack.Ext(4, value.isoformat().encode())
    if isinstance(value, dt.timedelta):
        return msgspec.msgpack.Ext(5, str(value // dt.timedelta(microseconds=1)).encode())
    if isinstance(value, YearsMonths):
        return msgspec.msgpack.Ext(6, str(value.months).encode())
    if isinstance(value, PartialDate):
        return msgspec.msgpack.Ext(7, f"{value.year}-{value.month or 0}".encode())
    raise TypeError(f"a state holds no {type(value).__name__}")


def _thawed(code: int, content: memoryview) -> Any:
    text = bytes(content).decode()
    if code == 1:
        return Decimal(text)
    if code == 2:
        return dt.date.fromisoformat(text)
    if code == 3:
        return dt.datetime.fromisoformat(text)
    if code == 4:
        return dt.time.fromisoformat(text)
    if code == 5:
        return dt.timedelta(microseconds=int(text))
    if code == 6:
        return YearsMonths(int(text))
    if code == 7:
        year, _, month = text.rpartition("-")
        return PartialDate(int(year), int(month) or None)
    raise ValueError(f"unknown kind of value {code} in a state")


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(ext_hook=_thawed)
