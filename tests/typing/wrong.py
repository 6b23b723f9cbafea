"""What a type checker has to refuse: each line marked with the kind of error that must stand there."""

from __future__ import annotations

from segue import (
    Cache,
    Client,
    Engine,
    File,
    Ref,
    Retention,
    Retry,
    SecretRef,
    Settings,
    Transaction,
    approval,
    escalate,
    group,
    idempotency_key,
    log,
    now,
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
    workflow,
)
from segue.testing import World, simulate


class Order:
    pass


class Payment:
    pass


@step
async def charge(order: Order) -> Payment:
    return Payment()


@step
def weigh(order: Order, times: int = 1) -> float:
    return 1.0


@step
async def undo_other(order: int, payment: Payment | None) -> None: ...


@workflow
async def fulfil(order: Order) -> str:
    await charge("tea")  # E: arg-type
    await charge()  # E: call-arg
    await weigh(order, "twice")  # E: arg-type
    text: str = await weigh(order)  # E: assignment
    async with saga() as s:
        await s.step(charge, 3)  # E: call-overload|arg-type
        await s.step(charge, order, undo=undo_other)  # E: call-overload|arg-type
    answer: int = await approval("boss")  # E: assignment
    amount: str = await signal("paid", int)  # E: assignment|arg-type
    return text + str(answer) + amount


@step(retry="three")  # E: call-overload|arg-type
async def wrong_retry() -> None: ...


@workflow  # E: arg-type|call-overload
def not_async(order: Order) -> str:
    return ""


@workflow
class Cart:
    async def run(self, owner: str) -> Payment:
        self.rename(3)  # E: arg-type
        await other_run("x").signal(Cart.add, "tea")  # E: arg-type|call-overload
        return Payment()

    @signal
    def add(self, item: Order) -> None: ...

    @query
    def total(self, least: int) -> int:
        return least

    @update
    async def checkout(self, card: str) -> Payment:
        return Payment()

    @checkout.validator  # E: arg-type
    def check(self, card: int) -> None: ...

    @update
    def rename(self, name: str) -> str:
        return name


async def cart(engine: Engine, order: Order) -> None:
    await engine.start(Cart, 3)  # E: call-overload|arg-type
    await engine.start(Cart)  # E: call-overload|arg-type
    handle = await engine.start(Cart, "ann")
    await handle.signal(Cart.add, "tea")  # E: call-overload|arg-type
    await handle.signal(Cart.add)  # E: call-overload|arg-type
    await handle.query(Cart.total, "many")  # E: call-overload|arg-type
    text: str = await handle.query(Cart.total, 1)  # E: assignment|call-overload|arg-type
    paid: int = await handle.update(Cart.checkout, "card")  # E: assignment|call-overload|arg-type
    await handle.update(Cart.checkout, 3)  # E: call-overload|arg-type
    await engine.with_start(Cart, 3, id="c").update(Cart.checkout, "card")  # E: call-overload|arg-type
    await engine.with_start(Cart, "ann", id="c").update(Cart.rename, 3)  # E: call-overload|arg-type
    print(text, paid)


async def main(engine: Engine, order: Order) -> None:
    await engine.start(fulfil, "tea")  # E: call-overload|arg-type
    await engine.start(fulfil)  # E: call-overload|arg-type
    await engine.start(fulfil, order, order)  # E: call-overload|arg-type
    await engine.start(fulfil, order, on_conflict="maybe")  # E: call-overload|arg-type
    number: int = run(fulfil, order)  # E: assignment
    Retry(attempts="many")  # E: arg-type
    print(number)


@step(timeout=["30s"])  # E: call-overload|list-item|arg-type
async def wrong_timeout() -> None: ...


@step(executor="cluster")  # E: call-overload|arg-type
def wrong_executor() -> None: ...


@step(on_error="skip")  # E: call-overload|arg-type
def wrong_policy() -> None: ...


