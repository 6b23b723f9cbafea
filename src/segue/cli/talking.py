"""``segue query`` and ``segue update``: what a person asks of a run, and the answer."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Annotated, Any

from cyclopts import Parameter
from rich.text import Text

from segue.cli import values
from segue.cli.lookup import client, lookup
from segue.cli.messages import RunId
from segue.cli.output import console, print_json
from segue.cli.payloads import readable
from segue.cli.scope import Scope
from segue.cli.serving import load_all
from segue.engine import Engine
from segue.errors import CallerError
from segue.kernel.duration import microseconds
from segue.kernel.plain import plain_value
from segue.stores.base import RunRow

Arguments = Annotated[str, Parameter(help="Its arguments: JSON, bare words, or @file.json.")]


def query(
    run: RunId,
    name: Annotated[str, Parameter(help="The query's name.")],
    /,
    *arguments: Arguments,
    code: Annotated[tuple[str, ...], Parameter(help="File, folder or module with the run's code.")] = (),
    scope: Scope = Scope(),  # noqa: B008 (immutable)
) -> int:
    """Ask a run something. It is replayed here, as far as it is on disk, and changes nothing; it may have ended."""
    if code:
        load_all(code)
    given = tuple(values.untyped(text) for text in arguments)

    async def ask(engine: Engine, row: RunRow) -> Any:
        if engine.definitions.workflow(row.workflow) is None:
            raise CallerError(
                f"run {row.id!r} is of workflow {row.workflow!r}, and to answer it is replayed here: name its code "
                "with --code FILE.py"
            )
        return await engine.query(row.run, name, given)

    return _asked(scope, run, ask)


def update(
    run: RunId,
    name: Annotated[str, Parameter(help="The update's name.")],
    /,
    *arguments: Arguments,
    id: Annotated[
        str | None,
        Parameter(
            help="An id under which it is carried out only once; asked again, the same answer.", show_default=False
        ),
    ] = None,
    timeout: Annotated[str | None, Parameter(help="How long to wait for the answer.", show_default=False)] = None,
    by: Annotated[str, Parameter(help="Who asks; kept in the journal.", show_default=False)] = "",
    scope: Scope = Scope(),  # noqa: B008 (immutable)
) -> int:
    """Change a run through one of its updates, and wait for the answer. A worker has to be alive to give it."""
    given = tuple(values.untyped(text) for text in arguments)
    limit = None if timeout is None else microseconds(timeout) / 1_000_000

    async def ask(engine: Engine, row: RunRow) -> Any:
        if engine.store.owner(row.app) is None:
            raise CallerError(
                f"no worker of app {row.app!r} is alive to carry out update {name!r}, and nothing was sent; begin one "
                "with segue worker, or leave a message with segue signal"
            )
        try:
            async with asyncio.timeout(limit):
                return await engine.update(row.run, name, given, id=id, by=by)
        except TimeoutError:
            again = f"asked again with --id {id}, it gives the answer" if id else "`segue show` says what became of it"
            raise CallerError(
                f"update {name!r} of run {row.id!r} has no answer after {timeout}; it may yet come: {again}"
            ) from None

    return _asked(scope, run, ask)


def _asked(scope: Scope, id: str, ask: Callable[[Engine, RunRow], Awaitable[Any]]) -> int:
    async def asked() -> None:
        async with client(scope) as engine:
            row = lookup(engine, id)
            answer = engine.encodings.encode(await ask(engine, row))
        if scope.json:
            print_json({"id": row.id, "answer": plain_value(answer)})
        else:
            console().print(Text(readable(answer)))

    asyncio.run(asked())
    return 0
