"""The journal's vocabulary: every event survives its line of JSON, and a line of an older release is still read."""

from __future__ import annotations

import typing
from typing import Any

import msgspec
import pytest

from segue.kernel import events as e
from segue.kernel.payload import JSON, NULL, Payload

KINDS: tuple[type[e.Event], ...] = typing.get_args(e.AnyEvent)
VALUE = Payload(JSON, msgspec.Raw(b'{"a":[1,null]}'))
FAILURE = e.Failure("E", "m", "t", False, e.Failure("F", "n"), NULL)


def example(hint: Any) -> Any:
    """Some value of a field's type."""
    match typing.get_origin(hint) or hint:
        case kind if kind is int:
            return 1_700_000_000_000_001
        case kind if kind is str:
            return "text"
        case kind if kind is Payload:
            return VALUE
        case kind if kind is e.Failure:
            return FAILURE
        case kind if kind is e.ParentRef:
            return e.ParentRef(1, "uid", "key", "abandon")
        case kind if kind is e.Continued:
            return e.Continued("uid", 3, 2)
        case kind if kind is dict:
            return {"key": "value"}
        case kind if kind is tuple and typing.get_args(hint)[0] is e.Spared:
            return (e.Spared("key", 1, 2, 3),)
        case kind if kind is tuple:
            return (1, 2)
    return example(next(part for part in typing.get_args(hint) if part is not type(None)))


def full(kind: type[e.Event]) -> e.Event:
    """An event with a value in every field."""
    hints = typing.get_type_hints(kind)
    return kind(**{name: example(hints[name]) for name in kind.__struct_fields__})


def shortest(kind: type[e.Event]) -> bytes:
    """The line of an event that carries no more than it must, as a release would have it that knew no more fields."""
    required = len(kind.__struct_fields__) - len(kind.__struct_defaults__)
    fields = msgspec.json.decode(e.encode(full(kind)), type=list[msgspec.Raw])[: required + 1]
    return msgspec.json.encode(fields)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_an_event_survives_its_line(kind: type[e.Event]) -> None:
    event = full(kind)
    line = e.encode(event)
    assert line.startswith(f'["{kind.__name__}",1700000000000001,"text",'.encode())
    assert b"\n" not in line
    assert e.decode(line) == event
    assert e.encode(e.decode(line)) == line


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_fields_that_were_added_later_may_be_missing(kind: type[e.Event]) -> None:
    event = e.decode(shortest(kind))
    for field in msgspec.structs.fields(kind):
        if not field.required:
            default = field.default if field.default_factory is msgspec.NODEFAULT else field.default_factory()
            assert getattr(event, field.name) == default


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_fields_of_a_newer_release_are_left_alone(kind: type[e.Event]) -> None:
    fields = msgspec.json.decode(e.encode(full(kind)), type=list[msgspec.Raw])
    line = msgspec.json.encode([*fields, "later"])
    assert e.decode(line) == full(kind)


@pytest.mark.parametrize(
    "line", [b'["NoSuchEvent",1,null,null]', b'["TimerFired"]', b'["TimerFired","x",null,null,1]', b"{}"]
)
def test_a_line_that_is_no_event_is_refused(line: bytes) -> None:
    with pytest.raises(msgspec.ValidationError):
        e.decode(line)


def test_every_event_is_in_the_union_and_has_a_tag_of_its_own() -> None:
    def leaves(kind: type[e.Event]) -> set[type[e.Event]]:
        below = kind.__subclasses__()
        return {kind} if not below else set().union(*map(leaves, below))

    assert leaves(e.Event) == set(KINDS)
    assert len({kind.__struct_config__.tag for kind in KINDS}) == len(KINDS)
    assert all(kind.__struct_config__.tag == kind.__name__ for kind in KINDS)


def test_records_and_closing_events_are_events() -> None:
    assert set(e.RECORDS) | set(e.CLOSING) <= set(KINDS)
    assert set(e.CLOSING) - set(e.RECORDS) == {e.RunTerminated}, "all other ends follow from the code"


def test_events_do_not_change() -> None:
    event = full(e.TimerFired)
    with pytest.raises(AttributeError):
        event.at = 2  # type: ignore[misc]
