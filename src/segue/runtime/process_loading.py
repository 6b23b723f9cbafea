"""Finds a step's module in a process that did not start with it, as a fresh worker does."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader
from types import ModuleType

from segue.errors import CallerError
from segue.runtime.process_errors import StepNotFound
from segue.runtime.process_frames import Place

SCRIPT = "__segue_main__"
"""What a script is called where it is imported instead of started: ``if __name__ == "__main__":`` holds back."""

_loading: list[Place] = []


def place_of(module: str, qualname: str) -> Place:
    """Where another process finds what is ``qualname`` in ``module`` here.

    Raises:
        StepNotFound: it was typed in, or pasted, and stands in no file.
    """
    here = sys.modules.get(module)
    file = getattr(here, "__file__", None)
    if module == "__main__":
        module = getattr(getattr(here, "__spec__", None), "name", SCRIPT)  # python -m gives it its real name
        if file is None or not os.path.isfile(file):  # "<stdin>"
            raise StepNotFound(
                f"{qualname} was typed in (a notebook, an interactive session), and no other process can find it; move "
                "it into a module and import it, or leave out executor='process'"
            )
    return Place(module, qualname, None if file is None else os.path.abspath(file))


def load(place: Place) -> ModuleType:
    """Imports the module: by its name, or from its file where it has no name that can be imported."""
    if place.module in sys.modules:
        return sys.modules[place.module]
    with _marked(place):
        try:
            return importlib.import_module(place.module)
        except ModuleNotFoundError as error:
            # Only if it is this very module that is missing, not one that it imports.
            if place.file is None or not f"{place.module}.".startswith(f"{error.name}."):
                raise
            return _load_file(place.module, place.file)


def _load_file(name: str, file: str) -> ModuleType:
    loader = SourceFileLoader(name, file)
    spec = spec_from_loader(name, loader, origin=file)
    assert spec is not None
    module = sys.modules[name] = module_from_spec(spec)
    try:
        loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module


@contextmanager
def _marked(place: Place) -> Iterator[None]:
    _loading.append(place)
    try:
        yield
    finally:
        _loading.pop()


def refuse_while_loading() -> None:
    """Stops a script that starts an engine whenever it is imported: each worker would start another one.

    Raises:
        CallerError: this process is a worker that is importing a step's module.
    """
    if _loading:
        place = _loading[-1]
        raise CallerError(
            f"{place.file or place.module} starts an engine as soon as it is imported, and a process of its own has to "
            f'import it to find step {place.qualname}; put what starts the engine under `if __name__ == "__main__":`, '
            "or the steps into a module of their own"
        )
