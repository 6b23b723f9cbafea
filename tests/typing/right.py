"""What a type checker has to accept, with the types it has to see."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from typing import assert_type

from segue import Approval, Engine, Handle, Retry, approval, run, saga, signal, step, workflow


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
    payment, weight = await asyncio.gather(charge(order), weigh(order))
    assert_type(payment, Payment)
    assert_type(weight, float)
    assert_type(await approval("boss"), Approval)
    assert_type(await approval("boss", form=Order), Order)
    assert_type(await signal("paid", Decimal), Decimal)
    return note


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
