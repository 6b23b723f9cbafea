"""At which line code is that does not come back: for the reports about it."""

from __future__ import annotations

import linecache
import os
import sys
import sysconfig
from collections.abc import Iterator, Sequence
from types import CodeType, FrameType

import msgspec

OWN = os.path.dirname(os.path.dirname(__file__)) + os.sep
"""Where segue's own code is."""
_NOT_THE_USERS = (OWN, *{sysconfig.get_path(name) + os.sep for name in ("stdlib", "platstdlib", "purelib", "platlib")})


class Place(msgspec.Struct, frozen=True):
    """A line of code that is being executed."""

    code: CodeType
    line: int

    @classmethod
    def of(cls, frame: FrameType) -> Place:
        return cls(frame.f_code, frame.f_lineno)

    def __str__(self) -> str:
        text = linecache.getline(self.code.co_filename, self.line).strip()
        return f"{self.code.co_filename}:{self.line}, in {self.code.co_name}" + (f": `{text}`" if text else "")


def frames_of(thread: int) -> list[FrameType]:
    """What a thread is in at this moment, innermost first; nothing if it has ended."""
    return list(_outwards(sys._current_frames().get(thread)))


def users(places: Sequence[Place]) -> Place:
    """The innermost line that is the user's own, as far as can be told: of no library, and not ours."""
    return next((place for place in places if not place.code.co_filename.startswith(_NOT_THE_USERS)), places[0])


def _outwards(frame: FrameType | None) -> Iterator[FrameType]:
    while frame is not None:
        yield frame
        frame = frame.f_back
