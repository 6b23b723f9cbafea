"""A workflow in memory: the same loop, steps that run, and nothing that is recorded."""

from __future__ import annotations

import asyncio
import datetime
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest

import segue
from segue import (
    Approval,
    Ref,
    Retry,
    RunFailed,
    SecretRef,
    StepFailed,
    Transaction,
    approval,
    locally,
    saga,
    signal,
    state,
    step,
    workflow,
)
from segue.errors import CallerError, InvalidArgument

calls: list[Any] = []


@pytest.fixture(autouse=True)
def afresh() -> None:
    calls.clear()


@step
async def double(n: int) -> int:
    calls.append(segue.idempotency_key())
    return 2 * n


@step
def shout(text: str) -> str:
    return text.upper()


@step(retry=Retry(attempts=3, initial="1h"))
async def third_time() -> int:
    if segue.attempt_number() < 3:
        raise ConnectionError("not yet")
    return segue.attempt_number()


@step(timeout="5ms")
async def too_slow() -> None:
    await asyncio.sleep(3600)


@step
async def forever() -> None:
    try:
        await asyncio.sleep(3600)
    finally:
        calls.append("ended")


@step
async def breaks(text: str) -> None:
    raise ValueError(text)


@step
async def rows(n: int) -> list[int]:
    return list(range(n))


@step
async def total(refs: list[Ref[list[int]]]) -> int:
    return sum([sum(await ref.load()) for ref in refs])


@step
async def count_up() -> int:
    n = int(await state.get("local", "n", 0)) + 1
    await state.set("local", "n", n)
    return n


@step
async def secret(token: SecretRef) -> int:
    return len(token.value())


@step.transaction
def writes(db: Transaction) -> None: ...


@workflow
async def everything(n: int) -> dict[str, Any]:
    doubled, loud = await asyncio.gather(double(n), shout("tea"))
    await asyncio.sleep(86_400)
    refs = await rows.by_reference().map([1, 2, 3], concurrency=2)
    segue.artifact.markdown("note", "kept nowhere")
    segue.set_attributes(n=n)
    return {
        "doubled": doubled,
        "loud": loud,
        "child": await child(n),
        "total": await total(refs.all()),
        "state": [await count_up(), await count_up(), await state.get("local", "n")],
        "third": await third_time(),
    }


@workflow
async def child(n: int) -> int:
    return await double(n) + 1


@workflow
async def days(day: datetime.date) -> datetime.date:
    return day + datetime.timedelta(days=1)


@workflow
async def asks() -> str:
    answer = await approval("boss", name="go?")
    return f"{answer.approved} {await signal('word', str)} {await signal('word', str)}"


@workflow
async def limits() -> list[str]:
    said = []
    try:
        await too_slow()
    except StepFailed as error:
        said.append(error.failure.type.rpartition(".")[2])
    try:
        await asyncio.wait_for(forever(), 0.01)
    except TimeoutError:
        said.append("stopped")
    return said


@workflow
async def undone() -> None:
    async with saga() as s:
        await s.step(double, 1, undo=undo)
        await failing_child()


@workflow
async def failing_child() -> None:
    await breaks("from the child")


async def undo(n: int, result: int | None) -> None:
    calls.append(f"undone {result}")


@workflow
async def stuck() -> None:
    await signal("never")


@workflow
async def database() -> None:
    await writes()


@workflow
async def hidden(token: SecretRef) -> int:
    return await secret(token)


async def test_a_whole_workflow_runs_in_memory() -> None:
    result = await locally(everything, 5, skip_waits=True)
    assert result == {
        "doubled": 10, "loud": "TEA", "child": 11, "total": 4, "state": [1, 2, 2], "third": 3
    }  # fmt: skip
    assert len(set(calls)) == 2, "each call has its own idempotency key"


async def test_arguments_and_results_have_their_types() -> None:
    assert await days.local(datetime.date(2026, 11, 26)) == datetime.date(2026, 11, 27)
    assert await days.local(day=datetime.date(2026, 1, 1)) == datetime.date(2026, 1, 2)
    with pytest.raises(InvalidArgument):
        await days.local("2026-11-26")  # type: ignore[arg-type]


async def test_what_others_would_say_is_given() -> None:
    found = await locally(asks, answers={"go?": Approval(True)}, signals={"word": ["a", "b"]})
    assert found == "True a b"


async def test_limits_and_cancellation_of_steps() -> None:
    assert await locally(limits) == ["StepTimeout", "stopped"]
    assert calls == ["ended"]


async def test_a_failure_is_that_of_the_run_and_compensates() -> None:
    with pytest.raises(RunFailed, match="from the child"):
        await locally(undone)
    assert calls[1:] == ["undone 2"]


@pytest.mark.parametrize(
    ("which", "why"), [(stuck, "signals="), (asks, "answers="), (database, "use an engine")], ids=lambda x: str(x)[:8]
)
async def test_what_cannot_be_had_here_is_said(which: Any, why: str) -> None:
    with pytest.raises((CallerError, RunFailed), match=why):
        await locally(which)


async def test_secrets_are_given() -> None:
    assert await locally(hidden, SecretRef("token"), secrets={"token": "sesame"}) == 6


async def test_going_on_as_new_keeps_what_nobody_has_taken() -> None:
    @workflow(name="local-rounds")
    async def rounds(n: int) -> list[Any]:
        number = await signal("round", int)
        if n < 2:
            segue.continue_as_new(n + 1)
        return [n, number]

    assert await locally(rounds, 0, signals={"round": [7, 8, 9]}) == [2, 9]


async def test_a_step_that_is_completed_from_outside_says_so() -> None:
    @step(name="local-handed-over")
    async def handed_over() -> str:
        segue.complete_later()
        return "?"

    @workflow(name="local-hands-over")
    async def hands_over() -> str:
        return await handed_over()

    with pytest.raises(RunFailed, match="use an engine"):
        await locally(hands_over)


async def test_cancelling_the_caller_stops_its_steps() -> None:
    @workflow(name="local-forever")
    async def waits() -> None:
        await forever()

    task = asyncio.create_task(locally(waits))
    await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert calls == ["ended"]


def test_a_program_ends_though_a_step_of_it_hangs(tmp_path: Path) -> None:
    program = """
        import asyncio, threading
        from segue import locally, step, workflow

        @step(timeout="50ms")
        def hangs() -> None:
            threading.Event().wait()

        @step
        def says() -> str:
            return "the end"

        @workflow
        async def runs() -> str:
            await asyncio.gather(*[hangs() for _ in range(100)], return_exceptions=True)
            return await says()

        print(asyncio.run(locally(runs)))
    """
    ended = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)], cwd=tmp_path, timeout=60, capture_output=True, text=True
    )
    assert (ended.returncode, ended.stdout) == (0, "the end\n"), ended.stderr


@workflow(name="local.nap")
async def nap(n: int) -> int:
    await asyncio.sleep(0.01)
    return n


@workflow(name="local.relay")
async def relay(n: int) -> int:
    if n == 0:
        await nap.child(-1, detached=True)
        segue.continue_as_new(1)
    return await nap(n)


async def test_a_child_that_was_left_behind_does_not_answer_the_next_run() -> None:
    assert await relay.local(0) == 1
