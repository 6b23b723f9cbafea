"""Decisions of runs in an engine: in the commit of what led to them, kept like any value, made anew in a fork."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from segue import Engine, Handle, decide, patched, set_attributes, signal, step, workflow
from segue.authoring import dmn
from segue.encodings.aesgcm import AesGcm
from segue.kernel import events as e
from segue.runtime.decisions import AT_ONCE
from segue.testing import trace

XML = """<definitions xmlns="https://www.omg.org/spec/DMN/20230324/MODEL/" name="odd" namespace="urn:odd">
<inputData id="n" name="n"/>
<decision id="parity" name="parity">
  <informationRequirement><requiredInput href="#n"/></informationRequirement>
  <decisionTable><input><inputExpression><text>odd(n)</text></inputExpression></input><output/>
    <rule><inputEntry><text>true</text></inputEntry><outputEntry><text>"odd"</text></outputEntry></rule>
    <rule><inputEntry><text>false</text></inputEntry><outputEntry><text>"even"</text></outputEntry></rule>
  </decisionTable>
</decision>
<decision id="same" name="same">
  <informationRequirement><requiredInput href="#n"/></informationRequirement>
  <literalExpression><text>n</text></literalExpression>
</decision>
</definitions>"""
Until = Callable[[Callable[[], Awaitable[bool]]], Awaitable[None]]
MODELS = {"at hand": dmn.read(XML.encode())}


@step
async def ship(what: str) -> str:
    return what


@workflow
async def parity(n: int) -> str:
    return await ship(await decide(MODELS["at hand"], "parity", {"n": n}))


@workflow
async def many(n: int) -> int:
    return sum([(await decide(MODELS["at hand"], "parity", {"n": i})) == "odd" for i in range(n)])


@workflow
async def large(text: str) -> int:
    return len(await decide(MODELS["at hand"], "same", {"n": text}))


@workflow
async def told() -> list[str]:
    """Decides at once, in several tasks, and says so; the last decision ends the run while others are made."""

    async def one(n: int) -> str:
        said = await decide(MODELS["at hand"], "parity", {"n": n})
        set_attributes(**{f"n{n}": said})
        return str(said)

    return await asyncio.gather(*map(one, range(5)))


@workflow
async def cut_short() -> str:
    for n in range(3):
        asyncio.create_task(decide(MODELS["at hand"], "parity", {"n": n}))  # noqa: RUF006
    return str(await decide(MODELS["at hand"], "parity", {"n": 7}))


@workflow
async def waits() -> str:
    return str(await decide(MODELS["at hand"], "parity", {"n": await signal("n", int)}))


@workflow
async def beside() -> list[str]:
    """Records something else while a decision is made, which records something too."""

    async def deciding() -> str:
        said = await decide(MODELS["at hand"], "parity", {"n": 1})
        assert patched("first")
        return str(said)

    task = asyncio.create_task(deciding())
    await asyncio.sleep(0)
    assert patched("second")
    return [await signal("go", str), await task]


async def kinds(handle: Handle[Any]) -> list[str]:
    return [type(recorded.event).__name__ for recorded in await handle.history()]


async def test_what_is_decided_joins_the_commit_of_what_led_to_it(engine: Engine) -> None:
    before = engine._duty.conductor.writer.commits  # type: ignore[union-attr]
    handle = await engine.start(told)

    assert await handle.result() == ["even", "odd", "even", "odd", "even"]
    assert (await handle.status()).attributes["n3"] == "odd"
    found = await kinds(handle)
    assert found == ["RunStarted", *["DecisionEvaluated", "AttributesSet"] * 5, "RunCompleted"]
    assert engine._duty.conductor.writer.commits - before == 2  # type: ignore[union-attr]


async def test_a_run_that_decides_for_long_lets_the_others_go_on(engine: Engine) -> None:
    before = engine._duty.conductor.writer.commits  # type: ignore[union-attr]
    handle = await engine.start(many, 10 * AT_ONCE)

    assert await handle.result() == 5 * AT_ONCE
    assert (await kinds(handle)).count("DecisionEvaluated") == 10 * AT_ONCE
    assert engine._duty.conductor.writer.commits - before >= 10  # type: ignore[union-attr]


async def test_what_is_still_to_be_decided_when_a_run_ends_is_left_out(engine: Engine) -> None:
    handle = await engine.start(cut_short)
    assert await handle.result() == "odd"
    assert (await kinds(handle))[-1] == "RunCompleted"


async def test_a_signal_that_leads_to_a_decision_after_the_run_was_dropped(engine: Engine) -> None:
    handle = await engine.start(waits)
    await handle.signal("n", 3)
    assert await handle.result() == "odd"


async def test_what_is_recorded_beside_a_decision_is_found_again(engine: Engine) -> None:
    handle = await engine.start(beside)
    await handle.signal("go", "gone")
    assert await handle.result() == ["gone", "odd"]


async def test_large_values_of_a_decision_are_kept_apart(engine: Engine) -> None:
    handle = await engine.start(large, "x" * 200_000)

    assert await handle.result() == 200_000
    rows = [event for _, event in engine.store.journal(handle.run)]
    assert max(map(len, rows)) < 10_000
    (event,) = [x.event for x in await handle.history() if isinstance(x.event, e.DecisionEvaluated)]
    assert event.explanation is not None
    assert engine.encodings.decode(event.explanation)["decisions"][0]["value"] == "x" * 200_000


async def test_a_codec_seals_what_was_decided_upon(url: str, tmp_path: Path) -> None:
    async with Engine(url, codec=AesGcm({"k": os.urandom(32)})) as engine:
        handle = await engine.start(large, "canary")
        assert await handle.result() == 6
    assert all(b"canary" not in file.read_bytes() for file in tmp_path.iterdir())  # noqa: ASYNC240 - it is over


async def test_an_erased_run_keeps_nothing_of_it(engine: Engine, until: Until) -> None:
    handle = await engine.start(large, "canary")
    await handle.result()
    await engine.erase(handle.run, by="ann")
    assert all(b"canary" not in event for _, event in engine.store.journal(handle.run))
    assert "DecisionEvaluated" in await kinds(handle)


async def test_a_fork_from_a_decision_makes_it_with_the_model_at_hand(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = await engine.start(parity, 3, id="first")
    assert await first.result() == "odd"
    monkeypatch.setitem(MODELS, "at hand", dmn.read(XML.replace('"odd"', '"strange"').encode()))

    assert await (await first.fork(id="again", step="ship")).result() == "odd"
    assert await (await first.fork(id="anew", step="decision:parity")).result() == "strange"
    assert (await trace(first)).of("ship")[0].completed


async def test_a_run_that_is_paused_decides_when_it_goes_on(engine: Engine) -> None:
    handle = await engine.start(waits)
    await handle.pause("wait", by="ann")
    await handle.signal("n", 4)
    await handle.resume(by="ann")
    assert await handle.result() == "even"
    found = await kinds(handle)
    assert found.index("Resumed") < found.index("DecisionEvaluated")
