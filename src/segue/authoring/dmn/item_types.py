"""Item definitions as types of FEEL (DMN 1.5, 7.3.2 and 10.3.2.9)."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from segue.authoring.dmn import model
from segue.errors import DecisionModelError, FeelError
from segue.feel.expression import UnaryTests, unary
from segue.feel.run import Run, Scope
from segue.feel.types import (
    ANY,
    BY_NAME,
    Constrained,
    ContextType,
    FunctionType,
    ListType,
    Named,
    Type,
)
from segue.feel.values import Value


def type_by_name(name: str | None, registry: Mapping[str, Type]) -> Type | None:
    """The type that a reference means; nothing where none is declared. What a model defines comes first."""
    if name is None:
        return None
    if name in registry:
        return Named(name, registry)
    return BY_NAME.get(name) or Named(name, registry)


def define(item: model.ItemDefinition, registry: Mapping[str, Type]) -> Type:
    """The type of an item definition.

    Raises:
        DecisionModelError: its allowed values cannot be read.
    """
    type_ = _base(item, registry)
    if item.allowed is not None:
        type_ = _constrained(type_, item.allowed, item, registry)
    if item.collection:
        type_ = ListType(type_)
    if item.constraint is not None:
        type_ = _constrained(type_, item.constraint, item, registry)
    return type_


def _base(item: model.ItemDefinition, registry: Mapping[str, Type]) -> Type:
    if item.function is not None:
        parameters = tuple(type_by_name(each.type_ref, registry) or ANY for each in item.function.parameters)
        return FunctionType(parameters, type_by_name(item.function.result, registry) or ANY)
    if item.components:
        return ContextType(tuple((each.name, define(each, registry)) for each in item.components))
    return type_by_name(item.type_ref, registry) or ANY


def _constrained(type_: Type, text: str, item: model.ItemDefinition, registry: Mapping[str, Type]) -> Type:
    try:
        tests = unary(text, types=registry, name=f"allowed values of {item.name}")
    except FeelError as error:
        raise DecisionModelError(
            f"its allowed values cannot be read: {error}", element=f"itemDefinition {item.name}", line=item.line
        ) from None
    return Constrained(type_, _allows(tests), " ".join(text.split()))


def _allows(tests: UnaryTests) -> Callable[[Run, Value], bool]:
    return lambda run, value: tests.holds(Scope(run, {}), value) is True


def names_of(items: tuple[model.ItemDefinition, ...]) -> set[str]:
    """The names of all components, however deep."""
    found: set[str] = set()
    for item in items:
        found |= {each.name for each in item.components} | names_of(item.components)
    return found
