"""Names of definitions: who may replace whom."""

from __future__ import annotations

import re
import sys
from types import ModuleType
from typing import Any

import pytest

from segue.authoring.python.registry import Registry, default_name
from segue.errors import DuplicateDefinition


class Definition:
    def __init__(self, function: Any, name: str = "same") -> None:
        self.name = name
        self.function = function


def first() -> None: ...


def second() -> None: ...


def local() -> Any:
    def same() -> None: ...

    return same


def reloaded(function: Any) -> Any:
    """The function as it comes out of its module when that is read again."""
    code = function.__code__
    return type(function)(code, {"__name__": "__main__"}, function.__name__)


def test_what_is_registered_is_found() -> None:
    registry: Registry[Definition] = Registry("step")
    one, other = Definition(first, "b"), Definition(second, "a")
    registry.add(one)
    registry.add(other)
    assert registry.get("b") is one
    assert registry.get("c") is None
    assert registry.names() == ["a", "b"]
    assert registry.all() == [one, other]


def test_two_functions_of_one_name_are_an_error_that_names_both() -> None:
    registry: Registry[Definition] = Registry("step")
    registry.add(Definition(first))
    with pytest.raises(DuplicateDefinition) as caught:
        registry.add(Definition(second))
    found = re.findall(rf"(first|second) \({re.escape(__file__)}:\d+\)", str(caught.value))
    assert found == ["first", "second"]
    assert "@step(name=…)" in str(caught.value)


@pytest.mark.parametrize(("before", "after"), [(first, reloaded(first)), (local(), local()), (first, local())])
def test_the_same_place_again_replaces(before: Any, after: Any) -> None:
    registry: Registry[Definition] = Registry("step")
    registry.add(Definition(before))
    registry.add(Definition(after))
    found = registry.get("same")
    assert found is not None
    assert found.function is after


def cell(number: int) -> Any:
    """What a cell of a notebook defines, run for the ``number``-th time: each has a file name of its own."""
    space: dict[str, Any] = {"__name__": "__main__"}
    exec(compile("def same(): ...\ndef other(): ...", f"/tmp/ipykernel_7/{number}.py", "exec"), space)
    return space["same"], space["other"]


def test_a_cell_that_is_run_again_replaces_what_it_defined(monkeypatch: pytest.MonkeyPatch) -> None:
    notebook = ModuleType("__main__")
    monkeypatch.setitem(sys.modules, "__main__", notebook)
    registry: Registry[Definition] = Registry("step")
    (before, _), (after, other) = cell(1), cell(2)
    registry.add(Definition(before))
    registry.add(Definition(after))
    found = registry.get("same")
    assert found is not None
    assert found.function is after
    with pytest.raises(DuplicateDefinition, match="ipykernel_7"):
        registry.add(Definition(other))
    notebook.__file__ = "script.py"
    with pytest.raises(DuplicateDefinition, match="ipykernel_7"):
        registry.add(Definition(before))


def test_default_names_leave_out_the_enclosing_function() -> None:
    assert default_name(first) == "first"
    assert default_name(local()) == "same"
    assert default_name(Definition.__init__) == "Definition.__init__"
