"""What people and other programs do in the crash sweep. All of it may be done again from the start, at any time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, closing, suppress
from functools import partial
from pathlib import Path
from typing import Any

import apsw
import msgspec
import sweep_steps as steps
import sweep_workflows as w

import segue
from segue import Approval, Engine, Handle, Incident, Resolution, RunFailed
from segue.errors import (
    CallerError,
    PayloadError,
    RunAlreadyExists,
    RunClosed,
    RunNotFound,
    StoreUnavailable,
    UpdateFailed,
)
from segue.kernel import events as e
from segue.runtime.settings import Settings
from segue.stores.base import CLOSED, RunFilter, RunRow, Store

LONGEST = 60.0
EVERYTHING = RunFilter(limit=10_000)


def engine_on(path: Path, *, store: Store | None = None, settings: Settings | None = None, **more: Any) -> Engine:
    return Engine(f"sqlite:///{path}", store=store, settings=settings, draw=lambda: 0.0, **more)


async def drive(engine: Engine, *, apart: bool = False) -> None:
    """Does everything, at once or one part after the other, and returns when all runs are closed."""
    async with asyncio.timeout(LONGEST), bringing_back(engine):
        if apart:
            for part in PARTS:
                await part(engine)
        else:
            await asyncio.gather(*[part(engine) for part in PARTS])
        await until(lambda: _all_closed(engine))


@asynccontextmanager
async def bringing_back(engine: Engine) -> AsyncIterator[None]:
    """Has runs go on, children too, whose step lost as many processes as one may: that is what the game is about."""

    async def bring_back() -> None:
        while True:
            for row in await engine.list(RunFilter(states=("incident",), limit=10_000)):
                if (row.error or "").startswith("process-lost"):
                    await _unless_closed(engine.retry(row.run))
            await asyncio.sleep(0.05)

    task = asyncio.create_task(bring_back())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    while not await condition():  # noqa: ASYNC110 - what is waited for stands in the database or in a file
        await asyncio.sleep(0.005)


async def _all_closed(engine: Engine) -> bool:
    return all(run.state in CLOSED for run in await engine.list(EVERYTHING))


async def _end(handle: Handle[Any]) -> None:
    """Waits until the run has closed, and repairs whatever it stands still on."""
    while True:
        try:
            await handle.result()
            return
        except Incident:
            await _unless_closed(handle.retry())
        except RunFailed:
            return


async def _answered(id: str, engine: Engine, ask: Callable[[], Awaitable[Any]]) -> None:
    """Asks for an update's answer, and repairs whatever it stands still on."""
    while True:
        try:
            await _unless_closed(ask())
            return
        except Incident:
            await _unless_closed((await engine.handle(id)).retry())


async def _unless_closed(request: Awaitable[Any]) -> None:
    """The request was made before the crash, and its run has ended since."""
    with suppress(RunClosed):
        await request


# --- the parts --------------------------------------------------------------------------------------------------


async def _order(engine: Engine) -> None:
    await _end(await engine.start(w.order, w.Order("tea", 2), id="order", tags={"kind": "order"}))


async def _letters(engine: Engine) -> None:
    handle = await engine.start(w.letters, id="letters")
    for n in (3, 2, 1):
        await _unless_closed(handle.signal("number", n, message=f"number-{n}"))
    await _unless_closed(handle.signal("note", 7, message="note-7"))
    for n in (5, 6):
        await _answered("letters", engine, partial(handle.update, "add", n, id=f"add-{n}"))
    with suppress(CallerError):
        await handle.update("add", -1)
    if engine.owner:
        with suppress(RunClosed):
            await handle.query("so_far")
    await _unless_closed(handle.signal("note", 8, message="note-8"))
    await _unless_closed(handle.signal("number", 0, message="number-0"))
    await _unless_closed(handle.signal("stop", message="stop"))
    await _end(handle)


async def _basket(engine: Engine) -> None:
    lonely = await engine.start(w.lonely, id="lonely")
    start = engine.with_start(w.Basket, "ann", id="basket", on_conflict="use-existing")
    await _answered("basket", engine, lambda: start.update(w.Basket.put, "tea", id="tea"))
    await _unless_closed(start.signal(w.Basket.note, "milk", message="milk"))
    handle = await engine.handle("basket")
    with suppress(UpdateFailed):
        await _unless_closed(handle.update(w.Basket.put, "nothing", id="nothing"))
    await _end(await engine.start(w.postman, id="postman"))
    await until(lambda: _recorded(engine, handle, "letter"))
    await _unless_closed(handle.signal(w.Basket.close, message="close"))
    await _end(handle)
    await _end(lonely)


