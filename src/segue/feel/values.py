"""What a FEEL value is in Python, the two kinds that Python has no type for, and the word for each kind.

null is ``None``, a boolean ``bool``, a number ``Decimal``, a string ``str``, a list ``list``, a context ``dict`` with
names as keys; the values of time are in ``temporal``. A value is never changed once it was made.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import msgspec

from segue.feel.temporal import Date, DateTime, DaysDuration, MonthsDuration, Time

if TYPE_CHECKING:
    from segue.feel.run import Run
    from segue.feel.types import Type

Value: TypeAlias = Any


class Interval(msgspec.Struct, frozen=True, eq=False):
    """A range. An end that is ``None`` is open to infinity and not included: `(< 10)` has no low one."""

    low: Value
    high: Value
    low_included: bool
    high_included: bool


class Function(ABC):
    """Something that can be called: a built-in function, one that an expression defines, a business knowledge model."""

    name: str

    @property
    @abstractmethod
    def signatures(self) -> Sequence[tuple[tuple[str, Type | None], ...]]:
        """The names and types of its parameters, once per form."""

    @property
    def result(self) -> Type | None:
        """The type of what it gives, where that is declared."""
        return None

    @abstractmethod
    def call(self, run: Run, arguments: Sequence[Value]) -> Value:
        """The result for arguments by position.

        Raises:
            Null: the arguments do not fit.
        """

    @abstractmethod
    def call_named(self, run: Run, names: Sequence[str], arguments: Sequence[Value]) -> Value:
        """The result for arguments by name.

        Raises:
            Null: the arguments do not fit.
        """


KINDS: Final[dict[type, str]] = {
    type(None): "null",
    bool: "boolean",
    Decimal: "number",
    str: "string",
    list: "list",
    dict: "context",
    Interval: "range",
    Date: "date",
    Time: "time",
    DateTime: "date and time",
    DaysDuration: "days and time duration",
    MonthsDuration: "years and months duration",
}


def kind(value: Value) -> str:
    """The FEEL word for what a value is."""
    return KINDS.get(type(value), "function")
