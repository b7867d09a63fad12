"""The types of field: how a value is checked, stored as JSON, given to FEEL, and read from what a person typed.

Stored shapes: text as NFC text · `int`, `score` integer · `number`, `percent` number · `money` integer of millimes ·
`date` `YYYY-MM-DD` (known in part: `YYYY`, `YYYY-MM`) · `datetime` `…Z` · `bool`, `tri` boolean · `enum` and places a code ·
`multi` codes in the order of their list · `phone` E.164 · `doc` a lower-case UUID · `signature` {name, at, strokes, document}.
Lists of rows are in `rows.py`; what a value looks like to a person is in `text.py`; the same rules as JSON Schema in `schema.py`.
"""

import math
import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import phonenumbers

from forms.feel import PartialDate
from forms.text import TUNIS

LARGEST = 10**12
CONTROLS = "\\u0000-\\u001f\\u007f-\\u009f\\u202a-\\u202e\\u2066-\\u2069\\ufeff"
CONTROLS_OF_LINES = "\\u0000-\\u0008\\u000b\\u000c\\u000e-\\u001f\\u007f-\\u009f\\u202a-\\u202e\\u2066-\\u2069\\ufeff"
SPACES = "\\t\\n\\r\\u0020\\u00a0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000"
DATE = "(19|20|21)[0-9]{2}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])"
PARTIAL_DATE = "(19|20|21)[0-9]{2}(-(0[1-9]|1[0-2]))?"
DATETIME = DATE + "T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\\.[0-9]{1,6})?(Z|[+-]([01][0-9]|2[0-3]):[0-5][0-9])"
EMAIL = "[A-Za-z0-9_%+'-]{1,64}(\\.[A-Za-z0-9_%+'-]{1,64}){0,8}@([A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?\\.){1,8}[A-Za-z]{2,24}"
CIN = "[0-9]{8}"
PASSPORT = "[A-Z][0-9]{6}"
PHONE = "\\+[1-9][0-9]{6,14}"
UUID = "[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}"
STROKES = "[MLHVCSQTZmlhvcsqtz0-9 .,+-]*"
LONGEST_STROKES = 20_000
LONGEST_SIGNER = 120
DURATION = re.compile("P(?=[0-9])(?:([0-9]{1,2})Y)?(?:([0-9]{1,3})M)?(?:([0-9]{1,4})D)?")
LONGEST = {"text": 200, "longtext": 5_000, "address": 300}

_forbidden = re.compile(f"[{CONTROLS}\ud800-\udfff]")
_forbidden_in_lines = re.compile(f"[{CONTROLS_OF_LINES}\ud800-\udfff]")
_date, _partial, _datetime = re.compile(DATE), re.compile(PARTIAL_DATE), re.compile(DATETIME)
_email, _cin, _passport, _phone = re.compile(EMAIL), re.compile(CIN), re.compile(PASSPORT), re.compile(PHONE)
_blank = re.compile(f"[{SPACES}]*")
_uuid, _strokes = re.compile(UUID), re.compile(STROKES)
_WESTERN = {ord(digit): str(value) for row in ("٠١٢٣٤٥٦٧٨٩", "۰۱۲۳۴۵۶۷۸۹") for value, digit in enumerate(row)}
_WESTERN |= {ord("٫"): ",", ord("٬"): None, ord("،"): ","}
_INVISIBLE = re.compile("[\\s\u200e\u200f\u061c\u202a-\u202e\u2066-\u2069'’_]")


class Wrong(Exception):
    """A value its type refuses: the code of a sentence in `messages.toml`, and what fills it."""

    def __init__(self, code: str, **details: Any) -> None:
        super().__init__(code)
        self.code, self.details = code, details


@dataclass(frozen=True, slots=True)
class FieldType:
    """`read(spec, value)` checks a JSON value and gives the stored one (raises Wrong); `from_text(spec, text)` gives the JSON
    value of what was typed, or the text itself when it cannot be understood, so that `read` says what is wrong with it."""

    widget: str
    read: Callable[[Any, Any], Any]
    from_text: Callable[[Any, str], Any]
    to_feel: Callable[[Any], Any]


