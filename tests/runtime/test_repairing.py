"""Repair: calls are skipped, inputs changed, runs gone on with from elsewhere, and nothing is done twice unasked."""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from segue import (
    Engine,
    Handle,
    Incident,
    Retry,
    RunFailed,
    Settings,
    StepFailed,
    approval,
    artifact,
    idempotency_key,
    publish,
    saga,
    set_summary,
    signal,
    step,
    uuid4,
    workflow,
)
from segue.authoring.python.definitions import Workflow
from segue.errors import InvalidArgument, NotRepairable, RunAlreadyExists, RunClosed, StoreUnavailable
from segue.kernel import events as e
from segue.repair.actions import FORKED_FROM
from segue.stores.base import RunRow
from segue.stores.faults import FaultyStore
from segue.stores.sqlite.store import SqliteStore

DONE: Counter[str] = Counter()
KEYS: dict[str, list[str]] = {}
BROKEN: set[str] = set()


def act(what: str) -> None:
    DONE[what] += 1
    KEYS.setdefault(what, []).append(idempotency_key())
    if what in BROKEN:
        raise RuntimeError(f"{what} is broken")


@step(name="repair.charge")
async def charge(amount: int) -> int:
    act("charge")
    return amount


@step(name="repair.ship", on_exhausted="incident")
async def ship(what: str) -> str:
    act(f"ship {what}")
    return f"shipped {what}"


@step(name="repair.pack")
async def pack(what: str) -> str:
    act("pack")
    return what


@step(name="repair.again", retry=Retry(attempts=5, initial="1h"))
async def again(what: str) -> str:
    act(f"again {what}")
    return what


@step(name="repair.refund")
async def refund(amount: int, charged: int | None) -> None:
    act("refund")


@workflow(name="repair.stuck")
async def stuck(what: str) -> str:
    await charge(3)
    return await ship(what)


@workflow(name="repair.failing")
async def failing(amount: int) -> str:
    chance = uuid4().hex
    await charge(amount)
    await pack(chance)
    return await pack("last")


@step(name="repair.part")
async def part(n: int) -> int:
    act(f"part {n}")
    return n


@step(name="repair.hang")
async def hang() -> None:
    await asyncio.sleep(3600)


@workflow(name="repair.all-parts")
async def all_parts(concurrency: int) -> int:
    await charge(1)
    return sum((await part.map(range(8), concurrency=concurrency)).all())


@workflow(name="repair.counted-parts")
async def counted_parts() -> int:
    tolerated = len((await part.map(range(10, 13))).failures)
    await charge(tolerated)
    parts = await part.map(range(8), concurrency=3)
    if parts.failures:
        parts = await parts.retry()
    if parts.failures:
        raise ValueError(f"{len(parts.failures)} of {len(parts)} parts are missing")
    return tolerated


@workflow(name="repair.grouped")
async def grouped() -> str:
    async with asyncio.TaskGroup() as tasks:
        packed = tasks.create_task(pack("a"))
        if "pack" in BROKEN:
            tasks.create_task(hang())
    return packed.result()


@workflow(name="repair.cleaning")
async def cleaning() -> str:
    try:
        return await pack("b")
    except StepFailed:
        with contextlib.suppress(StepFailed):
            await part(1)
        raise


@workflow(name="repair.undoing")
async def undoing() -> str:
    async with saga() as s:
        await s.step(charge, 1, undo=refund)
        return await pack("undone")


@workflow(name="repair.waiting")
async def waiting(n: int) -> str:
    await charge(n)
    answer = await approval("ann", name="agree")
    await signal("go")
    return str(answer.approved)


@workflow(name="repair.asked")
async def asked() -> str:
    return str(await signal("go"))


@workflow(name="repair.asking")
async def asking(n: int) -> str:
    await charge(n)
    return await asked()


@workflow(name="repair.retrying")
async def retrying(what: str) -> str:
    return await again(what)


@pytest.fixture(autouse=True)
def _clean() -> None:
    DONE.clear()
    KEYS.clear()
    BROKEN.clear()


def opened(path: Path, **terms: Any) -> Engine:
    return Engine(f"sqlite:///{path / 'runs.db'}", **terms)


