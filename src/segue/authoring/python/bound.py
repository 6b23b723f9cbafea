"""A step together with an engine's encodings: what an engine, or a worker process, runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from segue.kernel.canonical import Call
from segue.kernel.encoding import Encodings

if TYPE_CHECKING:
    from segue.authoring.python.definitions import Step


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
