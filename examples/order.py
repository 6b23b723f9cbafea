"""An order on its way from payment to parcel, and all the way back when something goes wrong.

The services that it calls are real HTTP services with real faults (see ``services.py``): the first charge goes through
and its answer is lost; the warehouse and the carrier are busy at first. Watch for

* ``retry=``, and the idempotency key that makes trying again safe: the card is charged once;
* ``saga()``: when the bank or the carrier says no, what was done is undone, last first;
* ``approval()``: above 10,000 a manager is asked, and the order waits for days at no cost;
* and kill it at any moment: started again, it goes on where it was.

Run it::

    segue run examples/order.py                # or: python examples/order.py
    python examples/order.py declined          # the bank says no: nothing is reserved, nothing is charged
    python examples/order.py abroad            # the carrier says no: the money goes back too
    python examples/order.py large             # asks for approval
"""

from __future__ import annotations

import asyncio
import sys
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import services
import terminal
from segue import (
    Engine,
    Retry,
    RunFailed,
    StepFailed,
    approval,
    idempotency_key,
    saga,
    set_attributes,
    skip,
    step,
    workflow,
)


@dataclass(frozen=True)
class Item:
    sku: str
    quantity: int
    price: Decimal


@dataclass(frozen=True)
class Order:
    id: str
    customer: str
    card: str
    country: str
    items: list[Item]

    @property
    def total(self) -> Decimal:
        return sum((item.quantity * item.price for item in self.items), Decimal())


@dataclass(frozen=True)
class Receipt:
    order: Order
    payment: str
    tracking: str
    shelves: list[str]

    def __str__(self) -> str:
        lines = [f"  {i.quantity:>3} × {i.sku:<22}{i.quantity * i.price:>12,.2f}" for i in self.order.items]
        rule = "  " + "─" * 40
        return "\n".join(
            [
                f"  {'Receipt':<20}{self.order.id:>20}",
                rule,
                *lines,
                rule,
                f"  {'Total':<20}{self.order.total:>20,.2f}",
                f"  {'Paid':<20}{self.payment:>20}",
                f"  {'Parcel':<20}{self.tracking:>20}",
                f"  {'Picked from':<20}{', '.join(self.shelves):>20}",
            ]
        )


# --- steps: each one asks a service for something --------------------------------------------------------------

PATIENT = Retry(attempts=6, initial="100ms", backoff=2, maximum="5s", non_retryable=(services.Refused,))


def ask(operation: str, **what: Any) -> dict[str, Any]:
    """Every attempt of a step carries the same idempotency key, so a service that has acted does not act again."""
    return services.call(operation, what, key=idempotency_key())


@step(retry=PATIENT)
def reserve(order: Order) -> str:
    return str(ask("warehouse/reserve", order=order.id, items={i.sku: i.quantity for i in order.items})["reservation"])


@step(retry=PATIENT)
def charge(order: Order) -> str:
    return str(ask("payment/charge", order=order.id, amount=str(order.total), card=order.card)["payment"])


@step(retry=PATIENT)
def pick(order: Order, item: Item) -> str:
    return str(ask("warehouse/pick", order=order.id, sku=item.sku, quantity=item.quantity)["shelf"])


@step(retry=PATIENT)
def print_label(order: Order) -> str:
    return str(ask("carrier/label", order=order.id, country=order.country)["tracking"])


@step(retry=PATIENT, on_error=skip())
def notify(order: Order, subject: str, text: str) -> None:
    """A message that does not get through is no reason to stop an order."""
    ask("mail/send", to=order.customer, subject=subject, text=text)


# --- and how each is undone. What became of the step may be unknown (``None``): its answer was lost, say -------


@step(retry=PATIENT)
def release(order: Order, reservation: str | None) -> None:
    ask("warehouse/release", order=order.id)


@step(retry=PATIENT)
def refund(order: Order, payment: str | None) -> None:
    ask("payment/refund", order=order.id)


@step(retry=PATIENT)
def put_back(order: Order, item: Item, shelf: str | None) -> None:
    ask("warehouse/put_back", order=order.id, sku=item.sku)


@step(retry=PATIENT)
def void_label(order: Order, tracking: str | None) -> None:
    ask("carrier/void", order=order.id)


# --- the workflow ----------------------------------------------------------------------------------------------

SAMPLE = Order(
    "order-1042", "ada@example.org", "4000 0000 0000 0077", "NL",
    [Item("desk", 1, Decimal("649.00")), Item("lamp", 2, Decimal("89.50")), Item("chair", 4, Decimal("179.00"))],
)  # fmt: skip


class NotApproved(Exception):
    """The manager said no."""


@workflow
async def fulfil(order: Order = SAMPLE) -> Receipt:
    set_attributes(customer=order.customer, total=float(order.total))

    if order.total > 10_000:
        facts = {"order": order.id, "customer": order.customer, "total": str(order.total)}
        answer = await approval("manager", name="Large order", subject=facts, timeout="3d", escalate="director")
        if not answer.approved:
            await notify(order, f"We cannot take {order.id}", answer.comment)
            raise NotApproved(answer.comment)

    try:
        async with saga() as s:
            await s.step(reserve, order, undo=release)
            payment = await s.step(charge, order, undo=refund)
            shelves = await asyncio.gather(*[s.step(pick, order, item, undo=put_back) for item in order.items])
            tracking = await s.step(print_label, order, undo=void_label)
    except StepFailed as problem:  # the saga has undone everything by now
        await notify(order, f"{order.id} could not be fulfilled", f"{problem.failure.message}. You pay nothing.")
        raise

    receipt = Receipt(order, payment, tracking, list(shelves))
    await notify(order, f"{order.id} is on its way", str(receipt))
    return receipt


ORDERS = {
    "sample": SAMPLE,
    "declined": Order("order-1043", "bob@example.org", "4000 0000 0000 0002", "DE", SAMPLE.items),
    "abroad": Order("order-1044", "eve@example.org", "4000 0000 0000 0077", "AU", SAMPLE.items),
    "large": Order("order-1045", "ann@example.org", "4000 0000 0000 0077", "CH", [Item("piano", 1, Decimal(48_000))]),
}


async def main(which: str) -> None:
    async with Engine() as engine:
        handle = await engine.start(fulfil, ORDERS[which])
        try:
            print(await terminal.conclude(engine, handle))
        except RunFailed as failed:
            print(failed)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1] if len(sys.argv) > 1 else "sample"))