def duration(text: str) -> timedelta:
    """How long an answer holds (`P12M`, `P2Y`, `P0D`): months and years by their mean length, in whole days."""
    found = DURATION.fullmatch(text)
    if found is None:
        raise ValueError(text)
    years, months, days = (int(part or 0) for part in found.groups())
    return timedelta(days=round(years * 365.2425 + months * 30.436875) + days)


def to_feel(spec: Any, value: Any) -> Any:
    """A stored value as FEEL sees it: money as Decimal dinars, numbers as Decimal, dates as date or PartialDate; None stays None.

    Not for lists of rows (`rows.to_feel`).
    """
    return None if value is None else TYPES[spec.type].to_feel(value)


def from_feel(type_: str, value: Any) -> Any:
    """A FEEL value as it is stored, or None where it is not of the type (a computation without answer)."""
    if isinstance(value, Decimal) and not (value.is_finite() and abs(value) <= LARGEST):
        return None
    match type_:
        case "money" if isinstance(value, Decimal):
            return int((value * 1000).to_integral_value())
        case "int" | "score" if isinstance(value, Decimal) and value == value.to_integral_value():
            return int(value)
        case "number" | "percent" if isinstance(value, Decimal):
            return _json_number(value)
        case "bool" | "tri" if isinstance(value, bool):
            return value
        case "datetime" if isinstance(value, datetime) and value.tzinfo is not None:
            return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
        case "date" if isinstance(value, date) and not isinstance(value, datetime):
            return value.isoformat()
        case "multi" if isinstance(value, list) and all(isinstance(code, str) for code in value):
            return value
        case "text" | "longtext" | "enum" | "gov" | "district" | "country" | "language" | "phone" | "email" | "cin" | "passport" if \
                isinstance(value, str):
            return value
    return None


def has_controls(text: str) -> bool:
    """Whether a text holds characters that hide or turn round what is read (controls, bidirectional overrides, half characters)."""
    return _forbidden_in_lines.search(text) is not None


def is_blank(text: str) -> bool:
    """Whether a text holds nothing but spaces and ends of lines."""
    return _blank.fullmatch(text) is not None


def western(text: str) -> str:
    """Arabic-Indic digits and separators as Western ones."""
    return text.translate(_WESTERN)


def days_of(value: str) -> tuple[date, date]:
    """The first and the last day a stored date, whole or partial, may be."""
    if len(value) == 10:
        whole = date.fromisoformat(value)
        return whole, whole
    known = PartialDate(int(value[:4]), int(value[5:7]) if len(value) == 7 else None)
    return known.first, known.last


def _read_text(spec: Any, value: Any) -> str:
    if not isinstance(value, str):
        raise Wrong("text.type")
    longest = spec.max_length or LONGEST[spec.type]
    if len(value) > longest:
        raise Wrong("text.too_long", max=longest)
    if (_forbidden if spec.type == "text" else _forbidden_in_lines).search(value):
        raise Wrong("text.control")
    if spec.matches is not None and not spec.matches.is_valid(value):
        raise Wrong("text.pattern")
    clean = unicodedata.normalize("NFC", value).strip()
    if not clean:
        raise Wrong("text.blank")
    return clean.replace("\r\n", "\n").replace("\r", "\n")


def _bounded(spec: Any, value: int | float, code: str) -> int | float:
    low, high = bounds(spec)
    if value < low:
        raise Wrong(f"{code}.min", min=low)
    if value > high:
        raise Wrong(f"{code}.max", max=high)
    return value


def bounds(spec: Any) -> tuple[int | float, int | float]:
    """Least and greatest value of a counting type; money in millimes. Without word in the dictionary: 0 and 10¹²; percent 0–100; score 1–5."""
    low, high = {"percent": (0, 100), "score": (1, 5)}.get(spec.type, (0, LARGEST))
    return (low if spec.min is None else spec.min), (high if spec.max is None else spec.max)


def _whole(value: Any, code: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int | float) or (isinstance(value, float) and not value.is_integer()):
        raise Wrong(code)
    return int(value)


def _read_int(spec: Any, value: Any) -> int:
    return _bounded(spec, _whole(value, "int.type"), "number")