async def _recorded(engine: Engine, handle: Handle[Any], word: str) -> bool:
    found = [event for _, event in engine.events_of(handle.run) if isinstance(event, e.SignalReceived)]
    return any(engine.encodings.decode(event.payload) == word for event in found)


async def _family(engine: Engine) -> None:
    await _end(await engine.start(w.family, "family", id="family"))
    left = await engine.handle("family/abandon")
    await _unless_closed(left.signal("go", message="go"))
    for policy in ("cancel", "terminate", "abandon"):
        await _end(await engine.handle(f"family/{policy}"))


async def _decide(engine: Engine) -> None:
    handle = await engine.start(w.decide, id="decide")
    await _answer(engine, handle, "answered", "ann")
    await _answer(engine, handle, "escalated", "boss")
    await _end(handle)


async def _answer(engine: Engine, handle: Handle[Any], name: str, assignee: str) -> None:
    while (await handle.status()).state not in CLOSED:
        tasks = [task for task in await engine.tasks(state=None, run=handle.run) if task.name == name]
        if tasks and tasks[0].state != "open":
            return
        if tasks and tasks[0].assignee == assignee:
            await engine.complete_task(tasks[0], w.Verdict(True, f"said {assignee}"), by=assignee)
            return
        await asyncio.sleep(0.002)


async def _repaired(engine: Engine) -> None:
    handle = await engine.start(w.repaired, id="repaired")
    try:
        await handle.result()
    except Incident:
        steps.make_happen("machine")
    await _end(handle)


async def _skipped(engine: Engine) -> None:
    handle = await engine.start(w.skipped, id="skipped")
    try:
        await handle.result()
    except Incident:
        await _unless_closed(handle.skip("needs_repair", "answered by hand"))
    await _end(handle)


async def _rolled_back(engine: Engine) -> None:
    first = await engine.start(w.rolled_back, id="rolled-back")
    await _end(first)
    await _end(await first.fork(step="refused", id="forked"))


async def _resumed(engine: Engine) -> None:
    first = await engine.start(w.resumed, id="resumed")
    await until(lambda: _begun(engine, first, "/brittle"))
    await _unless_closed(first.signal("failing", message="failing"))
    await _answer(engine, first, "beside", "ann")
    await until(lambda: _has(engine, first, e.StepCompleted, e.ChildCompleted, e.TaskCompleted))
    steps.make_happen("bridge-beside")
    await _end(first)
    steps.make_happen("bridge")
    again = await first.fork(step="failed", id="resumed-again")
    await _unless_closed(again.signal("failing", message="failing"))
    await _end(again)


async def _begun(engine: Engine, handle: Handle[Any], key: str) -> bool:
    """Whether a first attempt has come to its end, with its failure or with its process."""
    return any(getattr(event, "key", "").endswith(key) for _, event in engine.events_of(handle.run))


async def _has(engine: Engine, handle: Handle[Any], *kinds: type[e.Event]) -> bool:
    return set(kinds) <= {type(event) for _, event in engine.events_of(handle.run)}


async def _called_off(engine: Engine) -> None:
    handle = await engine.start(w.called_off, id="called-off")
    await until(lambda: _acted("table"))
    await _unless_closed(handle.cancel("no longer wanted"))
    await _unless_closed(handle.cancel("again"))
    await _end(handle)


async def _acted(what: str) -> bool:
    try:
        return what in (steps.world() / "effects").read_text()
    except FileNotFoundError:
        return False


async def _impatient(engine: Engine) -> None:
    await _end(await engine.start(w.impatient, id="impatient"))


async def _ended(engine: Engine) -> None:
    handle = await engine.start(w.ended, id="ended")
    await until(lambda: _acted("ended /forever"))
    await _unless_closed(handle.terminate("enough"))
    await _end(handle)


async def _phoenix(engine: Engine) -> None:
    try:
        await engine.handle("phoenix")
    except RunNotFound:
        await _end(await engine.start(w.phoenix, 1, id="phoenix"))
    first = await engine.handle("phoenix")
    await _end(first)
    if (await first.status()).tags.get("n") != "2":
        await engine.start(w.phoenix, 2, id="phoenix", on_conflict="replace", tags={"n": "2"})
    await _end(await engine.handle("phoenix"))
    try:
        await engine.start(w.phoenix, 2, id="phoenix", on_conflict="fail")
        raise AssertionError("the id was taken")
    except RunAlreadyExists:
        pass


