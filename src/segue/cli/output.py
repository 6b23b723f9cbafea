"""Where commands print: a console that is colourful on a terminal and plain everywhere else, JSON, and errors."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from io import TextIOWrapper
from typing import IO, Any, TextIO

import msgspec
from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment
from rich.text import Text

from segue.cli.target import CodeFails
from segue.cli.words import WIDEST, state

_OUTPUT, _ERRORS = 1, 2
_MADE = re.compile("[0-9a-f]{32}")
SHORT = 12
_SPACES = re.compile(r" +\n")
_CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f]")
"""Characters that a terminal would obey."""

WIDE = 10_000_000
"""Columns where nobody's terminal limits them: nothing wraps in a file or pipe, such as JSON with long text in it."""
ROOMY = 70
"""Columns from which a table may show all that it has."""


def console(file: IO[str] | None = None) -> Console:
    """A console on standard output, or on ``file``."""
    stream = real(file or sys.stdout)
    if stream.isatty():
        return _Console(file=stream)
    plain = _Trimmed(stream)
    return _Console(file=plain, width=WIDE, force_terminal=False, color_system=None)


class _Console(Console):
    """What is printed is text: most of it was written by others. A bracket in it is no markup, and nothing in it
    commands the terminal."""

    def __init__(self, **options: Any) -> None:
        super().__init__(markup=False, emoji=False, highlight=False, **options)

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterator[Segment]:
        for segment in super().render(renderable, options):
            if segment.control or not _CONTROLS.search(segment.text):
                yield segment
            else:  # none of them is a column wide: what stands beside it stays where it is
                yield Segment(_CONTROLS.sub("", segment.text), segment.style)

    def on_broken_pipe(self) -> None:
        raise BrokenPipeError


def real(stream: Any) -> IO[str]:
    """The stream behind those that listen to what user code prints."""
    while "original" in getattr(stream, "__dict__", ()):
        stream = stream.original
    real: IO[str] = stream
    return real


class _Trimmed:
    """A stream whose lines end where their text does."""

    def __init__(self, stream: IO[str]) -> None:
        self._stream = stream

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        self._stream.write(_SPACES.sub("\n", text))
        return len(text)


def unicode(stream: IO[str] | None = None) -> bool:
    """Whether icons can be written there."""
    encoding = getattr(stream or sys.stdout, "encoding", None) or "ascii"
    try:
        "✓◔━├".encode(encoding)
    except (LookupError, UnicodeEncodeError):
        return False
    return True


def badge(word: str, *, icon: str | None = None) -> Text:
    """Icon and word of a state, in its colour."""
    look = state(word)
    mark = (icon or look.icon) if unicode() else look.plain
    return Text().append(f"{mark} {look.word}", style=look.colour)  # not the style of what is appended to it


def wide_badge(word: str, *, icon: str | None = None) -> Text:
    """The same, padded to the widest, for columns that must not jump."""
    text = badge(word, icon=icon)
    text.pad_right(max(0, WIDEST - len(text)))
    return text


def short_id(id: str, out: Console) -> str:
    """A run's id; on a terminal the beginning of one that a machine made, which is enough to name the run by."""
    return id[:SHORT] if out.is_terminal and _MADE.fullmatch(id) else id


def share(out: Console, part: int) -> int | None:
    """The most columns that a table's cell may take on a terminal, so that a long name leaves room for the others."""
    return out.width // part if out.is_terminal else None


_machines: TextIO | None = None
"""Where a command's output goes, while nothing else may be on standard output."""


@contextmanager
def nothing_beside(as_json: bool) -> Iterator[None]:
    """With ``--json``, only what a command writes to ``output`` is on standard output meanwhile. What code prints that
    is imported or replayed, and programs that it starts, goes to standard error: whoever reads the JSON reads nothing
    else."""
    global _machines
    if not as_json:
        yield
        return
    try:
        with _apart(sys.stdout) as _machines, redirect_stdout(sys.stderr):
            yield
    finally:
        _machines = None


@contextmanager
def _apart(ours: TextIO) -> Iterator[TextIO]:
    """Leads where standard output does; programs that are started meanwhile find standard error in its place."""
    if not isinstance(ours, TextIOWrapper) or ours.fileno() != _OUTPUT:
        yield ours
        return
    ours.flush()
    kept = os.dup(_OUTPUT)
    os.dup2(_ERRORS, _OUTPUT)
    try:
        with open(kept, "w", encoding=ours.encoding, errors=ours.errors, closefd=False) as apart:
            yield apart
    finally:
        os.dup2(kept, _OUTPUT)
        os.close(kept)


def output() -> TextIO:
    """Where a command's result goes."""
    return _machines or sys.stdout


def print_json(value: Any) -> None:
    """One JSON value, indented."""
    output().write(msgspec.json.format(msgspec.json.encode(value), indent=2).decode() + "\n")
    output().flush()


def print_error(error: BaseException, *, as_json: bool = False, **more: Any) -> None:
    """What went wrong and what to do: on standard error, or as a JSON object on standard output."""
    if as_json:
        print_json({"error": {"type": type(error).__name__, "message": str(error)}, **more})
        return
    out = console(sys.stderr)
    if isinstance(error, CodeFails) and error.trace:
        out.print(Text(error.trace.rstrip()), style="dim")
    mark = "✗ " if unicode(sys.stderr) else ""
    out.print(Text(mark, style=f"bold {state('failed').colour}").append(str(error), style="default not bold"))
