"""How SQLite finds what charts are drawn from: by an index that holds all of it, not by reading runs."""

from __future__ import annotations

from pathlib import Path

import apsw
import pytest

from segue.stores.sqlite import SqliteStore
from segue.stores.sqlite.connection import connect_reader
from segue.stores.sqlite.session import Session


@pytest.mark.parametrize("name", ["count_ended_by_bar", "count_ended_by_workflow"])
def test_ended_runs_are_counted_from_the_index_of_ends_alone(tmp_path: Path, name: str) -> None:
    SqliteStore.open(tmp_path / "segue.db").close()
    raw: apsw.Connection = connect_reader(str(tmp_path / "segue.db"))
    text = Session(raw).text(name)
    plan = [row[3] for row in raw.execute(f"EXPLAIN QUERY PLAN {text}", (1, 0, 9, "default", None, 9))]
    raw.close()
    assert any("COVERING INDEX runs_closed" in line for line in plan), plan
    assert not any("ORDER BY" in line for line in plan), plan
