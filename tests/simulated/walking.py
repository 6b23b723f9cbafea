"""A workflow that walks a program: the same things as the oracle, by what segue offers for them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from contextvars import ContextVar
from typing import Any

import msgspec
from foretold import mixed

from segue import (
    NonRetryable,
    Retry,
    RunFailed,
    Step,
    StepFailed,
    all_handlers_finished,
    approval,
    continue_as_new,
    idempotency_key,
    patched,
    removed,
    saga,
    signal,
    sleep,
    state,
    step,
    update,
    wait_condition,
    workflow,
)
from segue import skip as skipping

Node = list[Any]
PATIENT = Retry(attempts=0, initial="1s", maximum="1m")
FOR_EVER = 10**9


class Answer(msgspec.Struct, frozen=True):
    """What a person says."""

    number: int


class Boom(Exception):
    """The program raises."""


class Outside:
    """The systems that the steps change: what took effect, by the key that each call was handed.

    Attributes:
        effects: (kind, number) by idempotency key. order: the same, as each took effect first.
    """

    def __init__(self) -> None:
        self.effects: dict[str, tuple[str, int]] = {}
        self.order: list[tuple[str, int]] = []

    def take(self, kind: str, n: int) -> None:
        key = idempotency_key()
        if key not in self.effects:
            self.effects[key] = (kind, n)
            self.order.append((kind, n))


world = Outside()
"""The one of the run that is simulated just now."""


@step(retry=PATIENT)
async def work(n: int) -> int:
    world.take("work", n)
    return 2 * n + 1


@step(retry=PATIENT)
async def refused(n: int) -> int:
    world.take("refused", n)
    raise NonRetryable(f"{n} is refused")


@step(retry=PATIENT, on_error=skipping(None))
async def skipped(n: int) -> int | None:
    world.take("skipped", n)
    raise NonRetryable(f"{n} cannot be done")


@step(retry=PATIENT)
async def reserve(n: int) -> int:
    world.take("reserve", n)
    return n


@step(retry=PATIENT)
async def release(n: int, reserved: int | None) -> None:
    world.take("release", n)


@step(retry=PATIENT)
async def count(key: str, n: int) -> int:
    total: int = await state.get("programs", key, 0) + n
    await state.set("programs", key, total)
    return total


def leaving(kind: str) -> Step[[int], int]:
    """A step that leaves its number outside."""

    @step(retry=PATIENT, name=kind)
    async def left_behind(n: int) -> int:
        world.take(kind, n)
        return n

    return left_behind


# A call that comes before another one of the same step is one that was under way when its process was killed, as far as
# anybody can know (docs/versions.md): what the second release brings or puts elsewhere are steps of their own.
gone, extra, left, right, instead = map(leaving, ("gone", "inserted", "left", "right", "instead"))


removed("gone")

second = ContextVar("second", default=False)
"""Whether it is the code of the second release that runs."""


@workflow(name="branch", version="2")
async def second_branch(node: Node) -> int:
    second.set(True)
    return await walk(node)


@workflow(version="1")
async def branch(node: Node) -> int:
    return await walk(node)


@workflow(name="program", version="2")
async def second_program(stages: list[Node], total: int, updates: int, seen: int, added: int) -> int:
    second.set(True)
    return await _program(stages, total, updates, seen, added)


@workflow(version="1")
async def program(stages: list[Node], total: int, updates: int, seen: int, added: int) -> int:
    return await _program(stages, total, updates, seen, added)


async def _program(stages: list[Node], total: int, updates: int, seen: int, added: int) -> int:
    """Walks the stages that are left. ``updates``: how many there will be; ``seen`` of them, with sum ``added``."""

    @update
    async def add(n: int) -> int:
        nonlocal seen, added
        done = await work_of_update(n)
        seen, added = seen + 1, added + n
        return done

    for at, stage in enumerate(stages, 1):
        total = mixed(total, await walk(stage))
        if at < len(stages) and at % 2:
            await wait_condition(all_handlers_finished)
            continue_as_new(stages[at:], total, updates, seen, added)
    await wait_condition(lambda: seen == updates)
    return mixed(total, added)


@step(retry=PATIENT, name="work-of-update")
async def work_of_update(n: int) -> int:
    world.take("update", n)
    return n


async def walk(node: Node) -> int:
    return await WALK[node[0]](*node[1:])


async def _refused(n: int) -> int:
    try:
        return await refused(n)
    except StepFailed:
        return -n


async def _skipped(n: int) -> int:
    found = await skipped(n)
    return n if found is None else found


async def _counted(key: str, n: int, times: int) -> int:
    total = 0
    for _ in range(times):
        total = await count(key, n)
    return total


async def _sleep(seconds: int, node: Node) -> int:
    await sleep(seconds)
    return await walk(node)


async def _all(nodes: list[Node]) -> int:
    return _of([await walk(node) for node in nodes])


async def _gather(nodes: list[Node]) -> int:
    return _of(await asyncio.gather(*map(walk, nodes)))


async def _group(nodes: list[Node]) -> int:
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(walk(node)) for node in nodes]
    return _of([task.result() for task in tasks])


def _of(values: list[int]) -> int:
    total = 0
    for value in values:
        total = mixed(total, value)
    return total


async def _map(numbers: list[int]) -> int:
    return sum(await work.map(numbers, concurrency=2))


async def _raise(n: int) -> int:
    raise Boom(n)


async def _try(node: Node, instead: Node) -> int:
    try:
        return await walk(node)
    except (Boom, RunFailed):
        return await walk(instead)


async def _late(node: Node, instead: Node) -> int:
    await walk(node)
    try:
        async with asyncio.timeout(5):
            await asyncio.sleep(FOR_EVER)
    except TimeoutError:
        return await walk(instead)
    raise AssertionError("it came in time")


async def _stopped(node: Node, n: int) -> int:
    found = asyncio.get_running_loop().create_future()

    async def stays() -> None:
        found.set_result(await walk(node))
        await asyncio.Event().wait()

    task = asyncio.create_task(stays())
    try:
        value: int = await found
    finally:
        task.cancel()
        await asyncio.wait([task])
    return mixed(value, n)


async def _saga(id: str, numbers: list[int], n: int | None) -> int:
    async with saga() as compensating:
        for number in numbers:
            await compensating.step(reserve, number, undo=release)
        if n is not None:
            raise Boom(n)
    return sum(numbers)


async def _ask(n: int) -> int:
    return (await approval("clerk", form=Answer, subject={"n": n})).number


async def _signal(name: str) -> int:
    return await signal(name, int)


async def _child(node: Node) -> int:
    return await (second_branch if second.get() else branch)(node)


async def _patched(id: str, node: Node, n: int) -> int:
    return await walk(node) if second.get() and patched(id) else await instead(n)


async def _inserted(n: int) -> int:
    return await extra(n) if second.get() else 0


async def _dropped(n: int) -> int:
    if not second.get():
        await gone(n)
    return 0


async def _swapped(n: int, m: int) -> int:
    if second.get():
        later = await right(m)
        return mixed(await left(n), later)
    return mixed(await left(n), await right(m))


async def _moved(n: int, node: Node) -> int:
    keyed = work.using(key=f"moved-{n}")
    if second.get():
        later = await walk(node)
        return mixed(await keyed(n), later)
    return mixed(await keyed(n), await walk(node))


WALK: dict[str, Callable[..., Coroutine[Any, Any, int]]] = {
    "work": work,
    "refused": _refused,
    "skipped": _skipped,
    "counted": _counted,
    "sleep": _sleep,
    "all": _all,
    "gather": _gather,
    "group": _group,
    "map": _map,
    "raise": _raise,
    "try": _try,
    "late": _late,
    "stopped": _stopped,
    "saga": _saga,
    "child": _child,
    "signal": _signal,
    "ask": _ask,
    "patched": _patched,
    "inserted": _inserted,
    "dropped": _dropped,
    "swapped": _swapped,
    "moved": _moved,
}
