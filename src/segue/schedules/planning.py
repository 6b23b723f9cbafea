"""From what users write about a schedule to the plan that stands in its row, and back to where it begins anew."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from segue.authoring.python.scheduling import POLICY, Schedule
from segue.errors import InvalidArgument
from segue.kernel.names import checked_name
from segue.kernel.schedule import ORDERS, REPROCESSES, Backfill, Order, Policy, Reprocess, Standing
from segue.recurrence.rules import Calendar, Cron, Every, count, instants
from segue.recurrence.walls import moment
from segue.runtime.plans import Plan

if TYPE_CHECKING:
    from segue.engine import Engine

COUNTED = 10_000
"""Due times up to which they are counted one by one; of more it is estimated how many there are."""


def planned(engine: Engine, workflow: Any, schedule: Schedule) -> Plan:
    """The plan of a schedule.

    Raises:
        InvalidArgument, UnknownWorkflow: the workflow cannot be started with these arguments.
    """
    called = engine._input(workflow, schedule.args)
    input = msgspec.Raw(engine.journal.readable(called.payload))
    return Plan(
        called.workflow, schedule.when, schedule.policy(), input, called.hash, _tags(schedule.tags),
        _note(schedule.note),
    )  # fmt: skip


def merged(engine: Engine, plan: Plan, changes: dict[str, Any]) -> Plan:
    """The plan with some fields of ``Schedule`` changed.

    Raises:
        InvalidArgument: one of them cannot be that.
    """
    policy = {POLICY[name][0]: POLICY[name][1](value) for name, value in changes.items() if name in POLICY}
    new: dict[str, Any] = {"policy": msgspec.structs.replace(plan.policy, **policy)}
    if "when" in changes:
        if not isinstance(changes["when"], (Cron, Every, Calendar)):
            raise InvalidArgument(f"a schedule goes by Cron(…), Every(…) or Calendar(…), not by {changes['when']!r}")
        new["rule"] = changes["when"]
    if "args" in changes:
        called = engine._input(plan.workflow, tuple(changes["args"]))
        new |= {"input": msgspec.Raw(engine.journal.readable(called.payload)), "input_hash": called.hash}
    if "tags" in changes:
        new["tags"] = _tags(changes["tags"])
    if "note" in changes:
        new["note"] = _note(changes["note"])
    found = msgspec.structs.replace(plan, **new)
    if found.instants.after(engine.clock.now()) is None:
        raise InvalidArgument("with these changes the schedule would never be due again; nothing was changed")
    return found


def begin(policy: Policy, now: int) -> Standing:
    """Where a new schedule stands: before the first instant from now, or from its start if that has passed."""
    cursor = now if policy.start is None else min(now, policy.start - 1)
    return Standing(cursor, (cursor,) * len(policy.limits))


def restarted(old: Plan, new: Plan, standing: Standing, now: int) -> Standing:
    """Where a changed schedule goes on. Other instants, and other deadlines, count from now."""
    if (old.rule, old.policy.start, old.policy.end) != (new.rule, new.policy.start, new.policy.end):
        standing = msgspec.structs.replace(standing, cursor=now, checked=(now,) * len(new.policy.limits))
    elif old.policy.limits != new.policy.limits:
        standing = msgspec.structs.replace(standing, checked=(standing.cursor,) * len(new.policy.limits))
    return standing


def in_the_past(start: int, end: int, now: int) -> str:
    """A backfill's period in words.

    Raises:
        InvalidArgument: it does not lie in the past.
    """
    shown = f"from {moment(start).isoformat()} to {moment(end).isoformat()}"
    if start >= end or end > now:
        raise InvalidArgument(f"a backfill goes from an earlier to a later time of the past; {shown} does not")
    return shown


def backfill_of(
    name: str,
    plan: Plan,
    now: int,
    period: tuple[int, int],
    parallel: int,
    order: Order,
    reprocess: Reprocess,
    most: int,
) -> Backfill:
    """A backfill of the schedule.

    Raises:
        InvalidArgument: it does not lie in the past, has no due times or too many, or cannot be as it is asked for.
    """
    if order not in ORDERS or reprocess not in REPROCESSES:
        raise InvalidArgument(
            f"order is one of {', '.join(ORDERS)}, reprocess one of {', '.join(REPROCESSES)}; "
            f"given were {order!r} and {reprocess!r}"
        )
    if isinstance(parallel, bool) or not isinstance(parallel, int) or parallel < 1:
        raise InvalidArgument(f"parallel={parallel!r} starts nothing; it counts from 1")
    start, end = period
    shown = in_the_past(start, end, now)
    total, exact = count(instants(plan.rule), start, end, COUNTED)
    if total > most:
        about = f"{total:,}" if exact else f"about {total:,}"
        raise InvalidArgument(
            f"the backfill of {name!r} {shown} has {about} due times ({plan.rule}), and {most:,} are allowed; choose a "
            f"shorter period, or allow more (most={total}, --most {total})"
        )
    if not total:
        raise InvalidArgument(f"schedule {name!r} ({plan.rule}) has no due times {shown}; there is nothing to fill in")
    if plan.policy.depends_on_past and (parallel > 1 or order != "oldest"):
        raise InvalidArgument(
            f"runs of {name!r} depend on the one before them: its backfill goes one by one, the oldest first"
        )
    return Backfill(start, end, parallel, order, reprocess, total)


def own_and_declared(base: Plan, mine: Plan, code: Plan) -> Plan:
    """What becomes of a schedule when its code says something new: field by field, what the code has changed since it
    was last read becomes so; whatever it has not keeps what a person made of it."""
    policy = _merge(base.policy, mine.policy, code.policy)
    plan: Plan = _merge(*(msgspec.structs.replace(one, policy=policy, declared=None) for one in (base, mine, code)))
    return msgspec.structs.replace(plan, declared=code)


def differences(plan: Plan) -> list[str]:
    """Names of the fields in which a schedule is other than its code declares."""
    base = plan.declared
    if base is None:
        return []
    whole = ["when"] if plan.rule != base.rule else []
    whole += [name for name in ("tags", "note") if getattr(plan, name) != getattr(base, name)]
    whole += ["args"] if plan.input_hash != base.input_hash else []
    given = {field: name for name, (field, _) in POLICY.items()}
    return whole + [given[f] for f in given if getattr(plan.policy, f) != getattr(base.policy, f)]


def _merge(base: Any, mine: Any, code: Any) -> Any:
    changed = {
        field: getattr(code, field)
        for field in type(base).__struct_fields__
        if _compared(code, field) != _compared(base, field)
    }
    return msgspec.structs.replace(mine, **changed)


def _compared(value: Any, field: str) -> Any:
    # The same arguments may be sealed into other bytes: they are told by their hash.
    return value.input_hash if field == "input" else getattr(value, field)


def _tags(tags: dict[str, str]) -> dict[str, str]:
    return {checked_name(name, "a tag's name"): checked_name(value, f"tag {name!r}") for name, value in tags.items()}


def _note(text: str) -> str:
    return checked_name(text, "a note")
