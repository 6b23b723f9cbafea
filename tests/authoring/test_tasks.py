"""Human tasks: asked, answered, late, escalated, withdrawn."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
import pytest
from world import SECOND, Begin, World, decoded, flow, step_named

from segue.authoring.python.tasks import Approval, approval
from segue.errors import NonDeterminism
from segue.kernel import commands as c
from segue.kernel.schemas import schema_of


class Decision(msgspec.Struct):
    grant: bool
    limit: int = 0


async def asking(timeout: str | None, escalate: str | None) -> Any:
    try:
        answer = await approval("ann", form=Decision, subject={"order": 7}, timeout=timeout, escalate=escalate)
    except TimeoutError as error:
        return str(error)
    return answer.limit


ASKING = flow(asking)


def test_a_person_is_asked_with_a_form_and_a_subject(begin: Begin) -> None:
    world = begin(ASKING, None, None)
    (command,) = world.answers[0]
    assert isinstance(command, c.OpenTask)
    assert (command.key, command.name, command.assignee, command.due) == ("/approval", "approval", "ann", None)
    assert command.form == schema_of(Decision)
    assert decoded(command.subject) == {"order": 7}
    assert world.execution.outstanding() == [], "the task is in the journal"
    world.answer("/approval", {"grant": True, "limit": 9})
    assert world.result == 9


def test_an_answer_in_time_ends_the_timer(begin: Begin) -> None:
    async def asking_and_waiting() -> bool:
        answer = await approval("ann", timeout="1h")
        await asyncio.sleep(7200)
        return answer.approved

    world = begin(flow(asking_and_waiting))
    assert world.tasks["/approval"].due == world.now + 3600 * SECOND
    world.answer("/approval", {"approved": True, "comment": "fine"})
    assert world.execution.deadline is not None
    assert world.execution.deadline.at == world.now + 7200 * SECOND
    world.advance(7200)
    assert world.result is True


def test_who_has_answered_is_not_for_the_answer_to_say(begin: Begin) -> None:
    async def asking_whom() -> str:
        return (await approval("ann")).by

    world = begin(flow(asking_whom))
    (command,) = world.answers[0]
    assert isinstance(command, c.OpenTask)
    assert command.form is not None
    assert set(command.form["$defs"]["Approval"]["properties"]) == {"approved", "comment"}
    world.answer("/approval", {"approved": True, "by": "the boss"})
    assert world.result == ""


def test_nobody_answers_in_time(begin: Begin) -> None:
    world = begin(ASKING, "1h", None)
    assert world.advance(3600)[0] == c.CloseTask("/approval")
    assert world.result == "nobody answered 'approval' in time"


def test_an_overdue_task_goes_to_somebody_else_and_stays_open(begin: Begin) -> None:
    world = begin(ASKING, "1h", "bob")
    assert world.advance(3600) == [c.Reassign("/approval", "bob")]
    assert world.advance(86_400) == []
    world.answer("/approval", {"grant": True, "limit": 4})
    assert world.result == 4


def test_cancelling_withdraws_the_task(begin: Begin) -> None:
    world = begin(ASKING, "1h", "bob")
    assert world.cancel("moot") == [c.CloseTask("/approval"), c.Cancelled("moot")]


def test_an_answer_after_the_task_was_withdrawn_changes_nothing(begin: Begin) -> None:
    async def going_on() -> None:
        try:
            await approval("ann", timeout="1h")
        except TimeoutError:
            await asyncio.sleep(60)

    world = begin(flow(going_on))
    world.advance(3600)
    assert world.answer("/approval", {"approved": True}) == []
    world.advance(60)
    assert isinstance(world.end, c.Complete)


def test_a_task_that_is_withdrawn_as_it_falls_due(begin: Begin) -> None:
    """Two timers are due at once: the first one cancels the wait, the second one would have ended it."""

    async def racing() -> str:
        try:
            async with asyncio.timeout(3600):
                await approval("ann", timeout="1h")
        except TimeoutError as error:
            return str(error)
        return "answered"

    world = begin(flow(racing))
    assert [type(x) for x in world.advance(3600)] == [c.CloseTask, c.Complete]


def test_tasks_are_counted_by_name_like_steps(begin: Begin) -> None:
    async def asking_thrice() -> None:
        await asyncio.gather(approval("ann"), approval("ann", name="second"))
        await approval("bob")
        await approval("eve")

    world = begin(flow(asking_thrice))
    seen = []
    while world.tasks:
        seen.append(next(iter(world.tasks)))
        world.answer(seen[-1], {"approved": True})
    assert seen == ["/0/approval", "/1/second", "/approval", "/approval#1"]


def test_types_that_msgspec_does_not_know_have_a_form_that_takes_anything() -> None:
    class Own:
        pass

    assert schema_of(Own) == {}
    assert schema_of(Approval)["$defs"]["Approval"]["required"] == ["approved"]


step_before = step_named("before")


async def two_questions() -> list[int]:
    return [(await approval("ann", form=Decision, subject={"order": n})).limit for n in (1, 2)]


def test_tasks_of_one_name_are_told_apart_by_what_they_are_about_when_code_has_changed() -> None:
    async def another_call_first() -> list[int]:
        await step_before(1)
        return await two_questions()

    with World(flow(two_questions)) as world:
        world.start()
        world.answer("/approval", {"grant": True, "limit": 1})
        world.take_over(flow(another_call_first))
        world.complete("/before")
        assert set(world.tasks) == {"/approval#1"}, "nobody is asked twice"
        world.answer("/approval#1", {"grant": True, "limit": 2})
        assert world.result == [1, 2]


@pytest.mark.parametrize("first", [False, True])
def test_what_a_person_is_told_may_be_put_in_other_words(first: bool) -> None:
    async def before() -> int:
        return (await approval("ann", form=Decision, subject={"order": 7})).limit

    async def after() -> int:
        if first:
            await step_before(1)
        return (await approval("ann", form=Decision, subject={"order": 7, "customer": "bob"})).limit

    with World(flow(before)) as world:
        world.start()
        world.take_over(flow(after))
        if first:
            world.complete("/before")
        assert list(world.tasks) == ["/approval"]
        world.answer("/approval", {"grant": True, "limit": 9})
        assert world.result == 9


def test_which_of_two_tasks_about_the_same_is_meant_is_for_a_person() -> None:
    async def before() -> None:
        await approval("ann")
        await approval("ann")

    async def after() -> None:
        await step_before(1)
        await before()

    with World(flow(before)) as world:
        world.start()
        world.answer("/approval", {"approved": True})
        world.take_over(flow(after))
        with pytest.raises(NonDeterminism, match="'approval' is recorded 2 times"):
            world.complete("/before")


def test_a_task_whose_name_is_made_up_by_the_code_is_not_taken_for_gone() -> None:
    async def before(order: int) -> int:
        await approval("ann", name=f"look at {order}")
        await asyncio.sleep(60)
        return order

    async def after(order: int) -> int:
        await step_before(1)
        return await before(order)

    with World(flow(before), 7) as world:
        world.start()
        world.answer("/look at 7", {"approved": True})
        world.take_over(flow(after))
        world.complete("/before")
        world.advance(60)
        assert world.result == 7
