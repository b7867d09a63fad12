"""From tokens to the tree of an expression or of the tests of a table cell. Nothing is evaluated here."""

from collections.abc import Iterator
from importlib.resources import files
from typing import Any

from lark import Lark, Token, Tree, UnexpectedInput, UnexpectedToken
from lark.lexer import Lexer

from forms.feel.budget import MAX_NESTING
from forms.feel.errors import FeelError
from forms.feel.lexer import Lexicon, tokens


class _GivenTokens(Lexer):
    """Hands lark the tokens already cut."""

    def __init__(self, conf: Any) -> None:
        self.conf = conf

    def lex(self, data: Any) -> Iterator[Token]:
        yield from data


_PARSER = Lark(
    files("forms.feel").joinpath("grammar.lark").read_text("utf-8"), parser="lalr", lexer=_GivenTokens, propagate_positions=True,
    start=["expression", "unary_tests"], maybe_placeholders=True,
)


def parse(text: str, lexicon: Lexicon) -> Tree:
    """The tree of one expression. Raises FeelError."""
    return _parsed(text, tokens(text, lexicon), "expression")


def parse_tests(text: str, lexicon: Lexicon) -> Tree:
    """The tree of a cell's tests (`[18..30], > 65`, `not("a")`). The cell `-` is not for here. Raises FeelError."""
    found = tokens(text, lexicon)
    if found[0].type == "NAME" and found[0] == "not" and _wraps(found):
        found[0].type = "_NOT"
    return _parsed(text, found, "unary_tests")


def _wraps(found: list[Token]) -> bool:
    """Whether the bracket after the first token closes with the last."""
    depth = 0
    for at, token in enumerate(found[1:], 1):
        depth += (token.type in ("LPAR", "LSQB", "IOPEN", "_LBRACE")) - (token.type in ("RPAR", "RSQB", "ICLOSE", "_RBRACE"))
        if depth <= 0:
            return at > 1 and at == len(found) - 1
    return False


def _parsed(text: str, found: list[Token], start: str) -> Tree:
    try:
        tree = _PARSER.parse(found, start=start)
    except UnexpectedToken as fault:
        if fault.token.type == "$END":
            raise FeelError(text, len(text), "unexpected_end") from None
        raise FeelError(text, fault.token.start_pos, "syntax", found=text[fault.token.start_pos:fault.token.end_pos]) from None
    except UnexpectedInput:  # lark's other refusals concern characters, which are not its to read here
        raise FeelError(text, 0, "syntax") from None
    _refuse_depth(text, tree)
    return tree


def _refuse_depth(text: str, tree: Tree) -> None:
    waiting = [(tree, 1)]
    while waiting:
        node, depth = waiting.pop()
        if depth > MAX_NESTING:
            raise FeelError(text, getattr(node.meta, "start_pos", None), "too_deep", limit=MAX_NESTING)
        waiting.extend((child, depth + 1) for child in node.children if isinstance(child, Tree))
