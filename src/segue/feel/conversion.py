"""Python values as FEEL values and back, by copying plain data; nothing of an object but its data comes along."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Collection, Mapping
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
SAME_BUT_NUMBERS: Final = frozenset({type(None), bool, str})
SAME: Final = SAME_BUT_NUMBERS | {Decimal}
SMALL: Final = 10**30
"""Numbers below it have fewer digits than FEEL's."""
COMMON: Final = {number: Decimal(number) for number in range(-16, 1025)}
"""Numbers that come so often that they are made once."""


class _Unfit(Exception):
    """A value that FEEL does not have; on its way out it gathers where it stands."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason
        self.parts: list[str] = []


def from_python(value: Any, run: Run | None = None) -> Value:
    """The FEEL value of plain Python data.

    Numbers, strings, booleans, ``None``, lists, tuples, sets, mappings with string keys, dataclasses, msgspec structs,
    enums (their value), UUIDs, ``datetime``'s types, and FEEL's own values.

    Raises:
        InvalidArgument: a value of another type, or a number that is none; ``path`` names the place.
        FeelLimitExceeded: it nests too deep, or is more than the budget allows.
    """
    try:
        return _value(value, run, 0)
    except _Unfit as unfit:
        path = "$" + "".join(reversed(unfit.parts))
        raise InvalidArgument(f"{path}: {unfit.reason}", path=path) from None


def _value(value: Any, run: Run | None, depth: int) -> Value:
    python = type(value)
    if python in SAME_BUT_NUMBERS:
        return value
    if python is int:
        if value in COMMON:
            return COMMON[value]
        return Decimal(value) if -SMALL < value < SMALL else _number(Decimal(value))
    if python is Decimal:
        return _number(value)
    if python is float:
        return _number(Decimal(repr(value)) if math.isfinite(value) else Decimal("NaN"))
    if depth > DEEPEST:
        raise FeelLimitExceeded(f"a value nested more than {DEEPEST} deep", limit="depth")
    if python is dict or isinstance(value, Mapping):
        return _context(value, run, depth)
    if isinstance(value, list | tuple | set | frozenset):
        return _list(value, run, depth)
    return _other(value, run, depth)


def _number(value: Decimal) -> Decimal:
    if not value.is_finite():
        raise _Unfit(f"{value} is no number that FEEL has")
    try:
        return CONTEXT.plus(value)
    except DecimalException:
        raise _Unfit("a number out of range") from None


def _list(value: Collection[Any], run: Run | None, depth: int) -> Value:
    if run is not None:
        run.produce(len(value))
    made: list[Value] = []
    try:
        for item in value:
            made.append(_value(item, run, depth + 1))
    except _Unfit as unfit:
        unfit.parts.append(f"[{len(made)}]")
        raise
    return made


def _context(value: Mapping[Any, Any], run: Run | None, depth: int) -> Value:
    if run is not None:
        run.produce(len(value))
    made: dict[str, Value] = {}
    key = None
    try:
        for key, item in value.items():
            if type(key) is not str:
                key = _key(key)
            kind = type(item)
            if kind in SAME_BUT_NUMBERS:
                made[key] = item
            elif kind is int and item in COMMON:
                made[key] = COMMON[item]
            else:
                made[key] = _value(item, run, depth + 1)
    except _Unfit as unfit:
        if isinstance(key, str):
            unfit.parts.append(f".{key}")
        raise
    return made


def _key(key: Any) -> str:
    if not isinstance(key, str):
        raise _Unfit(f"a context has strings as keys, not {type(key).__name__}")
    return str.__str__(key)


def _other(value: Any, run: Run | None, depth: int) -> Value:
    if isinstance(value, OWN):
        return value
    match value:
        case Enum():
            return _value(value.value, run, depth + 1)
        case bool() | str():
            return str.__str__(value) if isinstance(value, str) else value
        case int():
            return _number(Decimal(int(value)))
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
            return _context({name: getattr(value, name) for name in value.__struct_fields__}, run, depth)
    if is_dataclass(value) and not isinstance(value, type):
        return _context({each.name: getattr(value, each.name) for each in fields(value)}, run, depth)
    raise _Unfit(
        f"FEEL has no value for a {type(value).__name__}; pass numbers, strings, booleans, lists, mappings, "
        "dataclasses, or values of datetime"
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
