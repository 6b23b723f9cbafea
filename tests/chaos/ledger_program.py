"""A run that many write to and read from at once, and a worker for it: ``ledger_program.py URL APP LEASE``."""

from __future__ import annotations

import asyncio
import logging
import sys

import fleet_program

import segue
from segue import query, signal, update, workflow


@workflow
class Ledger:
    """Entries in the order in which they were made; what was heard by signal beside them."""

    def __init__(self) -> None:
        self.entries: list[int] = []
        self.heard: list[int] = []

    async def run(self) -> int:
        await segue.wait_condition(lambda: False)
        return len(self.entries)

    @update
    def enter(self, value: int) -> int:
        """How many entries there are with this one."""
        self.entries.append(value)
        return len(self.entries)

    @signal
    def hear(self, value: int) -> None:
        self.heard.append(value)

    @query
    def read(self) -> tuple[list[int], list[int]]:
        return self.entries, self.heard


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(message)s")
    asyncio.run(fleet_program.main(sys.argv[1], sys.argv[2], float(sys.argv[3])))
