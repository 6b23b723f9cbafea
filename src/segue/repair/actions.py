"""How a person changes what becomes of a run: skipping a call, changing what a step is given, going on from elsewhere.

Everything is checked before anything is written, and says beforehand what runs again, what is kept and what was undone.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Container, Iterable
from typing import TYPE_CHECKING, Any, Literal, cast

import msgspec

from segue.authoring.python.definitions import STEPS
from segue.client.handles import Handle
from segue.client.ways import Direct, Remote
from segue.errors import (
    Incident,
    InvalidArgument,
    NonDeterminism,
    NotDeterministic,
    NotRepairable,
    PayloadError,
    RunAlreadyExists,
    RunClosed,
    RunNotFound,
)
from segue.kernel import events as e
from segue.kernel.attempt import derive_key
from segue.kernel.codec import Codec
from segue.kernel.encoding import Encodings
from segue.kernel.execution import Execution
from segue.kernel.names import checked_id, checked_name
from segue.kernel.payload import Payload
from segue.kernel.reference import references
from segue.kernel.replay import replayed
from segue.kernel.steps import name_of
from segue.owner.serving import Definitions
from segue.repair import forking
from segue.runtime.beside import beside
from segue.runtime.clock import Clock
from segue.runtime.journal import JournalFormat
from segue.stores.base import CLOSED, RESIDENT, Append, Blob, ConflictPolicy, RunRow, Started, StartRun, Store

if TYPE_CHECKING:
    from segue.engine import Engine

CodeChoice = Literal["same", "newest"]


class Effect(msgspec.Struct, frozen=True):
    """What an action would do to a run, or has done.

    Attributes:
        run, id, state: the run, as it was. action: in words.
        again: calls that run again. kept: calls whose outcomes stay. undone: calls of a compensation that has run; what
            they undid is not done again by itself.
        refused: why nothing can be done; empty if something can.
    """

    run: int
    id: str
    state: str
    action: str
    again: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()
    undone: tuple[str, ...] = ()
    refused: str = ""

    def __str__(self) -> str:
        if self.refused:
            return self.refused
        parts = [f"run {self.id}: {self.action}"]
        parts += [f"{word} {', '.join(forking.folded(keys))}" for word, keys in self._told() if keys]
        return "; ".join(parts)

    def _told(self) -> Iterable[tuple[str, tuple[str, ...]]]:
        return ("runs again:", self.again), ("kept:", self.kept), ("was undone since, and stays so:", self.undone)


_CHOOSE = "choose another id"
_WAIT = "what runs again takes that id: let the run that has it end first, or fork under another one"


class Repairing:
    """The part of an engine that repairs runs. What it builds on is the engine's."""

    app: str
    namespace: str
    clock: Clock
    definitions: Definitions
    encodings: Encodings
    store: Store
    journal: JournalFormat
    _codec: Codec | None
    _client: Direct | Remote

    # --- changing what is to come -----------------------------------------------------------------------------

    async def skip(self, run: int, call: str, result: Any = None, *, by: str = "") -> Effect:
        """Answers a call (its key or name) with a result in its callee's place. Acknowledged once it is on disk.

        Raises:
            NotRepairable: it has no such call that has not been answered; nothing was changed.
            InvalidArgument: the result is of another type than the call's; nothing was changed.
        """
        payload = self.encodings.encode(result)
        row, key = await self._target(run, call, "skip", payload)
        await self._modify(row, "skip", key, payload, by)
        return self.skipping(row, key)

    def skipping(self, row: RunRow, key: str) -> Effect:
        """What skipping a call does. Without the code, its journal alone does not tell what the run waits for."""
        if self.definitions.execution(row.workflow, row.version) is None:
            by = "a worker with the run's code does so, or the run's log says why not"
            action = f"{key} is to be answered with the result that was given; {by}"
        else:
            action = f"{key} is answered with the result that was given; it does not run"
        return Effect(row.run, row.id, row.state, action)

    async def edit_input(self, run: int, call: str, *args: Any, by: str = "", **kwargs: Any) -> Effect:
        """Gives further attempts of a step that stands still, or waits for its next attempt, other arguments.

        Raises:
            NotRepairable, InvalidArgument: as ``skip``.
        """
        return await self.change_input(run, call, args, kwargs, by=by)

    async def change_input(
        self, run: int, call: str, args: tuple[Any, ...], kwargs: dict[str, Any], *, by: str = ""
    ) -> Effect:
        """As ``edit_input``, whatever the names of the step's parameters."""
        row, key = await self._target(run, call, "input")
        await self._modify(row, "input", key, self._arguments(key, args, kwargs), by)
        return Effect(row.run, row.id, row.state, f"further attempts of {key} get the arguments that were given")

    async def _target(self, run: int, call: str, action: str, result: Payload | None = None) -> tuple[RunRow, str]:
        row = self._row(run)
        if row.state in CLOSED:
            latest = self.store.latest(row.run) if row.state == "continued" else None
            raise RunClosed(row.id, row.state, later=None if latest is None else latest.run)
        return row, await beside(self._key_of, row, call, action, result)

    def _key_of(self, row: RunRow, call: str, action: str, result: Payload | None) -> str:
        """By replay where the code is known, which sees calls that the journal does not show yet."""
        events = self._events(row)
        if self.definitions.execution(row.workflow, row.version) is None:
            key = forking.find_key(row, _open_calls(events, action), call)
            if result is not None:
                self._check_by_step(key, result)
            return key
        try:
            execution, _ = replayed(lambda: self._execution(row), lambda: events)
        except (NonDeterminism, NotDeterministic, PayloadError) as error:
            raise Incident(
                f"run {row.id!r} does not replay with the code that is here: {error}; mend that first", run_id=row.id
            ) from error
        try:
            key = forking.find_key(row, execution.modifiable(action), call)
            if result is not None:
                _check(key, execution.validate_result, key, result)
            return key
        finally:
            execution.close()

    def _execution(self, row: RunRow) -> Execution:
        execution = self.definitions.execution(row.workflow, row.version)
        assert execution is not None, "it was there a moment ago"
        return execution

    def _check_by_step(self, key: str, result: Payload) -> None:
        step = STEPS.get(name_of(key))
        if step is not None:
            _check(key, step.bind(self.encodings, self._hash_key).decode_result, result)

    def _arguments(self, key: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Payload:
        step = STEPS.get(name_of(key))
        if step is not None:
            return step.bind(self.encodings, self._hash_key).call_site.encode(args, kwargs)[0]
        return self.encodings.encode_canonical({"*": args, **kwargs})[0]

    @property
    def _hash_key(self) -> bytes | None:
        return self._codec.hash_key if self._codec else None

    async def _modify(self, row: RunRow, action: str, key: str, value: Payload, by: str) -> None:
        checked_name(by, "who changes it")
        event = e.Modified(self.clock.now(), f"user:{by}" if by else None, None, action, key, value)
        await cast("Engine", self)._post(row.run, "modify", event)

    # --- going on from elsewhere ------------------------------------------------------------------------------

    async def fork(
        self,
        run: int,
        *,
        step: str | None = None,
        seq: int | None = None,
        args: tuple[Any, ...] | None = None,
        code: CodeChoice = "same",
        id: str | None = None,
        by: str = "",
    ) -> Handle[Any]:
        """A new run that goes on from a place in this one's journal. This one stays as it is.

        Args:
            step: from before a step (key or name), the one that ``failed``, or the ``start``.
            seq: from behind the event of this number; by default from where the run ended or stands still.
            args: other arguments of the workflow. What was recorded has to fit them, or the new run stands still.
            code: ``newest``: of a run that is pinned to a version, the one that new runs get.
            id: of the new run. The same fork with the same id again is the same run.
            by: who does it; kept in the journal.

        Raises:
            NotRepairable: the run is under way, or has no such place. RunAlreadyExists: the id is taken.
        """
        row = self._row(run)
        id = os.urandom(16).hex() if id is None else id
        return await self._fork(row, step, seq, args, code, id, "fail", by)

    async def retry_from(
        self,
        run: int,
        step: str | None = forking.FAILED,
        *,
        args: tuple[Any, ...] | None = None,
        code: CodeChoice = "same",
        by: str = "",
    ) -> Handle[Any]:
        """Runs a part of a run again: a fork that takes its id. A run that stands still is terminated for it. ``step``
        None: from where it stands.

        Raises:
            NotRepairable: as ``fork``; or the run is somebody's child, whose parent waits for it and not for another.
        """
        row = self._row(run)
        if row.parent is not None:
            raise NotRepairable(row.id, "is a child, and its parent would not learn of another run; retry the parent")
        self._planned(row, step, None, code)
        if row.state not in CLOSED:
            await cast("Engine", self)._end_for_good(row.run)
            row = self._row(run)
        return await self._fork(row, step, None, args, code, row.id, "replace", by)

    def preview(
        self, run: int, *, step: str | None = None, seq: int | None = None, code: CodeChoice = "same"
    ) -> Effect:
        """What ``fork`` and ``retry_from`` would do, without doing it."""
        row = self._row(run)
        try:
            cut = self._planned(row, step, seq, code)
        except NotRepairable as error:
            return Effect(row.run, row.id, row.state, "", refused=str(error))
        return effect_of(row, cut)

    def _planned(self, row: RunRow, step: str | None, seq: int | None, code: CodeChoice) -> forking.Cut:
        if code not in ("same", "newest"):
            raise InvalidArgument(f"code is {code!r}; it is 'same' or 'newest'")
        if step is not None and seq is not None:
            raise InvalidArgument("name the step, or the number of the event, to go on from; not both")
        self._version_for(row, row.id, code)
        return forking.cut_at(row, self._events(row, apart=True), step=step, seq=seq)

    def _version_for(self, row: RunRow, id: str, code: CodeChoice) -> str:
        """The version of the run that goes on; where there is no code, the workers' is the newest."""
        if code == "same":
            return row.version
        if version := self.definitions.version(row.workflow, id):
            return version
        owner = self.store.owner(row.app)
        if owner is None or row.workflow not in owner.serves:
            raise NotRepairable(
                row.id,
                f"is to go on with the newest code, and no worker of app {row.app!r} has code of workflow "
                f"{row.workflow!r}: start one that has it, or leave the code as it is",
            )
        return owner.version(row.workflow, id)

    async def _fork(
        self,
        row: RunRow,
        step: str | None,
        seq: int | None,
        args: tuple[Any, ...] | None,
        code: CodeChoice,
        id: str,
        policy: ConflictPolicy,
        by: str,
    ) -> Handle[Any]:
        checked_id(id, "a run's id")
        checked_name(by, "who forks it")
        cut = self._planned(row, step, seq, code)
        input = None if args is None else self._input_of(row, args)
        hash = row.input_hash if input is None else input[1]
        # Derived: the same fork asked for twice is one run.
        uid = derive_key(row.uid, f"fork {cut.seq} {id} {hash} {code}")
        at = self.clock.now()
        made = await beside(
            lambda: forking.fork(
                row, self._events(row), cut, id=id, uid=uid, at=at, actor=f"user:{by}" if by else None, input=input,
                ended=self._ended, readable=self.journal.readable,
            )
        )  # fmt: skip
        version = self._version_for(row, id, code)
        attached = await beside(self._attached, row, cut.kept)
        operation = self._operation(row, made, attached, id, uid, at, hash, version, policy)
        first = cast(e.RunStarted, made.events[0])
        answer: Started = await cast("Engine", self)._ask(lambda client: client.start(operation, first))
        if answer.outcome == "refused":
            raise RunAlreadyExists(id, answer.reason, _CHOOSE if policy == "fail" else _WAIT)
        definition = self.definitions.workflow(row.workflow)
        returns = Any if definition is None else definition.bind(self.encodings, self._hash_key).call_site.returns
        return Handle(cast("Engine", self), answer.run, id, returns)

    def _operation(
        self,
        row: RunRow,
        made: forking.Fork,
        attached: tuple[dict[str, bytes], list[Blob]],
        id: str,
        uid: str,
        at: int,
        hash: str,
        version: str,
        policy: ConflictPolicy,
    ) -> StartRun:
        written = [self.journal.write(event) for event in made.events]
        artifacts, referred = attached
        blobs = (*(blob for _, some in written for blob in some), *referred)
        rest = Append(
            0, 2, tuple(data for data, _ in written[1:]), tasks=made.tasks, attributes=made.attributes,
            artifacts=artifacts,
        )  # fmt: skip
        tags = {**row.tags, FORKED_FROM: row.uid}
        return StartRun(
            row.namespace, id, uid, row.app, row.workflow, at, written[0][0], hash, version, RESIDENT + 1, policy, None,
            tags, blobs, rest=rest,
        )  # fmt: skip

    def _attached(self, row: RunRow, kept: Container[str]) -> tuple[dict[str, bytes], list[Blob]]:
        """What these of its calls have attached, and the values kept apart to which that refers."""
        artifacts: dict[str, bytes] = {}
        referred: list[Blob] = []
        for name, data in self.store.artifacts(row.run).items():
            payload = self.journal.payload(data)
            if cast("Engine", self).artifact_of(payload).by in kept:
                artifacts[name] = data
                referred += [Blob(ref, None) for ref in references(bytes(payload.data))]
        return artifacts, referred

    def _input_of(self, row: RunRow, args: tuple[Any, ...]) -> tuple[Payload, str]:
        definition = self.definitions.workflow(row.workflow)
        if definition is None:
            raise NotRepairable(
                row.id, f"is of workflow {row.workflow!r}, which is not known here; change its input where its code is"
            )  # fmt: skip
        return definition.bind(self.encodings, self._hash_key).call_site.encode(args, {})

    def _ended(self, child: e.ChildStarted) -> e.ChildCompleted | None:
        """How a child ended that the part which is kept has not heard of."""
        row = self.store.run(child.run)
        if row is not None and row.state not in CLOSED:
            return None
        events = [] if row is None else self._events(row)
        closing = next((event for event in reversed(events) if isinstance(event, e.CLOSING)), None)
        state = "terminated" if row is None else row.state
        result = closing.result if isinstance(closing, e.RunCompleted) else None
        failure = closing.failure if isinstance(closing, e.RunFailed) else None
        return e.ChildCompleted(0, f"run:{child.id}", None, child.key, state, result, failure)

    def _events(self, row: RunRow, *, apart: bool = False) -> list[e.Event]:
        return [event for _, event in self.journal.read(self.store.journal(row.run), apart=apart)]

    def _row(self, run: int) -> RunRow:
        row = self.store.run(run)
        if row is None:
            raise RunNotFound(str(run), self.namespace)
        return row


FORKED_FROM = "segue.forked-from"
"""The tag that holds the uid of the run from which another was forked."""


def effect_of(row: RunRow, cut: forking.Cut) -> Effect:
    """A cut in words."""
    where = "from its start" if cut.seq == 1 else f"from behind event {cut.seq}"
    action = f"a run goes on {where}, under new idempotency keys"
    return Effect(row.run, row.id, row.state, action, cut.again, cut.kept, cut.undone)


def _check(key: str, read: Callable[..., object], *given: Any) -> None:
    try:
        read(*given)
    except PayloadError as error:
        raise InvalidArgument(f"the result for {key} is of another type than the call's: {error}") from error


def _open_calls(events: Iterable[e.Event], action: str) -> list[str]:
    """Keys of the calls that have not been answered, as far as a journal alone tells."""
    calls: dict[str, bool] = {}
    for event in events:
        match event:
            case e.StepStarted(key=key):
                calls[key] = False
            case e.StepFailed(key=key):
                calls[key] = True
            case e.IncidentOpened(key=str(key)):
                calls[key] = True
            case e.IncidentResolved(key=str(key)):
                calls[key] = False
            case e.ChildStarted(key=key) | e.TaskOpened(key=key):
                calls[key] = False
            case (
                e.StepCompleted(key=key) | e.StepCached(key=key) | e.ChildCompleted(key=key) | e.TaskCompleted(key=key)
            ):
                calls.pop(key, None)
            case e.Modified(action="skip", key=str(key)):
                calls.pop(key, None)
            case _:
                pass
    return [key for key, rests in calls.items() if rests or action == "skip"]
