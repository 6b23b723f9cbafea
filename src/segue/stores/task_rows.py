"""Human tasks as every store lists them: by page, and counted.

A task's place is its *turn*: until it is closed, when it is due (its own number, behind all times, if it never is), and
then when it was closed. So one index has what is open by what is due first, and what was closed by when.
"""

from __future__ import annotations

import builtins
from collections.abc import Iterable
from typing import TYPE_CHECKING, Protocol

import msgspec

if TYPE_CHECKING:
    from segue.stores.base import Task

NEVER = 1 << 62
"""The turn of a task that is due at no time, but for its number: very many have none, and a page begins behind its
cursor without passing over all of them."""
ALL = 1 << 62
"""A limit that is none."""


class Place(msgspec.Struct, frozen=True, gc=False):
    """Where a task stands; the cursor of a page. Which state it has decides by what the page is ordered."""

    turn: int
    task: int


class TaskFilter(msgspec.Struct, frozen=True, gc=False):
    """Conditions that all hold. What is open comes by turn, what was closed comes backwards, the last one first; of any
    state (None) the newest number comes first.

    Attributes:
        due_before: open ones whose time is over (µs).
        after: what stands behind this place.
    """

    namespace: str
    state: str | None = "open"
    assignee: str | None = None
    claimed_by: str | None = None
    run: int | None = None
    task: int | None = None
    due_before: int | None = None
    after: Place | None = None
    limit: int = ALL


class TaskCounts(msgspec.Struct, frozen=True, gc=False):
    """Open tasks, those past their time, and those that somebody has claimed; each as far as the limit of the count."""

    open: int
    overdue: int
    claimed: int


class TaskReads(Protocol):
    """The part of a ``Store`` that lists human tasks; each page is read in bounded work."""

    def task_page(self, where: TaskFilter) -> builtins.list[Task]: ...

    def open_tasks_of(self, runs: Iterable[int]) -> builtins.list[Task]:
        """Open tasks of these runs, in the order they were opened."""

    def count_tasks(self, namespace: str, *, now: int, by: str, most: int) -> TaskCounts:
        """``by``: whose claims are counted."""
