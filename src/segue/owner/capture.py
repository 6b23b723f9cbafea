"""Keeps what steps print and log with their run: ``print``, ``sys.stdout``, ``sys.stderr`` and stdlib ``logging``.

Everything still goes where it went before. Which step is speaking is told by ``kernel.attempt.CURRENT``, so code
outside steps is not touched, and threads that a step starts by itself are not heard (they have contexts of their own).
"""

from __future__ import annotations

import logging
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from segue.kernel.attempt import CURRENT, Attempt
from segue.runtime.attempts import Attempts, Running

_LEVELS = {"stdout": "INFO", "stderr": "WARNING"}
_LONGEST_LINE = 65_536

_passing: ContextVar[bool] = ContextVar("segue_passing", default=False)
"""True while something is on its way already: a log record that a handler writes to stderr is not a second line, nor is
what the keeping of a line prints."""

_lock = threading.RLock()
_users = 0
_only = False
_unfinished: dict[tuple[Attempt, str], str] = {}


def install() -> None:
    """Begins to keep what steps say; each call wants one of ``uninstall``."""
    global _users
    with _lock:
        _users += 1
        _hook_logging()
    watch()


def uninstall() -> None:
    """Puts back what ``install`` replaced, after its last user, unless somebody else has replaced it since."""
    global _users
    with _lock:
        _users -= 1
        if _users:
            return
        _unfinished.clear()
        _unhook_logging()
        for name in _LEVELS:
            stream = getattr(sys, name)
            if isinstance(stream, Stream):
                setattr(sys, name, stream.original)


@contextmanager
def kept(*, only: bool = False) -> Iterator[None]:
    """``install`` and ``uninstall`` around a block. ``only``: what steps say is kept, and goes nowhere else."""
    global _only
    install()
    _only = only
    try:
        yield
    finally:
        _only = False
        uninstall()


def watch() -> None:
    """Looks whether ``sys.stdout`` and ``sys.stderr`` are still watched. Others replace them too (a test's capture, a
    notebook), so this is done again for each attempt."""
    for name in _LEVELS:
        stream = getattr(sys, name)
        if type(stream) is not Stream and stream is not None:
            setattr(sys, name, Stream(stream, name))


def flush(attempt: Attempt) -> None:
    """Keeps the lines that an attempt has begun and not ended."""
    for name, level in _LEVELS.items():
        rest = _unfinished.pop((attempt, name), "").rstrip("\r")
        if rest:
            attempt.host.log(attempt, level, name, rest)


class Captured(Attempts):
    """Attempts whose output is kept."""

    def start(self, running: Running) -> None:
        if type(sys.stdout) is not Stream or type(sys.stderr) is not Stream:
            watch()
        Attempts.start(self, running)  # without what ``super()`` takes, once for each attempt

    def before_outcome(self, running: Running) -> None:
        if _unfinished:
            flush(running.attempt)


# --- print ----------------------------------------------------------------------------------------------------


class Stream:
    """Stands in for ``sys.stdout`` or ``sys.stderr``: passes everything on, and keeps the lines of steps."""

    def __init__(self, original: Any, name: str) -> None:
        self.original = original
        self._name = name

    def __getattr__(self, name: str) -> Any:
        return getattr(self.original, name)

    def write(self, text: str) -> Any:
        attempt = CURRENT.get(None)
        if attempt is None or not _users:
            return self.original.write(text)
        if _passing.get():
            return self._pass_on(text)
        token = _passing.set(True)
        try:
            written = self._pass_on(text)
            self._keep(attempt, text)
            return written
        finally:
            _passing.reset(token)

    def _pass_on(self, text: str) -> Any:
        return len(text) if _only else self.original.write(text)

    def writelines(self, lines: Any) -> None:
        for line in lines:
            self.write(line)

    def _keep(self, attempt: Attempt, text: str) -> None:
        key = attempt, self._name
        with _lock:
            text = _unfinished.pop(key, "") + text
            whole, end, rest = text.rpartition("\n")
            if len(rest) > _LONGEST_LINE:
                whole, end, rest = text, "\n", ""
            if rest:
                _unfinished[key] = _overwritten(rest)
        if end:
            for line in whole.split("\n"):
                attempt.host.log(attempt, _LEVELS[self._name], self._name, _overwritten(line).rstrip("\r"))


def _overwritten(text: str) -> str:
    """What a terminal shows in the end where carriage returns have it write over itself, as progress bars do."""
    if "\r" not in text:
        return text
    line = text.rstrip("\r")
    return line.rpartition("\r")[2] + text[len(line) :][:1]


# --- logging --------------------------------------------------------------------------------------------------


class _Keeper(logging.Handler):
    """Keeps a record with the run of the step that made it."""

    def emit(self, record: logging.LogRecord) -> None:
        attempt = CURRENT.get()
        try:
            attempt.host.log(attempt, record.levelname, "log", self.format(record))
        except Exception:  # as every handler: a record that cannot be formatted is reported, and is no reason to fail
            self.handleError(record)


_keeper = _Keeper()
_call_handlers = logging.Logger.callHandlers


def _keep_record(logger: logging.Logger, record: logging.LogRecord) -> None:
    # A handler on the root logger would do less and harm more: basicConfig() does nothing once there is one, warnings
    # no longer reach stderr when nothing is configured, dictConfig() throws it out, and loggers that do not propagate
    # pass it by.
    if CURRENT.get(None) is None or not _users or _passing.get():
        _call_handlers(logger, record)
        return
    token = _passing.set(True)
    try:
        _call_handlers(logger, record)
        _keeper.emit(record)
    finally:
        _passing.reset(token)


def _hook_logging() -> None:
    global _call_handlers, _hooked
    if not _hooked:
        _call_handlers, _hooked = logging.Logger.callHandlers, True
        logging.Logger.callHandlers = _keep_record  # type: ignore[method-assign, assignment]


def _unhook_logging() -> None:
    global _hooked
    if logging.Logger.callHandlers is _keep_record:
        logging.Logger.callHandlers, _hooked = _call_handlers, False  # type: ignore[method-assign]


_hooked = False
"""Stays True if somebody else has put a hook over this one, who cannot be taken out from below."""
