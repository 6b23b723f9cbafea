"""Values as text: what `string()` gives, and FEEL that reads back as the value (DMN 1.5, 10.3.4.1)."""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal
from typing import Final

from segue.feel.lexer import KEYWORDS, NAME_PART, NAME_START
from segue.feel.numbers import plain
from segue.feel.run import Run
from segue.feel.temporal import Date, DateTime, DaysDuration, MonthsDuration, Time
from segue.feel.temporal_text import write_date, write_date_time, write_days, write_months, write_time
from segue.feel.values import Function, Interval, Value

SIMPLE_NAME: Final = re.compile(f"[{NAME_START}][{NAME_PART}]*")
WRITE: Final[dict[type, Callable[[Value], str]]] = {
    bool: lambda value: "true" if value else "false",
    Decimal: plain,
    str: lambda value: value,
    Date: write_date,
    Time: write_time,
    DateTime: write_date_time,
    DaysDuration: write_days,
    MonthsDuration: write_months,
}
TEMPORAL: Final = frozenset({Date, Time, DateTime, DaysDuration, MonthsDuration})


def write(value: Value, run: Run) -> str:
    """The text of a value: a string stays itself, parts of a list or context are written as FEEL."""
    writer = WRITE.get(type(value))
    text = writer(value) if writer is not None else literal(value, run)
    run.produce(len(text))
    return text


def literal(value: Value, run: Run) -> str:
    """A value as FEEL that reads back as the value, except for functions."""
    run.step()
    if value is None:
        return "null"
    if isinstance(value, str):
        run.produce(len(value))
        return quoted(value)
    if isinstance(value, list):
        return "[" + ", ".join([literal(item, run) for item in value]) + "]"
    if isinstance(value, dict):
        return "{" + ", ".join([f"{_key(key)}: {literal(item, run)}" for key, item in value.items()]) + "}"
    if isinstance(value, Interval):
        return _interval(value, run)
    if isinstance(value, Function):
        return value.name if value.name != "function" else "function(" + _parameters(value) + ") …"
    text = WRITE[type(value)](value)
    return f'@"{text}"' if type(value) in TEMPORAL else text


def quoted(text: str) -> str:
    """A string literal."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + escaped.replace("\n", "\\n").replace("\r", "\\r").replace("\t", "\\t") + '"'


def _key(key: str) -> str:
    return key if all(SIMPLE_NAME.fullmatch(word) and word not in KEYWORDS for word in key.split(" ")) else quoted(key)


def _interval(value: Interval, run: Run) -> str:
    if value.low is None or value.high is None:
        sign = "<" if value.low is None else ">"
        included = value.high_included if value.low is None else value.low_included
        end = value.high if value.low is None else value.low
        return f"({sign}{'=' if included else ''} {literal(end, run)})"
    opening, closing = "[" if value.low_included else "(", "]" if value.high_included else ")"
    return f"{opening}{literal(value.low, run)}..{literal(value.high, run)}{closing}"


def _parameters(function: Function) -> str:
    return ", ".join(name for name, _ in function.signatures[0]) if function.signatures else ""
