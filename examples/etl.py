"""Does rain keep cyclists at home? A year at a time, from two sources to a report.

The weather of Seattle from 2012 to 2015 ships in a package of data sets (``vega_datasets``); an HTTP service has the
bicycles that were counted on a bridge, a page at a time, with the mistakes that feeds have. Watch for

* DataFrames as arguments and results of steps, kept in the journal as Arrow;
* a quality gate: a few bad rows are set aside, many need somebody's consent, too many fail the run;
* a fan-out over as many months as there are, and the join;
* loading that may be repeated: rows have a key, and the load itself has one;
* a cursor in ``state``, which moves in the transaction that records the load: the next run goes on where it stands.

Run it once for each year; the third one asks a question, the fourth one fails, and says why::

    python examples/etl.py                  # or: segue run examples/etl.py
    open .segue/etl/report.md
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import duckdb
import pandas as pd

import services
import terminal
from segue import (
    Engine,
    NonRetryable,
    Retry,
    RunFailed,
    approval,
    idempotency_key,
    set_attributes,
    state,
    step,
    workflow,
)
from segue.encodings import File

if TYPE_CHECKING:
    from matplotlib.figure import Figure

HERE = Path(".segue", "etl")
WAREHOUSE = HERE / "trips.duckdb"


@dataclass(frozen=True)
class Judged:
    """The days that can be used, those that cannot, and what is wrong with them."""

    good: pd.DataFrame
    bad: pd.DataFrame

    @property
    def share(self) -> float:
        return len(self.bad) / (len(self.good) + len(self.bad))


@dataclass(frozen=True)
class Report:
    text: str
    chart: File
    loaded: int
    set_aside: int

    def __str__(self) -> str:
        return self.text.partition("\n![")[0]  # a terminal shows no pictures


# --- extract ----------------------------------------------------------------------------------------------------


@step
def read_weather(since: str, until: str) -> pd.DataFrame:
    table = pd.read_csv(files("vega_datasets") / "_data" / "seattle-weather.csv")
    days = pd.DataFrame(
        {"day": table["date"].str.replace("/", "-"), "rain": table["precipitation"], "warm": table["temp_max"]}
    )
    return days[(days["day"] >= since) & (days["day"] < until)].reset_index(drop=True)


@dataclass(frozen=True)
class Page:
    rows: pd.DataFrame
    next: int | None


@step(retry=Retry(attempts=6, initial="200ms", non_retryable=(services.Refused,)))
def fetch_page(since: str, until: str, number: int) -> Page:
    """Counts stay what the feed says they are; whether they are any good is decided later."""
    ask = {"since": since, "until": until, "page": number}
    answer = services.call("city/trips", ask, key=idempotency_key())
    rows = answer["rows"]
    table = pd.DataFrame({"day": [row["day"] for row in rows], "trips": [str(row["trips"]) for row in rows]})
    return Page(table, answer["next"])


# --- check ------------------------------------------------------------------------------------------------------


@step
def judge(weather: pd.DataFrame, trips: pd.DataFrame) -> Judged:
    """Raises ``NonRetryable`` when the feed is beyond use: then it is not the days that are wrong."""
    days = trips.merge(weather, on="day", how="left")
    counts = pd.to_numeric(days["trips"], errors="coerce")
    wrong = pd.Series("", index=days.index)
    wrong[days["rain"].isna()] = "no weather"
    wrong[days["day"].duplicated()] = "twice"
    wrong[counts < 0] = "negative"
    wrong[counts.isna()] = "not a number"
    good = days.assign(trips=counts)[wrong == ""].astype({"trips": "int64"}).reset_index(drop=True)
    bad = days.assign(wrong=wrong)[wrong != ""].reset_index(drop=True)
    if len(good) < len(bad):
        example = bad.iloc[0]
        raise NonRetryable(
            f"{len(bad)} of {len(days)} days are bad, such as {example.day}: {example.trips!r} is {example.wrong}"
        )
    return Judged(good, bad)


class Rejected(Exception):
    """The data are not good enough, somebody has decided."""


# --- transform and load -----------------------------------------------------------------------------------------


@step
def compare(month: str, days: pd.DataFrame) -> pd.DataFrame:
    """A month's days, each with its share of what a dry day of its kind would see in that month."""
    weekend = pd.to_datetime(days["day"]).dt.day_of_week >= 5
    wet = days["rain"] > 1.0
    usual = days["trips"].where(~wet).groupby(weekend).transform("median").fillna(days["trips"].median())
    return days.assign(month=month, wet=wet, share=(days["trips"] / usual).round(3))


SCHEMA = """
CREATE TABLE loads (key TEXT PRIMARY KEY, until TEXT);
CREATE TABLE days (
    day TEXT PRIMARY KEY, month TEXT, trips BIGINT, rain DOUBLE, warm DOUBLE, wet BOOLEAN, share DOUBLE
);
"""


def warehouse() -> duckdb.DuckDBPyConnection:
    """The database, which gets its name when it is whole: killed while it is made, it would be a file nothing opens."""
    if not WAREHOUSE.exists():
        HERE.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(dir=HERE) as apart:
            new = Path(apart, "trips.duckdb")
            with duckdb.connect(new) as db:
                db.execute(SCHEMA)
            new.replace(WAREHOUSE)
    return duckdb.connect(WAREHOUSE)


