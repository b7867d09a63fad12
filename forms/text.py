"""What a person reads about fields: labels in her language, values written out, and the sentence of each finding.

Not the texts of pages (those are the faces') nor the labels themselves (those are in the dictionary and the task files).
Every sentence stands in `messages.toml`, in French, Arabic and English, and says what to do.
"""

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import phonenumbers

LANGUAGES = ("fr", "ar", "en")
TUNIS = ZoneInfo("Africa/Tunis")
_MESSAGES = Path(__file__).with_name("messages.toml")
# Tunisia names the months its own way in Arabic; Babel's "ar" has the Levantine and Egyptian ones beside them.
WEEKDAYS = {
    "fr": ("lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche"),
    "ar": ("الاثنين", "الثلاثاء", "الأربعاء", "الخميس", "الجمعة", "السبت", "الأحد"),
    "en": ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
}
MONTHS = {
    "fr": ("janvier", "février", "mars", "avril", "mai", "juin", "juillet", "août", "septembre", "octobre", "novembre", "décembre"),
    "ar": ("جانفي", "فيفري", "مارس", "أفريل", "ماي", "جوان", "جويلية", "أوت", "سبتمبر", "أكتوبر", "نوفمبر", "ديسمبر"),
    "en": ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"),
}
# Letters that turn the direction of what follows, or that nothing shows: no text of ours holds one (LRM and RLM, which Arabic needs, may stand).
UNSAFE = re.compile("[\\x00-\\x08\\x0b\\x0c\\x0e-\\x1f\\x7f\\u202a-\\u202e\\u2066-\\u2069\\ufeff]")
_MONEY = {"fr": "{amount} DT", "ar": "{amount} د.ت", "en": "TND {amount}"}


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing wrong: `where` is a JSON pointer into the answers or `file#key` of a definition; `message` says what to do."""

    code: str
    where: str
    message: str
    details: Mapping[str, Any] = field(default_factory=dict)


class FormError(Exception):
    """Definitions that cannot be used; `findings` name every file and key at fault."""

    def __init__(self, findings: Iterable[Finding]) -> None:
        self.findings = tuple(findings)
        super().__init__(" · ".join(f"{found.where}: {found.message}" for found in self.findings[:8]))


class Findings:
    """Gathers what is wrong while reading on, so that a coordinator sees everything at once. At most `limit` are kept."""

    def __init__(self, language: str = "fr", limit: int = 200) -> None:
        self.language, self.limit, self._found = language, limit, []

    def add(self, code: str, where: str, **details: Any) -> None:
        """Note one thing wrong at `where`."""
        self.put(Finding(code, where, say(code, self.language, **details), details))

    def put(self, finding: Finding) -> None:
        """Note one thing wrong, worded already."""
        if len(self._found) < self.limit:
            self._found.append(finding)

    def __len__(self) -> int:
        return len(self._found)

    def __iter__(self):
        return iter(self._found)

    def refuse_if_any(self) -> None:
        """Raises FormError with all that was gathered."""
        if self._found:
            raise FormError(self._found)


class _Details(dict):
    def __missing__(self, key: str) -> str:
        return f"[{key}]"


@cache
def messages() -> Mapping[str, Mapping[str, str]]:
    """Every sentence: code → language → text."""
    groups = tomllib.loads(_MESSAGES.read_text("utf-8"))
    return {f"{group}.{name}": sentence for group, sentences in groups.items() for name, sentence in sentences.items()}


# What FEEL's reader says of an expression → how it is worded.
_FEEL = [(re.compile(pattern), code) for pattern, code in (
    ("a value is expected", "word.feel_value"), ("a name is expected", "word.feel_name"), ("a type is expected", "word.feel_type"), ("a range's end is expected", "word.feel_range"),
    (r"(?P<quote>['\"])(?P<text>.+)(?P=quote) is expected", "word.feel_token"), ("unexpected text after the expression", "word.feel_after"),
    (r"unexpected (?P<quote>['\"])(?P<text>.+)(?P=quote)", "word.feel_sign"),
    ("the expression is nested too deep|functions call each other too deep", "word.feel_deep"), ("the expression is too long|the text grows too long", "word.feel_long"),
    ("named and positional arguments are mixed", "word.feel_mixed"), ("external functions are refused", "word.feel_external"), ("the expression takes more steps than it may", "word.feel_steps"),
)]  # fmt: skip
_FOUND = re.compile(r"(?P<reason>.+), (?P<quote>['\"])(?P<found>.+)(?P=quote) is found", re.DOTALL)


def reason(said: Any, language: str) -> Any:
    """Why FEEL's reader refused an expression, in a language; anything else as it is."""
    if not isinstance(said, str):
        return said
    found = _FOUND.fullmatch(said)
    plain = found["reason"] if found else said
    for pattern, code in _FEEL:
        if told := pattern.fullmatch(plain):
            worded = say(code, language, **told.groupdict())
            if not found:
                return worded
            return say("word.feel_at_end" if found["found"] == "the end" else "word.feel_found", language, reason=worded, found=found["found"])
    return said


