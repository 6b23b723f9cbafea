"""Two bodies of code with a name in common, and a worker that has one: ``shop_program.py URL BODY LEASE``."""

from __future__ import annotations

import asyncio
import logging
import os
import sys
from typing import Any

import fleet_program

from segue import workflow

if os.environ.get("BODY") == "2":

    @workflow
    async def fulfil(n: int) -> str:
        return await fleet_program.act(f"{n} by 2")

else:

    @workflow
    async def fulfil(n: int) -> str:
        done = await fleet_program.act(f"{n} by 1")
        return done.upper()


@workflow
async def recount(n: int) -> str:
    return await fleet_program.act(f"{n} recounted")


@workflow(name="parcel", version="1", versioning="pinned")
async def parcel_1(n: int) -> str:
    return await fleet_program.act(f"{n} by 1")


@workflow(name="parcel", version="2", versioning="pinned")
async def parcel_2(n: int) -> str:
    return await fleet_program.act(f"{n} by 2")


BODIES: dict[str, list[Any]] = {"1": [fulfil, recount, parcel_1], "2": [fulfil, parcel_2]}


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(message)s")
    url, body, lease = sys.argv[1:]
    asyncio.run(fleet_program.main(url, "default", float(lease), workflows=BODIES[body]))
