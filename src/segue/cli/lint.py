"""Finds in the source of workflows what cannot be replayed: clocks, chance, files, threads, the order of sets.

Looks at functions decorated with ``@workflow``, at functions of the same module that they call, and at what is nested
in them; never into steps, which may do anything. ``# segue: ok`` at the end of a line silences it.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import NamedTuple

SILENCE = "# segue: ok"


class Finding(NamedTuple):
    """Something in a workflow that cannot be replayed."""

    path: str
    line: int
    column: int
    function: str
    what: str
    instead: str

    @property
    def text(self) -> str:
        return f"{self.path}:{self.line}:{self.column}: {self.what} in workflow code ({self.function}); {self.instead}"


_NOW = "use segue.now()"
_CHANCE = "use segue.random"
_UUID = "use segue.uuid4()"
_STEP = "do it in a @step"
_THREADS = "make it a plain @step, which runs in a thread, and await several with asyncio.gather"
_PROCESS = 'do it in a @step; executor="process" gives a function a process of its own'
_ENVIRONMENT = "pass it to the workflow as an argument, or read it in a @step"
_ORDER = "hashes differ from process to process; use a list, a dict or sorted(...)"
_GLOBAL = "use the workflow's arguments and its steps' results; segue.state across runs"

RULES: dict[str, str] = {
    **dict.fromkeys(
        (
            "time.time", "time.time_ns", "time.monotonic", "time.monotonic_ns", "time.perf_counter",
            "time.perf_counter_ns", "time.process_time", "time.localtime", "time.gmtime", "time.ctime",
            "datetime.datetime.now", "datetime.datetime.utcnow", "datetime.datetime.today", "datetime.date.today",
        ),
        _NOW,
    ),
    "time.sleep": "it blocks every run; use `await asyncio.sleep`, which is durable",
    **dict.fromkeys(("random.*", "secrets.*", "os.urandom", "numpy.random.*"), _CHANCE),
    **dict.fromkeys(("uuid.uuid1", "uuid.uuid4", "uuid.uuid6", "uuid.uuid7", "uuid.uuid8"), _UUID),
    **dict.fromkeys(("os.environ", "os.environb", "os.getenv"), _ENVIRONMENT),
    **dict.fromkeys(
        (
            "open", "io.open", "os.listdir", "os.scandir", "os.walk", "os.stat", "os.remove", "os.rename", "os.mkdir",
            "os.makedirs", "glob.*", "shutil.*", "tempfile.*", "sqlite3.*", "psycopg.*", "sqlalchemy.*", "requests.*",
            "httpx.*", "aiohttp.*", "urllib.request.*", "http.client.*", "socket.*", "smtplib.*", "ftplib.*",
            "asyncio.open_connection", "asyncio.open_unix_connection", "asyncio.start_server",
        ),
        _STEP,
    ),
    **dict.fromkeys(
        ("subprocess.*", "os.system", "os.popen", "os.fork", "asyncio.create_subprocess_exec",
         "asyncio.create_subprocess_shell"),
        _PROCESS,
    ),
    **dict.fromkeys(("threading.*", "multiprocessing.*", "concurrent.futures.*", "asyncio.to_thread"), _THREADS),
    "asyncio.run": "the engine drives the loop; use `await`",
    "input": "ask with approval(), or wait for a signal()",
    "hash": _ORDER,
    "id": "an object's address differs at each replay; give it a name of its own",
}  # fmt: skip
"""Dotted names, of modules as they are called, and what to use instead; ``.*`` stands for everything below."""

_METHODS = {
    "run_in_executor": _THREADS,
    "read_text": _STEP,
    "read_bytes": _STEP,
    "write_text": _STEP,
    "write_bytes": _STEP,
}
_HARMLESS = {"threading.TIMEOUT_MAX", "socket.AF_INET", "random.Random"}
_MUTATORS = {
    "append", "extend", "insert", "remove", "pop", "clear", "add", "discard", "update", "setdefault", "popitem", "sort",
}  # fmt: skip
_TAKERS = {"list", "tuple", "enumerate", "iter", "zip", "map", "filter", "reversed", "next"}


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
        self.functions: dict[str, _AnyFunction] = {}
        self.mutable: set[str] = set()
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                for alias in node.names:
                    first = alias.name.partition(".")[0]
                    self.imported[alias.asname or first] = alias.name if alias.asname else first
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                self.imported |= {a.asname or a.name: f"{node.module}.{a.name}" for a in node.names}
        for statement in tree.body:
            if isinstance(statement, _AnyFunction):
                self.functions[statement.name] = statement
            self.mutable |= _mutable_targets(statement)

    def dotted(self, node: ast.AST) -> str | None:
        """The full name that an expression stands for, as far as imports tell."""
        if isinstance(node, ast.Name):
            return self.imported.get(node.id, node.id)
        if isinstance(node, ast.Attribute):
            above = self.dotted(node.value)
            return None if above is None else f"{above}.{node.attr}"
        return None

    def decorated(self, function: _AnyFunction, kind: str) -> bool:
        """Whether it carries ``@workflow`` or ``@step``."""
        names = (self.dotted(d.func if isinstance(d, ast.Call) else d) for d in function.decorator_list)
        return any(name is not None and name.startswith("segue.") and name.endswith(f".{kind}") for name in names)

    def workflow_code(self) -> Iterator[tuple[str, _AnyFunction]]:
        """Workflows, and the functions of this module that they call, each once."""
        waiting = [(name, found) for name, found in self.functions.items() if self.decorated(found, "workflow")]
        seen = {name for name, _ in waiting}
        while waiting:
            name, function = waiting.pop(0)
            yield name, function
            for node in ast.walk(function):
                called = node.func.id if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) else ""
                found = self.functions.get(called)
                if found is not None and called not in seen and not self.decorated(found, "step"):
                    seen.add(called)
                    waiting.append((called, found))


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
        if not self._module.decorated(node, "step"):
            self.generic_visit(node)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> None:
        if not self._module.decorated(node, "step"):
            self.generic_visit(node)

    def visit_Attribute(self, node: ast.Attribute) -> None:
        if not self._look_up(node):
            self.generic_visit(node)

    def visit_Name(self, node: ast.Name) -> None:
        if isinstance(node.ctx, ast.Load) and self._module.imported.get(node.id, "").count("."):
            self._look_up(node)

    def visit_Call(self, node: ast.Call) -> None:
        name = node.func.id if isinstance(node.func, ast.Name) else None
        if name in ("open", "input", "hash", "id") and name not in self._local and name not in self._module.imported:
            self._report(node, f"{name}()", RULES[name])
        if isinstance(node.func, ast.Attribute) and node.func.attr in _METHODS:
            self._report(node, f".{node.func.attr}()", _METHODS[node.func.attr])
        if isinstance(node.func, ast.Attribute) and node.func.attr in _MUTATORS:
            self._check_global(node, node.func.value)
        if name in _TAKERS:
            for argument in node.args:
                self._check_order(argument)
        for argument in node.args:
            if isinstance(argument, ast.Starred):
                self._check_order(argument.value)
        self.generic_visit(node)

    def _look_up(self, node: ast.Attribute | ast.Name) -> bool:
        name = self._module.dotted(node)
        if name is None or name in _HARMLESS or name.partition(".")[0] in self._local:
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
        if _is_set(node) or (isinstance(node, ast.Name) and node.id in self._sets):
            self._report(node, "the order of a set", _ORDER)

    # --- globals ----------------------------------------------------------------------------------------------

    def visit_Global(self, node: ast.Global) -> None:
        self._report(node, f"global {', '.join(node.names)}", _GLOBAL)

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
            self._report(node, f"the global {value.id} is changed", _GLOBAL)


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


def _is_set(node: ast.expr) -> bool:
    if isinstance(node, (ast.Set, ast.SetComp)):
        return True
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("set", "frozenset")


def _names_of_sets(function: _AnyFunction) -> set[str]:
    """Names that hold a set whenever the function assigns to them."""
    sets: set[str] = set()
    others: set[str] = set()
    for node in ast.walk(function):
        if isinstance(node, ast.Assign):
            names = {target.id for target in node.targets if isinstance(target, ast.Name)}
            (sets if _is_set(node.value) else others).update(names)
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.value is not None:
            (sets if _is_set(node.value) else others).add(node.target.id)
    return sets - others


def _names_bound_in(function: _AnyFunction) -> set[str]:
    """Parameters and variables of the function, which hide globals of the same name."""
    arguments = function.args
    names = {a.arg for a in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)}
    names |= {a.arg for a in (arguments.vararg, arguments.kwarg) if a is not None}
    declared = {name for node in ast.walk(function) if isinstance(node, ast.Global) for name in node.names}
    stored = {n.id for n in ast.walk(function) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
    return (names | stored) - declared
