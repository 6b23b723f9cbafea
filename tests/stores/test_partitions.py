"""Partitions of the journal and of step logs on PostgreSQL: made in time, dropped when empty, and never in the way."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest
from store_kit import Owner, closed, events, partitioned, start

from segue.errors import StoreUnavailable
from segue.stores.base import Append
from segue.stores.log_rows import LogLine
from segue.stores.postgres import leaves, partitions
from segue.stores.postgres.partitions import DAY, LEAST, Progress, Range, following, past
from segue.stores.postgres.store import PostgresStore

HOUR = DAY // 24


# --- which ranges ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ranges", "progress", "high"),
    [
        pytest.param([Range(0, LEAST)], Progress(50_000, 1, 0, 30 * DAY), 2 * LEAST, id="slow: the smallest one"),
        pytest.param([Range(0, LEAST)], Progress(LEAST, 0, 0, 10 * HOUR), 3 * LEAST, id="busy: twice as much at most"),
        pytest.param([Range(0, 10 * LEAST)], Progress(5 * LEAST, 0, 0, DAY), 15 * LEAST, id="what starts in a day"),
        pytest.param(
            [Range(0, 10 * LEAST)], Progress(9 * LEAST, 8 * LEAST, 0, DAY // 4), 14 * LEAST, id="as far as it is kept"
        ),
        pytest.param([Range(0, LEAST)], Progress(LEAST, LEAST, 5, 5), 2 * LEAST, id="one run is no pace"),
        pytest.param(
            [Range(n * LEAST, (n + 1) * LEAST) for n in range(partitions.MANY)],
            Progress(40 * LEAST, 39 * LEAST, 0, 300 * DAY), 42 * LEAST, id="many: no more of the same size",
        ),
    ],
)  # fmt: skip
def test_a_range_is_for_a_day(ranges: list[Range], progress: Progress, high: int) -> None:
    assert following(ranges, progress) == Range(ranges[-1].high, high)


def test_a_range_is_past_when_no_start_under_way_can_be_in_it() -> None:
    ranges = [Range(0, LEAST), Range(LEAST, 2 * LEAST), Range(2 * LEAST, 3 * LEAST)]
    assert past(ranges, Progress(LEAST + partitions.MARGIN - 1, 1, 0, 1)) == []
    assert past(ranges, Progress(LEAST + partitions.MARGIN, 1, 0, 1)) == ranges[:1]
    assert past(ranges, Progress(9 * LEAST, 1, 0, 1)) == ranges[:2], "the newest one is for what comes"


# --- on a server ----------------------------------------------------------------------------------------------


class Place:
    """A database with small partitions, its owner, and a look at it from outside."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.store = PostgresStore.open(url)
        self.owner = Owner(self.store)

    def query(self, sql: str) -> list[Any]:
        with psycopg.connect(self.url, autocommit=True) as connection:
            cursor = connection.execute(sql.encode())
            return cursor.fetchall() if cursor.description else []

    def ranges(self, table: str = "journal") -> list[tuple[int, int]]:
        return self.query(f"SELECT low, high FROM segue.partitions WHERE parent = '{table}' AND low >= 0 ORDER BY low")

    def in_rest(self) -> list[int]:
        return [run for (run,) in self.query("SELECT DISTINCT run FROM segue.journal_rest ORDER BY run")]

    def start(self, *ids: str) -> list[int]:
        return [self.owner.start(id) for id in ids]

    def end(self, *runs: int) -> None:
        self.owner.commit(*[Append(run, 2, (b"e",), status=closed(at=1)) for run in runs])

    def go_to(self, run: int) -> None:
        """The next run has this number."""
        self.query(f"SELECT setval('segue.runs_run_seq', {run}, false)")


