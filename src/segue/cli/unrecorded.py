"""``segue run --no-record``: a workflow in memory, with no database."""

from __future__ import annotations

import asyncio
import sys
from contextlib import nullcontext, redirect_stdout
from typing import Any

import msgspec
from rich.padding import Padding
from rich.text import Text

from segue.authoring.python.definitions import Workflow
from segue.authoring.python.local import NobodyAnswers, run_locally
from segue.cli import values
from segue.cli.ending import failure_json, failure_text
from segue.cli.exits import FAILED, NOT_YET
from segue.cli.output import console, print_json
from segue.cli.scope import Scope
from segue.encodings import default_encodings
from segue.errors import InvalidArgument, RunFailed


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
    encodings = default_encodings()
    arguments = tuple(values.arguments(workflow, texts, encodings))
    seconds = None if limit is None else limit / 1_000_000
    going = run_locally(workflow, arguments, {}, encodings=encodings)
    try:
        # With --json, what steps print goes where it does not stand between a program and the JSON.
        with redirect_stdout(sys.stderr) if scope.json else nullcontext():
            result = msgspec.to_builtins(asyncio.run(asyncio.wait_for(going, seconds)), enc_hook=repr)
    except TimeoutError:
        console(sys.stderr).print("not ended in time; nothing of it was recorded")
        return NOT_YET
    except NobodyAnswers as error:
        raise InvalidArgument(f"{error.waits}; it can be told where it is recorded: leave out --no-record") from None
    except RunFailed as error:
        if scope.json:
            told = str(error) if error.failure is None else failure_json(error.failure)
            print_json({"workflow": workflow.name, "state": "failed", "error": told})
        else:
            out = console(sys.stderr)
            out.print(Text(str(error)))
            if error.failure is not None:
                out.print(Padding(failure_text(error.failure), (1, 0, 0, 2), expand=False))
        return FAILED
    if scope.json:
        print_json({"workflow": workflow.name, "state": "completed", "result": result})
    elif result is not None:
        print(msgspec.json.format(msgspec.json.encode(result), indent=2).decode())
    return 0
