"""The text of an expression and the way from an offset in it to a line and a column."""

from __future__ import annotations

from segue.errors import FeelLimitExceeded, FeelSyntaxError


class Source:
    """An expression's text, under the name of the place where it stands."""

    __slots__ = ("name", "text")

    def __init__(self, text: str, name: str = "") -> None:
        self.text = text
        self.name = name

    def place(self, offset: int) -> tuple[int, int]:
        """The line and column of an offset, both counted from 1."""
        line = self.text.count("\n", 0, offset) + 1
        return line, offset - self.text.rfind("\n", 0, offset)

    def syntax_error(self, reason: str, offset: int) -> FeelSyntaxError:
        """An error to raise: the text cannot be read at ``offset``."""
        line, column = self.place(offset)
        return FeelSyntaxError(reason, text=self.text, line=line, column=column)

    def limit_error(self, reason: str, limit: str, offset: int = 0) -> FeelLimitExceeded:
        """An error to raise: the budget's part ``limit`` is used up."""
        line, column = self.place(offset)
        return FeelLimitExceeded(reason, limit=limit, text=self.text, line=line, column=column)
