"""The write-ahead log's file is made longer ahead of its use, and nothing that is read from it changes by that."""

from __future__ import annotations

import errno
import os
import shutil
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, cast

import apsw
import pytest
from store_kit import Owner, events

from segue.stores.base import Append
from segue.stores.sqlite import SqliteStore, wal
from segue.stores.sqlite.connection import APPLICATION_ID, Durability, connect
from segue.stores.sqlite.wal import EVERY, FRAME, REFUSED, SHORTEST, Wal

FULL = 32 + 1_000 * FRAME


class Log:
    """A connection that writes a row with each commit, and its log, which is looked after at every one."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.wal = Path(f"{path}-wal")
        self.raw = connect(str(path))
        self.raw.execute(f"PRAGMA application_id = {APPLICATION_ID}; CREATE TABLE IF NOT EXISTS t (n INTEGER)")
        self._rest = Wal(self.raw, longest=1_000)

    def write(self, *rows: int) -> None:
        for row in rows:
            self.raw.execute("INSERT INTO t VALUES (?)", (row,))
            self.look()

    def look(self) -> None:
        self._rest._left = 1
        self._rest.committed()

    @property
    def size(self) -> int:
        return self.wal.stat().st_size


@pytest.fixture
def log(tmp_path: Path) -> Iterator[Log]:
    opened = Log(tmp_path / "segue.db")
    yield opened
    opened.raw.close()


def rows(path: Path) -> list[int]:
    connection = apsw.Connection(str(path))
    try:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        return [n for (n,) in connection.execute("SELECT n FROM t ORDER BY n")]
    finally:
        connection.close()


def test_it_doubles_before_it_is_used_up_and_has_a_longest(log: Log) -> None:
    sizes: list[int] = []
    for row in range(600):
        log.write(row)
        if log.size not in sizes:
            sizes.append(log.size)

    assert sizes == [SHORTEST, 2 * SHORTEST, FULL]
    assert rows(log.path) == list(range(600))


def test_it_is_left_alone_while_half_of_it_is_unused(log: Log) -> None:
    log.write(0)
    touched = log.wal.stat()
    log.look()

    assert (touched.st_size, touched.st_mtime_ns) == (SHORTEST, log.wal.stat().st_mtime_ns)


def test_after_a_crash_all_is_there_wherever_the_lengthening_ended(log: Log, tmp_path: Path) -> None:
    log.write(*range(20))
    used = len(log.wal.read_bytes().rstrip(b"\0"))
    for length in (SHORTEST, used + 5 * FRAME, used + FRAME, used + 1_000, used + 1, used):
        copy = tmp_path / str(length) / "segue.db"
        copy.parent.mkdir()
        shutil.copy(log.path, copy)
        shutil.copy(log.wal, f"{copy}-wal")
        os.truncate(f"{copy}-wal", length)

        again = Log(copy)  # recovers: no index of the log was copied
        again.write(20, 21)
        again.raw.close()
        assert rows(copy) == list(range(22))


def test_a_log_that_was_cut_or_begun_anew_is_looked_after_as_well(log: Log) -> None:
    log.write(*range(600))
    log.raw.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_RESTART)
    log.write(600)
    assert log.size == FULL

    log.raw.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_TRUNCATE)
    assert log.size == 0
    log.write(601)
    assert log.size == SHORTEST
    assert rows(log.path) == list(range(602))


def test_a_disk_that_becomes_full_meanwhile(log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    log.raw.execute("INSERT INTO t VALUES (0)")
    before = log.size
    asked: list[int] = []

    def pwrite(file: int, data: bytes, at: int) -> int:
        asked.append(at)
        if len(asked) == 2:
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(file, data[:5_000], at)

    real = os.pwrite
    monkeypatch.setattr(wal.os, "pwrite", pwrite)
    log.look()

    assert asked == [before, before + 5_000]
    assert log.size == before
    monkeypatch.undo()
    log.write(1)
    assert log.size == SHORTEST
    assert rows(log.path) == [0, 1]


def test_who_was_refused_room_does_not_soon_ask_for_it_again(log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    def pwrite(file: int, data: bytes, at: int) -> int:
        asked.append(at)
        raise OSError(errno.EDQUOT, "Disk quota exceeded")  # of which the file system says nothing beforehand

    asked: list[int] = []
    monkeypatch.setattr(wal.os, "pwrite", pwrite)
    log.raw.execute("INSERT INTO t VALUES (0)")
    log.look()
    for _ in range(REFUSED - 1):
        log._rest.committed()
    assert len(asked) == 1

    log._rest.committed()
    assert len(asked) == 2


def test_no_room_is_taken_that_will_be_missed(log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    found = os.statvfs(log.path)
    blocks = 16 * SHORTEST // found.f_frsize
    for free, length in ((blocks - 1, False), (blocks, True)):
        fields = list(found)
        fields[4] = free
        monkeypatch.setattr(wal.os, "fstatvfs", lambda file, fields=fields: os.statvfs_result(fields))
        log.write(free)
        assert (log.size == SHORTEST) is length


def test_nobody_waits_for_another_process_that_writes(log: Log) -> None:
    other = apsw.Connection(str(log.path))
    log.raw.execute("INSERT INTO t VALUES (0)")
    other.execute("BEGIN IMMEDIATE; INSERT INTO t VALUES (1)")
    before = log.size
    log.look()  # with the connection's own timeout it would take ten seconds, and end as busy
    assert log.size == before
    assert not log.raw.in_transaction

    other.execute("COMMIT")
    log.write(2)
    assert log.size == SHORTEST
    assert log.raw.execute("PRAGMA busy_timeout").fetchall() == [(10_000,)]
    other.close()
    assert rows(log.path) == [0, 1, 2]


def test_a_database_under_a_second_name_has_its_own_log_lengthened(tmp_path: Path) -> None:
    (tmp_path / "large").mkdir()
    (tmp_path / "segue.db").symlink_to(tmp_path / "large" / "real.db")
    log = Log(tmp_path / "segue.db")
    log.write(0)

    assert (tmp_path / "large" / "real.db-wal").stat().st_size == SHORTEST
    log.raw.close()


def test_the_log_of_another_database_in_its_place_is_not_touched(log: Log, tmp_path: Path) -> None:
    (tmp_path / "aside").mkdir()
    log.raw.execute("INSERT INTO t VALUES (0)")
    for name in ("segue.db", "segue.db-wal", "segue.db-shm"):  # after the writer has looked that they are there
        (tmp_path / name).rename(tmp_path / "aside" / name)
    other = Log(log.path)
    before = other.size
    log.look()
    assert other.size == before

    other.write(1)
    assert other.size == SHORTEST
    other.raw.close()


def test_whoever_interrupts_it_leaves_no_transaction_behind(log: Log) -> None:
    class Interrupted:
        """The connection, with a second Ctrl-C right after the lock was taken."""

        def __getattr__(self, name: str) -> Any:
            return getattr(log.raw, name)

        def execute(self, sql: str) -> None:
            log.raw.execute(sql)
            if log.raw.in_transaction:
                raise KeyboardInterrupt

    log.raw.execute("INSERT INTO t VALUES (0)")
    log._rest._connection = cast(apsw.Connection, Interrupted())
    with suppress(KeyboardInterrupt):
        log.look()
    assert not log.raw.in_transaction
    assert log.raw.execute("PRAGMA busy_timeout").fetchall() == [(10_000,)]


def test_two_that_write_and_lengthen_at_once_lose_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wal, "SHORTEST", 20 * FRAME)
    path = tmp_path / "segue.db"
    Log(path).raw.close()
    failures: list[BaseException] = []

    def write(first: int) -> None:
        try:
            log = Log(path)
            for row in range(first, first + 250):
                log.write(row)
                if row % 50 == 0:
                    with suppress(apsw.BusyError):  # the other one is at it
                        log.raw.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_PASSIVE)
            log.raw.close()
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=write, args=(first,)) for first in (0, 250)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert failures == []
    assert rows(path) == list(range(500))


@pytest.mark.parametrize(("durability", "lengthened"), [("full", True), ("relaxed", False)])
def test_an_owner_that_commits_often_has_its_log_lengthened(
    tmp_path: Path, durability: Durability, lengthened: bool
) -> None:
    path = tmp_path / "segue.db"
    store = SqliteStore.open(path, durability=durability)
    owner = Owner(store)
    run = owner.start("r")
    log = Path(f"{path}-wal")
    for seq in range(2, EVERY):
        owner.commit(Append(run, seq, (b"e",)))
    assert log.stat().st_size < SHORTEST

    owner.commit(Append(run, EVERY, (b"e",)))
    assert (log.stat().st_size >= SHORTEST) is lengthened
    assert len(events(store, run)) == EVERY
    store.close()
