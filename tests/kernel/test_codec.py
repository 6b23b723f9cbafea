"""What is done to all payloads of an event: sealing, and keeping large ones apart."""

from __future__ import annotations

from base64 import b64encode
from typing import Any, get_args

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from segue.errors import PayloadError
from segue.kernel import events as e
from segue.kernel.codec import (
    LIMIT,
    address,
    is_whole,
    join_event,
    open_event,
    open_text,
    refs_event,
    seal_event,
    seal_text,
    split_event,
)
from segue.kernel.payload import JSON, Payload, from_bytes

LIMITED = 10


class Reversing:
    """A codec that writes bytes backwards."""

    hash_key: bytes | None = None

    def seal(self, payload: Payload) -> Payload:
        if payload.encoding.startswith("back|"):
            return payload
        return from_bytes("back|" + payload.encoding, payload.raw()[::-1], tuple(map(self.seal, payload.parts)))

    def open(self, payload: Payload) -> Payload:
        parts = tuple(map(self.open, payload.parts))
        if not payload.encoding.startswith("back|"):
            return msgspec.structs.replace(payload, parts=parts)
        return from_bytes(payload.encoding.removeprefix("back|"), payload.raw()[::-1], parts)


SMALL = from_bytes(JSON, b'{"a":1}')
LARGE = from_bytes(JSON, b'"' + b"x" * 20 + b'"')
LARGE_BYTES = from_bytes("npy", bytes(range(20)))
NESTED = from_bytes(JSON, b'{"$part":0}', (from_bytes("npy", b"n" * 30), from_bytes("npy", b"")))
HEAD = (1, "user:ann", {"trace": "t"})
FAILURE = e.Failure("ValueError", "x", details=LARGE, cause=e.Failure("KeyError", "y", details=SMALL))

EVENTS: list[e.Event] = [
    e.RunStarted(*HEAD, "w", "id", "uid", LARGE, memo=NESTED),
    e.StepStarted(*HEAD, "/a", "a", 1),
    e.StepCompleted(*HEAD, "/a", "a", 1, "h", SMALL, LARGE_BYTES),
    e.StepCompleted(*HEAD, "/a", "a", 1, "h", SMALL, SMALL),
    e.StepCompleted(*HEAD, "/a", "a", 1, "h", NESTED),
    e.StepFailed(*HEAD, "/a", "a", 1, "h", FAILURE, input=LARGE),
    e.StepFailed(*HEAD, "/a", "a", 1, "h", e.Failure("ValueError", "x")),
    e.TimerFired(*HEAD, 1),
    e.SignalReceived(*HEAD, "s", LARGE),
    e.UpdateAccepted(*HEAD, "u", "1", SMALL),
    e.UpdateCompleted(*HEAD, "u", LARGE_BYTES),
    e.UpdateCompleted(*HEAD, "u", failure=FAILURE),
    e.ChildStarted(*HEAD, "/c", "w", "id", "uid", "h", e.Failure("Taken", "", cause=FAILURE)),
    e.ChildCompleted(*HEAD, "/c", "completed", LARGE),
    e.TaskOpened(*HEAD, "/t", "t", "ann", subject=LARGE),
    e.TaskCompleted(*HEAD, "/t", NESTED),
    e.MessageSent(*HEAD, "/signal:paid", "signal", "other", "paid", "h", "completed"),
    e.AttributesSet(*HEAD, {"a": 1}),
    e.Marker(*HEAD, "patch", "p", LARGE),
    e.CancelRequested(*HEAD),
    e.IncidentOpened(*HEAD, "c", "m", "r", failure=FAILURE),
    e.IncidentResolved(*HEAD),
    e.RunCompleted(*HEAD, LARGE),
    e.RunFailed(*HEAD, FAILURE),
    e.RunCancelled(*HEAD),
    e.RunTerminated(*HEAD),
    e.Erased(*HEAD),
    e.Modified(*HEAD, "skip", "/a", LARGE),
    e.StepScheduled(*HEAD, "/a", "a", 1, "h", LARGE, summary="in words"),
    e.StepFailed(*HEAD, "/a", "a", 1, "h", FAILURE, summary="in words", heartbeat=LARGE),
    e.Paused(*HEAD, "because"),
    e.Resumed(*HEAD),
    e.RunContinued(*HEAD, "uid", LARGE),
    e.StepCached(*HEAD, "/a", "a", 1, "h", LARGE, SMALL, source="id", source_run=1, source_seq=2, made_at=3),
    e.DecisionEvaluated(*HEAD, "/decision:d", "decision:d", "h", "m", "h", "d", LARGE, SMALL, LARGE),
    e.DecisionEvaluated(*HEAD, "/decision:d", "decision:d", "h", "m", "h", "d", SMALL, failure=FAILURE),
]


def name(event: e.Event) -> str:
    return type(event).__name__


def payloads(thing: Any) -> list[Payload]:
    """All payloads within, however deep, found without knowing where they stand."""
    if isinstance(thing, Payload):
        return [thing, *(inner for part in thing.parts for inner in payloads(part))]
    if isinstance(thing, msgspec.Struct):
        return [inner for field in thing.__struct_fields__ for inner in payloads(getattr(thing, field))]
    return []


def test_every_kind_of_event_is_tried() -> None:
    assert {type(event) for event in EVENTS} == set(get_args(e.AnyEvent))


