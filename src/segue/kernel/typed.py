"""Reads JSON by declared type: msgspec where it can, and what it leaves out.

``TypedDecoder`` is the compiled decoder of one annotation. ``PLAIN`` lists the classes that msgspec does not know but
JSON can hold: subclasses of text and numbers, paths, deques, pydantic models.
"""

from __future__ import annotations

import inspect
import json
import re
from collections import deque
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import PurePath
from types import NoneType
from typing import TYPE_CHECKING, Any, Protocol, get_args, get_origin

import msgspec

from segue.errors import PayloadError
from segue.kernel.hidden import lost
from segue.kernel.likeness import describe, members_of
from segue.kernel.payload import JSON, Fetch, Payload, content
from segue.kernel.plain_numbers import base_of
from segue.kernel.secret import SecretRef
from segue.kernel.shapes import Shape, build_shape
from segue.kernel.unsound import unsound

if TYPE_CHECKING:
    from segue.kernel.encoding import Encodings

marked = re.compile(rb'\{"\$').search
"""Finds an object whose first key begins with ``$``. Never inside text, where JSON escapes the quotation mark."""


class TypedDecoder:
    """Decodes payloads to one declared type."""

    __slots__ = ("_encodings", "_fast", "_shape", "annotation")

    def __init__(self, annotation: Any, encodings: Encodings) -> None:
        """Raises ``PayloadError`` when values of the type could not be told from their JSON, or are not all in it."""
        self.annotation = annotation
        self._encodings = encodings
        self._fast: Callable[[Any], Any] | None = None
        self._shape: Shape | None = None
        problem: str | None = None
        try:
            problem = lost(annotation)
            if unsound(annotation):
                raise TypeError  # as msgspec should
            self._fast = msgspec.json.Decoder(annotation, dec_hook=_Builder(encodings, None)).decode
        except TypeError:  # msgspec does not read this type by itself
            self._shape = build_shape(annotation)
        except Exception as error:
            raise PayloadError(f"{describe(annotation)} cannot be read back: {error}") from error
        if problem is not None:
            raise PayloadError(f"{describe(annotation)}: {problem}")

    def decode(self, payload: Payload, fetch: Fetch | None = None) -> Any:
        """The value. Raises ``PayloadError``."""
        fast = self._fast
        if fast is not None and payload.encoding == JSON and payload.ref is None and not payload.parts:
            data = payload.data
            if not marked(data):
                try:
                    return fast(data)
                except Exception as error:
                    raise self._refusal(error) from error
        return self._decode_thoroughly(payload, fetch)

    def _decode_thoroughly(self, payload: Payload, fetch: Fetch | None) -> Any:
        if payload.encoding != JSON:
            return self._encodings.decode_part(payload, self.annotation, fetch)
        builder = _Builder(self._encodings, fetch)
        try:
            tree = builder.unmark(msgspec.json.decode(content(payload, fetch)), payload.parts)
            if self._shape is not None:
                return self._shape(tree, builder, "$")
            return msgspec.convert(tree, self.annotation, str_keys=True, dec_hook=builder)
        except PayloadError:
            raise
        except Exception as error:
            raise self._refusal(error) from error

    def _refusal(self, error: Exception) -> PayloadError:
        """msgspec says the path at the end of its text; it has no other way."""
        text, _, where = str(error).rpartition(" - at `")
        path = where.rstrip("`") if text else "$"
        return PayloadError(
            f"{path}: {text or error} (while reading {describe(self.annotation)}); "
            "the value is of another type, or was written by other code or another version of the type",
            path=path,
            reason=text or str(error),
        )


class _Builder:
    """Builds the values that msgspec does not build by itself; it is the hook that msgspec calls."""

    __slots__ = ("_encodings", "_fetch", "_parts")

    def __init__(self, encodings: Encodings, fetch: Fetch | None) -> None:
        self._encodings = encodings
        self._fetch = fetch
        self._parts: dict[int, tuple[Any, Payload]] = {}

    def __call__(self, kind: Any, tree: Any) -> Any:
        origin = get_origin(kind) or kind
        if id(tree) in self._parts and not (isinstance(origin, type) and isinstance(tree, origin)):
            return self._encodings.decode_part(self._parts[id(tree)][1], kind, self._fetch)
        if getattr(origin, "_is_protocol", False):
            raise ValueError(f"{describe(kind)} is a Protocol, which does not say what to make; declare a class")
        if not isinstance(origin, type) or isinstance_of(tree, origin):
            return tree
        plain = self._encodings.plain_of(origin)
        if plain is None:
            raise ValueError(f"{describe(kind)} has no encoding, found {type(tree).__name__}")
        return plain.decode(tree, kind)

    def unmark(self, tree: Any, parts: tuple[Payload, ...]) -> Any:
        """Puts in what the marks stand for."""
        match tree:
            case dict():
                if len(tree) == 1:
                    ((key, value),) = tree.items()
                    if key.startswith("$"):
                        return self._unmark_one(key, value, parts)
                return {key: self.unmark(value, parts) for key, value in tree.items()}
            case list():
                return [self.unmark(item, parts) for item in tree]
            case _:
                return tree

    def _unmark_one(self, key: str, value: Any, parts: tuple[Payload, ...]) -> Any:
        match key, value:
            case "$float", ("nan" | "inf" | "-inf"):
                return float(value)
            case "$secret", str():
                return SecretRef(value)
            case "$part", int() if 0 <= value < len(parts):
                return self._part(parts[value])
            case (("$float" | "$secret" | "$part"), _):
                raise PayloadError(
                    f"the object {{{key!r}: …}} is a mark of this encoding, but {value!r} is not what stands there; "
                    f"write the key as {'$' + key!r} to mean an object of your own"
                )
        return {key[1:] if key.startswith("$$") else key: self.unmark(value, parts)}

    def _part(self, part: Payload) -> Any:
        value = self._encodings.decode_part(part, Any, self._fetch)
        self._parts[id(value)] = (value, part)
        return value


