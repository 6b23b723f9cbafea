"""Code changes under runs of a real engine: taken over at their next waking, for good, or standing still by name."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from segue import Engine, Incident, continue_as_new, deprecate_patch, patched, signal, step, update
from segue.authoring.python.changes import REMOVED
from segue.authoring.python.definitions import Workflow
from segue.errors import NotRepairable, RunCancelled, UpdateRejected
from segue.kernel import events as e
from segue.runtime.settings import Settings

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
        REMOVED.discard("versions.charge")


# --- code that goes on as a new run where the code before it stayed ---------------------------------------------------


@step(name="versions.hold")
async def hold() -> None:
    DONE["hold"] += 1
    await asyncio.Event().wait()


async def _stays(stage: int) -> int:
    """The first stage stays until it is cancelled; the second one sums up what came."""
    said = 0

    @update
    async def say(n: int) -> int:
        nonlocal said
        if stage == 0:
            await hold()
        said += n
        return said

    if stage == 0:
        try:
            await hold()
        finally:
            await hold()
        continue_as_new(1)
    return await signal("last", int) + said


async def _goes_on(stage: int) -> int:
    said = 0

    @update
    async def say(n: int) -> int:
        nonlocal said
        said += n
        return said

    if stage == 0:
        continue_as_new(1)
    return await signal("last", int) + said


async def held(engine: Engine, times: int) -> None:
    while DONE["hold"] < times:  # noqa: ASYNC110 - steps of another engine count
        await asyncio.sleep(0.001)


async def test_what_came_after_the_end_by_other_code_is_for_the_run_that_follows(tmp_path: Path) -> None:
    async def before(engine: Engine) -> None:
        handle = await engine.start("versions.order", 0, id="order")
        await held(engine, 1)
        asking = asyncio.create_task(handle.update("say", 30, id="thirty"))
        await held(engine, 2)
        await handle.signal("last", 12)
        asking.cancel()

    async def after(engine: Engine) -> tuple[Any, Any]:
        handle = await engine.handle("order")
        return await handle.result(), await handle.update("say", 30, id="thirty")

    await under(tmp_path, _stays, before)
    assert await under(tmp_path, _goes_on, after) == (42, 30)


async def _ends(stage: int) -> int:
    said = 0

    @update
    async def say(n: int) -> int:
        nonlocal said
        said += n
        return said

    return said


async def test_the_end_by_other_code_is_recorded_behind_the_answer_to_what_came_before(tmp_path: Path) -> None:
    async def before(engine: Engine) -> None:
        handle = await engine.start("versions.order", 0, id="order")
        await held(engine, 1)
        asking = asyncio.create_task(handle.update("say", 30, id="thirty"))
        await held(engine, 2)
        asking.cancel()

    async def after(engine: Engine) -> list[str]:
        handle = await engine.handle("order")
        assert await handle.result() == 0
        with pytest.raises(UpdateRejected, match="about to end"):
            await handle.update("say", 30, id="thirty")
        return [type(each.event).__name__ for each in await handle.history()]

    await under(tmp_path, _stays, before)
    recorded = await under(tmp_path, _ends, after)
    assert recorded == ["RunStarted", "UpdateAccepted", "Marker", "UpdateCompleted", "RunCompleted"]


async def test_a_cancellation_after_the_end_by_other_code_ends_the_chain(tmp_path: Path) -> None:
    async def before(engine: Engine) -> None:
        handle = await engine.start("versions.order", 0, id="order")
        await held(engine, 1)
        await handle.cancel("enough")
        await held(engine, 2)

    async def after(engine: Engine) -> None:
        with pytest.raises(RunCancelled, match="enough"):
            await (await engine.handle("order")).result()

    await under(tmp_path, _stays, before)
    REMOVED.add("versions.hold")
    try:
        await under(tmp_path, _goes_on, after)
    finally:
        REMOVED.discard("versions.hold")


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


# --- pinned versions and ramps ------------------------------------------------------------------------------------


def labelled(function: Any, label: str, **terms: Any) -> Workflow[..., Any]:
    return Workflow(function, "versions.order", version=label, **terms)


def opened(path: Path, *workflows: Workflow[..., Any], wait: float = 0) -> Engine:
    return Engine(f"sqlite:///{path / 'runs.db'}", workflows=workflows, settings=Settings(pinned_wait=wait))


async def test_a_pinned_run_goes_on_with_its_own_version_beside_the_new_one(tmp_path: Path) -> None:
    one = labelled(_order, "1", versioning="pinned")
    two = labelled(_with_audit, "2", versioning="pinned")
    async with opened(tmp_path, one) as engine:
        await waiting(engine)
    async with opened(tmp_path, one, two) as engine:
        assert await end(engine) == "shipped charged 3"
        assert DONE == {"charge": 1, "ship": 1}
        new = await engine.start("versions.order", 4)
        await new.signal("go")
        await new.result()
        assert (await new.status()).version == two.version
        assert DONE["audit before"] == 1


async def test_a_pinned_run_waits_for_a_worker_that_has_its_version(tmp_path: Path) -> None:
    one = labelled(_order, "1", versioning="pinned")
    two = labelled(_with_audit, "2", versioning="pinned")
    async with opened(tmp_path, one) as engine:
        await waiting(engine)
    async with opened(tmp_path, two, wait=3600) as engine:
        handle = await engine.handle("order")
        await handle.signal("go")
        while not (row := await handle.status()).error:  # noqa: ASYNC110 - as above
            await asyncio.sleep(0.001)
        assert (row.state, row.error) == (
            "waiting",
            f"waits for a worker that has version {one.version!r} of workflow 'versions.order', to which it is pinned; "
            f"this one has {two.version!r}",
        )
        before = len(await handle.history())
    async with opened(tmp_path, one) as engine:
        handle = await engine.handle("order")
        assert await handle.result() == "shipped charged 3"
        assert not any(isinstance(x.event, e.IncidentOpened) for x in await handle.history()), "nothing went wrong"
        assert len(await handle.history()) > before


async def test_a_pinned_run_that_has_waited_in_vain_stands_still(tmp_path: Path) -> None:
    one = labelled(_order, "1", versioning="pinned")
    two = labelled(_with_audit, "2", versioning="pinned")
    async with opened(tmp_path, one) as engine:
        await waiting(engine)
    async with opened(tmp_path, two, wait=0.02) as engine:
        handle = await engine.handle("order")
        await handle.signal("go")
        with pytest.raises(Incident, match=r"version-missing.*waits for a worker.*start a worker whose code has"):
            await handle.result()
    async with opened(tmp_path, one, two) as engine:
        handle = await engine.handle("order")
        await handle.retry()
        assert await handle.result(through_incidents=True) == "shipped charged 3"


async def test_a_ramp_is_taken_back_and_its_runs_go_on(tmp_path: Path) -> None:
    one = labelled(_order, "1")
    async with opened(tmp_path, one, labelled(_patched, "2", ramp=100)) as engine:
        await waiting(engine)
        assert (await (await engine.handle("order")).status()).version.startswith("2/")
    async with opened(tmp_path, one, labelled(_patched, "2", ramp=0)) as engine:
        new = await engine.start("versions.order", 4)
        assert (await new.status()).version.startswith("1/")
        assert await end(engine) == "shipped charged 3"
        assert DONE["audit after"] == 1, "the run on the ramp went on with its own version"


async def test_the_newest_code_is_that_of_the_workers_where_there_is_none(tmp_path: Path) -> None:
    one = labelled(_order, "1", versioning="pinned")
    two = labelled(_patched, "2", versioning="pinned")
    url = f"sqlite:///{tmp_path / 'runs.db'}"
    async with opened(tmp_path, one) as engine:
        await waiting(engine)
        await (await engine.handle("order")).pause("until there is newer code")
    async with Engine(url, own=False, workflows=[]) as client:
        old = await client.handle("order")
        for act in (old.retry_from, old.fork):
            with pytest.raises(NotRepairable, match=r"no worker .* has code of workflow 'versions.order'"):
                await act(step=None, code="newest")
        effect = client.preview(old.run, code="newest")
        assert "start one that has it, or leave the code as it is" in effect.refused
        assert (await old.status()).state == "paused", "nothing was changed"
        async with opened(tmp_path, two):
            new = await old.retry_from(None, code="newest")
            assert (await new.status()).version == two.version
            await new.signal("go")
            assert await new.result() == "shipped charged 3"
    assert DONE["charge"] == 1
