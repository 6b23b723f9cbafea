"""Two releases of one body of code, and a worker that has one of them: ``upgrade_program.py URL RELEASE LEASE``.

``ships`` is pinned: a run ends on the version that it began with. ``counts`` is rolling: it goes on with whatever code
its worker has.
"""

from __future__ import annotations

import asyncio
import logging
import os
import sys
from typing import Any

import fleet_program
from fleet_program import act

from segue import signal, workflow


@workflow(name="ships", version="1", versioning="pinned")
async def ships_1(n: int) -> str:
    await act(f"{n} packed by 1")
    word = await signal("go", str)
    return await act(f"{n} {word} by 1")


@workflow(name="ships", version="2", versioning="pinned")
async def ships_2(n: int) -> str:
    await act(f"{n} weighed by 2")
    await act(f"{n} packed by 2")
    word = await signal("go", str)
    return await act(f"{n} {word} by 2")


if os.environ.get("RELEASE") == "2":

    @workflow(name="counts")
    async def counts(n: int) -> list[str]:
        return [await act(f"{n}-{part}") for part in range(3)]

else:

    @workflow(name="counts")
    async def counts(n: int) -> list[str]:
        found = []
        for part in range(3):
            found.append(await act(f"{n}-{part}"))
        return found


RELEASES: dict[str, list[Any]] = {"1": [ships_1, counts], "2": [ships_2, counts]}


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(message)s")
    url, release, lease = sys.argv[1:]
    asyncio.run(fleet_program.main(url, "default", float(lease), workflows=RELEASES[release]))
