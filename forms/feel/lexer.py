"""From a FEEL text to tokens, and every refusal that needs no grammar.

Settles here what one token of lookahead cannot: names of several words (of functions and types only: a variable has one word),
keys (`grouping separator:`), and whether `[` or `]` belongs to a list, a filter or an interval.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator

from lark import Token

from forms.feel.budget import MAX_NESTING, MAX_TEXT
from forms.feel.dates import read_literal
from forms.feel.errors import FeelError
from forms.feel.texts import PROPERTY_NAMES
from forms.feel.values import CONTEXT

# Letters of any script with their marks (Arabic vowels, combining accents) and the planes beyond, as the standard's name rule has.
_START = r"[^\W\d]|[?\U00010000-\U000EFFFF]"
_PART = r"\w\u0300-\u036f\u0610-\u061a\u064b-\u065f\u0670?\U00010000-\U000EFFFF"
_SPACE = re.compile(r"(?:\s|/\*(?:[^*]|\*(?!/))*\*/|//[^\n]*)+")
_NAME = re.compile(rf"(?:{_START})[{_PART}]*")
_KEY = re.compile(rf"((?:{_START})[{_PART}\s.+*/'-]*):")
_NUMBER = re.compile(r"(?:\d+(?:\.\d+)?|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)
_STRING = re.compile(r'"((?:[^"\\]|\\.)*)"', re.DOTALL)
_ESCAPE = re.compile(r"\\(?:(u[0-9a-fA-F]{4})|(U[0-9a-fA-F]{6})|(.))", re.DOTALL)
_SYMBOL = re.compile(r"\.\.|\*\*|->|!=|<=|>=|[-+*/=<>()\[\]{},.@]")
_TYPES = {"date and time", "years and months duration", "days and time duration"}

KEYWORDS = {
    **{word: f"_{word.upper()}" for word in (
        "if", "then", "else", "for", "return", "some", "every", "satisfies", "in", "between", "and", "or", "instance", "of",
        "function")},
    "true": "TRUE", "false": "FALSE", "null": "NULL",
}
_SYMBOLS = {
    "..": "_DOTS", "**": "POWER", "->": "ARROW", "!=": "RELATION", "<=": "RELATION", ">=": "RELATION", "=": "RELATION", "<": "LT",
    ">": "GT", "-": "MINUS", "+": "PLUS", "*": "TIMES", "/": "SLASH", "(": "LPAR", ")": "RPAR", "[": "LSQB", "]": "RSQB",
    "{": "_LBRACE", "}": "_RBRACE", ",": "_COMMA", ".": "_DOT",
}
_OPENERS, _CLOSERS = {"LPAR", "LSQB", "IOPEN", "_LBRACE"}, {"RPAR", "RSQB", "ICLOSE", "_RBRACE"}
_ENDS_VALUE = {"NUMBER", "STRING", "TEMPORAL", "NAME", "TRUE", "FALSE", "NULL", "TYPE"} | _CLOSERS
_CANNOT_BEGIN = {
    "RPAR", "RSQB", "_RBRACE", "_COMMA", "RELATION", "LT", "GT", "_AND", "_OR", "_THEN", "_ELSE", "_RETURN", "_SATISFIES", "_IN",
    "_INSTANCE", "_BETWEEN", "_DOTS",
}


class Lexicon:
    """The names of several words that a text may use: of functions before `(`, of types and properties anywhere."""

    def __init__(self, functions: Iterable[str]) -> None:
        self._calls = _words({name for name in functions if " " in name}, r"(?=\s*\()")
        self._types = _words(_TYPES - {"date and time"}, rf"(?![{_PART}])")
        self._moment = _words({"date and time"}, rf"(?![{_PART}])")
        self._properties = _words({name for name in PROPERTY_NAMES if " " in name}, rf"(?![{_PART}])")

    def words_at(self, text: str, at: int, before: list[Token]) -> tuple[str, str, int] | None:
        """Token type, name and end of a name of several words that begins at `at`, if one does there."""
        last = before[-1].type if before else ""
        found = self._calls.match(text, at)
        if found:
            return "NAME", " ".join(found[0].split()), found.end()
        if last == "_DOT":
            found = self._properties.match(text, at)
            return found and ("NAME", " ".join(found[0].split()), found.end())
        found = self._types.match(text, at)
        if not found and (last in ("_OF", "KEY", "ARROW") or (last == "LT" and before[-2:-1] and str(before[-2]) in _GENERIC)):
            found = self._moment.match(text, at)
        return found and ("TYPE", " ".join(found[0].split()), found.end())


_GENERIC = {"list", "range", "function"}


def _words(names: set[str], after: str) -> re.Pattern[str]:
    choices = sorted(names, key=len, reverse=True)
    return re.compile("(?:" + "|".join(r"\s+".join(map(re.escape, name.split())) for name in choices) + ")" + after)


def tokens(text: str, lexicon: Lexicon) -> list[Token]:
    """The tokens of a text. Raises FeelError: too long, nested too deep, an unknown character, string or literal."""
    if len(text) > MAX_TEXT:
        raise FeelError(text, MAX_TEXT, "too_long", limit=MAX_TEXT)
    found: list[Token] = []
    depth = 0
    for token in _scan(text, lexicon, found):
        found.append(token)
        depth += (token.type in _OPENERS) - (token.type in _CLOSERS)
        if depth > MAX_NESTING:
            raise FeelError(text, token.start_pos, "too_deep", limit=MAX_NESTING)
    if not found:
        raise FeelError(text, 0, "empty")
    return _intervals(found)


def _token(kind: str, value, start: int, end: int) -> Token:
    return Token(kind, value, start_pos=start, end_pos=end, line=1, column=start + 1, end_line=1, end_column=end + 1)


def _scan(text: str, lexicon: Lexicon, before: list[Token]) -> Iterator[Token]:
    at = 0
    while at < len(text):
        space = _SPACE.match(text, at)
        if space:
            at = space.end()
            continue
        token = _value_at(text, at) or _key_at(text, at, before) or _name_at(text, at, lexicon, before)
        if token is None:
            symbol = _SYMBOL.match(text, at)
            if symbol is None or symbol[0] == "@":
                raise FeelError(text, at, "bad_character", found=text[at])
            token = _token(_SYMBOLS[symbol[0]], symbol[0], at, symbol.end())
        yield token
        at = token.end_pos


def _value_at(text: str, at: int) -> Token | None:
    first = text[at]
    if first == '"' or text.startswith('@"', at):
        start = at + (first == "@")
        match = _STRING.match(text, start)
        if not match:
            raise FeelError(text, at, "bad_string")
        after = _SPACE.match(text, match.end())
        if first == '"' and text.startswith(":", after.end() if after else match.end()):
            return _token("KEY", unescaped(text, match), at, (after.end() if after else match.end()) + 1)
        if first == '"':
            return _token("STRING", unescaped(text, match), at, match.end())
        if read_literal(match[1]) is None:
            raise FeelError(text, at, "bad_literal", found=match[1])
        return _token("TEMPORAL", match[1], at, match.end())
    match = _NUMBER.match(text, at)
    if not match or (first == "." and not match[0][1:2].isdigit()):
        return None
    if not CONTEXT.create_decimal(match[0]).is_finite():
        raise FeelError(text, at, "bad_literal", found=match[0][:40])
    return _token("NUMBER", match[0], at, match.end())


def _key_at(text: str, at: int, before: list[Token]) -> Token | None:
    if not before or before[-1].type not in ("LPAR", "_COMMA", "_LBRACE", "LT"):
        return None
    match = _KEY.match(text, at)
    return match and _token("KEY", unicodedata.normalize("NFC", " ".join(match[1].split())), at, match.end())


def _name_at(text: str, at: int, lexicon: Lexicon, before: list[Token]) -> Token | None:
    match = _NAME.match(text, at)
    if not match:
        return None
    words = lexicon.words_at(text, at, before)
    if words:
        return _token(words[0], words[1], at, words[2])
    name = match[0]
    if name == "external":
        raise FeelError(text, at, "external_function")
    after_dot = bool(before) and before[-1].type == "_DOT"
    return _token("NAME" if after_dot else KEYWORDS.get(name, "NAME"), unicodedata.normalize("NFC", name), at, match.end())


def unescaped(text: str, match: re.Match[str]) -> str:
    """The text between quotes with its escapes read; a backslash before any other letter stays (regular expressions)."""
    plain = _ESCAPE.sub(_unescape, match[1])
    try:  # two \\u of a pair make one character; a lone half is none
        return plain.encode("utf-16", "surrogatepass").decode("utf-16")
    except UnicodeDecodeError:
        raise FeelError(text, match.start(), "bad_string") from None


def _unescape(match: re.Match[str]) -> str:
    code = match[1] or match[2]
    if code:
        point = int(code[1:], 16)
        return chr(point) if point < 0x110000 else match[0]
    return {"n": "\n", "r": "\r", "t": "\t", '"': '"', "'": "'", "\\": "\\"}.get(match[3], match[0])


def _intervals(found: list[Token]) -> list[Token]:
    """Renames a `]` that opens an interval and a `[` that closes one (`]1..10[`)."""
    opened: list[list] = []  # type of the opening bracket, and whether `..` has been seen since
    for at, token in enumerate(found):
        before, after = (found[at - 1].type if at else ""), (found[at + 1].type if at + 1 < len(found) else "_COMMA")
        closes = token.type == "LSQB" and opened and opened[-1][1] and before in _ENDS_VALUE and after in _CANNOT_BEGIN
        if token.type == "RSQB" and before not in _ENDS_VALUE and before != "LSQB":
            token.type = "IOPEN"
        elif closes:
            token.type = "ICLOSE"
        if token.type in _OPENERS:
            opened.append([token.type, False])
        elif token.type in _CLOSERS and opened:
            opened.pop()
        elif token.type == "_DOTS" and opened:
            opened[-1][1] = True
    return found
