"""Appointments as a calendar reads them (RFC 5545): when, where and of which case number, never of whom."""

import datetime as dt
from collections.abc import Iterable

import icalendar

from engine.casework.agendas import Entry
from engine.casework.appointments import Appointment
from web.formatting import Words

MEDIA_TYPE = "text/calendar; charset=utf-8"
REFRESH = dt.timedelta(hours=1)  # how often whoever subscribes should ask again


def calendar(entries: Iterable[Entry | Appointment], words: Words) -> bytes:
    """A calendar of these entries in the words of one language. A cancelled one is said to be, so that it leaves the telephone."""
    made = icalendar.Calendar()
    for name, value in (("prodid", "-//Masar//Masar//FR"), ("version", "2.0"), ("calscale", "GREGORIAN"), ("method", "PUBLISH"), ("x-wr-calname", words.text("appointment.calendar"))):
        made.add(name, value)
    made.add("refresh-interval", REFRESH, parameters={"VALUE": "DURATION"})
    for one in entries:
        made.add_component(_event(one, words))
    return made.to_ical()


def _event(one: Entry | Appointment, words: Words) -> icalendar.Event:
    event = icalendar.Event()
    event.add("uid", f"{one.appointment_id}@masar")
    event.add("dtstamp", one.changed_at.astimezone(dt.UTC))
    event.add("sequence", one.changes)
    event.add("dtstart", one.begins_at.astimezone(dt.UTC))
    event.add("dtend", one.ends_at.astimezone(dt.UTC))
    event.add("summary", words.text("appointment.entry", number=one.case_number))
    place = words.text(f"appointment.place.{one.place}")
    event.add("location", words.text("appointment.where", place=place, branch=words.text(f"branch.{one.branch}")))
    event.add("status", "CANCELLED" if one.state == "cancelled" else "CONFIRMED")
    event.add("class", "PRIVATE")
    return event
