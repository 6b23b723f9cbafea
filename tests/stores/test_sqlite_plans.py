"""How SQLite finds what is asked for often in a database with many runs: by an index, not by reading them all."""

from __future__ import annotations

from pathlib import Path

import apsw
import pytest

from segue.stores.sql.task_pages import page_statement
from segue.stores.sqlite import SqliteStore
from segue.stores.sqlite.connection import connect_reader
from segue.stores.sqlite.session import Session
from segue.stores.task_rows import Place, TaskFilter


def plan(path: Path, name: str, values: tuple[object, ...]) -> list[str]:
    SqliteStore.open(path).close()
    raw: apsw.Connection = connect_reader(str(path))
    text = Session(raw).text(name)
    found = [row[3] for row in raw.execute(f"EXPLAIN QUERY PLAN {text}", values)]
    raw.close()
    return found


@pytest.mark.parametrize("name", ["count_ended_by_bar", "count_ended_by_workflow"])
def test_ended_runs_are_counted_from_the_index_of_ends_alone(tmp_path: Path, name: str) -> None:
    found = plan(tmp_path / "segue.db", name, (1, 0, 9, "default", None, 9))
    assert any("COVERING INDEX runs_closed" in line for line in found), found
    assert not any("ORDER BY" in line for line in found), found


def test_namespaces_are_found_from_one_to_the_next_and_counted_from_an_index_alone(tmp_path: Path) -> None:
    found = plan(tmp_path / "segue.db", "list_namespaces", (9,))
    of_tables = [line for line in found if "runs" in line.split() or "schedules" in line.split()]
    assert of_tables, found
    assert all(line.startswith("SEARCH") for line in of_tables), found
    found = plan(tmp_path / "segue.db", "count_states_of_namespaces", ('["default"]', '["running"]', 9))
    assert "SEARCH runs USING COVERING INDEX runs_by_state (namespace=? AND state=?)" in found, found


PLACE = Place(5, 5)


@pytest.mark.parametrize(
    "where",
    [
        TaskFilter("default", after=PLACE),
        TaskFilter("default", due_before=9),
        TaskFilter("default", assignee="boss", after=PLACE),
        TaskFilter("default", claimed_by="ann", after=PLACE),
        TaskFilter("default", "completed", after=PLACE),
        TaskFilter("default", "completed", "boss", after=PLACE),
        TaskFilter("default", None, after=PLACE),
    ],
)
def test_a_page_of_tasks_is_read_in_the_order_of_an_index(tmp_path: Path, where: TaskFilter) -> None:
    path = tmp_path / "segue.db"
    SqliteStore.open(path).close()
    raw: apsw.Connection = connect_reader(str(path))
    sql, values = page_statement(Session(raw), where)
    found = [row[3] for row in raw.execute(f"EXPLAIN QUERY PLAN {sql}", values)]
    raw.close()
    assert found[0].startswith("SEARCH tasks USING INDEX"), found
    assert where.after is None or "turn>?" in found[0] or "turn<?" in found[0] or "task<?" in found[0], found
    assert not any("ORDER BY" in line for line in found), found


def test_tasks_are_counted_and_schedules_chosen_by_an_index(tmp_path: Path) -> None:
    found = plan(tmp_path / "segue.db", "count_tasks", ("default", 9, "ann", 9))
    assert all("INDEX" in line for line in found if "tasks" in line), found
    found = plan(tmp_path / "segue.db", "page_schedules_by_turn", ("default", "x", 1, "a", 9))
    assert any("INDEX schedules_by_turn (namespace=? AND (turn,name)>(?,?))" in line for line in found), found
