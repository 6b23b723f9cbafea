"""Random batches of operations, for tests that carry one out in two ways."""

from __future__ import annotations

from typing import Any

import msgspec
from hypothesis import strategies as st
from store_kit import EVENT, Owner

from segue.stores.base import (
    Append,
    Blob,
    CompleteTask,
    Operation,
    Post,
    RunFilter,
    StartRun,
    StateWrite,
    Status,
    Store,
    TaskRow,
)

IDS = ["a", "b", "c"]
RUNS = [1, 2, 3]
NAMES = ["p", "q"]
WAITING = 2
"""The run for which a message waits, in row 1."""

texts = st.sampled_from([b"1", b"22", b"", b"\x00\xff"])
blobs = st.lists(st.sampled_from([Blob("r1", b"one"), Blob("r2", b"two")]), max_size=2).map(tuple)
posts = st.builds(
    Post,
    kind=st.just("signal"),
    body=texts,
    message=st.sampled_from(["m1", "m2", "m3"]),
    at=st.just(5),
    run=st.sampled_from([*RUNS, 4711, None]),
    id=st.sampled_from(IDS),
    blobs=blobs,
)
starts = st.builds(
    StartRun,
    namespace=st.just("default"),
    id=st.sampled_from(IDS),
    uid=st.sampled_from(["u1", "u2", "u3", "u4"]),
    app=st.just("default"),
    workflow=st.just("fulfil"),
    at=st.just(7),
    event=st.just(EVENT),
    input_hash=st.sampled_from(["h", "other"]),
    on_conflict=st.sampled_from(["use-existing", "fail", "replace", "terminate-if-running"]),
    terminated_event=st.sampled_from([b"terminated", None]),
    blobs=blobs,
)
appends = st.builds(
    Append,
    run=st.sampled_from(RUNS),
    seq=st.sampled_from([2, 2, 2, 3, 9]),
    events=st.lists(texts, min_size=1, max_size=3).map(tuple),
    status=st.none()
    | st.builds(Status, st.sampled_from(["running", "waiting", "completed"]), st.sampled_from([None, 9]), st.just(8)),
    check_inbox=st.booleans(),
    consumed=st.lists(st.integers(1, 4), max_size=2).map(tuple),
    tasks=st.sampled_from([(), (TaskRow("new", "sign", "ann", 5),)]),
    closed_tasks=st.sampled_from([(), ("k",)]),
    reassigned=st.sampled_from([{}, {"k": "bob"}]),
    attributes=st.dictionaries(st.sampled_from(NAMES), st.sampled_from([1, "x", None]), max_size=2),
    published=st.dictionaries(st.sampled_from(NAMES), st.none() | texts, max_size=2),
    state=st.lists(st.builds(StateWrite, st.just("s"), st.sampled_from(NAMES), st.none() | texts), max_size=3).map(
        tuple
    ),
    blobs=blobs,
    remembered=st.lists(st.sampled_from(["m1", "m2"]), max_size=2).map(tuple),
)
completions = st.builds(
    CompleteTask, st.integers(1, 4), by=st.just("ann"), at=st.just(6), outcome=st.just(b"1"), body=st.just(b"done")
)


@st.composite
def batches(draw: st.DrawFn) -> list[Operation]:
    """Operations on three runs, each appended to at most once, sorted as a batch carries them out."""
    appending = draw(st.lists(appends, max_size=3, unique_by=lambda append: append.run))
    return [
        *(append if append.run == WAITING else msgspec.structs.replace(append, consumed=()) for append in appending),
        *draw(st.lists(starts, max_size=4)),
        *draw(st.lists(posts, max_size=4)),
        *draw(st.lists(completions, max_size=2, unique_by=lambda done: done.task)),
    ]


def prepared(store: Store) -> Owner:
    """Three runs with a task each, and a message waiting for one."""
    owner = Owner(store)
    tasks = (TaskRow("k", "sign", "ann", 5),)
    for id in IDS:
        run = owner.start(id, uid=f"u{IDS.index(id) + 1}")
        owner.commit(Append(run, 2, (b"e",), tasks=tasks, published={"p": b"0"}, attributes={"q": "0"}))
    owner.commit(Post("signal", b"b", "m1", 4, run=WAITING))
    return owner


def everything_in(store: Store) -> dict[str, Any]:
    runs = [msgspec.structs.replace(run, slot=0) for run in store.list(RunFilter(namespace=None, limit=100))]
    numbers = [run.run for run in runs]
    return {
        "runs": runs,
        "journals": {run: list(store.journal(run)) for run in numbers},
        "inbox": [(m.run, m.kind, m.message, m.body) for m in store.inbox(numbers)],
        "tasks": store.tasks("default", state=None),
        "published": {run: store.published(run) for run in numbers},
        "state": {name: store.state("default", "s", name) for name in NAMES},
        "blobs": store.blobs(["r1", "r2"]),
        "stats": msgspec.structs.replace(store.stats(), bytes=0),
    }