def _read_money(spec: Any, value: Any) -> int:
    return _bounded(spec, _whole(value, "money.type"), "money")


def _json_number(value: Any) -> int | float:
    return int(value) if value == int(value) else float(value)


def _read_number(spec: Any, value: Any) -> int | float:
    if isinstance(value, bool) or not isinstance(value, int | float) or (isinstance(value, float) and not math.isfinite(value)):
        raise Wrong("number.type")
    return _json_number(_bounded(spec, value, "percent" if spec.type == "percent" else "number"))


def _read_date(spec: Any, value: Any) -> str:
    if not isinstance(value, str):
        raise Wrong("date.partial" if spec.partial else "date.type")
    if spec.partial and _partial.fullmatch(value):
        return value
    if not _date.fullmatch(value):
        raise Wrong("date.partial" if spec.partial else "date.type")
    try:
        date.fromisoformat(value)
    except ValueError:
        raise Wrong("date.impossible") from None
    return value


def _instant(value: Any) -> str:
    if not isinstance(value, str) or not _datetime.fullmatch(value):
        raise Wrong("datetime.type")
    try:
        return datetime.fromisoformat(value).astimezone(UTC).isoformat().replace("+00:00", "Z")
    except (ValueError, OverflowError):
        raise Wrong("date.impossible") from None


def _read_bool(spec: Any, value: Any) -> bool:
    if not isinstance(value, bool):
        raise Wrong("bool.type")
    return value


def _read_choice(spec: Any, value: Any) -> str:
    if not isinstance(value, str) or value not in spec.codes:
        raise Wrong("choice.unknown")
    return value


def _read_multi(spec: Any, value: Any) -> list[str]:
    if not isinstance(value, list) or len(value) > len(spec.codes) + 1:
        raise Wrong("multi.type")
    for code in value:
        _read_choice(spec, code)
    if len(set(value)) != len(value):
        raise Wrong("multi.repeated")
    return sorted(value, key=spec.codes.__getitem__)


def _matching(pattern: re.Pattern[str], code: str, longest: int) -> Callable[[Any, Any], str]:
    def read(spec: Any, value: Any) -> str:
        if not isinstance(value, str) or len(value) > longest or not pattern.fullmatch(value):
            raise Wrong(code)
        return value

    return read


def _read_phone(spec: Any, value: Any) -> str:
    if not isinstance(value, str) or not _phone.fullmatch(value):
        raise Wrong("phone.type")
    try:
        parsed = phonenumbers.parse(value)
    except phonenumbers.NumberParseException:
        raise Wrong("phone.type") from None
    # Foreign numbering plans change before their tables do: abroad, a possible length is enough.
    known = phonenumbers.is_valid_number(parsed) if parsed.country_code == 216 else phonenumbers.is_possible_number(parsed)
    if not known:
        raise Wrong("phone.invalid")
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)


def _read_doc(spec: Any, value: Any) -> str:
    if not isinstance(value, str) or not _uuid.fullmatch(value):
        raise Wrong("doc.type")
    return value.lower()


class _SignerName:
    type, max_length, matches = "text", LONGEST_SIGNER, None


def _read_signature(spec: Any, value: Any) -> dict[str, str]:
    if not isinstance(value, dict) or not set(value) <= {"name", "at", "strokes", "document"} or "name" not in value:
        raise Wrong("signature.type")
    if "strokes" not in value and "document" not in value:
        raise Wrong("signature.type")
    signed = {"name": _read_text(_SignerName, value["name"])}
    if "at" in value:
        signed["at"] = _instant(value["at"])
    if "strokes" in value:
        strokes = value["strokes"]
        if not isinstance(strokes, str) or not 0 < len(strokes) <= LONGEST_STROKES or not _strokes.fullmatch(strokes):
            raise Wrong("signature.strokes")
        signed["strokes"] = strokes
    if "document" in value:
        signed["document"] = _read_doc(spec, value["document"])
    return signed


def _typed_text(spec: Any, text: str) -> str:
    return text.strip()


def _typed_number(spec: Any, text: str) -> Any:
    plain = _INVISIBLE.sub("", western(text)).replace(",", ".")
    if not re.fullmatch(r"[+-]?[0-9]{1,15}(\.[0-9]{1,9})?", plain):
        return text
    return _json_number(Decimal(plain))


