"""Runs that go on as new ones: the next run of a chain, and what is passed on to it."""

from __future__ import annotations

from segue.stores.base import RESIDENT, Append
from segue.stores.sql.payloads import keep
from segue.stores.sql.statements import Connection, Statement, flat

_leave_id = Statement("leave_id")
_continue = Statement("continue_run")
_append_events = Statement("append_events")
_keep_messages = Statement("keep_messages")
_recall = Statement("recall_messages")
_pass_on = Statement("pass_messages_on")
_share = Statement("share_payloads")


def go_on(connection: Connection, append: Append) -> int:
    """Starts the run that follows the one that the append closes; its number."""
    next_run = append.goes_on
    assert next_run is not None
    _leave_id.one(connection, (append.run,))
    values = (append.run, next_run.uid, next_run.version, RESIDENT, next_run.at)
    ((run, chain),) = _continue.one(connection, values)
    _append_events.many(connection, [run, 1, next_run.event])
    kept = next_run.kept
    _keep_messages.many(connection, flat((run, post.kind, post.message, post.at, post.body) for post in kept))
    _recall.many(connection, flat((chain, post.message, run) for post in kept if post.message))
    _pass_on.one(connection, (append.run, run))
    if connection.changes():
        _share.one(connection, (append.run, run))
    keep(connection, [(run, blob) for blob in (*next_run.blobs, *(blob for post in kept for blob in post.blobs))])
    return int(run)
