"""Writes to a database whose log it looks after at every commit, and prints each row once it is in, until it is killed.

The log is made longer in small pieces, which takes as long as some commits, and cut to nothing again and again.

Run as a program with the path of the database and the first of its rows, which are every second number.
"""

from __future__ import annotations

import itertools
import sys
from contextlib import suppress

import apsw

from segue.stores.sqlite import wal
from segue.stores.sqlite.connection import connect


def main(path: str, first: int) -> None:
    wal.SHORTEST = 20 * wal.FRAME
    wal._ZEROS = bytes(200)
    connection = connect(path)
    log = wal.Wal(connection, longest=1_000)
    for row in itertools.count(first, 2):
        connection.execute("INSERT INTO t VALUES (?)", (row,))
        log._left = 1
        log.committed()
        print(row, flush=True)
        if row % 20 == first % 20:
            with suppress(apsw.BusyError):  # the other one is at it
                connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_TRUNCATE)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
