"""Signals of one sender keep their order while a run moves from owner to owner."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from fleet_kit import until

from segue import Engine, Settings, signal, workflow

pytestmark = pytest.mark.xdist_group("fleet")


@workflow
async def hears_two() -> list[str]:
    return [await signal("word", str), await signal("word", str)]


async def test_a_signal_does_not_overtake_one_that_was_sent_when_the_run_was_elsewhere(
    postgres_database: Callable[[], str],
) -> None:
    url = postgres_database()
    unhurried = Settings(lease=2.0, poll=3600.0, slow_poll=3600.0)  # nobody looks into an inbox of its own accord
    async with Engine(url, workflows=[hears_two], settings=unhurried) as first:
        await first.start(hears_two, id="a")
        async with Engine(url, workflows=[hears_two], settings=unhurried) as second:
            handle = await second.handle("a", list[str])
            await handle.signal("word", "one")
            run = first.store.find("default", "a")
            assert run is not None
            assert run.state == "waiting"
            slot = run.slot
            await first.close()
            await until(lambda: owns(second, slot))
            await handle.signal("word", "two")
            assert await handle.result(timeout=30) == ["one", "two"]


def owns(engine: Engine, slot: int) -> bool:
    return engine._duty is not None and engine._duty.conductor.owns(slot)
