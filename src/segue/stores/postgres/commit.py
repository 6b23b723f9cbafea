"""The transaction of a batch.

Others write at the same time. Rows that a decision relies on are locked (each statement's header says which); where two
transactions meet all the same, one of them is turned back by a key or by the server, has written nothing, and comes
again.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence

import psycopg

from segue.stores.base import Answer, Batch, Operation
from segue.stores.postgres.connection import CONFLICTS, UNFIT, meaning
from segue.stores.postgres.session import Session
from segue.stores.postgres.writer import Writer, lost
from segue.stores.sql import commit as sql
from segue.stores.sql.statements import Connection, Statement

log = logging.getLogger("segue.store")

_append_one = Statement("append_one")
_fence = Statement("fence")

TRIES = 20
"""How often a batch comes again that met others; after that it is its own rows that do not fit."""

CarryOut = Callable[[Session, Sequence[Operation]], sql.Answers]


def commit(writer: Writer, batch: Batch) -> list[Answer]:
    """Carries out the batch; see ``Store.commit``."""
    sql.check_fenced(batch)
    try:
        for _ in range(TRIES):
            try:
                return _attempt(writer, batch, sql.all_at_once)
            except CONFLICTS as error:
                log.debug("a batch met another one and comes again: %s", error)
            except UNFIT as error:  # which row it is about is not told
                log.warning("a batch holds something that cannot be stored (%s); each goes in by itself", error)
                break
        return _attempt(writer, batch, _one_by_one)
    except psycopg.Error as error:
        raise meaning(error, writer.address) from error


def _attempt(writer: Writer, batch: Batch, carry_out: CarryOut) -> list[Answer]:
    with writer.session() as session:
        if _append_one_event(session, batch):
            return [sql.APPENDED]
        try:
            session.raw.execute(writer.begin)
            fence = batch.fence
            if fence is not None:
                _fence.one(session, (batch.commit_id, fence.app, fence.epoch))
                if session.changes() != 1:
                    raise lost(fence)
            answers = carry_out(session, batch.operations)
            if batch.fence is None or any(operation_tells_others(operation) for operation in batch.operations):
                session.raw.execute("NOTIFY segue")
            session.raw.execute("COMMIT")
        except BaseException:
            writer.roll_back()
            raise
        return [answers[index] for index in range(len(batch.operations))]


def operation_tells_others(operation: Operation) -> bool:
    """Whether it may be for a run of another worker: a hint that has it look at once."""
    return bool(getattr(operation, "posts", ())) or type(operation).__name__ in ("Post", "CompleteTask", "TellStep")


def _append_one_event(session: Session, batch: Batch) -> bool:
    """The short way for one event and nothing else; False where it is none, or does not go in just like that."""
    append, fence = sql.only_event(batch), batch.fence
    if append is None or fence is None:
        return False
    try:
        _append_one.one(session, (append.run, append.seq, append.events[0], fence.app, fence.epoch))
    except CONFLICTS:
        return False
    return session.changes() == 1  # no fence, or not the next place: the long way finds out and says so


def _one_by_one(session: Session, operations: Sequence[Operation]) -> sql.Answers:
    return sql.one_by_one(session, operations, _isolated)


def _isolated(session: Connection, operation: Operation) -> Answer:
    session.execute("SAVEPOINT operation")
    try:
        answer = sql.all_at_once(session, (operation,))[0]
    except UNFIT as error:
        session.execute("ROLLBACK TO SAVEPOINT operation")
        answer = sql.rejected(operation, error)
    session.execute("RELEASE SAVEPOINT operation")
    return answer
