"""Numbers and text of NumPy's, and of other subclasses, as Python's own, without importing NumPy."""

from __future__ import annotations

from typing import Any

_KINDS = ("b", "i", "u", "f")
"""Of NumPy's types: bool, integers, floats."""


def base_of(value: Any) -> str | int | float | None:
    """What a subclass of text or numbers holds; None of anything else."""
    match value:  # by the base's own method: a subclass may print itself in another way
        case str():
            return str.__str__(value)
        case int():
            return int.__int__(value)
        case float():
            return float.__float__(value)
    return None


def plain_number(value: Any) -> Any:
    """A bool, integer or float of NumPy's as Python's; everything else as it is, also what has no equal there: a
    moment, a float of more than 64 bits."""
    type_ = getattr(value, "dtype", None)
    fits = getattr(type_, "kind", "") in _KINDS and getattr(type_, "itemsize", 0) <= 8
    return value.item() if fits and getattr(value, "shape", None) == () else value
