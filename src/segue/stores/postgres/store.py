"""The PostgreSQL store, put together from its parts."""

from __future__ import annotations

import builtins
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import msgspec

from segue.errors import InvalidArgument
from segue.kernel.ramp import Ramp
from segue.stores.base import ALL_ENDED, Answer, Batch, Ended, Fence
from segue.stores.owning import NO_RAMPS, SLOTS, Holding, Slots, Worker, without
from segue.stores.postgres import commit
from segue.stores.postgres.connection import Address
from segue.stores.postgres.connection import Connection as RawConnection
from segue.stores.postgres.hints import Hints
from segue.stores.postgres.logs import PostgresLogs
from segue.stores.postgres.migrations import migrate, version
from segue.stores.postgres.ownership import Ownership
from segue.stores.postgres.partitions import Partitions
from segue.stores.postgres.readers import Readers
from segue.stores.postgres.session import Session
from segue.stores.postgres.writer import Writer
from segue.stores.sql import cache, redaction, retention
from segue.stores.sql.accounts import Accounts
from segue.stores.sql.commit import is_recorded, landed
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

LEASE = 10.0
"""Seconds after which a worker that says nothing counts as dead."""

CONDITIONS = Conditions(
    in_large_namespace="runs.namespace = ?",
    has_state="runs.state = ANY (ARRAY(SELECT json_array_elements_text(?::json)))",
    has_tag="runs.tags <> '{}' AND runs.tags @> jsonb_build_object(?::text, ?::text)",  # its index is of these
    has_attribute="runs.run IN (SELECT run FROM segue.attributes WHERE name = ? AND md5(value) = md5(?::text))",
    has_workflow="runs.workflow = ANY (ARRAY(SELECT json_array_elements_text(?::json)))",
    has_word="(SELECT 1 FROM segue.words WHERE words.run = runs.run AND words.word = ?::text LIMIT 1) IS NOT NULL",
    has_word_from=(
        "(SELECT 1 FROM segue.words "
        "WHERE words.run = runs.run AND words.word >= ?::text AND words.word < ?::text LIMIT 1) IS NOT NULL"
    ),
    is_one_of="runs.run = ANY (ARRAY(SELECT json_array_elements_text(?::json)::bigint))",
)

_size = Statement("database_size")
_time = Statement("database_time")
_owners = Statement("all_owners")
_pins = msgspec.json.Decoder(dict[str, list[str]])
_slots_of = Statement("slots_of_runs")


