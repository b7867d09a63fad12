"""Reading FEEL: tokens → tree (DMN 1.5 §10.3.1). A tree node is a tuple `(kind, start, end, …)`; nothing is evaluated here.

By hand rather than by a grammar tool: names of several words, `]a..b[` and unary tests make FEEL ambiguous for LALR, and a table would hide it.
"""

from typing import Any

from forms.feel.tokens import DEEPEST, KEYWORDS, Cursor, unescape
from forms.feel.values import FeelError

_CLOSERS = {")", "]", "}", ",", "", "then", "else", "and", "or", "return", "satisfies", "..", ":", "=", "<", ">", "<=", ">=", "!="}
Node = tuple[Any, ...]
KINDS = {"constant", "string", "number", "at", "name", "group", "list", "context", "range", "open range", "if", "and", "or", "compare", "between", "in",
    "test", "tests", "any",
         "negate", "arithmetic", "path", "filter", "series", "for", "some", "every", "function", "call", "instance"}  # fmt: skip


class Reader(Cursor):
    """A recursive reader with precedences."""

    depth = 0
    in_range = 0

    # ── Expressions, loosest first ──────────────────────────────────────────────────────────────────────────────────────
    def expression(self) -> Node:
        self.depth += 1
        if self.depth > DEEPEST:
            self.fail("the expression is nested too deep")
        try:
            start = self.start()
            match self.peek() if self.kind() == "name" else "":
                case "if":
                    return self._if(start)
                case "for":
                    return self._for(start)
                case "some" | "every":
                    return self._quantified(start)
                case "function" if self.peek(1) == "(":
                    return self._function(start)
            return self.disjunction()
        finally:
            self.depth -= 1

    def _if(self, start: int) -> Node:
        self.take()
        condition = self.expression()
        self.expect("then")
        yes = self.expression()
        self.expect("else")
        no = self.expression()
        return ("if", start, self.end(), condition, yes, no)

    def _iterators(self) -> list[tuple[str, Node]]:
        found = []
        while True:
            name = self.words({"in"})
            self.expect("in")
            source = self.iterated()
            self.add(name)
            found.append((name, source))
            if not self.is_op(","):
                return found
            self.take()

    def iterated(self) -> Node:
        start = self.start()
        low = self.expression()
        if self.is_op(".."):
            self.take()
            return ("series", start, self.end(), low, self.expression())
        return low

    def _for(self, start: int) -> Node:
        self.take()
        iterators = self._iterators()
        self.expect("return")
        self.add("partial")
        return ("for", start, self.end(), iterators, self.expression())

    def _quantified(self, start: int) -> Node:
        quantifier = self.take()
        iterators = self._iterators()
        self.expect("satisfies")
        return (quantifier, start, self.end(), iterators, self.expression())

    def _function(self, start: int) -> Node:
        self.take()
        self.expect("(")
        names = []
        while not self.is_op(")"):
            names.append(self.words({",", ":", ")"}))
            self.add(names[-1])
            if self.is_op(":"):
                self.take()
                self.type()
            if not self.is_op(","):
                break
            self.take()
        self.expect(")")
        if self.is_word("external"):
            self.fail("external functions are refused")
        return ("function", start, self.end(), tuple(names), self.expression())

    def disjunction(self) -> Node:
        return self._chain("or", self.conjunction)

    def conjunction(self) -> Node:
        return self._chain("and", self.comparison)

    def _chain(self, word: str, inner: Any) -> Node:
        start = self.start()
        parts = [inner()]
        while self.is_word(word):
            self.take()
            parts.append(inner())
        return parts[0] if len(parts) == 1 else (word, start, self.end(), parts)

    def comparison(self) -> Node:
        start = self.start()
        left = self.additive()
        while True:
            if self.is_op("=", "!=", "<", "<=", ">", ">="):
                op = self.take()
                left = ("compare", start, self.end(), op, left, self.additive())
            elif self.is_word("between"):
                self.take()
                low = self.additive()
                self.expect("and")
                left = ("between", start, self.end(), left, low, self.additive())
            elif self.is_word("in"):
                self.take()
                left = ("in", start, self.end(), left, self.tests_after_in())
            else:
                return (*left[:2], max(left[2], self.end()), *left[3:]) if left[0] in ("compare", "between", "in") else left

    def tests_after_in(self) -> list[Node]:
        if self.is_op("("):
            mark = self.at
            try:
                self.take()
                found = [self.test()]
                while self.is_op(","):
                    self.take()
                    found.append(self.test())
                if self.is_op(")"):
                    self.take()
                    return found
            except FeelError:
                pass
            self.at = mark  # a range that opens with a parenthesis, or a parenthesised expression
        return [self.test()]

    def test(self) -> Node:
        """One positive unary test: `< 5`, a range, or an expression."""
        start = self.start()
        if self.is_op("<", "<=", ">", ">=", "=", "!="):
            op = self.take()
            return ("test", start, self.end(), op, self.additive())
        return ("test", start, self.end(), "", self.expression())

    def unary_tests(self) -> Node:
        """A decision table's cell: `-`, tests, or `not(tests)`."""
        if self.is_op("-") and self.kind(1) == "end":
            self.take()
            return ("any", 0, 1)
        negated = self.is_word("not") and self.peek(1) == "("
        mark = self.at
        if negated:
            self.at += 2
        found = [self.test()]
        while self.is_op(","):
            self.take()
            found.append(self.test())
        if negated:
            self.expect(")")
            if self.kind() != "end":  # `not(x) and y`: an ordinary expression
                self.at, negated, found = mark, False, []
                found.append(self.test())
        self.finish()
        return ("tests", 0, len(self.text), negated, found)

    def additive(self) -> Node:
        return self._binary(("+", "-"), self.multiplicative)

    def multiplicative(self) -> Node:
        return self._binary(("*", "/"), self.power)

    def power(self) -> Node:
        return self._binary(("**",), self.negation)

    def _binary(self, ops: tuple[str, ...], inner: Any) -> Node:
        start = self.start()
        left = inner()
        while self.is_op(*ops):
            op = self.take()
            right = inner()
            left = ("arithmetic", start, self.end(), op, left, right)
        return left

    def negation(self) -> Node:
        start, signs = self.start(), 0
        while self.is_op("-"):
            self.take()
            signs += 1
            if signs > DEEPEST:
                self.fail("the expression is nested too deep")
        inner = self.instance()
        for _ in range(signs):
            inner = ("negate", start, self.end(), inner)
        return inner

    def instance(self) -> Node:
        start = self.start()
        value = self.postfix()
        if self.is_word("instance") and self.peek(1) == "of":
            self.at += 2
            return ("instance", start, self.end(), value, self.type())
        return value

    def type(self) -> tuple[Any, ...]:
        """(name, inner…): `list<…>`, `range<…>`, `context<a: …>`, `function<…>->…`, or a plain name."""
        words = self.words({">", ",", ")", "<", "and", "or", "]", "}", "then", "else", "->", "return", "satisfies", "=", "*", "+", "/"}, is_type=True)
        if words in ("list", "range") and self.is_op("<"):
            self.take()
            inner = self.type()
            self.expect(">")
            return (words, inner)
        if words == "context" and self.is_op("<"):
            self.take()
            members = []
            while not self.is_op(">"):
                name = self.words({":"})
                self.expect(":")
                members.append((name, self.type()))
                if self.is_op(","):
                    self.take()
            self.expect(">")
            return (words, tuple(members))
        if words == "function" and self.is_op("<"):
            self.take()
            inner = []
            while not self.is_op(">"):
                inner.append(self.type())
                if self.is_op(","):
                    self.take()
            self.expect(">")
            self.expect("->")
            return (words, tuple(inner), self.type())
        return (words,)

    def postfix(self) -> Node:
        start = self.start()
        value = self.primary()
        while True:
            if self.is_op("."):
                self.take()
                value = ("path", start, self.end(), value, self.member())
                value = (*value[:2], self.end(), *value[3:])
            elif self.is_op("[") and not self._closes_range():
                self.take()
                condition = self.expression()
                self.expect("]")
                value = ("filter", start, self.end(), value, condition)
            elif self.is_op("("):
                value = self._call(start, value)
            else:
                return value

    def _closes_range(self) -> bool:
        return self.in_range > 0 and self.peek(1) in _CLOSERS and self.kind(1) in ("op", "end", "name")

    def member(self) -> str:
        """A name after a dot, of several words where it is a known property."""
        name = self.take()
        while f"{name} {self.peek()}" in self.phrases | self.starts and self.kind() == "name":
            name += " " + self.take()
        return name

    def _call(self, start: int, callee: Node) -> Node:
        self.take()
        positional: list[Node] = []
        named: dict[str, Node] = {}
        while not self.is_op(")"):
            name = self._argument_name()
            if name:
                named[name] = self.expression()
            else:
                positional.append(self.expression())
            if not self.is_op(","):
                break
            self.take()
        self.expect(")")
        if positional and named:
            self.fail("named and positional arguments are mixed")
        return ("call", start, self.end(), callee, positional, named)

    def _argument_name(self) -> str:
        ahead = 0
        while self.kind(ahead) == "name":
            ahead += 1
        if not ahead or self.peek(ahead) != ":" or self.kind(ahead) != "op":
            return ""
        name = " ".join(self.take() for _ in range(ahead))
        self.take()
        return name

    def primary(self) -> Node:
        kind, text, start, end = self.tokens[self.at]
        match kind:
            case "number" | "at":
                self.at += 1
                return (kind, start, end, text if kind == "number" else unescape(text[2:-1]))
            case "string":
                self.at += 1
                return ("string", start, end, unescape(text[1:-1]))
            case "name":
                if text in ("true", "false", "null"):
                    self.at += 1
                    return ("constant", start, end, {"true": True, "false": False, "null": None}[text])
                if text in KEYWORDS and text not in ("function", "of", "external", "instance"):
                    if text in ("if", "for", "some", "every"):
                        return self.expression()
                    self.fail("a value is expected")
                return self.name()
            case "op":
                if text in ("(", "[", "]"):
                    return self._bracketed(text, start)
                if text == "{":
                    return self._context(start)
                if text in ("<", "<=", ">", ">=", "="):
                    self.at += 1
                    return ("open range", start, self.end(), text, self.additive())
        return self.fail("a value is expected")

    def name(self) -> Node:
        start = self.start()
        name = self.take()
        best, mark = (name, self.at), self.at
        phrase = name
        while self.kind() == "name" and phrase in self.starts:
            phrase += " " + self.take()
            if phrase in self.phrases:
                best = (phrase, self.at)
        name, self.at = best if best[0] in self.phrases else (name, mark)
        return ("name", start, self.end(), name)

    def _bracketed(self, opening: str, start: int) -> Node:
        self.take()
        if opening == "[" and self.is_op("]"):
            self.take()
            return ("list", start, self.end(), [])
        first = self.expression()
        if self.is_op(".."):
            self.take()
            self.in_range = self.in_range + 1
            try:
                high = self.expression()
            finally:
                self.in_range -= 1
            closing = self.take()
            if closing not in (")", "]", "["):
                self.fail("a range's end is expected")
            return ("range", start, self.end(), opening == "[", first, high, closing == "]")
        if opening == "]":
            self.fail("'..' is expected")
        if opening == "(":
            self.expect(")")
            return ("group", start, self.end(), first)
        items = [first]
        while self.is_op(","):
            self.take()
            items.append(self.expression())
        self.expect("]")
        return ("list", start, self.end(), items)

    def _context(self, start: int) -> Node:
        self.take()
        members: list[tuple[str, Node]] = []
        while not self.is_op("}"):
            key = unescape(self.take()[1:-1]) if self.kind() == "string" else self.words({":"})
            self.expect(":")
            members.append((key, self.expression()))
            self.add(key)
            if not self.is_op(","):
                break
            self.take()
        self.expect("}")
        if len({key for key, _ in members}) < len(members):
            return ("constant", start, self.end(), None)  # a key given twice: no context at all
        return ("context", start, self.end(), members)
