"""``segue erase``: erases a person's data from runs that have ended."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Container
from typing import Annotated

from cyclopts import Parameter

from segue.cli import values
from segue.cli.listing import run_json
from segue.cli.lookup import client, row_of
from segue.cli.messages import confirm
from segue.cli.output import console, print_json
from segue.cli.person import person
from segue.cli.scope import Scope
from segue.cli.words import count
from segue.engine import Engine
from segue.errors import CallerError, InvalidArgument
from segue.repair.erasing import reach
from segue.server.views import run_view
from segue.stores.base import RunFilter, RunRow
from segue.stores.listing import every


def erase(
    *runs: Annotated[str, Parameter(help="Ids of runs, or the beginnings of them.")],
    attribute: Annotated[
        tuple[str, ...], Parameter(help="All runs with this attribute, name=value.", negative=())
    ] = (),
    reason: Annotated[str, Parameter(help="Why; kept in the journal.", show_default=False)] = "",
    yes: Annotated[bool, Parameter(help="Do not ask.", negative=(), show_default=False)] = False,
    scope: Scope = Scope(),  # noqa: B008 (immutable)
) -> int:
    """Erase a person's data: inputs, results, messages, attributes, logs of runs that have ended and their children.

    All runs are erased that have ever had the id: also those before a retry from the start, or in a chain. That the
    runs were, which steps they took and how they ended stays, and the erasure is journaled. Backups that were made
    before keep what they hold.
    """
    if not runs and not attribute:
        raise InvalidArgument("no run is named; write `segue erase RUN` or `segue erase --attribute customer=ann`")
    return asyncio.run(_erase(scope, runs, attribute, reason, yes))


async def _erase(scope: Scope, ids: tuple[str, ...], attribute: tuple[str, ...], reason: str, yes: bool) -> int:
    async with client(scope) as engine:
        rows = {row.run: row for row in [await row_of(engine, id) for id in ids]}
        if attribute:
            where = RunFilter(namespace=engine.namespace, attributes=values.attributes(attribute))
            rows |= {row.run: row for row in every(engine.store, where)}
        if not rows:
            raise CallerError(f"no run has the attribute {' and '.join(attribute)}; nothing was changed")
        if not yes:
            confirm(f"Erase the data of {_told(reach(engine.store, rows), rows)}? It cannot be undone.", scope)
        erased = await engine.erase(*rows, by=person(), reason=reason)
        if scope.json:
            print_json([run_json(run_view(now)) for row in erased if (now := engine.store.run(row.run)) is not None])
            return 0
        out = console()
        for (workflow, id), runs in Counter((row.workflow, row.id) for row in erased).items():
            out.print(f"erased: {workflow} {id}" + (f" ({count(runs, 'run')})" if runs > 1 else ""))
        parents = {row.parent for row in erased if row.parent is not None} - {row.run for row in erased}
        for parent in parents:
            _tell_of_parent(engine, parent)
    return 0


def _told(reached: list[RunRow], named: Container[int]) -> str:
    others = sum(row.run not in named for row in reached)
    told = count(len(reached), "run")
    return f"{told} ({others:,} of them earlier ones of the ids, or children)" if others else told


def _tell_of_parent(engine: Engine, run: int) -> None:
    row = engine.store.run(run)
    if row is not None:
        console().print(f"its parent {row.id} still holds what it passed to it and got back; `segue erase {row.id}`")
