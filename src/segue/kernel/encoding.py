"""Turns values into payloads and back: JSON by declared type, and a registry of encodings for what JSON cannot hold.

JSON is written and read by msgspec. What JSON would change in silence is kept: a non-finite float, a value with an
encoding of its own and a reference to a secret stand as an object with one key (a *mark*), and an object of the user's
that looks like a mark is escaped:

====================  ===============================================================
``{"$float": "nan"}``  a float that JSON has no number for (``nan``, ``inf``, ``-inf``)
``{"$part": 0}``       the value is ``payload.parts[0]``
``{"$secret": "db"}``  ``SecretRef("db")``
``{"$$ref": …}``       the user's own ``{"$ref": …}``: one more ``$`` on the only key
====================  ===============================================================

Everything else that JSON lacks (sets, tuples, bytes, dates, keys that are not text) comes back by the declared type;
under ``Any`` it stays what JSON has for it (list, text, text keys). Decoding never executes code; there is no pickle.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from hashlib import blake2b
from typing import Any, Protocol, get_origin

import msgspec

from segue.errors import PayloadError
from segue.kernel.explain import REGISTER, explain
from segue.kernel.likeness import describe
from segue.kernel.payload import ERASED, JSON, NULL, Fetch, Payload, content, from_bytes
from segue.kernel.secret import SecretRef
from segue.kernel.typed import PLAIN, Blobs, Plain, TypedDecoder, isinstance_of, marked, targets


class Encoding(Protocol):
    """A way to write values that JSON cannot hold. Asked only for those: a dataclass always stays JSON."""

    name: str

    def matches(self, kind: type) -> bool:
        """Whether values of this class are written in this encoding."""

    def encode(self, value: Any) -> bytes:
        """The value's bytes. Never executes code when they are read back."""

    def decode(self, data: bytes, kind: Any) -> Any:
        """The value, as ``kind`` where the encoding serves several; ``Any`` means as it was."""


class Encodings:
    """A set of encodings, and the compiled encoders and decoders for them. Share one: decoders are cached per type."""

    def __init__(
        self, encodings: Iterable[Encoding] = (), plain: Iterable[Plain] = (), *, otherwise: str = REGISTER
    ) -> None:
        """``otherwise``: what may be done about a value of a class that is not known, as the end of a sentence."""
        self.otherwise = otherwise
        self._encodings: list[Encoding] = []
        self._by_name: dict[str, Encoding] = {}
        self._of_class: dict[type, Encoding | None] = {}
        self._plain: list[Plain] = [*plain, *PLAIN]
        self._write = msgspec.json.Encoder(enc_hook=self._unnest).encode
        self._write_sorted = msgspec.json.Encoder(enc_hook=self._unnest, order="sorted").encode
        self._pack = msgspec.msgpack.Encoder(enc_hook=self._unnest).encode
        self._decoders: dict[int, TypedDecoder] = {}
        for encoding in (Blobs(), *encodings):
            self.register(encoding)

    def register(self, encoding: Encoding) -> None:
        """Adds an encoding; of two that match, the one registered last is asked first."""
        if encoding.name == JSON or "|" in encoding.name:
            raise ValueError(f"an encoding cannot be named {encoding.name!r}: 'json' and names with '|' are taken")
        self._encodings.insert(0, encoding)
        self._by_name[encoding.name] = encoding
        self._of_class.clear()
        self._decoders.clear()

    def encode(self, value: Any) -> Payload:
        """The payload of ``value``.

        Raises:
            PayloadError: something in it does not encode; ``path`` says where, the text says what to do.
        """
        if value is None:
            return NULL
        write = self._write  # a variable is called faster than an attribute that holds a function
        try:
            data = write(value)
        except Exception:
            return self._encode_apart(value)
        if (_DOLLAR in data and marked(data)) or (_null(data) and self._hides_float(value)):
            return self._encode_marked(value)
        return Payload(JSON, msgspec.Raw(data))

    def decode(self, payload: Payload, annotation: Any = Any, fetch: Fetch | None = None) -> Any:
        """The value of ``payload`` as the declared type.

        Raises:
            PayloadError: it does not fit; ``path`` says where, the text what was expected.
        """
        decoder = self._decoders.get(id(annotation)) or self.decoder(annotation)
        return decoder.decode(payload, fetch)

    def decoder(self, annotation: Any) -> TypedDecoder:
        """The compiled decoder for ``annotation``.

        Raises:
            PayloadError: the type cannot be told from JSON (members of a union look alike, an unknown name).
        """
        decoder = self._decoders.get(id(annotation))
        if decoder is None:
            if len(self._decoders) >= 10_000:  # annotations made on the fly must not pile up
                self._decoders.clear()
            # By identity, because the hash of a typing construct costs more than the decoding. The decoder holds the
            # annotation, so that its id is not given to another.
            decoder = self._decoders[id(annotation)] = TypedDecoder(annotation, self)
        return decoder

    def reader(self, annotation: Any) -> Callable[[Payload], Any]:
        """``decode`` for one annotation, looked up once where the type can be told from JSON; where it cannot, whoever
        reads is told."""
        try:
            return self.decoder(annotation).decode
        except PayloadError:
            return lambda payload: self.decode(payload, annotation)

    def encode_arguments(self, args: tuple[Any, ...]) -> Payload:
        """Arguments for a function whose parameters are not known here: by position, under ``*``. ``Call`` reads it.

        Raises:
            PayloadError: as ``encode``.
        """
        return self.encode({"*": args})

    def encode_canonical(self, value: Any, *, sorted: bool = False) -> tuple[Payload, bytes]:
        """The payload, and bytes that are equal for equal values: sorted keys and sets, parts as digests of content.

        ``sorted``: the value is a dict whose own keys are in order; if it holds scalars only, both are the same bytes.

        Raises:
            PayloadError: as ``encode``.
        """
        write = self._write
        try:
            data = write(value)
            flat = sorted and _LIST not in data and data.count(b"{") == 1
            canonical = data if flat else self._write_sorted(value)
        except Exception:  # also keys that are not text: they are sorted as the text that JSON makes of them
            return self.encode(value), self._canonical(value)
        if (_DOLLAR in data and marked(data)) or (_null(data) and self._hides_float(value)):
            return self._encode_marked(value), self._canonical(value)
        return Payload(JSON, msgspec.Raw(data)), canonical

    def _canonical(self, value: Any) -> bytes:
        return msgspec.json.encode(_Writer(self, digests=True).tree(value), order="sorted")

    def encoding_of(self, kind: type) -> Encoding | None:
        """The encoding for values of this class, or None."""
        try:
            return self._of_class[kind]
        except KeyError:
            found = next((e for e in self._encodings if e.matches(kind)), None)
            self._of_class[kind] = found
            return found

    def plain_of(self, kind: type) -> Plain | None:
        """How values of this class stand in JSON, when msgspec does not know by itself."""
        return next((p for p in self._plain if p.matches(kind)), None)

    def decode_part(self, payload: Payload, annotation: Any, fetch: Fetch | None) -> Any:
        """The value of a payload in an encoding other than JSON."""
        encoding = self._by_name.get(payload.encoding)
        if encoding is None and payload.encoding == ERASED:
            raise PayloadError("the value was erased together with the personal data of its run; nothing is left of it")
        if encoding is None:
            raise PayloadError(
                f"no encoding named {payload.encoding!r} is registered here (known: json, {', '.join(self._by_name)}); "
                "pass it to the engine, or open the payload with its codec first"
            )
        data = content(payload, fetch)
        wanted = targets(annotation)
        kind = next((t for t in wanted if encoding.matches(get_origin(t) or t)), Any)
        try:
            value = encoding.decode(data, kind)
        except Exception as error:
            raise PayloadError(f"$: the payload is no readable {payload.encoding}: {error}") from error
        if wanted and not any(isinstance_of(value, target) for target in wanted):
            raise PayloadError(f"$: expected {describe(annotation)}, got a {type(value).__qualname__}")
        return value

    def _encode_apart(self, value: Any) -> Payload:
        encoding = self.encoding_of(type(value))
        if encoding is None:
            return self._encode_marked(value)
        try:
            return from_bytes(encoding.name, encoding.encode(value))
        except Exception as error:
            raise PayloadError(f"$: {type(value).__qualname__} does not encode as {encoding.name}: {error}") from error

    def _encode_marked(self, value: Any) -> Payload:
        writer = _Writer(self)
        return Payload(JSON, msgspec.Raw(msgspec.json.encode(writer.tree(value))), None, None, tuple(writer.parts))

    def _hides_float(self, value: Any) -> bool:
        """Whether one of the nulls is a non-finite float. MessagePack writes those out, so no walk is needed."""
        try:
            return _NON_FINITE.search(self._pack(value)) is not None
        except Exception:  # what MessagePack cannot hold (large integers): the thorough way decides
            return True

    def _unnest(self, value: Any) -> Any:
        """Called by msgspec for classes that it does not know."""
        plain = self.plain_of(type(value))
        if plain is None:
            raise NotImplementedError(type(value))
        return plain.encode(value)


