"""Search attributes and published values of runs, and keyed state across runs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from segue.stores.base import Append, StateWrite
from segue.stores.sql.statements import Connection, Statement, flat

_set_attributes = Statement("set_attributes")
_remove_attributes = Statement("remove_attributes")
_publish = Statement("publish_values")
_unpublish = Statement("unpublish_values")
_attach = Statement("attach_artifacts")
_set_state = Statement("set_state")
_remove_state = Statement("remove_state")

_encode = msgspec.json.Encoder(order="sorted").encode


def attribute_text(value: object) -> str:
    """An attribute as it is kept and compared: JSON with sorted keys."""
    return _encode(value).decode()


def apply(connection: Connection, appends: Sequence[Append]) -> None:
    """Writes what the appends say."""
    attributes = [(a.run, name, value) for a in appends for name, value in a.attributes.items()]
    _set_attributes.many(connection, flat((r, n, attribute_text(v)) for r, n, v in attributes if v is not None))
    _remove_attributes.many(connection, flat((r, n) for r, n, v in attributes if v is None))
    published = [(a.run, name, value) for a in appends for name, value in a.published.items()]
    _publish.many(connection, flat(row for row in published if row[2] is not None))
    _unpublish.many(connection, flat(row[:2] for row in published if row[2] is None))
    attach(connection, [(a.run, a.artifacts) for a in appends])
    set_state(connection, [write for a in appends for write in a.state])


def attach(connection: Connection, artifacts: Iterable[tuple[int, Mapping[str, bytes]]]) -> None:
    """Keeps the artifacts of runs."""
    _attach.many(connection, flat((run, name, value) for run, found in artifacts for name, value in found.items()))


def set_state(connection: Connection, writes: Sequence[StateWrite]) -> None:
    """Writes keyed state; where two write the same, the later one stands."""
    state = {(write.namespace, write.scope, write.key): write.value for write in writes}
    _set_state.many(connection, flat((*key, value) for key, value in state.items() if value is not None))
    _remove_state.many(connection, flat(key for key, value in state.items() if value is None))
