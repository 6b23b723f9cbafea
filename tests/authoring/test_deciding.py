"""Decisions in workflows: made once, answered by what is recorded, whatever becomes of the model."""

from __future__ import annotations

import asyncio
import datetime as dt
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from world import Begin, World, decoded, flow, step_named

from segue import DecisionFailed, Engine, decide, step, workflow
from segue.authoring import dmn
from segue.errors import InvalidArgument, NonDeterminism, PayloadError
from segue.kernel import commands as c
from segue.kernel import events as e


def model(rate: str, *, name: str = "discount") -> dmn.DecisionModel:
    return dmn.read(
        f"""<definitions xmlns="https://www.omg.org/spec/DMN/20230324/MODEL/" name="prices" namespace="urn:prices">
        <inputData id="total" name="total"><variable name="total" typeRef="number"/></inputData>
        <inputData id="placed" name="placed"><variable name="placed" typeRef="date"/></inputData>
        <decision id="d1" name="{name}">
          <informationRequirement><requiredInput href="#total"/></informationRequirement>
          <decisionTable hitPolicy="FIRST">
            <input><inputExpression><text>total</text></inputExpression></input><output/>
            <rule><inputEntry><text>&gt; 100</text></inputEntry><outputEntry><text>{rate}</text></outputEntry></rule>
            <rule><inputEntry><text>-</text></inputEntry><outputEntry><text>0</text></outputEntry></rule>
          </decisionTable>
        </decision>
        <decision id="d2" name="due"><variable name="due" typeRef="date"/>
          <informationRequirement><requiredInput href="#placed"/></informationRequirement>
          <literalExpression><text>placed + duration("P14D")</text></literalExpression>
        </decision>
        <decision id="d3" name="today">
          <literalExpression><text>string(today())</text></literalExpression>
        </decision>
        <decision id="d4" name="endless">
          <literalExpression><text>count(for i in 1..100000000 return i)</text></literalExpression>
        </decision>
        </definitions>""".encode()
    )


GENEROUS, STINGY = model("0.2"), model("0.05")
KEY = "/decision:discount"
charge = step_named("charge")


def deciding(with_model: dmn.DecisionModel, decision: str = "discount", total: float = 150) -> Any:
    async def shop() -> Any:
        return await decide(with_model, decision, {"total": total})

    made = flow(shop)
    made.version = "same"
    return made


def test_a_decision_is_recorded_with_what_led_to_it(begin: Begin) -> None:
    world = begin(deciding(GENEROUS))

    (command,) = world.answers[0]
    assert isinstance(command, c.RecordDecision)
    event = command.event
    assert (event.key, event.model, event.model_hash, event.decision) == (KEY, "prices", GENEROUS.hash, "d1")
    assert decoded(event.input) == {"total": 150}
    assert decoded(event.result) == 0.2
    told = decoded(event.explanation)
    (hit,) = told["decisions"][0]["tables"][0]["hits"]
    assert (hit["rule"], hit["outputs"], told["decisions"][0]["requirements"]) == (1, {"output": 0.2}, {"total": 150})

    world.decided(KEY)

    assert world.result == 0.2


def test_a_changed_model_does_not_change_what_was_decided(begin: Begin) -> None:
    world = begin(deciding(GENEROUS))
    world.decided(KEY)

    again = World(deciding(STINGY))
    again.journal = list(world.journal)
    with again:
        again.execution = again.replay()
        assert again.execution.closed
    gone = World(deciding(model("1", name="rebate")))
    gone.journal = list(world.journal)
    with gone:
        assert gone.replay().closed, "not even a decision that the model no longer has"


def test_a_decision_that_was_not_recorded_yet_is_made_after_the_replay(begin: Begin) -> None:
    world = begin(deciding(GENEROUS))

    world.restart()
    world.look_around()

    assert decoded(world.decisions[KEY].result) == 0.2
    world.decided(KEY)
    assert world.result == 0.2


def test_other_inputs_under_the_same_code_are_nondeterminism(begin: Begin) -> None:
    world = begin(deciding(GENEROUS))
    world.decided(KEY)

    with pytest.raises(NonDeterminism, match="other arguments"):
        world.replay(deciding(GENEROUS, total=151))


def test_code_that_no_longer_decides_goes_on_and_code_that_decides_on_else_decides_anew() -> None:
    async def before() -> Any:
        rate = await decide(GENEROUS, "discount", {"total": 150})
        return await charge(rate)

    async def without() -> Any:
        return await charge(0.2)

    async def otherwise() -> Any:
        rate = await decide(STINGY, "discount", {"total": 120})
        return rate, await charge(0.2)

    for change, expected in ((without, 7), (otherwise, [0.05, 7])):
        with World(flow(before)) as world:
            world.start()
            world.decided(KEY)
            changed = flow(change)
            changed.version = change.__name__
            world.take_over(changed)
            for key in list(world.decisions):
                world.decided(key)
            world.complete("/charge", 7)
            assert world.result == expected


def test_a_decision_that_moved_is_the_recorded_one() -> None:
    async def before() -> Any:
        rate = await decide(GENEROUS, "discount", {"total": 150})
        await charge(rate)
        return rate

    async def after() -> Any:
        await charge(0.2)
        return await decide(STINGY, "discount", {"total": 150})

    changed = flow(after)
    changed.version = "v2"
    with World(flow(before)) as world:
        world.start()
        world.decided(KEY)
        world.take_over(changed)
        world.complete("/charge")

        assert world.result == 0.2
        assert sum(isinstance(event, e.DecisionEvaluated) for event in world.journal) == 1


