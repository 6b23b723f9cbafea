"""What a batch does inside its transaction: it goes in as a whole, apart from runs that are refused and operations that
cannot be stored. The transaction itself, its fence and its locks are the dialect's.

It is as if what live attempts say came first, then the appends, then schedules, then the starts (those of appends, then
of schedules, then by themselves), each with the message that comes with it, then messages (of appends, of schedules,
posts, then what completed tasks and steps say), each kind in the order of the batch: a run that closes in a batch is
closed for every message in it. The code of transactional steps comes last.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

import msgspec

from segue.errors import InvalidArgument
from segue.stores.attempt_rows import ClaimAttempts, LiveAttempt
from segue.stores.base import (
    APPENDED,
    Answer,
    Append,
    Appended,
    Batch,
    CompleteTask,
    HoldStep,
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
from segue.stores.sql import appends, attempts, holds, outbox, posts, schedules, starts, tasks
from segue.stores.sql.lent import Undone
from segue.stores.sql.statements import Connection, Statement
from segue.stores.transacting import Transact, Transacted

_landed_batch = Statement("landed_batch")
_landed_event = Statement("landed_event")

_VETOED = Appended("vetoed")
_LOST = Appended("lost")
_NOTED = Noted()
TRANSACTING = 0.5
"""Seconds in which the code of steps is begun in one batch: all other commits wait for it, and so does the worker's
lease, where there is one."""

T = TypeVar("T")
Answers = dict[int, Answer]
"""Answers by the number of their operation in the batch."""


Errors = tuple[type[Exception], ...]


def check_fenced(batch: Batch) -> None:
    """Refuses what only an owner may ask for, where no fence proves that it is one."""
    if batch.fence is None and any(type(operation) in (Append, Transact) for operation in batch.operations):
        raise InvalidArgument(
            "a batch without a fence may hold no Append and no Transact: only the owner of a run writes its journal "
            "and runs its steps"
        )


def without_undone(batch: Batch, commit: Callable[[Batch], list[Answer]]) -> list[Answer]:
    """Carries out the batch, and once more without each step because of which all of it was rolled back."""
    try:
        return commit(batch)
    except Undone as undone:
        index = next(i for i, operation in enumerate(batch.operations) if operation is undone.operation)
        rest = batch.operations[:index] + batch.operations[index + 1 :]
        answers = without_undone(msgspec.structs.replace(batch, operations=rest), commit) if rest else []
        answers.insert(index, undone.answer)
        return answers


def landed(connection: Connection, batch: Batch) -> bool:
    """Whether the batch is in; see ``Store.landed``."""
    if is_recorded(connection, batch):
        return True
    match batch.operations:
        case (Append() as append,) if append.events:
            return bool(_landed_event.one(connection, (append.run, append.seq, append.events[0])))
    return False


def is_recorded(connection: Connection, batch: Batch) -> bool:
    """Whether the number of the batch, or a later one, stands with its fence."""
    if batch.fence is None:
        raise InvalidArgument("only a batch with a fence is recorded; send one without a second time instead")
    rows = _landed_batch.one(connection, (batch.fence.app, batch.fence.epoch))
    return bool(rows) and rows[0][0] >= batch.commit_id


def only_event(batch: Batch) -> Append | None:
    """The append of a batch that is one event and nothing else: there is a short way for it."""
    if batch.fence is None or len(batch.operations) != 1:
        return None
    append = batch.operations[0]
    if not isinstance(append, Append) or len(append.events) != 1:
        return None
    return None if _is_more_than_events(append) else append


def _is_more_than_events(append: Append) -> bool:
    return bool(
        append.status is not None
        or append.check_inbox
        or append.consumed
        or append.posts
        or append.starts
        or append.uid
        or appends.brings_more(append)
    )


def all_at_once(connection: Connection, operations: Sequence[Operation]) -> Answers:
    """Few statements for all operations."""
    return _apply(connection, _by_kind(operations))


def one_by_one(connection: Connection, operations: Sequence[Operation], *, unfit: Errors, but: Errors = ()) -> Answers:
    """Each operation by itself, so that the one that cannot be stored is found and left out.

    ``unfit``: errors of values that do not fit; ``but``: those among them that say something else, and are raised.
    """
    answers: Answers = {}
    kinds = _by_kind(operations)
    for kind in (kinds.living, kinds.appending, kinds.writing, kinds.starting, kinds.posting, kinds.completing,
                 kinds.telling, kinds.claiming, kinds.holding):  # fmt: skip
        for index, operation in kind.items():
            answers[index] = _isolated(connection, operation, unfit, but)
    answers.update(_in_time(kinds.transacting, lambda transact: _isolated(connection, transact, unfit, but)))
    for index, settled in kinds.settling.items():
        answers[index] = _isolated(connection, settled, unfit, but)
    return answers


def _in_time(transacting: dict[int, Transact], carry_out: Callable[[Transact], Answer]) -> Answers:
    """Runs the code of steps, as many as are begun in time, and always one."""
    answers: Answers = {}
    ends = time.monotonic() + TRANSACTING
    for index, transact in transacting.items():
        late = answers and time.monotonic() > ends
        answers[index] = Transacted("later", transact.run) if late else carry_out(transact)
    return answers


def _isolated(connection: Connection, operation: Operation, unfit: Errors, but: Errors) -> Answer:
    """Carries out one operation, or takes back what it did and says that it cannot be stored."""
    connection.execute("SAVEPOINT operation")
    try:
        answer = all_at_once(connection, (operation,))[0]
    except but:
        raise
    except unfit as error:
        connection.execute("ROLLBACK TO SAVEPOINT operation")
        answer = Rejected(getattr(operation, "run", None) or 0, f"{type(error).__name__}: {error}")
    connection.execute("RELEASE SAVEPOINT operation")
    return answer


class _Kinds:
    """The operations of a batch, each kind by their number in it."""

    __slots__ = (
        "appending", "claiming", "completing", "holding", "living", "posting", "settling", "starting", "telling",
        "transacting", "writing",
    )  # fmt: skip

    def __init__(self) -> None:
        self.living: dict[int, LiveAttempt] = {}
        self.appending: dict[int, Append] = {}
        self.writing: dict[int, WriteSchedule] = {}
        self.starting: dict[int, StartRun] = {}
        self.posting: dict[int, Post] = {}
        self.completing: dict[int, CompleteTask] = {}
        self.telling: dict[int, TellStep] = {}
        self.claiming: dict[int, ClaimAttempts] = {}
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
    ClaimAttempts: "claiming",
    HoldStep: "holding",
    Transact: "transacting",
    SettleOutbox: "settling",
}


def _by_kind(operations: Sequence[Operation]) -> _Kinds:
    kinds = _Kinds()
    for index, operation in enumerate(operations):
        getattr(kinds, _KIND[type(operation)])[index] = operation
    return kinds


def _apply(connection: Connection, kinds: _Kinds) -> Answers:
    answers: Answers = {}
    if kinds.living:
        attempts.keep(connection, list(kinds.living.values()))
        answers.update(dict.fromkeys(kinds.living, _NOTED))
    appending = kinds.appending
    if appending and not connection.alone:
        _lock(connection, kinds)
    accepted = _append(connection, appending, answers) if appending else []
    accepted = [index for index in accepted if not appending[index].plain]  # the others bring neither posts nor starts
    written = _write_schedules(connection, kinds.writing, answers) if kinds.writing else []
    started = _start(connection, kinds, accepted, written)
    told: dict[int, tuple[Post, Callable[[Posted], Answer]]] = {}
    for index, done in kinds.completing.items():
        _note_answer(index, tasks.complete(connection, done), tasks.answered, answers, told)
    for index, said in kinds.telling.items():
        _note_answer(index, attempts.tell(connection, said), attempts.answered, answers, told)
    for index, claim in kinds.claiming.items():
        answers[index] = attempts.claim(connection, claim)
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
    answers.update(_in_time(kinds.transacting, connection.transact))
    if kinds.settling:
        answers.update(dict.fromkeys(kinds.settling, outbox.settle(connection, list(kinds.settling.values()))))
    return answers


def _take(answers: Iterator[T], asked: Sequence[object]) -> tuple[T, ...]:
    """The next answers, one for each of what was asked."""
    return tuple(next(answers) for _ in asked)


def _write_schedules(connection: Connection, writing: dict[int, WriteSchedule], answers: Answers) -> list[int]:
    """Writes schedules, without what they set in motion; the numbers of those that are in."""
    written: list[int] = []
    for index, operation in writing.items():
        revision = schedules.write(connection, operation)
        answers[index] = ScheduleWritten("stale") if revision is None else ScheduleWritten("written", revision)
        if revision is not None:
            written.append(index)
    return written


def _start(connection: Connection, kinds: _Kinds, accepted: Sequence[int], written: Sequence[int]) -> Iterator[Started]:
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


def _post_with_starts(connection: Connection, starting: Sequence[StartRun], started: list[Started]) -> None:
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
    answers: Answers,
    told: dict[int, tuple[Post, Callable[[Posted], Answer]]],
) -> None:
    """What a completion leads to: a message to be delivered, or an answer at once."""
    if isinstance(found, Post):
        told[index] = found, answered
    else:
        answers[index] = found


def _lock(connection: Connection, kinds: _Kinds) -> None:
    """Locks the runs that are about to close, and whoever is written to beside them, in one order for all batches: two
    that close each other's addressees would wait for each other."""
    appending = kinds.appending.values()
    closing = [append.run for append in appending if appends.closes(append)]
    if closing:
        connection.lock(closing, [*(post for append in appending for post in append.posts), *kinds.posting.values()])


def _append(connection: Connection, appending: dict[int, Append], answers: Answers) -> list[int]:
    """Carries out the appends but for their posts; the numbers of those that are in."""
    refused: dict[int, bool] = {}
    accepted: list[int] = []
    for wave in _waves(appending):
        refused = appends.refused(connection, list(wave.values())) | refused
        if refused:
            answers.update((i, _LOST if refused[a.run] else _VETOED) for i, a in wave.items() if a.run in refused)
            wave = {index: append for index, append in wave.items() if append.run not in refused}
        next_runs = appends.apply(connection, list(wave.values()))
        answers.update(dict.fromkeys(wave, APPENDED))
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
