"""The budget of an evaluation: how much it may read, nest, compute, produce and how long it may take."""

from __future__ import annotations

import msgspec


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """What an expression may use before it is refused with ``FeelLimitExceeded``.

    Attributes:
        text: characters of an expression.
        depth: how deep an expression may nest.
        calls: how deep functions may call each other.
        steps: units of work: one per iteration, call, item looked at, or thousand characters handled.
        elements: list items, context entries and characters that may be produced, all together.
        warnings: how many warnings are kept; later ones are only counted.
        seconds: wall time, measured with the clock that the caller hands in; without a clock it is not watched.
    """

    text: int = 65_536
    depth: int = 100
    calls: int = 100
    steps: int = 1_000_000
    elements: int = 2_000_000
    warnings: int = 100
    seconds: float | None = 10.0


DEFAULT_LIMITS = Limits()
