"""Workflows that bring a run into every state that a screen shows, and the server over them.

As a program it serves them until it is stopped: ``python tests/ui/ui_program.py [PORT]``, for working on the screens.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Literal

from segue import (
    Calendar,
    Cron,
    Engine,
    Every,
    Retry,
    Schedule,
    approval,
    artifact,
    decide,
    query,
    saga,
    set_attributes,
    signal,
    skip,
    step,
    workflow,
)
from segue.authoring import dmn
from segue.server.access import Loopback
from segue.server.app import application
from segue.server.listening import listen

PACE = {"factor": 0.0}
"""How slow the steps are: a test's take no time, a person who looks wants to see something."""
SETTLED: set[str] = set()
"""Charges whose dispute is settled: what a person does outside, to repair a run."""


class CarrierRejected(Exception):
    """The carrier says no."""


class RefundBlocked(Exception):
    """The bank says no."""


@dataclass(frozen=True)
class Line:
    article: str
    quantity: int
    price: Decimal


@dataclass(frozen=True)
class Order:
    id: str
    customer: str
    country: Literal["DE", "NL", "AU"] = "DE"
    lines: tuple[Line, ...] = (Line("Desk frame D2, oak", 20, Decimal("612.00")), Line("Chair", 20, Decimal("298.00")))

    @property
    def total(self) -> Decimal:
        return sum((line.quantity * line.price for line in self.lines), Decimal())


@dataclass(frozen=True)
class Decision:
    """What the manager says."""

    decision: Literal["approve", "reject", "ask back"]
    credit_limit: Decimal | None = None
    comment: str = ""


async def work(seconds: float) -> None:
    if PACE["factor"]:
        await asyncio.sleep(seconds * PACE["factor"])


@step
async def redeem_voucher(order: Order) -> str:
    await work(0.18)
    return "V-100"


@step
async def check_fraud(order: Order) -> float:
    await work(0.64)
    print(f"score of {order.customer}: 0.08")
    return 0.08


_asked: dict[str, int] = {}


@step(retry=Retry(attempts=3, initial="1ms", maximum="2s"))
async def charge(order: Order) -> dict[str, str]:
    await work(1.1)
    _asked[order.id] = _asked.get(order.id, 0) + 1
    if _asked[order.id] == 1:
        raise ConnectionError("503 Service Unavailable: the payment provider is busy")
    return {"charge": "ch_3QKd81", "amount": str(order.total), "currency": "EUR"}


@step
async def reserve(order: Order) -> str:
    await work(1.2)
    return f"R-{order.id}"


@step
async def pick(order: Order) -> list[str]:
    await work(4.8)
    print(f"picked {len(order.lines)} lines")
    return ["A-12", "C-03"]


@step
async def print_label(order: Order) -> str:
    await work(0.9)
    return "DHL-00341"


@step(retry=Retry(attempts=5, initial="1ms", maximum="2s"))
async def ship(order: Order) -> str:
    await work(1.4)
    if order.country == "AU":
        raise CarrierRejected(f"address of {order.id} is not deliverable (HTTP 422)")
    return "DHL-00341"


@step
async def restore_voucher(order: Order, done: str | None) -> None:
    await work(0.2)


@step(retry=Retry(attempts=3, initial="1ms", maximum="2s"))
async def refund(order: Order, done: dict[str, str] | None) -> None:
    await work(0.8)
    if order.id.endswith("13") and order.id not in SETTLED:
        raise RefundBlocked(
            "charge ch_3QKd81 is under dispute; refunds are blocked until it is settled (HTTP 409)\n"
            "ask the payment provider"
        )


@step
async def release(order: Order, done: str | None) -> None:
    await work(0.6)


@step
async def unpick(order: Order, done: list[str] | None) -> None:
    await work(2.5)


@step
async def void_label(order: Order, done: str | None) -> None:
    await work(0.4)


@step
async def cancel_shipment(order: Order, done: str | None) -> None:
    await work(0.4)


@workflow(name="fulfil")
async def fulfil(order: Order) -> dict[str, str]:
    """Takes an order from payment to parcel, and all the way back when something goes wrong.

    Orders above 10,000 need a manager.
    """
    set_attributes(customer=order.customer, total=float(order.total))
    async with saga() as s:
        await s.step(redeem_voucher, order, undo=restore_voucher)
        await check_fraud(order)
        await s.step(charge, order, undo=refund)
        await asyncio.gather(s.step(reserve, order, undo=release), s.step(pick, order, undo=unpick))
        if order.customer == "Hallberg & Co":
            facts = {"total": str(order.total), "customer": order.customer, "fraud score": 0.08}
            facts["lines"] = [  # type: ignore[assignment]
                {"line": x.article, "qty": x.quantity, "price": str(x.price)} for x in order.lines
            ]
            await approval(
                "manager", form=Decision, name=f"Approve {order.id}", subject=facts, timeout="3d", escalate="director"
            )
        label = await s.step(print_label, order, undo=void_label)
        await s.step(ship, order, undo=cancel_shipment)
    return {"parcel": label, "order": order.id}


