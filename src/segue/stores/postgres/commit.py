"""The transaction of a batch.

Others write at the same time. Rows that a decision relies on are locked (each statement's header says which); where two
transactions meet all the same, one of them is turned back by a key or by the server, has written nothing, and comes
again.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from contextlib import nullcontext, suppress

import psycopg

from segue.errors import FenceLost, StoreError, TransactionLost
from segue.stores.base import APPENDED, Answer, Append, Batch, CompleteTask, Fence, Operation, Post, TellStep
from segue.stores.postgres.connection import CONFLICTS, OUT_OF_REACH, UNFIT, meaning
from segue.stores.postgres.session import RawCursor, Session
from segue.stores.postgres.transactions import CutOff
from segue.stores.postgres.writer import Writer, lost
from segue.stores.sql import commit as sql
from segue.stores.sql.lent import Undone
from segue.stores.sql.statements import Statement
from segue.stores.transacting import Transact, Transacted

log = logging.getLogger("segue.store")

_append_one = Statement("append_one")
_leave = Statement("leave_owners")

CUT_OFF = 3
"""How often the connection is lost under a step before that counts as its own doing."""
TRIES = 20
"""How often a batch comes again that met others; after that it is its own rows that do not fit."""

CarryOut = Callable[[Session, Sequence[Operation]], sql.Answers]


def commit(writer: Writer, batch: Batch) -> list[Answer]:
    """Carries out the batch; see ``Store.commit``."""
    sql.check_fenced(batch)
    return sql.without_undone(batch, lambda rest: _commit(writer, rest))


def _commit(writer: Writer, batch: Batch) -> list[Answer]:
    try:
        carry_out: CarryOut = sql.all_at_once
        for _ in range(TRIES):
            try:
                return _attempt(writer, batch, carry_out)
            except CONFLICTS as error:
                log.debug("a batch met another one and comes again: %s", error)
            except UNFIT as error:  # which row it is about is not told
                log.warning("a batch holds something that cannot be stored (%s); each goes in by itself", error)
                carry_out = _one_by_one
        return _attempt(writer, batch, _whatever_fits)
    except FenceLost:
        _leave_behind(writer, batch)
        raise
    except CutOff as cut:
        _give_up(writer, cut)
        raise meaning(cut.error, writer.address) from cut
    except psycopg.Error as error:
        raise meaning(error, writer.address) from error


def _give_up(writer: Writer, cut: CutOff) -> None:
    """Raises ``Undone`` where it is the step's doing that the connection was lost: it would be lost with it for ever.

    A step that was late has most likely been ended by the server. For others it tells who is to blame that they are
    always under way when it happens: a function that crashes the server, a limit that somebody has set there.
    """
    step = cut.operation.run, cut.operation.message
    writer.cut_off[step] += 1
    error: Exception | None = cut.late
    if error is None and writer.cut_off[step] == CUT_OFF:
        error = TransactionLost(
            f"the server has ended the connection {CUT_OFF} times in a row while the transaction was under way ("
            f"{' '.join(str(cut.error).split())}); look at the server's log, and for limits of time that are set there"
        )
    if error is not None:
        del writer.cut_off[step]
        raise Undone(cut.operation, Transacted("failed", cut.operation.run, error)) from cut


def _leave_behind(writer: Writer, batch: Batch) -> None:
    """Removes what there may be yet of the worker, if the database was set back: nobody has to wait for the end of a
    lease that nobody goes on with."""
    if batch.fence is not None:
        with suppress(StoreError), writer.transaction() as session:
            _leave.one(session, (batch.fence.app, batch.fence.epoch))


def _attempt(writer: Writer, batch: Batch, carry_out: CarryOut) -> list[Answer]:
    with writer.session() as session:
        if _append_one_event(writer, session, batch):
            return [APPENDED]
        # What may go wrong in a part of a batch, and be taken back, has to be waited for.
        whole = carry_out is sql.all_at_once and not any(type(each) is Transact for each in batch.operations)
        try:
            with session.pipelined() if whole and writer.address.prepares else nullcontext():
                answers = _transaction(writer, session, batch, carry_out)
        except BaseException:
            writer.roll_back()
            raise
        writer.cut_off.clear()
        if batch.fence is not None:
            writer.acknowledged(batch.fence, batch.commit_id)  # not before it is on disk
        return [answers[index] for index in range(len(batch.operations))]


def _transaction(writer: Writer, session: Session, batch: Batch, carry_out: CarryOut) -> sql.Answers:
    session.raw.execute(writer.begin)
    fence = batch.fence
    proof = None
    if fence is not None:
        known = writer.landed.get(fence, 0)
        proof = session.send("fence", (batch.commit_id, fence.app, fence.epoch, known))
    if not session.is_pipelined:
        _check(fence, proof)
    others = _others(session, batch)
    if not session.is_pipelined:
        _check_none(fence, others)
    answers = carry_out(session, batch.operations)
    if fence is None or any(_tells_others(operation) for operation in batch.operations):
        session.raw.execute("NOTIFY segue")
    if session.is_pipelined:  # its answer has long come; all of it is rolled back where the fence is void
        _check(fence, proof)
        _check_none(fence, others)
    session.raw.execute("COMMIT")
    return answers


def _others(session: Session, batch: Batch) -> RawCursor | None:
    """Looks for runs whose numbers are other ones' by now: what the worker has read from the database was forgotten,
    before anything was written on it that would tell."""
    read = [each for each in batch.operations if isinstance(each, Append | Transact) and each.uid]
    if not read:
        return None
    return session.send("find_other_runs", ([each.run for each in read], [each.uid for each in read]))


def _check(fence: Fence | None, proof: RawCursor | None) -> None:
    if fence is not None and proof is not None and not proof.fetchall():
        raise lost(fence)


def _check_none(fence: Fence | None, others: RawCursor | None) -> None:
    if fence is not None and others is not None and others.fetchall():
        raise lost(fence)


def _tells_others(operation: Operation) -> bool:
    """Whether it may be for a run of another worker: a hint that has it look at once."""
    return bool(getattr(operation, "posts", ())) or isinstance(operation, (Post, CompleteTask, TellStep))


def _append_one_event(writer: Writer, session: Session, batch: Batch) -> bool:
    """The short way for one event and nothing else; False where it is none, or does not go in just like that."""
    append, fence = sql.only_event(batch), batch.fence
    if append is None or fence is None:
        return False
    values = append.run, append.seq, append.events[0], fence.app, fence.epoch, writer.landed.get(fence, 0)
    try:
        low = writer.leaves.of(session, append.run)
        if low is None:
            _append_one.one(session, values)
        else:
            session.one_in(low, _append_one.name, values)
    except CONFLICTS:
        return False
    except OUT_OF_REACH:
        writer.leaves.forget()
        return False
    return session.changes() == 1  # no fence, or not the next place: the long way finds out and says so


def _one_by_one(session: Session, operations: Sequence[Operation]) -> sql.Answers:
    """One that has met another batch is none that cannot be stored: all of them come again."""
    return sql.one_by_one(session, operations, unfit=UNFIT, but=CONFLICTS)


def _whatever_fits(session: Session, operations: Sequence[Operation]) -> sql.Answers:
    return sql.one_by_one(session, operations, unfit=UNFIT)
