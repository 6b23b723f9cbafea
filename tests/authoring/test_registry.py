"""Names of definitions: who may replace whom."""

from __future__ import annotations

import functools
import re
import sys
from collections.abc import AsyncIterator, Iterator
from types import ModuleType
from typing import Any

import pytest

from segue import Transaction, step, workflow
from segue.authoring.python.registry import Registry, default_name, refuse_replaced
from segue.errors import DuplicateDefinition, InvalidArgument


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


def adds(n: int, unit: object) -> Any:
    async def added(m: int) -> int:
        return m + n if unit else m

    return added


def test_a_closure_that_was_replaced_by_one_with_other_values_is_refused() -> None:
    one, other, unit = Definition(adds(1, first)), Definition(adds(2, first)), Definition(adds(1, second))
    same = Definition(adds(1, first))
    for definition, registered in ((one, one), (one, None), (one, same), (one, Definition(first))):
        refuse_replaced("step", definition, registered)
    with pytest.raises(InvalidArgument, match=r"adds\.<locals>\.added .*defined again with another n, .*@step\(name="):
        refuse_replaced("step", one, other)
    with pytest.raises(InvalidArgument, match="defined again with another unit, "):
        refuse_replaced("step", one, unit)


def test_what_is_no_function_is_refused_where_it_is_decorated() -> None:
    async def twice(n: int) -> int:
        return 2 * n

    with pytest.raises(InvalidArgument, match=r"@step needs a function; functools\.partial\(.* is none: call it in a"):
        step(name="partly")(functools.partial(twice, n=1))
    with pytest.raises(InvalidArgument, match=r"@workflow needs a function; functools\.partial\("):
        workflow(functools.partial(twice, n=1))
    with pytest.raises(InvalidArgument, match=r"@step\.transaction needs a function; functools\.partial\("):
        step.transaction(functools.partial(print, 1))
    with pytest.raises(InvalidArgument, match=r"@step stands above @staticmethod at .*twice, .*: swap the two lines"):
        step(staticmethod(twice))
    with pytest.raises(InvalidArgument, match=r"@step stands above @classmethod at .*twice, .*: make it a function"):
        step(classmethod(twice))  # type: ignore[arg-type]


def test_a_function_that_yields_is_refused_where_it_is_decorated() -> None:
    async def pages() -> AsyncIterator[int]:
        yield 1

    def rows() -> Iterator[int]:
        yield 1

    for function, words in (
        (pages, r"@step stands above .*pages, which yields: collect"),
        (rows, r"rows, which yields"),
    ):
        with pytest.raises(InvalidArgument, match=words):
            step(function)


async def test_a_method_is_refused_where_it_is_decorated() -> None:
    with pytest.raises(InvalidArgument, match=r"@step stands above .*Shop\.charge, a method, .* what it needs of self"):

        class Shop:
            @step
            async def charge(self, n: int) -> int:
                return n

    with pytest.raises(
        InvalidArgument, match=r"@step\.transaction stands above .*Till\.take, a method, .* needs of cls"
    ):

        class Till:
            @classmethod
            @step.transaction
            def take(cls, db: Transaction) -> None: ...

    with pytest.raises(InvalidArgument, match=r"@workflow stands above .*Orders\.fulfil, a method"):

        class Orders:
            @workflow
            async def fulfil(self) -> None: ...

    class Steps:
        def __init__(self, by: int) -> None:
            self.by = by

        @staticmethod
        @step
        async def twice(n: int) -> int:
            return 2 * n

        async def times(self, n: int) -> int:
            return self.by * n

    assert await Steps.twice(2) == 4
    assert await step(name="tenfold")(Steps(10).times)(2) == 20


@pytest.mark.parametrize(
    ("terms", "words"),
    [
        ({"retry": "3"}, "retry=… is a Retry(…), or the number of attempts; '3' is neither"),
        ({"executor": "gpu"}, "executor=… is 'process', 'thread' or 'loop'; it is 'gpu'"),
        ({"on_exhausted": "stop"}, "on_exhausted=… is 'raise' or 'incident'; it is 'stop'"),
        ({"on_error": "skip"}, "on_error=… is skip(default) or escalate(to); 'skip' is neither"),
        ({"cache": "1d"}, "cache=… is a Cache(…); '1d' is none"),
        ({"name": ""}, "the name of a step has a character at least"),
        ({"name": 5}, "the name of a step must be text; 5 is a int"),
    ],
)
def test_terms_that_make_no_sense_are_refused_where_they_stand(terms: dict[str, Any], words: str) -> None:
    with pytest.raises(InvalidArgument, match=re.escape(words)):
        step(**terms)(first)
    if terms.keys() & {"retry", "on_exhausted", "on_error", "cache"}:
        with pytest.raises(InvalidArgument, match=re.escape(words)):
            step(name="termed")(first).using(**terms)


async def test_a_parameter_may_be_called_self() -> None:
    @step
    async def copied(self: int, args: int) -> int:
        return self + args

    @workflow
    async def copies() -> int:
        return await copied(self=1, args=2)

    assert await copied(self=1, args=2) == await copies.local() == 3


def test_what_is_defined_already_is_refused() -> None:
    with pytest.raises(InvalidArgument, match="twofold is a step already; take @step away"):
        step(step(name="twofold")(first))
