"""Walks through the source of a workflow, statement by statement, and draws what it comes by.

Of a statement that does nothing durable nothing stays, unless it decides which way the rest goes.
"""

from __future__ import annotations

import ast
import inspect
import itertools
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from types import FunctionType
from typing import Any

from segue.authoring.python import handlers
from segue.authoring.python.definitions import Workflow
from segue.authoring.python.definitions import step as plain_step
from segue.authoring.python.handlers import MARK, Update
from segue.authoring.python.outline import NodeKind, Outline
from segue.authoring.python.outline_blocks import Blocks, Catching
from segue.authoring.python.outline_calls import Calls
from segue.authoring.python.outline_drawing import Drawing, End, Full
from segue.authoring.python.outline_values import (
    UNKNOWN,
    Body,
    Instance,
    Local,
    NamedStep,
    Scope,
    arguments_of,
    body_of,
    text_of,
    value_of,
)
from segue.authoring.python.transactions import step

_FOR_EVER = (itertools.count, itertools.cycle, handlers.signal)


@dataclass(slots=True)
class _Loop:
    breaks: list[End] = field(default_factory=list)
    again: list[End] = field(default_factory=list)


@dataclass(slots=True)
class _Function:
    """The function whose statements are walked through."""

    scope: Scope
    top: bool = False
    returns: list[End] = field(default_factory=list)
    loops: list[_Loop] = field(default_factory=list)
    beside: list[End] = field(default_factory=list)
    caught: list[Any] = field(default_factory=list)


def outline_of(workflow: Workflow[Any, Any]) -> Outline:
    """What a workflow may do, as its code is at present."""
    function = inspect.unwrap(workflow.function)
    body = body_of(function)
    if body is None:
        return Outline(nodes=[], edges=[], read=False)
    walker = Walker(str(function.__module__).partition(".")[0])
    try:
        walker.whole(workflow, function, body)
    except Full:
        walker.drawing.cut = True
    return walker.drawing.finished()


