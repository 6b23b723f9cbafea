"""Messages into the inboxes of runs: accepted while the run is open, each once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import msgspec

from segue.stores.base import CLOSED, Blob, Post, Posted
from segue.stores.sql.payloads import keep
from segue.stores.sql.statements import Connection, Statement, flat

_find_addressees = Statement("find_addressees")
_post = Statement("post_messages")
_remember = Statement("remember_messages")

_found = msgspec.json.Decoder(list[tuple[int, int, str, int, int]])

_UNKNOWN = Posted("unknown")
_ANSWERS = ("child", "task", "step", "outcome")
"""What only the run can take that has asked for it: in the next run of its chain another call may have the same key."""


def deliver(connection: Connection, posts: Sequence[Post]) -> list[Posted]:
    """Carries out the posts; the answers are in their order."""
    if not posts:
        return []
    addressees, last = _look_up(connection, posts)
    if any(state == "continued" for _, _, state, _, _ in addressees):  # it went on while its row was waited for
        addressees, last = _look_up(connection, posts)
    rows_of_inbox = connection.numbers("inbox", last, len(addressees))
    answers: list[Posted] = [_UNKNOWN] * len(posts)
    seen: set[tuple[int, str, int]] = set()
    rows: list[Any] = []
    blobs: list[tuple[int, Blob]] = []
    for index, run, state, known, chain in addressees:
        post = posts[index]
        if post.kind in _ANSWERS and post.run not in (None, run):
            answers[index] = Posted("duplicate" if known else "closed", None, post.run, "continued")
        elif state in CLOSED:
            answers[index] = Posted("duplicate" if known else "closed", None, run, state)
        elif known or (chain, post.message, run) in seen:
            answers[index] = Posted("duplicate", None, run, state)
        else:
            row = next(rows_of_inbox)
            answers[index] = Posted("posted", row, run, state)
            seen.add((chain, post.message, run))
            rows += (row, run, post.kind, post.message, post.at, post.body)
            blobs += [(run, blob) for blob in post.blobs]
    _post.many(connection, rows)
    _remember.many(connection, flat(seen))
    keep(connection, blobs)
    return answers


def refusal(connection: Connection, run: int, message: str) -> Literal["duplicate", "closed"] | None:
    """Why the run would not take the answer now: it has it already, or it has ended."""
    found, _ = _look_up(connection, [Post("", b"", message, 0, run=run)])
    if not found:
        return "closed"
    ((_, latest, state, known, _),) = found
    return "duplicate" if known else "closed" if state in CLOSED or latest != run else None


def _look_up(connection: Connection, posts: Sequence[Post]) -> tuple[list[tuple[int, int, str, int, int]], int]:
    """(number of the post, run, state, whether it knows the message, its chain) of posts whose run exists; the last
    inbox row."""
    named = flat((i, post.run, post.namespace, post.id, post.message) for i, post in enumerate(posts))
    rows = _find_addressees.many(connection, named)
    return [addressee for found, _ in rows for addressee in _found.decode(found)], rows[-1][1]
