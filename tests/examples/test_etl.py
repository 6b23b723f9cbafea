"""The report: real data, a gate, a cursor, and a load that may be repeated."""

from __future__ import annotations

import functools
import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import duckdb
import pytest
from example_kit import EXAMPLES, Ending, moments, play, script, services_in

import etl
from etl import Report, refresh
from segue import Approval, Engine, RunFailed, testing
from segue.kernel import events as e

pytestmark = pytest.mark.xdist_group("example-etl")

FIRST_YEAR = (361, 6)
"""Days that are loaded of 2012, and rows that are set aside."""


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, around: object) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


async def refreshed(folder: Path, answer: Approval | None = None, tolerance: float = 0.05) -> Report:
    async with testing.engine(folder) as world:
        world.person("data steward", lambda task: answer, after="1h")
        return await world.result(await world.engine.start(refresh, tolerance))


def rows(folder: Path, query: str) -> list[tuple[Any, ...]]:
    with duckdb.connect(folder / ".segue" / "etl" / "trips.duckdb", read_only=True) as db:
        return db.execute(query).fetchall()


# --- how it ends ----------------------------------------------------------------------------------------------


async def test_a_year_is_loaded_and_reported(here: Path) -> None:
    report = await refreshed(here)

    assert (report.loaded, report.set_aside) == FIRST_YEAR
    assert rows(here, "SELECT count(*), min(day), max(day) FROM days") == [(361, "2012-01-01", "2012-12-31")]
    assert rows(here, "SELECT until FROM loads") == [("2013-01-01",)]
    assert "On wet ones, 41% of the cyclists stay at home." in report.text
    assert "3 × not a number, 2 × negative, 1 × twice" in report.text
    assert (here / ".segue/etl/report.md").read_text() == report.text
    assert report.chart.read().startswith(b"\x89PNG")
    assert (here / ".segue/etl/chart.png").read_bytes() == report.chart.read()


async def test_months_are_compared_side_by_side(here: Path) -> None:
    async with testing.engine(here) as world:
        handle = await world.engine.start(refresh)
        await world.result(handle)
        keys = [r.event.key for r in await handle.history() if getattr(r.event, "name", "") == "compare"]
    assert len(set(keys)) == 12


async def test_the_next_run_goes_on_at_the_cursor(here: Path) -> None:
    await refreshed(here)
    second = await refreshed(here)
    third = await refreshed(here, Approval(True))

    assert second.text.startswith("# Does rain keep cyclists at home? 2013")
    assert (third.loaded, third.set_aside) == (323, 43)
    assert rows(here, "SELECT count(*) FROM days") == [(361 + 360 + 323,)]
    with pytest.raises(RunFailed, match=r"350 of 366 days are bad, such as 2015-01-01: '2,052' is not a number"):
        await refreshed(here)
    assert rows(here, "SELECT max(day), count(DISTINCT month) FROM days") == [("2014-12-31", 35)]


async def test_the_gate_holds_bad_data_back(here: Path) -> None:
    with pytest.raises(RunFailed, match="Rejected: ask the city first"):
        await refreshed(here, Approval(False, "ask the city first"), tolerance=0.001)

    assert not (here / ".segue/etl/trips.duckdb").exists()
    assert (await refreshed(here)).text.startswith("# Does rain keep cyclists at home? 2012"), (
        "the cursor has not moved"
    )


async def test_nobody_looks_at_the_data(here: Path) -> None:
    with pytest.raises(RunFailed, match="nobody answered"):
        await refreshed(here, None, tolerance=0.001)


async def test_tables_come_back_from_the_journal(here: Path) -> None:
    async with Engine(f"sqlite:///{here}/segue.db") as engine:
        handle = await engine.start(refresh, id="year")
        before = await handle.result()
        steps = [r.event for r in await handle.history() if isinstance(r.event, e.StepCompleted)]
        [weather] = [s.result for s in steps if s.name == "read_weather"]
        assert weather.encoding == "arrow"
        assert list(engine.encodings.decode(weather).columns) == ["day", "rain", "warm"]
    async with Engine(f"sqlite:///{here}/segue.db") as engine:
        assert await (await engine.handle("year")).result() == before


# --- killed ---------------------------------------------------------------------------------------------------


@functools.cache
def fault_free(tolerance: str) -> Ending:
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setenv("EXAMPLE_SERVICES", f"{folder}/services")
        with services_in(Path(folder, "services")):
            return play("etl", Path(folder, "run"), tolerance)


@pytest.mark.parametrize(("tolerance", "seed"), [("0.05", 0), ("0.05", 1), ("0.001", 2)])
def test_killed_at_any_moment_it_ends_the_same(tolerance: str, seed: int, here: Path) -> None:
    whole = fault_free(tolerance)
    kills = moments(f"etl {seed}", whole.events, kills=2, later=0.1)

    ending = play("etl", here, tolerance, kills=kills)

    assert ending.outcome == whole.outcome, kills
    assert whole.outcome[1]["loaded"] == FIRST_YEAR[0]
    assert rows(here, "SELECT count(*), count(DISTINCT day), sum(trips) FROM days") == [(361, 361, 771_830)]
    assert rows(here, "SELECT count(*) FROM loads") == [(1,)]


KILLED_AT = """
import resource, signal
resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
import etl
signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
resource.setrlimit(resource.RLIMIT_FSIZE, ({size}, {size}))
etl.warehouse().close()
"""
"""Makes the database, and dies when a file would become longer than that."""


@pytest.mark.parametrize("size", [0, 8192, 100_000])
def test_a_database_that_is_killed_while_it_is_made_is_made_again(size: int, here: Path) -> None:
    environment = os.environ | {"PYTHONPATH": str(EXAMPLES)}
    made = subprocess.run([sys.executable, "-c", KILLED_AT.format(size=size)], env=environment)

    assert made.returncode == -signal.SIGXFSZ
    with etl.warehouse() as db:
        assert db.execute("SELECT count(*) FROM days").fetchall() == [(0,)]


# --- as a reader runs it --------------------------------------------------------------------------------------


def test_it_prints_its_report(tmp_path: Path) -> None:
    assert "| 2012-08 | 31 | 3,321 | – | – |" in script("etl", tmp_path)
