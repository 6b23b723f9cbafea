"""An engine or a client that is used where it is not open: told, with what to do, and never waited for."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest

from segue import Client, Engine, signal, workflow
from segue.errors import CallerError, InvalidArgument


@workflow(name="misuse.doubled")
async def doubled(n: int) -> int:
    return 2 * n


def address(path: Path) -> str:
    return f"sqlite:///{path / 'runs.db'}"


async def test_an_engine_that_was_never_opened_says_how(tmp_path: Path) -> None:
    engine = Engine(address(tmp_path))
    for attempt in (engine.start(doubled, 1), engine.handle("order"), engine.tasks()):
        with pytest.raises(CallerError, match=r"never opened: use it inside `async with Engine"):
            await attempt
    with pytest.raises(AttributeError, match="'Engine' object has no attribute 'stroe'"):
        _ = engine.stroe  # type: ignore[attr-defined]


async def test_arguments_of_a_workflow_are_given_by_position(tmp_path: Path) -> None:
    async with Engine(address(tmp_path)) as engine:
        with pytest.raises(InvalidArgument, match=r"no option 'n'; .* by position: start\(misuse\.doubled, …\)"):
            await engine.start(doubled, n=1)  # type: ignore[call-overload]


async def test_an_engine_is_open_once(tmp_path: Path) -> None:
    async with Engine(address(tmp_path)) as engine:
        with pytest.raises(CallerError, match="open already"):
            await engine.open()
        assert await (await engine.start(doubled, 1)).result() == 2
    async with engine:
        assert await (await engine.start(doubled, 2)).result() == 4


@workflow(name="misuse.waiting")
async def waiting(n: int) -> int:
    await signal("go")
    return n


async def test_an_engine_is_used_on_the_loop_on_which_it_was_opened(tmp_path: Path) -> None:
    async with Engine(address(tmp_path)) as engine:
        handle = await engine.start(waiting, 1, id="waits")

        async def elsewhere() -> int:
            for attempt in (
                engine.start(doubled, 1, id="elsewhere"), handle.signal("go"), handle.cancel(), handle.result(),
            ):  # fmt: skip
                with pytest.raises(CallerError, match=r"opened on another event loop.*run_coroutine_threadsafe"):
                    await attempt
            handed_over = asyncio.run_coroutine_threadsafe(engine.start(doubled, 2), engine.loop)
            started = await asyncio.wrap_future(handed_over)
            return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(started.result(), engine.loop))

        assert await asyncio.to_thread(asyncio.run, elsewhere()) == 4
        assert "elsewhere" not in [row.id for row in await engine.list()]
        await handle.signal("go")
        assert await handle.result() == 1


def test_an_engine_whose_loop_has_ended_says_so(tmp_path: Path) -> None:
    engine = Engine(address(tmp_path))
    asyncio.run(engine.open())

    async def start() -> None:
        await engine.start(doubled, 1)

    with pytest.raises(CallerError, match=r"has ended: open it and use it within one `asyncio\.run"):
        asyncio.run(start())
    asyncio.run(engine.close())


def test_a_client_that_is_not_open_says_so(tmp_path: Path) -> None:
    client = Client(address(tmp_path))
    with pytest.raises(CallerError, match=r"not open: use it inside `with Client"):
        client.list()
    with client:
        handle = client.start(doubled, 1)
        with pytest.raises(CallerError, match="open already"), client:
            pass
        assert handle.result() == 2
    with pytest.raises(CallerError, match="not open"):
        client.start(doubled, 2)
    with pytest.raises(CallerError, match="not open"):
        handle.result()


FORKING = """
import os
import sys
from segue import Client, workflow
from segue.errors import CallerError

@workflow
async def doubled(n: int) -> int:
    return 2 * n

with Client(sys.argv[1]) as client:
    handle = client.start(doubled, 1)
    child = os.fork()
    if not child:
        for attempt in (lambda: client.start(doubled, 2), lambda: handle.result(timeout=3)):
            try:
                attempt()
            except CallerError as error:
                print(error, flush=True)
        sys.exit(3)  # leaves the block
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 3
    assert client.start(doubled, 4).result() == 8
"""


def test_a_fork_does_not_wait_for_its_parent_s_client(tmp_path: Path) -> None:
    program = tmp_path / "forking.py"
    program.write_text(FORKING, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, program, address(tmp_path)], capture_output=True, text=True, timeout=120, check=True
    )
    assert done.stdout.count("this client was opened in the process of which this one is a fork") == 2, done.stderr
