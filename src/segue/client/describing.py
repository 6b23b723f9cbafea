"""What an engine's database says of namespaces: what each is for, and how long its runs are kept after their end."""

from __future__ import annotations

import builtins
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, cast

import msgspec

from segue.errors import InvalidArgument
from segue.kernel.names import checked_namespace, checked_text
from segue.runtime.beside import beside
from segue.runtime.keeping import Rules, read, rules_of, written
from segue.runtime.settings import Retention
from segue.stores.base import Store
from segue.stores.namespace_rows import NamespaceRow

if TYPE_CHECKING:
    from segue.engine import Engine

LONGEST = 1_000
"""Characters of a description."""
LISTED = 1_000
"""Namespaces that are listed; of more, the first."""


class NamespaceInfo(msgspec.Struct, frozen=True):
    """A namespace, and what is said of it.

    Attributes:
        description: what it is for, "" if nobody has said.
        retention: how long its runs are kept; empty for ever, None for as long as the settings say.
    """

    name: str
    description: str = ""
    retention: tuple[Retention, ...] | None = None


class Describing:
    """The part of an engine that knows of namespaces. What it builds on is the engine's."""

    namespace: str
    store: Store

    @property
    def _engine(self) -> Engine:
        return cast("Engine", self)

    async def namespaces(self) -> builtins.list[NamespaceInfo]:
        """The namespaces of the database by name: those in which there is something, those of which something is said,
        and this engine's own. Of more than a thousand, the first."""
        return await beside(self._namespaces)

    def _namespaces(self) -> builtins.list[NamespaceInfo]:
        said = {row.name: row for row in self.store.described.list()}
        names = {self.namespace, *self.store.namespaces(most=LISTED)}
        return [info_of(said.get(name) or NamespaceRow(name)) for name in sorted(names)][:LISTED]

    async def describe_namespace(
        self,
        name: str | None = None,
        *,
        description: str | msgspec.UnsetType = msgspec.UNSET,
        retention: Rules | msgspec.UnsetType | None = msgspec.UNSET,
        check: Callable[[NamespaceInfo], None] | None = None,
    ) -> NamespaceInfo:
        """Says what a namespace is for, and how long its runs are kept; what is left out stays as it was. Whoever owns
        runs there goes by it within seconds. It is there from then on, if it was not.

        Args:
            name: by default this engine's own.
            description: up to 1,000 characters; "" for none.
            retention: ``"30d"`` for all runs, or rules; an empty list keeps them for ever, None has the settings say.
            check: is shown what is said of it so far, in the transaction; if it raises, nothing is changed.

        Raises:
            InvalidArgument: one of these cannot be used; nothing was changed.
        """
        name = checked_namespace(self.namespace if name is None else name)
        text = None if isinstance(description, msgspec.UnsetType) else checked_description(description)
        rules = None
        if not isinstance(retention, msgspec.UnsetType):
            rules = written(None if retention is None else rules_of(retention))
        before = None if check is None else partial(_shown, check)
        row = await beside(self.store.described.change, name, description=text, retention=rules, check=before)
        duty = self._engine.duty
        if duty is not None and rules is not None:
            duty.retaining.look_at_rules()
        return info_of(row)


def checked_description(text: str) -> str:
    """The text, if it can be what is said of a namespace. Raises ``InvalidArgument``."""
    try:
        checked_text(text, "a description")
    except InvalidArgument as error:
        raise InvalidArgument(str(error), path="$.description") from error
    if len(text) > LONGEST:
        raise InvalidArgument(
            f"this description has {len(text):,} characters; it may have {LONGEST:,}: shorten it", path="$.description"
        )
    return text


def _shown(check: Callable[[NamespaceInfo], None], row: NamespaceRow) -> None:
    check(info_of(row))


def info_of(row: NamespaceRow) -> NamespaceInfo:
    """A row, its rules read."""
    return NamespaceInfo(row.name, row.description, read(row))
