"""Values of a transactional step's statements, as SQLite has them.

apsw stores whatever shows its bytes (PEP 688) as a blob, numpy's numbers among them, and says of what it does not know
only that it is bad.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from segue.errors import InvalidArgument
from segue.kernel.plain_numbers import plain_number
from segue.kernel.transactions import Parameters

_LEAST, _MOST = -(2**63), 2**63 - 1
_KNOWN = (int, float, str, bytes, bytearray, memoryview, type(None))
_INSTEAD = {
    "date": "value.isoformat()",
    "datetime": "value.isoformat()",
    "time": "value.isoformat()",
    "timedelta": "value.total_seconds()",
    "Decimal": "str(value)",
    "UUID": "str(value)",
    "PurePath": "str(value)",
    "datetime64": "str(value)",
    "Enum": "value.value",
    "ndarray": "value.tobytes(), or json.dumps(value.tolist())",
    "list": "json.dumps(value)",
    "tuple": "json.dumps(value)",
    "dict": "json.dumps(value)",
}
"""What to pass instead, by the name of a class or of one that it derives from."""


def bound(parameters: Parameters) -> Parameters:
    """The parameters with numpy's numbers as Python's.

    Raises:
        InvalidArgument: SQLite cannot store one of them as it is.
    """
    if isinstance(parameters, Mapping):
        return {name: _bound(value, f":{name}") for name, value in parameters.items()}
    return [_bound(value, f"number {n}") for n, value in enumerate(parameters, 1)]


def _bound(value: Any, place: str) -> Any:
    value = plain_number(value)
    if isinstance(value, int) and not _LEAST <= value <= _MOST:
        raise InvalidArgument(f"parameter {place} is {value}, and SQLite's integers have 64 bits: pass str(value)")
    if isinstance(value, _KNOWN):
        return value
    names = [c.__name__ for c in type(value).__mro__]
    instead = next((_INSTEAD[name] for name in names if name in _INSTEAD), "a number, a text or bytes")
    raise InvalidArgument(f"parameter {place} is a {names[0]}, which SQLite does not store as it is: pass {instead}")
