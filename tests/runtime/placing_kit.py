"""A folder for large values beside a database, and who may ask it: never the loop, which would wait for it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from segue import Engine, Settings
from segue.stores import objects

SIZE = 300_000


class Outside:
    """A folder for values, and the database that they come from."""

    def __init__(self, path: Path, url: str) -> None:
        self.folder = path / "values"
        self.folder.mkdir()
        self.database = url

    def engine(self, **fields: Any) -> Engine:
        # The lease is short, so that on PostgreSQL who was killed is not waited for.
        said = {"cache": 0, "lease": 1, "large_values": self.folder.as_uri(), "poll": 0.005}
        said |= fields.pop("settings", {})
        return Engine(self.database, settings=Settings(**said), **fields)

    @property
    def files(self) -> list[Path]:
        return [each for each in self.folder.rglob("*") if each.is_file()]

    def all_out(self, engine: Engine) -> Callable[[], bool]:
        """Whether no large value is left in the database, and there are some."""
        return lambda: engine.store.places.any() and not engine.store.places.large(0, 1)


class Guard:
    """Notes who asks the place for a value; ``on_loop`` counts those who kept the loop waiting."""

    def __init__(self) -> None:
        self.on_loop: list[str] = []
        self.asked = 0
        self._loop = threading.get_ident()
        self._get = objects.get

    def get(self, place: str) -> bytes | None:
        self.asked += 1
        if threading.get_ident() == self._loop:
            self.on_loop.append(place)
        return self._get(place)
