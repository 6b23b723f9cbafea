"""``segue check``: whether workflow code can be replayed, by its source alone or against the runs that are open."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from rich.text import Text

from segue.cli import target
from segue.cli.check_runs import check_open_runs
from segue.cli.exits import FAILED, OK
from segue.cli.lint import Finding, check_source
from segue.cli.output import console, print_json
from segue.cli.scope import Scope
from segue.cli.serving import load_all
from segue.cli.words import count
from segue.errors import InvalidArgument


def check(
    *paths: Annotated[str, Parameter(help="Files, folders or modules.")],
    static: Annotated[bool, Parameter(help="Look at the source alone.", negative=(), show_default=False)] = False,
    sample: Annotated[int | None, Parameter(help="Look at so many of the open runs.", show_default=False)] = None,
    export: Annotated[
        str | None, Parameter(help="A file of `segue db export`, in place of the database.", show_default=False)
    ] = None,
    scope: Scope = Scope(),  # noqa: B008 (immutable)
) -> int:
    """Check that workflow code can be replayed.

    With --static the source is searched for clocks, chance, files, threads and the like inside workflows. Without it
    the journals of all open runs are replayed with the code as it is now, before a worker takes it over: which would
    stand still, on which step, and why. Nothing is changed. The exit code is 1 if there are any.
    """
    if not paths:
        raise InvalidArgument("no path is named; write `segue check --static .` or `segue check orders.py`")
    if static:
        return _print_findings(_search(paths), scope)
    load_all(paths)
    return check_open_runs(scope, sample, export)


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
