"""The services of the examples in memory, made anew for each simulated run: the same operations, no network."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

import services


class Town:
    """All services at once. A key is served once, as by the real ones; faults are the simulation's."""

    def __init__(self) -> None:
        self._answers: dict[tuple[str, str], dict[str, Any] | services.Refused] = {}
        self._services: dict[str, sqlite3.Connection] = {}
        for name in sorted({operation.partition("/")[0] for operation in services.OPERATIONS}):
            # Steps are functions in a thread, one at a time; invariants look from another one.
            db = self._services[name] = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
            db.executescript(services._SCHEMA)
        self._services["warehouse"].executemany("INSERT INTO stock VALUES (?, ?)", services.STOCK.items())

    def call(self, operation: str, ask: dict[str, Any], *, key: str) -> dict[str, Any]:
        """As ``services.call``."""
        if (operation, key) not in self._answers:
            self._answers[operation, key] = self._do(operation, ask)
        answer = self._answers[operation, key]
        if isinstance(answer, services.Refused):
            raise services.Refused(*answer.args)
        return answer

    def _do(self, operation: str, ask: dict[str, Any]) -> dict[str, Any] | services.Refused:
        db = self._services[operation.partition("/")[0]]
        db.execute("BEGIN")
        try:
            # Over the network everything becomes JSON.
            done = services.OPERATIONS[operation](db, json.loads(json.dumps(ask)))
        except services.Refused as no:
            db.execute("ROLLBACK")
            return no
        db.execute("COMMIT")
        answer: dict[str, Any] = json.loads(json.dumps(done))
        return answer

    def states(self, service: str, kind: str) -> list[str]:
        """The states of a service's entries of a kind."""
        rows = self._services[service].execute("SELECT state FROM book WHERE kind = ? ORDER BY ref", [kind])
        return [state for (state,) in rows]

    @property
    def stock(self) -> dict[str, int]:
        """What stands in the warehouse."""
        return dict(self._services["warehouse"].execute("SELECT sku, on_hand FROM stock").fetchall())

    def close(self) -> None:
        for db in self._services.values():
            db.close()


class Towns:
    """Gives each simulated run a town of its own, and has the examples call that one."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self._patch = patch
        self._last: Town | None = None

    def new(self) -> Town:
        self.close()
        self._last = town = Town()
        self._patch.setattr(services, "call", town.call)
        return town

    def close(self) -> None:
        if self._last is not None:
            self._last.close()


@contextmanager
def towns() -> Iterator[Towns]:
    """For one test."""
    with pytest.MonkeyPatch.context() as patch:
        made = Towns(patch)
        yield made
        made.close()
