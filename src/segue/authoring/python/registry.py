"""Which workflows and steps an app consists of, by name.

Decorating registers. A function that is defined again at the same place (a reloaded module, a closure) replaces its
predecessor; two different ones of one name are an error. So is the use of a closure that another one has replaced which
captures other values: the other one would run.
"""

from __future__ import annotations

import inspect
import sys
from types import CellType
from typing import Any, Generic, Protocol, TypeVar

from segue.authoring.python.versions import Versions
from segue.errors import DuplicateDefinition, InvalidArgument


class Named(Protocol):
    @property
    def name(self) -> str: ...

    @property
    def function(self) -> Any: ...


D = TypeVar("D", bound=Named)

_SCALARS = (str, bytes, int, float, bool)

FORM = "__segue_workflow__"
"""Attribute of a workflow's class: the ``Workflow``."""


class Registry(Generic[D]):
    """Definitions of one kind."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self._by_name: dict[str, D] = {}

    def add(self, definition: D) -> None:
        """Registers a definition.

        Raises:
            DuplicateDefinition: another function has the name.
        """
        self._refuse_other(self._by_name.get(definition.name), definition)
        self._by_name[definition.name] = definition

    def _refuse_other(self, before: D | None, definition: D) -> None:
        if before is not None and not _same_place(before.function, definition.function):
            raise DuplicateDefinition(
                f"two {self.kind}s are named {definition.name!r}: {_place(before.function)} and "
                f"{_place(definition.function)}; give one of them @{self.kind}(name=…)"
            )

    def get(self, name: str) -> D | None:
        return self._by_name.get(name)

    def names(self) -> list[str]:
        return sorted(self._by_name)

    def all(self) -> list[D]:
        return list(self._by_name.values())


def refuse_replaced(kind: str, definition: Named, registered: Named | None) -> None:
    """Refuses a closure in whose place another one of the same code would run, with other values captured.

    Raises:
        InvalidArgument: it is one.
    """
    if registered is None or registered is definition:
        return
    one, other = definition.function, registered.function
    same = getattr(one, "__closure__", None) is not None and getattr(other, "__code__", None) is one.__code__
    if not same:
        return
    captured = zip(one.__code__.co_freevars, one.__closure__, other.__closure__, strict=True)
    if differs := [name for name, mine, its in captured if not _alike(mine, its)]:
        raise InvalidArgument(
            f"{_place(one)} has been defined again with another {', '.join(differs)}, and there is one {kind} named "
            f"{definition.name!r}; give each a name of its own, @{kind}(name=…), or one of them what differs as an "
            "argument"
        )


def _alike(one: CellType, other: CellType) -> bool:
    """Whether two closures have captured the same value in these cells; what is not set yet counts as the same."""
    try:
        mine, its = one.cell_contents, other.cell_contents
    except ValueError:
        return True
    return mine is its or (type(mine) is type(its) and type(mine) in _SCALARS and bool(mine == its))


def definition_of(thing: Any) -> Any:
    """The ``Workflow`` of a class that is one; anything else as it is."""
    return thing.__dict__.get(FORM, thing) if isinstance(thing, type) else thing


def refuse_called(thing: Any) -> None:
    """Raises ``InvalidArgument`` for what a workflow gives that has been called where it was to be handed over."""
    if inspect.iscoroutine(thing):
        thing.close()  # nobody is going to await it
        raise InvalidArgument(
            "the workflow has been called already; hand it over as it is, and its arguments behind it: "
            "start(workflow, argument), not start(workflow(argument))"
        )


def default_name(function: Any) -> str:
    """The qualified name, without what encloses it when it was defined inside a function."""
    return str(function.__qualname__).rpartition("<locals>.")[2]


def _same_place(one: Any, other: Any) -> bool:
    if "<locals>" in one.__qualname__ or "<locals>" in other.__qualname__:
        return True
    if one.__module__ == other.__module__ == "__main__" and not hasattr(sys.modules["__main__"], "__file__"):
        # Typed in, in a notebook or at a prompt, where each cell has a file name of its own, and is run again once it
        # has been changed.
        return bool(one.__qualname__ == other.__qualname__)
    # A script is ``__main__`` to itself and goes by its name to whoever imports it: the file tells.
    files = one.__code__.co_filename, other.__code__.co_filename
    return bool(files[0] == files[1] and one.__qualname__ == other.__qualname__)


def _place(function: Any) -> str:
    code = function.__code__
    return f"{function.__module__}.{function.__qualname__} ({code.co_filename}:{code.co_firstlineno})"


class Steps(Registry[D]):
    """The steps of an app."""

    def __init__(self) -> None:
        super().__init__("step")

    def add(self, definition: Any) -> None:
        before: Any = self.get(definition.name)
        super().add(definition)
        if before is not None:
            before.bound = None  # who calls it after all learns of its successor: see ``Step.bind``


class Workflows(Registry[D]):
    """The workflows of an app: by name the base version, and all versions of each."""

    def __init__(self) -> None:
        super().__init__("workflow")
        self.versions = Versions(bases=self._by_name)

    def add(self, definition: Any) -> None:
        self._refuse_other(self.versions.labelled(definition.name, definition.label), definition)
        self.versions.add(definition)


STEPS: Steps[Any] = Steps()
WORKFLOWS: Workflows[Any] = Workflows()
"""The steps and workflows of this process; ``definitions`` says what they are."""
