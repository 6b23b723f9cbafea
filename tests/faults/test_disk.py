"""The disk and the file under an engine at work: full, read-only, gone, damaged, of a newer release.

A clear error or an orderly wait; nothing lost, nothing done twice, and work goes on by itself when the cause is gone.
"""

from __future__ import annotations

import asyncio
import logging
import os
import shutil
import subprocess
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import apsw
import pytest
from fault_kit import act, until

from segue import Engine, signal, step, workflow
from segue.errors import SchemaTooNew, StoreCorrupt, StoreUnavailable
from segue.runtime.settings import Settings
from segue.runtime.writer import RETRY_FIRST
from segue.stores.sqlite.ownership import FileLock
from segue.stores.sqlite.store import SqliteStore

World = Callable[[], list[str]]


@step
async def writes(n: int) -> str:
    act(str(n))
    return "x" * 60_000


@workflow
async def fills(n: int) -> int:
    for i in range(n):
        await writes(i)
    return n


@workflow
async def hears_a_word() -> Any:
    return await signal("word")


def engine_on(folder: Path, **more: Any) -> Engine:
    return Engine(f"sqlite:///{folder}/test.db", settings=Settings(slow_poll=0.05), **more)


def fill_up(folder: Path) -> Path:
    """Leaves no room at all."""
    ballast = folder / "ballast"
    with ballast.open("wb", buffering=0) as file:
        for size in (65_536, 4_096, 1):
            try:
                while True:
                    file.write(b"x" * size)
            except OSError:
                pass
    assert shutil.disk_usage(folder).free == 0
    return ballast


def cannot_write(engine: Engine) -> bool:
    return engine._duty is not None and engine._duty.conductor.writer.unavailable is not None


def down(engine: Engine) -> bool:
    """The writer has met the fault, and some more tries have met it too."""
    return engine._duty is not None and engine._duty.conductor.writer._pause >= 8 * RETRY_FIRST


def mount_again(folder: Path, options: str) -> None:
    subprocess.run(["mount", "-o", f"remount,{options}", str(folder)], check=True)


def open_files(folder: Path) -> list[str]:
    links = [link for link in Path("/proc/self/fd").iterdir() if link.is_symlink()]
    return [target for target in map(os.readlink, links) if target.startswith(str(folder))]


# --- full -----------------------------------------------------------------------------------------------------


async def test_a_full_disk_is_waited_out(small_disk: Path, world: World, caplog: pytest.LogCaptureFixture) -> None:
    async with engine_on(small_disk) as engine:
        waiting = await engine.start(hears_a_word, id="waits")
        ballast = fill_up(small_disk)
        filling = [asyncio.create_task(engine.start(fills, 3, id=f"f{n}")) for n in range(3)]
        told = asyncio.create_task(waiting.signal("word", 5))
        await until(lambda: down(engine))
        assert not told.done()
        assert not any(task.done() for task in filling)
        assert world() == [], "nothing leaves before it is on disk"
        assert "the disk is full; free some space, work goes on by itself" in caplog.text
        ballast.unlink()
        assert [await (await task).result(timeout=30) for task in filling] == [3, 3, 3]
        await told
        assert await waiting.result(timeout=30) == 5
    assert max(Counter(line.split()[0] for line in world()).values()) == 1


async def test_a_disk_that_fills_up_while_steps_run_repeats_none(small_disk: Path, world: World) -> None:
    (small_disk / "ballast").write_bytes(b"x" * 1_500_000)
    async with engine_on(small_disk) as engine:
        handle = await engine.start(fills, 20)
        await until(lambda: cannot_write(engine))
        done = len(world())
        assert 0 < done < 20
        await until(lambda: down(engine))
        assert len(world()) == done, "nothing new is dispatched"
        mount_again(small_disk, "size=20m")
        assert await handle.result(timeout=30) == 20
    assert len(world()) == 20


async def test_opening_on_a_full_disk_says_so_and_leaves_nothing_open(small_disk: Path) -> None:
    async with engine_on(small_disk) as engine:
        handle = await engine.start(hears_a_word, id="a")
    ballast = fill_up(small_disk)
    for _ in range(2):
        with pytest.raises(StoreUnavailable, match="the disk is full; free some space"):
            await engine_on(small_disk).open()
    assert open_files(small_disk) == []
    ballast.unlink()
    async with engine_on(small_disk) as engine:
        handle = await engine.handle("a")
        await handle.signal("word", 1)
        assert await handle.result(timeout=10) == 1


def test_a_full_disk_keeps_nobody_from_owning(small_disk: Path) -> None:
    fill_up(small_disk)
    lock = FileLock(str(small_disk / "test.lock"))
    assert lock.acquire("a note for which there is no room")
    lock.release()
    assert FileLock(lock.path).acquire("")


# --- read-only, gone ------------------------------------------------------------------------------------------


async def test_a_read_only_file_is_told(small_disk: Path) -> None:
    async with engine_on(small_disk) as engine:
        await engine.start(hears_a_word, id="a")
    mount_again(small_disk, "ro")
    with pytest.raises(StoreUnavailable, match=r"read-only for this user; give the right to write|cannot be opened"):
        await engine_on(small_disk).open()
    mount_again(small_disk, "rw")
    async with engine_on(small_disk) as engine:
        assert (await (await engine.handle("a")).status()).state == "waiting"


