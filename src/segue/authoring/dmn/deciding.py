"""Makes decisions: compiles the graph of a library and evaluates what a decision requires, each once, in order."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from segue.authoring.dmn import model
from segue.authoring.dmn.boxed import body, boxed, parameters
from segue.authoring.dmn.explanation import DecisionExplanation
from segue.authoring.dmn.library import Key, Library, Node
from segue.authoring.dmn.places import Place, converted
from segue.authoring.dmn.tracing import MOST, Tracing
from segue.feel.conversion import to_python
from segue.feel.functions import Lambda
from segue.feel.limits import Limits
from segue.feel.nothing import Null
from segue.feel.run import Evaluate, Run, Scope
from segue.feel.source import Source
from segue.feel.types import FunctionType, Type, resolve
from segue.feel.values import Function, Value

Given = Callable[[Node], Value]
"""The value of an element that is handed in."""


class ServiceFunction(Function):
    """A decision service as a function of its inputs."""

    def __init__(self, deciding: Deciding, node: Node) -> None:
        assert isinstance(node.element, model.Service)
        self.name = node.element.name
        self.node = node
        self.deciding = deciding
        service = node.element
        library = deciding.library
        found = (library.node(node.model, each) for each in (*service.inputs, *service.input_decisions))
        self.parameters = [each for each in found if each is not None]
        outputs = (library.node(node.model, each) for each in service.outputs)
        self.outputs = [each for each in outputs if each is not None]

    @property
    def signatures(self) -> Sequence[tuple[tuple[str, Type | None], ...]]:
        """Its one form."""
        return (tuple((each.element.variable.name, self.deciding.type_of(each)) for each in self.parameters),)

    def call(self, run: Run, arguments: Sequence[Value]) -> Value:
        """The outputs, given the inputs in the order in which the service names them."""
        if len(arguments) != len(self.parameters):
            raise Null(f"{self.name} takes {len(self.parameters)} arguments, got {len(arguments)}")
        return self._decide(run, {node.key: value for node, value in zip(self.parameters, arguments, strict=True)})

    def call_named(self, run: Run, names: Sequence[str], arguments: Sequence[Value]) -> Value:
        """The outputs, given the inputs by name."""
        given = dict(zip(names, arguments, strict=True))
        wanted = {node.element.variable.name: node.key for node in self.parameters}
        if given.keys() != wanted.keys():
            raise Null(f"{self.name} has the parameters {', '.join(wanted) or 'none'}, got {', '.join(names)}")
        return self._decide(run, {wanted[name]: value for name, value in given.items()})

    def _decide(self, run: Run, given: Mapping[Key, Value]) -> Value:
        run.enter()
        making = Making(self.deciding, run, lambda node: given.get(node.key))
        for node in self.parameters:
            making.values[node.key] = making.checked(node, given.get(node.key))
        result = self.result_of(making)
        run.calls -= 1
        return result

    def result_of(self, making: Making) -> Value:
        """The value of the output decision, or a context of several, as the service's type has it."""
        values = {node.element.variable.name: making.value(node) for node in self.outputs}
        result: Value = next(iter(values.values())) if len(values) == 1 else values
        type_ = self.deciding.type_of(self.node)
        if type_ is None:
            return result
        try:
            found = resolve(type_)
        except Null:
            found = type_
        wanted = found.result if isinstance(found, FunctionType) else type_
        return converted(result, wanted, Scope(making.run, {}), Source("", self.name))


