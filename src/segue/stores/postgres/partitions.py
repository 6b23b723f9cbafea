"""Partitions of the journal and of step logs by run: made ahead of their runs, dropped once those are gone.

Numbers of runs grow, so a range of them is a time. Vacuum has to do with the parts in which something happens, and what
retention has emptied is given back to the file system whole. A run that no range is for goes into the partition for all
others: nothing fails where nobody made one in time, or may. Once it has filled, it becomes a range itself.

No lock that commits would wait behind is waited for longer than a tenth of a second; what does not come about is tried
again.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress

import msgspec
import psycopg
from psycopg import errors

from segue.errors import StoreClosed
from segue.stores.postgres.connection import Address, Connection, connect, meaning
from segue.stores.postgres.session import Session
from segue.stores.sql.statements import Statement

log = logging.getLogger("segue.partitions")

TABLES = ("journal", "log_lines")
LEAST = 100_000
"""Runs in the smallest partition; every bound is a multiple of it."""
MANY = 40
"""Partitions from which on each further one is twice as large: what they cost grows with their number."""
DAY = 86_400_000_000
"""µs for which a partition is made, as far as that can be told."""
LEAD = 1_000_000
"""Runs that may yet start while the partition for all others is read."""
MARGIN = 10_000
"""Runs by which the last one is past a partition that is dropped: a start under way may have an earlier number."""
TRY_AGAIN = 60.0
"""Seconds after which a lock that was not to be had is asked for again."""

_ranges = Statement("ranges_of")
_progress = Statement("progress_of_runs")
_empty = Statement("ranges_without_runs")
_make = Statement("make_partition")
_drop = Statement("drop_partition")
_confine = Statement("confine_rest")
_check = Statement("check_rest")
_seal = Statement("seal_rest")
_time = Statement("database_time")


class Range(msgspec.Struct, frozen=True):
    """Runs from ``low`` (included) to ``high`` (not included)."""

    low: int
    high: int


class Progress(msgspec.Struct, frozen=True):
    """How far runs have come: ``last`` is the newest, ``first`` the earliest of its range that is there, started at
    ``first_at``; ``now`` is the database's time, both in µs."""

    last: int
    first: int
    first_at: int
    now: int


def following(ranges: Sequence[Range], progress: Progress) -> Range:
    """The range to come after these: what starts in a day, but no more than twice as much as the last one holds."""
    last = ranges[-1]
    size = last.high - last.low
    if len(ranges) >= MANY:
        return _rounded(last.high, last.high + 2 * size)
    elapsed = max(1, progress.now - progress.first_at)
    in_a_day = (progress.last - progress.first) * DAY // elapsed
    return _rounded(last.high, last.high + max(LEAST, min(in_a_day, 2 * size)))


def past(ranges: Sequence[Range], progress: Progress) -> list[Range]:
    """The ranges in which no run starts any more."""
    return [each for each in ranges[:-1] if each.high + MARGIN <= progress.last]


def _rounded(low: int, high: int) -> Range:
    return Range(low, -(-high // LEAST) * LEAST)


class Partitions:
    """The partitions of one database; any number of workers may look after them at once."""

    def __init__(self, address: Address, patience: float) -> None:
        self._address = address
        self._patience = patience
        self._lock = threading.Lock()
        self._raw: Connection | None = None
        self._closed = False
        self._not_before = 0.0

    def tend(self) -> None:
        """Makes what will be needed soon, and drops what is needed no more.

        Raises:
            StoreError: it could not be looked into.
        """
        if time.monotonic() < self._not_before:
            return
        with self._session() as session:
            for table in TABLES:
                ranges, progress = _look(session, table)
                if progress is not None:
                    self._make_room(session, table, ranges, progress)
                    self._drop_some(session, table, past(ranges, progress), most=MANY)

    def drop(self, most: int) -> bool:
        """Drops partitions whose runs are all gone, ``most`` of each table; whether there are more.

        Raises:
            StoreError: it could not be looked into.
        """
        more: list[bool] = []
        with self._session() as session:
            for table in TABLES:
                ranges, progress = _look(session, table)
                if progress is not None:
                    more.append(self._drop_some(session, table, past(ranges, progress), most))
        return any(more)

    def close(self) -> None:
        """Stops what is under way; nothing is done any more."""
        self._closed = True
        raw = self._raw
        if raw is not None:
            with suppress(psycopg.Error):  # it has just ended by itself
                raw.cancel()

    # --- one table --------------------------------------------------------------------------------------------

    def _make_room(self, session: Session, table: str, ranges: Sequence[Range], progress: Progress) -> None:
        newest = ranges[-1]
        if progress.last >= newest.high:
            self._seal_rest(session, table, _rounded(newest.high, progress.last + LEAD))
        elif progress.last >= (newest.low + newest.high) // 2:
            new = following(ranges, progress)
            if _make.one(session, (table, new.low, new.high))[0][0]:
                log.info("made a partition of %s for runs from %d to %d", table, new.low, new.high - 1)

    def _seal_rest(self, session: Session, table: str, bounds: Range) -> None:
        """Makes a range of the partition for all others; steps that another worker has taken are not taken again."""
        _confine.one(session, (table, bounds.high))
        checked = _check.one(session, (table,))[0][0]
        if checked is False:
            self._not_before = time.monotonic() + 3600
            log.error(
                "partition segue.%s_rest holds runs before %d, which belong to others; no partition is made until they "
                "are gone, and the runs that follow go there as well", table, bounds.low,
            )  # fmt: skip
        elif checked and _seal.one(session, (table,))[0][0]:
            log.info("runs of %s from %d on that had no partition have one", table, bounds.low)

    def _drop_some(self, session: Session, table: str, old: Sequence[Range], most: int) -> bool:
        """Whether there are more to drop."""
        empty = [low for (low,) in _empty.one(session, ([r.low for r in old], [r.high for r in old]))]
        for low in empty[:most]:
            if not _drop.one(session, (table, low))[0][0]:
                return False
            log.info("dropped the partition of %s that began with run %d", table, low)
        return len(empty) > most

    @contextmanager
    def _session(self) -> Iterator[Session]:
        """A connection of its own for the block, one at a time: what waits for a lock keeps nobody else up.

        A lock that was not to be had is no error: it is asked for again later.
        """
        with self._lock:
            if self._closed:
                raise StoreClosed(self._address.shown)
            raw = self._raw = connect(self._address, patience=self._patience)
            try:
                yield Session(raw)
            except (errors.LockNotAvailable, errors.DeadlockDetected) as error:
                self._not_before = time.monotonic() + TRY_AGAIN
                log.debug("partitions are made and dropped later: %s", error)
            except psycopg.Error as error:
                if not self._closed:
                    raise meaning(error, self._address) from error
            finally:
                self._raw = None
                raw.close()


def _look(session: Session, table: str) -> tuple[list[Range], Progress | None]:
    """What there is of a table, and how far runs have come; None if there are none."""
    ranges = [Range(*row) for row in _ranges.one(session, (table,))]
    ((now,),) = _time.one(session)
    for last, first, first_at in _progress.one(session, ([each.low for each in ranges],)):
        return ranges, Progress(last, first, first_at, now)
    return ranges, None