async def test_a_folder_that_vanishes_is_waited_for(
    tmp_path: Path, world: World, caplog: pytest.LogCaptureFixture
) -> None:
    folder, elsewhere = tmp_path / "here", tmp_path / "elsewhere"
    async with engine_on(folder) as engine:
        waiting = await engine.start(hears_a_word, id="a")
        folder.rename(elsewhere)
        told = asyncio.create_task(waiting.signal("word", 5))
        begun = asyncio.create_task(engine.start(fills, 2, id="b"))
        await until(lambda: down(engine))
        assert not told.done()
        assert not begun.done()
        assert world() == []
        assert "was deleted, moved or replaced while in use; put it back" in caplog.text
        elsewhere.rename(folder)
        await told
        assert await waiting.result(timeout=10) == 5
        assert await (await begun).result(timeout=10) == 2
    assert len(world()) == 2


async def test_whoever_closes_while_the_file_is_gone_is_not_held_up(tmp_path: Path) -> None:
    folder = tmp_path / "here"
    async with asyncio.timeout(10), engine_on(folder) as engine:
        handle = await engine.start(hears_a_word, id="a")
        shutil.rmtree(folder)
        told = asyncio.create_task(handle.signal("word", 5))
        await until(lambda: down(engine))
    with pytest.raises(StoreUnavailable, match="the engine was closed"):
        await told


async def test_a_new_file_at_the_place_of_one_that_vanished_is_not_written_to(tmp_path: Path, world: World) -> None:
    folder = tmp_path / "here"
    async with engine_on(folder) as first:
        handle = await first.start(hears_a_word, id="a")
        shutil.rmtree(folder)
        async with engine_on(folder) as second:
            assert second.owner
            told = asyncio.create_task(handle.signal("word", 5))
            assert await (await second.start(fills, 1, id="b")).result(timeout=10) == 1
            await until(lambda: down(first))
            assert [run.id for run in await second.list()] == ["b"]
        told.cancel()


# --- damaged, too new -----------------------------------------------------------------------------------------


def damage(path: Path, table: str) -> None:
    connection = apsw.Connection(str(path))
    ((page,),) = connection.execute("SELECT rootpage FROM sqlite_schema WHERE name = ?", (table,)).fetchall()
    ((size,),) = connection.execute("PRAGMA page_size").fetchall()
    connection.close()
    with path.open("r+b") as file:
        file.seek((int(page) - 1) * int(size))
        file.write(b"\xff" * int(size))


async def test_a_damaged_journal_is_told_to_whoever_asks(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async with engine_on(tmp_path) as engine:
        handle = await engine.start(hears_a_word, id="a")
    damage(tmp_path / "test.db", "journal")
    async with asyncio.timeout(10), engine_on(tmp_path) as engine:
        handle = await engine.handle("a")
        waiting = asyncio.create_task(handle.result())
        await asyncio.sleep(0)
        with pytest.raises(StoreCorrupt, match=r"is damaged .*; restore a backup with `segue db restore`"):
            await handle.query("anything")
        with pytest.raises(StoreCorrupt):
            await waiting
        with pytest.raises(StoreCorrupt):
            await handle.result()
    assert caplog.text.count("cannot be read") == 1


async def test_a_damaged_table_of_runs_spins_nowhere(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async with engine_on(tmp_path) as engine:
        await engine.start(hears_a_word, id="a")
    damage(tmp_path / "test.db", "runs")
    async with asyncio.timeout(10), engine_on(tmp_path) as engine:
        for request in (engine.start(hears_a_word), engine.list(), engine.handle("a")):
            with pytest.raises(StoreCorrupt, match="restore a backup"):
                await request
        assert not engine.owner, "the next try would fail as well"
    assert len([r for r in caplog.records if r.levelno >= logging.CRITICAL]) < 5


async def test_after_a_failure_for_good_the_successor_is_told_that_work_was_under_way(tmp_path: Path) -> None:
    store = SqliteStore.open(tmp_path / "test.db")
    async with Engine(store=store) as engine:
        await engine.start(hears_a_word, id="a")
        engine.dispossessed(StoreCorrupt("the test says so"))
        other = SqliteStore.open(tmp_path / "test.db")
        fence = other.own("default", "successor")
        assert fence is not None
        assert not fence.clean
        other.close()


async def test_a_database_of_a_newer_release_is_refused_untouched(tmp_path: Path) -> None:
    async with engine_on(tmp_path) as engine:
        await engine.start(hears_a_word, id="a")
    path = tmp_path / "test.db"
    connection = apsw.Connection(str(path))
    connection.execute("PRAGMA user_version = 99")
    connection.execute("UPDATE meta SET value = 99 WHERE name = 'oldest_code'")
    connection.close()
    before = path.read_bytes()
    with pytest.raises(SchemaTooNew, match=r"has schema 99, written by a newer release.*update segue on this machine"):
        await engine_on(tmp_path).open()
    assert path.read_bytes() == before
