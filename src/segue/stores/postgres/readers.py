"""Connections for reading: any thread may read, beside the writer and beside each other."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

from segue.errors import StoreClosed
from segue.stores.postgres.connection import Address, connect, is_gone, is_stale, meaning
from segue.stores.postgres.session import Session
from segue.stores.sql.statements import Statement

_pulse = Statement("pulse")
MOST_IDLE = 4


class Readers:
    """Lends out reading connections, and opens another one when all are lent out."""

    def __init__(self, address: Address, patience: float) -> None:
        self._address = address
        self._patience = patience
        self._lock = threading.Lock()
        self._idle: list[Session] = []
        self._closed = False

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A connection for the time of the block.

        Raises:
            StoreUnavailable: the server cannot be reached just now, or the store is closed.
        """
        session = self._lend()
        keep = True
        try:
            session.plan_anew()
            yield session
        except psycopg.Error as error:
            keep = not is_gone(error)
            raise meaning(error, self._address) from error
        finally:
            self._take_back(session, keep)

    def pulse(self) -> int:
        """The place in the server's log up to which it has written: every commit moves it."""
        with self.reading() as session:
            return int(_pulse.one(session)[0][0])

    def close(self) -> None:
        """Closes idle connections now, and lent ones as they come back."""
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, []
        for session in idle:
            session.raw.close()

    def _lend(self) -> Session:
        with self._lock:
            if self._closed:
                raise StoreClosed(self._address.shown)
            while self._idle:
                session = self._idle.pop()
                if not is_stale(session.raw):
                    return session
                session.raw.close()
        return Session(connect(self._address, patience=self._patience, reads=True))

    def _take_back(self, session: Session, keep: bool) -> None:
        with self._lock:
            if keep and not self._closed and not session.raw.closed and len(self._idle) < MOST_IDLE:
                self._idle.append(session)
                return
        session.raw.close()
