"""Where results of steps stand that may stand for later calls."""

from __future__ import annotations

from collections.abc import Sequence

from segue.stores.cache_rows import CacheEntry
from segue.stores.sql.statements import Connection, Statement, Writer, flat

_keep = Statement("keep_cached")
_drop_expired = Statement("drop_expired_cached")
_drop = Statement("drop_cached")


def keep(connection: Connection, entries: Sequence[CacheEntry]) -> None:
    """Keeps the entries; of two for one key, the later one."""
    if not entries:
        return
    latest = {(entry.namespace, entry.step, entry.key): entry for entry in entries}.values()
    _keep.many(connection, flat((c.namespace, c.step, c.key, c.run, c.seq, c.at, c.expires) for c in latest))
    _drop_expired.one(connection, (max(entry.at for entry in entries),))


def drop(writer: Writer, namespace: str, step: str, key: str | None) -> int:
    """See ``Store.drop_cached``."""
    with writer.transaction() as connection:
        _drop.one(connection, (namespace, step, key))
        return connection.changes()
