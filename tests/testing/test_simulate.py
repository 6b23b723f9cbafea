"""Bugs that were planted in small workflows: each is found and shrunk to the least that shows it; what holds, holds."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

import segue
from segue import (
    Approval,
    Retry,
    StepFailed,
    Transaction,
    approval,
    idempotency_key,
    publish,
    saga,
    signal,
    step,
    testing,
    update,
    workflow,
)
from segue.errors import InvalidArgument, PayloadError
from segue.kernel import events as e
from segue.testing import (
    NOTHING,
    Crash,
    Fails,
    Faults,
    Late,
    Lost,
    Moment,
    Plan,
    Scene,
    Sent,
    SimulationFailed,
    in_the_end,
    simulate,
    sweep,
)

PATIENT = Retry(attempts=6, initial="1s")


class Shop:
    """The world around an order, as it looks from outside."""

    def __init__(self) -> None:
        self.charges: list[str] = []
        self.keys: set[str] = set()
        self.refunds = 0
        self.shipped = 0
        self.reserved = 0

    def charge(self, order: str) -> str:
        self.charges.append(order)
        return "payment"

    def charge_once(self, order: str) -> str:
        if idempotency_key() not in self.keys:
            self.keys.add(idempotency_key())
            self.charges.append(order)
        return "payment"

    def refund(self, order: str) -> None:
        self.refunds = 1

    def ship(self, order: str) -> None:
        self.shipped += 1


@step(retry=PATIENT)
async def charge(order: str) -> str:
    raise NotImplementedError


@step(name="charge-once")
async def charge_hastily(order: str) -> str:
    raise NotImplementedError


@step(retry=PATIENT)
def refund(order: str, *payment: str | None) -> None:
    raise NotImplementedError


@step(retry=PATIENT)
def ship(order: str) -> None:
    raise NotImplementedError


@step
async def ask_the_warehouse(order: str) -> int:
    raise NotImplementedError


def shop(scene: Scene) -> Shop:
    shop = Shop()
    scene.mock(charge, side_effect=shop.charge_once)
    scene.mock(charge_hastily, side_effect=shop.charge_once)
    scene.mock(refund, side_effect=lambda order, *payment: shop.refund(order))
    scene.mock(ship, side_effect=shop.ship)
    scene.mock(ask_the_warehouse, returns=3)
    return shop


def charged_at_most_once(moment: Moment) -> bool:
    return len(moment.outside.charges) <= 1


@in_the_end
def nobody_pays_for_nothing(moment: Moment) -> bool:
    """Whoever has paid has the goods or the money."""
    return len(moment.outside.charges) <= moment.outside.shipped + moment.outside.refunds


def failure(*args: Any, **options: Any) -> SimulationFailed:
    """How a simulation fails; played again as it says, it fails in the same way."""
    with pytest.raises(SimulationFailed) as caught:
        simulate(*args, **options)
    error = caught.value
    plan = eval(repr(error.plan), vars(testing))
    with pytest.raises(SimulationFailed) as again:
        simulate(*args, **options | {"plan": plan})
    assert (again.value.what, again.value.told) == (error.what, error.told)
    assert f"plan={plan!r}" in str(error)
    return error


# --- planted bugs ---------------------------------------------------------------------------------------------


@workflow
async def pays(order: str) -> None:
    await charge(order)
    await ship(order)


def test_a_charge_without_an_idempotency_key_is_found() -> None:
    def careless(scene: Scene) -> Shop:
        outside = shop(scene)
        scene.mock(charge, side_effect=outside.charge)
        return outside

    error = failure(pays, "a", scene=careless, invariants=[charged_at_most_once])
    assert error.what == "charged at most once"
    assert error.plan.faults == (Lost("charge"),)
    assert len(error.found.faults) > 1
    with pytest.raises(SimulationFailed) as swept:
        sweep(pays, "a", scene=careless, invariants=[charged_at_most_once])
    assert swept.value.plan.faults in ((Crash(1, "before"),), (Crash(2, "before"),), (Crash(1, "after"),))
    assert simulate(pays, "a", scene=shop, invariants=[charged_at_most_once]).ended["completed"] > 90


@workflow
async def undoes_too_late(order: str) -> None:
    async with saga() as s:
        await charge_hastily(order)
        s.undo(refund, order)
        await ship(order)


@workflow
async def undoes_in_time(order: str) -> None:
    async with saga() as s:
        await s.step(charge_hastily, order, undo=refund)
        await ship(order)


def test_an_undo_that_is_registered_after_dispatch_is_found() -> None:
    error = failure(undoes_too_late, "a", scene=shop, invariants=[nobody_pays_for_nothing])
    assert error.what == "Whoever has paid has the goods or the money"
    assert error.plan.faults == (Lost("charge-once"),)
    held = simulate(undoes_in_time, "a", scene=shop, invariants=[nobody_pays_for_nothing, charged_at_most_once])
    assert held.ended["failed"] > 0
    sweep(undoes_in_time, "a", scene=shop, invariants=[nobody_pays_for_nothing, charged_at_most_once])


@workflow
async def checks_then_acts(order: str) -> None:
    story: list[str] = []

    @signal
    def call_off(nothing: None) -> None:
        story.append("called off")

    if not story:
        await ask_the_warehouse(order)
        story.append("shipped")
        publish("story", story)
        await ship(order)


@workflow
async def checks_and_acts(order: str) -> None:
    story: list[str] = []

    @signal
    def call_off(nothing: None) -> None:
        story.append("called off")

    await ask_the_warehouse(order)
    if not story:
        story.append("shipped")
        publish("story", story)
        await ship(order)


def what_was_called_off_stays_here(moment: Moment) -> bool:
    return moment.published.get("story") != ["called off", "shipped"]


def test_a_check_that_is_old_by_the_time_of_the_act_is_found() -> None:
    def with_message(scene: Scene) -> Shop:
        outside = shop(scene)
        scene.signal("call_off", within="1m")
        return outside

    invariants = [what_was_called_off_stays_here]
    error = failure(checks_then_acts, "a", scene=with_message, invariants=invariants, seeds=range(3, 300))
    assert len(error.plan.faults) == 1, "one of the two is late, and nothing else matters"
    assert len(error.found.faults) > 1
    assert simulate(checks_and_acts, "a", scene=with_message, invariants=invariants).ended["completed"] > 50


remembered: dict[str, int] = {}


@workflow
async def remembers_outside_its_journal(order: str) -> None:
    remembered[order] = remembered.get(order, 0) + 1
    if remembered[order] > 1:
        await ship(order)
    await charge(order)
    await asyncio.sleep(3600)


def test_a_workflow_that_does_not_replay_is_found() -> None:
    def forgetful(scene: Scene) -> Shop:
        remembered.clear()
        return shop(scene)

    error = failure(remembers_outside_its_journal, "a", scene=forgetful)
    assert error.what == "the run comes to an end"
    assert "it stands still: non-determinism" in error.why
    assert len(error.plan.faults) == 1


@workflow
async def first_come(order: str) -> str:
    """The last to answer wins: which one that is depends on nothing but chance."""
    last = ""

    async def run(name: str) -> None:
        nonlocal last
        await ask_the_warehouse.using(key=name)(name)
        last = name

    await asyncio.gather(run("left"), run("right"))
    publish("last", last)
    return last


def test_another_order_of_completion_is_found() -> None:
    def right_is_last(moment: Moment) -> bool:
        return moment.published.get("last", "right") == "right"

    error = failure(first_come, "a", scene=shop, invariants=[right_is_last], faults=Faults(fails=0, lost=0))
    assert [type(fault).__name__ for fault in error.plan.faults] in (["Late"], ["Slow"])
    assert "=left" in repr(error.plan)


# --- what a simulation is made of -----------------------------------------------------------------------------


@step(timeout="10s")
async def takes_a_day(order: str) -> None:
    await asyncio.sleep(86_400)


@step
def plain(n: int) -> int:
    return n + 1


@workflow
async def uses_everything(order: str) -> list[Any]:
    heard: list[str] = []

    @update
    async def add(word: str) -> int:
        heard.append(word)
        return len(heard)

    @add.validator
    def short(word: str) -> None:
        if len(word) > 5:
            raise ValueError("too long")

    await asyncio.sleep(30 * 86_400)
    try:
        await takes_a_day(order)
    except StepFailed as error:
        heard.append(error.failure.type.rpartition(".")[2])
    answer = await approval("boss", timeout="3d", escalate="director")
    child = await adds.child(1)
    await signal("go")
    return [sorted(heard), answer.comment, child, await plain(1)]


@workflow
async def adds(n: int) -> int:
    return await plain(n)


def surroundings(scene: Scene) -> None:
    scene.update("add", "one", within="20d")
    scene.update("add", "far too long", within="20d")
    scene.signal("go", within="90d")
    scene.person("boss", lambda task: Approval(True, "boss"), within="6d")
    scene.person("director", lambda task: Approval(True, "director"))


def test_everything_that_a_run_may_wait_for_is_simulated() -> None:
    answers = set()

    def result(moment: Moment) -> None:
        if moment.over and moment.state == "completed":
            (closing,) = [event for event in moment.trace.events if hasattr(event, "result")][-1:]
            answers.add(moment.engine.encodings.decode(closing.result)[1])

    held = simulate(uses_everything, "a", scene=surroundings, invariants=[result], seeds=40)
    assert answers == {"boss", "director"}
    assert held.crashes > 0
    assert held.runs == 40
    swept = sweep(uses_everything, "a", scene=surroundings, invariants=[result])
    assert swept.runs > 40


@workflow
async def waits_for_ever(order: str) -> None:
    await signal("never")


@workflow
async def never_ends(order: str) -> None:
    for day in range(1_000_000):
        publish("day", day)
        await asyncio.sleep(86_400)


def test_a_run_that_does_not_end_is_a_failure() -> None:
    error = failure(waits_for_ever, "a")
    assert "it waits for signal 'never'" in error.why
    assert error.plan.faults == ()
    assert "it is waiting" in failure(never_ends, "a", within="30d").why


def test_what_a_person_would_mend_is_mended() -> None:
    refused: list[int] = []

    def hard(scene: Scene) -> Shop:
        outside = shop(scene)
        refused.clear()
        return outside

    def exhausted(moment: Moment) -> None:
        if moment.state == "incident":
            refused.append(1)

    faults = [Fails("stands", n) for n in (1, 2)]
    held = simulate(mended, "a", scene=hard, invariants=[exhausted], plan=Plan(0, *faults))
    assert held.ended == {"completed": 1}
    assert refused


@step(name="stands", on_exhausted="incident")
async def stands_still(order: str) -> None: ...


@workflow
async def mended(order: str) -> None:
    await stands_still(order)


@step(at_most_once=True, name="once")
async def at_most_once(order: str) -> None: ...


@workflow
async def launches(order: str) -> None:
    await at_most_once(order)


def test_what_must_not_be_run_again_is_left_to_a_person() -> None:
    held = simulate(launches, "a", faults=Faults(crash=0.5), seeds=30)
    assert set(held.ended) == {"completed", "incident", "failed"}


async def test_it_runs_beside_an_event_loop() -> None:
    assert simulate(pays, "a", scene=shop, seeds=2).runs == 2


def test_the_same_seed_is_the_same_run() -> None:
    def told(seed: int) -> list[str]:
        def over(moment: Moment) -> bool:
            return not moment.over

        with pytest.raises(SimulationFailed) as caught:
            simulate(undoes_in_time, "a", scene=shop, invariants=[in_the_end(over)], seeds=[seed])
        return [repr(caught.value.found)]

    assert [told(seed) for seed in range(10)] == [told(seed) for seed in range(10)]
    assert told(1) != told(2)


def test_without_faults_nothing_but_the_messages_moves() -> None:
    held = simulate(pays, "a", scene=shop, faults=NOTHING, seeds=5)
    assert (held.crashes, held.executions) == (0, 10)


def test_steps_that_are_spared_do_not_fail() -> None:
    hard = Faults(crash=0, fails=1, lost=1, most=1000, spare=(charge_hastily, "ship", refund))
    assert simulate(undoes_in_time, "a", scene=shop, faults=hard, seeds=20).ended == {"completed": 20}


def test_mistakes_in_the_call_and_in_the_scene_are_told_as_they_are() -> None:
    with pytest.raises(InvalidArgument, match="is not a workflow"):
        simulate(charge, "a")  # type: ignore[arg-type]
    with pytest.raises(PayloadError):
        simulate(pays, object())

    def wrong(scene: Scene) -> None:
        shop(scene)

        async def errand(handle: Any) -> None:
            raise KeyError("the scene's own mistake")

        scene.act("errand", errand)

    with pytest.raises(KeyError, match="own mistake"):
        simulate(pays, "a", scene=wrong)


def test_a_message_that_comes_while_the_process_dies_comes_once() -> None:
    def counts(moment: Moment) -> bool:
        signals = [event for event in moment.trace.events if type(event).__name__ == "SignalReceived"]
        return len(signals) <= 1

    def one_signal(scene: Scene) -> None:
        scene.signal("go")

    held = simulate(hears_one, scene=one_signal, invariants=[counts], faults=Faults(crash=0.4))
    assert held.ended == {"completed": 100}
    simulate(hears_one, scene=one_signal, plan=Plan(0, Crash(2), Sent("signal go", after=60)))


@workflow
async def hears_one() -> None:
    await signal("go")


@step(heartbeat_timeout="10s", retry=Retry(attempts=2))
async def falls_silent(order: str) -> None:
    for _ in range(5):
        segue.heartbeat()
        await asyncio.sleep(8)
    await asyncio.sleep(86_400)


@step(schedule_to_start="30s")
async def waits_for_its_turn(order: str) -> None: ...


@workflow
async def is_limited(order: str) -> list[str]:
    said = []
    for slow in (falls_silent, waits_for_its_turn):
        try:
            await slow(order)
        except StepFailed as error:
            said.append(error.failure.message)
    return said


def test_the_limits_of_a_step_are_on_virtual_time_too() -> None:
    told: list[str] = []

    def failures(moment: Moment) -> None:
        if moment.over:
            told.extend(message for call in moment.trace.calls for message in call.failures)

    simulate(is_limited, "a", invariants=[failures], plan=Plan(0, Late("waits_for_its_turn", by=60.0)))
    assert ["heartbeat" in message for message in told] == [True, True, False]
    assert "30 s" in told[2]


@workflow
async def counts_down(n: int) -> int:
    await signal("tick")
    await charge(f"{n}")
    if n > 1:
        segue.continue_as_new(n - 1)
    return n


def test_a_run_that_continues_as_new_is_one_run() -> None:
    def ticks(scene: Scene) -> Shop:
        for _ in range(4):
            scene.signal("tick", within="2m")
        return shop(scene)

    def in_order(moment: Moment) -> bool:
        return moment.outside.charges == ["3", "2", "1"][: len(moment.outside.charges)]

    def every_run_is_there(moment: Moment) -> bool:
        charged = [call.key for trace in moment.traces for call in trace.of(charge) if call.completed]
        return len(charged) == len(moment.outside.charges) or not moment.over

    @in_the_end
    def all_of_it(moment: Moment) -> None:
        assert len(moment.outside.charges) == 3
        moment.trace.assert_completed()
        assert [trace.state for trace in moment.traces] == ["continued", "continued", "completed"]
        assert moment.traces[-1].calls == moment.trace.calls

    invariants = [in_order, every_run_is_there, all_of_it]
    held = simulate(counts_down, 3, scene=ticks, invariants=invariants, faults=Faults(fails=0, lost=0))
    assert held.ended == {"completed": 100}
    assert held.crashes > 10


def test_what_was_done_before_a_crash_is_not_done_again() -> None:
    done: list[str] = []

    def errand(scene: Scene) -> Shop:
        done.clear()
        scene.act("look", lambda handle: _look(done, handle))
        return shop(scene)

    held = simulate(pays, "a", scene=errand, plan=Plan(0, Sent("look", commit=1), Crash(2), Crash(4)))
    assert (held.crashes, done) == (2, ["running"])


async def _look(done: list[str], handle: Any) -> None:
    done.append((await handle.status()).state)


@step.transaction(retry=PATIENT)
def book(db: Transaction, order: str) -> int:
    db.execute("CREATE TABLE IF NOT EXISTS app_bookings (name TEXT)")
    db.execute("INSERT INTO app_bookings VALUES (?)", (order,))
    return int(db.execute("SELECT count(*) FROM app_bookings").fetchall()[0][0])


@workflow
async def books(order: str) -> list[int]:
    return [await book(order), await book(order)]


def test_a_transactional_step_takes_effect_once_whatever_happens() -> None:
    @in_the_end
    def twice(moment: Moment) -> None:
        moment.trace.assert_completed()
        (closing,) = [event for event in moment.trace.events if isinstance(event, e.RunCompleted)]
        assert moment.engine.encodings.decode(closing.result) == [1, 2]

    simulate(books, "a", invariants=[twice], faults=Faults(crash=0.15, most=5), seeds=60)
    sweep(books, "a", invariants=[twice])
