"""``segue.artifact``: attaches to the run what people want to look at, from its workflow and from its steps.

What a step attaches becomes true with the record of how the attempt ended, also of one that failed.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec

from segue.authoring.python.execution import current
from segue.errors import InvalidArgument
from segue.kernel import commands as c
from segue.kernel.artifact import Artifact
from segue.kernel.attempt import current_attempt
from segue.kernel.encoding import Encodings
from segue.kernel.names import checked_name
from segue.kernel.plain_numbers import plain_number

_encodings = Encodings()
_PICTURES = {
    ".gif": "image/gif", ".jpeg": "image/jpeg", ".jpg": "image/jpeg", ".png": "image/png", ".svg": "image/svg+xml",
    ".webp": "image/webp",
}  # fmt: skip
_SCHEMES = ("http", "https", "mailto", "s3", "gs", "file")
"""Of links: none of those that run something where they are shown."""


class Artifacts:
    """Each method attaches one; the same name again replaces it."""

    def table(self, name: str, rows: Iterable[Any], *, title: str = "") -> None:
        """Rows: dicts, dataclasses or structs. A value that JSON has no type for is shown as text."""
        listed = [msgspec.to_builtins(row, enc_hook=_shown) for row in rows]
        if not all(isinstance(row, dict) for row in listed):
            raise InvalidArgument(
                f"table {name!r}: each row has named fields: a dict, a dataclass or a struct; a DataFrame gives them "
                "by to_dict('records') or to_dicts(), an Arrow table by to_pylist()"
            )
        _attach(Artifact("table", name, title, value=listed))

    def markdown(self, name: str, text: str, *, title: str = "") -> None:
        _attach(Artifact("markdown", name, title, value=text))

    def link(self, name: str, url: str, *, title: str = "") -> None:
        """An address of one of the schemes http, https, mailto, s3, gs, file."""
        if urlsplit(url).scheme not in _SCHEMES:
            raise InvalidArgument(f"link {name!r}: {url!r} begins with none of {', '.join(_SCHEMES)}")
        _attach(Artifact("link", name, title, value=url))

    def image(self, name: str, picture: bytes | str | Path, *, media_type: str = "", title: str = "") -> None:
        """A picture: its bytes, with their ``media_type`` (``image/png`` if nothing else is said), or its file."""
        if isinstance(picture, bytes):
            media_type, data = media_type or "image/png", picture
        else:
            path = Path(picture)
            media_type, data = media_type or _PICTURES.get(path.suffix.lower(), ""), path.read_bytes()
        if not media_type.startswith("image/"):
            raise InvalidArgument(f"image {name!r}: say media_type='image/…' of what it is")
        _attach(Artifact("image", name, title, data=data, media_type=media_type))

    def progress(self, name: str, done: float, total: float | None = None, *, title: str = "") -> None:
        """How far something is. A step's own is seen at once by ``segue.progress``; this one is kept."""
        _attach(Artifact("progress", name, title, value={"done": done, "total": total}))


def _shown(value: Any) -> Any:
    number = plain_number(value)
    return str(value) if number is value else number


def _attach(artifact: Artifact) -> None:
    checked_name(artifact.name, "an artifact's name")
    execution = current()
    if execution is not None:
        execution.issue(c.Attach(artifact.name, _encodings.encode(artifact)))
        return
    attempt = current_attempt("segue.artifact")
    by = msgspec.structs.replace(artifact, by=attempt.key)
    attempt.host.attach(attempt, artifact.name, _encodings.encode(by))


artifact = Artifacts()