@step(retry=Retry(attempts=2, initial="1ms"))
async def load_partition(day: int) -> int:
    await work(0.05)
    if day % 67 == 37:
        raise TimeoutError(f"429 Too Many Requests: day {day}")
    return day * 10


@step(on_error=skip(default=0))
async def optional(day: int) -> int:
    raise LookupError(f"there is no rate for day {day}")


@workflow(name="daily_etl")
async def daily_etl(days: int = 40) -> int:
    """Loads every day of a season in parallel."""
    await optional(1)
    return sum(await asyncio.gather(*[load_partition(day) for day in range(days)]))


@workflow(name="onboard")
async def onboard(customer: str, documents: int = 2) -> list[str]:
    """Waits for the documents of a new customer."""
    got: list[str] = []

    @query
    def received() -> list[str]:
        return got

    while len(got) < documents:
        got.append(await signal("documents_received", str))
    return got


@workflow(name="plainly")
async def plainly() -> bool:
    """Asks for a yes or no."""
    return (await approval("anybody", name="Deploy?")).approved


PIXEL = (
    b'<svg xmlns="http://www.w3.org/2000/svg" width="240" height="60">'
    b'<path d="M4 56L60 30L120 40L236 6" fill="none" stroke="#2F7FE6" stroke-width="3"/></svg>'
)


@workflow(name="report")
async def report(items: int = 3) -> int:
    """Attaches one of everything that people look at."""
    artifact.table("sales", [{"item": f"tea {n}", "sold": n * 7} for n in range(items)], title="Sales by item")
    artifact.markdown("summary", "# Summary\n\n**7** sold by `ann`, <img src=x onerror=alert(1)>\n\n- one\n- two")
    artifact.link("source", "https://example.org/sales", title="Where it comes from")
    artifact.image("curve", PIXEL, media_type="image/svg+xml", title="The curve")
    artifact.progress("stages", 2, 3, title="Stages")
    return items


@workflow(name="sync_inventory")
async def sync_inventory(rows: int = 1204, wait: bool = False) -> dict[str, int]:
    """Brings the stock up to date."""
    if wait:
        await asyncio.sleep(86_400)
    return {"rows": rows}


@workflow(name="import_crm")
async def import_crm(region: str) -> int:
    """Imports the customers of a region, each in a run of its own."""
    first = await sync_inventory(12)
    await quote("DE" if region == "emea" else "AU", 50.0)
    return first["rows"]


SHIPPING = dmn.read(
    b"""<definitions xmlns="https://www.omg.org/spec/DMN/20230324/MODEL/" name="shipping" namespace="urn:shipping">
    <inputData id="order" name="order"/>
    <decision id="zone" name="zone">
      <informationRequirement><requiredInput href="#order"/></informationRequirement>
      <decisionTable hitPolicy="FIRST">
        <input><inputExpression><text>order.country</text></inputExpression></input><output/><annotation name="why"/>
        <rule><inputEntry><text>"DE", "NL"</text></inputEntry><outputEntry><text>"near"</text></outputEntry>
          <annotationEntry><text>by road</text></annotationEntry></rule>
        <rule><inputEntry><text>-</text></inputEntry><outputEntry><text>"far"</text></outputEntry>
          <annotationEntry><text>by air</text></annotationEntry></rule>
      </decisionTable>
    </decision>
    <decision id="fee" name="shipping fee">
      <informationRequirement><requiredInput href="#order"/></informationRequirement>
      <informationRequirement><requiredDecision href="#zone"/></informationRequirement>
      <decisionTable hitPolicy="COLLECT" aggregation="SUM">
        <input><inputExpression><text>zone</text></inputExpression></input>
        <input><inputExpression><text>order.total</text></inputExpression></input><output/>
        <rule><inputEntry><text>"near"</text></inputEntry><inputEntry><text>-</text></inputEntry>
          <outputEntry><text>4.90</text></outputEntry></rule>
        <rule><inputEntry><text>"far"</text></inputEntry><inputEntry><text>-</text></inputEntry>
          <outputEntry><text>9.90</text></outputEntry></rule>
        <rule><inputEntry><text>-</text></inputEntry><inputEntry><text>&gt; 1000</text></inputEntry>
          <outputEntry><text>order.total * 0.01</text></outputEntry></rule>
      </decisionTable>
    </decision>
    </definitions>"""
)


