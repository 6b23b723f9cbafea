"""Workers share runs, hand them over, and take over from the dead."""

from __future__ import annotations

import asyncio
import signal
from collections import Counter
from functools import partial
from typing import Any

import fleet_program
import pytest
from fleet_kit import LEASE, Fleet, until

from segue import Engine, Handle, Incident, Retention, RunCancelled, Settings
from segue.client import sharing
from segue.kernel import events as e
from segue.runtime import retention
from segue.stores.base import RunFilter
from segue.stores.owning import SLOTS

pytestmark = pytest.mark.xdist_group("fleet")
PATIENT = 8.0
"""A lease that no pause of a busy machine outlasts: with a shorter one, a living worker may be taken for dead."""
SETTINGS = Settings(lease=LEASE)


def client(fleet: Fleet) -> Engine:
    return Engine(fleet.url, own=False)


async def test_a_client_hands_its_work_to_a_worker(fleet: Fleet) -> None:
    worker = await fleet.worker()
    async with client(fleet) as engine:
        handles = [await engine.start(fleet_program.walks, n, id=f"w{n}") for n in range(20)]
        assert [await h.result(timeout=30) for h in handles] == [[f"{n}-{i}" for i in range(4)] for n in range(20)]
    assert {process for _, _, process in fleet.done()} == {worker.process.pid}


