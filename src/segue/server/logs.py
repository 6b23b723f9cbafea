"""What a run's steps printed and logged: by page, and whole as a text."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from functools import partial
from typing import Any, Literal

import msgspec

from segue.runtime.beside import beside
from segue.server.call import Call, Limit, Number, Text
from segue.server.runs import MOST, the_run
from segue.stores.log_rows import LogLine

Level = Literal["debug", "info", "warning", "error"]

_BELOW: dict[Level, tuple[str, ...]] = {
    "debug": (),
    "info": ("DEBUG",),
    "warning": ("DEBUG", "INFO"),
    "error": ("DEBUG", "INFO", "WARNING"),
}
"""Levels that are left out. One that a program has made up has no place among them: its lines are always there."""
_AT_ONCE = 5_000
"""Lines of a text that are read at a time."""


class TextQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which lines: of this ``level`` and above, of one call (``key``; empty for the workflow's own)."""

    level: Level = "debug"
    key: str | None = None


class LogQuery(TextQuery, frozen=True, forbid_unknown_fields=True):
    """Which lines, and which page of them: behind the row ``after``, at most ``limit``, 500 in any case."""

    after: Number = 0
    limit: Limit = MOST


class LogView(msgspec.Struct, frozen=True):
    """A line that a step printed or logged; ``key`` is empty for the workflow's own."""

    row: int
    key: str
    attempt: int
    at: int
    level: str
    stream: str
    text: str


class LogPage(msgspec.Struct, frozen=True):
    """Lines in order; ``next`` is the ``after`` of the page behind it, None when there is no more yet."""

    lines: list[LogView]
    next: int | None


async def list_logs(call: Call[LogQuery, None]) -> LogPage:
    query = call.query
    limit = min(query.limit, MOST)
    lines = call.engine.logs(
        the_run(call).run, after=query.after, limit=limit, key=query.key, without=_BELOW[query.level]
    )
    views = [LogView(x.row, x.key, x.attempt, x.at, x.level, x.stream, x.text) for x in lines]
    return LogPage(views, views[-1].row if len(views) == limit else None)


async def download_logs(call: Call[TextQuery, None]) -> Text:
    the_run(call)  # before the answer begins
    return Text(_text(call), "text/plain; charset=utf-8")


async def _text(call: Call[TextQuery, None]) -> AsyncIterator[bytes]:
    """Page by page, as whoever reads it keeps up: a log may be larger than the memory of a server."""
    run, query = call.path["run"], call.query
    read = partial(call.engine.logs, run, limit=_AT_ONCE, key=query.key, without=_BELOW[query.level])
    lines: list[Any] = await beside(read)
    while lines:
        yield "".join(map(_line, lines)).encode("utf-8", "backslashreplace")
        lines = await beside(read, after=lines[-1].row)


def _line(line: LogLine) -> str:
    """Time, level, call with its attempt, and what it said; further lines of one entry are indented."""
    at = datetime.fromtimestamp(line.at / 1_000_000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    who = f"{line.key} {line.attempt}" if line.key else "workflow"
    return f"{at} {line.level:<7} {who}  " + line.text.replace("\n", "\n    ") + "\n"
