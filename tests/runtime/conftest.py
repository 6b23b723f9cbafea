"""An engine on a file of its own, once with runs that stay in memory and once with every idle run dropped at once."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from segue import Engine
from segue.runtime.settings import Settings
from segue.stores.base import OPEN, RunFilter

sys.path.insert(0, str(Path(__file__).parent))  # for the kits in this folder, which are no tests


@pytest.fixture(params=[1000, 0], ids=["kept", "evicted"])
def settings(request: pytest.FixtureRequest) -> Settings:
    return Settings(cache=request.param)


@pytest.fixture
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A new database; a file, or with ``--postgres`` one on the server."""
    if request.config.getoption("postgres"):
        make: Callable[[], str] = request.getfixturevalue("postgres_database")
        return make()
    return f"sqlite:///{tmp_path}/test.db"


@pytest.fixture
async def engine(url: str, settings: Settings) -> AsyncIterator[Engine]:
    async with Engine(url, settings=settings) as engine:
        yield engine
        await _nothing_is_left(engine)


async def _nothing_is_left(engine: Engine) -> None:
    """When all runs are closed, the runtime holds nothing on their behalf."""
    # Looked at once: a run that is still open now may be closed, and yet in memory, at a second look.
    if engine._duty is None or engine.store.list(RunFilter(states=OPEN)):
        return
    conductor = engine._duty.conductor
    for _ in range(500):  # a commit that is acknowledged from another thread may be on its way yet
        if not conductor.residents:
            break
        await asyncio.sleep(0.01)
    held = {
        name: found
        for name, found in vars(conductor).items()
        if name in ("residents", "idle", "waiters", "followers", "updates", "salvaged") and found
    }
    assert held == {}
    assert conductor.timers.next is None
    assert engine._duty.mail._halted == {}


@pytest.fixture
def until() -> Callable[[Callable[[], bool | Awaitable[bool]]], Awaitable[None]]:
    """Waits for a condition, looking every few milliseconds; a test that waits in vain fails after thirty seconds."""

    async def until(condition: Callable[[], bool | Awaitable[bool]]) -> None:
        async with asyncio.timeout(30):
            while True:
                found = condition()
                if found if isinstance(found, bool) else await found:
                    return
                await asyncio.sleep(0.002)

    return until
