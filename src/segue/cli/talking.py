"""``segue query`` and ``segue update``: what a person asks of a run, and the answer."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Annotated, Any

import msgspec
from cyclopts import Parameter
from rich.text import Text

from segue.cli import values
from segue.cli.lookup import lookup, reached
from segue.cli.messages import RunId
from segue.cli.output import console, print_json
from segue.cli.payloads import readable
from segue.cli.scope import Reach
from segue.cli.serving import load_all
from segue.errors import CallerError, InvalidArgument
from segue.kernel.duration import microseconds
from segue.kernel.payload import JSON, from_bytes
from segue.server import acting, overview
from segue.server.answers import Answers, Here
from segue.server.views import RunView

Arguments = Annotated[str, Parameter(help="Its arguments: JSON, bare words, or @file.json.")]


def query(
    run: RunId,
    name: Annotated[str, Parameter(help="The query's name.")],
    /,
    *arguments: Arguments,
    code: Annotated[tuple[str, ...], Parameter(help="File, folder or module with the run's code.")] = (),
    scope: Reach = Reach(),  # noqa: B008 (immutable)
) -> int:
    """Ask a run something. It is replayed here, as far as it is on disk, and changes nothing; it may have ended.

    With --server it is asked there, by whoever has its code.
    """
    if code and scope.server_address is not None:
        raise InvalidArgument("--code is for a run that is replayed here; the server answers with the code that it has")
    if code:
        load_all(code)
    given = [values.untyped(text) for text in arguments]

    async def ask(answers: Answers, row: RunView) -> Any:
        if isinstance(answers, Here) and answers.engine.definitions.workflow(row.workflow) is None:
            raise CallerError(
                f"run {row.id!r} is of workflow {row.workflow!r}, and to answer it is replayed here: name its code "
                "with --code FILE.py"
            )
        answer = await answers.ask(acting.query_run, run=row.run, body=acting.CallBody(name, given))
        return answer.value

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
    scope: Reach = Reach(),  # noqa: B008 (immutable)
) -> int:
    """Change a run through one of its updates, and wait for the answer. A worker has to be alive to give it."""
    body = acting.CallBody(name, [values.untyped(text) for text in arguments], id)
    limit = None if timeout is None else microseconds(timeout) / 1_000_000

    async def ask(answers: Answers, row: RunView) -> Any:
        app = await answers.ask(overview.show_app, query=overview.AppQuery(row.app))
        if app.owner is None:
            raise CallerError(
                f"no worker of app {row.app!r} is alive to carry out update {name!r}, and nothing was sent; begin one "
                "with segue worker, or leave a message with segue signal"
            )
        try:
            async with asyncio.timeout(limit):
                return (await answers.ask(acting.update_run, run=row.run, body=body)).value
        except TimeoutError:
            again = f"asked again with --id {id}, it gives the answer" if id else "`segue show` says what became of it"
            raise CallerError(
                f"update {name!r} of run {row.id!r} has no answer after {timeout}; it may yet come: {again}"
            ) from None

    return _asked(scope, run, ask, by)


def _asked(scope: Reach, id: str, ask: Callable[[Answers, RunView], Awaitable[Any]], by: str = "") -> int:
    async def asked() -> None:
        async with reached(scope, by=by) as answers:
            row = await lookup(answers, id)
            answer = await ask(answers, row)
        if scope.json:
            print_json({"id": row.id, "answer": answer})
        else:
            console().print(Text(readable(from_bytes(JSON, msgspec.json.encode(answer)))))

    asyncio.run(asked())
    return 0
