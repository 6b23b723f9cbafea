"""What only a file can suffer: wrong rights, damage, other programs, full disk, other processes, death."""

from __future__ import annotations

import os
import shutil
import signal as signals
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import apsw
import pytest
from store_kit import EVENT, Owner, closed, events, start

from segue.errors import SchemaTooNew, StoreCorrupt, StoreError, StoreUnavailable
from segue.stores.account_rows import AuditRow
from segue.stores.base import Append, Appended, Batch, Blob, RunFilter, Started
from segue.stores.sqlite import SqliteStore
from segue.stores.sqlite.migrations import LATEST


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "segue.db"


@pytest.fixture
def store(path: Path) -> Iterator[SqliteStore]:
    opened = SqliteStore.open(path)
    yield opened
    opened.close()


def sql(path: Path, text: str) -> list[tuple[object, ...]]:
    connection = apsw.Connection(str(path))
    try:
        return connection.execute(text).fetchall()
    finally:
        connection.close()


class Process:
    """A Python process that runs a program which prints lines and reads lines."""

    def __init__(self, program: str, *arguments: object) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", program, *map(str, arguments)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def line(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline().strip()

    def tell(self, line: str = "") -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()

    def kill(self) -> None:
        self._process.send_signal(signals.SIGKILL)
        self.wait()

    def wait(self) -> int:
        code = self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            assert stream is not None
            stream.close()
        return code


# --- opening ----------------------------------------------------------------------------------------------------


def test_a_commit_waits_for_the_disk_unless_told_otherwise(path: Path) -> None:
    synchronous = {}
    for durability in ("full", "relaxed"):
        store = SqliteStore.open(path, durability=durability)  # type: ignore[arg-type]
        synchronous[durability] = store._writer.connection.raw.execute("PRAGMA synchronous").fetchall()[0][0]
        store.close()

    assert synchronous == {"full": 2, "relaxed": 1}
    assert sql(path, "PRAGMA journal_mode") == [("wal",)]


def test_a_missing_folder_is_made(tmp_path: Path) -> None:
    SqliteStore.open(tmp_path / "new" / "folder" / "segue.db").close()

    assert (tmp_path / "new" / "folder" / "segue.db").exists()


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(StoreUnavailable, match="cannot be made"):
        SqliteStore.open(tmp_path / "file" / "segue.db")


def test_a_folder_is_no_database(tmp_path: Path) -> None:
    with pytest.raises(StoreUnavailable, match="is a folder; name a file in it"):
        SqliteStore.open(tmp_path)


def test_a_file_that_is_no_database_is_left_alone(path: Path) -> None:
    path.write_bytes(b"a letter to my aunt" * 1_000)

    with pytest.raises(StoreCorrupt, match="not a segue database, or is damaged"):
        SqliteStore.open(path)

    assert path.read_bytes() == b"a letter to my aunt" * 1_000


def test_a_database_of_another_program_is_left_alone(path: Path) -> None:
    sql(path, "CREATE TABLE songs (title TEXT)")

    with pytest.raises(StoreCorrupt, match="another program"):
        SqliteStore.open(path)

    assert sql(path, "SELECT name FROM sqlite_schema") == [("songs",)]


def test_a_damaged_page_is_told_as_damage(path: Path) -> None:
    store = SqliteStore.open(path)
    Owner(store).commit(*[start(f"r{number}", blobs=(Blob(f"b{number}", b"x" * 500),)) for number in range(200)])
    store.close()
    damaged = bytearray(path.read_bytes())
    damaged[4096 * 3 :] = b"\xff" * (len(damaged) - 4096 * 3)
    path.write_bytes(damaged)

    with pytest.raises(StoreCorrupt, match="restore a backup"):
        Owner(SqliteStore.open(path)).start("more")


def test_a_newer_schema_is_refused(path: Path) -> None:
    SqliteStore.open(path).close()
    sql(path, f"PRAGMA user_version = {LATEST + 2}; UPDATE meta SET value = {LATEST + 1} WHERE name = 'oldest_code'")

    with pytest.raises(SchemaTooNew, match="update segue"):
        SqliteStore.open(path)


def test_a_newer_schema_that_this_release_can_work_with_is_opened(path: Path) -> None:
    SqliteStore.open(path).close()
    sql(path, f"PRAGMA user_version = {LATEST + 1}")

    store = SqliteStore.open(path)
    Owner(store).start("a")
    store.close()

    assert sql(path, "PRAGMA user_version") == [(LATEST + 1,)]


