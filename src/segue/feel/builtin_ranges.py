"""The built-in functions on points and ranges, after Allen's interval algebra (DMN 1.5, 10.3.4.7)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from segue.errors import FeelSyntaxError
from segue.feel import ast
from segue.feel.builtin import Family
from segue.feel.comparison import order, same, within
from segue.feel.intervals import interval
from segue.feel.names import Names
from segue.feel.nothing import Null
from segue.feel.parser import Parser
from segue.feel.run import Run
from segue.feel.source import Source
from segue.feel.temporal_text import read_date, read_date_time, read_duration, read_time
from segue.feel.values import Interval, Value, kind

RANGES: Final = Family()


def _points(left: Value, right: Value) -> int:
    found = order(left, right)
    if found is None:
        raise Null(f"{kind(left)} and {kind(right)} have no order")
    return found


def _starts(left: Interval, right: Interval) -> int:
    """Which range starts first; one without a start before every other."""
    if left.low is None or right.low is None:
        return (left.low is not None) - (right.low is not None)
    return _points(left.low, right.low)


def _ends(left: Interval, right: Interval) -> int:
    """Which range ends first; one without an end after every other."""
    if left.high is None or right.high is None:
        return (left.high is None) - (right.high is None)
    return _points(left.high, right.high)


def _end_to_start(left: Interval, right: Interval) -> int:
    """Where the end of one lies to the start of another."""
    return 1 if left.high is None or right.low is None else _points(left.high, right.low)


def _touch(left: Interval, right: Interval) -> bool:
    return left.high_included and right.low_included


# --- before, after, meets ---------------------------------------------------------------------------------------


def _before(run: Run, one: Value, other: Value) -> bool:
    match isinstance(one, Interval), isinstance(other, Interval):
        case False, False:
            return _points(one, other) < 0
        case False, True:
            if other.low is None:
                return False
            found = _points(one, other.low)
            return found < 0 or (found == 0 and not other.low_included)
        case True, False:
            if one.high is None:
                return False
            found = _points(one.high, other)
            return found < 0 or (found == 0 and not one.high_included)
        case _:
            found = _end_to_start(one, other)
            return found < 0 or (found == 0 and not _touch(one, other))


def _meets(run: Run, one: Interval, other: Interval) -> bool:
    return _end_to_start(one, other) == 0 and _touch(one, other)


def _overlaps(run: Run, one: Interval, other: Interval) -> bool:
    ahead, behind = _end_to_start(one, other), _end_to_start(other, one)
    return (ahead > 0 or (ahead == 0 and _touch(one, other))) and (behind > 0 or (behind == 0 and _touch(other, one)))


def _overlaps_before(run: Run, one: Interval, other: Interval) -> bool:
    start, middle, end = _starts(one, other), _end_to_start(one, other), _ends(one, other)
    return (
        (start < 0 or (start == 0 and one.low_included and not other.low_included))
        and (middle > 0 or (middle == 0 and _touch(one, other)))
        and (end < 0 or (end == 0 and (not one.high_included or other.high_included)))
    )


# --- finishes, includes, starts, coincides ----------------------------------------------------------------------


def _finishes(run: Run, one: Value, other: Interval) -> bool:
    if not isinstance(one, Interval):
        return other.high is not None and other.high_included and _points(one, other.high) == 0
    start = _starts(one, other)
    return (
        one.high_included == other.high_included
        and _ends(one, other) == 0
        and (start > 0 or (start == 0 and (not one.low_included or other.low_included)))
    )


def _starts_with(run: Run, one: Value, other: Interval) -> bool:
    if not isinstance(one, Interval):
        return other.low is not None and other.low_included and _points(one, other.low) == 0
    end = _ends(one, other)
    return (
        one.low_included == other.low_included
        and _starts(one, other) == 0
        and (end < 0 or (end == 0 and (not one.high_included or other.high_included)))
    )


def _during(run: Run, one: Value, other: Interval) -> bool:
    if not isinstance(one, Interval):
        found = within(one, other)
        if found is None:
            raise Null(f"a {kind(one)} cannot be compared with the ends of the range")
        return found
    start, end = _starts(other, one), _ends(other, one)
    return (start < 0 or (start == 0 and (other.low_included or not one.low_included))) and (
        end > 0 or (end == 0 and (other.high_included or not one.high_included))
    )


def _coincides(run: Run, one: Value, other: Value) -> bool:
    if isinstance(one, Interval) and isinstance(other, Interval):
        return same(one, other, run)
    return _points(one, other) == 0


def _swapped(function: Callable[[Run, Value, Value], bool]) -> Callable[[Run, Value, Value], bool]:
    return lambda run, one, other: function(run, other, one)


POINTS = "{}(point1: comparable, point2: comparable)"
POINT_RANGE = "{}(point: comparable, range: range)"
RANGE_POINT = "{}(range: range, point: comparable)"
BOTH_RANGES = "{}(range1: range, range2: range)"

for _name, _function, _forms in (
    ("before", _before, (POINTS, POINT_RANGE, RANGE_POINT, BOTH_RANGES)),
    ("after", _swapped(_before), (POINTS, POINT_RANGE, RANGE_POINT, BOTH_RANGES)),
    ("meets", _meets, (BOTH_RANGES,)),
    ("met by", _swapped(_meets), (BOTH_RANGES,)),
    ("overlaps", _overlaps, (BOTH_RANGES,)),
    ("overlaps before", _overlaps_before, (BOTH_RANGES,)),
    ("overlaps after", _swapped(_overlaps_before), (BOTH_RANGES,)),
    ("finishes", _finishes, (POINT_RANGE, BOTH_RANGES)),
    ("finished by", _swapped(_finishes), (RANGE_POINT, BOTH_RANGES)),
    ("includes", _swapped(_during), (RANGE_POINT, BOTH_RANGES)),
    ("during", _during, (POINT_RANGE, BOTH_RANGES)),
    ("starts", _starts_with, (POINT_RANGE, BOTH_RANGES)),
    ("started by", _swapped(_starts_with), (RANGE_POINT, BOTH_RANGES)),
    ("coincides", _coincides, (POINTS, BOTH_RANGES)),
):
    RANGES.add(*(form.format(_name) for form in _forms))(_function)


# --- range() ----------------------------------------------------------------------------------------------------

READERS: Final[dict[str, Callable[[str], Value]]] = {
    "date": read_date,
    "time": read_time,
    "date and time": read_date_time,
    "duration": read_duration,
}
KNOWN: Final = Names(READERS)


@RANGES.add("range(from: string)")
def range_(run: Run, text: str) -> Interval:
    """The range that a text spells; its ends are literals, or date("…") and the like."""
    run.step(len(text))  # it is read anew each time
    try:
        parsed = Parser(Source(text), known=(KNOWN,), types={}, limits=run.limits).expression()
    except FeelSyntaxError as error:
        raise Null(f"{text[:40]!r} is no range: {error.reason}") from None
    root = parsed.root
    if not isinstance(root, ast.Range):
        raise Null(f"{text[:40]!r} is no range")
    return interval(_end(root.low), _end(root.high), low_included=root.low_included, high_included=root.high_included)


def _end(node: ast.Node) -> Value:
    match node:
        case ast.Literal():
            return node.value
        case ast.Postfix(value=ast.Name(name=name), parts=(ast.Call(arguments=(ast.Literal(value=str(text)),)),)):
            if name in READERS:
                return READERS[name](text)
    raise Null("the ends of the range must be literals")
