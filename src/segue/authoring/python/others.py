"""Other runs, from inside a workflow: signalling them and asking them to stop, as durable calls."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, overload

from segue.authoring.python.execution import require
from segue.authoring.python.handlers import MARK
from segue.errors import InvalidArgument
from segue.kernel.attempt import derive_key
from segue.kernel.canonical import Call, digest
from segue.kernel.commands import SendMessage
from segue.kernel.names import checked_name, checked_text

A = TypeVar("A")


class OtherRun:
    """The run that has an id at the time when it is sent something. Costs nothing until then."""

    def __init__(self, id: str) -> None:
        self.id = id

    @overload
    async def signal(self, signal: str, value: Any = None, /) -> None: ...
    @overload
    async def signal(self, signal: Callable[[Any], Any], /) -> None: ...
    @overload
    async def signal(self, signal: Callable[[Any, A], Any], value: A, /) -> None: ...
    async def signal(self, signal: Any, value: Any = None, /) -> None:
        """Sends a signal, by its name or by the method of a class that takes it. It arrives once, whatever crashes.

        Raises:
            RunNotFound, RunClosed: nobody got it.
        """
        encodings = require("signal()").encodings
        name = signal
        if not isinstance(signal, str):
            if getattr(signal, MARK, None) != "signal":
                raise InvalidArgument(f"{signal!r} takes no signals: give the name of one, or a method marked @signal")
            name = signal.__name__
            site = Call.of(signal, encodings, name=name, method=True)
            site.bind((value,) if site.types else (), {})
        await self._send("signal", checked_name(name, "a signal's name"), value)

    async def cancel(self, reason: str = "") -> None:
        """Asks the run to stop, and returns when the request is on its way; a second one changes nothing.

        Raises:
            RunNotFound, RunClosed: nobody got it.
        """
        await self._send("cancel", checked_text(reason, "the reason"))

    async def _send(self, kind: str, name: str, value: Any = None) -> None:
        execution = require(f"{kind}()")
        payload, canonical = execution.encodings.encode_canonical(value)
        hash = digest(f"{self.id}\n{name}\n".encode() + canonical, execution.hash_key)
        key = execution.calls.next_key(f"{kind}:{name}" if kind == "signal" else kind, hash)
        command = SendMessage(
            key, kind, self.id, name, derive_key(execution.uid, key), hash, payload if kind == "signal" else None,
            execution.outgoing_headers(),
        )  # fmt: skip
        await execution.calls.send(command)


def other_run(id: str) -> OtherRun:
    """The run of this id in the run's own namespace, whatever workflow it is of."""
    require("other_run()")
    return OtherRun(checked_name(id, "a run's id"))