TRY_TO_OPEN = """
import os, sys
from segue.errors import StoreUnavailable
from segue.stores.sqlite import SqliteStore
if os.getuid() == 0:
    os.setuid(65534)  # to root nothing is read-only
try:
    SqliteStore.open(sys.argv[1])
except StoreUnavailable as error:
    print(error)
"""


@pytest.mark.parametrize("read_only", ["file", "folder"])
def test_a_read_only_file_or_folder_is_told_and_what_to_do(read_only: str) -> None:
    folder = Path("/tmp") / f"segue-test-{os.getpid()}"  # pytest's folders are closed to other users
    folder.mkdir(mode=0o755)
    try:
        path = folder / "segue.db"
        SqliteStore.open(path).close()
        for file in folder.iterdir():
            file.chmod(0o666)
        path.chmod(0o444 if read_only == "file" else 0o666)
        folder.chmod(0o777 if read_only == "file" else 0o755)

        process = Process(TRY_TO_OPEN, path)
        said = process.line()

        assert process.wait() == 0
        assert "read-only" in said or "cannot be opened" in said
        assert "folder" in said
    finally:
        shutil.rmtree(folder)


# --- the disk ---------------------------------------------------------------------------------------------------


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(folder)]
    if os.geteuid() != 0 or subprocess.run(mount, check=False, capture_output=True).returncode != 0:
        pytest.skip("only root can mount a small disk, and not in every container")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def test_a_full_disk_loses_nothing_and_work_goes_on_once_there_is_space(small_disk: Path) -> None:
    ballast = small_disk / "ballast"
    ballast.write_bytes(b"x" * 1_000_000)
    store = SqliteStore.open(small_disk / "segue.db")
    owner = Owner(store)
    run = owner.start("a")
    batch = owner.batch(Append(run, 2, tuple(b"x" * 50_000 for _ in range(20)), status=closed()))

    for _ in range(3):
        with pytest.raises(StoreUnavailable, match="the disk is full; free some space"):
            store.commit(batch)
        assert not store.landed(batch)
    assert events(store, run) == [EVENT]

    ballast.unlink()
    assert store.commit(batch) == [Appended("appended")]
    assert len(events(store, run)) == 21
    store.close()


def test_a_full_disk_is_told_for_a_single_event_too(small_disk: Path) -> None:
    store = SqliteStore.open(small_disk / "segue.db")
    owner = Owner(store)
    run = owner.start("a")

    def until_full() -> None:
        for seq in range(2, 100):
            assert owner.commit(Append(run, seq, (b"x" * 100_000,))) == [Appended("appended")]

    with pytest.raises(StoreUnavailable, match="the disk is full"):
        until_full()
    store.close()


@pytest.mark.parametrize("single", [True, False], ids=["one-event", "batch"])
@pytest.mark.parametrize("what", ["folder", "file", "replaced"])
def test_a_file_that_vanishes_takes_no_commit_with_it(tmp_path: Path, what: str, single: bool) -> None:
    folder = tmp_path / "folder"
    store = SqliteStore.open(folder / "segue.db")
    owner = Owner(store)
    run = owner.start("a")
    if what == "folder":
        folder.rename(tmp_path / "gone")
    else:
        (folder / "segue.db").rename(tmp_path / "gone.db")
    if what == "replaced":
        (folder / "segue.db").touch()

    operations = [Append(run, 2, (b"e",))] if single else [Append(run, 2, (b"e",), status=closed()), start("b")]
    with pytest.raises(StoreUnavailable, match="deleted, moved or replaced"):
        owner.commit(*operations)
    if what == "folder":
        (tmp_path / "gone").rename(folder)
        assert owner.commit(*operations)[0] == Appended("appended"), "it was put back"
    store.close()


# --- several processes ------------------------------------------------------------------------------------------


OWN = """
import sys
from segue.stores.base import *
from segue.stores.sqlite import SqliteStore
store = SqliteStore.open(sys.argv[1])
fence = store.own("default", "other process")
print(fence.epoch if fence else "owned", flush=True)
for line in sys.stdin:
    id = line.strip()
    start = StartRun("default", id, "uid-" + id, "default", "fulfil", 1, b"[]", "h")
    print(store.commit(Batch(1, (start,), fence))[0].outcome, flush=True)
"""


def test_two_processes_on_one_file_exclude_each_other_and_share_it(store: SqliteStore, path: Path) -> None:
    first = Process(OWN, path)
    epoch = int(first.line())
    second = Process(OWN, path)

    assert second.line() == "owned"
    assert store.own("default", "this process") is None
    for process, id in ((first, "a"), (second, "b"), (first, "c"), (second, "c")):
        process.tell(id)
        assert process.line() == ("existing" if (process, id) == (second, "c") else "started")
    assert store.changed()
    assert [run.id for run in store.list(RunFilter())] == ["c", "b", "a"]

    first.kill()
    fence = store.own("default", "this process")
    assert fence is not None, "the lock went with the process"
    assert fence.epoch > epoch
    assert not fence.clean
    second.kill()


