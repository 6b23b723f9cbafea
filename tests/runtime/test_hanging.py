"""Steps whose code does not come back: they lose their places and their time, and nobody else does."""

from __future__ import annotations

import asyncio
import inspect
import logging
import subprocess
import sys
import textwrap
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from segue import (
    Engine,
    Handle,
    Interceptor,
    Retry,
    RunFailed,
    Settings,
    StepCall,
    Transaction,
    progress,
    signal,
    state,
    step,
    workflow,
)
from segue.errors import RunCancelled, RunTerminated, StepTimeout
from segue.owner import capture
from segue.runtime.threads import HANGING

Until = Callable[[Callable[[], bool | Awaitable[bool]]], Awaitable[None]]
go_on = threading.Event()
calls: list[str] = []
raised: list[BaseException] = []


def hang() -> None:
    """As code that asks another system, which does not answer."""
    go_on.wait(60)


LINE = inspect.getsourcelines(hang)[1] + 2
PLACE = rf"{__file__}:{LINE}, in hang: `go_on.wait\(60\)`"


@pytest.fixture(autouse=True)
def anew() -> Iterator[None]:
    go_on.clear()
    calls.clear()
    raised.clear()
    yield
    go_on.set()


@pytest.fixture
def told() -> Iterator[list[str]]:
    """What the program's log says of it."""
    lines: list[str] = []

    class Kept(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            lines.append(f"{record.levelname} {record.getMessage()}")

    handler = Kept(logging.WARNING)
    logging.getLogger("segue").addHandler(handler)
    yield lines
    logging.getLogger("segue").removeHandler(handler)


@pytest.fixture
async def small(url: str, settings: Settings) -> AsyncIterator[Engine]:
    """An engine with two threads."""
    async with Engine(url, settings=Settings(cache=settings.cache, threads=2)) as engine:
        yield engine


# --- in threads -------------------------------------------------------------------------------------------------


@step(timeout="100ms", grace="50ms", retry=Retry(attempts=2, initial="1ms"))
def in_thread() -> None:
    calls.append("in_thread")
    hang()


@step(timeout="50ms", grace="10ms")
def once() -> None:
    hang()


@step(grace="50ms")
def for_ever() -> None:
    calls.append("for_ever")
    hang()


@step(grace="30s")
def on_request() -> str:
    calls.append("on_request")
    assert go_on.wait(60)
    return "came back"


@step
def quick() -> str:
    return threading.current_thread().name


@workflow
async def hangs() -> None:
    await in_thread()


@workflow
async def hangs_once() -> None:
    await once()


@workflow
async def waits_for_ever() -> None:
    await for_ever()


@workflow
async def loses_patience() -> str:
    try:
        await asyncio.wait_for(for_ever(), 0.05)
    except TimeoutError:
        return "without it"
    return "with it"


@workflow
async def is_called_off() -> str:
    return await on_request()


@workflow
async def beside() -> str:
    return await quick()


async def test_a_step_that_hangs_in_its_thread_does_not_keep_the_place(small: Engine, told: list[str]) -> None:
    handles = [await small.start(hangs, id=f"hangs-{n}") for n in range(3)]
    for handle in handles:
        with pytest.raises(RunFailed, match=rf"attempt 2 of in_thread took longer than its timeout.*hangs at {PLACE}"):
            await handle.result(timeout=30)
    assert calls == ["in_thread"] * 6
    assert await (await small.start(beside)).result(timeout=30) == "segue-step"
    says = "WARNING step in_thread of run 'hangs-0' did not stop when asked to, and hangs in its thread at "
    assert sum(line.startswith(says) for line in told) == 2
    kept = [line.text for line in small.logs(handles[0].run)]
    assert [f"WARNING {text}" for text in kept] == [line for line in told if "'hangs-0'" in line]


async def test_one_that_nobody_waits_for_any_more_does_not_either(small: Engine, until: Until) -> None:
    """Whether it was cancelled, its run was terminated, or something else came first."""
    cancelled = [await small.start(waits_for_ever) for _ in range(2)]
    await until(lambda: len(calls) == 2)
    for handle in cancelled:
        await handle.cancel()
    terminated = [await small.start(waits_for_ever) for _ in range(2)]
    await until(lambda: len(calls) == 4)
    for handle in terminated:
        await handle.terminate()
    assert small._duty is not None
    attempts = small._duty.attempts
    await until(lambda: attempts.hanging()["thread"] == 4)  # the next ones have no patience to wait for a place
    late = [await small.start(loses_patience) for _ in range(2)]
    await until(lambda: len(calls) == 6)
    for handle in late:
        assert await handle.result(timeout=30) == "without it"
    assert await (await small.start(beside)).result(timeout=30) == "segue-step"
    await _all_end(cancelled, RunCancelled)
    await _all_end(terminated, RunTerminated)


async def _all_end(handles: list[Handle[None]], how: type[Exception]) -> None:
    for handle in handles:
        with pytest.raises(how):
            await handle.result(timeout=30)


async def test_one_that_stops_in_its_grace_keeps_its_place(small: Engine, until: Until, told: list[str]) -> None:
    handle = await small.start(is_called_off)
    await until(lambda: calls == ["on_request"])
    await handle.cancel()
    assert small._duty is not None
    assert small._duty.attempts.hanging() == {"thread": 0, "transaction": 0}
    go_on.set()
    with pytest.raises(RunCancelled):
        await handle.result(timeout=30)
    assert told == []


async def test_it_is_said_where_no_place_is_left(url: str, told: list[str]) -> None:
    async with Engine(url, settings=Settings(threads=1)) as engine:
        for _ in range(HANGING + 1):
            assert not any(line.startswith("ERROR") for line in told)
            with pytest.raises(RunFailed, match="StepTimeout"):
                await (await engine.start(hangs_once)).result(timeout=30)
        assert told[-1].startswith(f"ERROR {HANGING + 1} steps hang in their threads, and no more places are made")
        handle = await engine.start(beside)
        with pytest.raises(TimeoutError):
            await handle.result(timeout=0.2)
        go_on.set()
        assert await handle.result(timeout=30) == "segue-step"


def test_a_program_ends_though_a_step_of_it_hangs(tmp_path: Path) -> None:
    program = """
        import asyncio, threading
        from segue import Engine, RunFailed, Transaction, step, workflow

        @step(timeout="100ms", grace="50ms")
        def hangs() -> None:
            threading.Event().wait()

        @step.transaction(timeout="100ms")
        def keeps(db: Transaction) -> None:
            threading.Event().wait()

        @workflow
        async def runs() -> None:
            await asyncio.gather(hangs(), keeps(), return_exceptions=True)

        async def main() -> None:
            async with Engine("sqlite:///here.db") as engine:
                await (await engine.start(runs)).result()

        asyncio.run(main())
        print("the end")
    """
    ended = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)], cwd=tmp_path, timeout=60, capture_output=True, text=True
    )
    assert (ended.returncode, ended.stdout) == (0, "the end\n"), ended.stderr


