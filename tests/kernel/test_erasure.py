"""Erasing a person's data from events: what is left, and what is not."""

from __future__ import annotations

from typing import Any, get_args

import msgspec
import pytest

from segue.kernel import events as e
from segue.kernel.erasure import GONE, erase_event
from segue.kernel.payload import JSON, Payload, from_bytes

CANARY = "ann@example.com"
VALUE = from_bytes(JSON, f'{{"mail":"{CANARY}"}}'.encode(), (from_bytes("npy", b"n"),))
FAILURE = e.Failure("ValueError", CANARY, f"File {CANARY}", False, e.Failure("KeyError", CANARY, details=VALUE), VALUE)

KEEPS = {"at", "actor", "key", "name", "workflow", "id", "uid", "update", "kind", "assignee", "namespace"}
"""Text that names what happened where, and is documented as no place for personal data."""


def filled(kind: type[e.Event]) -> e.Event:
    """An event of this kind with the canary wherever a value of its type can hold it."""
    values: dict[str, Any] = {}
    for field in msgspec.structs.fields(kind):
        hint = str(field.type)
        if "Payload" in hint:
            values[field.name] = VALUE
        elif "Failure" in hint:
            values[field.name] = FAILURE
        elif "dict[str, str]" in hint or "Headers" in hint:
            values[field.name] = {"who": CANARY}
        elif "dict[str" in hint:
            values[field.name] = {"mail": CANARY}
        elif field.name in ("reason", "message", "hash", "input_hash"):
            values[field.name] = CANARY
        elif field.required:
            values[field.name] = 1 if field.type is int else None if field.name == "actor" else "x"
    return kind(**values)


@pytest.mark.parametrize("kind", get_args(e.AnyEvent), ids=lambda kind: kind.__name__)
def test_nothing_of_the_person_is_left(kind: type[e.Event]) -> None:
    event = filled(kind)
    erased = erase_event(event)
    assert type(erased) is kind
    assert CANARY.encode() not in e.encode(erased)
    assert e.decode(e.encode(erased)) == erased
    for name in KEEPS & set(kind.__struct_fields__):
        assert getattr(erased, name) == getattr(event, name)


def test_what_failed_is_still_to_be_seen() -> None:
    erased = erase_event(e.RunFailed(5, "user:ann", None, FAILURE))
    assert isinstance(erased, e.RunFailed)
    assert erased.failure == e.Failure("ValueError", "(erased)", "", False, e.Failure("KeyError", "(erased)"))


def test_erasing_twice_changes_nothing_more() -> None:
    once = erase_event(e.StepCompleted(1, None, None, "/a", "a", 1, "h", VALUE))
    assert erase_event(once) == once
    assert isinstance(once, e.StepCompleted)
    assert once.result == GONE == Payload("erased", msgspec.Raw(b'""'))
