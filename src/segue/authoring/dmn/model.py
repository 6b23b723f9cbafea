"""A decision model as data: decisions, their requirements, expressions and types (DMN 1.5, 6 to 8 and 10.2)."""

from __future__ import annotations

import msgspec


class Item(msgspec.Struct, frozen=True, kw_only=True):
    """Base of everything that stands at a place in the file."""

    id: str = ""
    line: int = 0


class Variable(Item, frozen=True, kw_only=True):
    """A name with a type."""

    name: str
    type_ref: str | None = None


# --- boxed expressions ------------------------------------------------------------------------------------------


class Boxed(Item, frozen=True, kw_only=True):
    """An expression, in text or as boxes."""

    type_ref: str | None = None


class Literal(Boxed, frozen=True, kw_only=True):
    """An expression as text."""

    text: str
    language: str | None = None


class InputClause(Item, frozen=True, kw_only=True):
    """A column of a decision table that asks."""

    label: str
    text: str
    type_ref: str | None
    values: str | None


class OutputClause(Item, frozen=True, kw_only=True):
    """A column of a decision table that answers."""

    name: str
    label: str
    type_ref: str | None
    values: str | None
    default: str | None


class Rule(Item, frozen=True, kw_only=True):
    """A row of a decision table."""

    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    annotations: tuple[str, ...]


class Table(Boxed, frozen=True, kw_only=True):
    """A decision table."""

    hit_policy: str
    aggregation: str | None
    inputs: tuple[InputClause, ...]
    outputs: tuple[OutputClause, ...]
    annotations: tuple[str, ...]
    rules: tuple[Rule, ...]


class Entry(Item, frozen=True, kw_only=True):
    """An entry of a boxed context; without a variable it is the context's result."""

    variable: Variable | None
    value: Boxed


class Context(Boxed, frozen=True, kw_only=True):
    """A boxed context."""

    entries: tuple[Entry, ...]


class ListOf(Boxed, frozen=True, kw_only=True):
    """A boxed list."""

    items: tuple[Boxed, ...]


class Relation(Boxed, frozen=True, kw_only=True):
    """A table of expressions: a list of contexts."""

    columns: tuple[Variable, ...]
    rows: tuple[tuple[Boxed, ...], ...]


class Invocation(Boxed, frozen=True, kw_only=True):
    """A call of a function with named arguments."""

    function: Boxed
    bindings: tuple[tuple[Variable, Boxed], ...]


class Function(Boxed, frozen=True, kw_only=True):
    """A function definition; ``kind`` is FEEL, Java or PMML, and only FEEL is called."""

    parameters: tuple[Variable, ...]
    body: Boxed | None
    kind: str


class Conditional(Boxed, frozen=True, kw_only=True):
    """If, then, else."""

    condition: Boxed
    then: Boxed
    otherwise: Boxed


class Loop(Boxed, frozen=True, kw_only=True):
    """``kind`` is for, some or every."""

    kind: str
    variable: str
    domain: Boxed
    body: Boxed


class Filter(Boxed, frozen=True, kw_only=True):
    """The items of a list that match."""

    domain: Boxed
    match: Boxed


# --- elements of the requirements graph -------------------------------------------------------------------------


class Import(Item, frozen=True, kw_only=True):
    """Another model under a name."""

    name: str
    namespace: str
    location: str | None
    type: str


class ItemDefinition(Item, frozen=True, kw_only=True):
    """A type by name."""

    name: str
    type_ref: str | None
    collection: bool
    allowed: str | None
    constraint: str | None
    components: tuple[ItemDefinition, ...]
    function: FunctionItem | None


class FunctionItem(msgspec.Struct, frozen=True, kw_only=True):
    """The type of a function."""

    parameters: tuple[Variable, ...]
    result: str | None


class Element(Item, frozen=True, kw_only=True):
    """What others may require: it has a name, and a variable under which they see it."""

    name: str
    variable: Variable


class InputData(Element, frozen=True, kw_only=True):
    """What is handed in."""


class Decision(Element, frozen=True, kw_only=True):
    """A decision, the elements that it requires (by reference), and its logic."""

    inputs: tuple[str, ...]
    decisions: tuple[str, ...]
    knowledge: tuple[str, ...]
    logic: Boxed | None


class Knowledge(Element, frozen=True, kw_only=True):
    """A business knowledge model: a function by name."""

    knowledge: tuple[str, ...]
    logic: Function | None


class Service(Element, frozen=True, kw_only=True):
    """A decision service: some decisions behind one door."""

    outputs: tuple[str, ...]
    encapsulated: tuple[str, ...]
    input_decisions: tuple[str, ...]
    inputs: tuple[str, ...]


class Definitions(Item, frozen=True, kw_only=True):
    """What one file holds."""

    name: str
    namespace: str
    version: str
    imports: tuple[Import, ...]
    types: tuple[ItemDefinition, ...]
    inputs: tuple[InputData, ...]
    decisions: tuple[Decision, ...]
    knowledge: tuple[Knowledge, ...]
    services: tuple[Service, ...]

    @property
    def elements(self) -> tuple[Element, ...]:
        """All that can be required."""
        return (*self.inputs, *self.decisions, *self.knowledge, *self.services)
