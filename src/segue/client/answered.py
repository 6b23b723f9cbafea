"""Answers to updates that are in a journal: of the run that is asked, or of one before it in its chain."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from segue.kernel import events as e
from segue.stores.base import Store

Events = Callable[..., Iterable[tuple[int, e.Event]]]


def message_of(update: str) -> str:
    """The id under which a chain of runs remembers an update."""
    return f"update:{update}"


def recorded_answer(store: Store, run: int, update: str, events: Events) -> e.UpdateCompleted | None:
    """The answer to an update, if the run or one before it in its chain has given it."""
    return _recorded(events(run), update) or answer_before(store, run, update, events)


def answer_before(store: Store, run: int, update: str, events: Events) -> e.UpdateCompleted | None:
    """The answer to an update, if a run before this one in its chain has given it."""
    for earlier in store.runs_since_message(run, message_of(update)):
        if earlier < run and (completed := _recorded(events(earlier), update)) is not None:
            return completed
    return None


def _recorded(events: Iterable[tuple[int, e.Event]], update: str) -> e.UpdateCompleted | None:
    for _, event in events:
        if isinstance(event, e.UpdateCompleted) and event.update == update:
            return event
    return None
