"""``segue check``: whether workflow code can be replayed, by its source alone or against the runs that are open."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from rich.text import Text

from segue.authoring.python.definitions import WORKFLOWS
from segue.cli import target
from segue.cli.exits import FAILED, OK
from segue.cli.lint import Finding, check_source
from segue.cli.lookup import client
from segue.cli.output import badge, console, print_json
from segue.cli.scope import Scope
from segue.cli.serving import load_all
from segue.cli.words import count
from segue.engine import Engine
from segue.errors import InvalidArgument
from segue.kernel.replay import Replay
from segue.stores.base import OPEN, RunFilter, RunRow

PAGE = 500


def check(
    *paths: Annotated[str, Parameter(help="Files, folders or modules.")],
    static: Annotated[bool, Parameter(help="Look at the source alone.", negative=(), show_default=False)] = False,
    scope: Scope = Scope(),  # noqa: B008 (immutable)
) -> int:
    """Check that workflow code can be replayed.

    With --static the source is searched for clocks, chance, files, threads and the like inside workflows. Without it
    the journals of all open runs are replayed with the code as it is now, before a worker takes it over.
    """
    if not paths:
        raise InvalidArgument("no path is named; write `segue check --static .` or `segue check orders.py`")
    if static:
        return _print_findings(_search(paths), scope)
    load_all(paths)
    return asyncio.run(_replay_all(scope))


# --- by the source --------------------------------------------------------------------------------------------


def _search(paths: Iterable[str]) -> list[Finding]:
    findings: list[Finding] = []
    for path in paths:
        for file in target.sources_in(Path(path)) if Path(path).is_dir() else [target.file_of(path)]:
            try:
                findings += check_source(file.read_text(encoding="utf-8"), str(file))
            except (SyntaxError, ValueError) as error:  # ValueError: it is no text, or holds null bytes
                raise InvalidArgument(f"{file} is no Python that can be read: {error}") from error
            except OSError as error:
                raise InvalidArgument(f"{file} cannot be read: {error.strerror}") from error
    return findings


def _print_findings(findings: list[Finding], scope: Scope) -> int:
    if scope.json:
        print_json([finding._asdict() for finding in findings])
        return FAILED if findings else OK
    out = console()
    for finding in findings:
        where = Text(f"{finding.path}:{finding.line}:{finding.column}", style="bold")
        text = f"  {finding.what} in {finding.function}(): {finding.instead}"
        out.print(where.append(text, style="not bold"), soft_wrap=True)
    if not findings:
        out.print("nothing found that cannot be replayed")
        return OK
    out.print(
        f"{count(len(findings), 'place')} that cannot be replayed; `# segue: ok` at the end of a line silences it"
    )
    return FAILED


# --- against the open runs ------------------------------------------------------------------------------------


async def _replay_all(scope: Scope) -> int:
    async with client(scope) as engine:
        results: list[tuple[RunRow, str]] = []
        for row in _open_runs(engine):
            done: asyncio.Future[str] = asyncio.get_running_loop().create_future()
            # A run's loop is only ever driven from a plain callback.
            asyncio.get_running_loop().call_soon(_replay_into, engine, row, done)
            results.append((row, await done))
    failed = [(row, problem) for row, problem in results if problem]
    if scope.json:
        told = [{"id": row.id, "workflow": row.workflow, "problem": problem or None} for row, problem in results]
        print_json({"runs": len(results), "failed": len(failed), "results": told})
        return FAILED if failed else OK
    out = console()
    for row, problem in failed:
        line = (
            badge("incident").append(f"  {row.workflow} {row.id}  ", style="default").append(problem, style="default")
        )
        out.print(line, soft_wrap=True)
    if failed:
        out.print(f"{len(failed)} of {count(len(results), 'open run')} would stand still with this code")
        return FAILED
    out.print(f"{count(len(results), 'open run')} of {', '.join(WORKFLOWS.names())} can go on with this code")
    return OK


def _open_runs(engine: Engine) -> Iterable[RunRow]:
    for workflow in WORKFLOWS.names():
        after: int | None = None
        while True:
            where = RunFilter(namespace=engine.namespace, states=OPEN, workflow=workflow, after=after, limit=PAGE)
            rows = engine.store.list(where)
            yield from rows
            if len(rows) < PAGE:
                break
            after = rows[-1].run


def _replay_into(engine: Engine, row: RunRow, done: asyncio.Future[str]) -> None:
    execution = engine.definitions.execution(row.workflow)
    assert execution is not None, "only runs of workflows that were loaded are checked"
    replay = Replay(execution)
    try:
        for _, event in engine.events_of(row.run):
            replay.feed(event)
        replay.finish()
        execution.outstanding()  # as whoever takes the run over does, which may raise too
    except Exception as error:  # whatever it is, the run would stand still on it
        done.set_result(f"{type(error).__name__}: {error}")
    else:
        done.set_result("")
    finally:
        execution.close()
