"""Several versions of one workflow in one body of code: which one a new run gets, and which one a run goes on with.

A version has a label of the user's. The one without a ``ramp`` is the *base*; one with ``ramp=10`` gets ten of a
hundred new runs, chosen by their ids, so that the same id always gets the same version.

- Runs of a *rolling* workflow (the default) go on with their own version while it is being ramped up, and with the base
  otherwise: by the rules of adoption.
- Runs of a *pinned* workflow go on with the version that they began with, and with no other. Without labels, a version
  is the code as it is.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal, Protocol

from segue.errors import DuplicateDefinition, InvalidArgument
from segue.kernel.names import checked_name
from segue.kernel.ramp import Ramp, on_ramp

Versioning = Literal["rolling", "pinned"]


class Versioned(Protocol):
    """What is asked of a workflow here."""

    name: str
    function: Any
    label: str
    version: str
    versioning: Versioning
    ramp: float | None


def check_terms(label: str, versioning: str, ramp: float | None) -> None:
    """Refuses what ``@workflow(version=, versioning=, ramp=)`` cannot be.

    Raises:
        InvalidArgument: and says what it can be.
    """
    if label:
        checked_name(label, "a workflow's version")
        if "/" in label:
            raise InvalidArgument(f"a workflow's version is {label!r}; it must not contain a slash")
    if versioning not in ("rolling", "pinned"):
        raise InvalidArgument(f"versioning is {versioning!r}; it is 'rolling' or 'pinned'")
    if ramp is not None and not (label and 0 <= ramp <= 100):
        raise InvalidArgument(
            f"ramp is {ramp!r}; it is a percentage of new runs, from 0 to 100, of a workflow with a version="
        )


def label_of(version: str) -> str:
    """The label in a recorded version, empty if there was none."""
    return version.rpartition("/")[0]


class Versions:
    """The versions of workflows, by name.

    Args:
        workflows: some to begin with.
        bases: the base version by name, where that is kept elsewhere. What is not in there is not known here.
    """

    def __init__(self, workflows: Iterable[Versioned] = (), *, bases: dict[str, Any] | None = None) -> None:
        self._bases = {} if bases is None else bases
        self._beside: dict[str, dict[str, Any]] = {}
        for workflow in workflows:
            self.add(workflow)

    def _labelled(self, name: str) -> dict[str, Any]:
        """All versions of a workflow by label, in the order in which they were defined."""
        base = self._bases.get(name)
        if base is None:
            return {}
        found = self._beside.get(name, {})
        return found if found.get(base.label) is base else {base.label: base}

    def add(self, workflow: Versioned) -> None:
        """Takes a version; one of the same label replaces its predecessor.

        Raises:
            DuplicateDefinition: another one is ramped up already.
        """
        labelled = self._labelled(workflow.name)
        ramped = [x for x in labelled.values() if x.ramp is not None and x.label != workflow.label]
        if workflow.ramp is not None and ramped:
            raise DuplicateDefinition(
                f"versions {ramped[0].label!r} and {workflow.label!r} of workflow {workflow.name!r} are both ramped "
                "up; leave ramp= to one of them"
            )
        labelled.pop(workflow.label, None)
        labelled[workflow.label] = workflow
        steady = [each for each in labelled.values() if each.ramp is None]
        self._beside[workflow.name] = labelled
        self._bases[workflow.name] = (steady or list(labelled.values()))[-1]

    def all(self, name: str) -> list[Any]:
        """The versions of a workflow, in the order in which they were defined."""
        return list(self._labelled(name).values())

    def labelled(self, name: str, label: str) -> Any | None:
        return self._labelled(name).get(label)

    def base(self, name: str) -> Any | None:
        """What new runs get that a ramp does not take, and what rolling runs go on with: of the versions without a ramp
        the one that was defined last."""
        return self._bases.get(name)

    def for_new(self, name: str, id: str) -> Any | None:
        """The version of a new run with this id."""
        base = self._bases.get(name)
        if len(self._beside.get(name, ())) < 2:
            return base
        for workflow in self._labelled(name).values():
            if workflow.ramp is not None and on_ramp(workflow.ramp, id):
                return workflow
        return base

    def serving(self, name: str, version: str) -> Any | None:
        """What goes on with a run that was started with ``version``; None: nothing here may."""
        base = self._bases.get(name)
        if base is None or base.version == version:
            return base
        own = self._labelled(name).get(label_of(version))
        if base.versioning == "pinned" or (own is not None and own.versioning == "pinned"):
            return own if own is not None and (own.label or own.version == version) else None
        return own if own is not None and own.ramp is not None else base

    def pins(self) -> dict[str, list[str]]:
        """Workflows whose runs of other versions nothing here goes on with, each with the versions that are here; one
        with a label as ``label/``."""
        return {
            name: [f"{each.label}/" if each.label else each.version for each in self.all(name)]
            for name, base in self._bases.items()
            if base.versioning == "pinned"
        }

    def ramps(self) -> dict[str, Ramp]:
        """The versions that are being ramped up beside a base, by the names of their workflows."""
        return {
            name: Ramp(each.version, each.ramp)
            for name, base in self._bases.items()
            for each in self.all(name)
            if each.ramp is not None and each is not base
        }

    def names(self) -> list[str]:
        return sorted(self._bases)
