"""One process's turn at a table: which database, and what goes wrong."""

from __future__ import annotations

import msgspec


class Game(msgspec.Struct):
    """One process's turn.

    Attributes:
        folder: where the database and the world are.
        fault, at: what happens at which commit; no fault by default. ``storm``: something happens to two commits of
            five, drawn with ``at`` as the seed.
        kill: seconds after which the process is killed from outside.
        cache: idle runs that may stay in memory.
        scene: what is played: ``everything``, ``schedules`` or ``releases``.
        release: which release of the code plays it, where there are several.
        apart: the parts of the scenario one after the other, so that more commits have a moment of their own.
    """

    folder: str
    fault: str = ""
    at: int = 0
    kill: float | None = None
    cache: int = 1000
    apart: bool = False
    scene: str = "everything"
    release: int = 1
