"""What became of the rows of the outbox, as their owner says."""

from __future__ import annotations

from collections.abc import Sequence

from segue.stores.outbox_rows import Settled, SettleOutbox
from segue.stores.sql.statements import Connection, Statement

_take = Statement("take_from_outbox")
_refuse = Statement("refuse_outbox")

_SETTLED = Settled()


def settle(connection: Connection, rows: Sequence[SettleOutbox]) -> Settled:
    """Removes rows that have become runs, and marks those that cannot."""
    _take.many(connection, [settled.row for settled in rows if settled.error is None])
    for settled in rows:
        if settled.error is not None:
            _refuse.one(connection, (settled.row, settled.error))
    return _SETTLED
