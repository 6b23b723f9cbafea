"""The canonical form of a call's arguments: by name, sorted, defaults left out; and the hash that stands for it.

Two calls that mean the same have the same hash, however they were written: keywords in another order, a default given
or left out, a dict filled in another order. The payload keeps the order of the user's own dicts, since Python code can
see it; the hash does not.
"""

from __future__ import annotations

import inspect
import typing
from collections.abc import Callable, Mapping
from functools import partial
from hashlib import blake2b
from operator import attrgetter
from typing import Any, NamedTuple, get_args, get_origin

import msgspec

from segue.errors import InvalidArgument, PayloadError
from segue.kernel.encoding import Encodings
from segue.kernel.generics import hints_of
from segue.kernel.payload import JSON, Fetch, Payload, content, from_bytes
from segue.kernel.schemas import schema_of
from segue.kernel.suits import Suits, instead_of, suits

_SCALARS = frozenset({str, int, float, bool, type(None)})
_EMPTY = inspect.Parameter.empty
_POSITIONAL = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)


Arguments = tuple[tuple[Any, ...], dict[str, Any]]
"""Arguments as the function is called with them: ``function(*args, **kwargs)``."""


class _Parameter(NamedTuple):
    name: str
    key: str
    """Its name in the canonical form: ``*name`` and ``**name`` for the variadic two."""
    type: Any
    default: Any
    default_json: bytes | None
    suits: Suits | None
    """Of the value; of a variadic one, of each that it takes."""

    def takes(self, value: Any) -> bool:
        """Whether the value's class suits the declared type."""
        return self.suits is None or self.suits(value)


class _Plan(msgspec.Struct, frozen=True):
    """How the canonical form of calls that are alike is made of what they are given."""

    places: list[tuple[str, int, _Parameter | None]]
    """Where each argument stands among what is given, with its parameter if it has a default."""
    names: tuple[str, ...] | None
    """The names of all that is given, if they stand in order and none of them can be left out."""


_PLANS_KEPT = 256


def digest(data: bytes, key: bytes | None = None) -> str:
    """The hash of canonical bytes: 16 hex digits of BLAKE2b, keyed when ``key`` (up to 64 bytes) is given."""
    return blake2b(data, digest_size=8, key=key or b"").hexdigest()


