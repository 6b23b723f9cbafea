"""Figures over time over the API."""

from __future__ import annotations

import statistics
from typing import Any

import httpx2 as httpx
import pytest
from api_kit import problem, start, until

from segue.server.figures import percentile

HOUR = 3_600_000_000


async def figures(api: httpx.AsyncClient, **query: Any) -> Any:
    answer = await api.get("/figures", params={"since": 0, "bar": 10_000 * 24 * HOUR} | query)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_what_became_of_runs_is_counted(api: httpx.AsyncClient) -> None:
    pictures = [await until(api, await start(api, "doubles", n), "completed") for n in range(3)]
    await until(api, await start(api, "fails", "x"), "failed")
    await until(api, await start(api, "asks", 7), "waiting")
    found = await figures(api)
    assert found["total"]["states"] == {"completed": 3, "failed": 1}
    assert [bar["states"] for bar in found["bars"]] == [{"completed": 3, "failed": 1}]
    by_name = {each["workflow"]: each for each in found["workflows"]}
    assert by_name.keys() == {"doubles", "fails", "asks"}
    assert by_name["asks"]["open"] == {"waiting": 1}
    assert (by_name["asks"]["states"], by_name["asks"]["p50"]) == ({}, None)
    took = sorted(each["run"]["closed_at"] - each["run"]["started_at"] for each in pictures)
    assert took[0] <= by_name["doubles"]["p50"] <= took[-1]
    assert by_name["doubles"]["p99"] == took[-1]
    assert found["cut"] is found["open_cut"] is False
    one = await figures(api, workflow="fails")
    assert one["total"]["states"] == {"failed": 1}
    assert [each["workflow"] for each in one["workflows"]] == ["fails"]


async def test_bars_begin_at_multiples_of_their_length(api: httpx.AsyncClient) -> None:
    picture = await until(api, await start(api, "doubles", 1), "completed")
    ended = picture["run"]["closed_at"]
    found = await figures(api, since=ended - HOUR, bar=60_000_000)
    assert [bar["at"] for bar in found["bars"]] == [ended // 60_000_000 * 60_000_000]
    assert (await figures(api, since=ended + 1, bar=60_000_000))["bars"] == []


@pytest.mark.parametrize(
    ("query", "path"),
    [
        ({"since": 10, "until": 10, "bar": 1_000_000}, "$.until"),
        ({"since": 0, "until": 501_000_000, "bar": 1_000_000}, "$.bar"),
        ({"since": 0, "bar": 999_999}, "$.bar"),
    ],
)
async def test_what_would_be_too_much_is_refused(api: httpx.AsyncClient, query: Any, path: str) -> None:
    assert problem(await api.get("/figures", params=query), 422, "invalid-argument")["path"] == path


def test_a_percentile_is_exact_where_classes_hold_two() -> None:
    assert percentile([(1, 5, 5), (2, 10, 11)], 50) == 10
    assert percentile([(1, 5, 5), (2, 10, 11)], 99) == 11
    assert percentile([], 50) is None


@pytest.mark.parametrize("percent", [50, 95, 99])
def test_a_percentile_of_many_is_within_a_twelfth(percent: int) -> None:
    lengths = [int(1000 * 1.002**n) for n in range(4000)]
    classes: dict[int, list[int]] = {}
    for each in lengths:
        classes.setdefault(each.bit_length() * 8 + (each >> each.bit_length() - 4) % 8, []).append(each)
    found = percentile([(len(each), min(each), max(each)) for _, each in sorted(classes.items())], percent)
    assert found is not None
    true = statistics.quantiles(lengths, n=100)[percent - 1]
    assert abs(found - true) <= true / 12
