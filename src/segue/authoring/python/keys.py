"""Gives the calls of a run their keys, and holds those of other code against what is recorded (``kernel.adoption``)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from segue.authoring.python.loop import WorkflowTask
from segue.errors import NonDeterminism, NotDeterministic
from segue.kernel import commands as c
from segue.kernel.adoption import ADOPTED, Past, moved_elsewhere, never_called
from segue.kernel.steps import step_key

if TYPE_CHECKING:
    from segue.authoring.python.execution import CodeExecution


class Keys:
    """The keys that one run's calls have been given."""

    __slots__ = ("_explicit", "_new", "execution")

    def __init__(self, execution: CodeExecution) -> None:
        self.execution = execution
        self._explicit: dict[str, None] = {}
        self._new: dict[str, tuple[str, str]] = {}
        """Name and hash of calls that no other code has made, by key, until it is known that they are nothing else."""

    def next(self, caller: WorkflowTask[Any], name: str, hash: str) -> str:
        """The key of the call that a task is about to make."""
        past = self.execution.past
        if past is not None:
            return self._place_among(past, caller, name, hash)
        return step_key(caller.path, name, caller.next_call(name))

    def _place_among(self, past: Past, caller: WorkflowTask[Any], name: str, hash: str) -> str:
        """The same where other code has had the run: that of a recorded call, or one that was never used."""
        definition = self.execution.definition
        adopted = len(past.adopted)
        try:
            known = past.claim(caller.path, name, hash, droppable=definition.may_drop, pure=definition.is_pure)
        except NonDeterminism as error:
            self.execution.loop.halt(error)
        if known is not None:
            caller.next_call(name)
            if len(past.adopted) > adopted:
                self.execution.issue(c.RecordMarker(ADOPTED, known))
            return known
        key = step_key(caller.path, name, caller.next_call(name))
        while key in past:
            key = step_key(caller.path, name, caller.next_call(name))
        if not definition.is_pure(name):
            self._new[key] = name, hash
        return key

    def explicit(self, name: str, key: str, hash: str) -> str:
        """The key of a call that carries one of its own."""
        if key in self._explicit:
            self.execution.loop.halt(
                NotDeterministic(f"two calls of this run carry key={key!r}, one of them to {name!r}: give each its own")
            )
        self._explicit[key] = None
        if self.execution.past is not None:
            try:
                self.execution.past.claim_key(f"={key}", name, hash)
            except NonDeterminism as error:
                self.execution.loop.halt(error)
        return f"={key}"

    def check_unused(self) -> None:
        """The run is about to close: every outcome that other code has recorded must have found its call, unless it may
        be dropped.

        Raises:
            NonDeterminism: naming a step whose recorded outcome nobody asked for.
        """
        past = self.execution.past
        if past is not None:
            for call in past.unused(self.execution.definition.may_drop):
                raise never_called(call)

    def check_takeover(self) -> None:
        """The same, as far as it shows before the end: the code does not even mention the step.

        Raises:
            NonDeterminism: as ``check_unused``.
        """
        past, definition = self.execution.past, self.execution.definition
        assert past is not None
        for call in past.unused(definition.may_drop):
            # A task's name may be made up as the code runs; that somebody is asked at all can be told.
            if not (definition.mentions(call.name) or (call.opened and definition.mentions("approval"))):
                raise never_called(call)

    def check_moved(self, is_open: Callable[[str], bool]) -> None:
        """Looks at the new calls that were made up to now and have not been answered.

        Raises:
            NonDeterminism: the outcome of one of them is recorded in another task.
        """
        new, self._new = self._new, {}
        past = self.execution.past
        assert past is not None
        for key, (name, hash) in new.items():
            elsewhere = past.moved(name, hash) if is_open(key) else None
            if elsewhere is not None:
                raise moved_elsewhere(name, key, elsewhere)
