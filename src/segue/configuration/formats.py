"""How an engine's values are written: its encodings, its codec, and where a worker process finds the same encodings."""

from __future__ import annotations

import importlib
import os
from collections.abc import Callable

from segue.configuration.settings import encodings_factory
from segue.encodings import default_encodings
from segue.encodings.aesgcm import AesGcm
from segue.errors import InvalidArgument
from segue.kernel.codec import Codec
from segue.kernel.encoding import Encodings

KEYS = "SEGUE_PAYLOAD_KEYS"

Factory = Callable[[], Encodings]


class Formats:
    """What was given, or else what the surroundings say, or else what ships.

    Args:
        encodings: the encodings, or the function that makes them, which worker processes call too.
        codec: what seals payloads; by default AES-GCM with the keys in ``SEGUE_PAYLOAD_KEYS``, if that is set.

    Attributes:
        factory: the function that makes the encodings; None if they were given as an object.
    """

    def __init__(self, encodings: Encodings | Factory | None, codec: Codec | None) -> None:
        self.factory: Factory | None = None
        if isinstance(encodings, Encodings):
            self.encodings = encodings
        else:
            self.factory = encodings or _configured()
            self.encodings = _made(self.factory)
        self.codec = codec or (AesGcm.from_env(KEYS) if os.environ.get(KEYS) else None)


def _made(factory: Factory) -> Encodings:
    made: object = factory()
    if not isinstance(made, Encodings):
        name = getattr(factory, "__qualname__", factory)
        raise InvalidArgument(
            f"{name} makes a {type(made).__name__}; it has to return Encodings, as default_encodings does"
        )
    return made


def _configured() -> Factory:
    name = encodings_factory()
    if name is None:
        return default_encodings
    module, _, function = name.partition(":")
    try:
        found: Factory = getattr(importlib.import_module(module), function)
    except (ImportError, AttributeError, ValueError) as error:
        raise InvalidArgument(
            f"the setting encodings is {name!r}, and that is not to be found: {error}; write module:function"
        ) from error
    return found
