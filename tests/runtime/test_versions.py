"""Code changes under runs of a real engine: taken over at their next waking, for good, or standing still by name."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from segue import Engine, Incident, deprecate_patch, patched, signal, step
from segue.authoring.python.changes import REMOVED
from segue.authoring.python.definitions import Workflow
from segue.kernel import events as e

DONE: Counter[str] = Counter()


@step(name="versions.charge")
async def charge(amount: int) -> str:
    DONE["charge"] += 1
    return f"charged {amount}"


@step(name="versions.audit")
async def audit(what: str) -> str:
    DONE[f"audit {what}"] += 1
    return what


@step(name="versions.ship")
async def ship(what: str) -> str:
    DONE["ship"] += 1
    return f"shipped {what}"


def code(function: Callable[..., Any]) -> Workflow[..., Any]:
    """A generation of the workflow ``order``."""
    return Workflow(function, "versions.order")


async def _order(amount: int) -> str:
    receipt = await charge(amount)
    await signal("go")
    return await ship(receipt)


async def _with_audit(amount: int) -> str:
    await audit("before")
    receipt = await charge(amount)
    await signal("go")
    await audit("after")
    return await ship(receipt)


async def _without_charge(amount: int) -> str:
    await signal("go")
    return await ship(str(amount))


@pytest.fixture(autouse=True)
def _clean() -> None:
    DONE.clear()


async def under(path: Path, function: Any, act: Callable[[Engine], Awaitable[Any]]) -> Any:
    """One engine's time, with one generation of the code."""
    async with Engine(f"sqlite:///{path / 'runs.db'}", workflows=[code(function)]) as engine:
        return await act(engine)


async def waiting(engine: Engine) -> None:
    handle = await engine.start("versions.order", 3, id="order")
    while (await handle.status()).state != "waiting":  # noqa: ASYNC110 - what is waited for stands in the database
        await asyncio.sleep(0.001)


async def end(engine: Engine) -> Any:
    handle = await engine.handle("order")
    await handle.signal("go")
    return await handle.result()


def kinds(history: list[Any]) -> list[str]:
    return [f"{x.event.kind} {x.event.name}" for x in history if isinstance(x.event, e.Marker)]


async def test_a_run_goes_on_with_other_code_and_repeats_nothing(tmp_path: Path) -> None:
    await under(tmp_path, _order, waiting)

    async def first(engine: Engine) -> Any:
        handle = await engine.handle("order")
        await handle.signal("go")
        return await handle.result(), kinds(await handle.history())

    result, markers = await under(tmp_path, _with_audit, first)
    assert result == "shipped charged 3"
    assert markers == [f"code {code(_with_audit).version}", "adopted /versions.charge"]
    assert DONE == {"charge": 1, "audit before": 1, "audit after": 1, "ship": 1}


async def test_a_takeover_is_recorded_once(tmp_path: Path) -> None:
    await under(tmp_path, _order, waiting)

    async def look(engine: Engine) -> Any:
        handle = await engine.handle("order")
        await handle.signal("nothing waits for this")
        while not DONE["audit before"] or (await handle.status()).state != "waiting":  # noqa: ASYNC110 - as above
            await asyncio.sleep(0.001)
        return kinds(await handle.history())

    for _ in range(3):
        markers = await under(tmp_path, _with_audit, look)
    assert markers == [f"code {code(_with_audit).version}", "adopted /versions.charge"]
    assert await under(tmp_path, _with_audit, end) == "shipped charged 3"
    assert DONE == {"charge": 1, "audit before": 1, "audit after": 1, "ship": 1}


async def test_a_step_that_is_gone_from_the_code_stops_the_run_by_name(tmp_path: Path) -> None:
    await under(tmp_path, _order, waiting)
    with pytest.raises(Incident, match=r"non-determinism.*'versions.charge' .* never calls it"):
        await under(tmp_path, _without_charge, end)
    assert DONE == {"charge": 1}, "it stands still before it does anything else"

    async def go_on(engine: Engine) -> Any:
        handle = await engine.handle("order")
        await handle.retry()
        return await handle.result(through_incidents=True)

    REMOVED.add("versions.charge")
    try:
        assert await under(tmp_path, _without_charge, go_on) == "shipped 3"
    finally:
        REMOVED.clear()


async def test_a_run_goes_back_to_the_code_that_came_first(tmp_path: Path) -> None:
    await under(tmp_path, _order, waiting)

    async def look(engine: Engine) -> None:
        handle = await engine.handle("order")
        await handle.signal("one more")
        while not DONE["audit before"] or (await handle.status()).state != "waiting":  # noqa: ASYNC110 - as above
            await asyncio.sleep(0.001)

    await under(tmp_path, _with_audit, look)
    with pytest.raises(Incident, match=r"'versions.audit' .* never calls it"):
        await under(tmp_path, _order, end)


# --- patches: three generations -----------------------------------------------------------------------------------


async def _patched(amount: int) -> str:
    receipt = await charge(amount)
    await signal("go")
    if patched("audited"):
        await audit("after")
    return await ship(receipt)


async def _deprecated(amount: int) -> str:
    receipt = await charge(amount)
    await signal("go")
    deprecate_patch("audited")
    await audit("after")
    return await ship(receipt)


async def _plain(amount: int) -> str:
    receipt = await charge(amount)
    await signal("go")
    await audit("after")
    return await ship(receipt)


async def _patched_before(amount: int) -> str:
    if patched("audited"):
        await audit("before")
    receipt = await charge(amount)
    await signal("go")
    return await ship(receipt)


async def _deprecated_before(amount: int) -> str:
    deprecate_patch("audited")
    await audit("before")
    receipt = await charge(amount)
    await signal("go")
    return await ship(receipt)


async def _plain_before(amount: int) -> str:
    await audit("before")
    receipt = await charge(amount)
    await signal("go")
    return await ship(receipt)


@pytest.mark.parametrize("generations", [[_patched], [_deprecated], [_patched, _deprecated], [_patched, _plain]])
async def test_a_patch_that_the_run_comes_to_later_applies(tmp_path: Path, generations: list[Any]) -> None:
    await under(tmp_path, _order, waiting)
    for generation in generations:
        await under(tmp_path, generation, look)
    assert await under(tmp_path, generations[-1], end) == "shipped charged 3"
    assert DONE == {"charge": 1, "audit after": 1, "ship": 1}


async def look(engine: Engine) -> None:
    """The run is loaded, and thus taken over."""
    handle = await engine.handle("order")
    await handle.signal("anything")


async def test_a_run_that_passed_before_the_patch_keeps_to_the_old_way(tmp_path: Path) -> None:
    await under(tmp_path, _order, waiting)
    assert await under(tmp_path, _patched_before, end) == "shipped charged 3"
    assert DONE == {"charge": 1, "ship": 1}


@pytest.mark.parametrize("last", [_patched_before, _deprecated_before, _plain_before])
async def test_a_run_that_has_the_patch_goes_through_all_generations(tmp_path: Path, last: Any) -> None:
    await under(tmp_path, _patched_before, waiting)
    await under(tmp_path, _deprecated_before, look)
    assert await under(tmp_path, last, end) == "shipped charged 3"
    assert DONE == {"audit before": 1, "charge": 1, "ship": 1}


async def test_a_run_that_went_the_old_way_is_told_when_that_is_gone(tmp_path: Path) -> None:
    await under(tmp_path, _order, waiting)
    await under(tmp_path, _patched_before, look)
    with pytest.raises(Incident, match=r"came here before patch 'audited'"):
        await under(tmp_path, _deprecated_before, end)
