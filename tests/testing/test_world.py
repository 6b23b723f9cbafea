"""Virtual time in the real code path: order, people, persistence, and what is said when nothing can happen."""

from __future__ import annotations

import asyncio
import time
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from segue import Approval, Engine, Retry, RunFailed, approval, now, publish, signal, step, testing, workflow
from segue.client.handles import HumanTask
from segue.errors import InvalidArgument
from segue.testing import VirtualClock, Worlds

tries: dict[str, list[float]] = {}


@step(retry=Retry(attempts=4, initial="1h", backoff=2, maximum="1d", jitter=0))
async def refuses_thrice(name: str) -> int:
    tries.setdefault(name, []).append(time.monotonic())
    if len(tries[name]) < 4:
        raise ConnectionError("not yet")
    return len(tries[name])


@step
async def takes_real_time() -> str:
    await asyncio.sleep(0.05)
    return "done"


@workflow
async def keeps_trying(name: str) -> tuple[int, float]:
    began = now()
    return await refuses_thrice(name), (now() - began).total_seconds()


@workflow
async def sleeps_a_month() -> float:
    began = now()
    await asyncio.sleep(30 * 86_400)
    return (now() - began).total_seconds()


@workflow
async def races_the_clock() -> str:
    """A step in real time is under way while a timer is pending: time must not pass meanwhile."""
    try:
        async with asyncio.timeout(60):
            return await takes_real_time()
    except TimeoutError:
        return "timed out"


@workflow
async def asks_the_boss() -> str:
    answer = await approval("boss", timeout="3d", escalate="director")
    return answer.comment


@workflow
async def listens_ten_days() -> list[str]:
    heard = []
    try:
        async with asyncio.timeout(10 * 86_400):
            async for word in signal("word", str):
                heard.append(f"{word} {now():%d}")
    except TimeoutError:
        heard.append(f"end {now():%d}")
    return heard


@workflow
async def reminds_daily() -> int:
    for n in range(1_000_000):
        publish("reminders", n)
        await asyncio.sleep(86_400)
    return 0


@workflow
async def waits_for_nobody() -> None:
    await asyncio.gather(approval("nobody", name="Sign here"), signal("never"))


async def test_a_month_takes_no_time(tmp_path: Path) -> None:
    began = time.monotonic()
    async with testing.engine(tmp_path) as world:
        assert await world.result(await world.engine.start(sleeps_a_month)) == 30 * 86_400
    assert time.monotonic() - began < 5


async def test_retries_wait_in_virtual_time(tmp_path: Path) -> None:
    tries.clear()
    async with testing.engine(tmp_path) as world:
        assert await world.result(await world.engine.start(keeps_trying, "a")) == (4, 7 * 3600)


async def test_time_stands_still_while_a_step_is_under_way(tmp_path: Path) -> None:
    async with testing.engine(tmp_path) as world:
        assert await world.result(await world.engine.start(races_the_clock)) == "done"
        assert world.clock.today == testing.DAWN


async def test_a_person_answers_after_a_while(tmp_path: Path) -> None:
    async with testing.engine(tmp_path) as world:
        world.person("boss", lambda task: Approval(True, "the boss"), after="2d")
        world.person("director", lambda task: Approval(True, "the director"))
        assert await world.result(await world.engine.start(asks_the_boss)) == "the boss"


async def test_a_person_who_is_too_slow_is_passed_over(tmp_path: Path) -> None:
    async with testing.engine(tmp_path) as world:
        world.person("boss", lambda task: Approval(True, "the boss"), after="4d")
        world.person("director", lambda task: Approval(True, "the director"), after="1h")
        assert await world.result(await world.engine.start(asks_the_boss)) == "the director"
        assert world.clock.today == testing.DAWN + timedelta(days=3, hours=1)


async def test_things_happen_in_the_order_of_their_times(tmp_path: Path) -> None:
    async with testing.engine(tmp_path) as world:
        handle = await world.engine.start(listens_ten_days)
        world.after("5d", lambda: handle.signal("word", "later"))
        world.at(testing.DAWN + timedelta(days=2), lambda: handle.signal("word", "sooner"))
        world.after("11d", lambda: handle.signal("word", "too late"))
        assert await world.result(handle) == ["sooner 07", "later 10", "end 15"]


