"""FEEL's types: what `instance of` asks and parameters declare, and conversions between them (DMN 1.5, 10.3.2.9)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Final

import msgspec

from segue.feel.nothing import Null
from segue.feel.run import Run
from segue.feel.temporal import MIDNIGHT_UTC, Date, DateTime, DaysDuration, MonthsDuration, Time
from segue.feel.values import Function, Interval, Value, kind


class Type(msgspec.Struct, frozen=True):
    """Base of all types."""


class AnyType(Type, frozen=True):
    """Every value, null included."""


class Simple(Type, frozen=True):
    """A kind of value without parts, by the Python type that stands for it."""

    name: str
    python: type


class ListType(Type, frozen=True):
    """`list<item>`."""

    item: Type


class RangeType(Type, frozen=True):
    """`range<item>`."""

    item: Type


class ContextType(Type, frozen=True):
    """`context<name: type, …>`: at least these entries."""

    fields: tuple[tuple[str, Type], ...]


class FunctionType(Type, frozen=True):
    """`function<type, …> -> type`."""

    parameters: tuple[Type, ...]
    result: Type


class Constrained(Type, frozen=True, eq=False):
    """A type of which only some values are allowed, as an item definition says."""

    base: Type
    allows: Callable[[Run, Value], bool]
    text: str


class Named(Type, frozen=True, eq=False):
    """A type by its name, found when it is needed, so that types may refer to each other."""

    name: str
    registry: Mapping[str, Type]


ANY: Final = AnyType()
NUMBER: Final = Simple("number", Decimal)
STRING: Final = Simple("string", str)
BOOLEAN: Final = Simple("boolean", bool)
DATE: Final = Simple("date", Date)
TIME: Final = Simple("time", Time)
DATE_TIME: Final = Simple("date and time", DateTime)
DAYS: Final = Simple("days and time duration", DaysDuration)
MONTHS: Final = Simple("years and months duration", MonthsDuration)
NULL: Final = Simple("Null", type(None))

BY_NAME: Final[dict[str, Type]] = {
    **{simple.name: simple for simple in (NUMBER, STRING, BOOLEAN, DATE, TIME, DATE_TIME, DAYS, MONTHS, NULL)},
    "Any": ANY,
    "dateTime": DATE_TIME,
    "date time": DATE_TIME,
    "dayTimeDuration": DAYS,
    "day time duration": DAYS,
    "days and time": DAYS,
    "yearMonthDuration": MONTHS,
    "year month duration": MONTHS,
    "list": ListType(ANY),
    "context": ContextType(()),
    "range": RangeType(ANY),
}


def resolve(type_: Type) -> Type:
    """What a name stands for.

    Raises:
        Null: there is no such type.
    """
    seen = 0
    while isinstance(type_, Named):
        found = type_.registry.get(type_.name)
        seen += 1
        if found is None or seen > 100:
            raise Null(f"there is no type {type_.name!r}")
        type_ = found
    return type_


def describe(type_: Type) -> str:
    """A type as it is written."""
    match type_:
        case AnyType():
            return "Any"
        case Simple():
            return type_.name
        case ListType():
            return f"list<{describe(type_.item)}>"
        case RangeType():
            return f"range<{describe(type_.item)}>"
        case ContextType():
            return "context<" + ", ".join(f"{name}: {describe(of)}" for name, of in type_.fields) + ">"
        case FunctionType():
            return f"function<{', '.join(map(describe, type_.parameters))}> -> {describe(type_.result)}"
        case Constrained():
            return f"{describe(type_.base)} ({type_.text})"
        case Named():
            return type_.name
        case _:
            raise AssertionError(type_)


# --- does a value belong to a type? -----------------------------------------------------------------------------


def is_instance(value: Value, type_: Type, run: Run) -> bool:
    """`value instance of type`: null is of no type, and allowed values are not asked for.

    Raises:
        Null: the type does not exist.
    """
    type_ = resolve(type_)
    return value is not None and _belongs(value, type_, run, constraints=False)


def conforms(value: Value, type_: Type, run: Run) -> bool:
    """Whether a value may stand where the type is declared: null always may.

    Raises:
        Null: the type does not exist.
    """
    return _belongs(value, type_, run, constraints=True)


def _belongs(value: Value, type_: Type, run: Run, *, constraints: bool) -> bool:
    type_ = resolve(type_)
    if value is None or isinstance(type_, AnyType):
        return True
    match type_:
        case Simple():
            return type(value) is type_.python
        case ListType():
            if not isinstance(value, list):
                return False
            run.step(len(value))
            return all(_belongs(item, type_.item, run, constraints=constraints) for item in value)
        case ContextType():
            return isinstance(value, dict) and all(
                name in value and _belongs(value[name], of, run, constraints=constraints) for name, of in type_.fields
            )
        case RangeType():
            return isinstance(value, Interval) and all(
                _belongs(end, type_.item, run, constraints=constraints) for end in (value.low, value.high)
            )
        case FunctionType():
            return isinstance(value, Function) and _function_fits(value, type_)
        case Constrained():
            if not _belongs(value, type_.base, run, constraints=constraints):
                return False
            return not constraints or type_.allows(run, value)
        case _:
            raise AssertionError(type_)


def _function_fits(function: Function, type_: FunctionType) -> bool:
    if function.result is not None and not _is_sub(function.result, type_.result, 0):
        return False
    return any(
        len(signature) == len(type_.parameters)
        and all(of is None or _is_sub(given, of, 0) for (_, of), given in zip(signature, type_.parameters, strict=True))
        for signature in function.signatures
    )


def _is_sub(one: Type, other: Type, depth: int) -> bool:
    """Whether every value of one type is also of the other (DMN 1.5, 10.3.2.9.2), as far as that is declared."""
    one, other = resolve(one), resolve(other)
    if isinstance(one, AnyType) or isinstance(other, AnyType) or depth > 20:
        return True
    if isinstance(one, Constrained):
        return _is_sub(one.base, other, depth + 1)
    if isinstance(other, Constrained):
        return _is_sub(one, other.base, depth + 1)
    match one, other:
        case ListType(), ListType():
            return _is_sub(one.item, other.item, depth + 1)
        case RangeType(), RangeType():
            return _is_sub(one.item, other.item, depth + 1)
        case ContextType(), ContextType():
            fields = dict(one.fields)
            return all(name in fields and _is_sub(fields[name], of, depth + 1) for name, of in other.fields)
        case FunctionType(), FunctionType():
            return (
                len(one.parameters) == len(other.parameters)
                and all(_is_sub(b, a, depth + 1) for a, b in zip(one.parameters, other.parameters, strict=True))
                and _is_sub(one.result, other.result, depth + 1)
            )
        case _:
            return one == other


# --- conversions ------------------------------------------------------------------------------------------------


def coerce(value: Value, type_: Type, run: Run) -> Value:
    """The value as one of the type, by the implicit conversions of DMN 1.5, 10.3.2.9.4.

    A list of one becomes its item where an item is wanted, an item a list of one where a list is wanted, a date its
    midnight in UTC where a date and time is wanted.

    Raises:
        Null: there is no conversion.
    """
    if value is None or conforms(value, type_, run):
        return value
    wanted = resolve(type_)
    while isinstance(wanted, Constrained) and isinstance(wanted.base, ListType | Named):
        wanted = resolve(wanted.base)
    if isinstance(wanted, ListType):
        if not isinstance(value, list) and conforms(value, wanted.item, run) and conforms([value], type_, run):
            return [value]
    elif isinstance(value, list) and len(value) == 1 and conforms(value[0], type_, run):
        return value[0]
    elif isinstance(value, Date) and wanted == DATE_TIME:
        return DateTime(value, MIDNIGHT_UTC)
    raise Null(f"expected {describe(type_)}, got {kind(value)}")
