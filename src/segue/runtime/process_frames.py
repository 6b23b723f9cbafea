"""What an engine and a worker process say to each other, and how it stands on the wire.

A frame is four bytes of length (big-endian) and a JSON array whose first item is the frame's name. Arguments and
results are payloads as the journal has them; nothing in a frame is ever executed.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any

import msgspec

from segue.kernel.payload import Payload

_LENGTH = struct.Struct(">I")
LONGEST = 2**32 - 1


class Frame(msgspec.Struct, frozen=True, array_like=True, tag=True):
    """Base of all frames."""


class Raised(msgspec.Struct, frozen=True, array_like=True):
    """An exception on its way to another process: what it was, as data.

    Attributes:
        classes: (module, qualified name) of its class and all bases, most derived first, without ``object``.
        message: ``str(exception)``.
        frames: (file, line, function) of its traceback, outermost first.
        attributes: those that are plain: text, numbers, truth values, None and lists of them.
        cause: what it came from.
        details: the value that it carried for the workflow, if any.
    """

    classes: tuple[tuple[str, str], ...]
    message: str
    frames: tuple[tuple[str, int, str], ...] = ()
    attributes: dict[str, Any] = {}
    cause: Raised | None = None
    details: Payload | None = None


# --- from the engine ------------------------------------------------------------------------------------------


class Place(msgspec.Struct, frozen=True, array_like=True):
    """Where a function is defined. The file is for a module that cannot be imported by its name."""

    module: str
    qualname: str
    file: str | None


class Prepare(Frame, frozen=True):
    """The first frame: what the worker needs to know for all steps.

    Attributes:
        encodings: the function that makes the ``Encodings``.
        log_level: of the root logger, so that the same records are made as in the engine's process.
        keep_only: what steps print is kept with their runs and shown nowhere else.
    """

    encodings: Place
    log_level: int
    keep_only: bool = False


class Run(msgspec.Struct, array_like=True):
    """Whose run it is. Implements ``kernel.attempt.Identity``."""

    run: int
    id: str
    uid: str
    namespace: str
    workflow: str


class Start(Frame, frozen=True):
    """Run one attempt of a step: its key, its name, the number of the attempt, its arguments."""

    place: Place
    run: Run
    key: str
    name: str
    attempt: int
    input: Payload
    headers: dict[str, str] | None = None
    earlier: Payload | None = None
    """What the last heartbeat of an earlier attempt said."""


class Answer(Frame, frozen=True):
    """To a question of the worker: the value's bytes, or why there is none."""

    question: int
    value: bytes | None = None
    error: Raised | None = None


# --- from the worker ------------------------------------------------------------------------------------------


class Ready(Frame, frozen=True):
    """The interpreter is up; steps can run."""


class Completed(Frame, frozen=True):
    """The step returned. ``writes`` is the keyed state it wrote: (scope, key, value)."""

    result: Payload
    writes: tuple[tuple[str, str, bytes | None], ...] = ()


class Failed(Frame, frozen=True):
    """The step raised."""

    error: Raised


class Logged(Frame, frozen=True):
    """The step printed or logged."""

    level: str
    stream: str
    line: str


class Reported(Frame, frozen=True):
    """The step said how far it is."""

    progress: Payload


class Beaten(Frame, frozen=True):
    """The step gave a sign of life, and said where it is."""

    details: Payload | None = None


class HandOver(Frame, frozen=True):
    """The step's outcome shall come from outside; answered with the attempt's token in UTF-8."""

    question: int


class AskSecret(Frame, frozen=True):
    """The step wants a secret's value; answered in UTF-8."""

    question: int
    name: str


class AskState(Frame, frozen=True):
    """The step wants keyed state."""

    question: int
    scope: str
    key: str


class Attached(Frame, frozen=True):
    """The step attached an artifact."""

    name: str
    artifact: Payload


class AskReference(Frame, frozen=True):
    """The step wants a value that is kept apart; answered with its payload in JSON."""

    question: int
    ref: str
    encoding: str


Order = Prepare | Start | Answer
"""What an engine says."""

Notice = (
    Ready | Completed | Failed | Logged | Reported | Beaten | HandOver | AskSecret | AskState | AskReference | Attached
)
"""What a worker says."""


class BrokenFrame(Exception):
    """What came was no frame."""


def pack(frame: Frame) -> bytes:
    """The frame as it stands on the wire. Raises ``ValueError`` beyond 4 GiB."""
    body = msgspec.json.encode(frame)
    if len(body) > LONGEST:
        raise ValueError(f"a {type(frame).__name__} of {len(body):,} bytes does not fit into a frame (at most 4 GiB)")
    return _LENGTH.pack(len(body)) + body


class Frames:
    """Cuts what arrives into frames of one kind (``Order`` or ``Notice``)."""

    def __init__(self, kind: object) -> None:
        self._decode: Callable[[bytes], object] = msgspec.json.Decoder(kind).decode
        self._buffer = bytearray()

    def feed(self, data: bytes) -> None:
        self._buffer += data

    def take(self) -> object | None:
        """The next frame, None while it has not arrived whole.

        Raises:
            BrokenFrame: these bytes are no frame.
        """
        buffer = self._buffer
        if len(buffer) < _LENGTH.size:
            return None
        end = _LENGTH.size + _LENGTH.unpack_from(buffer)[0]
        if len(buffer) < end:
            return None
        # A copy: payloads point into the bytes that they were decoded from.
        body = bytes(memoryview(buffer)[_LENGTH.size : end])
        del buffer[:end]
        try:
            return self._decode(body)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise BrokenFrame(str(error)) from error
