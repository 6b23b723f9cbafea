"""Artifacts on their way into a commit: small ones in their row, large ones kept apart like any large value."""

from __future__ import annotations

from collections.abc import Mapping

from segue.kernel.codec import LIMIT
from segue.kernel.payload import Payload
from segue.kernel.reference import keep_apart
from segue.runtime.journal import JournalFormat
from segue.stores.base import Blob


def written(journal: JournalFormat, artifacts: Mapping[str, Payload]) -> tuple[dict[str, bytes], list[Blob]]:
    """The rows of artifacts by name, and the values that are kept apart."""
    rows: dict[str, bytes] = {}
    blobs: list[Blob] = []
    for name, payload in artifacts.items():
        if len(payload.data) > LIMIT:
            payload, ref, data = keep_apart(payload, "", journal.codec)
            blobs.append(Blob(ref, data))
        rows[name] = journal.readable(payload)
    return rows, blobs
