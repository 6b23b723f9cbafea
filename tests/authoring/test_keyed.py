"""What keyed state gives back, of which no type is declared, and what it refuses."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest

from segue import Engine, File, StepFailed, state, step, workflow


class Point(msgspec.Struct):
    x: int


VALUES: dict[str, tuple[Any, Any]] = {
    "tuple": ((1, 2), [1, 2]),
    "struct": (Point(3), {"x": 3}),
    "date": (date(2026, 1, 31), "2026-01-31"),
    "decimal": (Decimal("1.50"), "1.50"),
    "bytes": (b"abc", "YWJj"),
}


@step
def keeps(kind: str) -> None:
    value = File.from_bytes(b"abc", "a.txt") if kind == "file" else VALUES[kind][0]
    state.set_sync("values", kind, value)


@step
def finds(kind: str) -> Any:
    return state.get_sync("values", kind, "nothing")


@workflow
async def keeps_and_finds(kind: str) -> Any:
    try:
        await keeps(kind)
    except StepFailed as error:
        return str(error)
    return await finds(kind)


@pytest.mark.parametrize("kind", VALUES)
async def test_what_was_set_is_found_as_json_has_it(tmp_path: Path, kind: str) -> None:
    async with Engine(f"sqlite:///{tmp_path}/test.db") as engine:
        assert await (await engine.start(keeps_and_finds, kind)).result() == VALUES[kind][1]


async def test_what_has_an_encoding_is_refused_with_what_to_do(tmp_path: Path) -> None:
    async with Engine(f"sqlite:///{tmp_path}/test.db") as engine:
        refused = await (await engine.start(keeps_and_finds, "file")).result()
    assert refused.endswith("or keep it elsewhere: keyed state holds what JSON does, and knows no encodings")
