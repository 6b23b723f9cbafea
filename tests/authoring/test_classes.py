"""Workflows as classes: an instance per run, methods that take the messages."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import Any, Generic, TypeVar

import pytest
from world import ENCODINGS, Begin, World, step_named

from segue.authoring.python.classes import ClassForm
from segue.authoring.python.definitions import FORM, Workflow, workflow
from segue.authoring.python.handlers import query, signal, update
from segue.cli import values
from segue.errors import InvalidArgument, NotDeterministic, NotInWorkflow, UpdateRejected
from segue.kernel import commands as c

charge = step_named("charge")


class Cart:
    """A cart, with all that a class may have."""

    def __init__(self, owner: str) -> None:
        self.owner = owner
        self.items: list[str] = []
        self.paid = 0

    async def run(self, owner: str) -> list[str]:
        assert owner == self.owner
        await signal("close")
        return self.items

    @signal
    def add(self, item: str) -> None:
        self.items.append(item)

    @query
    def count(self, prefix: str = "") -> int:
        return len([item for item in self.items if item.startswith(prefix)])

    @query
    def meddle(self) -> int:
        self.paid += 1
        return self.paid

    @update
    async def pay(self, amount: int) -> int:
        await charge(amount)
        self.paid += amount
        return self.paid

    @pay.validator
    def positive(self, amount: int) -> None:
        if amount <= 0:
            raise ValueError("nothing to pay")

    @update
    def rename(self, owner: str) -> str:
        before, self.owner = self.owner, owner
        return before


def form(cls: type[Any], **policy: Any) -> Workflow[..., Any]:
    made = ClassForm(cls)
    return Workflow(made.function, cls.__name__, form=made)


def answer(world: World) -> Any:
    (command,) = [x for x in world.answers[-1] if isinstance(x, c.CompleteUpdate)]
    assert command.result is not None
    return ENCODINGS.decode(command.result)


def test_methods_take_the_messages(begin: Begin) -> None:
    world = begin(form(Cart), "ann")
    world.signal("add", "tea")
    world.signal("add", "milk")
    assert world.query("count") == 2
    assert world.query("count", "t") == 1
    world.update("rename", "bob")
    assert answer(world) == "ann"
    world.update("pay", 5, id="u2")
    world.complete("/~1/charge")
    assert answer(world) == 5
    world.signal("close")
    assert world.result == ["tea", "milk"]


def test_the_validator_is_a_method_too(begin: Begin) -> None:
    world = begin(form(Cart), "ann")
    with pytest.raises(
        UpdateRejected, match=r"update 'pay' of run '\S+' was refused by its validator: ValueError: nothing to pay"
    ) as caught:
        world.update("pay", 0)
    assert caught.value.type == "ValueError"
    assert len(world.journal) == 1


def test_a_query_sets_no_attribute(begin: Begin) -> None:
    world = begin(form(Cart), "ann")
    with pytest.raises(NotDeterministic, match=r"only reads: it must not set self\.paid"):
        world.query("meddle")


def test_what_a_query_answers_is_a_copy(begin: Begin) -> None:
    class Lists:
        def __init__(self) -> None:
            self.items = ["tea"]

        @query
        def all(self) -> list[str]:
            return self.items

        async def run(self) -> None:
            await signal("close")

    world = begin(form(Lists))
    world.query("all").append("milk")
    assert world.query("all") == ["tea"]


T = TypeVar("T")
K = TypeVar("K")


@dataclass
class Line:
    item: str
    amount: int = 1


class Collecting(Generic[T]):
    """A workflow of any type, for classes that say of which."""

    def __init__(self) -> None:
        self.got: list[Any] = []

    @signal
    def put(self, thing: T) -> None:
        self.got.append(thing)

    @update
    def put_all(self, things: dict[str, T]) -> int:
        self.got += things.values()
        return len(self.got)

    async def run(self, first: T | None) -> list[T]:
        await signal("close")
        return [first, *self.got]  # type: ignore[list-item]


class Listing(Collecting[list[K]], Generic[T, K]):
    """One whose variables are called otherwise."""

    @signal
    def also(self, thing: T) -> None:
        self.got.append(thing)


def test_type_variables_are_what_the_subclass_says(begin: Begin) -> None:
    class Lines(Collecting[Line]):
        pass

    class Lists(Listing[Line, date]):
        pass

    seen: list[Any] = []
    for cls, given in ((Lines, Line("tea")), (Lists, [date(2026, 1, 2)])):

        class Looking(cls):  # type: ignore[valid-type, misc]
            async def run(self, first: Any) -> None:
                await signal("close")
                seen.extend(self.got)

        world = begin(form(Looking), None)
        world.signal("put", given)
        world.update("put_all", {"a": given})
        if cls is Lists:
            world.signal("also", Line("milk"))
        world.signal("close")
    assert seen == [Line("tea"), Line("tea"), [date(2026, 1, 2)], [date(2026, 1, 2)], Line("milk")]

    bound = form(Lines).bind(ENCODINGS)
    assert bound.call_site.decode(bound.encode_input((Line("tea"),))[0]) == ((Line("tea"),), {})
    assert bound.decode_result(bound.encode_result([Line("tea")])) == [Line("tea")]
    assert values.arguments(form(Lines), ('{"item": "tea"}',), ENCODINGS) == [Line("tea")]


def test_subclasses_and_dataclasses(begin: Begin) -> None:
    @dataclass
    class Base:
        seen: list[int] = field(default_factory=list)

        @signal
        def see(self, n: int) -> None:
            self.seen.append(n)

        async def run(self, least: int) -> list[int]:
            await signal("close")
            return self.seen

    class Doubling(Base):
        @signal
        def see(self, n: int) -> None:
            self.seen.append(2 * n)

    world = begin(form(Doubling), 1)
    world.signal("see", 3)
    world.signal("close")
    assert world.result == [6]


def test_handlers_stand_before_the_first_line(begin: Begin) -> None:
    class Early:
        async def run(self) -> int:
            return await charge(self.late(1))

        @update
        def late(self, n: int) -> int:
            return n

    assert [type(x) for x in begin(form(Early)).answers[0]] == [c.RunStep]


class NoRun:
    def run(self) -> None: ...


class OtherInput:
    def __init__(self, other: int) -> None: ...

    async def run(self, n: int) -> None: ...


@pytest.mark.parametrize(("cls", "why"), [(NoRun, "needs an `async def run"), (OtherInput, "has to take nothing, or")])
def test_a_class_that_is_no_workflow_is_refused(cls: type[Any], why: str) -> None:
    with pytest.raises(InvalidArgument, match=why):
        workflow(cls)


def test_a_wrong_policy_is_refused() -> None:
    with pytest.raises(InvalidArgument, match="unknown_signals"):
        workflow(unknown_signals="forget")  # type: ignore[call-overload]


def test_the_class_stays_what_it_is() -> None:
    made = workflow(name="tests.classes.Cart")(Cart)
    assert made is Cart
    assert Cart("ann").owner == "ann"
    assert vars(Cart)[FORM].name == "tests.classes.Cart"


def test_a_function_of_a_module_is_no_method() -> None:
    def handler(n: int) -> None: ...

    handler.__qualname__ = "handler"
    for decorator in (signal, query, update):
        with pytest.raises(NotInWorkflow):
            decorator(handler)  # type: ignore[operator]
