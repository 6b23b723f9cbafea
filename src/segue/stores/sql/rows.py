"""Makes a run's row of what the statements answer that read one, and words of the row."""

from __future__ import annotations

from typing import Any

import msgspec

from segue.stores.base import RunRow
from segue.stores.run_words import words_of_run
from segue.stores.sql.statements import Row

_tags = msgspec.json.Decoder(dict[str, str])
_awaits = msgspec.json.Decoder(tuple[str, ...])
_attributes = msgspec.json.Decoder(dict[str, Any])


def run_row(row: Row) -> RunRow:
    *plain, chain, summary, timer, awaits, slot, tags, attributes = row
    columns: list[Any] = [
        *plain,
        {} if tags == "{}" else _tags.decode(tags),
        {} if attributes is None or attributes == "{}" else _attributes.decode(attributes),
        chain,
        summary,
        timer,
        () if awaits is None else _awaits.decode(awaits),
        slot,
    ]
    return RunRow(*columns)


def words_of_row(row: RunRow) -> set[str]:
    """The words that are kept of a run."""
    return words_of_run(row.id, tags=row.tags, attributes=row.attributes, summary=row.summary, error=row.error)