@pytest.mark.parametrize(
    ("decision", "inputs", "why"),
    [
        ("rebate", {}, "no decision or decision service 'rebate'"),
        ("discount", {"sum": 1}, "no input 'sum'"),
        ("due", {"placed": "yesterday"}, "placed"),
        ("endless", {}, "budget|more than"),
    ],
)
def test_a_decision_that_cannot_be_made_is_recorded_as_that(
    begin: Begin, decision: str, inputs: dict[str, Any], why: str
) -> None:
    async def shop() -> str:
        try:
            return str(await decide(GENEROUS, decision, inputs))
        except DecisionFailed as error:
            return f"{error.decision} {error.failure.type}"

    world = begin(flow(shop))
    key = f"/decision:{decision}"
    event = world.decisions[key]
    assert event.result is None
    assert event.failure is not None
    world.decided(key)
    assert world.result == f"{decision} {event.failure.type}"

    async def uncaught() -> Any:
        return await decide(GENEROUS, decision, inputs)

    world = begin(flow(uncaught))
    world.decided(key)
    assert world.failure.type == "segue.errors.DecisionFailed"
    assert world.failure.cause == event.failure
    with pytest.raises(AssertionError, match=why):
        raise AssertionError(event.failure.message)


def test_why_a_decision_cannot_be_made_does_not_depend_on_where_it_is_asked_for(begin: Begin) -> None:
    async def shop() -> None:
        try:
            raise LookupError("something else")
        except LookupError:
            await decide(GENEROUS, "rebate")

    world = begin(flow(shop))
    event = world.decisions["/decision:rebate"]
    assert event.failure is not None
    assert event.failure.cause is None
    world.restart()
    world.look_around()
    assert world.decisions["/decision:rebate"] == event
    world.decided("/decision:rebate")


def test_the_answer_is_what_the_workflow_asks_for(begin: Begin) -> None:
    async def shop() -> list[str]:
        due = await decide(GENEROUS, "due", {"placed": dt.date(2026, 11, 26)}, result=dt.date)
        same = await decide(GENEROUS, "d2", {"placed": "2026-11-26"})
        rate = await decide(GENEROUS, "discount", {"total": Decimal("100.01")}, result=Decimal)
        return [repr(due), repr(same), repr(rate)]

    world = begin(flow(shop))
    for key in ("/decision:due", "/decision:d2", KEY):
        world.decided(key)
    assert world.result == ["datetime.date(2026, 12, 10)", "'2026-12-10'", "Decimal('0.2')"]


def test_an_answer_of_another_type_is_told(begin: Begin) -> None:
    async def shop() -> None:
        await decide(GENEROUS, "due", {"placed": "2026-11-26"}, result=int)

    world = begin(flow(shop))
    with pytest.raises(PayloadError, match="Expected `int`"):
        world.decided("/decision:due")


def test_today_is_the_runs_own(begin: Begin) -> None:
    async def shop() -> Any:
        await asyncio.sleep(86_400)
        return await decide(GENEROUS, "today")

    world = begin(flow(shop))
    world.advance(86_400)
    world.wait(10 * 86_400)
    world.decided("/decision:today")
    assert world.result == "2023-11-15"


def test_what_is_decided_upon_is_what_was_given(begin: Begin) -> None:
    """The workflow goes on with its own object before the decision is recorded, and changes it."""

    async def shop() -> Any:
        inputs = {"total": 150}
        task = asyncio.create_task(decide(GENEROUS, "discount", inputs))
        await asyncio.sleep(0)
        inputs["total"] = 1
        return await task

    world = begin(flow(shop))
    world.restart()
    world.look_around()
    world.decided("/0" + KEY)
    assert world.result == 0.2


def test_a_decision_that_nobody_waits_for_any_more_changes_nothing(begin: Begin) -> None:
    async def shop() -> str:
        task = asyncio.create_task(decide(GENEROUS, "discount", {"total": 150}))
        await asyncio.sleep(0)
        task.cancel()
        await charge(1)
        return "done"

    world = begin(flow(shop))
    late = next(command.event for command in world.answers[0] if isinstance(command, c.RecordDecision))
    world.apply(msgspec.structs.replace(late, at=world.now))
    world.complete("/charge")
    assert world.result == "done"


def test_an_input_that_feel_does_not_have_is_the_callers_mistake(begin: Begin) -> None:
    async def shop() -> str:
        try:
            await decide(GENEROUS, "discount", {"total": object()})
        except InvalidArgument as error:
            return error.path
        return ""

    assert begin(flow(shop)).result == "$.total"


async def test_outside_a_workflow_it_is_made_and_recorded_nowhere() -> None:
    assert await decide(GENEROUS, "discount", {"total": 150}, result=Decimal) == Decimal("0.2")
    assert await decide(GENEROUS, "today") == dt.datetime.now(dt.UTC).date().isoformat()
    with pytest.raises(DecisionFailed, match="no decision"):
        await decide(GENEROUS, "rebate")


@step
async def asks() -> float:
    return float(await decide(GENEROUS, "discount", {"total": 150}))


@workflow
async def lets_a_step_ask() -> float:
    return await asks() + await decide(GENEROUS, "discount", {"total": 1})


async def test_in_a_step_it_is_part_of_the_step(tmp_path: Any) -> None:
    assert await lets_a_step_ask.local() == 0.2
    async with Engine(f"sqlite:///{tmp_path}/runs.db") as engine:
        handle = await engine.start(lets_a_step_ask)
        assert await handle.result() == 0.2
        kinds = [type(recorded.event) for recorded in await handle.history()]
    assert kinds == [e.RunStarted, e.StepCompleted, e.DecisionEvaluated, e.RunCompleted]