async def test_advance_stops_on_the_way(tmp_path: Path) -> None:
    async with testing.engine(tmp_path) as world:
        handle = await world.engine.start(reminds_daily)
        await world.advance("9d 12h")
        assert await handle.published() == {"reminders": 9}
        assert world.clock.today == testing.DAWN + timedelta(days=9, hours=12)


async def test_time_goes_on_where_it_stopped(tmp_path: Path) -> None:
    async with testing.engine(tmp_path) as world:
        await world.engine.start(sleeps_a_month, id="m")
        await world.engine.start(reminds_daily, id="r")
        await world.advance("20d")
    async with testing.engine(tmp_path) as world:
        assert world.clock.today == testing.DAWN + timedelta(days=20)
        assert await world.result(await world.engine.handle("m")) == 30 * 86_400
        await world.settle()
        assert await (await world.engine.handle("r")).published() == {"reminders": 30}


async def test_a_failure_comes_through(tmp_path: Path) -> None:
    tries.clear()

    async with testing.engine(tmp_path) as world:
        with pytest.raises(RunFailed, match="after 3 attempts"):
            await world.result(await world.engine.start(tries_for_days))


@step(retry=Retry(attempts=3, initial="1d"))
async def never_works() -> None:
    raise ConnectionError("no")


@workflow
async def tries_for_days() -> None:
    await never_works()


async def test_a_run_that_nothing_will_wake_says_for_what_it_waits(tmp_path: Path) -> None:
    async with testing.engine(tmp_path) as world:
        with pytest.raises(testing.Stuck, match=r"nobody to answer 'Sign here' and signal 'never'"):
            await world.result(await world.engine.start(waits_for_nobody))


async def test_a_run_that_does_not_end_is_given_up(tmp_path: Path) -> None:
    async with testing.engine(tmp_path) as world:
        with pytest.raises(TimeoutError, match="after 30d"):
            await world.result(await world.engine.start(reminds_daily), within="30d")


async def test_a_mistake_in_an_action_is_not_swallowed(tmp_path: Path) -> None:
    async def mistake() -> None:
        raise ZeroDivisionError

    async with testing.engine(tmp_path) as world:
        world.after("1d", mistake)
        with pytest.raises(ZeroDivisionError):
            await world.advance("2d")


async def test_a_thousand_runs_share_the_time(tmp_path: Path) -> None:
    async with testing.engine(tmp_path) as world:
        handles = [await world.engine.start(sleeps_a_month) for _ in range(1000)]
        for handle in handles:
            assert await world.result(handle) == 30 * 86_400


async def test_an_action_may_be_a_plain_function_and_its_mistakes_are_not_swallowed(tmp_path: Path) -> None:
    done: list[int] = []

    async with testing.engine(tmp_path) as world:
        world.after("1h", lambda: done.append(1))
        await world.advance("1d")
        assert done == [1]
        world.after("1h", lambda: 1 // 0)
        with pytest.raises(ZeroDivisionError):
            await world.advance("1d")


async def test_a_person_may_take_thought(tmp_path: Path) -> None:
    async def think(task: HumanTask) -> Approval:
        return Approval(True, f"the {task.assignee}")

    async with testing.engine(tmp_path) as world:
        world.person("boss", think)
        assert await world.result(await world.engine.start(asks_the_boss)) == "the boss"


async def test_an_answer_that_is_refused_says_whose_it_was(tmp_path: Path) -> None:
    async with testing.engine(tmp_path) as world:
        world.person("boss", lambda task: "yes")
        with pytest.raises(InvalidArgument) as caught:
            await world.result(await world.engine.start(asks_the_boss))
    assert any(note.startswith("so boss answered") and note.endswith("'yes'") for note in caught.value.__notes__)


async def test_what_has_been_called_already_is_refused(tmp_path: Path) -> None:
    async with testing.engine(tmp_path) as world:
        handle = await world.engine.start(asks_the_boss)
        with pytest.raises(InvalidArgument, match=r"give a function: world\.after\(delay, lambda"):
            world.after("1h", handle.signal("go"))  # type: ignore[arg-type]
        with pytest.raises(InvalidArgument, match=r"give a function: world\.at\(time, lambda"):
            world.at(testing.DAWN, handle.signal("go"))  # type: ignore[arg-type]
        with pytest.raises(InvalidArgument, match=r"give a function: world\.person\("):
            world.person("boss", Approval(True))  # type: ignore[arg-type]
        with pytest.raises(InvalidArgument, match=r"await world\.engine\.start"):
            await world.result(world.engine.start(asks_the_boss))  # type: ignore[arg-type]


async def test_a_time_without_a_zone_is_refused(tmp_path: Path) -> None:
    naive = datetime(2026, 1, 6)  # noqa: DTZ001
    async with testing.engine(tmp_path) as world:
        with pytest.raises(InvalidArgument, match="a datetime with a time zone"):
            world.at(naive, lambda: None)
    for start in (naive, "2026-01-06"):
        with pytest.raises(InvalidArgument, match="a datetime with a time zone"):
            async with testing.engine(tmp_path, start=start):  # type: ignore[arg-type]
                ...


async def test_what_is_a_worlds_own_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidArgument, match="clock and url: a world's database is in its folder"):
        async with testing.engine(tmp_path, url="sqlite:///here.db", clock=VirtualClock()):
            ...


