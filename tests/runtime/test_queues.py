"""Steps whose code is elsewhere: they wait in a queue, are activated under a lease, and their outcome counts once."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from segue import AttemptOver, Engine, Retry, RunFailed, Settings, StepFailed, step, testing, workflow
from segue.errors import InvalidArgument, NotInWorkflow
from segue.kernel import events as e
from segue.watching import LiveWatch

Until = Callable[[Callable[[], bool | Awaitable[bool]]], Awaitable[None]]


@pytest.fixture(params=[0, 1000], ids=["evicted", "kept"])
def cache(request: pytest.FixtureRequest) -> Settings:
    return Settings(cache=request.param)


@step(
    name="queued.charge", queue="payments",
    retry=Retry(attempts=2, initial="1m", jitter=0, non_retryable=("Declined",)),
    timeout="10m", heartbeat_timeout="2m", schedule_to_start="1h",
)  # fmt: skip
async def charge(customer: str, amount: int = 1) -> str:
    raise NotImplementedError


@step(name="queued.plain", queue="payments")
def plain(n: int) -> int:
    raise NotImplementedError


@workflow(name="queued.pays")
async def pays(customer: str) -> str:
    try:
        return await charge(customer, amount=42)
    except StepFailed as error:
        return str(error.failure.type)


@workflow(name="queued.plainly")
async def plainly(n: int) -> int:
    return await plain(n)


async def test_an_attempt_is_activated_and_completed(tmp_path: Path, cache: Settings) -> None:
    async with testing.engine(tmp_path, settings=cache) as world:
        handle = await world.engine.start(pays, "ann", id="p-1")
        await world.settle()
        (row,) = await world.engine.list()
        assert row.state == "waiting"
        (got,) = await world.engine.activate("payments", worker="node-1", limit=5)
        assert (got.run, got.workflow, got.step, got.attempt, got.activation) == (
            "p-1", "queued.pays", "queued.charge", 1, 1,
        )  # fmt: skip
        assert got.arguments == {"customer": "ann", "amount": 42}
        assert got.deadline == world.engine.clock.now() + 600_000_000
        assert await world.engine.activate("payments", worker="node-2") == []
        await world.engine.complete_step(got.token, "paid")
        assert await world.result(handle) == "paid"
        done = next(e_.event for e_ in await handle.history() if isinstance(e_.event, e.StepCompleted))
        assert done.worker == "node-1"
        with pytest.raises(AttemptOver, match="its run has ended"):
            await world.engine.complete_step(got.token, "paid again")


async def test_it_survives_a_restart_with_its_lease(url: str, until: Until) -> None:
    async with Engine(url) as engine:
        handle = await engine.start(plainly, 20, id="q")
        await until(lambda: engine.store.waits_in("default", "default", "payments", engine.clock.now()))
    async with Engine(url, own=False) as client:
        (got,) = await client.activate("payments", worker="afar")
        await client.heartbeat_step(got.token, {"at": 3}, lease="1h")
        assert await client.activate("payments", worker="another") == []
    async with Engine(url) as engine:
        handle = await engine.handle("q")
        assert [type(x.event).__name__ for x in await handle.history()] == ["RunStarted", "StepScheduled"]
        await engine.complete_step(got.token, 40)
        assert await handle.result() == 40


async def test_an_attempt_whose_lease_has_ended_is_another_workers(tmp_path: Path, cache: Settings) -> None:
    async with testing.engine(tmp_path, settings=cache) as world:
        handle = await world.engine.start(plainly, 1)
        await world.settle()
        (first,) = await world.engine.activate("payments", worker="one", lease="30s")
        await world.engine.heartbeat_step(first.token, "half", lease="30s")
        await world.advance("29s")
        assert await world.engine.activate("payments", worker="two") == []
        await world.advance("2s")
        (second,) = await world.engine.activate("payments", worker="two")
        assert (second.attempt, second.activation, second.heartbeat) == (1, 2, "half")
        assert second.idempotency_key == first.idempotency_key
        for refused in (
            world.engine.complete_step(first.token, 1),
            world.engine.fail_step(first.token, "late"),
            world.engine.heartbeat_step(first.token),
        ):
            with pytest.raises(AttemptOver, match="its lease ended, and somebody else has activated it"):
                await refused
        await world.engine.complete_step(second.token, 2)
        assert await world.result(handle) == 2


async def test_who_has_an_attempt_shows_while_it_does(tmp_path: Path, cache: Settings) -> None:
    async with testing.engine(tmp_path, settings=cache) as world:
        handle = await world.engine.start(plainly, 1)
        await world.settle()

        def seen() -> tuple[str, str, bool]:
            watch = LiveWatch(world.engine, handle.run)
            watch.refresh()
            (call,) = watch.timeline.calls.values()
            return call.queue, call.holder, call.beaten_at is not None

        assert seen() == ("payments", "", False)
        await world.engine.activate("payments", worker="one", lease="30s")
        assert seen() == ("payments", "one", True)
        await world.advance("31s")
        assert seen() == ("payments", "", False), "its lease has ended"
        (again,) = await world.engine.activate("payments", worker="two")
        assert seen() == ("payments", "two", True)
        await world.engine.complete_step(again.token, 2)
        assert await world.result(handle) == 2


async def test_a_late_outcome_counts_while_nobody_else_has_the_attempt(tmp_path: Path) -> None:
    async with testing.engine(tmp_path) as world:
        handle = await world.engine.start(plainly, 1)
        await world.settle()
        (got,) = await world.engine.activate("payments", worker="slow", lease="30s")
        await world.advance("1h")
        await world.engine.complete_step(got.token, 5)
        assert await world.result(handle) == 5


async def test_an_attempt_that_its_workers_do_not_survive_is_given_to_no_further_one(tmp_path: Path) -> None:
    async with testing.engine(tmp_path, settings=Settings(lost_limit=2)) as world:
        handle = await world.engine.start(plainly, 1)
        await world.settle()
        for _ in range(2):
            assert len(await world.engine.activate("payments", worker="dies", lease="30s")) == 1
            await world.advance("31s")
        assert await world.engine.activate("payments", worker="dies") == []
        with pytest.raises(RunFailed, match="the leases of 2 workers of the queue 'payments' have ended"):
            await world.result(handle)


async def test_an_attempt_that_is_given_back_counts_no_lost_worker(tmp_path: Path) -> None:
    async with testing.engine(tmp_path, settings=Settings(lost_limit=2)) as world:
        handle = await world.engine.start(pays, "ann")
        await world.settle()
        for _ in range(4):
            (got,) = await world.engine.activate("payments", worker="stops", lease="1h")
            await world.advance("90s")
            await world.engine.return_step(got.token)
        with pytest.raises(AttemptOver):
            await world.engine.return_step(got.token)
        await world.advance("30m")  # nobody's time runs while it waits
        (got,) = await world.engine.activate("payments", worker="stays")
        assert (got.attempt, got.activation) == (1, 5)
        await world.engine.complete_step(got.token, "paid")
        assert await world.result(handle) == "paid"
        with pytest.raises(AttemptOver, match=r"has completed|has ended"):
            await world.engine.return_step(got.token)


async def test_a_failure_is_retried_by_the_steps_policy(tmp_path: Path, cache: Settings) -> None:
    async with testing.engine(tmp_path, settings=cache) as world:
        handle = await world.engine.start(pays, "ann")
        await world.settle()
        (first,) = await world.engine.activate("payments", worker="w")
        await world.engine.heartbeat_step(first.token, {"asked": True})
        await world.engine.fail_step(first.token, e.Failure("ECONNRESET", "the line is dead"))
        await world.advance("30s")
        assert await world.engine.activate("payments", worker="w") == []
        await world.advance("31s")
        (second,) = await world.engine.activate("payments", worker="w")
        assert (second.attempt, second.activation) == (2, 1)
        with pytest.raises(AttemptOver, match="attempt 2 is waited for now"):
            await world.engine.complete_step(first.token, "late")
        await world.engine.fail_step(second.token, e.Failure("ETIMEDOUT", "still dead"))
        assert await world.result(handle) == "ETIMEDOUT"


@pytest.mark.parametrize("retryable", [True, False])
async def test_a_failure_that_is_final_is_not_retried(tmp_path: Path, retryable: bool) -> None:
    async with testing.engine(tmp_path) as world:
        handle = await world.engine.start(pays, "ann")
        await world.settle()
        (got,) = await world.engine.activate("payments", worker="w")
        kind = "Declined" if retryable else "Gone"
        await world.engine.fail_step(got.token, e.Failure(kind, "no"), retryable=retryable)
        assert await world.result(handle) == kind


@pytest.mark.parametrize(
    ("first", "then", "said"),
    [
        (None, "61m", "no worker of the queue 'payments' has activated it"),
        ("1h", "3m", "gave no heartbeat for 120 s"),
    ],
)
async def test_limits_end_an_attempt(tmp_path: Path, cache: Settings, first: str | None, then: str, said: str) -> None:
    async with testing.engine(tmp_path, settings=cache) as world:
        handle = await world.engine.start(pays, "ann")
        await world.settle()
        if first is not None:
            await world.advance("59m")  # which counts for none of the limits that begin with an activation
            (got,) = await world.engine.activate("payments", worker="w", lease=first)
        await world.advance(then)
        failed = [x.event for x in await handle.history() if isinstance(x.event, e.StepFailed)]
        assert said in failed[0].failure.message
        if first is not None:
            with pytest.raises(AttemptOver):
                await world.engine.complete_step(got.token, "late")


async def test_an_attempt_has_its_timeout_from_its_activation_on(tmp_path: Path, cache: Settings) -> None:
    async with testing.engine(tmp_path, settings=cache) as world:
        handle = await world.engine.start(pays, "ann")
        await world.settle()
        await world.advance("50m")
        (got,) = await world.engine.activate("payments", worker="w", lease="1h")
        for _ in range(9):
            await world.advance("1m")
            await world.engine.heartbeat_step(got.token, lease="1h")
        assert not [x for x in await handle.history() if isinstance(x.event, e.StepFailed)]
        await world.advance("1m")
        (failed,) = [x.event for x in await handle.history() if isinstance(x.event, e.StepFailed)]
        assert "took longer than its timeout of 600 s" in failed.failure.message


async def test_what_is_paused_is_not_activated(tmp_path: Path) -> None:
    async with testing.engine(tmp_path) as world:
        handle = await world.engine.start(plainly, 1)
        await world.settle()
        await world.engine.pause_step(plain.name, "closed")
        assert await world.engine.activate("payments", worker="w") == []
        await world.engine.resume_step(plain.name)
        await handle.pause("lunch")
        await world.settle()
        assert await world.engine.activate("payments", worker="w") == []
        await handle.resume()
        await world.settle()
        (got,) = await world.engine.activate("payments", worker="w")
        await world.engine.complete_step(got.token, 3)
        assert await world.result(handle) == 3


async def test_a_cancelled_run_takes_its_attempt_back(tmp_path: Path) -> None:
    async with testing.engine(tmp_path) as world:
        handle = await world.engine.start(plainly, 1)
        await world.settle()
        (got,) = await world.engine.activate("payments", worker="w")
        await handle.cancel()
        await world.settle()
        with pytest.raises(AttemptOver):
            await world.engine.heartbeat_step(got.token)
        assert await world.engine.activate("payments", worker="w") == []


async def test_a_result_of_another_type_is_refused_and_the_attempt_goes_on(tmp_path: Path) -> None:
    async with testing.engine(tmp_path) as world:
        handle = await world.engine.start(plainly, 1)
        await world.settle()
        (got,) = await world.engine.activate("payments", worker="w")
        with pytest.raises(Exception, match="Expected `int`"):
            await world.engine.complete_step(got.token, "many")
        await world.engine.complete_step(got.token, 3)
        assert await world.result(handle) == 3


async def test_a_mock_stands_in_for_whoever_serves_the_queue(tmp_path: Path) -> None:
    async with testing.engine(tmp_path) as world:
        world.mock(plain, returns=7)
        assert await world.result(await world.engine.start(plainly, 1)) == 7


@pytest.mark.parametrize(
    "terms", [{"executor": "process"}, {"at_most_once": True}, {"queue": ""}], ids=["executor", "once", "no name"]
)
def test_terms_that_no_queue_can_keep_are_refused(terms: dict[str, object]) -> None:
    with pytest.raises(InvalidArgument):
        step(**{"queue": "payments", **terms})  # type: ignore[call-overload]


async def test_its_body_never_runs(tmp_path: Path) -> None:
    with pytest.raises(NotInWorkflow, match="whoever serves the queue 'payments'"):
        await plain(1)
    with pytest.raises(InvalidArgument):
        plain.by_reference()
    async with testing.engine(tmp_path) as world:
        for given in ({"lease": "0s"}, {"lease": "30d"}, {"limit": 0}, {"limit": 101}):
            with pytest.raises(InvalidArgument):
                await world.engine.activate("payments", worker="w", **given)  # type: ignore[arg-type]
