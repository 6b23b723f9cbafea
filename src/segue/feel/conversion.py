"""Python values as FEEL values and back, by copying plain data; nothing of an object but its data comes along."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from decimal import Decimal, DecimalException
from enum import Enum
from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec

from segue.errors import FeelLimitExceeded, InvalidArgument
from segue.feel.numbers import CONTEXT
from segue.feel.run import Run
from segue.feel.temporal import DAY, Date, DateTime, DaysDuration, MonthsDuration, Time, find_zone
from segue.feel.values import Function, Interval, Value

DEEPEST: Final = 200
OWN: Final = (Date, Time, DateTime, DaysDuration, MonthsDuration, Interval, Function)
MICROSECOND: Final = 1000
SAME: Final = frozenset({type(None), bool, str, Decimal})


def from_python(value: Any, run: Run | None = None, path: str = "$", depth: int = 0) -> Value:
    """The FEEL value of plain Python data.

    Numbers, strings, booleans, ``None``, lists, tuples, sets, mappings with string keys, dataclasses, msgspec structs,
    enums (their value), UUIDs, ``datetime``'s types, and FEEL's own values.

    Raises:
        InvalidArgument: a value of another type, or a number that is none; ``path`` names the place.
        FeelLimitExceeded: it nests too deep, or is more than the budget allows.
    """
    python = type(value)
    if value is None or python is bool or python is str:
        return value
    if python is int:
        return _number(Decimal(value), path)
    if python is Decimal:
        return _number(value, path)
    if python is float:
        return _number(Decimal(repr(value)) if math.isfinite(value) else Decimal("NaN"), path)
    if depth > DEEPEST:
        raise FeelLimitExceeded(f"a value nested more than {DEEPEST} deep at {path[:200]}", limit="depth")
    if isinstance(value, list | tuple | set | frozenset):
        if run is not None:
            run.produce(len(value))
        return [from_python(item, run, f"{path}[{index}]", depth + 1) for index, item in enumerate(value)]
    if isinstance(value, Mapping):
        return _context(value, run, path, depth)
    return _other(value, run, path, depth)


def _number(value: Decimal, path: str) -> Decimal:
    if not value.is_finite():
        raise InvalidArgument(f"{path}: {value} is no number that FEEL has", path=path)
    try:
        return CONTEXT.plus(value)
    except DecimalException:
        raise InvalidArgument(f"{path}: a number out of range", path=path) from None


def _context(value: Mapping[Any, Any], run: Run | None, path: str, depth: int) -> Value:
    if run is not None:
        run.produce(len(value))
    made: dict[str, Value] = {}
    for key, item in value.items():
        if not isinstance(key, str):
            raise InvalidArgument(f"{path}: a context has strings as keys, not {type(key).__name__}", path=path)
        made[key] = from_python(item, run, f"{path}.{key}", depth + 1)
    return made


def _other(value: Any, run: Run | None, path: str, depth: int) -> Value:
    if isinstance(value, OWN):
        return value
    match value:
        case bool() | str():
            return value if type(value) in (bool, str) else str.__str__(value)
        case Enum():
            return from_python(value.value, run, path, depth + 1)
        case int():
            return _number(Decimal(int(value)), path)
        case dt.datetime():
            return _moment(value)
        case dt.date():
            return Date(value.year, value.month, value.day)
        case dt.time():
            return _time(value, value.utcoffset())
        case dt.timedelta():
            micros = (value.days * 86_400 + value.seconds) * 1_000_000 + value.microseconds
            return DaysDuration(micros * MICROSECOND)
        case UUID():
            return str(value)
        case msgspec.Struct():
            items = {name: getattr(value, name) for name in value.__struct_fields__}
            return _context(items, run, path, depth)
    if is_dataclass(value) and not isinstance(value, type):
        return _context({each.name: getattr(value, each.name) for each in fields(value)}, run, path, depth)
    raise InvalidArgument(
        f"{path}: FEEL has no value for a {type(value).__name__}; pass numbers, strings, booleans, lists, mappings, "
        "dataclasses, or values of datetime",
        path=path,
    )


def _time(value: dt.time | dt.datetime, offset: dt.timedelta | None) -> Time:
    zone = value.tzinfo.key if isinstance(value.tzinfo, ZoneInfo) and value.tzinfo.key else None
    seconds = round(offset.total_seconds()) if offset is not None and zone is None else None
    return Time(value.hour, value.minute, value.second, value.microsecond * MICROSECOND, seconds, zone)


def _moment(value: dt.datetime) -> DateTime:
    return DateTime(Date(value.year, value.month, value.day), _time(value, value.utcoffset()))


# --- and back ---------------------------------------------------------------------------------------------------


def to_python(value: Value, run: Run | None = None, depth: int = 0) -> Any:
    """Plain Python data of a FEEL value.

    A number is a ``Decimal``. Values of time become those of ``datetime`` where that holds them exactly; a years and
    months duration, a range and a function have no like in Python and stay what they are.

    Raises:
        FeelLimitExceeded: it nests too deep, or is more than the budget allows.
    """
    if type(value) in SAME:
        return value
    if isinstance(value, list | dict):
        if depth > DEEPEST:
            raise FeelLimitExceeded(f"a value nested more than {DEEPEST} deep", limit="depth")
        if run is not None:
            run.step()
            run.produce(len(value))
        if isinstance(value, list):
            return [to_python(item, run, depth + 1) for item in value]
        return {key: to_python(item, run, depth + 1) for key, item in value.items()}
    match value:
        case Date(year=year) if 1 <= year <= 9999:
            return dt.date(year, value.month, value.day)
        case Time():
            return _python_time(value)
        case DateTime():
            return _python_moment(value)
        case DaysDuration(nanos=nanos) if nanos % MICROSECOND == 0 and abs(nanos) < 999_999_999 * DAY:
            return dt.timedelta(microseconds=nanos // MICROSECOND)
    return value


def _python_time(value: Time) -> Any:
    if value.nano % MICROSECOND:
        return value
    return dt.time(value.hour, value.minute, value.second, value.nano // MICROSECOND, tzinfo=_zone(value))


def _python_moment(value: DateTime) -> Any:
    time, date = value.time, value.date
    if time.nano % MICROSECOND or not 1 <= date.year <= 9999:
        return value
    micros = time.nano // MICROSECOND
    return dt.datetime(date.year, date.month, date.day, time.hour, time.minute, time.second, micros, tzinfo=_zone(time))


def _zone(time: Time) -> dt.tzinfo | None:
    if time.zone is not None:
        return find_zone(time.zone)
    return None if time.offset is None else dt.timezone(dt.timedelta(seconds=time.offset))


def as_moment(value: Any) -> DateTime:
    """The moment that a clock gave, as FEEL has it."""
    found = from_python(value)
    if not isinstance(found, DateTime):
        raise InvalidArgument(f"now must give a datetime, got a {type(value).__name__}")
    return found
