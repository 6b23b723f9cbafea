"""Short runs that are deleted soon after their end, and a worker for them: ``sustained_program.py URL APP LEASE``."""

from __future__ import annotations

import asyncio
import logging
import os
import sys

import fleet_program

from segue import Retention, step, workflow

KEEP = os.environ.get("SUSTAINED_KEEP", "5s")


@step
async def adds(n: int) -> int:
    return n + 1


@workflow
async def passes(n: int) -> int:
    return await adds(await adds(n))


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(message)s")
    url, app, lease = sys.argv[1:]
    asyncio.run(fleet_program.main(url, app, float(lease), retention=(Retention(KEEP),)))
