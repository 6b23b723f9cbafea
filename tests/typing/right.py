"""What a type checker has to accept, with the types it has to see."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import ParamSpec, TypeVar, assert_type
from uuid import UUID

import segue
from segue import (
    Approval,
    Artifact,
    Cache,
    Client,
    Engine,
    File,
    Handle,
    HumanTask,
    Incident,
    MapFailure,
    Mapped,
    Ref,
    Retention,
    Retry,
    SecretRef,
    Settings,
    StepFailed,
    Transaction,
    approval,
    artifact,
    escalate,
    group,
    idempotency_key,
    locally,
    log,
    now,
    on_cancel,
    other_run,
    outbox,
    patched,
    progress,
    publish,
    query,
    random,
    run,
    saga,
    set_attributes,
    signal,
    skip,
    state,
    step,
    update,
    uuid4,
    wait_condition,
    workflow,
)
from segue.client.following import Progress, Published, Recorded
from segue.testing import (
    Crash,
    Faults,
    Lost,
    Mock,
    Moment,
    Plan,
    Scene,
    Simulated,
    World,
    in_the_end,
    simulate,
    sweep,
    trace,
)

P = ParamSpec("P")
R = TypeVar("R")


class Order:
    total: Decimal


class Payment:
    pass


@step(retry=Retry(attempts=5), timeout="30s")
async def charge(order: Order) -> Payment:
    return Payment()


@step
async def refund(order: Order, payment: Payment | None) -> None: ...


@step
def weigh(order: Order, times: int = 1) -> float:
    return 1.0


def logged(function: Callable[P, Awaitable[R]]) -> Callable[P, Awaitable[R]]:
    """A decorator as users write them."""

    @functools.wraps(function)
    async def inner(*args: P.args, **kwargs: P.kwargs) -> R:
        return await function(*args, **kwargs)

    return inner


@step
@logged
async def inform(order: Order, *, by: str = "mail") -> bool:
    return True


@step(retry=3)
@logged
async def archive(order: Order) -> int:
    return 1


@workflow(version="1")
@logged
async def closes(order: Order) -> bool:
    assert_type(await archive(order), int)
    return await inform(order, by="phone")


@step(executor="process")
def crunch(n: int) -> bytes:
    return bytes(n)


@workflow
async def fulfil(order: Order, note: str = "") -> str:
    assert_type(await charge(order), Payment)
    assert_type(await weigh(order), float)
    assert_type(await weigh(order, times=2), float)
    assert_type(await crunch(3), bytes)
    assert_type(await charge.using(timeout="5s")(order), Payment)
    async with saga() as s:
        assert_type(await s.step(charge, order, undo=refund), Payment)
    assert_type(await inform(order, by="phone"), bool)
    assert_type(await closes(order), bool)
    payment, weight = await asyncio.gather(charge(order), weigh(order))
    assert_type(payment, Payment)
    assert_type(weight, float)
    assert_type(await approval("boss"), Approval)
    assert_type(await approval("boss", form=Order), Order)
    assert_type(await signal("paid", Decimal), Decimal)
    return note


@workflow
class Cart:
    """The class form."""

    async def run(self, owner: str, limit: int) -> Payment:
        assert_type(self.total(Decimal(1)), Decimal)
        assert_type(await self.checkout("card"), Payment)
        assert_type(self.rename("bob"), str)
        await wait_condition(lambda: True, timeout="5m")
        await other_run("x").signal(Cart.add, Order())
        await other_run("x").signal("add", 1)
        await other_run("x").cancel("enough")
        return Payment()

    @signal
    def add(self, item: Order) -> None: ...

    @signal
    async def close(self) -> None: ...

    @query
    def total(self, least: Decimal) -> Decimal:
        return least

    @update
    async def checkout(self, card: str) -> Payment:
        return Payment()

    @checkout.validator
    def check(self, card: str) -> None: ...

    @update
    def rename(self, name: str) -> str:
        return name


@workflow(name="kept", unknown_signals="refuse", unfinished="finish")
class Kept:
    async def run(self) -> int:
        return 1


@workflow(unknown_updates="keep")
async def closures() -> int:
    @update
    async def put(item: Order) -> int:
        return 1

    @put.validator
    def check(item: Order) -> None: ...

    assert_type(await put(Order()), int)
    return 1


async def cart(engine: Engine, order: Order) -> None:
    handle = await engine.start(Cart, "ann", 3, id="c")
    assert_type(handle, Handle[Payment])
    await handle.signal(Cart.add, order)
    await handle.signal(Cart.close, message="m")
    assert_type(await handle.query(Cart.total, Decimal(1)), Decimal)
    assert_type(await handle.update(Cart.checkout, "card", id="u"), Payment)
    assert_type(await handle.update(Cart.rename, "bob"), str)
    assert_type(await engine.start(Kept), Handle[int])
    start = engine.with_start(Cart, "ann", 3, id="c")
    assert_type(await start.update(Cart.checkout, "card"), Payment)
    assert_type(await start.signal(Cart.add, order), Handle[Payment])
    async for recorded in handle.events():
        assert_type(recorded, Recorded)
    async for found in handle.events(progress=True):
        assert_type(found, Recorded | Published | Progress)


@workflow
async def outer(order: Order) -> int:
    assert_type(await fulfil(order), str)
    assert_type(await fulfil(order, "x"), str)
    return 1


async def main(engine: Engine, order: Order) -> None:
    assert_type(await engine.start(fulfil, order), Handle[str])
    assert_type(await engine.start(fulfil, order, "note", id="a", tags={"k": "v"}), Handle[str])
    assert_type(await (await engine.start(outer, order)).result(), int)
    assert_type(run(fulfil, order), str)


@step(on_error=skip(None), retry=3)
def fetch(token: SecretRef, file: File) -> File | None:
    progress(1, total=2, message="half")
    on_cancel(lambda: None)
    assert_type(idempotency_key(), str)
    assert_type(token.value(), str)
    state.set_sync("cursor", "orders", 3)
    return file


@step(on_error=escalate("ops", timeout="3d", then="boss"), timeout=timedelta(seconds=3), at_most_once=True)
async def notify(text: str) -> None:
    await state.set("cursor", "orders", await state.get("cursor", "orders", 0) + 1)


@workflow(name="every-name")
async def every_name(order: Order, file: File) -> Decimal:
    total = Decimal(0)

    @query
    def so_far(factor: int = 1) -> Decimal:
        return total * factor

    @update
    async def rename(to: str) -> str:
        return to

    @rename.validator
    def check(to: str) -> None: ...

    @signal
    def paid(amount: Decimal) -> None: ...

    assert_type(so_far(2), Decimal)
    assert_type(now(), datetime)
    assert_type(uuid4(), UUID)
    assert_type(random.random(), float)
    assert_type(random.choice(["a"]), str)
    assert_type(patched("p"), bool)
    assert_type(signal("note", str).pending(), int)
    async for note in signal("note", str):
        assert_type(note, str)
        break
    log.info("%s", note)
    publish("total", total)
    set_attributes(customer="ann", large=True, since=now())
    assert_type(await fetch(SecretRef("token"), file), File | None)
    assert_type(await fulfil.child(order, id="child", on_parent_close="abandon"), str)
    assert_type(await fulfil.child(order, "note", detached=True), str)
    assert_type(await outer.child(order), int)
    assert_type(await outer.child(order, detached=True), str)
    try:
        await notify.using(retry=2, key="n", on_error=skip())("x")
    except StepFailed as error:
        assert_type(error.attempts, int)
    async with saga() as s:
        s.undo(notify, "x")
    return total


async def names(engine: Engine, order: Order, file: File) -> None:
    handle = await engine.start(every_name, order, file)
    assert_type(handle, Handle[Decimal])
    assert_type(await engine.start("by name", 1, 2, 3), Handle[object])  # type: ignore[assert-type]
    assert_type(await engine.handle("x", int), Handle[int])
    assert_type(await engine.tasks(assignee="ann"), list[HumanTask])
    await handle.signal("paid", Decimal(1))
    try:
        assert_type(await handle.result(timeout=3), Decimal)
    except Incident as incident:
        assert_type(incident.remedy, str)
    Engine("x.db", settings=Settings(threads=3, retention=(Retention("30d", state="failed"),)), durability="relaxed")


def synchronous(order: Order, file: File) -> None:
    with Client("x.db") as client:
        assert_type(client.start(every_name, order, file, id="x").result(), Decimal)
        assert_type(client.handle("x", int).result(), int)
    assert_type(run(every_name, order, file), Decimal)


@step(heartbeat_timeout="30s", schedule_to_start="1m", schedule_to_close="1h")
async def load(rows: int) -> int:
    assert_type(segue.complete_later(), str)
    segue.heartbeat({"done": rows})
    return rows


@workflow(timeout="1d")
async def for_ever(total: int) -> int:
    assert_type(await load.using(summary="the first", heartbeat_timeout="5s")(1), int)
    await segue.sleep("1h", summary="a nap")
    assert_type(segue.history().events, int)
    if segue.should_continue():
        segue.continue_as_new(total)
    return total


async def steered(engine: Engine) -> None:
    handle = await engine.start(for_ever, 1, delay="1h", timeout="2h", summary="later")
    assert_type(handle, Handle[int])
    await handle.pause("why", by="ann")
    await handle.resume(by="ann")
    await engine.pause_step("load", "why", by="ann")
    await engine.complete_step("token", 1)
    await engine.fail_step("token", ValueError("no"), retryable=False, retry_after="1h")


@step.transaction
def book(db: Transaction, order: Order, times: int = 1) -> int:
    row = db.execute("SELECT 1 WHERE ? > 0", (times,)).fetchone()
    outbox.start(db, fulfil, order, id="x", tags={"k": "v"})
    return 0 if row is None else db.execute("UPDATE t SET a = 1").rowcount


@step.transaction(timeout="5s", retry=2)
def unbook(db: Transaction, order: Order, booked: int | None) -> None: ...


@workflow
async def books(order: Order) -> int:
    assert_type(await book.using(key="k")(order, times=2), int)
    async with saga() as s:
        assert_type(await s.step(book, order, 2, undo=None), int)
    await unbook(order, None)
    return await book(order)


@step(cache=Cache(by="code", expires="1d"))
async def extract(day: int, tries: int = 1) -> bytes:
    return bytes(day)


@step
async def join(parts: list[Ref[bytes]]) -> int:
    artifact.table("t", [{"a": 1}])
    artifact.image("i", b"x", media_type="image/png")
    return sum([len(await part.load()) for part in parts])


@step
async def commit(day: int, found: bytes) -> None: ...


@step
async def rollback(day: int, found: bytes | None) -> None: ...


@workflow
async def pipeline(days: int) -> int:
    mapped = await extract.map(range(days), concurrency=3)
    assert_type(mapped, Mapped[bytes])
    assert_type(mapped.results, list[bytes])
    assert_type(mapped[0], bytes)
    assert_type(mapped.failures, list[MapFailure])
    assert_type(await mapped.retry(), Mapped[bytes])
    assert_type(await extract.by_reference()(1), Ref[bytes])
    refs = await extract.by_reference().map(range(days))
    assert_type(refs.all(), list[Ref[bytes]])
    async with group() as g:
        assert_type(await g.step(extract, 1, commit=commit, rollback=rollback), bytes)
    return await join(refs.all())


async def looks(engine: Engine, ref: Ref[bytes]) -> None:
    assert_type(await engine.load(ref), bytes)
    assert_type(await engine.invalidate(extract), int)
    assert_type(await (await engine.start(pipeline, 1)).artifacts(), list[Artifact])
    assert_type(await pipeline.local(1), int)
    assert_type(await locally(pipeline, 1, answers={}), int)


async def kit(world: World, order: Order) -> None:
    charged = world.mock(charge, returns=Payment())
    same: Mock[[Order], Payment] = charged
    same.assert_called_once_with(order)
    world.mock(charge, raises=ConnectionError("down"), times=2)
    world.mock(charge, raises=ConnectionError)
    world.mock(charge, side_effect=lambda order: Payment())
    handle = await world.engine.start(fulfil, order)
    assert_type(await world.result(handle), str)
    (await trace(handle)).assert_compensated((charge, "refund"))


def simulated(order: Order) -> None:
    def scene(scene: Scene) -> None:
        scene.mock(charge, returns=Payment())
        scene.signal("note", "hello", within="2d")

    def holds(now: Moment) -> bool:
        return now.over

    assert_type(simulate(fulfil, order, scene=scene, invariants=[holds], faults=Faults(spare=(charge,))), Simulated)
    assert_type(sweep(fulfil, order, invariants=[in_the_end(holds)]), Simulated)
    simulate(fulfil, order, plan=Plan(1, Crash(3), Lost("charge")))
