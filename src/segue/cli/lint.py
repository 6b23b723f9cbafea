"""Finds in the source of workflows what cannot be replayed: clocks, chance, files, threads, the order of sets.

Looks at functions decorated with ``@workflow``, at the methods of classes that are, at functions of the same module
that they name, and at what is nested in them; never into steps, which may do anything, nor into queries, which are
not replayed. ``# segue: ok`` at the end of a line silences it.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import NamedTuple

import segue
from segue.cli.lint_rules import BUILTINS, GLOBAL, HARMLESS, METHODS, MUTATORS, ORDER, RULES, TAKERS

SILENCE = "# segue: ok"
NOT_REPLAYED = ("step", "query")


class Finding(NamedTuple):
    """Something in a workflow that cannot be replayed."""

    path: str
    line: int
    column: int
    function: str
    what: str
    instead: str


def check_source(source: str, path: str) -> list[Finding]:
    """What a module's workflows do that cannot be replayed, in order of line.

    Raises:
        SyntaxError: it is no Python.
    """
    tree = ast.parse(source, path)
    module = _Module(tree)
    lines = source.splitlines()
    found = [
        finding
        for name, function in module.workflow_code()
        for finding in _Function(module, path, name).check(function)
        if SILENCE not in lines[finding.line - 1]
    ]
    return sorted(set(found), key=lambda finding: (finding.line, finding.column))


_AnyFunction = ast.FunctionDef | ast.AsyncFunctionDef


class _Module:
    """What a module imports, defines, and keeps in globals."""

    def __init__(self, tree: ast.Module) -> None:
        self.imported: dict[str, str] = {}
        self.starred: list[str] = []
        self.functions: dict[str, _AnyFunction] = {}
        self.classes = {node.name: node for node in ast.walk(tree) if isinstance(node, ast.ClassDef)}
        self.mutable: set[str] = set()
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                for alias in node.names:
                    first = alias.name.partition(".")[0]
                    self.imported[alias.asname or first] = alias.name if alias.asname else first
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                self._import_from(node.module, node.names)
        for statement in tree.body:
            if isinstance(statement, _AnyFunction):
                self.functions[statement.name] = statement
            self.mutable |= _mutable_targets(statement)
        self._resolve_stars(tree)
        self.workflows = [
            (node.name, node)
            for node in ast.walk(tree)
            if isinstance(node, _AnyFunction) and self.decorated(node, "workflow")
        ]
        for form in self.classes.values():
            if self.decorated(form, "workflow"):
                self.workflows += self._methods(form)

    def _import_from(self, module: str, names: list[ast.alias]) -> None:
        for alias in names:
            if alias.name != "*":
                self.imported[alias.asname or alias.name] = f"{module}.{alias.name}"
            elif module == "segue":
                self.imported |= {name: f"segue.{name}" for name in segue.__all__}
            else:
                self.starred.append(module)

    def _resolve_stars(self, tree: ast.Module) -> None:
        """``from time import *``: the names that matter here, where the module has no others of that name."""
        if not self.starred:
            return
        bound = {n.id for n in ast.walk(tree) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
        bound |= self.functions.keys() | self.imported.keys()
        for name in {n.id for n in ast.walk(tree) if isinstance(n, ast.Name)} - bound:
            for module in self.starred:
                full = f"{module}.{name}"
                if full in RULES or f"{module}.*" in RULES:
                    self.imported[name] = full

    def dotted(self, node: ast.AST) -> str | None:
        """The full name that an expression stands for, as far as imports tell."""
        if isinstance(node, ast.Name):
            return self.imported.get(node.id, node.id)
        if isinstance(node, ast.Attribute):
            above = self.dotted(node.value)
            return None if above is None else f"{above}.{node.attr}"
        return None

    def decorated(self, definition: _AnyFunction | ast.ClassDef, *kinds: str) -> bool:
        """Whether it carries ``@workflow``, ``@step`` or what else is asked for; ``@step.transaction`` is a step."""
        names = (self.dotted(d.func if isinstance(d, ast.Call) else d) or "" for d in definition.decorator_list)
        return any(name.startswith("segue.") and not set(kinds).isdisjoint(name.split(".")) for name in names)

    def _methods(self, form: ast.ClassDef) -> list[tuple[str, _AnyFunction]]:
        """The methods of a class and of those of this module that it derives from, each by the class that has it."""
        waiting, seen, found = [form], {form.name}, []
        while waiting:
            each = waiting.pop(0)
            found += [
                (f"{each.name}.{node.name}", node)
                for node in each.body
                if isinstance(node, _AnyFunction) and not self.decorated(node, *NOT_REPLAYED, "workflow")
            ]
            for base in each.bases:
                above = self.classes.get(base.id) if isinstance(base, ast.Name) else None
                if above is not None and above.name not in seen:
                    seen.add(above.name)
                    waiting.append(above)
        return found

    def workflow_code(self) -> Iterator[tuple[str, _AnyFunction]]:
        """Workflows, and the functions of this module that they name, to call or to have called: each once."""
        waiting = list(self.workflows)
        seen = {name for name, _ in waiting}
        while waiting:
            name, function = waiting.pop(0)
            yield name, function
            known = seen | _names_bound_in(function)
            for node in (node for statement in function.body for node in ast.walk(statement)):
                named = node.id if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) else ""
                found = self.functions.get(named)
                if found is not None and named not in known and not self.decorated(found, *NOT_REPLAYED):
                    known.add(named)
                    seen.add(named)
                    waiting.append((named, found))


class _Function(ast.NodeVisitor):
    """Looks at one function and what is nested in it."""

    def __init__(self, module: _Module, path: str, name: str) -> None:
        self._module = module
        self._path = path
        self._name = name
        self._found: list[Finding] = []
        self._sets: set[str] = set()
        self._local: set[str] = set()

    def check(self, function: _AnyFunction) -> list[Finding]:
        self._local = _names_bound_in(function)
        self._sets = _names_of_sets(function)
        for statement in function.body:
            self.visit(statement)
        return self._found

    def _report(self, node: ast.expr | ast.stmt, what: str, instead: str) -> None:
        self._found.append(Finding(self._path, node.lineno, node.col_offset + 1, self._name, what, instead))

    # --- names and calls --------------------------------------------------------------------------------------

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        if not self._module.decorated(node, *NOT_REPLAYED):
            self.generic_visit(node)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> None:
        if not self._module.decorated(node, *NOT_REPLAYED):
            self.generic_visit(node)

    def visit_Attribute(self, node: ast.Attribute) -> None:
        if not self._look_up(node):
            self.generic_visit(node)

    def visit_Name(self, node: ast.Name) -> None:
        if isinstance(node.ctx, ast.Load) and self._module.imported.get(node.id, "").count("."):
            self._look_up(node)

    def visit_Call(self, node: ast.Call) -> None:
        name = node.func.id if isinstance(node.func, ast.Name) else None
        if name in BUILTINS and name not in self._local and name not in self._module.imported:
            self._report(node, f"{name}()", RULES[name])
        if isinstance(node.func, ast.Attribute) and node.func.attr in METHODS:
            self._report(node, f".{node.func.attr}()", METHODS[node.func.attr])
        if isinstance(node.func, ast.Attribute) and node.func.attr in MUTATORS:
            self._check_global(node, node.func.value)
        if name in TAKERS or (isinstance(node.func, ast.Attribute) and node.func.attr in ("join", "map")):
            for argument in node.args:
                self._check_order(argument)
        if isinstance(node.func, ast.Attribute) and node.func.attr == "pop" and not node.args:
            self._check_order(node.func.value)
        for argument in node.args:
            if isinstance(argument, ast.Starred):
                self._check_order(argument.value)
        self.generic_visit(node)

    def _look_up(self, node: ast.Attribute | ast.Name) -> bool:
        name = self._module.dotted(node)
        if name is None or name in HARMLESS or name.partition(".")[0] in self._local:
            return False
        instead = RULES.get(name) if "." in name else None
        above = name
        while instead is None and "." in above:
            above = above.rpartition(".")[0]
            instead = RULES.get(f"{above}.*")
        if instead is None or name.startswith("segue."):
            return False
        if not self._imported(name):
            return False
        self._report(node, name, instead)
        return True

    def _imported(self, name: str) -> bool:
        """A local variable that happens to be called ``random`` is no module."""
        return any(name == full or name.startswith(f"{full}.") for full in self._module.imported.values())

    # --- the order of sets ------------------------------------------------------------------------------------

    def visit_For(self, node: ast.For) -> None:
        self._check_order(node.iter)
        self.generic_visit(node)

    def visit_comprehension(self, node: ast.comprehension) -> None:
        self._check_order(node.iter)
        self.generic_visit(node)

    def _check_order(self, node: ast.expr) -> None:
        if _is_set(node, self._sets):
            self._report(node, "the order of a set", ORDER)

    # --- globals ----------------------------------------------------------------------------------------------

    def visit_Global(self, node: ast.Global) -> None:
        self._report(node, f"global {', '.join(node.names)}", GLOBAL)

    def visit_Assign(self, node: ast.Assign) -> None:
        for target in node.targets:
            self._check_store(target)
        self.generic_visit(node)

    def visit_AugAssign(self, node: ast.AugAssign) -> None:
        self._check_store(node.target)
        self.generic_visit(node)

    def visit_Delete(self, node: ast.Delete) -> None:
        for target in node.targets:
            self._check_store(target)
        self.generic_visit(node)

    def _check_store(self, target: ast.expr) -> None:
        if isinstance(target, ast.Subscript):
            self._check_global(target, target.value)

    def _check_global(self, node: ast.expr, value: ast.expr) -> None:
        if isinstance(value, ast.Name) and value.id in self._module.mutable and value.id not in self._local:
            self._report(node, f"the global {value.id} is changed", GLOBAL)


def _mutable_targets(statement: ast.stmt) -> set[str]:
    """Names that a module-level statement binds to a list, dict or set."""
    if isinstance(statement, ast.Assign):
        targets, value = statement.targets, statement.value
    elif isinstance(statement, ast.AnnAssign) and statement.value is not None:
        targets, value = [statement.target], statement.value
    else:
        return set()
    if not _is_mutable(value):
        return set()
    return {target.id for target in targets if isinstance(target, ast.Name)}


def _is_mutable(value: ast.expr) -> bool:
    if isinstance(value, ast.Call):
        called = value.func.id if isinstance(value.func, ast.Name) else getattr(value.func, "attr", "")
        return called in ("list", "dict", "set", "defaultdict", "deque", "Counter", "OrderedDict")
    return isinstance(value, (ast.List, ast.Dict, ast.Set, ast.ListComp, ast.DictComp, ast.SetComp))


_SET_OPERATORS = (ast.BitOr, ast.BitAnd, ast.Sub, ast.BitXor)
_SET_METHODS = ("union", "intersection", "difference", "symmetric_difference", "copy")


def _is_set(node: ast.expr, names: set[str]) -> bool:
    """Whether an expression is seen to be a set; ``names`` are those that hold one."""
    match node:
        case ast.Set() | ast.SetComp():
            return True
        case ast.Name():
            return node.id in names
        case ast.Call(func=ast.Name(id=name)):
            return name in ("set", "frozenset")
        case ast.Call(func=ast.Attribute(value=value, attr=name)):
            return name in _SET_METHODS and _is_set(value, names)
        case ast.BinOp():
            sides = _is_set(node.left, names) or _is_set(node.right, names)
            return isinstance(node.op, _SET_OPERATORS) and sides
    return False


def _names_of_sets(function: _AnyFunction) -> set[str]:
    """Names that hold a set whenever the function assigns to them, and parameters that are declared as one."""
    arguments = function.args
    declared = (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)
    sets = {a.arg for a in declared if a.annotation is not None and _is_set_type(a.annotation)}
    others: set[str] = set()
    for node in ast.walk(function):
        if isinstance(node, ast.Assign):
            names = {target.id for target in node.targets if isinstance(target, ast.Name)}
            (sets if _is_set(node.value, sets) else others).update(names)
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.value is not None:
            (sets if _is_set(node.value, sets) else others).add(node.target.id)
    return sets - others


def _is_set_type(annotation: ast.expr) -> bool:
    named = annotation.value if isinstance(annotation, ast.Subscript) else annotation
    return isinstance(named, ast.Name) and named.id in ("set", "frozenset")


def _names_bound_in(function: _AnyFunction) -> set[str]:
    """Parameters and variables of the function, which hide globals of the same name."""
    arguments = function.args
    names = {a.arg for a in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)}
    names |= {a.arg for a in (arguments.vararg, arguments.kwarg) if a is not None}
    declared = {name for node in ast.walk(function) if isinstance(node, ast.Global) for name in node.names}
    stored = {n.id for n in ast.walk(function) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
    return (names | stored) - declared