@step
async def catalogue(country: str) -> list[dict[str, str]]:
    """More than an answer of the API carries along."""
    return [{"article": f"A-{n:05}", "country": country, "text": "oak, oiled, 180 x 90"} for n in range(2_000)]


@workflow(name="quote")
async def quote(country: str, total: float) -> dict[str, float]:
    """Says what an order would cost, by a decision model."""
    await catalogue(country)
    fee = await decide(SHIPPING, "shipping fee", {"order": {"country": country, "total": total}}, result=float)
    return {"goods": total, "shipping": fee}


WORKFLOWS = [fulfil, daily_etl, onboard, sync_inventory, import_crm, quote, report, plainly]

LONG = "invoice-" + "-".join(["with-the-longest-id-that-anybody-would-choose"] * 3)


async def fill(engine: Engine) -> None:
    """Starts runs of every kind."""
    await engine.start(sync_inventory, id="stock-14:36")
    await engine.start(import_crm, "emea", id="import-crm-7")
    await engine.start(fulfil, Order("order-48349", "Nordlicht GmbH"), id="order-48349")
    await engine.start(fulfil, Order("order-48219", "Hallberg & Co"), id="order-48219")
    await engine.start(fulfil, Order("order-48298", "Hallberg & Co", "NL"), id="order-48298")
    await engine.start(onboard, "acme", id="onboard-acme-gmbh")
    await engine.start(sync_inventory, 1, True, id="order-48344")
    await engine.start(fulfil, Order("order-48330", "Mira Reuter", "AU"), id="order-48330")
    await engine.start(fulfil, Order("order-48213", "C-20418", "AU"), id="order-48213")
    await engine.start(daily_etl, 40, id="etl-2026-11-22")
    await engine.start(sync_inventory, 3, id=LONG)
    await engine.start(quote, "FR", 1500.0, id="quote-1204")
    handle = await engine.start(onboard, "late", id="onboard-late")
    await handle.cancel("the customer has withdrawn")
    await engine.start(report, id="report-1")
    await fill_schedules(engine)


async def fill_schedules(engine: Engine) -> None:
    """Makes schedules: one that goes on, with a past that is filled in, a paused one, one that goes often."""
    make = engine.schedules.create
    await make("nightly-stock", sync_inventory, Schedule(Cron("0 2 * * *", zone="Europe/Berlin"), args=(900,)))
    await make("quarter-hour", sync_inventory, Schedule(Every("15m"), note="Keeps the shop's figures fresh"))
    month_end = Calendar("FREQ=MONTHLY;BYDAY=-1FR;BYHOUR=17;BYMINUTE=0", zone="Europe/Berlin")
    await make("month-end", daily_etl, Schedule(month_end, args=(5,)), paused="the books are open (paused by ann)")
    await engine.schedules.trigger("nightly-stock")
    begin = datetime(2026, 1, 1, tzinfo=UTC)
    await engine.schedules.backfill("nightly-stock", begin, begin + timedelta(days=30), id="january", parallel=5)


@asynccontextmanager
async def shown(engine: Engine, who: str = "you", *, port: int = 0) -> AsyncIterator[str]:
    """The address of a server over an engine, for as long as it is needed."""
    server = listen(application(engine, Loopback(who)), port=port)
    try:
        yield server.url
    finally:
        await server.close()


@asynccontextmanager
async def serving(url: str, port: int = 0, *, filled: bool = True) -> AsyncIterator[tuple[Engine, str]]:
    """An engine with these workflows, and the address of the server over it."""
    async with Engine(url, workflows=WORKFLOWS) as engine:  # type: ignore[arg-type]
        if filled:
            await fill(engine)
        async with shown(engine, port=port) as address:
            yield engine, address


def only(*workflows: Any) -> Callable[..., AbstractAsyncContextManager[tuple[Engine, str]]]:
    """As ``serving``, with these workflows instead, of which nothing runs yet."""

    @asynccontextmanager
    async def serve(url: str, *, filled: bool) -> AsyncIterator[tuple[Engine, str]]:
        async with Engine(url, workflows=workflows) as engine, shown(engine) as address:
            yield engine, address

    return serve


async def main(port: int) -> None:
    PACE["factor"] = 1.0
    with tempfile.TemporaryDirectory() as folder:
        async with serving(f"sqlite:///{folder}/segue.db", port) as (engine, url):
            print(url, flush=True)
            for number in range(48_351, 1 << 30):
                await asyncio.sleep(20)
                await engine.start(fulfil, Order(f"order-{number}", "Nordlicht GmbH"), id=f"order-{number}")


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 7733))
