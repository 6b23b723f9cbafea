"""How a built-in function or an operator says that its result is null, and why."""

from __future__ import annotations


class Null(Exception):  # noqa: N818 (it is no error: whoever evaluates turns it into null and a warning)
    """The result is null; the reason becomes a warning. It never leaves ``segue.feel``."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason
