"""The audit log as the server writes it: one entry for everything that changes something, done or refused."""

from __future__ import annotations

import logging

from segue.errors import StoreError
from segue.runtime.beside import beside
from segue.server.accounts import LONGEST_NAME
from segue.server.call import Asked
from segue.stores.account_rows import AccountRows, AuditRow

log = logging.getLogger("segue.server")

LONGEST_TARGET = 500


async def note(
    rows: AccountRows, asked: Asked, *, at: int, namespace: str, actor: str, action: str, outcome: int, number: str
) -> None:
    """Writes an entry; ``number`` is that of the request in the server's log.

    ``namespace``: in whose log. What was asked in another one says so: nobody was led there.
    """
    aside = f"?namespace={asked.namespace}" if asked.namespace not in ("", namespace) else ""
    row = AuditRow(
        0, at, namespace, _kept(actor, LONGEST_NAME * 2), action, _kept(asked.path, LONGEST_TARGET) + aside, outcome,
        asked.address, number,
    )  # fmt: skip
    try:
        await beside(rows.audit, row)
    except StoreError:
        # What was asked has happened, or not; an answer that says otherwise would be wrong either way.
        log.exception("request %s of %s could not be noted in the audit log: %r", number, actor, row)


def _kept(text: str, longest: int) -> str:
    """As a database can hold it."""
    return text[:longest].replace("\0", "").encode(errors="replace").decode()
