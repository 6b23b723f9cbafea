"""Where an engine's secrets come from: what was given, or else what the settings say."""

from __future__ import annotations

import os
from collections.abc import Mapping
from itertools import count
from pathlib import Path

from segue.configuration.settings import secret_places
from segue.errors import InvalidArgument
from segue.owner.host import Secrets
from segue.secrets import Backend, EncryptedStore, Environment, Given, SecretChain, SecretFolder, SecretToml


def secrets_of(given: Mapping[str, str] | Secrets | None) -> Secrets:
    """What was given, or else ``configured_secrets``. Raises ``InvalidArgument``, ``OperatorError``."""
    if given is None:
        return configured_secrets()
    return SecretChain([Given(given)]) if isinstance(given, Mapping) else given


def configured_secrets() -> SecretChain:
    """The environment, and after it what the setting ``secrets`` names, in its order; each has been looked at once.

    Raises:
        InvalidArgument: a place is not there, is of no kind that is known, or its master key is not to be had.
        OperatorError: a place cannot be read.
    """
    return SecretChain([Environment(), *map(_back_end, secret_places(), count(1))])


def _back_end(place: str, number: int) -> Backend:
    path = Path(place).absolute()  # the program may go to another folder
    if os.path.isdir(path):
        return SecretFolder(path)
    entry = f"entry {number} of the setting secrets" + (f" ({path})" if _looks_like_a_path(place) else "")
    if not os.path.exists(path):  # unlike Path.exists, also where it is no path at all
        made = "; `segue secret set NAME` makes it" if path.suffix == ".enc" else ""
        raise InvalidArgument(f"{entry} is not there{made}", path="secrets")
    if path.suffix == ".toml":
        toml = SecretToml(path)
        toml.check()
        return toml
    if path.suffix == ".enc":
        store = EncryptedStore.from_env(path)
        store.list()
        return store
    raise InvalidArgument(f"{entry} is neither a folder nor a file whose name ends in .toml or .enc", path="secrets")


def _looks_like_a_path(place: str) -> bool:
    """What does not may be a secret that was put there by mistake, and is not repeated."""
    head = os.path.dirname(place.rstrip("/"))
    return place.endswith((".toml", ".enc")) or (bool(head.strip("/")) and os.path.isdir(head))
