"""Clocks that disagree, and jump by an hour while runs are under way: no timer is early, none is an hour late, and no
journal knows of it. The oracle is the database's clock."""

from __future__ import annotations

import asyncio
from pathlib import Path

import fleet_program
import pytest
from fleet_kit import Fleet, until

from segue import Engine
from segue.stores.owning import SLOTS

pytestmark = [pytest.mark.xdist_group("fleet"), pytest.mark.timeout(600)]

HOUR = 3600
LIBRARIES = sorted(Path("/usr/lib").glob("*/faketime/libfaketime.so.1"))
SECOND = 1_000_000
LEASE = 5.0
"""Long enough for a busy machine not to take the living for dead."""


def environment(kind: str, place: Path) -> dict[str, str]:
    """Has a worker's clock differ by what the file says: in Python alone, or in every library of the process."""
    if kind == "python":
        return {"FLEET_CLOCK": str(place)}
    if not LIBRARIES:
        pytest.skip("missing tool: libfaketime (Debian's package faketime)")
    return {
        "LD_PRELOAD": str(LIBRARIES[0]), "FAKETIME_TIMESTAMP_FILE": str(place), "FAKETIME_NO_CACHE": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
    }  # fmt: skip


def say(place: Path, seconds: int) -> None:
    """Sets a clock; whoever looks meanwhile sees the old or the new time."""
    new = place.with_suffix(".new")
    new.write_text(f"{seconds:+d}")
    new.replace(place)


@pytest.mark.parametrize("kind", ["python", "libfaketime"])
async def test_no_timer_is_early_or_late_by_an_hour(fleet: Fleet, tmp_path: Path, kind: str, long: bool) -> None:
    clocks = [tmp_path / str(n) for n in range(3)]
    for place, shift in zip(clocks, (HOUR, -HOUR, 0), strict=True):
        say(place, shift)
    workers = [await fleet.worker(lease=LEASE, **environment(kind, place)) for place in clocks]
    await until(lambda: len(fleet.shares()) == 3 and max(fleet.shares()) < SLOTS // 2)
    began = now(fleet)
    async with Engine(fleet.url, own=False) as engine:
        handles = [await engine.start(fleet_program.naps, n, 2.0) for n in range(60 if long else 24)]
        await until(lambda: sum("falls asleep" in what for _, what, _ in fleet.done()) == len(handles))
        for place, shift in zip(clocks, (-HOUR, HOUR, HOUR), strict=True):
            say(place, shift)
        await workers[0].kill()  # its runs go on by another clock
        found = await asyncio.gather(*[handle.result(timeout=60) for handle in handles])
        assert found == [f"{n} awake" for n in range(len(handles))]
        ended = now(fleet)
        stamps = [recorded.event.at for handle in handles for recorded in await handle.history()]
    assert began - SECOND <= min(stamps)
    assert max(stamps) <= ended + SECOND
    slept = fleet.query(
        "SELECT min(waking.at - sleeping.at) FROM done AS sleeping JOIN done AS waking"
        " ON waking.what = replace(sleeping.what, 'falls asleep', 'awake') WHERE sleeping.what LIKE '%falls asleep'"
    )
    assert slept[0][0].total_seconds() > 1, "a clock that is an hour ahead would not have slept at all"


async def test_a_client_whose_clock_is_wrong_starts_runs_in_the_present(
    fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Or what it starts would sleep for an hour more, or not at all."""
    await fleet.worker()
    machine = fleet_program.time.time_ns
    began = now(fleet)
    for shift in (HOUR, -HOUR):
        monkeypatch.setattr("time.time_ns", lambda shift=shift: machine() + shift * 1_000_000_000)
        async with Engine(fleet.url, own=False) as engine:
            handle = await engine.start(fleet_program.sleeps, 0.2)
            assert await handle.result(timeout=30) == "awake"
            stamps = [recorded.event.at for recorded in await handle.history()]
        assert began - SECOND <= min(stamps) <= max(stamps) <= now(fleet) + SECOND


def now(fleet: Fleet) -> int:
    """The database's clock, in µs."""
    return int(fleet.query("SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint")[0][0])
