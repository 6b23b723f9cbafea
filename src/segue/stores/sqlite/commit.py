"""The transaction: a batch goes in as a whole, apart from runs that are refused and operations that cannot be stored.

It is as if what live attempts say came first, then the appends, then schedules, then the starts (those of appends, then
of schedules, then by themselves), each with the message that comes with it, then messages (of appends, of schedules,
posts, then what completed tasks and steps say), each kind in the order of the batch: a run that closes in a batch is
closed for every message in it. The code of transactional steps comes last.

Measured with fsync on a local disk, where a raw commit of one 200-byte row takes 74 µs: a batch of one event 89 µs (7
and 15 µs of it processor time). In batches of 1,000 runs, per run, all in: start 10 µs, one event 4 µs, a message 7 µs,
two events and the end of the run 12 µs; while another thread computes, with a switch interval of 5 ms, three to seven
times that, and with 0.5 ms once and a half.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

import apsw
import msgspec

from segue.errors import InvalidArgument
from segue.stores.base import (
    Answer,
    Append,
    Appended,
    Batch,
    CompleteTask,
    HoldStep,
    LiveAttempt,
    Noted,
    Operation,
    Post,
    Posted,
    Rejected,
    Started,
    StartRun,
    TellStep,
)
from segue.stores.outbox_rows import SettleOutbox
from segue.stores.schedule_rows import ScheduleWritten, WriteSchedule
from segue.stores.sqlite import (
    appends,
    attempts,
    holds,
    outbox,
    posts,
    schedules,
    starts,
    tasks,
    transactions,
)
from segue.stores.sqlite.connection import SURROUNDINGS, meaning
from segue.stores.sqlite.statements import statement
from segue.stores.sqlite.writer import Writer, lost
from segue.stores.transacting import Transact

log = logging.getLogger("segue.store")

_append_one = statement("append_one")
_fence = statement("fence")
_landed_batch = statement("landed_batch")
_landed_event = statement("landed_event")

_APPENDED = Appended("appended")
_VETOED = Appended("vetoed")
_LOST = Appended("lost")
_NOTED = Noted()

_UNFIT = (apsw.Error, TypeError, OverflowError, UnicodeEncodeError)
"""What a value raises that does not fit, on its way to SQLite or in it."""

T = TypeVar("T")
_Answers = dict[int, Answer]
"""Answers by the number of their operation in the batch."""


def commit(writer: Writer, batch: Batch) -> list[Answer]:
    """Carries out the batch; see ``Store.commit``."""
    if batch.fence is None and any(type(operation) in (Append, Transact) for operation in batch.operations):
        raise InvalidArgument(
            "a batch without a fence may hold no Append and no Transact: only the owner of a run writes its journal "
            "and runs its steps"
        )
    try:
        return _commit(writer, batch)
    except transactions.Undone as undone:
        index = next(i for i, operation in enumerate(batch.operations) if operation is undone.operation)
        rest = batch.operations[:index] + batch.operations[index + 1 :]
        answers = commit(writer, msgspec.structs.replace(batch, operations=rest)) if rest else []
        answers.insert(index, undone.answer)
        return answers


def _commit(writer: Writer, batch: Batch) -> list[Answer]:
    with writer.lock:
        writer.check_file()
        try:
            if len(batch.operations) == 1 and _append_one_event(writer.connection, batch):
                return [_APPENDED]
            return _transaction(writer, batch, _all_at_once)
        except SURROUNDINGS as error:
            raise meaning(error, writer.path) from error
        except _UNFIT as error:  # which row it is about is not told
            log.warning("a batch holds something that cannot be stored (%s); each operation goes in by itself", error)
        try:
            return _transaction(writer, batch, _one_by_one)
        except apsw.Error as error:
            raise meaning(error, writer.path) from error


def landed(connection: apsw.Connection, batch: Batch) -> bool:
    """Whether the batch is in; see ``Store.landed``."""
    if batch.fence is None:
        raise InvalidArgument("only a batch with a fence is recorded; send one without a second time instead")
    rows = _landed_batch.one(connection, (batch.fence.app, batch.fence.epoch))
    if rows and rows[0][0] >= batch.commit_id:
        return True
    match batch.operations:
        case (Append() as append,) if append.events:
            return bool(_landed_event.one(connection, (append.run, append.seq, append.events[0])))
    return False


def _append_one_event(connection: apsw.Connection, batch: Batch) -> bool:
    """The short way for one event and nothing else; False where it is none, or does not go in just like that."""
    append, fence = batch.operations[0], batch.fence
    if type(append) is not Append or fence is None or len(append.events) != 1 or _is_more_than_events(append):
        return False
    try:
        _append_one.one(connection, (append.run, append.seq, append.events[0], fence.app, fence.epoch))
    except apsw.ConstraintError:
        return False  # no fence, or not the next place; the long way finds out and says so
    return True


def _is_more_than_events(append: Append) -> bool:
    return bool(
        append.status is not None
        or append.check_inbox
        or append.consumed
        or append.posts
        or append.starts
        or appends.brings_more(append)
    )


def _transaction(
    writer: Writer, batch: Batch, carry_out: Callable[[apsw.Connection, Sequence[Operation]], _Answers]
) -> list[Answer]:
    connection, fence = writer.connection, batch.fence
    try:
        connection.execute("BEGIN IMMEDIATE")
        if fence is not None:
            _fence.one(connection, (batch.commit_id, fence.app, fence.epoch))
            if connection.changes() != 1:
                raise lost(fence)
        answers = carry_out(connection, batch.operations)
        connection.execute("COMMIT")
        return [answers[index] for index in range(len(batch.operations))]
    except BaseException:
        writer.roll_back()
        raise


def _all_at_once(connection: apsw.Connection, operations: Sequence[Operation]) -> _Answers:
    """Few statements for all operations."""
    return _apply(connection, _by_kind(operations))


def _one_by_one(connection: apsw.Connection, operations: Sequence[Operation]) -> _Answers:
    """Each operation by itself, so that the one that cannot be stored is found and left out."""
    answers: _Answers = {}
    kinds = _by_kind(operations)
    for kind in (kinds.living, kinds.appending, kinds.writing, kinds.starting, kinds.posting, kinds.completing,
                 kinds.telling, kinds.holding, kinds.transacting, kinds.settling):  # fmt: skip
        for index, operation in kind.items():
            answers[index] = _isolated(connection, operation)
    return answers


def _isolated(connection: apsw.Connection, operation: Operation) -> Answer:
    connection.execute("SAVEPOINT operation")
    try:
        answer = _all_at_once(connection, (operation,))[0]
    except SURROUNDINGS:
        raise
    except _UNFIT as error:
        connection.execute("ROLLBACK TO operation")
        answer = Rejected(getattr(operation, "run", None) or 0, f"{type(error).__name__}: {error}")
    connection.execute("RELEASE operation")
    return answer


class _Kinds:
    """The operations of a batch, each kind by their number in it."""

    __slots__ = (
        "appending", "completing", "holding", "living", "posting", "settling", "starting", "telling", "transacting",
        "writing",
    )  # fmt: skip

    def __init__(self) -> None:
        self.living: dict[int, LiveAttempt] = {}
        self.appending: dict[int, Append] = {}
        self.writing: dict[int, WriteSchedule] = {}
        self.starting: dict[int, StartRun] = {}
        self.posting: dict[int, Post] = {}
        self.completing: dict[int, CompleteTask] = {}
        self.telling: dict[int, TellStep] = {}
        self.holding: dict[int, HoldStep] = {}
        self.transacting: dict[int, Transact] = {}
        self.settling: dict[int, SettleOutbox] = {}


_KIND: dict[type[Operation], str] = {
    LiveAttempt: "living",
    Append: "appending",
    WriteSchedule: "writing",
    StartRun: "starting",
    Post: "posting",
    CompleteTask: "completing",
    TellStep: "telling",
    HoldStep: "holding",
    Transact: "transacting",
    SettleOutbox: "settling",
}


def _by_kind(operations: Sequence[Operation]) -> _Kinds:
    kinds = _Kinds()
    for index, operation in enumerate(operations):
        getattr(kinds, _KIND[type(operation)])[index] = operation
    return kinds


def _apply(connection: apsw.Connection, kinds: _Kinds) -> _Answers:
    answers: _Answers = {}
    if kinds.living:
        attempts.keep(connection, list(kinds.living.values()))
        answers.update(dict.fromkeys(kinds.living, _NOTED))
    appending = kinds.appending
    accepted = _append(connection, appending, answers) if appending else []
    written = _write_schedules(connection, kinds.writing, answers) if kinds.writing else []
    started = _start(connection, kinds, accepted, written)
    told: dict[int, tuple[Post, Callable[[Posted], Answer]]] = {}
    for index, done in kinds.completing.items():
        _note_answer(index, tasks.complete(connection, done), tasks.answered, answers, told)
    for index, said in kinds.telling.items():
        _note_answer(index, attempts.tell(connection, said), attempts.answered, answers, told)
    for index, step in kinds.holding.items():
        holds.hold(connection, step)
        answers[index] = _NOTED
    letters = [post for index in accepted for post in appending[index].posts]
    letters += [post for index in written for post in kinds.writing[index].posts]
    messages = [*letters, *kinds.posting.values(), *(post for post, _ in told.values())]
    posted = iter(posts.deliver(connection, messages))
    for index in accepted:
        append = appending[index]
        if append.posts or append.starts:
            answers[index] = msgspec.structs.replace(
                answers[index], posted=_take(posted, append.posts), started=_take(started, append.starts)
            )
    for index in written:
        operation = kinds.writing[index]
        answers[index] = msgspec.structs.replace(
            answers[index], posted=_take(posted, operation.posts), started=_take(started, operation.starts)
        )
    answers.update((index, next(started)) for index in kinds.starting)
    answers.update((index, next(posted)) for index in kinds.posting)
    answers.update((index, answered(next(posted))) for index, (_, answered) in told.items())
    for index, transact in kinds.transacting.items():
        answers[index] = transactions.carry_out(connection, transact)
    if kinds.settling:
        answers.update(dict.fromkeys(kinds.settling, outbox.settle(connection, list(kinds.settling.values()))))
    return answers


def _take(answers: Iterator[T], asked: Sequence[object]) -> tuple[T, ...]:
    """The next answers, one for each of what was asked."""
    return tuple(next(answers) for _ in asked)


def _write_schedules(connection: apsw.Connection, writing: dict[int, WriteSchedule], answers: _Answers) -> list[int]:
    """Writes schedules, without what they set in motion; the numbers of those that are in."""
    written: list[int] = []
    for index, operation in writing.items():
        revision = schedules.write(connection, operation)
        answers[index] = ScheduleWritten("stale") if revision is None else ScheduleWritten("written", revision)
        if revision is not None:
            written.append(index)
    return written


def _start(
    connection: apsw.Connection, kinds: _Kinds, accepted: Sequence[int], written: Sequence[int]
) -> Iterator[Started]:
    """Starts what the accepted appends and the schedules that were written start, then what is started by itself; the
    answers are in that order."""
    starting = [start for index in accepted for start in kinds.appending[index].starts]
    starting += [start for index in written for start in kinds.writing[index].starts]
    starting += kinds.starting.values()
    if not starting:
        return iter(())
    started = starts.start(connection, starting)
    _post_with_starts(connection, starting, started)
    return iter(started)


def _post_with_starts(connection: apsw.Connection, starting: Sequence[StartRun], started: list[Started]) -> None:
    """Delivers the messages that come with starts, each to the run that its start was answered with."""
    posted: dict[int, Post] = {}
    for index, (wanted, answer) in enumerate(zip(starting, started, strict=True)):
        if wanted.post is not None and answer.outcome != "refused":
            posted[index] = msgspec.structs.replace(wanted.post, run=answer.run)
    for index, told in zip(posted, posts.deliver(connection, list(posted.values())), strict=True):
        started[index] = msgspec.structs.replace(started[index], posted=told)


def _note_answer(
    index: int,
    found: Answer | Post,
    answered: Callable[[Posted], Answer],
    answers: _Answers,
    told: dict[int, tuple[Post, Callable[[Posted], Answer]]],
) -> None:
    """What a completion leads to: a message to be delivered, or an answer at once."""
    if isinstance(found, Post):
        told[index] = found, answered
    else:
        answers[index] = found


def _append(connection: apsw.Connection, appending: dict[int, Append], answers: _Answers) -> list[int]:
    """Carries out the appends but for their posts; the numbers of those that are in."""
    refused: dict[int, bool] = {}
    accepted: list[int] = []
    for wave in _waves(appending):
        refused = appends.refused(connection, list(wave.values())) | refused
        if refused:
            answers.update((i, _LOST if refused[a.run] else _VETOED) for i, a in wave.items() if a.run in refused)
            wave = {index: append for index, append in wave.items() if append.run not in refused}
        next_runs = appends.apply(connection, list(wave.values()))
        answers.update(dict.fromkeys(wave, _APPENDED))
        for index, append in wave.items() if next_runs else ():
            if append.run in next_runs:
                answers[index] = Appended("appended", (), next_runs[append.run])
        accepted += wave
    return accepted


def _waves(appending: dict[int, Append]) -> list[dict[int, Append]]:
    """The appends in groups that hold each run once: a run's second append builds on its first."""
    if len({append.run for append in appending.values()}) == len(appending):
        return [appending]
    waves: list[dict[int, Append]] = []
    seen: dict[int, int] = {}
    for index, append in appending.items():
        nth = seen[append.run] = seen.get(append.run, -1) + 1
        if nth == len(waves):
            waves.append({})
        waves[nth][index] = append
    return waves
