"""What the parts of the compiler share: the text, the functions there are, and the way to compile a part."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from segue.feel.ast import Node
from segue.feel.run import Evaluate, Scope
from segue.feel.source import Source
from segue.feel.values import Function, Value

Handler = Callable[["Build", Any], Evaluate]


class Build:
    """Turns nodes into closures by a table of handlers."""

    __slots__ = ("functions", "handlers", "source")

    def __init__(
        self, source: Source, handlers: Mapping[type[Node], Handler], functions: Mapping[str, Function]
    ) -> None:
        self.source = source
        self.handlers = handlers
        self.functions = functions

    def compile(self, node: Node) -> Evaluate:
        """The closure that evaluates a node."""
        return self.handlers[type(node)](self, node)

    def null(self, scope: Scope, at: int, reason: str) -> None:
        """Null, with a warning."""
        scope.run.warn(self.source, at, reason)


def constant(value: Value) -> Evaluate:
    """A closure that gives the same value always."""
    return lambda scope: value
