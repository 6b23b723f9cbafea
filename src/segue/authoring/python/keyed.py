"""Keyed state: values that outlive runs (cursors, deduplication, small data stores).

Inside a step, what is written becomes true in the transaction that records the step's outcome; an attempt that fails
writes nothing. Inside a workflow, reading and writing are steps of their own.

A store that is down for a while is waited for: it is no reason for an attempt to fail.
"""

from __future__ import annotations

import asyncio
import time
from typing import Any

import msgspec

from segue.authoring.python.definitions import step
from segue.authoring.python.execution import current
from segue.errors import InvalidArgument, StoreUnavailable
from segue.kernel.attempt import Attempt, current_attempt
from segue.kernel.encoding import Encodings
from segue.kernel.payload import Payload

_encodings = Encodings(otherwise="keep it elsewhere: keyed state holds what JSON does, and knows no encodings")
RETRY = 0.1
"""Seconds between two tries to read from a store that is down."""


class State:
    """``segue.state``: ``await state.get("cursor", "orders")``, ``await state.set("cursor", "orders", 42)``."""

    async def get(self, scope: str, key: str, default: Any = None) -> Any:
        """The value, or ``default``. No type is declared for it, so it is what JSON has of what was set: of a tuple a
        list, of a dataclass a dict, of a date or of bytes a text."""
        _check_names(scope, key)
        if current() is not None:
            found = await _get(scope, key)
            return default if found is None else found
        attempt = current_attempt("state.get()")
        while True:
            try:
                return _read(attempt, scope, key, default)
            except StoreUnavailable:
                await asyncio.sleep(RETRY)

    async def set(self, scope: str, key: str, value: Any) -> None:
        """Writes a value; None deletes it."""
        _check_names(scope, key)
        if current() is not None:
            await _set(scope, key, value)
            return
        self.set_sync(scope, key, value)

    def get_sync(self, scope: str, key: str, default: Any = None) -> Any:
        """``get`` for plain functions."""
        _check_names(scope, key)
        attempt = current_attempt("state.get_sync()")
        while True:
            try:
                return _read(attempt, scope, key, default)
            except StoreUnavailable:
                # Not on the loop, which has others to serve; and not for somebody who was asked to stop.
                if attempt.cancel_requested or asyncio._get_running_loop() is not None:
                    raise
                time.sleep(RETRY)

    def set_sync(self, scope: str, key: str, value: Any) -> None:
        """``set`` for plain functions."""
        _check_names(scope, key)
        attempt = current_attempt("state.set_sync()")
        data = None if value is None else msgspec.json.encode(_encodings.encode(value))
        attempt.write_state(scope, key, data)


def _check_names(scope: str, key: str) -> None:
    for what, name in (("scope", scope), ("key", key)):
        if not isinstance(name, str):
            raise InvalidArgument(
                f"the {what} of keyed state is a text, and not {name!r}: a value has a scope and a key, as in "
                'state.get("cursor", "orders")'
            )


def _read(attempt: Attempt, scope: str, key: str, default: Any) -> Any:
    data = attempt.host.read_state(attempt, scope, key)
    return default if data is None else _encodings.decode(msgspec.json.decode(data, type=Payload), Any)


state = State()


@step(name="segue.state.get", pure=True)
async def _get(scope: str, key: str) -> Any:
    return state.get_sync(scope, key)


@step(name="segue.state.set")
async def _set(scope: str, key: str, value: Any) -> None:
    state.set_sync(scope, key, value)
