"""Who owns the runs of an app: workers with leases, and slots that move between them.

A worker's row in ``owners`` is both: the fence, which every commit of its locks and finds or not, and the lease, which
it goes on with long before it runs out. Whoever finds a lease run out deletes the row; that waits for a commit that has
passed the fence, and no later one passes. So of two who believe that they own a run, one can write nothing. Time is the
database's.

Each slot belongs to one worker or to none; the table is moved about under its own locks by one worker at a time. A
worker claims free slots up to its share of all, and is told what it holds above its share once somebody has less: it
lets go of those by itself, when nothing is under way there any more.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress

import msgspec

from segue.errors import FenceLost, StoreError
from segue.kernel.ramp import Ramp
from segue.stores.base import Fence
from segue.stores.owning import SLOTS, Holding, Served, Slots
from segue.stores.postgres.hints import OWNERS
from segue.stores.postgres.session import Session
from segue.stores.postgres.writer import Writer, lost
from segue.stores.sql.serving import serving_of, serving_text
from segue.stores.sql.statements import Statement, flat

_join = Statement("join_owners")
_leave = Statement("leave_owners")
_renew = Statement("renew_lease")
_expire = Statement("expire_leases")
_end_hung = Statement("end_hung_owners")
_shorten = Statement("shorten_leases")
_live = Statement("live_owners")
_advertise = Statement("advertise")
_make = Statement("make_app")
_lock = Statement("lock_app")
_slots_of = Statement("slots_of_app")
_clear = Statement("clear_slots")
_write = Statement("write_slots")
_move = Statement("move_runs")
_move_these = Statement("move_these_runs")
_pin = Statement("pin_versions")
_versions = Statement("versions_of_runs")

_pins = msgspec.json.Decoder(dict[str, list[str]])
_TELL = f"NOTIFY segue, '{OWNERS}'".encode()


class _Range(msgspec.Struct):
    """A row of the table of slots."""

    low: int
    high: int
    epoch: int | None
    clean: bool

    @property
    def size(self) -> int:
        return self.high - self.low + 1


class _Owner(msgspec.Struct):
    """A worker that counts as alive. ``silent``: its lease has run out. ``ahead``: its lease ends later than it can."""

    epoch: int
    silent: bool
    ahead: bool
    serves: str
    pins: str | None
    worker: str
    since: int

    @property
    def served(self) -> Served:
        """What it has code for; nothing to rely on until it has said to which versions it is confined."""
        if self.pins is None:
            return Served(worker=self.worker, since=self.since)
        serves, ramps = serving_of(self.serves)
        return Served(serves, _pins.decode(self.pins), self.worker, self.since, ramps)


class Ownership:
    """What this store owns. Has a connection of its own: a lease must not wait for a long commit."""

    def __init__(self, writer: Writer, lease: float, landed: Mapping[Fence, int]) -> None:
        self._writer = writer
        self._lease = lease
        self._landed = landed
        self._held: set[Fence] = set()
        self._renewals: dict[Fence, int] = {}
        """How often the database has gone on with leases, as it has acknowledged."""

    def own(self, app: str, worker: str, serves: Mapping[str, str] | None) -> Fence:
        with self._writer.transaction() as session:
            _make.one(session, (app,))
            ((epoch,),) = _join.one(session, (app, worker, serving_text(serves or {}), self._lease))
            session.raw.execute(_TELL)
        fence = Fence(app, epoch)
        self._held.add(fence)
        return fence

    def advertise(self, fence: Fence, serves: Mapping[str, str], ramps: Mapping[str, Ramp]) -> None:
        with self._writer.transaction() as session:
            _advertise.one(session, (serving_text(serves, ramps), fence.app, fence.epoch))

    def pin(self, fence: Fence, pins: Mapping[str, Sequence[str]]) -> None:
        with self._writer.transaction() as session:
            _pin.one(session, (msgspec.json.encode(dict(pins)).decode(), fence.app, fence.epoch))

    def tend(self, fence: Fence) -> Holding:
        """Goes on with the lease, throws out whoever is dead, claims what is free; see ``Store.tend``."""
        known = self._renewals.get(fence, 0), self._landed.get(fence, 0)
        with self._writer.transaction() as session:
            renewed = _renew.one(session, (self._lease, fence.app, fence.epoch, *known))
            if renewed:
                ranges, owners = self._claim_free(session, fence)
            else:
                # It may be there still, if the database was set back: nobody has to wait for its end.
                _leave.one(session, (fence.app, fence.epoch))
        if not renewed:
            raise lost(fence)
        ((self._renewals[fence],),) = renewed  # not before it is committed
        own = [each for each in ranges if each.epoch == fence.epoch]
        surplus = _surplus(ranges, own, [owner.epoch for owner in owners], _share(owners))
        others = tuple(owner.served for owner in owners if owner.epoch != fence.epoch)
        since = next(owner.since for owner in owners if owner.epoch == fence.epoch)
        return Holding(_slots(own), surplus, others, since)

    def _claim_free(self, session: Session, fence: Fence) -> tuple[list[_Range], list[_Owner]]:
        """Throws out whoever is dead, and claims what is nobody's; all slots, and who lives."""
        ranges = _read(session, fence.app)
        _expire.one(session, (fence.app,))
        owners = _owners(session, fence.app)
        if any(owner.silent for owner in owners):
            _end_hung.one(session, (fence.app, self._lease))
        if any(owner.ahead for owner in owners):
            _shorten.one(session, (fence.app,))
        before = msgspec.json.encode(ranges)
        _free(ranges, {owner.epoch for owner in owners})
        _claim(ranges, fence.epoch, _share(owners))
        ranges = _merged(ranges)
        if msgspec.json.encode(ranges) != before:
            _write_anew(session, fence.app, ranges)
        return ranges, owners

    def give(self, fence: Fence, slots: Sequence[Slots]) -> None:
        """Lets go of slots; nothing is under way there."""
        with self._writer.transaction(fence) as session:
            ranges = _read(session, fence.app)
            kept: list[_Range] = []
            for each in ranges:
                kept += _split(each, slots) if each.epoch == fence.epoch else [each]
            _write_anew(session, fence.app, _merged(kept))
            session.raw.execute(_TELL)

    def pass_on(self, fence: Fence, workflows: Iterable[str], runs: Iterable[int], now: int) -> int:
        """Moves runs to owners who have code for them; see ``Owning.pass_on``."""
        moved = 0
        with self._writer.transaction(fence) as session:
            ranges = _read(session, fence.app)
            owners = [owner for owner in _owners(session, fence.app) if not owner.silent]
            serving = {owner.epoch: owner.served for owner in owners if owner.epoch != fence.epoch}
            own = [each for each in ranges if each.epoch == fence.epoch]
            owned = [each.low for each in own], [each.high for each in own]
            for workflow in workflows:
                slot = _home(ranges, {epoch for epoch, served in serving.items() if workflow in served.serves})
                if slot is not None:
                    _move.one(session, (fence.app, workflow, slot, now, *owned))
                    moved += session.changes()
            for kind, alike in _alike(session, runs).items():
                slot = _home(ranges, {epoch for epoch, served in serving.items() if served.has(*kind)})
                if slot is not None:
                    _move_these.one(session, (fence.app, slot, alike, *owned))
                    moved += session.changes()
            if moved:
                session.raw.execute(_TELL)
        return moved

    def release(self, fence: Fence, *, clean: bool) -> None:
        """Not ``clean``: the lease runs out by itself, as after the death of the process."""
        if fence not in self._held:
            return
        self._held.discard(fence)
        self._renewals.pop(fence, None)
        if not clean:
            return
        with suppress(StoreError, FenceLost), self._writer.transaction() as session:
            if not _leave.one(session, (fence.app, fence.epoch)):
                return
            ranges = _read(session, fence.app)
            for each in ranges:
                if each.epoch == fence.epoch:
                    each.epoch, each.clean = None, True
            _write_anew(session, fence.app, _merged(ranges))
            session.raw.execute(_TELL)

    def close(self) -> None:
        self._writer.close()

    def release_all(self, *, clean: bool) -> None:
        for fence in list(self._held):
            self.release(fence, clean=clean)


