"""A server whose runs are in several states, for requests that nobody thought of."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from api_kit import QUICK

import segue
from segue import Cron, Engine, Schedule, approval, query, signal, step, update, workflow
from segue.server.access import Loopback
from segue.server.accounts import Accounts
from segue.server.app import application
from segue.server.listening import listen


@step(on_exhausted="incident")
async def breaks(by: str) -> str:
    raise ValueError(by)


@workflow(name="schema_stands")
async def stands(by: str) -> str:
    return await breaks(by)


@workflow(name="schema_waits")
async def waits() -> list[str]:
    got: list[str] = []

    @query
    def so_far() -> list[str]:
        return got

    @update
    async def add(text: str) -> int:
        got.append(text)
        return len(got)

    segue.artifact.markdown("note", "text")
    return [*got, await signal("more", str)]


@workflow(name="schema_asks")
async def asks(amount: int) -> bool:
    return (await approval("manager", subject={"amount": amount})).approved


@workflow(name="schema_done")
async def done(n: int) -> int:
    return n


@asynccontextmanager
async def serving(url: str) -> AsyncIterator[str]:
    """The address."""
    async with Engine(url, workflows=[stands, waits, asks, done]) as engine:
        await engine.start(stands, "x")
        await engine.start(waits)
        await engine.start(asks, 7)
        await (await engine.start(done, 1)).result()
        await engine.schedules.create("nightly", done, Schedule(Cron("0 2 * * *"), args=(1,)))
        quick = Accounts(engine.store.accounts, engine.clock.now, QUICK)
        listening = listen(application(engine, Loopback("ann"), accounts=quick), port=0)
        yield listening.url
        await listening.close()
