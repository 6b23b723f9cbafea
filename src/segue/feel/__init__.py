"""FEEL, the expression language of DMN 1.5 (chapter 10), as a library: text in, compiled closures out.

    feel.evaluate("total > 100 and count(items) < 3", {"total": 120, "items": []})     # True
    price = feel.compile("sum(for i in items return i.price * i.amount)")
    price.evaluate({"items": [...]}); price.reads                                       # {"items"}
    feel.unary('"gold", "silver"').test("gold")                                         # True

Numbers are decimals of 34 digits, null is contagious, errors of evaluation are null with a warning, and everything is
bounded by ``Limits``. An expression sees the values that it is handed and nothing else: there is no way from one to a
Python object, a file, a clock or another module.

May import: the standard library's pure parts, msgspec and ``segue.errors``. The moment that ``now()`` gives and the
clock that watches wall time are handed in.

Start reading: ``expression`` (the front), ``parser`` and ``ast`` (text to tree), ``compiler`` and the ``build_``
modules (tree to closures), ``builtin`` and the ``builtin_`` modules (the functions), ``values`` and ``temporal``.
"""

from __future__ import annotations

from segue.feel.conversion import from_python, to_python
from segue.feel.expression import Evaluation, Expression, UnaryTests, compile, evaluate, unary
from segue.feel.limits import Limits
from segue.feel.run import Warning
from segue.feel.temporal import Date, DateTime, DaysDuration, MonthsDuration, Time
from segue.feel.values import Function, Interval

__all__ = [
    "Date",
    "DateTime",
    "DaysDuration",
    "Evaluation",
    "Expression",
    "Function",
    "Interval",
    "Limits",
    "MonthsDuration",
    "Time",
    "UnaryTests",
    "Warning",
    "compile",
    "evaluate",
    "from_python",
    "to_python",
    "unary",
]