@step
def load(months: list[pd.DataFrame], until: str) -> int:
    """Writes the days and moves the cursor. A load that is repeated finds its key in the table and does nothing."""
    fresh = pd.concat(months, ignore_index=True)
    with warehouse() as db:
        db.execute("BEGIN")
        db.execute("INSERT OR IGNORE INTO loads VALUES (?, ?) RETURNING key", [idempotency_key(), until])
        if db.fetchall():
            db.execute("INSERT OR REPLACE INTO days BY NAME SELECT * FROM fresh")
        db.execute("COMMIT")
    state.set_sync("etl", "cursor", until)
    return len(fresh)


@step
def report(since: str, until: str, bad: pd.DataFrame) -> Report:
    """A chart and a page, from what has been loaded so far."""
    with duckdb.connect(WAREHOUSE, read_only=True) as db:
        table = db.execute(
            "SELECT month, count(*) AS days, avg(trips) FILTER (NOT wet) AS dry, avg(trips) FILTER (wet) AS wet, "
            "avg(share) FILTER (wet) AS share FROM days GROUP BY month ORDER BY month"
        ).df()
        days, left = db.execute("SELECT count(*), avg(share) FILTER (wet) FROM days").fetchone() or (0, 0)
    shown = table[table["month"] >= since[:7]]
    lines = [
        f"| {m.month} | {m.days} | {m.dry:,.0f} | "
        + (f"{m.wet:,.0f} | {1 - m.share:.0%} |" if m.wet > 0 else "– | – |")
        for m in shown.itertuples()
    ]
    causes = ", ".join(f"{n} × {cause}" for cause, n in causes_of(bad).items()) or "none"
    text = "\n".join(
        [
            f"# Does rain keep cyclists at home? {since[:4]}",
            "",
            f"{days:,} days so far. On wet ones, {1 - left:.0%} of the cyclists stay at home.",
            f"Days set aside in {since[:4]}: {causes}.",
            "",
            "| month | days | trips when dry | when wet | stay at home |",
            "|---|--:|--:|--:|--:|",
            *lines,
            "",
            "![trips by month](chart.png)",
            "",
        ]
    )
    chart = File.from_image(_draw(table), "chart.png")
    chart.save(HERE)
    File.from_bytes(text.encode(), "report.md", "text/markdown").save(HERE)
    return Report(text, chart, int(shown["days"].sum()), len(bad))


def _draw(table: pd.DataFrame) -> Figure:
    from matplotlib.figure import Figure  # not with the module: it takes long, and only a process that draws needs it

    figure = Figure(figsize=(9, 4), layout="constrained")
    axes = figure.subplots()
    axes.plot(table["month"], table["dry"], label="dry days", color="#c4743d", marker="o", markersize=3)
    axes.plot(table["month"], table["wet"], label="wet days", color="#3b8beb", marker="o", markersize=3)
    axes.fill_between(table["month"], table["wet"], table["dry"], color="#3b8beb", alpha=0.12)
    axes.set_xticks(range(0, len(table), 3), table["month"][::3], rotation=45, fontsize=8)
    axes.set_title("Bicycles a day on the bridge")
    axes.legend(frameon=False)
    axes.spines[["top", "right"]].set_visible(False)
    return figure


# --- the workflow -----------------------------------------------------------------------------------------------


@workflow
async def refresh(tolerance: float = 0.05) -> Report:
    """Loads the next year. ``tolerance``: the share of bad days that nobody needs to be asked about."""
    since = await state.get("etl", "cursor", default="2012-01-01")
    until = f"{int(since[:4]) + 1}-01-01"
    set_attributes(year=int(since[:4]))

    weather, trips = await asyncio.gather(read_weather(since, until), all_pages(since, until))
    judged = await judge(weather, trips)
    if judged.share > tolerance:
        facts = {"year": since[:4], "bad": len(judged.bad), "good": len(judged.good)} | causes_of(judged.bad)
        answer = await approval("data steward", name="Go on without the bad days?", subject=facts, timeout="2d")
        if not answer.approved:
            raise Rejected(answer.comment)

    months = judged.good.groupby(judged.good["day"].str[:7])
    compared = await asyncio.gather(*[compare(month, days.reset_index(drop=True)) for month, days in months])
    await load(list(compared), until)
    return await report(since, until, judged.bad)


async def all_pages(since: str, until: str) -> pd.DataFrame:
    """One step for each page: who is killed at the fourth goes on at the fourth."""
    page = await fetch_page(since, until, 0)
    tables = [page.rows]
    while page.next is not None:
        page = await fetch_page(since, until, page.next)
        tables.append(page.rows)
    return pd.concat(tables, ignore_index=True)


def causes_of(bad: pd.DataFrame) -> dict[str, int]:
    return {str(cause): int(n) for cause, n in bad["wrong"].value_counts().items()}


async def main() -> None:
    async with Engine() as engine:
        try:
            print(await terminal.conclude(engine, await engine.start(refresh)))
        except RunFailed as failed:
            print(failed)


if __name__ == "__main__":
    asyncio.run(main())
