"""Draws a watched run: the live tree, and the table at the end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from segue.cli.deciding import verdict
from segue.cli.folding import Fold, fold_errors, fold_length, fold_name, fold_span, fold_states, fold_word, folded
from segue.cli.output import ROOMY, unicode, wide_badge
from segue.cli.payloads import asked, brief
from segue.cli.words import TURNING, WIDEST, ago, clock, count, length, state
from segue.kernel.failures import summary
from segue.kernel.timeline import Call
from segue.watching import Wait, Watch

BAR = 20


Hint = Callable[..., str]
"""Makes a command line of words, with the flags that lead to the same database: ``Scope.command``."""


class Line(NamedTuple):
    """One line of the tree. ``last`` says for each level whether a sibling follows below."""

    last: tuple[bool, ...]
    name: Text
    word: str
    duration: int | None
    note: Text


class _Item(NamedTuple):
    """What stands at one level, before the guides are drawn."""

    line: Line
    below: Sequence[_Item] = ()


def live(watch: Watch, *, now: int, width: int, height: int, frame: int, hint: Hint) -> RenderableType:
    """The tree of a run that goes on, at most ``height`` lines. ``hint`` makes command lines for it."""
    items = list(_lines([_run_item(watch, now, hint)]))
    if width < ROOMY:
        return Group(*_stacked(_fitting(items, height // 2), frame, width))
    table = Table.grid(padding=(0, 2), expand=True)
    table.add_column(no_wrap=True, overflow="ellipsis", max_width=48)
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True, justify="right", min_width=7)
    table.add_column(no_wrap=True, overflow="ellipsis", ratio=1)
    for line in _fitting(items, height):
        table.add_row(_guide(line.last) + line.name, *_state_cells(line, frame), line.note)
    return table


def _stacked(lines: Sequence[Line], frame: int, width: int) -> Iterator[Text]:
    """For narrow terminals: what does not stand beside the name stands below it."""
    for line in lines:
        badge, duration = _state_cells(line, frame)
        name = _guide(line.last) + line.name
        name.truncate(max(8, width - WIDEST - 9), overflow="ellipsis", pad=True)
        yield Text(" ", no_wrap=True, overflow="ellipsis").join([name, Text.assemble(badge, f" {duration:>7}")])
        if line.note.plain.strip():
            indent = "  " * len(line.last) + "  "
            yield Text(indent, no_wrap=True, overflow="ellipsis").append_text(line.note)


def _state_cells(line: Line, frame: int) -> tuple[Text, str]:
    icon = TURNING[frame % len(TURNING)] if line.word == "running" else None
    badge = wide_badge(line.word, icon=icon) if line.word else Text()
    return badge, length(line.duration) if line.duration is not None else ""


def final(watch: Watch, *, now: int, width: int) -> Table:
    """Every step with state, attempts, duration and error; where ``width`` has no room for all of it, with the most
    telling."""
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim", pad_edge=False)
    roomy = width >= ROOMY
    limit = None if roomy else max(8, width - WIDEST - 12)
    table.add_column("step", overflow="fold", max_width=limit)
    table.add_column("state", no_wrap=True)
    if roomy:
        table.add_column("attempts", justify="right")
    table.add_column("duration", justify="right", no_wrap=True, min_width=8)
    found = list(rows(watch))
    errors = roomy and any(call.failure is not None for calls, _ in found for call in calls)
    if errors:
        table.add_column("error", overflow="fold")
    for calls, level in found:
        attempts = sum(call.attempts for call in calls)
        cells: list[Any] = [Text("  " * level) + fold_name(calls), fold_states(calls)]
        cells += [f"{attempts:,}" if attempts else ""] if roomy else []
        cells.append(fold_length(calls, now))
        if errors:
            cells.append(fold_errors(calls))
        table.add_row(*cells)
    return table


# --- the tree -------------------------------------------------------------------------------------------------


def _run_item(watch: Watch, now: int, hint: Hint) -> _Item:
    started = watch.row.started_at
    name = Text(watch.row.workflow, style="bold").append(f" {watch.id}", style="not bold dim")
    note = Text(style="dim")
    if watch.timeline.cancel is not None and watch.timeline.closing is None:
        note = Text("cancelling", style=state("cancelled").colour)
    until = watch.row.closed_at or now
    return _Item(Line((), name, watch.state, max(0, until - started), note), _below(watch, now, hint))


def _below(watch: Watch, now: int, hint: Hint) -> list[_Item]:
    items = []
    for calls in folded(watch.timeline.calls.values()):
        if len(calls) > 1:
            items.append(_Item(_folded_line(calls, now)))
        else:
            call = calls[0]
            child = watch.children.get(call.key)
            below = _below(child, now, hint) if child is not None and call.open else ()
            items.append(_Item(_call_line(watch, call, now, hint), below))
    items += [_Item(_wait_line(watch, wait, now, hint)) for wait in watch.waits()]
    incidents = [i for i in watch.timeline.open_incidents if not i.key or i.key not in watch.timeline.calls]
    items += [
        _Item(Line((), Text("the run stands still"), "incident", now - i.at, Text(f"{i.cause}: {i.message}")))
        for i in incidents
    ]
    return items


def _lines(items: Sequence[_Item], last: tuple[bool, ...] = (), *, root: bool = True) -> Iterator[Line]:
    for index, item in enumerate(items):
        path = () if root else (*last, index == len(items) - 1)
        yield item.line._replace(last=path)
        yield from _lines(item.below, path, root=False)


def _guide(last: tuple[bool, ...]) -> Text:
    if not last:
        return Text()
    through, tee, corner, blank = ("│ ", "├ ", "└ ", "  ") if unicode() else ("| ", "|-", "`-", "  ")
    above = "".join(blank if end else through for end in last[:-1])
    return Text(above + (corner if last[-1] else tee), style="dim")


def _call_line(watch: Watch, call: Call, now: int, hint: Hint) -> Line:
    name = fold_name([call])
    until = call.ended_at or (now if call.open else None)
    duration = max(0, until - call.began_at) if until is not None and call.kind not in ("signal", "decision") else None
    return Line((), name, call.state, duration, _note(watch, call, now, hint))


def _folded_line(calls: Fold, now: int) -> Line:
    ended = sum(not call.open for call in calls)
    note = progress_bar({"done": ended, "total": len(calls), "message": f"{ended:,} of {len(calls):,}"})
    states = Counter(call.state for call in calls)
    note.append("  ").append(", ".join(f"{n:,} {w}" for w, n in states.items() if w not in ("completed", "running")))
    span = fold_span(calls, now)
    return Line((), fold_name(calls), fold_word(calls), None if span is None else span[1] - span[0], note)


def _note(watch: Watch, call: Call, now: int, hint: Hint) -> Text:
    note = Text()
    if call.state == "retrying" and call.retry_at is not None:
        note.append(f"attempt {call.attempts + 1}{_of(call)} {_due(call.retry_at, now)}  ")
    elif call.attempts > 1:
        note.append(f"attempt {call.attempts}{_of(call)}  " if call.open else f"{count(call.attempts, 'attempt')}  ")
    if call.kind == "task":
        note.append(_task_note(watch, call, now, hint))
    if call.kind == "child" and call.child_id:
        note.append(f"child run {call.child_id}  ", style="dim")
    if call.kind == "decision":
        note.append(verdict(call), style="dim")
    if call.kind == "update" and call.input is not None:
        note.append(f"{asked(call)}  ", style="dim")
    if call.kind == "signal" and call.input is not None:
        note.append(brief(call.input), style="dim")
    if call.progress:
        note.append(progress_bar(call.progress)).append("  ")
    if call.failure is not None and call.state in ("failed", "retrying", "incident", "running"):
        note.append(summary(call.failure), style=state("failed" if call.state != "retrying" else "retrying").colour)
    return note


def _of(call: Call) -> str:
    return f" of {call.of}" if call.of else ""


def _due(at: int, now: int) -> str:
    return f"in {length(at - now)}" if at > now else "due"


def _task_note(watch: Watch, call: Call, now: int, hint: Hint) -> Text:
    if call.state != "waiting":
        return Text(f"answered by {call.by}" if call.by else "")
    note = Text(f"for {call.assignee}")
    if call.due is not None:
        note.append(f", due {ago(call.due, now)}")
    return note.append("  ").append(hint("approve", watch.id), style="dim")


def _wait_line(watch: Watch, wait: Wait, now: int, hint: Hint) -> Line:
    if wait.kind == "timer":
        assert wait.until is not None
        return Line(
            (), Text("timer"), "waiting", None, Text(f"until {clock(wait.until, now)} ({_due(wait.until, now)})")
        )
    name = Text(f"{wait.kind} {wait.name}".rstrip())
    return Line((), name, "waiting", None, Text(hint("signal", watch.id, wait.name or "NAME", "VALUE"), style="dim"))


def progress_bar(progress: Any) -> Text:
    """A bar with a percentage where the total is known, else a count; then the step's own words."""
    done, total, message = progress.get("done", 0), progress.get("total"), progress.get("message", "")
    text = Text()
    if total:
        share = min(1.0, max(0.0, done / total))
        full = round(share * BAR)
        line, rest = ("━", "─") if unicode() else ("#", "-")
        text.append(line * full, style=state("running").colour).append(rest * (BAR - full), style="dim")
        text.append(f" {share:4.0%}")
    else:
        text.append(f"{done:,}")
    return text.append(f" {message}") if message else text


# --- what fits ------------------------------------------------------------------------------------------------


def _fitting(lines: list[Line], height: int) -> list[Line]:
    """As many lines as fit: what has ended goes first, the oldest first, and its number is said."""
    if len(lines) <= height:
        return lines
    surplus = len(lines) - max(height - 1, 3)
    ended = [
        i for i, line in enumerate(lines) if i and line.word in ("completed", "received", "compensated", "cancelled")
    ]
    dropped = set(ended[:surplus])
    kept = [line for i, line in enumerate(lines) if i not in dropped]
    note = Line((False,), Text(f"{count(len(dropped), 'line')} above", style="dim"), "", None, Text())
    return [kept[0], *([note] if dropped else []), *kept[1 : max(height - 1, 3)]]


# --- the table ------------------------------------------------------------------------------------------------


def rows(watch: Watch, level: int = 0) -> Iterator[tuple[Fold, int]]:
    """Entries of the run and its children, each with how deep it stands."""
    for calls in folded(watch.timeline.calls.values()):
        yield calls, level
        if len(calls) == 1 and calls[0].key in watch.children:
            yield from rows(watch.children[calls[0].key], level + 1)
