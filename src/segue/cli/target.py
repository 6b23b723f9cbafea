"""Finds the workflows that a command line names: ``file.py``, ``file.py:workflow``, ``module:workflow``."""

from __future__ import annotations

import importlib
import importlib.util
import os
import sys
import traceback
from collections.abc import Callable
from contextlib import suppress
from difflib import get_close_matches
from pathlib import Path
from types import ModuleType
from typing import Any

from segue.authoring.python.definitions import WORKFLOWS, Workflow
from segue.authoring.python.registry import definition_of
from segue.errors import CallerError, InvalidArgument, SegueError
from segue.kernel.failures import users_traceback

_OWN = str(Path(__file__).parent.parent)


class CodeFails(CallerError):
    """Code of the user's raised. ``trace`` is the traceback, from the user's file on."""

    def __init__(self, message: str, trace: str = "") -> None:
        super().__init__(message)
        self.trace = trace


class CodeDoesNotLoad(CodeFails):
    """It was a module while it was imported. ``lacks`` is the module that was not found, if that was it."""

    def __init__(self, message: str, trace: str = "", lacks: str = "") -> None:
        super().__init__(message, trace)
        self.lacks = lacks


class CodeEndsProgram(CodeFails):
    """Code on the event loop has called ``sys.exit()``."""

    def __init__(self, error: SystemExit) -> None:
        super().__init__(
            f"code on the event loop ended this program by SystemExit: {error}; what is recorded stays recorded. A "
            "step that is to fail raises another exception, one that may call sys.exit() is a plain `def`",
            users_traceback(error),
        )


def find(target: str) -> Workflow[Any, Any]:
    """The workflow that a target names.

    Raises:
        InvalidArgument: there is no such file, module or workflow, or there are several; the text lists them.
        CodeDoesNotLoad: importing it raised.
    """
    place, name = split(target)
    module = load(place)
    found = workflows_of(module)
    if name:
        return _named(place, name, found)
    if len(found) == 1:
        return found[0]
    if not found:
        raise InvalidArgument(f"{place} defines no workflow; decorate an `async def` with @workflow from segue")
    listed = "\n".join(f"  {place}:{workflow.name}" for workflow in found)
    raise InvalidArgument(f"{place} defines {len(found)} workflows; name one of them:\n{listed}")


def split(target: str) -> tuple[str, str]:
    """(file or module, name of the workflow or nothing). A name may have colons in it, and so may a file's path."""
    if target.endswith(".py"):
        return target, ""
    stem, colon, name = target.partition(".py:")
    if colon:
        return f"{stem}.py", name
    place, colon, name = target.partition(":")
    return (place, name) if colon and place else (target, "")


def is_code(target: str) -> bool:
    """Whether a target names code to be loaded, rather than a workflow by its name alone."""
    place, name = split(target)
    return bool(name) or place.endswith(".py") or os.sep in place or Path(place).is_dir()


def find_if_code(target: str) -> Workflow[Any, Any] | None:
    """The workflow that a target names; None if it is the name of one that a worker has: also with a colon in it, where
    there is no module of what stands before that.

    Raises: as ``find``.
    """
    place, _ = split(target)
    if not is_code(target) or not (_names_file(place) or _is_module(place)):
        return None
    return find(target)


def load(place: str) -> ModuleType:
    """Imports a file or a module; where it stands, or the current folder, goes to the front of the import path.

    Raises:
        InvalidArgument, CodeDoesNotLoad: as ``find``.
    """
    if _names_file(place):
        return _load_file(Path(place))
    if not _is_module(place):
        hint = f"; the file is named {place}.py" if Path(f"{place}.py").exists() else ""
        raise InvalidArgument(
            f"no module named {place!r} can be imported from {os.getcwd()} or the environment{hint}; "
            "a file is named with its .py"
        )
    return _import(place, place)


def _is_module(place: str) -> bool:
    """Whether there is a module of that name; the current folder is on the import path from then on.

    Raises:
        CodeDoesNotLoad: a package above it raised.
    """
    _put_first(os.getcwd())
    try:
        return importlib.util.find_spec(place) is not None
    except (ImportError, ValueError) as error:
        if isinstance(error, ModuleNotFoundError) and error.name and place.startswith(error.name):
            return False
        raise does_not_load(place, error) from error


def file_of(place: str) -> Path:
    """The file that is named, or that a module of that name is in; nothing is imported but the packages above it.

    Raises:
        InvalidArgument: there is none.
    """
    path = Path(place)
    if path.exists():
        return path
    if not place.endswith(".py") and os.sep not in place:
        _put_first(os.getcwd())
        with suppress(ImportError, ValueError):
            spec = importlib.util.find_spec(place)
            if spec is not None and spec.origin is not None and spec.has_location:
                return Path(os.path.relpath(spec.origin))
    raise InvalidArgument(f"there is no file, folder or module {place}")


def load_folder(folder: str, leave: Callable[[Path, CodeDoesNotLoad], bool] = lambda file, error: False) -> None:
    """Imports the modules in a folder that mention segue, apart from tests and hidden ones.

    ``leave`` says of one that cannot be loaded whether to go on without it.

    Raises:
        InvalidArgument: there is no such folder, or no such module in it.
        CodeDoesNotLoad: as ``find``.
    """
    files = modules_in(Path(folder))
    if not files:
        raise InvalidArgument(f"no .py file in {folder} imports segue")
    for file in files:
        try:
            _load_file(file)
        except CodeDoesNotLoad as error:
            if not leave(file, error):
                raise