@workflow
async def every_name(order: Order, file: File) -> int:
    @query
    def so_far(factor: int) -> int:
        return factor

    @update
    def rename(to: str) -> str:
        return to

    @rename.validator  # E: arg-type
    def by_number(to: int) -> None: ...

    so_far("x")  # E: arg-type
    text: str = now()  # E: assignment
    text = uuid4()  # E: assignment
    random.choice(3)  # E: arg-type
    patched(3)  # E: arg-type
    log.info(3)  # E: arg-type
    publish(3, "x")  # E: arg-type
    set_attributes(customer=["ann"])  # E: arg-type
    await fulfil.child("tea")  # E: call-overload|arg-type
    await fulfil.child(order, on_parent_close="forget")  # E: call-overload|arg-type
    number: int = await fulfil.child(order, detached=True)  # E: assignment
    await charge.using(timeout="5s")("tea")  # E: arg-type
    charge.using(retry="3")  # E: arg-type
    escalate(3)  # E: arg-type
    await approval("boss", timeout=object())  # E: call-overload|arg-type
    async with saga() as s:
        result: int = await s.step(charge, order)  # E: assignment|arg-type
    return number + result + len(text)


@step
def inside(token: SecretRef) -> int:
    progress("half")  # E: arg-type
    key: int = idempotency_key()  # E: assignment
    state.set_sync("scope", 3, 4)  # E: arg-type
    value: int = token.value()  # E: assignment
    return key + value


def synchronous(order: Order) -> None:
    with Client("x.db") as client:
        client.start(fulfil, "tea")  # E: call-overload|arg-type
        count: int = client.start(fulfil, order).result()  # E: assignment
    run(fulfil)  # E: call-overload|arg-type|call-arg
    Engine("x.db", settings={"threads": 3})  # E: arg-type
    Engine("x.db", durability="some")  # E: arg-type
    Settings(threads="many")  # E: arg-type
    Retention("30d", state="open")  # E: arg-type
    skip(1, 2)  # E: call-arg
    print(count)


async def out_of_time(engine: Engine) -> None:
    await engine.start(fulfil, Order(), delay=object())  # E: call-overload
    await engine.complete_step(7, None)  # E: arg-type
    charge.using(summary=3)  # E: arg-type


@step.transaction  # E: arg-type|call-overload
def lacks_a_connection() -> None: ...


@step.transaction
def book(db: Transaction, order: Order) -> int:
    outbox.start(db, fulfil, "tea")  # E: call-overload|arg-type
    db.commit()  # E: attr-defined
    return 1


@workflow
async def books(order: Order) -> None:
    await book("tea")  # E: arg-type
    text: str = await book(order)  # E: assignment
    print(text)


@step
async def extract(day: int) -> bytes:
    return bytes(day)


@step
async def join(part: Ref[bytes]) -> int:
    text: str = await part.load()  # E: assignment
    return len(text)


@workflow
async def pipeline(days: int) -> int:
    await extract.map(["a"])  # E: list-item|arg-type
    numbers: list[int] = (await extract.map([1])).results  # E: assignment
    await join(await extract(1))  # E: arg-type
    async with group() as g:
        await g.step(extract, 1, commit=join)  # E: arg-type|call-overload
    return len(numbers)


async def looks() -> None:
    await pipeline.local("a")  # E: arg-type
    text: str = await pipeline.local(1)  # E: assignment
    Cache(by="luck")  # E: arg-type
    print(text)


def kit(world: World, order: Order) -> None:
    world.mock(charge, returns="one")  # E: arg-type|call-arg|misc
    charged = world.mock(charge, returns=Payment())
    charged.assert_called_with(order, 2)  # E: call-arg|arg-type
    world.mock(charge, side_effect=len)  # E: arg-type
    world.mock(fulfil, returns="x")  # E: arg-type
    simulate(charge, order)  # E: arg-type
    simulate(fulfil, order, invariants=[1])  # E: list-item
