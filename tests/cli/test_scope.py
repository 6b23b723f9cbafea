"""What every command takes, as it is told to people again."""

from __future__ import annotations

import signal

import pytest
from cli_kit import Folder

from segue.cli.scope import Scope


def test_a_command_to_be_copied_names_the_database_without_its_password() -> None:
    scope = Scope(url="postgresql://joe:hidden@db.example/shop", app="orders")
    told = scope.command("user", "add", "NAME")
    assert told == "segue user add NAME --url postgresql://joe:PASSWORD@db.example/shop --app orders"


@pytest.mark.parametrize("named", ["the environment", "segue.toml"])
@pytest.mark.parametrize(
    "words",
    [
        ("worker", "flows.py"),
        ("server", "flows.py", "--port", "0"),
        ("dev", ".", "--port", "0"),
        ("run", "flows.py:plain", "3"),
        ("db", "restore", "monday.db", "--yes"),
        ("db", "move", "postgresql://db.example/shop"),
    ],
    ids=lambda words: " ".join(words[:2]),
)
def test_a_database_is_not_taken_in_the_place_of_the_server_that_is_set(
    segue: Folder, words: tuple[str, ...], named: str
) -> None:
    address = "http://127.0.0.1:1"
    if named == "segue.toml":
        segue.write("segue.toml", f'server = "{address}"\n')
    environment = {} if named == "segue.toml" else {"SEGUE_SERVER": address}
    refused = segue(*words, code=2, **environment).err
    assert "names a server, and this command works on a database itself: name that with --url" in refused
    assert not (segue.path / ".segue").exists()


def test_a_database_that_is_named_goes_before_the_server_that_is_set(segue: Folder) -> None:
    segue.environment["SEGUE_SERVER"] = "http://127.0.0.1:1"
    there = ("--url", "sqlite:///shop.db")
    assert segue("run", "flows.py:plain", "3", "--json", *there).json["result"] == 12
    assert segue("run", "flows.py:plain", "3", "--no-record", "--json").json["result"] == 12
    for words in (("dev", ".", "--port", "0"), ("server", "--port", "0"), ("worker", "flows.py")):
        serving = segue.begin(*words, *there)
        serving.until("dashboard" if words[0] == "server" else "serving .*shop.db")
        serving.signal(signal.SIGTERM)
        assert serving.end() == 0
    assert not (segue.path / ".segue").exists()
