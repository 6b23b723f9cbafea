"""A place among the tokens of an expression, and what is known about names there."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from segue.errors import FeelSyntaxError
from segue.feel.lexer import KEYWORDS, Token, tokenize
from segue.feel.limits import Limits
from segue.feel.names import Names, spelled
from segue.feel.source import Source

NAME_SYMBOLS = frozenset("./-'+*")
LONGEST_NAME = 64
"""Tokens of a name before a colon."""


class Cursor:
    """Reads tokens one after the other and names by what is known."""

    def __init__(self, source: Source, known: Iterable[Names], members: Iterable[Names], limits: Limits) -> None:
        if len(source.text) > limits.text:
            raise source.limit_error(
                f"an expression of {len(source.text)} characters; {limits.text} are allowed", "text", limits.text
            )
        self.source = source
        self.tokens = tokenize(source)
        self.limits = limits
        self.known = list(known)
        self.members = [*members, Names()]
        self.begin_anew()

    def begin_anew(self) -> None:
        """Stands at the first token, and has not read anything."""
        self.index = 0
        self.token = self.tokens[0]
        self.depth = 0
        self.known = self.known.copy()
        self.members = [*self.members[:-1], Names()]
        self.bound: list[set[str]] = []
        self.reads: set[str] = set()
        self.reads_in_filters: set[str] = set()
        self.in_filter = 0
        self.partials: list[bool] = []

    # --- tokens -------------------------------------------------------------------------------------------------

    def advance(self, count: int = 1) -> Token:
        """Goes on, and returns the token that was here."""
        token = self.token
        self.index += count
        self.token = self.tokens[self.index]
        return token

    def next_is(self, text: str, ahead: int = 1) -> bool:
        """Whether a later token is this symbol or word."""
        place = self.index + ahead
        return place < len(self.tokens) and self.tokens[place].text == text and self.tokens[place].kind != "string"

    def at(self, text: str) -> bool:
        """Whether this symbol or word is here."""
        return self.token.text == text

    def take(self, text: str) -> bool:
        """Goes past a symbol or word if it is here."""
        if self.token.text == text:
            self.advance()
            return True
        return False

    def expect(self, *texts: str) -> Token:
        """Goes past a symbol or word that has to be here."""
        if self.token.text not in texts:
            raise self.error(f"expected {' or '.join(texts)}, found {self.found()}")
        return self.advance()

    def found(self) -> str:
        """The token that is here, for a message."""
        return "the end" if self.token.kind == "end" else repr(self.token.text[:40])

    def error(self, reason: str, token: Token | None = None) -> FeelSyntaxError:
        """An error to raise: it cannot go on here."""
        return self.source.syntax_error(reason, (token or self.token).start)

    @contextmanager
    def nested(self) -> Iterator[None]:
        """One level deeper.

        Raises:
            FeelLimitExceeded: it is too deep.
        """
        self.descend()
        yield
        self.depth -= 1

    def descend(self) -> None:
        """Goes one level deeper; whoever does so also comes back, by ``depth -= 1``."""
        self.depth += 1
        if self.depth > self.limits.depth:
            raise self.source.limit_error(f"nested more than {self.limits.depth} deep", "depth", self.token.start)

    # --- names --------------------------------------------------------------------------------------------------

    def name(self) -> str:
        """The longest known name here, or else the words up to a keyword or symbol.

        Only what is known may hold operators and keywords; without that, `Monthly Salary` is read as one name all the
        same, because two words side by side mean nothing else.
        """
        known = self.longest(self.known)
        return self._words() if known is None else known

    def member(self) -> str:
        """The name after a dot."""
        if self.token.kind != "word":
            raise self.error(f"expected a name after the dot, found {self.found()}")
        known = self.longest(self.members)
        return self._words() if known is None else known

    def longest(self, all_names: Iterable[Names]) -> str | None:
        """The longest known name here, unless another word follows it directly."""
        best: tuple[str, int] | None = None
        for names in all_names:
            match = names.longest(self.tokens, self.index)
            if match is not None and (best is None or match[1] > best[1]):
                best = match
        if best is None or self._is_word(self.tokens[self.index + best[1]]):
            return None
        self.advance(best[1])
        return best[0]

    def _words(self) -> str:
        taken = [self.advance()]
        while self._is_word(self.token):
            taken.append(self.advance())
        return taken[0].text if len(taken) == 1 else spelled(taken)

    def _is_word(self, token: Token) -> bool:
        if token.kind == "number":
            return token.gap and token.text.isdigit()
        return token.kind == "word" and token.text not in KEYWORDS and token.text != "of"

    def name_before(self, *ends: str) -> str | None:
        """The name that stretches to one of these tokens, with whatever is in it; nothing if none does."""
        for place in range(self.index, min(self.index + LONGEST_NAME, len(self.tokens))):
            token = self.tokens[place]
            if token.text in ends and token.kind != "string":
                if place == self.index:
                    return None
                name = spelled(self.tokens[self.index : place])
                self.advance(place - self.index)
                return name
            if token.kind not in ("word", "number") and token.text not in NAME_SYMBOLS:
                return None
        return None

    @contextmanager
    def binding(self, *names: str) -> Iterator[None]:
        """Variables that are known within."""
        self.bound.append(set(names))
        self.known.append(Names(names))
        yield
        self.known.pop()
        self.bound.pop()

    def bind(self, name: str) -> None:
        """One more variable of the innermost binding."""
        self.bound[-1].add(name)
        self.known[-1].add((name,))

    def read(self, name: str) -> None:
        """Notes that the expression reads a name, unless it binds the name itself."""
        if any(name in names for names in self.bound):
            if name == "partial" and self.partials:
                self.partials[-1] = True
            return
        (self.reads_in_filters if self.in_filter else self.reads).add(name)
