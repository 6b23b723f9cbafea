"""Makes runs of what users' own transactions have put into the outbox.

The run is started in one commit and the row removed in the next. The run has the uid that stands in the row, so that a
row which is found once more, after a crash in between, starts nothing.
"""

from __future__ import annotations

import logging
import re
from functools import partial
from typing import TYPE_CHECKING, Any

import msgspec

from segue.errors import CallerError, PayloadError, StoreUnavailable
from segue.kernel import events as e
from segue.kernel.names import checked_id, checked_namespace
from segue.runtime.children import PYTHON
from segue.stores.base import RESIDENT, Rejected, StartRun
from segue.stores.outbox_rows import OutboxRow, SettleOutbox

if TYPE_CHECKING:
    from segue.runtime.conductor import Conductor

log = logging.getLogger("segue.outbox")

AT_ONCE = 200

_tags = msgspec.json.Decoder(dict[str, str])
_uid = re.compile(r"[0-9a-f]{32}")
_NO_RUN = (CallerError, PayloadError, msgspec.MsgspecError, RecursionError)  # the last one: nested too deeply


class Outbox:
    """The rows that this owner has seen and not settled."""

    def __init__(self, conductor: Conductor) -> None:
        self._conductor = conductor
        self._under_way: set[int] = set()

    def look(self) -> None:
        """Starts what waits. Raises ``StoreUnavailable``."""
        conductor = self._conductor
        names = conductor.definitions.names()
        rows = conductor.store.outbox(conductor.app, AT_ONCE, names) if names else []
        for row in rows:
            if row.row not in self._under_way:
                self._under_way.add(row.row)
                self._start(row)

    def _start(self, row: OutboxRow) -> None:
        conductor = self._conductor
        try:
            event = self._event(row)
            data, blobs = conductor.journal.write(event)
        except _NO_RUN as error:
            self._refuse(row, str(error))
            return
        operation = StartRun(
            event.namespace, event.id, event.uid, conductor.app, event.workflow, event.at, data, event.input_hash,
            version=event.version, wake=RESIDENT, tags=event.tags, blobs=tuple(blobs),
        )  # fmt: skip
        conductor.writer.submit(operation, partial(self._started, row, event))

    def _event(self, row: OutboxRow) -> e.RunStarted:
        """The run's first event. Raises one of ``_NO_RUN``."""
        definitions = self._conductor.definitions
        if not _uid.fullmatch(row.uid):
            raise CallerError(f"uid {row.uid!r} is not 32 hexadecimal digits; leave the column out")
        namespace = checked_namespace(row.namespace)
        payload, hash = definitions.arguments(row.workflow, row.input)
        id = row.uid if row.id is None else checked_id(row.id, "a run's id")
        return e.RunStarted(
            self._conductor.clock.now(), "outbox", None, row.workflow, id, row.uid, payload, namespace=namespace,
            version=definitions.version(row.workflow, id), python=PYTHON, tags=_tags.decode(row.tags), input_hash=hash,
        )  # fmt: skip

    def _started(self, row: OutboxRow, event: e.RunStarted, answer: Any) -> None:
        if isinstance(answer, Exception):
            return  # this owner is done; the next one finds the row
        if isinstance(answer, Rejected) or answer.outcome == "refused":
            self._refuse(row, answer.reason)
            return
        if answer.outcome == "started":
            self._conductor.adopt(answer.run, event)
        else:
            self._conductor.poke(answer.run)
        self._settle(row, None)

    def _refuse(self, row: OutboxRow, reason: str) -> None:
        log.error("row %d of the outbox starts no run of %s: %s", row.row, row.workflow, reason)
        self._settle(row, reason)

    def _settle(self, row: OutboxRow, error: str | None) -> None:
        self._conductor.writer.submit(SettleOutbox(row.row, error), partial(self._settled, row.row))

    def _settled(self, row: int, answer: Any) -> None:
        self._under_way.discard(row)
        if not self._under_way and not isinstance(answer, Exception):
            try:
                self.look()
            except StoreUnavailable as error:
                log.debug("looking into the outbox later: %s", error)
