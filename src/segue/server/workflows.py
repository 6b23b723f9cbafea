"""Workflows as they are known where the API is served: their inputs, versions and source."""

from __future__ import annotations

import inspect
from typing import Any

import msgspec

from segue.authoring.python.definitions import Workflow
from segue.authoring.python.outline import Outline
from segue.authoring.python.outline_walk import outline_of
from segue.authoring.python.versions import Versioning
from segue.errors import UnknownWorkflow
from segue.runtime.beside import beside
from segue.server.call import Call


class WorkflowView(msgspec.Struct, frozen=True, kw_only=True):
    """A workflow.

    Attributes:
        version: fingerprint of its code.
        parameters: names of its arguments, in order; ``*name`` takes all that come from there on.
        input: JSON Schema of the arguments by name.
        summary: the first line of its documentation.
    """

    name: str
    version: str
    parameters: list[str]
    input: dict[str, Any]
    summary: str


class VersionView(msgspec.Struct, frozen=True, kw_only=True):
    """One of the versions of a workflow that stand beside each other.

    Attributes:
        label: the user's name for it, if any. base: whether new runs get it that a ramp does not take.
        ramp: the percentage of new runs that it gets, if it is ramped up.
    """

    version: str
    label: str
    versioning: Versioning
    ramp: float | None
    base: bool


class WorkflowDetail(msgspec.Struct, frozen=True, kw_only=True):
    """A workflow with its source; ``place`` is file and line. ``versions``: all that this body of code has."""

    workflow: WorkflowView
    versions: list[VersionView]
    documentation: str
    source: str
    place: str


async def list_workflows(call: Call[Any, None]) -> list[WorkflowView]:
    definitions = call.engine.definitions
    found = (definitions.workflow(name) for name in definitions.names())
    return [_view(call, workflow) for workflow in found if workflow is not None]


async def show_workflow(call: Call[Any, None]) -> WorkflowDetail:
    workflow = _the_workflow(call)
    written = inspect.unwrap(workflow.function) if workflow.form is None else workflow.form.cls
    try:
        lines, first = inspect.getsourcelines(written)
        place = f"{inspect.getsourcefile(written)}:{first}"
    except (OSError, TypeError):  # defined in a console: there is no file
        lines, place = [], ""
    return WorkflowDetail(
        workflow=_view(call, workflow),
        versions=[_version(each, workflow) for each in call.engine.definitions.versions_of(workflow.name)],
        documentation=_documentation(workflow),
        source="".join(lines),
        place=place,
    )


async def show_outline(call: Call[Any, None]) -> Outline:
    """Source is read in a thread: there may be much of it, and others are answered meanwhile."""
    return await beside(outline_of, _the_workflow(call))


def _the_workflow(call: Call[Any, Any]) -> Workflow[Any, Any]:
    """The workflow that the path names. Raises ``UnknownWorkflow``."""
    name = call.path["name"]
    workflow = call.engine.definitions.workflow(name)
    if workflow is None:
        raise UnknownWorkflow(name, call.engine.definitions.names())
    return workflow


def _version(workflow: Workflow[Any, Any], base: Workflow[Any, Any]) -> VersionView:
    return VersionView(
        version=workflow.version, label=workflow.label, versioning=workflow.versioning, ramp=workflow.ramp,
        base=workflow is base,
    )  # fmt: skip


def _view(call: Call[Any, Any], workflow: Workflow[Any, Any]) -> WorkflowView:
    call_site = workflow.bind(call.engine.encodings).call_site
    return WorkflowView(
        name=workflow.name,
        version=workflow.version,
        parameters=call_site.positional,
        input=call_site.schema(),
        summary=_documentation(workflow).partition("\n")[0],
    )


def _documentation(workflow: Workflow[Any, Any]) -> str:
    """What is written about it: of a class, about the class or else about its ``run``."""
    about = None if workflow.form is None else inspect.getdoc(workflow.form.cls)
    return about or inspect.getdoc(workflow.function) or ""