# --- what is around it --------------------------------------------------------------------------------------------


class Few(Interceptor):
    """Two steps at once, and what comes of each after it has ended."""

    def __init__(self) -> None:
        self._places = asyncio.Semaphore(2)
        self.held = 0

    async def step(self, call: StepCall, next: Callable[[StepCall], Awaitable[Any]]) -> Any:
        async with self._places:
            self.held += 1
            try:
                result = await next(call)
                if result == "is told":
                    await asyncio.sleep(3600)
                return result
            finally:
                self.held -= 1


@step(timeout="100ms", grace="50ms")
def is_told() -> str:
    return "is told"


@workflow
async def tells() -> None:
    await is_told()


@pytest.mark.parametrize("what", [hangs_once, loses_patience, tells])
async def test_what_is_around_it_ends_with_it(url: str, what: Any) -> None:
    """Interceptors give free what they hold, whether the code hangs or they do."""
    around = Few()
    async with Engine(url, settings=Settings(threads=2), interceptors=[around]) as engine:
        for handle in [await engine.start(what) for _ in range(3)]:
            with suppress(RunFailed):
                await handle.result(timeout=30)
        assert await (await engine.start(beside)).result(timeout=30) == "segue-step"
        assert around.held == 0


async def test_and_when_the_engine_is_closed(url: str, until: Until) -> None:
    around = Few()
    async with Engine(url, interceptors=[around]) as engine:
        await engine.start(waits_for_ever)
        await until(lambda: len(calls) == 1)
    assert around.held == 0


@workflow
async def has_other_things_to_do() -> None:
    with suppress(TimeoutError):
        await asyncio.wait_for(for_ever(), 0.05)
    await signal("go on")


async def test_its_run_leaves_memory_meanwhile(url: str, until: Until) -> None:
    async with Engine(url, settings=Settings(cache=0, threads=2)) as engine:
        handle = await engine.start(has_other_things_to_do)
        await until(lambda: len(calls) == 1)
        assert engine._duty is not None
        await until(lambda: not engine._duty.conductor.residents)
        await handle.signal("go on")
        await handle.result(timeout=30)


@step(timeout="50ms", grace="10ms")
def goes_on() -> None:
    hang()
    progress(1, 2, "nobody hears this")
    print("in a line that does not end", end="")


@workflow
async def is_noisy() -> None:
    await goes_on()


async def test_nothing_is_kept_of_what_it_says_later(engine: Engine, until: Until) -> None:
    handle = await engine.start(is_noisy)
    with pytest.raises(RunFailed):
        await handle.result(timeout=30)
    go_on.set()
    await until(lambda: [line.text for line in engine.logs(handle.run)][1:] == ["in a line that does not end"])
    assert engine._host._reports._kept_at == {}
    assert capture._unfinished == {}


# --- in transactions --------------------------------------------------------------------------------------------


@step.transaction
def create(db: Transaction) -> None:
    db.execute("CREATE TABLE done (what TEXT)")


@step.transaction(timeout="200ms")
def in_transaction(db: Transaction) -> None:
    db.execute("INSERT INTO done VALUES ('hangs')")
    state.set_sync("these", "hangs", 1)
    calls.append("in_transaction")
    hang()
    try:
        db.execute("INSERT INTO done VALUES ('later')")
    except BaseException as error:
        raised.append(error)
        raise


