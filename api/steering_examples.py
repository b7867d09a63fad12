"""Examples of the answers about steering: indicators, the cases behind one, equity, the report of a half-year."""

from typing import Any

_CASE, _FIRST, _LAST = "01999f3a-6a51-7c05-9d3e-0f6b3a1c2d4e", "2026-01-01T00:00:00Z", "2026-07-01T00:00:00Z"
_INDICATOR = {
    "code": "b5", "unit": "days", "value": 71.3, "before": 77.7, "tenth": 117.7, "cases": 9, "trend": "better", "target": 15, "is_met": False, "is_less_better": True,
    "drawn": {"shortest": 76, "typical": 104, "longest": 983}, "by_branch": [{"name": "MED", "value": 60.1, "tenth": 98.2, "cases": 6}], "by_class": [{"name": "1", "value": 58.3, "tenth": 91.5, "cases": 7}], "aside": [{"name": "refused", "value": 1, "before": None}], "is_masked": False,
}  # fmt: skip

EXAMPLES: dict[tuple[str, str], Any] = {
    ("get", "/steering/indicators"): {"first": _FIRST, "last": _LAST, "branch": "", "programme": "", "items": [_INDICATOR], "heaviness": {"index": {"shortest": 61, "typical": 72, "longest": 100}, "parts": [
        {"code": "b2", "unit": "number", "target": 5, "drawn": {"shortest": 4, "typical": 6, "longest": 21}, "scores": {"shortest": 40, "typical": 60, "longest": 100}}]}},
    ("get", "/steering/equity"): {"first": _FIRST, "last": _LAST, "branch": "", "programme": "", "items": [{"by": "sex", "is_compared": True, "parts": [
        {"code": "F", "label": "Female", "decided": 40, "granted": 30, "share": 75, "share_ratio": 1, "days": 24.5, "days_ratio": 0.9, "alerts": []},
        {"code": "M", "label": "Male", "decided": 60, "granted": 33, "share": 55, "share_ratio": 0.73, "days": 22.1, "days_ratio": 1, "alerts": ["share"]}]}]},
    ("get", "/steering/indicators/{code}/cases"): {"items": [{"case_id": _CASE, "case_number": "TN-MED-2026-00042", "branch": "MED", "stage": "accompagnement", "value": 117.7}], "next": None},
    ("get", "/steering/reports/{year}/{half}"): {
        "year": 2026, "half": 1, "first": _FIRST, "last": _LAST, "made_at": _LAST, "indicators": [_INDICATOR | {"by_branch": [], "by_class": [], "aside": []}],
        "blocks": [{"code": "granted", "rows": [{"code": "TOUNESNA-EU", "label": "Tounesna, European Union", "persons": 7, "amount": 85_200_000, "is_masked": False},
                                                {"code": "PAD-NL", "label": "PAD, Netherlands", "persons": None, "amount": None, "is_masked": True}],
                    "total": None, "amount": None, "unit": "money"}],
        "equity": [],
    },
}  # fmt: skip
