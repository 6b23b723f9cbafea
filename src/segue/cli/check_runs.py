"""``segue check`` against the runs that are open: in the database, or in an export of it."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec

from segue.authoring.python.definitions import WORKFLOWS
from segue.cli.exits import FAILED, OK
from segue.cli.lookup import client
from segue.cli.output import badge, console, print_json
from segue.cli.scope import Scope
from segue.cli.words import count
from segue.configuration.formats import Formats
from segue.errors import InvalidArgument
from segue.owner.checking import Group, InExport, InStore, Journals, Verdict, check_runs, grouped
from segue.owner.serving import Definitions

SHOWN = 20
"""Runs that are named for each cause."""


def check_open_runs(scope: Scope, sample: int | None, export: str | None) -> int:
    """Replays them, and prints what would stand still; the exit code."""
    if sample is not None and sample < 1:
        raise InvalidArgument(f"--sample is {sample}; it is how many runs to look at, from 1")
    if export is not None:
        return _print(list(_in_export(export, sample)), scope, sample)
    return _print(asyncio.run(_in_database(scope, sample)), scope, sample)


def _in_export(name: str, sample: int | None) -> list[Verdict]:
    formats = Formats(None, None)
    try:
        with open(name, "rb") as file:
            journals: Journals = InExport(file, name, formats)
    except OSError as error:
        raise InvalidArgument(f"{name} cannot be read: {error.strerror}") from error
    hash_key = formats.codec.hash_key if formats.codec else None
    return list(check_runs(Definitions(formats.encodings, hash_key, None), journals, sample=sample))


async def _in_database(scope: Scope, sample: int | None) -> list[Verdict]:
    async with client(scope) as engine:
        journals = InStore(engine.store, engine.journal, engine.namespace, engine.app)
        return await asyncio.to_thread(lambda: list(check_runs(engine.definitions, journals, sample=sample)))


def _print(verdicts: list[Verdict], scope: Scope, sample: int | None) -> int:
    groups = grouped(verdicts)
    failed = sum(group.runs for group in groups)
    code = FAILED if failed else OK
    if scope.json:
        causes = [{**msgspec.structs.asdict(group), "example": group.example.id} for group in groups]
        told: dict[str, Any] = {"runs": len(verdicts), "failed": failed, "causes": causes, "results": verdicts}
        print_json(msgspec.to_builtins(told))
        return code
    out = console()
    for group in groups:
        _print_group(group, [verdict for verdict in verdicts if _belongs(verdict, group)])
    pending = sorted({step for verdict in verdicts for step in verdict.pending})
    if pending:
        out.print(
            f"recorded, and not called up to where the runs are: {', '.join(pending)}; what the code still comes to is "
            "adopted then, and a run that ends without it stands still at its end",
            soft_wrap=True,
        )
    looked_at = count(len(verdicts), "open run") + (" (a sample)" if sample == len(verdicts) else "")
    if failed:
        out.print(f"{failed:,} of {looked_at} would stand still with this code")
    else:
        out.print(f"{looked_at} of {', '.join(WORKFLOWS.names())} can go on with this code")
    return code


def _belongs(verdict: Verdict, group: Group) -> bool:
    return (verdict.workflow, verdict.cause, verdict.step) == (group.workflow, group.cause, group.step)


def _print_group(group: Group, runs: list[Verdict]) -> None:
    out = console()
    out.print(badge("incident").append(f"  {group}", style="default"), soft_wrap=True)
    named = ", ".join(verdict.id for verdict in runs[:SHOWN])
    more = f" and {len(runs) - SHOWN:,} more" if len(runs) > SHOWN else ""
    out.print(f"  {group.example.problem}", soft_wrap=True)
    out.print(f"  {named}{more}", soft_wrap=True)
