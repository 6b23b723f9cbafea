"""Waiting for conditions, and for handlers that are under way."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from world import Begin, flow, step_named

from segue.authoring.python.conditions import all_handlers_finished, wait_condition
from segue.authoring.python.handlers import signal, update
from segue.authoring.python.inside import set_attributes
from segue.errors import NotDeterministic, NotInWorkflow
from segue.kernel import commands as c

charge = step_named("charge")


async def counting(least: int, timeout: float | None) -> Any:
    count = 0

    @signal
    def up() -> None:
        nonlocal count
        count += 1

    try:
        await wait_condition(lambda: count >= least, timeout=timeout)
    except TimeoutError:
        return ["too late", count]
    return count


def test_a_condition_is_asked_again_after_every_event(begin: Begin) -> None:
    world = begin(flow(counting), 2, None)
    world.signal("up")
    assert world.end is None
    world.signal("up")
    assert world.result == 2


def test_one_that_is_true_already_is_not_waited_for(begin: Begin) -> None:
    assert begin(flow(counting), 0, 5.0).result == 0


def test_its_timeout_is_a_durable_timer(begin: Begin) -> None:
    world = begin(flow(counting), 2, 30.0)
    assert world.execution.deadline is not None
    world.signal("up")
    world.advance(30)
    assert world.result == ["too late", 1]


def test_no_timer_is_left_once_it_is_true(begin: Begin) -> None:
    async def on() -> Any:
        first = await counting(1, 30.0)
        await signal("end")
        return first

    world = begin(flow(on))
    world.signal("up")
    assert world.execution.deadline is None
    world.signal("end")
    assert world.result == 1


def test_what_one_takes_is_gone_for_the_next(begin: Begin) -> None:
    async def places() -> Any:
        free, order = 0, []

        @signal
        def more(n: int) -> None:
            nonlocal free
            free += n

        async def taker(name: str) -> None:
            nonlocal free
            await wait_condition(lambda: free > 0)
            free -= 1
            order.append((name, free))

        await asyncio.gather(*map(taker, "abc"))
        return order

    world = begin(flow(places))
    world.signal("more", 2)
    assert world.end is None, "two got a place, the third waits"
    world.signal("more", 1)
    assert world.result == [["a", 1], ["b", 0], ["c", 0]]


def test_a_condition_that_raises_raises_where_it_is_waited_for(begin: Begin) -> None:
    async def wrong() -> Any:
        kept: dict[str, int] = {"a": 1}

        @signal
        def forget() -> None:
            kept.clear()

        try:
            await wait_condition(lambda: kept["a"] > 1)
        except KeyError as error:
            return repr(error)

    world = begin(flow(wrong))
    world.signal("forget")
    assert world.result == "KeyError('a')"


@pytest.mark.parametrize("at_once", [True, False])
def test_a_condition_only_reads(begin: Begin, at_once: bool) -> None:
    async def acting() -> Any:
        acts = at_once

        @signal
        def act() -> None:
            nonlocal acts
            acts = True

        try:
            await wait_condition(lambda: acts and set_attributes(a=1))
        except Exception:
            return "not the workflow's to handle"

    if at_once:
        with pytest.raises(NotDeterministic, match="only reads"):
            begin(flow(acting))
        return
    world = begin(flow(acting))
    with pytest.raises(NotDeterministic, match="only reads"):
        world.signal("act")


async def test_outside_a_workflow_there_is_nothing_to_wait_for() -> None:
    with pytest.raises(NotInWorkflow):
        await wait_condition(lambda: True)
    with pytest.raises(NotInWorkflow):
        all_handlers_finished()


# --- handlers under way ---------------------------------------------------------------------------------------


async def shop(wait: bool) -> Any:
    paid = []

    @update
    async def pay(amount: int) -> int:
        paid.append(await charge(amount))
        return len(paid)

    @signal
    async def tip(amount: int) -> None:
        paid.append(await charge(amount))

    await signal("close")
    if wait:
        await wait_condition(all_handlers_finished)
    return paid


def test_a_workflow_may_wait_for_its_handlers(begin: Begin) -> None:
    world = begin(flow(shop), True)
    world.update("pay", 1)
    world.signal("tip", 2)
    world.signal("close")
    assert world.end is None
    world.complete("/~0/charge", "a")
    assert world.end is None
    world.complete("/~1/charge", "b")
    assert world.result == ["a", "b"]


def test_handlers_under_way_are_cancelled_at_the_end_and_named(begin: Begin) -> None:
    world = begin(flow(shop), False)
    world.update("pay", 1, id="u7")
    world.signal("tip", 2)
    commands = world.signal("close")
    logged = [x.message for x in commands if isinstance(x, c.Log)]
    assert logged == [
        "the workflow returned while handlers were under way, which are cancelled: update 'pay' (u7), signal 'tip'"
    ]
    world.fail("/~0/charge")
    world.fail("/~1/charge")
    assert world.result == []


def test_or_they_finish_first_if_the_workflow_says_so(begin: Begin) -> None:
    world = begin(flow(shop, unfinished="finish"), False)
    world.update("pay", 1)
    world.signal("close")
    with pytest.raises(Exception, match="about to end and takes no more updates"):
        world.update("pay", 2, id="u2")
    world.complete("/~0/charge", "a")
    assert world.result == ["a"]


def test_a_run_that_is_cancelled_waits_for_no_handler(begin: Begin) -> None:
    world = begin(flow(shop, unfinished="finish"), False)
    world.update("pay", 1)
    world.signal("close")
    assert world.cancel() == [c.CancelStep("/~0/charge")]
    world.fail("/~0/charge")
    assert world.result == []
