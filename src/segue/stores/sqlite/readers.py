"""Connections for reading: any thread may read, beside the writer and beside each other."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import apsw

from segue.errors import StoreClosed
from segue.stores.sqlite.connection import connect_reader, meaning, number
from segue.stores.sqlite.session import Session


class Readers:
    """Lends out reading connections, and opens another one when all are lent out."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._idle: list[Session] = [Session(connect_reader(path))]
        self._watching: apsw.Connection | None = None
        self._closed = False

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A connection for the time of the block.

        Raises:
            StoreUnavailable: the file cannot be read just now, or the store is closed.
        """
        connection = self._lend()
        try:
            yield connection
        except apsw.Error as error:
            raise meaning(error, self._path) from error
        finally:
            self._take_back(connection)

    def pulse(self) -> int:
        """SQLite's data version as one connection sees it, which never commits: every commit of others changes it."""
        with self._lock:
            if self._closed:
                raise StoreClosed(self._path)
            try:
                if self._watching is None:
                    self._watching = connect_reader(self._path)
                return number(self._watching, "data_version")
            except apsw.Error as error:
                raise meaning(error, self._path) from error

    def close(self) -> None:
        """Closes idle connections now, and lent ones as they come back."""
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, []
            if self._watching is not None:
                idle.append(Session(self._watching))
        for connection in idle:
            connection.close()

    def _lend(self) -> Session:
        with self._lock:
            if self._closed:
                raise StoreClosed(self._path)
            if self._idle:
                return self._idle.pop()
        return Session(connect_reader(self._path))

    def _take_back(self, connection: Session) -> None:
        with self._lock:
            if not self._closed:
                self._idle.append(connection)
                return
        connection.close()
