"""Names with spaces and operators in them: finding the longest known one among tokens (DMN 1.5, 10.3.1.4)."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

from segue.errors import FeelSyntaxError
from segue.feel.lexer import Token, tokenize
from segue.feel.source import Source

Pattern = tuple[tuple[str, bool], ...]
"""The tokens of a name: text, and whether space stands before it."""


@lru_cache(maxsize=4096)
def pattern(name: str) -> Pattern:
    """The tokens that a name consists of; nothing for what cannot be written as a name."""
    try:
        tokens = tokenize(Source(name.strip()))[:-1]
    except FeelSyntaxError:
        return ()
    return tuple((token.text, token.gap and index > 0) for index, token in enumerate(tokens))


def spelled(tokens: Iterable[Token]) -> str:
    """The name that tokens spell, with one space where there was any."""
    parts: list[str] = []
    for token in tokens:
        if token.gap and parts:
            parts.append(" ")
        parts.append(token.text)
    return "".join(parts)


class Names:
    """Names of more than one token, by their first; a name of one token needs no looking up."""

    __slots__ = ("_by_first",)

    def __init__(self, names: Iterable[str] = ()) -> None:
        self._by_first: dict[str, list[tuple[Pattern, str]]] = {}
        self.add(names)

    def add(self, names: Iterable[str]) -> None:
        """Makes more names known."""
        for name in names:
            tokens = pattern(name)
            if len(tokens) > 1:
                known = self._by_first.setdefault(tokens[0][0], [])
                if (tokens, name) not in known:
                    known.append((tokens, name))
                    known.sort(key=lambda entry: -len(entry[0]))

    def longest(self, tokens: list[Token], at: int) -> tuple[str, int] | None:
        """The longest known name that begins at a token, and how many tokens it has."""
        for wanted, name in self._by_first.get(tokens[at].text, ()):
            if at + len(wanted) < len(tokens) and all(
                tokens[at + index].text == text and (index == 0 or tokens[at + index].gap == gap)
                for index, (text, gap) in enumerate(wanted)
            ):
                return name, len(wanted)
        return None
