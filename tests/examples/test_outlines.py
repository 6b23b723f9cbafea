"""The outlines of the examples: whatever a recorded run of one did, its outline has."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from example_kit import Around
from example_town import Towns, towns

import almanac
import ci
import etl
import onboarding
from loan import APPLICATIONS, lend
from loan import stage as stage_loan
from order import ORDERS, fulfil
from segue import Approval, Handle, RunFailed, testing, workflow
from segue.authoring.python.outline import Outline
from segue.authoring.python.outline_walk import outline_of
from segue.kernel.steps import DECISION
from segue.kernel.timeline import Timeline
from segue.testing import World


@pytest.fixture
def town() -> Iterator[Towns]:
    with towns() as made:
        made.new()
        yield made


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with testing.engine(tmp_path) as world:
        yield world


async def missing(handle: Handle[Any], outline: Outline) -> list[str]:
    """What the run did and its outline lacks."""
    timeline = Timeline()
    for seq, record in enumerate(await handle.history(), 1):
        timeline.feed(seq, record.event)
    assert timeline.calls
    return sorted(
        f"{call.kind} {call.name}" + (" (undo)" if call.undo else "")
        for call in timeline.calls.values()
        if call.kind != "update" and not _has(outline, call.kind, call.name, call.undo)
    )


def _has(outline: Outline, kind: str, name: str, undo: bool) -> bool:
    return any(
        node.kind == kind
        and (kind != "step" or node.undo == undo)
        and _pattern(node.name).fullmatch(name.removeprefix(f"{DECISION}") if kind == "decision" else name)
        for node in outline.nodes
    )


def _pattern(name: str) -> re.Pattern[str]:
    """What stands in braces is only known in a run."""
    return re.compile(".*".join(re.escape(part) for part in re.split(r"\{[^}]*\}", name)))


@pytest.mark.parametrize("which", sorted(ORDERS))
async def test_orders(which: str, world: World, town: Towns) -> None:
    world.person("manager", lambda task: Approval(which != "large"), after="1h")
    handle = await world.engine.start(fulfil, ORDERS[which], id=which)
    try:
        await world.result(handle)
    except RunFailed:
        assert which in ("abroad", "declined", "large")
    assert await missing(handle, outline_of(fulfil)) == []


@pytest.mark.parametrize("which", sorted(APPLICATIONS))
async def test_loans(which: str, world: World, town: Towns) -> None:
    handle = await world.engine.start(lend, APPLICATIONS[which], id=which)
    stage_loan(world, which)
    await world.result(handle)
    assert await missing(handle, outline_of(lend)) == []


async def test_onboarding(world: World, around: Around) -> None:
    onboarding.stage(world)
    handle = await world.engine.start(onboarding.onboard, onboarding.ADA)
    await world.result(handle)
    assert await missing(handle, outline_of(onboarding.onboard)) == []
    email = onboarding.ADA.email
    for area in (onboarding.paperwork, onboarding.equipment, onboarding.workplace):
        child = await world.engine.handle(f"{area.name}-{email}")
        assert await missing(child, outline_of(area)) == []


@pytest.mark.parametrize("change", [None, "unpacked"])
async def test_deliveries(change: str | None, world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    project = ci.Project()
    almanac.make(Path(project.repository))
    if change:
        almanac.change(Path(project.repository), change)
    world.person("release manager", lambda task: Approval(True), after="1h")
    handle = await world.engine.start(ci.deliver, project)
    assert (await world.result(handle)).state == ("rolled back" if change else "live")
    assert await missing(handle, outline_of(ci.deliver)) == []


async def test_reports(world: World, around: Around, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    world.person("data steward", lambda task: Approval(True), after="1h")
    handle = await world.engine.start(etl.refresh, 0.0)
    await world.result(handle)
    assert await missing(handle, outline_of(etl.refresh)) == []


@pytest.mark.parametrize(
    "made", [fulfil, lend, ci.deliver, etl.refresh, onboarding.onboard], ids=lambda each: each.name
)
def test_every_call_of_an_example_can_be_followed(made: Any) -> None:
    outline = outline_of(made)
    assert [node.name for node in outline.nodes if node.kind == "unknown"] == []
    assert outline.read
    assert not outline.cut


async def test_what_an_outline_lacks_is_seen(world: World, town: Towns) -> None:
    @workflow(name="outline.shorter")
    async def shorter() -> None: ...

    handle = await world.engine.start(fulfil, ORDERS["sample"], id="sample")
    await world.result(handle)
    assert "step charge" in await missing(handle, outline_of(shorter))
