"""What an engine does while it owns an app's runs: the code it serves, and the parts that keep the runs moving."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable
from typing import Any

from segue import capture
from segue.authoring.python.definitions import STEPS, WORKFLOWS, Workflow
from segue.authoring.python.execution import CodeExecution
from segue.errors import StoreUnavailable
from segue.host import StepHost
from segue.kernel.encoding import Encodings
from segue.kernel.execution import Execution
from segue.kernel.steps import StepRunner
from segue.runtime.clock import Clock
from segue.runtime.conductor import Conductor, Settings
from segue.runtime.journal import JournalFormat
from segue.runtime.loading import Loading
from segue.runtime.mail import Mail
from segue.runtime.processes import Processes
from segue.runtime.resident import Resident
from segue.stores.base import Fence, Store

log = logging.getLogger("segue.serving")


class Definitions:
    """The workflows and steps of an app, bound to encodings. Implements ``runtime.conductor.Definitions``."""

    def __init__(
        self, encodings: Encodings, hash_key: bytes | None, workflows: Iterable[Workflow[Any, Any]] | None
    ) -> None:
        self._encodings = encodings
        self._hash_key = hash_key
        self._only = None if workflows is None else {w.name: w for w in workflows}

    def workflow(self, name: str) -> Workflow[Any, Any] | None:
        return WORKFLOWS.get(name) if self._only is None else self._only.get(name)

    def names(self) -> list[str]:
        return WORKFLOWS.names() if self._only is None else sorted(self._only)

    def versions(self) -> dict[str, str]:
        """What is served: each workflow with its version."""
        return {name: self.version(name) for name in self.names()}

    def execution(self, workflow: str) -> Execution | None:
        definition = self.workflow(workflow)
        if definition is None:
            return None
        return CodeExecution(
            definition.bind(self._encodings, self._hash_key), encodings=self._encodings, hash_key=self._hash_key
        )

    def version(self, workflow: str) -> str:
        definition = self.workflow(workflow)
        return "" if definition is None else definition.version

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
        encodings: Encodings,
        host: StepHost,
        app: str,
        worker: str,
        settings: Settings,
        draw: Callable[[], float],
        dispossessed: Callable[[Exception], None],
    ) -> None:
        self.fence = fence
        self._definitions = definitions
        self.attempts = capture.Captured(threads=settings.threads, processes=lambda: Processes(encodings))
        self.conductor = Conductor(
            store=store, clock=clock, definitions=definitions, journal=journal, attempts=self.attempts, app=app,
            worker=worker, settings=settings, draw=draw, host=host,
        )  # fmt: skip
        self.loading = Loading(self.conductor)
        self.mail = Mail(self.conductor, self.loading)
        self._advertised = definitions.versions()
        self._advertising: asyncio.TimerHandle | None = None
        self.conductor.writer.fence = fence
        self.conductor.lost_attempts = not fence.clean
        self.conductor.poke = self.mail.poke
        self.conductor.expect = self.mail.expect
        self.conductor.reload = self._reload
        self.conductor.on_dispossessed = dispossessed

    def _advertise(self) -> None:
        """Others ask the store what is served here, and a notebook defines workflows as it goes."""
        conductor = self.conductor
        serves = self._definitions.versions()
        if serves != self._advertised:
            try:
                conductor.store.advertise(self.fence, serves)
                self._advertised = serves
            except StoreUnavailable as error:
                log.debug("what is served is said later: %s", error)
        self._advertising = asyncio.get_running_loop().call_later(conductor.settings.slow_poll, self._advertise)

    def _reload(self, run: Resident) -> None:
        self.mail.reload(run.run)

    def start(self) -> None:
        capture.install()
        try:
            self.mail.takeover()
            self.mail.start()
            self._advertise()
        except BaseException:
            capture.uninstall()
            self.mail.close()
            raise

    def abandon(self, error: Exception) -> None:
        """Stops at once; ``error`` says why, to whoever waits for something here."""
        capture.uninstall()
        self._close_advertising()
        self.mail.close()
        self.conductor.timers.close()
        self.conductor.dismiss(error)
        # Off the path of whoever noticed; worker processes end with it.
        self._ending = asyncio.ensure_future(self.attempts.close(0))

    def _close_advertising(self) -> None:
        if self._advertising is not None:
            self._advertising.cancel()

    async def stop(self, grace: float) -> None:
        self._close_advertising()
        self.mail.close()
        self.conductor.timers.close()
        try:
            await self.attempts.close(grace)
        finally:
            capture.uninstall()
        if self.conductor.writer.unavailable is None:
            await self.conductor.writer.drained()
        for run in list(self.conductor.residents.values()):
            self.conductor.drop(run)
        self.conductor.dismiss(StoreUnavailable("the engine was closed; the run goes on with its next owner"))
        await self.conductor.writer.close()

    @property
    def quiescent(self) -> bool:
        conductor = self.conductor
        return not (conductor.attempts.running or conductor.writer.busy or self.loading.busy)
