"""Sealing with AES-256-GCM: what comes back, what is refused, and keys that change."""

from __future__ import annotations

from base64 import b64encode
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from segue.encodings import aesgcm
from segue.encodings.aesgcm import AesGcm
from segue.errors import InvalidArgument, PayloadError, SecretNotFound
from segue.kernel import events as e
from segue.kernel.codec import Codec, join_event, open_event, seal_event, split_event
from segue.kernel.encoding import Encodings
from segue.kernel.payload import JSON, Payload, from_bytes
from segue.kernel.secret import SecretRef
from segue.secrets import SecretChain

OLD, NEW = bytes(range(32)), bytes(range(32, 64))
SECRET = from_bytes(JSON, b'{"card":"4111"}', (from_bytes("npy", b"part 4111"),))


def codec(**keys: bytes) -> AesGcm:
    return AesGcm(keys or {"k1": OLD})


def test_is_a_codec() -> None:
    accepts: Codec = codec()
    assert accepts.hash_key is not None


@given(st.binary(), st.sampled_from(["npy", "arrow"]), st.lists(st.binary(), max_size=3))
def test_anything_comes_back(data: bytes, encoding: str, parts: list[bytes]) -> None:
    payload = from_bytes(encoding, data, tuple(from_bytes("npy", part) for part in parts))
    assert codec().open(codec().seal(payload)) == payload


def test_nothing_of_the_content_is_left() -> None:
    sealed = codec().seal(SECRET)
    assert (sealed.encoding, sealed.parts[0].encoding) == ("aes-gcm:k1|json", "aes-gcm:k1|npy")
    assert b"4111" not in sealed.raw() + sealed.parts[0].raw()


def test_the_same_twice_looks_different_and_each_is_sealed_once() -> None:
    sealer = codec()
    assert sealer.seal(SECRET).raw() != sealer.seal(SECRET).raw()
    assert sealer.seal(sealer.seal(SECRET)).encoding == "aes-gcm:k1|json"


def test_what_is_not_sealed_is_left_as_it_is() -> None:
    assert codec().open(SECRET) is SECRET


def test_keys_change() -> None:
    before, after = codec(k1=OLD), codec(k1=OLD, k2=NEW)
    assert after.open(before.seal(SECRET)) == SECRET
    assert after.seal(SECRET).encoding == "aes-gcm:k2|json"
    assert before.hash_key == after.hash_key
    with pytest.raises(PayloadError, match=r"sealed with key 'k2', which is not here \(here: k1\)"):
        before.open(after.seal(SECRET))


def test_the_hash_key_can_outlive_the_oldest_key() -> None:
    before = codec(k1=OLD)
    assert AesGcm({"k2": NEW}).hash_key != before.hash_key
    assert AesGcm({"k2": NEW}, hash_key=before.hash_key).hash_key == before.hash_key
    assert before.hash_key != OLD


def altered(payload: Payload, index: int) -> Payload:
    data = bytearray(payload.raw())
    data[index] ^= 1
    return from_bytes(payload.encoding, bytes(data))


SEALED = codec().seal(from_bytes(JSON, b'{"a":1}'))


@pytest.mark.parametrize(
    ("payload", "words"),
    [
        *((altered(SEALED, index), "was altered") for index in range(len(SEALED.raw()))),
        (from_bytes("aes-gcm:k1|npy", SEALED.raw()), "was altered"),
        (from_bytes(SEALED.encoding, SEALED.raw() + b"x"), "was altered"),
        (from_bytes(SEALED.encoding, SEALED.raw()[:43]), "is cut off"),
        (from_bytes(SEALED.encoding, b""), "is cut off"),
    ],
)
def test_every_altered_bit_is_noticed(payload: Payload, words: str) -> None:
    with pytest.raises(PayloadError, match=words):
        codec().open(payload)


def test_another_key_under_the_same_name_is_noticed() -> None:
    with pytest.raises(PayloadError, match="another key went by that name"):
        codec(k1=NEW).open(SEALED)


