"""The log of the servers: what happened, where in the code, under which reference. Never a value: a message of PostgreSQL or of Python may quote one."""

import logging
import traceback
from collections.abc import MutableMapping
from typing import Any

import structlog


def configure() -> None:
    """One line an event; an exception is its types and the places it came through, without messages and without local variables."""
    structlog.configure(
        processors=[structlog.processors.add_log_level, structlog.processors.TimeStamper(fmt="iso"), _places, structlog.processors.LogfmtRenderer()],
        cache_logger_on_first_use=False,
    )
    logging.getLogger("uvicorn.error").addFilter(_told_already)


def _told_already(record: logging.LogRecord) -> bool:
    """The server would print the whole exception once more, with its message."""
    return not record.getMessage().startswith("Exception in ASGI application")


def _places(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    found = event.pop("exc_info", None)
    trouble = found[1] if isinstance(found, tuple) else found
    if isinstance(trouble, BaseException):
        kinds, seen = [], trouble
        while seen is not None and len(kinds) < 6:
            kinds.append(f"{type(seen).__module__}.{type(seen).__qualname__}")
            seen = seen.__cause__ or seen.__context__
        frames = traceback.extract_tb(trouble.__traceback__)[-12:]
        event["exception"] = " from ".join(kinds)
        event["at"] = " < ".join(f"{frame.filename.rpartition('site-packages/')[2]}:{frame.lineno} {frame.name}" for frame in reversed(frames))
    return event
