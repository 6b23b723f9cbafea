"""An engine's encodings and codec: the user's own, in worker processes too, and those that the surroundings name."""

from __future__ import annotations

import os
import sqlite3
import threading
from pathlib import Path
from typing import Any

import pytest

from segue import Engine, RunFailed, Settings, step, workflow
from segue.encodings import default_encodings
from segue.encodings.aesgcm import AesGcm
from segue.kernel.encoding import Encodings


class Money:
    """A class that JSON knows nothing of."""

    def __init__(self, amount: int, currency: str) -> None:
        self.amount = amount
        self.currency = currency


class MoneyEncoding:
    name = "money"

    def matches(self, kind: type) -> bool:
        return kind is Money

    def encode(self, value: Money) -> bytes:
        return f"{value.amount} {value.currency}".encode()

    def decode(self, data: bytes, kind: Any) -> Money:
        amount, currency = data.decode().split()
        return Money(int(amount), currency)


def shop_encodings() -> Encodings:
    made = default_encodings()
    made.register(MoneyEncoding())
    return made


class Told:
    """A value whose encoding tells where it is at work."""


class Telling:
    name = "told"

    def __init__(self) -> None:
        self.threads: list[tuple[str, bool]] = []

    def matches(self, kind: type) -> bool:
        return kind is Told

    def encode(self, value: Told) -> bytes:
        self.threads.append(("encode", threading.current_thread() is threading.main_thread()))
        return b"told"

    def decode(self, data: bytes, kind: Any) -> Told:
        self.threads.append(("decode", threading.current_thread() is threading.main_thread()))
        return Told()


@step
def passes_on(told: Told) -> Told:
    return told


@workflow(name="formats.hands")
async def hands(n: int) -> bool:
    return isinstance(await passes_on(Told()), Told)


@step(executor="process")
def doubled(price: Money) -> Money:
    return Money(2 * price.amount, price.currency)


@step(executor="process")
def whereabouts() -> int:
    return os.getpid()


@workflow
async def priced(amount: int) -> Money:
    return await doubled(Money(amount, "EUR"))


@workflow
async def located() -> list[int]:
    return [await whereabouts() for _ in range(3)]


async def test_encodings_of_the_users_own_are_known_in_worker_processes(url: str) -> None:
    async with Engine(url, encodings=shop_encodings) as engine:
        found = await (await engine.start(priced, 21)).result(timeout=30)
        assert (found.amount, found.currency) == (42, "EUR")


async def test_the_surroundings_may_name_the_encodings(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "shop_data.py").write_text(
        "from segue.encodings import default_encodings\n"
        "def encodings():\n    made = default_encodings()\n    made.of_the_shop = True\n    return made\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("SEGUE_ENCODINGS", "shop_data:encodings")
    assert Engine(url).encodings.of_the_shop  # type: ignore[attr-defined]


@pytest.mark.parametrize("made", [shop_encodings(), lambda: shop_encodings()], ids=["object", "lambda"])
async def test_encodings_that_no_other_process_can_make_fail_a_step_in_a_process(url: str, made: Any) -> None:
    async with Engine(url, encodings=made) as engine:
        with pytest.raises(RunFailed, match=r"give Engine.* the function at the top level of a module"):
            await (await engine.start(priced, 21)).result(timeout=30)


async def test_the_size_of_the_process_pool_is_a_setting(url: str) -> None:
    async with Engine(url, settings=Settings(processes=1)) as engine:
        handles = [await engine.start(located) for _ in range(3)]
        found = {pid for handle in handles for pid in await handle.result(timeout=30)}
        assert len(found) == 1
        assert found != {os.getpid()}


@pytest.mark.on_file
async def test_keys_in_the_environment_seal_what_is_written(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SEGUE_PAYLOAD_KEYS", AesGcm.new_key("2026-01"))
    async with Engine(url, encodings=shop_encodings) as engine:
        assert (await (await engine.start(priced, 21)).result(timeout=30)).amount == 42
    with sqlite3.connect(tmp_path / "test.db") as database:
        events = [event for (event,) in database.execute("SELECT event FROM journal")]
    assert events
    assert not any(b" EUR" in event for event in events), "three letters may be in a sealed text by chance"
    assert all(b"aes-gcm:2026-01|" in event for event in events if b"RunStarted" in event)


async def test_a_step_in_a_thread_reads_and_writes_its_values_there(tmp_path: Path) -> None:
    """What takes long about a large value does not hold up the loop."""
    telling = Telling()

    def encodings() -> Encodings:
        made = default_encodings()
        made.register(telling)
        return made

    async with Engine(f"sqlite:///{tmp_path / 'runs.db'}", encodings=encodings) as engine:
        assert await (await engine.start(hands, 1)).result()
    of_the_step = [kind for kind, loops in telling.threads if not loops]
    assert of_the_step == ["decode", "encode"], "the workflow's own are on the loop"
