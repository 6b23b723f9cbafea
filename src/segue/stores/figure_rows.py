"""The part of the store's protocol that counts runs for charts, in bounded work however many there are."""

from __future__ import annotations

import builtins
from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

import msgspec

if TYPE_CHECKING:
    from segue.stores.base import RunFilter


class EndedRuns(msgspec.Struct, frozen=True, gc=False):
    """Runs that ended in the same way and took about as long: within a twelfth of each other.

    Attributes:
        size: a class of lengths, the higher the longer.
        runs: how many they are.
        shortest, longest: how long they took (µs).
        began: when the first of them began (µs).
        bar: number of the bar that they ended in, counted from 1970. workflow, version: of which; "" where they are
            counted by bar.
    """

    state: str
    size: int
    runs: int
    shortest: int
    longest: int
    began: int
    bar: int
    workflow: str = ""
    version: str = ""


class OpenRuns(msgspec.Struct, frozen=True, gc=False):
    """How many runs of a workflow are in an open state."""

    workflow: str
    state: str
    runs: int


class StartedRuns(msgspec.Struct, frozen=True):
    """Runs by when they began.

    Attributes:
        since, until: the stretch that the bars divide (µs).
        bar: how long a bar is (µs); bars begin at its multiples since 1970.
        counted: the share of the runs that was looked at. Below 1, what was found, divided by it, estimates the whole.
        bars: how many, by the bar's number and the runs' state.
    """

    since: int
    until: int
    bar: int
    counted: float
    bars: dict[tuple[int, str], int]


class FigureReads(Protocol):
    """What is counted."""

    def counts(self, namespace: str) -> dict[str, int]:
        """How many runs of the namespace are in which state."""

    def count_ended(
        self, namespace: str, *, since: int, until: int, bar: int | None, most: int, workflow: str | None = None
    ) -> builtins.list[EndedRuns]:
        """Runs that ended from ``since`` and before ``until``, by bars of ``bar`` µs; if None, by workflow and version.

        Of more than ``most`` of them, the last. A run that has gone on as a new one has not ended.
        """

    def count_open(self, namespace: str, *, most: int) -> builtins.list[OpenRuns]:
        """Open runs by workflow and state; of ``most`` of them, if they are more."""

    def namespaces(self, *, most: int) -> builtins.list[str]:
        """Namespaces in which there are runs or schedules, or of which something is said, in order; what it takes grows
        with how many namespaces there are, not with what is in them. Of more than ``most``, the first."""

    def count_open_in(self, namespaces: Sequence[str], *, most: int) -> dict[str, dict[str, int]]:
        """How many runs of each namespace are in each open state, none left out; each count ends at ``most``."""

    def count_started(
        self, where: RunFilter, *, now: int, widths: Sequence[int], bars: int, most: int
    ) -> StartedRuns | None:
        """The runs of a filter by when they began, in at most so many bars of one of these widths (µs, in order), from
        the first run to ``now``, or as the filter says. Where they are more than ``most``, about so many of them, as
        they come from all over the numbers of runs. None if there are none.
        """
