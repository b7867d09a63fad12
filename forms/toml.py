"""Reading the TOML of definitions: the parts that the dictionary and the task files share.

Everything wrong is noted in `Findings`, with the file and the key; what each file must say is `dictionary`'s and `form`'s to know.
"""

import re
import tomllib
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from forms.feel import Expression, FeelError, compile_expression
from forms.text import LANGUAGES, UNSAFE, Findings

FIELD_ID = re.compile("[a-z][a-z0-9_]*\\.[a-z][a-z0-9_]*")
# What a condition may read beside fields: the day, and dated data and case particulars that the engine adds to the scope.
FREE_NAMES = frozenset({"today", "now", "programmes", "parametres", "antennes", "dossier"})
_AT = re.compile(r"at line (\d+)")  # where the parser stopped; it says no line for the end of the file
_LARGEST_FILE, _DEEPEST = 1_000_000, 12
# A key of a hundred parts, which tomllib takes the square of its length to read: no definition has one.
_LONG_KEY = re.compile(r"""(?<![\w"'-])(?:"[^"\n]*+"|'[^'\n]*+'|[\w-]++)(?:[ \t]*+\.[ \t]*+(?:"[^"\n]*+"|'[^'\n]*+'|[\w-]++)){100}""")


class TooDeep(ValueError):
    """Tables in tables, or a key of many parts, beyond what any definition has."""


def load(content: bytes, **how: Any) -> dict[str, Any]:
    """TOML that anybody may have written. Raises ValueError (`TooDeep`, UnicodeDecodeError, TOMLDecodeError)."""
    written = content.decode("utf-8")
    if _LONG_KEY.search(written):
        raise TooDeep
    try:
        return tomllib.loads(written, **how)
    except RecursionError as deep:
        raise TooDeep from deep


def parse(files: Mapping[str, bytes], findings: Findings) -> dict[str, dict[str, Any]]:
    """File name → content, in the order of names; files that cannot be read are noted and left out."""
    found: dict[str, dict[str, Any]] = {}
    for name in sorted(files):
        if not name.endswith(".toml"):
            continue
        if len(files[name]) > _LARGEST_FILE:
            findings.add("definition.too_large", name)
            continue
        try:
            read = load(files[name])
        except tomllib.TOMLDecodeError as trouble:
            at = _AT.search(str(trouble))
            findings.add("definition.unreadable_at", name, line=int(at[1]) if at else files[name].rstrip().count(b"\n") + 1)
            continue
        except UnicodeDecodeError:
            findings.add("definition.encoding", name)
            continue
        except TooDeep:
            findings.add("definition.too_deep", name, most=_DEEPEST)
            continue
        except ValueError:  # a number of thousands of digits
            findings.add("definition.unreadable", name)
            continue
        if not _is_shallow(read):
            findings.add("definition.too_deep", name, most=_DEEPEST)
        elif unsafe := UNSAFE.search("".join(_texts(read))):
            findings.add("definition.unsafe", name, letter=f"U+{ord(unsafe.group()):04X}")
        else:
            found[name] = read
    return found


def _is_shallow(content: dict[str, Any]) -> bool:
    level: list[Any] = [content]
    for _ in range(_DEEPEST):
        level = [inner for one in level for inner in (one.values() if isinstance(one, dict) else one) if isinstance(inner, dict | list)]
        if not level:
            return True
    return False


def _texts(value: Any) -> Iterator[str]:
    """Every text of a shallow content, keys too."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for inner in value:
            yield from _texts(inner)
        if isinstance(value, dict):
            for inner in value.values():
                yield from _texts(inner)


def keys(table: Any, where: str, findings: Findings, needed: Collection[str], allowed: Collection[str] = ()) -> bool:
    """Whether `table` is a table with every needed key and no other than the allowed ones; each fault is noted."""
    if not isinstance(table, dict):
        findings.add("definition.shape", where)
        return False
    missing = [key for key in needed if key not in table]
    for key in missing:
        findings.add("definition.missing", f"{where}.{key}", key=key)
    for key in table:
        if key not in needed and key not in allowed:
            findings.add("definition.unknown_key", f"{where}.{key}", name=str(key)[:60])
    return not missing


def shapes(table: Mapping[str, Any], where: str, findings: Findings, wanted: Mapping[str, type]) -> bool:
    """Whether each key that is there holds a value of its type (a list: of texts); each fault is noted."""
    wrong = [key for key, type_ in wanted.items() if key in table and not (isinstance(table[key], type_) and (type_ is not list or _are_texts(table[key])))]
    for key in wrong:
        findings.add("definition.shape", f"{where}.{key}")
    return not wrong


def _are_texts(values: list[Any]) -> bool:
    return all(isinstance(one, str) for one in values)


def label(value: Any, where: str, findings: Findings) -> dict[str, str]:
    """A label that must stand in every language."""
    if not isinstance(value, dict) or any(not isinstance(value.get(one), str) or not value[one].strip() for one in LANGUAGES):
        findings.add("definition.label", where)
        return {}
    return {one: value[one] for one in LANGUAGES}


def expression(text: Any, where: str, findings: Findings) -> Expression | None:
    """A FEEL expression, or None where it cannot be read (noted)."""
    try:
        return compile_expression(text) if isinstance(text, str) else findings.add("definition.shape", where)
    except FeelError as trouble:
        findings.add("definition.feel", where, why=trouble.reason, text=text[:80])
        return None


def fields_read(compiled: Expression, fields: Collection[str]) -> tuple[list[str], list[str]]:
    """The fields that an expression reads, and the names in it that are neither a field nor free."""
    known, strange = set(), set()
    for path in compiled.paths:
        first, _, rest = path.partition(".")
        found = f"{first}.{rest.partition('.')[0]}"
        plain = found.removesuffix("_statut")
        if found in fields:
            known.add(found)
        elif plain in fields:
            known.add(plain)
        elif first not in FREE_NAMES:
            strange.add(path)
    return sorted(known), sorted(strange)
