"""Asks one back end after the other; and what a back end is."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from segue.errors import InvalidArgument, SecretNotFound


class Backend(Protocol):
    """A place that holds secrets."""

    def find(self, name: str) -> str | None:
        """The value, or None when it is not here."""

    def __str__(self) -> str:
        """The place, for messages; never a value."""


class SecretChain:
    """Back ends in the order in which they are asked; the first that has the secret answers."""

    def __init__(self, backends: Iterable[Backend]) -> None:
        self._backends = tuple(backends)

    def get(self, name: str) -> str:
        """The value of a secret; hand this method to ``SecretScope``.

        Raises:
            InvalidArgument: the name is empty.
            SecretNotFound: no back end has it.
        """
        if not name:
            raise InvalidArgument("a secret's name is empty")
        for backend in self._backends:
            value = backend.find(name)
            if value is not None:
                return value
        raise SecretNotFound(name, [str(backend) for backend in self._backends])

    def __repr__(self) -> str:
        return f"SecretChain({', '.join(map(str, self._backends))})"
