"""An engine with a few workflows, and the API over it."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any, get_args

sys.path.insert(0, str(Path(__file__).parent))  # for api_kit

import httpx2 as httpx
import msgspec
import pytest
from api_kit import PASSWORD, QUICK, Time, Visit

import segue
from segue import Approval, Engine, approval, continue_as_new, query, saga, signal, step, update, workflow
from segue.server.access import Known, Loopback
from segue.server.accounts import Accounts, Role
from segue.server.app import application


@step
async def double(n: int) -> int:
    print(f"doubling {n}")
    return 2 * n


@step
async def breaks(text: str) -> None:
    raise ValueError(text)


@workflow(name="doubles")
async def doubles(n: int) -> int:
    """Doubles a number.

    More than that it does not do.
    """
    return await double(n)


class Item(msgspec.Struct):
    text: str
    amount: Decimal


@workflow(name="adds_up")
async def adds_up(items: list[Item]) -> Decimal:
    return sum((item.amount for item in items), Decimal())


@workflow(name="fails")
async def fails(text: str) -> None:
    await breaks(text)


@workflow(name="waits")
async def waits(limit: int = 3) -> list[str]:
    got: list[str] = []

    @query
    def so_far() -> list[str]:
        return got

    @query
    def last() -> str:
        return got[-1]

    @update
    async def add(text: str) -> int:
        got.append(text)
        return len(got)

    while len(got) < limit:
        got.append(await signal("more", str))
    return got


@workflow(name="asks")
async def asks(amount: int) -> bool:
    answer: Approval = await approval("manager", subject={"amount": amount})
    return answer.approved


@step(on_exhausted="incident")
async def guarded(by: str) -> str:
    if by == "x":
        raise ValueError("not by x")
    return by


@workflow(name="stands")
async def stands(by: str) -> str:
    return await guarded(by)


@workflow(name="stands_later")
async def stands_later(by: str, left: int) -> str:
    if left:
        continue_as_new(by, left - 1)
    return await guarded(by)


@workflow(name="counts")
class Counts:
    """Counts what it hears of."""

    def __init__(self) -> None:
        self.heard = 0

    @signal
    def hear(self) -> None:
        self.heard += 1

    async def run(self, most: int) -> int:
        """Until it has heard enough."""
        await segue.wait_condition(lambda: self.heard >= most)
        return self.heard


@workflow(name="parent")
async def parent(n: int) -> int:
    segue.artifact.markdown("note", "<b>hi</b>")
    segue.artifact.markdown("large", "x" * 100_000)
    return sum([await doubles(each) for each in range(n)])


@workflow(name="leaves/them")
async def leaves() -> None:
    await waits.child(id="left", detached=True, on_parent_close="abandon")
    await waits.child(id="ended", detached=True, on_parent_close="terminate")
    await fails.child("no", id="failed")


@step
async def take(n: int) -> int:
    return n


@step
async def put_back(n: int, done: int | None) -> None:
    return None


@workflow(name="branches")
async def branches(wrong: bool) -> int:
    async with saga() as s:
        taken = await s.step(take, 1, undo=put_back)
        if wrong:
            await breaks("after taking")
        return await double(taken)


@workflow(name="listens")
async def listens() -> str:
    heard: list[float] = []

    @signal
    def rate(value: float) -> None:
        heard.append(value)

    @signal
    def nudge() -> None:
        heard.append(0)

    signal("anything")
    return (await signal("item", Item)).text


SEAT = Item("seat", Decimal(12))


@workflow(name="books")
async def books() -> None:
    """Books seats until the day is over."""
    booked: dict[date, int] = {}

    @update
    async def book(day: date, seats: int = 1, *notes: str, quiet: bool = False) -> Decimal:
        """Books seats.

        Not on days that are over.
        """
        booked[day] = booked.get(day, 0) + seats
        return price(day) * seats

    @book.validator
    def in_time(day: date, seats: int = 1, *notes: str, quiet: bool = False) -> None:
        if day < date(2026, 1, 1):
            raise ValueError("that day is over")

    @update
    def note(text, mark=None):  # type: ignore[no-untyped-def]
        return text

    @query
    def price(day: date, item: Item = SEAT) -> Decimal:
        """What a seat costs on a day."""
        return item.amount + day.weekday()

    @query
    def all_booked() -> dict[date, int]:
        return booked

    await signal("over")


@workflow(name="takes")
async def takes(first: int, second: int = 2, /, *days: int, quiet: bool = False, **more: int) -> list[int]:
    return [first, second, *days]


@workflow(name="gated")
async def gated(patience: str | None = None) -> int:
    got: list[int] = []

    @update
    async def put(n: int) -> None:
        got.append(n)

    if patience is not None:
        with suppress(TimeoutError):
            await asyncio.wait_for(signal("early", int), 86_400)
    await segue.wait_condition(lambda: bool(got))
    return got[0]


@workflow(name="many")
async def many(n: int) -> int:
    return sum(await asyncio.gather(*[double(each) for each in range(n)]))


@pytest.fixture
async def engine(tmp_path: Path) -> AsyncIterator[Engine]:
    workflows = [
        doubles, adds_up, fails, waits, asks, stands, parent, leaves, branches, listens, many, takes, gated, books,
        stands_later, Counts,
    ]  # fmt: skip
    async with Engine(f"sqlite:///{tmp_path / 'segue.db'}", workflows=workflows) as engine:  # type: ignore[list-item]
        yield engine


@pytest.fixture
async def api(engine: Engine) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(application(engine, Loopback("ann")), client=("127.0.0.1", 1))
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost/api/v1") as client:
        yield client


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def accounts(engine: Engine, time: Time) -> Accounts:
    """An admin everywhere, and one user of each role; the hashes are made in no time, and time stands still."""
    accounts = Accounts(engine.store.accounts, time, QUICK)
    accounts.add_user("root", PASSWORD, {"*": "admin"})
    for role in get_args(Role):
        accounts.add_user(role, PASSWORD, {"default": role})
    accounts.add_user("stranger", PASSWORD, {"other": "admin"})
    return accounts


@pytest.fixture
async def visit(engine: Engine, accounts: Accounts) -> AsyncIterator[Visit]:
    """Makes clients of a server that asks for a login."""
    app = application(engine, Known(accounts, engine.namespace), accounts=accounts)
    opened: list[httpx.AsyncClient] = []

    def visit(address: str = "10.0.0.7", **more: Any) -> httpx.AsyncClient:
        transport = httpx.ASGITransport(app, client=(address, 1))
        given = {"base_url": "https://segue.example/api/v1", "headers": {"sec-fetch-site": "same-origin"}} | more
        opened.append(httpx.AsyncClient(transport=transport, **given))
        return opened[-1]

    yield visit
    for client in opened:
        await client.aclose()
