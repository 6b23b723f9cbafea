"""Signals, updates and queries."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any

import pytest
from world import ENCODINGS, Begin, World, flow, step_named

from segue.authoring.python.execution import require
from segue.authoring.python.handlers import query, signal, update
from segue.authoring.python.inside import patched, publish, random, set_attributes, uuid4
from segue.errors import CallerError, InvalidArgument, NotDeterministic, PayloadError, QueryFailed, UpdateRejected
from segue.kernel import commands as c
from segue.kernel import events as e

charge = step_named("charge")


def answered(world: World, id: str = "u1") -> Any:
    """How an update was answered."""
    (command,) = [x for x in sum(world.answers, []) if isinstance(x, c.CompleteUpdate) and x.update == id]  # noqa: RUF017
    return ENCODINGS.decode(command.result) if command.result is not None else command.failure.message  # type: ignore[union-attr]


# --- signals --------------------------------------------------------------------------------------------------


async def collecting(n: int) -> list[Any]:
    return [await signal("paid", int) for _ in range(n)]


def test_a_signal_wakes_who_waits_for_it(begin: Begin) -> None:
    world = begin(flow(collecting), 1)
    assert world.execution.signals_awaited() == ["paid"]
    world.signal("paid", 5)
    assert world.result == [5]


def test_signals_are_kept_in_order_until_somebody_waits(begin: Begin) -> None:
    async def late() -> Any:
        await asyncio.sleep(60)
        return [signal("paid").pending(), await collecting(3)]

    world = begin(flow(late))
    for amount in (1, 2, 3):
        assert world.signal("paid", amount) == []
    world.signal("other", 9)
    world.advance(60)
    assert world.result == [3, [1, 2, 3]]


def test_who_waited_first_is_served_first(begin: Begin) -> None:
    async def two() -> Any:
        return await asyncio.gather(collecting(1), collecting(1))

    world = begin(flow(two))
    world.signal("paid", 1)
    world.signal("paid", 2)
    assert world.result == [[1], [2]]


def test_all_signals_of_a_name_one_after_the_other(begin: Begin) -> None:
    async def adding() -> int:
        total = 0
        async for amount in signal("paid", int):
            total += amount
            if total > 5:
                break
        return total

    world = begin(flow(adding))
    for amount in (1, 2, 3):
        world.signal("paid", amount)
    assert world.result == 6


def test_a_wait_that_times_out_takes_no_signal(begin: Begin) -> None:
    async def patient() -> Any:
        try:
            async with asyncio.timeout(10):
                await signal("paid")
        except TimeoutError:
            return await signal("paid")

    world = begin(flow(patient))
    world.advance(10)
    world.signal("paid", 7)
    assert world.result == 7


@pytest.mark.parametrize("others", [0, 2])
def test_a_taker_that_is_cancelled_as_it_is_served_gives_the_signal_to_the_next(begin: Begin, others: int) -> None:
    async def served_and_cancelled() -> Any:
        takers = [asyncio.create_task(collecting(1)) for _ in range(1 + others)]
        await asyncio.sleep(0)
        messages = require("test").messages
        for amount in (1, 2)[: max(others, 1)]:
            messages.signal_received(e.SignalReceived(0, None, None, "paid", ENCODINGS.encode(amount)))
            takers[0].cancel()
        await asyncio.wait(takers[:1])
        return await asyncio.gather(*takers[1:]) if others else await collecting(1)

    world = begin(flow(served_and_cancelled))
    assert world.result == ([[2], [1]] if others else [1])


def test_a_signal_that_does_not_decode_stands_still(begin: Begin) -> None:
    async def tolerant() -> Any:
        try:
            return await signal("paid", int)
        except Exception:
            return "not the workflow's to handle"

    world = begin(flow(tolerant))
    with pytest.raises(PayloadError):
        world.signal("paid", "much")


def test_a_handler_gets_what_has_been_kept_and_what_comes(begin: Begin) -> None:
    async def handling() -> Any:
        got = []
        await asyncio.sleep(60)

        @signal
        def paid(amount: int) -> None:
            got.append(amount)

        got.append("registered")
        await asyncio.sleep(60)
        return got

    world = begin(flow(handling))
    world.signal("paid", 1)
    world.signal("paid", 2)
    world.advance(60)
    world.signal("paid", 3)
    world.advance(60)
    assert world.result == ["registered", 1, 2, 3]


def test_a_handler_is_code_of_the_run(begin: Begin) -> None:
    async def handling() -> Any:
        event = asyncio.Event()

        @signal
        def go() -> None:
            set_attributes(seen=str(uuid4()))
            event.set()

        await event.wait()
        return "gone"

    world = begin(flow(handling))
    world.signal("go")
    assert world.asked == ["SetAttributes", "Complete"]


def test_a_handler_may_be_a_coroutine_that_calls_steps(begin: Begin) -> None:
    async def handling() -> Any:
        receipts = []

        @signal
        async def order(amount: int) -> None:
            receipts.append(await charge(amount))

        await signal("done")
        return receipts

    world = begin(flow(handling))
    world.signal("order", 1)
    world.signal("order", 2)
    assert list(world.steps) == ["/~0/charge", "/~1/charge"]
    world.complete("/~1/charge", "b")
    world.complete("/~0/charge", "a")
    world.signal("done")
    assert world.result == ["b", "a"]


@pytest.mark.parametrize("kind", ["function", "coroutine"])
def test_a_handler_that_raises_fails_the_run(begin: Begin, kind: str) -> None:
    async def handling() -> Any:
        if kind == "function":

            @signal
            def go() -> None:
                raise LookupError("lost")
        else:

            @signal
            async def go() -> None:
                await asyncio.sleep(0)
                raise LookupError("lost")

        await charge(1)

    world = begin(flow(handling))
    assert world.signal("go") == [c.CancelStep("/charge")], "it ends as if cancelled"
    world.fail("/charge")
    assert world.failure.type == "LookupError"


# --- updates --------------------------------------------------------------------------------------------------


async def account() -> Any:
    balance = 0

    @update
    async def deposit(amount: int) -> int:
        nonlocal balance
        if amount > 100:
            await charge(amount)
        balance += amount
        return balance

    @deposit.validator
    def check(amount: int) -> None:
        if amount < 0:
            raise ValueError("less than nothing")

    @update
    async def withdraw(amount: int) -> int:
        raise RuntimeError("no way")

    @query
    def saldo() -> int:
        return balance

    await signal("close")
    return balance


ACCOUNT = flow(account)


def test_an_update_is_answered_with_its_result(begin: Begin) -> None:
    world = begin(ACCOUNT)
    world.update("deposit", 5)
    assert answered(world) == 5
    assert world.query("saldo") == 5


def test_an_update_may_take_its_time(begin: Begin) -> None:
    world = begin(ACCOUNT)
    assert [type(x) for x in world.update("deposit", 500)] == [c.RunStep]
    world.complete("/~0/charge")
    assert answered(world) == 500


def test_a_validator_refuses_before_anything_is_recorded(begin: Begin) -> None:
    world = begin(ACCOUNT)
    with pytest.raises(UpdateRejected, match="ValueError: less than nothing"):
        world.update("deposit", -5)
    assert len(world.journal) == 1


def test_a_validator_is_asked_again_for_what_came_through_the_inbox(begin: Begin) -> None:
    world = begin(ACCOUNT)
    world.accept_update("deposit", -5)
    assert answered(world).endswith("refused by its validator: ValueError: less than nothing")
    assert world.query("saldo") == 0


def test_a_handler_that_raises_is_the_caller_s_failure(begin: Begin) -> None:
    world = begin(ACCOUNT)
    world.update("withdraw", 5)
    assert answered(world) == "no way"
    assert world.end is None


class Outcome(BaseException):
    """As test runners raise, so that no ``except Exception`` takes it."""

    def __str__(self) -> str:
        raise LookupError("it has no words")


@pytest.mark.parametrize("error", [Outcome, asyncio.CancelledError, StopIteration, GeneratorExit])
def test_whatever_a_message_s_function_raises_is_told(begin: Begin, error: type[BaseException]) -> None:
    async def raises() -> Any:
        @update
        def fails(n: int) -> None:
            raise error

        @update
        def refuses(n: int) -> None:
            pass

        @refuses.validator
        def check(n: int) -> None:
            raise error

        @query
        def asks() -> None:
            raise error

        await signal("close")

    world = begin(flow(raises))
    with pytest.raises(UpdateRejected, match=f"refused by its validator: {error.__name__}: "):
        world.update("refuses", 1)
    with pytest.raises(QueryFailed, match=f"query 'asks' of run .* raised {error.__name__}"):
        world.query("asks")
    world.update("fails", 1)
    assert answered(world) is not None
    assert world.end is None


def test_an_update_is_kept_until_somebody_handles_it(begin: Begin) -> None:
    async def late() -> Any:
        await asyncio.sleep(60)
        return await account()

    world = begin(flow(late, unknown_updates="keep"))
    assert world.update("deposit", 5) == []
    world.advance(60)
    assert answered(world) == 5


def test_updates_that_the_run_leaves_behind_are_refused(begin: Begin) -> None:
    world = begin(flow(account, unknown_updates="keep"))
    world.update("deposit", 500, id="slow")
    world.update("unknown", 1, id="unknown")
    world.signal("close")
    world.fail("/~0/charge")
    assert answered(world, "slow") == "the run ended before update 'deposit' was finished"
    assert answered(world, "unknown") == "the run ended without handling updates named 'unknown'"
    assert world.result == 0


# --- queries --------------------------------------------------------------------------------------------------


def test_a_query_that_nobody_answers_says_which_ones_are(begin: Begin) -> None:
    world = begin(ACCOUNT)
    with pytest.raises(CallerError, match=r"answers no query 'nope' \(it answers: saldo\)"):
        world.query("nope")


def test_a_query_that_raises_says_so(begin: Begin) -> None:
    async def asked() -> None:
        @query
        def balance() -> int:
            raise LookupError("there is no\nbook")

        await signal("end")

    world = begin(flow(asked))
    with pytest.raises(QueryFailed, match=r"^query 'balance' of run '.*' raised LookupError: there is no$") as raised:
        world.query("balance")
    assert raised.value.type == "LookupError"
    assert isinstance(raised.value.__cause__, LookupError)


def test_a_query_must_not_be_a_coroutine_function(begin: Begin) -> None:
    async def wrong() -> str:
        try:

            @query
            async def state() -> None: ...
        except InvalidArgument as error:
            return str(error)
        return "registered"

    assert "must be a plain `def`" in begin(flow(wrong)).result


class Touching:
    """A workflow whose query ``touch`` does what it is told."""

    def __init__(self, touch: Any) -> None:
        self.touch = touch

    async def run(self) -> Any:
        self.event = asyncio.Event()
        self.future = asyncio.get_running_loop().create_future()
        self.queue: asyncio.Queue[int] = asyncio.Queue()
        waiting = [asyncio.create_task(x) for x in (self.event.wait(), self.queue.get(), _wait_for(self.future))]

        @query
        def touch() -> Any:
            return self.touch(self)

        await asyncio.wait(waiting)


async def _wait_for(future: asyncio.Future[Any]) -> None:
    await future


def by_hand(coroutine: Any) -> None:
    try:
        coroutine.send(None)
    finally:
        coroutine.close()


ACTIONS = {
    "a step": lambda w: by_hand(charge(1)),
    "a task": lambda w: asyncio.create_task(charge(1)),
    "gather": lambda w: asyncio.gather(charge(1)),
    "sleep": lambda w: by_hand(asyncio.sleep(1)),
    "a timer": lambda w: asyncio.get_running_loop().call_later(1, print),
    "a callback": lambda w: asyncio.get_running_loop().call_soon(print),
    "an event": lambda w: w.event.set(),
    "a future": lambda w: w.future.set_result(1),
    "a queue": lambda w: w.queue.put_nowait(1),
    "a cancellation": lambda w: w.future.cancel(),
    "attributes": lambda w: set_attributes(a=1),
    "a published value": lambda w: publish("a", 1),
    "a patch": lambda w: patched("p"),
    "chance": lambda w: random.random(),
    "an id": lambda w: uuid4(),
    "a signal's handler": lambda w: signal(charge_all),
    "an update's handler": lambda w: update(charge_all),
    "a query's function": lambda w: query(charge_all),
}


def charge_all() -> None: ...


@pytest.mark.parametrize("action", ACTIONS)
def test_a_query_only_reads(begin: Begin, action: str) -> None:
    world = begin(flow(Touching(ACTIONS[action]).run))
    with pytest.raises(NotDeterministic):
        world.query("touch")
    # What it touched is not what the journal says any more: the run is dropped, and comes back.
    world.restart()
    assert world.execution.commands == []


def test_a_query_that_hides_what_it_did_is_refused_all_the_same(begin: Begin) -> None:
    def quietly(workflow: Touching) -> str:
        with suppress(NotDeterministic):
            workflow.event.set()
        return "nothing happened"

    world = begin(flow(Touching(quietly).run))
    with pytest.raises(NotDeterministic, match="only reads"):
        world.query("touch")
    world.restart()


def test_a_query_may_read_everything(begin: Begin) -> None:
    world = begin(flow(Touching(lambda w: [w.event.is_set(), w.queue.qsize(), signal("x").pending()]).run))
    assert world.query("touch") == [False, 0, 0]
