"""An engine as seen within another namespace: the same store, owner and code, so that one process serves them all."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NoReturn

from segue.engine import Engine
from segue.kernel import events as e
from segue.runtime.resident import Resident
from segue.runtime.witness import Witness
from segue.schedules.scheduling import Schedules


class Within(Engine):
    """What an engine does for its clients, for those of another namespace. It holds nothing but the name, so that one
    may be made for each request; whatever changes (who owns the runs, how they are reached) is looked up in the whole.

    Args:
        whole: open already; it is opened and closed by whoever made it.
    """

    whole: Engine

    def __init__(self, whole: Engine, namespace: str) -> None:
        # Not by Engine's: that makes an engine of its own.
        self.__dict__.update(whole=whole, namespace=namespace, schedules=Schedules(self))

    def __getattr__(self, name: str) -> Any:
        return getattr(self.__dict__["whole"], name)

    def __setattr__(self, name: str, value: Any) -> NoReturn:
        raise AttributeError(f"{name} is the whole engine's to set, not that of namespace {self.namespace!r}")

    # What an engine does as an owner, it does once, in its own namespace.

    async def open(self) -> None:
        raise AttributeError("the whole engine is open already")

    async def close(self, *, grace: float = 0.0) -> None:
        raise AttributeError("the whole engine is closed by whoever opened it")

    def dispossessed(self, error: Exception) -> None:
        self.whole.dispossessed(error)

    def watch_runs(self, callback: Callable[[Resident, e.Event], None]) -> None:
        self.whole.watch_runs(callback)

    def witness(self, witness: Witness) -> None:
        self.whole.witness(witness)


def within(engine: Engine, namespace: str) -> Engine:
    """The engine within a namespace; itself if that is its own."""
    whole = whole_of(engine)
    return whole if namespace == whole.namespace else Within(whole, namespace)


def whole_of(engine: Engine) -> Engine:
    """The engine that somebody has opened, of which this one may be a part."""
    return engine.whole if isinstance(engine, Within) else engine
