"""The calls of a run as ``segue show`` has them: each with its state, its bar on a time axis, and what is to be said of
it."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import NamedTuple

from rich.cells import cell_len
from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from segue.cli import bars, tree
from segue.cli.deciding import verdict
from segue.cli.folding import Fold, fold_errors, fold_length, fold_name, fold_states
from segue.cli.output import ROOMY, badge
from segue.cli.payloads import asked, brief
from segue.cli.words import ago, clock, count, state
from segue.kernel.failures import summary
from segue.kernel.timeline import Call
from segue.watching import Wait, Watch

MOST_ROWS = 200
NOTE = 32
"""Columns that what is to be said of calls needs beside them, if it is that long; it stands below each otherwise."""
BAR, MOST = 12, 48
"""Columns that bars have at least, and at most."""
LEAST = 8
"""Columns that names have at least."""
GAP = 2


class _Row(NamedTuple):
    """What is shown of a call, or of several that stand as one entry. ``calls``: those that have a bar."""

    name: Text
    state: Text
    length: str
    note: Text
    calls: Fold


def table(out: Console, watch: Watch, now: int) -> RenderableType:
    """The calls of a run and of its children, and what it waits for."""
    entries = list(tree.rows(watch))
    rows = [_row(calls, level, now) for calls, level in entries[:MOST_ROWS]]
    if len(entries) > MOST_ROWS:
        more = Text(f"and {len(entries) - MOST_ROWS:,} more; --json has all", style="dim")
        rows.append(_Row(more, Text(), "", Text(), []))
    rows += [_wait(wait, now) for wait in watch.waits()]
    until = watch.row.closed_at or now
    axis = partial(bars.axis, [call for calls, _ in entries for call in calls], watch.row.started_at, until)
    if not out.is_terminal:
        return _beside(rows, axis(40), until)
    wide = out.width - sum(_widths(rows)) - 4 * GAP
    said = min(NOTE, _widest(row.note for row in rows))
    if out.width < ROOMY:  # no room for bars
        return _beside(rows, None, until, fit=True) if wide + GAP >= said else _below(rows, None, until, out.width)
    if wide - BAR < said:
        return _below(rows, axis(max(BAR, min(MOST, wide + GAP))), until, out.width)
    return _beside(rows, axis(max(BAR, min(MOST, out.width - 74, wide - said))), until, fit=True)


def _row(calls: Fold, level: int, now: int) -> _Row:
    note = _note(calls[0], now) if len(calls) == 1 else fold_errors(calls)
    return _Row(Text("  " * level) + fold_name(calls), fold_states(calls), fold_length(calls, now), note, calls)


def _wait(wait: Wait, now: int) -> _Row:
    what = wait.summary or f"{wait.kind} {wait.name}".rstrip()
    note = f"until {clock(wait.until, now)} ({ago(wait.until, now)})" if wait.until is not None else ""
    return _Row(Text(what), badge("waiting"), "", Text(note), [])


def _widest(texts: Iterable[Text]) -> int:
    return max(max(map(cell_len, text.plain.splitlines()), default=0) for text in texts)


def _widths(rows: list[_Row]) -> tuple[int, int, int]:
    """Of names, states and lengths."""
    name, state = _widest(row.name for row in rows), _widest(row.state for row in rows)
    return name, state, max(len(row.length) for row in rows)


def _beside(rows: list[_Row], axis: bars.Axis | None, until: int, *, fit: bool = False) -> Table:
    """One line for each. ``fit``: no wider than the terminal."""
    table = Table.grid(padding=(0, GAP), expand=fit)
    table.add_column(overflow="fold")
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True, justify="right")
    if axis is not None:
        table.add_column(no_wrap=True, width=axis.width)
    table.add_column(no_wrap=True, overflow="ellipsis", ratio=1 if fit else None)
    if axis is not None and axis.folds:
        table.add_row("", "", "", axis.scale(), "")
    for row in rows:
        table.add_row(row.name, row.state, row.length, *_bar(row, axis, until), row.note)
    return table


def _bar(row: _Row, axis: bars.Axis | None, until: int) -> list[Text]:
    return [] if axis is None else [bars.bar(row.calls, axis, until)]


def _below(rows: list[_Row], axis: bars.Axis | None, until: int, width: int) -> Group:
    """One line for each, and below it what is to be said of it."""
    name, state, length = _widths(rows)
    rest = [state, length, *([] if axis is None else [axis.width])]
    name = min(name, max(LEAST, width - sum(rest) - GAP * len(rest)))
    parts: list[RenderableType] = []
    if axis is not None and axis.folds:
        parts.append(Padding(axis.scale(), (0, 0, 0, name + state + length + 3 * GAP)))
    for row in rows:
        line = Table.grid(padding=(0, GAP))
        line.add_column(width=name, overflow="fold")
        line.add_column(width=state, no_wrap=True)
        line.add_column(width=length, no_wrap=True, justify="right")
        line.add_row(row.name, row.state, row.length, *_bar(row, axis, until))
        parts.append(line)
        indent = " " * (cell_len(row.name.plain) - cell_len(row.name.plain.lstrip()) + 2)
        parts += [Text(indent, no_wrap=True, overflow="ellipsis") + said for said in row.note.split() if said]
    return Group(*parts)


def _where(call: Call) -> str:
    """From where the outcome of a step comes that none of segue's workers carries out."""
    if not call.queue:
        return "its outcome comes from outside  "
    return f"in queue {call.queue}, {f'{call.holder} has it' if call.holder else 'waits for a worker'}  "


def _note(call: Call, now: int) -> Text:
    note = Text()
    if call.summary:
        note.append(f"{call.summary}  ")
    if call.state == "paused":
        note.append(f"paused{f' by {call.by}' if call.by else ''}  ", style=state("paused").colour)
    if call.kind == "step" and call.state == "waiting":
        note.append(_where(call), style="dim")
    if call.open and call.beaten_at is not None:
        said = f": {brief(call.heartbeat)}" if call.heartbeat is not None else ""
        note.append(f"heartbeat {ago(call.beaten_at, now)}{said}  ", style="dim")
    if call.source:
        note.append(f"result of run {call.source}  ", style="dim")
    if call.kind == "child":
        note.append(f"child run {call.child_id}  ", style="dim")
    if call.kind == "task":
        note.append(f"for {call.assignee}" + (f", by {call.by}" if call.by and call.by != call.assignee else "") + "  ")
    if call.state == "retrying" and call.retry_at is not None:
        note.append(f"attempt {call.attempts + 1} {ago(call.retry_at, now)}  ")
    elif call.attempts > 1:
        note.append(f"{count(call.attempts, 'attempt')}  ")
    if call.kind == "update" and call.input is not None:
        note.append(f"{asked(call)}  ", style="dim")
    if call.failure is not None:
        note.append(summary(call.failure), style=state("failed").colour)
    elif call.kind == "decision":
        note.append(verdict(call), style="dim")
    elif call.kind == "signal" and call.input is not None:
        note.append(brief(call.input), style="dim")
    note.rstrip()
    return note
