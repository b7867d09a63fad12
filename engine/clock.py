"""Time, of two kinds: business time (`masar_now()` in SQL, which a demo database may shift) and the system's.

Sessions, leases and recorded_at use the system's; everything the Dispositif counts (deadlines, facts, timers) business time.
"""

import datetime as dt
from time import time as _time
from zoneinfo import ZoneInfo

from sqlalchemy import text
from sqlmodel import Session

TUNIS = ZoneInfo("Africa/Tunis")
_NOW = text("SELECT masar_now()")
_SHIFT = text("UPDATE demo_clock SET shift = shift + make_interval(secs => :seconds) RETURNING masar_now()")


def now(session: Session) -> dt.datetime:
    """Business time: an aware UTC instant, the same during the whole transaction."""
    return session.execute(_NOW).scalar_one().astimezone(dt.UTC)


def system_now() -> dt.datetime:
    """The system's time, aware, UTC. For sessions and recorded_at only."""
    return dt.datetime.fromtimestamp(_time(), dt.UTC)


def today(at: dt.datetime) -> dt.date:
    """The day in Tunisia at an instant."""
    return at.astimezone(TUNIS).date()


def advance(session: Session, seconds: float) -> dt.datetime:
    """Moves the demo clock on; the database refuses outside a demo. Returns the new business time."""
    return session.execute(_SHIFT, {"seconds": seconds}).scalar_one().astimezone(dt.UTC)
