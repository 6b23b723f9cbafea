"""Files as values: a name, a media type and bytes, passed between steps and shown or downloaded in the dashboard."""

from __future__ import annotations

import io
import mimetypes
import os
from hashlib import blake2b
from pathlib import Path
from typing import Any

import msgspec

from segue.errors import InvalidArgument

_UNKNOWN = "application/octet-stream"
LONGEST_NAME = 255
"""Bytes that file systems take."""


class Header(msgspec.Struct, frozen=True):
    """What is known of a file without its content.

    Attributes:
        name: a bare file name, never a path.
        media_type: such as ``image/png`` (RFC 6838).
        size: in bytes.
        hash: hex BLAKE2b-256 of the content.
    """

    name: str
    media_type: str
    size: int
    hash: str


class File:
    """A file with its content. Make one with ``from_path``, ``from_bytes`` or ``from_image``; it does not change."""

    __slots__ = ("_content", "_header")

    def __init__(self, header: Header, content: bytes) -> None:
        """Raises ``InvalidArgument`` when the header is not this content's, or its name is not a bare file name."""
        _check_name(header.name)
        if (header.size, header.hash) != (len(content), _hash(content)):
            raise InvalidArgument(f"the content of file {header.name!r} is not what its header says; it is damaged")
        self._header = header
        self._content = content

    @classmethod
    def from_bytes(cls, content: bytes, name: str, media_type: str | None = None) -> File:
        """A file of these bytes. Without ``media_type`` it is guessed from the name."""
        content = bytes(content)
        return cls(Header(name, media_type or _guess(name), len(content), _hash(content)), content)

    @classmethod
    def from_path(cls, path: str | os.PathLike[str], name: str | None = None, media_type: str | None = None) -> File:
        """The file at ``path``, read now; its name is the last component unless one is given."""
        path = Path(path)
        return cls.from_bytes(path.read_bytes(), name or path.name, media_type)

    @classmethod
    def from_image(cls, image: Any, name: str = "image.png") -> File:
        """A picture in the format that the name ends in: a Pillow image, a Matplotlib figure, or their like."""
        extension = Path(name).suffix.lstrip(".").lower()
        save = getattr(image, "savefig", None) or getattr(image, "save", None)
        if save is None or not extension:
            raise InvalidArgument(
                f"File.from_image takes an image with .save or .savefig, and a name such as 'plot.png'; "
                f"got a {type(image).__qualname__} and {name!r}"
            )
        buffer = io.BytesIO()
        save(buffer, format="jpeg" if extension == "jpg" else extension)
        return cls.from_bytes(buffer.getvalue(), name)

    @property
    def header(self) -> Header:
        """Name, media type, size and hash together."""
        return self._header

    @property
    def name(self) -> str:
        return self._header.name

    @property
    def media_type(self) -> str:
        return self._header.media_type

    @property
    def size(self) -> int:
        return self._header.size

    @property
    def hash(self) -> str:
        return self._header.hash

    def read(self) -> bytes:
        """The content."""
        return self._content

    def text(self, encoding: str = "utf-8") -> str:
        """The content as text."""
        return self._content.decode(encoding)

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Writes the content: into ``path`` when that is a folder, under the file's name, otherwise as ``path``.

        What is there already is replaced in one go; a reader sees the old file or the new one, never half of it.

        Returns:
            where it was written.
        """
        target = Path(path)
        if target.is_dir():
            target /= self.name
        temporary = target.with_name(f".segue-{os.urandom(8).hex()}")
        try:
            with temporary.open("xb") as file:
                file.write(self._content)
            os.replace(temporary, target)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
        return target

    def __eq__(self, other: object) -> bool:
        return self._header == other._header if isinstance(other, File) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._header)

    def __repr__(self) -> str:
        return f"File({self.name!r}, {self.media_type!r}, {self.size} bytes)"


class Files:
    """The encoding of ``File``: the header as one line of JSON, then the content."""

    name = "file"

    def matches(self, kind: type) -> bool:
        return kind is File

    def encode(self, value: File) -> bytes:
        return msgspec.json.encode(value.header) + b"\n" + value.read()

    def decode(self, data: bytes, kind: Any) -> File:
        header, _, content = bytes(data).partition(b"\n")
        return File(msgspec.json.decode(header, type=Header), content)


def _check_name(name: str) -> None:
    """A name comes from elsewhere and ends up in paths: it must not lead out of the folder it is saved in."""
    size = len(name.encode("utf-8", "surrogatepass"))
    odd = sorted(character for character in set(name) if character in "/\\:" or ord(character) < 32)
    if odd:
        why = f"it holds {', '.join(map(repr, odd))}"
    elif name.strip(" .") == "":
        why = "there is nothing in it but dots and spaces"
    elif any("\ud800" <= character <= "\udfff" for character in name):
        why = "it is not Unicode"
    elif size > LONGEST_NAME:
        why = f"it has {size} bytes, and may have {LONGEST_NAME}"
    else:
        return
    raise InvalidArgument(f"{name!r:.300} is not a bare file name: {why}; give another one with name=", path="name")


def _guess(name: str) -> str:
    return mimetypes.guess_type(name)[0] or _UNKNOWN


def _hash(content: bytes) -> str:
    return blake2b(content, digest_size=32).hexdigest()