async def stands_still(engine: Engine, what: str = "tea", **terms: Any) -> Handle[Any]:
    BROKEN.add(f"ship {what}")
    handle = await engine.start(stuck, what, **terms)
    with pytest.raises(Incident):
        await handle.result()
    return handle


async def failed(engine: Engine, code: Any = failing, *args: Any, **terms: Any) -> Handle[Any]:
    BROKEN.add("pack")
    handle = await engine.start(code, *args, **terms)
    with pytest.raises(RunFailed):
        await handle.result()
    BROKEN.clear()
    return handle


# --- skipping and changing ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("call", ["/repair.ship", "repair.ship"])
async def test_a_step_that_stands_still_is_skipped_with_a_result(tmp_path: Path, call: str) -> None:
    async with opened(tmp_path) as engine:
        handle = await stands_still(engine)
        await handle.skip(call, "by hand", by="ann")
        assert await handle.result(through_incidents=True) == "by hand"
        (event,) = [x.event for x in await handle.history() if isinstance(x.event, e.Modified)]
        assert (event.actor, event.action, event.key) == ("user:ann", "skip", "/repair.ship")
        assert DONE["ship tea"] == 1


async def test_a_skipped_step_stays_skipped_by_replay_and_from_elsewhere(tmp_path: Path) -> None:
    async with opened(tmp_path) as engine:
        handle = await stands_still(engine, id="order")
    async with opened(tmp_path, own=False) as client:
        await (await client.handle("order")).skip("repair.ship", "by hand")
        with pytest.raises(InvalidArgument, match=r"result for /repair.ship is of another type"):
            await (await client.handle("order")).skip("repair.ship", 5)
    for _ in range(2):
        async with opened(tmp_path) as engine:
            handle = await engine.handle("order")
            assert await handle.result(through_incidents=True) == "by hand"


async def test_a_step_gets_other_arguments(tmp_path: Path) -> None:
    async with opened(tmp_path) as engine:
        handle = await stands_still(engine)
        await handle.edit_input("repair.ship", "coffee")
        await handle.retry("/repair.ship")
        assert await handle.result(through_incidents=True) == "shipped coffee"
        with pytest.raises(RunClosed):
            await handle.skip("repair.ship", "late")


async def test_a_step_that_waits_for_its_next_attempt_gets_other_arguments_by_replay(tmp_path: Path) -> None:
    BROKEN.add("again tea")
    async with opened(tmp_path) as engine:
        handle = await engine.start(retrying, "tea", id="order")
        while (await handle.status()).state != "waiting":  # noqa: ASYNC110 - it stands in the database
            await asyncio.sleep(0.001)
        await handle.edit_input("repair.again", "coffee")
    async with opened(tmp_path) as engine:
        handle = await engine.handle("order")
        await handle.skip("repair.again", "enough")
        assert await handle.result() == "enough"


async def test_a_person_is_skipped_and_their_task_withdrawn(tmp_path: Path) -> None:
    async with opened(tmp_path) as engine:
        handle = await engine.start(waiting, 1)
        while not await engine.tasks():  # noqa: ASYNC110 - as above
            await asyncio.sleep(0.001)
        await handle.skip("agree", {"approved": True})
        await handle.signal("go")
        assert await handle.result() == "True"
        assert [task.state for task in await engine.tasks(state=None)] == ["withdrawn"]


@pytest.mark.parametrize(
    ("call", "said"),
    [
        ("nothing", r"run 'order' has no call 'nothing' .* it has: /repair.ship; nothing was changed"),
        ("repair.charge", r"run 'order' has no call 'repair.charge'"),
    ],
)
@pytest.mark.parametrize("known", [True, False])
async def test_what_cannot_be_skipped_is_refused(tmp_path: Path, call: str, said: str, known: bool) -> None:
    async with opened(tmp_path) as engine:
        handle = await stands_still(engine, id="order")
        before = len(await handle.history())
        async with opened(tmp_path, own=False, workflows=None if known else []) as client:
            for attempt in (handle.skip, handle.edit_input) if known else ((await client.handle("order")).skip,):
                with pytest.raises(NotRepairable, match=said):
                    await attempt(call, "x")
        assert len(await handle.history()) == before


