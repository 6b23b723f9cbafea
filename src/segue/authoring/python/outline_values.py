"""What a name in a workflow's code stands for, as far as that can be told without running it."""

from __future__ import annotations

import ast
import builtins
import functools
import inspect
import textwrap
from dataclasses import dataclass, field
from types import FunctionType, MethodType, ModuleType
from typing import Any

from segue.authoring.python.definitions import Step, Workflow
from segue.authoring.python.mentions import is_library
from segue.authoring.python.others import OtherRun, other_run
from segue.authoring.python.registry import FORM

Body = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda


class Unknown:
    """Nothing is known of it."""


UNKNOWN = Unknown()


@dataclass(frozen=True, slots=True)
class Local:
    """A function that is defined in the code that is walked through."""

    node: Body
    scope: Scope


@dataclass(frozen=True, slots=True)
class Instance:
    """Some object of a class."""

    cls: type[Any]


@dataclass(frozen=True, slots=True)
class Method:
    """Something taken from an object; ``function`` is its own code, if it has any."""

    owner: Any
    name: str
    function: Any = None


@dataclass(frozen=True, slots=True)
class Hook:
    """Something that is called later; ``many``: once for each of what it was registered for."""

    value: Any
    call: ast.Call
    many: bool


@dataclass(slots=True)
class Undoing:
    """A ``saga`` or ``group`` that is open: what it calls in the end, and what when it fails."""

    undo: list[Hook] = field(default_factory=list)
    commit: list[Hook] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class NamedStep:
    """A step that is defined inside the workflow."""

    name: str


@dataclass(frozen=True, slots=True)
class Tasks:
    """An ``asyncio.TaskGroup`` that is open."""


@dataclass(slots=True)
class Scope:
    """The names that a piece of code sees. ``inside``: the function that it is, if that is not the workflow's own."""

    function: Any
    names: dict[str, Any]
    outer: Scope | None = None
    inside: str = ""

    def look(self, name: str) -> Any:
        if name in self.names:
            return self.names[name]
        if self.outer is not None:
            return self.outer.look(name)
        code = self.function.__code__
        if name in code.co_freevars:
            try:
                return self.function.__closure__[code.co_freevars.index(name)].cell_contents
            except ValueError:  # not filled yet
                return UNKNOWN
        found = self.function.__globals__.get(name, UNKNOWN)
        return vars(builtins).get(name, UNKNOWN) if found is UNKNOWN else found


def value_of(node: ast.expr, scope: Scope) -> Any:
    """What an expression stands for; UNKNOWN where only a run could tell."""
    match node:
        case ast.Constant():
            return node.value
        case ast.Name():
            return scope.look(node.id)
        case ast.Attribute():
            return member(value_of(node.value, scope), node.attr)
        case ast.JoinedStr():
            return _filled(node)
        case ast.Lambda():
            return Local(node, scope)
        case ast.Call():
            return _made(value_of(node.func, scope), node, scope)
    return UNKNOWN


def _made(function: Any, call: ast.Call, scope: Scope) -> Any:
    """What a call answers, where that is plain."""
    match function:
        case Method(owner=Step() as step, name="using" | "by_reference"):
            return step
        case functools.partial:
            return value_of(call.args[0], scope) if call.args else UNKNOWN
        case type():
            return Instance(function)
    return Instance(OtherRun) if function is other_run else UNKNOWN


def member(owner: Any, name: str) -> Any:
    """``owner.name``, without running a property."""
    match owner:
        case Unknown() | None:
            return UNKNOWN
        case ModuleType():
            return getattr(owner, name, UNKNOWN) if owner.__name__ == "segue" else vars(owner).get(name, UNKNOWN)
        case Step() | Workflow() | Undoing() | Tasks():
            return Method(owner, name)
        case Instance():
            return _of_class(owner, owner.cls, name)
        case type():
            workflow = owner.__dict__.get(FORM)
            return Method(workflow, name) if workflow is not None else inspect.getattr_static(owner, name, UNKNOWN)
        case FunctionType() | MethodType():
            return UNKNOWN
    found = getattr(owner, "__dict__", {}).get(name, UNKNOWN)
    return _of_class(Instance(type(owner)), type(owner), name) if found is UNKNOWN else found


def _of_class(owner: Instance, cls: type[Any], name: str) -> Any:
    found = inspect.getattr_static(cls, name, UNKNOWN)
    match found:
        case FunctionType():
            return Method(owner, name, found)
        case staticmethod() | classmethod():
            return Method(owner, name, found.__func__)
        case Unknown() | property():
            return Method(owner, name)
    return found


def arguments_of(body: Body) -> list[ast.arg]:
    """The parameters of a function, those given by position first."""
    given = body.args
    extra = [each for each in (given.vararg, given.kwarg) if each is not None]
    return [*given.posonlyargs, *given.args, *given.kwonlyargs, *extra]


def body_of(function: FunctionType) -> Body | None:
    """The tree of a function's source, with lines counted within it; None where there is none."""
    try:
        return _parsed(inspect.unwrap(function))
    except (OSError, TypeError, SyntaxError):
        return None


@functools.lru_cache(maxsize=1024)
def _parsed(function: FunctionType) -> Body | None:
    tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    found = tree.body[0] if tree.body else None
    return found if isinstance(found, (ast.FunctionDef, ast.AsyncFunctionDef)) else None


def followed(function: Any, home: str) -> bool:
    """Whether it is code of the user's own, rather than a library's."""
    return isinstance(function, FunctionType) and not is_library(function, home)


def text_of(node: ast.expr, most: int = 80) -> str:
    """An expression as it is written."""
    text = " ".join(ast.unparse(node).split())
    return text if len(text) <= most else text[: most - 1] + "…"


def name_of(node: ast.expr | None, scope: Scope) -> str:
    """The text that an expression stands for; what only a run knows stands in braces."""
    if node is None:
        return ""
    known = value_of(node, scope)
    return known if isinstance(known, str) else f"{{{text_of(node)}}}"


def _filled(node: ast.JoinedStr) -> str:
    parts = (
        f"{{{text_of(part.value)}}}" if isinstance(part, ast.FormattedValue) else str(getattr(part, "value", ""))
        for part in node.values
    )
    return "".join(parts)