@pytest.mark.parametrize("event", EVENTS, ids=name)
def test_every_payload_is_sealed_and_opened(event: e.Event) -> None:
    sealed = seal_event(event, Reversing())
    assert all(payload.encoding.startswith("back|") for payload in payloads(sealed))
    assert open_event(e.decode(e.encode(sealed)), Reversing()) == event
    assert open_event(event, Reversing()) == event


@pytest.mark.parametrize("event", EVENTS, ids=name)
def test_every_large_payload_is_kept_apart_and_comes_back(event: e.Event) -> None:
    slim, apart = split_event(event, LIMITED)
    large = [payload.raw() for payload in payloads(event) if len(payload.data) > LIMITED]
    assert sorted(data for _, data in apart) == sorted(large)
    assert all(ref == address(data) for ref, data in apart)
    assert all(len(payload.data) <= LIMITED for payload in payloads(slim))
    assert sorted(refs_event(slim)) == sorted(ref for ref, _ in apart)
    assert join_event(e.decode(e.encode(slim)), dict(apart)) == event


@pytest.mark.parametrize("event", EVENTS, ids=name)
def test_sealed_events_are_split_and_joined_too(event: e.Event) -> None:
    slim, apart = split_event(seal_event(event, Reversing()), LIMITED)
    assert open_event(join_event(slim, dict(apart)), Reversing()) == event


@pytest.mark.parametrize("event", EVENTS, ids=name)
def test_an_event_with_nothing_large_is_the_same_object(event: e.Event) -> None:
    assert split_event(event) == (event, [])
    assert split_event(event)[0] is event
    assert refs_event(event) == []
    assert join_event(event, {}) is event


@pytest.mark.parametrize(("extra", "apart"), [(-1, False), (0, False), (1, True)])
def test_the_limit_counts_bytes_as_they_stand_in_the_journal(extra: int, apart: bool) -> None:
    data = b'"' + b"x" * (LIMIT - 2 + extra) + b'"'
    assert bool(split_event(e.RunCompleted(*HEAD, from_bytes(JSON, data)))[1]) is apart
    fits = LIMIT // 4 * 3 - 3
    assert split_event(e.RunCompleted(*HEAD, from_bytes("npy", b"x" * fits)))[1] == []
    assert len(b64encode(b"x" * fits)) + 2 <= LIMIT


def test_what_is_kept_apart_says_its_size() -> None:
    slim, _ = split_event(e.RunCompleted(*HEAD, LARGE_BYTES), LIMITED)
    assert (slim.result.size, bytes(slim.result.data), slim.result.encoding) == (20, b"null", "npy")


@pytest.mark.parametrize(("blobs", "words"), [({}, "are missing"), ({address(LARGE.raw()): b"other"}, "are damaged")])
def test_bytes_that_are_missing_or_others_are_refused(blobs: dict[str, bytes], words: str) -> None:
    slim, _ = split_event(e.RunCompleted(*HEAD, LARGE), LIMITED)
    with pytest.raises(PayloadError, match=words):
        join_event(slim, blobs)


@given(st.binary(max_size=64), st.integers(0, 80))
def test_any_bytes_under_any_limit_come_back(data: bytes, limit: int) -> None:
    event = e.StepCompleted(*HEAD, "/a", "a", 1, "h", from_bytes("npy", data), from_bytes(JSON, b"[1,2,3]"))
    slim, apart = split_event(event, limit)
    assert join_event(slim, dict(apart)) == event


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: type(event).__name__)
def test_the_line_of_an_event_tells_that_something_is_kept_apart(event: e.Event) -> None:
    split, apart = split_event(event, LIMITED)
    assert not (apart and is_whole(e.encode(split)))
    assert bool(apart) == bool(refs_event(split))


def test_the_line_of_an_event_tells_that_a_text_is_sealed() -> None:
    event = e.CancelRequested(1, None, None, "Ann asked")
    assert is_whole(e.encode(event))
    assert not is_whole(e.encode(seal_event(event, Reversing())))


# --- texts ------------------------------------------------------------------------------------------------------

SPEAKING: list[e.Event] = [
    e.StepFailed(*HEAD, "/a", "a", 1, "h", e.Failure("E", "of Ann", "File x, Ann", cause=e.Failure("F", "Ann too"))),
    e.RunFailed(*HEAD, e.Failure("E", "of Ann")),
    e.IncidentOpened(*HEAD, "internal", "Ann is at fault", "tell Bob"),
    e.CancelRequested(*HEAD, "Ann asked"),
    e.RunCancelled(*HEAD, "Ann asked"),
    e.RunTerminated(*HEAD, "Ann asked"),
]


@pytest.mark.parametrize("event", SPEAKING, ids=lambda event: type(event).__name__)
def test_texts_are_sealed_as_well_and_hidden_from_who_lacks_the_codec(event: e.Event) -> None:
    codec = Reversing()
    sealed = seal_event(event, codec)
    assert b"Ann" not in e.encode(sealed)
    assert open_event(sealed, codec) == event
    hidden = e.encode(open_event(sealed, None))
    assert b"(sealed)" in hidden
    assert b"sealed:" not in hidden
    assert open_event(event, None) == event


@given(st.text())
def test_any_text_comes_back(text: str) -> None:
    codec = Reversing()
    assert open_text(seal_text(text, codec), codec) == text
    assert seal_text(text, None) == text


@pytest.mark.parametrize("text", ["sealed:", "sealed:[", 'sealed:["back|json"]', "sealed:{}"])
def test_a_text_that_only_begins_like_a_sealed_one_is_left(text: str) -> None:
    assert open_text(text, Reversing()) == text
    assert open_text(text, None) == text
