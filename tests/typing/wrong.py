"""What a type checker has to refuse: each line marked with the kind of error that must stand there."""

from __future__ import annotations

from segue import Engine, Retry, approval, run, saga, signal, step, workflow


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


async def main(engine: Engine, order: Order) -> None:
    await engine.start(fulfil, "tea")  # E: call-overload|arg-type
    await engine.start(fulfil)  # E: call-overload|arg-type
    await engine.start(fulfil, order, order)  # E: call-overload|arg-type
    await engine.start(fulfil, order, on_conflict="maybe")  # E: call-overload|arg-type
    number: int = run(fulfil, order)  # E: assignment
    Retry(attempts="many")  # E: arg-type
    print(number)
