"""How PostgreSQL finds what is asked for often in a database with many runs: by an index, not by reading them all."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest

from segue.stores.base import RunFilter
from segue.stores.postgres.session import Session, numbered
from segue.stores.postgres.store import CONDITIONS, PostgresStore
from segue.stores.sql.reads import list_statement

LATER = 2_000_000
FILL = """
    INSERT INTO segue.runs (
        run, namespace, id, uid, app, workflow, version, state, wake, started_at, changed_at, closed_at, input_hash,
        tags, slot
    )
    SELECT
        n, 'default', 'run-' || n, 'u' || n, 'default', 'w' || n % 20, 'v', 'waiting', 2000000 + n, n, n, NULL, 'h',
        CASE WHEN n % 100 = 0 THEN jsonb_build_object('k', 'v' || n % 1000) ELSE '{}' END, n % 16384
    FROM generate_series(1, 40000) AS n;
    INSERT INTO segue.messages (chain, message, run) SELECT n, 'm', n FROM generate_series(1, 40000) AS n;
    INSERT INTO segue.inbox (run, kind, message, at, body)
    SELECT n, 'signal', 'm', 1, '' FROM generate_series(1, 20) AS n;
    ANALYZE segue.runs; ANALYZE segue.messages; ANALYZE segue.inbox
"""


@pytest.fixture
def session(postgres_database: Callable[[], str]) -> Iterator[Session]:
    url = postgres_database()
    PostgresStore.open(url).close()
    with psycopg.connect(url, autocommit=True, cursor_factory=psycopg.RawCursor) as connection:
        connection.execute(FILL)
        yield Session(connection)


def plan(session: Session, sql: bytes, values: Any) -> str:
    rows = session.raw.execute(b"EXPLAIN (ANALYZE, TIMING OFF) " + sql, values).fetchall()
    return "\n".join(line for (line,) in rows)


ALL: tuple[list[int], list[int]] = ([0], [16383])
MANY = list(range(1, 40_000, 100))
FEW = MANY[::10]
OFTEN: dict[str, tuple[str, tuple[Any, ...]]] = {
    "what is due": ("due_runs", ("default", 2, LATER, None, 200, *ALL)),
    "the next alarm": ("next_wake", ("default", LATER, *ALL)),
    "who has mail": ("runs_with_messages", ("default", None, 200, *ALL)),
    "who is posted to": (
        "find_addressees",
        (MANY, MANY, [None] * len(MANY), [None] * len(MANY), ["new"] * len(MANY)),
    ),
    "whose id is taken": (
        "find_taken_ids",
        (FEW, ["default"] * len(FEW), [f"run-{n}" for n in FEW], ["u"] * len(FEW)),
    ),
    "what a day's charts are of": ("count_ended_by_bar", (1_000_000, LATER, LATER + 1, "default", None, 1000)),
    "what a day's workflows did": ("count_ended_by_workflow", (0, LATER, LATER + 1, "default", None, 1000)),
    "what others have code for": ("move_runs", ("default", "w3", 7, LATER, *ALL)),
}


@pytest.mark.parametrize("what", OFTEN)
def test_nothing_reads_all_runs_or_all_messages(session: Session, what: str) -> None:
    name, values = OFTEN[what]
    found = plan(session, numbered(session.text(name)), values)
    assert "Seq Scan on runs" not in found, found
    assert "Seq Scan on messages" not in found, found


@pytest.mark.parametrize("name", ["due_runs", "next_wake"])
def test_a_worker_without_slots_looks_at_no_run(session: Session, name: str) -> None:
    values = {"due_runs": ("default", 2, 2 * LATER, None, 200, [], []), "next_wake": ("default", LATER, [], [])}
    assert "One-Time Filter" in plan(session, numbered(session.text(name)), values[name])


def test_runs_are_found_by_tag_through_its_index(session: Session) -> None:
    where = RunFilter(namespace="default", tags={"k": "v100"}, limit=10)
    sql, values = list_statement(session, where, CONDITIONS)
    found = plan(session, numbered(sql), values)
    assert "runs_by_tag" in found, found
