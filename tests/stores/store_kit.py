"""The owner of an app as the conformance tests play it, and short ways to say what they write and read."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import psycopg

from segue.stores.base import (
    Answer,
    Append,
    Batch,
    Blob,
    Operation,
    Post,
    RunFilter,
    RunRow,
    Started,
    StartRun,
    StateWrite,
    Status,
    Store,
    TaskRow,
)
from segue.stores.postgres.store import PostgresStore

EVENT = b'["RunStarted",1,null,null]'
StoreFactory = Callable[[], Store]


class Owner:
    """The owner of app ``default``, as the runtime is one: keeps the fence, numbers its commits, starts runs."""

    def __init__(self, store: Store) -> None:
        fence = store.own("default", "test")
        assert fence is not None
        self.store = store
        self.fence = fence
        self._numbers = itertools.count(1)

    def batch(self, *operations: Operation) -> Batch:
        return Batch(next(self._numbers), operations, self.fence)

    def commit(self, *operations: Operation) -> list[Answer]:
        return self.store.commit(self.batch(*operations))

    def start(self, id: str, **fields: Any) -> int:
        (answer,) = self.commit(start(id, **fields))
        assert isinstance(answer, Started)
        assert answer.outcome == "started"
        return answer.run


def die(store: Store) -> None:
    """Ends the store as the death of its process does; where a lease is to run out, it has."""
    store.close(clean=False)
    if isinstance(store, PostgresStore):
        with psycopg.connect(store.address.target, autocommit=True) as connection:
            connection.execute("UPDATE segue.owners SET expires = '-infinity'")


def partitioned(url: str, *bounds: int) -> None:
    """Has the new database's tables partitioned at these runs, and not where they would be."""
    with psycopg.connect(url, autocommit=True) as connection:
        for table in ("journal", "log_lines"):
            connection.execute(f"DROP TABLE segue.{table}_0".encode())
            for low, high in itertools.pairwise(bounds):
                connection.execute("SELECT segue.make_partition(%s, %s, %s)", (table, low, high))


def start(id: str, **fields: Any) -> StartRun:
    given = {"uid": f"uid-{id}", "workflow": "fulfil", "input_hash": "h", "at": 100} | fields
    return StartRun(namespace=given.pop("namespace", "default"), id=id, app="default", event=EVENT, **given)


def signal(message: str, run: int | None = None, **fields: Any) -> Post:
    return Post("signal", b"body of " + message.encode(), message, 200, run=run, **fields)


def closed(state: str = "completed", at: int = 500) -> Status:
    return Status(state, None, at)


def events(store: Store, run: int) -> list[bytes]:
    return [event for _, event in store.journal(run)]


def row(store: Store, run: int) -> RunRow:
    found = store.run(run)
    assert found is not None
    return found


def everything(run: int, seq: int, **fields: Any) -> Append:
    """An append that brings all that an append can bring."""
    given: dict[str, Any] = {
        "tasks": (TaskRow("everything", "sign", "ann", 5, form=b"form", subject=b"subject"),),
        "attributes": {"a": 1},
        "published": {"p": b"1"},
        "state": (StateWrite("scope", "key", b"value"),),
        "blobs": (Blob(f"blob-{run}", b"large"),),
        "artifacts": {"chart": b"1"},
    }
    return Append(run, seq, (b"e",), **(given | fields))


def nothing_beside_the_journal(store: Store, run: int) -> bool:
    return (
        store.tasks("default", state=None, run=run) == []
        and store.published(run) == {}
        and store.artifacts(run) == {}
        and store.list(RunFilter(attributes={"a": 1})) == []
        and store.blobs([f"blob-{run}"]) == {}
    )