class PostgresStore(Reads, Schedules, Figures, TaskPages):
    """Runs in a PostgreSQL database; fulfils ``Store``, where the docstrings stand."""

    def __init__(self, url: str, lease: float) -> None:
        self.address = Address(url)
        self._lease = lease
        self._writer = Writer(self.address, lease)
        self._lent = Readers(self.address, lease)
        super().__init__(self._lent, CONDITIONS)
        self._slots: tuple[list[int], list[int]] = ([0], [SLOTS - 1])
        self._ownership = Ownership(Writer(self.address, lease), lease, self._writer.landed)
        self._hints = Hints(self.address, lease)
        self._log_writer = Writer(self.address, lease)
        self._logs = PostgresLogs(self._log_writer)
        self._partitions = Partitions(self.address, lease)
        self.accounts = Accounts(self._writer, self._lent)
        self.people = People(self._writer, self._lent)
        self.described = Described(self._writer, self._lent)
        self.places = Places(self._writer, self._lent)

    @classmethod
    def open(cls, url: str, *, lease: float = LEASE) -> PostgresStore:
        """Connects to the database and brings its schema up to date.

        ``lease``: seconds after which a worker counts as dead that has not been heard of; its runs go on elsewhere
        then.

        Raises:
            StoreUnavailable: the server cannot be reached, or refuses.
            SchemaTooNew: a newer release has written the database.
            InvalidArgument: the URL or the lease is none.
        """
        if not lease > 0:
            raise InvalidArgument(f"a lease of {lease} seconds: it must be more than 0")
        store = cls(url, lease)
        try:
            with store._writer.session() as session:
                migrate(session.raw, store.address)
        except BaseException:
            store.close(clean=False)
            raise
        return store

    @property
    def logs(self) -> PostgresLogs:
        return self._logs

    @property
    def lease(self) -> float | None:
        return self._lease

    def commit(self, batch: Batch) -> list[Answer]:
        return commit.commit(self._writer, batch)

    def landed(self, batch: Batch) -> bool:
        with self._lent.reading() as connection:
            if batch.fence is not None and is_recorded(connection, batch):
                # As good as an acknowledgement: a database that forgets it from now on was set back.
                self._writer.acknowledged(batch.fence, batch.commit_id)
                return True
            return landed(connection, batch)

    def own(self, app: str, worker: str, serves: Mapping[str, str] | None = None) -> Fence | None:
        return self._ownership.own(app, worker, serves)

    def tend(self, fence: Fence) -> Holding:
        holding = self._ownership.tend(fence)
        # Runs are not started in what is about to be given up, unless there is nothing else.
        self._writer.live_in(without(holding.slots, holding.surplus) or holding.slots)
        self._slots = [each.low for each in holding.slots], [each.high for each in holding.slots]
        return holding

    def give(self, fence: Fence, slots: Sequence[Slots]) -> None:
        self._ownership.give(fence, slots)

    def advertise(self, fence: Fence, serves: Mapping[str, str], ramps: Mapping[str, Ramp] = NO_RAMPS) -> None:
        self._ownership.advertise(fence, serves, ramps)

    def release(self, fence: Fence, *, clean: bool = True) -> None:
        self._ownership.release(fence, clean=clean)

    def pin(self, fence: Fence, pins: Mapping[str, Sequence[str]]) -> None:
        self._ownership.pin(fence, pins)

    def pass_on(self, fence: Fence, workflows: Iterable[str], runs: Iterable[int], now: int) -> int:
        return self._ownership.pass_on(fence, workflows, runs, now)

    def time(self) -> int:
        with self._lent.reading() as connection:
            return int(_time.one(connection)[0][0])

    def _owners(self, app: str | None) -> builtins.list[tuple[Worker, dict[str, Ramp]]]:
        with self._lent.reading() as connection:
            rows = _owners.one(connection, (app,))
        return [
            (Worker(worker, name, epoch, since, expires, slots, serves, sorted(_pins.decode(pins))), ramps)
            for worker, name, epoch, since, expires, slots, text, pins in rows
            for serves, ramps in [serving_of(text)]
        ]

    def stirred(self) -> bool:
        return self._hints.stirred()

    def slots_of(self, runs: Iterable[int]) -> dict[int, int]:
        with self._lent.reading() as connection:
            return dict(_slots_of.one(connection, (list(runs),)))

    def changed(self) -> bool:
        return self._hints.changed(self._writer.process)

    def pulse(self) -> int:
        return self._lent.pulse()

    def drop_cached(self, namespace: str, step: str, key: str | None = None) -> int:
        return cache.drop(self._writer, namespace, step, key)

    def retain(self, closed_before: int, limit: int, which: Ended = ALL_ENDED) -> int:
        # By another connection than that of commits, which would wait behind each batch of deletions.
        erase = self._logs.erase
        return retention.retain(self._log_writer, self._lent, erase, closed_before, limit, which, self._within())

    def oldest(self, which: Ended) -> int | None:
        return retention.oldest(self._lent, which, self._within())

    def shrink(self, pages: int = 500) -> bool:
        """Drops a partition of the journal and of step logs; the server's autovacuum does the rest."""
        return self._partitions.drop(most=1)

    def upkeep(self) -> None:
        self._partitions.tend()

    def redact(self, run: int, events: Sequence[tuple[int, bytes]], told: bytes, refs: Iterable[str] = ()) -> bool:
        with self._writer.transaction() as connection:
            done = redaction.redact(connection, run, events, told, refs)
        if done:
            self._logs.erase([run])
        return done

    def backup(self, target: str) -> None:
        raise InvalidArgument(
            "a PostgreSQL database is backed up with the server's own tools (pg_dump, pg_basebackup, or your "
            "provider's snapshots); end all workers before you restore one"
        )

    @contextmanager
    def raw_transaction(self) -> Iterator[RawConnection]:
        """A transaction on the driver's own connection: for moving a database here."""
        with self._writer.transaction() as session:
            yield session.raw

    def _within(self) -> tuple[Any, ...]:
        return self._slots

    def _measure(self, connection: Connection) -> tuple[int, int]:
        assert isinstance(connection, Session)
        return int(_size.one(connection)[0][0]), version(connection.raw)

    def close(self, *, clean: bool = True) -> None:
        self._partitions.close()
        self._ownership.release_all(clean=clean)
        self._ownership.close()
        self._hints.close()
        self._lent.close()
        self._writer.close()
        self._log_writer.close()
