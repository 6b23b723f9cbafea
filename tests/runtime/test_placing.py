"""Large values that move out of the database after their commit: read from where they are, removed when nobody refers
to them, and never lost on the way."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from placing_kit import SIZE, Outside

from segue import Incident, signal, step, workflow
from segue.encodings.aesgcm import AesGcm
from segue.engine import restore
from segue.errors import InvalidArgument, StoreUnavailable
from segue.kernel.events import StepCompleted
from segue.owner import serving
from segue.runtime import fetching, placing
from segue.runtime.several import IN_A_ROW, MOST, PutOff
from segue.stores import objects
from segue.stores.base import RunFilter
from segue.stores.place_rows import Placed
from segue.stores.sql.places import Places

pytest.importorskip("fsspec")

Until = Callable[..., Awaitable[Any]]


@step(name="placing.make")
async def make(letter: str) -> str:
    return letter * SIZE


@workflow(name="placing.keeps")
async def keeps(letter: str) -> int:
    made = await make(letter)
    await signal("go")
    return len(made)


@workflow(name="placing.gives")
async def gives(letter: str) -> str:
    return await make(letter)


class Refuses:
    """A place that does not take the value of "a"."""

    def __init__(self, put: Callable[[str, bytes], None]) -> None:
        self._put = put
        self.tries = 0

    def __call__(self, place: str, data: bytes) -> None:
        if data[1:2] == b"a":
            self.tries += 1
            raise StoreUnavailable("too large for this place")
        self._put(place, data)


@pytest.fixture(autouse=True)
def _often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(placing, "PAUSE", 0.02)
    monkeypatch.setattr(fetching, "PAUSE", 0.02)


@pytest.fixture
def outside(tmp_path: Path, url: str) -> Outside:
    return Outside(tmp_path, url)


@pytest.mark.parametrize("codec", [None, AesGcm({"k": b"0" * 32})], ids=["open", "sealed"])
async def test_a_value_moves_and_its_run_goes_on_from_there(outside: Outside, until: Until, codec: Any) -> None:
    async with outside.engine(codec=codec) as engine:
        handle = await engine.start(keeps, "a")
        await until(lambda: bool(engine.store.places.of_run(handle.run)))
        (file,) = outside.files
        assert (b"a" * 1_000 in file.read_bytes()) is (codec is None)
    async with outside.engine(codec=codec) as engine:
        handle = await engine.handle(handle.id)
        await handle.signal("go")
        assert await handle.result() == SIZE
        (made,) = [each.event for each in await handle.history() if isinstance(each.event, StepCompleted)]
        assert len(made.result.data) > SIZE


async def test_a_result_is_read_from_its_place(outside: Outside, until: Until) -> None:
    async with outside.engine() as engine:
        handle = await engine.start(gives, "b")
        await handle.result()
        await until(lambda: bool(engine.store.places.of_run(handle.run)))
        assert await handle.result() == "b" * SIZE
    async with outside.engine(own=False) as client:
        assert await (await client.handle(handle.id)).result() == "b" * SIZE


async def test_what_is_erased_or_past_its_time_is_removed(outside: Outside, until: Until) -> None:
    async with outside.engine() as engine:
        erased, gone, kept = [await engine.start(gives, letter) for letter in "abc"]
        for handle in (erased, gone, kept):
            await handle.result()
        await until(lambda: len(outside.files) == 3 and not engine.store.places.large(0, 1))
        await engine.erase(erased.run)
        await until(lambda: len(outside.files) == 2)
        assert engine.store.retain(2**60, 10) == 2, "the newest run stays"
        await until(lambda: len(outside.files) == 1)
        assert await kept.result() == "c" * SIZE


async def test_without_the_setting_values_stay_and_those_that_moved_are_looked_after(
    outside: Outside, until: Until
) -> None:
    async with outside.engine() as engine:
        moved = await engine.start(gives, "a")
        await moved.result()
        await until(lambda: bool(engine.store.places.of_run(moved.run)))
    async with outside.engine(settings={"large_values": ""}) as engine:
        stays = await engine.start(gives, "b")
        assert await stays.result() == "b" * SIZE
        assert await (await engine.handle(moved.id)).result() == "a" * SIZE
        await engine.erase(moved.run)
        await until(lambda: not outside.files)
        assert engine.store.places.of_run(stays.run) == []


async def test_while_the_place_is_away_values_stay_where_they_are(
    outside: Outside, until: Until, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    tries = 0

    def away(place: str, data: bytes) -> None:
        nonlocal tries
        tries += 1
        raise StoreUnavailable(f"{place} does not answer: it is away")

    async with outside.engine() as engine:
        with monkeypatch.context() as meanwhile:
            meanwhile.setattr(objects, "put", away)
            handle = await engine.start(keeps, "a")
            await until(lambda: tries >= 3)
            assert caplog.text.count("large values stay where they are for now") == 1
        await until(lambda: bool(engine.store.places.of_run(handle.run)))
        with monkeypatch.context() as meanwhile:
            meanwhile.setattr(objects, "fetch", lambda placed: away(placed[0].place, b""))
            before = tries
            await handle.signal("go")
            await until(lambda: tries >= before + 3)
            assert caplog.text.count("waits for large values") == 1
        assert await handle.result() == SIZE


async def test_a_value_that_somebody_else_removed_is_told(outside: Outside, until: Until) -> None:
    async with outside.engine() as engine:
        handle = await engine.start(keeps, "a")
        await until(lambda: bool(engine.store.places.of_run(handle.run)))
        (file,) = outside.files
        data = file.read_bytes()
        file.unlink()
        await handle.signal("go")
        with pytest.raises(Incident, match="are missing; restore them"):
            await handle.result()
        file.write_bytes(data)
        await handle.retry()
        assert await handle.result(through_incidents=True) == SIZE


@pytest.mark.parametrize("at", ["announced", "put"])
async def test_what_is_left_on_the_way_is_removed(
    outside: Outside, until: Until, monkeypatch: pytest.MonkeyPatch, at: str
) -> None:
    """The process ends before the bytes are there, or before the database knows that they are."""

    def dies(*args: Any) -> None:
        if at == "put":
            put(*args)
        raise StoreUnavailable("the process ends here")

    put = objects.put
    with monkeypatch.context() as meanwhile:
        meanwhile.setattr(objects, "put", dies)
        meanwhile.setattr(objects, "remove", lambda place: None)
        async with outside.engine() as engine:
            handle = await engine.start(gives, "a")
            await handle.result()
            await until(lambda: bool(engine.store.places.leftovers(2**60, 9)))
    assert len(outside.files) >= (at == "put")
    async with outside.engine() as engine:
        await until(lambda: bool(engine.store.places.of_run(handle.run)))
        assert engine.store.places.leftovers(2**60, 9), "it may still be on its way"
    monkeypatch.setattr(placing, "PATIENCE", 0)
    async with outside.engine() as engine:
        await until(lambda: not engine.store.places.leftovers(2**60, 9))
        assert len(outside.files) == 1
        assert await (await engine.handle(handle.id)).result() == "a" * SIZE


async def test_a_place_that_cannot_be_is_refused_to_who_would_move_values_there(outside: Outside) -> None:
    with pytest.raises(InvalidArgument, match="is no URL; a folder is file:"):
        await outside.engine(settings={"large_values": "values"}).open()
    async with outside.engine(settings={"large_values": "values"}, own=False) as client:
        assert await client.list() == []


async def test_a_place_that_never_answers_keeps_nobody_else_waiting(
    outside: Outside, until: Until, monkeypatch: pytest.MonkeyPatch
) -> None:
    never = threading.Event()
    reached: list[str] = []

    def hangs(place: str, *data: bytes) -> bytes:
        reached.append(place)
        never.wait()
        raise StoreUnavailable("the test has ended")

    monkeypatch.setattr(serving, "PLACING", 0.05)
    try:
        async with outside.engine() as engine:
            handle = await engine.start(keeps, "a")
            await until(lambda: bool(engine.store.places.of_run(handle.run)))
        with monkeypatch.context() as meanwhile:
            meanwhile.setattr(objects, "get", hangs)
            async with outside.engine() as engine:
                handle = await engine.handle(handle.id)
                await handle.signal("go")  # which does not wait for the run's values
                await until(lambda: bool(reached))
                other = await engine.start(keeps, "b")
                await other.signal("go")
                assert await other.result() == SIZE
            meanwhile.setattr(objects, "put", hangs)
            async with outside.engine() as engine:
                await engine.start(keeps, "c")
                await until(lambda: len(reached) >= 3)
    finally:
        never.set()
    async with outside.engine() as engine:
        assert await (await engine.handle(handle.id)).result() == SIZE


async def test_a_folder_that_was_away_for_a_while_is_waited_for(outside: Outside, until: Until) -> None:
    async with outside.engine() as engine:
        handle = await engine.start(keeps, "a")
        await until(lambda: bool(engine.store.places.of_run(handle.run)))
        away = outside.folder.rename(outside.folder.with_name("away"))
        for asked in (handle.query("nothing"), handle.update("nothing")):
            with pytest.raises(StoreUnavailable, match="FileNotFoundError"):
                await asked
        await handle.signal("go")
        away.rename(outside.folder)
        assert await handle.result() == SIZE


async def test_one_value_that_the_place_does_not_take_keeps_no_other_from_moving(
    outside: Outside, until: Until, monkeypatch: pytest.MonkeyPatch
) -> None:
    put = objects.put

    def but_for_one(place: str, data: bytes) -> None:
        put(place, data)
        if data[1:2] == b"a":
            raise StoreUnavailable("too large for this place")

    monkeypatch.setattr(objects, "put", but_for_one)
    async with outside.engine() as engine:
        handles = [await engine.start(gives, letter) for letter in "abc"]
        for handle in handles:
            await handle.result()
        await until(lambda: len(engine.store.places.large(0, 9)) == 1 and len(outside.files) == 2)
        await engine.erase(handles[1].run)
        await until(lambda: not engine.store.places.of_run(handles[1].run) and len(outside.files) == 1)


async def test_a_round_goes_on_behind_what_the_place_does_not_take(
    outside: Outside, until: Until, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with outside.engine(settings={"large_values": ""}) as engine:
        for handle in [await engine.start(gives, letter) for letter in "abcd"]:
            await handle.result()
    refuses = Refuses(objects.put)
    monkeypatch.setattr(objects, "put", refuses)
    monkeypatch.setattr(placing, "AT_ONCE", 1)
    monkeypatch.setattr(placing, "PAUSE", 600.0)  # there is no second round
    async with outside.engine() as engine:
        await until(lambda: len(engine.store.places.large(0, 9)) == 1)
        assert (refuses.tries, len(outside.files)) == (1, 3)


async def test_what_the_place_does_not_take_is_left_alone_while_others_come(
    outside: Outside, until: Until, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    refuses = Refuses(objects.put)
    monkeypatch.setattr(objects, "put", refuses)
    monkeypatch.setattr(placing, "PutOff", lambda pause, longest: PutOff(600.0, 600.0))
    async with outside.engine() as engine:
        await (await engine.start(gives, "a")).result()
        await until(lambda: "too large for this place" in caplog.text)
        for letter in "bcd":
            handle = await engine.start(gives, letter)
            await handle.result()
            await until(lambda run=handle.run: bool(engine.store.places.of_run(run)))
    assert (refuses.tries, caplog.text.count("stay where they are for now")) == (1, 1)


async def test_what_cannot_be_removed_keeps_nothing_else_from_going(
    outside: Outside, until: Until, monkeypatch: pytest.MonkeyPatch
) -> None:
    remove = objects.remove
    kept: set[str] = set()

    def but_for_some(place: str) -> None:
        if len(kept) < 2:
            kept.add(place)
        if place in kept:
            raise StoreUnavailable("nobody may remove this")
        remove(place)

    monkeypatch.setattr(placing, "AT_ONCE", 2)
    async with outside.engine() as engine:
        handles = [await engine.start(gives, letter) for letter in "abcdef"]
        for handle in handles:
            await handle.result()
        await until(lambda: len(outside.files) == 6 and not engine.store.places.large(0, 1))
        monkeypatch.setattr(objects, "remove", but_for_some)
        await engine.erase(*[handle.run for handle in handles])
        await until(lambda: len(outside.files) == 2)
        assert set(engine.store.places.leftovers(2**60, 9)) >= kept
        monkeypatch.setattr(objects, "remove", remove)
        await until(lambda: not outside.files)


async def test_several_values_are_on_their_way_at_the_same_time(
    outside: Outside, until: Until, monkeypatch: pytest.MonkeyPatch
) -> None:
    put, remove = objects.put, objects.remove
    on_the_way = threading.Barrier(MOST)
    tries: list[str] = []

    def together(act: Callable[..., None], place: str, *data: bytes) -> None:
        tries.append(place)
        if len(tries) > 1:  # the first goes alone
            on_the_way.wait(30)
        act(place, *data)

    async with outside.engine(settings={"large_values": ""}) as engine:
        handles = [await engine.start(gives, letter) for letter in "abcdefghi"]
        for handle in handles:
            await handle.result()
    monkeypatch.setattr(objects, "put", partial(together, put))
    monkeypatch.setattr(objects, "remove", partial(together, remove))
    async with outside.engine() as engine:
        await until(lambda: not engine.store.places.large(0, 1))
        assert len(outside.files) == len(tries) == MOST + 1
        assert await (await engine.handle(handles[3].id)).result() == "d" * SIZE
    async with outside.engine(own=False) as client:  # run after run; nobody looks meanwhile
        await client.erase(*[handle.run for handle in handles])
    tries.clear()
    async with outside.engine() as engine:
        await until(lambda: not outside.files and not engine.store.places.leftovers(2**60, 1))


async def test_a_place_that_is_away_is_asked_no_more_often_for_many_values(
    outside: Outside, until: Until, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    tries: list[str] = []
    rounds: list[int] = []
    large = Places.large

    def away(place: str, data: bytes) -> None:
        tries.append(place)
        raise StoreUnavailable(f"{place} does not answer: it is away")

    def looks(places: Places, least: int, limit: int) -> dict[str, int]:
        rounds.append(len(tries))
        return large(places, least, limit)

    async with outside.engine(settings={"large_values": ""}) as engine:
        for handle in [await engine.start(gives, letter) for letter in "abcdefghijkl"]:
            await handle.result()
    with monkeypatch.context() as meanwhile:
        meanwhile.setattr(objects, "put", away)
        meanwhile.setattr(Places, "large", looks)
        async with outside.engine() as engine:
            await until(lambda: len(rounds) > 3)
    assert rounds[:4] == [0, IN_A_ROW, 2 * IN_A_ROW, 3 * IN_A_ROW]
    assert caplog.text.count("large values stay where they are for now") == 1


async def test_what_arrives_after_its_place_was_given_up_is_removed(
    outside: Outside, until: Until, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process is held up in the middle of a move for so long that somebody else has cleaned up behind it."""
    put = objects.put
    late: list[str] = []

    async with outside.engine() as engine:
        places = engine.store.places

        def held_up(place: str, data: bytes) -> None:
            if not late:
                late.append(place)
                places.cleared(places.condemn([place]))
            put(place, data)

        monkeypatch.setattr(objects, "put", held_up)
        handle = await engine.start(gives, "a")
        await until(lambda: bool(places.of_run(handle.run)))
        assert [value.place for value in places.of_run(handle.run)] != late
        assert len(outside.files) == 1


