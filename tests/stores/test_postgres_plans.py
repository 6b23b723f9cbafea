"""How PostgreSQL finds what is asked for often in a database with many runs: by an index, not by reading them all."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import psycopg
import pytest
from store_kit import partitioned

from postgres_kit import PostgresServer
from segue.stores.base import RunFilter
from segue.stores.postgres.connection import connect
from segue.stores.postgres.session import PLANS_LAST, QUERIES, Session, numbered
from segue.stores.postgres.store import CONDITIONS, PostgresStore
from segue.stores.sql.reads import list_statement
from segue.stores.sql.task_pages import page_statement
from segue.stores.task_rows import NEVER, Place, TaskFilter

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
    "which namespaces there are": ("list_namespaces", (10,)),
    "what is open in namespaces": ("count_states_of_namespaces", ('["default"]', '["running","incident"]', 9)),
    "what others have code for": ("move_runs", ("default", "w3", 7, LATER, *ALL)),
}


@pytest.mark.parametrize("what", OFTEN)
def test_nothing_reads_all_runs_or_all_messages(session: Session, what: str) -> None:
    name, values = OFTEN[what]
    found = plan(session, numbered(session.text(name)), values)
    assert "Seq Scan on runs" not in found, found
    assert "Seq Scan on messages" not in found, found


LARGE = (
    r"(?:runs|journal\w*|messages|attempts|tasks|attributes|words|published|payloads|payload_refs|cached|artifacts"
    r"|log_lines\w*)"
)
"""Tables that grow with the number of runs. The inbox holds only what waits."""
WHOLE = re.compile(
    rf"Seq Scan on {LARGE}\b|Index [\w ]*Scan[\w ]* using \w+ on {LARGE}\b.*\n(?!\s+Index Cond)"
    r"|Bitmap Index Scan on (?!inbox_)\w+ .*\n(?!\s+Index Cond)"
)


def test_no_statement_that_is_prepared_in_a_new_database_reads_all_of_a_table(
    postgres_database: Callable[[], str],
) -> None:
    """Such a plan stays until the server counts the rows: a worker's first minute would be one long search."""
    found: dict[str, str] = {}
    store = PostgresStore.open(postgres_database())
    with closing(store), closing(connect(store.address, patience=10)) as raw:
        raw.execute("SET plan_cache_mode = force_generic_plan")
        for file in sorted(QUERIES.glob("*.sql")):
            sql = numbered(Session(raw).text(file.stem)).decode()
            raw.execute(f"PREPARE asked AS {sql}".encode())
            values = ", ".join(["NULL"] * max([0, *map(int, re.findall(r"\$(\d+)", sql))]))
            asked = raw.execute(f"EXPLAIN EXECUTE asked{f'({values})' if values else ''}".encode()).fetchall()
            found[file.stem] = "\n".join(line for (line,) in asked)
            raw.execute("DEALLOCATE asked")
    assert len(found) > 150
    reading = {name: plan for name, plan in found.items() if WHOLE.search(plan)}
    counted_or_listed_from_one_end = {"count_rows", "count_started_by_bar", "list_runs"}
    assert "Index Scan using attempts_by_queue on attempts" in reading.pop("queue_figures"), (
        "what is in queues, all of it"
    )
    assert set(reading) == counted_or_listed_from_one_end, "\n\n".join(reading.values())


MANY_TASKS = """
    INSERT INTO segue.tasks (run, namespace, key, name, assignee, state, opened_at, due, closed_at, claimed_by)
    SELECT
        1 + n % 40000, 'default', 'k' || n, 'sign', 'who' || n % 10,
        CASE WHEN n % 2 = 0 THEN 'open' ELSE 'completed' END, n,
        CASE WHEN n % 3 = 0 THEN n END, CASE WHEN n % 2 = 1 THEN n END, CASE WHEN n % 4 = 0 THEN 'ann' END
    FROM generate_series(1, 100000) AS n;
    INSERT INTO segue.schedules (namespace, name, backfill, app, workflow, revision, wake, waits, plan, standing)
    SELECT 'default', 's' || n, '', 'default', 'w', 1, CASE WHEN n % 2 = 0 THEN n END, false, '', ''
    FROM generate_series(1, 100000) AS n;
    ANALYZE segue.tasks; ANALYZE segue.schedules
"""
PAGES = {
    "open": TaskFilter("default", after=Place(NEVER + 50_000, 50_000), limit=50),
    "overdue": TaskFilter("default", due_before=90_000, after=Place(50_000, 1), limit=50),
    "of one assignee": TaskFilter("default", assignee="who4", after=Place(50_000, 1), limit=50),
    "claimed": TaskFilter("default", claimed_by="ann", after=Place(50_000, 1), limit=50),
    "answered": TaskFilter("default", "completed", after=Place(50_000, 1), limit=50),
    "all": TaskFilter("default", None, after=Place(0, 50_000), limit=50),
}


def test_pages_of_a_hundred_thousand_tasks_and_schedules_are_read_by_an_index(session: Session) -> None:
    session.raw.execute(MANY_TASKS)
    for what, where in PAGES.items():
        sql, values = page_statement(session, where)
        found = plan(session, numbered(sql), values)
        assert "Sort" not in found, (what, found)
        assert "Seq Scan" not in found, (what, found)
        read = [int(rows) for rows in re.findall(r"actual rows=(\d+)", found)]
        assert max(read) <= 51, (what, found)
    for name, given in (
        ("page_schedules", ("default", "", "s5", 50)),
        ("page_schedules_by_turn", ("default", "", 9, "s5", 50)),
    ):
        found = plan(session, numbered(session.text(name)), given)
        assert max(int(rows) for rows in re.findall(r"actual rows=(\d+)", found)) <= 51, found