async def _twin(engine: Engine) -> None:
    try:
        first = await engine.handle("twin")
    except RunNotFound:
        first = await engine.start(w.twin, 1, id="twin")
    if (await first.status()).tags.get("n") != "2":
        await engine.start(w.twin, 2, id="twin", on_conflict="terminate-if-running", tags={"n": "2"})
    await _end(await engine.handle("twin"))


async def _policies(engine: Engine) -> None:
    handle = await engine.start(w.policies, id="policies")
    while (state := (await handle.status()).state) not in CLOSED:
        if state == "incident":  # its step went down with too many processes
            await _unless_closed(handle.retry())
        for task in await engine.tasks(run=handle.run):
            mended = steps.happened("pump")
            steps.make_happen("pump")
            with suppress(CallerError):  # answered already
                await engine.complete_task(
                    task, Resolution("skip", "pump") if mended else Resolution("retry"), by="ops"
                )
        await asyncio.sleep(0.002)
    await _end(handle)


async def _bulky(engine: Engine) -> None:
    handle = await engine.start(w.bulky, id="bulky")
    await _unless_closed(handle.signal("text", "t" * 300_000, message="text"))
    await _end(handle)


async def _stuck(engine: Engine) -> None:
    handle = await engine.start(w.stuck, id="stuck")
    try:
        await handle.result()
    except Incident:
        steps.make_happen("crane")
    except RunFailed:
        return
    await _end(handle)


async def _abandons(engine: Engine) -> None:
    handle = await engine.start(w.abandons_a_broken_step, id="abandons")
    with suppress(Incident):
        await handle.result()
    await _unless_closed(handle.signal("enough", message="enough"))
    await handle.result(through_incidents=True)


async def _dynasty(engine: Engine) -> None:
    await _until_there(engine, "order")
    handle = await engine.start(w.dynasty, "dynasty", id="dynasty")
    children = [await _until_there(engine, f"dynasty/{policy}") for policy in ("cancel", "terminate", "abandon")]
    await until(lambda: _knows_of(engine, handle, 3))
    await _unless_closed(handle.terminate("the end of the dynasty"))
    await _end(handle)
    await _unless_closed(children[2].signal("go", message="go"))
    for child in children:
        await _end(child)


async def _until_there(engine: Engine, id: str) -> Handle[Any]:
    while True:
        try:
            return await engine.handle(id)
        except RunNotFound:
            await asyncio.sleep(0.002)


async def _knows_of(engine: Engine, parent: Handle[Any], children: int) -> bool:
    started = [x for _, x in engine.events_of(parent.run) if isinstance(x, e.ChildStarted) and not x.failure]
    return len(started) == children


async def _personal(engine: Engine) -> None:
    try:
        handle = await engine.handle("personal")  # once it is erased, nothing is left to compare its input with
    except RunNotFound:
        handle = await engine.start(w.personal, "ann smith", id="personal")
    while not any(task.assignee == "boss" for task in await engine.tasks(run=handle.run)):
        if (await handle.status()).state in CLOSED or await engine.tasks(state="completed", run=handle.run):
            break
        await asyncio.sleep(0.002)
    for task in await engine.tasks(run=handle.run):
        await engine.complete_task(task, Approval(True), by="boss")
    await until(lambda: _is_closed(handle))
    while not isinstance(list(engine.events_of(handle.run))[-1][1], e.Erased):
        with suppress(StoreUnavailable):  # whoever erases is told, and does it again
            await engine.erase(handle.run, by="boss", reason="she asked for it")


async def _is_closed(handle: Handle[Any]) -> bool:
    return (await handle.status()).state in CLOSED


async def _rounds(engine: Engine) -> None:
    handle = await engine.start(w.rounds, 0, id="rounds")
    await _unless_closed(handle.signal("kept", "till the end", message="kept"))
    for n in range(3):
        await _unless_closed(handle.signal("round", n, message=f"round-{n}"))
    await _end(handle)


async def _begun_later(engine: Engine) -> None:
    handle = await engine.start(w.begun_later, id="begun-later", delay="20ms", timeout="1h", summary="begins late")
    await _complete(engine, handle, "hands")
    await _end(handle)


