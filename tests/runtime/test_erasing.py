"""Erasing a person's data from runs: the whole family, only when it has ended, and journaled."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from segue import Engine, continue_as_new, set_attributes, signal, step, workflow
from segue.errors import PayloadError, RunStillOpen
from segue.kernel import events as e
from segue.repair.erasing import erase
from segue.stores.base import RunFilter
from segue.stores.faults import Crash, CrashBefore, FaultyStore, crash

CANARY = "ann@example.com"
Until = Callable[[Callable[[], bool | Awaitable[bool]]], Awaitable[None]]


@step
async def greet_person(mail: str) -> str:
    print(f"mailing {mail}")
    return f"dear {mail}"


@workflow
async def letter(mail: str) -> str:
    return await greet_person(mail)


@workflow
async def campaign(mail: str) -> str:
    set_attributes(customer=mail)
    answer = await letter(mail)
    return answer + await signal("go", str)


def files_with_canary(folder: Path) -> list[str]:
    return [file.name for file in folder.iterdir() if CANARY.encode() in file.read_bytes()]


async def run_campaign(engine: Engine) -> None:
    handle = await engine.start(campaign, CANARY, id="c", tags={"to": CANARY})
    await handle.signal("go", CANARY)
    await handle.result()


async def test_a_family_is_erased_and_says_so(tmp_path: Path) -> None:
    async with Engine(f"sqlite:///{tmp_path}/test.db") as engine:
        await run_campaign(engine)
        async with Engine(f"sqlite:///{tmp_path}/test.db", own=False) as client:  # also while another owns the runs
            handle = await client.handle("c")
            erased = await client.erase(handle.run, by="bob", reason="asked for")
        assert {row.workflow for row in erased} == {"campaign", "letter"}
        history = await (await engine.handle("c")).history()
        last = history[-1].event
        assert isinstance(last, e.Erased)
        assert (last.actor, last.reason) == ("user:bob", "asked for")
        assert isinstance(history[-2].event, e.RunCompleted)
        row = await engine.describe(handle.run)
        assert (row.state, row.attributes, row.tags) == ("completed", {}, {})
        assert engine.logs(erased[1].run) == []
    assert files_with_canary(tmp_path) == []


async def test_an_erasure_that_is_broken_off_leaves_the_run_that_was_asked_for_to_the_next(tmp_path: Path) -> None:
    second = {2: CrashBefore(crash)}
    async with Engine(f"sqlite:///{tmp_path}/test.db") as engine:
        await run_campaign(engine)
        store = FaultyStore(engine.store, second)
        run = (await engine.handle("c")).run
        with pytest.raises(Crash):
            erase(store, [run], at=engine.clock.now(), actor=None, reason="")
        *_, last = [event for _, event in engine.events_of(run)]
        assert isinstance(last, e.RunCompleted), "its child is erased; it still says that something is left to do"
        await engine.erase(run)
    assert files_with_canary(tmp_path) == []


async def test_who_asks_for_an_erased_value_is_told_so(tmp_path: Path) -> None:
    async with Engine(f"sqlite:///{tmp_path}/test.db") as engine:
        await run_campaign(engine)
        handle = await engine.handle("c")
        await engine.erase(handle.run)
        with pytest.raises(PayloadError, match="the value was erased together with the personal data of its run"):
            await handle.result()


@workflow
async def weekly(week: int, mail: str) -> str:
    set_attributes(customer=mail)
    await letter(mail)
    await signal("go", str)
    if week < 3:
        continue_as_new(week + 1, mail)
    return mail


async def test_the_runs_of_a_chain_are_erased_together_and_only_when_the_last_has_ended(
    tmp_path: Path, until: Until
) -> None:
    async with Engine(f"sqlite:///{tmp_path}/test.db") as engine:
        handle = await engine.start(weekly, 1, CANARY, id="c")
        first = handle.run
        await handle.signal("go", CANARY)
        await handle.signal("go", CANARY)

        async def two_have_gone_on() -> bool:
            return len([row for row in await engine.list() if row.workflow == "weekly"]) == 3

        await until(two_have_gone_on)
        with pytest.raises(RunStillOpen, match="c"):
            await engine.erase(first)
        assert not any(isinstance(event, e.Erased) for _, event in engine.events_of(first))
        await handle.signal("go", CANARY)
        await handle.result()
        erased = await engine.erase(handle.run)
        assert sorted(row.workflow for row in erased) == ["letter"] * 3 + ["weekly"] * 3
        assert erased[0].run == handle.run
    assert files_with_canary(tmp_path) == []


async def test_an_open_run_is_refused_whole(tmp_path: Path) -> None:
    async with Engine(f"sqlite:///{tmp_path}/test.db") as engine:
        await run_campaign(engine)
        waiting = await engine.start(campaign, CANARY, id="open")
        done = await engine.handle("c")
        before = await done.history()
        with pytest.raises(RunStillOpen, match="open") as caught:
            await engine.erase(done.run, waiting.run)
        assert "open" in caught.value.run_ids  # and its child, as long as that has not ended
        assert await done.history() == before


def campaigns(engine: Engine) -> list[int]:
    return sorted(row.run for row in engine.store.list(RunFilter(workflow="campaign", id="c")))


async def test_what_had_the_id_before_is_erased_with_it(tmp_path: Path) -> None:
    async with Engine(f"sqlite:///{tmp_path}/test.db") as engine:
        await run_campaign(engine)
        (first,) = campaigns(engine)
        await engine.retry_from(first, "start")
        await (await engine.handle("c")).signal("go", CANARY)
        await (await engine.handle("c")).result()
        again = await engine.start(campaign, CANARY, id="c", on_conflict="replace")
        with pytest.raises(RunStillOpen, match="c"):
            await engine.erase(first)
        await again.signal("go", CANARY)
        await again.result()
        await engine.start(campaign, "bob", id="c-2")  # whose id only begins so
        erased = await engine.erase(again.run)
        assert sorted(row.workflow for row in erased) == ["campaign"] * 3 + ["letter"] * 3
        assert sorted(row.run for row in erased if row.workflow == "campaign") == campaigns(engine)
    assert files_with_canary(tmp_path) == []


async def test_what_took_the_id_of_a_child_is_erased_with_its_parent(tmp_path: Path) -> None:
    async with Engine(f"sqlite:///{tmp_path}/test.db") as engine:
        await run_campaign(engine)
        (child,) = [row for row in await engine.list() if row.workflow == "letter"]
        await (await engine.start(letter, CANARY, id=child.id, on_conflict="replace")).result()
        erased = await engine.erase((await engine.handle("c")).run)
        assert sorted(row.workflow for row in erased) == ["campaign", "letter", "letter"]
    assert files_with_canary(tmp_path) == []
