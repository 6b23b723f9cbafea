"""NumPy's numbers as Python's, without importing NumPy."""

from __future__ import annotations

from typing import Any

_KINDS = ("b", "i", "u", "f")
"""Of NumPy's types: bool, integers, floats."""


def plain_number(value: Any) -> Any:
    """A bool, integer or float of NumPy's as Python's; everything else as it is, also what has no equal there: a
    moment, a float of more than 64 bits."""
    type_ = getattr(value, "dtype", None)
    fits = getattr(type_, "kind", "") in _KINDS and getattr(type_, "itemsize", 0) <= 8
    return value.item() if fits and getattr(value, "shape", None) == () else value
