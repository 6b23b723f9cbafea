"""What becomes of the files of a SQLite store: space given back, backups, step logs, erased data."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import apsw
import pytest
from store_kit import EVENT, Owner, closed, events, signal, start

from segue.errors import FenceLost, InvalidArgument, StoreError, StoreUnavailable
from segue.stores.base import Append, Batch, Blob, Fence, RunFilter
from segue.stores.log_rows import LogLine
from segue.stores.sql.reads import list_statement
from segue.stores.sqlite import SqliteStore, restore, wal
from segue.stores.sqlite.store import CONDITIONS


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "segue.db"


@pytest.fixture
def store(path: Path) -> Iterator[SqliteStore]:
    opened = SqliteStore.open(path)
    yield opened
    opened.close()


_MOVES_THE_LOG = """
import fcntl, sys
with open(sys.argv[1], "r+b") as index:
    fcntl.lockf(index, fcntl.LOCK_EX, 1, 121)
    print(flush=True)
    sys.stdin.read()
"""


@contextmanager
def moving_the_log(path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Another process has the lock for moving the log into the file (``WAL_CKPT_LOCK``), until its input ends."""
    program = [sys.executable, "-c", _MOVES_THE_LOG, f"{path}-shm"]
    with subprocess.Popen(program, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        yield process


def test_the_file_shrinks_after_retention(store: SqliteStore, path: Path) -> None:
    owner = Owner(store)
    runs = [owner.start(f"r{number}", blobs=(Blob(f"b{number}", os.urandom(100_000)),)) for number in range(50)]
    owner.commit(*[Append(run, 2, (b"e",), status=closed(at=1)) for run in runs])
    owner.start("newest")
    store._writer.connection.raw.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_TRUNCATE)
    before = path.stat().st_size

    store.retain(2, 1_000)
    while store.shrink(200):
        pass

    assert before > 5_000_000
    assert path.stat().st_size < 300_000


def test_space_is_given_back_in_steps(store: SqliteStore) -> None:
    owner = Owner(store)
    runs = [owner.start(f"r{number}", blobs=(Blob(f"b{number}", b"x" * 50_000),)) for number in range(20)]
    owner.commit(*[Append(run, 2, (b"e",), status=closed(at=1)) for run in runs])
    owner.start("newest")
    owner.store.retain(2, 100)

    steps = 1
    while owner.store.shrink(50):
        steps += 1

    assert steps > 1
    assert not owner.store.shrink()


def test_space_is_given_back_while_another_process_moves_the_log(store: SqliteStore, path: Path) -> None:
    Owner(store).start("a")
    with moving_the_log(path):
        assert not store.shrink()


def test_a_backup_goes_to_a_new_file_only(store: SqliteStore, tmp_path: Path) -> None:
    Owner(store).start("a")
    target = tmp_path / "backup"

    store.backup(str(target))
    before = target.stat()

    with pytest.raises(InvalidArgument, match="there already"):
        store.backup(str(target))
    assert target.stat() == before


def test_a_restored_backup_holds_what_was_there_and_voids_every_fence(path: Path, tmp_path: Path) -> None:
    store = SqliteStore.open(path)
    owner = Owner(store)
    run = owner.start("a")
    said = store.described.change("eu", description="Orders of Europe", retention="[]")
    store.backup(str(tmp_path / "backup.db"))
    owner.start("later")
    store.described.change("eu", description="changed later")
    store.release(owner.fence)
    late = store.own("default", "late")
    assert late is not None
    store.close(clean=False)

    restore(str(tmp_path / "backup.db"), str(path))

    store = SqliteStore.open(path)
    assert events(store, run) == [EVENT]
    assert store.find("default", "later") is None
    assert store.described.list() == [said]
    for fence in (owner.fence, late):
        with pytest.raises(FenceLost):
            store.commit(Batch(9, (start("b"),), fence))
    successor = store.own("default", "successor")
    assert successor is not None
    assert successor.epoch > late.epoch
    store.close()
    replaced = SqliteStore.open(f"{path}.replaced")
    assert replaced.find("default", "later") is not None
    replaced.close()


@pytest.mark.parametrize("between", ["as it is", "damaged", "deleted"])
def test_of_two_restores_at_once_each_voids_the_fences_of_the_other(path: Path, tmp_path: Path, between: str) -> None:
    store = SqliteStore.open(path)
    run = Owner(store).start("a")
    store.backup(str(tmp_path / "backup.db"))
    store.close(clean=False)
    given: list[Fence] = []
    for worker in ("first", "second", "third"):
        restore(str(tmp_path / "backup.db"), str(path))
        store = SqliteStore.open(path)
        owned = [store.own(app, worker) for app in ("default", "new since the backup")]
        for late in given:
            with pytest.raises(FenceLost):
                store.commit(Batch(9, (Append(run, 2, (worker.encode(),)),), late))
        given += [fence for fence in owned if fence is not None]
        store.close(clean=False)
        if between == "damaged":
            path.write_bytes(b"\xff" * 100_000)
        elif between == "deleted":
            path.unlink()
    assert len({(fence.app, fence.epoch) for fence in given}) == 6


def test_a_backup_is_restored_over_a_damaged_file_and_to_a_new_place(path: Path, tmp_path: Path) -> None:
    store = SqliteStore.open(path)
    Owner(store).start("a")
    store.backup(str(tmp_path / "backup.db"))
    store.close()
    path.write_bytes(b"\xff" * 100_000)

    for target in (path, tmp_path / "elsewhere.db"):
        restore(str(tmp_path / "backup.db"), str(target))
        restored = SqliteStore.open(target)
        assert restored.find("default", "a") is not None
        restored.close()


