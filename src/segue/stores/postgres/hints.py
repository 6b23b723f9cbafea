"""Hints of other workers that there is something to look at, by NOTIFY. A hint may be missed; a slow look is the
truth."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import suppress

import psycopg

from segue.errors import StoreError
from segue.stores.postgres.connection import Address, Connection, connect

OWNERS = "owners"
"""What a hint says that is for owners."""
AGAIN = 1.0
"""Seconds after which a server is asked once more that nobody can listen to: it is away, or a standby. Whoever waits
for hints asks for them forty times a second."""


class Hints:
    """Listens on a connection of its own."""

    def __init__(self, address: Address, patience: float, *, now: Callable[[], float] = time.monotonic) -> None:
        self._address = address
        self._patience = patience
        self._now = now
        self._again = 0.0
        self._lock = threading.Lock()
        self._connection: Connection | None = None
        self._closed = False
        self._stirred = False

    def changed(self, but: int) -> bool:
        """Whether there was a hint since the last call from any other process of the server's than ``but``; True, too,
        when one may have been missed."""
        with self._lock:
            if self._closed:
                return False
            if self._connection is None:
                return self._begin()
            try:
                heard = list(self._connection.notifies(timeout=0))  # all of them, or the first would hide the others
                self._stirred = self._stirred or any(hint.payload == OWNERS for hint in heard)
                return any(hint.pid != but for hint in heard)
            except (psycopg.Error, StoreError):
                self._drop()
                return True

    def _begin(self) -> bool:
        """Listens from now on, if the server lets us."""
        if self._now() < self._again:
            return False
        try:
            self._connection = connect(self._address, patience=self._patience)
            self._connection.execute("LISTEN segue")
        except (psycopg.Error, StoreError):
            self._drop()
            self._again = self._now() + AGAIN
        else:
            self._stirred = True  # whoever came before that was not heard
        return True

    def stirred(self) -> bool:
        """Whether ``changed`` has heard of owners that came, went or let go of something, since the last call."""
        stirred, self._stirred = self._stirred, False
        return stirred

    def close(self) -> None:
        with self._lock:
            self._closed = True
            self._drop()

    def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(psycopg.Error):
                connection.close()
