"""A worker loses its lease in moments in which it is busy with something else."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import fleet_program
import psycopg
import pytest
from fleet_kit import Fleet, until

from segue import Engine, Settings, workflow
from segue.errors import FenceLost
from segue.stores.base import Fence
from segue.stores.postgres.store import PostgresStore

pytestmark = pytest.mark.xdist_group("fleet")
UNHURRIED = Settings(lease=30.0)


@workflow
async def idle() -> str:
    return "done"


class Overtaken(PostgresStore):
    """Somebody throws the worker out in the moment in which it has joined, the first time."""

    struck = False

    def own(self, app: str, worker: str, serves: Mapping[str, str] | None = None) -> Fence:
        fence = super().own(app, worker, serves)
        assert fence is not None
        if not self.struck:
            self.struck = True
            with psycopg.connect(self.address.target, autocommit=True) as connection:
                connection.execute("DELETE FROM segue.owners WHERE epoch = %s", (fence.epoch,))
        return fence


async def test_an_engine_whose_lease_is_lost_while_it_begins_stands_by(postgres_database: Callable[[], str]) -> None:
    url = postgres_database()
    PostgresStore.open(url).close()
    store = Overtaken(url, 30.0)
    async with Engine(url, store=store, settings=UNHURRIED) as engine:
        assert store.struck
        await until(lambda: engine.owner)
        assert await (await engine.start(idle)).result(timeout=30) == "done"


async def test_a_loss_that_is_noticed_late_is_not_taken_for_one_of_the_next_lease(fleet: Fleet) -> None:
    async with Engine(fleet.url, settings=UNHURRIED) as engine:
        before = engine._duty
        assert before is not None
        fleet.query("DELETE FROM segue.owners RETURNING epoch")
        engine.dispossessed(FenceLost("the test says so"))
        await until(lambda: engine.owner)
        begun = engine._duty
        before.conductor.dispossessed(FenceLost("a commit that was under way says so, too"))
        assert engine._duty is begun
        assert await (await engine.start(fleet_program.walks, 1)).result(timeout=30) == [f"1-{i}" for i in range(4)]
