"""Times the search for words over a database with many runs, by the store itself and over HTTP.

    python bench/search.py [runs]                 a million unless said, in a file
    python bench/search.py [runs] --postgres      and then the same ones, moved to a PostgreSQL server of its own

Every run has a label, two attributes and an id of parts; one in twenty has failed with an error. Some words are in all
runs, some in the oldest tenth only, one is in a single old run, two are in many runs but never in one together. The
bound is that of the issue: a first page < 100 ms, for whatever words.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from urllib.parse import quote

import apsw
import msgspec

from segue.configuration import moving
from segue.configuration.opening import open_store
from segue.stores.base import RunFilter, Store
from segue.stores.run_words import words_of_run
from segue.stores.sqlite import SqliteStore

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))
from dashboard import DAY, PLACE, served, timed

from postgres_kit import own_server

ROW = """
INSERT INTO runs (
    run, namespace, app, version, input_hash, id, uid, workflow, state, started_at, changed_at, closed_at, tags, error
) VALUES (?, 'default', 'default', '9f8e7d6c5b4a3210', 'h', ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
ASKED = 20
SEARCHES = {
    "a word that every run has": "sales ",
    "how every id begins": "order",
    "a word of every workflow's name": "workflow ",
    "a word of a single, old run": "zebra",
    "a word that no run has": "unheard-of",
    "three words, of a run in 400": "timeout db-3 sales ",
    "the same, the last as a beginning": "timeout db-3 sal",
    "a beginning of 10,000 words": "cust-1",
    "a beginning of every run's words": "c",
    "a word of the oldest tenth": "old ",
    "that, and one that every run has": "old sales ",
    "two words that are never together": "db-5 db-6 ",
    "one of a single run, and one of all": "zebra sales ",
    "a number in the middle of an id": "4711",
}


def of(number: int, runs: int) -> tuple[dict[str, str], dict[str, Any], str | None]:
    """Labels, attributes and the error of a run."""
    tags = {"team": "sales"} | ({"age": "old"} if number * 10 < runs else {})
    attributes = {"customer": f"cust-{number % 100_000}", "host": f"db-{number % 20}"}
    error = f"TimeoutError: db-{number % 20} said nothing within 30s" if number % 20 < 5 and number % 100 < 20 else None
    return tags, attributes, "KeyError: zebra" if number == 5 else error


def fill(file: Path, runs: int) -> None:
    """Runs that ended over the last thirty days, at an even pace, with their attributes and words."""
    SqliteStore.open(file).close()
    now = time.time_ns() // 1000
    encode = msgspec.json.Encoder().encode

    def rows() -> Iterator[tuple[Any, ...]]:
        for n in range(1, runs + 1):
            tags, _, error = of(n, runs)
            at = now - 30 * DAY + 30 * DAY * n // runs
            state = "failed" if error else "completed"
            yield n, f"order-{n}", f"u{n}", f"workflow-{n % 8}", state, at, at, at, encode(tags).decode(), error

    def said() -> Iterator[tuple[str, int]]:
        for n in range(1, runs + 1):
            tags, attributes, error = of(n, runs)
            for word in words_of_run(f"order-{n}", tags=tags, attributes=attributes, error=error):
                yield word, n

    connection = apsw.Connection(str(file))
    with connection:
        connection.executemany(ROW, rows())
        each = ((n, pair) for n in range(1, runs + 1) for pair in of(n, runs)[1].items())
        attributes = ((n, name, encode(value).decode()) for n, (name, value) in each)
        connection.executemany("INSERT INTO attributes VALUES (?, ?, ?)", attributes)
        connection.execute("CREATE TEMP TABLE said (word, run); DROP INDEX words_by_run")
        connection.executemany("INSERT INTO said VALUES (?, ?)", said())
        connection.execute("INSERT INTO words SELECT 'default', word, run FROM said ORDER BY word, run")
        connection.execute("CREATE INDEX words_by_run ON words (run, word)")
        ((count,),) = connection.execute("SELECT count(*) FROM words")
    connection.close()
    print(f"{runs:,} runs with {count:,} words, {file.stat().st_size / 1e9:.2f} GB")


def measure(store: Store) -> None:
    """Prints what the first page takes, and what it takes to come to the end, or to 500 runs."""
    for what, text in SEARCHES.items():
        where = RunFilter(text=text, limit=60)
        taken = list(milliseconds(store, where))
        first = store.search(where)
        began, pages, found, page = time.perf_counter(), 1, len(first.rows), first
        while page.next is not None and found < 500:
            page = store.search(msgspec.structs.replace(where, after=page.next))
            pages, found = pages + 1, found + len(page.rows)
        rest = (time.perf_counter() - began) * 1000
        more = "" if page is first else f"; {found} in {pages} pages, {rest:.0f} ms more"
        p50, most = statistics.median(taken), max(taken)
        print(f"  {what} ({text!r}): {len(first.rows)} in {p50:.1f} ms, most {most:.0f}{more}")


def milliseconds(store: Store, where: RunFilter) -> Iterable[float]:
    for _ in range(ASKED):
        began = time.perf_counter()
        store.search(where)
        yield (time.perf_counter() - began) * 1000


def over_http(url: str) -> None:
    with served(url, "dev", PLACE) as (address, _):
        for text in ("sales ", "timeout db-3 sal", "unheard-of"):
            query = f"/runs?text={quote(text)}&limit=60"
            print(f"  GET {query}: {timed(address, query):.1f} ms")
        print(f"  the histogram of 'sales ': {timed(address, '/runs/histogram?text=sales%20'):.0f} ms")
        print(f"  the histogram of 'zebra': {timed(address, '/runs/histogram?text=zebra'):.1f} ms")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("runs", nargs="?", type=int, default=1_000_000)
    parser.add_argument("--postgres", action="store_true")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, ExitStack() as ends:
        file = Path(folder) / "search.db"
        fill(file, given.runs)
        store = open_store(f"sqlite:///{file}")
        measure(store)
        store.close()
        over_http(f"sqlite:///{file}")
        if not given.postgres:
            return
        server = ends.enter_context(own_server({"shared_buffers": "256MB"}))
        url = server.url(server.create())
        began = time.perf_counter()
        moving.move(f"sqlite:///{file}", url)
        server_store = open_store(url)
        print(f"moved to PostgreSQL in {time.perf_counter() - began:.0f} s")
        measure(server_store)
        server_store.close()
        over_http(url)


if __name__ == "__main__":
    main()