@pytest.mark.parametrize("name", ["due_runs", "next_wake"])
def test_a_worker_without_slots_looks_at_no_run(session: Session, name: str) -> None:
    values = {"due_runs": ("default", 2, 2 * LATER, None, 200, [], []), "next_wake": ("default", LATER, [], [])}
    assert "One-Time Filter" in plan(session, numbered(session.text(name)), values[name])


def test_runs_are_found_by_tag_through_its_index(session: Session) -> None:
    where = RunFilter(namespace="default", tags={"k": "v100"}, limit=10)
    sql, values = list_statement(session, where, CONDITIONS)
    found = plan(session, numbered(sql), values)
    assert "runs_by_tag" in found, found


def test_a_plan_that_was_made_for_an_empty_table_is_given_up(postgres_database: Callable[[], str]) -> None:
    store = PostgresStore.open(postgres_database())
    with closing(store), closing(connect(store.address, patience=10)) as raw:
        session = Session(raw)

        def planned() -> str:
            """How the statement is carried out that the driver has prepared."""
            found = raw.execute(
                "SELECT name FROM pg_prepared_statements WHERE statement LIKE '%runs.id = $2%'"
            ).fetchall()
            asked = raw.execute(f"EXPLAIN EXECUTE {found[0][0]}('default', 'run-7')".encode())
            return "\n".join(line for (line,) in asked.fetchall())

        for _ in range(20):
            assert session.one("run_by_id", ("default", "run-7")) == []
        raw.execute(FILL.replace("ANALYZE segue.runs; ANALYZE segue.messages; ANALYZE segue.inbox", ""))
        session.plan_anew()
        made_for_nothing = planned()
        session._planned -= PLANS_LAST
        session.plan_anew()
        session.one("run_by_id", ("default", "run-7"))
        assert "runs_by_id" in planned(), made_for_nothing
        assert "runs_by_id" not in made_for_nothing, "the test shows nothing any more"


# --- with fifty partitions ------------------------------------------------------------------------------------

PARTITIONS = 50
PART = 800
"""Runs in each."""
MIDDLE = [25 * PART + n for n in range(10, 60)]
LISTED = f"[{','.join(map(str, MIDDLE))}]"
ONE = MIDDLE[0]
BOUNDS = MIDDLE[0], MIDDLE[-1]
IN_ONE_PARTITION: dict[str, tuple[str, tuple[Any, ...]]] = {
    "the one event that a step adds": ("append_one", (ONE, 4, b"e", "default", 1, 0)),
    "whose journal ends elsewhere": (
        "find_refused_appends",
        (MIDDLE, [3] * len(MIDDLE), [False] * len(MIDDLE), "[]", *BOUNDS),
    ),
    "a journal": ("journal_page", (ONE, 0, 1000)),
    "how journals begin": ("journal_heads", (LISTED, 8, *BOUNDS)),
    "its end": ("journal_tail", (ONE, 10)),
    "how far journals have come": ("last_events", (LISTED, *BOUNDS)),
    "an event that may have landed": ("landed_event", (ONE, 3, b"e")),
    "an event that is erased": ("rewrite_event", (b"e", ONE, 3)),
    "what erasure adds": ("append_last_event", (ONE, b"e")),
    "what a step printed": ("read_log_lines", (ONE, 0, False, None, "[]", 100)),
    "journals that are deleted": ("delete_journal_of_runs", (LISTED, 2000, *BOUNDS)),
    "logs that are deleted": ("delete_log_lines", (LISTED, *BOUNDS)),
}


@pytest.fixture(scope="module")
def partitioned_session(postgres: PostgresServer) -> Iterator[Session]:
    database = postgres.create()
    url = postgres.url(database)
    PostgresStore.open(url).close()
    partitioned(url, *range(0, (PARTITIONS + 1) * PART, PART))
    with psycopg.connect(url, autocommit=True, cursor_factory=psycopg.RawCursor) as connection:
        owner = "('default', 1, 'w', 10, now())"
        connection.execute(f"INSERT INTO segue.owners (app, epoch, worker, lease, expires) VALUES {owner}".encode())
        for number in range(PARTITIONS):  # the last ones stay as they are made
            if number < PARTITIONS - 2:
                connection.execute(
                    "INSERT INTO segue.journal SELECT run, seq, 'e' "
                    "FROM generate_series($1::bigint, $1 + 799) AS run, generate_series(1, 3) AS seq",
                    (number * PART,),
                )
                connection.execute(
                    "INSERT INTO segue.log_lines (run, key, attempt, at, level, stream, text) "
                    "SELECT run, 'k', 1, 1, 'INFO', 'stdout', 't' FROM generate_series($1::bigint, $1 + 799) AS run",
                    (number * PART,),
                )
        connection.execute("ANALYZE segue.journal, segue.log_lines")
        yield Session(connection)
    postgres.drop(database)


@pytest.mark.parametrize("what", IN_ONE_PARTITION)
def test_of_many_partitions_one_is_planned_with_and_read_by_its_index(partitioned_session: Session, what: str) -> None:
    session = partitioned_session
    name, values = IN_ONE_PARTITION[what]
    with session.raw.transaction(force_rollback=True):
        found = plan(session, numbered(session.text(name)), values)
    assert set(re.findall(r" on (?:journal|log_lines)_(\d+)", found)) == {str(25 * PART)}, found
    assert "Seq Scan on journal" not in found, found
    assert "Seq Scan on log_lines" not in found, found
