"""How dates, times, amounts and counts are written for the reader: Babel for fr-TN, ar-TN and en, Western digits, Tunisian months.

It words nothing by itself: sentences are in `engine/locales`.
"""

import datetime as dt
import re
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property

from babel import Locale
from babel.dates import format_date, format_time
from babel.numbers import format_decimal

from engine import clock, i18n
from engine.workdays import Present

LOCALES = {"fr": "fr_TN", "ar": "ar_TN", "en": "en_GB"}
NAMES = {"fr": "Français", "ar": "العربية", "en": "English"}
_FAR = 60  # days: farther off, a date says more than a number of days
_NEAR = 2  # working days
_FORMS = ("zero", "one", "two", "few", "many", "other")
_BIDI_CONTROLS = re.compile("[\u202a-\u202e\u2066-\u2069]")


def without_bidi_controls(text: str) -> str:
    """Text whose characters cannot reorder what surrounds it on the page."""
    return _BIDI_CONTROLS.sub("", text)


@dataclass(frozen=True)
class Words:
    """Writes values in one language."""

    language: str

    @cached_property
    def locale(self) -> Locale:
        return Locale.parse(LOCALES[self.language])

    def text(self, code: str, **details: object) -> str:
        """The sentence of `web.<code>`."""
        return i18n.translate(f"web.{code}", self.language, **details)

    def count(self, code: str, number: int, **details: object) -> str:
        """The sentence of `web.<code>.<plural form>` for a number: Arabic has six forms, French and English two."""
        written = {form for form in _FORMS if f"web.{code}.{form}" in i18n.catalogue(self.language)}
        return self.text(f"{code}.{i18n.form_of(number, self.language, written)}", number=self.number(number), **details)

    def number(self, value: object) -> str:
        return self._grouped(format_decimal(value, locale=self.locale))

    def _grouped(self, written: str) -> str:
        """Thousands apart by a narrow space in Arabic too, as forms and letters write them: the dot of its locale is read back as a decimal one."""
        return written.replace(".", "\u202f") if self.language == "ar" else written

    def money(self, millimes: int | None, currency: str = "TND") -> str:
        """An amount in millimes as dinars with three decimals; a foreign amount keeps the code of its currency."""
        if millimes is None:
            return ""
        amount = self._grouped(format_decimal(Decimal(millimes) / 1000, format="#,##0.000", locale=self.locale))
        return f"{amount}\u00a0{self.text('format.dinar') if currency == 'TND' else currency}"

    def date(self, value: object) -> str:
        """A day, an instant (as the day it is in Tunis), or a date known in part (`2024`, `2024-03`)."""
        if value is None or value == "":
            return ""
        if isinstance(value, dt.datetime):
            value = clock.today(value)
        if isinstance(value, str):
            parts = [int(part) for part in value[:10].split("-")]
            if len(parts) == 1:
                return str(parts[0])
            value = dt.date(parts[0], parts[1], parts[2] if len(parts) > 2 else 1)
            if len(parts) == 2:
                return format_date(value, "MMMM y", locale=self.locale)
        return format_date(value, "d MMMM y", locale=self.locale)

    def weekday(self, value: dt.date | dt.datetime) -> str:
        """A day with its name: `lundi 30 novembre`."""
        return format_date(clock.today(value) if isinstance(value, dt.datetime) else value, "EEEE d MMMM", locale=self.locale)

    def time(self, value: dt.datetime) -> str:
        """The hour in Tunis on 24 hours (CLDR's 12-hour clock for Tunisia is not what one reads there)."""
        return format_time(value.astimezone(clock.TUNIS), "HH:mm", locale=self.locale)

    def moment(self, value: dt.datetime | None) -> str:
        """Day and hour."""
        return self.text("format.moment", date=self.date(value), time=self.time(value)) if value else ""

    def months(self) -> list[tuple[str, str]]:
        """The months as choices: `01` and its name."""
        return [(f"{month:02}", format_date(dt.date(2024, month, 1), "MMMM", locale=self.locale)) for month in range(1, 13)]

    def day(self, value: dt.datetime, now: Present) -> str:
        """A day, its year told only where it is another than this one."""
        day = clock.today(value)
        return format_date(day, "d MMMM", locale=self.locale) if day.year == clock.today(now.at).year else self.date(day)

    def since(self, value: dt.datetime | None, now: Present) -> str:
        """How long ago, in days: `today`, `since 3 days`."""
        if value is None:
            return ""
        days = (clock.today(now.at) - clock.today(value)).days
        return self.text("format.since_today") if days <= 0 else self.count("format.since_days", days)

    def due(self, value: dt.datetime | None, now: Present) -> str:
        """When something is due, in working days from now: `today`, `tomorrow`, `in 4 working days`, `2 working days late`; far off, on which day."""
        if value is None:
            return self.text("format.no_deadline")
        today, day = clock.today(now.at), clock.today(value)
        if value < now.at:
            late = now.calendar.open_days(day, today)
            return self.count("format.late_days", late) if late else self.text("format.late_today")
        if day <= today + dt.timedelta(days=1):
            return self.text("format.due_today" if day == today else "format.due_tomorrow")
        left = now.calendar.open_days(today, day) if day <= today + dt.timedelta(days=_FAR) else 0
        return self.count("format.due_days", left) if left else self.text("format.due_on", date=self.day(value, now))

    def urgency(self, value: dt.datetime | None, now: Present) -> str:
        """`late`, `due` (within two working days), `good` or, without a date, `calm`."""
        if value is None:
            return "calm"
        if value < now.at:
            return "late"
        return "due" if (clock.today(value) - clock.today(now.at)).days <= _FAR and now.calendar.open_days(clock.today(now.at), clock.today(value)) <= _NEAR else "good"
