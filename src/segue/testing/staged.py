"""An engine whose steps may be mocked: the engine of production with another set of functions behind its steps."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from segue.authoring.python.classes import HasRun
from segue.authoring.python.definitions import Workflow
from segue.engine import Engine
from segue.kernel.encoding import Encodings
from segue.kernel.interception import Interceptor
from segue.kernel.steps import StepRunner
from segue.owner.capture import Captured
from segue.owner.serving import Definitions, Duty
from segue.runtime.attempts import Running
from segue.testing.mocks import MockRunner, Mocks, is_mocked


class StagedDefinitions(Definitions):
    """The definitions of an app, and the mocks that stand in for some of its steps."""

    def __init__(
        self,
        encodings: Encodings,
        hash_key: bytes | None,
        workflows: Iterable[Workflow[Any, Any] | type[HasRun]] | None,
        *,
        interceptors: tuple[Interceptor, ...],
        mocks: Mocks,
    ) -> None:
        super().__init__(encodings, hash_key, workflows, interceptors=interceptors)
        self._mocks = mocks

    def runner(self, step: str) -> StepRunner | None:
        mock = self._mocks.standing_in(step)
        if mock is None:
            return super().runner(step)
        return MockRunner(mock, mock.step.bind(self._encodings, self._hash_key))


class StagedAttempts(Captured):
    """Attempts of which some are mocked: those run on the loop, wherever the step would."""

    def start(self, running: Running) -> None:
        spec = running.command.spec
        if spec.executor != "loop" and is_mocked(running.runner):
            on_loop = msgspec.structs.replace(spec, executor="loop")
            running.command = msgspec.structs.replace(running.command, spec=on_loop)
        super().start(running)


class StagedEngine(Engine):
    """``Engine`` with mocks; its other arguments are the same."""

    def __init__(
        self,
        url: str | None = None,
        *,
        mocks: Mocks,
        workflows: Iterable[Workflow[Any, Any]] | None = None,
        **options: Any,
    ) -> None:
        super().__init__(url, workflows=workflows, **options)
        hash_key = self._codec.hash_key if self._codec else None
        self.definitions = StagedDefinitions(
            self.encodings, hash_key, workflows, interceptors=self.interceptors, mocks=mocks
        )

    def _equip(self, duty: Duty) -> None:
        attempts = StagedAttempts(
            threads=self.settings.threads, processes=duty.processes, interceptors=self.interceptors
        )
        self._put_in(attempts, duty)

    def _put_in(self, attempts: StagedAttempts, duty: Duty) -> None:
        attempts.transact = duty.attempts.transact
        duty.attempts = duty.conductor.attempts = attempts

    def look(self) -> None:
        """Takes in at once what other engines on the database have left for this one."""
        if self._duty is not None:
            self._duty.mail.look()