async def _complete(engine: Engine, handle: Handle[Any], name: str) -> None:
    """Completes a step by its newest token, until it is done."""
    while (await handle.status()).state not in CLOSED:
        with suppress(FileNotFoundError, CallerError):
            token = (steps.world() / f"{name}.token").read_text()
            await engine.heartbeat_step(token, "on its way")
            await engine.complete_step(token, "completed")
            return
        if any(isinstance(x.event, e.StepCompleted) and x.event.name == "handed_over" for x in await handle.history()):
            return
        await asyncio.sleep(0.005)


async def _out_of_time(engine: Engine) -> None:
    await _end(await engine.start(w.out_of_time, id="out-of-time", timeout="40ms"))


async def _gives_up_waiting(engine: Engine) -> None:
    await _end(await engine.start(w.gives_up_waiting, id="gives-up-waiting"))


async def _stopped(engine: Engine) -> None:
    handle = await engine.start(w.stopped, id="stopped")
    if (await handle.status()).state not in CLOSED:
        await engine.pause_step("pausable", "a look at it", by="ann")
    await _unless_closed(handle.pause("wait", by="ann"))
    await _unless_closed(handle.signal("before", 7, message="before"))
    with suppress(CallerError):  # it was done before the crash
        await handle.resume(by="ann")
    await until(lambda: _held_or_closed(handle))
    with suppress(CallerError):
        await engine.resume_step("pausable", by="ann")
    await _end(handle)


async def _held_or_closed(handle: Handle[Any]) -> bool:
    held = [x.event for x in await handle.history() if isinstance(x.event, e.Paused) and x.event.key is not None]
    return bool(held) or (await handle.status()).state in CLOSED


async def _bank(engine: Engine) -> None:
    await _end(await engine.start(w.bank, id="bank"))
    await _end(await _until_there(engine, "from-a-step"))


async def _pipeline(engine: Engine) -> None:
    await _end(await engine.start(w.pipeline, id="pipeline"))


async def _tariff(engine: Engine) -> None:
    await _end(await engine.start(w.tariff, id="tariff"))


async def _outbox(engine: Engine) -> None:
    """Another program's own transaction starts a run, and one that it takes back starts none."""
    with closing(apsw.Connection(engine.database)) as connection:
        connection.set_busy_timeout(10_000)
        connection.execute("BEGIN IMMEDIATE")
        segue.outbox.start(connection, w.ordered, 1, id="never")
        connection.execute("ROLLBACK")
        segue.outbox.start(connection, w.ordered, 5, id="posted")
    await _end(await _until_there(engine, "posted"))
    await until(lambda: _is_empty(engine))


async def _is_empty(engine: Engine) -> bool:
    return not engine.store.outbox(engine.app, 1, ["ordered"])


PARTS = (
    _order, _letters, _basket, _family, _decide, _repaired, _skipped, _rolled_back, _resumed, _called_off, _impatient,
    _ended, _phoenix, _twin, _policies, _bulky, _stuck, _abandons, _dynasty, _personal, _rounds, _begun_later,
    _out_of_time, _gives_up_waiting, _stopped, _bank, _outbox, _pipeline, _tariff,
)  # fmt: skip


# --- what came of it --------------------------------------------------------------------------------------------


async def outcome_of(engine: Engine) -> dict[str, Any]:
    """How every run ended, with all that others can see of it."""
    rows = await engine.list(EVERYTHING)
    return {_name(row): await _end_of(engine, row) for row in rows}


def _name(row: RunRow) -> str:
    return f"{row.id} {row.input_hash[:6]} {row.summary}".rstrip()


async def _end_of(engine: Engine, row: RunRow) -> dict[str, Any]:
    handle: Handle[Any] = Handle(engine, row.run, row.id)
    try:
        result = msgspec.to_builtins(await handle.result())
    except RunFailed as error:
        result = str(error)
    except PayloadError as error:
        result = str(error)  # it was erased
    tasks = [(t.name, t.state, t.assignee, t.closed_by) for t in await engine.tasks(state=None, run=row.run)]
    return {
        "state": row.state,
        "result": result,
        "error": row.error,
        "attributes": row.attributes,
        "published": engine.published(row.run),
        "artifacts": msgspec.to_builtins(await engine.artifacts(row.run)),
        "tasks": tasks,
    }
