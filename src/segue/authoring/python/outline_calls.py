"""What the calls in a workflow's code come to: steps, children, questions, waits; the user's own functions are entered.

A table says what each of segue's and asyncio's functions means here; whatever is not in it and not the user's own code
does nothing that a run records.
"""

from __future__ import annotations

import ast
import asyncio
import functools
import inspect
from collections.abc import Callable
from types import FunctionType, MethodType
from typing import TYPE_CHECKING, Any

from segue.authoring.python import conditions, deciding, definitions, handlers, inside, keyed, tasks
from segue.authoring.python.definitions import Step, Workflow
from segue.authoring.python.handlers import Update
from segue.authoring.python.others import OtherRun
from segue.authoring.python.outline_values import (
    UNKNOWN,
    Body,
    Hook,
    Instance,
    Local,
    Method,
    NamedStep,
    Scope,
    Tasks,
    Undoing,
    Unknown,
    arguments_of,
    body_of,
    followed,
    name_of,
    text_of,
    value_of,
)
from segue.authoring.python.policies import escalate
from segue.authoring.python.registry import definition_of

if TYPE_CHECKING:
    from segue.authoring.python.outline_walk import Walker

Handler = Callable[["Calls", ast.Call], None]


class Calls:
    """The calls of one workflow."""

    def __init__(self, walker: Walker) -> None:
        self._walker = walker
        self.bodies: list[Body] = []
        self._idle: set[tuple[Body, type[Any] | None]] = set()
        """Functions that were found to do nothing, whatever they are given."""

    def call(self, node: ast.Call, *, awaited: bool) -> None:
        """Draws what a call does, its arguments first."""
        target = value_of(node.func, self._walker.scope)
        special = _SPECIAL.get(target) if isinstance(target, (FunctionType, type)) else None
        if special in _LANES or (isinstance(target, Method) and isinstance(target.owner, Tasks)):
            (special or Calls._beside)(self, node)
            return
        self._arguments(node)
        if special is not None:
            special(self, node)
        else:
            self._perform(target, node, awaited)

    def _arguments(self, node: ast.Call) -> None:
        if isinstance(node.func, ast.Attribute):
            self._walker.expression(node.func.value)
        elif not isinstance(node.func, ast.Name):
            self._walker.expression(node.func)
        for each in node.args:
            self._walker.expression(each.value if isinstance(each, ast.Starred) else each)
        for keyword in node.keywords:
            self._walker.expression(keyword.value)

    def _perform(self, target: Any, node: ast.Call, awaited: bool) -> None:
        match target:
            case Step() | Workflow() | NamedStep() | Local() | FunctionType() | Method(owner=Step() | Workflow()):
                self._run(target, node, node.args, awaited)
            case Method(owner=Undoing() as undoing, name=name):
                self._of_saga(undoing, name, node)
            case Method(owner=Instance(cls=cls), name=name) if cls is OtherRun:
                self._walker.does("message", f"{name} {self._name(node, 0, 'signal')}".strip(), node)
            case Method(function=FunctionType()):
                self._run(target, node, node.args, awaited)
            case Method(owner=Instance(cls=cls)) if not followed_class(cls, self._walker.home):
                if awaited:
                    self._walker.does("wait", text_of(node), node)
            case Update():
                self._run(target.function, node, node.args, awaited)
            case MethodType():
                self.inline(target.__func__, node, Instance(type(target.__self__)))
            case Unknown() | Method():
                if awaited:
                    self._walker.does("unknown", text_of(node.func), node)
            case _:
                self._passed_on(target, node)

    def _run(self, target: Any, node: ast.Call, args: list[ast.expr], awaited: bool) -> None:
        """A step, a child run, or code of the user's own."""
        walker = self._walker
        match target:
            case Step() as step:
                walker.does("step", step.name, node)
                self._escalated(step, node)
            case NamedStep(name=name):
                walker.does("step", name, node)
            case Method(owner=Step() as step, name="map"):
                walker.does("step", step.name, node, many=True)
            case Workflow() as workflow:
                walker.does("child", workflow.name, node)
            case Method(owner=Workflow() as workflow, name="child"):
                walker.does("child", workflow.name, node)
            case Method(owner=Instance() as instance, function=FunctionType() as function):
                self._entered(function, node, args, instance, awaited)
            case FunctionType() | Local():
                self._entered(target, node, args, None, awaited)
            case type() if isinstance(definition_of(target), Workflow):
                walker.does("child", definition_of(target).name, node)
            case Unknown():
                walker.does("unknown", text_of(node.func), node)

    def _entered(self, function: Any, node: ast.Call, args: list[ast.expr], me: Instance | None, awaited: bool) -> None:
        special = _SPECIAL.get(function) if isinstance(function, FunctionType) else None
        if special is not None:
            special(self, ast.Call(node.func, args, node.keywords, lineno=node.lineno))
        elif isinstance(function, FunctionType) and not followed(function, self._walker.home):
            if function is _GET or function is _SET:
                self._walker.does("step", "segue.state.get" if function is _GET else "segue.state.set", node)
            else:
                self._passed_on(function, node)
        else:
            self.inline(function, node, me, args)

    def _passed_on(self, target: Any, node: ast.Call) -> None:
        """A library's function that is handed something durable may call it, or may not."""
        if target is functools.partial:
            return  # what it is given is called later, by whoever calls it
        for each in [*node.args, *(keyword.value for keyword in node.keywords)]:
            value = value_of(each, self._walker.scope)
            if target is map and each is node.args[0] and isinstance(value, (Step, Workflow, Local, FunctionType)):
                self._walker.many(lambda: self._run(value, node, [], True), node, text_of(node))  # noqa: B023
            elif isinstance(value, (Step, Workflow)):
                self._walker.does("unknown", text_of(node), node)

    # --- the user's own functions ----------------------------------------------------------------------------

    def inline(
        self, function: Any, node: ast.Call | None, me: Instance | None = None, args: list[ast.expr] | None = None
    ) -> None:
        """Goes through a function in the place of its call; nothing of it stays if it does nothing durable."""
        walker = self._walker
        body = function.node if isinstance(function, Local) else body_of(function)
        if body is None:
            walker.does("unknown", getattr(function, "__qualname__", ""), node or ast.Pass())
            return
        name = getattr(body, "name", "lambda")
        if any(each is body for each in self.bodies):
            walker.does("again", name, node or body)
            return
        names = self._bound(body, function, node, me, args)
        if isinstance(function, Local):
            scope = Scope(function.scope.function, names, function.scope, function.scope.inside)
        else:
            scope = Scope(inspect.unwrap(function), names, None, name)
        plain = not any(callable(value) or isinstance(value, (Local, Method)) for value in names.values())
        known = (body, None if me is None else me.cls)
        if plain and known in self._idle:
            return
        self.bodies.append(body)
        did = walker.enter(scope, body)
        self.bodies.pop()
        if plain and not did:
            self._idle.add(known)

    def _bound(
        self, body: Body, function: Any, node: ast.Call | None, me: Instance | None, args: list[ast.expr] | None
    ) -> dict[str, Any]:
        """What the parameters stand for in this call."""
        parameters = arguments_of(body)
        names: dict[str, Any] = {each.arg: UNKNOWN for each in parameters}
        if not isinstance(function, Local):
            given = inspect.unwrap(function).__defaults__ or ()
            positional = [*body.args.posonlyargs, *body.args.args]
            names |= {
                each.arg: value for each, value in zip(positional[len(positional) - len(given) :], given, strict=False)
            }
            names |= inspect.unwrap(function).__kwdefaults__ or {}
        if me is not None and parameters:
            names[parameters[0].arg] = me
            parameters = parameters[1:]
        if node is None:
            return names
        scope = self._walker.scope
        for parameter, each in zip(parameters, node.args if args is None else args, strict=False):
            if isinstance(each, ast.Starred):
                break
            names[parameter.arg] = value_of(each, scope)
        names |= {each.arg: value_of(each.value, scope) for each in node.keywords if each.arg in names and each.arg}
        return names

    # --- sagas and groups ------------------------------------------------------------------------------------

    def _of_saga(self, undoing: Undoing, name: str, node: ast.Call) -> None:
        scope = self._walker.scope
        first = value_of(node.args[0], scope) if node.args else UNKNOWN
        given = {each.arg: each.value for each in node.keywords}
        match name:
            case "step":
                for word, hooks in (("undo", undoing.undo), ("rollback", undoing.undo), ("commit", undoing.commit)):
                    if word in given:
                        hooks.append(self._hook(given[word], node))
                self._run(first, node, node.args[1:], True)
            case "undo" | "on_rollback":
                undoing.undo.append(self._hook(node.args[0], node))
            case "on_commit":
                undoing.commit.append(self._hook(node.args[0], node))
            case "compensate":
                self._walker.blocks.undo(undoing)

    def _hook(self, function: ast.expr, node: ast.Call) -> Hook:
        call = ast.Call(function, [], [], lineno=node.lineno)
        return Hook(value_of(function, self._walker.scope), call, self._walker.turns > 0)

    def hook(self, hook: Hook) -> None:
        """What has been registered for later is done now."""
        if hook.many:
            self._walker.many(lambda: self._run(hook.value, hook.call, [], True), hook.call, "")
        else:
            self._run(hook.value, hook.call, [], True)

    def _escalated(self, step: Step[Any, Any], node: ast.Call) -> None:
        """A step that is given to a person when it fails."""
        if isinstance(step.on_error, escalate):
            drawing = self._walker.drawing
            after = list(drawing.ends)
            drawing.ends = drawing.from_here("failed")
            self._walker.does("task", f"{step.name} failed", node, step.on_error.to)
            drawing.ends = after + drawing.ends

    # --- segue's and asyncio's functions ---------------------------------------------------------------------

    def _given(self, node: ast.Call, place: int, keyword: str) -> ast.expr | None:
        """An argument, by keyword or by place."""
        named = (each.value for each in node.keywords if each.arg == keyword)
        return next(named, node.args[place] if place < len(node.args) else None)

    def _name(self, node: ast.Call, place: int, keyword: str) -> str:
        return name_of(self._given(node, place, keyword), self._walker.scope)

    def _approval(self, node: ast.Call) -> None:
        title = self._name(node, len(node.args), "name")
        self._walker.does("task", title or "approval", node, self._name(node, 0, "assignee"))

    def _signal(self, node: ast.Call) -> None:
        self._walker.does("signal", self._name(node, 0, "name"), node, may_fail=False)

    def _sleep(self, node: ast.Call) -> None:
        length = self._given(node, 0, "duration") or self._given(node, 0, "delay")
        known = None if length is None else value_of(length, self._walker.scope)
        text = known if isinstance(known, str) else "" if length is None else text_of(length)
        self._walker.does("sleep", text, node, may_fail=False)

    def _condition(self, node: ast.Call) -> None:
        until = self._given(node, 0, "predicate")
        found = until.body if isinstance(until, ast.Lambda) else until
        self._walker.does("wait", "" if found is None else text_of(found), node)

    def _decide(self, node: ast.Call) -> None:
        self._walker.does("decision", self._name(node, 1, "decision"), node)

    def _child(self, node: ast.Call) -> None:
        given = self._given(node, 0, "workflow")
        found = UNKNOWN if given is None else definition_of(value_of(given, self._walker.scope))
        name = found.name if isinstance(found, Workflow) else name_of(given, self._walker.scope)
        self._walker.does("child", name, node)

    def _continue(self, node: ast.Call) -> None:
        self._walker.does("continues", "", node, may_fail=False)
        self._walker.drawing.ends = []

    def _gather(self, node: ast.Call) -> None:
        parts = [each.value if isinstance(each, ast.Starred) else each for each in node.args]
        walker = self._walker
        walker.lanes([lambda part=part: walker.expression(part, awaited=True) for part in parts], node)  # type: ignore[misc]
        walker.meet()

    def _wait(self, node: ast.Call) -> None:
        for each in node.args:
            self._walker.expression(each)
        self._walker.meet()

    def _beside(self, node: ast.Call) -> None:
        """A task of its own: the code goes on beside it."""
        drawing, function = self._walker.drawing, self._walker.functions[-1]
        before, count = list(drawing.ends), len(drawing.nodes)
        drawing.ends = drawing.from_here("beside")
        for each in node.args:
            self._walker.expression(each, awaited=True)
        if len(drawing.nodes) > count:
            function.beside += drawing.ends
        drawing.ends = before

    def _through(self, node: ast.Call) -> None:
        """It awaits what it is given."""
        for each in node.args:
            self._walker.expression(each, awaited=True)

    def _nothing(self, node: ast.Call) -> None:
        """It leaves nothing that an outline shows."""


def followed_class(cls: type[Any], home: str) -> bool:
    run = next((each for each in vars(cls).values() if isinstance(each, FunctionType)), None)
    return run is None or followed(run, home)


_GET, _SET = keyed.State.get, keyed.State.set
_SPECIAL: dict[Any, Handler] = {
    tasks.approval: Calls._approval,
    handlers.signal: Calls._signal,
    inside.sleep: Calls._sleep,
    asyncio.sleep: Calls._sleep,
    conditions.wait_condition: Calls._condition,
    deciding.decide: Calls._decide,
    definitions.child: Calls._child,
    inside.continue_as_new: Calls._continue,
    asyncio.gather: Calls._gather,
    asyncio.wait: Calls._wait,
    asyncio.as_completed: Calls._wait,
    asyncio.create_task: Calls._beside,
    asyncio.ensure_future: Calls._beside,
    asyncio.shield: Calls._through,
    asyncio.wait_for: Calls._through,
    inside.set_attributes: Calls._nothing,
    inside.publish: Calls._nothing,
}
_LANES = (Calls._gather, Calls._beside, Calls._through, Calls._wait)
