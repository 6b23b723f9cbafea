"""What the database cannot store: its run stands still and says so, whoever asked is told, and all others go on.

The limit is SQLite's own, set low: a text or blob beyond it is refused as one beyond a gigabyte is.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import apsw
import pytest
from fault_kit import act, until

import segue
from segue import Engine, Incident, signal, step, workflow
from segue.errors import InvalidArgument
from segue.kernel import events as e
from segue.runtime.settings import Settings
from segue.stores.sqlite.store import SqliteStore

LIMIT = 50_000
TOO_LONG = "x" * 60_000
World = Callable[[], list[str]]


def allow(store: SqliteStore, length: int) -> None:
    store._writer.connection.raw.limit(apsw.SQLITE_LIMIT_LENGTH, length)


@pytest.fixture
def store(tmp_path: Path) -> SqliteStore:
    store = SqliteStore.open(tmp_path / "test.db")
    allow(store, LIMIT)
    return store


@pytest.fixture(params=[1000, 0], ids=["kept", "evicted"])
async def engine(request: pytest.FixtureRequest, store: SqliteStore) -> AsyncIterator[Engine]:
    async with Engine(store=store, settings=Settings(cache=request.param)) as engine:
        yield engine


lengths: dict[str, int] = {}


@step
async def grows(name: str) -> str:
    act(name)
    return "x" * lengths[name]


@step
async def fine(n: int) -> int:
    act("fine")
    return n


@workflow
async def publishes(n: int) -> int:
    found = await fine(n)
    segue.publish("text", "x" * lengths["published"])
    return found


@workflow
async def passes_by(n: int) -> int:
    mail = signal("word")
    return await fine(n) + mail.pending()


@workflow
async def takes_the_result(name: str) -> int:
    return len(await grows(name))


async def test_the_run_stands_still_once_and_the_others_go_on(engine: Engine, world: World) -> None:
    lengths["published"] = 60_000
    handles = await asyncio.gather(*[engine.start(passes_by, n) for n in range(20)], engine.start(publishes, 1))
    assert await asyncio.gather(*[handle.result() for handle in handles[:-1]]) == list(range(20))
    with pytest.raises(Incident, match=r"the database cannot store .*too big.*segue retry") as caught:
        await handles[-1].result(timeout=10)
    assert caught.value.cause == "unstorable"
    opened = [r for r in await handles[-1].history() if isinstance(r.event, e.IncidentOpened)]
    assert len(opened) == 1
    assert len(world()) == 21


async def test_it_goes_on_after_repair_and_repeats_nothing(engine: Engine, store: SqliteStore, world: World) -> None:
    lengths["published"] = 60_000
    handle = await engine.start(publishes, 7)
    with pytest.raises(Incident):
        await handle.result(timeout=10)
    lengths["published"] = 10
    await handle.retry()
    assert await handle.result(timeout=10, through_incidents=True) == 7
    assert len(world()) == 1, "the step's outcome was kept"


async def test_an_outcome_that_is_the_cause_is_forgotten_and_made_anew(engine: Engine, world: World) -> None:
    lengths["a"] = 60_000
    handle = await engine.start(takes_the_result, "a")
    await until(lambda: _incidents(engine, handle.run) == 1)
    await handle.retry()
    await until(lambda: _incidents(engine, handle.run) == 2)
    assert len(world()) == 1
    lengths["a"] = 5
    await handle.retry()
    assert await handle.result(timeout=10, through_incidents=True) == 5
    assert len(world()) == 2


def _incidents(engine: Engine, run: int) -> int:
    return sum(isinstance(event, e.IncidentOpened) for _, event in engine.events_of(run))


async def test_a_caller_whose_operation_cannot_be_stored_is_told(engine: Engine) -> None:
    handle = await engine.start(passes_by, 0, id="a")
    mixed = [engine.start(passes_by, n, id=TOO_LONG if n == 3 else f"r{n}") for n in range(6)]
    answers = await asyncio.gather(*mixed, return_exceptions=True)
    assert [n for n, answer in enumerate(answers) if isinstance(answer, InvalidArgument)] == [3]
    with pytest.raises(InvalidArgument, match="may have 1,000: shorten it"):
        raise answers[3]  # type: ignore[misc]
    for n in (0, 1, 2, 4, 5):
        assert await (await engine.handle(f"r{n}")).result(timeout=10) == n
    assert await handle.result(timeout=10) == 0


async def test_so_is_one_of_another_process(engine: Engine, tmp_path: Path) -> None:
    async with Engine(f"sqlite:///{tmp_path}/test.db", own=False) as client:
        allow(client.store, LIMIT)  # type: ignore[arg-type]
        with pytest.raises(InvalidArgument, match="may have 1,000: shorten it"):
            await client.start(passes_by, 1, id=TOO_LONG)
        assert await (await client.start(passes_by, 1, id="a")).result(timeout=10) == 1
