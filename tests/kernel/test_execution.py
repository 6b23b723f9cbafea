"""The protocol that every notation implements: deadlines are ordered, and the code notation fits."""

from __future__ import annotations

import inspect
import typing
from types import SimpleNamespace
from typing import Any

from segue.authoring.python.execution import CodeExecution
from segue.kernel.execution import Deadline, Execution


def test_deadlines_are_ordered_by_time_then_by_creation() -> None:
    deadlines = [Deadline(2, 1), Deadline(1, 9), Deadline(1, 3)]
    assert sorted(deadlines) == [Deadline(1, 3), Deadline(1, 9), Deadline(2, 1)]


def test_the_code_notation_has_every_part_of_the_protocol() -> None:
    members = {name for name in vars(Execution) if not name.startswith("_")} | typing.get_type_hints(Execution).keys()
    nothing: Any = SimpleNamespace(policy=None)
    made = CodeExecution(nothing, encodings=nothing)
    missing = {name for name in members if not hasattr(type(made), name) and name not in vars(made)}
    assert missing == set()


def test_its_methods_take_what_the_protocol_says() -> None:
    for name, function in inspect.getmembers(Execution, inspect.isfunction):
        if not name.startswith("_"):
            ours = inspect.signature(getattr(CodeExecution, name))
            assert list(ours.parameters) == list(inspect.signature(function).parameters), name
