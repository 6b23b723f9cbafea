"""Tells whether a workflow's code may come to call a step, by walking through what its functions name.

A diagnostic: where code reaches a step in a way that cannot be followed (``getattr``, a value from elsewhere), the
answer is that it may. Libraries are not walked through: they call what they are given, and that is named by the caller.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from types import CodeType, FunctionType, MethodType, ModuleType
from typing import Any

_MOST = 5_000
_OURS = "segue."
_DYNAMIC = frozenset({"getattr", "eval", "exec", "globals", "import_module", "__import__", "locals", "vars"})


def mentions(function: Any, step: str) -> bool:
    """Whether ``function``, or anything that it reaches by name, has a definition named ``step``, or text that is it
    (human tasks have no definition), or calls what segue has under that name (``approval``)."""
    if step.startswith(_OURS):
        return True  # who calls it is in segue, where nobody looks
    home = str(function.__module__).partition(".")[0]
    seen: set[int] = set()
    waiting: list[Any] = [function]
    while waiting:
        found = waiting.pop()
        if id(found) in seen:
            continue
        seen.add(id(found))
        if len(seen) > _MOST:
            return True
        if getattr(found, "name", None) == step and hasattr(found, "function"):
            return True
        if found is step or (isinstance(found, str) and found == step):
            return True
        if isinstance(found, (FunctionType, type, ModuleType)) and is_library(found, home):
            if found.__name__ == step and str(found.__module__).startswith(_OURS):
                return True
            continue
        if isinstance(found, FunctionType) and _DYNAMIC & set(_names(found.__code__)):
            return True
        waiting.extend(_reached(found))
    return False


def is_library(found: Any, home: str) -> bool:
    """Whether a function, class or module is a library's, seen from code of the package ``home``."""
    name = found.__name__ if isinstance(found, ModuleType) else found.__module__ or ""
    package = name.partition(".")[0]
    if package in sys.stdlib_module_names or package == "segue":
        return package != "__main__" and package != home
    place = getattr(sys.modules.get(name), "__file__", None) or ""
    return package != home and ("site-packages" in place or "dist-packages" in place)


def _reached(found: Any) -> Iterator[Any]:
    match found:
        case FunctionType():
            yield from _reached_by(found)
        case MethodType():
            yield found.__func__
        case dict():
            yield from found.values()
        case list() | tuple() | set() | frozenset():
            yield from found
        case type():
            yield from vars(found).values()
        case staticmethod() | classmethod():
            yield found.__func__
        case _ if hasattr(found, "function") and hasattr(found, "name"):
            # Steps and children run elsewhere: what those call is not called by this workflow.
            return
        case _ if hasattr(found, "__dict__") and not isinstance(found, ModuleType):
            yield from vars(found).values()
            yield type(found)
        case _:
            return


def _reached_by(function: FunctionType) -> Iterator[Any]:
    names = list(_names(function.__code__))
    for name in names:
        if name in function.__globals__:
            yield from _with_members(function.__globals__[name], names)
    for cell in function.__closure__ or ():
        try:
            yield from _with_members(cell.cell_contents, names)
        except ValueError:  # not filled yet
            continue
    yield from function.__defaults__ or ()
    yield from (function.__kwdefaults__ or {}).values()
    yield from _texts(function.__code__)
    wrapped = getattr(function, "__wrapped__", None)
    if wrapped is not None:
        yield wrapped


def _with_members(value: Any, names: list[str]) -> Iterator[Any]:
    """A value, and those of a module's members that are named beside it (``steps.charge``), at any depth."""
    yield value
    if isinstance(value, ModuleType):
        for name in names:
            member = vars(value).get(name)
            if member is not None and member is not value:
                yield from _with_members(member, names) if not isinstance(member, ModuleType) else (member,)


def _names(code: CodeType) -> Iterator[str]:
    """The names that a function, and those defined inside it, look up."""
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _names(constant)


def _texts(code: CodeType) -> Iterator[str]:
    """The texts in a function and in those defined inside it, and the names of these."""
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield constant.co_name
            yield from _texts(constant)
        elif isinstance(constant, str):
            yield constant
