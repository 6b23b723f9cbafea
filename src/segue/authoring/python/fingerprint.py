"""A fingerprint of a function's source: the same when only comments, layout or docstrings changed.

A diagnostic that tells "the code is as it was" from "it may have changed"; nothing switches mode on it alone.
"""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Callable, Iterator
from hashlib import blake2b
from types import CodeType
from typing import Any


def fingerprint(function: Callable[..., Any] | type[Any]) -> str:
    """16 hexadecimal digits of the normalised source, or of the byte code where there is no source. Of a class: of all
    that stands in it."""
    try:
        source = textwrap.dedent(inspect.getsource(function))
        tree = ast.parse(source)
    except (OSError, TypeError, SyntaxError):
        return _digest("\n".join(line for code in _codes(function) for line in _describe(code)).encode())
    for node in ast.walk(tree):
        _drop_docstring(node)
    return _digest(ast.dump(tree, annotate_fields=False).encode())


def _codes(thing: Any) -> Iterator[CodeType]:
    """The code of a function, or of all functions of a class, by name."""
    if not inspect.isclass(thing):
        yield thing.__code__
        return
    for _, member in sorted(vars(thing).items()):
        function = getattr(member, "function", member)  # an update's, whose validator goes by its own name
        if inspect.isfunction(function):
            yield function.__code__


def _drop_docstring(node: ast.AST) -> None:
    if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        return
    first = node.body[0]
    if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and isinstance(first.value.value, str):
        node.body = node.body[1:] or [ast.Pass()]


def _describe(code: CodeType) -> Iterator[str]:
    """What a code object says, without the addresses and the order of sets that its ``repr`` would let in."""
    yield f"{code.co_code.hex()} {code.co_names} {code.co_varnames} {code.co_freevars} {code.co_argcount}"
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _describe(constant)
        elif isinstance(constant, frozenset):
            yield repr(sorted(map(repr, constant)))
        else:
            yield repr(constant)


def _digest(data: bytes) -> str:
    return blake2b(data, digest_size=8).hexdigest()