def test_the_lock_tells_who_holds_it(store: SqliteStore, path: Path) -> None:
    store.own("shop/eu", "worker-7")

    (lock,) = path.parent.glob("segue.db.*.lock")
    assert lock.name == "segue.db.shop%2Feu.lock"
    assert lock.read_text() == f"worker-7 (process {os.getpid()})\n"


RACE = """
import sys
from segue.stores.base import *
from segue.stores.sqlite import SqliteStore
print("ready", flush=True)
sys.stdin.readline()
store = SqliteStore.open(sys.argv[1])
start = StartRun("default", sys.argv[2], sys.argv[2], "default", "fulfil", 1, b"[]", "h")
print(store.commit(Batch(1, (start,)))[0].outcome, flush=True)
"""


def test_processes_that_open_a_new_file_at_once_all_find_it_ready(path: Path) -> None:
    processes = [Process(RACE, path, number) for number in range(4)]
    for process in processes:
        assert process.line() == "ready"
    for process in processes:
        process.tell()

    assert [process.line() for process in processes] == ["started"] * 4
    assert [process.wait() for process in processes] == [0] * 4
    assert sql(path, "SELECT count(*) FROM runs") == [(4,)]


def test_a_kill_in_the_middle_of_a_commit_leaves_all_of_it_or_nothing(path: Path) -> None:
    program = """
import sys
from segue.stores.base import *
from segue.stores.sqlite import SqliteStore
store = SqliteStore.open(sys.argv[1])
print("ready", flush=True)
for number in range(10_000):
    ids = [f"{number}-{i}" for i in range(20)]
    store.commit(Batch(1, tuple(StartRun("default", id, id, "default", "w", 1, b"x" * 2_000, "h") for id in ids)))
    print(number, flush=True)
"""
    process = Process(program, path)
    process.line()
    acknowledged = [int(process.line()) for _ in range(30)][-1]
    process.kill()

    store = SqliteStore.open(path)
    count = store.stats().runs["running"]
    store.close()

    assert count % 20 == 0
    assert count >= 20 * (acknowledged + 1)


def test_a_commit_waits_for_another_process_and_says_so_if_it_takes_too_long(store: SqliteStore, path: Path) -> None:
    other = apsw.Connection(str(path))
    other.execute("BEGIN IMMEDIATE")
    store._writer.connection.raw.set_busy_timeout(1)

    with pytest.raises(StoreUnavailable, match="another process holds the file's write lock"):
        store.commit(Batch(1, (start("a"),)))

    other.execute("ROLLBACK")
    other.close()
    (answer,) = store.commit(Batch(1, (start("a"),)))
    assert isinstance(answer, Started)
    assert answer.outcome == "started"


def test_reading_from_many_threads_goes_on_beside_commits(store: SqliteStore) -> None:
    owner = Owner(store)
    run = owner.start("a")
    trouble: list[BaseException] = []
    stop = threading.Event()

    def read() -> None:
        try:
            while not stop.is_set():
                seen = [seq for seq, _ in store.journal(run)]
                assert seen == list(range(1, len(seen) + 1))
                store.changed()
        except BaseException as error:
            trouble.append(error)

    threads = [threading.Thread(target=read) for _ in range(4)]
    for thread in threads:
        thread.start()
    for seq in range(2, 200):
        assert owner.commit(Append(run, seq, (b"e",))) == [Appended("appended")]
    stop.set()
    for thread in threads:
        thread.join()

    assert trouble == []


def test_a_closed_store_says_so(path: Path) -> None:
    store = SqliteStore.open(path)
    store.close()

    with pytest.raises(StoreUnavailable, match="closed"):
        store.run(1)
    with pytest.raises(StoreUnavailable, match="closed"):
        store.commit(Batch(1, (start("a"),)))


def test_the_audit_log_cannot_be_changed(store: SqliteStore) -> None:
    store.accounts.audit(AuditRow(0, 1, "default", "ann", "cancel_run", "/runs/7", 204, "10.0.0.7", "abc"))
    for change in ("UPDATE segue_audit SET actor = 'bob'", "DELETE FROM segue_audit"):
        with pytest.raises(StoreError, match="append-only"), store._writer.transaction() as connection:
            connection.execute(change)
    assert [row.actor for row in store.accounts.audited("default")] == ["ann"]
