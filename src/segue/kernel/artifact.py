"""What a run leaves for people to look at beside its result: tables, texts, links, pictures, how far it is."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

Kind = Literal["table", "markdown", "link", "image", "progress"]


class Artifact(msgspec.Struct, frozen=True):
    """One of them, under a name; the same name again replaces it.

    Attributes:
        by: key of the step that attached it, "" for the workflow itself.
        value: rows of a table (objects with the same fields), text, address, or ``{"done": …, "total": …}``.
        data: the bytes of a picture, of ``media_type``.
    """

    kind: Kind
    name: str
    title: str = ""
    by: str = ""
    value: Any = None
    data: bytes = b""
    media_type: str = ""
