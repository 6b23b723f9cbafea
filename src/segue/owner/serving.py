"""What an engine does while it owns an app's runs: the code it serves, and the parts that keep the runs moving."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from segue.authoring.python.calling import CALL_STEP
from segue.authoring.python.classes import HasRun
from segue.authoring.python.definitions import STEPS, WORKFLOWS, Workflow
from segue.authoring.python.execution import CodeExecution
from segue.authoring.python.registry import definition_of
from segue.authoring.python.scheduling import takes_report
from segue.authoring.python.versions import Versions
from segue.configuration.formats import Formats
from segue.errors import InvalidArgument, PayloadError, StoreError, StoreUnavailable, UnknownWorkflow
from segue.kernel.canonical import digest
from segue.kernel.encoding import Encodings
from segue.kernel.execution import Execution
from segue.kernel.interception import Interceptor
from segue.kernel.notice import Notice
from segue.kernel.payload import JSON, Payload, from_bytes
from segue.kernel.ramp import Ramp
from segue.kernel.report import Occasion, RunReport
from segue.kernel.schedule import Target
from segue.kernel.steps import StepRunner
from segue.notifying.workflow import NOTIFY
from segue.owner import capture
from segue.owner.host import StepHost
from segue.owner.watchdog import Watchdog
from segue.runtime import collector
from segue.runtime.clock import Clock
from segue.runtime.conductor import Conductor
from segue.runtime.fetching import near
from segue.runtime.journal import JournalFormat
from segue.runtime.loading import Loading
from segue.runtime.mail import Mail
from segue.runtime.memory import Shedding, budget
from segue.runtime.placing import Placing
from segue.runtime.processes import Processes
from segue.runtime.resident import Resident
from segue.runtime.retention import Retaining
from segue.runtime.schedules import Scheduler
from segue.runtime.settings import Settings
from segue.runtime.tending import Tending
from segue.runtime.witness import Witness, tell
from segue.stores.base import Fence, Store

log = logging.getLogger("segue.serving")

PLACING = 10.0
"""Seconds for which the end waits for a large value that is on its way out of the database."""

BUILT_IN: dict[str, Workflow[Any, Any]] = {each.name: each for each in (CALL_STEP, NOTIFY)}
"""Workflows that every engine serves, whatever it serves otherwise."""


class Definitions:
    """The workflows and steps of an app, bound to encodings. Implements ``runtime.conductor.Definitions``."""

    def __init__(
        self,
        encodings: Encodings,
        hash_key: bytes | None,
        workflows: Iterable[Workflow[Any, Any] | type[HasRun]] | None,
        *,
        interceptors: tuple[Interceptor, ...] = (),
    ) -> None:
        self._encodings = encodings
        self._hash_key = hash_key
        self.interceptors = interceptors
        self._versions = WORKFLOWS.versions if workflows is None else Versions(map(definition_of, workflows))

    def workflow(self, name: str) -> Workflow[Any, Any] | None:
        found = self._versions.base(name)
        return BUILT_IN.get(name) if found is None else found

    def for_new(self, name: str, id: str) -> Workflow[Any, Any] | None:
        """The version of a workflow that a new run with this id gets."""
        return self._versions.for_new(name, id) or self.workflow(name)

    def names(self) -> list[str]:
        return self._versions.names()

    def versions_of(self, name: str) -> list[Workflow[Any, Any]]:
        """All versions of a workflow that stand beside each other here."""
        return self._versions.all(name)

    def pins(self) -> dict[str, list[str]]:
        return self._versions.pins()

    def ramps(self) -> dict[str, Ramp]:
        return self._versions.ramps()

    def versions(self) -> dict[str, str]:
        """What is served: each workflow with its version."""
        return {name: self.version(name) for name in self.names()}

    def serving(self, workflow: str, version: str) -> Workflow[Any, Any] | None:
        """What goes on with a run that was started with a version; None if nothing here may."""
        return BUILT_IN.get(workflow) or self._versions.serving(workflow, version)

    def execution(self, workflow: str, version: str) -> Execution | None:
        definition = self.serving(workflow, version)
        if definition is None:
            return None
        return CodeExecution(
            definition.bind(self._encodings, self._hash_key), encodings=self._encodings, hash_key=self._hash_key,
            interceptors=self.interceptors,
        )  # fmt: skip

    def newest(self, workflow: str) -> Execution | None:
        """An execution of the version that new runs get."""
        return self.execution(workflow, self.version(workflow))

    def version(self, workflow: str, id: str | None = None) -> str:
        definition = self.workflow(workflow) if id is None else self.for_new(workflow, id)
        return "" if definition is None else definition.version

    def timeout(self, workflow: str) -> int | None:
        definition = self.workflow(workflow)
        return None if definition is None else definition.timeout

    def hook(self, workflow: str, occasion: Occasion) -> Target | None:
        definition = self.workflow(workflow)
        return None if definition is None else definition.hooks.get(occasion)

    def call(self, target: Target, report: RunReport) -> tuple[str, Payload, str]:
        if target.kind == "step":
            payload, hash = CALL_STEP.bind(self._encodings, self._hash_key).call_site.encode((target.name, report), {})
            return CALL_STEP.name, payload, hash
        definition = self.workflow(target.name)
        try:
            if definition is not None:
                args = (report,) if takes_report(definition) else ()
                payload, hash = definition.bind(self._encodings, self._hash_key).call_site.encode(args, {})
                return target.name, payload, hash
        except (InvalidArgument, PayloadError) as error:
            log.error("workflow %s takes no report of a run: %s", target.name, error)
        # By position, unchecked: its run will say that there is no code for it, or that it takes something else.
        payload, canonical = self._encodings.encode_canonical({"*": (report,)})
        return target.name, payload, digest(canonical, self._hash_key)

    def notice(self, rule: str, notice: Notice) -> tuple[str, Payload, str]:
        payload, hash = NOTIFY.bind(self._encodings, self._hash_key).call_site.encode((rule, notice), {})
        return NOTIFY.name, payload, hash

    def arguments(self, workflow: str, input: str) -> tuple[Payload, str]:
        definition = self.workflow(workflow)
        if definition is None:
            raise UnknownWorkflow(workflow, self.names())
        site = definition.bind(self._encodings, self._hash_key).call_site
        args, kwargs = site.decode(from_bytes(JSON, b'{"*":%b}' % input.encode()))
        return site.encode(args, kwargs)

    def runner(self, step: str) -> StepRunner | None:
        found = STEPS.get(step)
        return None if found is None else found.bind(self._encodings, self._hash_key)


class Duty:
    """What an engine does while it owns an app's runs."""

    def __init__(
        self,
        fence: Fence,
        *,
        store: Store,
        clock: Clock,
        definitions: Definitions,
        journal: JournalFormat,
        formats: Formats,
        host: StepHost,
        app: str,
        worker: str,
        settings: Settings,
        draw: Callable[[], float],
    ) -> None:
        self.fence = fence
        self._formats = formats
        self._host = host
        self._settings = settings
        self._definitions = definitions
        self.attempts = capture.Captured(
            threads=settings.threads, processes=self.processes, interceptors=definitions.interceptors
        )
        self.conductor = Conductor(
            store=store, clock=clock, definitions=definitions, journal=journal.over(near(store)),
            attempts=self.attempts, app=app, worker=worker, settings=settings, draw=draw, host=host,
        )  # fmt: skip
        self.loading = Loading(self.conductor)
        self.mail = Mail(self.conductor, self.loading)
        self.retaining = Retaining(store, clock, app, settings.retention)
        self.placing = Placing(store, clock, settings.large_values, lambda: self.conductor.owns(0))
        self.scheduler = Scheduler(self.conductor)
        self.memory = Shedding(self.conductor, budget(settings.memory))
        self._advertised = definitions.versions(), definitions.pins(), definitions.ramps()
        self._advertising: asyncio.TimerHandle | None = None
        self._watchdog: Watchdog | None = None
        self.conductor.writer.fence = fence
        self.tending = Tending(self.conductor, self.loading, self.mail, fence)
        self.mail.stirred = self.tending.look
        self.tending.gained = self._gained
        self.conductor.poke = self.mail.poke
        self.conductor.expect = self.mail.intake.expect
        self.conductor.reload = self._reload
        self.mail.also = self.scheduler.look
        self.conductor.look_into_outbox = self.mail.look_into_outbox
        host.on_beat = self.conductor.heartbeats.heard

    def processes(self) -> Processes:
        """Makes the pool of worker processes."""
        return Processes(self._formats.encodings, size=self._settings.processes, factory=self._formats.factory)

    def witnessed_by(self, witnesses: tuple[Witness, ...]) -> None:
        """Has them hear of what is recorded here from now on."""
        self.conductor.witnesses = witnesses
        for witness in witnesses:
            witness.serve(self.attempts)
        self.conductor.writer.timed = partial(tell, witnesses, Witness.committed) if witnesses else None

    def _advertise(self) -> None:
        """Others ask the store what is served here, and a notebook defines workflows as it goes."""
        conductor = self.conductor
        serves, pins = self._definitions.versions(), self._definitions.pins()
        ramps = self._definitions.ramps()
        if (serves, pins, ramps) != self._advertised:
            try:
                conductor.store.pin(self.fence, pins)
                conductor.store.advertise(self.fence, serves, ramps)
                self._advertised = serves, pins, ramps
            except StoreUnavailable as error:
                log.debug("what is served is said later: %s", error)
        self._look_at_rules()
        self._advertising = asyncio.get_running_loop().call_later(conductor.settings.slow_poll, self._advertise)

    def _look_at_rules(self) -> None:
        """Somebody else may have said how long runs of a namespace are kept."""
        try:
            self.retaining.look_at_rules()
        except StoreError as error:
            log.debug("rules of retention are looked at later: %s", error)

    def _gained(self) -> None:
        """Runs, or what one of several owners does for all, have become this owner's."""
        self.retaining.look()
        try:
            self.placing.look()
        except StoreError as error:
            log.debug("large values are looked after later: %s", error)

    def _reload(self, run: Resident) -> None:
        self.mail.reload(run.run)

    def start(self) -> None:
        self._take_over_process()
        try:
            self.tending.begin()
            self.mail.takeover()
            self.mail.start()
            self.tending.start()
            self.retaining.start()
            self.placing.look()
            self.scheduler.start()
            self._advertise()
            self.memory.start()
            if self._settings.stall > 0:
                self._watchdog = Watchdog(self._settings.stall, self.conductor, self._host)
        except BaseException:
            self.give_back_process()
            self.mail.close()
            raise

    def _take_over_process(self) -> None:
        """What the process as a whole does otherwise while it owns runs."""
        capture.install()
        collector.relax()

    def give_back_process(self) -> None:
        """Takes back what was taken over, as the end of the process would."""
        capture.uninstall()
        collector.restore()

    def abandon(self, error: Exception) -> None:
        """Stops at once; ``error`` says why, to whoever waits for something here."""
        self.give_back_process()
        self._stop_looking()
        self.scheduler.close()
        self.mail.close()
        self.conductor.timers.close()
        self.conductor.dismiss(error)
        self.conductor.fetching.close()
        # Off the path of whoever noticed; worker processes end with it.
        self._ending = asyncio.gather(self.attempts.close(0), self.retaining.close(), self.placing.close(0))

    def _stop_looking(self) -> None:
        self.tending.close()
        self.memory.close()
        if self._advertising is not None:
            self._advertising.cancel()
        if self._watchdog is not None:
            self._watchdog.close()
        self.conductor.heartbeats.close()

    async def stop(self, grace: float) -> None:
        self._stop_looking()
        self.scheduler.close()
        self.mail.close()
        self.conductor.timers.close()
        await self.retaining.close()
        await self.placing.close(max(grace, PLACING))
        self.conductor.fetching.close()
        try:
            await self.attempts.close(grace)
        finally:
            self.give_back_process()
        if self.conductor.writer.unavailable is None:
            await self.conductor.writer.drained()
        for run in list(self.conductor.residents.values()):
            self.conductor.drop(run)
        self.conductor.dismiss(StoreUnavailable("the engine was closed; the run goes on with its next owner"))
        await self.conductor.writer.close()

    def leave_behind(self) -> None:
        """As ``stop``, where the event loop was closed before: what is not the loop's ends."""
        self.give_back_process()
        if self._watchdog is not None:
            self._watchdog.close()
        self.attempts.leave_behind()
        if self.conductor.writer.aside is not None:
            self.conductor.writer.aside.stop()

    @property
    def quiescent(self) -> bool:
        conductor = self.conductor
        moving = (conductor.writer, self.loading, self.mail, self.retaining, self.scheduler)
        return not (conductor.attempts.running or any(part.busy for part in moving))
