"""``segue run``: runs one workflow to its end and shows it as it goes."""

from __future__ import annotations

import asyncio
import logging
import sys
import uuid
from typing import Annotated, Any

from cyclopts import Parameter
from rich.text import Text

from segue.authoring.python.definitions import Workflow
from segue.cli import target, tree, unrecorded, values
from segue.cli.ending import conclude
from segue.cli.exits import NOT_YET
from segue.cli.interrupts import Interrupts, leave, stopped_by
from segue.cli.output import console, print_json
from segue.cli.printed import Printed
from segue.cli.scope import Scope
from segue.cli.screens import follow
from segue.cli.words import length
from segue.client.handles import Handle
from segue.configuration.settings import read_settings
from segue.engine import Engine
from segue.errors import CallerError, InvalidArgument, RunAlreadyExists
from segue.kernel.duration import microseconds
from segue.kernel.events import RunContinued
from segue.watching import LiveWatch


def run(
    target: Annotated[str, Parameter(help="file.py:workflow, module:workflow, or file.py with one workflow.")],
    /,
    *args: Annotated[str, Parameter(help="The workflow's arguments: JSON, bare words, or @file.json.")],
    id: Annotated[str | None, Parameter(help="The run's id. The same one again goes on with that run.")] = None,
    tag: Annotated[
        tuple[str, ...], Parameter(help="A label, name=value, to find the run by.", negative=(), show_default=False)
    ] = (),
    timeout: Annotated[str | None, Parameter(help="How long to wait, such as 30s; the run itself goes on.")] = None,
    logs: Annotated[bool, Parameter(help="Show what steps print.", negative=(), show_default=False)] = False,
    no_record: Annotated[
        bool, Parameter(help="Run in memory, with no database and no record.", negative=(), show_default=False)
    ] = False,
    scope: Scope = Scope(),  # noqa: B008 (immutable)
) -> int:
    """Run a workflow to its end and show its steps as they go.

    The run is durable: interrupted, it goes on with the same --id. Exit codes: 0 completed, 1 failed, 2 usage,
    3 incident, 4 cancelled or terminated, 5 not ended within --timeout, 6 the database cannot be used, 130 interrupted.
    """
    id = values.new_id(id)
    limit = None if timeout is None else microseconds(timeout)
    tags = values.pairs(tag, "--tag")
    if not no_record:
        scope.require_no_server()
    workflow = _find(target)
    if no_record:
        return unrecorded.run(workflow, args, id=id, tags=tags, limit=limit, scope=scope)
    # What the engine would log is shown already.
    logging.getLogger("segue").addHandler(logging.NullHandler())
    session = _Session(target, workflow, args, id=id, tags=tags, limit=limit, logs=logs, scope=scope)
    return asyncio.run(session.run())


def _find(name: str) -> Workflow[Any, Any]:
    if not target.is_code(name):
        raise InvalidArgument(
            f"{name!r} names no code; write file.py:workflow or module:workflow (`segue start {name}` starts a run "
            "in a worker that has the workflow)"
        )
    return target.find(name)


class _Session:
    """One call of the command."""

    def __init__(
        self,
        target: str,
        workflow: Workflow[Any, Any],
        texts: tuple[str, ...],
        *,
        id: str | None,
        tags: dict[str, str],
        limit: int | None,
        logs: bool,
        scope: Scope,
    ) -> None:
        self._target = target
        self._workflow = workflow
        self._texts = texts
        self._id = id
        self._tags = tags
        self._limit = limit
        self._logs = logs
        self._scope = scope

    async def run(self) -> int:
        interrupts = Interrupts()
        with Printed() as printed:
            code = await self._serve(interrupts, printed)
            leave(code)  # while what other runs print is still kept out of the picture
            return code

    async def _serve(self, interrupts: Interrupts, printed: Printed) -> int:
        scope = self._scope
        # Other programs may keep their runs in the same file: they are left to those who have the code.
        settings = read_settings(strangers="leave")
        engine = Engine(scope.url, app=scope.app, namespace=scope.namespace, settings=settings)
        await engine.open()
        try:
            handle = await self._start(engine)
            self._tell_owner(engine)
            watch = LiveWatch(engine, handle.run, apart=True)
            event = await follow(watch, interrupts, printed, limit=self._limit, logs=self._logs, scope=scope)
            while isinstance(event, RunContinued):
                watch = LiveWatch(engine, (await engine.latest(watch.run)).run, apart=True)
                event = await follow(watch, interrupts, printed, limit=self._limit, logs=self._logs, scope=scope)
            watch.refresh()
            if event is None:
                return self._broken_off(watch, interrupts, elsewhere=not engine.owner)
            return self._ended(watch, event)
        finally:
            await engine.close()

    async def _start(self, engine: Engine) -> Handle[Any]:
        row = engine.store.find(engine.namespace, self._id) if self._id else None
        if row is not None and row.workflow != self._workflow.name:
            raise InvalidArgument(
                f"run {row.id!r} is a run of {row.workflow}, not of {self._workflow.name}; choose another --id"
            )
        if row is not None and not self._texts:
            return await engine.handle(row.id)
        arguments = values.arguments(self._workflow, self._texts, engine.encodings)
        if self._id is not None:
            try:
                return await engine.start(self._workflow, *arguments, id=self._id, tags=self._tags)
            except RunAlreadyExists as error:
                raise CallerError(
                    f"run {error.run_id!r} exists already: {error.reason}; choose another --id, or leave the arguments "
                    "out to go on with it"
                ) from error
        id = f"{self._workflow.name}-{uuid.uuid4().hex[:8]}"
        return await engine.start(self._workflow, *arguments, id=id, tags=self._tags, on_conflict="fail")

    def _tell_owner(self, engine: Engine) -> None:
        """Whose code it is that runs: not this one's, where another process owns the runs."""
        owner = None if engine.owner else engine.store.owner(engine.app)
        if owner is None or self._scope.json:
            return
        version = owner.serves.get(self._workflow.name)
        other = "" if version == self._workflow.version else ", with other code than is here"
        console(sys.stderr).print(Text(f"{owner.worker} owns the runs of app {engine.app!r}: it runs there{other}"))

    def _ended(self, watch: LiveWatch, event: Any) -> int:
        again = self._scope.command("run", self._target, "--id", watch.id)
        return conclude(watch, event, scope=self._scope, again=again)

    def _broken_off(self, watch: LiveWatch, interrupts: Interrupts, *, elsewhere: bool) -> int:
        code = interrupts.exit_code or NOT_YET
        if self._scope.json:
            print_json({"id": watch.id, "workflow": watch.row.workflow, "state": watch.state, "ended": False})
            return code
        out = console()
        if watch.timeline.calls:
            out.print(tree.final(watch, now=watch.now, width=out.width))
            out.print()
        why = stopped_by(interrupts.exit_code) or f"not ended within {length(self._limit or 0)}"
        goes_on = "the run itself goes on; watch it with" if elsewhere else "the run goes on with"
        out.print(f"{why}; what is recorded stays recorded, and {goes_on}")
        out.print(Text(f"  {self._scope.command('run', self._target, '--id', watch.id)}", style="bold"), soft_wrap=True)
        return code
