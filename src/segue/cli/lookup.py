"""Opens a database as a client, and finds the run that a person means: by id, or by the beginning of one."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from difflib import get_close_matches

from segue.cli.scope import Scope
from segue.cli.words import ago
from segue.engine import Engine
from segue.errors import CallerError, InvalidArgument, RunNotFound
from segue.stores.base import RunFilter, RunRow


class NoSuchRun(RunNotFound):
    """No run has the id, nor one that begins with it; the text says which ones come near."""

    def __init__(self, id: str, namespace: str, hint: str) -> None:
        CallerError.__init__(self, f"no run {id!r} in namespace {namespace!r}; {hint}")
        self.run_id = id
        self.namespace = namespace


@asynccontextmanager
async def client(scope: Scope) -> AsyncIterator[Engine]:
    """An engine that owns nothing, on a database that is there.

    Raises:
        StoreUnavailable: there is none.
    """
    scope.require_database()
    async with Engine(scope.url, app=scope.app, namespace=scope.namespace, own=False) as engine:
        yield engine


def lookup(engine: Engine, id: str) -> RunRow:
    """The run of an id, or the only one whose id begins so.

    Raises:
        NoSuchRun: there is none.
        InvalidArgument: there are several.
    """
    row = engine.store.find(engine.namespace, id)
    if row is not None:
        return row
    found = {row.id: row for row in engine.store.list(RunFilter(namespace=engine.namespace, id_prefix=id, limit=20))}
    if len(found) == 1:
        (only,) = found
        row = engine.store.find(engine.namespace, only)
        assert row is not None, "it was listed a moment ago"
        return row
    if found:
        now = engine.clock.now()
        listed = "\n".join(f"  {r.id}  {r.state}, started {ago(r.started_at, now)}" for r in found.values())
        raise InvalidArgument(f"{len(found)} runs begin with {id!r}; write more of the id:\n{listed}")
    known = [row.id for row in engine.store.list(RunFilter(namespace=engine.namespace, limit=1000))]
    near = get_close_matches(id, known, 3, 0.5)
    if near:
        raise NoSuchRun(id, engine.namespace, f"did you mean {' or '.join(near)}?")
    raise NoSuchRun(id, engine.namespace, "`segue list` shows what there is" if known else "there are no runs at all")
