"""Which new runs get a version of their workflow that is being ramped up."""

from __future__ import annotations

from zlib import crc32

import msgspec


class Ramp(msgspec.Struct, frozen=True):
    """A version that gets so many percent of the new runs."""

    version: str
    percent: float

    def takes(self, id: str) -> bool:
        """Whether a new run with this id gets it: every time the same answer, wherever it is asked."""
        return on_ramp(self.percent, id)


def on_ramp(percent: float, id: str) -> bool:
    """Whether a run with this id is among so many percent."""
    return crc32(id.encode()) % 10_000 < percent * 100