@pytest.fixture
def place(postgres_database: Callable[[], str], monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    monkeypatch.setattr(partitions, "LEAST", 10)
    monkeypatch.setattr(partitions, "MARGIN", 2)
    monkeypatch.setattr(partitions, "LEAD", 30)
    monkeypatch.setattr(partitions, "TRY_AGAIN", 0.0)
    monkeypatch.setattr(leaves, "PAUSE", 0.0)
    url = postgres_database()
    PostgresStore.open(url).close()
    partitioned(url, 0, 10)
    place = Place(url)
    yield place
    place.store.close()


def test_the_next_one_is_there_before_it_is_needed(place: Place) -> None:
    place.store.upkeep()
    place.start("a", "b")
    place.store.upkeep()
    assert place.ranges() == [(0, 10)]
    place.start("c", "d", "e")
    place.store.upkeep()
    place.store.upkeep()
    assert place.ranges() == place.ranges("log_lines") == [(0, 10), (10, 20)]
    place.start(*[f"more-{n}" for n in range(7)])
    assert place.in_rest() == []


def test_a_partition_whose_runs_are_gone_is_dropped_and_no_other(place: Place) -> None:
    runs = place.start(*[f"r{n}" for n in range(6)])
    place.store.upkeep()
    place.go_to(12)
    runs += place.start(*[f"s{n}" for n in range(8)])
    place.store.logs.append([LogLine(run, "k", 1, 5, "INFO", "stdout", "hello") for run in runs])
    place.end(*[run for run in runs if run != 3])
    assert place.store.retain(100, 100) == 12, "never the newest, nor the open one"
    place.store.upkeep()
    assert place.ranges()[0] == (0, 10), "a run is open in it"
    place.end(3)
    assert place.store.retain(100, 100) == 1
    assert place.store.shrink() is False
    assert place.ranges() == place.ranges("log_lines") == [(10, 20), (20, 30)]
    assert len(events(place.store, runs[-1])) == 2
    assert [line.text for line in place.store.logs.read(runs[-1])] == ["hello"]


def test_only_what_is_due_is_dropped_whatever_is_asked_for(place: Place) -> None:
    place.start("a")
    place.go_to(9)
    place.start("b")
    assert place.query("SELECT segue.drop_partition('journal', 0)") == [(False,)]
    assert place.query("SELECT segue.drop_partition('runs', 0), segue.drop_partition('journal', 7)") == [(False, False)]
    assert place.ranges() == [(0, 10)]


def test_the_file_system_gets_back_what_retention_has_emptied(place: Place) -> None:
    runs = place.start(*[f"r{n}" for n in range(5)])
    place.store.upkeep()
    for run in runs:
        place.owner.commit(Append(run, 2, tuple(bytes([n]) * 1900 for n in range(100)), status=closed(at=1)))
    place.store.logs.append([LogLine(1, "k", 1, 5, "INFO", "stdout", str(n) * 500) for n in range(1000)])
    place.go_to(12)
    place.start("newest")
    full = place.store.stats().bytes
    assert place.store.retain(100, 100) == 5
    place.store.shrink()
    assert full - place.store.stats().bytes > 1_500_000


def test_deleting_in_one_partition_leaves_the_others_alone(place: Place) -> None:
    first, *_ = place.start(*[f"r{n}" for n in range(6)])
    place.store.upkeep()
    place.go_to(10)
    others = place.start("x", "y")
    place.store.logs.append([LogLine(run, "k", 1, 5, "INFO", "stdout", "hello") for run in (first, *others)])
    place.end(first)
    assert place.store.retain(100, 100) == 1
    assert [len(events(place.store, run)) for run in others] == [1, 1], "rows at the same place in another file"
    assert [len(place.store.logs.read(run)) for run in (first, *others)] == [0, 1, 1]


def test_runs_that_no_partition_is_for_get_one_together(place: Place) -> None:
    place.start("a")
    place.go_to(25)
    late = place.start("b", "c")
    assert place.in_rest() == late
    place.store.upkeep()
    assert place.in_rest() == []
    assert place.ranges() == place.ranges("log_lines") == [(0, 10), (10, 60)]
    place.owner.commit(Append(late[0], 2, (b"e",)))
    assert len(events(place.store, late[0])) == 2
    place.go_to(40)
    place.start("d")
    place.store.upkeep()
    assert place.ranges()[-1] == (60, 70)
    assert place.query("SELECT conname FROM pg_constraint WHERE conname LIKE 'until_%'") == []


def test_what_another_worker_has_begun_is_gone_on_with(place: Place) -> None:
    place.go_to(25)
    (run,) = place.start("a")
    place.query("SELECT segue.confine_rest('journal', 70)")
    place.owner.commit(Append(run, 2, (b"e",)))
    place.store.upkeep()
    assert place.ranges() == [(0, 10), (10, 70)]


def test_a_run_that_belongs_to_another_partition_keeps_the_rest_as_it_is(
    place: Place, caplog: pytest.LogCaptureFixture
) -> None:
    place.go_to(25)
    (run,) = place.start("a")
    place.query("DROP TABLE segue.journal_0")
    place.query("INSERT INTO segue.journal VALUES (3, 1, '')")
    place.query("SELECT segue.make_partition('journal', 10, 20)")
    place.store.upkeep()
    assert "journal_rest holds runs before 20" in caplog.text
    assert place.ranges() == [(10, 20)]
    place.owner.commit(Append(run, 2, (b"e",)))
    place.go_to(1000)
    assert place.start("far") == [1000], "it takes every run again"


@contextmanager
def a_long_reader(place: Place) -> Iterator[None]:
    """Reads the journal as a dump does, for hours."""
    with psycopg.connect(place.url) as reader:
        reader.execute("SELECT count(*) FROM segue.journal")
        yield


def test_nobody_waits_behind_a_long_reader(place: Place, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "segue.partitions")
    runs = place.start(*[f"r{n}" for n in range(6)])
    with a_long_reader(place):
        place.store.upkeep()
        assert "made and dropped later" in caplog.text
        assert place.ranges() == [(0, 10)]
        place.owner.commit(Append(runs[0], 2, (b"e",)))
    place.store.upkeep()
    assert place.ranges() == [(0, 10), (10, 20)]
    place.go_to(13)
    place.start("newest")
    place.end(*runs[1:])
    place.owner.commit(Append(runs[0], 3, (b"e",), status=closed(at=1)))
    place.store.retain(100, 100)
    with a_long_reader(place):
        assert place.store.shrink() is False
        assert place.start("meanwhile") == [14]
        assert place.ranges()[0] == (0, 10)
    place.store.shrink()
    assert place.ranges() == [(10, 20)]


def test_workers_that_look_at_once_make_and_drop_one(place: Place) -> None:
    stores = [PostgresStore.open(place.url) for _ in range(4)]
    try:
        runs = place.start(*[f"r{n}" for n in range(5)])
        with ThreadPoolExecutor(4) as threads:
            list(threads.map(PostgresStore.upkeep, stores))
            assert place.ranges() == [(0, 10), (10, 20)]
            place.go_to(13)
            place.start("newest")
            place.end(*runs)
            place.store.retain(100, 100)
            list(threads.map(PostgresStore.upkeep, stores))
        assert len(place.ranges()) == 1
    finally:
        for store in stores:
            store.close()


def test_a_worker_that_may_define_nothing_makes_and_drops_them_all_the_same(place: Place) -> None:
    role = f"worker_{urlsplit(place.url).path[-12:]}"
    place.query(
        f"CREATE ROLE {role} LOGIN; GRANT USAGE ON SCHEMA segue TO {role};"
        f"GRANT ALL ON ALL TABLES IN SCHEMA segue TO {role}; GRANT ALL ON ALL SEQUENCES IN SCHEMA segue TO {role}"
    )
    parts = urlsplit(place.url)
    url = urlunsplit(parts._replace(netloc=f"{role}@{parts.netloc.rpartition('@')[2]}"))
    try:
        weak = PostgresStore.open(url)
        owner = Owner(weak)
        runs = [owner.start(f"r{n}") for n in range(5)]
        weak.upkeep()
        assert place.ranges() == [(0, 10), (10, 20)]
        place.go_to(13)
        (newest, alone) = owner.start("newest"), owner.start("alone")
        assert (newest, alone) == (13, 14)
        owner.commit(Append(alone, 2, (b"e",)))
        assert len(events(weak, alone)) == 2, "in a partition that this role may not name"
        owner.commit(*[Append(run, 2, (b"e",), status=closed(at=1)) for run in runs])
        weak.retain(100, 100)
        weak.upkeep()
        assert place.ranges() == [(10, 20)]
        weak.close()
    finally:
        place.query(f"DROP OWNED BY {role}; DROP ROLE {role}")


def test_one_event_goes_on_being_appended_whatever_becomes_of_its_partition(place: Place) -> None:
    place.go_to(25)
    (run,) = place.start("a")
    place.owner.commit(Append(run, 2, (b"e",)))
    place.store.upkeep()
    place.owner.commit(Append(run, 3, (b"e",)))
    with psycopg.connect(place.url, autocommit=True) as connection:
        connection.execute("ALTER TABLE segue.journal_10 RENAME TO journal_elsewhere")
    place.owner.commit(Append(run, 4, (b"e",)))
    place.owner.commit(Append(run, 5, (b"e",)))
    assert len(events(place.store, run)) == 5


def test_a_store_that_is_closed_looks_after_nothing(place: Place) -> None:
    store = PostgresStore.open(place.url)
    store.close()
    with pytest.raises(StoreUnavailable, match="closed"):
        store.upkeep()


def test_starts_in_one_batch_may_be_in_several_partitions(place: Place) -> None:
    place.go_to(8)
    place.owner.commit(*[start(f"r{n}") for n in range(5)])
    assert place.in_rest() == [10, 11, 12]
    assert place.query("SELECT count(*) FROM segue.journal") == [(5,)]
