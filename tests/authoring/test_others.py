"""Messages from a workflow to other runs."""

from __future__ import annotations

import asyncio
from typing import Any

from world import Begin, decoded, flow

from segue.authoring.python.others import other_run
from segue.errors import RunClosed, RunNotFound
from segue.kernel import commands as c


async def telling(what: str) -> Any:
    other = other_run("order-42")
    try:
        await (other.cancel(what) if what == "stop" else other.signal(what, {"n": 1}))
    except RunNotFound as error:
        return f"no run {error.run_id}"
    except RunClosed as error:
        return f"{error.run_id} is {error.state}"
    return "told"


def test_a_signal_to_another_run_is_a_durable_call(begin: Begin) -> None:
    world = begin(flow(telling), "paid")
    (sent,) = world.messages.values()
    assert (sent.kind, sent.id, sent.name, decoded(sent.payload)) == ("signal", "order-42", "paid", {"n": 1})
    world.restart()
    assert world.execution.outstanding() == [sent], "asked for again, under the same id: it is taken once"
    world.delivered("/signal:paid")
    assert world.result == "told"


def test_a_request_to_stop_is_one_too(begin: Begin) -> None:
    world = begin(flow(telling), "stop")
    assert world.messages["/cancel"].name == "stop"
    world.delivered("/cancel")
    assert world.result == "told"


def test_who_is_not_there_or_has_ended_raises(begin: Begin) -> None:
    unknown = begin(flow(telling), "paid")
    unknown.delivered("/signal:paid", "unknown")
    assert unknown.result == "no run order-42"
    ended = begin(flow(telling), "paid")
    ended.delivered("/signal:paid", "failed")
    assert ended.result == "order-42 is failed"


def test_the_wait_can_be_given_up_and_the_message_cannot(begin: Begin) -> None:
    async def hasty() -> Any:
        try:
            await asyncio.wait_for(other_run("a").signal("x"), 1)
        except TimeoutError:
            await other_run("b").signal("x")
            return "b got it"

    world = begin(flow(hasty))
    world.advance(1)
    assert [x for x in world.answers[-1] if not isinstance(x, c.SendMessage)] == []
    (key,) = world.messages
    first = world.answers[0][0]
    assert isinstance(first, c.SendMessage)
    assert first.message != world.messages[key].message
    world.delivered(key)
    assert world.result == "b got it"
