"""What every command takes, as it is told to people again."""

from __future__ import annotations

from segue.cli.scope import Scope


def test_a_command_to_be_copied_names_the_database_without_its_password() -> None:
    scope = Scope(url="postgresql://joe:hidden@db.example/shop", app="orders")
    told = scope.command("user", "add", "NAME")
    assert told == "segue user add NAME --url postgresql://joe:PASSWORD@db.example/shop --app orders"
