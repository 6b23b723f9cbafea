"""What may be a password or a key is not repeated, whatever is wrong with it."""

from __future__ import annotations

from typing import Any

import pytest

from segue.cli.scope import Reach, Scope
from segue.configuration.settings import provider_table, read_settings, sqlite_path
from segue.errors import InvalidArgument
from segue.secrets.variables import resolved
from segue.stores.postgres.connection import Address


@pytest.mark.parametrize(
    "url",
    [
        "joe:hidden@db.example/shop",
        "postgresql:/joe:hidden@db.example/shop",
        "host=db.example user=joe password=hidden",
        "sqlite://joe:hidden@db.example/shop",
        "mysql://joe:hidden@db.example/shop",
    ],
)
def test_what_was_meant_as_a_url(url: str) -> None:
    with pytest.raises(InvalidArgument, match="write ") as refused:
        sqlite_path(url)
    assert "hidden" not in str(refused.value)


@pytest.mark.parametrize("name", ["shop.db", "me@home.db", "a/b:c.db", "C:shop.db"])
def test_names_of_files_are_such(name: str) -> None:
    assert str(sqlite_path(name)) == name


def test_a_password_with_a_question_mark_that_looks_like_a_parameter() -> None:
    with pytest.raises(InvalidArgument, match="cannot be read") as refused:
        Address("postgresql://joe:pass?hidden=x@db.example/shop")
    assert "hidden" not in str(refused.value)


@pytest.mark.parametrize("server", ["ann:hidden@host:7733", "http://ann:hidden@host", "http://host/?key=hidden"])
def test_a_key_in_the_address_of_a_server(server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InvalidArgument, match="holds no key") as refused:
        _ = Reach(server=server).server_address
    assert "hidden" not in str(refused.value)
    monkeypatch.setenv("SEGUE_SERVER", server)
    with pytest.raises(InvalidArgument, match="works on a database itself") as elsewhere:
        Scope().require_no_server()
    assert "hidden" not in str(elsewhere.value)


def test_a_key_that_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEGUE_API_KEY", "hidd\u00e9n")
    with pytest.raises(InvalidArgument, match="SEGUE_API_KEY holds no API key: that is one word of ASCII") as refused:
        _ = Reach(server="http://host").api_key
    assert "hidd" not in str(refused.value)


@pytest.mark.parametrize(
    "given",
    [
        '[{"name": "ops", "to": "slack://hidden", "when": "whenever"}]',
        '[{"name": "ops", "to": "slack://hidden"',
        "slack://hidden",
        '{"to": "slack://hidden"}',
        [{"name": "ops", "to": "nosuch//hidden", "when": "failed"}],
    ],
)
def test_where_notices_go(given: Any) -> None:
    with pytest.raises(InvalidArgument, match="the setting notify cannot be used") as refused:
        read_settings(notify=given)
    assert "hidden" not in str(refused.value)


@pytest.mark.parametrize("given", ["hidden", '{"client_secret": "hidden"', '["hidden"]', '"hidden"'])
def test_where_people_log_in(given: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEGUE_OIDC", given)
    with pytest.raises(InvalidArgument, match="the setting oidc cannot be used: it is a table") as refused:
        provider_table()
    assert "hidden" not in str(refused.value)


def test_a_secret_that_begins_as_the_name_of_a_variable_does() -> None:
    with pytest.raises(InvalidArgument, match="the environment variable, which is not set") as refused:
        resolved("$ecret-hidden")
    assert "hidden" not in str(refused.value)