# Timed: a regular expression finds a word in short bytes twice as fast as ``in``, which finds one byte at once.
_DOLLAR = ord("$")
_LIST = ord("[")
_null = re.compile(rb"null").search
_NON_FINITE = re.compile(rb"\xcb[\x7f\xff][\xf0-\xff]")
"""A MessagePack double with all bits of its exponent set, or bytes that look like one."""


class _Part:
    """The place of a part within a tree of plain values."""

    __slots__ = ("mark",)

    def __init__(self, mark: Any) -> None:
        self.mark = mark


class _Writer:
    """Writes one value as a tree of plain values with marks, collecting its parts."""

    def __init__(self, encodings: Encodings, *, digests: bool = False) -> None:
        self.parts: list[Payload] = []
        self._encodings = encodings
        self._digests = digests

    def tree(self, value: Any) -> Any:
        try:
            return self._attempt(value)
        except Exception as error:
            raise explain(value, self._attempt, error, self._encodings.otherwise) from error

    def _attempt(self, value: Any) -> Any:
        plain = msgspec.to_builtins(
            value,
            str_keys=True,
            order="deterministic" if self._digests else None,
            enc_hook=self._unnest,
            builtin_types=(_Part, SecretRef),
        )
        tree = _mark(plain)
        msgspec.json.encode(tree)  # text that is not Unicode shows only here
        return tree

    def _unnest(self, value: Any) -> Any:
        encoding = self._encodings.encoding_of(type(value))
        if encoding is None:
            return self._encodings._unnest(value)
        return _Part(self._add(from_bytes(encoding.name, encoding.encode(value))))

    def _add(self, part: Payload) -> int | str:
        if self._digests:
            return blake2b(part.encoding.encode() + b"|" + bytes(part.data), digest_size=16).hexdigest()
        self.parts.append(part)
        return len(self.parts) - 1


def _mark(tree: Any) -> Any:
    match tree:
        case dict():
            if len(tree) == 1:
                ((key, value),) = tree.items()
                return {"$" + key if key.startswith("$") else key: _mark(value)}
            return {key: _mark(value) for key, value in tree.items()}
        case list() | tuple():
            return [_mark(item) for item in tree]
        case float() if tree - tree != 0.0:
            return {"$float": repr(tree)}
        case _Part():
            return {"$part": tree.mark}
        case SecretRef():
            return {"$secret": tree.name}
        case _:
            return tree
