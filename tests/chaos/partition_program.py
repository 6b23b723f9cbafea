"""A worker on partitions so small that they come and go all the time: ``partition_program.py URL APP LEASE``."""

from __future__ import annotations

import asyncio
import logging
import sys

import fleet_program
from sustained_program import passes

from segue import Retention
from segue.runtime import retention, upkeep
from segue.stores.postgres import partitions

__all__ = ["passes"]

RUNS = 30
"""In the smallest partition."""
KEEP = "3s"


def hurry() -> None:
    """Has this process do every moment what it would do by the day."""
    partitions.LEAST, partitions.MARGIN, partitions.LEAD, partitions.TRY_AGAIN = RUNS, RUNS // 2, 4 * RUNS, 0.1
    partitions.DAY = 1_000_000
    upkeep.PAUSE = 0.1
    retention.LULL = 200_000


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(message)s")
    hurry()
    url, app, lease = sys.argv[1:]
    asyncio.run(fleet_program.main(url, app, float(lease), retention=(Retention(KEEP),)))