def targets(annotation: Any) -> list[Any]:
    """The classes that a value of this annotation may have; unions, NewType and Annotated are looked through."""
    return [m for m in members_of(annotation) if isinstance(get_origin(m) or m, type) and m not in (NoneType, Any)]


def isinstance_of(value: Any, annotation: Any) -> bool:
    """``isinstance`` for declared types; where that means nothing (a TypedDict, a Protocol) the value is let pass."""
    try:
        return isinstance(value, get_origin(annotation) or annotation)
    except TypeError:
        return True


class Plain(Protocol):
    """How values of a class stand in JSON, when msgspec does not know the class."""

    def matches(self, kind: type) -> bool:
        """Whether it is meant for this class."""

    def encode(self, value: Any) -> Any:
        """Something that encodes by itself (text, number, list, dict, …)."""

    def decode(self, tree: Any, kind: Any) -> Any:
        """The value from what JSON held. Raises ``ValueError`` or ``TypeError`` when it does not fit."""


class _Scalars:
    """Subclasses of text and numbers (``np.float64`` among them): written as their base."""

    _BASES = (str, int, float, bytes)

    def matches(self, kind: type) -> bool:
        return issubclass(kind, self._BASES) and kind is not bool  # no bool as a key: it would become "1"

    def encode(self, value: Any) -> Any:
        return bytes(value) if isinstance(value, bytes) else base_of(value)

    def decode(self, tree: Any, kind: Any) -> Any:
        return kind(msgspec.convert(tree, next(base for base in self._BASES if issubclass(kind, base))))


class _Containers:
    """Deques, counters and other collections that are lists or dicts in JSON."""

    def matches(self, kind: type) -> bool:
        return issubclass(kind, (deque, Mapping, list, tuple, set, frozenset))

    def encode(self, value: Any) -> Any:
        return dict(value) if isinstance(value, Mapping) else list(value)

    def decode(self, tree: Any, kind: Any) -> Any:
        origin, arguments = get_origin(kind) or kind, get_args(kind)
        if issubclass(origin, Mapping):
            declared: Any = dict.__class_getitem__(arguments) if len(arguments) == 2 else dict
            items = msgspec.convert(tree, declared, str_keys=True)
            return origin(None, items) if hasattr(origin, "default_factory") else origin(items)
        return origin(msgspec.convert(tree, list.__class_getitem__(arguments) if arguments else list))


class _AsText:
    """Paths and moments: classes that are written as text and read by calling the class."""

    def matches(self, kind: type) -> bool:
        return issubclass(kind, (PurePath, datetime)) or kind.__name__ == "ZoneInfo"

    def encode(self, value: Any) -> Any:
        return value.isoformat() if isinstance(value, datetime) else str(value)

    def decode(self, tree: Any, kind: Any) -> Any:
        if not isinstance(tree, str):
            raise ValueError(f"expected text for {describe(kind)}, got {type(tree).__name__}")
        return kind.fromisoformat(tree) if issubclass(kind, datetime) else kind(tree)


class _Models:
    """pydantic models, known by their methods; the model's own rules apply in both directions."""

    def matches(self, kind: type) -> bool:
        return hasattr(kind, "model_dump") and hasattr(kind, "model_validate_json")

    def encode(self, value: Any) -> Any:
        form = {"round_trip": True, "by_alias": not _by_name(type(value))}
        try:
            tree = value.model_dump(mode="json", **form)
        except ValueError:  # a field that JSON does not hold, such as a table; it becomes a part
            return _blobs(value.model_dump(**form))
        if '"**********"' in json.dumps(tree):
            raise ValueError("a SecretStr does not leave the process; keep a SecretRef in the model instead")
        return tree

    def decode(self, tree: Any, kind: Any) -> Any:
        names = _by_name(kind)
        try:
            text = json.dumps(tree)
        except TypeError:  # a part stands in it
            return kind.model_validate(tree, strict=False, **names)
        return kind.model_validate_json(text, **names)


def _by_name(kind: Any) -> dict[str, bool]:
    """What makes pydantic read fields by their own names; before 2.11 it reads aliases only."""
    known = "by_name" in inspect.signature(kind.model_validate_json).parameters
    return {"by_name": True, "by_alias": True} if known else {}


class Blob:
    """Bytes that stay bytes whatever reads them: a part of their own."""

    __slots__ = ("data",)

    def __init__(self, data: bytes) -> None:
        self.data = data


class Blobs:
    """The encoding of ``Blob``; it reads back as ``bytes``."""

    name = "bytes"

    def matches(self, kind: type) -> bool:
        return kind is Blob

    def encode(self, value: Blob) -> bytes:
        return bytes(value.data)

    def decode(self, data: bytes, kind: Any) -> bytes:
        return data


def _blobs(tree: Any) -> Any:
    """The same tree, its bytes kept from becoming base64, which pydantic would take for the bytes themselves."""
    match tree:
        case dict():
            return {key: _blobs(value) for key, value in tree.items()}
        case list() | tuple() | set() | frozenset():
            return [_blobs(item) for item in tree]
        case bytes() | bytearray():
            return Blob(bytes(tree))
    return tree


PLAIN: tuple[Plain, ...] = (_Models(), _Scalars(), _AsText(), _Containers())
