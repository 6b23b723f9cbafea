"""``Schedules`` from synchronous code: the same methods, without ``await``."""

from __future__ import annotations

import builtins
from datetime import datetime
from typing import TYPE_CHECKING, Any

from segue.authoring.python.scheduling import Schedule
from segue.kernel.schedule import Order, Reprocess
from segue.recurrence.rules import Rule
from segue.schedules.info import BackfillPreview, ScheduleInfo
from segue.schedules.scheduling import MOST, NEXT, Schedules

if TYPE_CHECKING:
    from segue.sync import Client, SyncHandle


class SyncSchedules:
    """The schedules of a client's namespace. Each method takes, gives and raises what that of ``Schedules`` does."""

    def __init__(self, client: Client, schedules: Schedules) -> None:
        self._client = client
        self._schedules = schedules

    def create(self, name: str, workflow: Any, schedule: Schedule | Rule, *, paused: str | None = None) -> ScheduleInfo:
        return self._client.wait(self._schedules.create(name, workflow, schedule, paused=paused))

    def update(self, name: str, **changes: Any) -> ScheduleInfo:
        return self._client.wait(self._schedules.update(name, **changes))

    def pause(self, name: str, reason: str = "") -> None:
        self._client.wait(self._schedules.pause(name, reason))

    def resume(self, name: str) -> None:
        self._client.wait(self._schedules.resume(name))

    def trigger(self, name: str, *, due: datetime | str | None = None, by: str = "") -> SyncHandle[Any]:
        return self._client.handle_of(self._client.wait(self._schedules.trigger(name, due=due, by=by)))

    def backfill(
        self,
        name: str,
        start: datetime | str,
        end: datetime | str,
        *,
        id: str | None = None,
        parallel: int = 1,
        order: Order = "oldest",
        reprocess: Reprocess = "missing",
        most: int = MOST,
    ) -> str:
        return self._client.wait(
            self._schedules.backfill(
                name, start, end, id=id, parallel=parallel, order=order, reprocess=reprocess, most=most
            )
        )

    def preview_backfill(self, name: str, start: datetime | str, end: datetime | str) -> BackfillPreview:
        return self._client.wait(self._schedules.preview_backfill(name, start, end))

    def cancel_backfill(self, name: str, id: str) -> None:
        self._client.wait(self._schedules.cancel_backfill(name, id))

    def delete(self, name: str) -> None:
        self._client.wait(self._schedules.delete(name))

    def list(self, *, after: str = "", limit: int | None = None) -> builtins.list[ScheduleInfo]:
        return self._client.wait(self._schedules.list(after=after, limit=limit))

    def show(self, name: str) -> ScheduleInfo:
        return self._client.wait(self._schedules.show(name))

    def preview(self, schedule: Schedule | Rule | str, n: int = NEXT) -> builtins.list[datetime]:
        return self._schedules.preview(schedule, n)
