"""``segue run --no-record``: a workflow in memory, with no database."""

from __future__ import annotations

import asyncio
import sys
from typing import Any

import msgspec
from rich.padding import Padding
from rich.text import Text

from segue.authoring.python.definitions import Workflow
from segue.authoring.python.local import NobodyAnswers, run_locally
from segue.cli import values
from segue.cli.ending import failure_json, failure_text
from segue.cli.exits import FAILED, NOT_YET, OK, USAGE
from segue.cli.interrupts import Interrupts, leave, new_line, stopped_by
from segue.cli.output import badge, console, print_error, print_json
from segue.cli.scope import Scope
from segue.cli.words import length, state
from segue.encodings import default_encodings
from segue.errors import InvalidArgument, RunFailed
from segue.kernel.failures import summary
from segue.owner.secret_sources import configured_secrets


def run(
    workflow: Workflow[Any, Any],
    texts: tuple[str, ...],
    *,
    id: str | None,
    tags: dict[str, str],
    limit: int | None,
    scope: Scope,
) -> int:
    """Runs it and prints its result; the exit code."""
    if id is not None or tags:
        raise InvalidArgument("--no-record keeps nothing that an --id or a --tag could name; leave them out")
    arguments = tuple(values.arguments(workflow, texts, default_encodings()))
    return asyncio.run(_run(workflow, arguments, limit, scope))


async def _run(workflow: Workflow[Any, Any], arguments: tuple[Any, ...], limit: int | None, scope: Scope) -> int:
    interrupts = Interrupts()
    running = run_locally(
        workflow, arguments, {}, encodings=default_encodings(), secrets=configured_secrets().get
    )  # fmt: skip
    going = asyncio.ensure_future(running)
    asked = asyncio.ensure_future(interrupts.asked.wait())
    seconds = None if limit is None else limit / 1_000_000
    await asyncio.wait([going, asked], timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    asked.cancel()
    broken_off = not going.done()
    if broken_off:
        why = stopped_by(interrupts.exit_code) or f"not ended within {length(limit or 0)}"
        console(sys.stderr).print(f"{new_line(interrupts.exit_code)}{why}; nothing of it was recorded")
        going.cancel()
        await asyncio.wait([going])
    if broken_off:
        code = interrupts.exit_code or NOT_YET
        if scope.json:
            print_json({"workflow": workflow.name, "state": "cancelled", "ended": True})
    else:
        code = _ended(workflow, going, scope)
    leave(code)  # not with the loop, which waits for steps in threads
    return code


def _ended(workflow: Workflow[Any, Any], ended: asyncio.Future[Any], scope: Scope) -> int:
    """Prints its result, or why there is none."""
    try:
        result = msgspec.to_builtins(ended.result(), enc_hook=repr)
    except NobodyAnswers as error:
        hint = "it can be told where it is recorded: leave out --no-record"
        print_error(InvalidArgument(f"{error.waits}; {hint}"), as_json=scope.json)
        return USAGE
    except RunFailed as error:
        if scope.json:
            told = str(error) if error.failure is None else failure_json(error.failure)
            print_json({"workflow": workflow.name, "state": "failed", "error": told})
        else:
            out = console(sys.stderr)
            out.print(badge("failed").append(f"  {workflow.name}", style="default bold"))
            why = str(error) if error.failure is None else summary(error.failure)
            out.print(Text(why, style=state("failed").colour))
            if error.failure is not None:
                out.print(Padding(failure_text(error.failure), (1, 0, 0, 2), expand=False))
        return FAILED
    if scope.json:
        print_json({"workflow": workflow.name, "state": "completed", "result": result})
    elif result is not None:
        print(msgspec.json.format(msgspec.json.encode(result), indent=2).decode())
    return OK
