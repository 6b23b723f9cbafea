"""Payloads as they stand in the journal."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from segue.errors import PayloadError
from segue.kernel.payload import JSON, NULL, Payload, content, from_bytes


@pytest.mark.parametrize(
    ("payload", "written"),
    [
        (NULL, b'["json",null,null,null,[]]'),
        (from_bytes(JSON, b'{"a":1}'), b'["json",{"a":1},null,null,[]]'),
        (from_bytes("npy", b"\x00\xff"), b'["npy","AP8=",null,null,[]]'),
        (Payload("npy", msgspec.Raw(b"null"), "f00d", 2), b'["npy",null,"f00d",2,[]]'),
        (
            from_bytes(JSON, b'{"$part":0}', (from_bytes("npy", b"a"),)),
            b'["json",{"$part":0},null,null,[["npy","YQ==",null,null,[]]]]',
        ),
    ],
)
def test_stands_in_the_journal_as_readable_json(payload: Payload, written: bytes) -> None:
    assert msgspec.json.encode(payload) == written
    assert msgspec.json.decode(written, type=Payload) == payload


@given(st.binary(), st.sampled_from(["npy", "aes-gcm:k|json"]))
def test_bytes_come_back(data: bytes, encoding: str) -> None:
    payload = msgspec.json.decode(msgspec.json.encode(from_bytes(encoding, data)), type=Payload)
    assert payload.raw() == content(payload) == data


def test_bytes_kept_apart_are_fetched_or_refused() -> None:
    apart = Payload(JSON, msgspec.Raw(b"null"), "f00d", 2)
    with pytest.raises(ValueError, match="f00d is kept apart"):
        apart.raw()
    with pytest.raises(PayloadError, match="f00d and nothing was given to fetch"):
        content(apart)
    assert content(apart, {"f00d": b"{}"}.__getitem__) == b"{}"
