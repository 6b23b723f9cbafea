"""An encrypted file of secrets, for machines that have nothing better: AES-256-GCM under one master key.

Names and values are sealed together, so that the file tells neither. Each change writes the whole file anew beside the
old one and puts it in its place, under a lock, so that a crash or a second writer loses nothing.
"""

from __future__ import annotations

import os
import shlex
from base64 import b64decode, b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import blake2b
from pathlib import Path

import msgspec

from segue.errors import InvalidArgument, OperatorError, SecretNotFound

_FORMAT = "segue-secrets-1"


class _File(msgspec.Struct):
    """What stands in the file. ``key`` is the master key's fingerprint, to tell a wrong key from a damaged file."""

    format: str
    key: str
    nonce: bytes
    sealed: bytes


class EncryptedStore:
    """Secrets in one encrypted file, readable by its owner only (0600)."""

    def __init__(self, path: str | os.PathLike[str], master_key: str) -> None:
        """``master_key`` is 32 bytes in base64, as ``new_key`` makes them. Raises ``InvalidArgument`` otherwise."""
        self._path = Path(path)
        self._key = _read_key(master_key)

    @classmethod
    def from_env(
        cls, path: str | os.PathLike[str], variable: str = "SEGUE_MASTER_KEY", *, file_variable: str | None = None
    ) -> EncryptedStore:
        """The store under the key in ``variable``, or in the file whose path is in ``file_variable``.

        ``file_variable`` is ``variable`` with ``_FILE`` behind it unless given. Raises ``InvalidArgument``.
        """
        file_variable = file_variable or variable + "_FILE"
        if key := os.environ.get(variable):
            return cls(path, key)
        if key_path := os.environ.get(file_variable):
            return cls(path, _read_text(key_path, file_variable))
        raise InvalidArgument(
            f"neither {variable} nor {file_variable} is set; one of them holds the master key of {os.fspath(path)}"
        )

    @staticmethod
    def new_key() -> str:
        """A fresh master key. Keep it apart from the file; without it the secrets are gone."""
        return b64encode(os.urandom(32)).decode()

    def find(self, name: str) -> str | None:
        """The value, or None. Raises ``OperatorError`` when the file cannot be read with this key."""
        return self._read().get(name)

    def list(self) -> list[str]:
        """The names, sorted. Raises ``OperatorError``."""
        return sorted(self._read())

    def set(self, name: str, value: str) -> None:
        """Adds a secret or replaces its value. On disk when it returns. Raises ``OperatorError``."""
        if not name:
            raise InvalidArgument("a secret's name is empty")
        with self._locked():
            self._write({**self._read(), name: value}, self._key)

    def delete(self, name: str) -> None:
        """Removes a secret.

        Raises:
            SecretNotFound: it is not here.
            OperatorError: the file cannot be read.
        """
        with self._locked():
            secrets = self._read()
            if name not in secrets:
                raise SecretNotFound(name, [str(self)])
            del secrets[name]
            self._write(secrets, self._key)

    def rotate(self, master_key: str) -> None:
        """Seals everything under another master key, which this object uses from now on.

        Raises:
            InvalidArgument: it is no key.
            OperatorError: the file cannot be read with the present key.
        """
        key = _read_key(master_key)
        with self._locked():
            self._write(self._read(), key)
            self._key = key

    def _read(self) -> dict[str, str]:
        from cryptography.exceptions import InvalidTag
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        try:
            found = msgspec.json.decode(self._path.read_bytes(), type=_File)
        except FileNotFoundError:
            return {}
        except (OSError, msgspec.MsgspecError) as error:
            raise OperatorError(f"{self} cannot be read: {error}; restore it from a backup") from error
        if found.format != _FORMAT:
            raise OperatorError(
                f"{self} has the format {found.format!r}; a newer release wrote it, so read it with that"
            )
        if found.key != _fingerprint(self._key):
            raise OperatorError(f"{self} is sealed with another master key (its fingerprint is {found.key})")
        try:
            data = AESGCM(self._key).decrypt(found.nonce, found.sealed, _FORMAT.encode())
        except (InvalidTag, ValueError):
            raise OperatorError(f"{self} was altered or is damaged; restore it from a backup") from None
        return msgspec.json.decode(data, type=dict[str, str])

    def _write(self, secrets: dict[str, str], key: bytes) -> None:
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        nonce = os.urandom(12)
        sealed = AESGCM(key).encrypt(nonce, msgspec.json.encode(secrets), _FORMAT.encode())
        _replace(self._path, msgspec.json.encode(_File(_FORMAT, _fingerprint(key), nonce, sealed)))

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Keeps other writers out, in this process and in others; freed by the system when the process dies."""
        import fcntl

        self._path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(self._path.with_name(self._path.name + ".lock"), os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(handle)

    def way(self, name: str) -> str:
        """How a secret gets there."""
        return f"segue secret set {shlex.quote(name)}"

    def __str__(self) -> str:
        return f"encrypted file {self._path}"

    def __repr__(self) -> str:
        return f"EncryptedStore({str(self._path)!r})"


def _replace(path: Path, data: bytes) -> None:
    """Puts ``data`` in the place of ``path`` in one go, on disk before it returns."""
    temporary = path.with_name(f".segue-{os.urandom(8).hex()}")
    try:
        with open(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)  # the new name is on disk only once the folder is
    finally:
        os.close(folder)


def _read_text(path: str, variable: str) -> str:
    try:
        return Path(path).read_text()
    except (OSError, ValueError) as error:
        # What is no path may be the key itself, and is not repeated.
        why = (error.strerror if isinstance(error, OSError) else None) or type(error).__name__
        raise InvalidArgument(f"the file that {variable} names, with the master key, cannot be read: {why}") from None


def _fingerprint(key: bytes) -> str:
    return blake2b(b"segue master key", key=key, digest_size=4).hexdigest()


def _read_key(text: str) -> bytes:
    try:
        key = b64decode(text.strip(), validate=True)
    except ValueError:
        key = b""
    if len(key) != 32:
        raise InvalidArgument("the master key is not 32 bytes in base64; `EncryptedStore.new_key()` makes one")
    return key