async def test_two_worlds_on_one_database_are_one_too_many(tmp_path: Path) -> None:
    async with testing.engine(tmp_path):
        with pytest.raises(InvalidArgument, match=r"at work on .*segue\.db.* leave its block first"):
            async with testing.engine(tmp_path):
                ...
        async with testing.engine(tmp_path, own=False) as client:
            assert not client.engine.owner, "who asks for no ownership is welcome"
    async with testing.engine(tmp_path) as world:
        assert await world.result(await world.engine.start(sleeps_a_month)) == 30 * 86_400


async def test_a_run_that_another_engine_has_started_has_its_result(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'segue.db'}"
    async with testing.engine(tmp_path) as world, Engine(url, own=False, clock=world.clock) as client:
        for _ in range(3):
            handle = await client.start(sleeps_a_month)
            assert await world.result(handle) == 30 * 86_400


async def test_a_world_that_owns_no_runs_says_so(tmp_path: Path) -> None:
    async with testing.engine(tmp_path, own=False) as world:
        handle = await world.engine.start(sleeps_a_month)
        with pytest.raises(testing.Stuck, match=r"is not this world's, which owns none \(own=False\)"):
            await world.result(handle)


async def test_a_world_on_another_loop_says_so(tmp_path: Path) -> None:
    async with testing.engine(tmp_path) as world:
        handle = await world.engine.start(sleeps_a_month)
        for use in (world.settle, lambda: world.advance("1d"), lambda: world.result(handle)):
            with pytest.raises(InvalidArgument, match="this world was opened on another event loop"):
                await asyncio.to_thread(lambda use=use: asyncio.run(use()))


async def test_a_world_that_is_closed_says_so(tmp_path: Path) -> None:
    async with testing.engine(tmp_path) as world:
        handle = await world.engine.start(sleeps_a_month)
    for use in (world.settle, lambda: world.advance("1d"), lambda: world.result(handle)):
        with pytest.raises(InvalidArgument, match="this world is closed"):
            await use()


async def test_time_is_not_let_pass_by_what_it_waits_for(tmp_path: Path) -> None:
    refused: list[str] = []

    async def waits_in_vain() -> str:
        with pytest.raises(InvalidArgument, match="have the test let time pass") as caught:
            await world.advance("1d")
        refused.append(str(caught.value))
        return "done"

    @step(name="world.called")
    async def called() -> str:
        return ""

    @workflow(name="world.calls")
    async def calls() -> str:
        return await called()

    async with testing.engine(tmp_path) as world:
        world.mock(called, side_effect=waits_in_vain)
        world.after("1h", waits_in_vain)
        assert await world.result(await world.engine.start(calls)) == "done"
        await world.advance("2h")
    assert len(refused) == 2


async def test_what_is_no_run_has_no_result(tmp_path: Path) -> None:
    async with testing.engine(tmp_path) as world:
        with pytest.raises(InvalidArgument, match=r"'order-42' is no run: handle = await world\.engine\.handle\(id\)"):
            await world.result("order-42")  # type: ignore[arg-type]


async def test_worlds_that_are_not_open_say_how_they_are_opened(tmp_path: Path) -> None:
    worlds = Worlds(tmp_path)
    with pytest.raises(InvalidArgument, match="`async with segue_world as world:`"):
        worlds.engine  # type: ignore[attr-defined]  # noqa: B018
    with pytest.raises(InvalidArgument, match="for tests that are a plain `def`"):
        worlds.run(lambda world: world.settle())
    assert not hasattr(worlds, "elsewhere")