def modules_in(folder: Path) -> list[Path]:
    """Files in a folder, at any depth, that import segue."""
    return [file for file in sources_in(folder) if _imports_segue(file)]


def sources_in(folder: Path) -> list[Path]:
    """Python files in a folder, at any depth, without tests, environments and hidden folders.

    Raises:
        InvalidArgument: there is no such folder.
    """
    if not folder.is_dir():
        raise InvalidArgument(f"there is no folder {folder}")
    found: list[Path] = []
    for at, folders, files in os.walk(folder):
        folders[:] = sorted(d for d in folders if not _is_aside(Path(at, d)))
        found += [Path(at, name) for name in sorted(files) if name.endswith(".py") and not _is_test(name)]
    return found


def workflows_of(module: ModuleType) -> list[Workflow[Any, Any]]:
    """The workflows that a module defines; those that it imports only if it defines none itself."""
    values = map(definition_of, vars(module).values())
    seen = {id(value): value for value in values if isinstance(value, Workflow)}
    own = [workflow for workflow in seen.values() if _written(workflow).__module__ == module.__name__]
    return own or list(seen.values())


def _written(workflow: Workflow[Any, Any]) -> Any:
    """What stands in the code: a function, or a class."""
    return workflow.function if workflow.form is None else workflow.form.cls


def _named(place: str, name: str, found: list[Workflow[Any, Any]]) -> Workflow[Any, Any]:
    for workflow in found:
        if name in (workflow.name, _written(workflow).__name__):
            return workflow
    known = WORKFLOWS.get(name)
    if known is not None:
        return known
    names = [workflow.name for workflow in found]
    near = get_close_matches(name, names, 1)
    said = f"did you mean {near[0]!r}?" if near else f"it has: {', '.join(names) or 'none'}"
    raise InvalidArgument(f"{place} has no workflow {name!r}; {said}")


def _load_file(path: Path) -> ModuleType:
    if not path.exists():
        near = get_close_matches(path.name, [p.name for p in path.parent.glob("*.py")], 1)
        hint = f"; did you mean {path.parent / near[0]}?" if near else ""
        raise InvalidArgument(f"there is no file {path}{hint}")
    if path.is_dir():
        raise InvalidArgument(f"{path} is a folder; name a file in it, or serve all of it with `segue dev {path}`")
    folder, name = _module_name(path.resolve())
    if name.partition(".")[0] in sys.stdlib_module_names or name == "segue":
        raise InvalidArgument(
            f"{path} would stand in the way of Python's own module {name!r}; give the file another name"
        )
    _put_first(str(folder))
    loaded = sys.modules.get(name)
    if loaded is not None and getattr(loaded, "__file__", None) != str(path.resolve()):
        raise InvalidArgument(
            f"{path} and {loaded.__file__} would both be the module {name!r}; give one of them another name"
        )
    return _import(name, str(path))


def _module_name(path: Path) -> tuple[Path, str]:
    """The folder to import from, and the module's name there: a file in packages is imported through them."""
    parts = [] if path.stem == "__init__" else [path.stem]
    folder = path.parent
    while (folder / "__init__.py").exists():
        parts.insert(0, folder.name)
        folder = folder.parent
    return folder, ".".join(parts)


def _import(name: str, shown: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except (Exception, SystemExit) as error:
        raise does_not_load(shown, error) from error


def does_not_load(shown: str, error: BaseException) -> CodeDoesNotLoad:
    """What is said of a file or module that raised."""
    if isinstance(error, SegueError):  # it says what to do, so that the place is enough
        return CodeDoesNotLoad(f"{_place(error) or shown}: {error}")
    lacks = (error.name or "") if isinstance(error, ModuleNotFoundError) else ""
    said = f"{type(error).__name__}: {error}".removesuffix(": ")
    return CodeDoesNotLoad(f"{shown} cannot be loaded: {said}", _from_users_file(error), lacks)


def _place(error: BaseException) -> str:
    """File and line of the user's code from which it came."""
    frames = [f for f in traceback.extract_tb(error.__traceback__) if not f.filename.startswith((_OWN, "<frozen"))]
    users = [frame for frame in frames if os.sep + "importlib" + os.sep not in frame.filename]
    return f"{os.path.relpath(users[-1].filename)}:{users[-1].lineno}" if users else ""


def _names_file(place: str) -> bool:
    return place.endswith(".py") or os.sep in place or _is_plain_folder(place)


def _is_plain_folder(place: str) -> bool:
    """A folder that is no package."""
    return Path(place).is_dir() and not Path(place, "__init__.py").exists()


def _from_users_file(error: BaseException) -> str:
    """The traceback without the frames of the import machinery."""
    if isinstance(error, SyntaxError):
        return "".join(traceback.format_exception_only(error))
    walk = error.__traceback__
    while walk is not None and (
        "importlib" in walk.tb_frame.f_code.co_filename or walk.tb_frame.f_code.co_filename.startswith(_OWN)
    ):
        walk = walk.tb_next
    return users_traceback(error.with_traceback(walk)) if walk is not None else ""


def _put_first(folder: str) -> None:
    if folder not in sys.path:
        sys.path.insert(0, folder)


def _imports_segue(path: Path) -> bool:
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False
    return any(line.lstrip().startswith(("from segue", "import segue")) for line in text.splitlines())


def _is_aside(folder: Path) -> bool:
    name = folder.name
    return name.startswith((".", "__")) or name in ("node_modules", "tests") or (folder / "pyvenv.cfg").exists()


def _is_test(name: str) -> bool:
    return name.startswith("test_") or name.endswith("_test.py") or name == "conftest.py"
