"""A run with all that is known of it as lines of JSON: for archives, for other tools, for a person's right to a copy.

Each line is an object with one key that says what it is: ``run`` (its row, first, also where several runs follow one
another), ``event`` (number and event, in order), ``task``, ``note`` (number of the task, and what was said or done
about it), ``published`` and ``artifact`` (name and value), ``payload`` (content address and base64; null for one that
is missing) and ``log``. The journal is read in pages, so a run of any length is exported in little memory.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import msgspec

from segue.errors import RunNotFound
from segue.stores import objects
from segue.stores.base import Store
from segue.stores.place_rows import Placed

LOG_PAGE = 1_000

_encode = msgspec.json.Encoder().encode


def export(store: Store, run: int, missing: Callable[[Placed], None] = lambda value: None) -> Iterator[bytes]:
    """The lines, each with its newline.

    Args:
        missing: called with each large value that is not where it has to be.

    Raises:
        RunNotFound: there is no such run.
        StoreUnavailable: the database, or a place where large values are, does not answer.
    """
    row = store.run(run)
    if row is None:
        raise RunNotFound(str(run))
    yield _line("run", row)
    for seq, event in store.journal(run):
        yield _line("event", (seq, msgspec.Raw(event)))
    for task in store.tasks(row.namespace, state=None, run=run):
        texts = {"form": _json(task.form), "subject": _json(task.subject), "outcome": _json(task.outcome)}
        yield _line("task", {**msgspec.structs.asdict(task), **texts})
        for note in store.people.notes(run, task.task):
            yield _line("note", (task.task, note))
    for name, value in sorted(store.published(run).items()):
        yield _line("published", (name, msgspec.Raw(value)))
    for name, value in store.artifacts(run).items():
        yield _line("artifact", (name, msgspec.Raw(value)))
    for ref in store.refs(run):
        yield _line("payload", (ref, _value(store, ref, missing)))
    yield from _logs(store, run)


def _value(store: Store, ref: str, missing: Callable[[Placed], None]) -> bytes | None:
    here, elsewhere = store.places.look([ref])
    for value in elsewhere:
        found = objects.find(value.place)
        if found is None:
            missing(value)
        return found
    return here.get(ref)


def _logs(store: Store, run: int) -> Iterator[bytes]:
    after = 0
    while page := store.logs.read(run, after=after, limit=LOG_PAGE):
        yield from (_line("log", line) for line in page)
        after = page[-1].row


def _json(text: bytes | None) -> msgspec.Raw | None:
    return None if text is None else msgspec.Raw(text)


def _line(kind: str, value: Any) -> bytes:
    return _encode({kind: value}) + b"\n"