class Walker:
    """Goes through one workflow."""

    def __init__(self, home: str) -> None:
        self.home = home
        self.drawing = Drawing()
        self.catching: list[Catching] = []
        self.functions: list[_Function] = []
        self.undoing = False
        self.turns = 0
        """How many fan-outs are around what is drawn."""
        self.calls = Calls(self)
        self.blocks = Blocks(self)

    @property
    def scope(self) -> Scope:
        return self.functions[-1].scope

    def whole(self, workflow: Any, function: FunctionType, body: Body) -> None:
        drawing = self.drawing
        names: dict[str, Any] = {argument.arg: UNKNOWN for argument in arguments_of(body)}
        if workflow.form is not None:
            names[body.args.args[0].arg] = Instance(workflow.form.cls)
        self.functions.append(_Function(Scope(function, names), top=True))
        if workflow.form is not None:
            for name, each in workflow.form.handlers.items():
                self._handler_of_class(name, each, Instance(workflow.form.cls))
        drawing.ends = []
        drawing.add("start", workflow.name)
        assert not isinstance(body, ast.Lambda)
        self.calls.bodies.append(body)
        self.block(body.body)
        drawing.ends += self.functions[-1].returns + self.functions[-1].beside
        if drawing.ends:
            drawing.add("end")

    # --- nodes -----------------------------------------------------------------------------------------------

    def does(
        self, kind: NodeKind, name: str, at: ast.AST, detail: str = "", *, may_fail: bool = True, many: bool = False
    ) -> None:
        """Draws something that a run does. Undoing does not fail: where it cannot go on, the run stands still."""
        if may_fail and not self.undoing and self.catching:
            self.catching[-1].direct = True
        self.add(kind, name, at, detail, many=many)

    def add(self, kind: NodeKind, name: str, at: ast.AST | None = None, detail: str = "", *, many: bool = False) -> int:
        inside = self.scope.inside
        line = getattr(at, "lineno", None) if not inside else None
        return self.drawing.add(
            kind, name, detail=detail, many=many, undo=self.undoing and kind in ("step", "child", "task"), line=line,
            inside=inside,
        )  # fmt: skip

    def _quietly(self, draw: Callable[[], None]) -> None:
        """Draws, and forgets it again unless it does something or decides where the code goes on."""
        mark, before = self.drawing.mark(), self._ways()
        draw()
        if not self.drawing.did(mark) and self._ways() == before:
            self.drawing.back_to(mark)

    def _ways(self) -> tuple[int, ...]:
        function = self.functions[-1]
        loops = (len(each.breaks) + len(each.again) for each in function.loops)
        raised = (len(each.raised) for each in self.catching)
        ended = sum(node.kind == "fails" for node in self.drawing.nodes)
        return (len(function.returns), len(function.beside), ended, *loops, *raised)

    # --- statements ------------------------------------------------------------------------------------------

    def block(self, statements: Iterable[ast.stmt]) -> None:
        for each in statements:
            if not self.drawing.ends:
                return
            self.statement(each)

    def statement(self, node: ast.stmt) -> None:
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                self._defined(node)
            case ast.ClassDef():
                self.scope.names[node.name] = UNKNOWN
            case ast.If():
                self._quietly(
                    lambda: self._if(node.test, lambda: self.block(node.body), lambda: self.block(node.orelse))
                )
            case ast.Match():
                self._quietly(lambda: self._match(node))
            case ast.For():
                self.expression(node.iter)
                self._quietly(lambda: self._loop(node))
            case ast.While() | ast.AsyncFor():
                self._quietly(lambda: self._loop(node))
            case ast.Try() | ast.TryStar():
                self._quietly(lambda: self.blocks.try_(node))
            case ast.With() | ast.AsyncWith():
                self._quietly(lambda: self.blocks.with_(node, list(node.items)))
            case ast.Return():
                self.expression(node.value)
                self.functions[-1].returns += self.drawing.ends
                self.drawing.ends = []
            case ast.Raise():
                self.blocks.raise_(node)
            case ast.Break() | ast.Continue():
                loop = self.functions[-1].loops[-1]
                (loop.breaks if isinstance(node, ast.Break) else loop.again).extend(self.drawing.ends)
                self.drawing.ends = []
            case _:
                self._plain(node)

    def _plain(self, node: ast.stmt) -> None:
        """Anything else: its expressions, in the order in which they are computed."""
        value = getattr(node, "value", None)
        if isinstance(value, ast.expr):
            self.expression(value)
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.expr) and child is not value:
                self.expression(child)
        match node:
            case ast.Assign(targets=[ast.Name(id=name)]):
                self.scope.names[name] = value_of(node.value, self.scope)
            case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as given):
                self.scope.names[name] = value_of(given, self.scope)
            case ast.Assign() | ast.AugAssign() | ast.AnnAssign() | ast.Delete():
                self.unknown(node)

    def unknown(self, node: ast.AST) -> None:
        """Names that are given a value which nobody can tell."""
        for each in ast.walk(node):
            if isinstance(each, ast.Name) and isinstance(each.ctx, (ast.Store, ast.Del)):
                self.scope.names[each.id] = UNKNOWN

    def _defined(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        """A function inside the workflow: a handler of messages, a step of its own, or one that is called later."""
        made = Local(node, self.scope)
        self.scope.names[node.name] = made
        for each in node.decorator_list:
            value = value_of(each.func if isinstance(each, ast.Call) else each, self.scope)
            if value is handlers.update or value is handlers.signal:
                self._handler(node.name, "update" if value is handlers.update else "signal", made)
            elif value is step or value is plain_step:
                self.scope.names[node.name] = NamedStep(node.name)

    def _handler_of_class(self, name: str, found: Any, instance: Instance) -> None:
        kind = "update" if isinstance(found, Update) else getattr(found, MARK)
        function = found.function if isinstance(found, Update) else found
        if kind != "query":
            self._handler(name, kind, function, instance)

    def _handler(self, name: str, kind: str, function: Any, instance: Instance | None = None) -> None:
        """What a message sets off runs beside the rest, and nothing follows from its end."""
        drawing, ends, catching = self.drawing, self.drawing.ends, self.catching
        drawing.ends, self.catching = [], []
        drawing.add("handler", name, detail=kind)
        self.calls.inline(function, None, instance)
        drawing.ends, self.catching = ends, catching

    # --- ways ------------------------------------------------------------------------------------------------

    def _if(self, test: ast.expr, yes: Callable[[], None], no: Callable[[], None]) -> None:
        self.expression(test)
        branch = self.add("branch", text_of(test), test)
        self.drawing.ends = [End(branch, "yes")]
        yes()
        after, self.drawing.ends = self.drawing.ends, [End(branch, "no")]
        no()
        self.drawing.ends = after + self.drawing.ends

    def _match(self, node: ast.Match) -> None:
        self.expression(node.subject)
        branch, after, whole = self.add("branch", text_of(node.subject), node), [], False
        for case in node.cases:
            self.drawing.ends = [End(branch, " ".join(ast.unparse(case.pattern).split()))]
            for each in ast.walk(case.pattern):
                name = getattr(each, "name", None)
                if isinstance(each, (ast.MatchAs, ast.MatchStar)) and name:
                    self.scope.names[name] = UNKNOWN
            self.block(case.body)
            after += self.drawing.ends
            whole = whole or (
                case.guard is None and isinstance(case.pattern, ast.MatchAs) and case.pattern.pattern is None
            )
        self.drawing.ends = after if whole else [*after, End(branch, "none of them")]

    def _loop(self, node: ast.While | ast.For | ast.AsyncFor) -> None:
        drawing, loop = self.drawing, _Loop()
        if isinstance(node, ast.While):
            endless = isinstance(node.test, ast.Constant) and bool(node.test.value)
            head = self.add("loop", "" if endless else f"while {text_of(node.test)}", node)
            self.expression(node.test)
        else:
            called = node.iter.func if isinstance(node.iter, ast.Call) else node.iter
            known = value_of(called, self.scope)
            endless = any(known is each for each in _FOR_EVER)
            head = self.add("loop", f"for {text_of(node.target)} in {text_of(node.iter)}", node)
            if isinstance(node, ast.AsyncFor):
                self.expression(node.iter)  # the next one is waited for in each turn
            self.unknown(node.target)
        tested = list(drawing.ends)
        drawing.ends = [replace(end, label="each") for end in tested]
        self.functions[-1].loops.append(loop)
        self.block(node.body)
        self.functions[-1].loops.pop()
        drawing.ends += loop.again
        drawing.join(head, "back")
        drawing.ends = [] if endless else [replace(end, label="done") for end in tested]
        self.block(node.orelse)
        drawing.ends += loop.breaks

    # --- expressions -----------------------------------------------------------------------------------------

    def expression(self, node: ast.expr | None, *, awaited: bool = False) -> None:
        """What happens while it is computed."""
        match node:
            case None | ast.Lambda() | ast.Constant():
                return
            case ast.Await():
                self._await(node.value)
            case ast.Call():
                self.calls.call(node, awaited=awaited)
            case ast.IfExp():
                self._quietly(
                    lambda: self._if(
                        node.test, lambda: self.expression(node.body), lambda: self.expression(node.orelse)
                    )
                )
            case ast.BoolOp():
                self._quietly(lambda: self._operands(node))
            case ast.ListComp() | ast.SetComp() | ast.GeneratorExp() | ast.DictComp():
                self._quietly(lambda: self._comprehension(node))
            case ast.NamedExpr():
                self.expression(node.value)
                self.unknown(node.target)
            case _:
                for child in ast.iter_child_nodes(node):
                    if isinstance(child, ast.expr):
                        self.expression(child)

    def _await(self, node: ast.expr) -> None:
        if isinstance(node, ast.Call):
            self.calls.call(node, awaited=True)
            return
        self.expression(node)
        self.meet()

    def meet(self) -> None:
        """Waits for what goes on beside."""
        beside = self.functions[-1].beside
        if beside:
            self.drawing.ends = self.drawing.ends + beside
            self.functions[-1].beside = []
            self.add("join", "")

    def _operands(self, node: ast.BoolOp, first: int = 0) -> None:
        """Whether a later operand is computed depends on those before it."""
        self.expression(node.values[first])
        if first == len(node.values) - 1:
            return
        yes, no = ("yes", "no") if isinstance(node.op, ast.And) else ("no", "yes")
        branch = self.add("branch", text_of(node.values[first]), node)
        self.drawing.ends = [End(branch, yes)]
        self._operands(node, first + 1)
        self.drawing.ends = [*self.drawing.ends, End(branch, no)]

    def _comprehension(self, node: ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp) -> None:
        """Calls that are awaited one by one are a loop; those that are not are made side by side."""
        drawing, first = self.drawing, node.generators[0]
        parts = [node.key, node.value] if isinstance(node, ast.DictComp) else [node.elt]
        for each in node.generators:
            self.expression(each.iter)
            self.unknown(each.target)
        name = f"for {text_of(first.target)} in {text_of(first.iter)}"
        if not first.is_async and not any(isinstance(each, ast.Await) for part in parts for each in ast.walk(part)):
            self.many(lambda: self._awaited(parts), node, name)
            return
        head = self.add("loop", name, node)
        for part in parts:
            self.expression(part)
        drawing.join(head, "back")
        drawing.ends = [End(head, "done")]

    def _awaited(self, parts: list[ast.expr]) -> None:
        for each in parts:
            self.expression(each, awaited=True)

    def many(self, draw: Callable[[], None], at: ast.AST, name: str) -> None:
        """What is done once for each of some items, side by side."""
        head = self.add("parallel", name, at, many=True)
        self.turns += 1
        draw()
        self.turns -= 1
        if self.drawing.ends not in ([], [End(head)]) and not self.drawing.for_many(head):
            self.add("join", "", many=True)

    def enter(self, scope: Scope, body: Body) -> bool:
        """Goes through a function of the user's own in the place of its call; False, and nothing of it stays, if it
        does nothing that a run records."""
        drawing, mark = self.drawing, self.drawing.mark()
        raised = [len(each.raised) for each in self.catching]
        entered = _Function(scope)
        self.functions.append(entered)
        if isinstance(body, ast.Lambda):
            self.expression(body.body, awaited=True)
        else:
            self.block(body.body)
        self.functions.pop()
        if not drawing.did(mark):
            drawing.back_to(mark)
            for frame, count in zip(self.catching, raised, strict=True):
                del frame.raised[count:]
            return False
        drawing.ends = drawing.ends + entered.returns
        self.functions[-1].beside += entered.beside
        return True

    def lanes(self, parts: list[Callable[[], None]], at: ast.AST) -> None:
        """Things that are done side by side, until all have ended."""
        drawing = self.drawing
        fork = self.add("parallel", "", at)
        after: list[End] = []
        for part in parts:
            drawing.ends = [End(fork)]
            part()
            after += drawing.ends
        drawing.ends = after
        if after:
            self.add("join", "")