def test_nothing_is_restored_under_an_engine_at_work(store: SqliteStore, path: Path, tmp_path: Path) -> None:
    store.backup(str(tmp_path / "backup.db"))
    Owner(store).start("a")

    with pytest.raises(StoreUnavailable, match="an engine is at work"):
        restore(str(tmp_path / "backup.db"), str(path))

    assert store.find("default", "a") is not None


def test_nothing_is_restored_while_a_client_has_the_file_open(store: SqliteStore, path: Path, tmp_path: Path) -> None:
    store.backup(str(tmp_path / "backup.db"))
    store.commit(Batch(1, (start("a"),)))

    with pytest.raises(StoreUnavailable, match="open"):
        restore(str(tmp_path / "backup.db"), str(path))

    assert store.find("default", "a") is not None


@pytest.mark.parametrize("content", [b"\xff" * 10_000, b"", None], ids=["damaged", "empty", "missing"])
def test_a_backup_that_is_none_changes_nothing(path: Path, tmp_path: Path, content: bytes | None) -> None:
    store = SqliteStore.open(path)
    Owner(store).start("a")
    store.close()
    if content is not None:
        (tmp_path / "backup.db").write_bytes(content)

    with pytest.raises(StoreError):
        restore(str(tmp_path / "backup.db"), str(path))

    store = SqliteStore.open(path)
    assert store.find("default", "a") is not None
    store.close()


@pytest.mark.parametrize(
    "where",
    [
        RunFilter(),
        RunFilter(states=("completed",)),
        RunFilter(workflow="fulfil"),
        RunFilter(tags={"a": "b"}, started_from=5),
        RunFilter(namespace=None, after=9),
    ],
)
def test_a_page_of_a_long_list_is_found_without_putting_the_list_into_order(
    store: SqliteStore, where: RunFilter
) -> None:
    sql, values = list_statement(store._writer.connection, where, CONDITIONS)

    plan = [row[-1] for row in store._writer.connection.execute("EXPLAIN QUERY PLAN " + sql, values)]

    assert [step for step in plan if "TEMP B-TREE" in str(step)] == []


def test_the_logs_are_there_for_the_next_process(store: SqliteStore, path: Path) -> None:
    line = LogLine(1, "k", 1, 5, "INFO", "stdout", "hello")
    store.logs.append([line])
    store.logs.close()

    other = SqliteStore.open(path)
    assert [found.text for found in other.logs.read(1)] == ["hello"]
    assert other.logs.append([line])
    assert len(store.logs.read(1)) == 2
    assert not list(path.parent.glob("*.damaged"))
    other.close()


def test_losing_the_logs_fails_nothing(store: SqliteStore, path: Path) -> None:
    line = LogLine(1, "k", 1, 5, "INFO", "stdout", "hello")
    logs = path.parent / "segue.logs.db"
    assert store.logs.append([line])

    logs.unlink()
    assert store.logs.append([line]), "begun anew"
    assert len(store.logs.read(1)) == 1

    store.logs.close()
    logs.write_bytes(b"\xff" * 10_000)
    assert store.logs.append([line]), "the damaged file is put aside"
    assert (path.parent / "segue.logs.db.damaged").exists()

    store.logs.close()
    logs.unlink()
    logs.mkdir()
    assert not store.logs.append([line])
    assert "is a folder" in (store.logs.trouble or "")
    assert store.logs.read(1) == []
    Owner(store).start("a")
    store.retain(10, 10)


def test_a_line_that_comes_after_its_run_was_erased_is_not_kept(store: SqliteStore) -> None:
    store.logs.append([LogLine(1, "k", 1, 5, "INFO", "stdout", "early")])
    store.logs.erase([1])
    assert store.logs.append([LogLine(run, "k", 1, 6, "INFO", "stdout", "late") for run in (1, 2)])
    assert store.logs.read(1) == []
    assert [line.text for line in store.logs.read(2)] == ["late"]


def test_the_logs_wait_for_nobody_who_commits(store: SqliteStore) -> None:
    with store._writer.transaction():
        assert store.logs.append([LogLine(1, "k", 1, 5, "INFO", "stdout", "hello")])


def test_erased_data_is_in_no_file(store: SqliteStore, path: Path) -> None:
    owner = Owner(store)
    secret = b"ann@example.com" * 20
    run = owner.start("a", blobs=(Blob("ref", secret),))
    owner.commit(signal("m", run))
    owner.commit(Append(run, 2, (secret,), status=closed()))

    assert store.redact(run, [(2, b"erased")], b"told", ["ref"])

    for file in path.parent.iterdir():
        assert b"ann@example.com" not in file.read_bytes(), file.name


@pytest.mark.parametrize("name", ["segue.db", "segue.logs.db"])
def test_what_is_erased_while_another_process_moves_the_log_is_in_no_file_either(
    store: SqliteStore, path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    owner = Owner(store)
    run = owner.start("a")
    owner.commit(Append(run, 2, (b"for ann@example.com",), status=closed()))
    assert store.logs.append([LogLine(run, "k", 1, 5, "INFO", "stdout", "to ann@example.com")])
    with moving_the_log(path.with_name(name)) as process:

        def sleep(seconds: float) -> None:
            process.communicate()  # it is done, and ends

        monkeypatch.setattr(wal.time, "sleep", sleep)
        assert store.redact(run, [(2, b"erased")], b"told", [])
        assert process.returncode == 0

    for file in path.parent.iterdir():
        assert b"ann@example.com" not in file.read_bytes(), file.name