async def waits_for_others(engine: Engine, code: Any) -> Handle[Any]:
    handle = await engine.start(code, 1)
    while not any(isinstance(each.event, e.TaskOpened | e.ChildStarted) for each in await handle.history()):  # noqa: ASYNC110 - as above
        await asyncio.sleep(0.001)
    return handle


@pytest.mark.parametrize(
    ("code", "call", "wrong"),
    [(asking, "repair.asked", 7), (waiting, "agree", "yes"), (waiting, "agree", {"approved": "perhaps"})],
)
@pytest.mark.parametrize("known", [True, False])
async def test_a_result_of_another_type_changes_nothing(
    tmp_path: Path, code: Any, call: str, wrong: Any, known: bool
) -> None:
    said = f"the result (that was given )?for /{call} is of another type"
    right = {"approved": True} if code is waiting else "True"
    async with opened(tmp_path) as engine:
        handle = await waits_for_others(engine, code)
        if known:
            with pytest.raises(InvalidArgument, match=said):
                await handle.skip(call, wrong)
        else:
            async with opened(tmp_path, own=False, workflows=[]) as client:
                await (await client.handle(handle.id)).skip(call, wrong)
        await handle.skip(call, right)
        if code is waiting:
            await handle.signal("go")
        assert await handle.result() == "True"
        modified = [each for each in await handle.history() if isinstance(each.event, e.Modified)]
        logged = "".join(line.text for line in engine.logs(handle.run))
    assert len(modified) == 1
    assert known or re.search(said, logged)


# --- going on from elsewhere ----------------------------------------------------------------------------------------


async def test_a_failed_run_is_retried_from_the_step_that_failed(tmp_path: Path) -> None:
    async with opened(tmp_path) as engine:
        first = await failed(engine, failing, 7, id="order")
        effect = engine.preview(first.run, step="failed")
        assert (effect.kept, effect.again, effect.undone) == (("/repair.charge",), ("/repair.pack",), ())
        second = await first.retry_from(by="ann")
        assert second.id == "order"
        assert await second.result() == "last"
        assert (await engine.handle("order")).run == second.run
        assert DONE == {"charge": 1, "pack": 3}
        assert len(set(KEYS["pack"])) == 3, "a new run has keys of its own"
        assert (await second.status()).tags[FORKED_FROM] == (await first.status()).uid
        (mark,) = [x.event for x in await second.history() if isinstance(x.event, e.Modified)]
        assert (mark.action, mark.source_id, mark.seq, mark.actor) == ("forked", "order", 2, "user:ann")
        assert (await first.status()).state == "failed", "what was stays as it was"


@pytest.mark.parametrize("concurrency", [1, 3, 8])
async def test_a_retry_runs_all_of_a_map_that_have_failed(tmp_path: Path, concurrency: int) -> None:
    BROKEN.update({"part 2", "part 3", "part 7"})
    async with opened(tmp_path) as engine:
        first = await failed(engine, all_parts, concurrency)
        second = await first.retry_from()
        assert await second.result() == sum(range(8))
    assert (DONE["part 2"], DONE["part 3"], DONE["part 7"]) == (2, 2, 2)
    assert (DONE["charge"], DONE["part 0"]) == (1, 1)


async def test_a_retry_runs_all_of_a_map_that_the_workflow_has_counted(tmp_path: Path) -> None:
    BROKEN.update({"part 2", "part 5", "part 7", "part 11"})
    async with opened(tmp_path) as engine:
        first = await failed(engine, counted_parts)
        kept = engine.preview(first.run, step="failed").kept
        assert {"/1/repair.part", "/5/repair.part"} <= set(kept), "failures that the workflow has lived with"
        assert await (await first.retry_from()).result() == 1
    assert (DONE["part 2"], DONE["part 5"], DONE["part 7"], DONE["part 11"]) == (3, 3, 3, 1)


async def test_a_step_that_was_cancelled_is_not_the_one_that_failed(tmp_path: Path) -> None:
    async with opened(tmp_path) as engine:
        first = await failed(engine, grouped)
        assert await (await first.retry_from()).result() == "a"


