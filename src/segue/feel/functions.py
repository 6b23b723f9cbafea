"""Functions that an expression or a model defines, and how arguments are laid to parameters."""

from __future__ import annotations

from collections.abc import Sequence

from segue.feel.nothing import Null
from segue.feel.run import Evaluate, Run, Scope
from segue.feel.types import Type, coerce
from segue.feel.values import Function, Value

Parameters = tuple[tuple[str, Type | None], ...]


class Lambda(Function):
    """A function with a body and the scope that it was made in.

    A body of ``None`` is one that stands outside of FEEL (Java, PMML): it can be passed around, but not called.
    """

    __slots__ = ("_result", "body", "cost", "name", "parameters", "scope")

    def __init__(
        self,
        name: str,
        parameters: Parameters,
        body: Evaluate | None,
        scope: Scope,
        result: Type | None = None,
        *,
        cost: int = 0,
    ) -> None:
        self.name = name
        self.parameters = parameters
        self.body = body
        self.scope = scope
        self.cost = cost
        self._result = result

    @property
    def signatures(self) -> Sequence[Parameters]:
        """Its one form."""
        return (self.parameters,)

    @property
    def result(self) -> Type | None:
        """The declared type of what it gives."""
        return self._result

    def call(self, run: Run, arguments: Sequence[Value]) -> Value:
        """The result for arguments by position."""
        if len(arguments) != len(self.parameters):
            raise Null(f"{self.name} takes {len(self.parameters)} arguments, got {len(arguments)}")
        if self.body is None:
            raise Null(f"{self.name} is an external function, which segue does not call")
        variables: dict[str, Value] = {}
        for (name, type_), value in zip(self.parameters, arguments, strict=True):
            if type_ is not None:
                try:
                    value = coerce(value, type_, run)
                except Null as null:
                    raise Null(f"{self.name}, parameter {name}: {null.reason}") from None
            variables[name] = value
        run.enter(self.cost)
        result = self.body(Scope(run, variables, self.scope))
        run.calls -= 1
        return result if self._result is None else coerce(result, self._result, run)

    def call_named(self, run: Run, names: Sequence[str], arguments: Sequence[Value]) -> Value:
        """The result for arguments by name."""
        given = dict(zip(names, arguments, strict=True))
        wanted = [name for name, _ in self.parameters]
        if len(given) != len(names) or given.keys() != set(wanted):
            raise Null(f"{self.name} has the parameters {', '.join(wanted) or 'none'}, got {', '.join(names)}")
        return self.call(run, [given[name] for name in wanted])
