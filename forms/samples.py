"""Made-up answers, to show a form or a letter as it looks when everything is known. Nobody's: the same for everybody, and plainly so."""

from datetime import date, timedelta
from typing import Any
from uuid import UUID

from forms.dictionary import Dictionary, Field
from forms.field_types import ROWS

_ROWS = 2  # of a list
_NAMES = {"nom_fr": "Ben Exemple", "prenom_fr": "Sami", "nom_ar": "بن مثال", "prenom_ar": "سامي"}
_WRITTEN = {
    "cin": "01234567", "passport": "X123456", "phone": "+21698765432", "email": "nom@exemple.tn", "country": "TN", "language": "ar",
    "address": "12, rue de l'Exemple, Médenine", "longtext": "Quelques lignes, écrites pour l'exemple.",
}  # fmt: skip


def stored(spec: Field, dictionary: Dictionary, today: date, number: int = 1) -> Any:
    """A made-up value of a field as it is stored; `number`: another one for each row of a list."""
    match spec.type:
        case t if t == ROWS:
            inner = [dictionary.fields[one] for one in spec.items if one in dictionary.fields]
            return [{"id": str(UUID(int=place)), **{one.id: stored(one, dictionary, today, place) for one in inner}} for place in range(1, _ROWS + 1)]
        case "bool" | "tri":
            return True
        case "int" | "number" | "percent" | "score":
            return _bounded(spec, 2 + number)
        case "money":
            return _bounded(spec, 1_000 * number + 250) * 1000
        case "date":
            return (today - timedelta(days=30 * number)).isoformat()
        case "datetime":
            return f"{(today - timedelta(days=number)).isoformat()}T09:30:00+01:00"
        case "enum" | "gov" | "district":
            codes = list(spec.codes)
            return codes[(number - 1) % len(codes)] if codes else None
        case "multi":
            return list(spec.codes)[:2]
        case "doc":
            return str(UUID(int=number))
        case "signature":
            return {"name": "Sami Ben Exemple", "at": f"{today.isoformat()}T09:30:00+01:00", "strokes": "M0 0"}
    return _WRITTEN.get(spec.type) or _NAMES.get(spec.id.partition(".")[2]) or f"Exemple {number}"


def _bounded(spec: Field, value: int) -> int:
    low, high = spec.min, spec.max
    return int(max(value if high is None else min(value, high), low if low is not None else 0))
