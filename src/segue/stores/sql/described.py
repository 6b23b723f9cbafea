"""What is said of namespaces: each call is one transaction, or one look."""

from __future__ import annotations

import builtins
from collections.abc import Callable

from segue.stores.namespace_rows import NamespaceRow
from segue.stores.sql.statements import Readers, Statement, Writer

_list = Statement("list_described")
_get = Statement("described_by_name")
_describe = Statement("describe_namespace")
_drop = Statement("drop_undescribed")


class Described:
    """Fulfils ``NamespaceRows``, where the docstrings stand."""

    def __init__(self, writer: Writer, readers: Readers) -> None:
        self._writer = writer
        self._readers = readers

    def list(self) -> builtins.list[NamespaceRow]:
        with self._readers.reading() as connection:
            return sorted((NamespaceRow(*row) for row in _list.one(connection)), key=lambda row: row.name)

    def get(self, name: str) -> NamespaceRow:
        with self._readers.reading() as connection:
            return next((NamespaceRow(*row) for row in _get.one(connection, (name,))), NamespaceRow(name))

    def change(
        self,
        name: str,
        *,
        description: str | None = None,
        retention: str | None = None,
        check: Callable[[NamespaceRow], None] | None = None,
    ) -> NamespaceRow:
        with self._writer.transaction() as connection:
            if check is not None:
                (before,) = _describe.one(connection, (name, None, None))  # which locks it, also where it is not there
                check(NamespaceRow(*before))
            (row,) = _describe.one(connection, (name, description, retention))
            _drop.one(connection, (name,))
        return NamespaceRow(*row)
