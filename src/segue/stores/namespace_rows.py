"""What is said of namespaces: what each is for, and how long its runs are kept. None of it makes a run or is needed by
one: a namespace of which nothing is said is one all the same."""

from __future__ import annotations

import builtins
from collections.abc import Callable
from typing import Protocol

import msgspec


class NamespaceRow(msgspec.Struct, frozen=True, gc=False):
    """``description``: "" for none. ``retention``: JSON of rules, "" for those of the settings."""

    name: str
    description: str = ""
    retention: str = ""


class NamespaceRows(Protocol):
    """Each call is one transaction, on disk when it returns, or one look. Any thread of any process may call."""

    def list(self) -> builtins.list[NamespaceRow]:
        """Those of which something is said, by name."""

    def get(self, name: str) -> NamespaceRow:
        """What is said of one, if anything."""

    def change(
        self,
        name: str,
        *,
        description: str | None = None,
        retention: str | None = None,
        check: Callable[[NamespaceRow], None] | None = None,
    ) -> NamespaceRow:
        """Says it otherwise, None as before; what is said of the namespace then. The row of one of which nothing is
        said any more is deleted. ``check`` is shown what is said of it so far; if it raises, nothing is changed."""


class HasNamespaceRows(Protocol):
    """The part of a ``Store`` that leads to them."""

    @property
    def described(self) -> NamespaceRows: ...
