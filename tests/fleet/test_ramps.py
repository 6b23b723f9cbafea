"""Versions that are ramped up by one of several workers, for runs that another one starts without their code."""

from __future__ import annotations

from collections.abc import Callable

from fleet_kit import until

from segue import Engine, Schedule, Settings, workflow
from segue.authoring.python.definitions import Workflow
from segue.recurrence.rules import Every


@workflow(name="fleet.ramps.other")
async def other() -> None:
    pass


async def _order() -> str:
    return "done"


ONE = Workflow(_order, "fleet.ramps.order", version="1", versioning="pinned")
TWO = Workflow(_order, "fleet.ramps.order", version="2", versioning="pinned", ramp=50)
IDS = [f"order-{number}" for number in range(12)]


async def test_a_worker_without_the_code_gives_the_versions_that_another_one_has(
    postgres_database: Callable[[], str],
) -> None:
    url = postgres_database()
    settings = Settings(lease=5.0, poll=0.02, slow_poll=0.1)
    async with (
        Engine(url, settings=settings, workflows=[ONE, TWO]) as one,
        Engine(url, settings=settings, workflows=[other]) as without,
    ):
        known = [one.definitions.version("fleet.ramps.order", id) for id in IDS]
        assert set(known) == {ONE.version, TWO.version}
        duty = without._duty
        assert duty is not None
        await until(lambda: [duty.conductor.version("fleet.ramps.order", id) for id in IDS] == known)
        await one.schedules.create("s", ONE, Schedule(Every("1h")), paused="by hand only")
        for _ in IDS:
            handle = await without.schedules.trigger("s")
            assert (await handle.status()).version == one.definitions.version("fleet.ramps.order", handle.id)
