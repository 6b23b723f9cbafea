"""A codec that encrypts payloads with AES-256-GCM (NIST SP 800-38D) under keys that can be changed.

Sealed bytes are ``salt (16) | nonce (12) | ciphertext and tag``. A random nonce may be drawn about 2^32 times under one
key before two are likely to meet, which a busy engine reaches in days; so the key proper is derived from the named one
with a salt that every process draws anew, and draws again after 2^28 messages. The payload's encoding, which names the
key, is authenticated with it.
"""

from __future__ import annotations

import os
import re
from base64 import b64decode, b64encode
from collections import OrderedDict
from collections.abc import Callable, Mapping
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from segue.errors import InvalidArgument, PayloadError
from segue.kernel.payload import Payload, from_bytes
from segue.kernel.secret import SecretRef

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_MARK = "aes-gcm:"
_SALT, _NONCE, _TAG, _KEY = 16, 12, 16, 32
_MESSAGES_PER_SALT = 2**28
_CIPHERS_KEPT = 1024
_KEY_ID = re.compile(r"[A-Za-z0-9._-]+")


class AesGcm:
    """Encrypts with the newest of its keys, decrypts with any of them. Implements ``kernel.codec.Codec``.

    To change keys, add one at the end; keep the old one as long as a payload sealed with it is wanted.
    """

    def __init__(self, keys: Mapping[str, bytes], *, hash_key: bytes | None = None) -> None:
        """
        Args:
            keys: 32 bytes by key id (letters, digits, ``.``, ``_``, ``-``), oldest first.
            hash_key: key of the argument hashes, which must stay the same for ever. Without it it is derived from the
                oldest key; pass ``codec.hash_key`` of before when that one is dropped.

        Raises:
            InvalidArgument: there is no key, or one is not a key.
        """
        if not keys:
            raise InvalidArgument("AesGcm needs at least one key; `AesGcm.new_key('2026-01')` makes one")
        for name, key in keys.items():
            _check_key(name, key)
        self._keys = dict(keys)
        self._newest = list(keys)[-1]
        oldest = next(iter(keys.values()))
        self.hash_key: bytes | None = hash_key or blake2b(b"segue argument hash", key=oldest, digest_size=32).digest()
        self._ciphers: OrderedDict[tuple[str, bytes], AESGCM] = OrderedDict()
        self._salt = os.urandom(_SALT)
        self._sealed = 0

    @classmethod
    def from_text(cls, text: str, *, hash_key: bytes | None = None) -> AesGcm:
        """Keys as text: ``id=base64`` separated by new lines or commas, oldest first; ``#`` begins a comment.

        Raises:
            InvalidArgument: it is not of this form. The text is never repeated in the message.
        """
        lines = [line.partition("#")[0].strip() for line in re.split(r"[\n,]", text)]
        keys = dict(_read_key(line, number) for number, line in enumerate(lines, 1) if line)
        return cls(keys, hash_key=hash_key)

    @classmethod
    def from_env(cls, name: str = "SEGUE_PAYLOAD_KEYS", *, hash_key: bytes | None = None) -> AesGcm:
        """Keys from an environment variable, as ``from_text`` reads them. Raises ``InvalidArgument``."""
        text = os.environ.get(name)
        if text is None:
            raise InvalidArgument(f"the environment variable {name} is not set; it holds id=base64,id=base64")
        return cls.from_text(text, hash_key=hash_key)

    @classmethod
    def from_file(cls, path: str | os.PathLike[str], *, hash_key: bytes | None = None) -> AesGcm:
        """Keys from a file, as ``from_text`` reads them. Raises ``InvalidArgument`` and ``OSError``."""
        return cls.from_text(Path(path).read_text(), hash_key=hash_key)

    @classmethod
    def from_secret(cls, secret: SecretRef, resolve: Callable[[str], str], *, hash_key: bytes | None = None) -> AesGcm:
        """Keys from a secret, as ``from_text`` reads them; ``resolve`` is a back end's ``get``.

        Raises:
            InvalidArgument: the secret does not hold keys.
            SecretNotFound: no back end has it.
        """
        return cls.from_text(resolve(secret.name), hash_key=hash_key)

    @staticmethod
    def new_key(name: str) -> str:
        """A fresh key as a line that ``from_text`` reads."""
        return f"{name}={b64encode(os.urandom(_KEY)).decode()}"

    def seal(self, payload: Payload) -> Payload:
        """The payload and its parts encrypted with the newest key; what is sealed already stays as it is."""
        if payload.encoding.startswith(_MARK):
            return payload
        encoding = f"{_MARK}{self._newest}|{payload.encoding}"
        nonce = os.urandom(_NONCE)
        salt = self._next_salt()
        body = self._cipher(self._newest, salt).encrypt(nonce, payload.raw(), encoding.encode())
        return from_bytes(encoding, salt + nonce + body, tuple(map(self.seal, payload.parts)))

    def open(self, payload: Payload) -> Payload:
        """The payload and its parts decrypted; what is not sealed by this codec stays as it is.

        Raises:
            PayloadError: its key is not here, or it was altered.
        """
        parts = tuple(map(self.open, payload.parts))
        if not payload.encoding.startswith(_MARK):
            return payload if parts == payload.parts else msgspec.structs.replace(payload, parts=parts)
        name, _, inner = payload.encoding.removeprefix(_MARK).partition("|")
        if name not in self._keys:
            raise PayloadError(
                f"$: the payload is sealed with key {name!r}, which is not here (here: {', '.join(self._keys)}); "
                "add it to the codec's keys"
            )
        return from_bytes(inner, self._decrypt(name, payload), parts)

    def _decrypt(self, name: str, payload: Payload) -> bytes:
        from cryptography.exceptions import InvalidTag

        data = payload.raw()
        if len(data) < _SALT + _NONCE + _TAG:
            raise PayloadError(f"$: the payload sealed with key {name!r} is cut off; restore it from a backup")
        salt, nonce, body = data[:_SALT], data[_SALT : _SALT + _NONCE], data[_SALT + _NONCE :]
        try:
            return self._cipher(name, salt).decrypt(nonce, body, payload.encoding.encode())
        except InvalidTag:
            raise PayloadError(
                f"$: the payload sealed with key {name!r} was altered, or another key went by that name"
            ) from None

    def _next_salt(self) -> bytes:
        self._sealed += 1
        if self._sealed >= _MESSAGES_PER_SALT:
            self._salt, self._sealed = os.urandom(_SALT), 0
        return self._salt

    def _cipher(self, name: str, salt: bytes) -> AESGCM:
        """The cipher for one named key and salt; the newest are kept."""
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        found = self._ciphers.get((name, salt))
        if found is None:
            key = blake2b(b"segue payload", key=self._keys[name], salt=salt, digest_size=_KEY).digest()
            found = self._ciphers[name, salt] = AESGCM(key)
            if len(self._ciphers) > _CIPHERS_KEPT:
                self._ciphers.popitem(last=False)
        return found

    def __repr__(self) -> str:
        return f"AesGcm(keys={list(self._keys)})"


def _read_key(line: str, number: int) -> tuple[str, bytes]:
    """A line of ``from_text``. A wrong one is not repeated: where the id was forgotten, the key stands there."""
    name, _, text = (part.strip() for part in line.partition("="))
    try:
        key = b64decode(text, validate=True)
        _check_key(name, key)
    except (ValueError, InvalidArgument):
        raise InvalidArgument(
            f"entry {number} of the keys is not id=base64 of {_KEY} bytes; `AesGcm.new_key('2026-01')` writes one"
        ) from None
    return name, key


def _check_key(name: str, key: bytes) -> None:
    if not _KEY_ID.fullmatch(name):
        raise InvalidArgument(f"{name!r} is not a key id: letters, digits, '.', '_' and '-'")
    if len(key) != _KEY:
        raise InvalidArgument(f"the key {name!r} has {len(key)} bytes; AES-256 takes {_KEY}")
