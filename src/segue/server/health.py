"""Whether the server is there, whether it can do its work, and figures for machines."""

from __future__ import annotations

from typing import Any

import msgspec

from segue.server.call import Call


class Health(msgspec.Struct, frozen=True):
    """``ok``: the process answers."""

    status: str


class Ready(msgspec.Struct, frozen=True):
    """``ready``: the database answers. ``owner``: whether this very process owns the app's runs."""

    status: str
    owner: bool


async def healthy(call: Call[Any, None]) -> Health:
    return Health("ok")


async def ready(call: Call[Any, None]) -> Ready:
    call.engine.store.pulse()  # raises StoreUnavailable
    return Ready("ready", call.engine.owner)