@step.transaction(timeout="200ms", retry=Retry(attempts=2, initial="1ms"))
def the_first_time(db: Transaction) -> str:
    db.execute("INSERT INTO done VALUES ('tried')")
    calls.append("the_first_time")
    if len(calls) == 1:
        hang()
    return "the second time"


@step.transaction
def note(db: Transaction, what: str) -> str:
    db.execute("INSERT INTO done VALUES (?)", (what,))
    return what


@step.transaction
def read(db: Transaction) -> list[str]:
    return sorted(what for (what,) in db.execute("SELECT what FROM done"))


@step
def kept() -> int | None:
    return state.get_sync("these", "hangs")


@step.transaction(timeout="1h")
def takes_its_time(db: Transaction) -> str:
    calls.append("takes_its_time")
    hang()
    calls.append("came back")
    return "came back"


@workflow
async def is_slow() -> str:
    return await takes_its_time()


@workflow
async def creates() -> None:
    await create()


@workflow
async def keeps_the_database() -> None:
    await in_transaction()


@workflow
async def is_patient() -> str:
    return await the_first_time()


@workflow
async def notes(what: str) -> str:
    return await note(what)


@workflow
async def looks() -> tuple[list[str], int | None]:
    return await read(), await kept()


@pytest.fixture
async def bank(engine: Engine) -> Engine:
    await (await engine.start(creates)).result(timeout=30)
    return engine


async def test_a_transaction_that_hangs_is_left_behind(bank: Engine, until: Until, told: list[str]) -> None:
    handle = await bank.start(keeps_the_database, id="keeps")
    await until(lambda: calls == ["in_transaction"])
    others = await asyncio.gather(*[bank.start(notes, f"beside {n}") for n in range(3)])
    for n, other in enumerate(others):
        assert await other.result(timeout=30) == f"beside {n}"
    with pytest.raises(RunFailed, match=rf"StepTimeout.*longer than its timeout of 0.2 s.*hangs at {PLACE}"):
        await handle.result(timeout=30)
    assert raised == [], "it hangs to this moment"
    (line,) = told
    assert line.startswith(
        "WARNING the transaction of step in_transaction of run 'keeps' has not come back in its time of 0.2 s and hangs"
    )
    assert [f"WARNING {kept.text}" for kept in bank.logs(handle.run)] == [line]
    go_on.set()
    await until(lambda: raised != [])
    assert isinstance(raised[0], StepTimeout), "the connection is others' by now"
    assert await (await bank.start(looks)).result(timeout=30) == (["beside 0", "beside 1", "beside 2"], None)
    assert calls == ["in_transaction"]


async def test_its_next_attempt_has_the_database_to_itself(bank: Engine, until: Until) -> None:
    assert await (await bank.start(is_patient)).result(timeout=30) == "the second time"
    assert calls == ["the_first_time", "the_first_time"]
    go_on.set()
    assert await (await bank.start(looks)).result(timeout=30) == (["tried"], None)


async def test_where_too_many_transactions_hang_the_next_is_not_begun(bank: Engine, until: Until) -> None:
    for _ in range(HANGING + 1):
        with pytest.raises(RunFailed, match="longer than its timeout"):
            await (await bank.start(keeps_the_database)).result(timeout=30)
    for what, *arguments in ((notes, "too many"), (is_slow,)):  # whose time would be everybody's
        with pytest.raises(RunFailed, match=f"not begun: {HANGING + 1} others hang in their threads"):
            await (await bank.start(what, *arguments)).result(timeout=30)
    go_on.set()
    assert bank._duty is not None
    attempts = bank._duty.attempts
    await until(lambda: attempts.hanging()["transaction"] <= HANGING)
    assert await (await bank.start(notes, "again")).result(timeout=30) == "again"


async def test_an_engine_is_closed_though_one_has_much_time_left(url: str, until: Until) -> None:
    async with Engine(url, settings=Settings(lease=60)) as engine:
        handle = await engine.start(is_slow, id="slow")
        await until(lambda: calls == ["takes_its_time"])
    assert calls == ["takes_its_time"], "it hangs to this moment"
    go_on.set()
    async with Engine(url, settings=Settings(lease=60)) as engine:
        handle = await engine.handle("slow")
        assert await handle.result(timeout=30) == "came back", "nothing was recorded of its end"


async def test_but_it_has_the_grace(url: str, until: Until) -> None:
    async with Engine(url, settings=Settings(lease=60)) as engine:
        await engine.start(is_slow, id="slow")
        await until(lambda: calls == ["takes_its_time"])
        closing = asyncio.ensure_future(engine.close(grace=30))
        assert engine._duty is not None
        attempts = engine._duty.attempts
        await until(lambda: attempts._closed)
        go_on.set()
        await closing
    async with Engine(url, settings=Settings(lease=60)) as engine:
        assert await (await engine.handle("slow")).result(timeout=30) == "came back"
    assert calls == ["takes_its_time", "came back"]
