"""Names for what answers are of, found by a few small reads and without making the answers.

A name is another one wherever the answer is, apart from the server's time in it. It is asked for before the answer is
made: what changes in between makes the answer newer than its name, never older.
"""

from __future__ import annotations

import inspect
import os
import sys
from collections.abc import Iterator
from typing import Any

from segue.authoring.python.definitions import Workflow
from segue.engine import Engine
from segue.server.call import Call
from segue.server.etags import etag
from segue.server.runs import the_run
from segue.stores.base import CLOSED, RunFilter, RunRow
from segue.watching import MOST_CHILDREN


def run_version(call: Call[Any, None]) -> str:
    """Of a run with its children, as far as they are shown; "" where they are more."""
    parts = [_run(call.engine, the_run(call))]
    for row in _children(call.engine, parts[0][0].run):
        if len(parts) > MOST_CHILDREN:
            return ""
        parts.append(_run(call.engine, row))
    return etag(parts)


def journal_version(call: Call[Any, None]) -> str:
    """Of a run's journal, which only grows: also when a person's data in it is erased."""
    run = the_run(call).run
    return etag(run, _last(call.engine, run))


def workflow_version(call: Call[Any, None]) -> str:
    """Of one workflow, with its source and its versions."""
    definitions = call.engine.definitions
    workflow = definitions.workflow(call.path["name"])
    return (
        ""
        if workflow is None
        else etag(_code(workflow), [_code(each) for each in definitions.versions_of(workflow.name)])
    )


def workflows_version(call: Call[Any, None]) -> str:
    """Of all workflows that are known here."""
    definitions = call.engine.definitions
    return etag([_code(each) for each in map(definitions.workflow, definitions.names()) if each is not None])


def _run(engine: Engine, row: RunRow) -> list[Any]:
    store = engine.store
    said = [row, _last(engine, row.run)]
    if row.state not in CLOSED:
        tasks = store.tasks(row.namespace, state=None, run=row.run)
        said += [engine.activity(row.run), store.attempts(row.run), tasks, store.published(row.run)]
    return said


def _last(engine: Engine, run: int) -> int:
    """The number of its last event."""
    return next((seq for seq, _ in engine.store.tail(run, 1)), 0)


def _children(engine: Engine, run: int) -> Iterator[RunRow]:
    for row in engine.store.list(RunFilter(namespace=None, parent=run, limit=MOST_CHILDREN + 1)):
        yield row
        yield from _children(engine, row.run)


def _code(workflow: Workflow[Any, Any]) -> tuple[Any, ...]:
    """What an answer tells of it, and when the files were written last that its source is read from: those of its own
    package, as far as its outline follows calls."""
    package = str(inspect.unwrap(workflow.function).__module__).partition(".")[0]
    return workflow.name, workflow.version, workflow.label, workflow.ramp, workflow.versioning, _written(package)


def _written(package: str) -> list[tuple[str, int]]:
    files = {
        file
        for name, module in list(sys.modules.items())
        if name.partition(".")[0] == package and (file := getattr(module, "__file__", None)) and os.path.exists(file)
    }
    return sorted((file, os.stat(file).st_mtime_ns) for file in files)