async def test_a_retry_goes_on_from_the_failure_that_ended_the_run(tmp_path: Path) -> None:
    BROKEN.add("part 1")
    async with opened(tmp_path) as engine:
        first = await failed(engine, cleaning)
        assert await (await first.retry_from()).result() == "b"


async def test_a_run_that_stands_still_gives_its_id_to_its_retry(tmp_path: Path) -> None:
    async with opened(tmp_path) as engine:
        first = await stands_still(engine, id="order")
        BROKEN.clear()
        second = await first.retry_from("start")
        assert await second.result() == "shipped tea"
        assert DONE == {"charge": 2, "ship tea": 2}
        assert (await first.status()).state == "terminated"
        third = await second.retry_from("repair.ship")
        assert await third.result() == "shipped tea"
        assert DONE["charge"] == 2


async def test_a_fork_with_other_input_leaves_its_source_alone(tmp_path: Path) -> None:
    async with opened(tmp_path) as engine:
        first = await failed(engine, failing, 7)
        other = await first.fork(step="start", args=(9,), id="other")
        again = await first.fork(step="start", args=(9,), id="other")
        assert again.run == other.run, "the same fork is one run"
        assert await other.result() == "last"
        assert DONE["charge"] == 2
        with pytest.raises(RunAlreadyExists):
            await first.fork(step="start", args=(10,), id="other")
        kept = await first.fork(seq=2, args=(9,))
        with pytest.raises(Incident, match=r"'repair.charge' .* with other arguments"):
            await kept.result()


async def test_a_fork_survives_restarts_and_keeps_its_open_tasks(tmp_path: Path) -> None:
    async with opened(tmp_path) as engine:
        first = await engine.start(waiting, 1, id="order")
        while not await engine.tasks():  # noqa: ASYNC110 - as above
            await asyncio.sleep(0.001)
        with pytest.raises(NotRepairable, match=r"run 'order' is waiting: only one that has ended or stands still"):
            await first.fork()
        await first.terminate("to be forked")
        with pytest.raises(RunFailed):
            await first.result()
    async with opened(tmp_path, own=False) as client:
        fork = await (await client.handle("order")).fork(id="fork")
    async with opened(tmp_path) as engine:
        (task,) = await engine.tasks()
        assert task.run == fork.run
        await engine.complete_task(task, {"approved": True})
        fork = await engine.handle("fork")
        await fork.signal("go")
        assert await fork.result() == "True"
        assert DONE == {"charge": 1}


@workflow(name="repair.showing")
async def showing() -> str:
    publish("stage", "charging")
    publish("amount", 3)
    set_summary("charging")
    await charge(3)
    publish("stage", "packing")
    set_summary("packing")
    artifact.markdown("report", "3 charged")
    await pack("tea")
    publish("stage", "packed")
    await signal("go")
    return "done"


async def shown(handle: Handle[Any]) -> tuple[dict[str, Any], str, list[Any]]:
    return await handle.published(), (await handle.status()).summary, [each.value for each in await handle.artifacts()]


@pytest.mark.parametrize("cache", [0, 1000])
async def test_a_fork_shows_what_its_source_showed_where_it_is_cut(tmp_path: Path, cache: int) -> None:
    async with opened(tmp_path, settings=Settings(cache=cache)) as engine:
        first = await failed(engine, showing)
        BROKEN.add("pack")
        begun = await first.fork(step="start", id="begun")
        with pytest.raises(RunFailed):
            await begun.result()
        failing_again = await first.retry_from("failed")
        with pytest.raises(RunFailed):
            await failing_again.result()
        packing = {"stage": "packing", "amount": 3}, "packing", ["3 charged"]
        assert [await shown(each) for each in (first, begun, failing_again)] == [packing] * 3
        BROKEN.clear()
        last = await failing_again.retry_from("failed")
        while (await last.published()).get("stage") != "packed":  # noqa: ASYNC110 - as above
            await asyncio.sleep(0.001)
        # Forked behind its last event, it only waits: whatever it shows is from what it was given.
        await last.terminate()
        with pytest.raises(RunFailed):
            await last.result()
        waits = await last.fork(id="waits")
        async with asyncio.timeout(5):
            while await waits.published() != {"stage": "packed", "amount": 3}:  # noqa: ASYNC110 - as above
                await asyncio.sleep(0.001)
        await waits.signal("go")
        assert await waits.result() == "done"
        assert await shown(waits) == ({"stage": "packed", "amount": 3}, "packing", ["3 charged"])


