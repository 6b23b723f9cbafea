"""The SQLite store, put together from its parts."""

from __future__ import annotations

import builtins
import os
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from segue.kernel.ramp import Ramp
from segue.stores.base import ALL_ENDED, Answer, Batch, Ended, Fence
from segue.stores.owning import NO_RAMPS, SLOTS, Holding, Slots, Worker
from segue.stores.sql import cache, retention
from segue.stores.sql.accounts import Accounts
from segue.stores.sql.commit import landed
from segue.stores.sql.conditions import Conditions
from segue.stores.sql.described import Described
from segue.stores.sql.figures import Figures
from segue.stores.sql.people import People
from segue.stores.sql.places import Places
from segue.stores.sql.reads import Reads
from segue.stores.sql.schedules import Schedules
from segue.stores.sql.serving import serving_of
from segue.stores.sql.statements import Connection, Statement
from segue.stores.sql.task_pages import TaskPages
from segue.stores.sqlite import backup, commit, redaction, shrinking
from segue.stores.sqlite.connection import Durability, number
from segue.stores.sqlite.logs import SqliteLogs, logs_path
from segue.stores.sqlite.migrations import version
from segue.stores.sqlite.ownership import Ownership
from segue.stores.sqlite.readers import Readers
from segue.stores.sqlite.session import Session
from segue.stores.sqlite.writer import Writer

_owners = Statement("all_owners")

CONDITIONS = Conditions(
    in_large_namespace="+runs.namespace = ?",
    has_state="runs.state IN (SELECT value FROM json_each(?))",
    has_tag="EXISTS (SELECT 1 FROM json_each(runs.tags) WHERE key = ? AND value = ?)",
    has_workflow="runs.workflow IN (SELECT value FROM json_each(?))",
    has_word="(SELECT 1 FROM words WHERE words.run = runs.run AND words.word = ? LIMIT 1) IS NOT NULL",
    has_word_from=(
        "(SELECT 1 FROM words WHERE words.run = runs.run AND words.word >= ? AND words.word < ? LIMIT 1) IS NOT NULL"
    ),
    is_one_of="runs.run IN (SELECT value FROM json_each(?))",
)


class SqliteStore(Reads, Schedules, Figures, TaskPages):
    """Runs in a SQLite file; fulfils ``Store``, where the docstrings stand."""

    def __init__(self, path: str, durability: Durability) -> None:
        self.path = os.path.abspath(path)
        self._writer = Writer(self.path, durability)
        self._lent = Readers(self.path)
        super().__init__(self._lent, CONDITIONS)
        self._ownership = Ownership(self._writer)
        self._logs = SqliteLogs(logs_path(self.path))
        self.accounts = Accounts(self._writer, self._lent)
        self.people = People(self._writer, self._lent)
        self.described = Described(self._writer, self._lent)
        self.places = Places(self._writer, self._lent)

    @classmethod
    def open(cls, path: str | os.PathLike[str], *, durability: Durability = "full") -> SqliteStore:
        """Opens the database in the file, and makes file and folder if need be.

        ``durability="relaxed"`` is ``synchronous=NORMAL``: a commit no longer waits for the disk, and a power cut or
        a crash of the operating system can take back the last acknowledged commits; a crash of the process cannot.

        Raises:
            StoreUnavailable: the file cannot be opened and written to.
            StoreCorrupt: it is damaged, or no database of ours.
            SchemaTooNew: a newer release has written it.
        """
        return cls(os.fspath(path), durability)

    @property
    def logs(self) -> SqliteLogs:
        return self._logs

    def commit(self, batch: Batch) -> list[Answer]:
        return commit.commit(self._writer, batch)

    def landed(self, batch: Batch) -> bool:
        with self._readers.reading() as connection:
            return landed(connection, batch)

    def own(self, app: str, worker: str, serves: Mapping[str, str] | None = None) -> Fence | None:
        return self._ownership.own(app, worker, serves)

    def advertise(self, fence: Fence, serves: Mapping[str, str], ramps: Mapping[str, Ramp] = NO_RAMPS) -> None:
        self._ownership.advertise(fence, serves, ramps)

    def release(self, fence: Fence, *, clean: bool = True) -> None:
        self._ownership.release(fence, clean=clean)

    @property
    def lease(self) -> float | None:
        return None

    def tend(self, fence: Fence) -> Holding:
        return Holding((Slots(0, SLOTS - 1, fence.clean),))

    def give(self, fence: Fence, slots: Sequence[Slots]) -> None:
        """Nothing: there is one owner at a time, which has all slots or none."""

    def pin(self, fence: Fence, pins: Mapping[str, Sequence[str]]) -> None:
        """Nothing: there is nobody to whom a run could be passed on."""

    def pass_on(self, fence: Fence, workflows: Iterable[str], runs: Iterable[int], now: int) -> int:
        return 0

    def time(self) -> int:
        return time.time_ns() // 1000  # a file has the clock of its machine

    def _owners(self, app: str | None) -> builtins.list[tuple[Worker, dict[str, Ramp]]]:
        with self._lent.reading() as connection:
            rows = _owners.one(connection)
        return [
            (Worker(worker, name, epoch, 0, None, SLOTS, serves, []), ramps)
            for name, epoch, worker, text in rows
            for serves, ramps in [serving_of(text)]
            if app in (None, name) and self._ownership.alive(name)
        ]

    def stirred(self) -> bool:
        return False

    def upkeep(self) -> None:
        """Nothing: what a file needs is done by its commits."""

    def slots_of(self, runs: Iterable[int]) -> dict[int, int]:
        return dict.fromkeys(runs, 0)

    def changed(self) -> bool:
        return self._writer.changed()

    def pulse(self) -> int:
        return self._lent.pulse()

    def drop_cached(self, namespace: str, step: str, key: str | None = None) -> int:
        return cache.drop(self._writer, namespace, step, key)

    def retain(self, closed_before: int, limit: int, which: Ended = ALL_ENDED) -> int:
        return retention.retain(self._writer, self._readers, self._logs.erase, closed_before, limit, which)

    def oldest(self, which: Ended) -> int | None:
        return retention.oldest(self._readers, which)

    def shrink(self, pages: int = 500) -> bool:
        return shrinking.shrink(self._writer, pages)

    def redact(self, run: int, events: Sequence[tuple[int, bytes]], told: bytes, refs: Iterable[str] = ()) -> bool:
        done = redaction.redact(self._writer, run, events, told, refs)
        if done:
            self._logs.erase([run])
        return done

    def backup(self, target: str) -> None:
        with self._lent.reading() as connection:
            backup.backup(connection.raw, target)

    def raw_rows(self, sql: str) -> Iterator[tuple[Any, ...]]:
        """The rows of a statement, as they are asked for: for moving the database."""
        with self._lent.reading() as connection:
            yield from connection.raw.execute(sql)

    def _measure(self, connection: Connection) -> tuple[int, int]:
        assert isinstance(connection, Session)
        page, pages, free = (number(connection.raw, name) for name in ("page_size", "page_count", "freelist_count"))
        return page * (pages - free), version(connection.raw)

    def close(self, *, clean: bool = True) -> None:
        self._ownership.release_all(clean=clean)
        self._lent.close()
        self._writer.close()
        self._logs.close()
