"""What a PostgreSQL URL says, as libpq is told it."""

from __future__ import annotations

from urllib.parse import urlsplit

import psycopg.conninfo

from segue.stores.postgres.connection import Address


def test_parameters_reach_the_server_as_they_are_given() -> None:
    address = Address("postgresql://u:p%40w@h/d?options=-c%20lock_timeout%3D5s&application_name=a+b&prepare=off")
    found = psycopg.conninfo.conninfo_to_dict(address.target)
    assert found["options"] == "-c lock_timeout=5s"
    assert found["application_name"] == "a+b"
    assert found["password"] == "p@w"
    assert "prepare" not in urlsplit(address.target).query
    assert not address.prepares
