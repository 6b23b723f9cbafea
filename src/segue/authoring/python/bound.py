"""Steps and workflows together with an engine's encodings: what an engine, or a worker process, runs."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any

from segue.authoring.python.changes import REMOVED
from segue.authoring.python.mentions import mentions
from segue.kernel.canonical import Call
from segue.kernel.encoding import Encodings
from segue.kernel.payload import Payload

if TYPE_CHECKING:
    from segue.authoring.python.definitions import Step, Workflow


class BoundStep:
    """A step as the runtime runs it. Implements ``kernel.steps.StepRunner``."""

    def __init__(self, step: Step[Any, Any], encodings: Encodings, hash_key: bytes | None) -> None:
        self.spec = step.spec
        self.function = step.function
        self.call_site = Call.of(step.function, encodings, name=step.name, hash_key=hash_key)
        self.decode = self.call_site.decode
        self.encode = encodings.encode
        self.decode_result = encodings.reader(self.call_site.returns)

    def call(self, arguments: Any) -> Any:
        args, kwargs = arguments
        return self.function(*args, **kwargs)

    def locate(self) -> tuple[str, str]:
        return self.function.__module__, self.function.__qualname__


class BoundWorkflow:
    """A workflow as an execution runs it."""

    def __init__(
        self, workflow: Workflow[Any, Any], encodings: Encodings, hash_key: bytes | None, is_pure: Callable[[str], bool]
    ) -> None:
        self.name = workflow.name
        self.version = workflow.version
        self.policy = workflow.policy
        self.function = workflow.function if workflow.form is None else workflow.form.call
        self.call_site = Call.of(
            workflow.function, encodings, name=workflow.name, hash_key=hash_key, method=workflow.form is not None
        )
        self._encodings = encodings
        self._source = workflow.function if workflow.form is None else workflow.form.cls
        self.is_pure = is_pure

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

    def mentions(self, step: str) -> bool:
        return mentions(self._source, step)
