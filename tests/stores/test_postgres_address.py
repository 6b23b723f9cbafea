"""What a PostgreSQL URL says, as libpq is told it."""

from __future__ import annotations

from urllib.parse import urlsplit

import psycopg.conninfo
import pytest

from segue.configuration.opening import without_password
from segue.errors import InvalidArgument
from segue.stores.postgres.connection import Address


def test_parameters_reach_the_server_as_they_are_given() -> None:
    address = Address("postgresql://u:p%40w@h/d?options=-c%20lock_timeout%3D5s&application_name=a+b&prepare=off")
    found = psycopg.conninfo.conninfo_to_dict(address.target)
    assert found["options"] == "-c lock_timeout=5s"
    assert found["application_name"] == "a+b"
    assert found["password"] == "p@w"
    assert "prepare" not in urlsplit(address.target).query
    assert not address.prepares


def test_a_socket_is_named_by_a_parameter() -> None:
    address = Address("postgresql:///shop?host=/var/run/postgresql")
    found = psycopg.conninfo.conninfo_to_dict(address.target)
    assert (found["host"], found["dbname"]) == ("/var/run/postgresql", "shop")
    assert address.shown == "postgresql:///shop"


@pytest.mark.parametrize(
    "password", ["p@hidden", "p@hid/den", "p/hidden", "12/hidden", "p#hidden", "p?hidden", "p%hidden"]
)
def test_a_password_that_is_not_encoded_is_not_taken_for_something_else(password: str) -> None:
    with pytest.raises(InvalidArgument, match=r"cannot be read.*percent-encoding") as caught:
        Address(f"postgresql://joe:{password}@host/shop")
    assert "hid" not in str(caught.value)


@pytest.mark.parametrize("url", ["postgresql://[::1/shop", "postgresql://host/%zz"])
def test_a_url_that_is_none(url: str) -> None:
    with pytest.raises(InvalidArgument, match="cannot be read"):
        Address(url)


def test_a_parameter_that_there_is_not() -> None:
    with pytest.raises(InvalidArgument, match=r"sslmod=… .* no parameter"):
        Address("postgresql://host/shop?sslmod=require")


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("postgresql://joe:hidden@h:1/d?sslmode=require", "postgresql://joe:PASSWORD@h:1/d?sslmode=require"),
        ("postgresql://joe@h/d?password=hidden", "postgresql://joe@h/d"),
        ("postgresql://joe:hid@den@h/d", "postgresql://joe:PASSWORD@h/d"),
        ("postgresql:///d?host=/tmp", "postgresql:///d?host=/tmp"),
        ("sqlite:///shop.db", "sqlite:///shop.db"),
    ],
)
def test_a_command_that_is_told_holds_no_password(url: str, told: str) -> None:
    assert without_password(url) == told
