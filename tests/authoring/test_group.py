"""Transaction groups: commit hooks in order when all succeeded, rollback hooks in the opposite order when not."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from segue import Engine, Incident, RunFailed, group, step, workflow
from segue.runtime.settings import Settings

done: list[str] = []
broken: set[str] = set()


@pytest.fixture(autouse=True)
def afresh() -> None:
    done.clear()
    broken.clear()


@pytest.fixture(params=[1000, 0], ids=["kept", "evicted"])
async def engine(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Engine]:
    async with Engine(f"sqlite:///{tmp_path}/test.db", settings=Settings(cache=request.param)) as engine:
        yield engine


@step
async def write(name: str) -> str:
    done.append(f"write {name}")
    if name in broken:
        raise OSError(f"{name} is full")
    return f"{name}.tmp"


@step
async def publish(name: str, path: str) -> None:
    done.append(f"publish {path}")
    if path in broken:
        raise OSError(f"{path} is gone")


@step
async def remove(name: str, path: str | None) -> None:
    done.append(f"remove {name} {path}")


@step
async def tell(text: str) -> None:
    done.append(text)


@workflow
async def two(first: str, second: str) -> str:
    async with group() as g:
        path = await g.step(write, first, commit=publish, rollback=remove)
        await g.step(write, second, commit=publish, rollback=remove)
        g.on_commit(tell, "all there")
        g.on_rollback(tell, "nothing there")
    return path


@workflow
async def nested(fail: str) -> None:
    async with group() as outer:
        await outer.step(write, "a", commit=publish, rollback=remove)
        try:
            async with group(within=outer) as inner:
                await inner.step(write, "b", commit=publish, rollback=remove)
                if fail == "inner":
                    raise RuntimeError("inner")
        except RuntimeError:
            pass
        assert not any(line.startswith("publish") for line in done)
        if fail == "outer":
            raise RuntimeError("outer")


async def test_commit_hooks_run_in_order_once_all_have_succeeded(engine: Engine) -> None:
    assert await (await engine.start(two, "a", "b")).result() == "a.tmp"
    assert done == ["write a", "write b", "publish a.tmp", "publish b.tmp", "all there"]


async def test_rollback_hooks_run_in_the_opposite_order(engine: Engine) -> None:
    broken.add("b")
    with pytest.raises(RunFailed, match="b is full"):
        await (await engine.start(two, "a", "b")).result()
    assert done == ["write a", "write b", "remove b None", "remove a a.tmp"]


async def test_a_commit_hook_that_fails_for_good_stands_still_and_goes_on(engine: Engine) -> None:
    broken.add("a.tmp")
    handle = await engine.start(two, "a", "b")
    with pytest.raises(Incident, match=r"a\.tmp is gone"):
        await handle.result()
    assert done == ["write a", "write b", "publish a.tmp"]

    broken.clear()
    await handle.retry()
    assert await handle.result() == "a.tmp"
    assert done[3:] == ["publish a.tmp", "publish b.tmp", "all there"]


async def test_a_group_within_another_commits_with_it(engine: Engine) -> None:
    await (await engine.start(nested, "")).result()
    assert done == ["write a", "write b", "publish a.tmp", "publish b.tmp"]


async def test_a_group_within_another_rolls_back_with_it(engine: Engine) -> None:
    with pytest.raises(RunFailed, match="outer"):
        await (await engine.start(nested, "outer")).result()
    assert done == ["write a", "write b", "remove b b.tmp", "remove a a.tmp"]
