"""The onboarding: four months on virtual time, with people who answer late or not at all."""

from __future__ import annotations

import functools
import tempfile
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from example_kit import Around, Ending, moments, play, script, services_in

from onboarding import ADA, Diary, Person, onboard, stage
from segue import Approval, RunCancelled, testing

pytestmark = pytest.mark.xdist_group("example-onboarding")


async def onboarded(folder: Path, person: Person = ADA) -> Diary:
    async with testing.engine(folder) as world:
        stage(world)
        return await world.result(await world.engine.start(onboard, person))


def taken(around: Around) -> dict[str, list[str]]:
    """What HR, IT and facilities have given out, and what became of it."""
    return {
        "employee": around.states("hr", "emp"),
        "account": around.states("it", "account"),
        "laptop": around.states("it", "laptop"),
        "desk": around.states("facilities", "desk"),
        "badge": around.states("facilities", "badge"),
    }


# --- how it goes ----------------------------------------------------------------------------------------------


async def test_four_months_in_a_moment(tmp_path: Path, around: Around) -> None:
    diary = str(await onboarded(tmp_path))

    for line in [
        "Mon 05 Jan 09:00  IT         account ada",
        "Tue 06 Jan 09:00  IT         workstation laptop ordered",
        "Mon 12 Jan 09:00  IT         workstation laptop is ready",
        "Mon 02 Feb 09:00  all        first day",
        "Tue 10 Feb 21:00  training   security: again (was ill)",
        "Sat 14 Feb 03:00  training   security: passed",
        "Tue 26 May 14:00  all        stays: good work",
    ]:
        assert f"  {line}" in diary.splitlines()
    assert taken(around) == {
        "employee": ["registered"], "account": ["open"], "laptop": ["ordered"], "desk": ["taken"], "badge": ["valid"],
    }  # fmt: skip
    assert [entry["what"] for entry in around.book("hr", "doc")] == ["contract", "tax form", "passport"]


async def test_reminders_come_every_three_days_and_then_somebody_calls(tmp_path: Path, around: Around) -> None:
    async with testing.engine(tmp_path) as world:
        stage(world)
        handle = await world.engine.start(onboard, ADA)
        await world.advance("21d")
        waiting = await (await world.engine.handle("paperwork-ada@example.org")).published()
        paper = [n for n in (await world.result(handle)).notes if n.area == "HR"]
        [call] = [t for t in await world.engine.tasks(state="completed") if t.name == "Call them"]

    assert waiting == {"missing": ["passport"]}
    assert [f"{n.at:%d %b} {n.text}" for n in paper if "reminder" in n.text or "called" in n.text] == [
        "10 Jan reminder 1: tax form, passport",
        "13 Jan reminder 2: tax form, passport",
        "17 Jan reminder 1: passport",
        "20 Jan reminder 2: passport",
        "25 Jan called: the passport is being renewed",
    ]
    assert call.closed_by == "hr manager", "hr was on leave, and it was escalated after two days"
    assert len([mail for mail in around.book("mail") if "We still need" in mail["text"]]) == 4


async def test_a_better_laptop_may_be_refused(tmp_path: Path, around: Around) -> None:
    async with testing.engine(tmp_path) as world:
        stage(world)
        world.person("team lead", lambda task: Approval(False) if task.name.startswith("A ") else None, after="1d")
        await world.result(await world.engine.start(onboard, ADA))
    assert [laptop["model"] for laptop in around.book("it", "laptop")] == ["standard"]


async def test_a_standard_laptop_needs_nobody(tmp_path: Path, around: Around) -> None:
    diary = await onboarded(tmp_path, replace(ADA, laptop="standard"))
    assert "  Mon 05 Jan 09:00  IT         standard laptop ordered" in str(diary)


async def test_phases_can_be_searched_for(tmp_path: Path, around: Around) -> None:
    async with testing.engine(tmp_path) as world:
        stage(world)
        handle = await world.engine.start(onboard, ADA)
        seen = []
        for days in ("1d", "30d", "30d"):
            await world.advance(days)
            seen.append((await handle.status()).attributes["phase"])
    assert seen == ["preparing", "learning", "on probation"]


@pytest.mark.parametrize("days", [0.5, 3, 10, 30, 60])
async def test_who_withdraws_leaves_nothing_behind(days: float, tmp_path: Path, around: Around) -> None:
    async with testing.engine(tmp_path) as world:
        stage(world)
        handle = await world.engine.start(onboard, ADA)
        world.at(testing.DAWN + timedelta(days=days), lambda: handle.cancel("another job"))
        with pytest.raises(RunCancelled, match="another job"):
            await world.result(handle)
        assert {row.state for row in await world.engine.list()} <= {"cancelled", "completed"}
    assert gone(around, laptop=days > 1, badge=days > 5.3)


def gone(around: Around, *, laptop: bool, badge: bool) -> bool:
    return taken(around) == {
        "employee": ["withdrawn"],
        "account": ["closed"],
        "laptop": ["returned"] if laptop else [],
        "desk": ["free"],
        "badge": ["void"] if badge else [],
    }


# --- killed ---------------------------------------------------------------------------------------------------


@functools.cache
def fault_free(*withdraw: str) -> Ending:
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setenv("EXAMPLE_SERVICES", f"{folder}/services")
        with services_in(Path(folder, "services")):
            return play("onboarding", Path(folder, "run"), *withdraw)


@pytest.mark.parametrize(("withdraw", "seed"), [((), 0), ((), 1), ((), 2), (("10",), 3)])
def test_killed_at_any_moment_it_ends_the_same(
    withdraw: tuple[str, ...], seed: int, tmp_path: Path, around: Around
) -> None:
    whole = fault_free(*withdraw)

    ending = play("onboarding", tmp_path, *withdraw, kills=moments(f"onboarding {seed}", whole.events))

    assert ending.outcome == whole.outcome
    if withdraw:
        assert gone(around, laptop=True, badge=True)
    else:
        assert [len(states) for states in taken(around).values()] == [1] * 5
        assert len(around.book("mail")) == 6, "no reminder was sent twice"


# --- as a reader runs it --------------------------------------------------------------------------------------


def test_it_prints_a_diary(tmp_path: Path) -> None:
    assert "Mon 02 Feb 09:00  all        first day" in script("onboarding", tmp_path)


def test_it_shows_what_was_given_back(tmp_path: Path) -> None:
    said = script("onboarding", tmp_path, "withdraw")
    assert "was cancelled: another job" in said
    assert "laptop-0001   returned" in said
