"""What the process that serves the API goes by: where its database is, its settings, how long runs are kept."""

from __future__ import annotations

from typing import Any

import msgspec

from segue import __version__
from segue.kernel.duration import microseconds
from segue.runtime.settings import Settings
from segue.server.call import Call
from segue.server.within import whole_of


class SettingView(msgspec.Struct, frozen=True):
    """A setting by its name in the file, as it is in effect, and as it would be if nobody had said anything."""

    name: str
    value: int | float | str
    default: int | float | str


class RetentionView(msgspec.Struct, frozen=True):
    """Runs of this workflow (None: of all that no other rule names) that ended so (None: in any way) are kept for
    ``keep`` µs."""

    keep: int
    workflow: str | None
    state: str | None


class SystemView(msgspec.Struct, frozen=True, kw_only=True):
    """Of the process that answers; other workers on the database may go by other settings.

    Attributes:
        version: of segue. namespace: of requests that name none.
        database: its address, without a password.
        worker: this process, as it is named where it owns runs.
        settings: all but retention, and but the rules by which others are told: those may hold addresses that let
            whoever has them in.
        retention: rules; without one, runs are kept for ever.
    """

    version: str
    database: str
    app: str
    namespace: str
    worker: str
    settings: list[SettingView]
    retention: list[RetentionView]


async def show_system(call: Call[Any, None]) -> SystemView:
    engine = whole_of(call.engine)
    used, unsaid = engine.settings, Settings()
    names = [field.name for field in msgspec.structs.fields(Settings) if field.name not in ("retention", "notify")]
    return SystemView(
        version=__version__, database=engine.database, app=engine.app, namespace=engine.namespace, worker=engine.worker,
        settings=[SettingView(name, getattr(used, name), getattr(unsaid, name)) for name in names],
        retention=[RetentionView(microseconds(rule.keep), rule.workflow, rule.state) for rule in used.retention],
    )  # fmt: skip
