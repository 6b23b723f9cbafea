"""A fleet on a server of a test's own."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest
from fleet_kit import Fleet

from postgres_kit import OwnServer


@contextmanager
def a_fleet(server: OwnServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[Fleet]:
    """A fleet without workers yet, on a new database of the server's."""
    url = server.url(server.create())
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE TABLE done (key text, what text, process integer, at timestamptz DEFAULT now())")
    monkeypatch.setattr("fleet_program.DATABASE", url)
    fleet = Fleet(url, {**os.environ, "FLEET_DATABASE": url})
    try:
        yield fleet
    finally:
        fleet.close()
