"""Decides which recorded calls code that has changed makes again, and under which keys.

While the code is the one that wrote a journal, the key of a call is all that is needed. Other code may have inserted,
removed or moved calls, so that the same key may mean another call. ``Past`` holds the calls that were recorded before
the code at hand took the run over, and every call that it makes is held against them:

- as long as the calls of a task are the recorded ones, in the recorded order, they are the same calls;
- behind the first difference, a call is a recorded one if its name and the hash of its arguments fit exactly one on
  that task path (it is *adopted*, which a marker says);
- what could be one of several, or a recorded one with other arguments, is for a person to judge;
- everything else is a new call, under a key that was never used.

Each decision depends on what was recorded before the takeover and on the calls of that task up to now. The takeover
itself is in the journal (``Marker`` of kind ``code``), so that the same code decides the same way for ever.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from segue.errors import NonDeterminism
from segue.kernel import events as e

CODE = "code"
"""Kind of the marker behind which code of version ``name`` has the run."""
ADOPTED = "adopted"
"""Kind of the marker of a recorded call, ``name`` its key, that the code makes at another place than before."""
PATCH = "patch"
"""Kind of the marker of a patch that the run goes by."""


class OtherCode(Exception):
    """A journal was written by other code than replays it: it has to be replayed with its ``Past``."""


class Recorded:
    """A call that was recorded.

    Attributes:
        at: when it began, as far as is known. hash: of its arguments, None where only its beginning was recorded.
        outcome: it may have taken effect. opened: it is a human task that was offered.
        used: the code at hand has made it.
    """

    __slots__ = ("at", "hash", "key", "name", "opened", "outcome", "used")

    def __init__(self, key: str, name: str, at: int) -> None:
        self.key = key
        self.name = name
        self.at = at
        self.hash: str | None = None
        self.outcome = self.opened = self.used = False

    def copy(self) -> Recorded:
        copy = Recorded(self.key, self.name, self.at)
        copy.hash, copy.outcome, copy.opened = self.hash, self.outcome, self.opened
        return copy


Droppable = Callable[[str], bool]


class _Line:
    """The recorded calls of one task, in order, and how far the code at hand has followed them."""

    def __init__(self) -> None:
        self.calls: list[Recorded] = []
        self.alike: dict[tuple[str, str | None], list[Recorded]] = {}
        self.named: dict[str, list[Recorded]] = {}
        self._next = 0
        self._followed = True

    def add(self, call: Recorded) -> None:
        self.calls.append(call)
        self.alike.setdefault((call.name, call.hash), []).append(call)
        self.named.setdefault(call.name, []).append(call)

    def has_unused(self, droppable: Droppable) -> bool:
        """Whether there is a call that the code at hand has not made and may not leave out."""
        return any(not call.used and not droppable(call.name) for call in self.calls)

    def follow(self, name: str, hash: str, droppable: Droppable) -> Recorded | None:
        """The recorded call that comes next in this task, if it is this one and nothing before it differed."""
        if not self._followed:
            return None
        at = self._next
        while at < len(self.calls):
            call = self.calls[at]
            if call.name == name and (call.opened or call.hash in (hash, None)):
                self._next = at + 1
                return call
            if not droppable(call.name):
                self._followed = False
                return None
            at += 1
        return None

    def find(self, name: str, hash: str, pure: Droppable) -> Recorded | None:
        """The only recorded call that this one can be.

        Raises:
            NonDeterminism: it could be one of several, or one that was recorded with other arguments.
        """
        alike = self.alike.get((name, hash), ())
        if len(alike) == 1 and not alike[0].used:
            return alike[0]
        named = self.named.get(name, ())
        if len(named) == 1 and named[0].opened and not named[0].used:
            return named[0]  # what a person is told may be put in other words
        waiting = [call for call in named if not call.used]
        if not waiting or pure(name):
            return None
        if any(call.hash == hash for call in waiting):
            raise NonDeterminism(
                f"step {name!r} is recorded {len(alike)} times with these arguments, and the calls before it have "
                f"changed: which outcome belongs to which call cannot be told; {_GUARD}",
                step=name,
                reason="recorded several times with the same arguments, behind calls that have changed",
            )
        begun = [call for call in waiting if call.hash is None]
        if len(begun) == len(waiting):
            return begun[0] if len(begun) == 1 else None
        raise other_arguments(name, waiting[0].key)


_GUARD = "put the calls back in their order, or guard the change with segue.patched()"


class Past:
    """What was recorded of a run before the code at hand took it over.

    Attributes:
        markers: how many takeovers the journal holds up to that one; 0 if it is still to come, at the journal's end.
        passed: the replay has come to it.
        patches: ids of the patches that the run goes by.
        adopted: keys of the calls that were found at another place, in the order in which they were made.
    """

    def __init__(self, calls: Iterable[Recorded], patches: frozenset[str], markers: int) -> None:
        self.markers = markers
        self.passed = False
        self.patches = patches
        self.adopted: list[str] = []
        self._calls = {call.key: call for call in sorted(calls, key=lambda call: call.at)}
        self._lines: dict[str, _Line] = {}
        self._alike: dict[tuple[str, str | None], list[Recorded]] = {}
        for call in self._calls.values():
            self._enlist(call)

    def _enlist(self, call: Recorded) -> None:
        if not call.key.startswith("="):
            self._lines.setdefault(_path(call), _Line()).add(call)
            self._alike.setdefault((call.name, call.hash), []).append(call)

    def __contains__(self, key: str) -> bool:
        return key in self._calls

    def opened(self, key: str) -> bool:
        """Whether the call is a human task that was offered already."""
        call = self._calls.get(key)
        return call is not None and call.opened

    def claim(self, path: str, name: str, hash: str, *, droppable: Droppable, pure: Droppable) -> str | None:
        """The key of the recorded call that a call of the code at hand is, None if it is a new one.

        Args:
            droppable, pure: whether a recorded outcome of a step may go unused; whether the step has no side effects.

        Raises:
            NonDeterminism: that cannot be told.
        """
        line = self._lines.get(path)
        if line is None:
            return None
        call = line.follow(name, hash, droppable)
        if call is None:
            call = line.find(name, hash, pure)
            if call is None:
                return None
            self.adopted.append(call.key)
        call.used = True
        return call.key

    def claim_key(self, key: str, name: str, hash: str) -> None:
        """The same for a call that carries a key of its own."""
        call = self._calls.get(key)
        if call is None:
            return
        if call.name != name or not (call.opened or call.hash in (hash, None)):
            raise other_arguments(name, key)
        call.used = True

    def answer(self, event: e.Event, key: str) -> bool:
        """An answer has come since the takeover. Says whether it is to a call of the code before, to which the code at
        hand has not come: it waits for something that it has before that one."""
        call = self._calls.get(key)
        if call is None and isinstance(event, _FROM_OTHER_RUNS):
            # Its process died when the other run had it, and before that was recorded here.
            _note(self._calls, event)
            call = self._calls[key]
            self._enlist(call)
        if call is None or call.used:
            return False
        call.outcome = True
        return True

    def lies_ahead(self, task: str, children: int, droppable: Droppable) -> bool:
        """Whether a call is recorded to which a task has yet to come: its own, or that of a task that it has yet to
        start (it has started so many). Other code was here before, and went on."""
        return any(
            _comes_later(path, task, children) and line.has_unused(droppable) for path, line in self._lines.items()
        )

    def moved(self, name: str, hash: str) -> Recorded | None:
        """A recorded outcome in another task that a new call looks like."""
        alike = self._alike.get((name, hash), ())
        return next((call for call in alike if call.outcome and not call.used), None)

    def unused(self, droppable: Droppable) -> list[Recorded]:
        """Recorded outcomes that the code at hand has not asked for up to now."""
        return [call for call in self._calls.values() if call.outcome and not call.used and not droppable(call.name)]

    @classmethod
    def of(cls, events: Iterable[e.Event], version: str) -> Past | None:
        """The past of a journal for code of a version; None if no other code has had the run."""
        calls: dict[str, Recorded] = {}
        patches: set[str] = set()
        in_force, markers = version, 0
        frozen: Past | None = None
        for event in events:
            if isinstance(event, e.RunStarted):
                in_force = event.version
            elif isinstance(event, e.Marker):
                if event.kind == CODE:
                    in_force, markers = event.name, markers + 1
                    if in_force == version:
                        frozen = cls((call.copy() for call in calls.values()), frozenset(patches), markers)
                elif event.kind == PATCH:
                    patches.add(event.name)
            else:
                _note(calls, event)
        if in_force != version:
            return cls(calls.values(), frozenset(patches), 0)
        return frozen


_FROM_OTHER_RUNS = (e.ChildStarted, e.ChildCompleted, e.MessageSent)


def _note(calls: dict[str, Recorded], event: e.Event) -> None:
    match event:
        case e.StepCompleted() | e.StepFailed() | e.StepScheduled() | e.StepCached():
            call = _call(calls, event.key, event.name, event.started_at or event.at)
            call.hash, call.outcome = event.hash, True
        case e.StepStarted():
            _call(calls, event.key, event.name, event.at)
        case e.DecisionEvaluated():
            call = _call(calls, event.key, event.name, event.at)
            call.hash, call.outcome = event.hash, True
        case e.ChildStarted():
            call = _call(calls, event.key, event.workflow, event.at)
            call.hash, call.outcome = event.hash, True
        case e.MessageSent():
            name = f"{event.kind}:{event.name}" if event.kind == "signal" else event.kind
            call = _call(calls, event.key, name, event.at)
            call.hash, call.outcome = event.hash, True
        case e.TaskOpened():
            call = _call(calls, event.key, event.name, event.at)
            call.hash, call.opened = event.hash, True
        case e.ChildCompleted() | e.TaskCompleted():
            _call(calls, event.key, event.key.rpartition("/")[2].partition("#")[0], event.at).outcome = True
        case e.Modified(action="skip", key=str(key)):
            _call(calls, key, key.rpartition("/")[2].partition("#")[0], event.at).outcome = True
        case _:
            pass


def _call(calls: dict[str, Recorded], key: str, name: str, at: int) -> Recorded:
    call = calls.get(key)
    if call is None:
        call = calls[key] = Recorded(key, name, at)
    return call


def _path(call: Recorded) -> str:
    return call.key[: call.key.rindex(f"/{call.name}")] if f"/{call.name}" in call.key else call.key


def _comes_later(path: str, task: str, children: int) -> bool:
    if path == task:
        return True
    if not path.startswith(f"{task}/"):
        return False
    child = path[len(task) + 1 :].partition("/")[0]
    return int(child) >= children if child.isdigit() else not child.startswith("~")


def other_arguments(name: str, key: str) -> NonDeterminism:
    """A call is recorded, and the workflow now makes it with other arguments."""
    return NonDeterminism(
        f"step {name!r} (key {key!r}) was recorded with other arguments than the workflow now gives it; values that "
        "differ from run to run must come from steps, segue.now, segue.random or segue.uuid4, and a change of the "
        "code belongs behind segue.patched()",
        step=name,
        reason="recorded with other arguments than it is called with",
    )


def never_called(call: Recorded) -> NonDeterminism:
    """An outcome is recorded that the code at hand has no use for."""
    return NonDeterminism(
        f"the outcome of step {call.name!r} (key {call.key!r}) is recorded, but the workflow as it is now never calls "
        f"it; bring the call back, or say that it is gone on purpose: segue.removed({call.name!r})",
        step=call.name,
        reason="recorded, no longer called",
    )


def moved_elsewhere(name: str, key: str, call: Recorded) -> NonDeterminism:
    """A call is made in another task than the one in which its outcome is recorded."""
    return NonDeterminism(
        f"step {name!r} is recorded under key {call.key!r}, and the workflow as it is now calls it with the same "
        f"arguments in another task, under key {key!r}: it would run twice; {_GUARD}, or give the call a key=",
        step=name,
        reason="recorded, and called again in another task",
    )
