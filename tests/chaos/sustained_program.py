"""Short runs that are deleted soon after their end, and a worker for them: ``sustained_program.py URL APP LEASE``."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import sys

from segue import Engine, Retention, Settings, step, workflow

KEEP = os.environ.get("SUSTAINED_KEEP", "5s")


@step
async def adds(n: int) -> int:
    return n + 1


@workflow
async def passes(n: int) -> int:
    return await adds(await adds(n))


async def main(url: str, app: str, lease: float) -> None:
    settings = Settings(lease=lease, retention=(Retention(KEEP),))
    async with Engine(url, app=app, settings=settings):
        print("works", flush=True)
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(message)s")
    asyncio.run(main(sys.argv[1], sys.argv[2], float(sys.argv[3])))
