"""What people are asked, and what they agree among each other about it: who sees to it, what is to be kept in mind."""

from __future__ import annotations

import builtins
from typing import Literal

import msgspec

from segue.client.handles import HumanTask
from segue.errors import CallerError, InvalidArgument, TaskClaimed
from segue.kernel.encoding import Encodings
from segue.kernel.names import checked_name, checked_text
from segue.runtime.beside import beside
from segue.runtime.clock import Clock
from segue.runtime.journal import JournalFormat
from segue.stores.base import Store, Task
from segue.stores.task_rows import ALL, NEVER, Place, TaskFilter

LONGEST_COMMENT = 10_000
"""Characters."""


class TaskNote(msgspec.Struct, frozen=True):
    """What somebody has said or done about a task, at a time (µs). ``text``: of a comment; to whom it was handed."""

    at: int
    actor: str
    kind: Literal["claimed", "released", "handed", "commented"]
    text: str


class Claiming:
    """The part of an engine by which people share tasks out. What it builds on is the engine's.

    A claim says to others that somebody sees to a task. It keeps nobody from answering it, so that no task waits for
    somebody who is away; where the workflow hands the task on, it lapses. Runs know nothing of claims and comments.
    """

    namespace: str
    clock: Clock
    store: Store
    journal: JournalFormat
    encodings: Encodings

    async def tasks(
        self, *, assignee: str | None = None, state: str | None = "open", run: int | None = None,
        task: int | None = None, claimed_by: str | None = None, overdue: bool = False, after: HumanTask | None = None,
        limit: int | None = None,
    ) -> builtins.list[HumanTask]:  # fmt: skip
        """Human tasks, by default the open ones: what is due first comes first, then the one that was opened first. Of
        closed ones, the last that was closed comes first; of any ``state`` (None), the newest.

        Args:
            claimed_by: those that this person has said to see to. overdue: those whose time is over.
            after, limit: a page, of so many behind the last one of the page before; all of them without a limit.
        """
        found = TaskFilter(
            self.namespace, state, assignee, claimed_by, run, task, self.clock.now() if overdue else None,
            None if after is None else place_of(after), ALL if limit is None else limit,
        )  # fmt: skip
        return await self.task_page(found)

    async def task_page(self, where: TaskFilter) -> builtins.list[HumanTask]:
        """The tasks of a page, in its order."""
        rows = await beside(self.store.task_page, where)
        return [HumanTask.of(row, lambda data: self.encodings.decode(self.journal.payload(data))) for row in rows]

    async def claim_task(self, task: HumanTask, *, by: str, over: str | None = None) -> None:
        """Has a task be somebody's. Theirs already: nothing happens.

        Args:
            over: whose it is as far as they know, and who has it no more.

        Raises:
            TaskClaimed: it is somebody else's than ``over``'s. CallerError: it is not open.
        """
        _named(by)
        await self._hand(task, by, over=over, actor=by)

    async def hand_task(self, task: HumanTask, to: str, *, by: str, over: str | None = None) -> None:
        """Has a task be somebody else's, who is not asked. Theirs already: nothing happens.

        Args:
            over: whose it is as far as whoever hands it on knows: their own, or from whom they take it.

        Raises:
            TaskClaimed: it is somebody else's than ``over``'s. CallerError: it is not open.
        """
        _named(by)
        if not checked_name(to, "whoever is to have a task"):
            raise InvalidArgument(
                "a task is handed to somebody: say to whom; to leave it to all, release it", path="$.to"
            )
        await self._hand(task, to, over=over, actor=by)

    async def release_task(self, task: HumanTask, *, by: str) -> None:
        """Has a task be nobody's that is theirs.

        Raises:
            TaskClaimed: it is not theirs. CallerError: it is not open.
        """
        _named(by)
        if not await self._claim(task, None, over=by, actor=by):
            found = await beside(self._open, task)
            raise TaskClaimed(task.name, task.run_id, found.claimed_by)

    async def comment_on_task(self, task: HumanTask, text: str, *, by: str) -> None:
        """Adds a comment for whoever sees to the task. It is kept with the run, and erased with it.

        Raises:
            InvalidArgument: it is empty or too long. CallerError: the task is not open.
        """
        _named(by)
        if not checked_text(text, "a comment").strip() or len(text) > LONGEST_COMMENT:
            raise InvalidArgument(f"a comment has 1 to {LONGEST_COMMENT:,} characters", path="$.text")
        sealed = self.journal.seal_text(text)
        if not await beside(self.store.people.comment, task.task, sealed, self.clock.now(), by):
            raise _not_open(task)

    async def task_notes(self, task: HumanTask) -> builtins.list[TaskNote]:
        """What was said and done about a task, the first one first."""
        rows = await beside(self.store.people.notes, task.run, task.task)
        opened = self.journal.open_text
        said = [opened(row.text) if row.kind == "commented" else row.text for row in rows]
        return [TaskNote(row.at, row.actor, row.kind, text) for row, text in zip(rows, said, strict=True)]

    async def _hand(self, task: HumanTask, to: str, *, over: str | None, actor: str) -> None:
        if over is not None:
            checked_name(over, "whoever has a task")
        if not await self._claim(task, to, over=over, actor=actor):
            found = await beside(self._open, task)
            if found.claimed_by != to:
                raise TaskClaimed(task.name, task.run_id, found.claimed_by)

    async def _claim(self, task: HumanTask, by: str | None, *, over: str | None, actor: str) -> bool:
        claim, now = self.store.people.claim, self.clock.now()
        return await beside(claim, task.task, by, now, over=over, actor=actor)

    def _open(self, task: HumanTask) -> Task:
        found = self.store.tasks(self.namespace, task=task.task)
        if not found:
            raise _not_open(task)
        return found[0]


def place_of(task: HumanTask) -> Place:
    """Where a task stands among others, as ``stores.task_rows`` says it."""
    turns = (task.closed_at, task.due, NEVER + task.task)
    return Place(next(turn for turn in turns if turn is not None), task.task)


def _named(by: str) -> None:
    if not checked_name(by, "whoever has a task"):
        raise InvalidArgument("a task is claimed, released and commented on by somebody: say who, with by=")


def _not_open(task: HumanTask) -> CallerError:
    return CallerError(
        f"task {task.name!r} of run {task.run_id!r} is not open any more; somebody has answered or withdrawn it"
    )