def _typed_money(spec: Any, text: str) -> Any:
    plain = re.sub("(?i)(dt|tnd|د\\.ت|دينار)$", "", _INVISIBLE.sub("", western(text))).replace(",", ".")
    if not re.fullmatch(r"[+-]?[0-9]{1,12}(\.[0-9]{1,3})?", plain):
        return text
    return int(Decimal(plain) * 1000)


def _typed_date(spec: Any, text: str) -> str:
    plain = western(text).strip().replace("/", "-").replace(".", "-")
    if found := re.fullmatch("([0-9]{1,2})-([0-9]{1,2})-([0-9]{4})", plain):
        return f"{found[3]}-{int(found[2]):02d}-{int(found[1]):02d}"
    if found := re.fullmatch("([0-9]{1,2})-([0-9]{4})", plain):
        return f"{found[2]}-{int(found[1]):02d}"
    return plain


def _typed_datetime(spec: Any, text: str) -> str:
    plain = western(text).strip()
    if re.fullmatch("[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}(:[0-9]{2})?", plain):
        try:
            return datetime.fromisoformat(plain).replace(tzinfo=TUNIS).isoformat()
        except ValueError:
            return plain
    return plain


def _typed_bool(spec: Any, text: str) -> Any:
    return {"true": True, "oui": True, "on": True, "1": True, "false": False, "non": False, "0": False}.get(text.strip(), text)


def _typed_code(spec: Any, text: str) -> str:
    return _INVISIBLE.sub("", western(text)).upper().replace("-", "")


def _typed_phone(spec: Any, text: str) -> str:
    plain = re.sub(r"[().\-/]", "", _INVISIBLE.sub("", western(text)))
    try:
        parsed = phonenumbers.parse(plain, "TN")
    except phonenumbers.NumberParseException:
        return plain
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)


def _same(value: Any) -> Any:
    return value


def _decimal(value: Any) -> Decimal:
    return Decimal(str(value))


def _feel_date(value: str) -> date | PartialDate:
    if len(value) == 10:
        return date.fromisoformat(value)
    return PartialDate(int(value[:4]), int(value[5:7]) if len(value) == 7 else None)


TYPES: dict[str, FieldType] = {
    "text": FieldType("text", _read_text, _typed_text, _same),
    "longtext": FieldType("textarea", _read_text, _typed_text, _same),
    "address": FieldType("textarea", _read_text, _typed_text, _same),
    "int": FieldType("number", _read_int, _typed_number, _decimal),
    "number": FieldType("number", _read_number, _typed_number, _decimal),
    "percent": FieldType("percent", _read_number, _typed_number, _decimal),
    "score": FieldType("score", _read_int, _typed_number, _decimal),
    "money": FieldType("money", _read_money, _typed_money, lambda value: Decimal(value) / 1000),
    "date": FieldType("date", _read_date, _typed_date, _feel_date),
    "datetime": FieldType("datetime", lambda spec, value: _instant(value), _typed_datetime, datetime.fromisoformat),
    "bool": FieldType("radio", _read_bool, _typed_bool, _same),
    "tri": FieldType("radio", _read_bool, _typed_bool, _same),
    "enum": FieldType("radio", _read_choice, _typed_text, _same),
    "multi": FieldType("checkboxes", _read_multi, _typed_text, list),
    "gov": FieldType("select", _read_choice, _typed_text, _same),
    "district": FieldType("select", _read_choice, _typed_text, _same),
    "country": FieldType("select", _read_choice, _typed_text, _same),
    "language": FieldType("select", _read_choice, _typed_text, _same),
    "phone": FieldType("phone", _read_phone, _typed_phone, _same),
    "email": FieldType("email", _matching(_email, "email.type", 254), _typed_text, _same),
    "cin": FieldType("cin", _matching(_cin, "cin.type", 8), _typed_code, _same),
    "passport": FieldType("passport", _matching(_passport, "passport.type", 7), _typed_code, _same),
    "doc": FieldType("document", _read_doc, _typed_text, _same),
    "signature": FieldType("signature", _read_signature, _typed_text, _same),
}
ROWS = "list"
