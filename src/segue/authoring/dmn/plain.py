"""Values and outcomes as plain data that JSON holds, and inputs from such data by their declared types."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any, Final

import msgspec

from segue.errors import InvalidArgument
from segue.feel.conversion import from_python
from segue.feel.nothing import Null
from segue.feel.numbers import plain as digits
from segue.feel.run import Run
from segue.feel.temporal_text import read_date, read_date_time, read_duration, read_time
from segue.feel.types import DATE, DATE_TIME, DAYS, MONTHS, TIME, Constrained, ContextType, ListType, Type, resolve
from segue.feel.values import Value
from segue.feel.writing import write

READERS: Final[dict[Type, Callable[[str], Value]]] = {
    DATE: read_date,
    TIME: read_time,
    DATE_TIME: read_date_time,
    DAYS: read_duration,
    MONTHS: read_duration,
}


def plain(value: Any) -> Any:
    """A value as JSON has it.

    A number that no float holds to the last digit becomes a string of its digits; values of time become their text,
    ranges and functions what FEEL writes for them.
    """
    if value is None or isinstance(value, bool | str | int | float):
        return value
    if isinstance(value, Decimal):
        return _number(value)
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    if isinstance(value, msgspec.Struct) and type(value).__module__.startswith("segue.authoring."):
        return {name: plain(getattr(value, name)) for name in value.__struct_fields__}
    return write(from_python(value), Run())


def _number(value: Decimal) -> int | float | str:
    text = digits(value)
    if "." not in text and len(text) <= 15:
        return int(text)
    number = float(value)
    return number if digits(Decimal(repr(number))) == text else text


def typed(value: Any, type_: Type | None, path: str) -> Any:
    """Data from JSON as what its type says: a string becomes the value of time that is declared.

    Raises:
        InvalidArgument: a string is no such value; ``path`` names the place.
    """
    if type_ is None or value is None:
        return value
    try:
        found = resolve(type_)
        while isinstance(found, Constrained):
            found = resolve(found.base)
        if isinstance(value, str) and found in READERS:
            return READERS[found](value)
    except Null as null:
        raise InvalidArgument(f"{path}: {null.reason}", path=path) from None
    if isinstance(found, ListType) and isinstance(value, list):
        return [typed(item, found.item, f"{path}[{index}]") for index, item in enumerate(value)]
    if isinstance(found, ContextType) and isinstance(value, dict):
        fields = dict(found.fields)
        return {key: typed(item, fields.get(key), f"{path}.{key}") for key, item in value.items()}
    return value
