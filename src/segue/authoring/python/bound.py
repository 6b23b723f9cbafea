"""A step or a workflow together with an engine's encodings: what an engine, or a worker process, runs."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any

from segue.authoring.python.changes import REMOVED
from segue.authoring.python.fingerprint import fingerprint
from segue.authoring.python.functions import STOPPED
from segue.authoring.python.mentions import mentions
from segue.authoring.python.references import Ref
from segue.authoring.python.registry import STEPS
from segue.kernel.canonical import Call
from segue.kernel.encoding import Encodings
from segue.kernel.payload import Payload
from segue.kernel.steps import DECISION

if TYPE_CHECKING:
    from segue.authoring.python.definitions import Step, Workflow


class BoundStep:
    """A step as the runtime runs it. Implements ``kernel.steps.StepRunner``."""

    def __init__(
        self, step: Step[Any, Any], encodings: Encodings, hash_key: bytes | None, call_site: Call | None = None
    ) -> None:
        self.spec = step.spec
        self.function = step.function
        self.call_site = call_site or Call.of(step.function, encodings, name=step.name, hash_key=hash_key)
        self._fingerprint: str | None = None
        self.decode = self.call_site.decode
        self.encode = encodings.encode
        self.decode_result = encodings.reader(Ref[Any] if step.spec.by_reference else self.call_site.returns)

    def call(self, arguments: Any) -> Any:
        args, kwargs = arguments
        try:  # as ``called``, without a frame more for each attempt
            return self.function(*args, **kwargs)
        except StopIteration as error:
            raise RuntimeError(STOPPED) from error

    def fingerprint(self) -> str:
        """Of the function's code."""
        if self._fingerprint is None:
            self._fingerprint = fingerprint(self.function)
        return self._fingerprint

    def locate(self) -> tuple[str, str]:
        return self.function.__module__, self.function.__qualname__


class BoundWorkflow:
    """A workflow as an execution runs it."""

    def __init__(self, workflow: Workflow[Any, Any], encodings: Encodings, hash_key: bytes | None) -> None:
        self.name = workflow.name
        self.version = workflow.version
        self.policy = workflow.policy
        self.function = workflow.function if workflow.form is None else workflow.form.call
        self.call_site = Call.of(
            workflow.function, encodings, name=workflow.name, hash_key=hash_key, method=workflow.form is not None,
            owner=None if workflow.form is None else workflow.form.cls,
        )  # fmt: skip
        self._encodings = encodings
        self._source = workflow.function if workflow.form is None else workflow.form.cls

    def begin(self, payload: Payload) -> Coroutine[Any, Any, Any]:
        args, kwargs = self.call_site.decode(payload)
        return self.function(*args, **kwargs)

    def encode_result(self, value: Any) -> Payload:
        return self._encodings.encode(value)

    def encode_input(self, args: tuple[Any, ...]) -> tuple[Payload, str]:
        return self.call_site.encode(args, {})

    def decode_result(self, payload: Payload) -> Any:
        return self._encodings.decode(payload, self.call_site.returns)

    def may_drop(self, step: str) -> bool:
        return step in REMOVED or self.is_pure(step)

    def is_pure(self, step: str) -> bool:
        found = STEPS.get(step)
        return step.startswith(DECISION) if found is None else found.spec.pure

    def mentions(self, step: str) -> bool:
        return mentions(self._source, step)
