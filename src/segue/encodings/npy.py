"""NumPy arrays as npy files (NEP 1), object arrays refused; NumPy's scalars as JSON numbers and text."""

from __future__ import annotations

import io
from typing import Any

from segue.kernel.plain_numbers import plain_number


def _is_numpy(kind: type, base: str) -> bool:
    """Whether ``kind`` is NumPy's class of that name or derived from it, without importing NumPy."""
    return any(c.__name__ == base and c.__module__ == "numpy" for c in kind.__mro__)


class Npy:
    """``numpy.ndarray``, with its dtype, shape and memory order. Its subclasses do not encode: they would come back
    without what they add."""

    name = "npy"

    def matches(self, kind: type) -> bool:
        return kind.__name__ == "ndarray" and kind.__module__ == "numpy"

    def encode(self, value: Any) -> bytes:
        import numpy

        if value.dtype.hasobject:
            raise ValueError("an array of Python objects does not encode; give it a dtype such as float64 or str")
        buffer = io.BytesIO()
        numpy.lib.format.write_array(buffer, value, allow_pickle=False)
        return buffer.getvalue()

    def decode(self, data: bytes, kind: Any) -> Any:
        import numpy

        return numpy.lib.format.read_array(io.BytesIO(data), allow_pickle=False)


class NumpyScalars:
    """``np.int64(3)`` and the like: the plain number in JSON, NumPy's class again where it is declared."""

    def matches(self, kind: type) -> bool:
        return _is_numpy(kind, "generic") and not issubclass(kind, (str, bytes, float))  # as any subclass of those

    def encode(self, value: Any) -> Any:
        if value.dtype.kind == "M":
            return str(value)
        number = plain_number(value)
        if number is value:
            raise ValueError(f"{value.dtype} has no equal in JSON; pass an array of one item")
        return number

    def decode(self, tree: Any, kind: Any) -> Any:
        return kind(tree)
