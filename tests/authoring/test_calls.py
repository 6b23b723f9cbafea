"""Calls and their answers: events in, commands out."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any

import pytest
from world import ENCODINGS, UID, Begin, World, arguments, flow, step_named

from segue.authoring.python.definitions import STEPS, Step, Workflow
from segue.errors import (
    InvalidArgument,
    NonDeterminism,
    NotDeterministic,
    PayloadError,
    RunCancelled,
    RunFailed,
    RunTerminated,
    StepFailed,
)
from segue.kernel import commands as c
from segue.kernel import events as e
from segue.kernel.retry import Retry
from segue.kernel.steps import StepSpec

charge = step_named("charge")
ship = step_named("ship")
retried = step_named("retried", retry=Retry(attempts=3))
insistent = step_named("insistent", on_exhausted="incident")
pure = step_named("pure", pure=True)


async def once(amount: int) -> Any:
    return await charge(amount)


async def retrying() -> Any:
    return await retried(1)


async def standing() -> Any:
    return await insistent(1)


ONCE, RETRYING, STANDING = flow(once), flow(retrying), flow(standing)


# --- steps ----------------------------------------------------------------------------------------------------


def test_a_call_asks_for_an_attempt(begin: Begin) -> None:
    world = begin(ONCE, 5)

    (command,) = world.answers[0]
    assert isinstance(command, c.RunStep)
    assert (command.key, command.spec.name, command.attempt, command.failures) == ("/charge", "charge", 1, 0)
    assert arguments(charge, command) == (5,)
    assert world.execution.outstanding() == [command]


def test_a_result_becomes_the_answer_of_the_call(begin: Begin) -> None:
    world = begin(ONCE, 5)
    world.complete("/charge", {"paid": 5})
    assert world.asked == ["Complete"]
    assert world.result == {"paid": 5}


def test_a_failure_is_raised_in_the_workflow_which_may_branch(begin: Begin) -> None:
    async def branching() -> Any:
        try:
            await charge(1)
        except StepFailed as error:
            return [error.step, error.key, error.attempts, error.failure.type, str(error)]

    world = begin(flow(branching))
    world.fail("/charge", KeyError("gone"))
    assert world.result == ["charge", "/charge", 1, "KeyError", "charge failed after 1 attempt: KeyError: 'gone'"]


def test_an_uncaught_failure_fails_the_run_and_is_its_cause(begin: Begin) -> None:
    world = begin(ONCE, 5)
    world.fail("/charge", KeyError("gone"))
    assert world.failure.type == "segue.errors.StepFailed"
    assert world.failure.cause is not None
    assert world.failure.cause.type == "KeyError"


def test_keys_are_task_path_name_and_count(begin: Begin) -> None:
    async def keys() -> None:
        async def inner() -> None:
            await asyncio.gather(charge(1), charge(2))
            await charge(3)

        await charge(0)
        await charge(0)
        await ship(0)
        await asyncio.gather(inner(), inner())

    world = begin(flow(keys))
    seen = []
    while world.steps:
        seen.append(next(iter(world.steps)))
        world.complete(seen[-1])
    assert seen == [
        "/charge", "/charge#1", "/ship",
        "/0/0/charge", "/0/1/charge", "/1/0/charge", "/1/1/charge", "/0/charge", "/1/charge",
    ]  # fmt: skip


def test_an_explicit_key_stands_for_itself(begin: Begin) -> None:
    async def keyed() -> None:
        await charge.using(key="first")(1)
        await charge(1)

    world = begin(flow(keyed))
    assert list(world.steps) == ["=first"]
    world.complete("=first")
    assert list(world.steps) == ["/charge"]


@pytest.mark.parametrize("together", [True, False])
def test_an_explicit_key_names_one_call(begin: Begin, together: bool) -> None:
    async def twice() -> None:
        keyed = charge.using(key="same")
        if together:
            await asyncio.gather(keyed(1), keyed(2))
        await keyed(1)
        await keyed(2)

    if together:
        with pytest.raises(
            NotDeterministic, match=r"two calls of this run carry key='same', one .* to 'charge': give each"
        ):
            begin(flow(twice))
    else:
        world = begin(flow(twice))
        with pytest.raises(NotDeterministic, match="two calls"):
            world.complete("=same")


def test_a_step_called_outside_any_task_stands_still(begin: Begin) -> None:
    async def by_hand() -> None:
        asyncio.get_running_loop().call_soon(charge(1).send, None)
        await asyncio.sleep(1)

    with pytest.raises(NotDeterministic, match="charge was called outside any task"):
        begin(flow(by_hand))


# --- attempts -------------------------------------------------------------------------------------------------


def test_a_retry_waits_on_a_durable_timer(begin: Begin) -> None:
    world = begin(RETRYING)
    assert world.fail("/retried", retry_in=2) == []
    assert world.execution.outstanding() == []
    assert world.execution.deadline is not None
    assert world.execution.deadline.at == world.now + 2_000_000

    assert world.advance(1.999) == []
    (command,) = world.advance(0.001)
    assert isinstance(command, c.RunStep)
    assert (command.attempt, command.failures, command.lost, command.started) == (2, 1, 0, False)


def test_the_last_failure_counts_them_all(begin: Begin) -> None:
    world = begin(RETRYING)
    for _ in range(2):
        world.fail("/retried", retry_in=1)
        world.advance(1)
    world.fail("/retried")
    assert "retried failed after 3 attempts" in world.failure.message


def test_lost_attempts_count_apart_from_failed_ones(begin: Begin) -> None:
    world = begin(RETRYING)
    assert world.lose("/retried") == []
    assert world.lose("/retried") == []
    command = world.steps["/retried"]
    assert (command.attempt, command.failures, command.lost, command.started) == (3, 0, 2, True)

    world.fail("/retried", retry_in=1)
    (command,) = world.advance(1)  # type: ignore[assignment]
    assert (command.attempt, command.failures, command.lost, command.started) == (4, 1, 2, False)


def test_a_first_attempt_that_is_journaled_before_it_begins_is_not_lost(begin: Begin) -> None:
    world = begin(ONCE, 1)
    world.apply(e.StepStarted(world.now, None, None, "/charge", "charge", 1))
    command = world.steps["/charge"]
    assert (command.attempt, command.lost, command.started) == (1, 0, True)


def test_an_exhausted_step_may_stand_still_until_a_person_has_acted(begin: Begin) -> None:
    world = begin(STANDING)
    world.lose("/insistent")
    assert world.exhaust("/insistent") == []
    assert world.execution.outstanding() == []
    assert world.execution.deadline is None

    (command,) = world.resolve("/insistent")
    assert isinstance(command, c.RunStep)
    assert (command.attempt, command.failures, command.lost) == (3, 0, 0), "a new budget"
    world.complete("/insistent", 1)
    assert world.result == 1


def test_resolving_an_incident_of_a_lost_step_renews_its_budget(begin: Begin) -> None:
    world = begin(RETRYING)
    world.lose("/retried")
    assert world.resolve("/retried") == []
    assert world.steps["/retried"].lost == 0


# --- cancelling -----------------------------------------------------------------------------------------------

ENDINGS = {
    "it completes": lambda world: world.complete("/charge", 1),
    "it fails": lambda world: world.fail("/charge"),
    "it would retry": lambda world: world.fail("/charge", retry_in=1),
    "its patience ends": lambda world: world.advance(10),
}


@pytest.mark.parametrize("end", ENDINGS)
def test_a_cancelled_step_is_asked_to_stop_and_waited_for(begin: Begin, end: str) -> None:
    world = begin(ONCE, 1)
    assert world.cancel("no stock") == [c.CancelStep("/charge")]
    assert [type(x) for x in world.execution.outstanding()] == [c.RunStep, c.CancelStep]

    ENDINGS[end](world)
    assert world.end == c.Cancelled("no stock")


def test_an_outcome_after_the_grace_period_changes_nothing(begin: Begin) -> None:
    async def patient() -> str:
        try:
            await charge(1)
        except asyncio.CancelledError:
            await ship(1)
        return "shipped"

    world = begin(flow(patient))
    late = world.steps["/charge"]
    world.cancel()
    (command,) = world.advance(10)
    assert isinstance(command, c.RunStep)
    assert command.spec.name == "ship"

    answer = e.StepCompleted(world.now, None, None, "/charge", "charge", 1, late.hash, ENCODINGS.encode(1))
    assert world.apply(answer) == []
    world.complete("/ship")
    assert world.result == "shipped"


def test_cancelling_while_a_retry_is_due_ends_the_wait(begin: Begin) -> None:
    world = begin(RETRYING)
    world.fail("/retried", retry_in=60)
    assert world.cancel("enough") == [c.Cancelled("enough")]
    assert world.execution.deadline is None


def test_cancelling_a_step_that_stands_still_ends_the_wait(begin: Begin) -> None:
    world = begin(STANDING)
    world.exhaust("/insistent")
    assert world.cancel() == [c.CancelStep("/insistent"), c.Cancelled("")]


def test_a_step_that_stands_still_says_so_until_somebody_was_told(begin: Begin) -> None:
    world = begin(STANDING)
    (command,) = world.fail("/insistent")
    assert isinstance(command, c.StandStill)
    assert world.execution.outstanding() == [command], "a crash before the incident is recorded must not lose it"

    world.apply(e.IncidentOpened(world.now, None, None, "step-exhausted", "broken", "mend it", "/insistent"))
    assert world.execution.outstanding() == []


def test_a_lost_step_that_stands_still_is_run_again_under_a_new_number(begin: Begin) -> None:
    world = begin(RETRYING)
    world.lose("/retried")
    lost = e.IncidentOpened(world.now, None, None, "process-lost", "gone", "look", "/retried")
    assert world.apply(lost) == []
    assert world.execution.outstanding() == []

    (command,) = world.resolve("/retried")
    assert isinstance(command, c.RunStep)
    assert (command.attempt, command.lost, command.started) == (3, 0, False)


def test_repeated_requests_are_no_ops(begin: Begin) -> None:
    world = begin(ONCE, 1)
    world.cancel("first")
    assert world.cancel("second") == []
    world.fail("/charge")
    assert world.end == c.Cancelled("first")


def test_a_workflow_may_clean_up_after_a_cancellation(begin: Begin) -> None:
    async def cleaning() -> None:
        try:
            await charge(1)
        finally:
            await ship(1)

    world = begin(flow(cleaning))
    world.cancel()
    world.fail("/charge")
    assert list(world.steps) == ["/ship"]
    world.cancel()
    assert world.asked == [], "the cleanup is not cancelled again"
    world.complete("/ship")
    assert isinstance(world.end, c.Cancelled)


def test_a_workflow_may_go_on_after_a_cancellation(begin: Begin) -> None:
    async def going_on() -> str:
        with suppress(asyncio.CancelledError):
            await charge(1)
        return "all the same"

    world = begin(flow(going_on))
    world.cancel()
    world.complete("/charge")
    assert world.result == "all the same"


@pytest.mark.parametrize("how", ["timeout", "wait_for"])
def test_a_timeout_cancels_the_step_and_waits_for_its_end(begin: Begin, how: str) -> None:
    async def limited() -> str:
        try:
            if how == "wait_for":
                await asyncio.wait_for(charge(1), 5)
            else:
                async with asyncio.timeout(5):
                    await charge(1)
        except TimeoutError:
            return "too late"
        return "in time"

    world = begin(flow(limited))
    (key,) = world.steps
    assert world.advance(5) == [c.CancelStep(key)]
    world.complete(key, 1)
    assert world.result == "too late"


def test_a_gathered_step_that_fails_leaves_the_others_to_the_end_of_the_run(begin: Begin) -> None:
    async def gathering() -> None:
        await asyncio.gather(charge(1), ship(1))

    world = begin(flow(gathering))
    assert world.fail("/0/charge") == [c.CancelStep("/1/ship")]
    world.complete("/1/ship")
    assert world.failure.type == "segue.errors.StepFailed"


# --- the journal and the code disagree ------------------------------------------------------------------------


def begun(workflow: Workflow[..., Any], *args: Any) -> World:
    """A run whose code is going to change, so that it has no one journal to check against."""
    world = World(workflow, *args)
    world.start()
    return world


def other(world: World, code: Any, *, changed: bool = True) -> Workflow[..., Any]:
    """Other code for the same workflow. Not ``changed``: so says the fingerprint, because a helper or a global did."""
    made = Workflow(code, world.workflow.name)
    if not changed:
        made.version = world.workflow.version
    return made


def go_over(world: World, code: Any) -> list[c.Command]:
    """The run goes on with other code; what that asks for now."""
    return world.take_over(other(world, code))


async def other_arguments(amount: int) -> Any:
    return await charge(amount + 1)


async def other_step(amount: int) -> Any:
    return await ship(amount)


async def ship_first(amount: int) -> Any:
    await ship(amount)
    return await charge(amount)


async def charge_later(amount: int) -> Any:
    await asyncio.sleep(3600)
    return await charge(amount)


async def charge_more_later(amount: int) -> Any:
    await asyncio.sleep(3600)
    return await charge(amount + 1)


async def retry_later() -> Any:
    await asyncio.sleep(3600)
    return await retried(1)


async def stand_later() -> Any:
    await asyncio.sleep(3600)
    return await insistent(1)


async def nothing(amount: int) -> Any:
    return amount


@pytest.mark.parametrize("changed", [True, False])
@pytest.mark.parametrize("end", [World.complete, World.fail])
def test_other_arguments_at_the_same_place_name_the_step(end: Any, changed: bool) -> None:
    with begun(ONCE, 5) as world:
        end(world, "/charge")
        with pytest.raises(NonDeterminism, match=r"'charge' \(key '/charge'\) was recorded with other arg") as caught:
            world.replay(other(world, other_arguments, changed=changed))
        assert caught.value.step == "charge"


@pytest.mark.parametrize("code", [other_step, ship_first, nothing])
def test_unchanged_code_that_asks_for_something_else_names_the_step(code: Any) -> None:
    with begun(ONCE, 5) as world:
        world.complete("/charge", 1)
        with pytest.raises(NonDeterminism, match="'charge' under key '/charge', but the workflow, whose code has not"):
            world.replay(other(world, code, changed=False))


def test_changed_code_adopts_an_outcome_when_it_comes_to_the_call() -> None:
    with begun(ONCE, 5) as world:
        world.complete("/charge", "receipt")
        world.journal.pop()  # as if the run had gone on and not ended
        (command,) = go_over(world, ship_first)
        assert isinstance(command, c.RunStep)
        assert command.key == "/ship"

        world.complete("/ship")
        assert world.asked == ["RecordMarker", "Complete"], "the outcome is known: the step is not run again"
        assert world.result == "receipt"


LOST, RETRY = (lambda w: w.lose("/retried")), (lambda w: w.fail("/retried", retry_in=1))


@pytest.mark.parametrize(
    ("recorded", "attempt", "failures", "lost"),
    [
        ([LOST], 2, 0, 1),
        ([LOST, LOST], 3, 0, 2),
        ([RETRY], 2, 1, 0),
        ([RETRY, lambda w: w.advance(1), LOST], 3, 1, 1),
    ],
)
def test_changed_code_goes_on_from_the_attempts_that_are_recorded(
    recorded: list[Any], attempt: int, failures: int, lost: int
) -> None:
    with begun(RETRYING) as world:
        for happen in recorded:
            happen(world)
        assert go_over(world, retry_later) == []
        asked = [x for x in world.advance(3600) if isinstance(x, c.RunStep)]
        assert [(x.attempt, x.failures, x.lost) for x in asked] == [(attempt, failures, lost)]


@pytest.mark.parametrize("resolved", [True, False])
def test_changed_code_stands_still_where_the_journal_does(resolved: bool) -> None:
    with begun(STANDING) as world:
        world.exhaust("/insistent")
        if resolved:
            world.resolve("/insistent")
        go_over(world, stand_later)
        assert [type(x) for x in world.advance(3600)] == ([c.RunStep] if resolved else [])


def test_an_adopted_outcome_is_checked_when_its_call_is_made() -> None:
    with begun(ONCE, 5) as world:
        world.complete("/charge", 1)
        world.journal.pop()
        go_over(world, charge_more_later)
        with pytest.raises(NonDeterminism, match="other arguments"):
            world.advance(3600)


def test_changed_code_that_never_comes_to_a_call_stands_still_at_the_end() -> None:
    with begun(ONCE, 5) as world:
        world.complete("/charge", 1)
        with pytest.raises(NonDeterminism, match=r"outcome of step 'charge' .* is recorded, but .* never calls it"):
            world.replay(other(world, nothing))


def test_an_outcome_of_a_pure_step_may_go_unused(monkeypatch: pytest.MonkeyPatch) -> None:
    async def looking(amount: int) -> Any:
        return await pure(amount)

    monkeypatch.setitem(STEPS._by_name, "pure", pure)
    with begun(flow(looking), 5) as world:
        world.complete("/pure", 5)
        with World(world.workflow) as again:
            again.execution = world.replay(other(world, nothing))
            assert again.execution.closed


def test_a_result_that_does_not_decode_stands_still(begin: Begin) -> None:
    async def typed(argument: int) -> int: ...

    number = Step(typed, StepSpec("number"))

    async def numbers() -> Any:
        try:
            return await number(1)
        except Exception:
            return "this is not the workflow's to handle"

    world = begin(flow(numbers))
    with pytest.raises(PayloadError):
        world.complete("/number", "text")


# --- children -------------------------------------------------------------------------------------------------


async def child_code(amount: int) -> int:
    return amount


CHILD = flow(child_code)


async def parent() -> Any:
    try:
        return await CHILD(7)
    except RunFailed as error:
        return [type(error).__name__, error.run_id, str(error)]


async def starter() -> Any:
    return await CHILD.child(7, id="c-1", detached=True, on_parent_close="abandon")


def test_a_child_is_started_and_awaited(begin: Begin) -> None:
    world = begin(flow(parent))
    (command,) = world.answers[0]
    assert isinstance(command, c.StartChild)
    assert (command.key, command.workflow, command.close_policy) == ("/child_code", "child_code", "cancel")
    assert len(command.uid) == 32
    assert command.id == command.uid
    assert command.uid != UID

    assert world.child_started(command.key) == []
    assert world.execution.outstanding() == [], "it runs by itself"
    world.child_ended(command.key, result=8)
    assert world.result == 8


def test_a_child_that_was_not_started_is_asked_for_again(begin: Begin) -> None:
    world = begin(flow(parent))
    assert world.execution.outstanding() == world.answers[0]


async def keyword_parent() -> Any:
    return await CHILD(amount=7)


async def careless_parent() -> Any:
    try:
        return await CHILD.child(7, on_parent_close="forget")  # type: ignore[call-overload]
    except InvalidArgument as error:
        return str(error)


def test_a_child_gets_its_keywords_too(begin: Begin) -> None:
    (named,), (placed,) = begin(flow(keyword_parent)).answers[0], begin(flow(parent)).answers[0]
    assert named.input == placed.input
    assert named.hash == placed.hash


def test_an_unknown_close_policy_is_refused(begin: Begin) -> None:
    world = begin(flow(careless_parent))
    assert world.result == "on_parent_close must be one of cancel, terminate, abandon; it is 'forget'"


@pytest.mark.parametrize(
    ("state", "error"), [("failed", RunFailed), ("cancelled", RunCancelled), ("terminated", RunTerminated)]
)
def test_a_child_that_did_not_complete_raises(begin: Begin, state: str, error: type[Exception]) -> None:
    world = begin(flow(parent))
    child = world.children["/child_code"]
    world.child_started("/child_code")
    world.child_ended("/child_code", state)
    assert world.result == [error.__name__, child.id, f"child run {child.id!r} was {state}"]


def test_a_child_that_could_not_be_started_raises(begin: Begin) -> None:
    world = begin(flow(parent))
    world.child_started("/child_code", e.Failure("RunAlreadyExists", "its id is taken"))
    assert world.result[0] == "RunFailed"
    assert world.result[2] == "its id is taken"


def test_a_detached_child_answers_with_its_id(begin: Begin) -> None:
    world = begin(flow(starter))
    assert world.children["/child_code"].close_policy == "abandon"
    world.child_started("/child_code")
    assert world.result == "c-1"


def test_cancelling_passes_the_request_on_and_waits_for_the_child(begin: Begin) -> None:
    async def waiting() -> Any:
        return await CHILD(7)

    world = begin(flow(waiting))
    child = world.children["/child_code"]
    world.child_started("/child_code")
    assert world.cancel("late") == [c.CancelChild("/child_code", child.id, "late")]
    assert world.execution.outstanding() == [c.CancelChild("/child_code", child.id)]
    assert world.advance(86_400) == [], "however long it compensates"
    world.child_ended("/child_code", "cancelled")
    assert world.end == c.Cancelled("late")


@pytest.mark.parametrize("failure", [None, e.Failure("X", "its id is taken")])
def test_a_detached_child_that_is_cancelled_before_it_starts_stays_cancelled(
    begin: Begin, failure: e.Failure | None
) -> None:
    world = begin(flow(starter))
    world.cancel()
    world.child_started("/child_code", failure)
    assert isinstance(world.end, c.Cancelled)


def test_a_child_of_another_workflow_or_input_is_a_change(begin: Begin) -> None:
    world = begin(flow(parent))
    child = world.children["/child_code"]
    event = e.ChildStarted(world.now, None, None, child.key, child.workflow, child.id, child.uid, "other")
    with pytest.raises(NonDeterminism, match="other arguments"):
        world.apply(event)
