"""``segue query`` and ``segue update``: what a person asks of a run, and the answer."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

import msgspec
from cyclopts import Parameter
from rich.text import Text

from segue.cli import values
from segue.cli.awaiting import point_to, unless_asked
from segue.cli.exits import DATABASE, NOT_YET, OK
from segue.cli.interrupts import Interrupts, stopped_by
from segue.cli.lookup import lookup, reached
from segue.cli.messages import RunId
from segue.cli.output import console, print_error, print_json
from segue.cli.payloads import readable
from segue.cli.scope import Reach
from segue.cli.serving import load_all
from segue.errors import CallerError, InvalidArgument, SegueError, ServerUnavailable
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

    async def asked() -> int:
        async with reached(scope) as answers:
            row = await lookup(answers, run)
            return _answered(scope, row, await ask(answers, row))

    return asyncio.run(asked())


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

    async def ask(answers: Answers, row: RunView, interrupts: Interrupts) -> tuple[Any] | None:
        app = await answers.ask(overview.show_app, query=overview.AppQuery(row.app))
        if app.owner is None:
            raise CallerError(
                f"no worker of app {row.app!r} is alive to carry out update {name!r}, and nothing was sent; begin one "
                "with segue worker, or leave a message with segue signal"
            )
        async with asyncio.timeout(limit):
            asked = answers.ask(acting.update_run, run=row.run, body=body)
            answered = await unless_asked(asked, interrupts)
        return None if answered is None else (answered.result().value,)

    async def asked() -> int:
        async with reached(scope, by=by) as answers:
            row = await lookup(answers, run)
            interrupts = Interrupts()
            late = CallerError(f"update {name!r} of run {row.id!r} has no answer after {timeout}")
            try:
                answer = await ask(answers, row, interrupts)
            except TimeoutError:
                return _unanswered(scope, row, body, NOT_YET, late)
            except ServerUnavailable as error:
                return _unanswered(scope, row, body, DATABASE, error)
            if answer is None:
                return _unanswered(scope, row, body, interrupts.exit_code)
        return _answered(scope, row, answer[0])

    return asyncio.run(asked())


def _answered(scope: Reach, row: RunView, answer: Any) -> int:
    if scope.json:
        print_json({"id": row.id, "answer": answer})
    else:
        console().print(Text(readable(from_bytes(JSON, msgspec.json.encode(answer)))))
    return OK


def _unanswered(scope: Reach, row: RunView, body: acting.CallBody, code: int, error: SegueError | None = None) -> int:
    """An update was sent, and nobody waits for its answer any longer: because of an error, or by a signal."""
    if scope.json:
        told = {"id": row.id, "update": body.name, "answered": False}
        print_json(told) if error is None else print_error(error, as_json=True, **told)
        return code
    if error is not None:
        print_error(error)
    why = "" if error is not None else f"{stopped_by(code)}; "
    again = f", and asked again with --id {body.id}, it gives the answer" if body.id else ""
    point_to(scope, row.id, f"{why}update {body.name!r} may be carried out all the same{again}; look at it with")
    return code
