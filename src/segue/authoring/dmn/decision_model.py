"""A decision model that can be asked and written back: the front of ``segue.authoring.dmn``."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from hashlib import blake2b
from typing import Any

from lxml import etree

from segue.authoring.dmn import model
from segue.authoring.dmn.deciding import Deciding, Making, ServiceFunction
from segue.authoring.dmn.explanation import Outcome
from segue.authoring.dmn.library import Library, Node
from segue.authoring.dmn.plain import typed
from segue.authoring.dmn.reader import definitions
from segue.authoring.dmn.tracing import Tracing
from segue.authoring.dmn.xml import Element, parse
from segue.errors import DecisionModelError, InvalidArgument
from segue.feel import Limits
from segue.feel.conversion import as_moment, from_python, to_python
from segue.feel.expression import bounded
from segue.feel.run import Clock
from segue.feel.source import Source
from segue.feel.values import Value

Find = Callable[[model.Import], bytes | None]
"""The file of an imported model, by its namespace or location; ``None`` where there is none."""

DEFAULT = Limits(steps=5_000_000, elements=5_000_000)
"""A model is many expressions."""


class DecisionModel:
    """A DMN file, read and compiled with all that it imports.

    Attributes:
        definitions: what the file holds, as data.
        hash: of its bytes and those of the files that it imports, 16 hex digits.
    """

    def __init__(self, tree: etree._ElementTree[Element], library: Library, limits: Limits, hash: str) -> None:
        self._tree = tree
        self._library = library
        self._deciding = Deciding(library, limits)
        self._limits = limits
        self.definitions = library.root
        self.hash = hash

    @property
    def name(self) -> str:
        """The model's name."""
        return self.definitions.name

    @property
    def decisions(self) -> list[str]:
        """The names of the file's decisions."""
        return [each.name for each in self.definitions.decisions]

    @property
    def services(self) -> list[str]:
        """The names of the file's decision services."""
        return [each.name for each in self.definitions.services]

    @property
    def inputs(self) -> dict[str, str | None]:
        """The names and declared types of the file's input data."""
        return {each.name: each.variable.type_ref for each in self.definitions.inputs}

    @property
    def goals(self) -> list[str]:
        """The names of the file's decisions that no other requires."""
        required = {
            node.key
            for each in self._library.nodes.values()
            for node in self._library.required(each)
            if isinstance(each.element, model.Decision)
        }
        namespace = self.definitions.namespace
        return [each.name for each in self.definitions.decisions if (namespace, each.id) not in required]

    def typed(self, inputs: Mapping[str, Any]) -> dict[str, Any]:
        """Inputs that come from JSON, with strings as the values of time that the model declares.

        Raises:
            InvalidArgument: a string is no such value, or there is no input of a name.
        """
        known: dict[str, Any] = {}
        for node in self._library.nodes.values():
            known.setdefault(node.element.name, self._deciding.type_of(node))
        aliases = {each.name for each in self.definitions.imports}
        for name in inputs:
            if name not in known and name not in aliases:
                wanted = ", ".join(self.inputs) or "none"
                raise InvalidArgument(f"there is no input {name!r} (there is: {wanted})", path=f"$.{name}")
        return {name: typed(value, known.get(name), f"$.{name}") for name, value in inputs.items()}

    def decide(
        self,
        name: str,
        inputs: Mapping[str, Any] | None = None,
        *,
        limits: Limits | None = None,
        clock: Clock | None = None,
        now: Callable[[], dt.datetime] | None = None,
    ) -> Outcome:
        """Makes a decision, or all that a decision service has as outputs.

        Args:
            name: the decision or service, by name or id.
            inputs: input data by name; those of imported models by name too, or below the import's name. A decision
                without logic, and an input decision of a service, is handed in the same way.
            limits: the budget, instead of the model's.
            clock: seconds that only grow, such as ``time.monotonic``; without it wall time is not watched.
            now: what `now()` and `today()` give; without it they are null.

        Raises:
            InvalidArgument: there is no such decision, or an input has no value in FEEL.
            FeelLimitExceeded: the budget is used up.
        """
        node = self._named(name)
        moment = None if now is None else (lambda: as_moment(now()))
        run = Tracing(limits or self._limits, clock=clock, now=moment)
        with bounded(Source("", name)):
            given = from_python(dict(inputs or {}), run)
            making = Making(self._deciding, run, lambda each: self._given(given, each))
            value = to_python(self._made(node, making), run)
        return Outcome(value, run.decisions, run.warnings)

    def _made(self, node: Node, making: Making) -> Value:
        if not isinstance(node.element, model.Service):
            return making.value(node)
        service = self._deciding.functions[node.key]
        assert isinstance(service, ServiceFunction)
        for parameter in service.parameters:
            making.values[parameter.key] = making.checked(parameter, making.given(parameter))
        return service.result_of(making)

    def id_of(self, name: str) -> str:
        """The id of a decision or decision service, by its name or id; empty if there is none."""
        candidates: tuple[model.Element, ...] = (*self.definitions.decisions, *self.definitions.services)
        return next((element.id for element in candidates if name in (element.name, element.id)), "")

    def _named(self, name: str) -> Node:
        candidates: tuple[model.Element, ...] = (*self.definitions.decisions, *self.definitions.services)
        for element in candidates:
            if name in (element.name, element.id):
                return self._library.nodes[self.definitions.namespace, element.id]
        known = ", ".join(each.name for each in candidates) or "none"
        raise InvalidArgument(f"there is no decision or decision service {name!r} (there is: {known})", path="$.name")

    def _given(self, given: dict[str, Value], node: Node) -> Value:
        name = node.element.name
        if name in given:
            return given[name]
        alias, _ = self._library.seen_as(self.definitions, node)
        inside = given.get(alias) if alias else None
        return inside.get(name) if isinstance(inside, dict) else None

    def to_xml(self) -> bytes:
        """The file, with every element, attribute, comment and diagram that was read."""
        declared = self._tree.docinfo
        data: bytes = etree.tostring(
            self._tree, encoding=declared.encoding or "UTF-8", xml_declaration=True, standalone=declared.standalone
        )
        return data


def namespace_of(data: bytes) -> str:
    """The namespace of a DMN file, by which others import it.

    Raises:
        DecisionModelError: it is none.
    """
    return str(parse(data).getroot().get("namespace", "").strip())


def read(data: bytes, *, find: Find | None = None, limits: Limits = DEFAULT) -> DecisionModel:
    """Reads a DMN file.

    Args:
        data: the file.
        find: gives the file of an imported model.
        limits: the budget of its expressions.

    Raises:
        DecisionModelError: it cannot be read; the error names the element and the line.
    """
    tree = parse(data)
    hash = blake2b(data, digest_size=8)

    def resolve(wanted: model.Import) -> model.Definitions | None:
        found = find(wanted) if find is not None else None
        if found is None:
            return None
        hash.update(found)
        imported = definitions(parse(found).getroot())
        if imported.namespace != wanted.namespace:
            raise DecisionModelError(
                f"the file that was found for it has the namespace {imported.namespace!r}",
                element=f"import {wanted.name} of {wanted.namespace!r}",
                line=wanted.line,
            )
        return imported

    library = Library(definitions(tree.getroot()), resolve)
    return DecisionModel(tree, library, limits, hash.hexdigest())
