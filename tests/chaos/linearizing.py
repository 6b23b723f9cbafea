"""Whether a recorded history of concurrent operations could have come about one after the other: the search of Wing and
Gong (1993), with the states that were seen in vain remembered (Lowe, 2017)."""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Sequence
from typing import Any, NamedTuple


class Operation(NamedTuple):
    """What somebody asked for and was told, between two moments. It took effect at some moment between them.

    ``ended`` may lie behind the answer, where that promises an effect later; infinite: perhaps it had none.
    """

    began: float
    ended: float
    name: str
    argument: Any = None
    answer: Any = None


Model = Callable[[Any, Operation], Any]
"""The state after an operation, or None if in this state it would have been answered otherwise."""


def is_linearizable(history: Sequence[Operation], model: Model, initial: Hashable) -> bool:
    """Whether there is an order of the operations that keeps to their moments and to the model."""
    operations = sorted(history, key=lambda operation: operation.began)
    certain = sum(1 << index for index, operation in enumerate(operations) if operation.ended < math.inf)
    seen: set[tuple[int, Hashable]] = set()
    stack: list[tuple[int, Any]] = [(0, initial)]
    while stack:
        done, state = stack.pop()
        if done & certain == certain:
            return True
        for index in _next(operations, done):
            after = model(state, operations[index])
            found = done | 1 << index, after
            if after is not None and found not in seen:
                seen.add(found)
                stack.append(found)
    return False


def _next(operations: Sequence[Operation], done: int) -> list[int]:
    """Which may come next: those that began before any other one that is left had ended. The first to end comes last,
    to be tried first."""
    first = math.inf
    found: list[int] = []
    for index in range((~done & (done + 1)).bit_length() - 1, len(operations)):
        operation = operations[index]
        if operation.began > first:
            break
        if not done >> index & 1:
            found.append(index)
            first = min(first, operation.ended)
    return sorted(
        (index for index in found if operations[index].began <= first),
        key=lambda index: operations[index].ended,
        reverse=True,
    )
