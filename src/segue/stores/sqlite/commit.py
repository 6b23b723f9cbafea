"""The transaction of a batch.

Measured with fsync on a local disk, where a raw commit of one 200-byte row takes 74 µs: a batch of one event 89 µs (7
and 15 µs of it processor time). In batches of 1,000 runs, per run, all in: start 10 µs, one event 4 µs, a message 7 µs,
two events and the end of the run 12 µs; while another thread computes, with a switch interval of 5 ms, three to seven
times that, and with 0.5 ms once and a half.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence

import apsw

from segue.stores.base import APPENDED, Answer, Batch, Operation
from segue.stores.sql import commit as sql
from segue.stores.sql.statements import Statement
from segue.stores.sqlite.connection import SURROUNDINGS, meaning
from segue.stores.sqlite.session import Session
from segue.stores.sqlite.writer import Writer, lost

log = logging.getLogger("segue.store")

_append_one = Statement("append_one")
_fence = Statement("fence")

_UNFIT = (apsw.Error, TypeError, OverflowError, UnicodeEncodeError)
"""What a value raises that does not fit, on its way to SQLite or in it."""


def commit(writer: Writer, batch: Batch) -> list[Answer]:
    """Carries out the batch; see ``Store.commit``."""
    sql.check_fenced(batch)
    return sql.without_undone(batch, lambda rest: _commit(writer, rest))


def _commit(writer: Writer, batch: Batch) -> list[Answer]:
    with writer.lock:
        writer.check_file()
        try:
            short = _append_one_event(writer.connection, batch)
            answers: list[Answer] = [APPENDED] if short else _transaction(writer, batch, sql.all_at_once)
            writer.committed()
            return answers
        except SURROUNDINGS as error:
            raise meaning(error, writer.path) from error
        except _UNFIT as error:  # which row it is about is not told
            log.warning("a batch holds something that cannot be stored (%s); each operation goes in by itself", error)
        try:
            return _transaction(writer, batch, _one_by_one)
        except apsw.Error as error:
            raise meaning(error, writer.path) from error


def _append_one_event(connection: Session, batch: Batch) -> bool:
    """The short way for one event and nothing else; False where it is none, or does not go in just like that."""
    append, fence = sql.only_event(batch), batch.fence
    if append is None or fence is None:
        return False
    try:
        _append_one.one(connection, (append.run, append.seq, append.events[0], fence.app, fence.epoch))
    except apsw.ConstraintError:
        return False  # no fence, or not the next place; the long way finds out and says so
    return True


def _transaction(
    writer: Writer, batch: Batch, carry_out: Callable[[Session, Sequence[Operation]], sql.Answers]
) -> list[Answer]:
    connection, fence = writer.connection, batch.fence
    try:
        connection.raw.execute("BEGIN IMMEDIATE")
        if fence is not None:
            _fence.one(connection, (batch.commit_id, fence.app, fence.epoch))
            if connection.changes() != 1:
                raise lost(fence)
        answers = carry_out(connection, batch.operations)
        connection.raw.execute("COMMIT")
        return [answers[index] for index in range(len(batch.operations))]
    except BaseException:
        writer.roll_back()
        raise


def _one_by_one(connection: Session, operations: Sequence[Operation]) -> sql.Answers:
    return sql.one_by_one(connection, operations, unfit=_UNFIT, but=SURROUNDINGS)