async def test_what_a_compensation_undid_is_done_again_or_refused(tmp_path: Path) -> None:
    async with opened(tmp_path) as engine:
        first = await failed(engine, undoing)
        refused = r"has undone what it did \(/undo0/repair.refund\).*: a step before that, or 'start' for all of it"
        assert re.search(refused, engine.preview(first.run, step="failed").refused)
        with pytest.raises(NotRepairable, match=refused):
            await first.retry_from()
        effect = engine.preview(first.run, step="repair.pack")
        assert effect.undone == ("/undo0/repair.refund",)
        assert "was undone since, and stays so: /undo0/repair.refund" in str(effect)
        assert engine.preview(first.run, step="start").kept == ()


async def test_a_run_is_retried_on_newer_code(tmp_path: Path) -> None:
    async def mended(amount: int) -> str:
        await charge(amount)
        return "mended"

    async with opened(tmp_path) as engine:
        first = await failed(engine, failing, 7, id="order")
    async with opened(tmp_path, workflows=[Workflow(mended, "repair.failing")]) as engine:
        second = await (await engine.handle("order")).retry_from()
        assert await second.result() == "mended"
        assert DONE["charge"] == 1
        assert first.run != second.run


@pytest.mark.parametrize(
    ("terms", "said"),
    [
        ({"step": "nothing"}, "has no call 'nothing'"),
        ({"step": "repair.pack", "seq": 1}, "not both"),
        ({"seq": 99}, "has events 1 to"),
        ({"code": "older"}, "'same' or 'newest'"),
    ],
)
async def test_a_place_that_is_none_is_refused(tmp_path: Path, terms: dict[str, Any], said: str) -> None:
    async with opened(tmp_path) as engine:
        first = await failed(engine, failing, 7)
        with pytest.raises((NotRepairable, InvalidArgument), match=said):
            await first.fork(**terms)
        assert len(await engine.list()) == 1


@workflow(name="repair.parent")
async def parent() -> str:
    return await failing(1)


async def test_a_child_is_retried_by_its_parent(tmp_path: Path) -> None:
    async with opened(tmp_path) as engine:
        handle = await failed(engine, parent, id="parent")
        child = next(row for row in await engine.list() if row.workflow == "repair.failing")
        with pytest.raises(NotRepairable, match="is a child, and its parent would not learn of another run"):
            await engine.retry_from(child.run)
        second = await handle.retry_from()
        assert await second.result() == "last"


@workflow(name="repair.parent-of-one")
async def parent_of_one() -> str:
    return await failing.child(1, id="one")


class Forgetful(FaultyStore):
    """Cannot be read the next few times that somebody asks about a run."""

    about = fails = 0

    def run(self, run: int) -> RunRow | None:
        if run == self.about and self.fails:
            self.fails -= 1
            raise StoreUnavailable("not now")
        return super().run(run)


@pytest.mark.parametrize("fails", [0, 2])
async def test_a_child_that_has_an_id_gives_it_to_the_one_of_the_retry(tmp_path: Path, fails: int) -> None:
    store = Forgetful(SqliteStore.open(tmp_path / "test.db"))
    async with Engine(f"sqlite:///{tmp_path}/test.db", store=store) as engine:
        handle = await failed(engine, parent_of_one, id="parent")
        child = await engine.handle("one")
        store.about, store.fails = child.run, fails
        second = await handle.retry_from()
        assert await second.result() == "last"
        assert store.fails == 0
        assert (await engine.handle("one")).run > child.run


async def test_a_child_that_has_an_id_keeps_it_from_all_others(tmp_path: Path) -> None:
    async with opened(tmp_path) as engine:
        await failed(engine, parent_of_one, id="parent")
        BROKEN.clear()
        other = await engine.start(parent_of_one, id="other")
        with pytest.raises(RunFailed, match="its id is taken by a run that is failed"):
            await other.result()
        with pytest.raises(RunFailed, match="its id is taken by a run that is failed"):
            await (await other.retry_from()).result()
