"""``segue erase``: erases a person's data from runs that have ended."""

from __future__ import annotations

import asyncio
from typing import Annotated

import msgspec
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
from segue.errors import CallerError, InvalidArgument, RunStillOpen
from segue.server.views import run_view
from segue.stores.base import CLOSED, RunFilter, RunRow

PAGE = 500


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

    Of a run that has gone on as a new one, all runs of the chain are erased. That the runs were, which steps they took
    and how they ended stays, and the erasure is journaled. Backups that were made before keep what they hold.
    """
    if not runs and not attribute:
        raise InvalidArgument("no run is named; write `segue erase RUN` or `segue erase --attribute customer=ann`")
    return asyncio.run(_erase(scope, runs, attribute, reason, yes))


async def _erase(scope: Scope, ids: tuple[str, ...], attribute: tuple[str, ...], reason: str, yes: bool) -> int:
    async with client(scope) as engine:
        rows = {row.run: row for row in [await row_of(engine, id) for id in ids]}
        if attribute:
            rows |= {row.run: row for row in _matching(engine, attribute)}
        if not rows:
            raise CallerError(f"no run has the attribute {' and '.join(attribute)}; nothing was changed")
        still_open = [row.id for row in rows.values() if row.state not in CLOSED]
        if still_open:
            raise RunStillOpen(still_open)
        if not yes:
            chosen = count(len(rows), "run")
            confirm(f"Erase the data of {chosen}, their chains and their children? It cannot be undone.", scope)
        erased = await engine.erase(*rows, by=person(), reason=reason)
        if scope.json:
            print_json([run_json(run_view(now)) for row in erased if (now := engine.store.run(row.run)) is not None])
            return 0
        out = console()
        for row in erased:
            out.print(f"erased: {row.workflow} {row.id}")
        parents = {row.parent for row in rows.values() if row.parent is not None} - {row.run for row in erased}
        for parent in parents:
            _tell_of_parent(engine, parent)
    return 0


def _matching(engine: Engine, attribute: tuple[str, ...]) -> list[RunRow]:
    found: list[RunRow] = []
    where = RunFilter(namespace=engine.namespace, attributes=values.attributes(attribute), limit=PAGE)
    while True:
        page = engine.store.list(where)
        found += page
        if len(page) < PAGE:
            return found
        where = msgspec.structs.replace(where, after=page[-1].run)


def _tell_of_parent(engine: Engine, run: int) -> None:
    row = engine.store.run(run)
    if row is not None:
        console().print(f"its parent {row.id} still holds what it passed to it and got back; `segue erase {row.id}`")