class Deciding:
    """A library, compiled."""

    def __init__(self, library: Library, limits: Limits) -> None:
        self.library = library
        self.limits = limits
        self.logic: dict[Key, Evaluate | None] = {}
        self.functions: dict[Key, Function] = {}
        self.order: dict[Key, list[Node]] = {}
        self._compile()

    def _compile(self) -> None:
        nodes = self.library.nodes.values()
        for node in nodes:
            if isinstance(node.element, model.Service):
                self.functions[node.key] = ServiceFunction(self, node)
        for node in nodes:
            if isinstance(node.element, model.Knowledge):
                self._compile_knowledge(node, node.element)
        for node in nodes:
            if isinstance(node.element, model.Decision) and node.element.logic is not None:
                self.logic[node.key] = boxed(node.element.logic, self._place(node))
        # What a business knowledge model calls is known only now that all of them are there.
        for function in self.functions.values():
            if isinstance(function, Lambda):
                assert isinstance(function.scope.variables, dict)
                function.scope.variables.update(self._known_functions(function))

    def _place(self, node: Node) -> Place:
        """Where an element's logic stands: it sees what the element requires, and nothing else."""
        names: list[str] = []
        for each in self.library.required(node):
            alias, name = self.library.seen_as(node.model, each)
            names.append(alias or name)
        return Place(
            node.element.name,
            dict.fromkeys(names),
            members=self.library.members,
            types=self.library.types[node.model.namespace],
            limits=self.limits,
        )

    def _compile_knowledge(self, node: Node, element: model.Knowledge) -> None:
        place = self._place(node)
        logic = element.logic
        # An empty scope of its own, to be filled with the functions that it calls.
        scope = Scope(Run(self.limits), {})
        if logic is None:
            self.functions[node.key] = Lambda(element.name, (), lambda _: None, scope)
            return
        place = place.within(names=(element.variable.name,))
        result = place.type(logic.type_ref or element.variable.type_ref)
        if result is not None and isinstance(_resolved(result), FunctionType):
            result = None  # the type of the function, not of what it gives
        self.functions[node.key] = Lambda(element.name, parameters(logic, place), body(logic, place), scope, result)

    def _known_functions(self, function: Lambda) -> dict[str, Value]:
        node = next(self.library.nodes[key] for key, each in self.functions.items() if each is function)
        known: dict[str, Value] = {node.element.variable.name: function}
        for each in self.library.required(node):
            self.bind(known, node, each, self.functions.get(each.key))
        return known

    def bind(self, variables: dict[str, Value], by: Node, node: Node, value: Value) -> None:
        """Makes a value known by the name that a model has for it."""
        alias, name = self.library.seen_as(by.model, node)
        if alias:
            variables.setdefault(alias, {})[name] = value
        else:
            variables[name] = value

    def type_of(self, node: Node) -> Type | None:
        """The declared type of an element."""
        place = Place(
            "", (), members=self.library.members, types=self.library.types[node.model.namespace], limits=self.limits
        )
        return place.type(node.element.variable.type_ref)

    def before(self, node: Node) -> list[Node]:
        """The decisions that have to be made for a decision, and itself, in an order that works."""
        known = self.order.get(node.key)
        if known is not None:
            return known
        order: list[Node] = []
        done: set[Key] = set()
        waiting: list[tuple[Node, bool]] = [(node, False)]
        while waiting:
            each, ready = waiting.pop()
            if ready:
                order.append(each)
            elif each.key not in done:
                done.add(each.key)
                waiting.append((each, True))
                waiting += [
                    (other, False)
                    for other in reversed(self.library.required(each))
                    if isinstance(other.element, model.Decision)
                ]
        self.order[node.key] = order
        return order


def _resolved(type_: Type) -> Type:
    try:
        return resolve(type_)
    except Null:
        return type_


class Making:
    """The decisions made with one set of inputs."""

    def __init__(self, deciding: Deciding, run: Run, given: Given) -> None:
        self.deciding = deciding
        self.run = run
        self.given = given
        self.values: dict[Key, Value] = {}
        self.told: dict[Key, Any] = {}

    def value(self, node: Node) -> Value:
        """The value of an element, with all that it requires."""
        if node.key in self.values:
            return self.values[node.key]
        if isinstance(node.element, model.Decision):
            for each in self.deciding.before(node):
                if each.key not in self.values:
                    self.values[each.key] = self._decide(each)
        else:
            self.values[node.key] = self.checked(node, self.given(node))
        return self.values[node.key]

    def checked(self, node: Node, value: Value) -> Value:
        """A value that was handed in, as the element's type has it."""
        type_ = self.deciding.type_of(node)
        if value is None or type_ is None:
            return value
        return converted(value, type_, Scope(self.run, {}), Source("", node.element.name))

    def _decide(self, node: Node) -> Value:
        logic = self.deciding.logic.get(node.key)
        if logic is None:
            return self.checked(node, self.given(node))
        variables, told = self._requirements(node)
        self.run.step()
        if not isinstance(self.run, Tracing):
            return self.checked(node, logic(Scope(self.run, variables)))
        # A decision service may be called in the middle of another decision.
        outer, self.run.tables = self.run.tables, []
        value = self.checked(node, logic(Scope(self.run, variables)))
        self.told[node.key] = to_python(value, self.run)
        if len(self.run.decisions) < MOST:
            self.run.decisions.append(
                DecisionExplanation(
                    name=node.element.name,
                    id=node.element.id,
                    namespace=node.model.namespace,
                    requirements=told,
                    value=self.told[node.key],
                    tables=self.run.tables,
                )
            )
        self.run.tables = outer
        return value

    def _requirements(self, node: Node) -> tuple[dict[str, Value], dict[str, Any]]:
        """What a decision sees, and the values among it for the explanation."""
        variables: dict[str, Value] = {}
        told: dict[str, Any] = {}
        for each in self.deciding.library.required(node):
            function = self.deciding.functions.get(each.key)
            if function is not None:
                self.deciding.bind(variables, node, each, function)
                continue
            value = self.value(each)
            self.deciding.bind(variables, node, each, value)
            if each.key not in self.told:
                self.told[each.key] = to_python(value, self.run)
            told[".".join(filter(None, self.deciding.library.seen_as(node.model, each)))] = self.told[each.key]
        return variables, told
