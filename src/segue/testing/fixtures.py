"""What the fixtures of the pytest plugin give to a test: worlds, and recorded histories."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Never, TypeVar

from segue.client.handles import Handle
from segue.errors import InvalidArgument
from segue.testing.histories import record, replay
from segue.testing.world import World, engine

T = TypeVar("T")

SUFFIX = ".jsonl"


class Worlds:
    """The fixture ``segue_world``: ``async with segue_world as world:``; with arguments of ``Engine``,
    ``async with segue_world(app="billing") as world:``. Opened again in the same test it is the same database.

    It is opened by the test itself, so it lives on the test's own event loop, whichever plugin runs that.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._entered: list[AbstractAsyncContextManager[World]] = []

    def __call__(self, **options: Any) -> AbstractAsyncContextManager[World]:
        return engine(self.folder, **options)

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> Never:
            if hasattr(World, name) or name in ("engine", "clock"):
                raise InvalidArgument(
                    "the world is not open: `async with segue_world as world:`, or segue_world.run(story)"
                )
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}", name=name, obj=self)

    async def __aenter__(self) -> World:
        entered = self()
        world = await entered.__aenter__()
        self._entered.append(entered)
        return world

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self._entered.pop().__aexit__(kind, error, traceback)

    def run(self, story: Callable[[World], Awaitable[T]], **options: Any) -> T:
        """For a test that is a plain ``def``: opens a world, awaits ``story(world)`` and gives its result.

        Raises:
            InvalidArgument: the test is itself asynchronous, or ``story`` cannot be awaited.
        """
        if asyncio._get_running_loop() is not None:
            raise InvalidArgument("run() is for tests that are a plain `def`; here, `async with segue_world as world:`")

        async def told() -> T:
            async with self(**options) as world:
                telling = story(world)
                if not isinstance(telling, Awaitable):
                    raise InvalidArgument(
                        f"run() awaits what {story!r} returns, which is {telling!r}: make it an `async def`"
                    )
                return await telling

        return asyncio.run(told())


class Histories:
    """The fixture ``segue_history``: recorded runs in a folder, by name.

    Attributes:
        folder: where they are. recording: whether runs are recorded anew (``pytest --segue-record``).
    """

    def __init__(self, folder: Path, *, recording: bool) -> None:
        self.folder = folder
        self.recording = recording

    async def record(self, handle: Handle[Any], name: str) -> None:
        """Checks the recording of that name with the code at hand. With ``--segue-record`` the run that was just made
        takes its place first."""
        if self.recording:
            await record(handle, self.file(name))
        self.check(name)

    def check(self, name: str) -> None:
        """Replays a recording with the code at hand.

        Raises:
            HistoryBroken: the code does not go on from it; names the step.
            InvalidArgument: there is no such recording.
        """
        file = self.file(name)
        if not file.exists():
            raise InvalidArgument(f"there is no recording {file}; run this test once with pytest --segue-record")
        replay(file)

    def check_all(self) -> None:
        """Replays all recordings of the folder.

        Raises:
            HistoryBroken, InvalidArgument: as ``check`` does, for the first one that fails; or there is none.
        """
        found = self.files()
        if not found:
            raise InvalidArgument(
                f"there is no recording in {self.folder}, so nothing is checked: record a run with "
                "segue_history.record and pytest --segue-record, or say where they are with the ini option "
                "segue_histories"
            )
        for file in found:
            self.check(file.stem)

    def file(self, name: str) -> Path:
        """Where the recording of that name is, or will be.

        Raises:
            InvalidArgument: it would be in another folder, or in none.
        """
        if name in ("", "..") or name != Path(name).name:
            raise InvalidArgument(f"{name!r} is no name of a recording: a file's name, without folder or {SUFFIX}")
        return self.folder / f"{name}{SUFFIX}"

    def files(self) -> list[Path]:
        """All recordings."""
        return sorted(self.folder.glob(f"*{SUFFIX}"))
