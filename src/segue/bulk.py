"""Repairs many runs alike: chosen by a filter, looked at beforehand, then each by itself.

Doing it twice does no more than doing it once: a run that was repaired is no longer chosen, or says that there is
nothing to do. What goes wrong with one run holds up none of the others.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Protocol

import msgspec

from segue.engine import Engine
from segue.errors import InvalidArgument, SegueError
from segue.kernel import events as e
from segue.repair.actions import CodeChoice, Effect
from segue.repair.forking import FAILED
from segue.stores.base import CLOSED, RunFilter, RunRow

PAGE = 500


class Action(Protocol):
    """What is done to each run."""

    async def preview(self, engine: Engine, row: RunRow) -> Effect:
        """What it would do; nothing is changed."""

    async def carry_out(self, engine: Engine, row: RunRow) -> str:
        """Does it; says what was done. Raises ``SegueError``: nothing was."""


class Resume(msgspec.Struct, frozen=True):
    """Let runs go on that stand still. ``step``: only this one, by key; ``input``: its arguments from now on, in order.

    Raises:
        InvalidArgument: it has an input for no step.
    """

    step: str | None = None
    by: str = ""
    input: tuple[Any, ...] | None = None

    def __post_init__(self) -> None:
        if self.input is not None and not self.step:
            raise InvalidArgument("other arguments are for one step: name it by its key")

    async def preview(self, engine: Engine, row: RunRow) -> Effect:
        standing = _standing(event for _, event in engine.events_of(row.run, apart=True))
        chosen = [key for key in standing if self.step in (None, key)]
        if row.state in CLOSED or not chosen:
            what = "" if self.step is None else f" on {self.step}"
            refused = f"run {row.id} is {row.state}, and does not stand still{what}"
            if row.state == "failed" and self.step is None:
                refused += f"; it can run again from {FAILED!r}"
            return Effect(row.run, row.id, row.state, "", refused=refused)
        steps = tuple(key for key in chosen if key)
        how = "with the code as it is now" if self.input is None else "with the arguments that were given"
        return Effect(row.run, row.id, row.state, f"goes on, {how}", again=steps)

    async def carry_out(self, engine: Engine, row: RunRow) -> str:
        if self.input is not None and self.step is not None:
            await engine.edit_input(row.run, self.step, *self.input, by=self.by)
        await engine.retry(row.run, self.step, by=self.by)
        return f"run {row.id} goes on"


class Skip(msgspec.Struct, frozen=True):
    """Answer a call (its key or name) with a result."""

    call: str
    result: Any = None
    by: str = ""

    async def preview(self, engine: Engine, row: RunRow) -> Effect:
        try:
            _, key = await engine._target(row.run, self.call, "skip", engine.encodings.encode(self.result))
        except SegueError as error:
            return Effect(row.run, row.id, row.state, "", refused=str(error))
        return engine.skipping(row, key)

    async def carry_out(self, engine: Engine, row: RunRow) -> str:
        return str(await engine.skip(row.run, self.call, self.result, by=self.by))


class Rerun(msgspec.Struct, frozen=True):
    """Run a part of the runs again, under their ids."""

    step: str | None = FAILED
    code: CodeChoice = "same"
    by: str = ""

    async def preview(self, engine: Engine, row: RunRow) -> Effect:
        return engine.preview(row.run, step=self.step, code=self.code)

    async def carry_out(self, engine: Engine, row: RunRow) -> str:
        handle = await engine.retry_from(row.run, self.step, code=self.code, by=self.by)
        return f"run {handle.id} goes on as a new run; what was stays as it was"


class Cancel(msgspec.Struct, frozen=True):
    """Ask runs to stop; what they did is undone first."""

    reason: str = ""
    by: str = ""

    async def preview(self, engine: Engine, row: RunRow) -> Effect:
        return _if_open(row, "is asked to stop; what it did is undone first")

    async def carry_out(self, engine: Engine, row: RunRow) -> str:
        await engine.cancel(row.run, self.reason, by=self.by)
        return f"run {row.id} is asked to stop"


class Terminate(msgspec.Struct, frozen=True):
    """End runs at once; nothing is undone."""

    reason: str = ""
    by: str = ""

    async def preview(self, engine: Engine, row: RunRow) -> Effect:
        return _if_open(row, "is ended at once; nothing is undone")

    async def carry_out(self, engine: Engine, row: RunRow) -> str:
        await engine.terminate(row.run, self.reason, by=self.by)
        return f"run {row.id} is ended"


class Pause(msgspec.Struct, frozen=True):
    """Have runs stand still until they are resumed."""

    reason: str = ""
    by: str = ""

    async def preview(self, engine: Engine, row: RunRow) -> Effect:
        if row.state not in CLOSED and engine.paused_since(row.run) is not None:
            return Effect(row.run, row.id, row.state, "", refused=f"run {row.id} is paused already")
        return _if_open(row, "stands still until it is resumed")

    async def carry_out(self, engine: Engine, row: RunRow) -> str:
        await engine.pause(row.run, self.reason, by=self.by)
        return f"run {row.id} is paused"


class Unpause(msgspec.Struct, frozen=True):
    """Let paused runs go on."""

    by: str = ""

    async def preview(self, engine: Engine, row: RunRow) -> Effect:
        if row.state not in CLOSED and engine.paused_since(row.run) is None:
            return Effect(row.run, row.id, row.state, "", refused=f"run {row.id} is {row.state}, and nobody paused it")
        return _if_open(row, "goes on")

    async def carry_out(self, engine: Engine, row: RunRow) -> str:
        await engine.resume(row.run, by=self.by)
        return f"run {row.id} goes on"


class Outcome(msgspec.Struct, frozen=True):
    """What became of one run. ``done`` False: nothing was changed, and ``text`` says why."""

    run: int
    id: str
    done: bool
    text: str


def choose(engine: Engine, where: RunFilter, *, most: int | None = None) -> list[RunRow]:
    """All runs of a filter, whatever its page; not many more than ``most``."""
    rows: list[RunRow] = []
    after = where.after
    while True:
        page = engine.store.list(msgspec.structs.replace(where, after=after, limit=PAGE))
        rows += page
        if len(page) < PAGE or (most is not None and len(rows) >= most):
            return rows
        after = page[-1].run


async def preview(engine: Engine, rows: Iterable[RunRow], action: Action) -> list[Effect]:
    """What an action would do to each run. Nothing is changed."""
    return [await action.preview(engine, row) for row in rows]


async def carry_out(engine: Engine, rows: Iterable[RunRow], action: Action) -> list[Outcome]:
    """Does it to each run, one after the other."""
    return [await _one(engine, row, action) for row in rows]


async def _one(engine: Engine, row: RunRow, action: Action) -> Outcome:
    effect = await action.preview(engine, row)
    if effect.refused:
        return Outcome(row.run, row.id, False, effect.refused)
    try:
        return Outcome(row.run, row.id, True, await action.carry_out(engine, row))
    except SegueError as error:
        return Outcome(row.run, row.id, False, str(error))


def _if_open(row: RunRow, action: str) -> Effect:
    if row.state in CLOSED:
        return Effect(row.run, row.id, row.state, "", refused=f"run {row.id} is {row.state}: it has ended")
    return Effect(row.run, row.id, row.state, action)


def _standing(events: Iterable[e.Event]) -> list[str]:
    """Keys of what stands still; "" for the run as a whole."""
    standing: dict[str, None] = {}
    for event in events:
        match event:
            case e.IncidentOpened():
                standing[event.key or ""] = None
            case e.IncidentResolved(key=None):
                standing.clear()
            case e.IncidentResolved() | e.Modified(action="skip"):
                standing.pop(event.key or "", None)
            case _:
                pass
    return list(standing)
