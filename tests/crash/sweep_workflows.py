"""The workflows of the crash sweep: together they use every primitive."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any

import msgspec
import sweep_steps as steps

import segue
from segue import RunCancelled, RunFailed, StepFailed, approval, escalate, saga, signal, skip, state, workflow
from segue.authoring import dmn
from segue.errors import RunNotFound


class Order(msgspec.Struct):
    item: str
    amount: int


class Verdict(msgspec.Struct):
    yes: bool
    why: str = ""


@workflow
async def order(order: Order) -> dict[str, Any]:
    """Steps in a row and at once, in every executor; time, chance, what others can see."""
    segue.set_attributes(item=order.item, stage="begun")
    segue.log.info("order of %s", order.item)
    segue.publish("stage", "begun")
    chance = (segue.random.random(), segue.uuid4().hex, segue.now())
    n = await steps.fetch(order.amount)
    fetched, pressed, crunched = await asyncio.gather(steps.fetch(n), steps.press(n), steps.crunch(n))
    await asyncio.sleep(0.02)
    name = await steps.flaky(order.item)
    try:
        await steps.hopeless("no")
        exhausted = "?"
    except StepFailed as error:
        exhausted = f"{error.step} {error.attempts}"
    new = segue.patched("new-way")
    first = await steps.count_up(order.item)
    await state.set(order.item, "seen", first)
    seen = await state.get(order.item, "seen")
    once = await steps.launch(7)
    segue.set_attributes(stage=None, total=crunched)
    segue.publish("stage", "done")
    assert len(chance) == 3
    return {
        "fetched": fetched, "pressed": pressed, "crunched": crunched, "name": name, "exhausted": exhausted,
        "new": new, "state": [first, seen], "once": once,
    }  # fmt: skip


@workflow
async def letters() -> dict[str, Any]:
    """Signals kept and handled, updates accepted and refused, a query."""
    handled: list[int] = []
    total = 0

    @signal
    def note(n: int) -> None:
        handled.append(n)

    @segue.update
    async def add(n: int) -> int:
        nonlocal total
        total = await steps.fetch(total + n)
        return total

    @add.validator
    def positive(n: int) -> None:
        if n < 0:
            raise ValueError("only upwards")

    @segue.query
    def so_far() -> int:
        return total

    got = []
    async for n in signal("number", int):
        got.append(n)
        if n == 0:
            break
    await signal("stop")
    return {"got": got, "handled": handled, "total": total}


@workflow
class Basket:
    """The class form: it is started by its first message, and waits for a condition and for its handlers."""

    def __init__(self, owner: str) -> None:
        self.items: list[str] = []
        self.closed = False

    async def run(self, owner: str) -> dict[str, Any]:
        try:
            await segue.wait_condition(lambda: len(self.items) > 9, timeout="20ms")
            full = True
        except TimeoutError:
            full = False
        await segue.wait_condition(lambda: self.closed and segue.all_handlers_finished())
        return {"items": sorted(self.items), "full": full, "owner": owner}

    @signal
    async def note(self, item: str) -> None:
        self.items.append(f"{item} {await steps.fetch(len(item))}")

    @signal
    def close(self) -> None:
        self.closed = True

    @segue.query
    def count(self) -> int:
        return len(self.items)

    @segue.update
    async def put(self, item: str) -> str:
        if item == "nothing":
            raise LookupError(item)
        self.items.append(item)
        return f"{item} {await steps.fetch(1)}"


@workflow
async def postman() -> list[str]:
    """Signals another run, asks one to stop, and misses two."""
    told = []
    for send in (
        lambda: segue.other_run("basket").signal(Basket.note, "letter"),
        lambda: segue.other_run("lonely").cancel("nobody comes"),
        lambda: segue.other_run("nobody").signal("x"),
        lambda: segue.other_run("nobody").cancel(),
    ):
        try:
            await send()
            told.append("told")
        except RunNotFound as error:
            told.append(f"no {error.run_id}")
    return told


@workflow
async def lonely() -> None:
    await signal("never")


# --- children -------------------------------------------------------------------------------------------------


@workflow
async def child(n: int) -> int:
    return await steps.fetch(n)


@workflow
async def failing_child() -> None:
    await steps.refused("never")


@workflow
async def waiting_child(name: str) -> str:
    """Waits to be told, and cleans up when it is cancelled instead."""
    try:
        await signal("go")
    finally:
        await steps.fetch(0)
    return name


@workflow
async def family(id: str) -> dict[str, Any]:
    """Children: awaited, failing, cancelled while they wait, and left behind under each policy."""
    awaited = await child.child(1, id=f"{id}/awaited")
    try:
        await failing_child.child(id=f"{id}/failing")
        failed = "?"
    except RunFailed as error:
        failed = error.failure.type
    doomed = asyncio.create_task(waiting_child.child("doomed", id=f"{id}/doomed"))
    await asyncio.sleep(0.01)
    doomed.cancel("changed our mind")
    with suppress(asyncio.CancelledError, RunCancelled):
        await doomed
    detached = [
        await waiting_child.child(policy, id=f"{id}/{policy}", detached=True, on_parent_close=policy)
        for policy in ("cancel", "terminate", "abandon")
    ]
    return {"awaited": awaited, "failed": failed, "detached": detached}


# --- people ---------------------------------------------------------------------------------------------------


@workflow
async def decide() -> dict[str, Any]:
    """A task that is answered, one that is escalated and then answered, one that nobody answers, one withdrawn."""
    answered = await approval("ann", form=Verdict, name="answered", subject={"amount": 3})
    escalated = await approval("bob", form=Verdict, name="escalated", timeout="20ms", escalate="boss")
    try:
        await approval("carl", name="ignored", timeout="20ms")
        ignored = "?"
    except TimeoutError:
        ignored = "timed out"
    withdrawn = asyncio.create_task(approval("dora", name="withdrawn"))
    await asyncio.sleep(0)
    await asyncio.sleep(0.01)
    withdrawn.cancel()
    return {"answered": answered, "escalated": escalated, "ignored": ignored}


# --- going wrong ------------------------------------------------------------------------------------------------


@workflow
async def repaired() -> str:
    return await steps.needs_repair("machine")


@workflow
async def skipped() -> str:
    """Stands still for good, until a person answers for the step."""
    return await steps.needs_repair("something that nobody mends")


@workflow
async def rolled_back() -> None:
    async with saga() as s:
        await s.step(steps.book, "flight", undo=steps.unbook)
        await s.step(steps.book, "hotel", undo=steps.unbook)
        await steps.refused("no car")


@workflow
async def fetches(n: int) -> int:
    return await steps.fetch(n)


@workflow
async def resumed() -> list[Any]:
    """Fails while a step, a child and a person have done their part: it goes on from there, and none does it again."""

    async def asks() -> str:
        return (await approval("ann", form=Verdict, name="beside")).why

    async def works() -> list[int]:
        return [await steps.fetch(1), await fetches.child(2, id="resumed/child")]

    async def beside() -> list[Any]:
        await signal("failing")
        return list(await asyncio.gather(works(), asks()))

    try:
        return list(await asyncio.gather(steps.brittle("bridge"), beside()))
    except StepFailed:
        raise segue.NonRetryable("no bridge") from None  # after how many attempts: as many as there were crashes


@workflow
async def called_off() -> None:
    """Cancelled from outside while a step runs in a thread that has taken effect: it is undone with what came of it."""
    async with saga() as s:
        await s.step(steps.book, "room", undo=steps.unbook)
        await s.step(steps.hold, "table", undo=steps.unbook)


@workflow
async def impatient() -> list[str]:
    """Stops steps that take too long, by itself and by their own limit."""
    said = []
    for slow in (steps.forever, steps.stubborn):
        try:
            await asyncio.wait_for(slow(), 0.03)
        except TimeoutError:
            said.append("stopped")
    try:
        await steps.too_slow()
    except StepFailed as error:
        said.append(error.failure.type.rpartition(".")[2])
    return said


@workflow
async def ended() -> None:
    try:
        await steps.forever()
    finally:
        await steps.fetch(0)


@workflow
async def policies() -> dict[str, Any]:
    """The two policies of a call that neither retry nor branch nor undo: skip, and ask a person (who retries once)."""
    skipped = await steps.refused.using(on_error=skip("nothing"))("x")
    ask = steps.broken_until.using(on_error=escalate("ops"), key="pump")
    return {"skipped": skipped, "escalated": await ask("pump")}


@workflow
async def bulky() -> list[int]:
    """Values that are kept apart: an argument, a result, a signal; and one of them twice."""
    text = await steps.large(7)
    lengths = await asyncio.gather(steps.measure(text), steps.measure(await signal("text", str)))
    return [*lengths, len(text)]


@workflow
async def stuck() -> None:
    """Compensation that fails: the rest of the list waits until a person has mended what is broken."""
    async with saga() as s:
        await s.step(steps.book, "ship", undo=steps.unbook)
        await s.step(steps.book, "crane", undo=steps.undo_until_mended)
        await steps.refused("no wind")


@workflow
async def abandons_a_broken_step() -> str:
    """Gives a step up that stands still."""
    trying = asyncio.create_task(steps.needs_repair("never"))
    await signal("enough")
    trying.cancel()
    with suppress(asyncio.CancelledError):
        await trying
    return "gone on"


@workflow
async def dynasty(id: str) -> None:
    """Ended from outside while it awaits children: each of them follows its own policy. One has an id that is taken."""
    try:
        await child.child(2, id="order")
    except RunFailed:
        segue.set_attributes(taken=True)
    async with asyncio.TaskGroup() as group:
        for policy in ("cancel", "terminate", "abandon"):
            group.create_task(waiting_child.child(policy, id=f"{id}/{policy}", on_parent_close=policy))


@workflow
async def personal(name: str) -> str:
    """Erased once it has ended, with its child."""
    segue.set_attributes(person=name)
    segue.publish("person", name)
    await approval("ann", name="seen", subject={"name": name}, timeout="10ms", escalate="boss")
    await child.child(4, id="personal/child")
    return name


@workflow
async def phoenix(n: int) -> int:
    return await steps.fetch(n)


@workflow
async def twin(n: int) -> int:
    """The first one waits for ever, its successor does not."""
    if n == 1:
        await signal("never")
    return await steps.fetch(n)


# --- time and size ----------------------------------------------------------------------------------------------


@workflow
async def rounds(n: int) -> dict[str, Any]:
    """Goes on as a new run twice, with a signal that nobody has taken yet."""
    segue.set_summary(f"round {n}")
    number = await signal("round", int)
    await steps.fetch(n)
    if n < 2:
        segue.continue_as_new(n + 1)
    return {"n": n, "number": number, "kept": await signal("kept", str)}


@workflow
async def begun_later() -> str:
    """Begins late; its step is completed from outside, after one attempt that beats and fails."""
    await segue.sleep(0.01, summary="a nap")
    resumed = await steps.beats.using(summary="beats")("heart")
    return f"{resumed}, {await steps.handed_over('hands')}"


@workflow
async def out_of_time() -> None:
    try:
        await steps.forever()
    finally:
        await steps.fetch(0)


@workflow
async def gives_up_waiting() -> str:
    """Nobody completes the first; the second is given up by the workflow itself."""
    try:
        await steps.never_completed("nobody")
        said = "?"
    except StepFailed as error:
        said = error.failure.type.rpartition(".")[2]
    with suppress(TimeoutError):
        await asyncio.wait_for(steps.handed_over("given-up"), 0.02)
    return said


@workflow
async def stopped() -> list[Any]:
    """Paused as a whole, and by its step."""
    before = await signal("before", int)
    await asyncio.sleep(0.01)
    return [before, await steps.pausable(3)]


@workflow
async def bank() -> dict[str, Any]:
    """Transactional steps: in a row and at once, one that fails, one that is undone, one that starts a workflow."""
    for name, balance in (("ann", 100), ("bob", 50), ("carl", 0)):
        await steps.open_account(name, balance)
    await asyncio.gather(*[steps.transfer("ann", "carl", n) for n in (1, 2, 3)], steps.transfer("bob", "carl", 4))
    try:
        await steps.overdraw("ann")
        overdrawn = "?"
    except StepFailed as error:
        overdrawn = f"{error.failure.type} {error.attempts}"
    with suppress(StepFailed):
        async with saga() as s:
            await s.step(steps.transfer, "bob", "ann", 20, undo=give_back)
            await steps.refused("no")
    placed = await steps.place_order(7)
    return {"left": await steps.transfer("ann", "bob", 0), "overdrawn": overdrawn, "placed": placed}


async def give_back(source: str, target: str, amount: int, left: int | None) -> None:
    if left is not None:
        await steps.transfer(target, source, amount)


@workflow
async def ordered(n: int) -> int:
    """Started from the outbox."""
    return await steps.fetch(n)


@workflow
async def pipeline() -> dict[str, Any]:
    """What data teams use: a mapped step, cached results, results by reference, artifacts."""
    segue.artifact.progress("stage", 1, 2)
    sums = await steps.slow_sum.map([10, 20, 30], concurrency=2)
    again = await steps.slow_sum.map([10, 20, 30])
    texts = await steps.large.by_reference().map([1, 2], concurrency=1)
    return {"sums": sums.all(), "again": again.all(), "weight": await steps.weigh(texts.all())}


TARIFF = dmn.read(
    b"""<definitions xmlns="https://www.omg.org/spec/DMN/20230324/MODEL/" name="tariff" namespace="urn:tariff">
    <inputData id="amount" name="amount"><variable name="amount" typeRef="number"/></inputData>
    <decision id="fee" name="fee">
      <informationRequirement><requiredInput href="#amount"/></informationRequirement>
      <decisionTable hitPolicy="COLLECT" aggregation="SUM">
        <input><inputExpression><text>amount</text></inputExpression></input><output/>
        <rule><inputEntry><text>-</text></inputEntry><outputEntry><text>5</text></outputEntry></rule>
        <rule><inputEntry><text>&gt; 10</text></inputEntry><outputEntry><text>amount * 0.1</text></outputEntry></rule>
      </decisionTable>
    </decision>
    </definitions>"""
)


@workflow
async def tariff() -> dict[str, Any]:
    """Decisions: before and behind a step, at once, one that cannot be made, more in a row than one commit takes."""
    first = await segue.decide(TARIFF, "fee", {"amount": 3})
    amount = await steps.fetch(40)
    second, third = await asyncio.gather(
        segue.decide(TARIFF, "fee", {"amount": amount}), segue.decide(TARIFF, "fee", {"amount": 20})
    )
    segue.set_attributes(fee=second)
    try:
        await segue.decide(TARIFF, "fee", {"amounts": 1})
        refused = "?"
    except segue.DecisionFailed as error:
        refused = error.failure.message
    many = [await segue.decide(TARIFF, "fee", {"amount": n}) for n in range(120)]
    return {"fees": [first, second, third], "refused": refused, "many": sum(many)}
