"""Countries and languages: their codes (ISO 3166 and ISO 639) and their names, from Unicode's tables through Babel.

Not the governorates and delegations of Tunisia: those are in the dictionary (`districts.toml`).
"""

import re
from functools import cache

from babel import Locale

_LOCALES = {"fr": "fr", "ar": "ar_TN", "en": "en"}
# Codes that Unicode lists beside the countries of ISO 3166: unions, exceptional reservations, test regions.
_NOT_COUNTRIES = frozenset("AC CP CQ DG EA EU EZ IC QO TA UN XA XB ZZ".split())


@cache
def countries() -> frozenset[str]:
    """The two-letter codes of countries."""
    listed = Locale.parse("en").territories
    return frozenset(code for code in listed if re.fullmatch("[A-Z]{2}", code)) - _NOT_COUNTRIES


@cache
def languages() -> frozenset[str]:
    """The two-letter codes of languages."""
    return frozenset(code for code in Locale.parse("en").languages if re.fullmatch("[a-z]{2}", code))


@cache
def country_names(language: str) -> dict[str, str]:
    """Country code → name, in the order a reader of the language looks them up."""
    return _names(Locale.parse(_LOCALES.get(language, "fr")).territories, countries())


@cache
def language_names(language: str) -> dict[str, str]:
    """Language code → name, in alphabetical order."""
    return _names(Locale.parse(_LOCALES.get(language, "fr")).languages, languages())


@cache
def labels(kind: str) -> dict[str, dict[str, str]]:
    """Code → name by language, of `country` or `language`, in the order of the French names."""
    names = {one: (country_names if kind == "country" else language_names)(one) for one in _LOCALES}
    return {code: {one: names[one][code] for one in _LOCALES} for code in names["fr"]}


def _names(listed, codes: frozenset[str]) -> dict[str, str]:
    names = {code: listed.get(code) or code for code in codes}
    return dict(sorted(names.items(), key=lambda pair: _sorting(pair[1])))


def _sorting(name: str) -> str:
    # Accented capitals would otherwise come after Z: Égypte belongs beside Espagne.
    return name.casefold().translate(str.maketrans("éèêëàâäîïôöûüçå", "eeeeaaaiioouuca")).removeprefix("ال")
