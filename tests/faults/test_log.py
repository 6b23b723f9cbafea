"""Several processes make the log longer at once, kept apart by locks of the system, and are killed at it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import apsw

from segue.stores.sqlite.connection import APPLICATION_ID, connect

PROGRAM = Path(__file__).with_name("log_program.py")
ROWS = 300


def test_processes_that_are_killed_while_they_lengthen_the_log_lose_nothing(tmp_path: Path) -> None:
    path = tmp_path / "segue.db"
    made = connect(str(path))
    made.execute(f"PRAGMA application_id = {APPLICATION_ID}; CREATE TABLE t (n INTEGER)")
    made.close()
    acknowledged: set[int] = set()
    for times in range(3):
        # The log stays as the killed ones leave it: whoever opens the file next recovers it.
        acknowledged |= _written_by_two(path, 1_000_000 * times)

    reader = apsw.Connection(str(path))
    assert reader.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    rows = {n for (n,) in reader.execute("SELECT n FROM t")}
    reader.close()
    assert acknowledged <= rows
    assert len(rows) <= len(acknowledged) + 2 * 3, "each of them had one commit under way"


def _written_by_two(path: Path, first: int) -> set[int]:
    """What two processes said they had written until they were killed."""
    processes = [
        subprocess.Popen([sys.executable, str(PROGRAM), str(path), str(first + n)], stdout=subprocess.PIPE, text=True)
        for n in range(2)
    ]
    said: list[str] = []
    for process in processes:
        assert process.stdout is not None
        said += [process.stdout.readline() for _ in range(ROWS)]
    for process in processes:
        process.kill()
    for process in processes:
        said += process.communicate()[0].splitlines(keepends=True)
    return {int(line) for line in said if line.endswith("\n")}
