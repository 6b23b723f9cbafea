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


class Branch:
    """What may follow the tokens so far: the name that they spell, if one, and the next tokens."""

    __slots__ = ("name", "next")

    def __init__(self) -> None:
        self.name: str | None = None
        self.next: dict[tuple[str, bool], Branch] = {}


class Names:
    """Names of more than one token, as a tree of their tokens; a name of one token needs no looking up.

    ``outer``: names that are known besides, which cost nothing to have.
    """

    __slots__ = ("_outer", "_root")

    def __init__(self, names: Iterable[str] = (), outer: Names | None = None) -> None:
        self._root: Branch | None = None
        self._outer = outer
        self.add(names)

    def add(self, names: Iterable[str]) -> None:
        """Makes more names known."""
        for name in names:
            tokens = pattern(name)
            if len(tokens) > 1:
                branch = self._root = self._root or Branch()
                for token in tokens:
                    branch = branch.next.setdefault(token, Branch())
                branch.name = name

    def longest(self, tokens: list[Token], at: int) -> tuple[str, int] | None:
        """The longest known name that begins at a token, and how many tokens it has."""
        found = self._own(tokens, at)
        outer = self._outer
        while outer is not None:
            further = outer._own(tokens, at)
            if further is not None and (found is None or further[1] > found[1]):
                found = further
            outer = outer._outer
        return found

    def _own(self, tokens: list[Token], at: int) -> tuple[str, int] | None:
        if self._root is None:
            return None
        branch = self._root.next.get((tokens[at].text, False))
        found: tuple[str, int] | None = None
        length = 1
        while branch is not None:
            if branch.name is not None:
                found = branch.name, length
            following = tokens[at + length] if at + length < len(tokens) else tokens[-1]
            branch = branch.next.get((following.text, following.gap))
            length += 1
        return found
