"""Bars on one time axis for a whole run; long stretches in which nothing ran are folded, and say how long they were."""

from __future__ import annotations

from rich.text import Text

from segue.cli.folding import Fold
from segue.cli.output import unicode
from segue.cli.words import length, state
from segue.kernel.timeline import Call

FOLDED = 5
"""Columns that a folded stretch takes."""
LONG = 0.25
"""A stretch without work is folded when it is longer than this share of all the work."""


class Axis:
    """Which column a moment falls into."""

    def __init__(self, began: int, ended: int, busy: list[tuple[int, int]], width: int) -> None:
        self.width = width
        self._pieces: list[tuple[int, int, float, float]] = []
        self.folds: list[tuple[int, int]] = []
        """(column, length in µs) of what is folded."""
        stretches = _stretches(began, max(ended, began + 1), busy)
        worked = sum(end - start for start, end, works in stretches if works)
        fold = [not works and worked > 0 and end - start > worked * LONG for start, end, works in stretches]
        while sum(fold) * FOLDED > width // 2:  # too many to leave room for the work
            fold[fold.index(True)] = False
        drawn = sum(end - start for (start, end, _), folded in zip(stretches, fold, strict=True) if not folded)
        scale = (width - FOLDED * sum(fold)) / max(drawn, 1)
        column = 0.0
        for (start, end, _), folded in zip(stretches, fold, strict=True):
            wide = FOLDED if folded else (end - start) * scale
            if folded:
                self.folds.append((round(column), end - start))
            self._pieces.append((start, end, column, wide))
            column += wide

    def column(self, at: int) -> int:
        """From 0 to the width, which stands for the end."""
        for start, end, column, wide in self._pieces:
            if at <= end:
                return round(column + wide * max(0, at - start) / max(1, end - start))
        return self.width

    def scale(self) -> Text:
        """The line above the bars: where time is folded, and how much."""
        cells = [" "] * self.width
        for column, us in self.folds:
            text = length(us).replace(" ", "")
            shown = text if len(text) <= FOLDED else length(us).split()[0]
            for offset, character in enumerate(f"{shown:^{FOLDED}}"):
                if column + offset < self.width:
                    cells[column + offset] = character
        return Text("".join(cells), style="dim")


def axis(calls: list[Call], began: int, ended: int, width: int) -> Axis:
    """The axis of a run: what counts as work is an attempt under way."""
    busy = [(attempt.started_at, attempt.ended_at or ended) for call in calls for attempt in call.tries] + [
        (call.began_at, call.ended_at or ended) for call in calls if call.kind == "child" and call.child_id
    ]
    return Axis(began, ended, busy, width)


def bar(calls: Fold, axis: Axis, ended: int) -> Text:
    """Calls that stand as one entry, those with errors on top."""
    cells: list[tuple[str, str]] = [(" ", "")] * axis.width
    for call in sorted(calls, key=lambda call: call.failure is not None):
        _draw(cells, call, axis, ended)
    text = Text()
    for character, colour in cells:
        text.append(character, style=colour)
    return text


def _draw(cells: list[tuple[str, str]], call: Call, axis: Axis, ended: int) -> None:
    """A call on the axis: solid while it ran, red where an attempt failed, dashed until the next, hatched in a wait."""
    solid, stop, dashes, hatch, mark = ("━", "┥", "╌", "░", "◂") if unicode() else ("=", "|", ".", ":", "<")
    point = "◆" if unicode() else "+"

    def draw(start: int, end: int, character: str, colour: str, last: str = "") -> None:
        first = min(axis.column(start), axis.width - 1)
        until = min(max(axis.column(end), first + 1), axis.width)
        for column in range(first, until):
            cells[column] = (character, colour)
        if last:
            cells[until - 1] = (last, colour)

    if call.kind in ("signal", "decision"):
        colour = state("received" if call.kind == "signal" else call.state).colour
        draw(call.began_at, call.began_at, mark if call.kind == "signal" else point, colour)
    elif call.kind == "task":
        draw(call.began_at, call.ended_at or ended, hatch, state("waiting").colour)
    elif not call.tries:
        word = "running" if call.open else call.state
        draw(call.began_at, call.ended_at or ended, solid, state(word).colour)
    for attempt in call.tries:
        end = attempt.ended_at or ended
        if attempt.retry_at is not None:
            draw(end, min(attempt.retry_at, ended), dashes, state("retrying").colour)
        if attempt.failure is not None:
            draw(attempt.started_at, end, solid, state("failed").colour, stop)
        else:
            draw(attempt.started_at, end, solid, state(call.state if not call.open else "running").colour)
    if call.state == "incident" and call.tries and call.tries[-1].ended_at is not None:
        draw(call.tries[-1].ended_at, ended, mark if mark == "<" else "·", state("incident").colour)


def _stretches(began: int, ended: int, busy: list[tuple[int, int]]) -> list[tuple[int, int, bool]]:
    """The whole time cut into stretches (start, end, whether anything ran)."""
    merged: list[list[int]] = []
    for start, end in sorted((max(began, s), min(ended, e)) for s, e in busy):
        if merged and start <= merged[-1][1]:
            merged[-1][1] = max(merged[-1][1], end)
        else:
            merged.append([start, end])
    found: list[tuple[int, int, bool]] = []
    at = began
    for start, end in merged:
        if start > at:
            found.append((at, start, False))
        found.append((start, max(end, start), True))
        at = max(end, at)
    if ended > at:
        found.append((at, ended, False))
    return found