def say(code: str, language: str, **details: Any) -> str:
    """The sentence of `code` in a language (French if another is asked), filled with `details`; KeyError for an unworded code."""
    if "why" in details:
        details["why"] = reason(details["why"], language)
    if f"key.{details.get('key')}" in messages():
        details["key"] = say(f"key.{details['key']}", language)
    return pick(messages()[code], language).format_map(_Details({name: pick(one, language) if isinstance(one, Mapping) else one for name, one in details.items()}))


def pick(labels: Mapping[str, str] | None, language: str) -> str:
    """The label in the language, else French, else any, else empty."""
    labels = labels or {}
    return labels.get(language) or labels.get("fr") or next(iter(labels.values()), "")


def number(value: Any, language: str, decimals: int | None = None) -> str:
    """A number with Western digits: `1 250,500` in French and Arabic, `1,250.500` in English."""
    written = f"{value:,}" if decimals is None else f"{value:,.{decimals}f}"
    return written if language == "en" else written.replace(",", "\u202f").replace(".", ",")


def money(millimes: int, language: str) -> str:
    """An amount given in millimes, written in dinars with three decimals and its currency."""
    sign, whole = ("-" if millimes < 0 else ""), abs(millimes)
    point = "." if language == "en" else ","
    amount = f"{sign}{number(whole // 1000, language)}{point}{whole % 1000:03d}"
    return _MONEY.get(language, _MONEY["fr"]).format(amount=amount)


def day(value: str | date, language: str) -> str:
    """A date, whole or known in part (`YYYY`, `YYYY-MM`), written out with the Tunisian month names."""
    parts = (value if isinstance(value, str) else value.isoformat()).split("-")
    if len(parts) == 1:
        return parts[0]
    month = MONTHS.get(language, MONTHS["fr"])[int(parts[1]) - 1]
    if len(parts) == 2:
        return f"{month} {parts[0]}"
    number_ = "1er" if language == "fr" and int(parts[2]) == 1 else str(int(parts[2]))
    return f"{number_} {month} {parts[0]}"


def moment(value: str | datetime, language: str) -> str:
    """An instant at Tunisian time, 24-hour clock."""
    local = (datetime.fromisoformat(value) if isinstance(value, str) else value).astimezone(TUNIS)
    return f"{day(local.date(), language)}{'،' if language == 'ar' else ','} {local:%H:%M}"


def meeting(value: str | datetime, language: str) -> str:
    """An instant with the name of its day, as one says when to come: `lundi 30 novembre 2026, 09:30`."""
    local = (datetime.fromisoformat(value) if isinstance(value, str) else value).astimezone(TUNIS)
    return f"{WEEKDAYS.get(language, WEEKDAYS['fr'])[local.weekday()]} {moment(local, language)}"


def status(value: str, language: str) -> str:
    """`inconnu`, `refuse` or `vide` in words."""
    return say(f"status.{value}", language)


def display(spec: Any, value: Any, language: str) -> str:
    """A stored value as a person reads it; empty for None. `spec` is a dictionary Field; lists give their number of rows."""
    if value is None:
        return ""
    match spec.type:
        case "money":
            return money(value, language)
        case "int" | "score":
            return number(value, language)
        case "number":
            return number(value, language)
        case "percent":
            return f"{number(value, language)}\u00a0%" if language != "en" else f"{number(value, language)}%"
        case "date":
            return day(value, language)
        case "datetime":
            return meeting(value, language)
        case "bool" | "tri":
            return say("word.yes" if value else "word.no", language)
        case "multi":
            chosen = [spec.choice_label(code, language) for code in value]
            return ("، " if language == "ar" else ", ").join(chosen)
        case "enum" | "gov" | "district" | "country" | "language":
            return spec.choice_label(value, language)
        case "phone":
            return phonenumbers.format_number(phonenumbers.parse(value), phonenumbers.PhoneNumberFormat.INTERNATIONAL)
        case "list":
            return str(len(value))
        case "signature":
            if not value.get("at"):
                return value["name"]
            return say("word.signed", language, name=value["name"], at=moment(value["at"], language))
        case "doc":
            return pick(spec.piece_labels, language) or say("word.document", language)
    return str(value)
