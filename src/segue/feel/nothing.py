"""How a built-in function or an operator says that its result is null, and why."""

from __future__ import annotations


class Null(Exception):
    """The result is null; the reason becomes a warning. It never leaves ``segue.feel``."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason
