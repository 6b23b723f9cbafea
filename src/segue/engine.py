"""The composition root: an engine puts store, runtime and authoring together, and is its own client.

The first engine that opens a database owns its app's runs; later ones are clients that hand their work over through the
database. Should the owner go, a client that has the code takes over at once.
"""

from __future__ import annotations

import asyncio
import builtins
import logging
import os
import random
import sys
import uuid
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Mapping
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Any, Never, TypeVar, overload
from weakref import WeakSet

import msgspec

import segue
from segue.authoring.python.definitions import Step, Workflow
from segue.authoring.python.references import Ref
from segue.authoring.python.references import decode as decode_reference
from segue.client.claiming import Claiming
from segue.client.describing import Describing
from segue.client.handles import Handle, HumanTask
from segue.client.sharing import Shared
from segue.client.starting import ELSEWHERE, Starting
from segue.client.steering import Steering
from segue.client.ways import Direct, Remote
from segue.configuration.formats import Factory, Formats
from segue.configuration.opening import open_store, restore_database, shown
from segue.configuration.settings import (
    Durability,
    app_name,
    database_url,
    durability_name,
    namespace_name,
    read_settings,
)
from segue.errors import (
    CallerError,
    FenceLost,
    RunNotFound,
    StoreError,
)
from segue.kernel import events as e
from segue.kernel import forms
from segue.kernel.artifact import Artifact
from segue.kernel.caching import REFERENCE
from segue.kernel.codec import Codec, refs_event
from segue.kernel.encoding import Encodings
from segue.kernel.interception import Interceptor
from segue.kernel.names import checked_name
from segue.kernel.payload import JSON, Payload
from segue.kernel.reference import MARK
from segue.notifying.rules import checked
from segue.owner.host import Logs, Secrets, StepHost
from segue.owner.loop_end import LoopEnd
from segue.owner.secret_sources import secrets_of
from segue.owner.serving import Definitions, Duty
from segue.repair.actions import Repairing
from segue.repair.erasing import erase
from segue.runtime.activity import NOTHING, Activity, activity
from segue.runtime.beside import beside
from segue.runtime.clock import Clock, SharedClock, SystemClock
from segue.runtime.fetching import SIDE
from segue.runtime.journal import JournalFormat
from segue.runtime.logs import LogBuffer
from segue.runtime.process_loading import refuse_while_loading
from segue.runtime.resident import Resident
from segue.runtime.settings import Settings
from segue.runtime.telling import about
from segue.runtime.witness import Witness, tell
from segue.schedules.declaring import declare
from segue.schedules.scheduling import Schedules
from segue.stores import objects
from segue.stores.base import CompleteTask, RunFilter, RunRow, Store
from segue.stores.log_rows import LogLine
from segue.stores.search_rows import FoundRuns

log = logging.getLogger("segue.engine")
R = TypeVar("R")
T = TypeVar("T")
E = TypeVar("E", bound=e.Event)

OPEN: WeakSet[Engine] = WeakSet()
"""Engines of this process that are open."""
_WHEN_OPEN = frozenset({"store", "journal", "loop", "_host", "_client"})
_NEVER_OPENED = (
    "this engine was never opened: use it inside `async with Engine(…) as engine:`, or `await engine.open()` before "
    "and `await engine.close()` at the end"
)
_CLOSED = "this engine is closed: what asks it for something has to do so inside `async with Engine(…) as engine:`"
LONGEST_PAUSE = 5.0
"""Seconds between two tries to take over from a store that does not answer."""


def restore(backup: str, url: str | None = None) -> None:
    """Puts a backup in the place of the database that ``url`` names; what was there stays beside it (``.replaced``).

    Raises:
        StoreUnavailable: an engine is at work on it, or there is no such backup; nothing was changed.
        StoreCorrupt, SchemaTooNew: the backup cannot be used; nothing was changed.
    """
    restore_database(backup, database_url(url))


class Engine(Claiming, Describing, Repairing, Starting, Steering):
    """Runs workflows durably.

    ``async with Engine("sqlite:///orders.db") as engine:``. Without a URL the database is ``./.segue/segue.db``, or
    what ``SEGUE_URL`` says.

    Args:
        url: ``sqlite:///relative/path``, ``sqlite:////absolute/path``, ``postgresql://user@host/database``.
        app: a named body of code; runs of an app are owned by workers of that app.
        namespace: whose runs.
        workflows: the workflows that are served; by default all that have been defined.
        codec: seals payloads and texts (encryption); by default AES-GCM if ``SEGUE_PAYLOAD_KEYS`` holds keys.
        encodings: how values are written; by default JSON, tables, arrays and files. Given as the function that makes
            them, they are known in worker processes too.
        secrets: where ``SecretRef`` looks: values by name, or an object with ``get(name) -> str``; by default the
            environment and what the setting ``secrets`` names (docs/secrets.md).
        own: whether this engine may own runs; a client that only starts and asks says False.
        settings: how much of everything; by default what environment and file say (docs/settings.md).
        interceptors: the user's own code around starts, messages, workflows and steps; see docs/messages.md.
        tracer_provider: of the OpenTelemetry SDK, if not the one that is configured for the process; see
            docs/observability.md.
        durability: ``full`` (a commit is on disk), or ``relaxed``: a power cut may lose the last acknowledgements.

    Raises:
        InvalidArgument: a setting cannot be used; the text says where it stands.
    """

    def __init__(
        self,
        url: str | None = None,
        *,
        app: str | None = None,
        namespace: str | None = None,
        workflows: Iterable[Workflow[Any, Any]] | None = None,
        codec: Codec | None = None,
        encodings: Encodings | Factory | None = None,
        secrets: Mapping[str, str] | Secrets | None = None,
        interceptors: Iterable[Interceptor] = (),
        tracer_provider: Any = None,
        own: bool = True,
        settings: Settings | None = None,
        durability: Durability | None = None,
        clock: Clock | None = None,
        store: Store | None = None,
        draw: Callable[[], float] = random.random,
    ) -> None:
        self.app = app_name(app)
        self.namespace = namespace_name(namespace)
        self._formats = Formats(encodings, codec)
        self.encodings = self._formats.encodings
        self._codec = codec = self._formats.codec
        self.worker = f"{os.uname().nodename}:{os.getpid()}:{uuid.uuid4().hex[:6]}"
        self.interceptors = tuple(interceptors)
        hash_key = codec.hash_key if codec else None
        self.definitions = Definitions(self.encodings, hash_key, workflows, interceptors=self.interceptors)
        self.settings = settings or read_settings()
        self.clock = clock or SystemClock()
        self._given_clock = clock
        self._url = url
        self._secrets = secrets
        self._may_own = own
        self._durability = durability_name(durability)
        self._given_store = store
        self._draw = draw
        self.loop: asyncio.AbstractEventLoop
        self.database: str
        self.schedules = Schedules(self)
        self.store: Store
        self.journal: JournalFormat
        self._host: StepHost
        self._client: Direct | Remote
        self._duty: Duty | None = None
        self._witnesses: tuple[Witness, ...] = ()
        self.traced = tracer_provider is not None or "opentelemetry.trace" in sys.modules
        if self.traced:
            self._trace(tracer_provider)
        self._on_run: Callable[[Resident, e.Event], None] = lambda run, event: None
        self._candidate: asyncio.Task[None] | None = None
        self._loop_end: LoopEnd | None = None

    def _trace(self, provider: Any) -> None:
        """Nobody who does not trace waits for the modules to be loaded."""
        from segue.tracing.choosing import spans
        from segue.tracing.travelling import Caller

        found = spans(provider, segue.__version__, texts=self._codec is None)
        self.traced = found is not None
        if found is not None:
            self.witness(found)
            self.interceptors = (*self.interceptors, Caller())

    # --- opening and closing ----------------------------------------------------------------------------------

    if not TYPE_CHECKING:  # to those who check types it has the attributes that it has once it is open

        def __getattr__(self, name: str) -> Never:
            if name in _WHEN_OPEN:
                raise CallerError(_CLOSED if "store" in vars(self) else _NEVER_OPENED)
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}", name=name, obj=self)

    async def __aenter__(self) -> Engine:
        await self.open()
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.close()

    async def open(self) -> None:
        """Opens the database, and takes ownership if nobody has it.

        Raises:
            StoreUnavailable, StoreCorrupt, SchemaTooNew: the message says what to do.
            CallerError: it is open already.
            InvalidArgument: large values cannot be kept, or secrets not be found, where the settings say.
            OperatorError: a file with secrets cannot be read.
        """
        refuse_while_loading()
        if self in OPEN:
            raise CallerError("this engine is open already; whoever opened it first would find it closed by the second")
        if self.settings.large_values and self._may_own:
            objects.check(self.settings.large_values)
        secrets = secrets_of(self._secrets) if self._may_own else None  # a client carries out no steps
        self.loop = asyncio.get_running_loop()
        self.store, logs = self._open_store()
        self.journal = JournalFormat(encodings=self.encodings, codec=self._codec, blobs=self.store.blobs)
        self.clock = self._given_clock or self._common_clock()
        self._host = StepHost(store=self.store, journal=self.journal, logs=logs, secrets=secrets, clock=self.clock)
        self._host.notify = {rule.name: rule for rule in checked(self.settings.notify)}
        self._client = Remote(self.store, self.clock)
        self._loop_end = LoopEnd(self._end_with_loop) if self._may_own else None
        try:
            if self._may_own and not self._take_ownership():
                self._candidate = asyncio.create_task(self._stand_by(self.settings.poll * 4))
        except BaseException:
            self._host.close()
            self.store.close(clean=False)
            if self._loop_end is not None:
                await self._loop_end.forget()
            raise
        OPEN.add(self)

    def _open_store(self) -> tuple[Store, Logs]:
        url = database_url(self._url)
        self.database = shown(url)
        opened = self._given_store or open_store(url, durability=self._durability, lease=self.settings.lease)
        return opened, LogBuffer(opened.logs)

    def _common_clock(self) -> Clock:
        """The clock of all who work on the database."""
        try:
            return SystemClock() if self.store.lease is None else SharedClock(self.store.time)
        except BaseException:
            self.store.close(clean=False)
            raise

    def _take_ownership(self) -> bool:
        fence = self.store.own(self.app, self.worker, self.definitions.versions())
        if fence is None:
            return False
        duty = Duty(
            fence, store=self.store, clock=self.clock, definitions=self.definitions, journal=self.journal,
            formats=self._formats, host=self._host, app=self.app, worker=self.worker, settings=self.settings,
            draw=self._draw,
        )  # fmt: skip
        duty.conductor.on_dispossessed = partial(self._lost, duty)
        duty.conductor.on_run = self._tell_run
        duty.witnessed_by(self._witnesses)
        self._equip(duty)
        duty.attempts.deserted = self._deserted
        try:
            declare(self)
            duty.start()
        except FenceLost as error:  # it took longer than the lease
            log.warning("ownership of app %r is lost as it begins (%s); trying again", self.app, error)
            self.store.release(fence, clean=False)
            return False
        except BaseException:
            self.store.release(fence, clean=False)
            raise
        self._duty = duty
        direct = Direct(duty.conductor, duty.loading, duty.mail.look_at_holds)
        self._client = direct if self.store.lease is None else Shared(direct, Remote(self.store, self.clock))
        return True

    def _deserted(self) -> bool:
        return self._loop_end is not None and self._loop_end.come

    def _equip(self, duty: Duty) -> None:
        """Last touches before the duty begins: where the testing kit puts in attempts of its own."""

    async def _stand_by(self, pause: float) -> None:
        while True:
            await asyncio.sleep(pause)
            try:
                if self._take_ownership():
                    return
            except StoreError as error:
                pause = min(2 * pause, LONGEST_PAUSE)
                log.warning("cannot take over the runs of app %r yet: %s", self.app, error)

    def dispossessed(self, error: Exception) -> None:
        """Another owner has taken over, or the store has failed for good: this engine goes on as a client, and takes
        over again when it can; after a failure not at once, because the next try would most likely fail as well."""
        log.warning(
            "ownership of app %r is lost (%s); this process goes on as a client and joins again by itself",
            self.app,
            error,
        )
        duty, self._duty = self._duty, None
        self._client = Remote(self.store, self.clock)
        if duty is not None:
            duty.abandon(error)
            self.store.release(duty.fence, clean=False)
            pause = self.settings.poll * 4 if isinstance(error, FenceLost) else LONGEST_PAUSE
            self._candidate = asyncio.create_task(self._stand_by(pause))

    def _lost(self, duty: Duty, error: Exception) -> None:
        """A duty has found that it owns nothing any more. One that was given up before may find it once more, late: the
        one that has begun meanwhile goes on."""
        if self._duty is duty:
            self.dispossessed(error)

    def watch_runs(self, callback: Callable[[Resident, e.Event], None]) -> None:
        """``callback`` hears of every run's start, incidents and end, while this engine owns the runs, once they are on
        disk. It must not block."""
        self._on_run = callback

    def witness(self, witness: Witness) -> None:
        """``witness`` hears of all that this engine records while it owns runs, once it is on disk."""
        self._witnesses = (*self._witnesses, witness)
        if self._duty is not None:
            self._duty.witnessed_by(self._witnesses)

    def _tell_run(self, run: Resident, event: e.Event) -> None:
        if self._witnesses and isinstance(event, e.RunStarted):  # which whoever starts the run has recorded
            tell(self._witnesses, Witness.recorded, run, 1, event.at, (event,))
        if self._duty is not None:
            self._duty.retaining.heard(event)
            self._duty.scheduler.heard(run.id, event)
        try:
            self._on_run(run, event)
        except Exception:  # a watcher's mistake must not keep anybody's commit from being acknowledged
            log.exception("whoever watches runs failed at run %s", run.id, extra=about(run))

    @property
    def duty(self) -> Duty | None:
        """What this engine does while it owns runs, for whoever measures it; None while it owns none."""
        return self._duty

    @property
    def owner(self) -> bool:
        """Whether this engine runs the app's workflows."""
        return self._duty is not None

    async def close(self, *, grace: float = 0.0) -> None:
        """Hands over and closes. Attempts under way get ``grace`` seconds; then their runs go on elsewhere.

        Raises:
            CallerError: it was opened on another event loop, which is still there.
        """
        if self in OPEN and self.loop is not asyncio.get_running_loop() and not self.loop.is_closed():
            raise CallerError(ELSEWHERE)
        if self not in OPEN and self._loop_end is not None and self._loop_end.come:
            await self._loop_end.done()
        else:
            await self._close(grace)

    async def _close(self, grace: float) -> None:
        OPEN.discard(self)
        left_behind = self.loop.is_closed()
        if self._candidate is not None and not left_behind:
            self._candidate.cancel()
        if self._duty is not None:
            if left_behind:
                self._duty.leave_behind()
            else:
                await self._duty.stop(grace)
            self.store.release(self._duty.fence, clean=not left_behind)
            self._duty = None
        self._host.close()
        self.store.close()
        if self._loop_end is not None and not left_behind:
            await self._loop_end.forget()
        vars(self).pop("_client", None)  # nobody would answer

    async def _end_with_loop(self) -> None:
        if self in OPEN:
            log.warning(
                "the event loop ends while the engine of app %r is open, and its runs are handed over; close it before "
                "that, as `async with Engine(…) as engine:` does",
                self.app,
            )
            await self._close(0.0)

    # --- finding ----------------------------------------------------------------------------------------------

    @overload
    async def handle(self, id: str, returns: type[R]) -> Handle[R]: ...
    @overload
    async def handle(self, id: str) -> Handle[Any]: ...
    async def handle(self, id: str, returns: Any = Any) -> Handle[Any]:
        """The current run of an id; ``returns`` is the type of its result where its code is not known.

        Raises:
            RunNotFound: there is none.
        """
        row = self.store.find(self.namespace, id)
        if row is None:
            raise RunNotFound(id, self.namespace)
        definition = self.definitions.workflow(row.workflow)
        if returns is Any and definition is not None:
            returns = definition.bind(self.encodings).call_site.returns
        return Handle(self, row.run, row.id, returns, chain=row.chain)

    # --- people -----------------------------------------------------------------------------------------------

    async def complete_task(self, task: HumanTask, answer: Any, *, by: str = "") -> None:
        """Answers a human task. Acknowledged once it is on disk.

        Raises:
            InvalidArgument: the answer does not fit the task's form; nothing was recorded.
            CallerError: it is not open any more.
        """
        checked_name(by, "whoever answers")
        payload = self.encodings.encode(answer)
        if task.form and payload.encoding == JSON:
            forms.check(msgspec.json.decode(payload.data), task.form)
        at = self.clock.now()
        event = e.TaskCompleted(at, f"user:{by}" if by else None, None, task.key, payload)
        body, blobs = self.body(event)
        operation = CompleteTask(task.task, by, at, self.journal.readable(payload), body, blobs)
        answered = await self._ask(lambda client: client.complete_task(operation))
        if answered.outcome != "completed":
            raise CallerError(
                f"task {task.name!r} of run {task.run_id!r} is not open any more; somebody has answered or withdrawn it"
            )

    # --- looking ----------------------------------------------------------------------------------------------

    async def list(self, where: RunFilter | None = None) -> list[RunRow]:
        """Runs, newest first."""
        where = where or RunFilter(namespace=self.namespace)
        rows = self.store.list(where) if where.text is None else await beside(self.store.list, where)
        return [self._readable(row) for row in rows]

    async def search(self, where: RunFilter) -> FoundRuns:
        """A page of the runs that ``where.text`` means, newest first, found with a bounded number of looks.

        Raises:
            InvalidArgument: there is no word in the text, or too much.
        """
        page = await beside(self.store.search, where)
        return FoundRuns([self._readable(row) for row in page.rows], page.next)

    async def describe(self, run: int) -> RunRow:
        row = self.store.run(run)
        if row is None:
            raise RunNotFound(str(run), self.namespace)
        return self._readable(row)

    async def latest(self, run: int) -> RunRow:
        """The run, or the last one of its chain if it has gone on as a new one."""
        row = self.store.latest(run)
        if row is None:
            raise RunNotFound(str(run), self.namespace)
        return self._readable(row)

    def _readable(self, row: RunRow) -> RunRow:
        if self._codec is None or not (row.summary or row.timer):
            return row
        timer = None if row.timer is None else self.journal.open_text(row.timer)
        return msgspec.structs.replace(row, summary=self.journal.open_text(row.summary), timer=timer)

    def _step_result(self, step: str) -> Callable[[Any], Any] | None:
        """Decodes a result of the step, if it is known here."""
        runner: Any = self.definitions.runner(step)
        return None if runner is None else runner.decode_result

    def events_of(self, run: int, *, after: int = 0, apart: bool = False) -> Iterable[tuple[int, e.Event]]:
        """The run's journal, as far as it is on disk; ``apart`` without fetching its large values."""
        return self.journal.read(self.store.journal(run, after=after), apart=apart)

    def glance(self, run: int, *, after: int = 0) -> Iterable[tuple[int, e.Event]]:
        """``events_of`` for who waits for one of them, and fetches the large values of that (``filled``)."""
        return self.events_of(run, after=after, apart=True)

    async def read_events(
        self, run: int, *, after: int = 0, limit: int | None = None
    ) -> builtins.list[tuple[int, e.Event]]:
        """As ``events_of``, up to so many, with large values fetched beside what else the loop does."""
        seen = list(islice(self.events_of(run, after=after, apart=True), limit))
        if not any(refs_event(event) for _, event in seen):
            return seen
        fill = self.journal.fill
        return await SIDE.run(lambda: [(seq, fill(event)) for seq, event in seen])

    async def filled(self, event: E) -> E:
        """An event that was read ``apart``, with its large values."""
        return await SIDE.run(lambda: self.journal.fill(event)) if refs_event(event) else event

    def activity(self, run: int) -> Activity:
        """What the run is doing at this moment; only its owner knows."""
        return NOTHING if self._duty is None else activity(self._duty.conductor, run)

    def logs(
        self, run: int, *, after: int = 0, limit: int = 1000, key: str | None = None, without: Iterable[str] = ()
    ) -> builtins.list[LogLine]:
        """What the run's steps printed and logged up to now; ``after`` is the row of the last line that was seen.
        ``key``: of this call only; ``without``: not of these levels."""
        self._host.flush_logs()
        return self._opened(self.store.logs.read(run, after=after, limit=limit, key=key, without=without))

    def reports(self, run: int, *, after: int = 0) -> builtins.list[LogLine]:
        """What steps have reported of their progress, as lines of JSON: the step's name, and what it said."""
        self._host.flush_logs()
        return self._opened(self.store.logs.read(run, after=after, progress=True))

    def _opened(self, lines: builtins.list[LogLine]) -> builtins.list[LogLine]:
        return [msgspec.structs.replace(line, text=self.journal.open_text(line.text)) for line in lines]

    async def erase(self, *runs: int, by: str = "", reason: str = "") -> builtins.list[RunRow]:
        """Erases a person's data from runs that have ended, from all others that have had their ids, and from children;
        returns all that were changed.

        Raises:
            RunStillOpen: one of them has not ended; nothing was changed.
        """
        actor = f"user:{by}" if by else None
        at = self.clock.now()
        self._host.flush_logs()
        return await beside(erase, self.store, runs, at=at, actor=actor, reason=reason)

    async def invalidate(self, step: Step[Any, Any] | str, key: str | None = None) -> int:
        """Forgets what is cached of a step (or of ``key`` alone), so that later calls run it; how many results."""
        name = step if isinstance(step, str) else step.name
        keys = (None,) if key is None else (key, f"{REFERENCE}{key}")
        return sum([await beside(self.store.drop_cached, self.namespace, name, each) for each in keys])

    async def artifacts(self, run: int) -> builtins.list[Artifact]:
        """What the run's workflow and steps have attached, in the order in which the names came."""
        return await beside(self._artifacts, run)

    def _artifacts(self, run: int) -> builtins.list[Artifact]:
        return [self.artifact_of(self.journal.payload(data)) for data in self.store.artifacts(run).values()]

    def artifact_of(self, payload: Payload) -> Artifact:
        """The artifact in a payload, or in the large value that it stands for."""
        if bytes(payload.data).startswith(b"{" + MARK):  # a large one
            ref: Ref[Any] = self.encodings.decode(payload, Ref)
            payload, _ = self._host.read_reference(None, ref.segue_ref, ref.encoding)
        found: Artifact = self.encodings.decode(payload, Artifact)
        return found

    async def load(self, ref: Ref[R]) -> R:
        """The value that a reference stands for. Raises ``PayloadError`` if it is gone."""
        payload, encodings = await beside(self._host.read_reference, None, ref.segue_ref, ref.encoding)
        value: R = decode_reference(ref, payload, encodings)
        return value

    def published(self, run: int) -> dict[str, Any]:
        return {
            name: self.encodings.decode(self.journal.payload(data), Any)
            for name, data in self.store.published(run).items()
        }

    def closing_event(self, run: int) -> Coroutine[Any, Any, e.Event]:
        """The event that closed the run, or the incident it stands still on; see ``filled``."""
        return self._ask(partial(self._end_of, run))

    def _end_of(self, run: int, client: Direct | Remote) -> Awaitable[e.Event]:
        return client.closing_event(run, self.glance)

    async def changed(self, run: int, after: int) -> None:
        """Returns when there may be events of the run behind that number; perhaps there are not."""
        await self._ask(lambda client: client.changed(run, after))

    @property
    def attempts_under_way(self) -> int:
        """How many attempts of steps run in this process."""
        return 0 if self._duty is None else len(self._duty.attempts.running)

    @property
    def quiescent(self) -> bool:
        """Nothing is under way: no attempt, no commit, no run being loaded."""
        return self._duty is None or self._duty.quiescent
