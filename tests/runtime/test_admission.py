"""Many runs that are asked for at once: those that have begun are brought to their end before others begin."""

from __future__ import annotations

import asyncio

from segue import Engine, step, workflow
from segue.runtime.writer import OPERATIONS_PER_BATCH


@step
async def add(n: int) -> int:
    return n + 1


@workflow
async def three_steps(n: int) -> int:
    for _ in range(3):
        n = await add(n)
    return n


async def test_runs_end_while_others_have_not_begun(engine: Engine) -> None:
    begun: list[int] = []
    ended: list[int] = []

    async def one(number: int) -> None:
        handle = await engine.start(three_steps, number)
        begun.append(number)
        assert await handle.result() == number + 3
        ended.append(number)
        if len(ended) == OPERATIONS_PER_BATCH:
            waiting.append(runs - len(begun))

    waiting: list[int] = []
    runs = 6 * OPERATIONS_PER_BATCH
    await asyncio.gather(*[one(number) for number in range(runs)])
    assert sorted(ended) == list(range(runs))
    assert waiting[0] > 0
