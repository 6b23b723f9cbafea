"""Blocks from whose inside the code may go elsewhere than on: ``try``, ``with``, sagas, task groups, and ``raise``."""

from __future__ import annotations

import ast
import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from segue.authoring.python.group import group
from segue.authoring.python.outline_drawing import End
from segue.authoring.python.outline_values import UNKNOWN, Instance, Tasks, Undoing, text_of, value_of
from segue.authoring.python.saga import saga

if TYPE_CHECKING:
    from segue.authoring.python.outline_walk import Walker


@dataclass(slots=True)
class Catching:
    """A block from which failures go somewhere: ``handlers`` of a ``try``, or the undoing of a saga (None).

    ``raised``: what is raised in it by name. ``direct``: something in it may fail by itself.
    """

    handlers: list[tuple[ast.ExceptHandler, Any]] | None
    raised: list[tuple[End, Any]] = field(default_factory=list)
    direct: bool = False


class Blocks:
    """The blocks of one workflow."""

    def __init__(self, walker: Walker) -> None:
        self._walker = walker

    def with_(self, node: ast.With | ast.AsyncWith, items: list[ast.withitem]) -> None:
        """The block under its context managers, of which the first is dealt with here."""
        if not items:
            self._walker.block(node.body)
            return
        item, rest = items[0], items[1:]
        name = item.optional_vars.id if isinstance(item.optional_vars, ast.Name) else None
        made = item.context_expr
        kind = value_of(made.func if isinstance(made, ast.Call) else made, self._walker.scope)

        def inner() -> None:
            self.with_(node, rest)

        if kind is saga or kind is group:
            self._saga(node, name, inner, detail="" if kind is saga else "group")
        elif kind is asyncio.TaskGroup:
            self._task_group(node, name, inner)
        else:
            self._walker.expression(made)
            limits = kind is asyncio.timeout or kind is asyncio.timeout_at
            if limits and isinstance(made, ast.Call) and made.args:
                if self._walker.catching:
                    self._walker.catching[-1].direct = True
                self._walker.add("timeout", text_of(made.args[0]), node)
            if item.optional_vars is not None:
                self._walker.unknown(item.optional_vars)
            inner()

    def _saga(self, node: ast.AST, name: str | None, inner: Callable[[], None], detail: str) -> None:
        drawing, undoing, frame = self._walker.drawing, Undoing(), Catching(None)
        if name is not None:
            self._walker.scope.names[name] = undoing
        head = self._walker.add("saga", "", node, detail)
        self._walker.catching.append(frame)
        inner()
        self._walker.catching.pop()
        for each in undoing.commit:
            self._walker.calls.hook(each)
        after = drawing.ends
        drawing.ends = [end for end, _ in frame.raised] + ([End(head, "fails", "failed")] if frame.direct else [])
        if drawing.ends:
            self.undo(undoing)
            self._thrown(UNKNOWN if frame.direct else frame.raised[0][1])
        drawing.ends = after

    def undo(self, undoing: Undoing) -> None:
        """What a saga does when it fails, last first."""
        self._walker.undoing = True
        for each in reversed(undoing.undo):
            self._walker.calls.hook(each)
        self._walker.undoing = False

    def _task_group(self, node: ast.AST, name: str | None, inner: Callable[[], None]) -> None:
        if name is not None:
            self._walker.scope.names[name] = Tasks()
        beside, self._walker.functions[-1].beside = self._walker.functions[-1].beside, []
        self._walker.add("parallel", "", node)
        inner()
        self._walker.drawing.ends += self._walker.functions[-1].beside
        self._walker.functions[-1].beside = beside
        if self._walker.drawing.ends:
            self._walker.add("join", "")

    def try_(self, node: ast.Try | ast.TryStar) -> None:
        drawing, function = self._walker.drawing, self._walker.functions[-1]
        returned = len(function.returns)
        entry = self._walker.add("try", "", node)
        caught = [
            (each, value_of(each.type, self._walker.scope) if each.type else BaseException) for each in node.handlers
        ]
        frame = Catching(caught)
        if caught:
            self._walker.catching.append(frame)
        self._walker.block(node.body)
        if caught:
            self._walker.catching.pop()
        self._walker.block(node.orelse)
        after = list(drawing.ends)
        for handler, kind in caught:
            label = text_of(handler.type) if handler.type is not None else "fails"
            drawing.ends = [End(entry, label, "failed")] if frame.direct else []
            drawing.ends += [End(end.node, label, "failed") for end, error in frame.raised if _may(error, kind)]
            if handler.name:
                self._walker.scope.names[handler.name] = UNKNOWN
            function.caught.append(kind)
            self._walker.block(handler.body)
            function.caught.pop()
            after += drawing.ends
        drawing.ends = after
        if node.finalbody:
            self._finally(node.finalbody, returned)

    def _finally(self, body: list[ast.stmt], returned: int) -> None:
        """Whoever returned from the block passes through here too."""
        drawing, function = self._walker.drawing, self._walker.functions[-1]
        mark, going = drawing.mark(), bool(drawing.ends)
        leaving = function.returns[returned:]
        drawing.ends = drawing.ends + leaving
        self._walker.block(body)
        if not drawing.did(mark):
            drawing.back_to(mark)
            return
        if leaving:
            function.returns[returned:] = drawing.ends
        if not going:
            drawing.ends = []

    def raise_(self, node: ast.Raise) -> None:
        self._walker.expression(node.exc)
        error: Any = UNKNOWN
        if node.exc is not None:
            named = value_of(node.exc, self._walker.scope)
            error = named.cls if isinstance(named, Instance) else named
        elif self._walker.functions[-1].caught:
            error = self._walker.functions[-1].caught[-1]
        self._thrown(error, node)

    def _thrown(self, error: Any, node: ast.Raise | None = None) -> None:
        """All ends go where a failure of this type goes: to who catches it, or out of the workflow."""
        drawing = self._walker.drawing
        for frame in reversed(self._walker.catching):
            if frame.handlers is None:
                frame.raised += [(End(end.node, end.label, "failed"), error) for end in drawing.ends]
                drawing.ends = []
                return
            if any(_may(error, kind) for _, kind in frame.handlers):
                frame.raised += [(end, error) for end in drawing.ends]
                drawing.ends = []
                return
        called = node.exc.func if node is not None and isinstance(node.exc, ast.Call) else node and node.exc
        self._walker.add("fails", text_of(called) if called else "", node)
        drawing.ends = []


def _may(error: Any, kind: Any) -> bool:
    """Whether ``except kind`` may catch it; yes where one of them is not known."""
    kinds = kind if isinstance(kind, tuple) else (kind,)
    if not isinstance(error, type) or not all(isinstance(each, type) for each in kinds):
        return True
    return any(issubclass(error, each) or issubclass(each, error) for each in kinds)
