"""An engine with a few workflows, and the API over it."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path

import httpx2 as httpx
import msgspec
import pytest

import segue
from segue import Approval, Engine, approval, query, signal, step, update, workflow
from segue.server.access import Loopback
from segue.server.app import application

sys.path.insert(0, str(Path(__file__).parent))  # for api_kit


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


@workflow(name="parent")
async def parent(n: int) -> int:
    segue.artifact.markdown("note", "<b>hi</b>")
    segue.artifact.markdown("large", "x" * 100_000)
    return sum([await doubles(each) for each in range(n)])


@pytest.fixture
async def engine(tmp_path: Path) -> AsyncIterator[Engine]:
    workflows = [doubles, adds_up, fails, waits, asks, stands, parent]
    async with Engine(f"sqlite:///{tmp_path / 'segue.db'}", workflows=workflows) as engine:  # type: ignore[list-item]
        yield engine


@pytest.fixture
async def api(engine: Engine) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(application(engine, Loopback("ann")), client=("127.0.0.1", 1))
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost/api/v1") as client:
        yield client
