"""``segue secret``: an encrypted file of secrets, from which the steps of this folder get them."""

from __future__ import annotations

import sys
from typing import Annotated

from cyclopts import App, Parameter
from rich.text import Text

from segue.cli.asking import typed_twice
from segue.cli.messages import confirm
from segue.cli.output import console, print_json
from segue.cli.scope import Scope
from segue.configuration.settings import secret_places
from segue.errors import InvalidArgument
from segue.secrets import EncryptedStore

secret = App(name="secret", help="An encrypted file of secrets: new-key, set, list, remove.", version_flags=())
File = Annotated[
    str | None,
    Parameter(help="The file. Or: the first one whose name ends in .enc in SEGUE_SECRETS, segue.toml.", name="--file"),
]
Name = Annotated[str, Parameter(help="The secret's name, such as db.password.")]


@secret.command
def new_key(*, scope: Scope = Scope()) -> int:  # noqa: B008 (immutable)
    """Print a new master key. Without it the file that it has sealed is lost: keep it, and apart from the file."""
    made = EncryptedStore.new_key()
    if scope.json:
        print_json({"key": made})
    else:
        print(made)
    return 0


@secret.command(name="set")
def set_secret(
    name: Name,
    /,
    *value: Annotated[str, Parameter(show=False)],
    file: File = None,
    scope: Scope = Scope(),  # noqa: B008 (immutable)
) -> int:
    """Add a secret, or give it another value.

    The value is asked for on a terminal; else it is all that comes by standard input, without the line end behind it.
    """
    if value:  # which is not repeated
        raise InvalidArgument(
            "a value is not taken from the command line, where others can read it (ps) and the shell remembers it: "
            "leave it out and be asked for it, or give it by standard input"
        )
    store = _store(file)
    known = name in store.list()  # before anybody types: it can be read with this key
    store.set(name, _value(name))
    return _say(scope, {"name": name}, f"{name} {'has another value' if known else 'is set'} in {store}")


@secret.command(name="list")
def list_secrets(*, file: File = None, scope: Scope = Scope()) -> int:  # noqa: B008 (immutable)
    """List the names of secrets. Values are never shown."""
    store = _store(file)
    names = store.list()
    return _say(scope, names, "\n".join(names) or f"there is no secret in {store}")


@secret.command
def remove(
    name: Name,
    /,
    *,
    file: File = None,
    yes: Annotated[bool, Parameter(help="Do not ask.", negative=(), show_default=False)] = False,
    scope: Scope = Scope(),  # noqa: B008 (immutable)
) -> int:
    """Take a secret away."""
    store = _store(file)
    if name not in store.list():
        raise InvalidArgument(f"there is no secret {name!r} in {store}")
    if not yes:
        confirm(f"Take away the secret {name}?", scope)
    store.delete(name)
    return _say(scope, {"removed": name}, f"{name} is not in {store} any more")


def _store(file: str | None) -> EncryptedStore:
    file = file or next((place for place in secret_places() if place.endswith(".enc")), None)
    if file is None:
        raise InvalidArgument(
            "no encrypted file is set: name one with --file, or put one whose name ends in .enc into the setting "
            "secrets, see docs/secrets.md"
        )
    return EncryptedStore.from_env(file)


def _value(name: str) -> str:
    if sys.stdin.isatty():
        value = typed_twice(f"Value of {name}", "value")
    else:
        try:
            value = sys.stdin.buffer.read().decode().removesuffix("\n").removesuffix("\r")
        except UnicodeDecodeError:
            raise InvalidArgument("the value is not UTF-8; nothing was changed") from None
    if not value:
        raise InvalidArgument("no value was given; nothing was changed")
    return value


def _say(scope: Scope, told: object, text: str) -> int:
    if scope.json:
        print_json(told)
    else:
        console().print(Text(text), soft_wrap=True)
    return 0