def _read(session: Session, app: str) -> list[_Range]:
    """The slots of an app, which nobody else moves until the transaction ends.

    An owner locks its own row before it: that may have to wait for a commit of its own, which is not at the expense of
    all others then. Whoever holds the app waits for no owner any more.
    """
    _lock.one(session, (app,))
    return [_Range(*row) for row in _slots_of.one(session, (app,))] or [_Range(0, SLOTS - 1, None, True)]


def _owners(session: Session, app: str) -> list[_Owner]:
    return [_Owner(*row) for row in _live.one(session, (app,))]


def _share(owners: Sequence[_Owner]) -> int:
    """How many slots one of them has at most."""
    return -(-SLOTS // len(owners))


def _free(ranges: list[_Range], live: set[int]) -> None:
    """The slots of the dead are nobody's."""
    for each in ranges:
        if each.epoch is not None and each.epoch not in live:
            each.epoch, each.clean = None, False


def _claim(ranges: list[_Range], epoch: int, share: int) -> None:
    """Takes free slots, until the worker has its share."""
    missing = share - sum(each.size for each in ranges if each.epoch == epoch)
    for each in list(ranges):
        if each.epoch is not None or missing <= 0:
            continue
        if each.size > missing:
            ranges.insert(ranges.index(each) + 1, _Range(each.low + missing, each.high, None, each.clean))
            each.high = each.low + missing - 1
        each.epoch = epoch
        missing -= each.size


def _surplus(ranges: Sequence[_Range], own: Sequence[_Range], live: Sequence[int], share: int) -> tuple[Slots, ...]:
    """What the worker holds above its share, as far as others lack it, from its highest slots down."""
    sizes = dict.fromkeys(live, 0)
    for each in ranges:
        if each.epoch in sizes:
            sizes[each.epoch] += each.size
    floor = SLOTS // len(live)
    lacking = sum(max(0, floor - size) for size in sizes.values()) - sum(
        each.size for each in ranges if each.epoch is None
    )
    above = min(sum(each.size for each in own) - share, lacking)
    found: list[Slots] = []
    for each in reversed(own):
        if above <= 0:
            break
        low = max(each.low, each.high - above + 1)
        found.append(Slots(low, each.high))
        above -= each.high - low + 1
    return tuple(found)


def _split(each: _Range, given: Sequence[Slots]) -> list[_Range]:
    """The range, with the slots that were given up as ranges of their own."""
    parts: list[_Range] = []
    at = each.low
    for slots in sorted(given, key=lambda slots: slots.low):
        low, high = max(slots.low, each.low), min(slots.high, each.high)
        if low > high:
            continue
        if at < low:
            parts.append(_Range(at, low - 1, each.epoch, each.clean))
        parts.append(_Range(low, high, None, True))
        at = high + 1
    if at <= each.high:
        parts.append(_Range(at, each.high, each.epoch, each.clean))
    return parts


def _merged(ranges: Sequence[_Range]) -> list[_Range]:
    """Neighbours of one owner as one range."""
    merged: list[_Range] = []
    for each in sorted(ranges, key=lambda each: each.low):
        last = merged[-1] if merged else None
        if last is not None and (last.epoch, last.clean) == (each.epoch, each.clean):
            merged[-1] = _Range(last.low, each.high, last.epoch, last.clean)
        else:
            merged.append(each)
    return merged


def _write_anew(session: Session, app: str, ranges: Sequence[_Range]) -> None:
    _clear.one(session, (app,))
    _write.many(session, flat((app, each.low, each.high, each.epoch, each.clean) for each in ranges))


def _home(ranges: Sequence[_Range], owners: set[int]) -> int | None:
    """A slot of one of the owners; None if they have none."""
    homes = [each for each in ranges if each.epoch in owners]
    if not homes:
        return None
    target = random.choice(homes)
    return random.randint(target.low, target.high)


def _alike(session: Session, runs: Iterable[int]) -> dict[tuple[str, str], list[int]]:
    """The runs by workflow and version."""
    wanted, found = list(runs), defaultdict[tuple[str, str], list[int]](list)
    for run, *kind in _versions.one(session, (wanted,)) if wanted else ():
        found[kind[0], kind[1]].append(run)
    return found


def _slots(ranges: Sequence[_Range]) -> tuple[Slots, ...]:
    return tuple(Slots(each.low, each.high, each.clean) for each in ranges)
