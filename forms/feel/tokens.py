"""FEEL's text as tokens, and a place among them: looking ahead, taking, expecting, names of several words."""

import re
from collections.abc import Iterable
from typing import Any

from forms.feel.values import FeelError

LONGEST, DEEPEST = 10_000, 40
_TOKEN = re.compile(r"""
    (?P<space>[\s\u00a0\u180e\u2000-\u200b\u202f\u205f\u3000\ufeff]+|//[^\n]*|/\*.*?\*/)
  | (?P<number>\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|\.\d+(?:[eE][+-]?\d+)?)
  | (?P<string>"(?:[^"\\]|\\.)*")
  | (?P<at>@"(?:[^"\\]|\\.)*")
  | (?P<name>[^\W\d][\w']*|[\U0001F000-\U0001FAFF][\w']*|\?)
  | (?P<op>\.\.|\*\*|<=|>=|!=|->|[-+*/=<>()\[\]{},:.])
""", re.VERBOSE | re.DOTALL)  # fmt: skip
KEYWORDS = {"and", "or", "if", "then", "else", "for", "in", "return", "some", "every", "satisfies", "between", "instance", "of", "function", "external",
    "true", "false", "null"}
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", '"': '"', "'": "'", "\\": "\\"}


def tokens(text: str) -> list[tuple[str, str, int, int]]:
    """(kind, text, start, end) of each token; the last is `("end", "", …)`."""
    if len(text) > LONGEST:
        raise FeelError(text, LONGEST, "the expression is too long")
    found, place = [], 0
    while place < len(text):
        match = _TOKEN.match(text, place)
        if match is None:
            raise FeelError(text, place, f"unexpected {text[place]!r}")
        if match.lastgroup != "space":
            found.append((match.lastgroup, match[0], place, match.end()))
        place = match.end()
    found.append(("end", "", len(text), len(text)))
    return found


def unescape(text: str) -> str:
    """A string literal's content; pairs of surrogates written as two \\u are one character."""

    def one(match: re.Match[str]) -> str:
        code = match[1]
        return chr(int(code[1:], 16)) if code[0] in "uU" and len(code) > 1 else _ESCAPES.get(code, "\\" + code)

    plain = re.sub(r"\\(u[0-9a-fA-F]{4}|U[0-9a-fA-F]{6}|.)", one, text, flags=re.DOTALL)
    return plain.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


class Cursor:
    """A place in the tokens of a text; `phrases` are the names of several words that it knows."""

    def __init__(self, text: str, phrases: Iterable[str]) -> None:
        self.text, self.tokens, self.at = text, tokens(text), 0
        self.phrases = set(phrases)
        self.starts = {" ".join(phrase.split()[:count]) for phrase in self.phrases for count in range(1, len(phrase.split()))}

    def peek(self, ahead: int = 0) -> str:
        return self.tokens[min(self.at + ahead, len(self.tokens) - 1)][1]

    def kind(self, ahead: int = 0) -> str:
        return self.tokens[min(self.at + ahead, len(self.tokens) - 1)][0]

    def start(self) -> int:
        return self.tokens[min(self.at, len(self.tokens) - 1)][2]

    def end(self) -> int:
        return self.tokens[self.at - 1][3]

    def take(self) -> str:
        self.at += 1
        return self.tokens[self.at - 1][1]

    def is_op(self, *ops: str) -> bool:
        return self.kind() == "op" and self.peek() in ops

    def is_word(self, word: str) -> bool:
        return self.kind() == "name" and self.peek() == word

    def expect(self, text: str) -> None:
        if self.peek() != text or self.kind() not in ("op", "name"):
            self.fail(f"{text!r} is expected")
        self.at += 1

    def fail(self, reason: str) -> Any:
        found = self.peek() or "the end"
        raise FeelError(self.text, self.start(), f"{reason}, {found!r} is found" if "expected" in reason else reason)

    def finish(self) -> None:
        if self.kind() != "end":
            self.fail("unexpected text after the expression")

    def words(self, until: set[str], is_type: bool = False) -> str:
        """Tokens up to one of `until`, as one name; operators are let in where FEEL lets names hold them."""
        parts, last = [], None
        while self.kind() != "end" and not (self.peek() in until and parts and not (is_type and self.peek() == "and" and parts[-1].strip() in ("date", "days",
            "years"))):
            if self.kind() in ("string", "at"):
                self.fail("a name is expected")
            glued = last is not None and last == self.start()
            parts.append(("" if glued or not parts else " ") + self.peek())
            last = self.tokens[self.at][3]
            self.take()
            parts = ["".join(parts)] if not is_type else parts
            if is_type and len(parts) > 8:
                self.fail("a type is expected")
        if not parts:
            self.fail("a name is expected")
        return "".join(parts).strip()

    def add(self, name: str) -> None:
        if " " in name:
            self.phrases.add(name)
            words = name.split()
            self.starts |= {" ".join(words[:count]) for count in range(1, len(words))}
