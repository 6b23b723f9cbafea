"""Results by reference: what the workflow holds, where values are loaded, whose they are, and how they go."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import numpy
import pytest

from segue import Cache, Engine, Ref, RunFailed, signal, step, workflow
from segue.encodings.aesgcm import AesGcm
from segue.errors import InvalidArgument, NotInWorkflow, PayloadError
from segue.kernel import events as e
from segue.kernel.reference import MARK
from segue.runtime.settings import Settings

calls: list[Any] = []


class Row(msgspec.Struct):
    n: int
    text: str = ""


@pytest.fixture(autouse=True)
def afresh() -> None:
    calls.clear()


@step
async def extract(n: int) -> list[Row]:
    return [Row(n, "x" * 10), Row(n + 1)]


@step(cache=Cache())
def table(n: int) -> dict[str, numpy.ndarray]:
    calls.append(n)
    return {"column": numpy.arange(n)}


@step
async def count(rows: Ref[list[Row]]) -> int:
    return sum(row.n for row in await rows.load())


@step
def total(tables: list[Ref[dict[str, numpy.ndarray]]]) -> int:
    return sum(int(one.load_sync()["column"].sum()) for one in tables)


@step(executor="process")
def total_elsewhere(one: Ref[list[Row]]) -> str:
    return "".join(row.text for row in one.load_sync())


@workflow
async def counted(n: int) -> int:
    rows = await extract.by_reference()(n)
    assert isinstance(rows, Ref)
    return await count(rows)


@workflow
async def many(n: int) -> int:
    mapped = await table.by_reference().map(range(n), concurrency=3)
    return await total(mapped.all())


class Limits(msgspec.Struct):
    most: int = 10


@step
async def first(rows: list[Row]) -> int:
    return rows[0].n


@step
async def limited(by: Limits | None) -> int:
    return 0 if by is None else by.most


@workflow
async def mistaken(name: str) -> int:
    rows: Any = await extract.by_reference()(1)
    return await (first if name == "first" else limited)(rows)


@workflow
async def elsewhere() -> str:
    return await total_elsewhere(await extract.by_reference()(1))


@workflow
async def hands_out(n: int) -> Ref[list[Row]]:
    return await extract.by_reference()(n)


@workflow
async def takes(rows: Ref[list[Row]]) -> int:
    return await count(rows)


@workflow
async def waits() -> int:
    return await count(await signal("rows", Ref[list[Row]]))


@workflow
async def both(n: int) -> list[int]:
    """The same cached step, once by reference and once not."""
    ref = await table.by_reference()(n)
    return [await total([ref]), len((await table(n))["column"])]


@workflow
async def loads_itself() -> None:
    await (await extract.by_reference()(1)).load()


@pytest.fixture(params=["open", "sealed"])
async def engine(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Engine]:
    codec = AesGcm({"k": b"0" * 32}) if request.param == "sealed" else None
    async with Engine(f"sqlite:///{tmp_path}/test.db", codec=codec, settings=Settings(cache=0)) as engine:
        yield engine


async def result(engine: Engine, workflow: Any, *args: Any) -> Any:
    return await (await engine.start(workflow, *args)).result()


async def test_a_value_is_loaded_as_its_type_where_it_is_wanted(engine: Engine) -> None:
    handle = await engine.start(counted, 5)
    assert await handle.result() == 11
    made = (await handle.history())[1].event
    assert isinstance(made, e.StepCompleted)
    assert MARK in bytes(made.result.data)
    assert b"xxx" not in bytes(made.result.data)
    assert len(engine.store.refs(handle.run)) == 1


async def test_many_values_are_joined_without_passing_through_the_workflow(engine: Engine) -> None:
    handle = await engine.start(many, 20)
    assert await handle.result() == sum(n * (n - 1) // 2 for n in range(20))
    longest = max(len(data) for _, data in engine.store.journal(handle.run))
    assert longest < 8_000, "the references to all of them, and no value"
    assert len(engine.store.refs(handle.run)) == 20


async def test_a_step_in_another_process_loads_one(engine: Engine) -> None:
    if engine._codec is None:
        assert await result(engine, elsewhere) == "x" * 10


async def test_a_result_outlives_the_run_that_made_it_in_the_runs_that_refer_to_it(engine: Engine) -> None:
    ref = await result(engine, hands_out, 3)
    assert isinstance(ref, Ref)
    assert await engine.load(ref) == [Row(3, "x" * 10), Row(4)]
    taking = await engine.start(takes, ref)
    waiting = await engine.start(waits)
    await waiting.signal("rows", ref)
    assert await taking.result() == await waiting.result() == 7

    for left in (2, 1):
        assert engine.store.retain(2**60, 1) == 1
        assert len(engine.store.blobs([ref.segue_ref])) == 1, f"{left} runs refer to it"
    await result(engine, counted, 100)
    assert engine.store.retain(2**60, 1) == 1
    assert engine.store.blobs([ref.segue_ref]) == {}
    with pytest.raises(PayloadError, match="is gone"):
        await engine.load(ref)


async def test_erasure_takes_the_value_along(engine: Engine) -> None:
    handle = await engine.start(hands_out, 3)
    ref = await handle.result()
    await engine.erase(handle.run)
    assert engine.store.blobs([ref.segue_ref]) == {}


async def test_a_cached_reference_and_a_cached_value_are_kept_apart(engine: Engine) -> None:
    assert await result(engine, both, 4) == [6, 4]
    assert await result(engine, both, 4) == [6, 4]
    assert calls == [4, 4]
    assert await engine.invalidate(table) == 2


async def test_a_workflow_does_not_load(engine: Engine) -> None:
    with pytest.raises(Exception, match="belongs into a step"):
        await result(engine, loads_itself)


@pytest.mark.parametrize("name", ["first", "limited"])
async def test_a_reference_does_not_pass_for_another_value(engine: Engine, name: str) -> None:
    with pytest.raises(RunFailed, match=r"is declared .*, but Ref\(.* is a Ref: declare it Ref\[…\], and load it in"):
        await (await engine.start(mistaken, name)).result()


async def test_outside_it_says_what_to_do_instead() -> None:
    with pytest.raises(NotInWorkflow, match="call extract itself"):
        await extract.by_reference()(1)

    @step.transaction
    def writes(db: Any) -> int:
        return 1

    with pytest.raises(InvalidArgument, match="transactional"):
        writes.by_reference()