async def test_workers_share_the_slots_and_one_that_leaves_gives_them_back(fleet: Fleet) -> None:
    workers = [await fleet.worker() for _ in range(3)]
    third = -(-SLOTS // 3)
    await until(lambda: len(fleet.shares()) == 3 and max(fleet.shares()) <= third)
    await workers[0].leave()
    await until(lambda: sorted(fleet.shares()) == [SLOTS // 2, SLOTS // 2])


async def test_all_work_while_runs_come_and_each_step_is_done_once(fleet: Fleet) -> None:
    for _ in range(3):
        await fleet.worker(lease=PATIENT)
    await until(lambda: len(fleet.shares()) == 3)  # they go on moving while runs come
    async with client(fleet) as engine:
        handles = [await engine.start(fleet_program.leads, n) for n in range(30)]
        for n, handle in enumerate(handles):
            wanted = [f"{n * 10 + part}-{i}" for part in range(2) for i in range(4)]
            assert await handle.result(timeout=60) == wanted
    done = fleet.done()
    assert set(Counter(key for key, _, _ in done).values()) == {1}
    assert len({process for _, _, process in done}) == 3, "every worker has had its share"


async def _awaits_word(handle: Handle[Any]) -> bool:
    return (await handle.status()).awaits == ("go",)


async def test_a_worker_that_shuts_down_hands_over_at_once(fleet: Fleet) -> None:
    first = await fleet.worker(lease=3600)
    second = await fleet.worker(lease=3600)
    await until(lambda: fleet.shares() == [SLOTS // 2, SLOTS // 2])
    async with client(fleet) as engine:
        handles = [await engine.start(fleet_program.meets, n) for n in range(10)]
        await until(lambda: len(fleet.done()) == 10)
        for handle in handles:  # what they did is recorded, too
            await until(partial(_awaits_word, handle))
        await first.leave()
        await until(lambda: fleet.shares() == [SLOTS])
        for n, handle in enumerate(handles):
            await handle.signal("go", f"word {n}")
        assert [await h.result(timeout=30) for h in handles] == [f"{n} word {n}" for n in range(10)]
    assert {process for _, what, process in fleet.done() if "word" in what} == {second.process.pid}
    assert len(fleet.done()) == 20


async def test_the_runs_of_a_killed_worker_go_on_elsewhere(fleet: Fleet) -> None:
    first, second = await fleet.worker(), await fleet.worker()
    await until(lambda: len(fleet.shares()) == 2)
    async with client(fleet) as engine:
        handles = [await engine.start(fleet_program.meets, n) for n in range(20)]
        asleep = [await engine.start(fleet_program.sleeps, 0.5) for _ in range(4)]
        await until(lambda: len(fleet.done()) >= 20)
        await first.kill()
        for n, handle in enumerate(handles):
            await handle.signal("go", f"word {n}")
        assert [await h.result(timeout=30) for h in handles] == [f"{n} word {n}" for n in range(20)]
        assert [await h.result(timeout=30) for h in asleep] == ["awake"] * 4
    after = [process for _, what, process in fleet.done() if "word" in what]
    assert set(after[-10:]) == {second.process.pid}


async def test_a_step_under_way_is_counted_as_lost_and_done_again(fleet: Fleet) -> None:
    first = await fleet.worker()
    async with client(fleet) as engine:
        handle = await engine.start(fleet_program.lasts, 3.0)
        await until(lambda: len(fleet.done()) == 1)
        await first.kill()
        second = await fleet.worker()
        assert await handle.result(timeout=60) == 3.0
        started = [r.event for r in await handle.history() if isinstance(r.event, e.StepStarted)]
        assert started[-1].attempt == 2
    keys = {key for key, _, _ in fleet.done()}
    assert len(keys) == 1, "the second attempt is told the same idempotency key"
    assert fleet.done()[-1][1:] == ("ends", second.process.pid)


async def test_a_worker_that_was_stopped_past_its_lease_writes_nothing(fleet: Fleet) -> None:
    zombie = await fleet.worker()
    async with client(fleet) as engine:
        handles = [await engine.start(fleet_program.lasts, 0.3) for _ in range(10)]
        await until(lambda: [what for _, what, _ in fleet.done()].count("begins") == 10)
        zombie.tell(signal.SIGSTOP)
        successor = await fleet.worker()
        assert [await h.result(timeout=30) for h in handles] == [0.3] * 10
        before = [await journal(h) for h in handles]
        zombie.tell(signal.SIGCONT)
        await until(lambda: len(fleet.shares()) == 2)  # it has come back as a worker like any other
        later = [await engine.start(fleet_program.walks, n) for n in range(6)]
        for n, handle in enumerate(later):
            assert await handle.result(timeout=30) == [f"{n}-{i}" for i in range(4)]
        assert [await journal(h) for h in handles] == before
    assert successor.process.poll() is None
    assert zombie.process.poll() is None


async def journal(handle: Any) -> list[Any]:
    return [(r.seq, r.event) for r in await handle.history()]


async def test_a_step_that_runs_stays_with_its_process_when_slots_move(fleet: Fleet) -> None:
    await fleet.worker(lease=PATIENT)
    async with client(fleet) as engine:
        handles = [await engine.start(fleet_program.lasts, 9.0) for _ in range(20)]
        await until(lambda: len(fleet.done()) == 20)
        await fleet.worker(lease=PATIENT)
        await until(lambda: len(fleet.shares()) == 2 and min(fleet.shares()) > SLOTS // 2 - 50)
        assert [await h.result(timeout=60) for h in handles] == [9.0] * 20
    assert set(Counter(key for key, what, _ in fleet.done() if what == "begins").values()) == {1}


async def test_engines_in_one_process_share_and_each_answers_for_all(fleet: Fleet) -> None:
    async with Engine(fleet.url, settings=SETTINGS) as one, Engine(fleet.url, settings=SETTINGS) as other:
        await until(lambda: fleet.shares() == [SLOTS // 2, SLOTS // 2])
        handles = [await one.start(fleet_program.meets, n, id=f"m{n}") for n in range(8)]
        handles += [await other.start(fleet_program.meets, n, id=f"m{n}") for n in range(8, 16)]
        await until(lambda: len(fleet.done()) == 16)
        for n in range(16):
            engine = (one, other)[n % 2]
            handle = await engine.handle(f"m{n}")
            waiting = asyncio.create_task(handle.result(timeout=30))
            await handle.signal("go", "now")
            assert await waiting == f"{n} now"
        assert [await h.result(timeout=5) for h in handles] == [f"{n} now" for n in range(16)]


async def test_cancelling_reaches_a_run_of_another_worker(fleet: Fleet) -> None:
    await fleet.worker()
    async with Engine(fleet.url, settings=SETTINGS) as engine:
        handles = [await engine.start(fleet_program.undoes, n) for n in range(6)]
        await until(lambda: len(fleet.done()) == 6)
        for handle in handles:
            await handle.cancel("enough")
        for handle in handles:
            with pytest.raises(RunCancelled, match="enough"):
                await handle.result(timeout=30)
    assert sorted(what for _, what, _ in fleet.done() if "undo" in what) == [f"undo {n} do" for n in range(6)]


async def test_two_apps_are_worked_on_apart(fleet: Fleet) -> None:
    shop, bank = await fleet.worker("shop"), await fleet.worker("bank")
    async with Engine(fleet.url, app="bank", own=False) as engine:
        handle = await engine.start(fleet_program.walks, 1)
        await handle.result(timeout=30)
    assert {process for _, _, process in fleet.done()} == {bank.process.pid}
    assert shop.process.poll() is None


async def test_a_run_goes_to_a_worker_that_has_its_code(fleet: Fleet) -> None:
    async with client(fleet) as outside:
        handles = [await outside.start(fleet_program.meets, n) for n in range(6)]
    async with Engine(fleet.url, settings=SETTINGS, workflows=[fleet_program.walks]) as walker:
        await until(lambda: "waits for a worker" in (walker.store.list(RunFilter())[0].error or ""))
        await fleet.worker()
        await until(lambda: len(fleet.done()) == 6)
        for handle in handles:
            await (await walker.handle(handle.id)).signal("go", "on")
        assert [await (await walker.handle(h.id)).result(timeout=30) for h in handles] == [f"{n} on" for n in range(6)]


async def test_a_run_that_nobody_has_code_for_stands_still_in_the_end(fleet: Fleet) -> None:
    settings = Settings(lease=LEASE, pinned_wait=0.5)
    async with client(fleet) as outside:
        handle = await outside.start(fleet_program.meets, 1)
        async with Engine(fleet.url, settings=settings, workflows=[fleet_program.walks]):
            with pytest.raises(Incident, match="no workflow named 'meets'"):
                await handle.result(timeout=30)
            await fleet.worker()
            await handle.retry()
            await handle.signal("go", "on")
            assert await handle.result(timeout=30, through_incidents=True) == "1 on"


async def test_a_step_that_goes_on_goes_on_at_every_worker(fleet: Fleet) -> None:
    workers = [await fleet.worker(), await fleet.worker()]
    await until(lambda: fleet.shares() == [SLOTS // 2, SLOTS // 2])
    async with client(fleet) as engine:
        handles = [await engine.start(fleet_program.meets, n) for n in range(12)]
        await until(lambda: len(fleet.done()) == 12)
        await engine.pause_step("act", "the shop is closed")
        for handle in handles:
            await handle.signal("go", "on")
        await until(lambda: len(engine.store.list(RunFilter(states=("paused",)))) == 12)
        await workers[0].kill()  # its runs wait with whoever takes over, and go on there
        await engine.resume_step("act")
        assert [await h.result(timeout=30) for h in handles] == [f"{n} on" for n in range(12)]


async def test_ended_runs_of_a_worker_that_has_gone_are_deleted_by_who_goes_on(
    fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "LULL", 1)
    keeps = Settings(lease=PATIENT)
    deletes = Settings(lease=PATIENT, retention=(Retention("1s"),))
    first = Engine(fleet.url, settings=keeps)
    await first.open()
    for n in range(40):
        await (await first.start(fleet_program.walks, n)).result(timeout=30)
    async with Engine(fleet.url, settings=deletes) as second:
        await until(lambda: len(fleet.shares()) == 2 and len(second.store.list(RunFilter())) < 40)
        assert len(second.store.list(RunFilter())) > 1, "some are in the other's slots"
        await first.close()
        await until(lambda: len(second.store.list(RunFilter())) <= 1)  # the newest of all stays


async def test_whoever_waits_asks_once_where_the_run_is(fleet: Fleet, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sharing, "LOOK", 0.01)
    async with Engine(fleet.url, settings=Settings(lease=PATIENT, cache=0)) as engine:
        asked: list[int] = []
        slots_of = engine.store.slots_of
        monkeypatch.setattr(engine.store, "slots_of", lambda runs: asked.extend(runs) or slots_of(runs))
        handle = await engine.start(fleet_program.meets, 7)
        with pytest.raises(TimeoutError):
            await handle.result(timeout=1)
        assert asked.count(handle.run) <= 1
        await handle.signal("go", "on")
        assert await handle.result(timeout=30) == "7 on"
