"""What keeps a finding from being read by a coordinator who is no developer: words of a library, names that only files have, a sentence that leaves her alone.

What stands between quotation marks is shown as somebody wrote it, so names of files may stand there; never a kind of BPMN, which nobody wrote.
"""

import re

from engine.pathway.spiff.readers import READERS

_QUOTED = re.compile(r"«.*?»(?!\s*»)|“.*?”|\"[^\"]*\"", re.DOTALL)
_IDS = re.compile(r"\([^()]*(?:identifiants?|identifiers?|المعرّف\w*) ?: [^()]*\)")
_TERMS = re.compile(r"\b(?:BPMN 2\.0|UTF-8|DOCTYPE|FEEL|XML|DMN|U\+[0-9A-F]{4}|P\d+[YMD]|R/P\d+M|\d{4}-\d\d-\d\d)|[:(][^.()]*←[^.()]*")
_SUFFIXES = re.compile(r"\(?\.(?:bpmn|dmn|toml)\b\)?")
_RAW = {
    "a name of a schema": re.compile(r"\bmasar:|\b[a-z]+_[a-z_]+\b|\b[a-z]+[a-z][A-Z][A-Za-z]*\b|\b\w+__\w+\b|\b\w+/\w+/?\w*"),
    "a path of data": re.compile(r"\b[a-z]{2,}\.[a-z_]{2,}"),
    "Python": re.compile(r"\bNone\b|\bTrue\b|\bFalse\b|\bnull\b|\btrue\b|\bfalse\b|Decimal|\d[Ee]\+\d|[{}\[\]\\]|'[^'\s]'|<\w+"),
}
_ENGLISH = re.compile(r"\b(?:the|is|of|not|invalid|expected|unexpected|found|error|failed|rule|input|output|line)\b", re.IGNORECASE)
_KINDS = {f"{mark}{kind}" for kind in (*READERS, "sequenceFlow", "process", "scriptTask", "transaction", "complexGateway", "adHocSubProcess") for mark in "«“ \xa0"}
# What to do: an imperative in French, which most sentences end with.
_ACT = re.compile(r"\b(?:\w+ez|[Dd]ites|[Ff]aites|[Rr]efaites|Défaites)\b")
_ARABIC, _LATIN = re.compile("[\u0621-\u064a]"), re.compile(r"[A-Za-z]{2,}")
_NAMES = {"OTE", "CPS", "ANETI", "PART", "CSV", "XLSX", "today", "start"}  # the last: what drawings of the tests call a start


def faults(sentences):
    """Why the sentences of one finding are not plain; nothing where they are."""
    found = []
    for language, sentence in sentences.items():
        bare = _SUFFIXES.sub("", _TERMS.sub("", _IDS.sub("", _QUOTED.sub("", sentence))))
        found += [f"{language}: {why}: {told.group()}" for why, raw in _RAW.items() if (told := raw.search(bare))]
        found += [f"{language}: {kind[1:]}" for kind in _KINDS if re.search(rf"{re.escape(kind)}\s?[»”]", sentence) and kind[1:] != "process"]
        found += [f"{language}: an arrow by its id" for _ in re.findall(r"[«“]\s?\w+__\w+\s?[»”]", sentence)]
        if language == "fr":
            found += [f"fr: English: {told.group()}" for told in _ENGLISH.finditer(bare)] + ([] if _ACT.search(bare) else ["fr: does not say what to do"])
        if language == "ar":
            found += [] if _ARABIC.search(bare) else ["ar: no word of Arabic"]
            found += [f"ar: {one}" for one in _LATIN.findall(bare) if one not in _NAMES]
    return found
