"""What user code prints while ``segue run`` draws: lines of steps are kept with the run, all others pass."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from segue.kernel.attempt import CURRENT


class Printed:
    """While it lasts, it stands between user code and the standard streams: what steps print goes nowhere, because the
    engine has kept it and ``--logs`` shows it; other lines go where ``to`` says, or where they would have gone."""

    def __init__(self) -> None:
        self._streams = (_Diverted(sys.stdout), _Diverted(sys.stderr))

    def __enter__(self) -> Printed:
        sys.stdout, sys.stderr = self._streams
        return self

    def __exit__(self, *exc: object) -> None:
        sys.stdout, sys.stderr = (stream.original for stream in self._streams)
        for stream in self._streams:
            stream.finish()

    @contextmanager
    def to(self, write: Callable[[str], None]) -> Iterator[None]:
        """Meanwhile, whole lines go to ``write``."""
        for stream in self._streams:
            stream.divert = write
        try:
            yield
        finally:
            for stream in self._streams:
                stream.finish()
                stream.divert = None


class _Diverted:
    """Stands in for a standard stream.

    Attributes:
        keeps_out_steps: read by who starts worker processes: they print nothing of their steps either.
    """

    keeps_out_steps = True

    def __init__(self, original: Any) -> None:
        self.original = original
        self.divert: Callable[[str], None] | None = None
        self._rest = ""

    def __getattr__(self, name: str) -> Any:
        return getattr(self.original, name)

    def write(self, text: str) -> int:
        if CURRENT.get(None) is None:
            if self.divert is None:
                self.original.write(text)
            else:
                *lines, self._rest = (self._rest + text).split("\n")
                for line in lines:
                    self.divert(line)
        return len(text)

    def finish(self) -> None:
        rest, self._rest = self._rest, ""
        if rest and self.divert is not None:
            self.divert(rest)