def test_a_salt_is_used_for_a_limited_number_of_messages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(aesgcm, "_MESSAGES_PER_SALT", 3)
    monkeypatch.setattr(aesgcm, "_CIPHERS_KEPT", 2)
    sealer = codec()
    sealed = [sealer.seal(from_bytes("npy", b"x")) for _ in range(10)]
    assert len({payload.raw()[:16] for payload in sealed}) == 4
    assert all(sealer.open(payload) == from_bytes("npy", b"x") for payload in sealed)
    assert len(sealer._ciphers) == 2


def test_whole_events_are_sealed_split_and_brought_back() -> None:
    encodings, sealer = Encodings(), codec()
    event = e.RunCompleted(1, None, None, encodings.encode({"text": "x" * 200_000}))
    slim, apart = split_event(seal_event(event, sealer))
    assert len(apart) == 1
    assert b"xxxx" not in e.encode(slim) + apart[0][1]
    assert open_event(join_event(slim, dict(apart)), sealer) == event


# --- keys as text ---------------------------------------------------------------------------------------------

TEXT = f"# keys\nk1={b64encode(OLD).decode()}  # the first\n\nk2 = {b64encode(NEW).decode()}\n"


def read(text: str, how: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AesGcm:
    match how:
        case "env":
            monkeypatch.setenv("KEYS", text)
            return AesGcm.from_env("KEYS")
        case "file":
            (tmp_path / "keys").write_text(text)
            return AesGcm.from_file(tmp_path / "keys")
        case "secret":
            return AesGcm.from_secret(SecretRef("keys"), {"keys": text}.__getitem__)
    return AesGcm.from_text(text)


@pytest.mark.parametrize("how", ["text", "env", "file", "secret"])
def test_keys_are_read_in_order(how: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for text in (TEXT, TEXT.replace("\n\n", ",").replace("# keys\n", "").replace("  # the first", "")):
        found = read(text, how, tmp_path, monkeypatch)
        assert found.open(codec(k1=OLD).seal(SECRET)) == SECRET
        assert found.seal(SECRET).encoding == "aes-gcm:k2|json"


def test_a_new_key_is_read_as_it_is_written() -> None:
    line = AesGcm.new_key("2026-01")
    assert line != AesGcm.new_key("2026-01")
    assert AesGcm.from_text(line).seal(SECRET).encoding == "aes-gcm:2026-01|json"


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: AesGcm({}), "at least one key"),
        (lambda: AesGcm.from_text("# none"), "at least one key"),
        (lambda: AesGcm({"k": b"short"}), "has 5 bytes; AES-256 takes 32"),
        (lambda: AesGcm({"a|b": OLD}), "not a key id"),
        (lambda: AesGcm.from_text("supersecret"), "entry 1 of the keys is not id=base64 of 32 bytes"),
        (lambda: AesGcm.from_text(AesGcm.new_key("k") + ",\nk1=supersecret!"), "entry 3 of the keys"),
        (lambda: AesGcm.from_text("k1=AAAA"), "entry 1"),
        (lambda: AesGcm.from_env("SEGUE_NO_SUCH_VARIABLE"), "SEGUE_NO_SUCH_VARIABLE is not set"),
    ],
)
def test_what_is_no_key_is_refused(make: Any, words: str) -> None:
    with pytest.raises(InvalidArgument, match=words):
        make()


def test_a_line_that_is_no_key_is_never_repeated() -> None:
    with pytest.raises(InvalidArgument) as caught:
        AesGcm.from_text(b64encode(OLD).decode())  # the id was forgotten, so the key stands where a name would
    assert b64encode(OLD).decode()[:8] not in str(caught.value)


def test_a_secret_that_is_missing_is_named() -> None:
    with pytest.raises(SecretNotFound, match="'keys' is not set"):
        AesGcm.from_secret(SecretRef("keys"), SecretChain([]).get)


def test_repr_shows_no_key() -> None:
    assert repr(codec(k1=OLD)) == "AesGcm(keys=['k1'])"
