"""docs/testing.md: every snippet runs, around the small shop that it speaks of."""

from __future__ import annotations

import asyncio
import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

import segue
from segue import Retry, approval, saga, signal, step, workflow
from segue.testing import Histories, Scene, SimulationFailed, Worlds

DOCUMENT = Path(__file__).parents[2] / "docs" / "testing.md"
FAILS = "test_an_order_under_everything_that_can_go_wrong"
"""Of this one the page says that it fails, and shows how."""


class Order(msgspec.Struct, frozen=True):
    id: str
    total: int


class Receipt(msgspec.Struct, frozen=True):
    parcel: str


@step(name="print_label")
async def print_label(order: Order) -> str:
    return "parcel-0001"


@step
async def fetch_orders() -> int:
    assert segue.SecretRef("api").value() == "sesame"
    cursor = int(await segue.state.get("cursor", "orders", 0)) + 1
    segue.progress(1, 1)
    await segue.state.set("cursor", "orders", cursor)
    return cursor


@step
async def reserve(order: Order) -> str:
    return "reservation"


@step
async def release(order: Order, reservation: str | None) -> None: ...


@step(retry=Retry(attempts=4, initial="1m"))
async def charge(order: Order) -> str:
    return "payment"


@step(retry=Retry(attempts=4, initial="1m"))
async def refund(order: Order, payment: str | None) -> None: ...


@step(retry=Retry(attempts=4, initial="1m", non_retryable=(ValueError,)))
async def ship(order: Order) -> str:
    return "parcel-0001"


@workflow
async def fulfil(order: Order) -> Receipt:
    if order.total > 10_000:
        answer = await approval("manager", subject={"total": order.total}, timeout="3d", escalate="director")
        assert answer.approved
    async with saga() as s:
        await s.step(reserve, order, undo=release)
        await s.step(charge, order, undo=refund)
        return Receipt(await ship(order))


@workflow
async def collect(document: str) -> str:
    reminders = 0
    while True:
        try:
            async with asyncio.timeout(2.5 * 86_400):
                await signal("document", str)
                return "complete"
        except TimeoutError:
            reminders += 1
            segue.publish("reminders", reminders)


def careful_scene(scene: Scene) -> Any:
    """The bank of the page, one that knows its keys."""
    served: dict[str, str] = {}
    bank = _namespace["Bank"]()

    def take(order: Order) -> str:
        if segue.idempotency_key() not in served:
            served[segue.idempotency_key()] = order.id
            bank.charged.append(order.id)
        return "payment"

    scene.mock(charge, side_effect=take)
    scene.mock(refund, side_effect=lambda order, payment: bank.refunded.append(order.id))
    scene.mock(ship, side_effect=lambda order: bank.shipped.append(order.id) or "parcel")
    scene.cancel()
    return bank


SHOP = {
    "print_label": print_label, "fetch_orders": fetch_orders, "reserve": reserve, "release": release, "charge": charge,
    "refund": refund, "ship": ship, "fulfil": fulfil, "collect": collect, "careful_scene": careful_scene,
    "Order": Order, "order": Order("order-1", 3), "large_order": Order("order-2", 20_000),
}  # fmt: skip
_namespace: dict[str, Any] = dict(SHOP)


def _tests() -> Iterator[Any]:
    text = DOCUMENT.read_text()
    for block in re.finditer(r"^```python\n(.*?)^```$", text, re.DOTALL | re.MULTILINE):
        line = text[: block.start(1)].count("\n")
        known = set(_namespace)
        exec(compile("\n" * line + block[1], str(DOCUMENT), "exec"), _namespace)
        found = [name for name in _namespace if name.startswith("test_") and name not in known]
        assert found, f"the snippet at line {line + 1} tests nothing"
        yield from (pytest.param(_namespace[name], id=name) for name in found)


@pytest.fixture
def fixtures(tmp_path: Path) -> dict[str, Any]:
    histories = Histories(tmp_path / "histories", recording=True)
    return {"tmp_path": tmp_path, "segue_world": Worlds(tmp_path / "world"), "segue_history": histories}


@pytest.mark.parametrize("test", list(_tests()))
def test_a_snippet_of_the_page_runs(test: Any, fixtures: dict[str, Any]) -> None:
    wanted = {name: fixtures[name] for name in inspect.signature(test).parameters}
    if test.__name__ == FAILS:
        with pytest.raises(SimulationFailed, match="charged at most once") as caught:
            test(**wanted)
        assert repr(caught.value.plan) in DOCUMENT.read_text(), "the page shows another plan"
        return
    if inspect.iscoroutinefunction(test):
        asyncio.run(test(**wanted))
    else:
        test(**wanted)


def test_everything_that_the_kit_exports_is_documented() -> None:
    text = DOCUMENT.read_text()
    kinds = {"Invariant", "Mock", "Called", "StepTrace", "Trace", "Simulated", "VirtualClock", "World", "Lone", "DAWN"}
    missing = {name for name in segue.testing.__all__ if not re.search(rf"\b{name}\b", text)}
    assert missing - kinds == set()
