"""What runs have attached for people to look at: tables, texts, links, pictures, how far they are."""

from __future__ import annotations

from typing import Any

import msgspec

from segue.errors import InvalidArgument
from segue.kernel.artifact import Artifact, Kind
from segue.server.call import Call
from segue.server.runs import the_run
from segue.server.views import SHOWN


class ArtifactView(msgspec.Struct, frozen=True, kw_only=True):
    """An artifact.

    Attributes:
        by: key of the step that attached it, "" for the workflow itself.
        value: rows of a table, text, address, or how far it is.
        data: a picture, in base64, of ``media_type``.
        size: in bytes. cut: too large to be sent along with others; asked for by name it comes whole.
    """

    kind: Kind
    name: str
    title: str
    by: str
    value: Any
    data: bytes
    media_type: str
    size: int
    cut: bool


class ArtifactQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which one."""

    name: str


async def list_artifacts(call: Call[Any, None]) -> list[ArtifactView]:
    return [_view(found, SHOWN) for found in await call.engine.artifacts(the_run(call).run)]


async def show_artifact(call: Call[ArtifactQuery, None]) -> ArtifactView:
    row = the_run(call)
    for found in await call.engine.artifacts(row.run):
        if found.name == call.query.name:
            return _view(found, None)
    raise InvalidArgument(f"run {row.id!r} has attached nothing named {call.query.name!r}", path="$.name")


def _view(found: Artifact, most: int | None) -> ArtifactView:
    size = len(found.data) or len(msgspec.json.encode(found.value))
    cut = most is not None and size > most
    return ArtifactView(
        kind=found.kind, name=found.name, title=found.title, by=found.by, value=None if cut else found.value,
        data=b"" if cut else found.data, media_type=found.media_type, size=size, cut=cut,
    )  # fmt: skip
