"""Runs a workflow, prints its spans as lines of JSON, and dies at a commit: ``traced_program.py FILE AT SIDE``."""

from __future__ import annotations

import asyncio
import sys

from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import ConsoleSpanExporter, SimpleSpanProcessor

from segue import Engine, Retry, signal, step, workflow
from segue.stores.faults import CrashAfter, CrashBefore, FaultyStore, exit_process
from segue.stores.sqlite import SqliteStore

tries: list[int] = []


@step(retry=Retry(attempts=3, initial="1ms"))
async def shaky() -> int:
    tries.append(1)
    if len(tries) == 1:
        raise ValueError("not yet")
    return len(tries)


@workflow
async def child(n: int) -> int:
    return n


@workflow
async def traced() -> str:
    await shaky()
    await asyncio.sleep(0.001)
    await child(1)
    return await signal("go", str)


async def main(path: str, at: int, side: str) -> None:
    provider = TracerProvider()
    exporter = ConsoleSpanExporter(formatter=lambda span: span.to_json(indent=None) + "\n")
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    fault = (CrashBefore if side == "before" else CrashAfter)(exit_process)
    store = FaultyStore(SqliteStore.open(path), {at: fault})
    async with Engine(store=store, tracer_provider=provider) as engine:
        handle = await engine.start(traced, id="a")
        await handle.signal("go", "on", message="once")
        await handle.result()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2]), sys.argv[3]))
