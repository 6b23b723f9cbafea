"""Where a run stands, in a few words."""

from __future__ import annotations

from typing import Any

from segue.cli.payloads import brief_value
from segue.cli.words import ago, length, size
from segue.standing import Standing


def said(where: Standing, now: int) -> str:
    """What there is to say of a run besides its state."""
    match where.kind:
        case "error" | "reason":
            return where.text
        case "task":
            return f"{where.name} by {where.who}" + (f" and {where.more} more" if where.more else "")
        case "retry":
            assert where.until is not None
            due = f"in {length(where.until - now)}" if where.until > now else "due"
            return f"{where.name}, attempt {where.attempt} {due}: {where.text}"
        case "timer":
            assert where.until is not None
            timer = f"{where.name or 'timer'} {ago(where.until, now)}"
            return f"{timer}, or {_signals(where)}" if where.signals else timer
        case "child":
            return f"child run {where.name} {where.who}"
        case "signal":
            return _signals(where)
        case "message":
            return "a message"
        case "outside":
            return f"{where.name}, whose outcome comes from outside"
        case "paused":
            return f"step {where.name} is paused" + (f" by {where.who}" if where.who else "")
        case "step":
            return f"after {where.name}"
        case "result":
            return _value(where.value)
        case "nothing":
            return ""


def _signals(where: Standing) -> str:
    first, *rest = where.signals
    return f"signal {first}" + (f" or {len(rest)} more" if rest else "")


def _value(value: Any) -> str:
    if isinstance(value, dict) and value.keys() == {"encoding", "bytes"}:
        return f"{value['encoding']}, {size(value['bytes'])}"
    if value == {"erased": True}:
        return "(erased)"
    return brief_value(value)