async def test_what_a_value_has_just_got_to_is_not_removed(
    outside: Outside, until: Until, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was announced so long ago that it is looked at as a leftover, and arrives between look and removal."""
    async with outside.engine(settings={"large_values": ""}) as engine:
        handle = await engine.start(gives, "a")
        await handle.result()
        (ref,) = engine.store.places.large(0, 9)
        place = objects.place_under(outside.folder.as_uri(), ref)
        engine.store.places.announce([place], 1)
        objects.put(place, engine.store.blobs([ref])[ref])
    leftovers, looks = Places.leftovers, 0

    def arrives(places: Places, before: int, limit: int) -> list[str]:
        nonlocal looks
        looks += 1
        found = leftovers(places, before, limit)
        if limit > 1 and found:
            assert places.settle([Placed(ref, place)])
        return found

    monkeypatch.setattr(Places, "leftovers", arrives)
    async with outside.engine(settings={"large_values": ""}) as engine:
        await until(lambda: looks >= 3)
        assert engine.store.places.of_run(handle.run) == [Placed(ref, place)]
        assert await (await engine.handle(handle.id)).result() == "a" * SIZE


@pytest.mark.on_file
async def test_a_backup_from_before_its_values_were_dropped(outside: Outside, until: Until, tmp_path: Path) -> None:
    async with outside.engine() as engine:
        handle = await engine.start(keeps, "a")
        await until(lambda: bool(engine.store.places.of_run(handle.run)))
        engine.store.backup(str(tmp_path / "monday.db"))
        data = outside.files[0].read_bytes()
        await handle.signal("go")
        await handle.result()
        await engine.erase(handle.run)
        await until(lambda: not outside.files)
    restore(str(tmp_path / "monday.db"), outside.database)
    async with outside.engine() as engine:
        handle = await engine.handle(handle.id)
        await handle.signal("go")
        with pytest.raises(Incident, match="are missing; restore them from a backup"):
            await handle.result()
        (value,) = engine.store.places.of_run(handle.run)
        objects.put(value.place, data)  # as the object store brings it back
        await handle.retry()
        assert await handle.result(through_incidents=True) == SIZE


KILLED = """
import asyncio
import sys
from segue import Engine, Settings
from segue.runtime import placing
from test_placing import gives

placing.PAUSE = 0.001
placing.PATIENCE = 10_000_000

async def main():
    async with Engine(sys.argv[1], settings=Settings(large_values=sys.argv[2], lease=1, lost_limit=9)) as engine:
        print("ready", flush=True)
        for n in range(0, 1_000, 20):
            handles = [await engine.start(gives, chr(256 + m), id=f"{sys.argv[3]}-{m}") for m in range(n, n + 20)]
            for handle in handles:
                await handle.result()

asyncio.run(main())
"""


@contextmanager
def program(code: str, outside: Outside, *more: str) -> Iterator[subprocess.Popen[bytes]]:
    """A process of its own over the same database and folder, which is killed in the end."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(Path(__file__).parent), *sys.path])}
    arguments = [sys.executable, "-c", code, outside.database, outside.folder.as_uri(), *more]
    with subprocess.Popen(arguments, env=environment, stdout=subprocess.PIPE) as child:
        try:
            yield child
        finally:
            child.kill()


async def test_nothing_is_lost_or_left_when_the_process_is_killed(
    outside: Outside, until: Until, monkeypatch: pytest.MonkeyPatch
) -> None:
    luck = random.Random(7)
    for attempt in range(4):
        with program(KILLED, outside, str(attempt)) as child:
            assert child.stdout is not None
            child.stdout.readline()
            with pytest.raises(subprocess.TimeoutExpired):
                child.wait(luck.uniform(0.1, 0.7))
    async with outside.engine(settings={"lost_limit": 9}) as engine:  # a step may be under way at each of the kills
        await until(lambda: not engine.store.places.large(0, 1) and engine.quiescent)
        for row in engine.store.list(RunFilter(limit=5_000)):
            result = await (await engine.handle(row.id)).result()
            assert (len(result), set(result)) == (SIZE, {result[0]})
    monkeypatch.setattr(placing, "PATIENCE", 0)
    async with outside.engine() as engine:
        await until(lambda: not engine.store.places.leftovers(2**60, 1))
        assert len(outside.files) == engine.store.stats().payloads


HELD = """
import asyncio
import os
import sys
import threading
from segue import Engine, Settings
from segue.stores import objects
from segue.stores.sql.places import Places
from test_placing import gives

act, at = {"put": (objects.put, objects), "settle": (Places.settle, Places)}[sys.argv[3]]
calls = []

def held(*args):
    calls.append(args)
    found = act(*args)
    if len(calls) > 1:  # the first goes alone
        os.write(1, b"held\\n")  # in one piece
        threading.Event().wait()
    return found

setattr(at, sys.argv[3], held)

async def main():
    async with Engine(sys.argv[1], settings=Settings(large_values=sys.argv[2], lease=1)):
        await asyncio.Event().wait()

asyncio.run(main())
"""


@pytest.mark.parametrize(("at", "held"), [("put", MOST), ("settle", 1)])
async def test_the_process_is_killed_with_several_values_on_their_way(
    outside: Outside, until: Until, monkeypatch: pytest.MonkeyPatch, at: str, held: int
) -> None:
    """Killed when the bytes of all are there and the database does not know it, or when it knows it of some of them."""
    letters = "abcdefghijkl"
    async with outside.engine(settings={"large_values": ""}) as engine:
        handles = [await engine.start(gives, letter) for letter in letters]
        for handle in handles:
            await handle.result()
    with program(HELD, outside, at) as child:
        assert child.stdout is not None
        for _ in range(held):
            assert child.stdout.readline() == b"held\n"
    async with outside.engine(settings={"large_values": ""}) as engine:
        places = engine.store.places
        moved, left = [each for handle in handles for each in places.of_run(handle.run)], places.leftovers(2**60, 99)
        assert 0 < len(moved) <= len(letters) - len(places.large(0, 99))
        if at == "put":
            assert len(left) == MOST, "each is known by name"
        assert set(left).isdisjoint(each.place for each in moved)
        assert {file.as_uri() for file in outside.files} <= {*left, *[each.place for each in moved]}
        for handle, letter in zip(handles, letters, strict=True):
            assert await (await engine.handle(handle.id)).result() == letter * SIZE
    monkeypatch.setattr(placing, "PATIENCE", 0)
    async with outside.engine() as engine:
        await until(lambda: not engine.store.places.large(0, 1) and not engine.store.places.leftovers(2**60, 1))
        assert len(outside.files) == len(letters)
        for handle, letter in zip(handles, letters, strict=True):
            assert await (await engine.handle(handle.id)).result() == letter * SIZE