class Call:
    """How one function is called: binds, checks, encodes and decodes its arguments. Build it once per function.

    Attributes:
        name: the function's name, for messages.
        returns: the declared type of the result (``Any`` when there is none).
        types: the declared types of the parameters that take arguments by position.
    """

    def __init__(
        self,
        name: str,
        signature: inspect.Signature,
        hints: Mapping[str, Any],
        encodings: Encodings,
        *,
        hash_key: bytes | None = None,
    ) -> None:
        """``hints`` are resolved annotations by parameter name; what is missing is ``Any``.

        Raises:
            PayloadError: a declared type cannot be told from its JSON.
        """
        self.name = name
        self.returns = hints.get("return", Any)
        self._signature = signature
        self._encodings = encodings
        self._hasher = blake2b(digest_size=8, key=hash_key or b"")
        self._lay_out(signature, hints)
        self.types = [parameter.type for parameter in self._positional]
        self._decoder = encodings.decoder(self._arguments_type())

    @classmethod
    def of(
        cls,
        function: Callable[..., Any],
        encodings: Encodings,
        *,
        name: str | None = None,
        localns: Mapping[str, Any] | None = None,
        hash_key: bytes | None = None,
        method: bool = False,
        owner: type | None = None,
    ) -> Call:
        """The call of a function, from its signature and annotations. ``method``: without its first parameter;
        ``owner``: as this class has it.

        Raises:
            InvalidArgument: an annotation names something that is not known where the function is defined.
        """
        name = name or function.__qualname__
        try:
            hints = hints_of(function, owner, localns)
        except NameError as error:
            raise InvalidArgument(
                f"an annotation of {name}() is not known when it runs: {error}; import the type at the top of the "
                "module, not under TYPE_CHECKING, and define it outside functions"
            ) from error
        signature = inspect.signature(function)
        if method:
            signature = signature.replace(parameters=list(signature.parameters.values())[1:])
        return cls(name, signature, hints, encodings, hash_key=hash_key)

    def bind(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> dict[str, Any]:
        """The canonical form: arguments by name, sorted, without those that equal their default.

        Raises:
            InvalidArgument: the call does not fit the signature, or an argument is plainly of another type.
        """
        if self._variadic:
            values = self._by_name(args, kwargs)
            return {
                p.key: values[p.name] for p in self._sorted if p.name in values and not self._omits(p, values[p.name])
            }
        # Whether a call fits depends on the number, names and classes of its arguments: looked into once for each.
        if kwargs:
            given = (*args, *kwargs.values())
            alike: tuple[Any, ...] = (len(args), *kwargs, *map(type, given))
        else:
            given = args
            alike = tuple(map(type, args))
        plan = self._plans.get(alike)
        if plan is None:
            plan = self._plan(args, kwargs, given, alike)
        if plan.names is not None:
            return dict(zip(plan.names, given, strict=True))
        return {key: given[i] for key, i, p in plan.places if p is None or not self._omits(p, given[i])}

    def encode(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> tuple[Payload, str]:
        """The payload of the arguments, and the hash of their canonical form.

        Raises:
            InvalidArgument: as ``bind``.
            PayloadError: an argument does not encode; ``path`` begins with the argument's name.
        """
        named = self.bind(args, kwargs)
        payload, canonical = self._encodings.encode_canonical(named, sorted=not self._variadic)
        hasher = self._hasher.copy()
        hasher.update(canonical)
        return payload, hasher.hexdigest()

    def decode(self, payload: Payload, fetch: Fetch | None = None) -> Arguments:
        """The arguments, each as its declared type. Raises ``PayloadError``."""
        named: Payload | None = None
        try:
            struct = self._decoder.decode(payload, fetch)
        except PayloadError:
            named = self._named(payload, fetch)
            if named is None:
                raise
        if named is not None:  # out here, so that what is wrong with it does not go on about names
            struct = self._decoder.decode(named, fetch)
        values = self._take(struct)
        if self._simple:
            return values, {}
        return self._arrange(dict(zip(self._names, values, strict=True)))

    @property
    def positional(self) -> list[str]:
        """Names of the arguments that can be given in order; ``*name`` takes all that come from there on."""
        return [parameter.key for parameter in (*self._positional, self._rest) if parameter is not None]

    def schema(self) -> dict[str, Any]:
        """JSON Schema of the arguments that are ``positional``, by name; of anything for those of types without one."""
        found = schema_of(self._decoder.annotation)
        components = found.pop("$defs")
        own = components.pop(found["$ref"].rpartition("/")[2])
        for parameter in self._all:
            if parameter.default_json is not None:
                own["properties"][parameter.key]["default"] = msgspec.json.decode(parameter.default_json)
        own["properties"] = {name: own["properties"][name] for name in self.positional}
        return {**own, "$defs": components} if components else own

    def _named(self, payload: Payload, fetch: Fetch | None) -> Payload | None:
        """Arguments that were given by position alone (``encode_arguments``), by name; None when they were not."""
        if payload.encoding != JSON:
            return None
        given = msgspec.json.decode(content(payload, fetch))
        if not isinstance(given, dict) or given.keys() != {"*"}:
            return None
        args = given["*"]
        named = dict(zip((p.key for p in self._positional), args, strict=False))
        if self._rest is not None:
            named[self._rest.key] = args[self._count :]
        elif len(args) > self._count:
            raise PayloadError(f"$: {self.name}{self._signature} takes {self._count} arguments, but {len(args)} came")
        return from_bytes(JSON, msgspec.json.encode(named), payload.parts)

    def _lay_out(self, signature: inspect.Signature, hints: Mapping[str, Any]) -> None:
        kinds = inspect.Parameter
        found = {p.name: (p, self._parameter(p, hints)) for p in signature.parameters.values()}
        self._positional = [mine for p, mine in found.values() if p.kind in _POSITIONAL]
        self._keyword = [mine for p, mine in found.values() if p.kind is kinds.KEYWORD_ONLY]
        self._rest = next((mine for p, mine in found.values() if p.kind is kinds.VAR_POSITIONAL), None)
        self._extra = next((mine for p, mine in found.values() if p.kind is kinds.VAR_KEYWORD), None)
        by_keyword = (kinds.POSITIONAL_OR_KEYWORD, kinds.KEYWORD_ONLY)
        self._by_keyword = {name for name, (p, _) in found.items() if p.kind in by_keyword}
        self._required = {n for n, (_, mine) in found.items() if mine.default is _EMPTY}
        self._all = [mine for _, mine in found.values()]
        self._sorted = sorted(self._all, key=lambda mine: mine.key)
        self._count = len(self._positional)
        self._simple = self._count == len(self._all) and len(self._required) == self._count
        self._names = [mine.name for mine in self._all]
        self._take = _taker(self._names)
        self._variadic = self._rest is not None or self._extra is not None
        self._plans: dict[tuple[Any, ...], _Plan] = {}

    def _parameter(self, parameter: inspect.Parameter, hints: Mapping[str, Any]) -> _Parameter:
        hint: Any = hints.get(parameter.name, Any)
        name = parameter.name
        match parameter.kind:
            case inspect.Parameter.VAR_POSITIONAL:
                return _Parameter(name, "*" + name, tuple.__class_getitem__((hint, ...)), (), b"[]", suits(hint))
            case inspect.Parameter.VAR_KEYWORD if get_origin(hint) is typing.Unpack:
                return _Parameter(name, "**" + name, get_args(hint)[0], {}, b"{}", None)
            case inspect.Parameter.VAR_KEYWORD:
                packed = dict.__class_getitem__((str, hint))
                return _Parameter(name, "**" + name, packed, {}, b"{}", suits(hint))
        try:
            default = None if parameter.default is _EMPTY else self._canonical(parameter.default)
        except Exception:  # a default that does not encode is only known by being the very same object
            default = None
        return _Parameter(name, name, hint, parameter.default, default, suits(hint))

    def _arguments_type(self) -> type[msgspec.Struct]:
        fields: list[Any] = []
        for p in self._all:
            default = () if p.default is _EMPTY else (msgspec.field(default_factory=partial(_same, p.default)),)
            fields.append((p.name, p.type, *default))
        renamed = {p.name: p.key for p in self._all if p.key != p.name}
        return msgspec.defstruct(
            f"arguments of {self.name}", fields, rename=renamed, kw_only=True, forbid_unknown_fields=True, frozen=True
        )

    def _by_name(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> dict[str, Any]:
        values = dict(zip((p.name for p in self._positional), args, strict=False))
        if self._rest is not None:
            values[self._rest.name] = args[self._count :]
        elif len(args) > self._count:
            raise self._misfit(args, kwargs)
        extra = {}
        for name, value in kwargs.items():
            if name in self._by_keyword and name not in values:
                values[name] = value
            elif self._extra is not None and name not in self._by_keyword:
                extra[name] = value
            else:
                raise self._misfit(args, kwargs)
        if self._extra is not None:
            values[self._extra.name] = extra
        if not self._required <= values.keys():
            raise self._misfit(args, kwargs)
        for parameter in self._all:
            if parameter.suits is not None and parameter.name in values:
                value = values[parameter.name]
                given = value if parameter is self._rest else extra.values() if parameter is self._extra else (value,)
                for each in given:
                    self._check(parameter, each)
        return values

    def _misfit(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> InvalidArgument:
        try:
            self._signature.bind(*args, **kwargs)
        except TypeError as error:
            why = str(error)
        else:  # to inspect in Python 3.13.0, an argument by keyword stands for a positional-only one of its name
            why = f"missing a required argument: {self._positional[len(args)].name!r}"
        return InvalidArgument(f"{self.name}{self._signature} was called wrongly: {why}")

    def _plan(
        self, args: tuple[Any, ...], kwargs: Mapping[str, Any], given: tuple[Any, ...], alike: tuple[Any, ...]
    ) -> _Plan:
        self._by_name(args, kwargs)
        names = (*(p.name for p in self._positional[: len(args)]), *kwargs)
        index = {name: i for i, name in enumerate(names)}
        places = [
            (p.key, index[p.name], p if p.default is not _EMPTY else None) for p in self._sorted if p.name in index
        ]
        plain = all(p is None for _, _, p in places) and names == tuple(key for key, _, _ in places)
        plan = _Plan(places, names if plain else None)
        # A default of another class than declared suits, but no other value of that class does.
        odd = any(p is not None and given[i] is p.default and not p.takes(given[i]) for _, i, p in places)
        if len(self._plans) < _PLANS_KEPT and not odd:
            self._plans[alike] = plan
        return plan

    def _check(self, parameter: _Parameter, value: Any) -> None:
        if parameter.suits is not None and value is not parameter.default and not parameter.takes(value):
            instead = instead_of(type(value))
            raise InvalidArgument(
                f"{self.name}(): the argument {parameter.name!r} is declared {parameter.suits.name}, "
                f"but {value!r:.100} is a {type(value).__qualname__}" + (f": {instead}" if instead else ""),
                path=f"$.{parameter.name}",
            )

    def _omits(self, parameter: _Parameter, value: Any) -> bool:
        """Whether the canonical form leaves the argument out, because it equals the default."""
        if value is parameter.default:
            return True
        if parameter.default_json is None:
            return False
        kind = type(value)
        if kind in _SCALARS and kind is not float:
            return kind is type(parameter.default) and bool(value == parameter.default)
        try:
            return self._canonical(value) == parameter.default_json
        except Exception:  # what is wrong with it is told when it is encoded
            return False

    def _canonical(self, value: Any) -> bytes:
        return self._encodings.encode_canonical(value)[1]

    def _arrange(self, values: dict[str, Any]) -> Arguments:
        args = tuple(values[p.name] for p in self._positional)
        if self._rest is not None:
            args += values[self._rest.name]
        kwargs = {p.name: values[p.name] for p in self._keyword}
        if self._extra is not None:
            kwargs |= values[self._extra.name]
        return args, kwargs


def _same(value: Any) -> Any:
    return value


def _taker(names: list[str]) -> Callable[[Any], tuple[Any, ...]]:
    """``attrgetter(*names)``, which for one name gives no tuple and for none does not exist."""
    if not names:
        return lambda thing: ()
    take: Callable[[Any], Any] = attrgetter(*names)
    return take if len(names) > 1 else lambda thing: (take(thing),)
