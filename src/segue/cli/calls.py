"""The calls of a run as ``segue show`` has them: each with its state, its bar on a time axis, and what is to be said of
it."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table
from rich.text import Text

from segue.cli import bars, tree
from segue.cli.deciding import verdict
from segue.cli.folding import fold_errors, fold_length, fold_name, fold_states
from segue.cli.output import ROOMY, badge
from segue.cli.payloads import asked, brief
from segue.cli.words import WIDEST, ago, clock, count, state
from segue.kernel.failures import summary
from segue.kernel.timeline import Call
from segue.watching import Watch

MOST_ROWS = 200


def table(out: Console, watch: Watch, now: int) -> Table:
    entries = list(tree.rows(watch))
    until = watch.row.closed_at or now
    roomy = out.width >= ROOMY
    width = 40 if not out.is_terminal else max(12, min(48, out.width - 74))
    axis = bars.axis([call for calls, _ in entries for call in calls], watch.row.started_at, until, width)
    table = Table.grid(padding=(0, 2), expand=out.is_terminal)
    widest = 32 if roomy else max(8, out.width - WIDEST - 12)
    table.add_column(overflow="fold", max_width=widest if out.is_terminal else None)
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True, justify="right")
    if roomy:  # a narrow terminal has room for the note or for the bar
        table.add_column(no_wrap=True, width=width)
    table.add_column(no_wrap=True, overflow="ellipsis", ratio=1 if out.is_terminal else None)
    if axis.folds and roomy:
        table.add_row("", "", "", axis.scale(), "")
    for calls, level in entries[:MOST_ROWS]:
        name = Text("  " * level) + fold_name(calls)
        note = _note(calls[0], now) if len(calls) == 1 else fold_errors(calls)
        bar = [bars.bar(calls, axis, until)] if roomy else []
        table.add_row(name, fold_states(calls), fold_length(calls, now), *bar, note)
    if len(entries) > MOST_ROWS:
        table.add_row(Text(f"and {len(entries) - MOST_ROWS:,} more; --json has all", style="dim"))
    for wait in watch.waits():
        what = wait.summary or f"{wait.kind} {wait.name}".rstrip()
        note = Text(f"until {clock(wait.until, now)} ({ago(wait.until, now)})" if wait.until is not None else "")
        table.add_row(Text(what), badge("waiting"), "", *([""] if roomy else []), note)
    return table


def _note(call: Call, now: int) -> Text:
    note = Text()
    if call.summary:
        note.append(f"{call.summary}  ")
    if call.state == "paused":
        note.append(f"paused{f' by {call.by}' if call.by else ''}  ", style=state("paused").colour)
    if call.kind == "step" and call.state == "waiting":
        note.append("its outcome comes from outside  ", style="dim")
    if call.open and call.beaten_at is not None:
        said = f": {brief(call.heartbeat)}" if call.heartbeat is not None else ""
        note.append(f"heartbeat {ago(call.beaten_at, now)}{said}  ", style="dim")
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
