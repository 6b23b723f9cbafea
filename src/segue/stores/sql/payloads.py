"""Large values, kept once under their content address and counted by the runs that refer to them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from segue.stores.base import Blob
from segue.stores.sql.statements import Connection, Statement, flat, texts

_keep = Statement("keep_payloads")
_refer = Statement("refer_to_payloads")
_forget = Statement("forget_payloads")
_lock = Statement("lock_payloads")
_leave = Statement("leave_dropped")
_drop = Statement("drop_payloads")


def keep(connection: Connection, blobs: Sequence[tuple[int, Blob]]) -> None:
    """Keeps the values and counts the runs given with them."""
    if blobs:
        _keep.many(connection, flat((blob.ref, blob.data) for _, blob in blobs if blob.data is not None))
        _refer.many(connection, flat((run, blob.ref) for run, blob in blobs))


def forget(connection: Connection, run: int, refs: Iterable[str]) -> None:
    """Takes back a run's references to the values, and drops values that nobody refers to any more."""
    refs = list(refs)
    _forget.one(connection, (run, texts(refs)))
    drop(connection, refs)


def drop(connection: Connection, refs: Iterable[str]) -> None:
    """Drops those of the values that nobody refers to any more."""
    listed = (texts(refs),)
    _lock.one(connection, listed)  # whoever has just begun to refer to one is seen by the next statement
    _leave.one(connection, listed)
    _drop.one(connection, listed)
