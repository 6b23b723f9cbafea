"""Asks one back end after the other; and what a back end is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Protocol, runtime_checkable

from segue.errors import InvalidArgument, SecretNotFound


class Backend(Protocol):
    """A place that holds secrets."""

    def find(self, name: str) -> str | None:
        """The value, or None when it is not here."""

    def __str__(self) -> str:
        """The place, for messages; never a value."""


@runtime_checkable
class Settable(Protocol):
    """A back end that can say how a secret gets there."""

    def way(self, name: str) -> str:
        """What to do so that the secret is there, for messages."""


class Given:
    """Secrets that a program, or a test, holds itself."""

    def __init__(self, values: Mapping[str, str]) -> None:
        self._values = dict(values)

    def find(self, name: str) -> str | None:
        """The value, or None."""
        return self._values.get(name)

    def __str__(self) -> str:
        return "what was given as secrets="


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
        ways = [backend.way(name) for backend in self._backends if isinstance(backend, Settable)]
        remedy = f"where the step runs: {', or '.join(ways)}" if ways else ""
        raise SecretNotFound(name, [str(backend) for backend in self._backends], remedy)

    def __repr__(self) -> str:
        return f"SecretChain({', '.join(map(str, self._backends))})"
