"""Puts calls of one name that stand side by side into one entry: a fan-out of a thousand is one line with counts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from rich.text import Text

from segue.cli.output import badge
from segue.cli.words import length, state
from segue.kernel.events import Failure
from segue.kernel.failures import summary
from segue.kernel.timeline import Call

FOLD = 8
"""Calls of one kind and name in one run above which they are folded."""
NAMED = 10
"""Calls that are named by their keys where an error is told."""

Fold = list[Call]
"""Calls that stand as one entry; mostly just one."""


def folded(calls: Iterable[Call]) -> list[Fold]:
    """Calls in order of their beginning; those that are folded stand where the first of them stood."""
    ordered = sorted(calls, key=lambda call: call.began_at)
    amounts = Counter((call.kind, call.name, call.undo) for call in ordered)
    groups: dict[object, Fold] = {}
    for call in ordered:
        what = (call.kind, call.name, call.undo)
        groups.setdefault(what if amounts[what] > FOLD else call.key, []).append(call)
    return list(groups.values())


def fold_name(calls: Fold) -> Text:
    """``resize``, ``/resize#1``, ``resize ×1,000``."""
    return Text(calls[0].label) if len(calls) == 1 else Text(calls[0].name).append(f" ×{len(calls):,}", style="dim")


def fold_word(calls: Fold) -> str:
    """The one word for all of them: what needs a person first, then what goes on, then the worst."""
    states = {call.state for call in calls}
    ranked = ("incident", "running", "retrying", "compensating", "waiting", "failed", "cancelled")
    return next((word for word in ranked if word in states), calls[-1].state)


def fold_states(calls: Fold) -> Text:
    """The state, or how many are in which."""
    states = Counter(call.state for call in calls)
    if len(states) == 1:
        return badge(next(iter(states)))
    text = Text()
    for index, (word, number) in enumerate(states.most_common()):
        text.append("  " if index else "").append(f"{number:,} ", style="default").append(badge(word))
    return text


def fold_span(calls: Fold, now: int) -> tuple[int, int] | None:
    """When the first began and the last ended, or now; None for what takes no time."""
    if calls[0].kind in ("signal", "decision"):
        return None
    began = min(call.began_at for call in calls)
    if any(call.open for call in calls):
        return began, max(now, began)
    ended = [call.ended_at for call in calls if call.ended_at is not None]
    return (began, max(ended)) if ended else None


def fold_length(calls: Fold, now: int) -> str:
    """The same as a length of time."""
    span = fold_span(calls, now)
    return "" if span is None else length(span[1] - span[0])


def fold_errors(calls: Fold) -> Text:
    """What went wrong, grouped by kind, each with the keys of its calls."""
    style = state("failed").colour
    if len(calls) == 1:
        return Text(summary(calls[0].failure) if calls[0].failure else "", style=style)
    by_type: dict[str, list[tuple[str, Failure]]] = {}
    for call in calls:
        if call.failure is not None:
            by_type.setdefault(call.failure.type, []).append((call.key, call.failure))
    lines = []
    for found in sorted(by_type.values(), key=len, reverse=True):
        text = summary(found[0][1])
        if len({failure.message for _, failure in found}) > 1:
            text += " and the like"
        listed = ", ".join(key for key, _ in found[:NAMED])
        more = f" and {len(found) - NAMED:,} more" if len(found) > NAMED else ""
        lines.append(f"{text} ({listed}{more})")
    return Text("\n".join(lines), style=style)
