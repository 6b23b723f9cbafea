"""The models that import each other, as one graph: elements by reference, names as a model sees them, types, cycles."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Final

import msgspec

from segue.authoring.dmn import model
from segue.authoring.dmn.item_types import define, names_of
from segue.authoring.dmn.xml import NAMESPACES
from segue.errors import DecisionModelError
from segue.feel.names import Names
from segue.feel.types import Constrained, ListType, Named, Type

Key = tuple[str, str]
"""Namespace and id."""

Resolve = Callable[[model.Import], "model.Definitions | None"]
MOST_MODELS: Final = 200


class Node(msgspec.Struct, frozen=True):
    """An element in the model that it stands in."""

    key: Key
    element: model.Element
    model: model.Definitions


class Library:
    """A model and all that it imports, however far."""

    def __init__(self, root: model.Definitions, resolve: Resolve) -> None:
        self.root = root
        self.models: dict[str, model.Definitions] = {}
        self.nodes: dict[Key, Node] = {}
        self._gather(root, resolve)
        self.types: dict[str, dict[str, Type]] = {namespace: {} for namespace in self.models}
        self._define_types()
        self.members = Names(self._all_members())
        self._refuse_endless_types()
        self._refuse_dangling()
        self._refuse_cycles()

    def _gather(self, root: model.Definitions, resolve: Resolve) -> None:
        waiting = [root]
        while waiting:
            each = waiting.pop()
            if each.namespace in self.models:
                continue
            if len(self.models) >= MOST_MODELS:
                raise DecisionModelError(f"more than {MOST_MODELS} models import each other")
            self.models[each.namespace] = each
            for element in each.elements:
                key = (each.namespace, element.id)
                self.nodes[key] = Node(key, element, each)
            for imported in self._model_imports(each):
                if imported.namespace in self.models:
                    continue
                found = resolve(imported)
                if found is None:
                    raise DecisionModelError(
                        f"the model {imported.namespace!r} is not there; put its file beside this one",
                        element=f"import {imported.name}",
                        line=imported.line,
                    )
                waiting.append(found)

    def _model_imports(self, of: model.Definitions) -> Iterator[model.Import]:
        """The imports of other decision models; those of Java, PMML or XML Schema are passed over."""
        for each in of.imports:
            if not each.type or each.type in NAMESPACES:
                yield each

    # --- types and names ----------------------------------------------------------------------------------------

    def _define_types(self) -> None:
        for namespace, each in self.models.items():
            registry = self.types[namespace]
            for item in each.types:
                registry[item.name] = define(item, registry)
        for namespace, each in self.models.items():
            self.types[namespace].update(self._imported_types(each))

    def _imported_types(self, of: model.Definitions) -> dict[str, Type]:
        found: dict[str, Type] = {}
        for imported in self._model_imports(of):
            for item in self.models[imported.namespace].types:
                name = f"{imported.name}.{item.name}" if imported.name else item.name
                found[name] = self.types[imported.namespace][item.name]
        return found

    def _refuse_endless_types(self) -> None:
        """A type may hold values of itself in a component, but it cannot be itself, or a list of itself."""
        ending: set[int] = set()
        for namespace, each in self.models.items():
            for item in each.types:
                if _leads_to_itself(self.types[namespace][item.name], ending):
                    raise DecisionModelError(
                        "the type is defined by itself", element=f"itemDefinition {item.name}", line=item.line
                    )

    def _all_members(self) -> Iterator[str]:
        """Every name that may stand behind a dot: components of types, outputs, entries, imported elements."""
        for each in self.models.values():
            yield from names_of(each.types)
            for element in each.elements:
                yield element.name
                yield element.variable.name
            for decision in each.decisions:
                yield from _member_names(decision.logic)
            for knowledge in each.knowledge:
                yield from _member_names(knowledge.logic)

    # --- requirements -------------------------------------------------------------------------------------------

    def node(self, of: model.Definitions, reference: str) -> Node | None:
        """The element that a reference of a model means."""
        namespace, found, id_ = reference.rpartition("#")
        return self.nodes.get((namespace if found and namespace else of.namespace, id_))

    def required(self, node: Node) -> list[Node]:
        """The elements that an element requires directly."""
        found = (self.node(node.model, reference) for reference in references(node.element))
        return [each for each in found if each is not None]

    def seen_as(self, by: model.Definitions, node: Node) -> tuple[str, str]:
        """The name of an element in a model: of the import it comes through, if it does, and its own."""
        name = node.element.variable.name
        if node.model.namespace == by.namespace:
            return "", name
        alias = next((each.name for each in by.imports if each.namespace == node.model.namespace), "")
        return alias, name

    def _refuse_dangling(self) -> None:
        for node in self.nodes.values():
            for reference in references(node.element):
                if self.node(node.model, reference) is None:
                    raise DecisionModelError(
                        f"there is no element {reference!r}, which it requires",
                        element=node.element.name,
                        line=node.element.line,
                    )

    def _refuse_cycles(self) -> None:
        """Requirements make no circle, but a business knowledge model may call itself."""
        done: set[Key] = set()
        for start in self.nodes.values():
            path: list[Node] = [start]
            on_path = {start.key}
            waiting = [iter(self._next(start))]
            while waiting:
                if path[-1].key in done or (following := next(waiting[-1], None)) is None:
                    left = path.pop().key
                    done.add(left)
                    on_path.remove(left)
                    waiting.pop()
                    continue
                if following.key in on_path:
                    begins = next(at for at, each in enumerate(path) if each.key == following.key)
                    circle = [*path[begins:], following]
                    raise DecisionModelError(
                        "requirements in a circle: " + " -> ".join(each.element.name for each in circle),
                        element=following.element.name,
                        line=following.element.line,
                    )
                path.append(following)
                on_path.add(following.key)
                waiting.append(iter(self._next(following)))

    def _next(self, node: Node) -> Iterable[Node]:
        return (
            each for each in self.required(node) if each.key != node.key or isinstance(each.element, model.Decision)
        )


def _leads_to_itself(type_: Type, ending: set[int]) -> bool:
    """``ending``: ids of types that are known not to; those that are met on the way are added."""
    seen: set[int] = set()
    found: Type | None = type_
    while found is not None and id(found) not in ending:
        if id(found) in seen:
            return True
        seen.add(id(found))
        match found:
            case Named():
                found = found.registry.get(found.name)
            case Constrained():
                found = found.base
            case ListType():
                found = found.item
            case _:
                found = None
    ending |= seen
    return False


def references(element: model.Element) -> tuple[str, ...]:
    """All references of an element, in order."""
    match element:
        case model.Decision():
            return (*element.inputs, *element.decisions, *element.knowledge)
        case model.Knowledge():
            return element.knowledge
        case model.Service():
            return (*element.inputs, *element.input_decisions, *element.outputs, *element.encapsulated)
        case _:
            return ()


def _member_names(logic: model.Boxed | None) -> Iterator[str]:
    match logic:
        case model.Context():
            for entry in logic.entries:
                if entry.variable is not None:
                    yield entry.variable.name
                yield from _member_names(entry.value)
        case model.Table():
            yield from (output.name for output in logic.outputs)
        case model.Relation():
            yield from (column.name for column in logic.columns)
        case model.Function():
            yield from _member_names(logic.body)
