"""Secrets in files: one file each, as Docker and Kubernetes mount them, or all in one ``.toml``."""

from __future__ import annotations

import os
import tomllib
from pathlib import Path
from typing import Any

from segue.errors import InvalidArgument, OperatorError


class SecretFolder:
    """A folder with one file per secret, such as ``/run/secrets``. Read anew each time, so that a change is seen."""

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        self._folder = Path(folder)

    def find(self, name: str) -> str | None:
        """The file's text without the line end that editors add, or None when there is no such file.

        Raises:
            InvalidArgument: the name is no file name.
            OperatorError: the file is there but cannot be read.
        """
        if name in (".", "..") or set(name) & {"/", "\\", "\0"}:
            raise InvalidArgument(f"{name!r} is no name of a secret: it would lead out of {self._folder}")
        try:
            text = (self._folder / name).read_text(encoding="utf-8")
        except FileNotFoundError:
            return None
        except (OSError, UnicodeDecodeError) as error:
            raise OperatorError(f"secret {name!r} cannot be read from {self}: {_reason(error)}") from None
        return text.removesuffix("\n").removesuffix("\r")

    def way(self, name: str) -> str:
        """How a secret gets there."""
        return f"write it into {self._folder / name}"

    def __str__(self) -> str:
        return f"folder {self._folder}"


class SecretToml:
    """A TOML file; the secret ``db.password`` is the key ``password`` of the table ``db``, or ``"db.password"``."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self._path = Path(path)

    def find(self, name: str) -> str | None:
        """The value, or None when the file or the key is not there.

        Raises:
            OperatorError: the file cannot be read, or the value is no text.
        """
        value = _look_up(self._read(), name)
        if value is None or isinstance(value, str):
            return value
        raise OperatorError(f"secret {name!r} in {self._path} is a {type(value).__name__}; write it as text in quotes")

    def check(self) -> None:
        """Raises ``OperatorError`` when the file cannot be read."""
        self._read()

    def way(self, name: str) -> str:
        """How a secret gets there."""
        return f"write it into {self._path}"

    def _read(self) -> dict[str, Any]:
        try:
            return tomllib.loads(self._path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return {}
        except (OSError, ValueError) as error:
            raise OperatorError(f"{self} cannot be read: {_reason(error)}") from None

    def __str__(self) -> str:
        return f"file {self._path}"


def _look_up(table: dict[str, Any], name: str) -> Any:
    if name in table:
        return table[name]
    head, _, rest = name.partition(".")
    inner = table.get(head)
    return _look_up(inner, rest) if rest and isinstance(inner, dict) else None


def _reason(error: Exception) -> str:
    """Why, in words that hold nothing of the content: a parser's message may quote it."""
    if isinstance(error, OSError):
        return error.strerror or type(error).__name__
    return "it is not UTF-8" if isinstance(error, UnicodeDecodeError) else "it is not valid TOML"
